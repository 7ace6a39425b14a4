"""The operator's guide, typed from top to bottom as it stands, with curl, a browser and a second institution's key."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.support.browser import launch
from tests.support.bureau import PROGRAM
from tests.support.guides import ROOT, read_guide

GUIDE = read_guide("run-the-service.md")
OPERATOR = re.findall(r"^```bash\n# operator\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
PHONE: ViewportSize = {"width": 360, "height": 740}
WAIT_SECONDS = 120


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Terminal:
    """A shell that keeps what was set, as the operator's second terminal does."""

    def __init__(self, place: Path, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "-u"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=place,
            env=environment,
            start_new_session=True,
        )

    def type(self, commands: str) -> str:
        """Type commands; give what is printed."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{commands}\nprintf '\\n=%s=\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        for line in self._shell.stdout:
            if end := re.fullmatch(r"=(\d+)=\n", line):
                assert end[1] == "0", printed
                return printed
            printed += line
        raise AssertionError(printed)

    def close(self) -> None:
        """Close it, and end what was started in it."""
        os.killpg(self._shell.pid, 9)
        self._shell.communicate()


@contextmanager
def serving(place: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    """The first terminal. Where the ledger listens is not on the page."""
    subprocess.run([PROGRAM, "dev", "up", "--port", "0"], cwd=place, env=environment, check=True, capture_output=True)
    command = [str(PROGRAM), "serve", "--dev", "--port", str(port)]
    with (place / "service.log").open("wb") as log:
        service = subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=subprocess.PIPE, text=True)
    assert service.stderr is not None
    try:
        assert any("serving at" in line for line in service.stderr)
        yield
    finally:
        service.terminate()
        service.communicate(timeout=WAIT_SECONDS)
        subprocess.run([PROGRAM, "dev", "down"], cwd=place, env=environment, check=True, capture_output=True)


def shown(page: Page, address: str) -> str:
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    return page.inner_text("main")


@pytest.mark.slow
def test_the_guide_leads_where_it_says(tmp_path: Path) -> None:
    port, hook = str(free_port()), str(free_port())
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = {**os.environ, "NO_COLOR": "1", "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}"}
    environment.pop("CREDANCHOR_PASSPHRASE", None)
    steps = [step.replace(":8000", f":{port}").replace("9000", hook) for step in OPERATOR]
    with serving(tmp_path, int(port), environment), launch() as browser:
        page = browser.new_page(viewport=PHONE, locale="en-CA")
        terminal = Terminal(tmp_path, environment)
        try:
            second, achievement, _, issue, learner = map(terminal.type, steps[:5])
            assert "elsewhere is issuer 2" in second
            assert '"code":"home"' in second
            assert '"code":"data-literacy"' in achievement
            assert re.search(r'"state":"tried".*"state":"final".*"done":5', issue, re.DOTALL)
            address = learner.strip().splitlines()[-1].replace(":8000", f":{port}")
            before = shown(page, address)
            revoke, other = terminal.type(steps[5]), terminal.type(steps[6])
            after = shown(page, address)
        finally:
            terminal.close()
    assert "Revoked" not in before
    assert "revoked" in after.lower()
    assert '"state":"revoked"' in revoke
    assert [each[:3] for each in other.splitlines()[:5]] == ["404"] * 5
    assert '"action":"job.create"' in other
    messages = (tmp_path / "messages.txt").read_text()
    assert "batch.final" in messages
    assert "status.changed" in messages
