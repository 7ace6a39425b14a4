"""A small ledger for tests of the pure core: real tries, real headers, real proofs; only the chain is made up.

Values are put into storage slots as the contract would, the state root is computed by the `trie` package, and evidence
is cut from it. Nothing here goes through the code under test but the names of slots.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from anchor import evidence as slots
from anchor.canonical import canonicalize, credential_hash, leaf_hash
from anchor.credential import Credential, parse_credential
from anchor.evidence import Evidence, RegistryEvidence, StorageProof
from anchor.merkle import build_levels, prove_inclusion
from anchor.model import (
    AnchorProof,
    Hash32,
    Policy,
    RegistryId,
    StatusPosition,
    TrustedRegistry,
    Vouching,
    address,
    hash32,
)
from anchor.proof import anchor_proof_member
from anchor.status import CredentialStatus, StatusPurpose, mask_of, status_entries, word_of

NOW = 1_790_000_000
CODE_HASH = hash32(keccak(b"the registry's code"))
REGISTRY = RegistryId(chain_id=31337, address=address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")))
ISSUER_ID = 7
DID = "did:web:college.example"
KEY = address(b"\x11" * 20)
CONTROLLER = address(b"\x22" * 20)
NODE = "http://127.0.0.1:8545"


def pack(*fields: tuple[int, int]) -> int:
    """Pack (value, bits) from the low bit up."""
    word = shift = 0
    for value, bits in fields:
        assert 0 <= value < 1 << bits
        word |= value << shift
        shift += bits
    return word


@dataclass(kw_only=True)
class World:
    """One issuer, one batch of credentials, and what the ledger says of them. Change a field, then ask for evidence."""

    size: int = 5
    leaf_index: int = 2
    position: StatusPosition = field(default_factory=lambda: StatusPosition(status_list=0, index=94_567))
    salt: Hash32 = field(default_factory=lambda: hash32(b"s" * 32))
    content: dict[str, Any] = field(default_factory=dict)

    accredited_at: int = NOW - 10_000
    withdrawn_at: int = 0
    status_epoch: int = 0
    did: str = DID
    key_issuer: int = ISSUER_ID
    key_scope: int = 1
    valid_from: int = NOW - 9_000
    valid_until: int = 0
    compromised_at: int = 0
    anchored_at: int = NOW - 1_000
    anchored_size: int | None = None
    batch_revoked: tuple[int, int] = (0, 0)
    extra_slots: dict[Hash32, int] = field(default_factory=dict)

    block_number: int = 100
    block_at: int = NOW - 5
    final_number: int | None = 90
    final_at: int = NOW - 500
    code_hash: Hash32 = CODE_HASH
    account_exists: bool = True

    def body(self) -> dict[str, Any]:
        status = CredentialStatus(registry=REGISTRY, issuer_id=ISSUER_ID, position=self.position)
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": "urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Data literacy",
            "issuer": {"id": DID, "type": ["Profile"], "name": "Borealis College", "url": "https://college.example"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"type": ["AchievementSubject"]},
            "credentialStatus": status_entries(status, "https://registry.example"),
            **self.content,
        }

    def levels(self) -> tuple[bytes, ...]:
        content = credential_hash(canonicalize({k: v for k, v in self.body().items() if k != "proof"}))
        leaves = [hash32(keccak(index.to_bytes(4, "big"))) for index in range(self.size)]
        leaves[self.leaf_index] = leaf_hash(content, self.salt, self.position)
        return build_levels(b"".join(leaves))

    def anchor_proof(self) -> AnchorProof:
        levels = self.levels()
        return AnchorProof(
            registry=REGISTRY,
            issuer_id=ISSUER_ID,
            root=Hash32(levels[-1]),
            salt=self.salt,
            inclusion=prove_inclusion(levels, self.leaf_index),
        )

    def document(self, **members: Any) -> dict[str, Any]:
        return {**self.body(), "proof": [anchor_proof_member(self.anchor_proof())], **members}

    def credential(self, **members: Any) -> Credential:
        return parse_credential(json.dumps(self.document(**members), ensure_ascii=False).encode())

    def storage(self) -> dict[Hash32, int]:
        root = Hash32(self.levels()[-1])
        batch_size = self.size if self.anchored_size is None else self.anchored_size
        stored = {
            slots.issuer_slot(ISSUER_ID): pack(
                (int.from_bytes(CONTROLLER, "big"), 160),
                (self.accredited_at, 40),
                (self.withdrawn_at, 40),
                (self.status_epoch, 16),
            ),
            slots.did_hash_slot(ISSUER_ID): int.from_bytes(keccak(self.did.encode()), "big"),
            slots.batch_slot(ISSUER_ID, root): pack(
                (int.from_bytes(KEY, "big"), 160),
                (self.anchored_at, 40),
                (batch_size, 32),
                (self.batch_revoked[0], 8),
                (self.batch_revoked[1], 16),
            )
            if self.anchored_at
            else 0,
            slots.key_slot(KEY): pack(
                (self.key_issuer, 32),
                (self.valid_from, 40),
                (self.valid_until, 40),
                (self.compromised_at, 40),
                (self.key_scope, 8),
                (0, 16),
            ),
        }
        return {**stored, **self.extra_slots}

    def set_bit(self, purpose: StatusPurpose, *, epoch: int = 0, position: StatusPosition | None = None) -> None:
        at = position or self.position
        slot = slots.word_slot(purpose, ISSUER_ID, epoch, at.status_list, word_of(at.index))
        self.extra_slots[slot] = self.extra_slots.get(slot, 0) | mask_of(at.index)

    def needed_slots(self) -> list[Hash32]:
        root = Hash32(self.levels()[-1])
        named = [
            slots.issuer_slot(ISSUER_ID),
            slots.did_hash_slot(ISSUER_ID),
            slots.batch_slot(ISSUER_ID, root),
            slots.key_slot(KEY),
        ]
        for purpose in StatusPurpose:
            word = word_of(self.position.index)
            named.append(slots.word_slot(purpose, ISSUER_ID, self.status_epoch, self.position.status_list, word))
        return named

    def registry_evidence(self) -> RegistryEvidence:
        storage = HexaryTrie({})
        for slot, value in self.storage().items():
            if value:
                storage[keccak(slot)] = rlp.encode(value)
        account = rlp.encode([1, 0, storage.root_hash, self.code_hash])
        accounts = HexaryTrie({})
        accounts[keccak(b"\x99" * 20)] = rlp.encode([0, 1, keccak(b"\x80"), keccak(b"")])
        if self.account_exists:
            accounts[keccak(REGISTRY.address)] = account
        header = _header(self.block_number, self.block_at, accounts.root_hash)
        final = _header(self.final_number, self.final_at, b"\x00" * 32) if self.final_number is not None else None
        return RegistryEvidence(
            registry=REGISTRY,
            vouching=Vouching.ONE_NODE,
            vouched_by=(NODE,),
            block_hash=hash32(keccak(header)),
            header=header,
            final_hash=hash32(keccak(final)) if final is not None else None,
            final_header=final,
            account_nodes=_prove(accounts, REGISTRY.address),
            storage=tuple(StorageProof(slot=slot, nodes=_prove(storage, slot)) for slot in self.needed_slots()),
        )

    def evidence(self, **changes: Any) -> Evidence:
        return Evidence(registries=(replace(self.registry_evidence(), **changes),))


def policy(**changes: Any) -> Policy:
    """The policy under which an untouched `World` is valid."""
    rules = Policy(registries=(TrustedRegistry(registry=REGISTRY, code_hash=CODE_HASH, name="Test registry"),))
    return replace(rules, **changes)


def _prove(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    return tuple(rlp.encode(node) for node in trie.get_proof(keccak(key)) if node != b"")


def _header(number: int, timestamp: int, state_root: bytes) -> bytes:
    empty = keccak(b"\x80")
    ommers = keccak(rlp.encode([]))
    fields = [b"\x01" * 32, ommers, b"\x00" * 20, state_root, empty, empty, b"\x00" * 256, 0, number, 30_000_000, 0]
    return bytes(rlp.encode([*fields, timestamp, b"", b"\x00" * 32, b"\x00" * 8, 7]))
