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

ADMIN, ACCREDITOR, DEPLOYER = b"\xad" * 20, b"\xaa" * 20, b"\xde" * 20
ADMIN_ROLE = bytes(32)
ACCREDITOR_ROLE = keccak(b"credanchor/role/accreditor")

_OF_ISSUER, _OF_BOTH, _OF_REGISTRY = ("issuer",), ("issuer", "registry"), ("registry",)
_STATUS = (("uint32", "uint32"), ("uint16", "uint16[]", "uint256[]", "uint8", "address", "uint40"), _OF_ISSUER)
PARAMETERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "RoleChanged": (("bytes32", "address"), ("bool", "address", "uint40"), _OF_REGISTRY),
    "IssuerAccredited": (("uint32", "bytes32"), ("string", "address", "address", "uint40"), _OF_BOTH),
    "AccreditationWithdrawn": (("uint32",), ("uint40", "uint8", "address", "uint40"), _OF_BOTH),
    "ControllerTransferStarted": (("uint32", "address"), ("address", "uint40"), _OF_ISSUER),
    "ControllerTransferred": (("uint32", "address"), ("address", "uint40"), _OF_ISSUER),
    "KeyAdded": (("uint32", "address"), ("uint8", "uint16", "uint40", "address", "uint40"), _OF_ISSUER),
    "KeyRetired": (("uint32", "address"), ("uint40", "address", "uint40"), _OF_ISSUER),
    "KeyCompromised": (("uint32", "address"), ("uint40", "address", "uint40"), _OF_ISSUER),
    "StatusEpochChanged": (("uint32",), ("uint16", "uint16", "address", "uint40"), _OF_ISSUER),
    "NoncesCancelled": (("uint32", "address"), ("uint256", "address", "uint40"), _OF_ISSUER),
    "BatchAnchored": (("uint32", "bytes32"), ("uint32", "address", "uint40"), _OF_ISSUER),
    "BatchRevoked": (("uint32", "bytes32"), ("uint16", "uint8", "address", "uint40"), _OF_ISSUER),
    "CredentialsRevoked": _STATUS,
    "CredentialsSuspended": _STATUS,
    "CredentialsReinstated": _STATUS,
}
"""Indexed and other parameters of each event, without the heads; and which heads follow them."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What one event says, and the block that it is in."""

    event: str
    values: tuple[object, ...]
    """Parameters in declared order, without the heads; of an issuer's event the issuer first; the time last."""
    block: int

    @property
    def issuer(self) -> int | None:
        """None: an event of the registry alone."""
        if PARAMETERS[self.event][2] == _OF_REGISTRY:
            return None
        assert isinstance(self.values[0], int)
        return self.values[0]


def role_changed(
    role: bytes, account: bytes, *, granted: bool = True, actor: bytes = ADMIN, at: int, block: int
) -> Call:
    return Call(event="RoleChanged", values=(role, to_hex(account), granted, to_hex(actor), at), block=block)


def deployed(*, at: int = 100, block: int = 1) -> tuple[Call, Call]:
    """What the constructor emits."""
    return (
        role_changed(ADMIN_ROLE, ADMIN, actor=DEPLOYER, at=at, block=block),
        role_changed(ACCREDITOR_ROLE, ACCREDITOR, actor=DEPLOYER, at=at, block=block),
    )


def accredited(issuer: int, did: str, *, controller: bytes, actor: bytes = ACCREDITOR, at: int, block: int) -> Call:
    values = (issuer, keccak(did.encode()), did, to_hex(controller), to_hex(actor), at)
    return Call(event="IssuerAccredited", values=values, block=block)


def withdrawn(
    issuer: int, withdrawn_at: int, *, reason: int = 7, actor: bytes = ACCREDITOR, at: int, block: int
) -> Call:
    values = (issuer, withdrawn_at, reason, to_hex(actor), at)
    return Call(event="AccreditationWithdrawn", values=values, block=block)


def control_offered(issuer: int, controller: bytes, *, actor: bytes, at: int, block: int) -> Call:
    values = (issuer, to_hex(controller), to_hex(actor), at)
    return Call(event="ControllerTransferStarted", values=values, block=block)


def control_accepted(issuer: int, controller: bytes, *, actor: bytes | None = None, at: int, block: int) -> Call:
    values = (issuer, to_hex(controller), to_hex(actor or controller), at)
    return Call(event="ControllerTransferred", values=values, block=block)


def key_added(
    issuer: int, key: bytes, scope: int, *, actor: bytes, at: int, block: int, epoch: int = 0, valid_from: int = 0
) -> Call:
    values = (issuer, to_hex(key), scope, epoch, valid_from or at, to_hex(actor), at)
    return Call(event="KeyAdded", values=values, block=block)


def key_retired(issuer: int, key: bytes, *, actor: bytes, at: int, block: int, valid_until: int = 0) -> Call:
    values = (issuer, to_hex(key), valid_until or at + 1, to_hex(actor), at)
    return Call(event="KeyRetired", values=values, block=block)


def key_compromised(issuer: int, key: bytes, since: int, *, actor: bytes, at: int, block: int) -> Call:
    return Call(event="KeyCompromised", values=(issuer, to_hex(key), since, to_hex(actor), at), block=block)


def epochs_changed(issuer: int, epoch: int, next_epoch: int, *, actor: bytes, at: int, block: int) -> Call:
    return Call(event="StatusEpochChanged", values=(issuer, epoch, next_epoch, to_hex(actor), at), block=block)


def nonces_cancelled(issuer: int, key: bytes, nonce: int, *, actor: bytes, at: int, block: int) -> Call:
    return Call(event="NoncesCancelled", values=(issuer, to_hex(key), nonce, to_hex(actor), at), block=block)


def anchored(issuer: int, root: bytes, *, size: int = 1, actor: bytes, at: int, block: int) -> Call:
    return Call(event="BatchAnchored", values=(issuer, root, size, to_hex(actor), at), block=block)


def batch_revoked(
    issuer: int, root: bytes, *, actor: bytes, at: int, block: int, epoch: int = 0, reason: int = 7
) -> Call:
    return Call(event="BatchRevoked", values=(issuer, root, epoch, reason, to_hex(actor), at), block=block)


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
    indexed, others, heads = PARAMETERS[event]
    return hash32(keccak(f"{event}({','.join((*indexed, *others, *['bytes32'] * len(heads)))})".encode()))


def start_of_issuer(issuer: int, registry: RegistryId = REGISTRY) -> bytes:
    values = ["credanchor/head/v1", registry.chain_id, to_hex(registry.address), issuer]
    return keccak(abi.encode(["string", "uint256", "address", "uint32"], values))


def start_of_registry(registry: RegistryId = REGISTRY) -> bytes:
    values = ["credanchor/registry-head/v1", registry.chain_id, to_hex(registry.address)]
    return keccak(abi.encode(["string", "uint256", "address"], values))


def chain(calls: Sequence[Call], registry: RegistryId = REGISTRY) -> tuple[list[RawLog], ProvenHeads]:
    """Write the logs of the calls, with heads that follow, and what the contract's state says in the end."""
    heads: dict[int, bytes] = {}
    registry_head = start_of_registry(registry)
    logs: list[RawLog] = []
    for index, call in enumerate(calls):
        indexed, others, chains = PARAMETERS[call.event]
        topic, issuer = topic_of(call.event), call.issuer
        event_hash = keccak(abi.encode(["bytes32", *indexed, *others], [topic, *call.values]))
        logged = []
        if issuer is not None:
            before = heads.get(issuer) or start_of_issuer(issuer, registry)
            heads[issuer] = keccak(abi.encode(["bytes32", "bytes32"], [before, event_hash]))
            logged.append(heads[issuer])
        if "registry" in chains:
            registry_head = keccak(abi.encode(["bytes32", "bytes32"], [registry_head, event_hash]))
            logged.append(registry_head)
        data = abi.encode([*others, *["bytes32"] * len(logged)], [*call.values[len(indexed) :], *logged])
        keys = abi.encode(list(indexed), call.values[: len(indexed)])
        logs.append(
            RawLog(
                address=registry.address,
                topics=(topic, *(hash32(keys[start : start + 32]) for start in range(0, len(keys), 32))),
                data=data,
                block_number=call.block,
                block_hash=hash32(keccak(call.block.to_bytes(8, "big"))),
                transaction_hash=hash32(keccak(b"transaction" + index.to_bytes(8, "big"))),
                log_index=index,
            )
        )
    issuers = {call.issuer for call in calls if call.event == "IssuerAccredited"}
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
