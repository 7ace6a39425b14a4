"""The defences that `scripts/check deep` takes away one by one: none is missing, and none is out of date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.defences import Defence, load_defences

ROOT = Path(__file__).parents[2]
DEFENCES = load_defences()

NO_ATTACKS = {"test_wallet_that_is_a_contract_is_asked"}
"""What stands beside the attacks to show the rule that they try to break."""


def attacks() -> set[str]:
    forge = [path.read_text("utf-8") for path in (ROOT / "contracts" / "test" / "attacks").glob("*.t.sol")]
    chain = (ROOT / "tests" / "ledger" / "test_attacks.py").read_text("utf-8")
    found = {name for text in forge for name in re.findall(r"function (test_\w+)", text)}
    lies = (ROOT / "tests" / "lies" / "test_each_defence.py").read_text("utf-8")
    found |= set(re.findall(r"^def (test_lie_\w+)", lies, re.MULTILINE))
    return found | set(re.findall(r"^def (test_\w+)", chain, re.MULTILINE)) - NO_ATTACKS


def test_every_attack_has_a_defence_that_can_be_taken_away() -> None:
    assert len(attacks()) > 20
    assert {defence.test for defence in DEFENCES} == attacks()


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: f"{defence.test}: {defence.why}")
def test_each_defence_is_in_the_code_as_it_is(defence: Defence) -> None:
    text = (ROOT / defence.file).read_text("utf-8")
    assert defence.removed(text) != text
