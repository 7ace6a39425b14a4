"""`credanchor audit --follow` on a real chain: what is new is told once, alerts reach a webhook, nothing is lost."""

import hmac
import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from anchor.cli import following
from anchor.cli.following import INCIDENTS, kinds_of
from anchor.cli.occurrences import LABELS
from anchor.errors import MalformedError
from anchor.ledger import alerting
from anchor.webhook_signature import secret_text
from tests.cli.conftest import Desk
from tests.cli.watching import Watched, alerts, nothing, offer_control, receiver, revoke, watched
from tests.support.receiver import Receiver, status

__all__ = ["receiver", "watched"]


def test_each_event_is_told_once_when_it_is_proven(desk: Desk, watched: Watched) -> None:
    code, out, _ = watched(lambda: revoke(desk, 0), nothing, lambda: revoke(desk, 1))
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(f"watching {desk.chain.registry.to_text()}: 6 events proven up to block ")
    assert ["list 0, index 0" in line for line in lines[1:-1]] == [True, False]
    assert "revoked" in lines[1]
    assert "issued-in-error" in lines[1]
    assert lines[-1].startswith("stopped; go on with the same command. 8 events proven")


def test_what_happened_in_between_is_told_by_the_next_run(desk: Desk, watched: Watched) -> None:
    watched()
    revoke(desk, 0)
    _, out, _ = watched(lambda: revoke(desk, 1))
    assert [f"index {number}" in line for number, line in enumerate(out.splitlines()[1:-1])] == [True, True]
    _, out, _ = watched()
    assert len(out.splitlines()) == 2


def test_incidents_are_alerts_and_the_webhook_gets_them_signed(
    desk: Desk,
    receiver: Receiver,
    watched: Watched,
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
    desk: Desk, receiver: Receiver, watched: Watched
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


def test_what_the_webhook_never_took_is_told_by_the_next_run(desk: Desk, receiver: Receiver, watched: Watched) -> None:
    receiver.answer = status(302, location="https://elsewhere.example/")
    options = ("--webhook", receiver.url, "--alert", "all")
    watched(lambda: revoke(desk, 0), lambda: revoke(desk, 1), options=options)
    alerts(receiver)
    receiver.answer = status(204)
    watched(options=options)
    assert [each["event"]["indices"] for each in alerts(receiver)] == [[0], [1]]


def test_until_alert_ends_with_its_exit_code(desk: Desk, watched: Watched) -> None:
    options = ("--until-alert",)
    assert watched(lambda: revoke(desk, 0), options=options)[0] == 0
    assert watched(lambda: offer_control(desk), nothing, options=options)[0] == 1


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


def test_a_damaged_note_of_what_was_told_is_said(desk: Desk, watched: Watched) -> None:
    watched()
    Path(desk.folder / "kept" / "told").write_text("{}")
    code, _, error = watched()
    assert (code, "told cannot be read" in error) == (2, True)


def test_events_and_alerts_are_lines_of_json_if_asked_for(
    desk: Desk, receiver: Receiver, watched: Watched, tmp_path: Path
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
    desk: Desk, watched: Watched, monkeypatch: pytest.MonkeyPatch
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


def test_a_secret_that_cannot_be_read_is_said(desk: Desk, tmp_path: Path) -> None:
    for content in (None, b"\xff", b"no secret"):
        path = tmp_path / "secret"
        if content is not None:
            path.write_bytes(content)
        options = ("--webhook", "https://alerts.example/", "--webhook-secret", path)
        code, _, error = desk.run("audit", "--follow", "--keep", "kept", *options)
        assert (code, "secret" in error, "no secret" in error) == (2, True, False)


def test_a_line_that_was_printed_is_not_printed_again_when_its_alert_is_sent_again(
    desk: Desk, receiver: Receiver, watched: Watched
) -> None:
    receiver.answer = status(500)

    def recover() -> None:
        receiver.answer = status(204)
        alerts(receiver)

    options = ("--webhook", receiver.url, "--alert", "all")
    _, out, _ = watched(lambda: revoke(desk, 0), nothing, recover, lambda: revoke(desk, 1), options=options)
    assert ["index 0" in line for line in out.splitlines()[1:-1]] == [True, False]
    assert [each["event"]["indices"] for each in alerts(receiver)] == [[0], [1]]


def test_an_empty_secret_does_not_leave_alerts_unsigned(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    options = ("--webhook", "https://alerts.example/", "--webhook-secret", tmp_path / "secret")
    code, _, error = desk.run("audit", "--follow", "--keep", "kept", *options)
    assert (code, "a webhook's secret is" in error) == (2, True)


def test_who_ends_it_as_services_are_ended_is_told_where_it_stopped(desk: Desk) -> None:
    command = (sys.executable, "-m", "anchor.cli.main", "audit", "--follow", "--keep", desk.folder / "kept")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("watching ")
        program.terminate()
        out, _ = program.communicate(timeout=60)
    assert (program.returncode, out.startswith("stopped; go on with the same command. 6 events")) == (0, True)
