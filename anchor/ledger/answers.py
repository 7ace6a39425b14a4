"""What nodes answer, read strictly from JSON: any member that is missing or malformed raises `MalformedError`.

Pure. Reading is not believing: what a verdict rests on is proven by `anchor.state_proof`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast

from eth_hash.auto import keccak

from anchor.errors import MalformedError, UndeterminedError
from anchor.events import RawLog
from anchor.evidence import StorageProof
from anchor.model import Address, BlockHeader, Hash32, address, hash32, parse_hex
from anchor.state_proof import check_header, header_from_rpc

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block as a node names it; the header hashes to `header.hash`, nothing else is proven."""

    header: BlockHeader
    header_rlp: bytes
    base_fee_wei: int | None
    """Wei a unit of gas; None on chains without EIP-1559."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProof:
    """Answer to `eth_getProof`, not yet checked."""

    account_nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a transaction that was mined."""

    transaction_hash: Hash32
    succeeded: bool
    """False: the contract refused it, and nothing changed but the sender's nonce and balance."""
    block_number: int
    block_hash: Hash32
    gas_used: int
    gas_price_wei: int
    """Wei paid a unit of gas."""
    contract: Address | None
    """Address of the contract that it deployed, if it did."""
    logs: tuple[RawLog, ...]


def read_quantity(value: object) -> int:
    """Read a number of at most 256 bits, `0x` and hex digits."""
    if not isinstance(value, str) or _QUANTITY.fullmatch(value) is None:
        raise MalformedError("expected a number as 0x hex")
    return int(value, 16)


def read_bytes(value: object) -> bytes:
    """Read bytes, `0x` and hex digits."""
    return parse_hex(cast(str, value))


def read_hash(value: object) -> Hash32:
    """Read 32 bytes."""
    return hash32(read_bytes(value))


def read_object(value: object) -> dict[str, object]:
    """Read a JSON object."""
    if not isinstance(value, dict):
        raise MalformedError("expected a JSON object")
    return value


def read_list(value: object) -> list[object]:
    """Read a JSON array."""
    if not isinstance(value, list):
        raise MalformedError("expected a JSON array")
    return value


def read_block(value: object) -> Block | None:
    """Read a block; None if the node has none. Its hash is computed, and must be the one that the node gives."""
    if value is None:
        return None
    members = read_object(value)
    header = header_from_rpc(members)
    block_hash = Hash32(keccak(header))
    if read_hash(members.get("hash")) != block_hash:
        raise MalformedError("the block's header does not hash to the block's hash")
    base_fee = members.get("baseFeePerGas")
    try:
        checked = check_header(header, block_hash)
    except UndeterminedError as error:
        raise MalformedError(str(error)) from error
    return Block(header=checked, header_rlp=header, base_fee_wei=None if base_fee is None else read_quantity(base_fee))


def read_account_proof(value: object, slots: tuple[Hash32, ...]) -> AccountProof:
    """Read a proof for these slots, in this order."""
    members = read_object(value)
    entries = [read_object(entry) for entry in read_list(members.get("storageProof"))]
    # Nodes write a slot as 32 bytes or as a number.
    if [read_quantity(entry.get("key")) for entry in entries] != [int.from_bytes(slot, "big") for slot in slots]:
        raise MalformedError("the proof is not for the slots asked for")
    return AccountProof(
        account_nodes=_read_nodes(members.get("accountProof")),
        storage=tuple(
            StorageProof(slot=slot, nodes=_read_nodes(entry.get("proof")))
            for slot, entry in zip(slots, entries, strict=True)
        ),
    )


def read_log(value: object) -> RawLog:
    """Read a log of a mined transaction."""
    members = read_object(value)
    return RawLog(
        address=address(read_bytes(members.get("address"))),
        topics=tuple(read_hash(topic) for topic in read_list(members.get("topics"))),
        data=read_bytes(members.get("data")),
        block_number=read_quantity(members.get("blockNumber")),
        block_hash=read_hash(members.get("blockHash")),
        transaction_hash=read_hash(members.get("transactionHash")),
        log_index=read_quantity(members.get("logIndex")),
    )


def read_receipt(value: object) -> Receipt | None:
    """Read a receipt; None if the transaction is not mined, as far as the node knows."""
    if value is None:
        return None
    members = read_object(value)
    status, contract = read_quantity(members.get("status")), members.get("contractAddress")
    if status not in {0, 1}:
        raise MalformedError("expected a receipt's status to be 0 or 1")
    return Receipt(
        transaction_hash=read_hash(members.get("transactionHash")),
        succeeded=status == 1,
        block_number=read_quantity(members.get("blockNumber")),
        block_hash=read_hash(members.get("blockHash")),
        gas_used=read_quantity(members.get("gasUsed")),
        gas_price_wei=read_quantity(members.get("effectiveGasPrice")),
        contract=None if contract is None else address(read_bytes(contract)),
        logs=tuple(read_log(log) for log in read_list(members.get("logs"))),
    )


def _read_nodes(value: object) -> tuple[bytes, ...]:
    return tuple(read_bytes(node) for node in read_list(value))
