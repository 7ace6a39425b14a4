"""How a roster's `result` column becomes `credentialSubject.result` of Open Badges 3.0, by the achievement's rules.

A roster has one column, so an achievement with several result descriptions takes none from it. A result below what the
achievement requires is refused: the credential would contradict itself.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from anchor.canonical import JsonObject
from registry.services.achievement_rules import LEVEL_KINDS, NUMBER_KINDS, read_number
from registry.services.achievement_schema import vocabulary

_PERCENT: Final = re.compile(r"\s*%$")
_GAPS: Final = re.compile(r"[\s_-]+")
_SHOWN: Final = 8
"""Allowed values that a reason lists."""


class ResultRule(ABC):
    """What a result may be, and how a credential says it."""

    @abstractmethod
    def check(self, text: str) -> str | None:
        """Say why a text cannot be a result; None when it can. The reason never repeats the text."""

    @abstractmethod
    def to_result(self, text: str) -> list[JsonObject]:
        """Give the entries of `credentialSubject.result`.

        Args:
            text: One that `check` passed.
        """


def result_rule(achievement: JsonObject) -> ResultRule:
    """Choose the rule for results of an achievement that was checked."""
    descriptions = achievement.get("resultDescription") or []
    if not descriptions:
        return _AsItIs()
    if len(descriptions) > 1:
        return _NoColumn(len(descriptions))
    description = descriptions[0]
    kind = description["resultType"]
    if kind == "Status":
        return _Status(description["id"])
    if kind in LEVEL_KINDS or (kind not in NUMBER_KINDS and description.get("rubricCriterionLevel")):
        return _Levels(description)
    if description.get("allowedValue"):
        return _Listed(description)
    if kind in NUMBER_KINDS or "valueMin" in description or "valueMax" in description:
        return _Range.of(description)
    return _AsItIs(description["id"])


@dataclass(frozen=True, slots=True)
class _AsItIs(ResultRule):
    description: str | None = None

    def check(self, text: str) -> str | None:
        return None if text.strip() else "is empty"

    def to_result(self, text: str) -> list[JsonObject]:
        return _entry(self.description, {"value": text.strip()})


@dataclass(frozen=True, slots=True)
class _NoColumn(ResultRule):
    count: int

    def check(self, text: str) -> str | None:
        del text
        return f"cannot be used: the achievement describes {self.count} results, and a roster has one column for them"

    def to_result(self, text: str) -> list[JsonObject]:
        raise ValueError(self.check(text))


@dataclass(frozen=True, slots=True)
class _Status(ResultRule):
    description: str

    def check(self, text: str) -> str | None:
        return None if _folded(text) in _statuses() else f"is no status; it may be {', '.join(_statuses().values())}"

    def to_result(self, text: str) -> list[JsonObject]:
        return _entry(self.description, {"status": _statuses()[_folded(text)]})


class _Listed(ResultRule):
    """One of `allowedValue`, which goes from low to high."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._description: Final[str] = description["id"]
        self._values: Final[list[str]] = description["allowedValue"]
        self._required: Final[str | None] = description.get("requiredValue")

    def check(self, text: str) -> str | None:
        place = self._place(text)
        if place is None:
            return f"is no value that the achievement allows; it may be {_listed(self._values)}"
        if self._required is not None and place < self._values.index(self._required):
            return f"is below what the achievement requires ({self._required})"
        return None

    def to_result(self, text: str) -> list[JsonObject]:
        place = self._place(text)
        if place is None:
            raise ValueError(self.check(text))
        return _entry(self._description, {"value": self._values[place]})

    def _place(self, text: str) -> int | None:
        wanted = text.strip()
        if wanted in self._values:
            return self._values.index(wanted)
        # A grade “a” is an A, unless the list has both.
        like = [place for place, value in enumerate(self._values) if value.casefold() == wanted.casefold()]
        return like[0] if len(like) == 1 else None


class _Levels(ResultRule):
    """A level of a rubric, by its name, its `level` or its id."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._description: Final[str] = description["id"]
        levels: list[dict[str, Any]] = description.get("rubricCriterionLevel") or []
        self._names: Final[list[str]] = [level["name"] for level in levels]
        self._points: Final = {level["id"]: read_number(str(level.get("points"))) for level in levels}
        self._required: Final[str | None] = description.get("requiredLevel")
        self._required_name: Final = next((each["name"] for each in levels if each["id"] == self._required), None)
        self._ids: Final[dict[str, set[str]]] = {}
        for member in ("name", "level", "id"):
            found: dict[str, set[str]] = {}
            for level in levels:
                if isinstance(level.get(member), str):
                    found.setdefault(_folded(level[member]), set()).add(level["id"])
            # A name goes before a `level` that reads the same.
            self._ids.update({word: ids for word, ids in found.items() if word not in self._ids})

    def check(self, text: str) -> str | None:
        ids = self._ids.get(_folded(text), set())
        if len(ids) > 1:
            return "is the name of more than one level"
        if not ids:
            return f"is no level that the achievement describes; it may be {_listed(self._names)}"
        if self._required is not None:
            (level,) = ids
            points, required = self._points[level], self._points.get(self._required)
            # Without points nothing says which level is the higher one.
            if points is not None and required is not None and points < required:
                return f"is below what the achievement requires ({self._required_name})"
        return None

    def to_result(self, text: str) -> list[JsonObject]:
        ids = self._ids.get(_folded(text), set())
        if len(ids) != 1:
            raise ValueError(self.check(text))
        (level,) = ids
        return _entry(self._description, {"achievedLevel": level})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range(ResultRule):
    """A number, with a point or a comma; a percentage may carry its sign."""

    description: str
    percent: bool
    lowest: Decimal | None
    highest: Decimal | None
    required: Decimal | None

    @classmethod
    def of(cls, description: dict[str, Any]) -> _Range:
        percent = description["resultType"] == "Percent"
        ends = {
            member: None if description.get(member) is None else read_number(str(description[member]))
            for member in ("valueMin", "valueMax", "requiredValue")
        }
        natural = percent or description["resultType"] == "GradePointAverage"
        lowest, highest = ends["valueMin"], ends["valueMax"]
        return cls(
            description=description["id"],
            percent=percent,
            lowest=Decimal(0) if lowest is None and natural else lowest,
            highest=Decimal(100) if highest is None and percent else highest,
            required=ends["requiredValue"],
        )

    def check(self, text: str) -> str | None:
        number = self._number(text)
        if number is None:
            return "is no number, such as 92 or 92.5"
        if self.lowest is not None and number < self.lowest:
            return f"is less than {self.lowest}, the lowest that the achievement allows"
        if self.highest is not None and number > self.highest:
            return f"is more than {self.highest}, the highest that the achievement allows"
        if self.required is not None and number < self.required:
            return f"is below what the achievement requires ({self.required})"
        return None

    def to_result(self, text: str) -> list[JsonObject]:
        number = self._number(text)
        if number is None:
            raise ValueError(self.check(text))
        return _entry(self.description, {"value": f"{number:f}"})

    def _number(self, text: str) -> Decimal | None:
        return read_number(_PERCENT.sub("", text.strip()) if self.percent else text)


def _entry(description: str | None, said: JsonObject) -> list[JsonObject]:
    link = {} if description is None else {"resultDescription": description}
    return [{"type": ["Result"], **link, **said}]


def _statuses() -> dict[str, str]:
    return {_folded(each): each for each in vocabulary("Result", "status")}


def _folded(text: str) -> str:
    return _GAPS.sub("", text).casefold()


def _listed(values: list[str]) -> str:
    more = f" … ({len(values)} in all)" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more
