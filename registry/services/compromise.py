"""What declaring a key compromised makes void, as far as the node says: told before anybody confirms it."""

from __future__ import annotations

from dataclasses import dataclass

from anchor.errors import LedgerUnavailableError
from anchor.events import BatchAnchored
from anchor.ledger.answers import Block
from anchor.ledger.client import LedgerClient
from anchor.logs import parse_log
from anchor.model import Address, RegistryId


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """Batches that a cut-off makes void."""

    batch_count: int
    credential_count: int


def voided_by(client: LedgerClient, registry: RegistryId, key: Address, since: int) -> Voided:
    """Count what a key has anchored at a time or later. The node is believed: the audit proves it afterwards.

    Args:
        client: The node.
        registry: The registry.
        key: The key.
        since: Unix seconds.

    Raises:
        LedgerUnavailableError: The node did not answer.
    """
    latest = client.latest_block()
    first = _first_block_at(client, since, latest)
    events = map(parse_log, client.logs(registry.address, first, latest.header.number))
    sizes = {
        event.root: event.size
        for event in events
        if isinstance(event, BatchAnchored) and event.actor == key and event.at >= since
    }
    return Voided(batch_count=len(sizes), credential_count=sum(sizes.values()))


def _first_block_at(client: LedgerClient, timestamp: int, latest: Block) -> int:
    """Find the first block of a time or later by halving; the one after the latest if there is none."""
    low, high = 0, latest.header.number + 1
    while low < high:
        middle = (low + high) // 2
        block = client.block(middle)
        if block is None:
            raise LedgerUnavailableError(
                f"the node {client.node} has no block {middle}", advice="use a node that keeps all blocks"
            )
        if block.header.timestamp >= timestamp:
            high = middle
        else:
            low = middle + 1
    return low
