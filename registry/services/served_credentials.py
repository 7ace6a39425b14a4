"""What the API of a service said of batches and credentials, held against the proven history.

The service was asked first, and the history goes further. Its status lists, asked for before and after the answers, say
between which blocks its node was meanwhile: what was so at one of them is an answer that is right, or late; what was so
at none is wrong. Who is late is asked once more before that is told.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Final

from anchor.events import (
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    KeyCompromised,
    StatusChanged,
    StatusEpochChanged,
)
from anchor.history import IssuerHistory
from anchor.model import Address, Hash32, StatusPosition, to_utc
from anchor.status import LIST_SIZE, WORD_BITS, StatusPurpose, mask_of, word_of
from registry.services.counting_status import CountingStatus
from registry.services.differences import Difference, DifferenceKind
from registry.services.doings import bits_of
from registry.services.served_answers import Looked, ServedApi, ServedBatch, ServedCredential, ServedPage
from registry.services.standing import CredentialState
from registry.services.stored import credential_file
from registry.store.batches import get_batch
from registry.store.connection import InstitutionConnection
from registry.store.pages import Place, page_of_credentials
from registry.store.reconciliation import AskedWords, OwnBatch
from registry.store.records import BatchState

_ON_PAGES: Final = {
    "valid": CredentialState.ACTIVE,
    "revoked": CredentialState.REVOKED,
    "batchRevoked": CredentialState.BATCH_REVOKED,
    "suspended": CredentialState.SUSPENDED,
}
"""What of a page's words rests on the ledger alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedAnswers:
    """All that was asked, and at which times of blocks the service's node was before and after."""

    batches: tuple[ServedBatch, ...]
    credentials: tuple[ServedCredential, ...]
    pages: tuple[ServedPage, ...]
    since: int
    until: int


def choose(
    connection: InstitutionConnection, batches: Iterable[OwnBatch], statuses: AskedWords, most: int
) -> Iterator[Looked]:
    """Choose credentials to look at: half of them among those whose status was ever to change, nobody knows which.

    Args:
        connection: From `Store.reading`.
        batches: The institution's.
        statuses: What was asked for its credentials.
        most: How many of each half.

    Raises:
        StoreError: One is not the one that was sealed.
    """
    anchored = sorted(
        (batch for batch in batches if batch.state is BatchState.ANCHORED), key=lambda each: each.first_position
    )
    ends, random = list(accumulate(batch.size for batch in anchored)), secrets.SystemRandom()
    wanted = set(_sampled(random, statuses, most))
    for number in random.sample(range(ends[-1] if ends else 0), min(most, ends[-1] if ends else 0)):
        batch = anchored[bisect_right(ends, number)]
        wanted.add(batch.first_position + number % batch.size)
    for number in sorted(wanted):
        at = bisect_right(anchored, number, key=lambda each: each.first_position) - 1
        if at < 0 or number >= anchored[at].first_position + anchored[at].size:
            continue
        found = get_batch(connection, anchored[at].id)
        leaf = number - found.first_position
        after = Place(found.id, leaf - 1) if leaf else None
        (credential,) = page_of_credentials(connection, after=after, limit=1, batch=found.id)
        if not credential.is_erased:
            file = credential_file(connection, found, credential)
            yield Looked(uuid=credential.uuid, position=credential.position, root=found.root, file=file)


def _sampled(random: Random, statuses: AskedWords, most: int) -> Iterator[int]:
    """Choose some of those whose status was ever to change."""
    count = sum(asked.known.bit_count() for asked in statuses.values())
    chosen = set(random.sample(range(count), min(most, count)))
    positions = (
        status_list * LIST_SIZE + word * WORD_BITS + bit
        for (status_list, word), asked in statuses.items()
        for bit in bits_of(asked.known)
    )
    return (position for number, position in enumerate(positions) if number in chosen)


class Comparison:
    """Holds answers against the history.

    Args:
        issuer: Its history, proven whole; its events may be left out.
        events: The issuer's; read once, and held of them is what is asked about.
        api: Asks once more.
        batches: The institution's, as its database has them.
        answers: What the API said.
    """

    def __init__(
        self,
        issuer: IssuerHistory,
        events: Iterable[AnyEvent],
        api: ServedApi,
        batches: Mapping[Hash32, OwnBatch],
        answers: ServedAnswers,
    ) -> None:
        self._issuer: Final = issuer
        self._api: Final = api
        self._batches: Final = batches
        self._answers: Final = answers
        self._void: Final = set(issuer.void_batches())
        self._earlier: Final[dict[Hash32, set[int]]] = {}
        """When roots were anchored that were anchored again later."""
        self._told: Final[dict[Address, int]] = {}
        """At which block a key was declared compromised for the last time."""
        looked = {*(each.looked.root for each in answers.credentials), *(each.root for each in answers.pages)}
        places = {
            *(each.looked.position for each in answers.credentials),
            *(each.position for each in answers.pages),
        }
        self._asked: Final = _Asked(looked, {(place.status_list, word_of(place.index)) for place in places})
        for event in events:
            self._asked.take(event)
            match event:
                case BatchAnchored() if event.at != issuer.batches[event.root].anchored_at:
                    self._earlier.setdefault(event.root, set()).add(event.at)
                case KeyCompromised():
                    self._told[event.key] = event.log.block_number

    def differences(self) -> Iterator[Difference]:
        """Name what the service says otherwise than the ledger."""
        served = {each.root: each for each in self._answers.batches}
        for root, each in served.items():
            yield from self._batch(root, each)
        for root in self._batches:
            if root in self._issuer.batches and root not in served and root not in self._again:
                yield Difference(kind=DifferenceKind.SERVED_NOTHING, root=root)
        for credential in self._answers.credentials:
            yield from self._credential(credential)
        for page in self._answers.pages:
            yield from self._page(page)

    @cached_property
    def _again(self) -> Mapping[Hash32, ServedBatch]:
        """What the service says of batches a moment later: asked for all at once, for it may be of all."""
        return {each.root: each for each in self._api.batches()}

    def _batch(self, root: Hash32, served: ServedBatch) -> Iterator[Difference]:
        batch, otherwise = self._issuer.batches.get(root), DifferenceKind.SERVED_OTHERWISE
        if batch is None:
            if served.is_anchored:
                yield Difference(kind=otherwise, root=root, detail="anchored, says the service, and it is not")
        elif batch.size != served.size:
            detail = f"{served.size} credentials, says the service, and it has {batch.size or 'no stated number'}"
            yield Difference(kind=otherwise, root=root, detail=detail)
        elif served.is_anchored and served.anchored_at not in {batch.anchored_at, *self._earlier.get(root, ())}:
            detail = f"anchored {_time(served.anchored_at)}, says the service, and it was {to_utc(batch.anchored_at)}"
            yield Difference(kind=otherwise, root=root, detail=detail)
        elif root not in self._void and (not served.is_anchored or served.anchored_at != batch.anchored_at):
            again = self._again.get(root)
            if again is None or again.anchored_at != batch.anchored_at:
                detail = f"anchored {to_utc(batch.anchored_at)}, which the service has not noted"
                yield Difference(kind=DifferenceKind.SERVED_BEHIND, root=root, detail=detail)

    def _credential(self, served: ServedCredential) -> Iterator[Difference]:
        looked = served.looked
        if served.wrong_proof:
            yield Difference(kind=DifferenceKind.SERVED_PROOF, position=looked.position, detail=served.wrong_proof)
        if served.state is None or served.wrong_proof is None:
            if self._api.state(looked.uuid) is None:
                yield Difference(kind=DifferenceKind.SERVED_NOTHING, position=looked.position)
            return
        then, now = self._states(looked.root, looked.position)
        if served.state is now:
            return
        detail = f"{served.state.value}, says the service, and it is {now.value} by {to_utc(self._answers.until)}"
        if served.state not in then:
            yield Difference(kind=DifferenceKind.SERVED_OTHERWISE, position=looked.position, detail=detail)
        elif self._api.state(looked.uuid) is not now:
            yield Difference(kind=DifferenceKind.SERVED_BEHIND, position=looked.position, detail=detail)

    def _page(self, page: ServedPage) -> Iterator[Difference]:
        """Compare at the page's own block; what is invalid for other reasons depends on the operator's policy."""
        state = self._state(page.root, page.position)
        for event in self._asked.events_of(page.root, page.position):
            if event.log.block_number <= page.block:
                state.take(event)
        if page.status in _ON_PAGES and _ON_PAGES[page.status] is not state.read():
            detail = f"{page.status}, says the page, and at block {page.block:,} it was {state.read().value}"
            yield Difference(kind=DifferenceKind.PAGE_OTHERWISE, position=page.position, detail=detail)
        elif page.status == "valid" and self._void_since(page.root, page.block):
            detail = f"valid, says the page, and at block {page.block:,} its batch was void"
            yield Difference(kind=DifferenceKind.PAGE_OTHERWISE, position=page.position, detail=detail)

    def _void_since(self, root: Hash32, block: int) -> bool:
        """Tell whether a batch that is void now was so at a block, at the latest."""
        return root in self._void and self._told.get(self._issuer.batches[root].key, 0) <= block

    def _state(self, root: Hash32, position: StatusPosition) -> _State:
        batch = self._batches.get(root)
        return _State(0 if batch is None else batch.size, root, position)

    def _states(self, root: Hash32, position: StatusPosition) -> tuple[set[CredentialState], CredentialState]:
        """Say how a credential stood at any block while the service was asked, and how it stands at the end."""
        state, found = self._state(root, position), set[CredentialState]()
        since, until = self._answers.since, self._answers.until
        for event in self._asked.events_of(root, position):
            # Several blocks may be of one second: what was so before it counts as well.
            if since <= event.at <= until or (event.at > until and not found):
                found.add(state.read())
            state.take(event)
            if since <= event.at <= until:
                found.add(state.read())
        return found or {state.read()}, state.read()


class _Asked:
    """Events that decide how those credentials stand that were asked about."""

    def __init__(self, roots: Collection[Hash32], words: Collection[tuple[int, int]]) -> None:
        self._of_roots: Final[dict[Hash32, list[AnyEvent]]] = {root: [] for root in roots}
        self._of_words: Final[dict[tuple[int, int], list[StatusChanged]]] = {word: [] for word in words}
        self._epochs: Final[list[AnyEvent]] = []

    def take(self, event: AnyEvent) -> None:
        """Take the next event of the issuer, and hold it if it matters."""
        match event:
            case BatchAnchored() | BatchRevoked() if event.root in self._of_roots:
                self._of_roots[event.root].append(event)
            case StatusEpochChanged():
                self._epochs.append(event)
            case StatusChanged():
                for word in event.words:
                    if (event.status_list, word) in self._of_words:
                        self._of_words[event.status_list, word].append(event)
            case _:
                pass

    def events_of(self, root: Hash32, position: StatusPosition) -> list[AnyEvent]:
        """Give those of a credential, in the order of the chain."""
        word = word_of(position.index)
        changes = (
            each
            for each in self._of_words[position.status_list, word]
            if each.masks[each.words.index(word)] & mask_of(position.index)
        )
        events = [*self._of_roots[root], *self._epochs, *changes]
        return sorted(events, key=lambda each: (each.log.block_number, each.log.log_index))


class _State:
    """How one credential stands while the events go by that matter to it: as `Standing.state_of` has it."""

    def __init__(self, size: int, root: Hash32, position: StatusPosition) -> None:
        self._size: Final = size
        self._root: Final = root
        self._position: Final = position
        self._anchored: int | None = None
        self._status: Final = CountingStatus()

    def take(self, event: AnyEvent) -> None:
        """Take the next event."""
        if isinstance(event, BatchAnchored):
            self._anchored = event.size
        self._status.take(event)

    def read(self) -> CredentialState:
        """Say how it stands now."""
        if self._anchored != self._size:
            return CredentialState.NOT_ANCHORED
        if self._status.is_revoked(self._root):
            return CredentialState.BATCH_REVOKED
        if self._is_set(StatusPurpose.REVOCATION):
            return CredentialState.REVOKED
        return CredentialState.SUSPENDED if self._is_set(StatusPurpose.SUSPENSION) else CredentialState.ACTIVE

    def _is_set(self, purpose: StatusPurpose) -> bool:
        status_list, index = self._position
        return bool(self._status.word(purpose, status_list, word_of(index)) & mask_of(index))


def _time(at: int | None) -> str:
    return "nobody knows when" if at is None else to_utc(at)
