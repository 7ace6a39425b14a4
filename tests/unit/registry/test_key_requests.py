"""Requests and consents as files: what is written is read, and nothing else is."""

import json
from pathlib import Path

import pytest

from anchor.errors import MalformedError
from anchor.model import KeyScope, RegistryId, address
from registry.services.key_requests import KeyRequest, SignedConsent, parse_consent, parse_request

REGISTRY = RegistryId.parse("eip155:1:0x5fbdb2315678afecb367f032d93f642f64180aa3")
KEY = address(b"\x07" * 20)
REQUEST = KeyRequest(
    registry=REGISTRY,
    issuer_id=7,
    issuer_did="did:web:collège.example",
    scope=KeyScope.STATUS,
    status_epoch=2,
    valid_from=0,
    deadline=2**40 - 1,
)
CONSENT = SignedConsent(request=REQUEST, key=KEY, signature=b"\x01" * 65)
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "keys-and-multisig.md"


def test_what_is_written_is_read() -> None:
    assert parse_request(REQUEST.to_text().encode()) == REQUEST
    assert parse_consent(CONSENT.to_text().encode()) == CONSENT


def test_the_consent_has_every_term_of_the_request() -> None:
    consent = REQUEST.consent_of(KEY)
    assert (consent.issuer_id, consent.key, consent.scope) == (7, KEY, KeyScope.STATUS)
    assert (consent.status_epoch, consent.valid_from, consent.deadline) == (2, 0, 2**40 - 1)


def test_the_guides_example_is_one() -> None:
    example = GUIDE.read_text("utf-8").partition("```json\n")[2].partition("```")[0]
    assert parse_request(example.encode()).scope is KeyScope.STATUS


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "credanchor/key-request@v2"},
        {"registry": "eip155:1:0x00"},
        {"registry": None},
        {"issuer": 0},
        {"issuer": 2**32},
        {"issuer": True},
        {"issuer": "7"},
        {"issuerDid": None},
        {"scope": "ANCHOR"},
        {"scope": ["anchor"]},
        {"statusEpoch": 2**16},
        {"statusEpoch": -1},
        {"validFrom": 2**40},
        {"deadline": 0},
        {"note": "x"},
    ],
    ids=str,
)
def test_what_breaks_the_format_is_refused(changes: dict[str, object]) -> None:
    content = json.loads(REQUEST.to_text()) | changes
    with pytest.raises(MalformedError):
        parse_request(json.dumps(content).encode())


@pytest.mark.parametrize("name", sorted(json.loads(CONSENT.to_text())))
def test_a_member_that_is_missing_is_refused(name: str) -> None:
    content = json.loads(CONSENT.to_text())
    del content[name]
    with pytest.raises(MalformedError):
        parse_consent(json.dumps(content).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"format": "credanchor/key-request@v1"}', b'{"a":1,"a":2}'])
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_request(data)


@pytest.mark.parametrize("changes", [{"key": 5}, {"key": "0x12"}, {"signature": None}, {"signature": "0x1"}], ids=str)
def test_a_signature_that_cannot_be_read_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        parse_consent(json.dumps(json.loads(CONSENT.to_text()) | changes).encode())
