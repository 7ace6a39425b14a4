"""Keys by did:key, and Data Integrity proofs of ours and others' over JSON documents."""

import json
from typing import Any

import pytest

from anchor.canonical import Document, parse_document
from anchor.data_integrity import check_document, check_proof, require_signer, sign_document
from anchor.did_key import Ed25519Key, check_did, check_signature, did_of, from_multibase, to_multibase
from anchor.errors import CredentialFormatError, SignatureError, SignedFormatError

KEY = Ed25519Key(bytes(range(32)))
OTHER = Ed25519Key(bytes(range(1, 33)))
AT = 1_790_000_000
CONTENT = {"format": "example@v1", "number": 1.5, "text": "é"}


def document(content: dict[str, Any]) -> Document:
    return parse_document(json.dumps(content).encode())


def with_context(stated: Any, proven: Any) -> tuple[dict[str, Any], Document]:
    """A document with a proof that has its own `@context`, as other programs write them."""
    content = {"@context": proven, **CONTENT}
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": f"{KEY.did}#{KEY.did.removeprefix('did:key:')}",
        "proofPurpose": "assertionMethod",
        "@context": proven,
    }
    from anchor.data_integrity import _signed_bytes

    proof["proofValue"] = to_multibase(KEY.sign(_signed_bytes(proof, document(content))))
    return proof, document({**content, "@context": stated, "proof": proof})


def test_a_signed_document_tells_who_signed_it_and_when() -> None:
    signature = check_document(document(sign_document(CONTENT, KEY, AT)))
    assert (signature.signer, signature.signed_at) == (KEY.did, AT)
    require_signer(signature, KEY.did)
    with pytest.raises(SignatureError, match=OTHER.did):
        require_signer(signature, OTHER.did)


def test_each_byte_of_a_signed_document_counts() -> None:
    data = json.dumps(sign_document({"a": "b", "c": [1, {"d": None}]}, KEY, AT)).encode()
    for place in range(len(data)):
        for flip in (1, 0x20):
            changed = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
            with pytest.raises((SignedFormatError, SignatureError, CredentialFormatError)):
                check_document(parse_document(changed))


def test_what_no_reader_takes_is_not_signed() -> None:
    with pytest.raises(CredentialFormatError, match="beyond"):
        sign_document({"number": 2**53}, KEY, AT)


def test_a_key_shows_its_name_and_not_its_secret() -> None:
    assert repr(KEY) == f"Ed25519Key({KEY.did})"
    assert KEY.did.startswith("did:key:z6Mk")


@pytest.mark.parametrize(("stated", "proven"), [("x", "x"), (["x"], "x"), (["x", "y"], ["x"]), (["x", "y"], "x")])
def test_contexts_added_after_another_programs_proof_change_nothing(stated: Any, proven: Any) -> None:
    proof, whole = with_context(stated, proven)
    assert check_proof(proof, whole) == KEY.did


@pytest.mark.parametrize(
    ("stated", "proven"), [("y", "x"), (["y", "x"], "x"), ([], "x"), (["x"], ["x", "y"]), ([True], [1]), (None, "x")]
)
def test_another_context_than_the_proofs_is_refused(stated: Any, proven: Any) -> None:
    with pytest.raises(SignatureError, match="@context"):
        check_proof(*with_context(stated, proven))


@pytest.mark.parametrize("member", ["expires", "domain", "challenge", "nonce", "previousProof"])
def test_a_proof_that_says_more_than_is_judged_is_refused(member: str) -> None:
    proof, whole = with_context("x", "x")
    with pytest.raises(SignedFormatError, match="not judged here"):
        check_proof({**proof, member: "x"}, whole)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:key:",
        "did:key:z",
        "did:web:x.example",
        KEY.did.upper(),
        KEY.did + "1",
        KEY.did[:-1],
        KEY.did.replace("z6Mk", "z06Mk"),
        KEY.did.replace("did:key:z", "did:key:z1"),
        "did:key:" + "z" * 40,
        "did:key:z" + "6" * 10_000,
        # No point of the curve; y not below p; the neutral point; another kind of key.
        "did:key:" + to_multibase(b"\xed\x01" + (2).to_bytes(32, "little")),
        did_of(b"\xed" + b"\xff" * 30 + b"\x7f"),
        did_of((1).to_bytes(32, "little")),
        "did:key:" + to_multibase(b"\xe7\x01" + bytes(32)),
    ],
)
def test_what_is_no_did_key_of_ed25519_is_refused(did: str) -> None:
    with pytest.raises(SignedFormatError, match="expected the did:key"):
        check_did(did)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_does_not_hold(length: int) -> None:
    with pytest.raises(SignatureError):
        check_signature(KEY.did, b"x", bytes(length))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x01", bytes(range(64)), b"\xff" * 34])
def test_multibase_has_one_form(data: bytes) -> None:
    text = to_multibase(data)
    assert from_multibase(text, len(data)) == data
    assert from_multibase(text, len(data) + 1) is None
    assert from_multibase("z1" + text[1:], len(data)) is None
    assert from_multibase("u" + text[1:], len(data)) is None


def test_a_multibase_number_that_is_too_large_is_refused() -> None:
    assert from_multibase(to_multibase(b"\x01" + bytes(32)), 32) is None
