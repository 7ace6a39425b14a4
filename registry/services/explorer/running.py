"""A registry's history while it is read: its state in memory, and what is counted on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from anchor.errors import HistoryError
from anchor.events import AnyEvent, IssuerEvent, RawLog
from anchor.history import History
from anchor.model import Hash32, RegistryId
from anchor.replay import Replay
from registry.services.explorer.content import undone_by
from registry.services.explorer.counting import Counting
from registry.services.explorer.views import Counts
from registry.store.ledger_copies import CopyId
from registry.store.ledger_events import AccountRow, accounts_of


class Running:
    """What the events of one copy led to so far.

    Args:
        registry: The registry.
        copy: The copy.
    """

    def __init__(self, registry: RegistryId, copy: CopyId) -> None:
        self.copy: Final = copy
        self.read_to = -1
        """Number of the block up to which events were taken and kept."""
        self.kept = 0
        """How many of the events taken are kept."""
        self.accounts: Final[set[AccountRow]] = set()
        """Those that are kept."""
        self.first_at = 0
        self.last_at = 0
        self.last: RawLog | None = None
        """The log of the last event."""
        self.saved = 0
        """After how many events the checkpoint is from which another process would go on."""
        self.went_on_from = 0
        """After how many events the checkpoint was from which this process went on; 0: it replayed all of them."""
        self.first_heads: dict[int | None, Hash32] = {}
        """The heads at that checkpoint, by issuer; of None: registry-wide."""
        self._registry: Final = registry
        self._replay = Replay(registry, keep=False, packed=True)
        self._events: Final[dict[int, int]] = {}
        self._last: Final[dict[int, int]] = {}
        self._changed: Final[set[int]] = set()
        self._counting: Final = Counting()
        self._undone: Final[dict[int, list[list[Any]]]] = {}
        """What changes of status epochs undid before the checkpoint, by issuer."""

    @property
    def count(self) -> int:
        """How many events were taken."""
        return self._replay.count

    def take(self, log: RawLog) -> AnyEvent | None:
        """Take the next log; give its event, None for a log of another kind.

        Raises:
            HistoryError: It does not fit.
        """
        event = self._replay.take(log)
        if event is None:
            return None
        self.first_at = self.first_at or event.at
        self.last_at, self.last = event.at, log
        if isinstance(event, IssuerEvent):
            self._events[event.issuer_id] = self._events.get(event.issuer_id, 0) + 1
            self._last[event.issuer_id] = event.at
            self._changed.add(event.issuer_id)
            self._counting.take(event)
        return event

    def restore(self, log: RawLog) -> None:
        """Take a log that is kept already.

        Raises:
            HistoryError: It does not fit.
        """
        event = self.take(log)
        if event is None:
            raise HistoryError(f"{log.place}: no event")
        self.accounts.update(accounts_of(event))

    def result(self) -> History:
        """Give what the events taken so far led to.

        Raises:
            HistoryError: The last one cannot stand alone.
        """
        return self._replay.result()

    def content(self) -> dict[str, Any]:
        """Give what is kept in a checkpoint beside `parts`; after `result`, at the end of a block."""
        undone = {
            each.issuer_id: self.undone_before(each.issuer_id) + undone_by(each) for each in self.result().issuers
        }
        return {
            "replay": self._replay.summary(),
            "firstAt": self.first_at,
            "events": self._events,
            "last": self._last,
            "changed": self.changed(),
            "counts": self._counting.content(),
            "undone": {number: each for number, each in undone.items() if each},
        }

    def parts(self, rows: int) -> Iterator[list[Any]]:
        """Give batches and status words in parts of so many rows."""
        return self._replay.parts(rows)

    def go_on_from(self, content: dict[str, Any], parts: Iterable[list[Any]], last: RawLog) -> None:
        """Take over the state of a checkpoint.

        Args:
            content: What `content` gave.
            parts: What `parts` gave.
            last: The log of the last event before it.
        """
        # From the block of the last event on, not from that up to which was read: empty ones may have been reorganised.
        self._replay = Replay.restored(self._registry, content["replay"], last.block_number, keep=False, packed=True)
        for part in parts:
            self._replay.restore_part(part)
        self.first_at, self.last_at, self.last = content["firstAt"], content["replay"]["time"], last
        self._events.update(content["events"])
        self._last.update(content["last"])
        self._changed.update(content["changed"])
        self._counting.restore(content["counts"], content["changed"])
        self._undone.update(content["undone"])
        self.went_on_from = self.saved = self.count
        history = self.result()
        self.first_heads = {None: history.registry_head, **{each.issuer_id: each.head for each in history.issuers}}

    def undone_before(self, issuer_id: int) -> list[list[Any]]:
        """Give what changes of an issuer's status epochs undid before the checkpoint, as in `undone_by`."""
        return self._undone.get(issuer_id, [])

    def last_of(self, issuer_id: int) -> int:
        """Tell when an issuer's last event happened."""
        return self._last[issuer_id]

    def changed(self) -> tuple[int, ...]:
        """Name the issuers that have events since `settle`."""
        return tuple(sorted(self._changed))

    def counts(self, history: History) -> dict[int, Counts]:
        """Count what there is of each issuer."""
        return self._counting.result(history, self._events)

    def settle(self) -> None:
        """Take it that all that changed is shown now."""
        self._changed.clear()
