"""What makes a file a credential, before the ledger is asked."""

import json
from dataclasses import replace
from typing import Any

import pytest

from anchor import credential
from anchor.credential import parse_credential
from anchor.errors import CredentialFormatError
from anchor.model import RegistryId, address
from anchor.proof import anchor_proof_member
from tests.support.world import DID, World

WORLD = World()


def parse(document: dict[str, Any]) -> Any:
    return parse_credential(json.dumps(document).encode())


def test_credential_is_read() -> None:
    credential = WORLD.credential()
    assert credential.issuer_did == DID
    assert credential.id.startswith("urn:uuid:")
    assert credential.valid_from == 1_767_225_600
    assert type(credential.valid_from) is int
    assert credential.valid_until is None
    assert credential.contact == "Borealis College · https://college.example"
    (request,) = credential.requests
    assert request.position == WORLD.position
    assert request.proof == WORLD.anchor_proof()


def test_issuer_may_be_a_bare_did() -> None:
    credential = World(content={"issuer": DID}).credential()
    assert credential.issuer_did == DID
    assert credential.contact == ""


def identity(name: object, **others: object) -> dict[str, object]:
    return {"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": name, **others}


@pytest.mark.parametrize(
    ("subject", "holder"),
    [
        ({"identifier": [identity("Zoé"), identity("Zoe T.")]}, "Zoé, Zoe T."),
        ({"identifier": [identity("Zoé"), identity(""), identity(7)]}, "Zoé"),
        ({"identifier": [identity("sha256$00", hashed=True), identity("a@b.example", identityType="email")]}, ""),
        ({"identifier": [identity("Zoé", hashed=None), "Zoé"]}, ""),
        ({"identifier": identity("Zoé")}, ""),
        ({"identifier": None}, ""),
        ([identity("Zoé")], ""),
    ],
)
def test_name_and_holder_are_those_stated_in_clear(subject: object, holder: str) -> None:
    credential = parse({**WORLD.body(), "name": "Data literacy", "credentialSubject": subject})
    assert (credential.name, credential.holder) == ("Data literacy", holder)
    assert parse({**WORLD.body(), "name": {"en": "x"}}).name == ""


def test_without_anchor_proof_status_entries_are_nobodys() -> None:
    assert parse({**WORLD.body(), "credentialStatus": {"type": "Other"}}).requests == ()


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"type": "Achievement"}, "not a credential"),
        ({"type": None}, "not a credential"),
        ({"id": 7}, "id is not text"),
        ({"issuer": {}}, "issuer.id is missing"),
        ({"issuer": {"id": ""}}, "issuer.id is missing"),
        ({"issuer": 7}, "issuer.id is missing"),
        ({"validFrom": "2026-01-01"}, "validFrom is not a date and time with a time zone"),
        ({"validFrom": "2026-01-01T00:00:00"}, "validFrom is not"),
        ({"validFrom": None}, "validFrom is not"),
        ({"validUntil": "2026-02-30T00:00:00Z"}, "validUntil is not"),
        ({"validUntil": "2026-02-03T24:00:00Z"}, "validUntil is not"),
        ({"validUntil": "2026-02-03T00:00:00Zulu"}, "validUntil is not"),
        ({"validUntil": "2026-02-03T00:00:00+99:00"}, "validUntil is not"),
        ({"validUntil": "2026-02-03T00:00:00+01:60"}, "validUntil is not"),
        ({"validUntil": "2026-02-03T00:00:00.1.2Z"}, "validUntil is not"),
        ({"credentialStatus": []}, "no BitstringStatusListEntry"),
    ],
)
def test_wrong_member_is_malformed(members: dict[str, Any], said: str) -> None:
    with pytest.raises(CredentialFormatError, match=said):
        parse(WORLD.document(**members))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600),
        ("2026-01-01T00:00:00.999999999Z", 1_767_225_600),
        ("2025-12-31T19:00:00-05:00", 1_767_225_600),
    ],
)
def test_dates_are_read_to_the_second(text: str, at: int) -> None:
    assert parse(WORLD.document(validFrom=text)).valid_from == at


def test_long_dates_are_read_and_not_kept_in_memory() -> None:
    kept = []
    for digits in ("7" * 19, "7" * 20, "7" * 5000):
        text = f"2026-01-01T00:00:00.{digits}Z"
        before = credential._read_again.cache_info().currsize
        assert parse(WORLD.document(validFrom=text)).valid_from == 1_767_225_600
        kept.append((len(text), credential._read_again.cache_info().currsize - before))
    assert kept == [(40, 1), (41, 0), (5021, 0)]


def test_proof_of_another_registry_than_the_status_entries_is_malformed() -> None:
    proof = WORLD.anchor_proof()
    for change in (
        {"registry": RegistryId(chain_id=1, address=proof.registry.address)},
        {"registry": RegistryId(chain_id=31337, address=address(b"\x01" * 20))},
        {"issuer_id": 8},
    ):
        other = replace(proof, **change)
        members = [anchor_proof_member(proof), anchor_proof_member(other)]
        with pytest.raises(CredentialFormatError, match="another registry or issuer"):
            parse(WORLD.document(proof=members))


def test_a_credential_need_not_have_a_name_of_its_own() -> None:
    document = World().document()
    del document["id"]
    assert parse(document).id == ""


def test_type_may_be_one_text() -> None:
    assert parse(WORLD.document(type="VerifiableCredential")).issuer_did == DID


def test_both_dates_are_read() -> None:
    credential = parse(WORLD.document(validFrom="2026-01-01T00:00:00Z", validUntil="2026-01-01T00:00:01Z"))
    assert (credential.valid_from, credential.valid_until) == (1_767_225_600, 1_767_225_601)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "02026-01-01T00:00:00Z",
        "226-01-01T00:00:00Z",
        "2026-1-01T00:00:00Z",
        "2026-001-01T00:00:00Z",
        "2026-01-1T00:00:00Z",
        "2026-01-011T00:00:00Z",
        "2026-01-01T0:00:00Z",
        "2026-01-01T00:0:00Z",
        "2026-01-01T00:000:00Z",
        "2026-01-01T00:00:0Z",
        "2026-01-01T00:00:000Z",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+01:0",
        "2026-01-01t00:00:00z",
        "2026-01-01 00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        1_767_225_600,
    ],
)
def test_date_in_any_other_form_is_malformed(text: object) -> None:
    with pytest.raises(CredentialFormatError, match="validFrom is not a date"):
        parse(WORLD.document(validFrom=text))


@pytest.mark.parametrize("zone", ["+23:59", "-23:59", "+00:00", "-09:30"])
def test_zones_are_read(zone: str) -> None:
    sign, hours, minutes = 1 if zone[0] == "+" else -1, int(zone[1:3]), int(zone[4:])
    at = parse(WORLD.document(validFrom=f"2026-01-01T00:00:00{zone}")).valid_from
    assert at == 1_767_225_600 - sign * (hours * 3600 + minutes * 60)


def test_several_anchor_proofs_are_several_questions() -> None:
    proof = WORLD.anchor_proof()
    other = replace(proof, salt=proof.root)
    credential = parse(WORLD.document(proof=[{"type": "Other"}, *map(anchor_proof_member, (proof, other))]))
    assert [request.proof for request in credential.requests] == [proof, other]
    assert {request.position for request in credential.requests} == {WORLD.position}
    assert credential.other_proofs == ("Other",)
