"""Whatever happened: an index that was read is right, also one that is behind; and a row that is wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete, func, select, update

from anchor.history import History
from anchor.model import Basis, Vouching, hash32
from anchor.replay import replay
from registry.services.differences import DifferenceKind
from registry.services.explored_index import compare_index, read_index
from registry.store.engine import Store
from registry.store.ledger_tables import ledger_copies, ledger_events, ledger_words
from tests.property.test_explorer import emptied
from tests.support.contract_model import Model, eventful_models
from tests.support.history import REGISTRY, chain
from tests.support.shown_history import ends_of_blocks, show

MISSING, FOREIGN, OTHERWISE = DifferenceKind.INDEX_MISSING, DifferenceKind.INDEX_FOREIGN, DifferenceKind.INDEX_OTHERWISE


def found(kept: Store, history: History, issuer_id: int) -> list[DifferenceKind]:
    """Compare, and leave out that it is behind."""
    last = history.events[-1]
    basis = Basis(
        registry=REGISTRY,
        block_number=last.log.block_number,
        block_hash=hash32(bytes(32)),
        block_at=last.at,
        vouching=Vouching.ONE_NODE,
        vouched_by=("node",),
        nodes_asked=1,
    )
    before = read_index(kept, REGISTRY, issuer_id)
    differences = compare_index(kept, before, history, issuer_id, basis, lambda *_: True)
    return [each.kind for each in differences if each.kind is not DifferenceKind.INDEX_BEHIND]


# What somebody may do to the rows that are shown


Row = dict[str, Any]


def changed(connection: Connection, table: Table, row: Row, **values: object) -> None:
    its = [table.c[column.name] == row[column.name] for column in table.primary_key]
    connection.execute(update(table).where(*its).values(**values) if values else delete(table).where(*its))


def lose_event(connection: Connection, row: Row, issuer_id: int) -> None:
    changed(connection, ledger_events, row)


def alter_event(connection: Connection, row: Row, issuer_id: int) -> None:
    changed(connection, ledger_events, row, log_index=row["log_index"] + 1)


def take_event(connection: Connection, row: Row, issuer_id: int) -> None:
    changed(connection, ledger_events, row, issuer_id=issuer_id)


def lose_word(connection: Connection, row: Row, issuer_id: int) -> None:
    changed(connection, ledger_words, row)


def alter_word(connection: Connection, row: Row, issuer_id: int) -> None:
    changed(connection, ledger_words, row, mask=bytes(32))


def take_word(connection: Connection, row: Row, issuer_id: int) -> None:
    changed(connection, ledger_words, row, issuer_id=issuer_id)


@dataclass(frozen=True)
class Spoil:
    """One row is changed, of the issuer or of others; what is to be found of the issuer."""

    do: Callable[[Connection, Row, int], None]
    table: Table
    is_own: bool
    expected: list[DifferenceKind]


SPOILS = (
    Spoil(lose_event, ledger_events, True, [MISSING]),
    Spoil(alter_event, ledger_events, True, [OTHERWISE]),
    Spoil(take_event, ledger_events, False, [FOREIGN]),
    Spoil(lose_word, ledger_words, True, [OTHERWISE]),
    # Of the event to which it belongs, and a word of none.
    Spoil(alter_word, ledger_words, True, [OTHERWISE, OTHERWISE]),
    Spoil(take_word, ledger_words, False, [OTHERWISE]),
    # Others' own affair.
    Spoil(lose_event, ledger_events, False, []),
    Spoil(alter_word, ledger_words, False, []),
)


def shown_rows(connection: Connection, spoil: Spoil, issuer_id: int) -> list[Row]:
    columns = spoil.table.c
    whose = columns.issuer_id == issuer_id if spoil.is_own else columns.issuer_id != issuer_id
    shown = select(func.max(ledger_copies.c.proven)).scalar_subquery()
    rows = connection.execute(
        select(spoil.table).where(whose, columns.number <= shown).order_by(columns.number)
    ).mappings()
    return [dict(row) for row in rows]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda each: f"{each.do.__name__}-{'own' if each.is_own else 'others'}")
@settings(max_examples=5)
@given(model=eventful_models(), data=st.data())
def test_an_index_is_right_and_each_wrong_row_is_found(spoil: Spoil, model: Model, data: st.DataObject) -> None:
    calls = list(model.calls)
    history = replay(chain(calls)[0], REGISTRY)
    with emptied() as kept:
        show(kept, calls[: data.draw(st.sampled_from([None, *ends_of_blocks(calls)]))])
        for issuer in history.issuers:
            assert found(kept, history, issuer.issuer_id) == []
        issuer_id = data.draw(st.integers(1, max(1, len(history.issuers))))
        with kept.operator_writing() as connection:
            rows = shown_rows(connection, spoil, issuer_id)
            if rows:
                # Often the last one, after which nothing of the issuer may come.
                row = data.draw(st.one_of(st.just(rows[-1]), st.sampled_from(rows)))
                spoil.do(connection, row, issuer_id)
        assert not history.issuers or found(kept, history, issuer_id) == (spoil.expected if rows else [])
