"""The explorer: a registry's history, read and proven by the service itself; there is none so far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_copies",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("registry", sa.String(length=128), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("proven", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("proven_at", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_copies"),
    )
    op.create_index("ix_ledger_copies_registry", "ledger_copies", ["registry"])
    op.create_table(
        "ledger_syncs",
        sa.Column("registry", sa.String(length=128), nullable=False),
        sa.Column("shown_ref", _ROW_ID, nullable=True),
        sa.Column("read_ref", _ROW_ID, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("leased_by", sa.String(length=64), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["shown_ref"], ["ledger_copies.id"], name="fk_ledger_syncs_shown_ref"),
        sa.ForeignKeyConstraint(["read_ref"], ["ledger_copies.id"], name="fk_ledger_syncs_read_ref"),
        sa.PrimaryKeyConstraint("registry", name="pk_ledger_syncs"),
    )
    _of_copies(
        "ledger_events",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("credentials", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=True),
        key=("number",),
        with_rowid=True,
    )
    op.create_index("ix_ledger_events_issuer", "ledger_events", ["copy_ref", "issuer_id", "number"])
    op.create_index("ix_ledger_events_kind", "ledger_events", ["copy_ref", "issuer_id", "kind", "number"])
    op.create_index("ix_ledger_events_root", "ledger_events", ["copy_ref", "root", "number"])
    op.create_index("ix_ledger_events_transaction", "ledger_events", ["copy_ref", "transaction_hash", "number"])
    _of_copies(
        "ledger_words",
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("mask", sa.LargeBinary(length=32), nullable=False),
        key=("issuer_id", "status_list", "word", "number"),
    )
    _of_copies(
        "ledger_accounts",
        sa.Column("address", sa.LargeBinary(length=20), nullable=False),
        sa.Column("key_of", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        key=("address", "key_of"),
    )
    _of_copies(
        "ledger_issuers",
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("did_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        key=("issuer_id",),
    )
    op.create_index("ix_ledger_issuers_did_hash", "ledger_issuers", ["copy_ref", "did_hash"])
    _of_copies(
        "ledger_tallies",
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("credentials", sa.BigInteger(), nullable=False),
        key=("issuer_id", "day", "kind", "reason"),
    )


def _of_copies(name: str, *columns: sa.Column[object], key: tuple[str, ...], with_rowid: bool = False) -> None:
    """Make a table whose rows belong to copies."""
    op.create_table(
        name,
        sa.Column("copy_ref", _ROW_ID, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["copy_ref"], ["ledger_copies.id"], name=f"fk_{name}_copy_ref"),
        sa.PrimaryKeyConstraint("copy_ref", *key, name=f"pk_{name}"),
        sqlite_with_rowid=with_rowid,
    )
