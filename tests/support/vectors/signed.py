"""Documents signed by eddsa-jcs-2022, whole and spoiled, for the vectors of receipts and trust lists."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import rfc8785

from tests.support.vectors import ed25519
from tests.support.vectors.common import Json

SEED = bytes(range(32))
"""Of the signer of all that is valid."""
OTHER_SEED = bytes(range(1, 33))
SIGNER = ed25519.did_key(ed25519.public_key(SEED))
OTHER = ed25519.did_key(ed25519.public_key(OTHER_SEED))
SIGNED_AT = 1790000000

CHANGED = "changed after signing"
NOT_SIGNED = frozenset(
    {
        CHANGED,
        "no signature",
        "not what was signed",
        "not this key's signature",
        "S is below L",
        "the proof config's hash comes first",
    }
)
"""Reasons for which a signature does not hold; all others break the format."""

# A point of order 8, and one of order 4 whose y is 0: for both, signatures without any key can be made.
SMALL_ORDER = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


def created(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def method(did: str) -> str:
    return f"{did}#{did.removeprefix('did:key:')}"


def hashed(content: Json, proof: Json) -> bytes:
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    return sha256(rfc8785.dumps(config)).digest() + sha256(rfc8785.dumps(content)).digest()


def signed(
    content: Json, *, seed: bytes = SEED, at: int = SIGNED_AT, extra: Json | None = None, **members: Any
) -> Json:
    """Sign, with members of the proof replaced or added before."""
    proof: Json = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": created(at),
        "verificationMethod": method(ed25519.did_key(ed25519.public_key(seed))),
        "proofPurpose": "assertionMethod",
    }
    proof |= members | (extra or {})
    value = ed25519.base58(ed25519.sign(seed, hashed(content, proof)))
    return {**content, "proof": {**proof, "proofValue": value}}


def spoiled(content: Json) -> list[tuple[str, Json, str]]:
    """Give what is wrong with proofs alike, whatever they are over: name, document, reason."""
    whole = signed(content)
    proof = whole["proof"]
    signature = ed25519.sign(SEED, hashed(content, proof))

    def with_value(value: Any) -> Json:
        return {**content, "proof": {**proof, "proofValue": value}}

    def with_proof(**members: Any) -> Json:
        return {**content, "proof": {**proof, **members}}

    def without(name: str) -> Json:
        return {**content, "proof": {key: member for key, member in proof.items() if key != name}}

    start, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    larger = start + (scalar + ed25519.L).to_bytes(32, "little")
    forged = SMALL_ORDER + bytes(32)
    small = ed25519.did_key(SMALL_ORDER)
    return [
        ("proof-missing", content, "no proof"),
        ("proof-null", {**content, "proof": None}, "no proof"),
        ("proof-array", {**content, "proof": [proof]}, "the proof is an object, not an array"),
        ("proof-two", {**content, "proof": [proof, proof]}, "one proof"),
        *((f"proof-without-{name}", without(name), "a member of the proof is missing") for name in proof),
        ("proof-with-expires", signed(content, expires=created(SIGNED_AT + 9)), "an unknown member of the proof"),
        ("proof-with-id", signed(content, id="urn:x"), "an unknown member of the proof"),
        (
            "proof-with-context",
            signed(content, extra={"@context": "https://x.example"}),
            "an unknown member of the proof",
        ),
        ("proof-with-domain", signed(content, domain="x"), "an unknown member of the proof"),
        ("proof-of-another-type", signed(content, type="Ed25519Signature2020"), "another type"),
        ("proof-of-another-cryptosuite", signed(content, cryptosuite="eddsa-rdfc-2022"), "another cryptosuite"),
        ("proof-for-another-purpose", signed(content, proofPurpose="authentication"), "another purpose"),
        ("created-with-offset", signed(content, created="2026-09-21T14:13:20+00:00"), "created has one form"),
        ("created-with-fraction", signed(content, created="2026-09-21T14:13:20.0Z"), "created has one form"),
        ("created-no-day", signed(content, created="2026-02-30T00:00:00Z"), "no day of the calendar"),
        ("created-number", signed(content, created=SIGNED_AT), "created is text"),
        ("created-changed", with_proof(created=created(SIGNED_AT - 1)), "not what was signed"),
        ("method-without-fragment", signed(content, verificationMethod=SIGNER), "the fragment repeats the key"),
        ("method-with-another-fragment", signed(content, verificationMethod=f"{SIGNER}#key-1"), "the fragment"),
        ("method-of-another-key", with_proof(verificationMethod=method(OTHER)), "not this key's signature"),
        ("method-did-web", signed(content, verificationMethod="did:web:x.example#key-1"), "no did:key"),
        (
            "method-of-an-x25519-key",
            signed(content, verificationMethod=method(_of_codec(b"\xec\x01"))),
            "no Ed25519 key",
        ),
        ("method-number", signed(content, verificationMethod=7), "it is text"),
        ("method-upper-case", signed(content, verificationMethod=method(SIGNER).upper()), "it is written as did:key:z"),
        (
            "key-of-small-order",
            {**content, "proof": {**proof, "verificationMethod": method(small)}},
            "a key of order 8",
        ),
        (
            "key-of-small-order-with-a-signature-of-zeros",
            {
                **content,
                "proof": {
                    **proof,
                    "verificationMethod": method(small),
                    "proofValue": ed25519.base58(forged),
                },
            },
            "a key of order 8",
        ),
        ("value-changed", with_value(ed25519.base58(signature[:-1] + bytes([signature[-1] ^ 1]))), "no signature"),
        ("value-start-changed", with_value(ed25519.base58(bytes([signature[0] ^ 1]) + signature[1:])), "no signature"),
        ("value-zero", with_value(ed25519.base58(bytes(64))), "no signature"),
        ("value-scalar-beyond-the-order", with_value(ed25519.base58(larger)), "S is below L"),
        ("value-of-63-bytes", with_value(ed25519.base58(signature[:-1])), "64 bytes"),
        ("value-of-65-bytes", with_value(ed25519.base58(signature + b"\x00")), "64 bytes"),
        ("value-in-hex", with_value("f" + signature.hex()), "base58btc"),
        ("value-in-base64url", with_value("u" + "A" * 86), "base58btc"),
        ("value-with-a-leading-one", with_value("z1" + ed25519.base58(signature)[1:]), "one form"),
        ("value-with-a-zero", with_value(ed25519.base58(signature)[:-1] + "0"), "0 is no digit of base58btc"),
        ("value-empty", with_value("z"), "64 bytes"),
        ("value-number", with_value(7), "it is text"),
        ("value-of-another-document", with_value(signed({**content, "x": 1})["proof"]["proofValue"]), "no signature"),
        (
            "value-over-hashes-the-other-way-round",
            with_value(ed25519.base58(ed25519.sign(SEED, _turned(hashed(content, proof))))),
            "the proof config's hash comes first",
        ),
    ]


def refused(what: str, cases: list[tuple[str, Json, str]]) -> list[Json]:
    """Write down what is refused, and whether because its signature does not hold."""
    return [
        {"name": name, what: document, "isMalformed": reason not in NOT_SIGNED, "reason": reason}
        for name, document, reason in cases
    ]


def _turned(data: bytes) -> bytes:
    return data[32:] + data[:32]


def _of_codec(codec: bytes) -> str:
    return "did:key:" + ed25519.base58(codec + ed25519.public_key(SEED))
