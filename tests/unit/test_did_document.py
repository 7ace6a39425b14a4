"""What an issuer's DID says of its accounts, and whether it confirms who anchored."""

import json
from dataclasses import replace
from typing import Any

import pytest

from anchor.did_document import MAX_DOCUMENT_BYTES, accounts_of, document_url
from anchor.errors import UnconfirmedIssuerError
from anchor.evidence import DidDocument
from anchor.model import Outcome, Policy, to_hex
from tests.support.verdicts import assert_unknown, judge
from tests.support.world import CONTROLLER, DID, KEY, World, policy

CHAIN = 31337
ACCOUNT = f"eip155:{CHAIN}:{to_hex(CONTROLLER)}"
WANTED: Policy = policy(require_did_document=True)


def document(*accounts: object, **members: Any) -> bytes:
    methods = [{"blockchainAccountId": account} for account in accounts]
    return json.dumps({"id": DID, "verificationMethod": methods, **members}).encode()


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:college.example", "https://college.example/.well-known/did.json"),
        ("did:web:college.example:law:registrar", "https://college.example/law/registrar/did.json"),
        ("did:web:college.example%3A8443", "https://college.example:8443/.well-known/did.json"),
        ("did:web:localhost%3A8080:law", "http://localhost:8080/law/did.json"),
        ("did:web:xn--collge-6ua.example", "https://xn--collge-6ua.example/.well-known/did.json"),
        (f"did:pkh:{ACCOUNT}", None),
    ],
)
def test_where_a_document_is(did: str, url: str | None) -> None:
    assert document_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:10.0.0.1%3A80",
        "did:web:%5B::1%5D",
        "did:web:college.example%2Fx",
        "did:web:user@college.example",
        "did:web:College.example",
        "did:web:college.example:",
        "did:web:college.example:..:x",
        "did:web:college.example:.",
        "did:web:college.example:a/b",
        "did:web:college.example:a?b",
        "did:web:college.example%3A0",
        "did:web:-x.example",
    ],
)
def test_did_web_that_names_no_web_address_is_not_looked_up(did: str) -> None:
    with pytest.raises(UnconfirmedIssuerError, match="does not name a web address"):
        document_url(did)


@pytest.mark.parametrize("did", ["did:key:z6Mk", "did:ethr:0x1", "did:pkh:eip155:1:0x12", "web:x.example", "did:"])
def test_other_methods_are_not_looked_up(did: str) -> None:
    with pytest.raises(UnconfirmedIssuerError, match="cannot be looked up here"):
        document_url(did)


def test_accounts_of_the_chain_asked_for_are_listed() -> None:
    key = f"eip155:{CHAIN}:0x{KEY.hex().upper()}"
    found = document(ACCOUNT, key, ACCOUNT.replace("31337", "1"), None, 7, f"{to_hex(KEY)}@eip155:{CHAIN}")
    assert accounts_of(DID, found, CHAIN) == {CONTROLLER, KEY}
    assert accounts_of(DID, found, 1) == {CONTROLLER}
    assert accounts_of(DID, document(verificationMethod=[ACCOUNT, None]), CHAIN) == frozenset()
    assert accounts_of(DID, document(verificationMethod={"blockchainAccountId": ACCOUNT}), CHAIN) == frozenset()


def test_did_pkh_is_its_own_document() -> None:
    assert accounts_of(f"did:pkh:{ACCOUNT}", None, CHAIN) == {CONTROLLER}
    assert accounts_of(f"did:pkh:{ACCOUNT}", document(ACCOUNT), 1) == frozenset()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not strict JSON"),
        (b"[]", "not strict JSON"),
        (None, "not strict JSON"),
        (document(ACCOUNT, id="did:web:other.example"), "of another DID"),
        (document(ACCOUNT, id=[DID]), "of another DID"),
        (document(ACCOUNT).ljust(MAX_DOCUMENT_BYTES + 1), "more than 262144 bytes"),
    ],
)
def test_document_that_is_none_or_anothers_is_refused(content: bytes | None, said: str) -> None:
    with pytest.raises(UnconfirmedIssuerError, match=said):
        accounts_of(DID, content, CHAIN)


def test_longest_document_is_read() -> None:
    assert accounts_of(DID, document(ACCOUNT).ljust(MAX_DOCUMENT_BYTES), CHAIN) == {CONTROLLER}


SOURCE = "https://college.example/.well-known/did.json"


@pytest.mark.parametrize(("account", "what"), [(CONTROLLER, "its controller"), (KEY, "the key that anchored")])
def test_issuer_whose_did_confirms_it_is_valid_and_the_verdict_says_who_was_asked(account: bytes, what: str) -> None:
    found = DidDocument(did=DID, content=document(f"eip155:{CHAIN}:{to_hex(account)}"), source=SOURCE)
    verdict = judge(World(), rules=WANTED, evidence=replace(World().evidence(), did_documents=(found,)))
    assert verdict.outcome is Outcome.VALID
    assert verdict.checks[7].detail.endswith(f"; its DID confirms {what}, asked at {SOURCE}")


def test_issuer_whose_did_confirms_nobody_is_unknown() -> None:
    found = DidDocument(did=DID, content=document(), source=SOURCE)
    verdict = judge(World(), rules=WANTED, evidence=replace(World().evidence(), did_documents=(found,)))
    assert_unknown(verdict, {8}, "unconfirmedIssuer")
    assert str(verdict.error).endswith(
        f"names neither the key that anchored nor the issuer's controller, asked at {SOURCE}"
    )


def test_document_that_could_not_be_had_is_unknown() -> None:
    lost = DidDocument(did=DID, content=None, source=SOURCE, problem="the host cannot be reached")
    verdict = judge(World(), rules=WANTED, evidence=replace(World().evidence(), did_documents=(lost,)))
    assert_unknown(verdict, {8}, "unconfirmedIssuer")
    assert str(verdict.error) == f"the host cannot be reached, asked at {SOURCE}"
    verdict = judge(World(), rules=WANTED)
    assert_unknown(verdict, {8}, "unconfirmedIssuer")
    assert str(verdict.error) == "nobody was asked for the issuer's DID document"


def test_document_matters_only_where_the_policy_wants_it() -> None:
    verdict = judge(World())
    assert verdict.outcome is Outcome.VALID
    assert "confirms" not in verdict.checks[7].detail
