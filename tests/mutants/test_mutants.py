"""The mutants that `scripts/check deep` makes, and its list of those that may survive."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scripts.mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
SURVIVORS = tomllib.loads((ROOT / "tests" / "mutants" / "survivors.toml").read_text("utf-8")).get("survivor", [])


def names(source: str) -> set[str]:
    return {mutant.name for mutant in mutants_of("anchor/example.py", source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("LIMIT = 64", {"LIMIT = 65", "LIMIT = 63"}, id="limit"),
        pytest.param("fine = True", {"fine = False"}, id="truth"),
        pytest.param("x = a < b", {"x = a <= b", "x = a >= b"}, id="comparison"),
        pytest.param("x = a and b and c", {"x = b and c", "x = a and c", "x = a and b"}, id="operand"),
        pytest.param("x = not a", {"x = a"}, id="negation"),
        pytest.param("x = a << b", {"x = a >> b"}, id="shift"),
        pytest.param("x = a[b:c]", {"x = a[:c]", "x = a[b:]"}, id="slice"),
        pytest.param("x = {a, b}", {"x = {b}", "x = {a}"}, id="element"),
        pytest.param("check(a)", {"pass"}, id="call"),
        pytest.param("x = check(a, key=b)", {"x = check(a)"}, id="argument"),
        pytest.param("x = check(a, b)", {"x = check(a)", "x = check(b, a)"}, id="order of arguments"),
        pytest.param("x = sorted(a)", {"x = a"}, id="order"),
        pytest.param("x = any(a)", {"x = all(a)"}, id="quantifier"),
        pytest.param("class A:\n reason = 'revoked'", {"reason = 'XXrevoked'"}, id="reason"),
        pytest.param("STEPS = ('not revoked',)", {"STEPS = ('XXnot revoked',)", "STEPS = ()"}, id="table of texts"),
        pytest.param(
            "x = re.compile('a+')", {"x = re.compile('XXa+')", "x = re.compile('a*')", "x = re.compile('a?')"}
        ),
        pytest.param("if a: check()", {"if True:", "if False:", "pass"}, id="condition"),
        pytest.param("def f():\n return a", {"return None"}, id="result"),
        pytest.param("try: a\nexcept (B, C): raise", {"except (C,):", "except (B,):", "pass"}, id="caught exception"),
        pytest.param("match a:\n case 1: b\n case _: c", {"nothing", "case 2:", "case 0:"}, id="case"),
    ],
)
def test_small_faults_are_made(source: str, expected: set[str]) -> None:
    assert {name.partition(" → ")[2].partition(" #")[0] for name in names(source)} == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""What it is for."""',
        "from a import b",
        "x: Final[int]",
        "def f(a: int = b) -> 'int | None': pass",
        "def f():\n raise FormatError(f'expected {len(a)} bytes, got {b + 1}')",
        "def f():\n x = 'a sentence'",
    ],
)
def test_nothing_that_no_program_could_tell_apart_is_mutated(source: str) -> None:
    assert {name for name in names(source) if "→ pass" not in name} == set()


def test_values_within_a_sentence_are_mutated() -> None:
    assert names("def f():\n x = f'block {a + b} of {c}'") == {
        "f: x = f'block {a + b} of {c}' → x = f'block {a - b} of {c}'"
    }


def test_equal_faults_in_one_function_have_different_names() -> None:
    twice = mutants_of("anchor/example.py", "def f():\n x = a + b\n x = a + b")
    assert [mutant.name for mutant in twice] == ["f: x = a + b → x = a - b", "f: x = a + b → x = a - b #2"]
    assert [mutant.lines for mutant in twice] == [range(2, 3), range(3, 4)]


def test_a_mutant_differs_in_its_one_place_only() -> None:
    source = "def f(a):\n    if a < 1:\n        return g(a, 2)\n    return 3\n"
    tree = ast.parse(source)
    written = {ast.unparse(mutant.tree(tree)) for mutant in mutants_of("anchor/example.py", source)}
    assert ast.unparse(tree) == source.strip()
    assert source.strip().replace("a < 1", "a <= 1") in written
    assert all(len(set(text.splitlines()) ^ set(source.splitlines())) == 2 for text in written)


def mutants_by_name(module: str) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants_of(module, (ROOT / module).read_text("utf-8"))}


@pytest.mark.parametrize("survivor", SURVIVORS, ids=lambda survivor: survivor["mutant"][:80])
def test_each_explained_survivor_is_a_mutant_of_the_code_as_it_is(survivor: dict[str, Any]) -> None:
    assert survivor.keys() == {"module", "mutant", "why"}
    assert len(survivor["why"]) > 20
    assert survivor["mutant"] in mutants_by_name(survivor["module"])
