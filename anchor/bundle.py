"""Bundles: credentials, block headers and state proofs in one file, to verify without network (docs/spec/bundle.md).

    {"format": "credanchor/bundle@v1",
     "credentials": [{…}, …],
     "registries": [{"registry": "eip155:1:0x…", "header": "0x…"}],
     "nodes": ["0x…", …]}

Upholds: a bundle is whole and holds together, or it is malformed. Every credential leads to its batch; every slot that
its verdict needs is proven from the header, present or absent; nothing is there twice, nor what nobody needs. So one
that was damaged or altered is never read as "not valid": at most its block becomes another, which nobody knows.

Leaves to others: whether the block is on the chain and new enough. Nothing in a bundle says who vouches for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from eth_hash.auto import keccak

from anchor.canonical import JsonObject, parse_document
from anchor.credential import Credential, parse_credential
from anchor.errors import (
    BundleFormatError,
    InclusionError,
    MalformedError,
    NoEvidenceError,
    UndeterminedError,
)
from anchor.evidence import (
    Evidence,
    EvidenceRequest,
    RegistryEvidence,
    StorageProof,
    batch_slot,
    issuer_slot,
    slots_needed,
    unpack_batch,
)
from anchor.merkle import check_inclusion
from anchor.model import BlockHeader, Hash32, RegistryId, Vouching, to_hex
from anchor.state_proof import MAX_NODE_SIZE, check_account, check_header, check_storage, cut_proof

FORMAT: Final = "credanchor/bundle@v1"
MAX_BUNDLE_BYTES: Final = 1 << 24
"""16 MiB: some three thousand ordinary credentials with their shared proofs, or fifteen of the largest. A reader holds
all of it in memory, and a telephone's browser is a reader, too; more credentials are more bundles of one block."""

_MEMBERS: Final = frozenset({"format", "credentials", "registries", "nodes"})
_REGISTRY_MEMBERS: Final = frozenset({"registry", "header"})
_BEGINNING: Final = re.compile(rb'[ \t\n\r]*+\{[ \t\n\r]*+"format"[ \t\n\r]*+:[ \t\n\r]*+"credanchor/bundle@')
_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryProof:
    """State proofs of one registry at one block, all of which hold against the block's header.

    Evidence but for one thing: nobody has said yet that the block is on the registry's chain.
    """

    registry: RegistryId
    block: BlockHeader
    header: bytes
    """RLP of the block header; hashes to `block.hash`."""
    account_nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]

    def vouched(
        self,
        vouching: Vouching,
        vouched_by: tuple[str, ...],
        *,
        nodes_asked: int = 0,
        final_hash: Hash32 | None = None,
        final_header: bytes | None = None,
    ) -> RegistryEvidence:
        """Give it as evidence, once something vouches for `block.hash`.

        Args:
            vouching: What vouches for it, and for `final_hash`.
            vouched_by: Names of the nodes, or of the pin.
            nodes_asked: How many nodes were asked; none for a pin.
            final_hash: Hash of the newest final block; None where nobody said, and where a pin makes this one final.
            final_header: Its header.
        """
        return RegistryEvidence(
            registry=self.registry,
            vouching=vouching,
            vouched_by=vouched_by,
            block_hash=self.block.hash,
            header=self.header,
            final_hash=final_hash,
            final_header=final_header,
            account_nodes=self.account_nodes,
            storage=self.storage,
            nodes_asked=nodes_asked,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle holds. Only `parse_bundle` builds one."""

    credentials: tuple[bytes, ...]
    """Each as the bytes of a file of its own."""
    parsed: tuple[Credential, ...]
    """The same, read."""
    proofs: tuple[RegistryProof, ...]
    """For each registry that the credentials name, its state proofs."""


def parse_bundle(data: bytes) -> Bundle:
    """Read a bundle and check that it holds together: steps 1 to 7 of docs/spec/bundle.md.

    Raises:
        BundleFormatError: It is not strict JSON of this format, a credential in it is malformed or was changed, or its
            proofs do not prove all that its credentials need, and only that.
    """
    # 1
    try:
        content = parse_document(data, max_bytes=MAX_BUNDLE_BYTES).value
    except MalformedError as error:
        raise BundleFormatError(f"the bundle is not strict JSON: {error}") from error
    if content.get("format") != FORMAT:
        raise BundleFormatError(f"the bundle's format must be {FORMAT}")
    _check_members(content, _MEMBERS, "a bundle")
    # 2
    files = tuple(orjson.dumps(each) for each in _objects(content, "credentials"))
    parsed = tuple(_read_credential(number, file) for number, file in enumerate(files, start=1))
    if not parsed or len({each.content_hash for each in parsed}) != len(parsed):
        raise BundleFormatError("a bundle has at least one credential, and none twice")
    # 3, 4
    headers = _read_registries(_objects(content, "registries"))
    nodes = _read_nodes(content["nodes"])
    # 5, 6
    try:
        proofs = _prove(parsed, headers, nodes)
    except UndeterminedError as error:
        raise BundleFormatError(f"the bundle does not prove what its credentials need: {error}") from error
    # 7
    surplus = len(nodes) - len({node for proof in proofs for node in _nodes_of(proof)})
    if surplus:
        raise BundleFormatError(f"the bundle has {surplus} trie nodes that none of its credentials needs")
    return Bundle(credentials=files, parsed=parsed, proofs=proofs)


def write_bundle(credentials: Sequence[bytes], evidence: Evidence) -> bytes:
    """Write a bundle: exactly what the credentials need of the evidence; `parse_bundle` reads it.

    Args:
        credentials: Files of credentials, each with an anchor proof.
        evidence: State proofs of all registries that they name. Who vouches for them is not written.

    Raises:
        MalformedError: A file is no credential.
        BundleFormatError: A credential has no anchor proof, was changed after anchoring or is there twice, or the
            bundle would be too large or nested too deeply.
        UndeterminedError: The evidence lacks something needed, or does not hold.
    """
    documents = [parse_document(data).value for data in credentials]
    parsed = [parse_credential(data) for data in credentials]
    headers: dict[RegistryId, bytes] = {}
    given: dict[bytes, bytes] = {}
    for registry in _requests_by_registry(parsed):
        said = evidence.state_of(registry).evidence
        headers[registry] = said.header
        given.update((keccak(node), node) for node in said.account_nodes)
        given.update((keccak(node), node) for storage in said.storage for node in storage.nodes)
    proofs = _prove(parsed, headers, given)
    content = {
        "format": FORMAT,
        "credentials": documents,
        "registries": [{"registry": proof.registry.to_text(), "header": to_hex(proof.header)} for proof in proofs],
        "nodes": [to_hex(node) for node in dict.fromkeys(node for proof in proofs for node in _nodes_of(proof))],
    }
    data = orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
    parse_bundle(data)
    return data


def looks_like_bundle(data: bytes) -> bool:
    """Tell by a file's first bytes whether it calls itself a bundle, of whatever version; it may be malformed."""
    return _BEGINNING.match(data) is not None


def _read_credential(number: int, data: bytes) -> Credential:
    try:
        credential = parse_credential(data, max_bytes=MAX_BUNDLE_BYTES)
        for request in credential.requests:
            check_inclusion(credential.leaf(request), request.proof.inclusion, request.proof.root)
    except (MalformedError, InclusionError) as error:
        raise BundleFormatError(f"credential {number} of the bundle: {error}") from error
    if not credential.requests:
        raise BundleFormatError(f"credential {number} of the bundle carries no anchor proof")
    return credential


def _read_registries(entries: Sequence[JsonObject]) -> dict[RegistryId, bytes]:
    headers: dict[RegistryId, bytes] = {}
    for entry in entries:
        _check_members(entry, _REGISTRY_MEMBERS, "a registry of a bundle")
        try:
            registry = RegistryId.parse(_text(entry["registry"]))
        except MalformedError as error:
            raise BundleFormatError(f"a registry of the bundle: {error}") from error
        if registry in headers:
            raise BundleFormatError("the bundle has a registry twice")
        headers[registry] = _read_hex(entry["header"])
    return headers


def _read_nodes(value: object) -> dict[bytes, bytes]:
    """Read the trie nodes; give them by their hashes."""
    if not isinstance(value, list):
        raise BundleFormatError("the bundle's nodes must be a list of texts")
    nodes = [_read_hex(text) for text in value]
    if any(len(node) > MAX_NODE_SIZE for node in nodes):
        raise BundleFormatError(f"the bundle has a trie node of more than {MAX_NODE_SIZE} bytes")
    by_hash = {keccak(node): node for node in nodes}
    if len(by_hash) != len(nodes):
        raise BundleFormatError("the bundle has a trie node twice")
    return by_hash


def _prove(
    credentials: Sequence[Credential], headers: Mapping[RegistryId, bytes], nodes: Mapping[bytes, bytes]
) -> tuple[RegistryProof, ...]:
    """Cut the proofs that credentials need out of many trie nodes.

    Raises:
        BundleFormatError: The registries are not those that the credentials name, or a batch is not what they say.
        UndeterminedError: The nodes do not prove something needed.
    """
    requests = _requests_by_registry(credentials)
    if requests.keys() != headers.keys():
        raise BundleFormatError("the bundle's registries are not those that its credentials name")
    return tuple(_prove_registry(each, headers[each], requests[each], nodes) for each in requests)


def _prove_registry(
    registry: RegistryId, header: bytes, requests: Sequence[EvidenceRequest], nodes: Mapping[bytes, bytes]
) -> RegistryProof:
    # 5
    block = check_header(header, Hash32(keccak(header)))
    account_nodes = cut_proof(block.state_root, registry.address, nodes)
    account = check_account(block.state_root, registry.address, account_nodes)
    if account is None:
        raise NoEvidenceError("there is no contract at the registry's address in this block")
    # 6
    proofs: dict[Hash32, StorageProof] = {}
    values: dict[Hash32, int] = {}

    def read(slot: Hash32) -> None:
        if slot not in values:
            proofs[slot] = StorageProof(slot=slot, nodes=cut_proof(account.storage_root, slot, nodes))
            values[slot] = check_storage(account.storage_root, slot, proofs[slot].nodes)

    for request in requests:
        issuer_id, root = request.proof.issuer_id, request.proof.root
        for slot in (issuer_slot(issuer_id), batch_slot(issuer_id, root)):
            read(slot)
        # The issuer's epoch and the batch's key are known by now, so these are all that its verdict can need.
        for slot in sorted(slots_needed(request, values)):
            read(slot)
        batch = unpack_batch(values[batch_slot(issuer_id, root)])
        if batch.anchored_at and batch.size != request.proof.inclusion.size:
            raise BundleFormatError(
                f"a batch was anchored with {batch.size} leaves, its anchor proof says {request.proof.inclusion.size}"
            )
    return RegistryProof(
        registry=registry, block=block, header=header, account_nodes=account_nodes, storage=tuple(proofs.values())
    )


def _nodes_of(proof: RegistryProof) -> Iterator[bytes]:
    yield from proof.account_nodes
    for storage in proof.storage:
        yield from storage.nodes


def _requests_by_registry(credentials: Sequence[Credential]) -> dict[RegistryId, list[EvidenceRequest]]:
    requests: dict[RegistryId, list[EvidenceRequest]] = {}
    for credential in credentials:
        for request in credential.requests:
            requests.setdefault(request.proof.registry, []).append(request)
    return requests


def _check_members(content: JsonObject, members: frozenset[str], what: str) -> None:
    if content.keys() != members:
        raise BundleFormatError(f"{what} has exactly the members {', '.join(sorted(members))}")


def _objects(content: JsonObject, name: str) -> list[JsonObject]:
    value = content[name]
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BundleFormatError(f"the bundle's {name} must be a list of objects")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BundleFormatError("a registry of a bundle is named by a text")
    return value


def _read_hex(value: object) -> bytes:
    if not isinstance(value, str) or _HEX.fullmatch(value) is None:
        raise BundleFormatError("headers and trie nodes are texts: 0x and lower-case hex digits, two a byte")
    return bytes.fromhex(value[2:])
