"""`audit-statements.json`: what auditors sign, and how two of them compare, docs/spec/audit-statement.md."""

from typing import Any

from tests.support.vectors.common import REGISTRY, REGISTRY_ADDRESS, Json, file_of, number, to_hex
from tests.support.vectors.signed import CHANGED, OTHER_SEED, SIGNED_AT, refused, signed, spoiled

BLOCK = {
    "registry": REGISTRY,
    "number": 9,
    "hash": to_hex(number(2)),
    "at": SIGNED_AT - 5,
    "vouching": "kOfN",
    "vouchedBy": ["https://one.example", "https://two.example"],
    "nodesAsked": 3,
}
WIDE = {"events": 5, "head": to_hex(number(3))}
FIRST = {"didHash": to_hex(number(4)), "events": 4, "head": to_hex(number(5))}
SECOND = {"didHash": to_hex(number(6)), "events": 1, "head": to_hex(number(7))}


def content(**changes: Any) -> Json:
    """A statement without its proof, with members replaced (`...`: left out)."""
    whole = {
        "format": "credanchor/audit-statement@v1",
        "program": "credanchor 0.1.0",
        "auditedAt": SIGNED_AT,
        "organisation": "Example Auditors",
        "block": BLOCK,
        "codeHash": to_hex(number(1)),
        "registryWide": WIDE,
        "issuers": [FIRST, SECOND],
    }
    return {name: member for name, member in {**whole, **changes}.items() if member is not ...}


def build() -> Json:
    empty = content(issuers=[], registryWide={**WIDE, "events": 2})
    valid = [
        ("two-issuers", signed(content())),
        ("no-issuers", signed(empty)),
        ("no-organisation", signed(content(organisation=...))),
        ("signed-later", signed(content(), at=SIGNED_AT + 86400)),
        ("another-signer", signed(content(), seed=OTHER_SEED)),
        ("members-in-another-order", dict(reversed(signed(content()).items()))),
        ("block-known-to-the-policy", signed(content(block={**BLOCK, "vouching": "pinnedHash", "vouchedBy": []}))),
    ]
    return file_of(
        "Audit statements: valid ones with their signer, such as break the format or are not signed, and pairs with "
        "what they say of each other. docs/spec/audit-statement.md.",
        valid=[
            {
                "name": name,
                "statement": statement,
                "signer": statement["proof"]["verificationMethod"].partition("#")[0],
                "issuers": len(statement["issuers"]),
            }
            for name, statement in valid
        ],
        invalid=refused("statement", [*spoiled(content()), *_changed_afterwards(), *_contents()]),
        pairs=_pairs(),
    )


def _changed_afterwards() -> list[tuple[str, Json, str]]:
    whole = signed(content())
    return [
        ("changed-head", {**whole, "registryWide": {**WIDE, "head": to_hex(number(9))}}, CHANGED),
        ("changed-count", {**whole, "issuers": [{**FIRST, "events": 5}, SECOND]}, CHANGED),
        ("changed-block", {**whole, "block": {**BLOCK, "number": 10}}, CHANGED),
        ("changed-time", {**whole, "auditedAt": SIGNED_AT - 1}, CHANGED),
        ("issuers-swapped", {**whole, "issuers": [SECOND, FIRST]}, CHANGED),
        ("issuer-taken-away", {**whole, "issuers": [FIRST]}, CHANGED),
    ]


def _contents() -> list[tuple[str, Json, str]]:
    def block(**changes: Any) -> Json:
        return content(block={name: each for name, each in {**BLOCK, **changes}.items() if each is not ...})

    def wide(**changes: Any) -> Json:
        return content(registryWide={name: each for name, each in {**WIDE, **changes}.items() if each is not ...})

    def issuer(**changes: Any) -> Json:
        first = {name: each for name, each in {**FIRST, **changes}.items() if each is not ...}
        return content(issuers=[first, SECOND])

    names = ("program", "auditedAt", "block", "codeHash", "registryWide", "issuers")
    cases = [
        ("format-of-another-version", content(format="credanchor/audit-statement@v2"), "another version"),
        ("format-of-a-receipt", content(format="credanchor/receipt@v1"), "another format"),
        *((f"{name}-missing", content(**{name: ...}), "a member is missing") for name in names),
        ("member-unknown", content(events=6), "an unknown member"),
        ("program-number", content(program=1), "it is text"),
        ("organisation-number", content(organisation=1), "it is text"),
        ("audited-at-text", content(auditedAt="2026-09-21"), "Unix seconds"),
        ("audited-at-negative", content(auditedAt=-1), "not negative"),
        ("audited-after-signing", content(auditedAt=SIGNED_AT + 1), "signed before it was audited"),
        ("code-hash-upper-case", content(codeHash=to_hex(number(171)).upper()), "lower case"),
        ("code-hash-null", content(codeHash=None), "32 bytes"),
        ("block-list", content(block=[BLOCK]), "one block"),
        *((f"block-without-{name}", block(**{name: ...}), "a member is missing") for name in BLOCK),
        ("block-of-no-registry", block(registry=REGISTRY_ADDRESS), "CAIP-10"),
        ("block-vouched-otherwise", block(vouching="trustMe"), "none of the four"),
        ("registry-wide-text", content(registryWide="x"), "an object"),
        ("registry-wide-with-more", wide(didHash=to_hex(number(4))), "an unknown member"),
        ("registry-wide-without-head", wide(head=...), "a member is missing"),
        ("registry-wide-too-few-events", wide(events=3), "two roles and an accreditation each"),
        ("registry-wide-events-text", wide(events="5"), "a number"),
        ("issuers-object", content(issuers={"1": FIRST}), "a list"),
        ("issuer-text", content(issuers=["x"]), "an object"),
        *((f"issuer-without-{name}", issuer(**{name: ...}), "a member is missing") for name in FIRST),
        ("issuer-with-a-did", issuer(did="did:web:college.example"), "an unknown member"),
        ("issuer-without-events", issuer(events=0), "an accreditation at least"),
        ("issuer-events-true", issuer(events=True), "a number"),
        ("issuer-head-short", issuer(head="0x12"), "32 bytes"),
        ("issuer-did-hash-null", issuer(didHash=None), "32 bytes"),
    ]
    return [(name, signed(each), reason) for name, each, reason in cases]


def _pairs() -> list[Json]:
    later = {**BLOCK, "number": 10, "hash": to_hex(number(12)), "at": SIGNED_AT - 1}
    other_registry = "eip155:1" + REGISTRY[REGISTRY.rindex(":") :]
    head = to_hex(number(13))

    def pair(name: str, other: Json, contradictions: Any, went_on: list[int | None]) -> Json:
        found = None if contradictions is None else [{"issuer": who, "trouble": what} for who, what in contradictions]
        return {
            "name": name,
            "one": signed(content()),
            "other": signed(other, seed=OTHER_SEED),
            "contradictions": found,
            "wentOn": went_on,
        }

    grown = {"events": 6, "head": head}
    return [
        pair("the-same", content(), [], []),
        pair("nothing-happened-since", content(block=later), [], []),
        pair("one-went-on", content(block=later, issuers=[{**FIRST, **grown}, SECOND]), [], [1]),
        pair(
            "an-issuer-more",
            content(block=later, registryWide=grown, issuers=[FIRST, SECOND, {**SECOND, "didHash": head}]),
            [],
            [None, 3],
        ),
        pair("another-head", content(issuers=[FIRST, {**SECOND, "head": head}]), [(2, "otherHead")], []),
        pair("another-registry-wide-head", content(registryWide={**WIDE, "head": head}), [(None, "otherHead")], []),
        pair(
            "another-head-later",
            content(block=later, issuers=[{**FIRST, "head": head}, SECOND]),
            [(1, "otherHead")],
            [],
        ),
        pair("more-events-at-one-block", content(issuers=[{**FIRST, **grown}, SECOND]), [(1, "missingHere")], []),
        pair(
            "fewer-events-later",
            content(block=later, issuers=[{**FIRST, "events": 3, "head": head}, SECOND]),
            [(1, "missingHere")],
            [],
        ),
        pair("an-issuer-fewer-later", content(block=later, issuers=[FIRST]), [(2, "missingHere")], []),
        pair("another-issuer", content(issuers=[FIRST, {**SECOND, "didHash": head}]), [(2, "otherIssuer")], []),
        pair(
            "another-issuer-that-went-on",
            content(block=later, issuers=[FIRST, {**SECOND, **grown, "didHash": head}]),
            [(2, "otherIssuer")],
            [],
        ),
        pair("another-block-of-this-number", content(block={**BLOCK, "hash": head}), [(None, "otherBlock")], []),
        pair("another-time-of-this-block", content(block={**BLOCK, "at": SIGNED_AT - 4}), [(None, "otherTime")], []),
        pair("one-hash-of-two-numbers", content(block={**BLOCK, "number": 10}), [(None, "otherBlock")], []),
        pair("a-later-block-of-an-earlier-time", content(block={**later, "at": 1}), [(None, "otherTime")], []),
        pair("a-later-block-of-the-same-time", content(block={**later, "at": BLOCK["at"]}), [], []),
        pair(
            "other-code-and-another-head",
            content(codeHash=head, registryWide={**WIDE, "head": head}),
            [(None, "otherCode"), (None, "otherHead")],
            [],
        ),
        pair("another-registry", content(block={**BLOCK, "registry": other_registry}), None, []),
    ]
