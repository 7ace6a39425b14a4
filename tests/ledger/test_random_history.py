"""Long random histories on the real contract, with thieves: proven whole, or found out; equal to storage by proof."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from anchor.audit import ProvenHeads, check_complete, read_heads
from anchor.checkpoint import Checkpoint
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.evidence import LedgerState
from anchor.history import History
from anchor.ledger.collect import collect_slots
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import Testnet
from anchor.logs import parse_log
from anchor.model import Hash32, RegistryId, hash32, parse_hex, to_hex
from anchor.replay import Replay, replay
from tests.ledger.chain import Chain
from tests.ledger.random_contract import RandomContract
from tests.support.contract_storage import ADMIN_SLOT, PENDING_ADMIN_SLOT, admin_of, nonce_entry, storage_of
from tests.support.falsehoods import falsified, forged, with_log_inserted, without
from tests.support.history import PARAMETERS
from tests.support.history import chain as written

SEEDS = (1, 2, 3)
STEPS = 400
CHANGES = 100
"""Random falsehoods of each kind, for each history."""
CHECKPOINTS_EVERY = 20
"""Events after which a checkpoint is kept, as blocks end: what was not falsified is not replayed for each falsehood."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the chain has after a random history, and what the model says."""

    model: RandomContract
    logs: list[RawLog]
    """Of the registry's own events, not OpenZeppelin's; each numbered by its place among them."""
    proven: ProvenHeads
    history: History
    checkpoints: list[tuple[int, Checkpoint]]
    """With the number of events before each."""
    nonces: dict[bytes, tuple[int, int]]
    state: LedgerState
    words: dict[Hash32, int]
    outcomes: list[tuple[str, bool, bool]]
    """Of each transaction what it did, whether the contract should take it, and whether it did."""


@pytest.fixture(scope="module")
def quiet_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain without a registry, which mines when it is told to, and sends for any account."""
    testnet = Testnet(tmp_path_factory.mktemp("random"))
    chain = Chain(url=testnet.up(port=0).url)
    try:
        chain.set_mining(automatic=False)
        chain.node.write("anvil_autoImpersonateAccount", [True])
        yield chain
    finally:
        testnet.down()


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def told(quiet_chain: Chain, request: pytest.FixtureRequest) -> Told:
    chain = Chain(url=quiet_chain.url)
    model = RandomContract(random=Random(request.param), chain=chain)
    for _ in range(STEPS):
        model.step()
    model.pass_time()
    found = chain.client.logs(chain.registry.address, 0, chain.client.latest_block().header.number)
    events = [log for log in found if parse_log(log) is not None]
    ends = {log.block_number: count for count, log in enumerate(events, start=1)}.values()
    logs = renumbered(events)
    checkpoints = list(checkpoints_of(logs, ends, chain.registry))
    run = checkpoints[-1][1].replay(keep=True)
    nonces = {key: (low, high) for each in run.content()["issuers"] for key, *_, low, high in each["keys"]}
    history = replay(logs, chain.registry)
    slots = {*storage_of(history), *map(nonce_entry, nonces), ADMIN_SLOT, PENDING_ADMIN_SLOT}
    state = LedgerState(collect_slots([chain.client], chain.registry, slots, chain.policy()))
    return Told(
        model=model,
        logs=logs,
        proven=read_heads(state, history),
        history=history,
        checkpoints=checkpoints,
        nonces=nonces,
        state=state,
        words=all_words(chain.node, chain.registry),
        outcomes=list(outcomes(model)),
    )


def renumbered(logs: list[RawLog]) -> list[RawLog]:
    """Number logs so that places give nothing away: whoever falsifies them sees to that."""
    return [
        replace(log, block_number=number, block_hash=hash32(number.to_bytes(32, "big")), log_index=0)
        for number, log in enumerate(logs)
    ]


def checkpoints_of(logs: list[RawLog], ends: Collection[int], registry: RegistryId) -> Iterator[tuple[int, Checkpoint]]:
    """Checkpoints after some of the logs at the ends of blocks, the last included."""
    run, last = Replay(registry, keep=False), 0
    for count, log in enumerate(logs, start=1):
        run.take(log)
        if count in ends and (count - last >= CHECKPOINTS_EVERY or count == len(logs)):
            last, state = count, run.content()
            yield (
                count,
                Checkpoint(registry=registry, block_number=log.block_number, block_hash=log.block_hash, state=state),
            )


def all_words(node: RpcNode, registry: RegistryId) -> dict[Hash32, int]:
    """Every slot of the registry that is not 0, as the testnet keeps it."""
    dump = json.loads(gzip.decompress(parse_hex(node.read("anvil_dumpState", []))))
    words = dump["accounts"][to_hex(registry.address)]["storage"].items()
    return {hash32(int(slot, 16).to_bytes(32, "big")): int(word, 16) for slot, word in words if int(word, 16)}


def outcomes(model: RandomContract) -> Iterator[tuple[str, bool, bool]]:
    for each in model.sent:
        receipt: dict[str, Any] = model.chain.node.read("eth_getTransactionReceipt", [each.hash])
        yield each.what, each.is_good, receipt["status"] == "0x1"


def is_refused(logs: list[RawLog], told: Told) -> bool:
    """Tell whether an audit of these logs fails that goes on from where they part from the true ones."""
    logs = renumbered(logs)
    pairs = enumerate(zip(logs, told.logs, strict=False))
    same = next((count for count, (log, true) in pairs if log != true), min(len(logs), len(told.logs)))
    reached = [(0, None), *(each for each in told.checkpoints if each[0] <= same)]
    count, checkpoint = reached[-1]
    run = Replay(told.history.registry) if checkpoint is None else checkpoint.replay(keep=False)
    try:
        for log in logs[count:]:
            run.take(log)
        check_complete(run.result(), told.proven)
    except HistoryError:
        return True
    return False


def test_contract_does_what_the_model_says(told: Told) -> None:
    assert [each for each in told.outcomes if each[1] != each[2]] == []
    logs, _ = written(told.model.calls, told.history.registry)
    assert [(log.topics, log.data) for log in told.logs] == [(log.topics, log.data) for log in logs]
    check_complete(told.history, told.proven)
    events = Counter(call.event for call in told.model.calls)
    assert len(told.logs) > 200
    assert len(told.history.issuers) > 2
    assert events.keys() == PARAMETERS.keys()
    assert {name for name, is_good, _ in told.outcomes if is_good} >= {"fallback", "anchorBySig", "revokeBatchBySig"}
    assert sum(not is_good for _, is_good, _ in told.outcomes) > 20
    assert any(key.stolen_at is not None and key.compromised_at is not None for key in told.model.keys.values())
    assert any(issuer.epoch_changes for issuer in told.history.issuers)
    roots = [call.values[:2] for call in told.model.calls if call.event == "BatchAnchored"]
    assert len(set(roots)) < len(roots)


def test_replayed_state_is_that_of_the_contract_slot_by_slot(told: Told) -> None:
    expected = {**storage_of(told.history), ADMIN_SLOT: admin_of(told.history)}
    assert {slot: told.state.value(slot) for slot in expected} == expected
    # How many of a key's signatures were used the history knows within bounds, the model exactly.
    assert told.nonces.keys() == told.model.keys.keys()
    for key, (lowest, highest) in told.nonces.items():
        nonce = told.state.value(nonce_entry(key))
        assert lowest <= nonce <= highest
        assert nonce == told.model.keys[key].nonce
    # And there is nothing else.
    proven = {*expected, *map(nonce_entry, told.nonces), PENDING_ADMIN_SLOT}
    assert told.words == {slot: word for slot in proven if (word := told.state.value(slot))}


def test_no_event_can_be_left_out(told: Told) -> None:
    assert [index for index in range(len(told.logs)) if not is_refused(without(told.logs, index), told)] == []


def test_no_event_can_be_told_twice(told: Told) -> None:
    doubled = (with_log_inserted(told.logs, index, log) for index, log in enumerate(told.logs))
    assert [index for index, logs in enumerate(doubled) if not is_refused(logs, told)] == []


def test_every_other_falsehood_is_found_out(told: Told, request: pytest.FixtureRequest) -> None:
    random = Random(request.node.name)
    lies = [falsified(told.logs, random) for _ in range(CHANGES)]
    assert [what for what, logs in lies if not is_refused(logs, told)] == []


def test_heads_of_a_liar_are_found_out_by_those_proven(told: Told, request: pytest.FixtureRequest) -> None:
    random = Random(request.node.name)
    for _ in range(CHANGES // 4):
        calls = forged(told.model.calls, random)
        assert is_refused(written(calls, told.history.registry)[0], told), calls
    # The same story is believed: what is refused above is not refused for its form.
    assert not is_refused(written(told.model.calls, told.history.registry)[0], told)
