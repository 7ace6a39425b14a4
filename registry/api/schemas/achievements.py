"""Achievements that an institution keeps, and their versions."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from registry.api.schemas.base import Document, Seconds
from registry.store.records import AchievementEntry


class AchievementVersion(Document):
    """One version of an achievement."""

    code: str
    id: str = Field(description="The achievement's own id, the same in all its versions.")
    version: int
    name: str
    added_at: Seconds

    @classmethod
    def of(cls, entry: AchievementEntry) -> AchievementVersion:
        """Show a version."""
        return cls(code=entry.code, id=entry.uri, version=entry.version, name=entry.name, added_at=entry.added_at)


class Achievements(Document):
    """All achievements, each in its newest version."""

    achievements: list[AchievementVersion]


class AchievementVersions(Document):
    """All versions of an achievement, the oldest first."""

    versions: list[AchievementVersion]


class AchievementWhole(AchievementVersion):
    """One version of an achievement, with what it says."""

    achievement: dict[str, Any] = Field(description="Open Badges 3.0 `Achievement`.")
