"""A registry whose logs were made up, as the service reads it: no node, but the same proof of heads at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from anchor.audit import ProvenHeads, check_complete
from anchor.events import RawLog
from anchor.history import History
from anchor.model import Address, Basis, BlockHeader, Hash32, Policy, RegistryId, TrustedRegistry, Vouching, hash32
from registry.services.explorer import sync
from registry.services.explorer.sync import HistorySync
from registry.store.engine import Store
from tests.support.history import REGISTRY

NOW = 1_790_000_000
CODE_HASH = hash32(b"\x0c" * 32)


@dataclass(kw_only=True)
class MadeUpLedger:
    """What a node would say, up to its last block."""

    logs: Iterable[RawLog]
    """In order; gone through once for each reading."""
    proven: ProvenHeads
    last_block: int
    registry: RegistryId = REGISTRY

    def hash_of(self, number: int) -> Hash32:
        return hash32(number.to_bytes(32, "big"))

    @contextmanager
    def read_by(self, store: Store) -> Iterator[HistorySync]:
        """Give a process of the service that reads it; it may have changed at each step."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sync, "clients_of", lambda _policy: (_Node(self),))
            patch.setattr(sync, "VouchedRegistry", lambda *_: _Vouched(self))
            pin = TrustedRegistry(registry=self.registry, code_hash=CODE_HASH)
            policy = Policy(registries=(pin,), nodes=("http://made.up",))
            yield HistorySync(store, self.registry, lambda: policy, name="one", clock=lambda: NOW, seconds=1)

    def show(self, store: Store, stop: threading.Event | None = None) -> None:
        """Have the service read it, prove it, and show it; or have its process run until it is told to stop."""
        with self.read_by(store) as reader:
            if stop is not None:
                reader.run(stop)
                return
            while reader.step(threading.Event()):
                pass


class _Node:
    def __init__(self, ledger: MadeUpLedger) -> None:
        self.node = "http://made.up"
        self._ledger = ledger

    def close(self) -> None:
        pass

    def require_chain(self, chain_id: int) -> None:
        assert chain_id == self._ledger.registry.chain_id

    def logs(self, contract: Address, first_block: int, last_block: int) -> Iterator[RawLog]:
        assert contract == self._ledger.registry.address
        return (log for log in self._ledger.logs if first_block <= log.block_number <= last_block)

    def block(self, number: int) -> Any:
        return SimpleNamespace(header=SimpleNamespace(hash=self._ledger.hash_of(number)))


class _Vouched:
    def __init__(self, ledger: MadeUpLedger) -> None:
        self._ledger = ledger
        number, block_hash = ledger.last_block, ledger.hash_of(ledger.last_block)
        self.block = BlockHeader(hash=block_hash, number=number, timestamp=NOW, state_root=block_hash)
        self.basis = Basis(
            registry=ledger.registry,
            block_number=number,
            block_hash=block_hash,
            block_at=NOW,
            vouching=Vouching.ONE_NODE,
            vouched_by=("http://made.up",),
        )

    def sources(self) -> Sequence[_Node]:
        return (_Node(self._ledger),)

    def check(self, history: History) -> None:
        check_complete(history, self._ledger.proven)
