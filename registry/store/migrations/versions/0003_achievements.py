"""Achievements and their versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "achievements",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_achievements"),
        sa.UniqueConstraint("code", name="uq_achievements_code"),
        sa.UniqueConstraint("uri", name="uq_achievements_uri"),
    )
    op.create_table(
        "achievement_versions",
        sa.Column("achievement_ref", _ROW_ID, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["achievement_ref"], ["achievements.id"], name="fk_achievement_versions_achievement_ref"
        ),
        sa.PrimaryKeyConstraint("achievement_ref", "version", name="pk_achievement_versions"),
    )
