"""A registrar's worst day: a messy spreadsheet, two power cuts while it is issued, a typo, three to take back."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from anchor.ledger.rpc import RpcNode
from registry.settings import load_settings
from tests.support.bureau import EXAMPLES, Bureau, make_keys_quickly, open_each_key_once
from tests.support.messy_roster import COUNT, FAULTS, as_xlsx, mended_rows, messy_rows

MISSPELT = "learner.10@example.org"
RIGHT_NAME = "Zoé Tremblay-Levesque"
WITHDRAWN = ("learner.40@example.org", "learner.41@example.org", "learner.302@example.org")
SECONDS = 60
"""How long a process may take to get somewhere before the test fails: for a machine under load."""


@dataclass(kw_only=True)
class Office(Bureau):
    """The registrar's desk; all that was ever shown on it is kept."""

    said: str = field(default="", init=False)

    def run(self, *arguments: object) -> tuple[int, str, str]:
        code, out, err = super().run(*arguments)
        self.said += out + err
        return code, out, err

    @property
    def node(self) -> RpcNode:
        return RpcNode(load_settings(self.home).rpc_url)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the ledger recorded of one kind; the auditor proves that nothing is left out."""
        code, history = self.run_json("audit")
        assert (code, history["complete"]) == (0, True)
        return [event for event in history["events"] if event["event"] == kind]

    def cut_power_once_sent(self, *arguments: object) -> None:
        """Kill the program when its transaction has reached the node and is in no block."""
        with (self.home / "shown").open("w+b") as shown:
            process = self.start(*arguments, shown=shown)
            try:
                deadline = time.monotonic() + SECONDS
                while not self._is_waiting(process, shown):
                    assert time.monotonic() < deadline
            finally:
                process.kill()
                process.wait()
            shown.seek(0)
            self.said += shown.read().decode()

    def _is_waiting(self, process: subprocess.Popen[bytes], shown: IO[bytes]) -> bool:
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            return bool(self.node.read("txpool_status", [])["pending"] == "0x1")
        shown.seek(0)
        raise AssertionError(f"it ended before it was killed: {shown.read().decode()}")


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path / "home"))
    for name in ("PASSPHRASE", "RPC_URL"):
        monkeypatch.delenv(f"CREDANCHOR_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    make_keys_quickly(monkeypatch)
    open_each_key_once(monkeypatch)
    office = Office(home=tmp_path / "home", capsys=capsys)
    assert office.run("dev", "up", "--port", "0")[0] == 0
    yield office
    office.run("dev", "down")


def test_a_messy_list_a_power_cut_a_typo_and_three_to_take_back(office: Office, tmp_path: Path) -> None:
    roster = tmp_path / "cohort.xlsx"
    issue = ("issue", "--achievement", EXAMPLES / "achievement.json", "--recipients", roster)

    # Ten faults: each is pointed out, and nothing is issued.
    roster.write_bytes(as_xlsx(messy_rows()))
    code, _, error = office.run(*issue)
    assert code == 2
    assert f"the roster has {len(FAULTS)} problems; nothing was issued" in error
    for row, (column, reason, hint) in FAULTS.items():
        (line,) = [line for line in error.splitlines() if f"row {row}, {column}: {reason}" in line]
        assert hint in line
    assert office.events("batchAnchored") == []

    # Mended, it is issued. The power fails twice: the first time, the node forgets what it was given, too.
    roster.write_bytes(as_xlsx(mended_rows()))
    office.node.write("evm_setAutomine", [False])
    office.cut_power_once_sent(*issue)
    office.node.write("anvil_dropAllTransactions", [])
    office.cut_power_once_sent("issue", "--resume")
    assert office.events("batchAnchored") == []
    office.node.write("evm_setAutomine", [True])
    office.node.write("anvil_mine", ["0x1"])
    code, resumed = office.run_json("issue", "--resume", "--out", "issued")
    assert (code, [batch["size"] for batch in resumed["batches"]]) == (0, [COUNT])
    assert [event["size"] for event in office.events("batchAnchored")] == [COUNT]
    code, out, _ = office.run("verify", "issued")
    assert code == 0
    assert f"{COUNT} valid" in out
    assert "nothing to resume" in office.run("issue", "--resume")[1]
    assert office.run(*issue)[0] == 2
    assert len(office.events("batchAnchored")) == 1

    # A name is misspelt: the corrected credential is valid, the old one is not, and each leads to the other.
    (old,) = office.run_json("find", MISSPELT)[1]["found"]
    code, replaced = office.run_json("replace", old["id"], "--name", RIGHT_NAME, "--out", "corrected", "--yes")
    assert code == 0
    found = {each["id"]: each for each in office.run_json("find", MISSPELT)[1]["found"]}
    assert found.keys() == {old["id"], replaced["new"]}
    before, after = found[old["id"]], found[replaced["new"]]
    assert (before["status"], before["replacedBy"], before["replaces"]) == ("revoked", after["id"], None)
    assert (after["status"], after["replaces"], after["name"]) == ("active", before["id"], RIGHT_NAME)
    assert [event["reason"] for event in office.events("credentialsRevoked")] == ["superseded"]
    assert office.run("verify", file_of(old["id"]))[0] == 1
    assert office.run("verify", "corrected")[0] == 0

    # Three are taken back by one transaction, which costs about what one does.
    Path("withdrawn.csv").write_text("\n".join(["e-mail", *WITHDRAWN]), "utf-8")
    code, revoked = office.run_json("revoke", "--list", "withdrawn.csv", "--reason", "issued-in-error", "--yes")
    assert (code, revoked["changedCount"], len(revoked["transactions"])) == (0, 3, 1)
    (one,) = replaced["revocations"]
    gas_of_one = int(office.node.read("eth_getTransactionReceipt", [one])["gasUsed"], 16)
    assert revoked["transactions"][0]["gasUsed"] < 1.5 * gas_of_one
    assert len(office.events("credentialsRevoked")) == 2
    assert [office.run_json("find", each)[1]["found"][0]["status"] for each in WITHDRAWN] == ["revoked"] * 3
    code, out, _ = office.run("verify", "issued")
    assert code == 1
    assert f"{COUNT - 4} valid · 4 not valid" in out

    assert "issue" in office.said
    assert "nonce" not in office.said.lower()


def file_of(identifier: str) -> Path:
    """The file of a credential; its name ends with the id."""
    (path,) = Path("issued").glob(f"*-{identifier.removeprefix('urn:uuid:')}.json")
    assert json.loads(path.read_bytes())["id"] == identifier
    return path
