"""Writes a registry's logs as the contract would: ABI encoding and heads by eth_abi, not by the code under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rlp
from eth_abi import abi
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from anchor.audit import ProvenHeads
from anchor.events import RawLog
from anchor.evidence import (
    ISSUER_COUNT_SLOT,
    REGISTRY_HEAD_SLOT,
    LedgerState,
    RegistryEvidence,
    StorageProof,
    head_slot,
)
from anchor.model import ZERO_HASH, BlockHeader, Hash32, RegistryId, Vouching, address, hash32, to_hex

REGISTRY = RegistryId(chain_id=31337, address=address(b"\xcc" * 20))

_STATUS = (("uint32", "uint32"), ("uint16", "uint16[]", "uint256[]", "uint8", "address", "uint40"))
PARAMETERS = {
    "IssuerAccredited": (("uint32", "bytes32"), ("string", "address", "address", "uint40")),
    "KeyAdded": (("uint32", "address"), ("uint8", "uint16", "uint40", "address", "uint40")),
    "BatchAnchored": (("uint32", "bytes32"), ("uint32", "address", "uint40")),
    "CredentialsRevoked": _STATUS,
    "CredentialsSuspended": _STATUS,
    "CredentialsReinstated": _STATUS,
}
"""Indexed and other parameters of each event, without the heads."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What one event says, and the block that it is in."""

    event: str
    values: tuple[object, ...]
    """Parameters in declared order, without the heads; the issuer first, the time last."""
    block: int


def accredited(issuer: int, did: str, *, controller: bytes, actor: bytes = b"\xaa" * 20, at: int, block: int) -> Call:
    values = (issuer, keccak(did.encode()), did, to_hex(controller), to_hex(actor), at)
    return Call(event="IssuerAccredited", values=values, block=block)


def key_added(
    issuer: int, key: bytes, scope: int, *, actor: bytes, at: int, block: int, epoch: int = 0, valid_from: int = 0
) -> Call:
    values = (issuer, to_hex(key), scope, epoch, valid_from or at, to_hex(actor), at)
    return Call(event="KeyAdded", values=values, block=block)


def anchored(issuer: int, root: bytes, *, size: int = 1, actor: bytes, at: int, block: int) -> Call:
    return Call(event="BatchAnchored", values=(issuer, root, size, to_hex(actor), at), block=block)


def status_changed(
    event: str,
    issuer: int,
    words: Sequence[int],
    masks: Sequence[int],
    *,
    actor: bytes,
    at: int,
    block: int,
    status_list: int = 0,
    epoch: int = 0,
    reason: int = 7,
) -> Call:
    values = (issuer, status_list, epoch, list(words), list(masks), reason, to_hex(actor), at)
    return Call(event=event, values=values, block=block)


def topic_of(event: str) -> Hash32:
    indexed, others = PARAMETERS[event]
    heads = ("bytes32", "bytes32") if event == "IssuerAccredited" else ("bytes32",)
    return hash32(keccak(f"{event}({','.join((*indexed, *others, *heads))})".encode()))


def chain(calls: Sequence[Call], registry: RegistryId = REGISTRY) -> tuple[list[RawLog], ProvenHeads]:
    """Write the logs of the calls, with heads that follow, and what the contract's state says in the end."""
    at = to_hex(registry.address)
    heads: dict[int, bytes] = {}
    registry_head = keccak(
        abi.encode(["string", "uint256", "address"], ["credanchor/registry-head/v1", registry.chain_id, at])
    )
    logs: list[RawLog] = []
    for index, call in enumerate(calls):
        indexed, others = PARAMETERS[call.event]
        topic, issuer = topic_of(call.event), call.values[0]
        assert isinstance(issuer, int)
        event_hash = keccak(abi.encode(["bytes32", *indexed, *others], [topic, *call.values]))
        if issuer not in heads:
            first = ["credanchor/head/v1", registry.chain_id, at, issuer]
            heads[issuer] = keccak(abi.encode(["string", "uint256", "address", "uint32"], first))
        heads[issuer] = keccak(abi.encode(["bytes32", "bytes32"], [heads[issuer], event_hash]))
        logged = [heads[issuer]]
        if call.event == "IssuerAccredited":
            registry_head = keccak(abi.encode(["bytes32", "bytes32"], [registry_head, event_hash]))
            logged.append(registry_head)
        data = abi.encode([*others, *["bytes32"] * len(logged)], [*call.values[len(indexed) :], *logged])
        keys = abi.encode(list(indexed), call.values[: len(indexed)])
        logs.append(
            RawLog(
                address=registry.address,
                topics=(topic, hash32(keys[:32]), hash32(keys[32:])),
                data=data,
                block_number=call.block,
                block_hash=hash32(keccak(call.block.to_bytes(8, "big"))),
                transaction_hash=hash32(keccak(b"transaction" + index.to_bytes(8, "big"))),
                log_index=index,
            )
        )
    issuers = {call.values[0] for call in calls if call.event == "IssuerAccredited"}
    return logs, ProvenHeads(
        registry=registry,
        block=BlockHeader(hash=ZERO_HASH, number=10**6, timestamp=0, state_root=ZERO_HASH),
        issuer_count=len(issuers),
        registry_head=hash32(registry_head),
        heads={number: hash32(head) for number, head in heads.items() if number in issuers},
    )


def prove_heads(proven: ProvenHeads, slots: Sequence[Hash32]) -> LedgerState:
    """Open state proofs of some slots of a contract whose state says the same."""
    storage = HexaryTrie({})
    storage[keccak(ISSUER_COUNT_SLOT)] = rlp.encode(proven.issuer_count)
    storage[keccak(REGISTRY_HEAD_SLOT)] = rlp.encode(int.from_bytes(proven.registry_head, "big"))
    for number, head in proven.heads.items():
        storage[keccak(head_slot(number))] = rlp.encode(int.from_bytes(head, "big"))
    accounts = HexaryTrie({})
    accounts[keccak(proven.registry.address)] = rlp.encode([1, 0, storage.root_hash, bytes(32)])
    header = rlp.encode([b"", b"", b"", accounts.root_hash, b"", b"", b"", 0, 9, 0, 0, 800, b"", b"", b""])
    return LedgerState(
        RegistryEvidence(
            registry=proven.registry,
            vouching=Vouching.PINNED_HASH,
            vouched_by=(),
            block_hash=hash32(keccak(header)),
            header=header,
            final_hash=None,
            final_header=None,
            account_nodes=_nodes(accounts, proven.registry.address),
            storage=tuple(StorageProof(slot=slot, nodes=_nodes(storage, slot)) for slot in slots),
        )
    )


def _nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    return tuple(rlp.encode(node) for node in trie.get_proof(keccak(key)))
