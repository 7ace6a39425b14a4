"""The tables (SQLAlchemy Core). The migrations create them; a test holds the two equal.

Large tables are keyed by numbers that grow, never by random bytes: SQLite takes seven times as many rows a second that
way. What is random (UUIDs) has an index beside.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER.
RowId: Final = BigInteger().with_variant(Integer, "sqlite")


def institution_column(*, index: bool = False) -> Column[int]:
    """Say whose a row is."""
    return Column("institution_ref", RowId, ForeignKey("institutions.id"), nullable=False, index=index)


institutions: Final = Table(
    "institutions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("code", String(64), nullable=False, unique=True),  # what people type
    Column("name", Text, nullable=False),
    # Absent as long as they are not settled; the home folder's institution has them in its settings.
    Column("did", Text),
    Column("url", Text),
    Column("registry", String(128)),  # CAIP-10
    Column("issuer_id", BigInteger),
    Column("anchor_key", Text),  # a key file or a remote signer's key, never a key
    Column("status_key", Text),
    Column("public_url", Text),
    Column("monthly_gas_budget_wei", String(80)),  # may exceed 64 bits; absent: no limit
    Column("is_relayed", Boolean, nullable=False, server_default=false()),  # its keys sign, the operator's account pays
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    UniqueConstraint("registry", "issuer_id"),
)
"""Whose everything else is. The first, `registry.store.connection.HOME`, is the home folder's, and the operator's."""

issuers: Final = Table(
    "issuers",
    metadata,
    Column("id", RowId, primary_key=True),
    institution_column(index=True),
    Column("registry", String(128), nullable=False),  # CAIP-10
    Column("issuer_id", BigInteger, nullable=False),
    # Next free status position, list * LIST_SIZE + index. Only ever grows: no position is used twice.
    Column("next_position", BigInteger, nullable=False),
    UniqueConstraint("registry", "issuer_id"),
)
"""Issuers that credentials were issued for, each with its counter of status positions."""

transactions: Final = Table(
    "transactions",
    metadata,
    Column("id", RowId, primary_key=True),
    institution_column(index=True),  # for whom: in relayed mode the sender is the operator
    Column("chain_id", BigInteger, nullable=False),
    Column("sender", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),  # signed bytes: broadcasting them again cannot do twice what they say
    Column("state", String(16), nullable=False, index=True),
    Column("signed_at", BigInteger, nullable=False),
    Column("block_number", BigInteger),
    Column("gas_used", BigInteger),
    Column("gas_price_wei", String(80)),  # may exceed 64 bits
    Column("raised_at", BigInteger),  # when its newest version was signed, if it is not the first
    Column("authorised_by", LargeBinary(20)),  # the institution's key whose signature it carries, if that is another's
    Index("ix_transactions_sender_nonce", "sender", "nonce"),
)
"""Every transaction signed, kept before anybody else has it. Bytes and hash are those of the version that was mined,
else of the newest."""

transaction_versions: Final = Table(
    "transaction_versions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("transaction_id", RowId, ForeignKey("transactions.id"), nullable=False, index=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
)
"""Other versions of a transaction, which differ in their fees: the same nonce, so that one of all is mined at most."""

sending_accounts: Final = Table(
    "sending_accounts",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", LargeBinary(20), primary_key=True),
    # How many signed versions were kept for it: whoever signed while somebody else did finds it changed.
    Column("kept", BigInteger, nullable=False),
)
"""Accounts that send, whoever they send for."""

batches: Final = Table(
    "batches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("issuer_ref", RowId, ForeignKey("issuers.id"), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    # The achievement's own id, by which another roster for the same one is known.
    Column("achievement_id", Text, nullable=False, server_default=text("''"), index=True),
    Column("achievement_name", Text, nullable=False),
    # Over achievement and recipients in any order: tells a roster that is about to be issued for the second time.
    Column("roster_hash", LargeBinary(32), nullable=False),
    # Status position of its first leaf, list * LIST_SIZE + index; the others' follow.
    Column("first_position", BigInteger, nullable=False, server_default=text("0")),
    # By the institution's approval key, which is not in the database: what may be signed.
    Column("approval", LargeBinary(32)),
    Column("state", String(16), nullable=False, index=True),
    Column("sealed_at", BigInteger, nullable=False),
    Column("transaction_id", RowId, ForeignKey("transactions.id")),
    Column("anchored_at", BigInteger),
    Column("failure", Text),
    UniqueConstraint("issuer_ref", "root"),
)
"""Batches: sealed, then signed, sent, anchored; or failed."""

credentials: Final = Table(
    "credentials",
    metadata,
    Column("batch_id", RowId, ForeignKey("batches.id"), primary_key=True),
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", LargeBinary(16), nullable=False, unique=True),
    Column("salt", LargeBinary(32), nullable=False),
    Column("recipient_name", Text, nullable=False),
    Column("recipient_email", Text),
    Column("email_salt", LargeBinary(16)),
    Column("details", Text),  # JSON: what the roster says of a person beyond that
    # When all that is personal was taken out (registry.store.erasure), in Unix seconds.
    Column("erased_at", BigInteger),
    sqlite_with_rowid=False,
)
"""What is each credential's own, in leaf order. With the batch's template it makes the canonical bytes, to the byte."""

templates: Final = Table(
    "templates",
    metadata,
    Column("batch_id", RowId, ForeignKey("batches.id"), primary_key=True),
    Column("shape", Integer, primary_key=True, autoincrement=False),  # which optional members there are
    Column("text", LargeBinary, nullable=False),
)
"""What all credentials of a batch and shape have in common: kept once, not a thousand times."""

tree_chunks: Final = Table(
    "tree_chunks",
    metadata,
    Column("batch_id", RowId, ForeignKey("batches.id"), primary_key=True),
    Column("level", SmallInteger, primary_key=True),  # 0: the leaves
    Column("chunk", BigInteger, primary_key=True, autoincrement=False),
    Column("nodes", LargeBinary, nullable=False),  # up to CHUNK_NODES hashes, concatenated
)
"""Merkle trees, each level cut into chunks, so that one proof reads one chunk a level."""

status_changes: Final = Table(
    "status_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("transaction_id", RowId, ForeignKey("transactions.id"), nullable=False, index=True),
    Column("issuer_ref", RowId, ForeignKey("issuers.id"), nullable=False),
    Column("status_list", BigInteger, nullable=False),
    Column("status_index", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("reason", SmallInteger, nullable=False),
)
"""Which status positions each transaction was sent to change, and why."""

batch_revocations: Final = Table(
    "batch_revocations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("transaction_id", RowId, ForeignKey("transactions.id"), nullable=False, index=True),
    Column("issuer_ref", RowId, ForeignKey("issuers.id"), nullable=False),
    # Not the batch's number: what was revoked is known by its root, also where the batch is in no database any more.
    Column("root", LargeBinary(32), nullable=False),
    Column("reason", SmallInteger, nullable=False),
)
"""Which whole batches each transaction was sent to revoke, and why."""

replacements: Final = Table(
    "replacements",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("old_uuid", LargeBinary(16), ForeignKey("credentials.uuid"), nullable=False, unique=True),
    Column("new_uuid", LargeBinary(16), ForeignKey("credentials.uuid"), nullable=False, unique=True),
)
"""Which credential took the place of which: at most one each."""

achievements: Final = Table(
    "achievements",
    metadata,
    Column("id", RowId, primary_key=True),
    institution_column(),
    Column("code", String(64), nullable=False),  # what people type
    Column("uri", Text, nullable=False),  # the achievement's own id, the same in all its versions
    UniqueConstraint("institution_ref", "code"),
    UniqueConstraint("institution_ref", "uri"),
)
"""Achievements that are kept, each in at least one version."""

achievement_versions: Final = Table(
    "achievement_versions",
    metadata,
    Column("achievement_ref", RowId, ForeignKey("achievements.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # canonical bytes
    Column("added_at", BigInteger, nullable=False),
)
"""What an achievement said, version by version. Rows are only added: credentials were issued from them."""
