"""Access and erasure: everything that is kept of one person, handed over or taken out.

A person is an e-mail, with all its credentials in the database, or the ids of credentials.

Upholds: what cannot be erased, for it is on the ledger or with others, is said, not left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from registry.errors import ConflictError, NotFoundError, StoreError
from registry.services.files import file_name
from registry.services.find import Found, parse_query
from registry.services.find import find as find_credentials
from registry.services.stored import credential_file
from registry.store.engine import Store
from registry.store.erasure import erase_credentials, erased_at
from registry.store.records import BatchState, StatusEntry, TransactionRecord
from registry.store.transactions import get_transaction, status_history

MAX_CREDENTIALS: Final = 10_000
"""Of one person; more is somebody else's question."""

_IDS_NAMED: Final = 20

STAYS_ON_THE_LEDGER: Final = (
    "the batch's root: 32 bytes that commit to all of its credentials, and to none that can be read from them",
    "the credential's two status bits, and the transactions that changed them, by a position that names nobody",
    "no name, no e-mail, and nothing made from these that can be linked to a person without a copy of the credential",
)
STAYS_ELSEWHERE: Final = (
    "the credential's leaf, a salted hash, in the batch's tree and as a sibling in the files of others in the batch",
    "copies of the file that the holder or others keep: they still verify, unless it was revoked",
)
OUT_OF_REACH: Final = (
    "files, indexes and rosters in folders, e-mails, and backups of the database: delete the person there",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One credential and all that is kept about it."""

    found: Found
    erased_at: int | None
    """Unix seconds; None: it was not erased."""
    transaction: TransactionRecord | None
    """That anchored its batch."""
    history: tuple[StatusEntry, ...]
    file_name: str
    file: bytes | None
    """With its anchor proof; None if the batch is not anchored, or the credential erased."""


def look_up_person(store: Store, texts: Iterable[str]) -> tuple[Found, ...]:
    """Find a person's credentials.

    Args:
        store: The registry's database.
        texts: E-mails and ids.

    Raises:
        NotFoundError: One is neither, or the database has no such credential, or too many.
    """
    found: dict[str, Found] = {}
    for text in texts:
        query = parse_query([text])
        if query.name_parts:
            raise NotFoundError(
                "a person is given by e-mail, or by the ids of credentials",
                advice="Names are not enough to tell people apart: look for the id with `credanchor find`.",
            )
        some, has_more = find_credentials(store, query, MAX_CREDENTIALS)
        if has_more:
            raise NotFoundError(f"this e-mail has more than {MAX_CREDENTIALS} credentials: it is no person's")
        if not some:
            raise NotFoundError(
                "the database has no credential of this e-mail or id", advice="Look for it with `credanchor find`."
            )
        found.update((each.credential.uuid.urn, each) for each in some)
    return tuple(found.values())


def gather(store: Store, found: Sequence[Found]) -> tuple[Held, ...]:
    """Read everything that is kept about credentials."""
    held = []
    with store.reading() as connection:
        for each in found:
            credential, batch = each.credential, each.batch
            is_whole = batch.state is BatchState.ANCHORED and not credential.is_erased
            held.append(
                Held(
                    found=each,
                    erased_at=erased_at(connection, credential.uuid),
                    transaction=None if batch.transaction is None else get_transaction(connection, batch.transaction),
                    history=status_history(connection, batch.issuer, credential.position, batch.root),
                    file_name=file_name(credential, batch.size),
                    file=credential_file(connection, batch, credential) if is_whole else None,
                )
            )
    return tuple(held)


def erase(store: Store, found: Sequence[Found], *, now: int) -> None:
    """Take name, e-mail and salts out of credentials, also where they were erased before, but not out of every file.

    Args:
        store: The registry's database.
        found: From `look_up_person`.
        now: Unix seconds.

    Raises:
        ConflictError: A batch is not anchored yet: its credential could never be given to anybody.
        StoreError: As of `Store.erasing`.
    """
    for each in found:
        if each.batch.state is not BatchState.ANCHORED:
            raise ConflictError(
                f"batch {each.batch.id} is not anchored yet, and needs all of its recipients for that",
                advice=f"Finish it with `credanchor issue --resume {each.batch.id}`; then erase. Nothing was erased.",
            )
    try:
        with store.erasing() as connection:
            erase_credentials(connection, [each.credential.uuid for each in found], now=now)
    except StoreError as error:
        ids = ", ".join(each.credential.uuid.urn for each in found[:_IDS_NAMED])
        error.advise(f"By now the e-mail may lead nowhere; the ids do: {ids}.")
        raise
