"""Achievements: a file with an Open Badges 3.0 `Achievement`, checked as it will stand in the credentials.

The official JSON Schema judges whole credentials, so a sample credential is built around the achievement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from anchor.canonical import MAX_DOCUMENT_BYTES, JsonObject, canonicalize, parse_document
from anchor.errors import CredentialFormatError
from anchor.model import RegistryId, StatusPosition
from anchor.proof import MAX_PROOF_VALUE_CHARACTERS
from registry.errors import AchievementFormatError, Problem
from registry.services.achievement_review import faults, warnings
from registry.services.achievement_schema import achievement_schema_problems, schema_problems
from registry.services.credentials import CredentialFrame, CredentialValues, IssuerProfile, build_credential
from registry.services.recipient import Recipient

_ROOM_FOR_PROOF: Final = MAX_PROOF_VALUE_CHARACTERS + 1024
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")

_SAMPLE: Final = CredentialValues(
    id="urn:uuid:00000000-0000-4000-8000-000000000000",
    recipient=Recipient(name="Zoé Sample", email="zoe@example.org"),
    email_salt="0" * 32,
    position=StatusPosition(status_list=0, index=0),
)


_NOBODY: Final = IssuerProfile(did="did:web:issuer.example", name="Sample issuer", url=None)
_NO_REGISTRY: Final = RegistryId.parse("eip155:1:0x0000000000000000000000000000000000000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Achievement:
    """A well-formed achievement; `check_achievement` says whether it makes good credentials."""

    value: JsonObject
    name: str

    @property
    def id(self) -> str:
        """Its URI."""
        identifier: str = self.value["id"]
        return identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What is to be said of an achievement's file."""

    name: str
    """Empty if it has none."""
    problems: tuple[Problem, ...]
    """What keeps it from being issued; empty for one that is good."""
    warnings: tuple[Problem, ...]


def parse_achievement(data: bytes) -> Achievement:
    """Read an achievement.

    Raises:
        AchievementFormatError: It is not strict JSON, or no `Achievement` with a name and an id; problems are all that
            were found.
    """
    value = _parse_object(data)
    basic = _basic_problem(value)
    if basic is not None:
        message, problem = basic
        rest = (*achievement_schema_problems(value), *faults(value))
        others = tuple(each for each in rest if each.where != problem.where)
        raise AchievementFormatError(message, (problem, *others))
    return Achievement(value=value, name=value["name"])


def review_achievement(data: bytes) -> Review:
    """Say everything that is wrong with an achievement's file, or missing in it, whoever is to issue it.

    Raises:
        AchievementFormatError: It is not strict JSON, or holds something else than an achievement.
    """
    try:
        achievement = parse_achievement(data)
    except AchievementFormatError as error:
        if not error.problems:
            raise
        return _review(_parse_object(data), error.problems)
    frame = CredentialFrame(
        achievement=achievement.value,
        issuer=_NOBODY,
        registry=_NO_REGISTRY,
        issuer_id=1,
        public_url="https://issuer.example/",
        valid_from=0,
    )
    problems: tuple[Problem, ...] = ()
    try:
        check_achievement(frame)
    except AchievementFormatError as error:
        problems = error.problems or _problem("$", str(error), error.advice)
    return _review(achievement.value, problems)


def check_achievement(frame: CredentialFrame) -> JsonObject:
    """Check an achievement by a sample of the credentials that it will stand in.

    Returns:
        The sample, for a person who does not exist.

    Raises:
        AchievementFormatError: The sample breaks the Open Badges 3.0 schema, the achievement contradicts itself, or
            they are too large or too deep for strict JSON; problems are named by their path in the achievement, or in
            the credential where it is not the cause.
    """
    sample = build_credential(frame, _SAMPLE)
    problems = list(schema_problems(sample))
    broken = {problem.where for problem in problems}
    # What breaks the schema need not be said twice.
    problems += [fault for fault in faults(frame.achievement) if fault.where not in broken]
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise AchievementFormatError(
            f"the achievement is not valid Open Badges 3.0: {count}",
            tuple(problems),
            advice="Mend it and try again; nothing was issued.",
        )
    canonical = canonicalize(sample)
    if len(canonical) + _ROOM_FOR_PROOF > MAX_DOCUMENT_BYTES:
        raise AchievementFormatError(
            f"the achievement makes credentials of more than {MAX_DOCUMENT_BYTES} bytes",
            advice="Name images by their address instead of embedding them.",
        )
    try:
        parse_document(canonical)
    except CredentialFormatError as error:
        raise AchievementFormatError(f"the achievement makes credentials that nobody reads: {error}") from error
    return sample


def _review(value: JsonObject, problems: tuple[Problem, ...]) -> Review:
    name = value.get("name")
    broken = {problem.where for problem in problems}
    return Review(
        name=name if isinstance(name, str) else "",
        problems=problems,
        warnings=tuple(warning for warning in warnings(value) if warning.where not in broken),
    )


def _parse_object(data: bytes) -> JsonObject:
    try:
        value = parse_document(data).value
    except CredentialFormatError as error:
        raise AchievementFormatError(f"the achievement cannot be used: {error}") from error
    if "VerifiableCredential" in _types(value):
        raise AchievementFormatError(
            "the file holds a whole credential, not an achievement",
            advice="Give its credentialSubject.achievement, in a file of its own.",
        )
    return value


def _basic_problem(value: JsonObject) -> tuple[str, Problem] | None:
    if "Achievement" not in _types(value):
        reason = "must be an array that includes “Achievement”"
        return "the file holds no achievement", Problem(where="$.type", reason=reason, hint='"type": ["Achievement"]')
    name = value.get("name")
    if not isinstance(name, str) or not name.strip():
        return "the achievement has no name", Problem(where="$.name", reason="must be a text, not empty")
    if not isinstance(value.get("id"), str) or not _URI.fullmatch(value["id"]):
        reason = "must be a URI, such as https://… or urn:uuid:…"
        return "the achievement has no id", Problem(where="$.id", reason=reason)
    return None


def _types(value: JsonObject) -> list[object]:
    types = value.get("type")
    return types if isinstance(types, list) else [types]


def _problem(where: str, reason: str, hint: str) -> tuple[Problem, ...]:
    return (Problem(where=where, reason=reason, hint=hint),)
