"""One issuer's events, replayed: each must be one that the contract could have emitted in that state.

Follows the rules of docs/spec/history.md, "When each may occur", but for those of the registry as a whole, which
`anchor.replay` upholds: heads, order, time, who is an accreditor, and that a key is bound only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import astuple, fields, replace
from typing import Any, Final, NoReturn

from anchor.errors import HistoryError
from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    CredentialsReinstated,
    CredentialsRevoked,
    Event,
    IssuerAccredited,
    IssuerEvent,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    NoncesCancelled,
    OngoingEvent,
    StatusChanged,
    StatusEpochChanged,
)
from anchor.history import EpochChange, IssuerHistory, StatusWord, is_void, set_positions
from anchor.model import ZERO_ADDRESS, ZERO_HASH, Address, Batch, Hash32, Issuer, Key, KeyScope, StatusPosition
from anchor.replay_tables import PackedBatches, PackedWords, batch_rows, put_batches, put_words, word_rows
from anchor.status import LIST_SIZE, WORD_BITS, StatusPurpose, StatusReason

MAX_CANCELLED_NONCES: Final = 1024
"""Most nonces that one call may cancel (`MAX_CANCELLED_NONCES` of ICredentialRegistry.sol)."""

_BATCHES: Final = "batches"
_WORDS_PER_LIST: Final = LIST_SIZE // WORD_BITS
_KEY_FIELDS: Final = tuple(field.name for field in fields(Key))
_REASONS: Final = frozenset(reason.value for reason in StatusReason)


def refuse(event: Event, why: str) -> NoReturn:
    """Say that the contract would not have emitted an event."""
    whose = f" of issuer {event.issuer_id}" if isinstance(event, IssuerEvent) else ""
    raise HistoryError(f"{event.log.place}: {event.kind}{whose}: {why}")


class Sequel:
    """What the next event must be, after one with which the contract emits a second in the same call."""

    def __init__(self) -> None:
        self._first: Event | None = None
        self._kind: type[Event] = Event

    def expect(self, kind: type[Event], first: Event) -> None:
        """Demand that an event of this kind, by the same actor at the same time, follows `first`."""
        self._first, self._kind = first, kind

    def check(self, event: Event) -> None:
        """Check that an event is the one demanded, if one is."""
        first, self._first = self._first, None
        if first is not None and (type(event), event.actor, event.at) != (self._kind, first.actor, first.at):
            refuse(event, f"a {self._kind.kind} should follow the {first.kind} of {first.log.place}")

    def check_end(self) -> None:
        """Check that no event is demanded when there are no more."""
        if self._first is not None:
            refuse(self._first, f"no {self._kind.kind} follows")


class IssuerReplay:
    """One issuer's state while its events are replayed."""

    def __init__(self, event: IssuerAccredited, sequel: Sequel, *, keep: bool, packed: bool) -> None:
        record = Issuer(controller=event.controller, accredited_at=event.at, withdrawn_at=0, status_epoch=0)
        self._start(event.issuer_id, event.did, event.did_hash, record, sequel, keep=keep, packed=packed)
        if keep:
            self._events.append(event)

    def _start(
        self, issuer_id: int, did: str, did_hash: Hash32, record: Issuer, sequel: Sequel, *, keep: bool, packed: bool
    ) -> None:
        self._issuer_id, self._did, self.did_hash = issuer_id, did, did_hash
        self._sequel, self._keep = sequel, keep
        self._record = record
        self._pending_controller: Address | None = None
        self._next_epoch = 1
        self._announced: tuple[int, int] | None = None
        """The epochs that the next event must make current and next."""
        self.keys: dict[Address, Key] = {}
        self._nonces: dict[Address, tuple[int, int]] = {}
        """Lowest and highest next nonce of each key: not every event tells whether it used one."""
        self._batches: MutableMapping[Hash32, Batch] = PackedBatches() if packed else {}
        self._bits: dict[StatusPurpose, MutableMapping[StatusWord, int]] = {
            purpose: PackedWords() if packed else {} for purpose in StatusPurpose
        }
        self._changes: dict[tuple[int, int], list[StatusChanged]] = {}
        self._epoch_changes: list[EpochChange] = []
        self._events: list[AnyEvent] = []

    def content(self) -> dict[str, Any]:
        """Give the state as plain values, for `restored`."""
        tables = {name: list(rows) for name, rows in self.tables()}
        return {**self.summary(), "batches": tables.pop(_BATCHES), "bits": tables}

    def summary(self) -> dict[str, Any]:
        """Give what is in no table, likewise."""
        return {
            "did": self._did,
            "didHash": self.did_hash,
            "record": list(astuple(self._record)),
            "pendingController": self._pending_controller,
            "nextEpoch": self._next_epoch,
            "keys": [[address, *astuple(key), *self._nonces[address]] for address, key in self.keys.items()],
            "batches": [],
            "bits": {purpose.value: [] for purpose in StatusPurpose},
        }

    def tables(self) -> Iterator[tuple[str, Iterator[list[Any]]]]:
        """Give what there may be much of as rows of plain values, for `restore_rows`: batches and status words."""
        yield _BATCHES, batch_rows(self._batches)
        for purpose, words in self._bits.items():
            yield purpose.value, word_rows(words)

    @classmethod
    def restored(
        cls, issuer_id: int, content: dict[str, Any], sequel: Sequel, *, keep: bool, packed: bool
    ) -> IssuerReplay:
        """Go on from what `content` gave."""
        run = cls.__new__(cls)
        controller, accredited_at, withdrawn_at, status_epoch = content["record"]
        record = Issuer(
            controller=controller, accredited_at=accredited_at, withdrawn_at=withdrawn_at, status_epoch=status_epoch
        )
        run._start(issuer_id, content["did"], content["didHash"], record, sequel, keep=keep, packed=packed)
        run._pending_controller, run._next_epoch = content["pendingController"], content["nextEpoch"]
        for address, *values, lowest, highest in content["keys"]:
            run.keys[address] = Key(**dict(zip(_KEY_FIELDS, values, strict=True)))
            run._nonces[address] = (lowest, highest)
        run.restore_rows(_BATCHES, content["batches"])
        for name, rows in content["bits"].items():
            run.restore_rows(name, rows)
        return run

    def restore_rows(self, name: str, rows: Iterable[list[Any]]) -> None:
        """Go on with rows of one of the `tables`, in order."""
        if name == _BATCHES:
            put_batches(self._batches, rows)
        else:
            put_words(self._bits[StatusPurpose(name)], rows)

    def result(self, head: Hash32) -> IssuerHistory:
        """Give what the events taken so far led to."""
        return IssuerHistory(
            issuer_id=self._issuer_id,
            did=self._did,
            did_hash=self.did_hash,
            record=self._record,
            head=head,
            pending_controller=self._pending_controller,
            next_status_epoch=self._next_epoch,
            keys=self.keys,
            batches=self._batches,
            bits=self._bits,
            events=tuple(self._events),
            epoch_changes=tuple(self._epoch_changes),
            changes={place: tuple(changes) for place, changes in self._changes.items()},
        )

    def take(self, event: OngoingEvent) -> None:
        """Take the next event.

        Raises:
            HistoryError: The contract would not have emitted it.
        """
        match event:
            case AccreditationWithdrawn():
                self._withdraw(event)
            case ControllerTransferStarted():
                self._offer_control(event)
            case ControllerTransferred():
                self._accept_control(event)
            case KeyAdded():
                self._add_key(event)
            case KeyRetired():
                self._retire_key(event)
            case KeyCompromised():
                self._compromise_key(event)
            case StatusEpochChanged():
                self._change_epochs(event)
            case NoncesCancelled():
                self._cancel_nonces(event)
            case BatchAnchored():
                self._anchor(event)
            case BatchRevoked():
                self._revoke_batch(event)
            case _:
                self._change_status(event)
        if self._keep:
            self._events.append(event)

    # Accreditation and control.

    def _withdraw(self, event: AccreditationWithdrawn) -> None:
        _require_reason(event, event.reason)
        self._require_accredited(event)
        if event.withdrawn_at <= event.at:
            refuse(event, "the accreditation would end in the past")
        if 0 < self._record.withdrawn_at <= event.withdrawn_at:
            refuse(event, f"the accreditation ends earlier already, at {self._record.withdrawn_at}")
        self._record = replace(self._record, withdrawn_at=event.withdrawn_at)

    def _offer_control(self, event: ControllerTransferStarted) -> None:
        self._require_controller(event)
        offered = None if event.controller == ZERO_ADDRESS else event.controller
        if offered == event.actor:
            refuse(event, "control is offered to the controller")
        if offered == self._pending_controller:
            refuse(event, "nothing changes by this offer")
        self._pending_controller = offered

    def _accept_control(self, event: ControllerTransferred) -> None:
        if not event.actor == event.controller == self._pending_controller:
            refuse(event, "the actor was not offered control")
        self._record = replace(self._record, controller=event.controller)
        self._pending_controller = None

    # Keys, their status epochs and nonces.

    def _add_key(self, event: KeyAdded) -> None:
        self._require_controller(event)
        if event.valid_from < event.at:
            refuse(event, "the key is valid from before it was added")
        if event.scope == KeyScope.ANCHOR.value:
            self._require_accredited(event)
            epochs: tuple[int, ...] = (0,)
        elif event.scope == KeyScope.STATUS.value:
            epochs = (self._record.status_epoch, self._next_epoch)
        else:
            refuse(event, f"there is no scope {event.scope}")
        if event.status_epoch not in epochs:
            refuse(event, f"a key of scope {event.scope} cannot be added for status epoch {event.status_epoch}")
        self._nonces[event.key] = (0, 0)
        self.keys[event.key] = Key(
            issuer_id=event.issuer_id,
            valid_from=event.valid_from,
            valid_until=0,
            compromised_at=0,
            scope=event.scope,
            status_epoch=event.status_epoch,
        )

    def _retire_key(self, event: KeyRetired) -> None:
        self._require_controller(event)
        key = self._key(event, event.key)
        if key.cut_off is not None:
            refuse(event, f"the key has an end already, at {key.cut_off}")
        if event.valid_until != event.at + 1:
            refuse(event, "a key is retired from the next second on")
        self.keys[event.key] = replace(key, valid_until=event.valid_until)

    def _compromise_key(self, event: KeyCompromised) -> None:
        self._require_controller(event)
        key = self._key(event, event.key)
        if not key.valid_from <= event.since <= event.at:
            refuse(event, "a key is compromised since a time from its first second to now")
        if key.cut_off is not None and event.since >= key.cut_off:
            refuse(event, f"the key has an earlier cut-off already, {key.cut_off}")
        self.keys[event.key] = replace(key, compromised_at=event.since)
        current, following = self._record.status_epoch, self._next_epoch
        if key.scope == KeyScope.STATUS.value and key.status_epoch in (current, following):
            self._announced = (following if key.status_epoch == current else current, following + 1)
            self._sequel.expect(StatusEpochChanged, event)

    def _change_epochs(self, event: StatusEpochChanged) -> None:
        if (event.epoch, event.next_epoch) != self._announced:
            refuse(event, "these epochs do not follow from a key declared compromised just before")
        old, new, self._announced = self._record.status_epoch, event.epoch, None
        self._record = replace(self._record, status_epoch=new)
        self._next_epoch = event.next_epoch
        self._epoch_changes.append(
            EpochChange(
                event=event,
                unrevoked=self._lost_positions(StatusPurpose.REVOCATION, old, new),
                unsuspended=self._lost_positions(StatusPurpose.SUSPENSION, old, new),
                unrevoked_batches=tuple(
                    root
                    for root, batch in self._batches.items()
                    if batch.is_revoked_in(old) and not batch.is_revoked_in(new)
                ),
            )
        )

    def _lost_positions(self, purpose: StatusPurpose, old: int, new: int) -> tuple[StatusPosition, ...]:
        words = self._bits[purpose]
        return set_positions(
            {
                place: mask & ~words.get(place._replace(epoch=new), 0)
                for place, mask in words.items()
                if place.epoch == old
            }
        )

    def _cancel_nonces(self, event: NoncesCancelled) -> None:
        self._key(event, event.key)
        if event.actor not in (event.key, self._record.controller):
            refuse(event, "the actor is neither the key nor the issuer's controller")
        lowest, highest = self._nonces[event.key]
        if not lowest < event.nonce <= highest + MAX_CANCELLED_NONCES:
            refuse(event, f"the key's next nonce cannot become {event.nonce}")
        self._nonces[event.key] = (event.nonce, event.nonce)

    # Batches and status.

    def _anchor(self, event: BatchAnchored) -> None:
        self._require_key_of_actor(event, KeyScope.ANCHOR)
        self._require_accredited(event)
        if event.root == ZERO_HASH:
            refuse(event, "the root is zero")
        earlier = self._batches.get(event.root)
        if earlier is not None:
            if not is_void(earlier, self.keys):
                refuse(event, "the root was anchored before, and that is not void")
            if earlier.is_revoked_in(self._record.status_epoch):
                refuse(event, "the root was anchored before, and revoked")
            del self._batches[event.root]
        self._batches[event.root] = Batch(
            key=event.actor, anchored_at=event.at, size=event.size, revoked_reason=0, revoked_epoch=0
        )

    def _revoke_batch(self, event: BatchRevoked) -> None:
        self._require_status_call(event)
        batch = self._batches.get(event.root)
        if batch is None:
            refuse(event, "the root was not anchored")
        if batch.is_revoked_in(event.epoch):
            refuse(event, f"the batch is revoked already, in status epoch {batch.revoked_epoch}")
        self._batches[event.root] = replace(batch, revoked_reason=event.reason, revoked_epoch=event.epoch)
        self._use_nonce(event.actor, at_least=0)

    def _change_status(self, event: StatusChanged) -> None:
        self._require_status_call(event)
        if not 0 < len(event.words) == len(event.masks):
            refuse(event, "there is not one mask for each word, or no word")
        if list(event.words) != sorted(set(event.words)) or event.words[-1] >= _WORDS_PER_LIST:
            refuse(event, "the words do not increase, or lie outside the list")
        revokes, clears = isinstance(event, CredentialsRevoked), isinstance(event, CredentialsReinstated)
        bits = self._bits[StatusPurpose.REVOCATION if revokes else StatusPurpose.SUSPENSION]
        for word, mask in zip(event.words, event.masks, strict=True):
            place = StatusWord(event.epoch, event.status_list, word)
            old = bits.get(place, 0)
            if mask == 0 or mask & old != (mask if clears else 0):
                refuse(event, f"the mask of word {word} is not what the event changed")
            bits[place] = old ^ mask
            if self._keep:
                self._changes.setdefault((event.status_list, word), []).append(event)
        # Only of a revocation that the key sent itself is no nonce used up.
        self._use_nonce(event.actor, at_least=0 if revokes else 1)

    # What the rules share.

    def _require_controller(self, event: Event) -> None:
        if event.actor != self._record.controller:
            refuse(event, "the actor is not the issuer's controller")

    def _require_accredited(self, event: Event) -> None:
        if 0 < self._record.withdrawn_at <= event.at:
            refuse(event, f"the issuer's accreditation ended at {self._record.withdrawn_at}")

    def _key(self, event: Event, address: Address) -> Key:
        if address not in self.keys:
            refuse(event, "the issuer has no such key")
        return self.keys[address]

    def _require_key_of_actor(self, event: Event, scope: KeyScope) -> Key:
        key = self.keys.get(event.actor)
        if key is None or key.scope != scope.value or event.at < key.valid_from:
            refuse(event, f"the actor is not a key of the issuer, of scope {scope.name}, valid at that time")
        if key.cut_off is not None and key.cut_off <= event.at:
            refuse(event, f"the actor's key was cut off at {key.cut_off}")
        return key

    def _require_status_call(self, event: BatchRevoked | StatusChanged) -> None:
        key = self._require_key_of_actor(event, KeyScope.STATUS)
        if event.epoch != key.status_epoch:
            refuse(event, f"the actor's key does not write status epoch {event.epoch}")
        if event.epoch not in (self._record.status_epoch, self._next_epoch):
            refuse(event, f"status epoch {event.epoch} is over")
        _require_reason(event, event.reason)

    def _use_nonce(self, key: Address, *, at_least: int) -> None:
        lowest, highest = self._nonces[key]
        self._nonces[key] = (lowest + at_least, highest + 1)


def _require_reason(event: Event, reason: int) -> None:
    if reason not in _REASONS:
        refuse(event, f"there is no reason {reason}")
