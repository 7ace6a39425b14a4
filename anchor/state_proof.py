"""State proofs: from a block hash to a value in a contract's storage, believing nobody on the way (EIP-1186).

    block hash ── check_header ──> state root ── check_account ──> storage root ── check_storage ──> value

Upholds: a value is returned only if every byte that led to it was hashed and matches what was vouched for. Whatever is
wrong with a proof raises `StateProofError`, so that the verdict becomes unknown: a proof that fails shows nothing about
the ledger. Only what a node sends as JSON is judged as a format (`header_from_rpc`, `EvidenceFormatError`).

Leaves to others: who vouches for the block hash, which slots to ask for, what the values mean.

The trie walk and the few lines of RLP are our own, on purpose. `trie.HexaryTrie.get_from_proof` re-encodes every node,
lets exceptions of three packages through, and takes path flags and branch values that no Ethereum state has. `rlp`
recurses as deep as its input nests, swaps itself for another decoder where `rusty-rlp` is installed, and takes 0.25 s
to import. Tests hold ours against both.

Example:
    >>> header = header_from_rpc(block)                                          # of eth_getBlockByHash
    >>> state_root = check_header(header, block_hash).state_root
    >>> account = check_account(state_root, registry, account_nodes)             # of eth_getProof
    >>> word = check_storage(account.storage_root, slot, storage_nodes)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from anchor.errors import EvidenceFormatError, StateProofError
from anchor.model import Address, BlockHeader, Hash32

MAX_HEADER_SIZE: Final = 32_768
"""Bytes. Ethereum's headers stay below 800; the `extraData` of Clique, Bor and BSC blocks lists up to some hundred
validators, a few kilobytes."""

MAX_PROOF_NODES: Final = 65
"""A path has 64 nibbles and every node but the last takes at least one of them."""

MAX_NODE_SIZE: Final = 532
"""Bytes of the largest node there is, a full branch: 16 hashes with their prefixes, an empty value, the list's prefix.
A leaf with an account takes 148 at most."""

EMPTY_TRIE_ROOT: Final = Hash32(keccak(b"\x80"))
"""Root of a trie without entries: the hash of the empty string's RLP. Nodes send no proof for it, or that one byte."""

_UINT64_BYTES: Final = 8
_UINT256_BYTES: Final = 32

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")

_FIELDS: Final[tuple[tuple[str, int | None], ...]] = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", 0),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", None),  # London, EIP-1559
    ("withdrawalsRoot", 32),  # Shanghai, EIP-4895
    ("blobGasUsed", None),  # Cancun, EIP-4844
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),  # Cancun, EIP-4788
    ("requestsHash", 32),  # Prague, EIP-7685
    ("blockAccessListHash", 32),  # Amsterdam, EIP-7928
    ("slotNumber", None),  # Amsterdam, EIP-7843
)
"""Header fields in order: JSON-RPC name, and bytes (None: a number; 0: any length)."""

_FRONTIER_FIELDS: Final = 15
"""Fields that every header has; those after them came with later forks."""
_STATE_ROOT_FIELD, _NUMBER_FIELD, _TIMESTAMP_FIELD = 3, 8, 11

_EMPTY_STRING: Final = b"\x80"
_BRANCH_ITEMS, _PATH_ITEMS = 17, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account in Ethereum's state, as proven."""

    nonce: int
    balance: int
    """In wei."""
    storage_root: Hash32
    code_hash: Hash32
    """Keccak-256 of the runtime code; of nothing, if it is no contract."""


def header_from_rpc(block: Mapping[str, object]) -> bytes:
    """Build a block header's RLP from the JSON object that a node sends.

    Members that are no header fields are left out. A field of a fork that this function does not know is left out too,
    and then the header does not hash to its block's hash: `check_header` decides.

    Args:
        block: Result of `eth_getBlockByHash` or `eth_getBlockByNumber`.

    Raises:
        EvidenceFormatError: A field is missing, or is no hex text of its size.
    """
    present = [index for index, (name, _) in enumerate(_FIELDS) if block.get(name) is not None]
    count = max([_FRONTIER_FIELDS, *(index + 1 for index in present)])
    items = []
    for index, (name, size) in enumerate(_FIELDS[:count]):
        member = block.get(name)
        if member is None and index >= _FRONTIER_FIELDS:
            # A chain that skipped a fork: go-ethereum, whose headers such chains have, writes an empty string.
            items.append(_EMPTY_STRING)
        else:
            items.append(_encode_string(_field_bytes(name, member, size)))
    return _encode_list(items)


def check_header(header: bytes, block_hash: Hash32) -> BlockHeader:
    """Check that a header is the one with this hash, and read it.

    Only the recomputed hash decides. Fields of forks to come, at the end, are covered by it and may be there.

    Args:
        header: RLP of the header.
        block_hash: Hash that something the policy accepts vouches for.

    Raises:
        StateProofError: The header has another hash, or is no header.
    """
    if len(header) > MAX_HEADER_SIZE:
        raise StateProofError(f"the block header has {len(header)} bytes, more than {MAX_HEADER_SIZE}")
    if keccak(header) != block_hash:
        raise StateProofError("the block header does not hash to the block hash")
    fields = _split_list(header)
    if len(fields) < _FRONTIER_FIELDS:
        raise StateProofError(f"the block header has {len(fields)} fields, fewer than {_FRONTIER_FIELDS}")
    return BlockHeader(
        hash=block_hash,
        number=_read_uint(_read_string(fields[_NUMBER_FIELD]), _UINT64_BYTES),
        timestamp=_read_uint(_read_string(fields[_TIMESTAMP_FIELD]), _UINT64_BYTES),
        state_root=_read_hash(fields[_STATE_ROOT_FIELD]),
    )


def check_account(state_root: Hash32, address: Address, nodes: Sequence[bytes]) -> Account | None:
    """Check an account proof and read the account.

    Args:
        state_root: From the checked block header.
        address: The account's address.
        nodes: RLP of the trie nodes, `accountProof` of `eth_getProof`.

    Returns:
        The account, or None when it is proven that there is none at this address.

    Raises:
        StateProofError: The nodes do not lead from the state root to an account or to its absence.
    """
    leaf = _walk(state_root, keccak(address), nodes)
    if leaf is None:
        return None
    fields = _split_list(leaf)
    if len(fields) != 4:
        raise StateProofError(f"an account has 4 fields, got {len(fields)}")
    nonce, balance, storage_root, code_hash = fields
    return Account(
        nonce=_read_uint(_read_string(nonce), _UINT64_BYTES),
        balance=_read_uint(_read_string(balance), _UINT256_BYTES),
        storage_root=_read_hash(storage_root),
        code_hash=_read_hash(code_hash),
    )


def check_storage(storage_root: Hash32, slot: Hash32, nodes: Sequence[bytes]) -> int:
    """Check a storage proof and read the slot's value.

    Args:
        storage_root: From the checked account.
        slot: The storage slot.
        nodes: RLP of the trie nodes, `proof` of an entry of `storageProof` of `eth_getProof`.

    Returns:
        The 256-bit word; 0 when it is proven that the slot was never written, or was cleared.

    Raises:
        StateProofError: The nodes do not lead from the storage root to a value or to its absence.
    """
    leaf = _walk(storage_root, keccak(slot), nodes)
    # On Ethereum a cleared slot is absent; anvil keeps it, as a zero, and commits to that. Both prove the same word.
    return 0 if leaf is None else _read_uint(_read_string(leaf), _UINT256_BYTES)


def cut_proof(root: Hash32, key: bytes, nodes: Mapping[bytes, bytes]) -> tuple[bytes, ...]:
    """Choose, of many nodes, those that lead from a trie's root to what it has under a key, or to the key's absence.

    Args:
        root: State root or storage root.
        key: The account's address or the storage slot, not hashed.
        nodes: RLP of trie nodes by their Keccak-256 hashes, of any number of proofs.

    Returns:
        The nodes on the path, from the root down; no others, and none of an empty trie.

    Raises:
        StateProofError: There is no such path.
    """
    path: list[bytes] = []
    _follow(root, keccak(key), nodes, path)
    return tuple(path)


def _walk(root: Hash32, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Follow a hashed key through the nodes of one proof.

    Nodes are found by their hash, so their order does not matter and nodes that the path does not touch are ignored:
    Nethermind appends empty ones (NethermindEth/nethermind issue 7759), and others repeat on its own a node that is
    embedded in its parent (alloy-rs/trie issue 26). That is safe, for only hashes lead from node to node.
    """
    if len(nodes) > MAX_PROOF_NODES:
        raise StateProofError(f"the proof has {len(nodes)} nodes, more than {MAX_PROOF_NODES}")
    if any(len(node) > MAX_NODE_SIZE for node in nodes):
        raise StateProofError(f"the proof has a node of more than {MAX_NODE_SIZE} bytes")
    return _follow(root, key, {keccak(node): node for node in nodes}, [])


def _follow(root: Hash32, key: bytes, by_hash: Mapping[bytes, bytes], taken: list[bytes]) -> bytes | None:
    """Follow a hashed key from the root of a Merkle-Patricia trie to its leaf's value, or to None where it ends.

    Each node that was looked up on the way is added to `taken`.
    """
    if root == EMPTY_TRIE_ROOT:
        return None
    path = key.hex()  # one character a nibble
    node = _node_of(root, by_hash, taken)
    while True:  # every turn but the last takes a nibble or more off the path
        items = _split_list(node)
        if len(items) == _BRANCH_ITEMS:
            # All keys are hashes of one length, so none ends where another goes on.
            if items[-1] != _EMPTY_STRING or not path:
                raise StateProofError("a branch of the trie stands where a key ends")
            child, path = items[int(path[0], 16)], path[1:]
            if child == _EMPTY_STRING:
                return None
        elif len(items) == _PATH_ITEMS:
            is_leaf, part = _read_path(_read_string(items[0]))
            if is_leaf:
                if len(part) != len(path):
                    raise StateProofError("a leaf of the trie is at the wrong depth")
                return _read_string(items[1]) if part == path else None
            if not 0 < len(part) < len(path):
                raise StateProofError("an extension of the trie is at the wrong depth")
            if not path.startswith(part):
                return None
            child, path = items[1], path[len(part) :]
        else:
            raise StateProofError(f"a node of the trie has {_BRANCH_ITEMS} or {_PATH_ITEMS} items, got {len(items)}")
        # A node of less than 32 bytes is embedded in its parent, which vouches for it.
        node = child if _is_list(child) else _node_of(_read_hash(child), by_hash, taken)


def _node_of(node_hash: Hash32, by_hash: Mapping[bytes, bytes], taken: list[bytes]) -> bytes:
    node = by_hash.get(node_hash)
    if node is None:
        raise StateProofError("the proof lacks a node on the way to the value, or the node was altered")
    taken.append(node)
    return node


def _read_path(encoded: bytes) -> tuple[bool, str]:
    """Read a hex-prefix encoded path: whether it ends in a leaf, and its nibbles (Yellow Paper, appendix C)."""
    nibbles = encoded.hex()
    match nibbles[:2]:
        case "00" | "20":
            return nibbles[0] == "2", nibbles[2:]
        case prefix if prefix[:1] in {"1", "3"}:
            return prefix[0] == "3", nibbles[1:]
        case _:
            raise StateProofError("a path in the trie has a malformed prefix")


def _read_hash(item: bytes) -> Hash32:
    content = _read_string(item)
    if len(content) != 32:
        raise StateProofError(f"expected a hash of 32 bytes, got {len(content)}")
    return Hash32(content)


def _read_uint(content: bytes, max_bytes: int) -> int:
    if len(content) > max_bytes or content.startswith(b"\x00"):
        raise StateProofError(f"expected a number of at most {max_bytes} bytes without leading zeros")
    return int.from_bytes(content, "big")


def _field_bytes(name: str, member: object, size: int | None) -> bytes:
    """Read a header field from its JSON member; a number without leading zeros, as RLP wants it."""
    if not isinstance(member, str):
        raise EvidenceFormatError(f"block header: {name} is missing or not a text")
    if len(member) > 2 + 2 * MAX_HEADER_SIZE:
        raise EvidenceFormatError(f"block header: {name} has more than {MAX_HEADER_SIZE} bytes")
    if size is None:
        if _QUANTITY.fullmatch(member) is None:
            raise EvidenceFormatError(f"block header: {name} is not a number of at most 256 bits as 0x hex")
        value = int(member, 16)
        return value.to_bytes((value.bit_length() + 7) // 8, "big")
    if _DATA.fullmatch(member) is None or (size and len(member) != 2 + 2 * size):
        raise EvidenceFormatError(f"block header: {name} is not {size or 'any number of'} bytes as 0x hex")
    return bytes.fromhex(member[2:])


# RLP (Yellow Paper, appendix B), strict: every item has one encoding. Items are handed around encoded, and a list is
# split one level at a time, so depth costs nothing.


def _is_list(item: bytes) -> bool:
    return item[0] >= 0xC0


def _read_string(item: bytes) -> bytes:
    """Give the content of one encoded string with nothing behind it."""
    if not item or _is_list(item):
        raise StateProofError("RLP: expected a string")
    start, end = _extent(item, 0)
    if end != len(item):
        raise StateProofError("RLP: bytes after the string")
    return item[start:]


def _split_list(item: bytes) -> list[bytes]:
    """Split one encoded list, and nothing behind it, into its encoded items."""
    if not item or not _is_list(item):
        raise StateProofError("RLP: expected a list")
    position, end = _extent(item, 0)
    if end != len(item):
        raise StateProofError("RLP: bytes after the list")
    items = []
    while position < end:
        start = position
        _, position = _extent(item, start)
        items.append(item[start:position])
    return items


def _extent(data: bytes, position: int) -> tuple[int, int]:
    """Give where the content of the item at a position starts and ends."""
    first = data[position]
    if first < 0x80:
        return position, position + 1
    kind = 0xC0 if first >= 0xC0 else 0x80
    start, length = position + 1, first - kind
    if length > 55:
        start += length - 55
        prefix = data[position + 1 : start]
        length = int.from_bytes(prefix, "big")
        if length <= 55 or prefix[0] == 0:
            raise StateProofError("RLP: a length is not in its shortest form")
    if start + length > len(data):
        raise StateProofError("RLP: an item is longer than what holds it")
    if kind == 0x80 and length == 1 and data[start] < 0x80:
        raise StateProofError("RLP: a byte is not in its shortest form")
    return start, start + length


def _encode_string(content: bytes) -> bytes:
    if len(content) == 1 and content[0] < 0x80:
        return content
    return _encode_prefix(0x80, len(content)) + content


def _encode_list(items: Sequence[bytes]) -> bytes:
    content = b"".join(items)
    return _encode_prefix(0xC0, len(content)) + content


def _encode_prefix(kind: int, length: int) -> bytes:
    if length <= 55:
        return bytes([kind + length])
    encoded = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([kind + 55 + len(encoded)]) + encoded
