"""Events of the registry: what its contract can say, as IRegistryEvents.sol declares it (docs/spec/history.md).

An event extends the head of its issuer, the registry-wide one, or both (`Event.heads`). Heads cover its parameters, not
where it was found: block, transaction and log index are what the node says. `at` is a parameter, hence the chain's own
time.

Leaves to others: reading raw logs and computing heads (`anchor.logs`); whether events follow from one another
(`anchor.replay`) and are all that there were (`anchor.audit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from anchor.errors import EvidenceFormatError
from anchor.model import Address, Hash32, address, hash32

MAX_PLACE: Final = 2**63 - 1
"""Highest block number or log index that is taken: no chain comes near, and what is kept can hold it."""

_MAX_TOPICS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """A log as a node sends it."""

    address: Address
    """Contract that emitted it."""
    topics: tuple[Hash32, ...]
    data: bytes
    block_number: int
    block_hash: Hash32
    transaction_hash: Hash32
    log_index: int
    """Position among all logs of the block."""

    def __post_init__(self) -> None:
        address(self.address)
        for each in (*self.topics, self.block_hash, self.transaction_hash):
            hash32(each)
        if len(self.topics) > _MAX_TOPICS:
            raise EvidenceFormatError(f"a log has at most {_MAX_TOPICS} topics, got {len(self.topics)}")
        if not (0 <= self.block_number <= MAX_PLACE and 0 <= self.log_index <= MAX_PLACE):
            raise EvidenceFormatError("a log's block number and index are from 0 to 2^63 - 1")

    @property
    def place(self) -> str:
        """Where it is on the chain, for people."""
        return f"block {self.block_number}, log {self.log_index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a registry. Only `anchor.logs.parse_log` builds one."""

    kind: ClassVar[str]
    """Its name in reports: the contract's, with a small first letter."""
    abi: ClassVar[str]
    """Its parameters as IRegistryEvents.sol declares them, named as the fields here. Indexed ones first, heads last."""

    actor: Address
    """Who decided it: admin, accreditor, controller or key."""
    at: int
    """Time of its block."""
    heads: Mapping[int | None, Hash32] = field(hash=False)
    """The heads after it, as the log says: by issuer; the registry-wide one by None."""
    event_hash: Hash32
    """What it adds to these heads."""
    log: RawLog = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Event):
    """An account was given a role, or lost it."""

    kind = "roleChanged"
    abi = "bytes32 indexed role, address indexed account, bool granted, address actor, uint40 at, bytes32 registry_head"

    role: Hash32
    account: Address
    granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerEvent(Event):
    """One event of one issuer: it extends that issuer's head."""

    issuer_id: int

    @property
    def head(self) -> Hash32:
        """The issuer's head after it, as the log says."""
        return self.heads[self.issuer_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAccredited(IssuerEvent):
    """An issuer was admitted."""

    kind = "issuerAccredited"
    abi = (
        "uint32 indexed issuer_id, bytes32 indexed did_hash, string did_bytes, address controller, address actor, "
        "uint40 at, bytes32 head, bytes32 registry_head"
    )

    did_hash: Hash32
    did_bytes: bytes
    """The DID as the contract took it, which asks for no UTF-8."""
    controller: Address

    @property
    def did(self) -> str:
        """The DID for people: what is no UTF-8 is shown escaped. `did_hash` is what tells issuers apart."""
        return self.did_bytes.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditationWithdrawn(IssuerEvent):
    """An accreditation got an end, or an earlier one."""

    kind = "accreditationWithdrawn"
    abi = (
        "uint32 indexed issuer_id, uint40 withdrawn_at, uint8 reason, address actor, uint40 at, bytes32 head, "
        "bytes32 registry_head"
    )

    withdrawn_at: int
    reason: int
    """A `StatusReason` value, or what the contract would never emit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerTransferStarted(IssuerEvent):
    """Control of an issuer was offered, or the offer taken back."""

    kind = "controllerTransferStarted"
    abi = "uint32 indexed issuer_id, address indexed controller, address actor, uint40 at, bytes32 head"

    controller: Address
    """Who may accept; zero: nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerTransferred(IssuerEvent):
    """Control of an issuer was accepted."""

    kind = "controllerTransferred"
    abi = "uint32 indexed issuer_id, address indexed controller, address actor, uint40 at, bytes32 head"

    controller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAdded(IssuerEvent):
    """A key was bound to an issuer."""

    kind = "keyAdded"
    abi = (
        "uint32 indexed issuer_id, address indexed key, uint8 scope, uint16 status_epoch, uint40 valid_from, "
        "address actor, uint40 at, bytes32 head"
    )

    key: Address
    scope: int
    """A `KeyScope` value, or what the contract would never emit."""
    status_epoch: int
    valid_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRetired(IssuerEvent):
    """A key got its end; what it did before stays good."""

    kind = "keyRetired"
    abi = "uint32 indexed issuer_id, address indexed key, uint40 valid_until, address actor, uint40 at, bytes32 head"

    key: Address
    valid_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCompromised(IssuerEvent):
    """A key was declared compromised: what it did at `since` or later is void."""

    kind = "keyCompromised"
    abi = "uint32 indexed issuer_id, address indexed key, uint40 since, address actor, uint40 at, bytes32 head"

    key: Address
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEpochChanged(IssuerEvent):
    """Other status epochs count from now on; follows the `KeyCompromised` of a STATUS key that caused it."""

    kind = "statusEpochChanged"
    abi = "uint32 indexed issuer_id, uint16 epoch, uint16 next_epoch, address actor, uint40 at, bytes32 head"

    epoch: int
    next_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoncesCancelled(IssuerEvent):
    """Signatures for relayed calls that were not used yet became void."""

    kind = "noncesCancelled"
    abi = "uint32 indexed issuer_id, address indexed key, uint256 nonce, address actor, uint40 at, bytes32 head"

    key: Address
    nonce: int
    """Next one that is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnchored(IssuerEvent):
    """A batch was anchored by the actor; or anchored again, the earlier anchoring being void."""

    kind = "batchAnchored"
    abi = "uint32 indexed issuer_id, bytes32 indexed root, uint32 size, address actor, uint40 at, bytes32 head"

    root: Hash32
    size: int
    """0: it was anchored by its root alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRevoked(IssuerEvent):
    """A whole batch was revoked."""

    kind = "batchRevoked"
    abi = (
        "uint32 indexed issuer_id, bytes32 indexed root, uint16 epoch, uint8 reason, address actor, uint40 at, "
        "bytes32 head"
    )

    root: Hash32
    epoch: int
    reason: int
    """A `StatusReason` value, or what the contract would never emit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(IssuerEvent):
    """Bits of a status list changed: revocation, suspension or reinstatement."""

    abi = (
        "uint32 indexed issuer_id, uint32 indexed status_list, uint16 epoch, uint16[] words, uint256[] masks, "
        "uint8 reason, address actor, uint40 at, bytes32 head"
    )

    status_list: int
    epoch: int
    words: tuple[int, ...]
    masks: tuple[int, ...]
    """For each word, the bits that this event changed."""
    reason: int
    """A `StatusReason` value, or what the contract would never emit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRevoked(StatusChanged):
    """Credentials were revoked."""

    kind = "credentialsRevoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsSuspended(StatusChanged):
    """Credentials were suspended."""

    kind = "credentialsSuspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsReinstated(StatusChanged):
    """Suspensions were lifted."""

    kind = "credentialsReinstated"


OngoingEvent = (
    AccreditationWithdrawn
    | ControllerTransferStarted
    | ControllerTransferred
    | KeyAdded
    | KeyRetired
    | KeyCompromised
    | StatusEpochChanged
    | NoncesCancelled
    | BatchAnchored
    | BatchRevoked
    | StatusChanged
)
"""What can happen to an issuer once it is accredited."""

AnyEvent = RoleChanged | IssuerAccredited | OngoingEvent
