"""The first tables: issuers, transactions, batches, credentials, tree chunks, status changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "issuers",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("registry", sa.String(length=128), nullable=False),
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("next_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_issuers"),
        sa.UniqueConstraint("registry", "issuer_id", name="uq_issuers_registry_issuer_id"),
    )
    op.create_table(
        "transactions",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.LargeBinary(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("gas_price_wei", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_transactions"),
        sa.UniqueConstraint("hash", name="uq_transactions_hash"),
    )
    op.create_index("ix_transactions_state", "transactions", ["state"], unique=False)
    op.create_table(
        "batches",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("issuer_ref", _ROW_ID, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("achievement_name", sa.Text(), nullable=False),
        sa.Column("roster_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", _ROW_ID, nullable=True),
        sa.Column("anchored_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["issuer_ref"], ["issuers.id"], name="fk_batches_issuer_ref"),
        sa.ForeignKeyConstraint(["transaction_id"], ["transactions.id"], name="fk_batches_transaction_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("issuer_ref", "root", name="uq_batches_issuer_ref_root"),
    )
    op.create_index("ix_batches_state", "batches", ["state"], unique=False)
    op.create_table(
        "status_changes",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("transaction_id", _ROW_ID, nullable=False),
        sa.Column("issuer_ref", _ROW_ID, nullable=False),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_ref"], ["issuers.id"], name="fk_status_changes_issuer_ref"),
        sa.ForeignKeyConstraint(["transaction_id"], ["transactions.id"], name="fk_status_changes_transaction_id"),
        sa.PrimaryKeyConstraint("id", name="pk_status_changes"),
    )
    op.create_index("ix_status_changes_transaction_id", "status_changes", ["transaction_id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("batch_id", _ROW_ID, nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("issuer_ref", _ROW_ID, nullable=False),
        sa.Column("status_list", sa.BigInteger(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_email", sa.Text(), nullable=True),
        sa.Column("email_salt", sa.LargeBinary(length=16)),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_credentials_batch_id"),
        sa.ForeignKeyConstraint(["issuer_ref"], ["issuers.id"], name="fk_credentials_issuer_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.UniqueConstraint("batch_id", "leaf_index", name="uq_credentials_batch_id_leaf_index"),
        sa.UniqueConstraint(
            "issuer_ref", "status_list", "status_index", name="uq_credentials_issuer_ref_status_list_status_index"
        ),
        sa.UniqueConstraint("uuid", name="uq_credentials_uuid"),
    )
    op.create_table(
        "tree_chunks",
        sa.Column("batch_id", _ROW_ID, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("chunk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("nodes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_tree_chunks_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "level", "chunk", name="pk_tree_chunks"),
    )
    op.create_table(
        "templates",
        sa.Column("batch_id", _ROW_ID, nullable=False),
        sa.Column("has_email", sa.Boolean(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_templates_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "has_email", name="pk_templates"),
    )
