"""Achievements that an institution keeps, and their versions."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from registry.api.schemas.base import Asked, Document, Seconds
from registry.errors import Problem
from registry.services.achievement import Review
from registry.store.records import AchievementEntry

_EXAMPLE: Final = {
    "type": ["Achievement"],
    "id": "https://college.example/achievements/data-literacy",
    "name": "Data literacy",
    "description": "Reads, judges and presents data.",
    "criteria": {"narrative": "A project of ten weeks, judged by two instructors."},
    "inLanguage": "en",
    "achievementType": "MicroCredential",
}
AchievementCode = Annotated[str, Field(pattern="^[a-z0-9-]{1,64}$", examples=["data-literacy"])]
AchievementObject = Annotated[dict[str, Any], Field(description="Open Badges 3.0 `Achievement`.", examples=[_EXAMPLE])]


class AchievementVersion(Document):
    """One version of an achievement."""

    code: AchievementCode
    id: str = Field(description="The achievement's own id, the same in all its versions.", examples=[_EXAMPLE["id"]])
    version: int = Field(examples=[1])
    name: str = Field(examples=[_EXAMPLE["name"]])
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

    achievement: AchievementObject


class NewVersion(Asked):
    """What an achievement says from now on; its `id` stays the same."""

    achievement: AchievementObject


class NewAchievement(NewVersion):
    """An achievement to be kept."""

    code: AchievementCode | None = Field(
        default=None, description="By which it is issued from. Default: made from the name.", examples=["data-literacy"]
    )


class AchievementRemark(Document):
    """One thing to be said of an achievement."""

    where: str = Field(description="JSON path in the achievement.", examples=["$.image"])
    reason: str = Field(examples=["is missing: wallets show a blank square"])
    hint: str = Field(examples=["Add a PNG or SVG, by address or embedded."])

    @classmethod
    def of(cls, problem: Problem) -> AchievementRemark:
        """Show it."""
        return cls(where=problem.where, reason=problem.reason, hint=problem.hint)


class AchievementKept(AchievementVersion):
    """A version that is kept from now on."""

    warnings: list[AchievementRemark] = Field(description="What readers of its credentials will miss.")

    @classmethod
    def with_warnings(cls, entry: AchievementEntry, review: Review) -> AchievementKept:
        """Show a version that was kept, and what is to be said of it."""
        known = AchievementVersion.of(entry).model_dump()
        return cls(**known, warnings=[AchievementRemark.of(each) for each in review.warnings])


class AchievementReview(Document):
    """What is to be said of an achievement; it is kept nowhere."""

    name: str = Field(description="Empty: it has none.", examples=[_EXAMPLE["name"]])
    problems: list[AchievementRemark] = Field(description="What keeps it from being issued; empty: it is good.")
    warnings: list[AchievementRemark] = Field(description="What readers of its credentials will miss.")

    @classmethod
    def of(cls, review: Review) -> AchievementReview:
        """Show it."""
        return cls(
            name=review.name,
            problems=[AchievementRemark.of(each) for each in review.problems],
            warnings=[AchievementRemark.of(each) for each in review.warnings],
        )
