"""The registry's history as the service has read and proven it: documents of `/v1/ledger`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, Self

from pydantic import Field

from anchor.model import KeyScope, Vouching, to_hex
from anchor.status import StatusPurpose, StatusReason
from registry.api.schemas.base import Account, Document, Hash, Page, RegistryText, Seconds
from registry.api.schemas.ledger_events import EPOCH, LedgerEvent
from registry.services.explorer.views import (
    BatchView,
    Counts,
    EpochChangeView,
    HitKind,
    IssuerView,
    KeyView,
    LedgerView,
    PositionView,
    SearchHit,
)

FORMAT: Final = "credanchor/ledger@v1"
"""First member of `GET /v1/ledger`; a change that could break readers changes it."""

_DID: Final[Any] = Field(examples=["did:web:college.example"])
_ISSUER: Final[Any] = Field(examples=[1])


class AsOf(Document):
    """The block up to which everything was read, and at which it was proven to be all."""

    block: int = Field(examples=[4711])
    block_hash: Hash
    at: Seconds = Field(description="Time of the block.")
    proven_at: Seconds = Field(description="When this service proved it, by its own clock.")
    problem: str | None = Field(
        description="Why it is not newer, if something is in the way; null: it is as new as it can be.",
        examples=["no node of the ledger gave an answer that could be used"],
    )

    @classmethod
    def of(cls, view: LedgerView) -> Self:
        """Show it."""
        basis = view.basis
        return cls(
            block=basis.block_number,
            block_hash=to_hex(basis.block_hash),
            at=basis.block_at,
            proven_at=view.proven_at,
            problem=view.problem,
        )


class LedgerBasis(Document):
    """What the proof rests on: who says that the block is on the chain."""

    vouching: Literal["pinnedHash", "kOfN", "ownNode", "oneNode"]
    vouched_by: list[str] = Field(examples=[["https://rpc.example"]])
    nodes_asked: int


class LedgerCounts(Document):
    """How much there is; of revocations and suspensions, what counts now."""

    events: int
    batches: int = Field(description="Those that are not void.")
    credentials: int = Field(description="In these batches, as far as their sizes are stated.")
    void_batches: int
    revoked_batches: int
    revoked: int = Field(description="Single credentials.")
    suspended: int = Field(description="Single credentials.")

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Show them."""
        return cls(**{name: getattr(counts, name) for name in cls.model_fields})


class LedgerRole(Document):
    """That an account had a role of the registry."""

    role: str = Field(
        description="`admin`, `accreditor`, or the hash of one that the admin made up.", examples=["admin"]
    )
    account: Account
    since: Seconds
    until: Seconds | None = Field(description="Null: it still has.")


class Ledger(Document):
    """The registry as a whole."""

    format: Literal["credanchor/ledger@v1"] = FORMAT
    registry: RegistryText
    name: str = Field(description="In the operator's policy.", examples=["Borealis"])
    code_hash: Hash = Field(description="Of the contract.")
    as_of: AsOf
    basis: LedgerBasis
    registry_head: Hash
    issuers: int = Field(description="How many were ever accredited.")
    counts: LedgerCounts
    first_at: Seconds = Field(description="Time of the first event.")
    last_at: Seconds = Field(description="Time of the last event.")
    roles: list[LedgerRole]

    @classmethod
    def of(cls, view: LedgerView, roles: Iterable[dict[str, Any]]) -> Self:
        """Show it.

        Args:
            view: What was read.
            roles: Who had which, as `anchor.cli.histories.roles_content` gives them.
        """
        basis = view.basis
        return cls(
            format=FORMAT,
            registry=view.registry.to_text(),
            name=basis.registry_name,
            code_hash=to_hex(view.code_hash),
            as_of=AsOf.of(view),
            basis=LedgerBasis(
                vouching=_vouching(basis.vouching), vouched_by=list(basis.vouched_by), nodes_asked=basis.nodes_asked
            ),
            registry_head=to_hex(view.registry_head),
            issuers=view.issuers,
            counts=LedgerCounts.of(view.counts),
            first_at=view.first_at,
            last_at=view.last_at,
            roles=[LedgerRole(**each) for each in roles],
        )


class LedgerKey(Document):
    """A key of an issuer. It counts from `validFrom` to before the earlier of the ends that are set."""

    key: Account
    scope: Literal["ANCHOR", "STATUS"]
    status_epoch: int = EPOCH
    valid_from: Seconds
    valid_until: Seconds | None
    compromised_at: Seconds | None = Field(
        description="Since when it is declared compromised; what it did then is void."
    )

    @classmethod
    def of(cls, view: KeyView) -> Self:
        """Show it."""
        key = view.key
        return cls(
            key=to_hex(view.address),
            scope="ANCHOR" if key.scope == KeyScope.ANCHOR.value else "STATUS",
            status_epoch=key.status_epoch,
            valid_from=key.valid_from,
            valid_until=key.valid_until or None,
            compromised_at=key.compromised_at or None,
        )


class LedgerIssuer(Document):
    """An issuer: where its events led it."""

    issuer: int = _ISSUER
    did: str = _DID
    did_hash: Hash
    controller: Account
    pending_controller: Account | None = Field(description="Who was offered control and has not accepted.")
    accredited_at: Seconds
    withdrawn_at: Seconds | None = Field(description="The first second at which it is not accredited any more.")
    status_epoch: int = EPOCH
    next_status_epoch: int = EPOCH
    head: Hash
    keys: list[LedgerKey]
    counts: LedgerCounts
    last_at: Seconds = Field(description="Time of its last event.")

    @classmethod
    def of(cls, view: IssuerView) -> Self:
        """Show it."""
        record, pending = view.record, view.pending_controller
        return cls(
            issuer=view.issuer_id,
            did=view.did,
            did_hash=to_hex(view.did_hash),
            controller=to_hex(record.controller),
            pending_controller=None if pending is None else to_hex(pending),
            accredited_at=record.accredited_at,
            withdrawn_at=record.withdrawn_at or None,
            status_epoch=record.status_epoch,
            next_status_epoch=view.next_status_epoch,
            head=to_hex(view.head),
            keys=[LedgerKey.of(each) for each in view.keys],
            counts=LedgerCounts.of(view.counts),
            last_at=view.last_at,
        )


class LedgerIssuers(Page):
    """Issuers, in order of their numbers."""

    as_of: AsOf
    issuers: list[LedgerIssuer]


class EpochChanged(Document):
    """What was so no longer since another status epoch counts."""

    number: int = Field(description="Of the event.", examples=[17])
    at: Seconds
    unrevoked: int
    unsuspended: int
    unrevoked_batches: int

    @classmethod
    def of(cls, view: EpochChangeView) -> Self:
        """Show it."""
        return cls(
            number=view.event.number,
            at=view.event.event.at,
            unrevoked=view.unrevoked,
            unsuspended=view.unsuspended,
            unrevoked_batches=view.unrevoked_batches,
        )


class LedgerIssuerShown(Document):
    """An issuer, with what was out of the ordinary."""

    as_of: AsOf
    issuer: LedgerIssuer
    incidents: list[LedgerEvent] = Field(description="The newest first, 100 at most.")
    epoch_changes: list[EpochChanged] = Field(description="In order.")


class LedgerEvents(Page):
    """Events, the newest first."""

    as_of: AsOf
    events: list[LedgerEvent]


class LedgerBatch(Document):
    """One issuer's batch, as it counts now."""

    root: Hash
    issuer: int = _ISSUER
    did: str = _DID
    size: int | None = Field(description="Null: not stated.", examples=[120])
    key: Account = Field(description="By which it was anchored.")
    anchored_at: Seconds
    void: bool = Field(description="Whether it counts for nothing, for its key was declared compromised since before.")
    revoked: str | None = Field(description="The reason, if it is revoked as a whole.", examples=["superseded"])

    @classmethod
    def of(cls, view: BatchView) -> Self:
        """Show it."""
        batch = view.batch
        return cls(
            root=to_hex(view.root),
            issuer=view.issuer.issuer_id,
            did=view.issuer.did,
            size=batch.size or None,
            key=to_hex(batch.key),
            anchored_at=batch.anchored_at,
            void=view.is_void,
            revoked=StatusReason(batch.revoked_reason).label if view.is_revoked else None,
        )


class LedgerBatches(Page):
    """An issuer's batches, the one anchored last first. Of one that was anchored again, the last anchoring counts."""

    as_of: AsOf
    batches: list[LedgerBatch]


class LedgerBatchShown(LedgerBatch):
    """A batch, with all that happened to it."""

    events: list[LedgerEvent] = Field(description="In order.")


class LedgerRoot(Document):
    """Batches with one root: of each issuer that anchored it."""

    as_of: AsOf
    batches: list[LedgerBatchShown]


class LedgerTransaction(Document):
    """What the registry says happened in a transaction."""

    as_of: AsOf
    transaction: Hash
    events: list[LedgerEvent] = Field(description="In order.")


class LedgerPosition(Document):
    """A status position. Whether there is a credential that has it, the ledger does not say."""

    as_of: AsOf
    issuer: int = _ISSUER
    did: str = _DID
    status_list: int = Field(alias="list", examples=[0])
    index: int = Field(examples=[94567])
    status_epoch: int = EPOCH
    revoked: int | None = Field(
        description="Number of the event by which it is revoked now; null: it is not.", examples=[23]
    )
    suspended: int | None = Field(
        description="Number of the event by which it is suspended now; null: it is not.", examples=[24]
    )
    earlier: int = Field(description="How many changes came before those listed.")
    changes: list[LedgerEvent] = Field(description="In order, of every status epoch; the newest 200.")

    @classmethod
    def of(cls, as_of: AsOf, view: PositionView, changes: list[LedgerEvent]) -> Self:
        """Show it."""
        revoked = view.counting.get(StatusPurpose.REVOCATION)
        suspended = view.counting.get(StatusPurpose.SUSPENSION)
        return cls(
            as_of=as_of,
            issuer=view.issuer.issuer_id,
            did=view.issuer.did,
            list=view.position.status_list,
            index=view.position.index,
            status_epoch=view.issuer.record.status_epoch,
            revoked=None if revoked is None else revoked.number,
            suspended=None if suspended is None else suspended.number,
            earlier=view.earlier,
            changes=changes,
        )


Kind = Literal["issuer", "batch", "transaction", "key", "account", "position"]


class LedgerHit(Document):
    """One thing that was found."""

    kind: Kind
    text: str = Field(description="What it is called, in full.", examples=["did:web:college.example"])
    issuer: int | None = Field(description="Whose it is; null: of none, or of several.")
    path: str | None = Field(description="Where this API shows it; null: nowhere.", examples=["/v1/ledger/issuers/1"])

    @classmethod
    def of(cls, hit: SearchHit) -> Self:
        """Show it."""
        return cls(kind=_kind(hit.kind), text=hit.text, issuer=hit.issuer_id, path=_path(hit))


class LedgerHits(Document):
    """What was found, the likeliest first; nothing: the registry has nothing of the kind."""

    as_of: AsOf
    forms: list[Kind] = Field(
        description="What the text may be by its form, found or not; nothing: a part of a DID at most.",
        examples=[["issuer"]],
    )
    hits: list[LedgerHit]

    @classmethod
    def of(cls, as_of: AsOf, forms: Iterable[HitKind], hits: Iterable[SearchHit]) -> Self:
        """Show them."""
        return cls(as_of=as_of, forms=[_kind(each) for each in forms], hits=[LedgerHit.of(each) for each in hits])


def _path(hit: SearchHit) -> str | None:
    match hit.kind:
        case HitKind.ISSUER | HitKind.KEY:
            return f"/v1/ledger/issuers/{hit.issuer_id}"
        case HitKind.BATCH:
            return f"/v1/ledger/batches/{hit.text}"
        case HitKind.TRANSACTION:
            return f"/v1/ledger/transactions/{hit.text}"
        case HitKind.POSITION if hit.position is not None:
            position = hit.position
            return f"/v1/ledger/issuers/{hit.issuer_id}/status/{position.status_list}/{position.index}"
        case _:
            return None


def _vouching(vouching: Vouching) -> Literal["pinnedHash", "kOfN", "ownNode", "oneNode"]:
    return vouching.value


def _kind(kind: HitKind) -> Kind:
    return kind.value
