"""Which transactions were signed for which status change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "job_transactions",
        sa.Column("job_ref", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("transaction_ref", _ROW_ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["job_ref"], ["jobs.id"], name="fk_job_transactions_job_ref"),
        sa.ForeignKeyConstraint(["transaction_ref"], ["transactions.id"], name="fk_job_transactions_transaction_ref"),
        sa.PrimaryKeyConstraint("job_ref", "transaction_ref", name="pk_job_transactions"),
    )
    op.create_index("ix_job_transactions_transaction_ref", "job_transactions", ["transaction_ref"], unique=False)
