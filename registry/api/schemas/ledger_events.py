"""Events of the registry as the API shows them: with the members that `credanchor audit` writes, and where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal, Self

from pydantic import Field

from anchor.cli.occurrences import Occurrence
from anchor.events import AnyEvent, StatusChanged
from anchor.history import History
from anchor.model import to_hex
from registry.api.schemas.base import Account, Document, Hash, Seconds
from registry.services.explorer.views import EventView

MOST_POSITIONS: Final = 1_000
"""Status positions that are named of one event; the downloads name them all."""

EPOCH: Final[Any] = Field(description="Status epochs are numbered from 0.", examples=[0])

EventKind = Literal[
    "roleChanged",
    "issuerAccredited",
    "accreditationWithdrawn",
    "controllerTransferStarted",
    "controllerTransferred",
    "keyAdded",
    "keyRetired",
    "keyCompromised",
    "statusEpochChanged",
    "noncesCancelled",
    "batchAnchored",
    "batchRevoked",
    "credentialsRevoked",
    "credentialsSuspended",
    "credentialsReinstated",
]


class Position(Document):
    """A status position."""

    status_list: int = Field(alias="list", examples=[0])
    index: int = Field(examples=[94567])


class LedgerEvent(Document):
    """One event. Which of the members from `role` on there are, its kind says (docs/spec/history.md)."""

    number: int = Field(description="Among all events of the registry, from 1.", examples=[23])
    event: EventKind
    issuer: int | None = Field(description="Null: it is of the registry as a whole.", examples=[1])
    at: Seconds
    actor: Account = Field(description="Who decided it: admin, accreditor, controller or key.")
    credentials: int = Field(description="How many it is about; 0: none, or it does not say.", examples=[120])
    block: int = Field(examples=[4711])
    block_hash: Hash
    transaction: Hash
    log_index: int = Field(examples=[0])
    head: Hash | None = Field(default=None, description="The issuer's head after it.")
    registry_head: Hash | None = Field(default=None, description="The registry-wide head after it.")
    role: str | None = Field(default=None, examples=["accreditor"])
    account: Account | None = None
    granted: bool | None = Field(default=None, examples=[True])
    did: str | None = Field(default=None, examples=["did:web:college.example"])
    controller: Account | None = Field(default=None, description="Null in an offer that is taken back.")
    withdrawn_at: Seconds | None = None
    reason: str | None = Field(default=None, examples=["superseded"])
    key: Account | None = None
    scope: Literal["ANCHOR", "STATUS"] | None = None
    status_epoch: int | None = Field(default=None, examples=[0])
    valid_from: Seconds | None = None
    valid_until: Seconds | None = None
    since: Seconds | None = None
    epoch: int | None = Field(default=None, examples=[0])
    next_epoch: int | None = Field(default=None, examples=[1])
    nonce: int | None = Field(default=None, examples=[3])
    root: Hash | None = None
    size: int | None = Field(default=None, description="0: not stated.", examples=[120])
    void: bool | None = Field(default=None, examples=[False])
    status_list: int | None = Field(default=None, alias="list", examples=[0])
    indices: list[int] | None = Field(
        default=None, description="Positions in the list that changed, 1,000 or so at most.", examples=[[94567]]
    )
    unrevoked: list[Position] | None = Field(default=None, description="Revoked no longer since then, 1,000 at most.")
    unsuspended: list[Position] | None = Field(default=None, description="Suspended no longer; likewise.")
    unrevoked_batches: list[Hash] | None = Field(default=None, description="Roots of batches revoked no longer.")

    @classmethod
    def of(cls, view: EventView, history: History) -> Self:
        """Show it.

        Args:
            view: The event.
            history: Knows its issuer.
        """
        log = view.event.log
        content = Occurrence(history, _shortened(view.event)).content()
        where = {"number": view.number, "blockHash": to_hex(log.block_hash), "logIndex": log.log_index}
        return cls.model_validate({**content, **where, "credentials": view.credentials})


def _shortened(event: AnyEvent) -> AnyEvent:
    """Leave out words of a change of status after so many positions: one event may have a hundred thousand."""
    if not isinstance(event, StatusChanged):
        return event
    named = count = 0
    for mask in event.masks:
        if named >= MOST_POSITIONS:
            break
        named, count = named + mask.bit_count(), count + 1
    return replace(event, words=event.words[:count], masks=event.masks[:count])
