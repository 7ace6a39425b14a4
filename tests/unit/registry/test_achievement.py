import copy
import json
from pathlib import Path
from typing import Any

import pytest

from anchor.canonical import MAX_DOCUMENT_BYTES, canonicalize
from anchor.model import AnchorProof, InclusionProof, StatusPosition, hash32
from anchor.proof import anchor_proof_member
from anchor.status import parse_status
from registry.errors import AchievementFormatError
from registry.services.achievement import check_achievement, parse_achievement
from registry.services.achievement_schema import schema_problems
from registry.services.credentials import EXTENSIONS_CONTEXT, CredentialFrame, CredentialValues, build_credential
from registry.services.recipient import Recipient
from tests.support.registry import frame_of

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
SHIPPED_SCHEMA = Path(__file__).parents[3] / "registry/schemas/ob_v3p0_achievementcredential_schema.json"

VALUES = CredentialValues(
    id="urn:uuid:8d8a9c1e-0000-4000-8000-000000000001",
    recipient=Recipient(name="ᐊᓇ ᐃᓄᒃ", email="ana@example.org"),
    email_salt="00ff",
    position=StatusPosition(status_list=2, index=131_071),
)


def example(name: str = "achievement.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / name).read_bytes())
    return content


def frame(**changes: Any) -> CredentialFrame:
    return frame_of({**example(), **changes})


def credential(achievement: dict[str, Any]) -> dict[str, Any]:
    """A credential as it goes out: with an anchor proof."""
    frame = frame_of(achievement)
    proof = AnchorProof(
        registry=frame.registry,
        issuer_id=frame.issuer_id,
        root=hash32(bytes(32)),
        salt=hash32(bytes(32)),
        inclusion=InclusionProof(leaf_index=0, size=1, siblings=()),
    )
    return {**build_credential(frame, VALUES), "proof": [anchor_proof_member(proof)]}


@pytest.mark.parametrize("name", ["achievement.json", "full-achievement.json"])
def test_examples_make_valid_open_badges(name: str) -> None:
    achievement = parse_achievement((EXAMPLES / name).read_bytes())
    check_achievement(frame_of(achievement.value))
    assert achievement.name == achievement.value["name"]
    assert list(schema_problems(credential(achievement.value))) == []


def test_the_schema_minds_only_that_there_are_two_status_entries() -> None:
    from jsonschema import Draft201909Validator

    validator = Draft201909Validator(json.loads(SHIPPED_SCHEMA.read_bytes()))
    whole = credential(example())
    assert [error.json_path for error in validator.iter_errors(whole)] == ["$.credentialStatus"]
    for entry in whole["credentialStatus"]:
        validator.validate({**whole, "credentialStatus": entry})


def test_schema_problems_of_status_entries_and_other_members() -> None:
    broken = credential(example())
    del broken["credentialStatus"][1]["id"]
    broken["proof"] = broken["proof"][0]
    assert [problem.where for problem in schema_problems(broken)] == ["$.proof", "$.credentialStatus"]


def test_the_full_example_is_the_specifications() -> None:
    assert example("full-achievement.json") == example("full-open-badge.json")["credentialSubject"]["achievement"]


def test_extension_terms_bring_their_context() -> None:
    assert EXTENSIONS_CONTEXT in credential(example("full-achievement.json"))["@context"]
    assert EXTENSIONS_CONTEXT not in credential(example())["@context"]


def test_what_a_credential_says() -> None:
    content = credential(example())
    assert content["issuer"] == {
        "id": "did:web:college.example",
        "type": ["Profile"],
        "name": "Collège Boréalis",
        "url": "https://college.example",
    }
    assert content["validFrom"] == "2026-05-28T20:26:40Z"
    assert content["name"] == example()["name"]
    name, email = content["credentialSubject"]["identifier"]
    assert (name["identityHash"], name["hashed"]) == ("ᐊᓇ ᐃᓄᒃ", False)
    assert email["hashed"] is True
    assert "ana@example.org" not in json.dumps(content)
    assert parse_status(content).position == VALUES.position


def test_without_email_and_issuer_url() -> None:
    frame = frame_of(example(), url=None)
    values = CredentialValues(
        id=VALUES.id, recipient=Recipient(name="Ana"), email_salt="", position=StatusPosition(status_list=0, index=0)
    )
    content = build_credential(frame, values)
    assert "url" not in content["issuer"]
    assert [each["identityType"] for each in content["credentialSubject"]["identifier"]] == ["name"]
    assert list(schema_problems(content)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"criteria": {"id": 5}}, "$.criteria.id"),
        ({"description": None}, "$.description"),
        ({"creditsAvailable": "3"}, "$.creditsAvailable"),
        ({"alignment": [{"type": ["Alignment"], "targetName": "x"}]}, "$.alignment[0].targetUrl"),
        ({"achievementType": "Nonsense"}, "$.achievementType"),
    ],
)
def test_faults_are_named_by_their_path_in_the_achievement(change: dict[str, Any], where: str) -> None:
    with pytest.raises(AchievementFormatError, match="not valid Open Badges") as caught:
        check_achievement(frame(**change))
    assert [problem.where for problem in caught.value.problems] == [where]


def test_all_faults_at_once() -> None:
    achievement = example()
    del achievement["criteria"]
    achievement["creditsAvailable"] = "3"
    with pytest.raises(AchievementFormatError, match="2 problems"):
        check_achievement(frame_of(achievement))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not json", "not JSON"),
        (b'{"a":1,"a":2}', "same key"),
        (b"[]", "JSON object"),
        (b'{"type":["VerifiableCredential"]}', "whole credential"),
        (b'{"type":"Profile"}', "no achievement"),
        (b'{"type":["Achievement"],"name":" "}', "no name"),
        (b'{"type":["Achievement"],"name":5}', "no name"),
        (b'{"type":["Achievement"],"name":"x"}', "no id"),
        (b'{"type":["Achievement"],"name":"x","id":"x"}', "no id"),
    ],
)
def test_files_that_are_no_achievement(data: bytes, words: str) -> None:
    with pytest.raises(AchievementFormatError, match=words):
        parse_achievement(data)


def test_too_large_with_what_comes_around_it() -> None:
    with pytest.raises(AchievementFormatError, match="bytes"):
        check_achievement(frame(tag=["x" * (MAX_DOCUMENT_BYTES - 4000)]))


def test_too_deep_with_what_comes_around_it() -> None:
    nested: dict[str, Any] = {}
    for _ in range(62):
        nested = {"x": nested}
    achievement = parse_achievement(canonicalize({**example(), "ext": nested}))
    with pytest.raises(AchievementFormatError, match="nested"):
        check_achievement(frame_of(achievement.value))


def test_the_sample_is_a_copy() -> None:
    achievement = example()
    before = copy.deepcopy(achievement)
    check_achievement(frame_of(achievement))
    assert achievement == before
