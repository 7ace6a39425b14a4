"""Signatures, receipts and trust lists: our readers agree with the vectors, ours and others'."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from anchor.audit_statement import check_statement, compare_statements
from anchor.canonical import parse_document
from anchor.data_integrity import check_document, check_proof, sign_document
from anchor.did_key import Ed25519Key, check_did, check_signature, did_of, from_multibase
from anchor.errors import (
    CredanchorError,
    HistoryError,
    PolicyFormatError,
    RollbackError,
    SignatureError,
    SignedFormatError,
    TrustListError,
)
from anchor.policy import parse_policy
from anchor.receipt import check_receipt
from anchor.trust_list import apply_trust_lists, check_trust_list
from tests.support.vectors import ed25519, signed
from tests.vectors.reading import FOLDER, data, vectors

Json = dict[str, Any]

W3C = json.loads((FOLDER / "signatures" / "vc-di-eddsa.json").read_text())
EDGES = json.loads((FOLDER / "signatures" / "ed25519-edges.json").read_text())["vectors"]


def text(content: object) -> bytes:
    return json.dumps(content).encode()


def test_the_worked_example_of_vc_di_eddsa_holds() -> None:
    document = parse_document(text(W3C["signed"]))
    assert check_proof(document.value["proof"], document) == f"did:key:{W3C['publicKeyMultibase']}"


def test_the_worked_example_of_vc_di_eddsa_is_signed_alike() -> None:
    secret = from_multibase(W3C["privateKeyMultibase"], 34)
    assert secret is not None
    key = Ed25519Key(secret[2:])
    assert key.did == f"did:key:{W3C['publicKeyMultibase']}"
    assert key.sign(bytes.fromhex(W3C["combinedHash"])).hex() == W3C["signature"]


@pytest.mark.parametrize("name", ["name", "issuer", "@context", "type"])
def test_the_worked_example_changed_does_not_hold(name: str) -> None:
    document = parse_document(text({**W3C["signed"], name: "other"}))
    with pytest.raises(SignatureError):
        check_proof(W3C["signed"]["proof"], document)


@pytest.mark.parametrize("vector", [pytest.param(each, id=each["name"]) for each in EDGES])
def test_signatures_at_the_edges_hold_or_not(vector: Json) -> None:
    key, message, signature = (bytes.fromhex(vector[name]) for name in ("key", "message", "signature"))
    if vector["holds"]:
        check_signature(did_of(key), message, signature)
        return
    with pytest.raises(SignatureError if vector["keyIsGood"] else SignedFormatError):
        check_signature(did_of(key), message, signature)


def test_the_generators_own_signatures_are_those_of_rfc_8032() -> None:
    # Section 7.1, tests 1 and 2.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert ed25519.public_key(seed).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    assert ed25519.sign(seed, b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_we_sign_as_the_generator_does() -> None:
    content = {"format": "x", "number": 1.5, "letters": "é\u2028"}
    key = Ed25519Key(signed.SEED)
    assert sign_document(content, key, signed.SIGNED_AT) == signed.signed(content)
    assert check_document(parse_document(text(signed.signed(content)))).signer == signed.SIGNER
    check_did(signed.SIGNER)


@pytest.mark.parametrize("vector", vectors("receipts", "valid"))
def test_receipt_holds(vector: Json) -> None:
    receipt = check_receipt(text(vector["receipt"]))
    assert receipt.signature.signer == vector["signer"]
    assert [each.outcome for each in receipt.files] == vector["outcomes"]
    assert [each.sha256 for each in receipt.files] == [data(each["sha256"]) for each in vector["receipt"]["files"]]


@pytest.mark.parametrize("vector", vectors("receipts", "invalid"))
def test_receipt_is_refused(vector: Json) -> None:
    with pytest.raises(SignedFormatError if vector["isMalformed"] else SignatureError):
        check_receipt(text(vector["receipt"]))


@pytest.mark.parametrize("vector", vectors("audit-statements", "valid"))
def test_audit_statement_holds(vector: Json) -> None:
    statement = check_statement(text(vector["statement"]))
    assert (statement.signature.signer, len(statement.did_hashes)) == (vector["signer"], vector["issuers"])
    stated = [vector["statement"]["registryWide"], *vector["statement"]["issuers"]]
    assert [(each.events, each.head) for each in statement.heads.values()] == [
        (each["events"], data(each["head"])) for each in stated
    ]


@pytest.mark.parametrize("vector", vectors("audit-statements", "invalid"))
def test_audit_statement_is_refused(vector: Json) -> None:
    with pytest.raises(SignedFormatError if vector["isMalformed"] else SignatureError):
        check_statement(text(vector["statement"]))


@pytest.mark.parametrize("ending", [".0", "e0", "0e-1"])
def test_whole_numbers_have_neither_fraction_nor_exponent(ending: str) -> None:
    policy = {"format": "credanchor/policy@v1", "registries": [], "confirmations": 12}
    cases = (
        ("events", vectors("audit-statements", "valid")[0].values[0]["statement"], check_statement),
        ("sequence", vectors("trust-lists", "valid")[0].values[0]["list"], check_trust_list),
        ("checkedAt", vectors("receipts", "valid")[0].values[0]["receipt"], check_receipt),
        ("confirmations", policy, parse_policy),
    )
    for member, document, check in cases:
        check(text(document))
        written, count = re.subn(rf'("{member}": [0-9]+)', rf"\g<1>{ending}", text(document).decode())
        assert count, member
        with pytest.raises((SignedFormatError, PolicyFormatError)):
            check(written.encode())


@pytest.mark.parametrize("vector", vectors("audit-statements", "pairs"))
def test_audit_statements_compare(vector: Json) -> None:
    one, other = (check_statement(text(vector[name])) for name in ("one", "other"))
    for first, second in ((one, other), (other, one)):
        if vector["contradictions"] is None:
            with pytest.raises(HistoryError):
                compare_statements(first, second)
            continue
        compared = compare_statements(first, second)
        assert [
            {"issuer": each.issuer_id, "trouble": each.trouble.value} for each in compared.contradictions
        ] == vector["contradictions"]
        assert list(compared.open) == vector["wentOn"]


@pytest.mark.parametrize("vector", vectors("trust-lists", "valid"))
def test_trust_list_holds(vector: Json) -> None:
    trust_list = check_trust_list(text(vector["list"]))
    assert (trust_list.signature.signer, trust_list.sequence) == (vector["signer"], vector["sequence"])


@pytest.mark.parametrize("vector", vectors("trust-lists", "invalid"))
def test_trust_list_is_refused(vector: Json) -> None:
    with pytest.raises(SignedFormatError if vector["isMalformed"] else SignatureError):
        check_trust_list(text(vector["list"]))


@pytest.mark.parametrize("vector", vectors("trust-lists", "use"))
def test_policy_with_a_trust_list_trusts_this(vector: Json) -> None:
    policy, trust_list = parse_policy(text(vector["policy"])), check_trust_list(text(vector["list"]))
    if vector["trusted"] is None:
        with pytest.raises((TrustListError, SignatureError)):
            apply_trust_lists(policy, [trust_list], vector["now"])
        return
    applied = apply_trust_lists(policy, [trust_list], vector["now"])
    assert sorted(pin.registry.to_text() for pin in applied.registries) == sorted(vector["trusted"]["registries"])
    assert sorted(applied.denied_issuers) == vector["trusted"]["deniedIssuers"]
    assert applied == replace(
        policy, registries=applied.registries, denied_issuers=applied.denied_issuers, trust_lists=()
    )


@pytest.mark.parametrize("vector", vectors("trust-lists", "successors"))
def test_trust_list_may_follow_another(vector: Json) -> None:
    accepted, after = (check_trust_list(text(vector[name])) for name in ("accepted", "list"))
    if vector["mayFollow"]:
        after.require_successor_of(accepted)
        return
    with pytest.raises(RollbackError) as raised:
        after.require_successor_of(accepted)
    assert isinstance(raised.value, CredanchorError)
    assert raised.value.exit_code == 1
