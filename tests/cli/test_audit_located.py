"""`credanchor audit` of histories that are not whole, on a real chain: where they break, and what the very event is."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anchor.events import RawLog
from anchor.ledger.client import LedgerClient
from tests.cli.conftest import Desk
from tests.ledger.chain import STATUS_KEY
from tests.ledger.proxy import FaultProxy
from tests.support.pages import read_page

Lines = list[bytes]


@pytest.fixture
def archive(desk: Desk) -> Path:
    """An archive of a history with four changes of status."""
    for index in range(4):
        call = desk.chain.contract.revoke(
            issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
        )
        desk.chain.execute(STATUS_KEY, call)
    assert desk.run("audit", "--keep", desk.folder / "kept")[0] == 0
    return desk.folder / "kept" / "events.jsonl"


def spoil(archive: Path, change: Callable[[Lines], object]) -> tuple[Path, Lines]:
    """Change an archive's lines; give it, and what it had."""
    lines = archive.read_bytes().splitlines(keepends=True)
    before = list(lines)
    change(lines)
    spoiled = archive.with_name("spoiled.jsonl")
    spoiled.write_bytes(b"".join(lines))
    return spoiled, before


def place(line: bytes) -> str:
    log = json.loads(line)
    return f"block {log['block']}, log {log['index']} (transaction {log['transaction']})"


def test_an_event_taken_out_of_an_archive_is_named(desk: Desk, archive: Path) -> None:
    spoiled, lines = spoil(archive, lambda lines: lines.pop(-4))
    code, out, error = desk.run("audit", "--from", spoiled)
    assert code == 1
    assert f"institution 1: between {place(lines[-5])} and {place(lines[-3])} events are missing" in out
    assert f"only at the node {desk.chain.url}: credentialsRevoked at {place(lines[-4])}" in out
    assert "only in the archive" not in out
    assert "its head is not the one" in error or "does not" in error


def test_an_altered_event_is_named_as_it_is_and_as_it_was(desk: Desk, archive: Path) -> None:
    def alter(lines: Lines) -> None:
        log = json.loads(lines[-4])
        log["data"] = log["data"][:-1] + ("0" if log["data"][-1] != "0" else "1")
        lines[-4] = json.dumps(log, separators=(",", ":")).encode() + b"\n"

    spoiled, lines = spoil(archive, alter)
    code, content = desk.run_json("audit", "--from", spoiled)
    assert (code, content["complete"], content["format"]) == (1, False, "credanchor/audit@v1")
    (fault,) = content["faults"]
    log = json.loads(lines[-4])
    assert (fault["kind"], fault["issuer"], fault["at"]["block"]) == ("gap", 1, log["block"])
    (mine,), (theirs,) = content["onlyInArchive"], content["onlyAtNode"]
    assert mine["transaction"] == theirs["transaction"] == log["transaction"]
    assert content["error"]["type"] == "HistoryError"


def test_what_breaks_is_no_line_of_a_csv_file(desk: Desk, archive: Path) -> None:
    spoiled, _ = spoil(archive, lambda lines: lines.pop(-4))
    code, out, error = desk.run("audit", "--from", spoiled, "--format", "csv")
    assert (code, out, "institution 1: between" in error) == (1, "", True)


def test_events_missing_at_the_end_of_an_archive_are_found_at_the_node(desk: Desk, archive: Path) -> None:
    spoiled, lines = spoil(archive, lambda lines: lines.pop(-2))
    code, out, _ = desk.run("audit", "--from", spoiled)
    assert code == 1
    assert f"institution 1: after {place(lines[-3])} events are missing" in out
    assert f"only at the node {desk.chain.url}: credentialsRevoked at {place(lines[-2])}" in out


def test_a_report_says_where_it_breaks_in_its_language(desk: Desk, archive: Path) -> None:
    spoiled, _ = spoil(archive, lambda lines: lines.pop(-4))
    out = desk.folder / "report.html"
    assert desk.run("audit", "--from", spoiled, "--out", out, "--lang", "fr")[0] == 1
    page = read_page(out.read_text("utf-8"))
    said = [each.text for each in page.all("li")]
    assert said[0].startswith("l’établissement 1 : entre bloc ")
    assert said[1].startswith(f"seulement chez le nœud {desk.chain.url} : credentialsRevoked, bloc ")


def test_a_node_that_keeps_something_back_is_located_without_an_archive(
    desk: Desk, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = LedgerClient.logs

    def lie(self: LedgerClient, *args: object) -> Iterator[RawLog]:
        told = list(logs(self, *args))  # type: ignore[arg-type]
        return iter([*told[:-3], *told[-2:]])

    monkeypatch.setattr(LedgerClient, "logs", lie)
    lines = archive.read_bytes().splitlines()
    code, out, _ = desk.run("audit")
    assert code == 1
    assert f"between {place(lines[-5])} and {place(lines[-3])} events are missing, or the latter is altered" in out
    assert "only at the node " not in out


def test_an_archive_that_breaks_is_no_nodes_fault(desk: Desk, archive: Path) -> None:
    spoiled, _ = spoil(archive, lambda lines: lines.pop(-4))
    proxy = FaultProxy(desk.chain.url)
    more = ("--trust", desk.chain.registry.to_text(), "--max-age", "any", "--rpc", desk.chain.url, "--rpc", proxy.url)
    try:
        code, out, error = desk.run("audit", "--from", spoiled, *more)
    finally:
        proxy.close()
    assert (code, "only at the node " in out) == (1, True), error


@pytest.fixture
def two(desk: Desk) -> Iterator[tuple[list[FaultProxy], list[str]]]:
    """Two nodes that are asked, and how they are named to the program."""
    nodes = [FaultProxy(desk.chain.url), FaultProxy(desk.chain.url)]
    named = [word for node in nodes for word in ("--rpc", node.url)]
    yield nodes, ["--trust", desk.chain.registry.to_text(), "--max-age", "any", *named]
    for node in nodes:
        node.close()


def leaving_out(line: bytes) -> Callable[[str, Any], Any]:
    """Make a node leave out the log that a line of an archive has."""
    gone = json.loads(line)["transaction"]

    def change(method: str, result: Any) -> Any:
        if method != "eth_getLogs":
            return result
        return [log for log in result if log["transactionHash"] != gone]

    return change


def test_nodes_none_of_which_gives_all_are_compared(
    desk: Desk, archive: Path, two: tuple[list[FaultProxy], list[str]]
) -> None:
    (one, other), options = two
    lines = archive.read_bytes().splitlines()
    one.change, other.change = leaving_out(lines[-4]), leaving_out(lines[-3])
    code, out, error = desk.run("audit", *options)
    assert code == 1, error
    assert f"between {place(lines[-5])} and {place(lines[-3])} events are missing, or the latter is altered" in out
    assert f"only at the node {other.url}: credentialsRevoked at {place(lines[-4])}" in out
    assert f"only at the node {one.url}: credentialsRevoked at {place(lines[-3])}" in out
    code, content = desk.run_json("audit", *options)
    assert [each["node"] for each in content["onlyAtNode"]] == [one.url, other.url]
    assert content["onlyInArchive"] == []


def test_a_node_that_gives_less_than_another_is_noted(
    desk: Desk, archive: Path, two: tuple[list[FaultProxy], list[str]]
) -> None:
    (one, _), options = two
    one.change = leaving_out(archive.read_bytes().splitlines()[-4])
    code, content = desk.run_json("audit", *options)
    assert (code, [each["note"] for each in content["notes"]]) == (0, ["nodeRefuted"])
    assert f"the events that the node {one.url} gave are not all" in content["notes"][0]["message"]
    code, out, error = desk.run("audit", *options)
    assert (code, "COMPLETE" in out, f"! the events that the node {one.url} gave" in error) == (0, True, True)
    assert desk.run_json("audit", *options[:4], "--rpc", desk.chain.url)[1]["notes"] == []


def test_what_a_node_has_forgotten_hides_no_place(
    desk: Desk, archive: Path, two: tuple[list[FaultProxy], list[str]]
) -> None:
    nodes, options = two
    for node in nodes:
        node.refuse = lambda method, _: "history is pruned" if method == "eth_getLogs" else None
    spoiled, lines = spoil(archive, lambda lines: lines.pop(-4))
    code, out, _ = desk.run("audit", "--from", spoiled, *options)
    assert code == 1
    assert f"institution 1: between {place(lines[-5])} and {place(lines[-3])} events are missing" in out
    assert "only " not in out


def test_an_archive_of_another_chain_of_blocks_is_judged_by_heads_and_said_to_be(desk: Desk, archive: Path) -> None:
    def elsewhere(lines: Lines) -> None:
        lines[-1] = json.dumps({**json.loads(lines[-1]), "upToHash": "0x" + "09" * 32}).encode() + b"\n"

    spoiled, lines = spoil(archive, elsewhere)
    for mined in (0, 1):
        if mined:
            desk.chain.node.write("anvil_mine", ["0x1"])
        code, content = desk.run_json("audit", "--from", spoiled)
        assert (code, content["complete"], [each["note"] for each in content["notes"]]) == (0, True, ["otherChain"])
        assert json.loads(lines[-1])["upToHash"] in content["notes"][0]["message"]
    assert desk.run_json("audit", "--from", archive)[1]["notes"] == []


def test_rubbish_is_refused_in_good_time(desk: Desk, archive: Path) -> None:
    def invent(lines: Lines) -> None:
        log = json.loads(lines[-2])
        more = []
        for number in range(3000):
            log |= {"index": number + 5, "data": log["data"][:-8] + f"{number:08x}"}
            more.append(json.dumps(log, separators=(",", ":")).encode() + b"\n")
        lines[-1:-1] = more

    spoiled, _ = spoil(archive, invent)
    code, content = desk.run_json("audit", "--from", spoiled)
    assert (code, len(content["faults"]), content["differsThroughout"]) == (1, 1000, True)
