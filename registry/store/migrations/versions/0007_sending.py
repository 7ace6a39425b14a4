"""Sending: one owner of each account's nonces, versions of a transaction with higher fees, budgets for a month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sending_accounts",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.LargeBinary(length=20), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "sender", name="pk_sending_accounts"),
    )
    op.create_table(
        "transaction_versions",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("transaction_id", _ROW_ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["transaction_id"], ["transactions.id"], name="fk_transaction_versions_transaction_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transaction_versions"),
        sa.UniqueConstraint("hash", name="uq_transaction_versions_hash"),
    )
    op.create_index("ix_transaction_versions_transaction_id", "transaction_versions", ["transaction_id"], unique=False)
    op.add_column("transactions", sa.Column("raised_at", sa.BigInteger(), nullable=True))
    op.add_column("transactions", sa.Column("authorised_by", sa.LargeBinary(length=20), nullable=True))
    op.create_index("ix_transactions_sender_nonce", "transactions", ["sender", "nonce"], unique=False)
    # Nothing has set it yet.
    op.execute("ALTER TABLE institutions RENAME COLUMN daily_gas_budget_wei TO monthly_gas_budget_wei")
    op.add_column("institutions", sa.Column("is_relayed", sa.Boolean(), nullable=False, server_default=sa.false()))
