"""What the operator does: institutions are added and closed, API keys made and revoked. All of it is in the audit log.

Upholds: what is done and its entry in the log are kept together or not at all. An entry has codes and prefixes only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection

from anchor.errors import MalformedError
from registry.services.achievement_library import check_code
from registry.store.api_keys import ApiKeyRecord, Scope, create_api_key, list_api_keys, revoke_api_key
from registry.store.audit_log import append_entry
from registry.store.connection import HOME, InstitutionConnection, InstitutionId
from registry.store.engine import Store
from registry.store.institutions import (
    InstitutionDetails,
    InstitutionRecord,
    add_institution,
    close_institution,
    find_institution,
    get_institution,
    list_institutions,
)

OPERATOR: Final = "operator"
"""Who did it, in the audit log."""
MAX_LABEL_CHARACTERS: Final = 100


def add(store: Store, code: str, details: InstitutionDetails, *, now: int) -> InstitutionRecord:
    """Add an institution.

    Raises:
        MalformedError: The code can be none.
        ConflictError: The code is taken, or the issuer is another institution's.
    """
    check_code(code)
    with store.operator_writing() as connection:
        record = add_institution(connection, code=code, details=details, created_at=now)
        _note(connection, record.id, now, "institution.add", code)
    return record


def close(store: Store, code: str, *, now: int) -> InstitutionRecord:
    """Close an institution: its keys open nothing any more; what it issued is still shown to verifiers.

    Raises:
        NotFoundError: There is none of this code, or it is closed already.
    """
    with store.operator_writing() as connection:
        record = find_institution(connection, code)
        close_institution(connection, record.id, now=now)
        _note(connection, record.id, now, "institution.close", code)
        return get_institution(connection, record.id)


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


def make_key(
    store: Store, code: str, scopes: Collection[Scope], *, label: str, expires_at: int | None, now: int
) -> tuple[ApiKeyRecord, str]:
    """Make an API key for an institution.

    Returns:
        The key as kept, and its text, which is never to be had again.

    Raises:
        MalformedError: It would be good for nothing, has expired, or its label is too long.
        NotFoundError: There is no institution of this code.
    """
    if not scopes:
        raise MalformedError("a key without scope is good for nothing", advice="Give --scope at least once.")
    if expires_at is not None and expires_at <= now:
        raise MalformedError("the key would have expired already", advice="Give a time in the future.")
    if len(label) > MAX_LABEL_CHARACTERS or not label.isprintable():
        raise MalformedError(f"a label has at most {MAX_LABEL_CHARACTERS} characters, all of them visible")
    with store.operator_writing() as connection:
        institution = find_institution(connection, code)
        key, text = create_api_key(
            connection, institution.id, scopes, label=label, created_at=now, expires_at=expires_at
        )
        _note(connection, institution.id, now, "key.create", f"key {key.prefix}")
    return key, text


def revoke_key(store: Store, code: str, prefix: str, *, now: int) -> None:
    """Revoke an API key of an institution; from now on it opens nothing.

    Raises:
        NotFoundError: There is no such institution or key, or it is revoked already.
    """
    with store.operator_writing() as connection:
        institution = find_institution(connection, code)
        revoke_api_key(connection, institution.id, prefix, now=now)
        _note(connection, institution.id, now, "key.revoke", f"key {prefix}")


def _note(connection: Connection, institution: InstitutionId, now: int, action: str, subject: str) -> None:
    append_entry(InstitutionConnection(connection, institution), at=now, actor=OPERATOR, action=action, subject=subject)
