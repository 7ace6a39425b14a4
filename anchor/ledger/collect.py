"""Collect evidence from a node: state proofs only, of one block by its hash, in as few questions as possible.

    1  latest block; its hash is recomputed from its header
    2  final block, as the policy defines final
    3  proofs of the slots that can be named from the credentials alone        `anchor.evidence.slots_needed`
    4  proofs of the slots that the proven values of step 3 name: the key, a later status epoch

Nothing here judges: a proof that does not hold is handed on, and `anchor.verify` says so. A node that cannot be asked
is no exception either, but a registry that is `missing`, with the reason, so that the verdict becomes unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from anchor.errors import LedgerError, LedgerUnavailableError, NodeRefusedError, UndeterminedError
from anchor.evidence import Evidence, EvidenceRequest, LedgerState, RegistryEvidence, StorageProof, slots_needed
from anchor.ledger.answers import AccountProof, Block
from anchor.ledger.client import LedgerClient
from anchor.model import Hash32, Policy, RegistryId, Vouching
from anchor.status import word_of

_SINGLE_NODE: Final = frozenset({Vouching.ONE_NODE, Vouching.OWN_NODE})
"""What one node alone can vouch as."""


def collect_evidence(client: LedgerClient, requests: Iterable[EvidenceRequest], policy: Policy) -> Evidence:
    """Collect what a node can show for these requests; never raises for what the node does.

    Registries that the policy does not trust are not asked about: nothing they say would count.

    Args:
        client: The node.
        requests: Of any number of credentials; those of the same batch and list share their proofs.
        policy: Names the registries trusted, and says what counts as final.

    Returns:
        For each registry its proofs at one block, or why there are none.
    """
    by_registry: defaultdict[RegistryId, dict[object, EvidenceRequest]] = defaultdict(dict)
    for request in requests:
        proof, position = request.proof, request.position
        # Of credentials that need the same slots, one says which.
        by_registry[proof.registry][proof.issuer_id, proof.root, position.status_list, word_of(position.index)] = (
            request
        )
    found, missing = [], []
    for registry, its_requests in by_registry.items():
        if policy.pin_of(registry) is None:
            missing.append((registry, "not asked about, for the policy does not trust this registry"))
            continue
        try:
            found.append(_collect_or_again(client, registry, tuple(its_requests.values()), policy))
        except LedgerError as error:
            missing.append((registry, str(error)))
    return Evidence(registries=tuple(found), missing=tuple(missing))


def collect_slots(
    client: LedgerClient, registry: RegistryId, slots: Iterable[Hash32], policy: Policy, *, block: Block | None = None
) -> RegistryEvidence:
    """Collect the proofs of given slots of a registry, such as heads for an audit.

    Args:
        client: The node.
        registry: The registry.
        slots: The slots.
        policy: Says what counts as final, and what vouches for the block.
        block: Block to prove at; default: the latest. Many nodes refuse all but the newest.

    Raises:
        LedgerUnavailableError: The node did not answer, or has no proofs of this block any more.
        WrongLedgerError: The node serves another chain than the registry's.
    """
    _require_able_to_vouch(policy)
    client.require_chain(registry.chain_id)
    block = block or client.latest_block()
    proof = client.proof(registry.address, tuple(sorted(set(slots))), block.header.hash)
    return _evidence(client, registry, policy, block, _final_block(client, policy, block), [proof])


def _collect_or_again(
    client: LedgerClient, registry: RegistryId, requests: Sequence[EvidenceRequest], policy: Policy
) -> RegistryEvidence:
    """Collect; and once more, at a newer block, if the node meanwhile lost or reorganised away the first one."""
    _require_able_to_vouch(policy)
    client.require_chain(registry.chain_id)
    try:
        return _collect(client, registry, requests, policy)
    except NodeRefusedError:
        return _collect(client, registry, requests, policy)


def _collect(
    client: LedgerClient, registry: RegistryId, requests: Sequence[EvidenceRequest], policy: Policy
) -> RegistryEvidence:
    # 1, 2
    block = client.latest_block()
    final = _final_block(client, policy, block)
    # 3
    slots = _slots_of(requests, {})
    first = client.proof(registry.address, tuple(sorted(slots)), block.header.hash)
    evidence = _evidence(client, registry, policy, block, final, [first])
    # 4
    more = _slots_of(requests, _proven_values(evidence)) - slots
    if not more:
        return evidence
    second = client.proof(registry.address, tuple(sorted(more)), block.header.hash)
    return _evidence(client, registry, policy, block, final, [first, second])


def _slots_of(requests: Sequence[EvidenceRequest], known: dict[Hash32, int]) -> frozenset[Hash32]:
    return frozenset().union(*(slots_needed(request, known) for request in requests))


def _proven_values(evidence: RegistryEvidence) -> dict[Hash32, int]:
    """Give the values that hold; those that do not name nothing further to ask for, and spoil no others."""
    values: dict[Hash32, int] = {}
    with suppress(UndeterminedError):
        state = LedgerState(evidence)
        for proof in evidence.storage:
            with suppress(UndeterminedError):
                values[proof.slot] = state.value(proof.slot)
    return values


def _final_block(client: LedgerClient, policy: Policy, latest: Block) -> Block | None:
    """Fetch the newest block that the policy takes for final; None if there is none yet, or the node has no answer.

    Whether a credential is revoked does not depend on it. What does, becomes unknown.
    """
    try:
        if policy.confirmations is None:
            final = client.block("finalized")
            # The chain may have gone on since `latest` was fetched.
            return latest if final is not None and final.header.number > latest.header.number else final
        number = latest.header.number - policy.confirmations
        return latest if policy.confirmations == 0 else client.block(number) if number >= 0 else None
    except LedgerUnavailableError:
        return None


def _require_able_to_vouch(policy: Policy) -> None:
    if policy.vouching not in _SINGLE_NODE:
        raise LedgerUnavailableError(
            f"the policy wants the block vouched for by {policy.vouching.value}, and one node cannot do that"
        )


def _evidence(
    client: LedgerClient,
    registry: RegistryId,
    policy: Policy,
    block: Block,
    final: Block | None,
    parts: Sequence[AccountProof],
) -> RegistryEvidence:
    storage: tuple[StorageProof, ...] = tuple(proof for part in parts for proof in part.storage)
    return RegistryEvidence(
        registry=registry,
        vouching=policy.vouching,
        vouched_by=(client.node,),
        block_hash=block.header.hash,
        header=block.header_rlp,
        final_hash=None if final is None else final.header.hash,
        final_header=None if final is None else final.header_rlp,
        account_nodes=parts[0].account_nodes,
        storage=storage,
    )
