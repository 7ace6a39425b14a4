"""Collect evidence from nodes: state proofs only, of one block by its hash, in as few questions as possible.

    1  who vouches for which block, and which is final                         `anchor.ledger.vouching`
    2  proofs of the slots that can be named from the credentials alone        `anchor.evidence.slots_needed`
    3  proofs of the slots that the proven values of step 2 name: the key, a later status epoch

Each step is one request, however many credentials of one batch and status list there are. Proofs may come from any
node: each is checked as it arrives, and what is missing or does not hold is asked of the next.

Nothing here judges: if no node has a proof that holds, one that does not is handed on, and `anchor.verify` says so.
Nodes that cannot be asked are no exception either, but a registry that is `missing`, with the reason, so that the
verdict becomes unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from anchor.errors import LedgerError, UndeterminedError
from anchor.evidence import Evidence, EvidenceRequest, RegistryEvidence, slots_needed
from anchor.ledger.client import LedgerClient
from anchor.ledger.proofs import Proofs
from anchor.ledger.vouching import Vouched, vouch_newest, vouch_tip
from anchor.model import Hash32, Policy, RegistryId, Vouching
from anchor.status import word_of


def collect_evidence(nodes: Sequence[LedgerClient], requests: Iterable[EvidenceRequest], policy: Policy) -> Evidence:
    """Collect what nodes can show for these requests; never raises for what a node does.

    Registries that the policy does not trust are not asked about: nothing they say would count.

    Args:
        nodes: The policy's nodes, in its order.
        requests: Of any number of credentials; those of the same batch and list share their proofs.
        policy: Names the registries trusted, and says what must vouch for a block and what counts as final.

    Returns:
        For each registry its proofs at one block, or why there are none.

    Raises:
        PolicyFormatError: Two of the nodes that must agree are the same.
    """
    by_registry: defaultdict[RegistryId, dict[object, EvidenceRequest]] = defaultdict(dict)
    for request in requests:
        proof, position = request.proof, request.position
        # Of credentials that need the same slots, one says which.
        by_registry[proof.registry][proof.issuer_id, proof.root, position.status_list, word_of(position.index)] = (
            request
        )
    found, missing = [], []
    blocks: dict[int, Vouched] = {}
    for registry, its_requests in by_registry.items():
        if policy.pin_of(registry) is None:
            missing.append((registry, "not asked about, for the policy does not trust this registry"))
            continue
        try:
            found.append(_collect_or_again(nodes, registry, tuple(its_requests.values()), policy, blocks))
        except (LedgerError, UndeterminedError) as error:
            missing.append((registry, str(error)))
    return Evidence(registries=tuple(found), missing=tuple(missing))


def collect_slots(
    nodes: Sequence[LedgerClient],
    registry: RegistryId,
    slots: Iterable[Hash32],
    policy: Policy,
    *,
    vouched: Vouched | None = None,
) -> RegistryEvidence:
    """Collect the proofs of given slots of a registry, such as heads for an audit.

    Args:
        nodes: The policy's nodes, in its order.
        registry: The registry.
        slots: The slots.
        policy: Says what must vouch for the block, and what counts as final.
        vouched: Block to prove at; default: the newest. Many nodes refuse all but that.

    Raises:
        LedgerUnavailableError: No node answered, or none has proofs of this block any more.
        WrongLedgerError: All nodes serve another chain than the registry's.
        UnvouchedBlockError: Nothing vouches for a block as the policy wants.
        PolicyFormatError: Two of the nodes that must agree are the same.
    """
    proofs = Proofs(nodes, registry, vouched or vouch_newest(nodes, registry.chain_id, policy))
    proofs.fetch(frozenset(slots))
    return proofs.evidence()


def _collect_or_again(
    nodes: Sequence[LedgerClient],
    registry: RegistryId,
    requests: Sequence[EvidenceRequest],
    policy: Policy,
    blocks: dict[int, Vouched],
) -> RegistryEvidence:
    """Collect; and once more, at a newer block, if nodes meanwhile lost or reorganised away the first one."""
    vouched = blocks.get(registry.chain_id) or vouch_tip(nodes, registry.chain_id, policy)
    proofs = _collect(nodes, registry, requests, vouched)
    if proofs.is_lost and policy.vouching is not Vouching.PINNED_HASH:
        vouched = vouch_tip(nodes, registry.chain_id, policy)
        proofs = _collect(nodes, registry, requests, vouched)
    evidence = proofs.evidence()
    blocks[registry.chain_id] = proofs.vouched
    return evidence


def _collect(
    nodes: Sequence[LedgerClient], registry: RegistryId, requests: Sequence[EvidenceRequest], vouched: Vouched
) -> Proofs:
    proofs = Proofs(nodes, registry, vouched)
    proofs.fetch(_slots_of(requests, {}))
    more = _slots_of(requests, proofs.values)
    if not more <= proofs.asked:
        proofs.fetch(more - proofs.asked)
    return proofs


def _slots_of(requests: Sequence[EvidenceRequest], known: dict[Hash32, int]) -> frozenset[Hash32]:
    return frozenset().union(*(slots_needed(request, known) for request in requests))
