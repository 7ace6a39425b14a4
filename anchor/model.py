"""Domain types: frozen, validated on construction, no I/O.

Bytes inside; `0x` lower-case hex only at the edges, converted by the functions here and nowhere else.
All times are Unix seconds on the chain's clock (`_at`); indices are 0-based; ranges are half-open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, NewType, NoReturn

from anchor.errors import MalformedError, UndeterminedError, VerificationError

Hash32 = NewType("Hash32", bytes)
"""32 bytes: a SHA-256 or Keccak-256 hash, a root, a salt, a storage slot."""

Address = NewType("Address", bytes)
"""20 bytes: an Ethereum account or contract."""

ZERO_HASH: Final = Hash32(bytes(32))
ZERO_ADDRESS: Final = Address(bytes(20))
MAX_UINT32: Final = 2**32 - 1
MAX_UINT256: Final = 2**256 - 1

_CAIP10 = re.compile(r"eip155:([1-9][0-9]{0,31}):(0x[0-9a-f]{40})")  # CAIP-2: a reference has at most 32 characters


def hash32(value: bytes) -> Hash32:
    """Take 32 bytes as a hash; raise `MalformedError` for any other length."""
    if len(value) != 32:
        raise MalformedError(f"expected 32 bytes, got {len(value)}")
    return Hash32(bytes(value))


def address(value: bytes) -> Address:
    """Take 20 bytes as an address; raise `MalformedError` for any other length."""
    if len(value) != 20:
        raise MalformedError(f"expected 20 bytes, got {len(value)}")
    return Address(bytes(value))


def parse_hex(text: str) -> bytes:
    """Read `0x`-prefixed hex of either case and even length; raise `MalformedError` otherwise."""
    value = None
    if isinstance(text, str) and text.startswith("0x"):
        try:
            value = bytes.fromhex(text[2:])
        except ValueError as error:
            raise MalformedError("expected 0x-prefixed hex") from error
    # Python passes over spaces between bytes.
    if value is None or 2 + 2 * len(value) != len(text):
        raise MalformedError("expected 0x-prefixed hex")
    return value


def to_hex(value: bytes) -> str:
    """Write bytes as `0x`-prefixed lower-case hex."""
    return "0x" + value.hex()


@lru_cache(maxsize=1024)
def to_utc(timestamp: int) -> str:
    """Write Unix seconds as a date and time for people; as the bare number where no calendar reaches."""
    try:
        return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"second {timestamp}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryId:
    """One registry contract: its chain and its address, written as CAIP-10."""

    chain_id: int
    """EIP-155 chain id, from 1."""
    address: Address

    def __post_init__(self) -> None:
        if self.chain_id < 1:
            raise MalformedError(f"chain id must be positive, got {self.chain_id}")
        address(self.address)

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> RegistryId:
        """Read `eip155:<chain id>:<0x lower-case address>` (CAIP-10); raise `MalformedError` otherwise."""
        match = _CAIP10.fullmatch(text)
        if match is None:
            raise MalformedError(
                f"expected a registry as eip155:<chain id>:<0x address in lower case>, got {text[:100]!r}"
            )
        return RegistryId(chain_id=int(match[1]), address=address(parse_hex(match[2])))

    def to_text(self) -> str:
        """Write as CAIP-10, address in lower case."""
        return f"eip155:{self.chain_id}:{to_hex(self.address)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """Leads from one leaf to the root of its batch (design section 4)."""

    leaf_index: int
    size: int
    """Leaves in the batch, 1 to 2^32 - 1."""
    siblings: tuple[Hash32, ...]
    """From the leaf level up; at most 32."""

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_UINT32:
            raise MalformedError(f"batch size must be 1 to {MAX_UINT32}, got {self.size}")
        if not 0 <= self.leaf_index < self.size:
            raise MalformedError(f"leaf index must be below the size {self.size}, got {self.leaf_index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorProof:
    """What a credential's `merkle-eip155-jcs-2026` proof says (design section 5)."""

    registry: RegistryId
    issuer_id: int
    root: Hash32
    salt: Hash32
    inclusion: InclusionProof


class StatusPosition(NamedTuple):
    """Where a credential's status bits are: one of the issuer's lists, and the index in it.

    A named tuple, not a dataclass: issuing makes one for every credential, in a third of the time.
    """

    status_list: int
    """Number of the list, uint32, from 0."""
    index: int  # type: ignore[assignment]  # a tuple's own `index` searches it: nobody does
    """0 to 131,071."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer's record in the registry; `accredited_at` 0 means: no such issuer."""

    controller: Address
    accredited_at: int
    withdrawn_at: int
    """0: not withdrawn."""
    status_epoch: int


class KeyScope(Enum):
    """What a key may do; never both."""

    ANCHOR = 1
    STATUS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key's record in the registry; `issuer_id` 0 means: no such key."""

    issuer_id: int
    valid_from: int
    valid_until: int
    """First second it is no longer valid; 0: no end."""
    compromised_at: int
    """Cut-off: what it did from here on is void; 0: never declared compromised."""
    scope: int
    """A `KeyScope` value, or 0."""
    status_epoch: int

    @property
    def cut_off(self) -> int | None:
        """When it stopped, or what it did became void, whichever is earlier; None if neither."""
        return min((time for time in (self.valid_until, self.compromised_at) if time), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch's record in the registry; `anchored_at` 0 means: not anchored."""

    key: Address
    anchored_at: int
    size: int
    revoked_reason: int
    """0: not revoked."""
    revoked_epoch: int

    def is_revoked_in(self, status_epoch: int) -> bool:
        """Tell whether it is revoked, seen from a status epoch: revocations made for later epochs count too."""
        return self.revoked_reason != 0 and self.revoked_epoch >= status_epoch


class Vouching(Enum):
    """What vouches for the block hash (design section 7)."""

    PINNED_HASH = "pinnedHash"
    K_OF_N = "kOfN"
    OWN_NODE = "ownNode"
    ONE_NODE = "oneNode"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRegistry:
    """A registry that a policy trusts, pinned by chain, address and code."""

    registry: RegistryId
    code_hash: Hash32
    """Keccak-256 of the runtime code expected at the address."""
    name: str = ""
    """For people; shown in verdicts, trusted for nothing."""


class TrustListSource(NamedTuple):
    """Where a verifier gets a trust list from, and who must have signed it."""

    source: str
    """A file, relative to the policy's, or an https:// address."""
    signer: str
    """did:key of an Ed25519 key."""


class KnownBlock(NamedTuple):
    """A block that a verifier knows to be on a chain."""

    chain_id: int
    hash: Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a verifier trusts; decides nothing by itself."""

    registries: tuple[TrustedRegistry, ...]
    vouching: Vouching = Vouching.ONE_NODE
    agreeing: int | None = None
    """How many nodes must agree on a block's hash (the k of `kOfN`), from 2; None: more than half of them."""
    known_blocks: frozenset[KnownBlock] = frozenset()
    """Blocks whose hashes the verifier knows (`pinnedHash`)."""
    confirmations: int | None = None
    """Blocks on top of the anchoring that make it final; None: the chain's own finality decides."""
    max_age_seconds: int | None = 3600
    """Oldest block accepted; None: any age (local testnets, whose blocks come only with transactions)."""
    denied_issuers: frozenset[str] = frozenset()
    """DIDs never accepted, whatever the registry says."""
    nodes: tuple[str, ...] = ()
    """RPC addresses to ask; an answer is believed only as far as `vouching` says."""
    required_proofs: frozenset[str] = frozenset()
    """Other proofs that a credential must carry and that must hold, by cryptosuite, else by type."""
    require_did_document: bool = False
    """The issuer's DID document must name the key that anchored, or its controller; it is fetched for that."""
    trust_lists: tuple[TrustListSource, ...] = ()
    """Lists whose registries and denied issuers count too, once `anchor.trust_list` has put them in."""

    def __post_init__(self) -> None:
        if len({pin.registry for pin in self.registries}) != len(self.registries):
            raise MalformedError("a registry is trusted twice; which of the two pins counts would be chance")
        for did in self.denied_issuers:
            if not did.startswith("did:") or not did.isprintable() or " " in did:
                raise MalformedError("a denied issuer is named by its DID: did:…, without white space")
        if len(set(self.trust_lists)) != len(self.trust_lists):
            raise MalformedError("a trust list is named twice")
        if len(set(self.nodes)) != len(self.nodes):
            raise MalformedError("a node is named twice; it would be counted twice")
        if self.agreeing is not None and self.agreeing < 2:
            raise MalformedError(f"at least two nodes must agree, got {self.agreeing}: one alone is oneNode")
        if self.nodes and self.vouching is Vouching.K_OF_N and self.agreeing_nodes > len(self.nodes):
            raise MalformedError(f"{self.agreeing_nodes} nodes must agree, and the policy names {len(self.nodes)}")
        if self.confirmations is not None and self.confirmations < 0:
            raise MalformedError(f"confirmations must not be negative, got {self.confirmations}")
        if self.max_age_seconds is not None and self.max_age_seconds < 1:
            raise MalformedError(f"the maximal age must be at least one second, got {self.max_age_seconds}")

    @property
    def agreeing_nodes(self) -> int:
        """How many nodes must agree: `agreeing`, else more than half of those named, and two at least."""
        return self.agreeing if self.agreeing is not None else max(2, len(self.nodes) // 2 + 1)

    def knows(self, chain_id: int, block_hash: Hash32) -> bool:
        """Tell whether this block of this chain is one that the verifier knows."""
        return KnownBlock(chain_id=chain_id, hash=block_hash) in self.known_blocks

    def pin_of(self, registry: RegistryId) -> TrustedRegistry | None:
        """Look up the pin for a registry; None when the policy does not trust it."""
        return next((entry for entry in self.registries if entry.registry == registry), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """The fields of a block header that are used here; built only from the bytes that hash to `hash`."""

    hash: Hash32
    number: int
    timestamp: int
    state_root: Hash32


class CheckStatus(Enum):
    """What one check says."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "notApplicable"
    SKIPPED = "skipped"


class Outcome(Enum):
    """The verdict in one word."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One of the numbered steps of verification and what came of it."""

    step: int
    """1 to 13, as in design section 7."""
    name: str
    status: CheckStatus
    detail: str
    """One sentence for people, free of personal data."""
    reason: str = ""
    """Machine-readable; empty when passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a verdict rests on: the block, and what vouches for it."""

    registry: RegistryId
    block_number: int
    block_hash: Hash32
    block_at: int
    vouching: Vouching
    vouched_by: tuple[str, ...]
    """Who named the block hash: node addresses, or the pin."""
    nodes_asked: int = 1
    """How many nodes were asked for the hash."""
    registry_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer, with the checks that led there. Only `anchor.verify.verify` builds one."""

    outcome: Outcome
    reason: str
    """Reason of the check that decided; empty when valid."""
    checks: tuple[Check, ...]
    basis: Basis | None = None
    """None when no block was reached."""
    credential_id: str = ""
    issuer_did: str = ""
    anchored_at: int | None = None
    compromised_at: int | None = None
    """Since when the anchoring key is declared compromised, if it is."""
    contact: str = ""
    """Whom to ask, in the credential's own words; worth as much as the verdict."""
    error: VerificationError | UndeterminedError | None = field(default=None, repr=False, compare=False)
    """What the deciding check raised; None exactly when the outcome is `valid`."""

    def __post_init__(self) -> None:
        if (self.error is None) != (self.outcome is Outcome.VALID):
            raise ValueError("a verdict is valid exactly when nothing speaks against it")

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is not true or false: ask .outcome, or call .require_valid()")

    def require_valid(self) -> None:
        """Return only when the outcome is `valid`.

        Raises:
            VerificationError: The verdict is `invalid`.
            UndeterminedError: The verdict is `unknown`.
        """
        if self.error is not None:
            raise self.error
