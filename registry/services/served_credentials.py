"""What the API of a service said of batches and credentials, held against the proven history.

The service was asked first, and the history goes further. Its status lists, asked for before and after the answers, say
between which blocks its node was meanwhile: what was so at one of them is an answer that is right, or late; what was so
at none is wrong. Who is late is asked once more before that is told.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from anchor.events import AnyEvent, BatchAnchored, BatchRevoked, CredentialsRevoked, StatusChanged, StatusEpochChanged
from anchor.history import IssuerHistory
from anchor.model import Hash32, StatusPosition, to_utc
from anchor.status import LIST_SIZE
from registry.services.differences import Difference, DifferenceKind
from registry.services.served_answers import Looked, ServedApi, ServedBatch, ServedCredential
from registry.services.standing import CredentialState
from registry.services.stored import credential_file
from registry.store.connection import InstitutionConnection
from registry.store.pages import Place, page_of_credentials
from registry.store.reconciliation import AskedStatus
from registry.store.records import BatchRecord, BatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedAnswers:
    """All that was asked, and at which times of blocks the service's node was before and after."""

    batches: tuple[ServedBatch, ...]
    credentials: tuple[ServedCredential, ...]
    since: int
    until: int


def choose(
    connection: InstitutionConnection, batches: Sequence[BatchRecord], statuses: Sequence[AskedStatus], most: int
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
    anchored = [batch for batch in batches if batch.state is BatchState.ANCHORED]
    ends, random = list(accumulate(batch.size for batch in anchored)), secrets.SystemRandom()
    numbers = [each.position.status_list * LIST_SIZE + each.position.index for each in statuses]
    wanted = set(random.sample(numbers, min(most, len(numbers))))
    for number in random.sample(range(ends[-1] if ends else 0), min(most, ends[-1] if ends else 0)):
        batch = anchored[bisect_right(ends, number)]
        wanted.add(batch.first_position + number % batch.size)
    for number in sorted(wanted):
        found = next((each for each in anchored if 0 <= number - each.first_position < each.size), None)
        if found is None:
            continue
        leaf = number - found.first_position
        after = Place(found.id, leaf - 1) if leaf else None
        (credential,) = page_of_credentials(connection, after=after, limit=1, batch=found.id)
        if not credential.is_erased:
            file = credential_file(connection, found, credential)
            yield Looked(uuid=credential.uuid, position=credential.position, root=found.root, file=file)


class Comparison:
    """Holds answers against the history.

    Args:
        issuer: Its history, proven whole, with all events.
        api: Asks once more.
        batches: The institution's, as its database has them.
    """

    def __init__(self, issuer: IssuerHistory, api: ServedApi, batches: Sequence[BatchRecord]) -> None:
        self._issuer: Final = issuer
        self._api: Final = api
        self._sizes: Final = {batch.root: batch.size for batch in batches}
        self._void: Final = set(issuer.void_batches())
        self._of_roots: Final[dict[Hash32, list[AnyEvent]]] = {}
        self._epochs: Final = [each for each in issuer.events if isinstance(each, StatusEpochChanged)]
        for event in issuer.events:
            if isinstance(event, BatchAnchored | BatchRevoked):
                self._of_roots.setdefault(event.root, []).append(event)

    def differences(self, answers: ServedAnswers) -> Iterator[Difference]:
        """Name what the service says otherwise than the ledger."""
        served = {each.root: each for each in answers.batches}
        for root, each in served.items():
            yield from self._batch(root, each)
        for root in self._sizes:
            if root in self._issuer.batches and root not in served and self._api.batch(root) is None:
                yield Difference(kind=DifferenceKind.SERVED_NOTHING, root=root)
        for credential in answers.credentials:
            yield from self._credential(credential, answers)

    def _batch(self, root: Hash32, served: ServedBatch) -> Iterator[Difference]:
        batch, otherwise = self._issuer.batches.get(root), DifferenceKind.SERVED_OTHERWISE
        times = [each.at for each in self._of_roots.get(root, ()) if isinstance(each, BatchAnchored)]
        if batch is None:
            if served.is_anchored:
                yield Difference(kind=otherwise, root=root, detail="anchored, says the service, and it is not")
        elif batch.size != served.size:
            detail = f"{served.size} credentials, says the service, and it has {batch.size or 'no stated number'}"
            yield Difference(kind=otherwise, root=root, detail=detail)
        elif served.is_anchored and served.anchored_at not in times:
            detail = f"anchored {_time(served.anchored_at)}, says the service, and it was {to_utc(batch.anchored_at)}"
            yield Difference(kind=otherwise, root=root, detail=detail)
        elif root not in self._void and (not served.is_anchored or served.anchored_at != batch.anchored_at):
            again = self._api.batch(root)
            if again is None or again.anchored_at != batch.anchored_at:
                detail = f"anchored {to_utc(batch.anchored_at)}, which the service has not noted"
                yield Difference(kind=DifferenceKind.SERVED_BEHIND, root=root, detail=detail)

    def _credential(self, served: ServedCredential, answers: ServedAnswers) -> Iterator[Difference]:
        looked = served.looked
        if served.wrong_proof:
            yield Difference(kind=DifferenceKind.SERVED_PROOF, position=looked.position, detail=served.wrong_proof)
        if served.state is None or served.wrong_proof is None:
            if self._api.state(looked.uuid) is None:
                yield Difference(kind=DifferenceKind.SERVED_NOTHING, position=looked.position)
            return
        then, now = self._states(looked.root, looked.position, answers)
        if served.state is now:
            return
        detail = f"{served.state.value}, says the service, and it is {now.value} by {to_utc(answers.until)}"
        if served.state not in then:
            yield Difference(kind=DifferenceKind.SERVED_OTHERWISE, position=looked.position, detail=detail)
        elif self._api.state(looked.uuid) is not now:
            yield Difference(kind=DifferenceKind.SERVED_BEHIND, position=looked.position, detail=detail)

    def _states(
        self, root: Hash32, position: StatusPosition, answers: ServedAnswers
    ) -> tuple[set[CredentialState], CredentialState]:
        """Say how a credential stood at any block while the service was asked, and how it stands at the end."""
        events = [*self._of_roots.get(root, ()), *self._epochs, *self._issuer.changes_of(position)]
        events.sort(key=lambda each: (each.log.block_number, each.log.log_index))
        state, found = _State(self._sizes.get(root, 0)), set[CredentialState]()
        for event in events:
            # Several blocks may be of one second: what was so before it counts as well.
            if answers.since <= event.at <= answers.until or (event.at > answers.until and not found):
                found.add(state.read())
            state.take(event)
            if answers.since <= event.at <= answers.until:
                found.add(state.read())
        return found or {state.read()}, state.read()


class _State:
    """How one credential stands while events go by: as `Standing.state_of` has it."""

    def __init__(self, size: int) -> None:
        self._size: Final = size
        self._anchored: int | None = None
        self._epoch = 0
        self._batch_epoch = -1
        self._bits: Final[dict[tuple[bool, int], bool]] = {}

    def take(self, event: AnyEvent) -> None:
        match event:
            case BatchAnchored():
                self._anchored = event.size
            case BatchRevoked():
                self._batch_epoch = event.epoch
            case StatusEpochChanged():
                self._epoch = event.epoch
            case StatusChanged():
                # Events carry the bits that really changed.
                key = isinstance(event, CredentialsRevoked), event.epoch
                self._bits[key] = not self._bits.get(key, False)
            case _:
                pass

    def read(self) -> CredentialState:
        if self._anchored != self._size:
            return CredentialState.NOT_ANCHORED
        if self._batch_epoch >= self._epoch:
            return CredentialState.BATCH_REVOKED
        if self._bits.get((True, self._epoch)):
            return CredentialState.REVOKED
        return CredentialState.SUSPENDED if self._bits.get((False, self._epoch)) else CredentialState.ACTIVE


def _time(at: int | None) -> str:
    return "nobody knows when" if at is None else to_utc(at)
