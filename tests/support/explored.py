"""A registry with a past, on a real chain, and a service that has read and proven it: what the explorer shows of it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.testclient import TestClient

from anchor.model import Hash32
from registry.api.app import create_app
from registry.api_wiring import ApiService, load_service
from registry.services.explorer.sync import HistorySync
from tests.api.conftest import nobody, write_home
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, STRANGER, Chain
from tests.ledger.whole_contract import (
    ANCHOR,
    NEW_CONTROLLER,
    SECOND_ANCHOR_KEY,
    STAGED_KEY,
    STATUS,
    WholeContract,
    account_of,
)
from tests.support.databases import Database
from tests.support.issuing import make_batch

DAY: Final = 86_400
NAMES: Final = ["Zoë Tremblay", "ᐊᓇ ᐃᓄᒃ", "محمد"]
OTHER_DID: Final = "did:web:polytechnic.example:faculties:applied-sciences-and-engineering-technology:registrar"
ODD_DID: Final = "did:web:col\u202elege.example"
"""Looks like another one where text that turns is shown as it is."""


def root_of(number: int) -> Hash32:
    """Make up a root that looks like one."""
    return Hash32(sha256(f"root {number}".encode()).digest())


@dataclass(kw_only=True)
class Explored:
    """The service, and what is in the registry."""

    chain: Chain
    whole: WholeContract
    service: ApiService
    app: FastAPI
    client: TestClient
    documents: list[dict[str, Any]] = field(default_factory=list)
    """Of one batch, at status list 0, index 0 to 2: the first one is revoked, the second suspended."""
    root: Hash32 = field(default=root_of(0))
    """Theirs."""
    void: Hash32 = field(default=root_of(0))
    """Of a batch that a thief anchored."""
    revoked: Hash32 = field(default=root_of(0))
    """Of a batch that is revoked as a whole."""

    def catch_up(self, node: str | None = None) -> None:
        """Have the service read and prove what there is, by a node of the chain or another; by its clock it is then."""
        now = self.whole.now
        policy = self.chain.policy(nodes=(node or self.chain.url,))
        sync = HistorySync(
            self.service.store, self.chain.registry, lambda: policy, name="one", clock=lambda: now, seconds=1
        )
        while sync.step(threading.Event()):
            pass

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)


def build(chain: Chain, folder: Path, database: Database) -> Explored:
    """Set it up, with nothing in the registry but an institution with its keys; the client still has to be entered."""
    write_home(folder, chain, anonymous_per_minute=0)
    settings = folder / "settings.toml"
    settings.write_text(f"database_url = {json.dumps(database.url)}\n{settings.read_text()}")
    service = load_service(folder, nobody)
    app = create_app(service)
    return Explored(chain=chain, whole=WholeContract(chain), service=service, app=app, client=TestClient(app))


def live(world: Explored) -> None:
    """Let more than a year go by: batches, changes of status, two thefts, a withdrawal."""
    chain, whole = world.chain, world.whole
    issuer = chain.issuer_id
    world.root, world.documents = make_batch(chain.registry, issuer, DID, NAMES)
    whole.send(ANCHOR_KEY, "anchor", issuer, world.root, len(NAMES))
    for month in range(12):
        whole.pass_time(30 * DAY)
        whole.send(ANCHOR_KEY, "anchor", issuer, root_of(100 + month), 40 + 37 * (month * month % 7))
        if month % 3 == 1:
            whole.send(STATUS_KEY, "revoke", issuer, 0, [2 + month], [0b1011 << month], 1 + month % 7)
    _status(world)
    world.revoked = root_of(103)
    whole.send(STATUS_KEY, "revokeBatch", issuer, world.revoked, 1)
    _thefts(world)
    _others(world)


def _status(world: Explored) -> None:
    whole, issuer = world.whole, world.chain.issuer_id
    whole.send(STATUS_KEY, "suspend", issuer, 0, [0], [0b11], 7)
    whole.pass_time(9 * DAY)
    whole.send(STATUS_KEY, "reinstate", issuer, 0, [0], [0b01], 7)
    whole.send(STATUS_KEY, "revoke", issuer, 0, [0], [0b01], 2)
    whole.send(STATUS_KEY, "revoke", issuer, 0, [20, 21], [2**200 - 1, 7], 5)


def _thefts(world: Explored) -> None:
    whole, issuer = world.whole, world.chain.issuer_id
    whole.pass_time(3 * DAY)
    since = whole.now
    world.void = root_of(200)
    whole.send(ANCHOR_KEY, "anchor", issuer, world.void, 400)
    again = root_of(201)
    whole.send(ANCHOR_KEY, "anchor", issuer, again, 60)
    whole.pass_time(DAY)
    whole.add_key(CONTROLLER, SECOND_ANCHOR_KEY, ANCHOR)
    whole.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    whole.send(SECOND_ANCHOR_KEY, "anchor", issuer, again, 60)
    # The thief of a status key revokes what he should not; what was honest is repeated in the next epoch.
    whole.send(STATUS_KEY, "revoke", issuer, 0, [9], [2**32 - 1], 7)
    whole.add_key(CONTROLLER, STAGED_KEY, STATUS, epoch=1)
    whole.send(STAGED_KEY, "revoke", issuer, 0, [0, 20], [0b01, 2**200 - 1], 2)
    whole.send(STAGED_KEY, "suspend", issuer, 0, [0], [0b10], 7)
    whole.send(CONTROLLER, "compromiseKey", account_of(STATUS_KEY), whole.now)


def _others(world: Explored) -> None:
    chain, whole = world.chain, world.whole
    whole.send(ADMIN, "accredit", OTHER_DID, account_of(NEW_CONTROLLER))
    whole.issuer = chain.issuer_id + 1
    whole.add_key(NEW_CONTROLLER, STRANGER, ANCHOR)
    whole.send(STRANGER, "anchor", whole.issuer, root_of(300), 12)
    whole.send(STRANGER, "anchor", whole.issuer, root_of(100), 9)
    whole.send(ADMIN, "withdraw", whole.issuer, 0, 6)
    whole.pass_time(DAY)
    whole.send(ADMIN, "accredit", ODD_DID, account_of(CONTROLLER))
    whole.issuer = chain.issuer_id
