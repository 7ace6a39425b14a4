"""`status-entries.json`: values of `credentialStatus`, what they say, or why they are malformed."""

from typing import Any

from tests.support.vectors.common import (
    CHAIN_ID,
    ISSUER_ID,
    REGISTRY,
    REGISTRY_ADDRESS,
    Json,
    file_of,
    status_entry,
    status_pair,
    status_url,
)

INDEX = 94_567
MAX_UINT32 = 2**32 - 1
REVOCATION, SUSPENSION = status_pair(INDEX)
OTHER_ADDRESS = "0x" + "11" * 20


def build() -> Json:
    return file_of(
        "Values of credentialStatus beside an anchor proof. docs/spec/anchor-proof.md, Status entries.",
        valid=_valid(),
        invalid=[
            {"name": name, "entries": entries, "reason": reason}
            for name, entries, reason in (*_sets(), *_members(), *_urls())
        ],
    )


def _valid() -> list[Json]:
    def accept(name: str, entries: list[Any], **place: Any) -> Json:
        said = {"registry": REGISTRY, "issuerId": ISSUER_ID, "list": 0, "index": INDEX} | place
        return {"name": name, "entries": entries, **said}

    foreign: list[Any] = [
        {"type": "1EdTechRevocationList", "id": "https://college.example/revoked"},
        {"type": ["Other"], "statusPurpose": "revocation"},
        {"id": REVOCATION["id"]},
        {"type": "bitstringstatuslistentry"},
        "text",
        7,
        None,
        [],
    ]
    far = f"eip155:{'9' * 32}:{OTHER_ADDRESS}"
    elsewhere = {"address": OTHER_ADDRESS, "chain_id": "9" * 32}
    return [
        accept("plain", [REVOCATION, SUSPENSION]),
        accept("suspension-first", [SUSPENSION, REVOCATION]),
        accept("entries-of-other-types-are-not-judged", [*foreign, REVOCATION, *foreign, SUSPENSION]),
        accept("index-0", status_pair(0), index=0),
        accept("last-index", status_pair(131_071), index=131_071),
        accept("last-list", status_pair(INDEX, status_list=MAX_UINT32), list=MAX_UINT32),
        accept("last-issuer", status_pair(INDEX, issuer_id=MAX_UINT32), issuerId=MAX_UINT32),
        accept("issuer-1", status_pair(INDEX, issuer_id=1), issuerId=1),
        accept("chain-id-of-32-digits", status_pair(INDEX, **elsewhere), registry=far),
        accept(
            "list-credential-is-not-judged",
            [REVOCATION | {"statusListCredential": ""}, SUSPENSION | {"statusListCredential": "not an address"}],
        ),
    ]


def _sets() -> list[tuple[str, Any, str]]:
    both = [REVOCATION, SUSPENSION]
    missing, doubled = "an entry is missing", "an entry is doubled"
    return [
        ("null", None, missing),
        ("empty", [], missing),
        ("text", "none", missing),
        ("one-object", REVOCATION, "the entry for suspension is missing"),
        ("revocation-alone", [REVOCATION], "the entry for suspension is missing"),
        ("suspension-alone", [SUSPENSION], "the entry for revocation is missing"),
        ("other-types-only", [{"type": "1EdTechRevocationList"}], missing),
        ("nested-array", [both], missing),
        ("revocation-doubled", [*both, REVOCATION], doubled),
        ("suspension-doubled", [SUSPENSION, *both], doubled),
        ("doubled-with-another-index", [*both, status_entry("revocation", 1)], doubled),
        ("revocation-twice-suspension-missing", [REVOCATION, REVOCATION], doubled),
        ("extra-purpose-message", [*both, REVOCATION | {"statusPurpose": "message"}], "an entry of another purpose"),
        ("extra-purpose-refresh", [*both, REVOCATION | {"statusPurpose": "refresh"}], "an entry of another purpose"),
        ("extra-of-another-registry", [*both, status_entry("revocation", INDEX, address=OTHER_ADDRESS)], doubled),
        ("extra-with-the-type-in-an-array", [*both, {"type": ["BitstringStatusListEntry"]}], "an entry of this type"),
        (
            "foreign-registry-in-one",
            [REVOCATION, status_entry("suspension", INDEX, address=OTHER_ADDRESS)],
            "they differ",
        ),
        ("foreign-chain-in-one", [status_entry("revocation", INDEX, chain_id=1), SUSPENSION], "they differ"),
        ("foreign-issuer-in-one", [REVOCATION, status_entry("suspension", INDEX, issuer_id=8)], "they differ"),
        ("another-list-in-one", [REVOCATION, status_entry("suspension", INDEX, status_list=1)], "they differ"),
        ("another-index-in-one", [REVOCATION, status_entry("suspension", INDEX + 1)], "they differ"),
    ]


def _members() -> list[tuple[str, Any, str]]:
    def changed(**members: Any) -> list[Json]:
        return [REVOCATION | members, SUSPENSION]

    def without(name: str) -> list[Json]:
        return [REVOCATION, {key: member for key, member in SUSPENSION.items() if key != name}]

    functions = "the function is not the one for this purpose"
    return [
        *((f"without-{name}", without(name), "a member is missing") for name in SUSPENSION if name != "type"),
        ("extra-member", changed(statusSize="1"), "a member of its own"),
        ("extra-member-null", changed(statusMessage=None), "a member of its own"),
        ("type-in-an-array", changed(type=["BitstringStatusListEntry"]), "the type is text"),
        ("purpose-in-an-array", changed(statusPurpose=["revocation"]), "the purpose is text"),
        ("purpose-upper-case", changed(statusPurpose="Revocation"), "another purpose"),
        ("index-as-number", changed(statusListIndex=INDEX), "the index is text"),
        ("index-differs", changed(statusListIndex=str(INDEX + 1)), "the id has another index"),
        ("index-leading-zero", changed(statusListIndex=f"0{INDEX}"), "the id writes it otherwise"),
        ("index-with-space", changed(statusListIndex=f" {INDEX}"), "the id writes it otherwise"),
        ("id-null", changed(id=None), "the id is text"),
        ("list-credential-null", changed(statusListCredential=None), "it is text"),
        ("list-credential-an-array", changed(statusListCredential=["https://registry.example"]), "it is text"),
        ("function-swapped-in-one", changed(id=status_url("isSuspended", INDEX)), functions),
        (
            "function-swapped-in-both",
            [REVOCATION | {"id": SUSPENSION["id"]}, SUSPENSION | {"id": REVOCATION["id"]}],
            functions,
        ),
        (
            "purpose-swapped-in-both",
            [REVOCATION | {"statusPurpose": "suspension"}, SUSPENSION | {"statusPurpose": "revocation"}],
            functions,
        ),
    ]


def _urls() -> list[tuple[str, Any, str]]:
    plain = str(REVOCATION["id"])

    def url(old: str, new: str) -> list[Json]:
        assert old in plain
        return [REVOCATION | {"id": plain.replace(old, new)}, SUSPENSION]

    def both(old: str, new: str, index: str = str(INDEX)) -> list[Json]:
        # In both alike, so that they do not differ from each other.
        return [
            entry | {"id": str(entry["id"]).replace(old, new), "statusListIndex": index}
            for entry in (REVOCATION, SUSPENSION)
        ]

    form, beyond = "not in the one form", "beyond what the contract can hold"
    return [
        ("address-checksummed", both("0x5fbdb2315", "0x5FbDB2315"), form),
        ("address-upper-case-prefix", both("0x5f", "0X5f"), form),
        ("address-without-0x", both("0x5f", "5f"), form),
        ("address-short", both("180aa3", "180a"), form),
        ("address-as-a-name", both(REGISTRY_ADDRESS, "registry.eth"), form),
        ("scheme-upper-case", both("ethereum:", "ETHEREUM:"), form),
        ("scheme-pay", both("ethereum:", "ethereum:pay-"), form),
        ("chain-missing", both(f"@{CHAIN_ID}", ""), form),
        ("chain-leading-zero", both(f"@{CHAIN_ID}", f"@0{CHAIN_ID}"), form),
        ("chain-0", both(f"@{CHAIN_ID}", "@0"), form),
        ("chain-hexadecimal", both(f"@{CHAIN_ID}", "@0x7a69"), form),
        ("chain-of-33-digits", both(f"@{CHAIN_ID}", "@" + "1" * 33), form),
        ("function-unknown", url("isRevoked", "isRevokedd"), form),
        ("function-in-another-case", url("isRevoked", "IsRevoked"), form),
        ("function-missing", url("/isRevoked", ""), form),
        ("parameter-extra", both(f"uint256={INDEX}", f"uint256={INDEX}&value=0"), form),
        ("parameter-gas-before", both("?uint32=7", "?gas=1&uint32=7"), form),
        ("parameter-missing", both("&uint32=0", ""), form),
        (
            "parameters-in-another-order",
            both("uint32=7&uint32=0&uint256=94567", "uint256=94567&uint32=7&uint32=0"),
            form,
        ),
        ("parameter-of-another-type", both("uint256", "uint32"), form),
        ("parameter-types-swapped", both("uint32=0&uint256=94567", "uint256=0&uint32=94567"), form),
        ("percent-encoded", both("uint32=7", "uint32=%37"), form),
        ("percent-encoded-separator", both("?", "%3F"), form),
        ("fragment", both("uint256=94567", "uint256=94567#"), form),
        ("line-feed-at-the-end", both("uint256=94567", "uint256=94567\n"), form),
        ("space-before", both("ethereum:", " ethereum:"), form),
        ("issuer-0", both("uint32=7", "uint32=0"), "issuers are numbered from 1"),
        ("issuer-leading-zero", both("uint32=7", "uint32=07"), form),
        ("issuer-2-to-the-32", both("uint32=7", "uint32=4294967296"), beyond),
        ("issuer-in-other-digits", both("uint32=7", "uint32=\u0667"), form),
        ("list-leading-zero", both("&uint32=0", "&uint32=00"), form),
        ("list-2-to-the-32", both("&uint32=0", "&uint32=4294967296"), beyond),
        ("list-negative", both("&uint32=0", "&uint32=-1"), form),
        ("index-131072", both("94567", "131072", "131072"), beyond),
        ("index-2-to-the-32", both("94567", "4294967296", "4294967296"), beyond),
        ("index-of-both-leading-zero", both("94567", "094567", "094567"), form),
        ("index-empty", both("94567", "", ""), form),
        ("index-with-exponent", both("94567", "9e4", "9e4"), form),
    ]
