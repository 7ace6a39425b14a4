"""Learners' pages: only those that were renewed or withdrawn need a row; none was made so far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("learner_pages")
    op.create_table(
        "learner_pages",
        sa.Column("credential_uuid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["credential_uuid"], ["credentials.uuid"], name="fk_learner_pages_credential_uuid"),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_learner_pages_institution_ref"),
        sa.PrimaryKeyConstraint("credential_uuid", name="pk_learner_pages"),
    )
