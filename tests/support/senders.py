"""Processes of their own that send for one account, as workers do: each with connection, lock and client of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anchor.ledger.client import LedgerClient
from anchor.ledger.contract import RegistryContract
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.ledger.transactions import SignedTransaction, TransactionSender
from anchor.model import RegistryId
from registry.senders import account_lock
from registry.services.account import Raising
from registry.services.sending import Outbox
from registry.store.connection import InstitutionConnection, InstitutionId
from registry.store.engine import Store, open_store
from registry.store.records import TransactionId
from tests.ledger.chain import ANCHOR_KEY, root_of
from tests.support.registry import NOW


@dataclass(frozen=True, kw_only=True)
class Place:
    """What processes have in common."""

    url: str
    database_url: str
    folder: Path
    registry: str
    issuer_id: int

    def outbox(
        self,
        store: Store,
        *,
        kind: type[TransactionSender] = TransactionSender,
        wait_seconds: float = 10.0,
        raising: Raising | None = None,
        **options: Any,
    ) -> Outbox:
        signer = dev_signer(ANCHOR_KEY)
        sender = kind(
            LedgerClient(self.url),
            chain_id=CHAIN_ID,
            signer=signer,
            lock=account_lock(self.folder, CHAIN_ID, signer.address, store),
            **options,
        )
        return Outbox(store, sender, wait_seconds=wait_seconds, raising=raising)

    def send(self, outbox: Outbox, number: int) -> TransactionId:
        contract = RegistryContract(RegistryId.parse(self.registry))
        call = contract.anchor(issuer_id=self.issuer_id, root=root_of(number), size=10)
        return outbox.send(call, keep_nothing, now=NOW)


def keep_nothing(_connection: InstitutionConnection, _transaction: TransactionId) -> None:
    """Keep nothing beside the transaction."""


def send_all(place: Place, institution: int, numbers: Sequence[int]) -> list[int]:
    """Send several; for a process of its own."""
    outbox = place.outbox(open_store(place.database_url).of(InstitutionId(institution)))
    return [place.send(outbox, number) for number in numbers]


class DiesBefore(TransactionSender):
    """Killed when it has kept what it signed, and no node has it."""

    def broadcast(self, signed: SignedTransaction) -> None:
        del signed
        os.kill(os.getpid(), signal.SIGKILL)


class DiesAfter(TransactionSender):
    """Killed when a node has what it signed, and nobody knows."""

    def broadcast(self, signed: SignedTransaction) -> None:
        super().broadcast(signed)
        os.kill(os.getpid(), signal.SIGKILL)


def send_and_die(place: Place, institution: int, number: int, kind: type[TransactionSender]) -> None:
    """Send one, and be killed; for a process of its own."""
    place.send(place.outbox(open_store(place.database_url).of(InstitutionId(institution)), kind=kind), number)


def raise_and_die(place: Place, institution: int, transaction: int, kind: type[TransactionSender]) -> None:
    """Wait for one until its fees are to be raised, and be killed; for a process of its own."""
    store = open_store(place.database_url).of(InstitutionId(institution))
    raising = Raising(after_seconds=60, clock=lambda: NOW + 61)
    place.outbox(store, kind=kind, raising=raising).settle(TransactionId(transaction))
