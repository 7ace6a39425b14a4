"""API keys: who may use the API, for which institution, and for what.

A key is `credanchor_` + its public prefix + `_` + its secret. Only SHA-256 of the secret is kept: with 256 random bits
there is nothing to guess, so no slow hash is needed. All functions take a plain connection, for a key is what tells
whose a request is: which institution's keys are meant is a parameter, None for the operator's own.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from registry.errors import NotFoundError, NotPermittedError
from registry.store.connection import InstitutionId
from registry.store.service_tables import api_keys
from registry.store.tables import institutions

_SHAPE: Final = re.compile(r"credanchor_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES: Final = 32
_USE_NOTED_EVERY: Final = 60
"""Seconds: a key that is used a thousand times a second is not written a thousand times."""


class Scope(Enum):
    """What a key is good for."""

    ISSUE = "issue"
    STATUS = "status"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """An API key without its secret."""

    prefix: str
    institution: InstitutionId | None
    """None: the operator's."""
    label: str
    scopes: frozenset[Scope]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    """To the minute."""
    number: int
    """By order of making."""

    def is_in_force(self, now: int) -> bool:
        """Tell whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def create_api_key(
    connection: Connection,
    institution: InstitutionId | None,
    scopes: Collection[Scope],
    *,
    label: str,
    created_at: int,
    expires_at: int | None,
) -> tuple[ApiKeyRecord, str]:
    """Make a key; give it as kept, and its text, which is nowhere else and never to be had again."""
    prefix, secret = secrets.token_hex(8), secrets.token_urlsafe(_SECRET_BYTES)
    row = insert(api_keys).values(
        institution_ref=institution,
        prefix=prefix,
        secret_hash=_hash(secret),
        label=label,
        scopes=" ".join(sorted(scope.value for scope in scopes)),
        created_at=created_at,
        expires_at=expires_at,
    )
    return _record(connection.execute(row.returning(*api_keys.c)).one()), f"credanchor_{prefix}_{secret}"


def authenticate(connection: Connection, text: str, *, now: int) -> ApiKeyRecord:
    """Tell whose key somebody shows.

    Args:
        connection: From `Store.operator_reading`.
        text: The whole key.
        now: Unix seconds.

    Raises:
        NotPermittedError: It is no key, or not any more, or its institution is closed; which, is not said.
    """
    shape = _SHAPE.fullmatch(text)
    prefix, secret = ("", "") if shape is None else shape.groups()
    statement = select(api_keys, institutions.c.closed_at).outerjoin(
        institutions, institutions.c.id == api_keys.c.institution_ref
    )
    row = connection.execute(statement.where(api_keys.c.prefix == prefix)).one_or_none()
    # Of a key that is not there, too, so that the time tells nothing.
    is_right = hmac.compare_digest(bytes(32) if row is None else row.secret_hash, _hash(secret))
    if row is None or not is_right or not _record(row).is_in_force(now) or row.closed_at is not None:
        raise NotPermittedError("this API key is not valid", advice="Ask the operator of the service for another one.")
    return _record(row)


def still_valid(connection: Connection, prefixes: Collection[str], *, now: int) -> frozenset[str]:
    """Tell which of some keys, shown before, are still valid.

    Args:
        connection: From `Store.operator_reading`.
        prefixes: Of the keys.
        now: Unix seconds.
    """
    statement = (
        select(api_keys)
        .outerjoin(institutions, institutions.c.id == api_keys.c.institution_ref)
        .where(api_keys.c.prefix.in_(sorted(prefixes)), institutions.c.closed_at.is_(None))
    )
    records = map(_record, connection.execute(statement))
    return frozenset(each.prefix for each in records if each.is_in_force(now))


def note_use(connection: Connection, key: ApiKeyRecord, *, now: int) -> None:
    """Note that a key was used, at most once a minute; does not write otherwise."""
    if key.last_used_at is not None and now < key.last_used_at + _USE_NOTED_EVERY:
        return
    before = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < now)
    connection.execute(update(api_keys).where(api_keys.c.prefix == key.prefix, before).values(last_used_at=now))


def revoke_api_key(connection: Connection, institution: InstitutionId | None, prefix: str, *, now: int) -> None:
    """End a key's validity.

    Raises:
        NotFoundError: The institution has no such key, or it is revoked already.
    """
    row = update(api_keys).where(api_keys.c.prefix == prefix, _of(institution), api_keys.c.revoked_at.is_(None))
    if connection.execute(row.values(revoked_at=now)).rowcount != 1:
        raise NotFoundError("there is no such API key that is not revoked")


def get_api_key(connection: Connection, institution: InstitutionId | None, prefix: str) -> ApiKeyRecord:
    """Look up a key by its prefix.

    Raises:
        NotFoundError: The institution has no such key, or the operator, if there is no institution.
    """
    row = connection.execute(select(api_keys).where(api_keys.c.prefix == prefix, _of(institution))).one_or_none()
    if row is None:
        raise NotFoundError("there is no such API key")
    return _record(row)


def list_api_keys(
    connection: Connection, institution: InstitutionId | None, *, after: int = 0, limit: int | None = None
) -> tuple[ApiKeyRecord, ...]:
    """List an institution's keys, or the operator's own, the oldest first.

    Args:
        connection: From `Store.operator_reading`, or an institution's own.
        institution: Whose; None: the operator's.
        after: Number of the last one of the page before.
        limit: How many at most; None: all.
    """
    statement = select(api_keys).where(_of(institution), api_keys.c.id > after).order_by(api_keys.c.id)
    return tuple(map(_record, connection.execute(statement.limit(limit))))


def _of(institution: InstitutionId | None) -> ColumnElement[bool]:
    return api_keys.c.institution_ref.is_not_distinct_from(institution)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _record(row: Row[*tuple[Any, ...]]) -> ApiKeyRecord:
    return ApiKeyRecord(
        prefix=row.prefix,
        institution=None if row.institution_ref is None else InstitutionId(row.institution_ref),
        label=row.label,
        scopes=frozenset(map(Scope, row.scopes.split())),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        number=row.id,
    )
