"""Short answers become the members of an achievement, or are refused with what they may be."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from anchor.errors import MalformedError
from registry.services import achievement_draft as draft
from registry.services.achievement_images import MAX_IMAGE_BYTES
from registry.services.frameworks import framework_of, make_alignment
from registry.services.results import result_rule
from tests.support.achievements import PNG, SVG, review, with_results

UUID = "2b92a5b2-6758-4ee3-9fb4-b6387a55cc8f"


@pytest.fixture
def new_id() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"urn:x:{next(numbers)}"


@pytest.mark.parametrize(
    ("url", "target_type", "name"),
    [
        (f"http://data.europa.eu/esco/skill/{UUID}", "ext:ESCO.Skill", "ESCO"),
        (f"https://data.europa.eu/esco/occupation/{UUID}", "ext:ESCO.Occupation", "ESCO"),
        (f"https://x.example/ims/case/v1p0/CFItems/{UUID}", "CFItem", None),
        (f"https://x.example/ims/case/v1p1/CFRubricCriteria/{UUID}", "CFRubricCriterion", None),
        (f"https://casenetwork.imsglobal.org/uri/{UUID}", "CFItem", None),
        (f"https://opensalt.net/uri/{UUID}", "CFItem", None),
        (f"https://credentialengineregistry.org/resources/ce-{UUID}", "CTDL", "Credential Registry"),
        ("https://credentialfinder.org/competency/123", "ceasn:Competency", "Credential Registry"),
        ("https://credentialfinder.org/credential/123/Welder", "ceterms:Credential", "Credential Registry"),
    ],
)
def test_frameworks_are_told_by_address(url: str, target_type: str, name: str | None) -> None:
    alignment = make_alignment(url, " a skill ")
    assert (alignment["targetType"], alignment["targetName"], alignment["targetUrl"]) == (target_type, "a skill", url)
    assert alignment.get("targetFramework", "").startswith(name or "")
    assert ("targetFramework" in alignment) == (name is not None)
    assert review(alignment=[alignment]).problems == ()


@pytest.mark.parametrize(
    "url",
    [
        f"https://data.europa.eu.example/esco/skill/{UUID}",
        "https://data.europa.eu/eli/reg/2016/679",
        "https://credentialfinder.org/",
        "https://opensalt.net/cftree/doc/1",
        "https://x.example/CFItemsList",
    ],
)
def test_other_addresses_tell_no_framework(url: str) -> None:
    assert framework_of(url) is None
    assert "targetType" not in make_alignment(url, "x")


@pytest.mark.parametrize("text", ["", "https://x.example", "ftp://x.example a skill", "perform data analysis"])
def test_alignments_that_cannot_be_used(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        draft.read_alignment(text)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("Percent", {"resultType": "Percent", "valueMin": "0", "valueMax": "100"}),
        ("percent; pass 60", {"resultType": "Percent", "requiredValue": "60"}),
        ("raw score: 0-40 ; PASS 12,5", {"valueMin": "0", "valueMax": "40", "requiredValue": "12.5"}),
        ("GradePointAverage: 0 to 4,3", {"resultType": "GradePointAverage", "valueMax": "4.3"}),
        ("LetterGrade: D, C, B, A; pass C", {"allowedValue": ["D", "C", "B", "A"], "requiredValue": "C"}),
        ("Status", {"resultType": "Status", "name": "Status"}),
        ("rubric: Low, High; pass High", {"resultType": "RubricCriterionLevel", "requiredLevel": "urn:x:3"}),
        ("Result", {"resultType": "Result", "name": "Result"}),
    ],
)
def test_results_in_one_line(text: str, members: dict[str, Any], new_id: Callable[[], str]) -> None:
    description = draft.read_result(text, new_id)
    assert {key: description[key] for key in members} == members
    # What is made passes the check and can be used for a roster.
    result_rule(with_results(description).value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Percnt", "Did you mean Percent"),
        ("xyzzy", "One of: GradePointAverage"),
        ("Percent: low", "range"),
        ("Percent; pass well", "number"),
        ("RawScore: 1.2.3-4", "number"),
        ("LetterGrade: A, B; pass C", "not among the values"),
        ("rubric", "levels"),
        ("rubric: A, A", "levels"),
        ("rubric: A, B; pass C", "not among the levels"),
        ("Status: done", "no values"),
        ("Status; pass Completed", "no values"),
    ],
)
def test_results_that_cannot_be_used(text: str, words: str, new_id: Callable[[], str]) -> None:
    with pytest.raises(MalformedError) as caught:
        draft.read_result(text, new_id)
    assert words in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(("text", "tag"), [("en", "en"), (" FR-ca ", "fr-CA"), ("iu-cans", "iu-Cans")])
def test_languages_are_written_as_they_should_be(text: str, tag: str) -> None:
    assert draft.read_language(text) == tag
    assert review(inLanguage=tag).problems == ()


@pytest.mark.parametrize("text", ["", "french", "zz", "fr-CA-x-ours", "ca-valencia"])
def test_what_is_no_language(text: str) -> None:
    with pytest.raises(MalformedError, match="language tag"):
        draft.read_language(text)


def test_credits() -> None:
    assert [draft.read_credits(text) for text in ("3", "1,5", "0.5")] == [3, 1.5, 0.5]
    assert isinstance(draft.read_credits("3.0"), int)
    for text in ("-1", "three", ""):
        with pytest.raises(MalformedError):
            draft.read_credits(text)


def test_kinds_lists_addresses_and_texts() -> None:
    assert draft.read_kind("micro-credential") == "MicroCredential"
    with pytest.raises(MalformedError) as caught:
        draft.read_kind("Microcredental")
    assert "MicroCredential" in caught.value.advice
    assert draft.read_list("a, b,, a ") == ["a", "b"]
    assert draft.read_text(" Zoe\u0308 ") == "Zoë"
    with pytest.raises(MalformedError, match="character"):
        draft.read_text("\udcff")
    with pytest.raises(MalformedError, match="needed"):
        draft.read_required(" ")
    with pytest.raises(MalformedError, match="address"):
        draft.read_address("college.example")


def test_images() -> None:
    def unread(name: str) -> bytes:
        raise AssertionError(name)

    assert draft.read_image("https://x.example/a.png", unread) == {"id": "https://x.example/a.png", "type": "Image"}
    for data, start in ((PNG, "data:image/png;base64,"), (SVG, "data:image/svg+xml;base64,")):
        image = draft.read_image("a", {"a": data}.__getitem__)
        assert image["id"].startswith(start)
        assert review(image=image).problems == ()
    with pytest.raises(MalformedError, match="no image"):
        draft.read_image("a", lambda _name: b"hello")
    with pytest.raises(MalformedError, match="512 KiB"):
        draft.read_image("a", lambda _name: PNG + bytes(MAX_IMAGE_BYTES))


def test_what_was_not_answered_is_left_out() -> None:
    answers: dict[str, Any] = {
        "name": "X",
        "narrative": "Do it.",
        "criteriaUrl": None,
        "tag": [],
        "creditsAvailable": 0,
    }
    assert draft.make_achievement("urn:x:1", answers) == {
        "id": "urn:x:1",
        "type": ["Achievement"],
        "name": "X",
        "creditsAvailable": 0,
        "criteria": {"narrative": "Do it."},
    }
