"""Institutions: everything belongs to one. What was there before belongs to the home folder's, which is the first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HOME = 1


def upgrade() -> None:
    op.create_table(
        "institutions",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("registry", sa.String(length=128), nullable=True),
        sa.Column("issuer_id", sa.BigInteger(), nullable=True),
        sa.Column("anchor_key", sa.Text(), nullable=True),
        sa.Column("status_key", sa.Text(), nullable=True),
        sa.Column("public_url", sa.Text(), nullable=True),
        sa.Column("daily_gas_budget_wei", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_institutions"),
        sa.UniqueConstraint("code", name="uq_institutions_code"),
        sa.UniqueConstraint("registry", "issuer_id", name="uq_institutions_registry_issuer_id"),
    )
    # By its number, and the counter of numbers is moved on: only SQLite looks at the largest by itself.
    op.execute(f"INSERT INTO institutions (id, code, name, created_at) VALUES ({_HOME}, 'home', '', 0)")  # noqa: S608
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        op.execute("SELECT setval(pg_get_serial_sequence('institutions', 'id'), (SELECT max(id) FROM institutions))")
        _alter()
    for table in ("issuers", "transactions"):
        op.create_index(f"ix_{table}_institution_ref", table, ["institution_ref"], unique=False)


def _alter() -> None:
    for table in ("issuers", "transactions", "achievements"):
        op.add_column(table, sa.Column("institution_ref", _ROW_ID, nullable=False, server_default=str(_HOME)))
        op.alter_column(table, "institution_ref", server_default=None)
        op.create_foreign_key(f"fk_{table}_institution_ref", table, "institutions", ["institution_ref"], ["id"])
    for column in ("code", "uri"):
        op.drop_constraint(f"uq_achievements_{column}", "achievements")
        op.create_unique_constraint(
            f"uq_achievements_institution_ref_{column}", "achievements", ["institution_ref", column]
        )


def _rebuild() -> None:
    """Make the tables anew, for SQLite adds no such columns; rows wait in third ones, where references do not count."""
    op.execute("PRAGMA defer_foreign_keys=ON")
    _move(
        "issuers",
        "id, registry, issuer_id, next_position",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("registry", sa.String(length=128), nullable=False),
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("next_position", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("registry", "issuer_id", name="uq_issuers_registry_issuer_id"),
    )
    _move(
        "transactions",
        "id, chain_id, sender, nonce, hash, raw, state, signed_at, block_number, gas_used, gas_price_wei",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
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
        sa.UniqueConstraint("hash", name="uq_transactions_hash"),
    )
    op.create_index("ix_transactions_state", "transactions", ["state"], unique=False)
    _move(
        "achievements",
        "id, code, uri",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("institution_ref", _ROW_ID, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.UniqueConstraint("institution_ref", "code", name="uq_achievements_institution_ref_code"),
        sa.UniqueConstraint("institution_ref", "uri", name="uq_achievements_institution_ref_uri"),
    )


def _move(table: str, columns: str, *items: sa.Column[object] | sa.Constraint) -> None:
    op.execute(f"CREATE TABLE {table}_0004 AS SELECT {columns} FROM {table}")  # noqa: S608
    op.drop_table(table)
    op.create_table(
        table,
        *items,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["institution_ref"], ["institutions.id"], name=f"fk_{table}_institution_ref"),
    )
    op.execute(
        f"INSERT INTO {table} ({columns}, institution_ref) SELECT {columns}, {_HOME} FROM {table}_0004 ORDER BY id"  # noqa: S608
    )
    op.drop_table(f"{table}_0004")
