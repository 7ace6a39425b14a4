"""`credanchor audit --follow` on a real chain: what is new is told once, alerts reach a webhook, nothing is lost."""

import hmac
import json
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anchor.cli import following
from anchor.cli.following import INCIDENTS, kinds_of
from anchor.cli.occurrences import LABELS
from anchor.errors import MalformedError
from anchor.events import RawLog
from anchor.ledger import alerting
from anchor.ledger.client import LedgerClient
from anchor.webhook_signature import secret_text
from tests.cli.conftest import Desk
from tests.ledger.chain import CONTROLLER, STATUS_KEY
from tests.ledger.nodes import forking
from tests.ledger.proxy import Fault, FaultProxy
from tests.support.receiver import Receiver, receiving, status

Step = Callable[[], object]

EVERY = 15
"""Seconds from one look to the next, as the program has them."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def watched(desk: Desk) -> Callable[..., tuple[int, str, str]]:
    """Watch while things happen: each step takes place when the program would wait; then somebody stops it."""

    def watch(*steps: Step, options: tuple[object, ...] = ()) -> tuple[int, str, str]:
        left = list(steps)

        def wait(seconds: float) -> None:
            if seconds != EVERY:
                return  # between two attempts to ask or to send
            if not left:
                raise KeyboardInterrupt
            left.pop(0)()

        # The testnet's own waiting, in other threads, is not touched.
        sleep, mine = time.sleep, threading.get_ident()
        depth: list[int] = []

        def only_here(seconds: float) -> None:
            if threading.get_ident() != mine or depth:
                return sleep(seconds)
            depth.append(1)
            try:
                return wait(seconds)
            finally:
                depth.pop()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", only_here)
            return desk.run("audit", "--follow", "--keep", desk.folder / "kept", *options)

    return watch


def revoke(desk: Desk, index: int) -> None:
    call = desk.chain.contract.revoke(
        issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
    )
    desk.chain.execute(STATUS_KEY, call)


def offer_control(desk: Desk) -> None:
    call = desk.chain.contract.transfer_controller(issuer_id=desk.chain.issuer_id, controller=b"\x77" * 20)  # type: ignore[arg-type]
    desk.chain.execute(CONTROLLER, call)


def alerts(receiver: Receiver) -> list[dict[str, Any]]:
    found = []
    while not receiver.came.empty():
        found.append(json.loads(receiver.came.get().body))
    return found


def nothing() -> None:
    """Let one look go by."""


def test_each_event_is_told_once_when_it_is_proven(desk: Desk, watched: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = watched(lambda: revoke(desk, 0), nothing, lambda: revoke(desk, 1))
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(f"watching {desk.chain.registry.to_text()}: 6 events proven up to block ")
    assert ["list 0, index 0" in line for line in lines[1:-1]] == [True, False]
    assert "revoked" in lines[1]
    assert "issued-in-error" in lines[1]
    assert lines[-1].startswith("stopped; go on with the same command. 8 events proven")


def test_what_happened_in_between_is_told_by_the_next_run(
    desk: Desk, watched: Callable[..., tuple[int, str, str]]
) -> None:
    watched()
    revoke(desk, 0)
    _, out, _ = watched(lambda: revoke(desk, 1))
    assert [f"index {number}" in line for number, line in enumerate(out.splitlines()[1:-1])] == [True, True]
    _, out, _ = watched()
    assert len(out.splitlines()) == 2


def test_incidents_are_alerts_and_the_webhook_gets_them_signed(
    desk: Desk,
    receiver: Receiver,
    watched: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = b"\x05" * 24
    monkeypatch.setenv("CREDANCHOR_WEBHOOK_SECRET", secret_text(secret))
    code, out, _ = watched(lambda: revoke(desk, 0), lambda: offer_control(desk), options=("--webhook", receiver.url))
    assert code == 0
    marks = [line[0] for line in out.splitlines()[1:-1]]
    assert marks == [" ", "!"]
    came = receiver.next()
    assert receiver.came.empty()
    content = json.loads(came.body)
    assert (content["format"], content["alert"]) == ("credanchor/audit-alert@v1", "controllerTransferStarted")
    assert content["event"]["controller"] == "0x" + "77" * 20
    assert content["basis"]["registry"] == content["registry"] == desk.chain.registry.to_text()
    signed = b".".join((came.id.encode(), came.headers["webhook-timestamp"].encode(), came.body))
    signature = came.headers["webhook-signature"].removeprefix("v1,")
    assert b64decode(signature) == hmac.digest(secret, signed, "sha256")


def test_an_alert_that_is_not_taken_is_sent_again_and_is_the_same_message(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
    receiver.answer = status(500)

    def recover() -> None:
        receiver.answer = status(204)

    options = ("--webhook", receiver.url, "--alert", "credentialsRevoked")
    code, _, error = watched(lambda: revoke(desk, 0), nothing, recover, options=options)
    assert code == 0
    assert "did not take an alert: it answered 500; it is sent again later" in error
    assert "token" not in error
    ids = []
    while not receiver.came.empty():
        ids.append(receiver.came.get().id)
    assert len(ids) == 2 * alerting.ATTEMPTS + 1
    assert len(set(ids)) == 1


def test_what_the_webhook_never_took_is_told_by_the_next_run(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
    receiver.answer = status(302, location="https://elsewhere.example/")
    options = ("--webhook", receiver.url, "--alert", "all")
    watched(lambda: revoke(desk, 0), lambda: revoke(desk, 1), options=options)
    alerts(receiver)
    receiver.answer = status(204)
    watched(options=options)
    assert [each["event"]["indices"] for each in alerts(receiver)] == [[0], [1]]


def test_until_alert_ends_with_its_exit_code(desk: Desk, watched: Callable[..., tuple[int, str, str]]) -> None:
    options = ("--until-alert",)
    assert watched(lambda: revoke(desk, 0), options=options)[0] == 0
    assert watched(lambda: offer_control(desk), nothing, options=options)[0] == 1


def test_a_history_that_is_refuted_is_an_alert_once_until_it_is_whole_again(
    desk: Desk,
    receiver: Receiver,
    watched: Callable[..., tuple[int, str, str]],
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
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
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


def test_nodes_that_are_away_are_an_alert_after_a_while(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
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
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]], fault: bool, alert: str
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


def test_kinds_of_events_are_named() -> None:
    assert kinds_of("all") == frozenset(LABELS)
    assert kinds_of("incidents,keyAdded") == INCIDENTS | {"keyAdded"}
    with pytest.raises(MalformedError, match="there is no event 'revoked'"):
        kinds_of("revoked")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--follow",), "--follow goes on from what --keep keeps"),
        (("--follow", "--keep", "kept", "--anew"), "--follow only prints and sends what is new"),
        (("--follow", "--keep", "kept", "--alert", "x"), "there is no event 'x'"),
        (("--follow", "--keep", "kept", "--webhook", "http://alerts.example/x?token=1"), "alerts go over https only"),
        (("--follow", "--keep", "kept", "--credential", "badge.json"), "--follow only prints and sends what is new"),
        (("--follow", "--keep", "kept", "--sign-with", "key.pem"), "--follow only prints and sends what is new"),
        (("--follow", "--keep", "kept", "--webhook-secret", "secret"), "there is no --webhook"),
        (("--webhook", "https://alerts.example/"), "are for --follow"),
    ],
)
def test_what_cannot_be_watched_is_refused(desk: Desk, options: tuple[str, ...], why: str) -> None:
    code, _, error = desk.run("audit", *options)
    assert (code, why in error, "token" in error) == (2, True, False)


def test_a_damaged_note_of_what_was_told_is_said(desk: Desk, watched: Callable[..., tuple[int, str, str]]) -> None:
    watched()
    Path(desk.folder / "kept" / "told").write_text("{}")
    code, _, error = watched()
    assert (code, "told cannot be read" in error) == (2, True)


def test_events_and_alerts_are_lines_of_json_if_asked_for(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    secret = b"\x06" * 24
    (tmp_path / "secret").write_text(secret_text(secret) + "\n")
    options = ("--json", "--webhook", receiver.url, "--webhook-secret", tmp_path / "secret")
    code, out, error = watched(lambda: revoke(desk, 0), lambda: offer_control(desk), options=options)
    first, second = (json.loads(line) for line in out.splitlines())
    assert (code, first["alert"], second["alert"]) == (0, None, "controllerTransferStarted")
    assert first["format"] == second["format"] == "credanchor/audit-alert@v1"
    assert (first["event"]["event"], first["event"]["indices"]) == ("credentialsRevoked", [0])
    assert "watching " in error
    came = receiver.next()
    assert json.loads(came.body) == second
    signed = b".".join((came.id.encode(), came.headers["webhook-timestamp"].encode(), came.body))
    signature = came.headers["webhook-signature"].removeprefix("v1,")
    assert b64decode(signature) == hmac.digest(secret, signed, "sha256")


def test_what_was_told_before_somebody_stopped_it_is_not_told_again(
    desk: Desk, watched: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched()
    for index in range(3):
        revoke(desk, index)
    told = following._Watcher._print

    def once(self: Any, *args: Any) -> bool:
        if seen:
            raise KeyboardInterrupt
        seen.append(1)
        return told(self, *args)

    seen: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(following._Watcher, "_print", once)
        _, out, _ = watched()
    assert "index 0" in out
    _, out, _ = watched()
    assert ["index 1" in line for line in out.splitlines()[1:-1]] == [True, False]
    assert "index 2" in out


def test_nodes_that_do_not_agree_are_an_alert(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
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


def test_a_secret_that_cannot_be_read_is_said(desk: Desk, tmp_path: Path) -> None:
    for content in (None, b"\xff", b"no secret"):
        path = tmp_path / "secret"
        if content is not None:
            path.write_bytes(content)
        options = ("--webhook", "https://alerts.example/", "--webhook-secret", path)
        code, _, error = desk.run("audit", "--follow", "--keep", "kept", *options)
        assert (code, "secret" in error, "no secret" in error) == (2, True, False)


def test_an_alert_about_no_event_is_sent_again_until_it_is_taken(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
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
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = status(500)
    watched()
    revoke(desk, 0)
    monkeypatch.setattr(LedgerClient, "logs", lambda *_: iter(()))
    options = ("--webhook", receiver.url)
    assert "1 alert was not taken" in watched(options=options)[1]
    code, out, _ = watched(options=(*options, "--until-alert"))
    assert (code, "1 alert was not taken" in out) == (1, True)


def test_a_line_that_was_printed_is_not_printed_again_when_its_alert_is_sent_again(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
    receiver.answer = status(500)

    def recover() -> None:
        receiver.answer = status(204)
        alerts(receiver)

    options = ("--webhook", receiver.url, "--alert", "all")
    _, out, _ = watched(lambda: revoke(desk, 0), nothing, recover, lambda: revoke(desk, 1), options=options)
    assert ["index 0" in line for line in out.splitlines()[1:-1]] == [True, False]
    assert [each["event"]["indices"] for each in alerts(receiver)] == [[0], [1]]


def test_what_lasts_is_an_alert_once_though_something_else_comes_between(
    desk: Desk,
    receiver: Receiver,
    watched: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched()
    revoke(desk, 0)
    nodes = FaultProxy(desk.chain.url)
    desk.write_policy(nodes=(nodes.url,))
    nodes.answer = lambda method, _, result: [] if method == "eth_getLogs" else result

    def fall() -> None:
        nodes.rule = lambda _method, _count: Fault.DROP_BEFORE

    def rise() -> None:
        nodes.rule = lambda _method, _count: None

    away = [fall, *[nothing] * (following._PATIENCE - 1)]
    try:
        _, _, error = watched(*away, rise, nothing, *away, rise, options=("--webhook", receiver.url))
    finally:
        nodes.close()
    assert [each["alert"] for each in alerts(receiver)] == ["refuted", "unreachable"], error


def test_nodes_are_away_only_when_they_are_so_in_a_row(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
    watched()
    revoke(desk, 0)
    node = FaultProxy(desk.chain.url)
    desk.write_policy(nodes=(node.url,))
    node.answer = lambda method, _, result: [] if method == "eth_getLogs" else result

    def fall() -> None:
        node.rule = lambda _method, _count: Fault.DROP_BEFORE

    def rise() -> None:
        node.rule = lambda _method, _count: None

    away = [fall, *[nothing] * (following._PATIENCE - 2)]
    try:
        watched(*away, rise, *away, options=("--webhook", receiver.url))
    finally:
        node.close()
    assert [each["alert"] for each in alerts(receiver)] == ["refuted"]


def test_an_empty_secret_does_not_leave_alerts_unsigned(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    options = ("--webhook", "https://alerts.example/", "--webhook-secret", tmp_path / "secret")
    code, _, error = desk.run("audit", "--follow", "--keep", "kept", *options)
    assert (code, "a webhook's secret is" in error) == (2, True)


def test_a_node_that_gives_less_than_others_is_an_alert_once(
    desk: Desk, receiver: Receiver, watched: Callable[..., tuple[int, str, str]]
) -> None:
    nodes = [FaultProxy(desk.chain.url) for _ in range(3)]
    options = ["--trust", desk.chain.registry.to_text(), "--max-age", "any", "--webhook", receiver.url]
    options += [word for node in nodes for word in ("--rpc", node.url)]

    def lie() -> None:
        nodes[0].answer = lambda method, _, result: [] if method == "eth_getLogs" else result
        revoke(desk, 0)

    try:
        code, out, error = watched(
            lie, lambda: revoke(desk, 1), lambda: revoke(desk, 2), nothing, options=tuple(options)
        )
    finally:
        for node in nodes:
            node.close()
    assert (code, [f"index {number}" in out for number in range(3)]) == (0, [True] * 3), error
    # What follows the checkpoint at that node is none of the history that was proven in the end.
    assert [each["alert"] for each in alerts(receiver)] == ["nodeRefuted"]


def test_who_ends_it_as_services_are_ended_is_told_where_it_stopped(desk: Desk) -> None:
    command = (sys.executable, "-m", "anchor.cli.main", "audit", "--follow", "--keep", desk.folder / "kept")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("watching ")
        program.terminate()
        out, _ = program.communicate()
    assert (program.returncode, out.startswith("stopped; go on with the same command. 6 events")) == (0, True)
