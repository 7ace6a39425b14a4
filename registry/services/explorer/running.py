"""A registry's history while it is read: its state in memory, and what is counted on the way."""

from __future__ import annotations

from typing import Final

from anchor.errors import HistoryError
from anchor.events import AnyEvent, IssuerEvent, RawLog
from anchor.history import History
from anchor.model import RegistryId
from anchor.replay import Replay
from registry.services.explorer.content import count
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
        self._replay: Final = Replay(registry, keep=False)
        self._events: Final[dict[int, int]] = {}
        self._last: Final[dict[int, int]] = {}
        self._changed: Final[set[int]] = set()
        self._counts: Final[dict[int, Counts]] = {}

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
        self.last_at = event.at
        if isinstance(event, IssuerEvent):
            self._events[event.issuer_id] = self._events.get(event.issuer_id, 0) + 1
            self._last[event.issuer_id] = event.at
            self._changed.add(event.issuer_id)
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

    def last_of(self, issuer_id: int) -> int:
        """Tell when an issuer's last event happened."""
        return self._last[issuer_id]

    def changed(self) -> tuple[int, ...]:
        """Name the issuers that have events since `settle`."""
        return tuple(sorted(self._changed))

    def counts(self, history: History) -> dict[int, Counts]:
        """Count what there is of each issuer; of those without new events as before."""
        for number in self._changed:
            self._counts[number] = count(history.issuer(number), self._events[number])
        return self._counts

    def settle(self) -> None:
        """Take it that all that changed is shown now."""
        self._changed.clear()
