"""Decision records and changelog keep their form."""

import json
import re
import tomllib

import pytest

from tests.docs.documents import ROOT, read

RECORDS = sorted(path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
PARTS = ["Context", "Drivers", "Options", "Outcome", "Consequences"]


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_decisions_are_numbered_without_gap_or_double() -> None:
    assert len(RECORDS) >= 5
    assert [name[:5] for name in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("name", [*RECORDS, "template.md"])
def test_decision_has_all_parts_and_names_its_price(name: str) -> None:
    text = read(f"docs/adr/{name}")
    number = "NNNN" if name == "template.md" else name[:4]
    assert text.startswith(f"# {number}. ")
    assert headings(text) == PARTS
    assert re.search(r"^\* Status: (proposed|accepted|superseded by \d{4})", text, re.MULTILINE)
    assert "**The price:**" in text.partition("## Consequences")[2]


def test_changelog_tells_of_the_present_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    released = [title for title in headings(read("CHANGELOG.md")) if title != "[Unreleased]"]
    assert re.fullmatch(rf"\[{re.escape(version)}\] - (unreleased|\d{{4}}-\d\d-\d\d)", released[0])


def test_packages_share_one_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert json.loads(read("package.json"))["version"] == version
