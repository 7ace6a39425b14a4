"""State at a date: what held then as far as was known then, and what was declared later of that time.

Two answers, never mixed: a verifier on that day saw the first one. A key that is declared compromised later, since that
date or before, makes batches void that nobody could know to be void then.

Events are gone through again and never held: memory is for what they led to.

Leaves to others: whether the history is complete (`anchor.audit`), reading files, showing it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from eth_hash.auto import keccak

from anchor.credential import Credential
from anchor.errors import InclusionError, NotAnchoredError, UntrustedRegistryError
from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    CredentialsReinstated,
    IssuerEvent,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    StatusChanged,
    StatusEpochChanged,
)
from anchor.evidence import EvidenceRequest
from anchor.history import EpochChange, History, IssuerHistory, StatusWord, is_void
from anchor.merkle import check_inclusion
from anchor.model import Address, Hash32, Key
from anchor.replay import Replay
from anchor.status import StatusPurpose, mask_of, word_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterCompromise:
    """That a key was declared compromised after the date, since a time up to it."""

    issuer_id: int
    key: Address
    since: int
    void_batches: tuple[Hash32, ...]
    """Roots that were good then as far as anybody knew, and are void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAt:
    """What held at a date."""

    at: int
    then: History
    """What the events up to that second led to, without these events: as it was known then."""
    count: int
    """How many events there were up to then."""
    later: tuple[LaterCompromise, ...]
    """What later events say of that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAt:
    """What a credential was at a date; reasons are those of verdicts, empty: valid."""

    reason: str
    """As it was known then."""
    reason_in_hindsight: str
    """With the compromises that were declared later."""
    is_undone_later: bool
    """Whether its revocation or suspension then lasted until other status epochs counted later, and ended with that."""
    events: tuple[AnyEvent, ...]
    """Up to that date, those that decide it: of its batch, the batch's key, its own status and the issuer, in order."""


def state_at(history: History, at: int) -> StateAt:
    """Work out what held at a date.

    Args:
        history: All events from the deployment to now, proven complete.
        at: Unix seconds; events of that second count.

    Raises:
        HistoryError: The events gone through are not those that were proven.
    """
    run = Replay(history.registry, keep=False)
    for event in takewhile(lambda event: event.at <= at, history.events):
        run.take(event.log)
    then = run.result()
    return StateAt(at=at, then=then, count=run.count, later=tuple(_later(history, then, at)))


def credential_at(
    state: StateAt, history: History, credential: Credential, *, denied: Collection[str] = frozenset()
) -> CredentialAt:
    """Judge what a credential was at a date.

    Args:
        state: The state at that date.
        history: The history that it is from.
        credential: Its anchor proofs; each one from this registry is judged, and one that passes suffices.
        denied: DIDs of issuers whom the verifier trusts in nothing.

    Raises:
        NotAnchoredError: It has no anchor proof.
        UntrustedRegistryError: It has none from this registry.
        InclusionError: It is in none of the batches that its anchor proofs name: it was changed.
    """
    if not credential.requests:
        raise NotAnchoredError("the credential has no anchor proof")
    requests = [each for each in credential.requests if each.proof.registry == history.registry]
    if not requests:
        raise UntrustedRegistryError(f"the credential has no anchor proof from {history.registry.to_text()}")
    judged: list[CredentialAt] = []
    changed: list[InclusionError] = []
    for request in requests:
        try:
            check_inclusion(credential.leaf(request), request.proof.inclusion, request.proof.root)
        except InclusionError as error:
            changed.append(error)
        else:
            judged.append(_judged(state, history, credential, request, denied))
    if not judged:
        raise changed[0]
    # What was good in hindsight too was good then; of several that were not, the first tells why.
    return min(judged, key=lambda each: (bool(each.reason), bool(each.reason_in_hindsight)))


def _judged(
    state: StateAt, history: History, credential: Credential, request: EvidenceRequest, denied: Collection[str]
) -> CredentialAt:
    """Judge it by one of its anchor proofs."""
    proof = request.proof
    then = next((each for each in state.then.issuers if each.issuer_id == proof.issuer_id), None)
    if then is None:
        return CredentialAt(reason="notAnchored", reason_in_hindsight="notAnchored", is_undone_later=False, events=())
    now = history.issuer(proof.issuer_id)
    hindsight = {address: now.keys[address] for address in then.keys}
    is_denied = credential.issuer_did in denied
    reason = _reason(then, then.keys, request, credential, state.at, is_denied=is_denied)
    changes = [change for change in now.epoch_changes if change.event.at > state.at]
    undone = any(
        (request.position in change.unrevoked and reason == "revoked")
        or (
            request.position in change.unsuspended
            and reason == "suspended"
            and not _was_lifted(history, then, request, state.at, change)
        )
        or (proof.root in change.unrevoked_batches and reason == "batchRevoked")
        for change in changes
    )
    return CredentialAt(
        reason=reason,
        reason_in_hindsight=_reason(then, hindsight, request, credential, state.at, is_denied=is_denied),
        is_undone_later=undone,
        events=tuple(_deciding(history, then, request, state.at)),
    )


def _was_lifted(history: History, then: IssuerHistory, request: EvidenceRequest, at: int, change: EpochChange) -> bool:
    """Tell whether a suspension was lifted after a date, and before a change of epochs would have ended it."""
    epoch = then.record.status_epoch
    for event in takewhile(
        lambda event: event != change.event, dropwhile(lambda event: event.at <= at, history.events)
    ):
        if not isinstance(event, IssuerEvent) or event.issuer_id != then.issuer_id:
            continue
        if isinstance(event, StatusEpochChanged):
            epoch = event.epoch
        elif isinstance(event, CredentialsReinstated) and event.epoch == epoch and _concerns(event, request):
            return True
    return False


def _later(history: History, then: History, at: int) -> Iterator[LaterCompromise]:
    for issuer in then.issuers:
        keys = history.issuer(issuer.issuer_id).keys
        for address, known in issuer.keys.items():
            key = keys[address]
            if key.compromised_at == known.compromised_at or key.compromised_at > at:
                continue
            yield LaterCompromise(
                issuer_id=issuer.issuer_id,
                key=address,
                since=key.compromised_at,
                void_batches=tuple(
                    root
                    for root, batch in issuer.batches.items()
                    if batch.key == address and is_void(batch, keys) and not is_void(batch, issuer.keys)
                ),
            )


def _reason(
    issuer: IssuerHistory,
    keys: Mapping[Address, Key],
    request: EvidenceRequest,
    credential: Credential,
    at: int,
    *,
    is_denied: bool,
) -> str:
    """Say why it is not valid, in the order of the steps of verification; empty if it is."""
    batch = issuer.batches.get(request.proof.root)
    found = (
        ("notAnchored", batch is None or batch.size != request.proof.inclusion.size),
        ("keyCompromised", batch is not None and is_void(batch, keys)),
        ("untrustedIssuer", is_denied or keccak(credential.issuer_did.encode()) != issuer.did_hash),
        ("batchRevoked", batch is not None and batch.is_revoked_in(issuer.record.status_epoch)),
        ("revoked", _is_set(issuer, StatusPurpose.REVOCATION, request)),
        ("suspended", _is_set(issuer, StatusPurpose.SUSPENSION, request)),
        ("notYetValid", credential.valid_from is not None and at < credential.valid_from),
        ("expired", credential.valid_until is not None and credential.valid_until <= at),
    )
    return next((reason for reason, holds in found if holds), "")


def _is_set(issuer: IssuerHistory, purpose: StatusPurpose, request: EvidenceRequest) -> bool:
    status_list, index = request.position
    place = StatusWord(issuer.record.status_epoch, status_list, word_of(index))
    return bool(issuer.bits[purpose].get(place, 0) & mask_of(index))


def _deciding(history: History, issuer: IssuerHistory, request: EvidenceRequest, at: int) -> Iterator[AnyEvent]:
    batch = issuer.batches.get(request.proof.root)
    for event in takewhile(lambda event: event.at <= at, history.events):
        if not isinstance(event, IssuerEvent) or event.issuer_id != issuer.issuer_id:
            continue
        match event:
            case BatchAnchored() | BatchRevoked():
                is_meant = event.root == request.proof.root
            case KeyAdded() | KeyRetired() | KeyCompromised():
                is_meant = batch is not None and event.key == batch.key
            case AccreditationWithdrawn() | StatusEpochChanged():
                is_meant = True
            case StatusChanged():
                is_meant = _concerns(event, request)
            case _:
                is_meant = False
        if is_meant:
            yield event


def _concerns(event: StatusChanged, request: EvidenceRequest) -> bool:
    status_list, index = request.position
    masks = dict(zip(event.words, event.masks, strict=True))
    return event.status_list == status_list and bool(masks.get(word_of(index), 0) & mask_of(index))
