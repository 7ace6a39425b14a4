"""Whatever happened in a registry, the explorer shows what the replay says, read at once or in two parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from registry.store.engine import Store, open_store
from registry.store.ledger_tables import (
    ledger_accounts,
    ledger_checkpoint_parts,
    ledger_checkpoints,
    ledger_copies,
    ledger_events,
    ledger_issuers,
    ledger_syncs,
    ledger_tallies,
    ledger_words,
)
from tests.support.contract_model import Model, models
from tests.support.shown_history import check_shown, ends_of_blocks, show

TABLES = (
    *(ledger_events, ledger_words, ledger_accounts, ledger_issuers, ledger_tallies),
    *(ledger_syncs, ledger_checkpoint_parts, ledger_checkpoints, ledger_copies),
)
FOLDER = TemporaryDirectory()


@cache
def store() -> Store:
    """One database for all examples."""
    return open_store(f"sqlite:///{Path(FOLDER.name) / 'registry.db'}")


@contextmanager
def emptied() -> Iterator[Store]:
    with store().operator_writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))
    yield store()


@settings(max_examples=50)
@given(model=models(), data=st.data())
def test_explorer_shows_what_the_replay_says(model: Model, data: st.DataObject) -> None:
    calls = list(model.calls)
    first = data.draw(st.sampled_from([None, *ends_of_blocks(calls)]))
    with emptied() as kept:
        if first is not None:
            show(kept, calls[:first])
        show(kept, calls)
        check_shown(kept, calls)
