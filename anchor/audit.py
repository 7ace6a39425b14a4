"""Audit: from the registry's events to everything that ever happened in it, and whether that is all.

Whoever hands over the events is not believed. `replay` recomputes every head and holds each event to the contract's
rules, so it finds the first event that is missing, altered or invented, as far as the logged heads tell. An inventor
can log heads of his own, but cannot make them end in those of the contract's state: `check_complete` compares with
heads that were proven at one block. Only both together make a history complete and true, whoever gave it.

    1  Every log is the registry's, and comes after the one before it                     replay
    2  It is one of the registry's events, encoded as the contract encodes it             replay, anchor.events
    3  Its time is not before that of the event before it                                 replay
    4  The heads in it follow from those before it                                        replay
    5  The contract would have emitted it: known key of the right scope, changed bits …   replay
    6  Number of issuers, their heads and the registry's are those of the contract        check_complete

Leaves to others: fetching logs up to that block and the proofs (`anchor.ledger`), showing the result (`anchor.cli`).
Block, transaction and log index of an event are bound by no head: show them as where to look, not as facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NoReturn

from eth_hash.auto import keccak

from anchor.errors import HistoryError
from anchor.events import (
    AnyEvent,
    BatchAnchored,
    CredentialsReinstated,
    CredentialsRevoked,
    Event,
    IssuerAccredited,
    KeyAdded,
    RawLog,
    StatusChanged,
    first_head,
    first_registry_head,
    next_head,
    parse_log,
)
from anchor.evidence import ISSUER_COUNT_SLOT, REGISTRY_HEAD_SLOT, LedgerState, head_slot
from anchor.model import (
    ZERO_HASH,
    Address,
    Batch,
    BlockHeader,
    Hash32,
    Issuer,
    Key,
    KeyScope,
    RegistryId,
    StatusPosition,
)
from anchor.status import LIST_SIZE, WORD_BITS, StatusPurpose, StatusReason, mask_of, positions_of, word_of

MAX_DID_BYTES: Final = 1024
"""Longest DID that the contract takes (`MAX_DID_LENGTH` of ICredentialRegistry.sol)."""

_DID_SCHEME: Final = b"did:"
_WORDS_PER_LIST: Final = LIST_SIZE // WORD_BITS
_ZERO_ADDRESS: Final = Address(bytes(20))


class StatusWord(NamedTuple):
    """Which word of an issuer's status bits, in which status epoch."""

    epoch: int
    status_list: int
    word: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerHistory:
    """One issuer: everything that happened, and what it led to."""

    issuer_id: int
    did: str
    did_hash: Hash32
    record: Issuer
    head: Hash32
    keys: Mapping[Address, Key]
    batches: Mapping[Hash32, Batch]
    """By root, in the order of anchoring."""
    bits: Mapping[StatusPurpose, Mapping[StatusWord, int]]
    """Status words that were ever written, of every status epoch."""
    events: tuple[AnyEvent, ...]
    changes: Mapping[tuple[int, int], tuple[StatusChanged, ...]] = field(repr=False)
    """Status changes by list and word, in order."""

    def positions(self, purpose: StatusPurpose) -> tuple[StatusPosition, ...]:
        """List the credentials whose bit is set in the status epoch that counts, in order of list and index."""
        return tuple(
            position
            for key, mask in sorted(self.bits[purpose].items())
            if key.epoch == self.record.status_epoch
            for position in positions_of(key.status_list, key.word, mask)
        )

    def changes_of(self, position: StatusPosition) -> tuple[StatusChanged, ...]:
        """List what happened to the status of one credential, in order; of every status epoch."""
        word = word_of(position.index)
        return tuple(
            change
            for change in self.changes.get((position.status_list, word), ())
            if change.masks[change.words.index(word)] & mask_of(position.index)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that happened in a registry, as replayed. Whether it is complete, `check_complete` tells."""

    registry: RegistryId
    issuers: tuple[IssuerHistory, ...]
    """Issuer 1 first."""
    registry_head: Hash32
    events: tuple[AnyEvent, ...]
    """Of all issuers, in the order of the chain."""

    def issuer(self, issuer_id: int) -> IssuerHistory:
        """Look up an issuer by number; raise `HistoryError` if there is none."""
        if not 1 <= issuer_id <= len(self.issuers):
            raise HistoryError(f"the registry has no issuer {issuer_id}")
        return self.issuers[issuer_id - 1]

    def changes_of(self, issuer_id: int, position: StatusPosition) -> tuple[StatusChanged, ...]:
        """List what happened to the status of one credential, in order; raise `HistoryError` for no such issuer."""
        return self.issuer(issuer_id).changes_of(position)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenHeads:
    """What the contract's state says of its history, by state proofs at one block."""

    registry: RegistryId
    block: BlockHeader
    issuer_count: int
    registry_head: Hash32
    heads: Mapping[int, Hash32]
    """Heads by number of the issuer; an issuer whose head is not here counts as incomplete."""


def slots_of_heads(history: History) -> tuple[Hash32, ...]:
    """Name the slots whose proofs `read_heads` needs for a replayed history.

    The history says how many issuers to ask for, not the ledger: whoever serves an invented chain could name billions.
    """
    return (ISSUER_COUNT_SLOT, REGISTRY_HEAD_SLOT, *(head_slot(issuer.issuer_id) for issuer in history.issuers))


def read_heads(state: LedgerState, history: History) -> ProvenHeads:
    """Read the heads that a registry's state proofs prove.

    Raises:
        NoEvidenceError: There is no proof for one of `slots_of_heads`.
        StateProofError: A proof does not hold.
    """
    return ProvenHeads(
        registry=state.evidence.registry,
        block=state.block,
        issuer_count=state.value(ISSUER_COUNT_SLOT),
        registry_head=Hash32(state.value(REGISTRY_HEAD_SLOT).to_bytes(32, "big")),
        heads={issuer.issuer_id: state.head(issuer.issuer_id) for issuer in history.issuers},
    )


def check_complete(history: History, proven: ProvenHeads) -> None:
    """Check that a replayed history is all that happened up to the block of the proofs (step 6).

    Args:
        history: Replayed from all logs up to that block, and none after it.
        proven: What the contract's state says.

    Raises:
        HistoryError: It is not; the message names the issuers concerned.
    """
    if history.registry != proven.registry:
        raise HistoryError(f"the history is of {history.registry.to_text()}, the proof of {proven.registry.to_text()}")
    if len(history.issuers) != proven.issuer_count:
        raise HistoryError(
            f"the history has {len(history.issuers)} issuers, the registry {proven.issuer_count}: "
            "accreditations are missing or invented"
        )
    wrong = [str(issuer.issuer_id) for issuer in history.issuers if issuer.head != proven.heads.get(issuer.issuer_id)]
    if wrong:
        raise HistoryError(
            f"the history of issuer {', '.join(wrong)} does not end where the registry's does at block "
            f"{proven.block.number}: events are missing, altered or invented"
        )
    if history.registry_head != proven.registry_head:
        raise HistoryError("the accreditations do not end where the registry's do: some are altered or out of order")


def replay(logs: Iterable[RawLog], registry: RegistryId) -> History:
    """Replay a registry's logs from its deployment on (steps 1 to 5).

    Args:
        logs: All logs of the registry, in the order of the chain.
        registry: The registry; chain and address go into every head.

    Raises:
        HistoryError: The logs are not a history of this registry; the message names the first one that does not fit.
    """
    run = _Replay(registry)
    for log in logs:
        run.take(log)
    return run.result()


class _Replay:
    """The registry's state while its events are replayed."""

    def __init__(self, registry: RegistryId) -> None:
        self._registry = registry
        self._registry_head = first_registry_head(registry)
        self._issuers: list[_IssuerReplay] = []
        self._did_hashes: set[Hash32] = set()
        self._keys: set[Address] = set()
        self._events: list[AnyEvent] = []
        self._last_log: RawLog | None = None

    def result(self) -> History:
        return History(
            registry=self._registry,
            issuers=tuple(issuer.result() for issuer in self._issuers),
            registry_head=self._registry_head,
            events=tuple(self._events),
        )

    def take(self, log: RawLog) -> None:
        self._check_place(log)  # step 1
        event = parse_log(log)  # step 2
        if event is None:
            return
        self._check_time(event)  # step 3
        if isinstance(event, IssuerAccredited):
            self._accredit(event)  # steps 4 and 5, from here on
        elif isinstance(event, KeyAdded):
            self._add_key(event)
        elif isinstance(event, BatchAnchored):
            self._issuer_of(event).anchor(event)
        else:
            self._issuer_of(event).change_status(event)
        self._events.append(event)

    def _check_place(self, log: RawLog) -> None:
        if log.address != self._registry.address:
            raise HistoryError(f"{log.place}: a log of another contract")
        last = self._last_log
        if last is not None:
            if (log.block_number, log.log_index) <= (last.block_number, last.log_index):
                raise HistoryError(f"{log.place}: comes after {last.place}")
            if (log.block_number == last.block_number) != (log.block_hash == last.block_hash):
                raise HistoryError(f"{log.place}: its block has not the hash that goes with its number")
        self._last_log = log

    def _check_time(self, event: Event) -> None:
        if not self._events:
            return
        last = self._events[-1]
        if event.at < last.at or (event.log.block_number == last.log.block_number and event.at != last.at):
            _refuse(event, f"its time {event.at} does not follow that of {last.log.place}, {last.at}")

    def _issuer_of(self, event: Event) -> _IssuerReplay:
        if not 1 <= event.issuer_id <= len(self._issuers):
            _refuse(event, "no such issuer was accredited before")
        return self._issuers[event.issuer_id - 1]

    def _accredit(self, event: IssuerAccredited) -> None:
        if event.issuer_id != len(self._issuers) + 1:
            _refuse(event, f"the next issuer to be accredited is {len(self._issuers) + 1}")
        issuer = _IssuerReplay(event, first_head(self._registry, event.issuer_id))
        self._registry_head = next_head(self._registry_head, event.event_hash)
        if self._registry_head != event.registry_head:
            _refuse(event, "the registry-wide head does not follow: an accreditation is missing or altered")
        if keccak(event.did_bytes) != event.did_hash:
            _refuse(event, "its DID does not hash to its DID hash")
        if not event.did_bytes.startswith(_DID_SCHEME) or len(event.did_bytes) > MAX_DID_BYTES:
            _refuse(event, "its DID is not one that the contract takes")
        if event.controller == _ZERO_ADDRESS:
            _refuse(event, "the controller is nobody")
        if event.did_hash in self._did_hashes:
            _refuse(event, "the DID is another issuer's")
        self._did_hashes.add(event.did_hash)
        self._issuers.append(issuer)

    def _add_key(self, event: KeyAdded) -> None:
        self._issuer_of(event).add_key(event)
        if event.key in self._keys:
            _refuse(event, "the key is bound already, to this issuer or another")
        self._keys.add(event.key)


class _IssuerReplay:
    """One issuer's state while its events are replayed."""

    def __init__(self, event: IssuerAccredited, head: Hash32) -> None:
        self._accreditation = event
        self._head = head
        self._status_epoch = 0
        self._keys: dict[Address, Key] = {}
        self._batches: dict[Hash32, Batch] = {}
        self._bits: dict[StatusPurpose, dict[StatusWord, int]] = {purpose: {} for purpose in StatusPurpose}
        self._changes: dict[tuple[int, int], list[StatusChanged]] = {}
        self._events: list[AnyEvent] = []
        self._extend_head(event)

    def result(self) -> IssuerHistory:
        return IssuerHistory(
            issuer_id=self._accreditation.issuer_id,
            did=self._accreditation.did,
            did_hash=self._accreditation.did_hash,
            record=Issuer(
                controller=self._accreditation.controller,
                accredited_at=self._accreditation.at,
                withdrawn_at=0,
                status_epoch=self._status_epoch,
            ),
            head=self._head,
            keys=self._keys,
            batches=self._batches,
            bits=self._bits,
            events=tuple(self._events),
            changes={place: tuple(changes) for place, changes in self._changes.items()},
        )

    def add_key(self, event: KeyAdded) -> None:
        self._extend_head(event)
        if event.actor != self._accreditation.controller:
            _refuse(event, "the actor is not the issuer's controller")
        if event.valid_from < event.at:
            _refuse(event, "the key is valid from before it was added")
        if event.scope == KeyScope.ANCHOR.value:
            epochs: tuple[int, ...] = (0,)
        elif event.scope == KeyScope.STATUS.value:
            epochs = (self._status_epoch, self._status_epoch + 1)
        else:
            _refuse(event, f"there is no scope {event.scope}")
        if event.status_epoch not in epochs:
            _refuse(event, f"a key of scope {event.scope} cannot be added for status epoch {event.status_epoch}")
        self._keys[event.key] = Key(
            issuer_id=event.issuer_id,
            valid_from=event.valid_from,
            valid_until=0,
            compromised_at=0,
            scope=event.scope,
            status_epoch=event.status_epoch,
        )

    def anchor(self, event: BatchAnchored) -> None:
        self._extend_head(event)
        self._key_of_actor(event, KeyScope.ANCHOR)
        if event.root == ZERO_HASH or event.size == 0:
            _refuse(event, "the root is zero, or the batch has no leaves")
        if event.root in self._batches:
            _refuse(event, "the root was anchored before")
        self._batches[event.root] = Batch(
            key=event.actor, anchored_at=event.at, size=event.size, revoked_reason=0, revoked_epoch=0
        )

    def change_status(self, event: StatusChanged) -> None:
        self._extend_head(event)
        if event.epoch != self._key_of_actor(event, KeyScope.STATUS).status_epoch:
            _refuse(event, f"the actor's key does not write status epoch {event.epoch}")
        if event.reason not in {reason.value for reason in StatusReason}:
            _refuse(event, f"there is no reason {event.reason}")
        if not 0 < len(event.words) == len(event.masks):
            _refuse(event, "there is not one mask for each word, or no word")
        if list(event.words) != sorted(set(event.words)) or event.words[-1] >= _WORDS_PER_LIST:
            _refuse(event, "the words do not increase, or lie outside the list")
        purpose = StatusPurpose.REVOCATION if isinstance(event, CredentialsRevoked) else StatusPurpose.SUSPENSION
        clears = isinstance(event, CredentialsReinstated)
        bits = self._bits[purpose]
        for word, mask in zip(event.words, event.masks, strict=True):
            key = StatusWord(event.epoch, event.status_list, word)
            old = bits.get(key, 0)
            if mask == 0 or mask & old != (mask if clears else 0):
                _refuse(event, f"the mask of word {word} is not what the event changed")
            bits[key] = old ^ mask
            self._changes.setdefault((event.status_list, word), []).append(event)

    def _extend_head(self, event: AnyEvent) -> None:
        self._head = next_head(self._head, event.event_hash)
        if self._head != event.head:
            _refuse(event, "the issuer's head does not follow: this event is altered, or one before it is missing")
        self._events.append(event)

    def _key_of_actor(self, event: Event, scope: KeyScope) -> Key:
        key = self._keys.get(event.actor)
        if key is None or key.scope != scope.value or event.at < key.valid_from:
            _refuse(event, f"the actor is not a key of the issuer, of scope {scope.name}, valid at that time")
        return key


def _refuse(event: Event, why: str) -> NoReturn:
    raise HistoryError(f"{event.log.place}: {event.kind} of issuer {event.issuer_id}: {why}")
