"""Histories of hundreds of random operations on the real contract: audited, and their state found in its storage."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import pytest

from anchor.audit import ProvenHeads, check_complete, read_heads, slots_of_heads
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.history import History
from anchor.logs import parse_log
from anchor.model import Hash32, hash32, parse_hex, to_hex
from anchor.replay import replay
from tests.ledger.chain import Chain
from tests.ledger.random_play import Play
from tests.support.contract_storage import (
    ADMIN_SLOT,
    PENDING_ADMIN_SLOT,
    admin_of,
    nonce_entry,
    storage_of,
)

STEPS = 500
SLOTS_AT_ONCE = 200


@dataclass(frozen=True)
class Played:
    play: Play
    logs: list[RawLog]
    history: History
    proven: ProvenHeads
    stored: dict[Hash32, int]
    """All that is in the contract's storage, as the node dumps it."""


def storage_of_node(chain: Chain) -> dict[Hash32, int]:
    dump = json.loads(gzip.decompress(parse_hex(chain.node.read("anvil_dumpState", []))))
    account = next(each for at, each in dump["accounts"].items() if at.lower() == to_hex(chain.registry.address))
    return {
        hash32(int(slot, 16).to_bytes(32, "big")): int(value, 16)
        for slot, value in account["storage"].items()
        if int(value, 16)
    }


@pytest.fixture(scope="module", params=[1, 2026])
def played(request: pytest.FixtureRequest, session_chain: Chain) -> Iterator[Played]:
    """One play by seed, and the chain as it was before afterwards."""
    chain = session_chain
    snapshot = chain.node.write("evm_snapshot", [])
    play = Play(chain, Random(request.param))
    play.run(STEPS)
    logs = list(chain.client.logs(chain.registry.address, 0, chain.client.latest_block().header.number))
    history = replay(logs, chain.registry)
    state = play.contract.state(*slots_of_heads(history))
    yield Played(play, logs, history, read_heads(state, history), storage_of_node(chain))
    assert chain.node.write("evm_revert", [snapshot])


def test_the_play_was_worth_it(played: Played) -> None:
    done, refused = played.play.names, played.play.refused
    assert sum(done.values()) > 150, (done, refused)
    assert sum(refused.values()) > 50, refused
    assert len(played.history.issuers) >= 3
    kinds = {event.kind for event in played.history.events}
    assert len(kinds) >= 13, kinds


def test_the_history_is_complete(played: Played) -> None:
    check_complete(played.history, played.proven)


def test_replayed_state_is_the_contracts_storage_slot_by_slot(played: Played) -> None:
    expected = storage_of(played.history)
    slots = [*expected, ADMIN_SLOT]
    for start in range(0, len(slots), SLOTS_AT_ONCE):
        part = slots[start : start + SLOTS_AT_ONCE]
        state = played.play.contract.state(*part)
        proven = {slot: state.value(slot) for slot in part}
        admin = proven.pop(ADMIN_SLOT, None)
        assert proven == {slot: expected[slot] for slot in proven}
        assert admin is None or admin & (1 << 160) - 1 == admin_of(played.history)


def test_there_is_nothing_else_in_storage(played: Played) -> None:
    expected = {slot for slot, value in storage_of(played.history).items() if value}
    nonces = {nonce_entry(key): key for issuer in played.history.issuers for key in issuer.keys}
    others = played.stored.keys() - expected - {ADMIN_SLOT, PENDING_ADMIN_SLOT}
    assert others <= nonces.keys()
    assert expected <= played.stored.keys()


def accepted(played: Played, logs: list[RawLog]) -> bool:
    try:
        check_complete(replay(logs, played.history.registry), played.proven)
    except HistoryError:
        return False
    return True


def renumbered(logs: list[RawLog]) -> list[RawLog]:
    """Number logs so that places alone give nothing away: the falsifier takes care of that."""
    return [
        replace(log, block_number=number, block_hash=hash32(number.to_bytes(32, "big")))
        for number, log in enumerate(logs)
    ]


def test_no_event_can_be_removed(played: Played) -> None:
    logs = renumbered(played.logs)
    assert accepted(played, logs)
    for index, log in enumerate(logs):
        if parse_log(log) is not None:
            assert not accepted(played, renumbered(logs[:index] + logs[index + 1 :])), log.place


def test_no_event_can_be_changed(played: Played) -> None:
    random, logs = Random(7), renumbered(played.logs)
    for index, log in enumerate(logs):
        if parse_log(log) is None:
            continue
        content = bytearray(b"".join(log.topics) + log.data)
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        end = 32 * len(log.topics)
        topics = tuple(hash32(bytes(content[at : at + 32])) for at in range(0, end, 32))
        changed = replace(log, topics=topics, data=bytes(content[end:]))
        assert not accepted(played, [*logs[:index], changed, *logs[index + 1 :]]), log.place


def test_no_two_events_of_one_chain_can_be_swapped(played: Played) -> None:
    random, logs = Random(8), renumbered(played.logs)
    chains: dict[int | None, list[int]] = {}
    for index, log in enumerate(logs):
        event = parse_log(log)
        for chain in event.heads if event is not None else ():
            chains.setdefault(chain, []).append(index)
    pairs = [pair for indices in chains.values() for pair in pairwise(indices)]
    for indices in chains.values():
        distant = [sorted(random.sample(indices, 2)) for _ in range(20)] if len(indices) > 2 else []
        pairs += [(first, second) for first, second in distant]
    for first, second in pairs:
        swapped = list(logs)
        swapped[first], swapped[second] = logs[second], logs[first]
        assert not accepted(played, renumbered(swapped)), (first, second)


def test_no_event_can_be_inserted(played: Played) -> None:
    random, logs = Random(9), renumbered(played.logs)
    events = [log for log in logs if parse_log(log) is not None]
    for _ in range(300):
        at, again = random.randint(0, len(logs)), random.choice(events)
        assert not accepted(played, renumbered([*logs[:at], again, *logs[at:]])), (at, again.place)
