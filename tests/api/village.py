"""Two institutions of one service that sign for themselves with a remote signer, and a worker as production has it.

Made in half a second, again for each run of the state machine; what the ledger must know of them is there before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from fastapi.testclient import TestClient

from anchor.events import IssuerAccredited
from anchor.ledger.contract import require_event
from anchor.ledger.testnet import dev_signer
from anchor.model import KeyScope
from registry.api.app import create_app
from registry.api_wiring import ApiService, load_service
from registry.services import operation
from registry.services.worker import Worker
from registry.store.api_keys import Scope
from registry.store.institutions import InstitutionDetails
from tests.api.conftest import nobody, write_home
from tests.ledger.chain import ADMIN, CONTROLLER, Chain
from tests.support.remote_signer import StandIn

MNEMONIC = "test " * 11 + "junk"
ACCOUNTS = {"alpha": (5, 6), "beta": (7, 8)}
"""Of each institution: the testnet's account that anchors, and the one that changes status."""


@dataclass(kw_only=True)
class Villager:
    """One institution, as its own systems see it."""

    client: TestClient
    code: str
    key: str

    def ask(self, method: str, path: str, **how: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **how.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **how)

    def list(self, path: str, name: str) -> list[dict[str, Any]]:
        """Read a whole list in pages of three."""
        found, cursor = [], ""
        while True:
            page = self.ask("GET", f"{path}?limit=3{cursor}").json()
            found += page[name]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"


@dataclass(kw_only=True)
class Village:
    """The service, and who is in it."""

    service: ApiService
    chain: Chain
    villagers: dict[str, Villager]
    now: int
    _workers: int = field(default=0)

    def work_once(self) -> bool:
        """Let a new worker do one thing, a minute after whatever was done last."""
        self.now += 61
        self._workers += 1
        worker = Worker(
            self.service.store, self.service.work_of, name=f"worker {self._workers}", clock=lambda: self.now
        )
        return worker.work_once()


def dev_account(index: int) -> LocalAccount:
    """A funded account of the testnet, to be held by a signer."""
    account: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return account


def settle_on_chain(chain: Chain) -> dict[str, int]:
    """Accredit both, with their keys; give their numbers."""
    numbers = {}
    for code, accounts in ACCOUNTS.items():
        call = chain.contract.accredit(did=f"did:web:{code}.example", controller=dev_signer(CONTROLLER).address)
        numbers[code] = require_event(chain.execute(ADMIN, call), chain.registry, IssuerAccredited).issuer_id
        for account, scope in zip(accounts, (KeyScope.ANCHOR, KeyScope.STATUS), strict=True):
            consent = chain.consent(account, scope, issuer_id=numbers[code])
            signature = dev_signer(account).sign_key_consent(chain.registry, consent)
            chain.execute(CONTROLLER, chain.contract.add_key(consent, signature))
    return numbers


@contextmanager
def village(chain: Chain, folder: Path, signer: StandIn, numbers: dict[str, int]) -> Iterator[Village]:
    """Build the service in a fresh folder, on the chain as it is."""
    write_home(folder, chain, anonymous_per_minute=0, key_per_minute=0)
    service = load_service(folder, nobody)
    # Before the ledger's own clock: what is issued is valid at once.
    now = service.now() - 86_400
    with TestClient(create_app(service)) as client:
        villagers = {}
        for code, (anchor, status) in ACCOUNTS.items():
            details = InstitutionDetails(
                name=f"Name of {code}",
                did=f"did:web:{code}.example",
                registry=chain.registry,
                issuer_id=numbers[code],
                anchor_key=signer.reference(dev_account(anchor)),
                status_key=signer.reference(dev_account(status)),
            )
            operation.add(service.store, code, details, now=now)
            key = operation.make_key(service.store, code, set(Scope), label="", expires_at=None, now=now)[1]
            villagers[code] = Villager(client=client, code=code, key=key)
        made = Village(service=service, chain=chain, villagers=villagers, now=now)
        # One clock for the service and its workers, moved by what is done.
        service.__dict__["now"] = lambda: made.now
        yield made
