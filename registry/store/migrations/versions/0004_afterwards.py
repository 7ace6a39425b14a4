"""What happens after issuing: revocations of whole batches, erasure of people, replacements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "batch_revocations",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("transaction_id", _ROW_ID, nullable=False),
        sa.Column("issuer_ref", _ROW_ID, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_ref"], ["issuers.id"], name="fk_batch_revocations_issuer_ref"),
        sa.ForeignKeyConstraint(["transaction_id"], ["transactions.id"], name="fk_batch_revocations_transaction_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batch_revocations"),
    )
    op.create_index("ix_batch_revocations_transaction_id", "batch_revocations", ["transaction_id"], unique=False)
    op.add_column("credentials", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "replacements",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("old_uuid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("new_uuid", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["old_uuid"], ["credentials.uuid"], name="fk_replacements_old_uuid"),
        sa.ForeignKeyConstraint(["new_uuid"], ["credentials.uuid"], name="fk_replacements_new_uuid"),
        sa.PrimaryKeyConstraint("id", name="pk_replacements"),
        sa.UniqueConstraint("old_uuid", name="uq_replacements_old_uuid"),
        sa.UniqueConstraint("new_uuid", name="uq_replacements_new_uuid"),
    )
