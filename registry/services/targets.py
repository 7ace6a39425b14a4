"""What status changes are about: credential files, ids, e-mails, lists of these, whole batches.

Neither a file nor the database is believed in anything but what leads to the ledger: a forged file, or an altered row,
could otherwise have somebody else's credential revoked. What stands in its way: the leaf, which holds the status
position, is included under its root, which is checked here; and this issuer anchored the root, which
`registry.services.status` proves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import Final
from uuid import UUID

from anchor.credential import parse_credential
from anchor.errors import InclusionError, MalformedError
from anchor.identity import normalize_email
from anchor.merkle import check_inclusion
from anchor.model import Hash32, RegistryId, StatusPosition
from anchor.status import LIST_SIZE, WORD_BITS, group_positions, word_of
from registry.errors import ConflictError, NotFoundError, NotPermittedError
from registry.services.find import parse_id
from registry.services.stored import check_credentials
from registry.store.batches import get_batch, get_credential, iterate_credentials
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.people import uuids_by_email
from registry.store.records import BatchId, BatchRecord, CredentialRecord, StatusKind, TransactionState
from registry.store.replacements import successor_of
from registry.store.transactions import status_history

_LISTED: Final = 10
"""So many of a person's credentials are named when one of them must be chosen."""

Words = Mapping[int, Mapping[int, int]]
"""For each status list its words with the bits that are meant; as `anchor.status.group_positions` gives them."""


Pair = tuple[CredentialRecord, BatchRecord]
"""A credential of the database and its batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTarget:
    """What is to change: one credential, or all of a batch."""

    name: str
    """What the person called it: a file's name, an id, `batch 7`; never an e-mail."""
    root: Hash32
    size: int
    """Of its batch."""
    words: Words
    is_whole_batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which credentials are meant where an e-mail has several."""

    batch: BatchId | None = None
    """The one in this batch."""
    takes_all: bool = False


class TargetFinder:
    """Takes what a person names as targets.

    Args:
        store: The registry's database; may be empty, for files need none.
        registry: Where the credentials must be anchored.
        issuer_id: By whom.
    """

    def __init__(self, store: Store, registry: RegistryId, issuer_id: int) -> None:
        self._store: Final = store
        self._registry: Final = registry
        self._issuer_id: Final = issuer_id

    def of_file(self, name: str, data: bytes) -> StatusTarget:
        """Take a credential file.

        Raises:
            MalformedError: It is no credential.
            NotPermittedError: It has no anchor proof of this issuer on this registry.
            InclusionError: It was altered.
        """
        try:
            credential = parse_credential(data)
            for request in credential.requests:
                proof = request.proof
                if (proof.registry, proof.issuer_id) == (self._registry, self._issuer_id):
                    check_inclusion(credential.leaf(request), proof.inclusion, proof.root)
                    return _single(name, proof.root, proof.inclusion.size, request.position)
        except (MalformedError, InclusionError) as error:
            raise type(error)(f"{name}: {error}", advice=error.advice) from error
        raise NotPermittedError(
            f"{name} was not anchored by issuer {self._issuer_id} on the registry {self._registry.to_text()}",
            advice="Only the institution that issued a credential can change its status.",
        )

    def of_text(self, text: str, choice: Choice) -> tuple[StatusTarget, ...]:
        """Take a credential by its id, or a person's by e-mail.

        Args:
            text: `urn:uuid:…`, the UUID alone, or an e-mail.
            choice: Which, where an e-mail has several.

        Raises:
            NotFoundError: It is neither, or the database has none.
            ConflictError: The e-mail has several credentials; the advice lists them.
            NotPermittedError: It belongs to another issuer or registry than the settings name.
            StoreError: It is not what was sealed: the database was altered.
        """
        uuid = parse_id(text)
        if uuid is not None:
            return self.of_uuid(uuid)
        if "@" not in text:
            raise NotFoundError(
                f"{text[:100]} is neither a file, nor the id of a credential, nor an e-mail",
                advice="Give a credential file, or an id as urn:uuid:…, or look for it with `credanchor find`.",
            )
        email = normalize_email(text)
        with self._store.reading() as connection:
            found = self.of_emails(connection, [email], choice.batch).get(email, ())
            if not found:
                raise NotFoundError(
                    "no credential of this issuer in the database has this e-mail",
                    advice="Look for the person by name with `credanchor find`.",
                )
            if len(found) > 1 and not choice.takes_all:
                raise ConflictError(f"this e-mail has {len(found)} credentials", advice=_choose(found))
            return checked(connection, found)

    def of_uuid(self, uuid: UUID) -> tuple[StatusTarget, ...]:
        """Take a credential of the database.

        Raises:
            NotFoundError: There is none.
            NotPermittedError: It belongs to another issuer or registry than the settings name.
            StoreError: It is not what was sealed: the database was altered.
        """
        with self._store.reading() as connection:
            credential = get_credential(connection, uuid)
            batch = get_batch(connection, credential.batch)
            self._check_ours(batch, uuid.urn)
            return checked(connection, [(credential, batch)])

    def of_batch(self, number: BatchId) -> StatusTarget:
        """Take all credentials of a batch.

        Raises:
            NotFoundError: There is no such batch.
            NotPermittedError: It belongs to another issuer or registry than the settings name.
            StoreError: It is not what was sealed: the database was altered.
        """
        with self._store.reading() as connection:
            batch = get_batch(connection, number)
            self._check_ours(batch, f"batch {number}")
            # One leaf that is at its position under the root shows where all the others are.
            every = iterate_credentials(connection, number)
            check_credentials(connection, batch, list(islice((each for each in every if not each.is_erased), 1)))
        return StatusTarget(
            name=f"batch {number}",
            root=batch.root,
            size=batch.size,
            words=_words_of(batch),
            is_whole_batch=True,
        )

    def root_of(self, number: BatchId) -> Hash32:
        """Give a batch's root.

        Raises:
            NotFoundError: There is no such batch.
        """
        with self._store.reading() as connection:
            return get_batch(connection, number).root

    def of_emails(
        self, connection: InstitutionConnection, emails: Iterable[str], batch: BatchId | None
    ) -> dict[str, tuple[Pair, ...]]:
        """Look up this issuer's credentials of many addresses at once, but for those that were replaced.

        Args:
            connection: From `Store.reading`.
            emails: Normalised.
            batch: Only in this batch.
        """
        found = {}
        get = lru_cache(maxsize=None)(partial(get_batch, connection))
        for email, uuids in uuids_by_email(connection, frozenset(emails), batch).items():
            records = (get_credential(connection, uuid) for uuid in uuids)
            pairs = ((credential, get(credential.batch)) for credential in records)
            ours = tuple(pair for pair in pairs if self.is_ours(pair[1]))
            # Who asks for a person means the credential that took the place of a revoked one.
            found[email] = tuple(pair for pair in ours if not _is_replaced(connection, *pair)) or ours
        return found

    def is_ours(self, batch: BatchRecord) -> bool:
        """Tell whether a batch belongs to the issuer and registry that the settings name."""
        return (batch.issuer.registry, batch.issuer.issuer_id) == (self._registry, self._issuer_id)

    def _check_ours(self, batch: BatchRecord, what: str) -> None:
        if not self.is_ours(batch):
            raise NotPermittedError(f"{what} belongs to another issuer or registry than the settings name")


def _is_replaced(connection: InstitutionConnection, credential: CredentialRecord, batch: BatchRecord) -> bool:
    """Tell whether another took its place, and it is revoked: until then it has to be reached."""
    return successor_of(connection, credential.uuid) is not None and any(
        entry.kind is StatusKind.REVOKE and entry.transaction.state is TransactionState.MINED
        for entry in status_history(connection, batch.issuer, credential.position, batch.root)
    )


def checked(connection: InstitutionConnection, pairs: Iterable[Pair]) -> tuple[StatusTarget, ...]:
    """Take credentials of the database, after checking that they are what was sealed at their positions.

    Otherwise whoever can write to the database could have others revoked in their place. (Of those erased nothing is
    left to check.)

    Raises:
        StoreError: One is not.
    """
    by_batch: defaultdict[BatchId, list[Pair]] = defaultdict(list)
    in_order = tuple(pairs)
    for pair in in_order:
        by_batch[pair[1].id].append(pair)
    for some in by_batch.values():
        check_credentials(connection, some[0][1], [credential for credential, _ in some])
    return tuple(of_record(*pair) for pair in in_order)


def of_record(credential: CredentialRecord, batch: BatchRecord) -> StatusTarget:
    """Take a credential of the database."""
    return _single(credential.uuid.urn, batch.root, batch.size, credential.position)


def _single(name: str, root: Hash32, size: int, position: StatusPosition) -> StatusTarget:
    return StatusTarget(name=name, root=root, size=size, words=group_positions([position]))


def _words_of(batch: BatchRecord) -> Words:
    """Give the words of all of a batch, whose positions are neighbours."""
    words: defaultdict[int, dict[int, int]] = defaultdict(dict)
    position, end = batch.first_position, batch.first_position + batch.size
    while position < end:
        status_list, index = divmod(position, LIST_SIZE)
        count = min(WORD_BITS - index % WORD_BITS, end - position)
        words[status_list][word_of(index)] = ((1 << count) - 1) << (index % WORD_BITS)
        position += count
    return words


def _choose(found: tuple[Pair, ...]) -> str:
    each = [
        f"{credential.uuid.urn} (batch {batch.id}: {batch.achievement_name})" for credential, batch in found[:_LISTED]
    ]
    more = f", and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return f"Name one by its id, or say --batch N, or --all: {', '.join(each)}{more}."
