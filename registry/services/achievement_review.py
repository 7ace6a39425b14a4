"""What is wrong or missing in an achievement beyond the schema: faults, which keep it from use, and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from anchor.canonical import JsonObject
from registry.errors import Problem
from registry.services.achievement_images import MAX_EMBEDDED_BYTES, data_uri_fault
from registry.services.achievement_rules import LEVEL_KINDS, NUMBER_KINDS, read_number
from registry.services.achievement_schema import vocabulary
from registry.services.frameworks import WEB_ADDRESS


def faults(achievement: JsonObject) -> Iterator[Problem]:
    """Give what contradicts itself, or cannot be what it says. Anything may have any type here.

    These go beyond the schema, and would make credentials that name a level or show an image that is not there.
    """
    yield from _language_faults(achievement, "$")
    for index, related in enumerate(_objects(achievement.get("related"))):
        yield from _language_faults(related, f"$.related[{index}]")
    image = achievement.get("image")
    if isinstance(image, dict) and isinstance(image.get("id"), str) and image["id"].lower().startswith("data:"):
        fault = data_uri_fault(image["id"])
        if fault is not None:
            yield Problem(where="$.image.id", reason=fault, hint="Embed a PNG or SVG file, or give its address.")
    descriptions = _objects(achievement.get("resultDescription"))
    yield from _doubles(descriptions, "id", "$.resultDescription")
    for index, description in enumerate(descriptions):
        yield from _result_faults(description, f"$.resultDescription[{index}]")


def warnings(achievement: JsonObject) -> Iterator[Problem]:
    """Give what a reader of the credentials will miss, or a program will not understand."""
    yield from _missing(achievement)
    image = achievement.get("image")
    if isinstance(image, dict):
        address = str(image.get("id"))
        if address.lower().startswith("data:") and len(address) > MAX_EMBEDDED_BYTES:
            reason = f"takes {len(address) // 1024} KiB in each credential"
            yield Problem(where="$.image.id", reason=reason, hint="Make it smaller, or name it by its address.")
    alignments = _objects(achievement.get("alignment"))
    yield from _doubles(alignments, "targetUrl", "$.alignment")
    for index, alignment in enumerate(alignments):
        if not WEB_ADDRESS.fullmatch(str(alignment.get("targetUrl"))):
            where = f"$.alignment[{index}].targetUrl"
            yield Problem(where=where, reason="is no web address", hint="Give the one where the skill is described.")
    for index, description in enumerate(_objects(achievement.get("resultDescription"))):
        kind = description.get("resultType")
        if isinstance(kind, str) and kind not in vocabulary("ResultDescription", "resultType"):
            where = f"$.resultDescription[{index}].resultType"
            reason = f"“{kind[:60]}” is a kind of result that readers may not know"
            yield Problem(where=where, reason=reason, hint="Values of it are taken as they are.")


def _missing(achievement: JsonObject) -> Iterator[Problem]:
    def blank(value: object) -> bool:
        return not (value.strip() if isinstance(value, str) else value)

    criteria = achievement.get("criteria")
    if blank(achievement.get("description")):
        yield Problem(where="$.description", reason="is empty", hint="Say in two sentences what its holder can do.")
    if isinstance(criteria, dict) and blank(criteria.get("narrative")):
        reason = "is missing: an employer cannot see what had to be done"
        hint = "Tell it here; a page that criteria.id names may be gone one day."
        yield Problem(where="$.criteria.narrative", reason=reason, hint=hint)
    for member, reason, hint in (
        ("image", "is missing: wallets show a blank square", "Add a PNG or SVG, by address or embedded."),
        ("inLanguage", "is missing: readers and translators must guess the language", "Such as en or fr-CA."),
        (
            "alignment",
            "is missing: programs cannot match the achievement to skills",
            "Name skills of ESCO, CASE, CTDL.",
        ),
        ("achievementType", "is missing: course, assessment, membership …?", "Such as MicroCredential."),
    ):
        if blank(achievement.get(member)):
            yield Problem(where=f"$.{member}", reason=reason, hint=hint)


def _language_faults(holder: dict[str, Any], where: str) -> Iterator[Problem]:
    from langcodes import Language

    tag = holder.get("inLanguage")
    if not isinstance(tag, str):
        return
    try:
        good = Language.get(tag, normalize=False).is_valid()
    except ValueError:
        good = False
    if not good:
        reason = f"“{tag[:60]}” is no language tag (BCP 47)"
        yield Problem(where=f"{where}.inLanguage", reason=reason, hint="Such as en, fr-CA, cr or iu-Cans.")


def _result_faults(description: dict[str, Any], where: str) -> Iterator[Problem]:
    levels = _objects(description.get("rubricCriterionLevel"))
    yield from _doubles(levels, "id", f"{where}.rubricCriterionLevel")
    yield from _doubles(levels, "name", f"{where}.rubricCriterionLevel")
    if description.get("resultType") in LEVEL_KINDS and not levels:
        reason = "is missing: a result of this kind is one of its levels"
        yield Problem(
            where=f"{where}.rubricCriterionLevel", reason=reason, hint="List the levels, or change resultType."
        )
    required = description.get("requiredLevel")
    if required is not None and required not in [level.get("id") for level in levels]:
        reason = "names no level of this description"
        yield Problem(where=f"{where}.requiredLevel", reason=reason, hint="Give the id of one of rubricCriterionLevel.")
    allowed = description.get("allowedValue")
    value = description.get("requiredValue")
    if isinstance(allowed, list) and allowed and value is not None and value not in allowed:
        yield Problem(where=f"{where}.requiredValue", reason="is not among allowedValue", hint="Add it, or change it.")
    yield from _range_faults(description, where)


def _range_faults(description: dict[str, Any], where: str) -> Iterator[Problem]:
    members = ["valueMin", "valueMax"]
    if description.get("resultType") in NUMBER_KINDS and not description.get("allowedValue"):
        members.append("requiredValue")
    numbers = {}
    for member in members:
        if description.get(member) is None:
            continue
        number = read_number(str(description[member]))
        if number is None:
            yield Problem(where=f"{where}.{member}", reason="is no number", hint='A number in quotes, such as "100".')
        else:
            numbers[member] = number
    # As a reader meets them, from low to high.
    order = [member for member in ("valueMin", "requiredValue", "valueMax") if member in numbers]
    for lower, higher in pairwise(order):
        if numbers[lower] > numbers[higher]:
            yield Problem(where=f"{where}.{lower}", reason=f"is more than {higher}", hint="Exchange them, or mend one.")


def _doubles(entries: list[dict[str, Any]], member: str, where: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        value = entry.get(member)
        if not isinstance(value, str):
            continue
        if value in seen:
            reason = f"is the same as in entry {seen[value]}"
            yield Problem(
                where=f"{where}[{index}].{member}", reason=reason, hint="Each has its own, or only one stays."
            )
        seen.setdefault(value, index)


def _objects(value: object) -> list[dict[str, Any]]:
    """Give the objects of a list; of anything else none. What is no object breaks the schema, which says so."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
