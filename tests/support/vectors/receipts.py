"""`receipts.json`: verification receipts, docs/spec/receipt.md."""

from typing import Any

from tests.support.vectors.common import CHAIN_ID, DID, REGISTRY, REGISTRY_ADDRESS, Json, file_of, number, to_hex
from tests.support.vectors.signed import CHANGED, OTHER_SEED, SIGNED_AT, refused, signed, spoiled

PASSED = ["passed"] * 12 + ["notApplicable"]
POLICY = {
    "format": "credanchor/policy@v1",
    "registries": [{"registry": REGISTRY, "codeHash": to_hex(number(1)), "name": "Example"}],
    "vouching": "kOfN",
    "agreeing": 2,
    "knownBlocks": {},
    "confirmations": None,
    "maxAgeSeconds": 3600,
    "deniedIssuers": [],
    "requiredProofs": [],
    "requireDidDocument": False,
    "trustLists": [],
}
BLOCK = {
    "registry": REGISTRY,
    "number": 100,
    "hash": to_hex(number(2)),
    "at": SIGNED_AT - 5,
    "vouching": "kOfN",
    "vouchedBy": ["https://one.example", "https://two.example"],
    "nodesAsked": 3,
}
VALID = {
    "sha256": to_hex(number(3)),
    "outcome": "valid",
    "reason": "",
    "credentialId": "urn:uuid:0b2d3b4c-8f3c-4c57-9f0a-0f5f4c1a8a11",
    "credentialHash": to_hex(number(4)),
    "issuer": DID,
    "anchoredAt": SIGNED_AT - 1000,
    "block": 0,
    "checks": PASSED,
}
REVOKED = {
    **VALID,
    "sha256": to_hex(number(5)),
    "outcome": "invalid",
    "reason": "revoked",
    "checks": [*PASSED[:9], "failed", *PASSED[10:]],
}
UNKNOWN = {
    **VALID,
    "sha256": to_hex(number(6)),
    "outcome": "unknown",
    "reason": "untrustedRegistry",
    "anchoredAt": None,
    "block": None,
    "checks": ["passed"] * 3 + ["unknown"] * 8 + ["passed", "notApplicable"],
}
MALFORMED = {"sha256": to_hex(number(7)), "outcome": "malformed"}


def content(**changes: Any) -> Json:
    """A receipt without its proof, with members replaced (`...`: left out)."""
    whole = {
        "format": "credanchor/receipt@v1",
        "program": "credanchor 0.1.0",
        "checkedAt": SIGNED_AT,
        "organisation": "Example Hiring",
        "policy": POLICY,
        "policyHash": to_hex(number(8)),
        "blocks": [BLOCK],
        "files": [VALID, REVOKED, UNKNOWN, MALFORMED],
    }
    return {name: member for name, member in {**whole, **changes}.items() if member is not ...}


def build() -> Json:
    valid = [
        ("four-files", signed(content())),
        ("no-organisation", signed(content(organisation=...))),
        ("no-files", signed(content(files=[], blocks=[]))),
        ("signed-later", signed(content(), at=SIGNED_AT + 86400)),
        ("names-asked-for", signed(content(files=[{**VALID, "name": "badge.json"}, {**MALFORMED, "name": "é.json"}]))),
        ("another-signer", signed(content(), seed=OTHER_SEED)),
        ("members-in-another-order", dict(reversed(signed(content()).items()))),
        ("policy-of-another-version", signed(content(policy={**POLICY, "laterMember": [1.5, True, None]}))),
        ("block-known-to-the-policy", signed(content(blocks=[{**BLOCK, "vouching": "pinnedHash", "vouchedBy": []}]))),
    ]
    invalid = [*spoiled(content()), *_changed_afterwards(), *_contents()]
    return file_of(
        "Verification receipts: valid ones with their signer, and such as break the format, contradict themselves, or "
        "are not signed. docs/spec/receipt.md.",
        valid=[
            {
                "name": name,
                "receipt": receipt,
                "signer": receipt["proof"]["verificationMethod"].partition("#")[0],
                "outcomes": [each["outcome"] for each in receipt["files"]],
            }
            for name, receipt in valid
        ],
        invalid=refused("receipt", invalid),
    )


def _changed_afterwards() -> list[tuple[str, Json, str]]:
    whole, reason = signed(content()), CHANGED
    return [
        ("changed-outcome", {**whole, "files": [{**VALID, "sha256": to_hex(number(5))}, *whole["files"][2:]]}, reason),
        ("changed-file", {**whole, "files": [{**VALID, "sha256": to_hex(number(9))}, *whole["files"][1:]]}, reason),
        ("changed-time", {**whole, "checkedAt": SIGNED_AT - 1}, reason),
        ("changed-organisation", {**whole, "organisation": "Example Hiring."}, reason),
        ("changed-policy", {**whole, "policy": {**POLICY, "maxAgeSeconds": None}}, reason),
        ("changed-block", {**whole, "blocks": [{**BLOCK, "number": 101}]}, reason),
        ("file-taken-away", {**whole, "files": whole["files"][:3]}, reason),
        ("organisation-taken-away", {name: each for name, each in whole.items() if name != "organisation"}, reason),
    ]


def _contents() -> list[tuple[str, Json, str]]:
    def files(*entries: Any) -> Json:
        return content(files=list(entries))

    def file(**changes: Any) -> Json:
        return files({name: each for name, each in {**VALID, **changes}.items() if each is not ...})

    def block(**changes: Any) -> Json:
        return content(blocks=[{name: each for name, each in {**BLOCK, **changes}.items() if each is not ...}])

    failed = [*PASSED[:4], "failed", *PASSED[5:]]
    unknown = [*PASSED[:4], "unknown", *PASSED[5:]]
    cases = [
        ("format-of-another-version", content(format="credanchor/receipt@v2"), "another version"),
        ("format-missing", content(format=...), "no format"),
        *(
            (f"{name}-missing", content(**{name: ...}), "a member is missing")
            for name in ("program", "checkedAt", "policy", "policyHash", "blocks", "files")
        ),
        ("member-unknown", content(holder="x"), "an unknown member"),
        ("program-number", content(program=1), "it is text"),
        ("organisation-number", content(organisation=1), "it is text"),
        ("checked-at-text", content(checkedAt="2026-09-21"), "Unix seconds"),
        ("checked-at-fraction", content(checkedAt=SIGNED_AT - 0.5), "a whole number"),
        ("checked-at-negative", content(checkedAt=-1), "not negative"),
        ("checked-at-true", content(checkedAt=True), "a number"),
        ("checked-after-signing", content(checkedAt=SIGNED_AT + 1), "signed before it was checked"),
        ("policy-text", content(policy="policy.json"), "an object"),
        ("policy-with-nodes", content(policy={**POLICY, "nodes": ["https://x.example/secret"]}), "no nodes"),
        ("policy-hash-upper-case", content(policyHash=to_hex(number(8)).upper()), "lower case"),
        ("policy-hash-short", content(policyHash=to_hex(number(8))[:-2]), "32 bytes"),
        ("policy-hash-null", content(policyHash=None), "32 bytes"),
        ("blocks-object", content(blocks={"0": BLOCK}), "a list"),
        ("block-text", content(blocks=["x"]), "an object"),
        *((f"block-without-{name}", block(**{name: ...}), "a member is missing") for name in BLOCK),
        ("block-with-more", block(x=1), "an unknown member"),
        ("block-of-no-registry", block(registry=REGISTRY_ADDRESS), "CAIP-10"),
        ("block-registry-number", block(registry=CHAIN_ID), "CAIP-10"),
        ("block-number-text", block(number="100"), "a number"),
        ("block-hash-short", block(hash="0x12"), "32 bytes"),
        ("block-vouched-otherwise", block(vouching="trustMe"), "none of the four"),
        ("block-vouched-by-text", block(vouchedBy="https://one.example"), "a list"),
        ("block-vouched-by-numbers", block(vouchedBy=[1]), "texts"),
        ("block-nodes-asked-text", block(nodesAsked="3"), "a number"),
        ("files-object", content(files={"0": VALID}), "a list"),
        ("file-text", files("x"), "an object"),
        *((f"file-without-{name}", file(**{name: ...}), "a member is missing") for name in VALID),
        ("file-with-a-holder", file(holder="x"), "an unknown member"),
        ("file-twice", files(VALID, VALID), "a file twice"),
        ("file-twice-and-once-malformed", files(VALID, {**MALFORMED, "sha256": VALID["sha256"]}), "a file twice"),
        ("file-hash-short", file(sha256="0x12"), "32 bytes"),
        ("file-name-number", file(name=1), "it is text"),
        ("file-credential-id-null", file(credentialId=None), "it is text"),
        ("file-credential-hash-null", file(credentialHash=None), "32 bytes"),
        ("file-anchored-at-text", file(anchoredAt="1"), "a number or null"),
        ("file-outcome-unknown-word", file(outcome="ok"), "none of the outcomes"),
        ("file-outcome-null", file(outcome=None), "it is text"),
        ("malformed-with-a-verdict", files({**VALID, "outcome": "malformed"}), "a malformed file has no checks"),
        ("malformed-without-hash", files({"outcome": "malformed"}), "a member is missing"),
        ("valid-with-a-failed-check", file(checks=failed), "its checks say invalid"),
        ("valid-with-an-unknown-check", file(checks=unknown), "its checks say unknown"),
        ("invalid-without-a-failed-check", file(outcome="invalid", reason="revoked"), "its checks say valid"),
        ("unknown-with-a-failed-check", file(outcome="unknown", reason="pending", checks=failed), "checks say invalid"),
        ("valid-with-a-reason", file(reason="revoked"), "valid has no reason"),
        ("valid-without-a-block", file(block=None), "valid rests on a block"),
        ("invalid-without-a-reason", file(outcome="invalid", checks=failed), "no reason"),
        ("invalid-with-a-sentence", file(outcome="invalid", checks=failed, reason="it was revoked"), "one word"),
        ("block-beyond-the-list", file(block=1), "no such block"),
        ("block-negative", file(block=-1), "no such block"),
        ("checks-twelve", file(checks=PASSED[:12]), "thirteen checks"),
        ("checks-fourteen", file(checks=[*PASSED, "skipped"]), "thirteen checks"),
        ("checks-of-another-word", file(checks=[*PASSED[:12], "ok"]), "no such status"),
        ("checks-with-a-list", file(checks=[*PASSED[:12], []]), "no such status"),
    ]
    return [(name, signed(each), reason) for name, each, reason in cases]
