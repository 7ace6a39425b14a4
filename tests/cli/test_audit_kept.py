"""`credanchor audit --keep` and `--from`: what is kept, gone on from, published and checked again."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchor.events import RawLog
from anchor.ledger.client import LedgerClient
from anchor.ledger.testnet import dev_signer
from anchor.model import Address
from tests.cli.conftest import Desk
from tests.ledger.chain import ADMIN, STRANGER
from tests.ledger.proxy import FaultProxy


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The blocks whose logs nodes are asked for."""
    spans: list[tuple[int, int]] = []
    honest = LedgerClient.logs

    def logs(client: LedgerClient, contract: Address, first_block: int, last_block: int) -> Iterator[RawLog]:
        spans.append((first_block, last_block))
        return honest(client, contract, first_block, last_block)

    monkeypatch.setattr(LedgerClient, "logs", logs)
    return spans


def kinds(content: dict[str, list[dict[str, str]]]) -> list[str]:
    return [event["event"] for event in content["events"]]


def test_second_run_reads_and_shows_what_is_new(desk: Desk, tmp_path: Path, asked: list[tuple[int, int]]) -> None:
    keep = ("audit", "--keep", str(tmp_path / "kept"))
    code, first = desk.run_json(*keep)
    assert (code, first["since"], len(first["events"]) > 4) == (0, None, True)
    desk.chain.anchor(77)
    code, second = desk.run_json(*keep)
    assert (code, kinds(second)) == (0, ["batchAnchored"])
    assert second["since"] == {"block": asked[0][1], "events": len(first["events"])}
    assert asked[1] == (asked[0][1] + 1, asked[0][1] + 1)
    assert len(second["issuers"][0]["anchored"]) == len(first["issuers"][0]["anchored"]) + 1
    out = desk.run(*keep)[1]
    assert f"up to which {len(first['events']) + 1} events were proven before" in out
    assert f"✔ COMPLETE  {len(first['events']) + 1} events" in out
    code, anew = desk.run_json(*keep, "--anew")
    assert kinds(anew) == [*kinds(first), "batchAnchored"]
    assert anew["issuers"] == second["issuers"]


def test_who_goes_on_asks_for_proofs_once(desk: Desk, tmp_path: Path) -> None:
    proxy = FaultProxy(desk.chain.url)
    try:
        desk.write_policy(nodes=(proxy.url,))
        keep = ("audit", "--keep", str(tmp_path / "kept"))
        assert desk.run(*keep)[0] == 0
        before = proxy.count("eth_getProof")
        desk.chain.anchor(77)
        assert desk.run(*keep)[0] == 0
        assert proxy.count("eth_getProof") == before + 1
        # Of an issuer who came meanwhile it knows nothing before it reads.
        desk.chain.execute(
            ADMIN, desk.chain.contract.accredit(did="did:web:other.example", controller=dev_signer(STRANGER).address)
        )
        code, _, err = desk.run(*keep)
        assert (code, proxy.count("eth_getProof")) == (0, before + 3), err
    finally:
        proxy.close()


@pytest.mark.parametrize("is_gzipped", [False, True])
def test_anyone_checks_an_archive_again(
    desk: Desk, tmp_path: Path, asked: list[tuple[int, int]], is_gzipped: bool
) -> None:
    whole = desk.run_json("audit", "--keep", str(tmp_path / "kept"))[1]
    end = asked[0][1]
    desk.chain.anchor(77)
    archive = tmp_path / "kept" / "events.jsonl"
    if is_gzipped:
        archive.write_bytes(gzip.compress(archive.read_bytes()))
    code, again = desk.run_json("audit", "--from", str(archive))
    assert (code, kinds(again)) == (0, [*kinds(whole), "batchAnchored"])
    assert asked[-1] == (end + 1, end + 1)


def test_false_archives_are_found_out(desk: Desk, tmp_path: Path) -> None:
    desk.run_json("audit", "--keep", str(tmp_path / "kept"))
    archive = tmp_path / "kept" / "events.jsonl"
    lines = archive.read_bytes().splitlines(keepends=True)
    events = [place for place, line in enumerate(lines) if b"topics" in line]

    def checked(*content: bytes) -> tuple[int, str]:
        archive.write_bytes(b"".join(content))
        code, out, err = desk.run("audit", "--from", str(archive))
        assert "COMPLETE" not in out
        return code, err

    # The last one alone: no head after it tells, but the one that is proven does.
    code, err = checked(*lines[: events[-1]], *lines[events[-1] + 1 :])
    assert (code, "does not end where the registry's does" in err) == (1, True)
    altered = json.loads(lines[events[-1]])
    altered["data"] = altered["data"][:-1] + ("0" if altered["data"][-1] != "0" else "1")
    code, err = checked(*lines[: events[-1]], json.dumps(altered).encode() + b"\n", *lines[events[-1] + 1 :])
    assert (code, "head does not follow" in err) == (1, True)
    code, err = checked(*lines[:-1])
    assert (code, "up to which block it goes" in err) == (2, True)
    code, err = checked(b"PK\x03\x04")
    assert (code, "line 1 of the archive" in err) == (2, True)
    code, err = checked(gzip.compress(b"".join(lines))[:-20])
    assert (code, "cannot be read" in err) == (2, True)
    code, err = checked(*lines[:-1], b'{"upTo":99999999,"upToHash":"0x' + b"00" * 32 + b'"}\n')
    assert (code, "goes up to block 99999999" in err) == (3, True)


def test_checkpoint_of_a_chain_that_was_reorganised_is_left(
    desk: Desk, tmp_path: Path, asked: list[tuple[int, int]]
) -> None:
    keep = ("audit", "--keep", str(tmp_path / "kept"))
    desk.chain.anchor(78)
    first = desk.run_json(*keep)[1]
    desk.chain.node.write("anvil_reorg", [1, []])
    code, second = desk.run_json(*keep)
    assert (code, second["since"]) == (0, None)
    assert (kinds(first)[-1], len(second["events"])) == ("batchAnchored", len(first["events"]) - 1)
    assert asked[-1][0] == 0


def test_node_that_lies_destroys_nothing_that_was_kept(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, folder = ("audit", "--keep", str(tmp_path / "kept")), tmp_path / "kept"
    desk.run_json(*keep)
    kept = {name: (folder / name).read_bytes() for name in ("events.jsonl", "checkpoint")}
    desk.chain.anchor(77)
    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "logs", lambda *_: iter(()))
        assert desk.run(*keep)[0] == 1
    assert (folder / "checkpoint").read_bytes() == kept["checkpoint"]
    assert (folder / "events.jsonl").read_bytes().startswith(kept["events.jsonl"])
    code, content = desk.run_json(*keep)
    assert (code, kinds(content)) == (0, ["batchAnchored"])


def test_checkpoint_that_does_not_lead_to_the_heads_is_left(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A node that lied in the first run and was believed: impossible, but a checkpoint may be wrong for any reason.
    keep = ("audit", "--keep", str(tmp_path / "kept"))
    whole = desk.run_json(*keep)[1]
    with monkeypatch.context() as patch:
        patch.setattr("anchor.ledger.complete.check_complete", lambda *_: None)
        honest = LedgerClient.logs
        patch.setattr(LedgerClient, "logs", lambda *args: iter(list(honest(*args))[:-1]))
        desk.run_json(*keep, "--anew")
    code, content = desk.run_json(*keep)
    assert (code, content["since"], kinds(content)) == (0, None, kinds(whole))


@pytest.mark.parametrize("name", ["checkpoint", "events.jsonl"])
def test_damage_in_the_folder_is_told(desk: Desk, tmp_path: Path, name: str) -> None:
    keep = ("audit", "--keep", str(tmp_path / "kept"))
    desk.run_json(*keep)
    path = tmp_path / "kept" / name
    path.write_bytes(path.read_bytes()[:-5])
    code, _, err = desk.run(*keep)
    assert (code, name in err) == (2, True)
    assert desk.run(*keep, "--anew")[0] == 0


def test_folder_that_is_none_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = desk.run("audit", "--keep", str(tmp_path / "file"))
    assert (code, "cannot be" in err) == (2, True)


def test_archive_of_a_registry_in_which_nothing_happens_does_not_grow(desk: Desk, tmp_path: Path) -> None:
    keep, archive = ("audit", "--keep", str(tmp_path / "kept")), tmp_path / "kept" / "events.jsonl"
    desk.run_json(*keep)
    before = archive.read_bytes().splitlines()
    for _ in range(3):
        desk.chain.node.write("anvil_mine", ["0x40"])
        code, content = desk.run_json(*keep)
        assert (code, content["events"]) == (0, [])
    after = archive.read_bytes().splitlines()
    assert after[:-1] == before[:-1]
    assert json.loads(after[-1])["upTo"] == json.loads(before[-1])["upTo"] + 3 * 0x40
    desk.chain.anchor(77)
    assert kinds(desk.run_json(*keep)[1]) == ["batchAnchored"]
    assert archive.read_bytes().splitlines()[: len(after)] == after
    assert desk.run_json("audit", "--from", str(archive))[0] == 0


@pytest.mark.parametrize("option", [(), ("--anew",)])
def test_a_run_that_is_cut_short_before_its_checkpoint_loses_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    keep, archive = ("audit", "--keep", str(tmp_path / "kept")), tmp_path / "kept" / "events.jsonl"
    # Two ends: written anew, the archive is shorter.
    desk.run_json(*keep)
    desk.chain.anchor(77)
    desk.run_json(*keep)
    desk.chain.anchor(78)

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("anchor.cli.auditing.write_checkpoint", end)
        assert desk.run(*keep, *option)[0] != 0
    code, content = desk.run_json(*keep)
    assert (code, kinds(content)[-1]) == (0, "batchAnchored")
    code, again = desk.run_json("audit", "--from", str(archive))
    assert (code, kinds(again)) == (0, kinds(desk.run_json("audit")[1]))


def test_events_that_were_changed_after_they_were_proven_are_not_shown(desk: Desk, tmp_path: Path) -> None:
    keep, archive = ("audit", "--keep", str(tmp_path / "kept")), tmp_path / "kept" / "events.jsonl"
    report = tmp_path / "report.html"
    assert desk.run(*keep, "--out", str(report))[0] == 0
    report.unlink()
    lines = archive.read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b"topics" in line and b'"data":"0x"' not in line)
    log = json.loads(lines[place])
    size = archive.stat().st_size
    for data, why in (
        (log["data"][:-64] + "07" * 32, "was changed"),
        (log["data"][:-2] + "zz", f"line {place + 1} of the archive"),
    ):
        changed = {**log, "data": data}
        line = json.dumps(changed, separators=(",", ":")).encode() + b"\n"
        archive.write_bytes(b"".join([*lines[:place], line, *lines[place + 1 :]]))
        assert archive.stat().st_size == size
        code, _, error = desk.run(*keep, "--out", str(report))
        assert (code, report.exists(), why in error) == (2, False, True)
    # One that is left out for spaces of the same length, too: the heads at the end tell.
    last = max(number for number, line in enumerate(lines) if b"topics" in line)
    spaces = lines[last - 1][:-1] + b" " * len(lines[last]) + b"\n"
    archive.write_bytes(b"".join([*lines[: last - 1], spaces, *lines[last + 1 :]]))
    code, _, error = desk.run(*keep, "--out", str(report))
    assert (code, "was changed: its events do not lead to the heads" in error) == (2, True)
    assert desk.run(*keep, "--anew", "--out", str(report))[0] == 0


def test_a_compressed_archive_that_is_damaged_is_told(desk: Desk, tmp_path: Path) -> None:
    desk.run_json("audit", "--keep", str(tmp_path / "kept"))
    archive = tmp_path / "kept" / "events.jsonl"
    packed = bytearray(gzip.compress(archive.read_bytes()))
    packed[len(packed) // 2] ^= 0xFF
    packed[len(packed) // 2 + 1] ^= 0xFF
    archive.write_bytes(packed)
    code, _, error = desk.run("audit", "--from", str(archive))
    assert (code, "cannot be read" in error or "of the archive" in error) == (2, True)
