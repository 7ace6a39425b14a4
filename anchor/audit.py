"""Audit: whether a replayed history is all that ever happened in a registry.

Whoever hands over the events is not believed. `anchor.replay` recomputes every head and holds each event to the
contract's rules, so it finds the first event that is missing, altered or invented, as far as the logged heads tell. An
inventor can log heads of his own, but cannot make them end in those of the contract's state: `check_complete` compares
with heads that were proven at one block. Only both together make a history complete and true, whoever gave it.

    1-5  Every event follows from those before it                                         anchor.replay
    6    Number of issuers, their heads and the registry's are those of the contract      check_complete

Leaves to others: fetching logs up to that block and the proofs (`anchor.ledger`), showing the result (`anchor.cli`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anchor.errors import HistoryError
from anchor.evidence import ISSUER_COUNT_SLOT, REGISTRY_HEAD_SLOT, LedgerState, head_slot
from anchor.history import History
from anchor.model import BlockHeader, Hash32, RegistryId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenHeads:
    """What the contract's state says of its history, by state proofs at one block."""

    registry: RegistryId
    block: BlockHeader
    issuer_count: int
    registry_head: Hash32
    heads: Mapping[int, Hash32]
    """Heads by number of the issuer; an issuer whose head is not here counts as incomplete."""


def slots_of_heads(history: History) -> tuple[Hash32, ...]:
    """Name the slots whose proofs `read_heads` needs for a replayed history.

    The history says how many issuers to ask for, not the ledger: whoever serves an invented chain could name billions.
    """
    return slots_of_heads_of(issuer.issuer_id for issuer in history.issuers)


def slots_of_heads_of(issuers: Iterable[int]) -> tuple[Hash32, ...]:
    """Likewise, for issuers by number."""
    return (ISSUER_COUNT_SLOT, REGISTRY_HEAD_SLOT, *map(head_slot, issuers))


def read_heads(state: LedgerState, history: History) -> ProvenHeads:
    """Read the heads that a registry's state proofs prove.

    Raises:
        NoEvidenceError: There is no proof for one of `slots_of_heads`.
        StateProofError: A proof does not hold.
    """
    return read_heads_of(state, (issuer.issuer_id for issuer in history.issuers))


def read_heads_of(state: LedgerState, issuers: Iterable[int]) -> ProvenHeads:
    """Likewise, of issuers by number."""
    return ProvenHeads(
        registry=state.evidence.registry,
        block=state.block,
        issuer_count=state.value(ISSUER_COUNT_SLOT),
        registry_head=Hash32(state.value(REGISTRY_HEAD_SLOT).to_bytes(32, "big")),
        heads={number: state.head(number) for number in issuers},
    )


def check_complete(history: History, proven: ProvenHeads) -> None:
    """Check that a replayed history is all that happened up to the block of the proofs (step 6).

    Args:
        history: Replayed from all logs up to that block, and none after it.
        proven: What the contract's state says.

    Raises:
        HistoryError: It is not; the message names the issuers concerned.
    """
    if history.registry != proven.registry:
        raise HistoryError(f"the history is of {history.registry.to_text()}, the proof of {proven.registry.to_text()}")
    if len(history.issuers) != proven.issuer_count:
        raise HistoryError(
            f"the history has {len(history.issuers)} issuers, the registry {proven.issuer_count}: "
            "accreditations are missing or invented"
        )
    wrong = [str(issuer.issuer_id) for issuer in history.issuers if issuer.head != proven.heads.get(issuer.issuer_id)]
    if wrong:
        raise HistoryError(
            f"the history of issuer {', '.join(wrong)} does not end where the registry's does at block "
            f"{proven.block.number}: events are missing, altered or invented"
        )
    if history.registry_head != proven.registry_head:
        raise HistoryError(
            f"the history of roles, accreditations or withdrawals does not end where the registry's does at block "
            f"{proven.block.number}: events are missing, altered, invented or out of order"
        )
