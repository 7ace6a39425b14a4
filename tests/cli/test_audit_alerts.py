"""`credanchor audit --follow` on a real chain: alerts about no event, each raised once, and sent until it is taken."""

from collections.abc import Iterator
from typing import Any

import pytest

from anchor.cli import following
from anchor.events import RawLog
from anchor.ledger.client import LedgerClient
from tests.cli.conftest import Desk
from tests.cli.watching import Watched, alerts, away_and_back, nothing, receiver, revoke, watched
from tests.ledger.nodes import forking
from tests.ledger.proxy import Fault, FaultProxy
from tests.support.receiver import Receiver, status

__all__ = ["receiver", "watched"]


def test_a_history_that_is_refuted_is_an_alert_once_until_it_is_whole_again(
    desk: Desk,
    receiver: Receiver,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs, lying = LedgerClient.logs, [False]

    def lie(self: LedgerClient, *args: Any) -> Iterator[RawLog]:
        told = list(logs(self, *args))
        return iter(told[:-1] if lying[0] else told)

    monkeypatch.setattr(LedgerClient, "logs", lie)

    def start() -> None:
        revoke(desk, 0)
        lying[0] = True

    def stop() -> None:
        lying[0] = False

    code, out, error = watched(start, nothing, stop, options=("--webhook", receiver.url))
    assert code == 0
    assert error.count("! refuted: ") == 1
    assert "institution 1: after block" in error
    (alert,) = alerts(receiver)
    assert (alert["alert"], alert["faults"][0]["kind"]) == ("refuted", "end")
    assert "index 0" in out


def test_a_reorganisation_is_an_alert_and_what_it_changed_is_told(
    desk: Desk, receiver: Receiver, watched: Watched
) -> None:
    snapshot: list[Any] = []

    def before() -> None:
        snapshot.append(desk.chain.node.write("evm_snapshot", []))
        revoke(desk, 0)

    def after() -> None:
        assert desk.chain.node.write("evm_revert", snapshot)
        revoke(desk, 1)
        revoke(desk, 2)

    code, out, error = watched(before, after, options=("--webhook", receiver.url))
    assert code == 0
    assert f"! reorganised: the chain was reorganised, as the node {desk.chain.url} has it: its block 6 is not" in error
    assert [each["alert"] for each in alerts(receiver)] == ["reorganised"]
    told = [line.rpartition("index ")[2].split(" ")[0] for line in out.splitlines()[1:-1]]
    assert told == ["0", "1", "2"]


def test_nodes_that_are_away_are_an_alert_after_a_while(desk: Desk, receiver: Receiver, watched: Watched) -> None:
    proxy = FaultProxy(desk.chain.url)
    desk.write_policy(nodes=(proxy.url,))

    def fall() -> None:
        proxy.rule = lambda _method, _count: Fault.DROP_BEFORE

    def rise() -> None:
        proxy.rule = lambda _method, _count: None
        revoke(desk, 0)

    try:
        code, out, error = watched(fall, *[nothing] * following._PATIENCE, rise, options=("--webhook", receiver.url))
    finally:
        proxy.close()
    assert code == 0
    assert error.count("! unreachable: ") == 1
    assert [each["alert"] for each in alerts(receiver)] == ["unreachable"]
    assert "index 0" in out


@pytest.mark.parametrize(("fault", "alert"), [(False, "disagreement"), (True, "unreachable")])
def test_too_few_nodes_that_agree_are_an_alert_after_a_while_which_says_why(
    desk: Desk, receiver: Receiver, watched: Watched, fault: bool, alert: str
) -> None:
    nodes = [FaultProxy(desk.chain.url) for _ in range(2)]
    options = ["--trust", desk.chain.registry.to_text(), "--max-age", "any", "--agree", "2"]
    options += [word for node in nodes for word in ("--rpc", node.url)]

    def fall() -> None:
        if fault:
            nodes[0].rule = lambda _method, _count: Fault.DROP_BEFORE
        else:
            nodes[0].answer = forking(desk.chain, 1000, 0xAA)

    try:
        steps = [fall, *[nothing] * following._PATIENCE]
        code, _, error = watched(*steps, options=(*options, "--webhook", receiver.url))
    finally:
        for node in nodes:
            node.close()
    assert (code, [each["alert"] for each in alerts(receiver)]) == (0, [alert]), error


def test_nodes_that_do_not_agree_are_an_alert(desk: Desk, receiver: Receiver, watched: Watched) -> None:
    nodes = [FaultProxy(desk.chain.url) for _ in range(4)]
    options = ["--trust", desk.chain.registry.to_text(), "--max-age", "any", "--agree", "2"]
    options += [word for node in nodes for word in ("--rpc", node.url)]

    def part() -> None:
        for node in nodes[:2]:
            node.answer = forking(desk.chain, 3, 0xAA)

    try:
        code, _, error = watched(part, nothing, options=(*options, "--webhook", receiver.url))
    finally:
        for node in nodes:
            node.close()
    assert (code, [each["alert"] for each in alerts(receiver)]) == (0, ["disagreement"]), error


def test_an_alert_about_no_event_is_sent_again_until_it_is_taken(
    desk: Desk, receiver: Receiver, watched: Watched
) -> None:
    snapshot: list[Any] = []

    def before() -> None:
        snapshot.append(desk.chain.node.write("evm_snapshot", []))
        revoke(desk, 0)

    def after() -> None:
        receiver.answer = status(500)
        assert desk.chain.node.write("evm_revert", snapshot)
        revoke(desk, 1)
        revoke(desk, 2)

    def recover() -> None:
        alerts(receiver)
        receiver.answer = status(204)

    _, _, error = watched(before, after, nothing, recover, nothing, options=("--webhook", receiver.url))
    assert error.count("! reorganised: ") == 1
    assert error.count("it is sent again later") == 2
    assert [each["alert"] for each in alerts(receiver)] == ["reorganised"]


def test_what_no_webhook_took_is_said_at_the_end(
    desk: Desk, receiver: Receiver, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = status(500)
    watched()
    revoke(desk, 0)
    monkeypatch.setattr(LedgerClient, "logs", lambda *_: iter(()))
    options = ("--webhook", receiver.url)
    assert "1 alert was not taken" in watched(options=options)[1]
    code, out, _ = watched(options=(*options, "--until-alert"))
    assert (code, "1 alert was not taken" in out) == (1, True)


def test_what_lasts_is_an_alert_once_though_something_else_comes_between(
    desk: Desk,
    receiver: Receiver,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched()
    revoke(desk, 0)
    nodes = FaultProxy(desk.chain.url)
    desk.write_policy(nodes=(nodes.url,))
    nodes.answer = lambda method, _, result: [] if method == "eth_getLogs" else result

    fall, rise = away_and_back(nodes)
    away = [fall, *[nothing] * (following._PATIENCE - 1)]
    try:
        _, _, error = watched(*away, rise, nothing, *away, rise, options=("--webhook", receiver.url))
    finally:
        nodes.close()
    assert [each["alert"] for each in alerts(receiver)] == ["refuted", "unreachable"], error


def test_nodes_are_away_only_when_they_are_so_in_a_row(desk: Desk, receiver: Receiver, watched: Watched) -> None:
    watched()
    revoke(desk, 0)
    node = FaultProxy(desk.chain.url)
    desk.write_policy(nodes=(node.url,))
    node.answer = lambda method, _, result: [] if method == "eth_getLogs" else result

    fall, rise = away_and_back(node)
    away = [fall, *[nothing] * (following._PATIENCE - 2)]
    try:
        watched(*away, rise, *away, options=("--webhook", receiver.url))
    finally:
        node.close()
    assert [each["alert"] for each in alerts(receiver)] == ["refuted"]


def test_a_node_that_gives_less_than_others_is_an_alert_once(desk: Desk, receiver: Receiver, watched: Watched) -> None:
    nodes = [FaultProxy(desk.chain.url) for _ in range(2)]
    # Asked in this order.
    options = ["--trust", desk.chain.registry.to_text(), "--max-age", "any", "--own-node", "--webhook", receiver.url]
    options += [word for node in nodes for word in ("--rpc", node.url)]

    def be_away() -> None:
        nodes[0].rule = lambda _method, _count: Fault.DROP_BEFORE
        revoke(desk, 1)

    def be_back() -> None:
        nodes[0].rule = lambda _method, _count: None
        revoke(desk, 2)

    def lie() -> None:
        nodes[0].answer = lambda method, _, result: [] if method == "eth_getLogs" else result
        revoke(desk, 0)

    try:
        # It is as bad as before when it is asked again.
        code, out, error = watched(lie, be_away, be_back, lambda: revoke(desk, 3), options=tuple(options))
    finally:
        for node in nodes:
            node.close()
    assert (code, [f"index {number}" in out for number in range(4)]) == (0, [True] * 4), error
    # What follows the checkpoint at that node is none of the history that was proven in the end.
    assert [each["alert"] for each in alerts(receiver)] == ["nodeRefuted"]
