"""`credanchor issue` as an institution meets it: rosters good and bad, a node that is down, a process killed."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anchor.cli.auditing import audit_registry
from anchor.ledger.rpc import RpcNode
from anchor.policy import parse_policy
from registry.errors import ConflictError
from registry.settings import load_settings
from tests.support.bureau import EXAMPLES, Bureau, open_each_key_once

ACHIEVEMENT = EXAMPLES / "achievement.json"
FEW = "name;courriel;note\nZoé Tremblay;zoe@example.org;A\nᐊᓇ ᐃᓄᒃ;;B\nSahaiʔa Beardy;sahaia@example.org;C\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from registry.services.devnet import Devnet

    devnet = Devnet(tmp_path_factory.mktemp("bureau") / "home")
    home = devnet.up(now=int(time.time()), port=0).settings
    assert home is not None
    yield home.home
    devnet.down()


@pytest.fixture
def bureau(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bureau]:
    monkeypatch.setenv("CREDANCHOR_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    open_each_key_once(monkeypatch)
    Path("few.csv").write_text(FEW, "utf-8")
    # Each test has a database of its own.
    for path in home.glob("registry.db*"):
        path.unlink()
    node = RpcNode(load_settings(home).rpc_url)
    yield Bureau(home=home, capsys=capsys)
    node.write("evm_setAutomine", [True])
    node.write("anvil_mine", ["0x1"])


def issue(bureau: Bureau, roster: Path | str = "few.csv", *more: object) -> tuple[int, dict[str, Any]]:
    return bureau.run_json("issue", "--achievement", ACHIEVEMENT, "--recipients", roster, *more)


def sealed(bureau: Bureau) -> list[tuple[int, int, str]]:
    """What is in the database: batch, number of credentials, state."""
    path = bureau.home / "registry.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        # Killed while it was being made, the database has no tables yet.
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchone():
            return []
        query = "SELECT b.id, count(*), b.state FROM batches b JOIN credentials c ON c.batch_id = b.id GROUP BY b.id"
        return connection.execute(query).fetchall()


def anchored_roots(bureau: Bureau) -> list[str]:
    policy = parse_policy((bureau.home / "policy.json").read_bytes())
    history, _ = audit_registry(policy.registries[0], policy, lambda _words: None)
    return ["0x" + root.hex() for root in history.issuer(1).batches]


def test_issue_verify_and_find_it_in_the_audit(bureau: Bureau) -> None:
    code, content = issue(bureau, "few.csv", "--out", "out")
    assert code == 0
    (batch,) = content["batches"]
    assert (batch["size"], batch["state"], content["unusedColumns"]) == (3, "anchored", ["note"])
    assert batch["transaction"]["gasUsed"] <= 62_000
    assert Path(batch["index"]) == Path("out/index-batch-1.csv")
    assert {"read", "seal", "anchor", "unlockKey"} <= content["seconds"].keys()
    code, verdicts = bureau.run_json("verify", "out")
    assert (code, verdicts["counts"]["valid"]) == (0, 3)
    assert batch["root"] in anchored_roots(bureau)


def test_in_words(bureau: Bureau) -> None:
    code, out, error = bureau.run(
        "issue", "--achievement", EXAMPLES / "full-achievement.json", "--recipients", "few.csv", "--out", "out"
    )
    assert (code, error) == (0, "")
    assert "3 credentials anchored: 1EdTech University Degree" in out
    assert "listed in index-batch-1.csv" in out
    assert "nothing was taken from: note" in out
    assert bureau.run("verify", "out")[0] == 0


def test_a_thousand_learners(bureau: Bureau) -> None:
    code, content = issue(bureau, EXAMPLES / "roster-1000.csv", "--out", "out")
    assert (code, content["batches"][0]["size"]) == (0, 1000)
    code, verdicts = bureau.run_json("verify", "out")
    assert (code, verdicts["counts"]["valid"]) == (0, 1000)


def test_dry_run_issues_nothing(bureau: Bureau) -> None:
    code, content = issue(bureau, "few.csv", "--dry-run")
    assert (code, content["recipients"], content["withEmail"]) == (0, 3, 2)
    assert content["sample"]["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert len(bytes.fromhex(content["root"][2:])) == 32
    assert 55_000 < content["cost"]["gas"] < 62_000
    assert 0 < int(content["cost"]["likelyWei"]) <= int(content["cost"]["maxWei"])
    code, out, _ = bureau.run("issue", "--achievement", ACHIEVEMENT, "--recipients", "few.csv", "--dry-run")
    assert code == 0
    assert "3 recipients, 2 with an e-mail" in out
    assert "nothing was issued" in out
    assert "gas in 1 transaction" in out
    assert sealed(bureau) == []


def test_a_dry_run_without_a_node_says_what_it_can(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_RPC_URL", "http://127.0.0.1:9")
    code, content = issue(bureau, "few.csv", "--dry-run")
    assert (code, content["recipients"], content["cost"]) == (0, 3, None)
    code, out, _ = bureau.run("issue", "--achievement", ACHIEVEMENT, "--recipients", "few.csv", "--dry-run")
    assert code == 0
    assert "not known: the node http://127.0.0.1:9 cannot be reached" in " ".join(out.split())
    monkeypatch.delenv("CREDANCHOR_RPC_URL")
    monkeypatch.setenv("CREDANCHOR_ANCHOR_KEY", "keys/status.json")
    code, content = issue(bureau, "few.csv", "--dry-run")
    assert (code, content["error"]["type"]) == (1, "RevertedError")


@pytest.mark.parametrize(
    ("roster", "words"),
    [
        ("", "no column"),
        ("name,email\n", "no recipients"),
        ("Zoé,zoe@example.org\n", "no column"),
        ('name,email\nZoé,nope\n"A\nB",\n', "2 problems"),
    ],
)
def test_rosters_that_cannot_be_used(bureau: Bureau, roster: str, words: str) -> None:
    Path("bad.csv").write_text(roster, "utf-8")
    code, content = issue(bureau, "bad.csv")
    assert code == 2
    assert words in content["error"]["message"]
    assert sealed(bureau) == []


def test_problems_are_listed_in_words(bureau: Bureau) -> None:
    Path("bad.csv").write_text("name,email\n" + "Zoé,nope\n" * 30, "utf-8")
    code, _, error = bureau.run("issue", "--achievement", ACHIEVEMENT, "--recipients", "bad.csv")
    assert code == 2
    assert "line 2, email: is not an e-mail address" in error
    assert "… and 10 more" in error
    assert "Zoé" not in error


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json", "not JSON"),
        (b'{"a":1,"a":1}', "same key"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"type":["Achievement"],"id":"urn:x:1","name":"x"}', "not valid Open Badges 3.0: 2 problems"),
        (b" " * 2_000_000, "at most"),
    ],
)
def test_achievements_that_cannot_be_used(bureau: Bureau, content: bytes, words: str) -> None:
    Path("bad.json").write_bytes(content)
    code, _, error = bureau.run("issue", "--achievement", "bad.json", "--recipients", "few.csv")
    assert code == 2
    assert words in error
    assert sealed(bureau) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--achievement", "a.json"],
        ["--resume", "--dry-run"],
        ["--resume", "x"],
        ["--resume", "--again"],
        ["--resume", "--emails", "en"],
        ["--achievement", "absent.json", "--recipients", "few.csv", "--emails", "en"],
        ["--achievement", "absent.json", "--recipients", "few.csv", "--out", "o", "--emails", "de"],
        ["--achievement", "absent.json", "--recipients", "few.csv", "--rejects", "r.csv"],
        ["3", "--achievement", "a.json", "--recipients", "b.csv"],
        ["--achievement", "absent.json", "--recipients", "few.csv"],
    ],
)
def test_wrong_usage(bureau: Bureau, arguments: list[str]) -> None:
    assert bureau.run("issue", *arguments)[0] == 2


def test_not_set_up(bureau: Bureau, tmp_path: Path) -> None:
    code, _, error = bureau.run(
        "issue", "--achievement", ACHIEVEMENT, "--recipients", "few.csv", "--home", tmp_path / "nowhere"
    )
    assert code == 2
    assert "credanchor dev up" in error


def test_nobody_to_ask_for_the_passphrase(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = bureau.home / "settings.toml"
    text = settings.read_text("utf-8")
    settings.write_text("".join(line for line in text.splitlines(keepends=True) if "passphrase" not in line), "utf-8")
    try:
        code, content = issue(bureau)
        assert (code, sealed(bureau)) == (2, [])
        assert "CREDANCHOR_PASSPHRASE" in content["error"]["advice"]
        monkeypatch.setenv("CREDANCHOR_PASSPHRASE", "wrong")
        code, content = issue(bureau)
        assert (code, sealed(bureau)) == (2, [])
        assert content["error"]["message"] == "the passphrase does not open the key anchor"
    finally:
        settings.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("variable", "value", "code", "words"),
    [
        ("RPC_URL", "http://127.0.0.1:9", 3, "cannot be reached"),
        ("REGISTRY", f"eip155:31337:0x{'ab' * 20}", 3, "no contract"),
        ("REGISTRY", "eip155:1:0x5fbdb2315678afecb367f032d93f642f64180aa3", 3, "not chain 1"),
        ("ISSUER_ID", "2", 3, "issuer 2"),
        ("ISSUER_DID", "did:web:other.example", 3, "is not did:web:other.example"),
        ("ANCHOR_KEY", "keys/status.json", 1, "WrongScope"),
        ("ANCHOR_KEY", "keys/absent.json", 2, "no key absent"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/x.db", 3, "cannot be made"),
    ],
)
def test_what_is_not_in_order_is_found_out_before_anything_is_sealed(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int, words: str
) -> None:
    monkeypatch.setenv(f"CREDANCHOR_{variable}", value)
    found, content = issue(bureau)
    assert (found, sealed(bureau)) == (code, [])
    assert words in content["error"]["message"]


def test_pending_then_resumed(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_WAIT_SECONDS", "0.2")
    RpcNode(load_settings(bureau.home).rpc_url).write("evm_setAutomine", [False])
    code, content = issue(bureau)
    assert code == 3
    assert "credanchor issue --resume 1" in content["error"]["advice"]
    assert sealed(bureau) == [(1, 3, "sent")]

    # The same again is refused, for it would be issued twice.
    code, content = issue(bureau)
    assert (code, content["error"]["type"]) == (1, "UnfinishedError")

    RpcNode(load_settings(bureau.home).rpc_url).write("evm_setAutomine", [True])
    RpcNode(load_settings(bureau.home).rpc_url).write("anvil_mine", ["0x1"])
    code, content = bureau.run_json("issue", "--resume", "1", "--out", "out")
    assert (code, content["batches"][0]["state"]) == (0, "anchored")
    assert bureau.run("verify", "out")[0] == 0
    assert sealed(bureau) == [(1, 3, "anchored")]


def test_nothing_to_resume(bureau: Bureau) -> None:
    assert bureau.run_json("issue", "--resume") == (0, {"format": "credanchor/issue@v1", "batches": []})
    issue(bureau)
    code, out, _ = bureau.run("issue", "--resume")
    assert code == 0
    assert "--resume 1 --out DIR" in out
    assert bureau.run("issue", "--resume", "9")[0] == 1


def test_files_of_an_anchored_batch_without_the_chain(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(bureau)
    monkeypatch.setenv("CREDANCHOR_RPC_URL", "http://127.0.0.1:9")
    code, out, _ = bureau.run("issue", "--resume", "1", "--out", "out")
    assert code == 0
    assert "3 credentials anchored" in out
    assert len(list(Path("out").glob("*.json"))) == 3


def test_a_folder_that_cannot_be_written_is_found_out_first(bureau: Bureau) -> None:
    Path("file").write_text("")
    code, content = issue(bureau, "few.csv", "--out", "file")
    assert (code, content["error"]["type"], sealed(bureau)) == (1, "ConflictError", [])


def test_files_that_cannot_be_written_do_not_hide_that_the_batch_is_issued(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConflictError("there is no room")

    with monkeypatch.context() as patched:
        patched.setattr("registry.services.files.write_batch", refuse)
        code, _, err = bureau.run("issue", "--achievement", ACHIEVEMENT, "--recipients", "few.csv", "--out", "full")
    assert code == 1
    assert "is issued, do not issue it again" in err
    assert [state for _, _, state in sealed(bureau)] == ["anchored"]
    assert bureau.run("issue", "--resume", "1", "--out", "roomy")[0] == 0
    assert bureau.run("verify", "roomy")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.6, 1.0, 1.3, 1.6, 1.9, 2.2])
def test_killed_at_any_moment_nothing_is_half_done_nor_done_twice(bureau: Bureau, delay: float) -> None:
    before = set(anchored_roots(bureau))
    process = bureau.start("issue", "--achievement", ACHIEVEMENT, "--recipients", EXAMPLES / "roster-1000.csv")
    time.sleep(delay)
    process.kill()
    process.wait()
    states = sealed(bureau)
    assert [count for _, count, _ in states] in ([], [1000])
    code, content = bureau.run_json("issue", "--resume", "--out", "out")
    assert code == 0
    assert [state for _, _, state in sealed(bureau)] == ["anchored"] * len(states)
    assert len(set(anchored_roots(bureau)) - before) == len(states)
    if content["batches"]:
        assert bureau.run("verify", "out")[0] == 0


def test_two_at_once_share_neither_status_index_nor_nonce(bureau: Bureau) -> None:
    rosters = []
    for number in range(3):
        path = Path(f"r{number}.csv").absolute()
        path.write_text("name\n" + "".join(f"Zoé {chr(65 + number)}{chr(65 + row)}\n" for row in range(20)), "utf-8")
        rosters.append(path)
    running = [bureau.start("issue", "--achievement", ACHIEVEMENT, "--recipients", roster) for roster in rosters]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [(count, state) for _, count, state in sealed(bureau)] == [(20, "anchored")] * 3
    with closing(sqlite3.connect(bureau.home / "registry.db")) as connection:
        starts = sorted(first for (first,) in connection.execute("SELECT first_position FROM batches"))
    assert [start - starts[0] for start in starts] == [0, 20, 40]


def test_names_and_addresses_are_in_no_error(bureau: Bureau) -> None:
    Path("bad.csv").write_text("name,email\nSecret Person,secret@example\n", "utf-8")
    arguments = ("--verbose", "issue", "--achievement", ACHIEVEMENT, "--recipients", "bad.csv")
    out_and_error = "".join(bureau.run(*arguments)[1:])
    assert "ecret" not in out_and_error
    assert json.loads(bureau.run(*arguments[1:], "--json")[1])["error"]["problems"] == [
        {"where": "line 2, email", "reason": "is not an e-mail address", "hint": "behind the @ it has no dot"}
    ]
