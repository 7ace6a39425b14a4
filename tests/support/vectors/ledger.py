"""A made-up ledger as `evidence` for `verification.json`: slots by hand, tries and headers by `trie` and `rlp`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from tests.support.vectors.common import DID, ISSUER_ID, REGISTRY, Json, from_hex, to_hex

NOW = 1_790_000_000  # 2026-09-21T14:13:20Z
ANCHORED_AT = NOW - 1_000
BLOCK_AT = NOW - 5
CODE_HASH = keccak(b"the registry's code")
KEY, OTHER_KEY, CONTROLLER = b"\x11" * 20, b"\x33" * 20, b"\x22" * 20
NODE = "http://127.0.0.1:8545"
# docs/spec/history.md, Storage.
ISSUERS, KEYS, BATCHES, REVOKED, SUSPENDED = 4, 8, 10, 11, 12


def packed(*fields: tuple[int, int]) -> int:
    """Pack (value, bits) from the low bit up."""
    word = shift = 0
    for value, bits in fields:
        assert 0 <= value < 1 << bits
        word |= value << shift
        shift += bits
    return word


def entry_slot(base: int | bytes, *keys: int | bytes) -> bytes:
    """Slot of a mapping's entry; of nested ones with several keys."""
    slot = base.to_bytes(32, "big") if isinstance(base, int) else base
    for key in keys:
        slot = keccak((key.to_bytes(32, "big") if isinstance(key, int) else key.rjust(32, b"\x00")) + slot)
    return slot


def issuer_slot() -> bytes:
    return entry_slot(ISSUERS, ISSUER_ID)


def did_slot() -> bytes:
    return (int.from_bytes(issuer_slot(), "big") + 1).to_bytes(32, "big")


def key_slot(key: bytes = KEY) -> bytes:
    return entry_slot(KEYS, key)


def batch_slot(root: bytes) -> bytes:
    return entry_slot(BATCHES, ISSUER_ID, root)


def word_slot(base: int, index: int, *, status_list: int = 0, epoch: int = 0) -> bytes:
    return entry_slot(base, ISSUER_ID, epoch, status_list, index >> 8)


@dataclass(frozen=True, kw_only=True)
class Key:
    issuer: int = ISSUER_ID
    valid_from: int = NOW - 9_000
    valid_until: int = 0
    compromised_at: int = 0
    scope: int = 1

    def word(self) -> int:
        times = ((self.valid_from, 40), (self.valid_until, 40), (self.compromised_at, 40))
        return packed((self.issuer, 32), *times, (self.scope, 8), (0, 16))


@dataclass(frozen=True, kw_only=True)
class Batch:
    root: bytes
    size: int
    key: bytes = KEY
    anchored_at: int = ANCHORED_AT
    revoked_reason: int = 0
    revoked_epoch: int = 0

    def word(self) -> int:
        anchored = ((int.from_bytes(self.key, "big"), 160), (self.anchored_at, 40), (self.size, 32))
        return packed(*anchored, (self.revoked_reason, 8), (self.revoked_epoch, 16))


@dataclass(frozen=True, kw_only=True)
class Bit:
    """A set status bit."""

    base: int
    index: int
    status_list: int = 0
    epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the ledger says; `dataclasses.replace` makes another one."""

    batches: tuple[Batch, ...]
    keys: dict[bytes, Key] = field(default_factory=lambda: {KEY: Key()})
    accredited_at: int = NOW - 10_000
    withdrawn_at: int = 0
    status_epoch: int = 0
    did: str = DID
    bits: tuple[Bit, ...] = ()
    block_number: int = 100
    block_at: int = BLOCK_AT
    final_number: int = 90
    final_at: int = NOW - 500
    code_hash: bytes = CODE_HASH
    account_exists: bool = True

    def storage(self) -> dict[bytes, int]:
        times = ((self.accredited_at, 40), (self.withdrawn_at, 40), (self.status_epoch, 16))
        words = {
            issuer_slot(): packed((int.from_bytes(CONTROLLER, "big"), 160), *times),
            did_slot(): int.from_bytes(keccak(self.did.encode()), "big"),
            **{batch_slot(batch.root): batch.word() for batch in self.batches},
            **{key_slot(address): key.word() for address, key in self.keys.items()},
        }
        for bit in self.bits:
            slot = word_slot(bit.base, bit.index, status_list=bit.status_list, epoch=bit.epoch)
            words[slot] = words.get(slot, 0) | 1 << (bit.index & 255)
        return words


def evidence_of(facts: Facts, slots: Iterable[bytes], registry: str = REGISTRY) -> Json:
    """Cut the evidence for these slots out of a ledger."""
    storage = HexaryTrie({})
    for slot, word in facts.storage().items():
        if word:
            storage[keccak(slot)] = rlp.encode(word)
    accounts = HexaryTrie({})
    accounts[keccak(b"\x99" * 20)] = rlp.encode([0, 1, keccak(b"\x80"), keccak(b"")])
    address = from_hex(registry.split(":")[2])
    if facts.account_exists:
        accounts[keccak(address)] = rlp.encode([1, 0, storage.root_hash, facts.code_hash])
    block = header(facts.block_number, facts.block_at, accounts.root_hash)
    final = header(facts.final_number, facts.final_at, bytes(32))
    return {
        "registry": registry,
        "vouching": "oneNode",
        "vouchedBy": [NODE],
        "blockHash": to_hex(keccak(block)),
        "header": to_hex(block),
        "finalHash": to_hex(keccak(final)),
        "finalHeader": to_hex(final),
        "accountNodes": prove(accounts, address),
        "storage": [{"slot": to_hex(slot), "nodes": prove(storage, slot)} for slot in slots],
    }


def header(number: int, timestamp: int, state_root: bytes, fields: int = 16) -> bytes:
    empty = keccak(b"\x80")
    start: list[Any] = [b"\x01" * 32, keccak(b"\xc0"), bytes(20), state_root, empty, empty, bytes(256), 0, number]
    content = [*start, 30_000_000, 0, timestamp, b"", bytes(32), bytes(8), 7]
    return bytes(rlp.encode(content[:fields]))


def prove(trie: HexaryTrie, key: bytes) -> list[str]:
    return [to_hex(rlp.encode(node)) for node in trie.get_proof(keccak(key)) if node != b""]
