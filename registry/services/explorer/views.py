"""What the explorer shows, as plain values: a registry, its issuers, events, batches, positions, and what was found.

All of it comes from one state of the history that was proven complete: `LedgerView` says which. Chain data alone; there
is nothing personal in it, and nothing of one institution more than of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from anchor.events import AnyEvent
from anchor.history import RoleTenure
from anchor.model import Address, Basis, Batch, Hash32, Issuer, Key, RegistryId, StatusPosition
from anchor.status import StatusPurpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is, of a registry or of one issuer."""

    events: int
    batches: int
    """Anchored, and not void."""
    credentials: int
    """In these batches, as far as sizes are stated."""
    void_batches: int
    revoked_batches: int
    """Revoked as a whole, in the status epoch that counts."""
    revoked: int
    """Single credentials whose bit counts now."""
    suspended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """One registry, as it was proven at one block."""

    registry: RegistryId
    code_hash: Hash32
    """Of the contract, as the operator's policy pins it."""
    basis: Basis
    """The block, and what vouches for it."""
    registry_head: Hash32
    issuers: int
    counts: Counts
    first_at: int
    """When the first event happened; Unix seconds, as all times here."""
    last_at: int
    tenures: tuple[RoleTenure, ...]
    """Who had which role, in the order of granting."""
    proven_at: int
    """When this service proved it, by its own clock."""
    problem: str | None
    """Why it is not newer, in plain words, if something is in the way."""
    tag: str
    """Stands for this state of history: changes exactly when anything that is shown of it, but for the block, may."""

    @property
    def block_tag(self) -> str:
        """Stands for this state, the block at which it was proven, and what is in the way."""
        problem = "-problem" if self.problem else ""
        return f"{self.tag}-{self.basis.block_hash.hex()[:16]}{problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event, and where it is."""

    number: int
    """Among all events of the registry, from 1; stays the same unless the chain is reorganised."""
    event: AnyEvent
    credentials: int
    """How many credentials it is about: the size of a batch, status bits that changed; 0: none, or not stated."""

    @property
    def issuer_id(self) -> int | None:
        """The issuer that it is of; None: the registry as a whole."""
        return getattr(self.event, "issuer_id", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """One key of an issuer."""

    address: Address
    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerView:
    """One issuer: where events led it."""

    issuer_id: int
    did: str
    did_hash: Hash32
    record: Issuer
    head: Hash32
    pending_controller: Address | None
    next_status_epoch: int
    keys: tuple[KeyView, ...]
    """In the order in which they were added."""
    counts: Counts
    last_at: int
    """When its last event happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochChangeView:
    """What was no longer so since other status epochs count."""

    event: EventView
    unrevoked: int
    """Credentials."""
    unsuspended: int
    unrevoked_batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """One issuer's batch, as it counts now."""

    issuer: IssuerView
    root: Hash32
    number: int
    """Of the event with which it was anchored last."""
    batch: Batch
    """As last anchored; `anchored_at`, key, size (0: not stated), and the last revocation of all."""
    key: Key
    """Of who anchored it."""
    is_void: bool
    is_revoked: bool
    """In the status epoch that counts."""
    events: tuple[EventView, ...]
    """All of its anchorings and revocations, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """Some of an issuer's batches."""

    batches: tuple[BatchView, ...]
    """The one anchored last first."""
    next: int | None
    """What to ask for with `before` to get those that follow; None: there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """One status position: all that happened to it, and what counts now."""

    issuer: IssuerView
    position: StatusPosition
    changes: tuple[EventView, ...]
    """The newest, in order, of every status epoch; empty: nothing happened. Each is a `StatusChanged`."""
    earlier: int
    """How many came before these."""
    counting: Mapping[StatusPurpose, EventView]
    """What is set in the status epoch that counts, by the event that set it last; empty: neither."""

    @property
    def is_revoked(self) -> bool:
        """Whether the credential there is revoked."""
        return StatusPurpose.REVOCATION in self.counting

    @property
    def is_suspended(self) -> bool:
        """Whether the credential there is suspended."""
        return StatusPurpose.SUSPENSION in self.counting


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionView:
    """One transaction: what the registry says happened in it."""

    hash: Hash32
    events: tuple[EventView, ...]
    """Not empty, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account, and the parts that it plays."""

    address: Address
    key_of: IssuerView | None
    """The issuer whose key it is; None: it is no key."""
    tenures: tuple[RoleTenure, ...]
    """The roles that it has or had."""
    first: tuple[EventView, ...]
    """The events that name it first, as a key and otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often something happened on one day."""

    issuer_id: int | None
    kind: str
    """As `Event.kind`."""
    reason: int
    """A `StatusReason` value; 0: events of this kind give none."""
    day: int
    """Its first second, UTC."""
    events: int
    credentials: int


class HitKind(Enum):
    """What was found."""

    ISSUER = "issuer"
    BATCH = "batch"
    TRANSACTION = "transaction"
    KEY = "key"
    """An issuer's key."""
    ACCOUNT = "account"
    """An account that did something, or that something was given to."""
    POSITION = "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One thing that was found."""

    kind: HitKind
    text: str
    """In full, as it should be written: a DID, a root, a hash, an address, `issuer/list/index`."""
    issuer_id: int | None
    """Whose it is, or, of an issuer, which; None: of none, or of several."""
    position: StatusPosition | None = None
