"""What the check says of an achievement: every problem with its place, and what readers will miss."""

import base64
from pathlib import Path
from typing import Any

import pytest

from registry.errors import AchievementFormatError, Problem
from registry.services.achievement import review_achievement
from registry.services.achievement_images import MAX_EMBEDDED_BYTES, data_uri_fault, image_kind, make_data_uri
from registry.services.achievement_schema import near_words, vocabulary
from tests.support.achievements import EXAMPLES, MORE_EXAMPLES, PNG, SVG, description, level, review


def places(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.where for problem in problems]


def image(uri: str) -> dict[str, Any]:
    return {"image": {"id": uri, "type": "Image"}}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("path", MORE_EXAMPLES, ids=lambda path: path.stem)
def test_examples_have_no_problem_and_miss_nothing(path: Path) -> None:
    found = review_achievement(path.read_bytes())
    assert (found.problems, found.warnings) == ((), ())


def test_there_are_six_examples_of_different_kinds() -> None:
    contents = [path.read_text("utf-8") for path in MORE_EXAMPLES]
    assert len(contents) == 6
    for word in ("creditsAvailable", "esco/skill", "rubricCriterionLevel", "Membership", "fr-CA", '"en'):
        assert any(word in content for content in contents)


def test_the_specifications_example_misses_only_a_language() -> None:
    found = review_achievement((EXAMPLES / "full-achievement.json").read_bytes())
    assert (found.problems, places(found.warnings)) == ((), ["$.inLanguage"])


def test_what_employers_miss_is_warned_of() -> None:
    found = review(criteria={"id": "https://college.example/x"}, description=" ")
    assert found.problems == ()
    assert places(found.warnings) == [
        "$.description",
        "$.criteria.narrative",
        "$.image",
        "$.inLanguage",
        "$.alignment",
        "$.achievementType",
    ]
    assert all(warning.hint for warning in found.warnings)


def test_nothing_is_both_a_problem_and_a_warning() -> None:
    found = review(description=None, inLanguage="zz")
    assert places(found.problems) == ["$.description", "$.inLanguage"]
    assert not set(places(found.problems)) & set(places(found.warnings))


def test_all_problems_are_found_also_without_name_and_id() -> None:
    found = review(id=None, name=" ", criteria=None, creditsAvailable="3", inLanguage="zz")
    assert sorted(places(found.problems)) == ["$.creditsAvailable", "$.criteria", "$.id", "$.inLanguage", "$.name"]


def test_words_of_the_schema_are_suggested() -> None:
    (near,) = review(achievementType="microcredential").problems
    assert (near.where, near.hint) == ("$.achievementType", "Did you mean MicroCredential?")
    (far,) = review(achievementType="xyzzy").problems
    assert "Course" in far.hint
    assert "ext:" in far.hint
    assert "MicroCredential" in vocabulary("Achievement", "achievementType")
    assert near_words("LETTERGRADE", ("LetterGrade", "Percent")) == ("LetterGrade",)


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        ({"tag": "x"}, "$.tag", "must be a list"),
        ({"type": ["Achievement"], "image": {"id": 5, "type": "Image"}}, "$.image.id", "must be a text"),
        (
            {"alignment": [{"type": ["X"], "targetName": "x", "targetUrl": "https://x.example"}]},
            "$.alignment[0].type",
            "",
        ),
    ],
)
def test_schema_problems_in_plain_words(change: dict[str, Any], where: str, words: str) -> None:
    (problem,) = review(**change).problems
    assert problem.where == where
    assert words in problem.reason


@pytest.mark.parametrize("tag", ["en", "fr-CA", "iu-Cans", "moh", "es-419"])
def test_languages(tag: str) -> None:
    assert review(inLanguage=tag).problems == ()


@pytest.mark.parametrize("tag", ["zz", "english", "en_CA", "fr-ca", "", "en-AB"])
def test_what_is_no_language(tag: str) -> None:
    (problem,) = review(inLanguage=tag).problems
    assert problem.where == "$.inLanguage"
    assert "fr-CA" in problem.hint


def test_language_of_a_related_achievement() -> None:
    related = {"id": "urn:x:1", "type": ["Related"], "inLanguage": "zz"}
    assert places(review(related=[related]).problems) == ["$.related[0].inLanguage"]


RUBRIC = "RubricCriterionLevel"
AT = "$.resultDescription[0]"


@pytest.mark.parametrize(
    ("found", "where"),
    [
        (description(RUBRIC), f"{AT}.rubricCriterionLevel"),
        (description(RUBRIC, rubricCriterionLevel=[level("A"), level("A")]), f"{AT}.rubricCriterionLevel[1].id"),
        (
            description(RUBRIC, rubricCriterionLevel=[level("A"), level("A", id="urn:x:2")]),
            f"{AT}.rubricCriterionLevel[1].name",
        ),
        (description(RUBRIC, rubricCriterionLevel=[level("A")], requiredLevel="urn:x:B"), f"{AT}.requiredLevel"),
        (description("LetterGrade", allowedValue=["A"], requiredValue="B"), f"{AT}.requiredValue"),
        (description("Percent", valueMin="low"), f"{AT}.valueMin"),
        (description("RawScore", valueMin="40", valueMax="0"), f"{AT}.valueMin"),
        (description("RawScore", valueMax="40", requiredValue="41"), f"{AT}.requiredValue"),
        (description("RawScore", requiredValue="NaN"), f"{AT}.requiredValue"),
    ],
)
def test_results_that_contradict_themselves(found: dict[str, Any], where: str) -> None:
    problems = review(resultDescription=[found]).problems
    assert where in places(problems)
    assert all(problem.hint for problem in problems)


@pytest.mark.parametrize("kind", [[], {}, None, 5])
def test_a_kind_of_result_that_is_no_text(kind: Any) -> None:
    found = review(resultDescription=[{**description("Percent"), "resultType": kind}])
    assert f"{AT}.resultType" in places(found.problems)


def test_result_descriptions_with_one_id() -> None:
    twice = [description("Percent"), description("Status")]
    assert places(review(resultDescription=twice).problems) == ["$.resultDescription[1].id"]


def test_a_kind_of_result_of_ones_own_is_warned_of() -> None:
    found = review(resultDescription=[description("ext:Sash")])
    assert found.problems == ()
    assert f"{AT}.resultType" in places(found.warnings)


def test_skills_named_twice_or_without_web_address() -> None:
    def skill(url: str) -> dict[str, Any]:
        return {"type": ["Alignment"], "targetName": "x", "targetUrl": url}

    found = review(alignment=[skill("https://x.example/1"), skill("https://x.example/1"), skill("urn:x")])
    assert found.problems == ()
    assert {"$.alignment[1].targetUrl", "$.alignment[2].targetUrl"} <= set(places(found.warnings))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (SVG, "image/svg+xml"),
        (b"<svg/>", None),
        (b"<svg >", "image/svg+xml"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<html><svg ></html>", None),
        (b"", None),
    ],
)
def test_images_are_told_by_their_bytes(data: bytes, kind: str | None) -> None:
    assert image_kind(data) == kind
    if kind is not None:
        assert data_uri_fault(make_data_uri(data, kind)) is None


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("data:image/png;base64", "no comma"),
        ("data:image/png;base64,????", "base64"),
        (f"data:image/png;base64,{encoded(b'hello')}", "no image"),
        (f"data:image/svg+xml;base64,{encoded(PNG)}", "holds image/png"),
        (f"DATA:;base64,{encoded(PNG)}", "no data URI"),
        (f"data:;base64,{encoded(PNG)}", "says it is text"),
        ("data:image/svg+xml,%3Csvg%20/%3Ehttps://é", ""),
    ],
)
def test_embedded_images_that_are_none(uri: str, words: str) -> None:
    fault = data_uri_fault(uri)
    assert words in (fault or "")
    assert (fault is None) == (not words)


def test_an_embedded_image_is_looked_at() -> None:
    assert places(review(**image("data:text/html,<b>x</b>")).problems) == ["$.image.id"]
    large = review(**image(make_data_uri(PNG + bytes(MAX_EMBEDDED_BYTES), "image/png")))
    assert large.problems == ()
    assert "$.image.id" in places(large.warnings)


def test_one_that_is_too_large_for_a_credential_is_a_problem() -> None:
    (problem,) = review(**image(make_data_uri(PNG + bytes(786_000), "image/png"))).problems
    assert "bytes" in problem.reason
    assert "address" in problem.hint


@pytest.mark.parametrize("data", [b"no", b'{"type": ["VerifiableCredential"]}'])
def test_what_is_no_achievement_at_all(data: bytes) -> None:
    with pytest.raises(AchievementFormatError):
        review_achievement(data)
