"""`trust-lists.json`: signed trust lists, docs/spec/trust-list.md."""

from typing import Any

from tests.support.vectors.common import REGISTRY, Json, file_of, number, to_hex
from tests.support.vectors.signed import CHANGED, OTHER, OTHER_SEED, SIGNED_AT, SIGNER, refused, signed, spoiled

PIN = {"registry": REGISTRY, "codeHash": to_hex(number(1)), "name": "Example"}
OTHER_PIN = {**PIN, "registry": REGISTRY.replace("31337", "1")}
DENIED = "did:web:mill.example"


def content(**changes: Any) -> Json:
    """A list without its proof, with members replaced (`...`: left out)."""
    whole = {
        "format": "credanchor/trust-list@v1",
        "name": "Registrars of the north",
        "sequence": 7,
        "issuedAt": SIGNED_AT,
        "expiresAt": SIGNED_AT + 1000,
        "registries": [PIN],
        "deniedIssuers": [DENIED],
    }
    return {name: member for name, member in {**whole, **changes}.items() if member is not ...}


def build() -> Json:
    valid = [
        ("whole", signed(content())),
        ("without-end", signed(content(expiresAt=None))),
        ("first", signed(content(sequence=1))),
        ("empty", signed(content(registries=[], deniedIssuers=[], name=""))),
        ("two-registries", signed(content(registries=[PIN, OTHER_PIN]))),
        ("another-signer", signed(content(), seed=OTHER_SEED)),
        ("members-in-another-order", dict(reversed(signed(content()).items()))),
    ]
    return file_of(
        "Trust lists: valid ones with their signer, such as break the format or are not signed, and what is to be done "
        "with valid ones. docs/spec/trust-list.md.",
        valid=[
            {
                "name": name,
                "list": each,
                "signer": each["proof"]["verificationMethod"].partition("#")[0],
                "sequence": each["sequence"],
            }
            for name, each in valid
        ],
        invalid=refused("list", [*spoiled(content()), *_changed_afterwards(), *_contents()]),
        use=_use(),
        successors=_successors(),
    )


def _changed_afterwards() -> list[tuple[str, Json, str]]:
    whole, reason = signed(content()), CHANGED
    return [
        ("changed-sequence", {**whole, "sequence": 8}, reason),
        ("changed-end", {**whole, "expiresAt": None}, reason),
        ("denial-taken-away", {**whole, "deniedIssuers": []}, reason),
        ("denial-added", {**whole, "deniedIssuers": [DENIED, "did:web:college.example"]}, reason),
        ("registry-added", {**whole, "registries": [PIN, OTHER_PIN]}, reason),
        ("code-changed", {**whole, "registries": [{**PIN, "codeHash": to_hex(number(2))}]}, reason),
    ]


def _contents() -> list[tuple[str, Json, str]]:
    cases = [
        ("format-of-another-version", content(format="credanchor/trust-list@v2"), "another version"),
        ("format-of-a-policy", content(format="credanchor/policy@v1"), "another format"),
        *((f"{name}-missing", content(**{name: ...}), "a member is missing") for name in content() if name != "format"),
        ("member-unknown", content(nodes=["https://x.example"]), "an unknown member"),
        ("name-null", content(name=None), "it is text"),
        ("sequence-0", content(sequence=0), "from 1"),
        ("sequence-negative", content(sequence=-7), "from 1"),
        ("sequence-fraction", content(sequence=7.5), "a whole number"),
        ("sequence-text", content(sequence="7"), "a number"),
        ("sequence-true", content(sequence=True), "a number"),
        ("issued-at-another-time", content(issuedAt=SIGNED_AT - 1), "not when it was signed"),
        ("issued-at-text", content(issuedAt="2026-09-21"), "Unix seconds"),
        ("expires-at-text", content(expiresAt="2026-09-21"), "Unix seconds or null"),
        ("expires-at-negative", content(expiresAt=-1), "not negative"),
        ("registries-object", content(registries={}), "a list"),
        ("registry-text", content(registries=[REGISTRY]), "an object"),
        ("registry-without-code-hash", content(registries=[{"registry": REGISTRY, "name": ""}]), "no code hash"),
        ("registry-with-more", content(registries=[{**PIN, "x": 1}]), "an unknown member"),
        ("registry-name-number", content(registries=[{**PIN, "name": 1}]), "it is text"),
        ("registry-no-caip-10", content(registries=[{**PIN, "registry": "0x12"}]), "CAIP-10"),
        ("registry-code-hash-short", content(registries=[{**PIN, "codeHash": "0x12"}]), "32 bytes"),
        ("registry-twice", content(registries=[PIN, {**PIN, "codeHash": to_hex(number(2))}]), "a registry twice"),
        ("denied-text", content(deniedIssuers=DENIED), "a list"),
        ("denied-numbers", content(deniedIssuers=[7]), "texts"),
        ("denied-no-did", content(deniedIssuers=["mill.example"]), "it starts with did:"),
        ("denied-with-white-space", content(deniedIssuers=[f"{DENIED} "]), "no white space"),
    ]
    return [(name, signed(each), reason) for name, each, reason in cases]


def _use() -> list[Json]:
    """A policy with one list at a time, and what is trusted then; `null`: nothing may be determined."""
    policy = {"format": "credanchor/policy@v1", "registries": [], "deniedIssuers": ["did:web:own.example"]}
    whole = signed(content())

    def case(name: str, now: int, trusted: Json | None, *, signer: str = SIGNER, **changes: Any) -> Json:
        named = {**policy, **changes, "trustLists": [{"source": "list.json", "signer": signer}]}
        return {"name": name, "policy": named, "list": whole, "now": now, "trusted": trusted}

    trusted = {"registries": [REGISTRY], "deniedIssuers": [DENIED, "did:web:own.example"]}
    return [
        case("now", SIGNED_AT, trusted),
        case("in-the-last-second", SIGNED_AT + 999, trusted),
        case("expired", SIGNED_AT + 1000, None),
        case("by-a-clock-60-s-slow", SIGNED_AT - 60, trusted),
        case("from-the-future", SIGNED_AT - 61, None),
        case("of-another-signer", SIGNED_AT, None, signer=OTHER),
        case("beside-the-same-pin", SIGNED_AT, trusted, registries=[{**PIN, "name": "mine"}]),
        case("beside-another-pin", SIGNED_AT, None, registries=[{**PIN, "codeHash": to_hex(number(2))}]),
        case(
            "beside-another-registry",
            SIGNED_AT,
            {**trusted, "registries": [OTHER_PIN["registry"], REGISTRY]},
            registries=[OTHER_PIN],
        ),
    ]


def _successors() -> list[Json]:
    accepted = signed(content())

    def case(name: str, after: Json, *, may: bool) -> Json:
        return {"name": name, "accepted": accepted, "list": after, "mayFollow": may}

    return [
        case("the-same", accepted, may=True),
        case("the-next", signed(content(sequence=8)), may=True),
        case("much-later", signed(content(sequence=2**53 - 1, deniedIssuers=[])), may=True),
        case("older", signed(content(sequence=6)), may=False),
        case("older-signed-later", signed(content(sequence=6, issuedAt=SIGNED_AT + 9), at=SIGNED_AT + 9), may=False),
        case("another-of-the-same-number", signed(content(deniedIssuers=[])), may=False),
        case("the-same-signed-again", signed(content(issuedAt=SIGNED_AT + 9), at=SIGNED_AT + 9), may=False),
    ]
