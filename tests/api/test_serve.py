"""`credanchor serve` as a process: it serves, logs nobody's data, and ends when it is told to."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.api.conftest import write_home
from tests.ledger.chain import Chain
from tests.support.bureau import EXAMPLES, PROGRAM, Bureau

SCOPES = ("--scope", "read", "--scope", "issue")


def start(home: Path, *options: str, said: list[str] | None = None) -> tuple[subprocess.Popen[str], str]:
    """Start it on any free port; give the process and its address, and note what it says until it serves."""
    process = subprocess.Popen(
        [PROGRAM, "serve", "--home", str(home), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if said is not None:
            said.append(line)
        found = re.search(r"serving at (http://\S+);", line)
        if found:
            return process, found[1]
    raise AssertionError("it has ended")


def test_it_serves_until_it_is_told_to_end(chain: Chain, tmp_path: Path) -> None:
    process, address = start(write_home(tmp_path / "home", chain))
    answer = httpx2.get(f"{address}/readyz?who=zoe@example.org")
    assert answer.json()["status"] == "ready"
    assert "server" not in answer.headers
    assert httpx2.get(f"{address}/zoe@example.org").status_code == 404
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [("/readyz", 200), ("none", 404)]
    assert "zoe" not in out + err
    assert "127.0.0.1" not in out
    assert "Traceback" not in err


def state_of_a_roster(bureau: Bureau, address: str, key: str) -> str:
    """Upload a roster, and see what the worker within makes of it."""
    (achievement, *_) = sorted((EXAMPLES / "achievements").glob("*.json"))
    bureau.run("achievement", "add", achievement, "--code", "data", "--home", bureau.home)
    authorization = {"Authorization": f"Bearer {key}"}
    answer = httpx2.post(
        f"{address}/v1/batches?achievement=data",
        content=b"name,email\nAnn,ann@example.org\n",
        headers={**authorization, "Content-Type": "text/csv"},
    )
    assert answer.status_code == 202, answer.text
    while True:
        job = httpx2.get(address + answer.headers["location"], headers=authorization).json()
        if job["state"] in {"final", "failed"} or job["failure"]:
            return str(job["state"])


def check_history(bureau: Bureau, address: str) -> None:
    """See that the worker within has read and proven the registry's history, and prove what it gives again."""
    while (answer := httpx2.get(f"{address}/v1/ledger/events.jsonl")).status_code != 200:
        pass
    archive = bureau.home / "events.jsonl"
    archive.write_bytes(answer.content)
    code, out, err = bureau.run("audit", "--from", archive, "--policy", bureau.home / "policy.json", "--json")
    assert code == 0, err
    assert json.loads(out)["complete"]


def test_dev_serves_a_demo_institution_whose_key_is_made_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bureau = Bureau(home=tmp_path / "home", capsys=capsys)
    bureau.run("dev", "up", "--port", "0", "--home", bureau.home)
    said: list[str] = []
    process, address = start(bureau.home, "--dev", said=said)
    try:
        (page,) = re.findall(r"a learner's page: (http\S+)", "".join(said))
        html = httpx2.get(page).text
        assert "Zoë Tremblay" in html
        assert "</span> Valid</h2>" in html
        assert f"checking credentials in the browser: {address}/verify" in "".join(said)
        assert f"the registry's history: {address}/ledger" in "".join(said)
        while (answer := httpx2.get(f"{address}/ledger?lang=en")).status_code == 503:
            pass
        assert "The history is complete" in answer.text
        batch = re.search(r'href="\.\./(ledger/batches/0x[0-9a-f]{64})"', html)
        assert batch is not None
        assert "Anchored, and in force" in httpx2.get(f"{address}/{batch[1]}?lang=en").text
        assert httpx2.get(f"{address}/verify").headers["content-type"] == "text/html; charset=utf-8"
        code, key, _ = bureau.run("api-key", "new", "--institution", "home", *SCOPES, "--home", bureau.home)
        assert code == 0
        answer = httpx2.get(f"{address}/v1/institutions", headers={"Authorization": f"Bearer {key.strip()}"})
        (institution,) = answer.json()["institutions"]
        assert (institution["code"], institution["issuerId"]) == ("home", 1)
        assert state_of_a_roster(bureau, address, key.strip()) == "final"
        check_history(bureau, address)
    finally:
        process.terminate()
        process.communicate(timeout=60)
        bureau.run("dev", "down", "--home", bureau.home)


def test_home_that_is_not_set_up_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bureau = Bureau(home=tmp_path, capsys=capsys)
    code, _, err = bureau.run("serve", "--home", tmp_path)
    assert (code, "is not set up" in err) == (2, True)
    (tmp_path / "settings.toml").write_text('rpc_url = "http://127.0.0.1:8545"\n')
    code, _, err = bureau.run("serve", "--home", tmp_path)
    assert (code, "the service needs the setting public_url" in err) == (2, True)
