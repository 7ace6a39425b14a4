"""The check of achievements gives its findings whatever stands where: it never fails on them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from registry.services.achievement import parse_achievement, review_achievement
from registry.services.achievement_library import check_code, suggest_code
from registry.services.results import result_rule
from tests.support.achievements import MORE_EXAMPLES

SCALAR = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "NaN", "1e9", "data:,", "Percent"])
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner))
EXAMPLES = [json.loads(path.read_bytes()) for path in MORE_EXAMPLES]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and key in a JSON value, from the outside in."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, member in inner for each in [(value, key), *places(member)]]


@given(data=st.data(), example=st.sampled_from(EXAMPLES), new=VALUE)
def test_anything_may_stand_anywhere(data: st.DataObject, example: dict[str, Any], new: Any) -> None:
    achievement = json.loads(json.dumps(example))
    holder, key = data.draw(st.sampled_from(places(achievement)))
    holder[key] = new
    if achievement.get("type") == "VerifiableCredential":
        return
    content = json.dumps(achievement).encode()
    review = review_achievement(content)
    for problem in (*review.problems, *review.warnings):
        assert problem.where.startswith("$")
        assert problem.reason
    if not review.problems:
        # What the check passes can be issued from, with results.
        rule = result_rule(parse_achievement(content).value)
        if rule.check("60") is None:
            rule.to_result("60")


@given(name=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_suggested_code_is_a_code(name: str) -> None:
    code = suggest_code(f"a{name}")
    assert check_code(code) == code
