"""The service's composition root: what is the operator's and what is an institution's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from anchor.errors import CredanchorError
from anchor.ledger.abi import runtime_code_hash
from anchor.model import Policy, TrustedRegistry
from anchor.policy import policy_to_text
from registry.errors import NotFoundError, SettingsError
from registry.service_wiring import Service
from registry.services.derived_secrets import DerivedSecrets
from registry.services.roster_job import RosterJob
from registry.services.status_job import StatusJob
from registry.settings import POLICY_FILE, SETTINGS_FILE, settings_to_text
from registry.store.connection import HOME, InstitutionId
from registry.store.institutions import InstitutionDetails, change_institution, get_institution
from registry.store.jobs import JobKind
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.registry import NOW, REGISTRY, frame_of, recipients_of, seal

DETAILS = InstitutionDetails(
    name="Collège Boréalis",
    did="did:web:college.example",
    registry=REGISTRY,
    issuer_id=3,
    anchor_key="keys/college-anchor.json",
    status_key="http://127.0.0.1:9000#0x5fbdb2315678afecb367f032d93f642f64180aa3",
)


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    values = {
        "rpc_url": "http://127.0.0.1:8545",
        "database_url": database.url,
        "public_url": "https://credentials.example",
    }
    (tmp_path / SETTINGS_FILE).write_text(settings_to_text(values), "utf-8")
    service = Service(tmp_path, lambda: "passphrase")
    yield service
    service.store.close()


def settle(service: Service, number: InstitutionId, details: InstitutionDetails) -> None:
    with service.store.operator_writing() as connection:
        change_institution(connection, number, details)


def test_an_institution_has_its_own_settings_and_the_operators_node(service: Service, tmp_path: Path) -> None:
    number = add(service.store, "college")
    settle(service, number, DETAILS)
    college = service.institution(number)
    settings = college.settings
    assert (settings.registry_id, settings.issuer_id, settings.issuer_did) == (REGISTRY, 3, DETAILS.did)
    assert (settings.anchor_key, settings.status_key) == (DETAILS.anchor_key, DETAILS.status_key)
    assert (settings.rpc_url, settings.home) == ("http://127.0.0.1:8545", tmp_path)
    assert settings.public_url == "https://credentials.example"
    assert college.store.institution == number
    frame = college.frame(frame_of().achievement, valid_from=NOW)
    assert (frame.issuer_id, frame.issuer.name) == (3, "Collège Boréalis")
    assert seal(college.store, frame, recipients_of(2)).issuer.issuer_id == 3


def test_the_environment_is_the_operators(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    number = add(service.store, "college")
    settle(service, number, replace(DETAILS, public_url="https://college.example"))
    monkeypatch.setenv("CREDANCHOR_ANCHOR_KEY", "keys/somebody-elses.json")
    monkeypatch.setenv("CREDANCHOR_PUBLIC_URL", "https://elsewhere.example")
    settings = service.institution(number).settings
    assert (settings.anchor_key, settings.public_url) == (DETAILS.anchor_key, "https://college.example")


def test_it_is_kept_until_its_settings_change(service: Service) -> None:
    number = add(service.store, "college")
    settle(service, number, DETAILS)
    before = service.institution(number)
    assert service.institution(number) is before
    settle(service, number, replace(DETAILS, anchor_key="keys/new.json"))
    assert service.institution(number).settings.anchor_key == "keys/new.json"


@pytest.mark.parametrize(
    ("details", "said"),
    [
        (InstitutionDetails(name="x"), "no anchor_key, no issuer_did, no issuer_id, no registry, no status_key"),
        (replace(DETAILS, did=None), "no issuer_did"),
        (replace(DETAILS, did="web:x"), "issuer_did"),
        (replace(DETAILS, public_url="ftp://x"), "public_url"),
    ],
)
def test_what_is_missing_or_wrong_is_named(service: Service, details: InstitutionDetails, said: str) -> None:
    number = add(service.store, "college")
    settle(service, number, details)
    with pytest.raises(SettingsError, match=said):
        service.institution(number)


def test_keys_that_only_sign_need_an_account_that_sends(service: Service, tmp_path: Path) -> None:
    number = add(service.store, "college")
    remote = "http://127.0.0.1:9/#0x" + "11" * 20
    settle(service, number, replace(DETAILS, anchor_key=remote, is_relayed=True))
    with pytest.raises(SettingsError, match="only sign"):
        _ = service.institution(number).anchoring
    with (tmp_path / "settings.toml").open("a") as file:
        file.write('\n[service]\nrelayer_key = "http://127.0.0.1:9/#0x' + "22" * 20 + '"\n')
    again = Service(tmp_path, lambda: "")
    sender = again.institution(number).anchoring._outbox.sender
    again.store.close()
    assert (sender.actor.hex(), sender.address.hex()) == ("11" * 20, "22" * 20)


def test_there_is_no_such_institution(service: Service) -> None:
    with pytest.raises(NotFoundError):
        service.institution(InstitutionId(99))
    with service.store.operator_reading() as connection:
        assert get_institution(connection, HOME).code == "home"


def test_secrets_are_the_same_again_and_differ_by_what_they_are_for(service: Service, tmp_path: Path) -> None:
    uuid, nonce = UUID(int=7), bytes(16)
    first = service.secrets
    again = Service(tmp_path, lambda: "").secrets
    assert first.page_address(uuid, nonce) == again.page_address(uuid, nonce)
    others = {
        first.page_address(uuid, bytes(15) + b"\1"),
        first.webhook_secret(uuid, 0),
        first.webhook_secret(uuid, 1),
        DerivedSecrets(bytes(32)).page_address(uuid, nonce),
    }
    assert len(others | {first.page_address(uuid, nonce)}) == 5
    assert first.credential_at(first.page_address(uuid, nonce)) == uuid
    assert (tmp_path / "service.key").stat().st_mode & 0o077 == 0


def test_each_kind_of_job_has_its_work(service: Service, tmp_path: Path) -> None:
    number = add(service.store, "college")
    settle(service, number, DETAILS)
    with pytest.raises(CredanchorError):
        service.work_of(number, JobKind.STATUS)  # nothing says yet what counts as final
    pin = TrustedRegistry(registry=REGISTRY, code_hash=runtime_code_hash())
    policy = Policy(registries=(pin,), confirmations=3, max_age_seconds=None, nodes=("http://127.0.0.1:8545",))
    (tmp_path / POLICY_FILE).write_text(policy_to_text(policy), "utf-8")
    found = {kind: type(service.work_of(number, kind)) for kind in JobKind}
    assert found == {JobKind.ROSTER: RosterJob, JobKind.STATUS: StatusJob}
