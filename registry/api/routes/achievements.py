"""Achievements that an institution keeps, and their versions."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query

from registry.api.auth import Reader
from registry.api.documents import AUTHENTICATED, problems
from registry.api.problems import NOT_FOUND
from registry.api.schemas.achievements import (
    Achievements,
    AchievementVersion,
    AchievementVersions,
    AchievementWhole,
)
from registry.errors import NotFoundError
from registry.store.achievements import list_achievements, list_versions, read_achievement

router = APIRouter(prefix="/v1/achievements", tags=["achievements"])

Code = Annotated[str, Path(pattern="^[a-z0-9-]{1,64}$", examples=["data-literacy"])]


@router.get("", summary="List achievements", responses=problems(*AUTHENTICATED))
def list_all(caller: Reader) -> Achievements:
    """Each in its newest version, by code."""
    with caller.store.reading() as connection:
        return Achievements(achievements=[AchievementVersion.of(each) for each in list_achievements(connection)])


@router.get("/{code}", summary="Show an achievement", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(
    caller: Reader,
    code: Code,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Default: the newest.")] = None,
) -> AchievementWhole:
    """What it says, in its newest version or the one named."""
    with caller.store.reading() as connection:
        record = read_achievement(connection, code, version)
    return AchievementWhole(**AchievementVersion.of(record.entry).model_dump(), achievement=json.loads(record.content))


@router.get("/{code}/versions", summary="List an achievement's versions", responses=problems(*AUTHENTICATED, NOT_FOUND))
def versions(caller: Reader, code: Code) -> AchievementVersions:
    """The oldest first; credentials were issued from them, so none is ever changed."""
    with caller.store.reading() as connection:
        entries = list_versions(connection, code)
    if not entries:
        raise NotFoundError("there is no achievement of this code")
    return AchievementVersions(versions=[AchievementVersion.of(each) for each in entries])
