"""The tables of the service for many institutions, beside those of `registry.store.tables`.

Times are Unix seconds. What stands in URLs is random (`public_id`), never a number that can be counted up.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from registry.store.tables import RowId, institution_column, metadata

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", RowId, primary_key=True),
    # The only reference to an institution that may be absent: such a key is the operator's.
    Column("institution_ref", RowId, ForeignKey("institutions.id"), index=True),
    Column("prefix", String(16), nullable=False, unique=True),  # public: names the key
    Column("secret_hash", LargeBinary(32), nullable=False),  # SHA-256; the secret has 256 random bits
    Column("label", Text, nullable=False),
    Column("scopes", String(64), nullable=False),  # in order of the alphabet, a space between
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)
"""Who may use the API, and for what."""

audit_chains: Final = Table(
    "audit_chains",
    metadata,
    Column("institution_ref", RowId, ForeignKey("institutions.id"), primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("head", LargeBinary(32), nullable=False),  # hash of the newest entry
)
"""Where each institution's audit log ends: an entry taken off the end shows."""

audit_entries: Final = Table(
    "audit_entries",
    metadata,
    Column("institution_ref", RowId, ForeignKey("institutions.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("at", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),  # over the entry and the hash before it
)
"""Who did what, on what, when. No personal data: ids only."""

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("institution_ref", RowId, ForeignKey("institutions.id"), primary_key=True, autoincrement=False),
    Column("key", String(255), primary_key=True),
    Column("request_hash", LargeBinary(32), nullable=False),
    Column("status", SmallInteger),  # of the answer; absent only within the transaction that answers
    Column("answer", LargeBinary),
    Column("created_at", BigInteger, nullable=False, index=True),
)
"""Answers to writes, given again when the same write comes again."""

webhooks: Final = Table(
    "webhooks",
    metadata,
    Column("id", RowId, primary_key=True),
    institution_column(index=True),
    # Its secret is derived from this, its generation, and a key outside the database.
    Column("public_id", LargeBinary(16), nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("events", String(255), nullable=False),  # in order of the alphabet, a space between
    Column("generation", Integer, nullable=False, server_default="0"),  # of the secret
    Column("rotated_at", BigInteger),  # when it was last renewed
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("disabled_why", Text),
)
"""Where an institution's systems want to be told of what happens."""

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", RowId, primary_key=True),
    institution_column(index=True),
    Column("public_id", LargeBinary(16), nullable=False, unique=True),
    Column("webhook_ref", RowId, ForeignKey("webhooks.id"), nullable=False, index=True),
    Column("event", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # JSON, ids only
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("leased_by", String(64)),
    Column("leased_until", BigInteger),
    Column("last_status", SmallInteger),  # HTTP
    Column("last_error", Text),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("delivered_at", BigInteger),
    Index(None, "state", "next_at"),
)
"""What each webhook was told, is being told, or could not be told."""

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", RowId, primary_key=True),
    institution_column(),
    Column("public_id", LargeBinary(16), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", Text, nullable=False),  # JSON: what was asked for, without people
    Column("report", Text),  # JSON: problems by place and reason, never a cell; counts; cost
    Column("content_size", BigInteger, nullable=False),
    Column("content_hash", LargeBinary(32)),  # SHA-256; absent until everything is there
    Column("total", BigInteger),
    Column("done", BigInteger, nullable=False),
    Column("batch_ref", RowId, ForeignKey("batches.id"), index=True),
    Column("transaction_ref", RowId, ForeignKey("transactions.id")),
    Column("failure", Text),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("leased_by", String(64)),
    Column("leased_until", BigInteger),
    # Order of claims: the institution that was served longest ago is served first.
    Column("claim_number", BigInteger, nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),  # one more with every change: what watchers compare
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index(None, "state", "next_at"),
    Index(None, "institution_ref", "claim_number"),
    Index(None, "institution_ref", "changed_at"),
)
"""Rosters and status changes on their way to the ledger."""

job_chunks: Final = Table(
    "job_chunks",
    metadata,
    Column("job_ref", RowId, ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 0
    Column("content", LargeBinary, nullable=False),
)
"""An uploaded roster, as it came, until it is sealed: workers may be on other machines than who took it in."""

job_transactions: Final = Table(
    "job_transactions",
    metadata,
    Column("job_ref", RowId, ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    Column("transaction_ref", RowId, ForeignKey("transactions.id"), primary_key=True, autoincrement=False, index=True),
)
"""What was signed for which status change: one may need several transactions, and one of these may do for several."""

learner_pages: Final = Table(
    "learner_pages",
    metadata,
    Column("credential_uuid", LargeBinary(16), ForeignKey("credentials.uuid"), primary_key=True),
    institution_column(),
    # The address is derived from this, too, and a key outside the database; empty: as in the beginning.
    Column("nonce", LargeBinary(16), nullable=False),
    Column("renewed_at", BigInteger),
    Column("withdrawn_at", BigInteger),
)
"""Where each learner's page is, without saying it."""
