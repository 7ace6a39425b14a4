"""Who answers a request holds no lease on it: work and answer are one transaction."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # Left over from a time when an answer came in a transaction after the work: never answered, so not done.
    op.execute("DELETE FROM idempotency_keys WHERE status IS NULL")
    op.drop_column("idempotency_keys", "leased_until")
