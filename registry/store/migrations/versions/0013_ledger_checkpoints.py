"""The explorer: where the replay of a history stood, to go on from; the next process writes the first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_checkpoints",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("copy_ref", _ROW_ID, nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["copy_ref"], ["ledger_copies.id"], name="fk_ledger_checkpoints_copy_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_checkpoints"),
    )
    op.create_index("ix_ledger_checkpoints_copy_ref", "ledger_checkpoints", ["copy_ref"])
    op.create_table(
        "ledger_checkpoint_parts",
        sa.Column("checkpoint_ref", _ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint_ref"], ["ledger_checkpoints.id"], name="fk_ledger_checkpoint_parts_checkpoint_ref"
        ),
        sa.PrimaryKeyConstraint("checkpoint_ref", "number", name="pk_ledger_checkpoint_parts"),
    )
