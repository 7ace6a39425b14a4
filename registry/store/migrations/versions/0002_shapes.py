"""Credentials with more than name and e-mail, kept in leaf order; positions by batch; approvals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("batches", sa.Column("achievement_id", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_batches_achievement_id", "batches", ["achievement_id"], unique=False)
    op.add_column("batches", sa.Column("first_position", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("batches", sa.Column("approval", sa.LargeBinary(length=32), nullable=True))
    op.execute(
        "UPDATE batches SET first_position = (SELECT status_list * 131072 + status_index FROM credentials"
        " WHERE credentials.batch_id = batches.id AND credentials.leaf_index = 0)"
    )
    # A table of this name and these constraints cannot be there twice: the rows wait in a third one.
    op.execute("CREATE TABLE credentials_0001 AS SELECT * FROM credentials")
    op.drop_table("credentials")
    op.create_table(
        "credentials",
        sa.Column("batch_id", _ROW_ID, nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_email", sa.Text(), nullable=True),
        sa.Column("email_salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_credentials_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "leaf_index", name="pk_credentials"),
        sa.UniqueConstraint("uuid", name="uq_credentials_uuid"),
        sqlite_with_rowid=False,
    )
    columns = "batch_id, leaf_index, uuid, salt, recipient_name, recipient_email, email_salt"
    op.execute(
        f"INSERT INTO credentials ({columns}) SELECT {columns} FROM credentials_0001 ORDER BY batch_id, leaf_index"  # noqa: S608
    )
    op.drop_table("credentials_0001")
    op.execute("CREATE TABLE templates_0001 AS SELECT * FROM templates")
    op.drop_table("templates")
    op.create_table(
        "templates",
        sa.Column("batch_id", _ROW_ID, nullable=False),
        sa.Column("shape", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_templates_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "shape", name="pk_templates"),
    )
    op.execute(
        "INSERT INTO templates (batch_id, shape, text)"
        " SELECT batch_id, CASE WHEN has_email THEN 1 ELSE 0 END, text FROM templates_0001"
    )
    op.drop_table("templates_0001")
