"""Events of the registry: strict reading of raw logs, and the hash chains (heads) over them (docs/spec/history.md).

Upholds: a log that decodes is byte for byte what the contract's `emit` would write, and `event_hash` is what it would
hash into the issuer's head (design section 6):

    head of an issuer:   head_0 = keccak256(abi.encode("credanchor/head/v1", chain id, registry, issuer))
    event hash:          keccak256(abi.encode(topic0, all parameters in declared order, but for the heads at the end))
    next head:           keccak256(abi.encode(head, event hash))

A head covers an event's parameters, not where it was found: block, transaction and log index are what the node says.
`at` is a parameter, hence the chain's own time.

Leaves to others: whether the events are the whole history and follow from one another (`anchor.audit`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from eth_abi import abi
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from anchor.errors import EvidenceFormatError, HistoryError
from anchor.model import Address, Hash32, RegistryId, address, hash32, parse_hex, to_hex

_ISSUER_HEAD_TAG: Final = "credanchor/head/v1"
_REGISTRY_HEAD_TAG: Final = "credanchor/registry-head/v1"

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
        if self.block_number < 0 or self.log_index < 0:
            raise EvidenceFormatError("a log's block number and index must not be negative")

    @property
    def place(self) -> str:
        """Where it is on the chain, for people."""
        return f"block {self.block_number}, log {self.log_index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of one issuer. Only `parse_log` builds one."""

    kind: ClassVar[str]
    """Its name in reports."""

    issuer_id: int
    actor: Address
    """Who did it: accreditor, controller or key."""
    at: int
    head: Hash32
    """The issuer's head after it, as the log says."""
    event_hash: Hash32
    """What it adds to the head."""
    log: RawLog = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAccredited(Event):
    """An issuer was admitted."""

    kind = "issuerAccredited"

    did_hash: Hash32
    did_bytes: bytes
    """The DID as the contract took it, which asks for no UTF-8."""
    controller: Address
    registry_head: Hash32
    """The registry-wide head after it, as the log says."""

    @property
    def did(self) -> str:
        """The DID for people: what is no UTF-8 is shown escaped. `did_hash` is what tells issuers apart."""
        return self.did_bytes.decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAdded(Event):
    """A key was bound to an issuer."""

    kind = "keyAdded"

    key: Address
    scope: int
    """A `KeyScope` value, or what the contract would never emit."""
    status_epoch: int
    valid_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnchored(Event):
    """A batch was anchored by the actor."""

    kind = "batchAnchored"

    root: Hash32
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged(Event):
    """Bits of a status list changed: revocation, suspension or reinstatement."""

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


AnyEvent = IssuerAccredited | KeyAdded | BatchAnchored | StatusChanged


def first_head(registry: RegistryId, issuer_id: int) -> Hash32:
    """Give an issuer's head before its first event."""
    types = ["string", "uint256", "address", "uint32"]
    values = [_ISSUER_HEAD_TAG, registry.chain_id, to_hex(registry.address), issuer_id]
    return Hash32(keccak(abi.encode(types, values)))


def first_registry_head(registry: RegistryId) -> Hash32:
    """Give the registry-wide head before its first event."""
    types = ["string", "uint256", "address"]
    return Hash32(keccak(abi.encode(types, [_REGISTRY_HEAD_TAG, registry.chain_id, to_hex(registry.address)])))


def next_head(head: Hash32, event_hash: Hash32) -> Hash32:
    """Give the head after one more event."""
    return Hash32(keccak(head + event_hash))


def parse_log(log: RawLog) -> AnyEvent | None:
    """Read one log of the registry.

    Returns:
        The event; None for a log of another kind, such as OpenZeppelin's for roles. Passing over those is safe: nothing
        is concluded from them, and an event that does extend a head, of a contract newer than this code, is missed by
        the head of the next event or in the end by the one proven.

    Raises:
        HistoryError: The log claims to be one of the events above and is not what the contract would emit.
    """
    form = _FORMS.get(log.topics[0]) if log.topics else None
    return form.parse(log) if form is not None else None


def _as_is(value: Any) -> Any:
    return value


_CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {"address": lambda text: address(parse_hex(text))}

_HEADS: Final = frozenset({"head", "registry_head"})


class _Form:
    """The ABI of one event, with parameters named as in the `Event` they become."""

    def __init__(self, name: str, event: type[AnyEvent], *, topics: dict[str, str], data: dict[str, str]) -> None:
        self._name = name
        self._event = event
        self._parameters = [*topics, *data]
        self._indexed, self._unindexed = [*topics.values()], [*data.values()]
        types = self._indexed + self._unindexed
        heads = sum(parameter in _HEADS for parameter in self._parameters)
        # Indexed parameters are declared first, heads last; a head cannot hash itself.
        self._hashed_count = len(types) - heads
        self._hashed = ["bytes32", *types[: self._hashed_count]]
        self._convert = [_CONVERTERS.get(each, _as_is) for each in types]
        # A string is encoded like bytes, but eth_abi decodes only those that are UTF-8.
        signature = ",".join("string" if each == "bytes" else each for each in types)
        self.topic: Final[Hash32] = Hash32(keccak(f"{name}({signature})".encode()))

    def parse(self, log: RawLog) -> AnyEvent:
        topics = b"".join(log.topics[1:])
        try:
            indexed = abi.decode(self._indexed, topics)
            unindexed = abi.decode(self._unindexed, log.data)
        except (DecodingError, OverflowError) as error:  # eth_abi lets the latter through for lengths beyond 63 bits
            raise HistoryError(f"{log.place}: a {self._name} log does not decode") from error
        if abi.encode(self._indexed, indexed) != topics or abi.encode(self._unindexed, unindexed) != log.data:
            raise HistoryError(f"{log.place}: a {self._name} log is not encoded as the contract encodes it")
        values = [*indexed, *unindexed]
        event_hash = Hash32(keccak(abi.encode(self._hashed, [self.topic, *values[: self._hashed_count]])))
        fields = (convert(value) for convert, value in zip(self._convert, values, strict=True))
        return self._event(**dict(zip(self._parameters, fields, strict=True)), event_hash=event_hash, log=log)


_STATUS_TOPICS: Final = {"issuer_id": "uint32", "status_list": "uint32"}
_STATUS_DATA: Final = {
    "epoch": "uint16",
    "words": "uint16[]",
    "masks": "uint256[]",
    "reason": "uint8",
    "actor": "address",
    "at": "uint40",
    "head": "bytes32",
}

_FORMS: Final = {
    form.topic: form
    for form in (
        _Form(
            "IssuerAccredited",
            IssuerAccredited,
            topics={"issuer_id": "uint32", "did_hash": "bytes32"},
            data={
                "did_bytes": "bytes",
                "controller": "address",
                "actor": "address",
                "at": "uint40",
                "head": "bytes32",
                "registry_head": "bytes32",
            },
        ),
        _Form(
            "KeyAdded",
            KeyAdded,
            topics={"issuer_id": "uint32", "key": "address"},
            data={
                "scope": "uint8",
                "status_epoch": "uint16",
                "valid_from": "uint40",
                "actor": "address",
                "at": "uint40",
                "head": "bytes32",
            },
        ),
        _Form(
            "BatchAnchored",
            BatchAnchored,
            topics={"issuer_id": "uint32", "root": "bytes32"},
            data={"size": "uint32", "actor": "address", "at": "uint40", "head": "bytes32"},
        ),
        _Form("CredentialsRevoked", CredentialsRevoked, topics=_STATUS_TOPICS, data=_STATUS_DATA),
        _Form("CredentialsSuspended", CredentialsSuspended, topics=_STATUS_TOPICS, data=_STATUS_DATA),
        _Form("CredentialsReinstated", CredentialsReinstated, topics=_STATUS_TOPICS, data=_STATUS_DATA),
    )
}
