"""Making an achievement from short answers: each is read, or refused with what it may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final

from anchor.canonical import JsonObject
from anchor.errors import MalformedError
from registry.services.achievement_images import MAX_IMAGE_BYTES, image_kind, make_data_uri
from registry.services.achievement_rules import LEVEL_KINDS, NUMBER_KINDS, read_number
from registry.services.achievement_schema import near_words, vocabulary
from registry.services.frameworks import WEB_ADDRESS, make_alignment
from registry.services.text import has_forbidden_character

_RANGE: Final = re.compile(r"(?P<low>[+-]?[\d.,]+)\s*(?:-|–|\.\.|to)\s*(?P<high>[+-]?[\d.,]+)")
_PASS: Final = re.compile(r"\s*;\s*pass\s+(?P<mark>.+)$", re.IGNORECASE)
_RESULT_NAMES: Final = {
    "GradePointAverage": "Grade point average",
    "LetterGrade": "Final grade",
    "Percent": "Final grade",
    "RubricCriterionLevel": "Level",
    "Status": "Status",
}
RESULT_HELP: Final = (
    "such as “Percent; pass 60”, “LetterGrade: D, C, B, A; pass C”, “RawScore: 0-40; pass 25”, "
    "“RubricCriterionLevel: Basic, Proficient, Mastered; pass Proficient”, “Status”"
)


def read_text(text: str) -> str:
    """Read any text, in Unicode normal form NFC."""
    if has_forbidden_character(text):
        raise MalformedError("this has a character that no credential may hold", advice="Type it again.")
    return unicodedata.normalize("NFC", text).strip()


def read_list(text: str) -> list[str]:
    """Read words that commas part; each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def read_address(text: str) -> str:
    """Read a web address."""
    if WEB_ADDRESS.fullmatch(text) is None:
        raise MalformedError("this is no web address", advice="It begins with https:// or http://.")
    return text


def read_required(text: str) -> str:
    """Read a text that must not be empty."""
    if not text.strip():
        raise MalformedError("this is needed")
    return text.strip()


def read_kind(text: str) -> str:
    """Read an `achievementType` of Open Badges 3.0, in any case of letters."""
    return _word(text, vocabulary("Achievement", "achievementType"))


def read_language(text: str) -> str:
    """Read a language tag, written in any case: `fr-ca` becomes `fr-CA`."""
    from langcodes import Language

    try:
        language = Language.get(text.strip(), normalize=False)
    except ValueError:
        language = None
    # Open Badges 3.0 knows language, script and region, nothing more.
    more = language and (language.variants or language.extlangs or language.extensions or language.private)
    if language is None or more or not language.is_valid():
        raise MalformedError("this is no language tag (BCP 47)", advice="Such as en, fr-CA, cr or iu-Cans.")
    return str(language.to_tag())


def read_credits(text: str) -> float | int:
    """Read how many credits there are: a number from 0, with a point or a comma."""
    number = read_number(text)
    if number is None or number < 0:
        raise MalformedError("this is no number of credits", advice="Such as 3 or 1.5.")
    return int(number) if number == int(number) else float(number)


def read_alignment(text: str) -> JsonObject:
    """Read an alignment: the address of a skill, a space, its name."""
    url, _, name = text.strip().partition(" ")
    return make_alignment(url, name)


def read_result(text: str, new_id: Callable[[], str]) -> JsonObject:
    """Read a result description, as `RESULT_HELP` shows.

    Args:
        text: A kind of Open Badges 3.0; after a colon a range, or values from low to high; after `; pass` the lowest
            that passes.
        new_id: Makes a new URI each time.
    """
    found = _PASS.search(text)
    mark = found["mark"].strip() if found else None
    head, _, details = (text[: found.start()] if found else text).partition(":")
    kind = _word("RubricCriterionLevel" if head.strip().casefold() == "rubric" else head, _kinds())
    description: JsonObject = {
        "id": new_id(),
        "type": ["ResultDescription"],
        "name": _RESULT_NAMES.get(kind, "Result"),
        "resultType": kind,
    }
    values = [value.strip() for value in details.split(",") if value.strip()]
    if kind in LEVEL_KINDS:
        description |= _levels(values, mark, new_id)
    elif kind in NUMBER_KINDS:
        description |= _range(kind, details, mark)
    elif kind == "Status":
        if values or mark is not None:
            raise MalformedError("a status has no values of your own", advice="Give Status alone.")
    else:
        description |= _list(values, mark)
    return description


def read_image(path_or_url: str, read_file: Callable[[str], bytes]) -> JsonObject:
    """Read an image: a web address stays one, a file is embedded.

    Args:
        path_or_url: What a person gave.
        read_file: Reads a file that a person named; raises what it means that it cannot.
    """
    wanted = path_or_url.strip()
    if WEB_ADDRESS.fullmatch(wanted):
        return {"id": wanted, "type": "Image"}
    data = read_file(wanted)
    kind = image_kind(data)
    if kind is None:
        raise MalformedError("the file holds no image", advice="Give a PNG, SVG, JPEG, GIF or WebP file.")
    if len(data) > MAX_IMAGE_BYTES:
        raise MalformedError(
            f"the image has more than {MAX_IMAGE_BYTES // 1024} KiB, and each credential would carry it",
            advice="Make it smaller, or give its address.",
        )
    return {"id": make_data_uri(data, kind), "type": "Image"}


def make_achievement(identifier: str, answers: dict[str, Any]) -> JsonObject:
    """Put an achievement together.

    Args:
        identifier: Its URI.
        answers: By member; `narrative` and `criteriaUrl` make the criteria. What is None or empty is left out.
    """
    criteria = {"id": answers.get("criteriaUrl"), "narrative": answers.get("narrative")}
    rest = {key: value for key, value in answers.items() if key not in ("narrative", "criteriaUrl")}
    members = {"id": identifier, "type": ["Achievement"], **rest, "criteria": _filled(criteria)}
    return _filled(members)


def _filled(members: dict[str, Any]) -> JsonObject:
    return {key: value for key, value in members.items() if value not in (None, "", [], {})}


def _kinds() -> tuple[str, ...]:
    return vocabulary("ResultDescription", "resultType")


def _word(text: str, known: tuple[str, ...]) -> str:
    wanted = re.sub(r"[\s_-]+", "", text).casefold()
    for each in known:
        if each.casefold() == wanted:
            return each
    near = near_words(text, known)
    advice = f"Did you mean {' or '.join(near)}?" if near else f"One of: {', '.join(known)}."
    raise MalformedError("this is no word of Open Badges 3.0", advice=advice)


def _levels(names: Sequence[str], mark: str | None, new_id: Callable[[], str]) -> JsonObject:
    if not names or len(set(names)) < len(names):
        raise MalformedError("a rubric has levels, each with a name of its own", advice=f"{RESULT_HELP}.")
    if mark is not None and mark not in names:
        raise MalformedError("the level that passes is not among the levels", advice=f"{RESULT_HELP}.")
    levels: list[JsonObject] = [
        {"id": new_id(), "type": ["RubricCriterionLevel"], "name": name, "level": name, "points": str(points)}
        for points, name in enumerate(names, start=1)
    ]
    required = next((level["id"] for level in levels if level["name"] == mark), None)
    return _filled({"rubricCriterionLevel": levels, "requiredLevel": required})


def _range(kind: str, details: str, mark: str | None) -> JsonObject:
    ends = ("0", "100") if kind == "Percent" and not details.strip() else (None, None)
    if details.strip():
        found = _RANGE.fullmatch(details.strip())
        if found is None:
            raise MalformedError("this is no range", advice=f"{RESULT_HELP}.")
        ends = (_number(found["low"]), _number(found["high"]))
    return _filled({"valueMin": ends[0], "valueMax": ends[1], "requiredValue": mark and _number(mark)})


def _list(values: Sequence[str], mark: str | None) -> JsonObject:
    if mark is not None and mark not in values:
        raise MalformedError("the value that passes is not among the values", advice=f"{RESULT_HELP}.")
    return _filled({"allowedValue": list(values), "requiredValue": mark})


def _number(text: str) -> str:
    number = read_number(text)
    if number is None:
        raise MalformedError("this is no number", advice=f"{RESULT_HELP}.")
    return f"{number:f}"
