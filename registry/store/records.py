"""What the store keeps, as the services see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, NewType
from uuid import UUID

from anchor.model import Address, Hash32, RegistryId, StatusPosition

BatchId = NewType("BatchId", int)
"""Number of a batch in this database, from 1; the ledger knows batches by their root."""

OpenBatch = NewType("OpenBatch", int)
"""Number of a batch begun in this very transaction, to which credentials may be added."""

TransactionId = NewType("TransactionId", int)
"""Number of a transaction in this database."""


class BatchState(Enum):
    """How far a batch has come: sealed → signed → sent → anchored, or failed."""

    SEALED = "sealed"
    """Kept whole; no transaction exists."""
    SIGNED = "signed"
    """A transaction is kept; nobody else may have it."""
    SENT = "sent"
    """A node took the transaction."""
    ANCHORED = "anchored"
    FAILED = "failed"
    """The contract refused the mined transaction; anchoring may be tried again."""


UNFINISHED: Final = (BatchState.SEALED, BatchState.SIGNED, BatchState.SENT, BatchState.FAILED)
"""States of batches that are kept but not anchored."""


class TransactionState(Enum):
    """What is known of a transaction."""

    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    REFUSED = "refused"
    """Mined, and the contract refused it: it changed nothing."""
    REPLACED = "replaced"
    """Another transaction took its nonce: it can never be mined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRef:
    """An issuer on a registry, and its number in this database."""

    id: int
    registry: RegistryId
    issuer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionVersion:
    """One of the signed forms of a transaction, which differ in their fees."""

    hash: Hash32
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRecord:
    """A signed transaction and what became of it.

    `hash` and `raw` are those of the version that was mined, else of the newest.
    """

    id: TransactionId
    chain_id: int
    sender: Address
    nonce: int
    hash: Hash32
    raw: bytes
    others: tuple[TransactionVersion, ...] = ()
    """Other versions, the newest first; any of them may be mined."""
    state: TransactionState
    block_number: int | None
    gas_used: int | None
    gas_price_wei: int | None
    signed_at: int
    """When the newest version was signed, in Unix seconds."""
    authorised_by: Address | None
    """The institution's key whose signature it carries, if another account sends it."""

    @property
    def versions(self) -> tuple[TransactionVersion, ...]:
        """All versions."""
        return (TransactionVersion(hash=self.hash, raw=self.raw), *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """A batch and how far it has come."""

    id: BatchId
    issuer: IssuerRef
    root: Hash32
    size: int
    achievement_id: str
    achievement_name: str
    roster_hash: Hash32
    first_position: int
    """Status position of leaf 0, list * LIST_SIZE + index; the others' follow."""
    approval: bytes | None
    """What the institution's approval key says of issuer, root and size."""
    state: BatchState
    sealed_at: int
    transaction: TransactionId | None
    """The last one that was signed for it."""
    anchored_at: int | None
    """By the chain's clock."""
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRecord:
    """What is one credential's own; the batch's template and tree give the rest."""

    batch: BatchId
    leaf_index: int
    uuid: UUID
    position: StatusPosition
    salt: Hash32
    recipient_name: str
    recipient_email: str | None
    email_salt: bytes | None
    """None exactly when there is no e-mail."""
    details: str | None
    """JSON, as the services write it: what the roster says of the recipient beyond that."""

    @property
    def is_erased(self) -> bool:
        """Whether the recipient was erased: nobody's name is empty, rosters refuse it."""
        return not self.recipient_name


class StatusKind(Enum):
    """What is done to a credential's status."""

    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEntry:
    """A status change that was sent for one credential, or for its whole batch."""

    kind: StatusKind
    reason: int
    """A `StatusReason` value."""
    is_whole_batch: bool
    signed_at: int
    transaction: TransactionRecord
    """Its state tells whether the change came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementEntry:
    """An achievement that is kept, as lists show it."""

    code: str
    uri: str
    version: int
    """Number of this version, from 1."""
    name: str
    added_at: int
    """When this version was added, in Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementRecord:
    """One version of an achievement, whole."""

    entry: AchievementEntry
    content: bytes
    """Canonical bytes."""
