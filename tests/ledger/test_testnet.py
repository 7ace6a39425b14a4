"""The local testnet lives through restarts, kills and its own state files."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from anchor.errors import LedgerError, LedgerUnavailableError
from anchor.ledger import testnet as module
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import CHAIN_ID, Testnet, dev_signer, find_anvil
from anchor.ledger.transactions import Fate, TransactionSender
from anchor.logs import parse_log
from anchor.model import to_hex
from tests.ledger.chain import ANCHOR_KEY, Chain, drop, root_of


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "net"
    Testnet(tmp_path / "net").down()


def kill(testnet: Testnet) -> None:
    pid = testnet.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while testnet.status().running:
        time.sleep(0.005)


def new_chain(testnet: Testnet) -> Chain:
    chain = Chain(url=testnet.up(port=0).url)
    chain.set_up()
    return chain


def anchor_and_save(chain: Chain, testnet: Testnet, number: int) -> bytes:
    sender = TransactionSender(
        chain.client, chain_id=CHAIN_ID, signer=dev_signer(ANCHOR_KEY), lock=nullcontext(), on_mined=testnet.save
    )
    return sender.wait_for_receipt(sender.send(chain.anchor_call(number), drop)).transaction_hash


def proven_size(chain: Chain, number: int) -> int:
    evidence = collect_evidence([chain.client], [chain.request(number)], chain.policy())
    return evidence.state_of(chain.registry).batch(chain.issuer_id, root_of(number)).size


def test_chain_that_cannot_be_saved_is_stopped_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    testnet = Testnet(folder)
    testnet.up(port=0)
    monkeypatch.setattr(module, "_write_whole", fail)
    assert testnet.down()
    assert not testnet.status().running


def test_up_down_and_status_may_be_repeated(folder: Path) -> None:
    testnet = Testnet(folder)
    assert not testnet.status().running
    assert testnet.down() is False
    first = testnet.up(port=0)
    assert testnet.up() == testnet.up(port=1) == testnet.status() == Testnet(folder).status()
    assert first.running
    assert (first.block_number, first.notices) == (0, ())
    assert LedgerClient(first.url).chain_id() == CHAIN_ID
    assert testnet.down() is True
    assert testnet.down() is False
    stopped = testnet.status()
    assert (stopped.running, stopped.pid, stopped.url) == (False, None, first.url)
    with pytest.raises(LedgerUnavailableError):
        testnet.save()
    assert testnet.up().url == first.url, "the port of the last run is the default"


def test_a_busy_chain_is_saved_between_two_blocks_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    testnet = Testnet(folder)
    chain = Chain(url=testnet.up(port=0).url)
    transfer = {"from": to_hex(dev_signer(0).address), "to": to_hex(dev_signer(1).address), "value": "0x1"}
    for _ in range(300):  # mined one a block, and not at once
        chain.node.write("eth_sendTransaction", [transfer])
    testnet.save()
    monkeypatch.setattr(module, "_SAVE_SECONDS", 0)
    numbers = iter(range(100))
    monkeypatch.setattr(
        RpcNode, "read", lambda _node, method, _params: next(numbers) if method == "eth_blockNumber" else "0x"
    )
    with pytest.raises(LedgerUnavailableError, match="too fast"):
        testnet.save()


def test_two_that_start_it_at_once_get_the_same(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: Testnet(folder).up(port=0), range(4)))
    assert len({status.pid for status in statuses}) == 1
    assert Testnet(folder).status() == statuses[0]


def test_what_was_reported_as_done_survives_a_kill_at_once(folder: Path) -> None:
    testnet = Testnet(folder)
    chain = new_chain(testnet)
    for number in range(1, 4):
        anchor_and_save(chain, testnet, number)
        kill(testnet)
        (notice,) = testnet.up().notices
        assert "was not stopped" in notice
        assert f"block {4 + number}" in notice
        assert [proven_size(chain, earlier) for earlier in range(1, number + 1)] == [10] * number


def test_a_restart_keeps_receipts_logs_and_nonces(folder: Path) -> None:
    testnet = Testnet(folder)
    chain = new_chain(testnet)
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.send(chain.anchor_call(1), drop)
    logs = list(chain.client.logs(chain.registry.address, 0, 100))
    assert testnet.down()
    assert testnet.up().notices == ()
    found = sender.reconcile(signed)
    assert found.fate is Fate.MINED
    assert list(chain.client.logs(chain.registry.address, 0, 100)) == logs
    assert parse_log(logs[-1]) is not None
    assert proven_size(chain, 1) == 10
    chain.anchor(2)


def test_a_kill_loses_at_most_what_no_command_reported(folder: Path) -> None:
    testnet = Testnet(folder)
    chain = new_chain(testnet)
    testnet.save()
    chain.anchor(1)  # by somebody who does not save
    kill(testnet)
    testnet.up()
    assert proven_size(chain, 1) in {0, 10}
    if proven_size(chain, 1) == 0:
        chain.anchor(1)


def test_anvils_own_copy_is_used_when_it_is_newer(folder: Path) -> None:
    testnet = Testnet(folder)
    chain = new_chain(testnet)
    chain.anchor(1)
    deadline = time.monotonic() + 5
    while module._newest_block_in(folder / "anvil-state.json") != 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    kill(testnet)
    testnet.up()
    assert proven_size(chain, 1) == 10


@pytest.mark.parametrize("content", [b"", b'{"best_block_number": 99, "blo', b"[]", b'{"best_block_number": true}'])
def test_a_copy_that_is_not_whole_is_passed_over(folder: Path, content: bytes) -> None:
    testnet = Testnet(folder)
    chain = new_chain(testnet)
    anchor_and_save(chain, testnet, 1)
    kill(testnet)
    (folder / "anvil-state.json").write_bytes(content)
    testnet.up()
    assert proven_size(chain, 1) == 10


def test_a_copy_whose_state_does_not_prove_is_passed_over(folder: Path) -> None:
    testnet = Testnet(folder)
    chain = new_chain(testnet)
    anchor_and_save(chain, testnet, 1)
    kill(testnet)
    state = json.loads((folder / "state.json").read_bytes())
    state["best_block_number"] += 1  # newer, it says
    (folder / "anvil-state.json").write_text(json.dumps(state))
    testnet.up()
    assert proven_size(chain, 1) == 10


def test_a_chain_that_is_damaged_altogether_is_said_to_be(folder: Path) -> None:
    testnet = Testnet(folder)
    new_chain(testnet)
    testnet.down()
    state = json.loads((folder / "state.json").read_bytes())
    state["accounts"].pop(max(state["accounts"]))
    for name in ("state.json", "anvil-state.json"):
        (folder / name).write_text(json.dumps(state))
    with pytest.raises(LedgerError, match="damaged") as failed:
        testnet.up()
    assert "start anew" in failed.value.advice
    assert not testnet.status().running


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LedgerError, match=f"port {port} is taken") as failed:
            Testnet(folder).up(port=port)
    assert "--port" in failed.value.advice


def test_a_stale_record_is_no_running_testnet(folder: Path) -> None:
    testnet = Testnet(folder)
    testnet.up(port=0)
    kill(testnet)
    record = json.loads((folder / "anvil.json").read_bytes())
    # The number now belongs to another process: this one.
    (folder / "anvil.json").write_text(json.dumps(record | {"pid": os.getpid()}))
    assert not testnet.status().running
    assert testnet.down() is False
    (folder / "anvil.json").write_text("{")
    assert not testnet.status().running
    testnet.up(port=0)


def test_processes_are_told_apart_without_proc_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROC", folder / "absent")
    testnet = Testnet(folder)
    assert testnet.up(port=0).running
    assert testnet.status().running
    kill(testnet)
    assert not testnet.status().running


def test_a_binary_that_does_not_run_or_does_not_start_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be run"):
        Testnet(folder, binary=tmp_path / "absent").up(port=0)
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\necho out of luck >&2\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(LedgerError, match="did not start: out of luck"):
        Testnet(folder, binary=failing).up(port=0)
    assert not Testnet(folder).status().running


def test_anvil_is_found_in_the_project_else_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_anvil().match("@foundry-rs/anvil-*/bin/anvil")
    monkeypatch.setattr(module, "_PACKAGES", "absent")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LedgerError, match="not installed") as failed:
        find_anvil()
    assert "npm ci" in failed.value.advice
    (tmp_path / "anvil").write_text("")
    (tmp_path / "anvil").chmod(0o755)
    assert find_anvil() == tmp_path / "anvil"


def test_there_are_ten_funded_accounts(chain: Chain) -> None:
    assert chain.client.balance(dev_signer(9).address) == 10_000 * 10**18
    with pytest.raises(ValueError, match="10 accounts"):
        dev_signer(10)


def test_the_clock_of_the_chain_does_not_run_ahead(folder: Path) -> None:
    chain = Chain(url=Testnet(folder).up(port=0).url)
    for _ in range(200):
        chain.mine()
    assert -2 <= chain.client.latest_block().header.timestamp - time.time() <= 1
