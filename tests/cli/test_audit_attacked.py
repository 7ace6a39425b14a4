"""`credanchor audit` of a registry whose node, archive or folder was made to harm whoever audits."""

import resource
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.client import LedgerClient
from tests.cli.conftest import Desk
from tests.ledger.nodes import forking
from tests.ledger.proxy import FaultProxy


def with_log(**changes: Any) -> Any:
    """A node that adds to the last log of an answer one more, and changes its members."""

    def say(method: str, _params: list[Any], result: Any) -> Any:
        if method != "eth_getLogs" or not result:
            return result
        index = hex(int(result[-1]["logIndex"], 16) + 1)
        return [*result, {**result[-1], "logIndex": index, **changes}]

    return say


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": ["0x" + "77" * 32], "data": "0x" + "00" * 2**20},
        {"topics": [], "logIndex": hex(2**63 - 1)},
    ],
)
def test_logs_that_are_no_events_leave_no_trace_in_what_is_kept(
    desk: Desk, tmp_path: Path, changes: dict[str, Any]
) -> None:
    folder, proxy = tmp_path / "kept", FaultProxy(desk.chain.url)
    try:
        desk.write_policy(nodes=(proxy.url,))
        whole = desk.run_json("audit")[1]
        proxy.answer = with_log(**changes)
        code, first = desk.run_json("audit", "--keep", str(folder))
        assert (code, first["events"]) == (0, whole["events"])
        desk.chain.anchor(77)
        code, second = desk.run_json("audit", "--keep", str(folder))
        assert (code, len(second["events"])) == (0, 1)
    finally:
        proxy.close()
    desk.write_policy()
    logs = [line for line in (folder / "events.jsonl").read_bytes().splitlines() if b"topics" in line]
    assert len(logs) == len(whole["events"]) + 1
    assert desk.run_json("audit", "--from", str(folder / "events.jsonl"))[0] == 0


@pytest.mark.parametrize("index", [2**63, 2**64, 2**256 - 1])
def test_places_that_no_chain_has_are_no_answer(desk: Desk, tmp_path: Path, index: int) -> None:
    def say(method: str, _params: list[Any], result: Any) -> Any:
        if method != "eth_getLogs" or not result:
            return result
        return [*result[:-1], {**result[-1], "logIndex": hex(index)}]

    proxy = FaultProxy(desk.chain.url)
    try:
        desk.write_policy(nodes=(proxy.url,))
        proxy.answer = say
        code, out, error = desk.run("audit", "--keep", str(tmp_path / "kept"))
    finally:
        proxy.close()
    assert (code, "COMPLETE" in out, "malformed answer to eth_getLogs" in error) == (3, False, True), error


def test_a_link_in_the_folder_leads_nowhere(desk: Desk, tmp_path: Path) -> None:
    folder, target = tmp_path / "kept", tmp_path / "precious"
    folder.mkdir()
    target.write_text("precious")
    (folder / ".events.jsonl.new").symlink_to(target)
    assert desk.run("audit", "--keep", folder)[0] == 0
    assert target.read_text() == "precious"
    assert (folder / "events.jsonl").is_symlink() is False


def test_two_runs_in_one_folder_do_not_mix(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kept"
    assert desk.run("audit", "--keep", folder)[0] == 0
    kept = {each.name: each.read_bytes() for each in folder.iterdir()}
    desk.chain.anchor(77)
    honest, answers = LedgerClient.logs, []

    def meanwhile(*args: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(LedgerClient, "logs", honest)
            for options in ((), ("--anew",), ("--follow",)):
                answers.append((*desk.run("audit", "--keep", folder, *options), {**kept_now()}))
        return honest(*args)

    def kept_now() -> dict[str, bytes]:
        return {name: (folder / name).read_bytes() for name in kept}

    with monkeypatch.context() as outer:
        outer.setattr(LedgerClient, "logs", meanwhile)
        code, _, error = desk.run("audit", "--keep", folder)
    assert code == 0, error
    assert [(code, "another run" in error, now == kept) for code, _, error, now in answers] == [(3, True, True)] * 3
    assert desk.run("audit", "--from", folder / "events.jsonl")[0] == 0


@pytest.mark.parametrize("is_longer", [False, True])
def test_a_run_that_is_killed_while_it_waits_for_a_node_spoils_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_longer: bool
) -> None:
    folder = tmp_path / "kept"
    assert desk.run("audit", "--keep", folder)[0] == 0
    if is_longer:
        desk.chain.anchor(77)
    else:
        desk.chain.node.write("anvil_mine", ["0x40"])
    seen: dict[str, bytes] = {}
    honest = LedgerClient.logs

    def waiting(*args: Any) -> Any:
        yield from honest(*args)
        # What would be there had it been killed here.
        seen.update({each.name: each.read_bytes() for each in folder.iterdir()})

    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "logs", waiting)
        assert desk.run("audit", "--keep", folder)[0] == 0
    for name, content in seen.items():
        (folder / name).write_bytes(content)
    code, out, error = desk.run("audit", "--keep", folder)
    assert (code, "events were proven before" in out) == (0, True), error
    assert desk.run("audit", "--from", folder / "events.jsonl")[0] == 0


def test_an_archive_that_does_not_go_with_the_checkpoint_is_not_gone_on_from(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert desk.run("audit", "--keep", folder)[0] == 0
    archive = folder / "events.jsonl"
    good = archive.read_bytes()
    lines = good.splitlines(keepends=True)
    desk.chain.anchor(77)
    longer = good + lines[1]
    for content in (lines[0] + good, good[:-20] + b" " * 19 + b"\n", longer[1:] + b"\n"):
        archive.write_bytes(content)
        code, out, error = desk.run("audit", "--keep", folder)
        assert (code, "COMPLETE" in out, "does not go with the checkpoint" in error) == (2, False, True)
        assert archive.read_bytes() == content
    # Whatever a run that was cut short left behind the end is read again.
    archive.write_bytes(longer)
    assert desk.run("audit", "--keep", folder)[0] == 0
    assert desk.run("audit", "--from", archive)[0] == 0


def test_a_full_disk_is_told_and_leaves_what_was_kept(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    assert desk.run("audit", "--keep", folder)[0] == 0
    kept = {each.name for each in folder.iterdir()}
    desk.chain.anchor(77)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (0, (folder / "events.jsonl").stat().st_size + 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            code, out, error = desk.run("audit", "--keep", folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (code in (2, 3), "COMPLETE" in out, "File too large" in error) == (True, False, True), error
        assert {each.name for each in folder.iterdir()} == kept
    code, content = desk.run_json("audit", "--keep", folder)
    assert (code, [each["event"] for each in content["events"]]) == (0, ["batchAnchored"])


def test_a_checkpoint_that_cannot_be_written_leaves_none_half_written(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    assert desk.run("audit", "--keep", folder)[0] == 0
    kept = {each.name for each in folder.iterdir()}
    desk.chain.anchor(77)

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("anchor.cli.kept.checkpoint_to_bytes", full)
        code, out, error = desk.run("audit", "--keep", folder)
    assert (code, "COMPLETE" in out, "No space left" in error) == (2, False, True)
    assert {each.name for each in folder.iterdir()} == kept
    code, content = desk.run_json("audit", "--keep", folder)
    assert (code, [each["event"] for each in content["events"]]) == (0, ["batchAnchored"])


def test_one_node_alone_does_not_make_it_that_the_chain_was_reorganised(desk: Desk, tmp_path: Path) -> None:
    nodes = [FaultProxy(desk.chain.url) for _ in range(3)]
    options = ["--trust", desk.chain.registry.to_text(), "--max-age", "any", "--keep", tmp_path / "kept"]
    options += [word for node in nodes for word in ("--rpc", node.url)]
    try:
        assert desk.run("audit", *options)[0] == 0
        desk.chain.anchor(77)
        number = hex(desk.chain.client.latest_block().header.number - 1)
        honest, forked = _as_it_is, forking(desk.chain, 2, 0xAA)
        for liars, lie, is_known in (
            (1, lambda *asked: forked(*asked) if asked[1][:1] == [number] else honest(*asked), True),
            (3, lambda *asked: None if asked[1][:1] == [number] else honest(*asked), True),
            (3, lambda *asked: forked(*asked) if asked[1][:1] == [number] else honest(*asked), False),
        ):
            kept = {each.name: each.read_bytes() for each in (tmp_path / "kept").iterdir()}
            for place, node in enumerate(nodes):
                node.answer = lie if place < liars else honest
            code, out, error = desk.run("audit", *options)
            said = ("were proven before" in out, "the chain was reorganised, as the node" in error)
            assert (code, *said) == (0, is_known, not is_known), error
            for name, content in kept.items():
                (tmp_path / "kept" / name).write_bytes(content)
    finally:
        for node in nodes:
            node.close()


def _as_it_is(_method: str, _params: list[Any], result: Any) -> Any:
    return result
