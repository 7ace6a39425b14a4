"""Achievements and their versions: functions over one connection of `Store.reading` or `Store.writing`.

A version is never changed or removed: credentials were issued from it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select

from registry.errors import ConflictError, NotFoundError
from registry.store.connection import InstitutionConnection
from registry.store.institutions import lock_institution
from registry.store.records import AchievementEntry, AchievementRecord
from registry.store.tables import achievement_versions, achievements

_ENTRY: Final[tuple[ColumnElement[Any], ...]] = (
    achievements.c.code,
    achievements.c.uri,
    achievement_versions.c.version,
    achievement_versions.c.name,
    achievement_versions.c.added_at,
)
_JOINED: Final = achievements.join(achievement_versions, achievement_versions.c.achievement_ref == achievements.c.id)


def add_achievement(
    connection: InstitutionConnection, *, code: str, uri: str, name: str, content: bytes, added_at: int
) -> AchievementEntry:
    """Keep an achievement's first version.

    Raises:
        ConflictError: The code or the achievement's id is taken.
    """
    lock_institution(connection)
    taken = connection.execute(
        select(achievements.c.code, achievements.c.uri).where(
            _own(connection), or_(achievements.c.code == code, achievements.c.uri == uri)
        )
    ).first()
    if taken is not None and taken.code == code and taken.uri != uri:
        raise ConflictError(f"the code {code} is taken by another achievement", advice="Choose another one.")
    if taken is not None:
        raise ConflictError(
            f"this achievement is kept already, as {taken.code}",
            advice=f"Make a new version of it: credanchor achievement revise {taken.code} FILE, or by API. "
            "If it is another achievement, give it an id of its own.",
        )
    row = (
        insert(achievements)
        .values(institution_ref=connection.institution, code=code, uri=uri)
        .returning(achievements.c.id)
    )
    _add_version(connection, connection.execute(row).scalar_one(), 1, name, content, added_at)
    return AchievementEntry(code=code, uri=uri, version=1, name=name, added_at=added_at)


def revise_achievement(
    connection: InstitutionConnection, *, code: str, uri: str, name: str, content: bytes, added_at: int
) -> AchievementEntry:
    """Keep a new version of an achievement.

    Raises:
        NotFoundError: There is no achievement of this code.
        ConflictError: It has another id, or says what its newest version says.
    """
    lock_institution(connection)
    newest = read_achievement(connection, code)
    if newest.entry.uri != uri:
        raise ConflictError(
            f"{code} has another id: {newest.entry.uri}",
            advice="All versions of an achievement have one id. Mend the file, or keep it as another achievement: "
            "credanchor achievement add FILE.",
        )
    if newest.content == content:
        raise ConflictError(
            f"nothing changed: version {newest.entry.version} of {code} says the same",
            advice=f"Issue from it as it is: --achievement {code}.",
        )
    number = newest.entry.version + 1
    reference = connection.execute(
        select(achievements.c.id).where(_own(connection), achievements.c.code == code)
    ).scalar_one()
    _add_version(connection, reference, number, name, content, added_at)
    return AchievementEntry(code=code, uri=uri, version=number, name=name, added_at=added_at)


def list_achievements(connection: InstitutionConnection) -> tuple[AchievementEntry, ...]:
    """List all achievements by code, each in its newest version."""
    newest = (
        select(achievement_versions.c.achievement_ref, func.max(achievement_versions.c.version).label("version"))
        .group_by(achievement_versions.c.achievement_ref)
        .subquery()
    )
    statement = (
        select(*_ENTRY)
        .select_from(
            _JOINED.join(
                newest,
                and_(newest.c.achievement_ref == achievements.c.id, newest.c.version == achievement_versions.c.version),
            )
        )
        .where(_own(connection))
    )
    # Not the database's order, which depends on its language.
    return tuple(sorted(map(_entry, connection.execute(statement)), key=lambda entry: entry.code))


def list_versions(connection: InstitutionConnection, code: str) -> tuple[AchievementEntry, ...]:
    """List an achievement's versions, the oldest first; none if it is not kept."""
    statement = (
        select(*_ENTRY)
        .select_from(_JOINED)
        .where(_own(connection), achievements.c.code == code)
        .order_by(achievement_versions.c.version)
    )
    return tuple(map(_entry, connection.execute(statement)))


def read_achievement(connection: InstitutionConnection, code: str, version: int | None = None) -> AchievementRecord:
    """Read one version of an achievement: the newest, if none is named.

    Raises:
        NotFoundError: There is no such achievement, or no such version of it.
    """
    statement = (
        select(*_ENTRY, achievement_versions.c.content)
        .select_from(_JOINED)
        .where(_own(connection), achievements.c.code == code)
        .order_by(achievement_versions.c.version.desc())
        .limit(1)
    )
    newest = connection.execute(statement).one_or_none()
    if newest is None:
        raise NotFoundError(f"no achievement {code} is kept", advice="See which are: credanchor achievement list.")
    if version is None or version == newest.version:
        return AchievementRecord(entry=_entry(newest), content=newest.content)
    row = connection.execute(statement.where(achievement_versions.c.version == version)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"achievement {code} has no version {version}", advice=f"It has versions 1 to {newest.version}."
        )
    return AchievementRecord(entry=_entry(row), content=row.content)


def _own(connection: InstitutionConnection) -> ColumnElement[bool]:
    return achievements.c.institution_ref == connection.institution


def _add_version(
    connection: InstitutionConnection, reference: int, version: int, name: str, content: bytes, at: int
) -> None:
    row = {"achievement_ref": reference, "version": version, "name": name, "content": content, "added_at": at}
    connection.execute(insert(achievement_versions).values(row))


def _entry(row: Row[*tuple[Any, ...]]) -> AchievementEntry:
    return AchievementEntry(code=row.code, uri=row.uri, version=row.version, name=row.name, added_at=row.added_at)
