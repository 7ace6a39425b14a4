"""A new user's first hour, by the program alone: issue, lose the database, tamper, revoke, suspend, stop the chain."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACHIEVEMENT = ROOT / "docs" / "examples" / "achievement.json"
ROSTER = """name,email
Zoë Tremblay,zoe@example.org
ᐊᓇ ᐃᓄᒃ,
"O'Brien, Łukasz",lukasz@example.org
Nguyễn Thị Hoa,hoa@example.org
"""


@dataclass(kw_only=True)
class User:
    folder: Path

    def types(self, *arguments: object, exits: int = 0) -> str:
        """Run the program as installed; give what it printed, and require its exit code and that it kept its head."""
        command = [str(Path(sys.executable).with_name("credanchor")), *(str(each) for each in arguments)]
        environment = {**os.environ, "CREDANCHOR_HOME": str(self.folder / "home")}
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, env=environment, timeout=120
        )
        printed = ended.stdout + ended.stderr
        assert ended.returncode == exits, printed
        assert "Traceback" not in printed
        return printed


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    user = User(folder=tmp_path)
    user.types("dev", "up", "--port", "0")
    yield user
    user.types("dev", "down")


def test_first_hour_of_a_new_user(user: User) -> None:
    roster, issued = user.folder / "roster.csv", user.folder / "issued"
    roster.write_text(ROSTER)

    # Issue your own roster.
    printed = user.types("issue", "--achievement", ACHIEVEMENT, "--recipients", roster, "--out", issued)
    assert "4 credentials anchored" in printed
    first, second, third, _ = sorted(issued.glob("*.json"))
    assert {path.stat().st_mode & 0o777 for path in issued.iterdir()} == {0o600}

    # Delete the database; the files verify all the same.
    for path in (user.folder / "home").glob("registry.db*"):
        path.unlink()
    assert "4 valid" in user.types("verify", issued)

    # Change one letter.
    changed = user.folder / "changed.json"
    changed.write_text(first.read_text().replace("Literacy", "Litercay"))
    assert "something in it was changed" in user.types("verify", changed, exits=1)

    # Revoke one.
    user.types("revoke", first, "--reason", "issued-in-error")
    assert "the issuer revoked this credential" in user.types("verify", first, exits=1)
    assert "already revoked" in user.types("revoke", first, "--reason", "issued-in-error", exits=1)

    # Suspend and reinstate one.
    user.types("suspend", second, "--reason", "other")
    assert "the issuer suspended this credential" in user.types("verify", second, exits=1)
    user.types("reinstate", second, "--reason", "other")
    assert "VALID" in user.types("verify", second)

    # The auditor finds it all.
    history = json.loads(user.types("audit", "--json"))
    assert history["complete"] is True
    assert [event["event"] for event in history["events"]][-4:] == [
        "batchAnchored",
        "credentialsRevoked",
        "credentialsSuspended",
        "credentialsReinstated",
    ]

    # Feed it garbage.
    garbage = user.folder / "garbage.json"
    garbage.write_bytes(b"\x00garbage")
    assert "MALFORMED" in user.types("verify", garbage, exits=2)

    # Stop the chain; it comes back with what it held.
    user.types("dev", "down")
    assert "cannot be reached" in user.types("verify", third, exits=3)
    user.types("dev", "up")
    assert "3 valid · 1 not valid" in user.types("verify", issued, exits=1)
