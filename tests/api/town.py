"""Two institutions in one service, on a real chain: each with batches, an achievement, and API keys of every kind."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from anchor.events import IssuerAccredited, KeyAdded
from anchor.ledger.contract import require_event
from anchor.ledger.testnet import dev_signer
from anchor.model import KeyScope, to_hex
from registry.api.app import create_app
from registry.api_wiring import ApiService, load_service
from registry.services import operation
from registry.services.achievement_library import keep_new, keep_version
from registry.services.anchoring import Anchoring
from registry.services.jobs import begin_intake
from registry.services.sending import Outbox
from registry.store.api_keys import Scope
from registry.store.connection import InstitutionId
from registry.store.deliveries import list_deliveries, send_one
from registry.store.engine import Store
from registry.store.idempotency import KeptAnswer
from registry.store.institutions import InstitutionDetails
from registry.store.pages import page_of_credentials
from registry.store.records import BatchRecord, CredentialRecord
from registry.store.transactions import all_transaction_hashes
from registry.store.webhooks import add_webhook, disable_webhook, list_webhooks
from tests.api.conftest import nobody, write_home
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, STRANGER, Chain
from tests.support.databases import Database
from tests.support.office import Office
from tests.support.reading import read_history
from tests.support.registry import ACHIEVEMENT, APPROVALS, NOW, frame_of, recipients_of, seal

LONG_AGO, LATER = 1_000_000_000, 2**40 - 1


@dataclass(kw_only=True)
class Resident:
    """One of the institutions."""

    code: str
    id: InstitutionId
    did: str
    issuer_id: int
    office: Office
    anchored: BatchRecord
    sealed: BatchRecord
    keys: dict[str, str] = field(default_factory=dict)
    job: str = ""
    """Of a roster that was uploaded, once `add_job` was called."""

    @property
    def achievement_id(self) -> str:
        """Of the achievement `data-literacy`."""
        return f"https://{self.code}.example/achievements/1"

    @property
    def transaction(self) -> bytes:
        """With which its batch was anchored."""
        with self.store.reading() as connection:
            (found,) = all_transaction_hashes(connection)
        return found

    @property
    def store(self) -> Store:
        return self.office.store

    def add_job(self) -> None:
        """Upload a roster that no worker has seen yet."""
        intake = begin_intake(self.store, "data-literacy", None, again=False, now=NOW)
        intake.add(b"name\nSomebody\n")
        answer, _ = intake.finish(
            None,
            actor="test",
            now=NOW,
            answer=lambda seen: KeptAnswer(status=202, body=str(seen.job.public_id).encode()),
        )
        self.job = answer.body.decode()

    def hook(self, *, is_enabled: bool = True) -> tuple[str, str]:
        """Give a webhook, and a message to it that may be sent again, if it is enabled; made, if there is none."""
        with self.store.writing() as connection:
            for each in list_webhooks(connection):
                told = list_deliveries(connection, each.public_id, limit=1)
                if (each.disabled_at is None) == is_enabled and told:
                    return str(each.public_id), str(told[0].public_id)
            address = f"https://{self.code}.example/hook"
            webhook = add_webhook(connection, address=address, events=["batch.final"], created_at=NOW)
            told = (send_one(connection, webhook.public_id, "ping", b"{}", now=NOW),)
            if not is_enabled:
                disable_webhook(connection, webhook.public_id, now=NOW)
            return str(webhook.public_id), str(told[0].public_id)

    def credentials(self, batch: BatchRecord | None = None) -> tuple[CredentialRecord, ...]:
        """In leaf order, of the anchored batch unless another is named."""
        with self.store.reading() as connection:
            return page_of_credentials(connection, after=None, limit=1000, batch=(batch or self.anchored).id)

    def secrets(self) -> list[str]:
        """What nobody else may see in any answer."""
        found = [
            self.code,
            self.achievement_id,
            to_hex(self.anchored.root),
            to_hex(self.sealed.root),
            f"Name of {self.code}",
        ]
        found += [self.job] if self.job else []
        for each in (*self.credentials(), *self.credentials(self.sealed)):
            found += [str(each.uuid), each.recipient_name]
        return found


@dataclass(kw_only=True)
class Town:
    """The service and who is in it."""

    service: ApiService
    app: FastAPI
    client: TestClient
    folder: Path
    chain: Chain
    here: Resident
    there: Resident
    operator: str
    """The operator's API key, good for everything that his can be good for."""

    def read_history(self) -> None:
        """Have the service read the registry's history, and show it."""
        read_history(self.service)

    def get(self, path: str, key: str = "read", **headers: str) -> Any:
        """Ask as the first institution."""
        return self.client.get(path, headers={"Authorization": f"Bearer {self.here.keys[key]}", **headers})

    def post(self, path: str, content: object, key: str = "read", **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.here.keys[key]}", **headers}
        return self.client.post(path, json=content, headers=given)

    def operate(self, method: str, path: str, content: object = None, **headers: str) -> Any:
        """Ask as the operator."""
        given = {"Authorization": f"Bearer {self.operator}", **headers}
        return self.client.request(method, path, json=content, headers=given)


def build_town(chain: Chain, folder: Path, database: Database, *, stream_seconds: float = 0.05) -> Town:
    """Build it; the client still has to be entered.

    Streams end soon: asked without a socket, an answer is seen when it has come to its end.
    """
    write_home(folder, chain, anonymous_per_minute=0, key_per_minute=0, stream_seconds=stream_seconds)
    settings = folder / "settings.toml"
    settings.write_text(f"database_url = {json.dumps(database.url)}\n{settings.read_text()}")
    service = load_service(folder, nobody)
    here = _settle(service, chain, folder, database, "borealis", DID, chain.issuer_id, ANCHOR_KEY)
    there = _settle(
        service, chain, folder, database, "elsewhere", "did:web:elsewhere.example", _accredit(chain), STRANGER
    )
    operator = operation.make_key(service.store, None, set(Scope), label="", expires_at=None, now=NOW)[1]
    app = create_app(service)
    return Town(
        service=service,
        app=app,
        client=TestClient(app),
        folder=folder,
        chain=chain,
        here=here,
        there=there,
        operator=operator,
    )


def _accredit(chain: Chain) -> int:
    """Accredit the second institution, with a key of its own."""
    call = chain.contract.accredit(did="did:web:elsewhere.example", controller=dev_signer(CONTROLLER).address)
    issuer_id = require_event(chain.execute(ADMIN, call), chain.registry, IssuerAccredited).issuer_id
    consent = chain.consent(STRANGER, KeyScope.ANCHOR, issuer_id=issuer_id)
    call = chain.contract.add_key(consent, dev_signer(STRANGER).sign_key_consent(chain.registry, consent))
    require_event(chain.execute(CONTROLLER, call), chain.registry, KeyAdded)
    return issuer_id


def _settle(
    service: ApiService,
    chain: Chain,
    folder: Path,
    database: Database,
    code: str,
    did: str,
    issuer_id: int,
    account: int,
) -> Resident:
    details = InstitutionDetails(
        name=f"Name of {code}",
        did=did,
        registry=chain.registry,
        issuer_id=issuer_id,
        anchor_key=f"http://127.0.0.1:9/#{to_hex(dev_signer(account).address)}",
        status_key=f"http://127.0.0.1:9/#{to_hex(dev_signer(STATUS_KEY).address)}",
    )
    record = operation.add(service.store, code, details, now=NOW)
    (folder / code).mkdir()
    office = Office(chain=chain, folder=folder / code, database=database, client=chain.client)
    office.store = store = service.store.of(record.id)
    achievement = {**ACHIEVEMENT, "id": f"https://{code}.example/achievements/1"}
    keep_new(store, json.dumps(achievement).encode(), "data-literacy", now=NOW)
    keep_version(store, json.dumps({**achievement, "name": "Better"}).encode(), "data-literacy", now=NOW + 1)
    frame = frame_of(achievement, registry=chain.registry, issuer_id=issuer_id)
    frame = replace(frame, issuer=replace(frame.issuer, did=did))
    people = [replace_name(each, code) for each in recipients_of(7)]
    anchored, sealed = seal(store, frame, people), seal(store, frame, people[:2])
    outbox = Outbox(store, office.sender(account), wait_seconds=5)
    Anchoring(store, outbox, office.view, APPROVALS).anchor(anchored.id, now=NOW)
    resident = Resident(
        code=code,
        id=record.id,
        did=did,
        issuer_id=issuer_id,
        office=office,
        anchored=office.batch(anchored.id),
        sealed=sealed,
    )
    for scope in Scope:
        resident.keys[scope.value] = _key(service, code, scope, expires_at=None)
    resident.keys["expired"] = _key(service, code, Scope.READ, expires_at=LONG_AGO)
    resident.keys["spare"] = _key(service, code, Scope.READ, expires_at=None)
    resident.keys["revoked"] = _key(service, code, Scope.READ, expires_at=LATER)
    operation.revoke_key(service.store, code, resident.keys["revoked"].split("_")[1], now=NOW)
    return resident


def _key(service: ApiService, code: str, scope: Scope, *, expires_at: int | None) -> str:
    return operation.make_key(
        service.store, code, {scope}, label=f"{scope.value} of {code}", expires_at=expires_at, now=LONG_AGO - 1
    )[1]


def replace_name(recipient: Any, code: str) -> Any:
    return recipient._replace(name=f"{recipient.name} of {code}")
