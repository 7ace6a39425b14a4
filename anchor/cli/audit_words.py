"""Events of a history in the words of a report, in its language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from anchor.cli.wording import Wording
from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    IssuerAccredited,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    NoncesCancelled,
    RoleChanged,
    StatusEpochChanged,
)
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE
from anchor.model import ZERO_ADDRESS, Hash32, KeyScope, StatusPosition, to_hex, to_utc
from anchor.status import StatusReason, positions_of

_SHOWN_POSITIONS: Final = 5
_SHOWN_DIGITS: Final = 10
"""Of accounts and roots in a sentence, 0x included; tables have them whole."""


def short(value: bytes) -> str:
    """Shorten an account or a root, to be recognised."""
    return to_hex(value)[:_SHOWN_DIGITS] + "…"


def event_words(event: AnyEvent, wording: Wording, moment: Callable[[int], str] = to_utc) -> str:
    """Say in one line what happened.

    Args:
        event: The event.
        wording: The language.
        moment: Writes Unix seconds.
    """
    say = wording.say
    match event:
        case RoleChanged():
            name = "ev_roleChanged_given" if event.granted else "ev_roleChanged_taken"
            return say(name, account=short(event.account), role=_role(event.role, wording))
        case IssuerAccredited():
            return say("ev_issuerAccredited", did=event.did, controller=short(event.controller))
        case AccreditationWithdrawn():
            return say("ev_accreditationWithdrawn", time=moment(event.withdrawn_at))
        case ControllerTransferStarted():
            if event.controller == ZERO_ADDRESS:
                return say("ev_controllerTransferCancelled")
            return say("ev_controllerTransferStarted", controller=short(event.controller))
        case ControllerTransferred():
            return say("ev_controllerTransferred", controller=short(event.controller))
        case KeyAdded():
            return say("ev_keyAdded", key=short(event.key), scope=say(scope_name(event.scope)))
        case KeyRetired():
            return say("ev_keyRetired", key=short(event.key), time=moment(event.valid_until))
        case KeyCompromised():
            return say("ev_keyCompromised", key=short(event.key), time=moment(event.since))
        case StatusEpochChanged():
            return say("ev_statusEpochChanged", epoch=event.epoch)
        case NoncesCancelled():
            return say("ev_noncesCancelled", key=short(event.key))
        case BatchAnchored():
            if not event.size:
                return say("ev_batchAnchoredUnstated", root=short(event.root))
            return say("ev_batchAnchored", root=short(event.root), size=event.size)
        case BatchRevoked():
            return say("ev_batchRevoked", root=short(event.root))
        case _:
            positions = [
                position
                for word, mask in zip(event.words, event.masks, strict=True)
                for position in positions_of(event.status_list, word, mask)
            ]
            return say(f"ev_{event.kind}", positions=position_words(positions, wording))


def position_words(positions: Sequence[StatusPosition], wording: Wording) -> str:
    """Name the first of some positions of one list, and how many more there are."""
    shown = positions[:_SHOWN_POSITIONS]
    named = ", ".join(str(each.index) for each in shown)
    status_list = str(shown[0].status_list)
    if len(positions) == len(shown):
        return wording.say("positions", list=status_list, named=named)
    return wording.say("positions_more", list=status_list, named=named, more=len(positions) - len(shown))


def reason_words(event: AnyEvent, wording: Wording) -> str:
    """Give the reason of an event, or nothing."""
    reason = getattr(event, "reason", None)
    return "" if reason is None else wording.say(f"reason_{StatusReason(reason).label}")


def scope_name(scope: int) -> str:
    """Name what a key may do, as words are named."""
    return KeyScope(scope).name.lower()


def _role(role: Hash32, wording: Wording) -> str:
    names = {ADMIN_ROLE: "admin", ACCREDITOR_ROLE: "accreditor"}
    return wording.say(names[role]) if role in names else wording.say("role_other", role=short(role))
