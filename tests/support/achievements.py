"""Achievements that tests start from, and images in few bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from registry.services.achievement import Achievement, Review, review_achievement
from tests.support.registry import ACHIEVEMENT

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"
MORE_EXAMPLES: Final = sorted((EXAMPLES / "achievements").glob("*.json"))

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(20)
SVG: Final = b'<?xml version="1.0"?>\n<!-- a badge -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'


def as_bytes(changes: dict[str, Any] | None = None) -> bytes:
    """A small achievement's file; a member that is None is left out."""
    value = {**ACHIEVEMENT, **(changes or {})}
    return json.dumps({key: member for key, member in value.items() if member is not None}).encode()


def review(**changes: Any) -> Review:
    return review_achievement(as_bytes(changes))


def description(kind: str, **members: Any) -> dict[str, Any]:
    """A result description."""
    return {"id": "urn:x:result", "type": ["ResultDescription"], "name": "Result", "resultType": kind, **members}


def level(name: str, **members: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": ["RubricCriterionLevel"], "name": name, **members}


def with_results(*descriptions: dict[str, Any]) -> Achievement:
    """An achievement with these result descriptions, which passes the check."""
    changes = {"resultDescription": list(descriptions)} if descriptions else {}
    assert review(**changes).problems == ()
    return Achievement(value={**ACHIEVEMENT, **changes}, name=ACHIEVEMENT["name"])
