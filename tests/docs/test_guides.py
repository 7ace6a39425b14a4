"""What the guides tell people to type exists: each command, with each of its options and enough arguments."""

import re
from typing import Any

import pytest
import typer.main

from anchor.cli.main import build_app
from tests.docs.documents import ROOT, blocks, read
from tests.support.guides import command_of

GUIDES = sorted(f"docs/guides/{path.name}" for path in (ROOT / "docs" / "guides").glob("*.md"))
LINES = [
    (guide, line)
    for guide in GUIDES
    for block in blocks(read(guide), "bash")
    for line in block.splitlines()
    if line.startswith("credanchor ")
]


def parsed(line: str) -> tuple[Any, list[str]]:
    """Find the command that a line runs; give it with the words that follow its name."""
    command: Any = typer.main.get_command(build_app()[0])
    (_, *words), _ = command_of(line)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"there is no command {words[0]}"
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), "a subcommand is missing"
    return command, words


def test_there_are_guides_with_commands() -> None:
    assert set(GUIDES) == {guide for guide, _ in LINES}
    assert len(GUIDES) >= 4


@pytest.mark.parametrize(("guide", "line"), LINES, ids=lambda value: str(value)[:60])
def test_a_documented_command_can_be_parsed(guide: str, line: str) -> None:
    command, words = parsed(line)
    # Raises for an option that there is not, a value out of its range, or an argument that is missing or too many.
    command.make_context("credanchor", words)


def test_gas_in_the_table_is_that_of_the_snapshot() -> None:
    import json

    measured = json.loads(read("contracts/snapshots/gas.json"))
    rows = dict(re.findall(r"^\| (.+?) \| .+? \| ([\d,; ]+) \|$", read("docs/guides/public-chain.md"), re.MULTILINE))
    named = {
        "`issuer accredit`": "accredit",
        "`issuer key add`": "addKey",
        "`issue`, a batch of any size": "anchor 1,000 credentials",
    }
    for row, name in named.items():
        assert abs(int(rows[row].replace(",", "")) - int(measured[name])) <= 1000
    one, hundred = (int(each.replace(",", "")) for each in rows["`revoke` one; 100 neighbours"].split(";"))
    assert abs(one - int(measured["revoke 1"])) <= 1000
    assert abs(hundred - int(measured["revoke 100 adjacent"])) <= 1000
