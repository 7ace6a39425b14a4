"""The service's tables: API keys, audit log, answers kept, webhooks, jobs, learners' pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=True),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_api_keys_institution_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("prefix", name="uq_api_keys_prefix"),
    )
    op.create_index("ix_api_keys_institution_ref", "api_keys", ["institution_ref"], unique=False)
    op.create_table(
        "audit_chains",
        sa.Column("institution_ref", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_audit_chains_institution_ref"),
        sa.PrimaryKeyConstraint("institution_ref", name="pk_audit_chains"),
    )
    # The home folder's institution is there already.
    op.execute(
        sa.text("INSERT INTO audit_chains (institution_ref, length, head) VALUES (1, 0, :head)").bindparams(
            sa.bindparam("head", bytes(32), sa.LargeBinary())
        )
    )
    op.create_table(
        "audit_entries",
        sa.Column("institution_ref", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_audit_entries_institution_ref"),
        sa.PrimaryKeyConstraint("institution_ref", "number", name="pk_audit_entries"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("institution_ref", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_idempotency_keys_institution_ref"),
        sa.PrimaryKeyConstraint("institution_ref", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("public_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("events", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_webhooks_institution_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("public_id", name="uq_webhooks_public_id"),
    )
    op.create_index("ix_webhooks_institution_ref", "webhooks", ["institution_ref"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("public_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("webhook_ref", _ROW_ID, nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.String(length=64), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.SmallInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_deliveries_institution_ref"),
        sa.ForeignKeyConstraint(["webhook_ref"], ["webhooks.id"], name="fk_deliveries_webhook_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("public_id", name="uq_deliveries_public_id"),
    )
    op.create_index("ix_deliveries_institution_ref", "deliveries", ["institution_ref"], unique=False)
    op.create_index("ix_deliveries_state_next_at", "deliveries", ["state", "next_at"], unique=False)
    op.create_index("ix_deliveries_webhook_ref", "deliveries", ["webhook_ref"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("public_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("content_size", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("batch_ref", _ROW_ID, nullable=True),
        sa.Column("transaction_ref", _ROW_ID, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.String(length=64), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("claim_number", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_ref"], ["batches.id"], name="fk_jobs_batch_ref"),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_jobs_institution_ref"),
        sa.ForeignKeyConstraint(["transaction_ref"], ["transactions.id"], name="fk_jobs_transaction_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("public_id", name="uq_jobs_public_id"),
    )
    op.create_index("ix_jobs_batch_ref", "jobs", ["batch_ref"], unique=False)
    op.create_index("ix_jobs_claim_number", "jobs", ["claim_number"], unique=False)
    op.create_index("ix_jobs_institution_ref_claim_number", "jobs", ["institution_ref", "claim_number"], unique=False)
    op.create_index("ix_jobs_state_next_at", "jobs", ["state", "next_at"], unique=False)
    op.create_table(
        "job_chunks",
        sa.Column("job_ref", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_ref"], ["jobs.id"], name="fk_job_chunks_job_ref"),
        sa.PrimaryKeyConstraint("job_ref", "number", name="pk_job_chunks"),
    )
    op.create_table(
        "learner_pages",
        sa.Column("credential_uuid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["credential_uuid"], ["credentials.uuid"], name="fk_learner_pages_credential_uuid"),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name="fk_learner_pages_institution_ref"),
        sa.PrimaryKeyConstraint("credential_uuid", name="pk_learner_pages"),
        sa.UniqueConstraint("address_hash", name="uq_learner_pages_address_hash"),
    )
