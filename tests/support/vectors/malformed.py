"""Credentials of `verification.json` that are malformed, so that there is no verdict: steps 1 and 2."""

from typing import Any

from tests.support.vectors.common import (
    REGISTRY,
    REGISTRY_ADDRESS,
    Json,
    proof_member,
    status_entry,
    status_pair,
    to_hex,
)
from tests.support.vectors.credentials import ALONE, BATCH, FIRST_INDEX, credential, data_of, document, proof

_FORM = "validFrom and validUntil are dates and times with a time zone"
_DATES = {
    "date-only": "2026-01-01",
    "date-without-zone": "2026-01-01T00:00:00",
    "date-with-space": "2026-01-01 00:00:00Z",
    "date-lower-case": "2026-01-01t00:00:00z",
    "date-zone-without-colon": "2026-01-01T00:00:00+0100",
    "date-zone-of-hours": "2026-01-01T00:00:00+01",
    "date-zone-of-24-hours": "2026-01-01T00:00:00+24:00",
    "date-zone-of-60-minutes": "2026-01-01T00:00:00+01:60",
    "date-zone-with-seconds": "2026-01-01T00:00:00+01:00:00",
    "date-zone-named": "2026-01-01T00:00:00 UTC",
    "date-without-seconds": "2026-01-01T00:00Z",
    "date-hour-24": "2026-01-01T24:00:00Z",
    "date-minute-60": "2026-01-01T00:60:00Z",
    "date-second-60": "2016-12-31T23:59:60Z",
    "date-day-0": "2026-01-00T00:00:00Z",
    "date-february-30": "2026-02-30T00:00:00Z",
    "date-leap-day-of-a-common-year": "2025-02-29T00:00:00Z",
    "date-month-13": "2026-13-01T00:00:00Z",
    "date-year-0": "0000-01-01T00:00:00Z",
    "date-year-of-5-digits": "12026-01-01T00:00:00Z",
    "date-year-negative": "-2026-01-01T00:00:00Z",
    "date-of-a-week": "2026-W01-1T00:00:00Z",
    "date-basic-form": "20260101T000000Z",
    "date-fraction-without-digits": "2026-01-01T00:00:00.Z",
    "date-fraction-with-comma": "2026-01-01T00:00:00,5Z",
    "date-space-behind": "2026-01-01T00:00:00Z ",
    "date-line-feed-behind": "2026-01-01T00:00:00Z\n",
    "date-in-other-digits": "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",
    "date-empty": "",
}


def malformed() -> list[Json]:
    named = [*_step_1(), *_step_2()]
    return [{"name": name, "credential": to_hex(data), "reason": reason} for name, data, reason in named]


def _step_1() -> list[tuple[str, bytes, str]]:
    text = credential()
    second_id = text.replace(b'"name":', b'"id":"urn:x","name":', 1)
    in_proof = text.replace(b'"proofPurpose":', b'"type":"DataIntegrityProof","proofPurpose":', 1)
    assert second_id != text
    assert in_proof != text
    not_text = "the id is text"
    no_issuer = "issuer or issuer.id is text and not empty"
    no_type = "the type includes VerifiableCredential"
    broken_proof = {**proof(), "created": "2026-01-01T00:00:00Z"}
    value = str(proof()["proofValue"])
    # Without a proof, which nothing asks for here: shorter, and malformed for the date alone.
    bare: dict[str, Any] = {"credentialStatus": None, "proofs": []}
    dates = [(f"step-01-from-{name}", credential(**bare, validFrom=date), _FORM) for name, date in _DATES.items()]
    return [
        ("step-01-no-json", b"garbage", "not JSON"),
        ("step-01-byte-order-mark", b"\xef\xbb\xbf" + text, "a byte order mark"),
        ("step-01-key-twice", second_id, "a key twice"),
        ("step-01-key-twice-inside-the-proof", in_proof, "a key twice"),
        ("step-01-array-of-credentials", b"[" + text + b"]", "not an object"),
        ("step-01-number-too-large", credential(x=2**53), "a whole number beyond 2^53 - 1"),
        ("step-01-type-missing", credential(type=None), no_type),
        ("step-01-type-of-something-else", credential(type=["VerifiablePresentation"]), no_type),
        ("step-01-type-in-other-letters", credential(type="verifiablecredential"), no_type),
        ("step-01-type-nested", credential(type=[["VerifiableCredential"]]), no_type),
        ("step-01-type-an-object", credential(type={"VerifiableCredential": 1}), no_type),
        ("step-01-id-a-number", credential(id=7), not_text),
        ("step-01-id-an-object", credential(id={}), not_text),
        ("step-01-id-null", data_of({**document(), "id": None}), not_text),
        ("step-01-issuer-missing", credential(issuer=None), no_issuer),
        ("step-01-issuer-empty", credential(issuer=""), no_issuer),
        ("step-01-issuer-an-array", credential(issuer=["did:web:college.example"]), no_issuer),
        ("step-01-issuer-without-id", credential(issuer={"name": "Borealis College"}), no_issuer),
        ("step-01-issuer-id-empty", credential(issuer={"id": ""}), no_issuer),
        ("step-01-issuer-id-a-number", credential(issuer={"id": 7}), no_issuer),
        *dates,
        ("step-01-from-a-number", credential(validFrom=1_790_000_000), _FORM),
        ("step-01-from-null", data_of({**document(), "validFrom": None}), _FORM),
        ("step-01-until-date-only", credential(validUntil="2026-01-01"), _FORM),
        ("step-01-until-null", data_of({**document(), "validUntil": None}), _FORM),
        ("step-01-with-proof-from-date-only", credential(validFrom="2026-01-01"), _FORM),
        ("step-01-proof-null", data_of({**document(), "proof": None}), "a proof is an object"),
        ("step-01-proof-text", data_of({**document(), "proof": "text"}), "a proof is an object"),
        ("step-01-proof-null-in-the-array", credential(proofs=[proof(), None]), "a proof is an object"),
        ("step-01-proof-array-in-the-array", credential(proofs=[[proof()]]), "a proof is an object"),
        ("step-01-anchor-proof-without-array", data_of({**document(), "proof": proof()}), "it stands in an array"),
        ("step-01-anchor-proof-with-created", credential(proofs=[broken_proof]), "a member of its own"),
        ("step-01-second-anchor-proof-broken", credential(proofs=[proof(), broken_proof]), "a member of its own"),
        ("step-01-proof-value-padded", credential(proofs=[{**proof(), "proofValue": value + "="}]), "padding"),
        ("step-01-proof-value-of-no-cbor", credential(proofs=[proof_member(b"\xff")]), "no CBOR"),
        ("step-01-17-anchor-proofs", credential(proofs=[proof(tree=ALONE)] * 17), "at most 16 proofs"),
        ("step-01-17-proofs-of-any-kind", credential(proofs=[proof(), *[{"type": "X"}] * 16]), "at most 16 proofs"),
        ("step-01-17-other-proofs", credential(proofs=[{"type": "X"}] * 17), "at most 16 proofs"),
        ("step-01-33-siblings", credential(proofs=[proof(siblings=[BATCH.root] * 33)]), "at most 32 siblings"),
    ]


def _step_2() -> list[tuple[str, bytes, str]]:
    def status(entries: Any) -> bytes:
        return credential(credentialStatus=entries)

    pair = status_pair(FIRST_INDEX)
    other_address = "0x" + "11" * 20
    elsewhere = proof(registry=REGISTRY.replace(REGISTRY_ADDRESS, other_address))
    other_chain = proof(registry=REGISTRY.replace("31337", "1"))
    differ = "the status entries name another registry or issuer than an anchor proof"
    return [
        ("step-02-status-missing", status(None), "both entries are missing"),
        ("step-02-status-empty", status([]), "both entries are missing"),
        ("step-02-suspension-missing", status(pair[:1]), "an entry is missing"),
        ("step-02-revocation-doubled", status([*pair, pair[0]]), "an entry is doubled"),
        ("step-02-purpose-message-too", status([*pair, {**pair[0], "statusPurpose": "message"}]), "another purpose"),
        ("step-02-function-swapped", status([{**pair[0], "id": pair[1]["id"]}, pair[1]]), "the function differs"),
        ("step-02-index-differs", status([pair[0], status_entry("suspension", FIRST_INDEX + 1)]), "they differ"),
        ("step-02-extra-member", status([{**pair[0], "statusSize": "1"}, pair[1]]), "a member of its own"),
        ("step-02-status-of-another-registry", status(status_pair(FIRST_INDEX, address=other_address)), differ),
        ("step-02-status-of-another-chain", status(status_pair(FIRST_INDEX, chain_id=1)), differ),
        ("step-02-status-of-another-issuer", status(status_pair(FIRST_INDEX, issuer_id=8)), differ),
        ("step-02-proof-of-another-registry", credential(proofs=[elsewhere]), differ),
        ("step-02-proof-of-another-issuer", credential(proofs=[proof(issuer_id=8)]), differ),
        ("step-02-second-proof-of-another-registry", credential(proofs=[proof(), elsewhere]), differ),
        ("step-02-second-proof-of-another-chain", credential(proofs=[proof(), other_chain]), differ),
        ("step-02-second-proof-of-another-issuer", credential(proofs=[proof(), proof(issuer_id=8)]), differ),
    ]
