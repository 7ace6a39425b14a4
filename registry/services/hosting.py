"""Institutions and API keys, as commands and the API make, change and end them: each in the transaction of its caller.

Upholds: what is done and its entry in the log are kept together or not at all. An entry has codes and prefixes only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection

from anchor.errors import MalformedError
from anchor.ledger.signers import parse_remote_key
from registry.errors import ConflictError, TooMuchError
from registry.services.achievement_library import check_code
from registry.settings import DID_PATTERN
from registry.store.api_keys import (
    ApiKeyRecord,
    Scope,
    create_api_key,
    get_api_key,
    list_api_keys,
    revoke_api_key,
)
from registry.store.audit_log import append_entry
from registry.store.connection import HOME, InstitutionConnection, InstitutionId
from registry.store.institutions import (
    InstitutionDetails,
    InstitutionRecord,
    add_institution,
    change_institution,
    close_institution,
    find_institution,
    get_institution,
    lock_institution,
)

MAX_LABEL_CHARACTERS: Final = 100
MAX_NAME_CHARACTERS: Final = 200
MAX_ADDRESS_CHARACTERS: Final = 1000
MAX_DID_CHARACTERS: Final = 1024
"""As in the settings."""
MAX_KEYS: Final = 100
"""In force at once, of one institution: one for each system that it runs, and room for changing them."""


def add(connection: Connection, code: str, details: InstitutionDetails, *, actor: str, now: int) -> InstitutionRecord:
    """Add an institution.

    Raises:
        MalformedError: The code can be none, or the details cannot be used.
        ConflictError: The code is taken, or the issuer is another institution's.
    """
    check_code(code)
    check_details(details)
    record = add_institution(connection, code=code, details=details, created_at=now)
    note(connection, record.id, now, actor, "institution.add", code)
    return record


def change(
    connection: Connection, record: InstitutionRecord, details: InstitutionDetails, *, actor: str, now: int
) -> InstitutionRecord:
    """Say something else of an institution.

    Args:
        connection: From `Store.operator_writing`, or an institution's own.
        record: What was said of it until now.
        details: What is said from now on.
        actor: Who says it.
        now: Unix seconds.

    Raises:
        MalformedError: The details cannot be used.
        ConflictError: It is the home folder's, whose settings say it; it is closed; or the issuer is another's.
    """
    if record.id == HOME:
        raise ConflictError(
            "the settings of the home folder say what this institution is", advice="Change its settings.toml."
        )
    if record.closed_at is not None:
        raise ConflictError("the institution is closed", advice="What is said of it stays as it is.")
    check_details(details)
    change_institution(connection, record.id, details)
    note(connection, record.id, now, actor, "institution.change", record.code)
    return replace(record, details=details)


def set_budget(connection: Connection, code: str, budget_wei: int | None, *, actor: str, now: int) -> InstitutionRecord:
    """Say what an institution's transactions may cost in a calendar month; the home folder's may have a budget, too.

    Args:
        connection: From `Store.operator_writing`.
        code: The institution's.
        budget_wei: In wei; None: any amount.
        actor: Who says it.
        now: Unix seconds.

    Raises:
        NotFoundError: There is none of this code.
        MalformedError: It is negative.
    """
    record = find_institution(connection, code)
    details = replace(record.details, monthly_gas_budget_wei=budget_wei)
    if budget_wei is not None and budget_wei < 0:
        raise MalformedError("a budget is no less than 0 wei")
    change_institution(connection, record.id, details)
    note(connection, record.id, now, actor, "institution.budget", code)
    return replace(record, details=details)


def close(connection: Connection, code: str, *, actor: str, now: int) -> InstitutionRecord:
    """Close an institution: its keys open nothing any more; what it issued is still shown to verifiers.

    Raises:
        NotFoundError: There is none of this code, or it is closed already.
    """
    record = find_institution(connection, code)
    close_institution(connection, record.id, now=now)
    note(connection, record.id, now, actor, "institution.close", code)
    return get_institution(connection, record.id)


def check_details(details: InstitutionDetails) -> None:
    """Check that what is said of an institution can stand in credentials, and in settings.

    Raises:
        MalformedError: It cannot; the message names what.
    """
    if not details.name.strip() or not details.name.isprintable() or len(details.name) > MAX_NAME_CHARACTERS:
        raise MalformedError(
            f"an institution has a name, all of it visible, of at most {MAX_NAME_CHARACTERS} characters"
        )
    if details.did is not None and (
        len(details.did) > MAX_DID_CHARACTERS or not re.fullmatch(DID_PATTERN, details.did)
    ):
        raise MalformedError("the DID is none", advice="Such as did:web:college.example, as it was accredited.")
    for what, address in (("the institution's web site", details.url), ("the public address", details.public_url)):
        if address is not None and not _is_web_address(address):
            raise MalformedError(f"{what} must be an address that starts with http:// or https://")
    for reference in (details.anchor_key, details.status_key):
        if reference is not None:
            parse_remote_key(reference)
    if details.monthly_gas_budget_wei is not None and details.monthly_gas_budget_wei < 0:
        raise MalformedError("a budget is no less than 0 wei")


def make_key(
    connection: Connection,
    institution: InstitutionId | None,
    scopes: Collection[Scope],
    *,
    label: str,
    expires_at: int | None,
    actor: str,
    now: int,
) -> tuple[ApiKeyRecord, str]:
    """Make an API key for an institution, or for the operator.

    Returns:
        The key as kept, and its text, which is never to be had again.

    Raises:
        MalformedError: It would be good for nothing, has expired, or its label is too long.
        TooMuchError: The institution has as many as it may have.
    """
    if not scopes:
        raise MalformedError("a key without scope is good for nothing", advice="Name at least one.")
    if expires_at is not None and expires_at <= now:
        raise MalformedError("the key would have expired already", advice="Give a time in the future.")
    if len(label) > MAX_LABEL_CHARACTERS or not label.isprintable():
        raise MalformedError(f"a label has at most {MAX_LABEL_CHARACTERS} characters, all of them visible")
    if institution is not None:
        lock_institution(InstitutionConnection(connection, institution))
    in_force = [each for each in list_api_keys(connection, institution) if each.is_in_force(now)]
    if len(in_force) >= MAX_KEYS:
        raise TooMuchError(f"there are {MAX_KEYS} API keys in force", advice="Revoke those that nobody needs.")
    key, text = create_api_key(connection, institution, scopes, label=label, created_at=now, expires_at=expires_at)
    _note_of_key(connection, institution, now, actor, "key.create", key.prefix)
    return key, text


def revoke_key(
    connection: Connection, institution: InstitutionId | None, prefix: str, *, actor: str, now: int
) -> ApiKeyRecord:
    """Revoke an API key of an institution, or of the operator; from now on it opens nothing.

    Raises:
        NotFoundError: There is no such key, or it is revoked already.
    """
    revoke_api_key(connection, institution, prefix, now=now)
    _note_of_key(connection, institution, now, actor, "key.revoke", prefix)
    return get_api_key(connection, institution, prefix)


def note(connection: Connection, institution: InstitutionId, now: int, actor: str, action: str, subject: str) -> None:
    """Write down in an institution's log what is done in this transaction."""
    append_entry(InstitutionConnection(connection, institution), at=now, actor=actor, action=action, subject=subject)


def _note_of_key(
    connection: Connection, institution: InstitutionId | None, now: int, actor: str, action: str, prefix: str
) -> None:
    # The operator's own acts are in the home folder's log.
    kind = "key" if institution is not None else "operator's key"
    note(connection, HOME if institution is None else institution, now, actor, action, f"{kind} {prefix}")


def _is_web_address(text: str) -> bool:
    if len(text) > MAX_ADDRESS_CHARACTERS or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
