"""The official Open Badges 3.0 JSON Schema: what breaks it, in words that help, and the vocabularies that it lists.

One point of the schema is left aside: it allows a single `credentialStatus`, where VC Data Model 2.0 (section 4.10)
allows several and suspension needs a second (1EdTech/openbadges-specification issue 623). Each entry is checked by
itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from anchor.canonical import JsonObject
from registry.errors import Problem

if TYPE_CHECKING:
    from jsonschema import Draft201909Validator
    from jsonschema.exceptions import ValidationError

MAX_REASON_CHARACTERS: Final = 200

_SCHEMA_FILE: Final = "ob_v3p0_achievementcredential_schema.json"
_SUBJECT_PATH: Final = "$.credentialSubject.achievement"
_NEAR: Final = 0.6
_JSON_TYPES: Final = {"object": "a JSON object", "array": "a list: […]", "string": "a text", "number": "a number"}


def schema_problems(credential: JsonObject) -> Iterator[Problem]:
    """Hold a credential to the Open Badges 3.0 JSON Schema; give what breaks it.

    What is wrong in the achievement is named by its path in the achievement.
    """
    entries = credential.get("credentialStatus")
    rest = {key: member for key, member in credential.items() if key != "credentialStatus"}
    for problem in _broken("#", rest):
        where = problem.where
        if where.startswith(_SUBJECT_PATH):
            where = "$" + where.removeprefix(_SUBJECT_PATH)
        yield Problem(where=where, reason=problem.reason, hint=problem.hint)
    for entry in entries if isinstance(entries, list) else [entries]:
        for problem in _broken("#/$defs/CredentialStatus", entry):
            yield Problem(where="$.credentialStatus", reason=problem.reason, hint=problem.hint)


def achievement_schema_problems(achievement: JsonObject) -> Iterator[Problem]:
    """Hold an achievement by itself to the schema; give what breaks it."""
    return _broken("#/$defs/Achievement", achievement)


@cache
def vocabulary(kind: str, member: str) -> tuple[str, ...]:
    """List what Open Badges 3.0 lets a member say, in its order; besides these, `ext:…` is allowed where it says so.

    Args:
        kind: A type of the schema, such as `Achievement`.
        member: A member of it with a closed or extensible vocabulary, such as `achievementType`.
    """
    rule = _schema()["$defs"][kind]["properties"][member]
    return tuple(_allowed(rule))


def near_words(word: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Give the known words that look like one, the likeliest first, whatever the case of their letters."""
    folded = {each.casefold(): each for each in known}
    return tuple(folded[each] for each in get_close_matches(word.casefold(), folded, n=3, cutoff=_NEAR))


@cache
def _schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files("registry.schemas").joinpath(_SCHEMA_FILE).read_text("utf-8"))
    return content


@cache
def _validator(part: str) -> Draft201909Validator:
    from jsonschema import Draft201909Validator

    schema = _schema()
    return Draft201909Validator(schema if part == "#" else {"$ref": part, "$defs": schema["$defs"]})


def _broken(part: str, instance: object) -> Iterator[Problem]:
    for error in sorted(_validator(part).iter_errors(instance), key=lambda each: each.json_path):
        yield _as_problem(error)


def _as_problem(error: ValidationError) -> Problem:
    where, reason, hint = error.json_path, error.message[:MAX_REASON_CHARACTERS], ""
    rule = error.schema if isinstance(error.schema, dict) else {}
    allowed = tuple(_allowed(rule))
    if error.validator == "required":
        missing = next(each for each in rule["required"] if error.message.startswith(repr(each)))
        where, reason = f"{where}.{missing}", "is required, and missing"
        # `id` has the same description everywhere; what a member means helps more where it is said.
        hint = rule.get("properties", {}).get(missing, {}).get("description", "")[:MAX_REASON_CHARACTERS]
    elif allowed:
        near = near_words(error.instance, allowed) if isinstance(error.instance, str) else ()
        reason = f"{_quoted(error.instance)} is no word of Open Badges 3.0"
        hint = f"Did you mean {' or '.join(near)}?" if near else f"One of: {', '.join(allowed)}."
        if "oneOf" in rule and not near:
            hint += " Or one of your own that begins with ext:"
    elif error.validator == "type" and error.validator_value in _JSON_TYPES:
        reason = f"must be {_JSON_TYPES[error.validator_value]}"
    elif error.validator == "contains":
        hint = f"It must include {', '.join(rule['contains'].get('enum', []))}."
    elif where.endswith(".inLanguage"):
        reason = f"{_quoted(error.instance)} is no language as Open Badges 3.0 writes them"
        hint = "Such as en, fr-CA or iu-Cans."
    return Problem(where=where, reason=reason, hint=hint)


def _allowed(rule: dict[str, Any]) -> Iterator[str]:
    yield from rule.get("enum", ())
    for option in rule.get("oneOf", ()):
        yield from option.get("enum", ())


def _quoted(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"“{value}”"
    return text[:MAX_REASON_CHARACTERS]
