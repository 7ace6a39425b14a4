"""Webhooks: secrets that are renewed, why one is disabled; what is looked for by time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("webhooks", sa.Column("rotated_at", sa.BigInteger(), nullable=True))
    op.add_column("webhooks", sa.Column("disabled_why", sa.Text(), nullable=True))
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"], unique=False)
    op.create_index("ix_jobs_institution_ref_changed_at", "jobs", ["institution_ref", "changed_at"], unique=False)
