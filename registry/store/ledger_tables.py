"""The tables of the explorer: a registry's history, as the chain has it. Nobody's in particular, and public.

A history is kept as a **copy**: events up to `proven` are shown, those after it are read and not proven yet. When the
chain was reorganised, another copy is made, and takes the place of the one before in one moment.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from registry.store.tables import RowId, metadata

ledger_copies: Final = Table(
    "ledger_copies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("registry", String(128), nullable=False, index=True),  # CAIP-10
    Column("read_to", BigInteger, nullable=False),  # all events of the blocks up to this one are there; -1: of none
    Column("events", BigInteger, nullable=False),  # how many are there
    Column("proven", BigInteger, nullable=False),  # how many of them are proven to be all up to the block below
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary(32)),
    Column("content", LargeBinary),  # CBOR: what the proof rests on, roles, counts
    Column("proven_at", BigInteger),
    Column("retired_at", BigInteger),  # when another took its place, or it turned out to be of no use
)
"""Copies of a registry's history."""

ledger_syncs: Final = Table(
    "ledger_syncs",
    metadata,
    Column("registry", String(128), primary_key=True),
    Column("shown_ref", RowId, ForeignKey("ledger_copies.id")),
    Column("read_ref", RowId, ForeignKey("ledger_copies.id")),  # the one that is being read into
    Column("problem", Text),  # why it is not newer, in plain words
    Column("leased_by", String(64)),
    Column("leased_until", BigInteger),
)
"""Which copy is shown, and which process brings it up to date."""


def _copy_column() -> Column[int]:
    return Column("copy_ref", RowId, ForeignKey("ledger_copies.id"), primary_key=True, autoincrement=False)


ledger_events: Final = Table(
    "ledger_events",
    metadata,
    _copy_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("issuer_id", BigInteger, nullable=False),  # 0: of the registry as a whole
    Column("kind", String(32), nullable=False),
    Column("reason", SmallInteger, nullable=False),  # 0: such events give none
    Column("credentials", BigInteger, nullable=False),  # how many it is about
    Column("at", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("topics", LargeBinary, nullable=False),  # concatenated
    Column("data", LargeBinary, nullable=False),
    Column("root", LargeBinary(32)),
    Index("ix_ledger_events_issuer", "copy_ref", "issuer_id", "number"),
    Index("ix_ledger_events_kind", "copy_ref", "issuer_id", "kind", "number"),
    Index("ix_ledger_events_root", "copy_ref", "root", "number"),
    Index("ix_ledger_events_transaction", "copy_ref", "transaction_hash", "number"),
    # With `number` in each, SQLite takes it, and not the primary key, for events up to the last one that counts.
)
"""Events, as they were logged."""

ledger_words: Final = Table(
    "ledger_words",
    metadata,
    _copy_column(),
    Column("issuer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("status_list", BigInteger, primary_key=True, autoincrement=False),
    Column("word", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the event
    Column("epoch", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("mask", LargeBinary(32), nullable=False),  # the bits that the event changed, big-endian
    sqlite_with_rowid=False,
)
"""Which status words each event changed."""

ledger_accounts: Final = Table(
    "ledger_accounts",
    metadata,
    _copy_column(),
    Column("address", LargeBinary(20), primary_key=True),
    Column("key_of", BigInteger, primary_key=True, autoincrement=False),  # 0: no key; or another part that it plays
    Column("number", BigInteger, nullable=False),  # of the first event that names it so
    sqlite_with_rowid=False,
)
"""Accounts and keys that events name."""

ledger_issuers: Final = Table(
    "ledger_issuers",
    metadata,
    _copy_column(),
    Column("issuer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("did", Text, nullable=False),
    Column("did_hash", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),  # CBOR: where proven events led it
    Index("ix_ledger_issuers_did_hash", "copy_ref", "did_hash"),
    sqlite_with_rowid=False,
)
"""Issuers, as the proven events left them."""

ledger_tallies: Final = Table(
    "ledger_tallies",
    metadata,
    _copy_column(),
    Column("issuer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # Unix seconds / 86,400
    Column("kind", String(32), primary_key=True),
    Column("reason", SmallInteger, primary_key=True, autoincrement=False),
    Column("events", BigInteger, nullable=False),
    Column("credentials", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How many proven events of each kind there were on each day (UTC)."""

ledger_checkpoints: Final = Table(
    "ledger_checkpoints",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("copy_ref", RowId, ForeignKey("ledger_copies.id"), nullable=False, index=True),
    Column("events", BigInteger, nullable=False),  # after how many
    Column("digest", LargeBinary(32)),  # SHA-256 over content and parts; none: it is not whole yet
    Column("content", LargeBinary),  # CBOR: the state of the replay, but for its parts
)
"""Where the replay of a copy's events stood, so that the next process goes on from there."""

ledger_checkpoint_parts: Final = Table(
    "ledger_checkpoint_parts",
    metadata,
    Column("checkpoint_ref", RowId, ForeignKey("ledger_checkpoints.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 0
    Column("content", LargeBinary, nullable=False),  # CBOR: some batches or status words
)
"""What there is much of in a checkpoint."""
