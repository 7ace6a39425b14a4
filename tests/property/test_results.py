"""Results of rosters: what the check passes makes a result that the schema knows, and the reason repeats nothing."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from registry.services.results import ResultRule, result_rule
from tests.support.achievements import description, level, with_results

LEVELS = [level("Basic", points="1"), level("Proficient", points="2")]
RULES = (
    description("Percent", requiredValue="10"),
    description("RawScore", valueMin="-3", valueMax="3"),
    description("LetterGrade", allowedValue=["D", "C", "b", "B"]),
    description("RubricCriterionLevel", rubricCriterionLevel=LEVELS),
    description("Status"),
    description("Result"),
)
RULE = st.sampled_from([result_rule(with_results(each).value) for each in RULES])
TEXT = st.text(max_size=12) | st.sampled_from(["B", "basic", "Completed", "on hold"]) | st.decimals(-200, 200).map(str)


@given(rule=RULE, text=TEXT)
def test_a_checked_text_makes_one_result(rule: ResultRule, text: str) -> None:
    if rule.check(text) is None:
        (result,) = rule.to_result(text)
        said = set(result) - {"type", "resultDescription"}
        assert len(said) == 1
        assert said <= {"value", "status", "achievedLevel"}
        # What a credential says is itself a result: reading it again changes nothing.
        (value,) = (result[member] for member in said)
        assert rule.to_result(value) == [result]


@given(
    number=st.decimals(min_value=0, max_value=100, places=3), comma=st.booleans(), sign=st.sampled_from(["", "%", " %"])
)
def test_percentages_keep_their_value(number: Decimal, comma: bool, sign: str) -> None:
    rule = result_rule(with_results(description("Percent")).value)
    text = f"{number:f}".replace(".", "," if comma else ".") + sign
    assert rule.check(text) is None
    assert Decimal(rule.to_result(text)[0]["value"]) == number
