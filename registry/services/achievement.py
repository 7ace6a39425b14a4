"""Achievements: a file with an Open Badges 3.0 `Achievement`, checked as it will stand in the credentials.

The official JSON Schema judges whole credentials, so a sample credential is built around the achievement. One point
of the schema is left aside: it allows a single `credentialStatus`, where VC Data Model 2.0 (section 4.10) allows
several and suspension needs a second (1EdTech/openbadges-specification issue 623). Each entry is checked by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from anchor.canonical import MAX_DOCUMENT_BYTES, JsonObject, canonicalize, parse_document
from anchor.errors import CredentialFormatError
from anchor.model import StatusPosition
from anchor.proof import MAX_PROOF_VALUE_CHARACTERS
from registry.errors import AchievementFormatError, Problem
from registry.services.credentials import CredentialFrame, CredentialValues, build_credential
from registry.services.recipient import Recipient

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MAX_REASON_CHARACTERS: Final = 200
_SCHEMA_FILE: Final = "ob_v3p0_achievementcredential_schema.json"
_SUBJECT_PATH: Final = "$.credentialSubject.achievement"
_ROOM_FOR_PROOF: Final = MAX_PROOF_VALUE_CHARACTERS + 1024
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")

_SAMPLE: Final = CredentialValues(
    id="urn:uuid:00000000-0000-4000-8000-000000000000",
    recipient=Recipient(name="Zoé Sample", email="zoe@example.org"),
    email_salt="0" * 32,
    position=StatusPosition(status_list=0, index=0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Achievement:
    """A well-formed achievement; `check_achievement` says whether it makes good credentials."""

    value: JsonObject
    name: str


def parse_achievement(data: bytes) -> Achievement:
    """Read an achievement.

    Raises:
        AchievementFormatError: It is not strict JSON, or no `Achievement` with a name.
    """
    try:
        value = parse_document(data).value
    except CredentialFormatError as error:
        raise AchievementFormatError(f"the achievement cannot be used: {error}") from error
    types = value.get("type")
    named = types if isinstance(types, list) else [types]
    if "VerifiableCredential" in named:
        raise AchievementFormatError(
            "the file holds a whole credential, not an achievement",
            advice="Give its credentialSubject.achievement, in a file of its own.",
        )
    if "Achievement" not in named:
        raise AchievementFormatError(
            "the file holds no achievement", _problem("$.type", "must be an array that includes “Achievement”")
        )
    name = value.get("name")
    if not isinstance(name, str) or not name.strip():
        raise AchievementFormatError("the achievement has no name", _problem("$.name", "must be a text, not empty"))
    if not isinstance(value.get("id"), str) or not _URI.fullmatch(value["id"]):
        reason = "must be a URI, such as https://… or urn:uuid:…"
        raise AchievementFormatError("the achievement has no id", _problem("$.id", reason))
    return Achievement(value=value, name=name)


def check_achievement(frame: CredentialFrame) -> JsonObject:
    """Check an achievement by a sample of the credentials that it will stand in.

    Returns:
        The sample, for a person who does not exist.

    Raises:
        AchievementFormatError: The sample breaks the Open Badges 3.0 schema, or is too large or too deep for strict
            JSON; problems are named by their path in the achievement, or in the credential where it is not the cause.
    """
    sample = build_credential(frame, _SAMPLE)
    problems = list(schema_problems(sample))
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


def schema_problems(credential: JsonObject) -> Iterator[Problem]:
    """Hold a credential to the Open Badges 3.0 JSON Schema; give what breaks it."""
    from jsonschema import Draft201909Validator

    schema = json.loads(files("registry.schemas").joinpath(_SCHEMA_FILE).read_text("utf-8"))
    validator = Draft201909Validator(schema)
    entries = credential.get("credentialStatus")
    rest = {key: member for key, member in credential.items() if key != "credentialStatus"}
    for error in sorted(validator.iter_errors(rest), key=lambda each: each.json_path):
        yield _as_problem(error)
    for entry in entries if isinstance(entries, list) else [entries]:
        # Only this member can be wrong: the rest was checked above.
        for error in validator.evolve(schema=schema["$defs"]["CredentialStatus"]).iter_errors(entry):
            yield Problem(where="$.credentialStatus", reason=error.message[:MAX_REASON_CHARACTERS])


def _as_problem(error: ValidationError) -> Problem:
    path = error.json_path
    if path.startswith(_SUBJECT_PATH):
        path = "$" + path.removeprefix(_SUBJECT_PATH)
    return Problem(where=path, reason=error.message[:MAX_REASON_CHARACTERS])


def _problem(where: str, reason: str) -> tuple[Problem, ...]:
    return (Problem(where=where, reason=reason),)
