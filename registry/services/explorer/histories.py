"""A proven history as `anchor` shows one, made from what is kept: for its events' words, members and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, overload

from anchor.errors import HistoryError
from anchor.events import AnyEvent, StatusEpochChanged
from anchor.history import EpochChange, History, IssuerHistory
from anchor.model import StatusPosition
from anchor.status import positions_of
from registry.services.explorer.content import Word, read_undone
from registry.services.explorer.queries import Explorer, Moment
from registry.services.explorer.rows import event_of, issuer_view
from registry.store.ledger_copies import CopyRecord
from registry.store.ledger_issuers import IssuerRow, get_issuers

ROWS_A_PAGE: Final = 250
"""Events read at once: one has some 33 kB at most."""
_ISSUERS_A_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SomeHistory(History):
    """What is needed to say what events mean, of some issuers: keys, and what changes of epochs undid."""

    some: Mapping[int, IssuerHistory]

    def issuer(self, issuer_id: int) -> IssuerHistory:
        """Look up an issuer by number; raise `HistoryError` if it is none of them."""
        if issuer_id not in self.some:
            raise HistoryError(f"there is no issuer {issuer_id} among them")
        return self.some[issuer_id]


def history_of(moment: Moment, issuer_ids: Collection[int], *, most_positions: int) -> History:
    """Give what is needed to say what events of some issuers mean.

    Args:
        moment: What is shown.
        issuer_ids: They.
        most_positions: Of credentials that one change of status epochs concerned, so many are named.

    Raises:
        NotFoundError: There is no such issuer.
    """
    rows = [moment.issuer_row(issuer_id) for issuer_id in sorted(set(issuer_ids))]
    return _history(moment, rows, (), most_positions)


def whole_history(explorer: Explorer, moment: Moment) -> History:
    """Give the history of all issuers, whose events are read again each time that they are gone through.

    Args:
        explorer: Reads them, after the moment is over, too.
        moment: What is shown.
    """
    rows: list[IssuerRow] = []
    while page := get_issuers(
        moment.connection, moment.copy.id, after=rows[-1].issuer_id if rows else 0, limit=_ISSUERS_A_PAGE
    ):
        rows += page
    return _history(moment, rows, KeptEvents(explorer, moment.copy), None)


class KeptEvents(Sequence[AnyEvent]):
    """All events of a copy, none of which stays in memory."""

    def __init__(self, explorer: Explorer, copy: CopyRecord) -> None:
        self._explorer: Final = explorer
        self._copy: Final = copy

    def __len__(self) -> int:
        return self._copy.proven

    def __iter__(self) -> Iterator[AnyEvent]:
        for rows in self._explorer.pages(self._copy, ROWS_A_PAGE):
            for row in rows:
                yield event_of(row).event

    @overload
    def __getitem__(self, index: int) -> AnyEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AnyEvent]: ...
    def __getitem__(self, index: int | slice) -> AnyEvent | Sequence[AnyEvent]:
        if isinstance(index, slice):
            return tuple(self)[index]
        return next(islice(self, range(len(self))[index], None))


def _history(
    moment: Moment, rows: Collection[IssuerRow], events: Sequence[AnyEvent], most_positions: int | None
) -> History:
    view = moment.ledger()
    return SomeHistory(
        registry=view.registry,
        issuers=(),
        registry_head=view.registry_head,
        tenures=view.tenures,
        events=events,
        some={row.issuer_id: _issuer(moment, row, most_positions) for row in rows},
    )


def _issuer(moment: Moment, row: IssuerRow, most_positions: int | None) -> IssuerHistory:
    view, undone = issuer_view(row), read_undone(row.content)
    kinds = {StatusEpochChanged.kind}
    found = moment.rows.newest(issuer_id=row.issuer_id, kinds=kinds, limit=len(undone)) if undone else ()
    changes = []
    for each, event in zip(undone, (event_of(one).event for one in reversed(found)), strict=True):
        assert isinstance(event, StatusEpochChanged)  # noqa: S101 - what was asked for
        changes.append(
            EpochChange(
                event=event,
                unrevoked=_positions(each.unrevoked, most_positions),
                unsuspended=_positions(each.unsuspended, most_positions),
                unrevoked_batches=each.unrevoked_batches,
            )
        )
    return IssuerHistory(
        issuer_id=row.issuer_id,
        did=view.did,
        did_hash=view.did_hash,
        record=view.record,
        head=view.head,
        pending_controller=view.pending_controller,
        next_status_epoch=view.next_status_epoch,
        keys={each.address: each.key for each in view.keys},
        batches={},
        bits={},
        events=(),
        epoch_changes=tuple(changes),
        changes={},
    )


def _positions(words: Collection[Word], most: int | None) -> tuple[StatusPosition, ...]:
    every = chain.from_iterable(positions_of(each.status_list, each.word, each.mask) for each in words)
    return tuple(islice(every, most))
