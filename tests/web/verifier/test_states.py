"""Each state that a credential can be in: the page's answer is right, is Python's, and is told in plain words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from anchor.policy import policy_to_text
from tests.support.verifier_world import EMAIL, RIGHT_TO_LEFT, VerifierWorld
from tests.support.visitor import Visitor, words
from tests.web.verifier.conftest import Take

HEADLINES = {"valid": "answer.valid", "invalid": "answer.notValid", "unknown": "answer.unknown"}


@pytest.fixture(scope="module")
def by_python(world: VerifierWorld, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program says of each file."""
    from anchor.cli.main import run

    folder = tmp_path_factory.mktemp("files")
    for name, data in world.files.items():
        (folder / "in" / name).parent.mkdir(exist_ok=True)
        (folder / "in" / name).write_bytes(data)
    (folder / "policy.json").write_text(policy_to_text(world.policy()), "utf-8")
    run(["verify", str(folder / "in"), "--policy", str(folder / "policy.json"), "--out", str(folder / "report.json")])
    report = json.loads((folder / "report.json").read_text("utf-8"))
    return {Path(each["file"]).name: each for each in report["results"]}


def test_each_state_gets_the_right_answer_in_plain_words(
    visitor: Visitor, world: VerifierWorld, by_python: dict[str, Any], take: Take
) -> None:
    """One page for all, as somebody has it who checks one after the other."""
    said = words()
    for name, data in world.files.items():
        outcome, reason = world.answers[name]
        visitor.give({name: data})
        answer = visitor.answer
        assert (answer["outcome"], answer["reason"]) == (outcome, reason), name
        python = by_python[name]
        assert (python["outcome"], python["reason"]) == (outcome, reason), name
        keys = ("step", "name", "status", "reason")
        assert [{key: each[key] for key in keys} for each in answer["checks"]] == [
            {key: each[key] for key in keys} for each in python["checks"]
        ], name
        assert visitor.headline() == said[HEADLINES[outcome]], name
        # A date stands in it where one decided.
        key = f"{reason or outcome}.why"
        sentence = next(said[each] for each in (f"{key}.date", f"{key}.since", key) if each in said)
        assert re.fullmatch(re.escape(sentence).replace(r"\{moment\}", ".+ UTC"), visitor.why()), name
        assert visitor.advice() == said[f"{reason or outcome}.do"], name
        take(visitor.page, f"state-{name.removesuffix('.json')}")
    assert visitor.others_asked() == {world.chain.url}


def test_whose_it_is(visitor: Visitor, world: VerifierWorld) -> None:
    said = words()
    for email, expected in ((EMAIL, "answer.valid"), ("someone.else@example.org", "answer.otherPerson")):
        visitor.page.locator("#email").fill(email)
        visitor.give({"valid.json": world.files["valid.json"]})
        assert visitor.headline() == said[expected]
    # Nothing that was typed is kept, or told anybody.
    assert visitor.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == (
        '[{},{},""]'
    )
    assert not any("example.org" in each for each in visitor.asked)


def test_a_name_from_right_to_left_stands_by_itself(visitor: Visitor, world: VerifierWorld) -> None:
    visitor.give({"right-to-left.json": world.files["right-to-left.json"]})
    name = visitor.page.locator("ca-answer bdi", has_text=RIGHT_TO_LEFT)
    assert name.first.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"


def test_no_text_of_a_stranger_becomes_markup(visitor: Visitor, world: VerifierWorld) -> None:
    title = visitor.page.title()
    visitor.give({'<img src=x onerror="document.title=1">.json': world.files["hostile.json"]})
    assert "<script>document.title=1</script>" in visitor.page.locator("ca-answer .award").inner_text()
    assert visitor.page.title() == title
    assert visitor.page.locator("ca-answer script, ca-answer img").count() == 0
