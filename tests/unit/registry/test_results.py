"""A roster's result becomes `credentialSubject.result`, by what the achievement says of it."""

from decimal import Decimal
from typing import Any

import pytest

from registry.services.achievement import parse_achievement
from registry.services.achievement_rules import read_number
from registry.services.results import result_rule
from tests.support.achievements import EXAMPLES, description, level, with_results

RUBRIC = description(
    "RubricCriterionLevel",
    rubricCriterionLevel=[
        level("Basic", level="1", points="1"),
        level("Proficient", level="2", points="2"),
        level("Full Mastery", level="3", points="3"),
    ],
)
LINK = {"type": ["Result"], "resultDescription": "urn:x:result"}


@pytest.mark.parametrize(
    ("rules", "text", "said"),
    [
        (description("Percent"), "92", {"value": "92"}),
        (description("Percent"), " 92,5 % ", {"value": "92.5"}),
        (description("Percent"), "100%", {"value": "100"}),
        (description("GradePointAverage", valueMax="4.3"), "4.30", {"value": "4.30"}),
        (description("RawScore", valueMin="-5", valueMax="40"), "-5", {"value": "-5"}),
        (description("RawScore"), "1000000", {"value": "1000000"}),
        (description("LetterGrade", allowedValue=["D", "C", "B", "A"], requiredValue="C"), "c", {"value": "C"}),
        (description("LetterGrade", allowedValue=["a", "A"]), "A", {"value": "A"}),
        (description("LetterGrade"), " A+ ", {"value": "A+"}),
        (description("Percent", allowedValue=["50", "100"]), "50", {"value": "50"}),
        (description("ext:Sash", valueMin="1"), "2", {"value": "2"}),
        (description("Result"), "with honours", {"value": "with honours"}),
        (description("Status"), "in progress", {"status": "InProgress"}),
        (description("Status"), "COMPLETED", {"status": "Completed"}),
        (RUBRIC, "full  mastery", {"achievedLevel": "urn:x:Full Mastery"}),
        (RUBRIC, "2", {"achievedLevel": "urn:x:Proficient"}),
        (RUBRIC, "urn:x:Basic", {"achievedLevel": "urn:x:Basic"}),
        ({**RUBRIC, "requiredLevel": "urn:x:Proficient"}, "Proficient", {"achievedLevel": "urn:x:Proficient"}),
    ],
)
def test_results_that_fit(rules: dict[str, Any], text: str, said: dict[str, str]) -> None:
    rule = result_rule(with_results(rules).value)
    assert rule.check(text) is None
    assert rule.to_result(text) == [{**LINK, **said}]


@pytest.mark.parametrize(
    ("rules", "text", "words"),
    [
        (description("Percent"), "101", "more than 100"),
        (description("Percent"), "-1", "less than 0"),
        (description("Percent"), "A", "no number"),
        (description("Percent"), "1 000", "no number"),
        (description("Percent"), "NaN", "no number"),
        (description("Percent"), "٣", "no number"),
        (description("Percent", requiredValue="60"), "59.9", r"requires \(60\)"),
        (description("RawScore"), "92 %", "no number"),
        (description("RawScore", valueMin="1", valueMax="40"), "0", "less than 1"),
        (description("GradePointAverage"), "-0.1", "less than 0"),
        (description("LetterGrade", allowedValue=["D", "C"]), "E", "it may be D, C"),
        (description("LetterGrade", allowedValue=["a", "A", "B"], requiredValue="B"), "A", r"requires \(B\)"),
        (description("LetterGrade", allowedValue=["é", "É"]), "e", "no value"),
        (description("LetterGrade"), " ", "empty"),
        (description("PerformanceLevel", allowedValue=[str(number) for number in range(20)]), "x", r"… \(20 in all\)"),
        (description("Status"), "passed", "Completed, Enrolled"),
        (RUBRIC, "Great", "Basic, Proficient, Full Mastery"),
        ({**RUBRIC, "requiredLevel": "urn:x:Proficient"}, "basic", r"requires \(Proficient\)"),
        (
            description("RubricCriterion", rubricCriterionLevel=[level("A"), level("a", id="urn:x:2")]),
            "a",
            "more than one level",
        ),
    ],
)
def test_results_that_do_not_fit(rules: dict[str, Any], text: str, words: str) -> None:
    rule = result_rule(with_results(rules).value)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(rule.check(text))


def test_levels_without_points_are_not_compared() -> None:
    rules = description("RubricCriterionLevel", rubricCriterionLevel=[level("A"), level("B")], requiredLevel="urn:x:B")
    assert result_rule(with_results(rules).value).check("A") is None


def test_without_description_the_result_stands_as_it_is() -> None:
    rule = result_rule(with_results().value)
    assert rule.check("92") is None
    assert rule.check("  ") == "is empty"
    assert rule.to_result("92") == [{"type": ["Result"], "value": "92"}]


def test_several_descriptions_take_nothing_from_a_roster() -> None:
    achievement = parse_achievement((EXAMPLES / "full-achievement.json").read_bytes())
    rule = result_rule(achievement.value)
    assert "describes 3 results" in (rule.check("A") or "")
    with pytest.raises(ValueError, match="one column"):
        rule.to_result("A")


@pytest.mark.parametrize(
    "rules",
    [description("Percent"), description("LetterGrade", allowedValue=["A"]), RUBRIC],
    ids=["%", "list", "rubric"],
)
def test_what_was_not_checked_makes_no_result(rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is no "):
        result_rule(with_results(rules).value).to_result("Z")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,5", "1.5"), (" -2 ", "-2"), ("+3.25", "3.25"), ("1.", None), (".5", None), ("1e3", None), ("", None)],
)
def test_numbers(text: str, number: str | None) -> None:
    assert read_number(text) == (None if number is None else Decimal(number))
