"""One event of a history in plain words, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from anchor.cli.wording import Wording, wording_of
from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    IssuerAccredited,
    IssuerEvent,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    NoncesCancelled,
    RoleChanged,
    StatusChanged,
    StatusEpochChanged,
)
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, EpochChange, History, IssuerHistory
from anchor.model import ZERO_ADDRESS, Hash32, KeyScope, StatusPosition, to_hex, to_utc
from anchor.status import StatusReason, positions_of

LABELS: Final = {
    "roleChanged": "role changed",
    "issuerAccredited": "issuer accredited",
    "accreditationWithdrawn": "[red]accreditation withdrawn[/]",
    "controllerTransferStarted": "control offered",
    "controllerTransferred": "control handed over",
    "keyAdded": "key added",
    "keyRetired": "key retired",
    "keyCompromised": "[red]key compromised[/]",
    "statusEpochChanged": "[yellow]status epochs changed[/]",
    "noncesCancelled": "signatures cancelled",
    "batchAnchored": "batch anchored",
    "batchRevoked": "[red]batch revoked[/]",
    "credentialsRevoked": "[red]revoked[/]",
    "credentialsSuspended": "[yellow]suspended[/]",
    "credentialsReinstated": "[green]reinstated[/]",
}
"""What each kind of event is called in the table."""

_ROLES: Final = {ADMIN_ROLE: "admin", ACCREDITOR_ROLE: "accreditor"}
_SHOWN_POSITIONS: Final = 3
"""Status positions named in one row of the table; JSON and CSV name them all."""


class Occurrence:
    """One event, in the light of the whole history: what became void later, and what an epoch change undid."""

    def __init__(self, history: History, event: AnyEvent) -> None:
        self.event: Final = event
        self.issuer: Final[IssuerHistory | None] = (
            history.issuer(event.issuer_id) if isinstance(event, IssuerEvent) else None
        )

    @property
    def positions(self) -> tuple[StatusPosition, ...]:
        """The credentials whose status it changed."""
        if not isinstance(self.event, StatusChanged):
            return ()
        return tuple(
            position
            for word, mask in zip(self.event.words, self.event.masks, strict=True)
            for position in positions_of(self.event.status_list, word, mask)
        )

    @property
    def reason(self) -> str:
        """The reason given, or nothing."""
        reason = getattr(self.event, "reason", None)
        return StatusReason(reason).label if reason is not None else ""

    @property
    def epoch_change(self) -> EpochChange | None:
        """What changed with the epochs, if it is such an event."""
        changes = self.issuer.epoch_changes if self.issuer is not None else ()
        return next((change for change in changes if change.event == self.event), None)

    @property
    def is_void(self) -> bool:
        """Whether it is an anchoring that a later declaration made void."""
        if self.issuer is None or not isinstance(self.event, BatchAnchored):
            return False
        cut_off = self.issuer.keys[self.event.actor].cut_off
        return cut_off is not None and cut_off <= self.event.at

    @property
    def subject(self) -> str:
        """The one thing that it is about, in full: an account, a key, a root, a DID; empty if there are many."""
        match self.event:
            case RoleChanged():
                return to_hex(self.event.account)
            case IssuerAccredited():
                return self.event.did
            case ControllerTransferStarted() | ControllerTransferred():
                return to_hex(self.event.controller) if self.event.controller != ZERO_ADDRESS else ""
            case KeyAdded() | KeyRetired() | KeyCompromised() | NoncesCancelled():
                return to_hex(self.event.key)
            case BatchAnchored() | BatchRevoked():
                return to_hex(self.event.root)
            case _:
                return ""

    def words(self) -> str:
        """Say in one line what happened."""
        event, subject = self.event, self.subject[:10] + "…"
        match event:
            case RoleChanged():
                return f"{subject} {'is' if event.granted else 'is no longer'} {role_name(event.role)}"
            case IssuerAccredited():
                return f"{event.did}, controlled by {to_hex(event.controller)[:10]}…"
            case AccreditationWithdrawn():
                return f"from {to_utc(event.withdrawn_at)} on"
            case ControllerTransferStarted():
                return f"to {subject}" if self.subject else "the offer is taken back"
            case ControllerTransferred():
                return f"to {subject}"
            case KeyAdded():
                epoch = f", epoch {event.status_epoch}" if event.scope == KeyScope.STATUS.value else ""
                return f"{subject} for {KeyScope(event.scope).name.lower()}{epoch}, from {to_utc(event.valid_from)} on"
            case KeyRetired():
                return f"{subject} from {to_utc(event.valid_until)} on; what it did before stays good"
            case KeyCompromised():
                anchors = self.issuer is not None and self.issuer.keys[event.key].scope == KeyScope.ANCHOR.value
                return (
                    f"{subject} since {to_utc(event.since)}{'; its batches from then on are void' if anchors else ''}"
                )
            case StatusEpochChanged():
                return f"epoch {event.epoch} counts, {event.next_epoch} comes next{self._undone()}"
            case NoncesCancelled():
                return f"of {subject}, with nonces below {event.nonce}"
            case BatchAnchored():
                size = f"{event.size} credentials" if event.size else "size not stated"
                return f"{size}, root {subject}{' (VOID: key compromised)' if self.is_void else ''}"
            case BatchRevoked():
                return f"root {subject}, in epoch {event.epoch}"
            case _:
                positions = self.positions
                named = ", ".join(str(position.index) for position in positions[:_SHOWN_POSITIONS])
                rest = len(positions) - _SHOWN_POSITIONS
                epoch = f", in epoch {event.epoch}" if event.epoch else ""
                return f"list {event.status_list}, index {named}{f' and {rest} more' if rest > 0 else ''}{epoch}"

    def content(self) -> dict[str, Any]:
        """Give it as members of a JSON document."""
        event = self.event
        content: dict[str, Any] = {
            "event": event.kind,
            "issuer": event.issuer_id if isinstance(event, IssuerEvent) else None,
            "at": event.at,
            "actor": to_hex(event.actor),
            "block": event.log.block_number,
            "transaction": to_hex(event.log.transaction_hash),
        }
        content |= {
            "registryHead" if issuer_id is None else "head": to_hex(head) for issuer_id, head in event.heads.items()
        }
        return content | self._members()

    def _members(self) -> dict[str, Any]:
        event = self.event
        match event:
            case RoleChanged():
                return {"role": role_name(event.role), "account": self.subject, "granted": event.granted}
            case IssuerAccredited():
                return {"did": event.did, "controller": to_hex(event.controller)}
            case AccreditationWithdrawn():
                return {"withdrawnAt": event.withdrawn_at, "reason": self.reason}
            case ControllerTransferStarted() | ControllerTransferred():
                return {"controller": self.subject or None}
            case KeyAdded():
                scope, epoch = KeyScope(event.scope).name, event.status_epoch
                return {"key": self.subject, "scope": scope, "statusEpoch": epoch, "validFrom": event.valid_from}
            case KeyRetired():
                return {"key": self.subject, "validUntil": event.valid_until}
            case KeyCompromised():
                return {"key": self.subject, "since": event.since}
            case StatusEpochChanged():
                return {"epoch": event.epoch, "nextEpoch": event.next_epoch} | self._undone_content()
            case NoncesCancelled():
                return {"key": self.subject, "nonce": event.nonce}
            case BatchAnchored():
                return {"root": self.subject, "size": event.size, "void": self.is_void}
            case BatchRevoked():
                return {"root": self.subject, "epoch": event.epoch, "reason": self.reason}
            case _:
                indices = [position.index for position in self.positions]
                return {"list": event.status_list, "epoch": event.epoch, "indices": indices, "reason": self.reason}

    def _undone(self) -> str:
        change = self.epoch_change
        if change is None:
            return ""
        counts = {
            "revoked": len(change.unrevoked),
            "suspended": len(change.unsuspended),
            "batches revoked": len(change.unrevoked_batches),
        }
        undone = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"; no longer so: {undone}" if undone else ""

    def _undone_content(self) -> dict[str, Any]:
        change = self.epoch_change
        if change is None:
            return {}
        return {
            "unrevoked": [_position_content(each) for each in change.unrevoked],
            "unsuspended": [_position_content(each) for each in change.unsuspended],
            "unrevokedBatches": [to_hex(root) for root in change.unrevoked_batches],
        }


def role_name(role: Hash32) -> str:
    """Name a role; one that the registry's admin made up by its hash."""
    return _ROLES.get(role, to_hex(role))


def position_words(positions: Iterable[StatusPosition], wording: Wording | None = None) -> str:
    """Name positions, neighbours together: `list 0, index 3, 7-9; list 1, index 0`, in English unless told."""
    say = (wording or wording_of("en")).say
    lists = []
    for status_list, members in groupby(positions, key=lambda each: each.status_list):
        ranges: list[list[int]] = []
        for index in (position.index for position in members):
            if ranges and ranges[-1][1] == index - 1:
                ranges[-1][1] = index
            else:
                ranges.append([index, index])
        named = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
        lists.append(say("positions", list=str(status_list), named=named))
    return "; ".join(lists)


def _position_content(position: StatusPosition) -> dict[str, int]:
    return {"list": position.status_list, "index": position.index}
