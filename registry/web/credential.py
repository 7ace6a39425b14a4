"""What a credential says, picked out for a page: whatever stands in it, of any Open Badges 3.0 credential.

Everything is a stranger's: text comes out cleaned, links are safe or none, an image is one that is in the file itself.
What is missing, or not of the form that the standard has, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from anchor.canonical import JsonObject
from registry.services.achievement_images import MAX_IMAGE_BYTES, data_uri_fault
from registry.web.formats import parse_time, read_decimal
from registry.web.text import clean, language_tag, safe_link

MAX_SHOWN: Final = 200
"""Of skills, results, pieces of evidence: more are counted, and in the file."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that is in the credential."""

    source: str
    """A `data:` URI."""
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """What an achievement is aligned to."""

    name: str
    description: str
    code: str
    framework: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was reached."""

    name: str
    value: str
    number: Decimal | None
    """Of `value`, if it is one."""
    is_percent: bool
    highest: Decimal | None
    status: str
    """A word of the standard, such as Completed."""
    level: str
    level_description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A piece of evidence."""

    name: str
    description: str
    narrative: str
    """Markdown."""
    genre: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who issued it."""

    did: str
    name: str
    description: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialView:
    """What a page shows of a credential."""

    id: str
    name: str
    description: str
    kind: str
    """A word of the standard, such as MicroCredential, or the institution's own."""
    language: str
    """Of the institution's text, as a tag; empty: not said."""
    holder: str
    image: Image | None
    criteria: str
    """Markdown."""
    criteria_link: str | None
    skills: tuple[Skill, ...]
    results: tuple[Result, ...]
    narrative: str
    """Markdown."""
    evidence: tuple[Evidence, ...]
    issuer: Issuer
    creator: str
    """Who made the achievement, if that is somebody else."""
    valid_from: datetime | None
    valid_until: datetime | None
    awarded: datetime | None
    started: datetime | None
    ended: datetime | None
    credits: Decimal | None
    """Earned, or to be had."""
    details: tuple[tuple[str, str], ...]
    """Further members that have a value, by name."""
    tags: tuple[str, ...]

    @property
    def day(self) -> datetime | None:
        """The day that stands below the name."""
        return self.awarded or self.valid_from


_OF_ACHIEVEMENT: Final = ("fieldOfStudy", "specialization", "humanCode", "version")
_OF_SUBJECT: Final = ("role", "term", "licenseNumber")


def view_of(document: JsonObject) -> CredentialView:
    """Pick out what is shown.

    Args:
        document: The credential, parsed.
    """
    subject = _first(document.get("credentialSubject"))
    achievement, issuer = _first(subject.get("achievement")), _issuer(document.get("issuer"))
    criteria = _first(achievement.get("criteria"))
    creator = _text(_first(achievement.get("creator")).get("name"))
    details = [(name, _text(achievement.get(name))) for name in _OF_ACHIEVEMENT]
    details += [(name, _text(subject.get(name))) for name in _OF_SUBJECT]
    return CredentialView(
        id=_text(document.get("id")),
        name=_text(achievement.get("name")) or _text(document.get("name")),
        description=_text(achievement.get("description")) or _text(document.get("description")),
        kind=_text(achievement.get("achievementType")).removeprefix("ext:"),
        language=language_tag(_text(achievement.get("inLanguage"))),
        holder=_holder(subject),
        image=_image(document.get("image")) or _image(achievement.get("image")),
        criteria=_text(criteria.get("narrative")),
        criteria_link=_link(criteria.get("id")),
        skills=_each(achievement.get("alignment"), _skill),
        results=_results(subject, achievement),
        narrative=_text(subject.get("narrative")),
        evidence=_each(document.get("evidence"), _evidence),
        issuer=issuer,
        creator="" if creator == issuer.name else creator,
        valid_from=_time(document, "validFrom"),
        valid_until=_time(document, "validUntil"),
        awarded=_time(document, "awardedDate"),
        started=_time(subject, "activityStartDate"),
        ended=_time(subject, "activityEndDate"),
        credits=read_decimal(subject.get("creditsEarned", achievement.get("creditsAvailable"))),
        details=tuple((name, value) for name, value in details if value),
        tags=tuple(filter(None, map(_text, _list(achievement.get("tag"))[:MAX_SHOWN]))),
    )


def _holder(subject: JsonObject) -> str:
    for each in _objects(subject.get("identifier")):
        if each.get("identityType") == "name" and each.get("hashed") is False:
            return _text(each.get("identityHash"))
    return _text(subject.get("name"))


def _image(value: object) -> Image | None:
    """Take an image only if it is in the file: asking elsewhere for it would tell who looks at whose page."""
    said = value if isinstance(value, dict) else {"id": value}
    source = said.get("id")
    # A byte takes three characters at most.
    if not isinstance(source, str) or not source.startswith("data:image/") or len(source) > 3 * MAX_IMAGE_BYTES:
        return None
    return None if data_uri_fault(source) else Image(source=source, description=_text(said.get("caption")))


def _issuer(value: object) -> Issuer:
    said = value if isinstance(value, dict) else {"id": value}
    did = _text(said.get("id"))
    return Issuer(
        did=did,
        name=_text(said.get("name")) or did,
        description=_text(said.get("description")),
        link=_link(said.get("url")),
    )


def _skill(said: JsonObject) -> Skill | None:
    code = _text(said.get("targetCode"))
    name = _text(said.get("targetName")) or code
    if not name:
        return None
    return Skill(
        name=name,
        description=_text(said.get("targetDescription")),
        code="" if code == name else code,
        framework=_text(said.get("targetFramework")),
        link=_link(said.get("targetUrl")),
    )


def _results(subject: JsonObject, achievement: JsonObject) -> tuple[Result, ...]:
    descriptions = {each["id"]: each for each in _objects(achievement.get("resultDescription")) if _is_key(each)}
    return _each(subject.get("result"), lambda said: _result(said, descriptions))


def _result(said: JsonObject, descriptions: dict[str, JsonObject]) -> Result | None:
    described = descriptions.get(_text(said.get("resultDescription")), {})
    levels = {each["id"]: each for each in _objects(described.get("rubricCriterionLevel")) if _is_key(each)}
    level = levels.get(_text(said.get("achievedLevel")), {})
    value, status = _text(said.get("value")), _text(said.get("status"))
    if not (value or status or level):
        return None
    is_number = described.get("resultType") not in {"LetterGrade", "Result", "Status"}
    return Result(
        name=_text(described.get("name")),
        value=value,
        number=read_decimal(value) if is_number else None,
        is_percent=described.get("resultType") == "Percent",
        highest=read_decimal(described.get("valueMax")),
        status=status,
        level=_text(level.get("name")),
        level_description=_text(level.get("description")),
    )


def _evidence(said: JsonObject) -> Evidence | None:
    found = Evidence(
        name=_text(said.get("name")),
        description=_text(said.get("description")),
        narrative=_text(said.get("narrative")),
        genre=_text(said.get("genre")),
        link=_link(said.get("id")),
    )
    return found if found.name or found.description or found.narrative or found.link else None


def _each(value: object, read: Callable[[JsonObject], T | None]) -> tuple[T, ...]:
    return tuple(found for each in _objects(value) if (found := read(each)) is not None)[:MAX_SHOWN]


def _objects(value: object) -> Iterator[JsonObject]:
    return (each for each in _list(value) if isinstance(each, dict))


def _first(value: object) -> JsonObject:
    return next(_objects(value), {})


def _list(value: object) -> list[Any]:
    # One of something needs no list around it in JSON-LD.
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_key(said: JsonObject) -> bool:
    return isinstance(said.get("id"), str)


def _text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def _link(value: object) -> str | None:
    return safe_link(value) if isinstance(value, str) else None


def _time(said: JsonObject, name: str) -> datetime | None:
    value = said.get(name)
    return parse_time(value) if isinstance(value, str) else None
