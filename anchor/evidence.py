"""Evidence: all that the ledger must say for one verification, and which storage slots prove it.

Evidence comes only as state proofs against a block header, from a node or from a bundle; whoever carries it is not
believed. `LedgerState` checks a proof when, and only when, its value is asked for: a lie about a fact that is not
needed never spoils a verdict.

The slots follow the contract's storage layout (docs/spec/history.md; tests/docs/test_spec.py holds all three equal).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from anchor.errors import EvidenceFormatError, NoEvidenceError, WrongCodeError
from anchor.model import (
    AnchorProof,
    Batch,
    BlockHeader,
    Hash32,
    Issuer,
    Key,
    RegistryId,
    StatusPosition,
    TrustedRegistry,
    Vouching,
    address,
)
from anchor.state_proof import Account, check_account, check_header, check_storage
from anchor.status import StatusPurpose, mask_of, word_of

_ROLES_SLOT: Final = 1
_ISSUERS_SLOT: Final = 4
_ISSUER_OF_DID_SLOT: Final = 5
_NEXT_SLOT: Final = 7
_KEYS_SLOT: Final = 8
_BATCHES_SLOT: Final = 10
_BITS_SLOTS: Final = {StatusPurpose.REVOCATION: 11, StatusPurpose.SUSPENSION: 12}
ISSUER_COUNT_SLOT: Final = Hash32((6).to_bytes(32, "big"))
REGISTRY_HEAD_SLOT: Final = Hash32((0).to_bytes(32, "big"))
ADMIN_DELAY_SLOT: Final = Hash32((2).to_bytes(32, "big"))
"""OpenZeppelin's: who was offered the admin's role (160 bits), from when on it may be accepted (48), the delay (48)."""
ADMIN_SLOT: Final = Hash32((3).to_bytes(32, "big"))
"""The admin in the lowest 160 bits."""

_RECORDS_KEPT: Final = 4096
"""Thousands of credentials share few issuers, keys and batches: each record is unpacked once."""

_DID_HASH_OFFSET: Final = 1
_HEAD_OFFSET: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRequest:
    """What one anchor proof needs the ledger to say."""

    proof: AnchorProof
    position: StatusPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageProof:
    """A proof for one storage slot, not yet checked."""

    slot: Hash32
    nodes: tuple[bytes, ...]
    """RLP-encoded trie nodes from the storage root down (EIP-1186)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEvidence:
    """State proofs of one registry at one block, as somebody gave them."""

    registry: RegistryId
    vouching: Vouching
    """What vouches for `block_hash` and `final_hash`."""
    vouched_by: tuple[str, ...]
    """Node addresses, or the pin, to show in the verdict."""
    block_hash: Hash32
    header: bytes
    """RLP of the block header; must hash to `block_hash`."""
    final_hash: Hash32 | None
    """Hash of the newest block that counts as final; None when nobody said."""
    final_header: bytes | None
    account_nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]
    nodes_asked: int = 1
    """How many nodes were asked for the hash."""
    gaps: str = ""
    """Why there are not all the proofs that were asked for, in plain words."""


class LedgerState:
    """What one registry's evidence proves. Header and account are checked at once, slots when asked for.

    Raises:
        StateProofError: The header does not hash to the block hash, or the account proof does not hold.
    """

    def __init__(self, evidence: RegistryEvidence) -> None:
        self.evidence: Final = evidence
        self.block: Final[BlockHeader] = check_header(evidence.header, evidence.block_hash)
        self._account: Final[Account | None] = check_account(
            self.block.state_root, evidence.registry.address, evidence.account_nodes
        )
        self._nodes: Final = {proof.slot: proof.nodes for proof in evidence.storage}
        self._values: Final[dict[Hash32, int]] = {}
        self._final: BlockHeader | None = None

    def check_code(self, pin: TrustedRegistry) -> None:
        """Check that the account exists and has the code that the policy pins.

        Raises:
            WrongCodeError: It does not: the chain or the address is not the one meant.
        """
        if self._account is None:
            raise WrongCodeError(
                "there is no contract at the registry's address on this chain",
                advice="check the registry's address, and that the node serves the chain that is meant",
            )
        if self._account.code_hash != pin.code_hash:
            raise WrongCodeError("the contract at the registry's address is not the one that the policy pins")

    def final_block(self) -> BlockHeader:
        """Give the newest final block.

        Raises:
            NoEvidenceError: Nobody said which block is final.
            StateProofError: Its header does not hash to the hash vouched for.
        """
        if self._final is None:
            if self.evidence.final_hash is None or self.evidence.final_header is None:
                raise NoEvidenceError("nothing says which block is final")
            self._final = check_header(self.evidence.final_header, self.evidence.final_hash)
        return self._final

    def value(self, slot: Hash32) -> int:
        """Give a storage slot's proven value, 0 when proven absent.

        Raises:
            NoEvidenceError: There is no proof for this slot.
            StateProofError: The proof does not hold.
        """
        if slot not in self._values:
            if slot not in self._nodes:
                lacking = "the evidence has no state proof for a fact that is needed"
                raise NoEvidenceError(f"{lacking}: {self.evidence.gaps}" if self.evidence.gaps else lacking)
            # A contract that is absent has no storage; check_code has refused it before anything rests on this.
            root = self._account.storage_root if self._account is not None else None
            if root is None:
                raise NoEvidenceError("an absent contract has no storage")
            self._values[slot] = check_storage(root, slot, self._nodes[slot])
        return self._values[slot]

    def issuer(self, issuer_id: int) -> Issuer:
        """Give an issuer's proven record."""
        return _unpack_issuer(self.value(issuer_slot(issuer_id)))

    def did_hash(self, issuer_id: int) -> Hash32:
        """Give the Keccak-256 hash of an issuer's DID, zero for an unknown issuer."""
        return Hash32(self.value(did_hash_slot(issuer_id)).to_bytes(32, "big"))

    def head(self, issuer_id: int) -> Hash32:
        """Give an issuer's head, zero for an unknown issuer."""
        return Hash32(self.value(head_slot(issuer_id)).to_bytes(32, "big"))

    def batch(self, issuer_id: int, root: Hash32) -> Batch:
        """Give a batch's proven record."""
        return unpack_batch(self.value(batch_slot(issuer_id, root)))

    def key(self, key: bytes) -> Key:
        """Give a key's proven record."""
        return _unpack_key(self.value(key_slot(key)))

    def bit(self, purpose: StatusPurpose, issuer_id: int, epoch: int, position: StatusPosition) -> bool:
        """Tell whether a status bit is set in the given status epoch."""
        word = self.value(word_slot(purpose, issuer_id, epoch, position.status_list, word_of(position.index)))
        return bool(word & mask_of(position.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class DidDocument:
    """An issuer's DID document, as its web server gave it."""

    did: str
    content: bytes | None
    """None if none was had."""
    source: str = ""
    """The address that was asked; empty if nobody was."""
    problem: str = ""
    """Why there is none, in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything at hand for a verification: for each registry its state proofs, or why there are none."""

    registries: tuple[RegistryEvidence, ...] = ()
    missing: tuple[tuple[RegistryId, str], ...] = ()
    """Registries asked about in vain, with the reason in plain words."""
    did_documents: tuple[DidDocument, ...] = ()
    """Of issuers, where the policy wants them."""
    _states: dict[RegistryId, LedgerState] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len({each.registry for each in self.registries}) != len(self.registries):
            raise EvidenceFormatError("the evidence has more than one block for the same registry")

    def state_of(self, registry: RegistryId) -> LedgerState:
        """Give what is proven of a registry; opened once, however many credentials ask.

        Raises:
            NoEvidenceError: There is no evidence for this registry.
            StateProofError: Its header or account proof does not hold.
        """
        if registry not in self._states:
            for each in self.registries:
                if each.registry == registry:
                    self._states[registry] = LedgerState(each)
                    break
            else:
                raise NoEvidenceError(dict(self.missing).get(registry, "there is no evidence for this registry"))
        return self._states[registry]

    def did_document(self, did: str) -> DidDocument:
        """Give what was had of an issuer's DID document."""
        nobody = DidDocument(did=did, content=None, problem="nobody was asked for the issuer's DID document")
        return next((each for each in self.did_documents if each.did == did), nobody)


def slots_needed(request: EvidenceRequest, known: Mapping[Hash32, int]) -> frozenset[Hash32]:
    """Name the slots that decide one request, as far as they can be named.

    Which key anchored and which status epoch counts stand in slots themselves, so ask twice: first with nothing known
    (which guesses epoch 0, the usual one), then with the values of the first round. There is no third round.

    Args:
        request: The anchor proof and status position.
        known: Values read so far. They choose what to ask for next and are believed in nothing else.
    """
    issuer_id, root, position = request.proof.issuer_id, request.proof.root, request.position
    issuer, batch = issuer_slot(issuer_id), batch_slot(issuer_id, root)
    epoch = _unpack_issuer(known[issuer]).status_epoch if issuer in known else 0
    slots = {issuer, did_hash_slot(issuer_id), batch}
    for purpose in StatusPurpose:
        slots.add(word_slot(purpose, issuer_id, epoch, position.status_list, word_of(position.index)))
    if known.get(batch):
        slots.add(key_slot(unpack_batch(known[batch]).key))
    return frozenset(slots)


def issuer_slot(issuer_id: int) -> Hash32:
    """Slot of an issuer's packed record."""
    return _mapping_slot(issuer_id, _ISSUERS_SLOT)


def did_hash_slot(issuer_id: int) -> Hash32:
    """Slot of the hash of an issuer's DID."""
    return _offset(issuer_slot(issuer_id), _DID_HASH_OFFSET)


def head_slot(issuer_id: int) -> Hash32:
    """Slot of an issuer's head."""
    return _offset(issuer_slot(issuer_id), _HEAD_OFFSET)


def issuer_of_did_slot(did_hash: Hash32) -> Hash32:
    """Slot of the number of the issuer with this DID, by the DID's Keccak-256 hash."""
    return _mapping_slot(did_hash, _ISSUER_OF_DID_SLOT)


def next_slot(issuer_id: int) -> Hash32:
    """Slot of what comes next for an issuer: who was offered control (160 bits), next status epoch (16; 0 means 1)."""
    return _mapping_slot(issuer_id, _NEXT_SLOT)


def role_slot(role: bytes, account: bytes) -> Hash32:
    """Slot that says whether an account has a role."""
    return _mapping_slot(account, _mapping_slot(role, _ROLES_SLOT))


def batch_slot(issuer_id: int, root: Hash32) -> Hash32:
    """Slot of a batch's packed record."""
    return _mapping_slot(root, _mapping_slot(issuer_id, _BATCHES_SLOT))


def key_slot(key: bytes) -> Hash32:
    """Slot of a key's packed record."""
    return _mapping_slot(key, _KEYS_SLOT)


@lru_cache(maxsize=65_536)
def word_slot(purpose: StatusPurpose, issuer_id: int, epoch: int, status_list: int, word: int) -> Hash32:
    """Slot of one word of a status list in one status epoch."""
    of_issuer = _mapping_slot(issuer_id, _BITS_SLOTS[purpose])
    return _mapping_slot(word, _mapping_slot(status_list, _mapping_slot(epoch, of_issuer)))


@lru_cache(maxsize=65_536)
def _mapping_slot(key: int | bytes, base: int | bytes) -> Hash32:
    """Slot of a mapping's value: keccak256(key ‖ slot of the mapping), both padded to 32 bytes."""
    return Hash32(keccak(_pad(key) + _pad(base)))


def _pad(value: int | bytes) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\x00")


def _offset(slot: Hash32, words: int) -> Hash32:
    return Hash32(((int.from_bytes(slot, "big") + words) % 2**256).to_bytes(32, "big"))


class _Fields:
    """Reads a packed word's fields from the low bit up."""

    def __init__(self, word: int) -> None:
        self._rest = word

    def take(self, bits: int) -> int:
        value = self._rest & ((1 << bits) - 1)
        self._rest >>= bits
        return value


@lru_cache(maxsize=_RECORDS_KEPT)
def _unpack_issuer(word: int) -> Issuer:
    fields = _Fields(word)
    return Issuer(
        controller=address(fields.take(160).to_bytes(20, "big")),
        accredited_at=fields.take(40),
        withdrawn_at=fields.take(40),
        status_epoch=fields.take(16),
    )


@lru_cache(maxsize=_RECORDS_KEPT)
def _unpack_key(word: int) -> Key:
    fields = _Fields(word)
    return Key(
        issuer_id=fields.take(32),
        valid_from=fields.take(40),
        valid_until=fields.take(40),
        compromised_at=fields.take(40),
        scope=fields.take(8),
        status_epoch=fields.take(16),
    )


@lru_cache(maxsize=_RECORDS_KEPT)
def unpack_batch(word: int) -> Batch:
    """Read a batch's packed record."""
    fields = _Fields(word)
    return Batch(
        key=address(fields.take(160).to_bytes(20, "big")),
        anchored_at=fields.take(40),
        size=fields.take(32),
        revoked_reason=fields.take(8),
        revoked_epoch=fields.take(16),
    )
