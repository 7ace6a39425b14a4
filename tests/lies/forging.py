"""Forges what a liar would: a state with other values, every hash on the way recomputed, up to a header of its own.

By the `trie` and `rlp` packages, not by the code under test. The only thing that it cannot forge is the hash that
somebody else vouches for.
"""

from __future__ import annotations

from typing import Any, Final

import rlp
from eth_hash.auto import keccak
from trie.exceptions import MissingTraversalNode, MissingTrieNode
from trie.hexary import HexaryTrie

Json = dict[str, Any]

HEADER_FIELDS: Final = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
"""Of a Prague header, in order (execution-specs, `forks/prague/blocks.py`)."""
QUANTITIES: Final = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)

ACCOUNT_FIELDS: Final = ("nonce", "balance", "storageHash", "codeHash")


def unhex(text: str) -> bytes:
    """Read hex, also of an odd number of digits."""
    digits = text[2:]
    return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def with_own_hash(block: Json) -> Json:
    """Give a block the hash that its fields have."""
    fields = []
    for name in HEADER_FIELDS:
        if block.get(name) is not None:
            content = unhex(block[name])
            fields.append(content.lstrip(b"\x00") if name in QUANTITIES else content)
    return {**block, "hash": to_hex(keccak(rlp.encode(fields)))}


class ForgedState:
    """The account of a contract and some of its slots, from an honest proof; then changed at will.

    Args:
        proof: Honest answer to `eth_getProof` for all slots that are to be changed or proven.
        address: The contract's.
    """

    def __init__(self, proof: Json, address: bytes) -> None:
        self._address_hash: Final = keccak(address)
        self.slots: Final = {unhex(entry["key"]).rjust(32, b"\x00") for entry in proof["storageProof"]}
        """Those that it can prove."""
        self._account: Final[dict[str, bytes]] = {
            "nonce": unhex(proof["nonce"]).lstrip(b"\x00"),
            "balance": unhex(proof["balance"]).lstrip(b"\x00"),
            "storageHash": unhex(proof["storageHash"]),
            "codeHash": unhex(proof["codeHash"]),
        }
        account_nodes = [unhex(node) for node in proof["accountProof"]]
        storage_nodes = [unhex(node) for entry in proof["storageProof"] for node in entry["proof"]]
        self._accounts: Final = HexaryTrie({keccak(node): node for node in account_nodes}, keccak(account_nodes[0]))
        self._storage: Final = HexaryTrie({keccak(node): node for node in storage_nodes}, self._account["storageHash"])

    def set_slot(self, slot: bytes, value: int) -> None:
        """Change a slot; zero is kept as a zero, as anvil does, where nodes to take it out are not at hand."""
        key = keccak(slot)
        try:
            if value:
                self._storage[key] = rlp.encode(value)
            else:
                del self._storage[key]
        except (MissingTrieNode, MissingTraversalNode):
            self._storage[key] = rlp.encode(value)
        self.set_account("storageHash", self._storage.root_hash)

    def set_account(self, field: str, content: bytes) -> None:
        """Change a field of the account."""
        self._account[field] = content
        self._accounts[self._address_hash] = rlp.encode([self._account[name] for name in ACCOUNT_FIELDS])

    @property
    def state_root(self) -> bytes:
        root: bytes = self._accounts.root_hash
        return root

    def account_nodes(self) -> list[str]:
        return _proof(self._accounts, self._address_hash)

    def storage_nodes(self, slot: bytes) -> list[str]:
        return _proof(self._storage, keccak(slot))

    def block(self, honest: Json) -> Json:
        """Give a block with this state, under its own hash."""
        return with_own_hash({**honest, "stateRoot": to_hex(self.state_root)})

    def answer(self, honest: Json) -> Json:
        """Give the answer to `eth_getProof` that this state has, for the slots of an honest one."""
        return {
            **honest,
            "accountProof": self.account_nodes(),
            "storageHash": to_hex(self._account["storageHash"]),
            "storageProof": [
                {**entry, "proof": self.storage_nodes(unhex(entry["key"]).rjust(32, b"\x00"))}
                for entry in honest["storageProof"]
            ],
        }


def _proof(trie: HexaryTrie, key: bytes) -> list[str]:
    return [to_hex(rlp.encode(node)) for node in trie.get_proof(key) if node != b""]
