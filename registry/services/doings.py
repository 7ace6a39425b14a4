"""Who did something last, by an issuer's events: gone through once, and only if somebody asks.

There may be very many events, and they may be read from a file: of those that nobody asks about nothing is held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from anchor.events import (
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    CredentialsRevoked,
    IssuerEvent,
    StatusChanged,
)
from anchor.history import IssuerHistory
from anchor.model import Address, Hash32
from anchor.status import StatusPurpose


class WordOf(NamedTuple):
    """A status word, of one purpose."""

    purpose: StatusPurpose
    status_list: int
    word: int


class Doing(NamedTuple):
    """Who did something, by which transaction, when."""

    key: Address
    transaction: Hash32
    at: int


class LastDoings:
    """Finds who did something last.

    Args:
        issuer: The issuer, as its history led it.
        events: Of the registry, in the order of the chain.
        roots: Of the batches about which somebody may ask.
        masks: By word, likewise the bits.
    """

    def __init__(
        self,
        issuer: IssuerHistory,
        events: Iterable[AnyEvent],
        *,
        roots: Collection[Hash32],
        masks: Mapping[WordOf, int],
    ) -> None:
        self._issuer: Final = issuer
        self._events: Final = events
        self._roots: Final = roots
        self._masks: Final = masks

    def anchored(self, root: Hash32) -> Doing:
        """Tell who anchored a batch last; raise `KeyError` if it is none of those that were named."""
        return self._found.anchored[root]

    def revoked(self, root: Hash32) -> Doing:
        """Tell who revoked a batch last; raise `KeyError` if nobody did, or it is none of those that were named."""
        return self._found.revoked[root]

    def changed(self, word: WordOf, bit: int) -> Doing | None:
        """Tell who changed a status last, in the epoch that counts; None: nobody, or it is none that was named."""
        return self._found.changed.get(word, {}).get(bit)

    def took_control(self) -> Doing | None:
        """Tell who took control last; None: whoever was accredited still has it."""
        return self._found.controllers.get(ControllerTransferred)

    def offered_control(self) -> Doing | None:
        """Tell who offered control last, or took the offer back."""
        return self._found.controllers.get(ControllerTransferStarted)

    @cached_property
    def _found(self) -> _Found:
        found, epoch = _Found({}, {}, {}, {}), self._issuer.record.status_epoch
        for event in events_of(self._events, self._issuer.issuer_id):
            match event:
                case BatchAnchored() if event.root in self._roots:
                    found.anchored[event.root] = _doing(event)
                case BatchRevoked() if event.root in self._roots:
                    found.revoked[event.root] = _doing(event)
                case ControllerTransferred() | ControllerTransferStarted():
                    found.controllers[type(event)] = _doing(event)
                case StatusChanged() if event.epoch == epoch:
                    self._note(found, event)
        return found

    def _note(self, found: _Found, event: StatusChanged) -> None:
        doing = None
        for word, mask in zip(event.words, event.masks, strict=True):
            place = WordOf(purpose_of(event), event.status_list, word)
            for bit in bits_of(mask & self._masks.get(place, 0)):
                doing = doing or _doing(event)
                found.changed.setdefault(place, {})[bit] = doing


class _Found(NamedTuple):
    anchored: dict[Hash32, Doing]
    revoked: dict[Hash32, Doing]
    changed: dict[WordOf, dict[int, Doing]]
    controllers: dict[type[IssuerEvent], Doing]


def events_of(events: Iterable[AnyEvent], issuer_id: int) -> Iterator[AnyEvent]:
    """Give an issuer's own events."""
    return (event for event in events if isinstance(event, IssuerEvent) and event.issuer_id == issuer_id)


def purpose_of(event: StatusChanged) -> StatusPurpose:
    """Tell whose bits an event changed."""
    return StatusPurpose.REVOCATION if isinstance(event, CredentialsRevoked) else StatusPurpose.SUSPENSION


def bits_of(mask: int) -> Iterator[int]:
    """List which bits of a word are set, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _doing(event: AnyEvent) -> Doing:
    return Doing(event.actor, event.log.transaction_hash, event.at)
