"""What the operator does by commands: institutions and API keys, each act in a transaction of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from anchor.model import Hash32
from registry.services import hosting
from registry.services.budgets import spent_this_month
from registry.store.api_keys import ApiKeyRecord, Scope, list_api_keys
from registry.store.audit_log import OPERATOR, AuditEntry, check_chain, end_of_chain, list_entries
from registry.store.connection import HOME, InstitutionConnection, InstitutionId
from registry.store.engine import Store
from registry.store.institutions import (
    InstitutionDetails,
    InstitutionRecord,
    find_institution,
    get_institution,
    list_institutions,
)


def add(store: Store, code: str, details: InstitutionDetails, *, now: int) -> InstitutionRecord:
    """Add an institution.

    Raises:
        MalformedError: The code can be none, or the details cannot be used.
        ConflictError: The code is taken, or the issuer is another institution's.
    """
    with store.operator_writing() as connection:
        return hosting.add(connection, code, details, actor=OPERATOR, now=now)


def change(store: Store, code: str, changes: dict[str, Any], *, now: int) -> InstitutionRecord:
    """Say something else of an institution.

    Args:
        store: The registry's database.
        code: Which.
        changes: Members of `InstitutionDetails`, by name; the others stay.
        now: Unix seconds.

    Raises:
        NotFoundError: There is none of this code.
        MalformedError: The details cannot be used.
        ConflictError: It is the home folder's, it is closed, or the issuer is another institution's.
    """
    with store.operator_writing() as connection:
        record = find_institution(connection, code)
        details = replace(record.details, **changes)
        return hosting.change(connection, record, details, actor=OPERATOR, now=now)


def set_budget(store: Store, code: str, budget_wei: int | None, *, now: int) -> InstitutionRecord:
    """Say what an institution's transactions may cost in a calendar month (UTC); None: any amount.

    Raises:
        NotFoundError: There is none of this code.
    """
    with store.operator_writing() as connection:
        return hosting.set_budget(connection, code, budget_wei, actor=OPERATOR, now=now)


def spent_wei(store: Store, record: InstitutionRecord, chain_id: int, *, now: int) -> int:
    """Tell what an institution's transactions cost this month; those not mined count with their most."""
    with store.of(record.id).reading() as connection:
        return spent_this_month(connection, chain_id, now=now)


def close(store: Store, code: str, *, now: int) -> InstitutionRecord:
    """Close an institution: its keys open nothing any more; what it issued is still shown to verifiers.

    Raises:
        NotFoundError: There is none of this code, or it is closed already.
    """
    with store.operator_writing() as connection:
        return hosting.close(connection, code, actor=OPERATOR, now=now)


def show(store: Store, code: str) -> tuple[InstitutionRecord, Sequence[ApiKeyRecord]]:
    """Look up an institution and its API keys.

    Raises:
        NotFoundError: There is none of this code.
    """
    with store.operator_reading() as connection:
        record = find_institution(connection, code)
        return record, list_api_keys(connection, record.id)


def list_all(store: Store) -> Sequence[InstitutionRecord]:
    """List all institutions, the home folder's first."""
    with store.operator_reading() as connection:
        return get_institution(connection, HOME), *list_institutions(connection)


def list_keys(store: Store, code: str | None) -> Sequence[ApiKeyRecord]:
    """List an institution's API keys, or the operator's own.

    Raises:
        NotFoundError: There is no institution of this code.
    """
    with store.operator_reading() as connection:
        return list_api_keys(connection, _number(connection, code))


def make_key(
    store: Store, code: str | None, scopes: Collection[Scope], *, label: str, expires_at: int | None, now: int
) -> tuple[ApiKeyRecord, str]:
    """Make an API key for an institution, or for the operator.

    Args:
        store: The registry's database.
        code: The institution's; None: the key is the operator's.
        scopes: What it is good for.
        label: Tells it from others.
        expires_at: Unix seconds; None: never.
        now: Unix seconds.

    Returns:
        The key as kept, and its text, which is never to be had again.

    Raises:
        MalformedError: It would be good for nothing, has expired, or its label is too long.
        NotFoundError: There is no institution of this code.
        TooMuchError: The institution has as many as it may have.
    """
    with store.operator_writing() as connection:
        institution = _number(connection, code)
        return hosting.make_key(
            connection, institution, scopes, label=label, expires_at=expires_at, actor=OPERATOR, now=now
        )


def revoke_key(store: Store, code: str | None, prefix: str, *, now: int) -> None:
    """Revoke an API key of an institution, or of the operator; from now on it opens nothing.

    Raises:
        NotFoundError: There is no such institution or key, or it is revoked already.
    """
    with store.operator_writing() as connection:
        hosting.revoke_key(connection, _number(connection, code), prefix, actor=OPERATOR, now=now)


def read_log(store: Store, code: str, *, after: int, limit: int) -> tuple[Sequence[AuditEntry], int, Hash32]:
    """Read an institution's audit log, from the entry after a number on.

    Returns:
        Entries, the length of the whole log, and its head.

    Raises:
        NotFoundError: There is no institution of this code.
    """
    with _log_of(store, code) as connection:
        return list_entries(connection, after=after, limit=limit), *end_of_chain(connection)


def check_log(store: Store, code: str) -> tuple[int, Hash32]:
    """Check an institution's whole audit log; give its length and its head.

    Raises:
        NotFoundError: There is no institution of this code.
        StoreError: An entry was changed, put in or taken out.
    """
    with _log_of(store, code) as connection:
        check_chain(connection)
        return end_of_chain(connection)


def _log_of(store: Store, code: str) -> AbstractContextManager[InstitutionConnection]:
    with store.operator_reading() as connection:
        number = find_institution(connection, code).id
    return store.of(number).reading()


def _number(connection: Connection, code: str | None) -> InstitutionId | None:
    return None if code is None else find_institution(connection, code).id
