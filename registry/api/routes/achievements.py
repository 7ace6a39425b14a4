"""Achievements that an institution keeps, and their versions: read, checked, kept."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from anchor.canonical import canonicalize
from registry.api.answers import tagged
from registry.api.auth import Admin, CallerWith, Reader
from registry.api.documents import AUTHENTICATED, KNOWN, problems
from registry.api.problems import CONFLICT, MALFORMED, NOT_FOUND
from registry.api.schemas.achievements import (
    AchievementKept,
    AchievementReview,
    Achievements,
    AchievementVersion,
    AchievementVersions,
    AchievementWhole,
    NewAchievement,
    NewVersion,
)
from registry.api.strict import StrictRoute
from registry.api.writes import MADE_HEADERS, IdempotencyKey, answer_write
from registry.errors import NotFoundError
from registry.services.achievement import review_achievement
from registry.services.achievement_library import add_judged, add_judged_version, judge
from registry.store.achievements import list_achievements, list_versions, read_achievement
from registry.store.api_keys import Scope
from registry.store.connection import InstitutionConnection

router = APIRouter(prefix="/v1/achievements", tags=["achievements"], route_class=StrictRoute)

Code = Annotated[str, Path(pattern="^[a-z0-9-]{1,64}$", examples=["data-literacy"])]
_Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Of the version.", examples=[1])]
_MADE: dict[int | str, dict[str, Any]] = {201: {"description": "It is kept", "headers": MADE_HEADERS}}


@router.get("", summary="List achievements", responses=problems(*AUTHENTICATED))
def list_all(caller: Reader) -> Achievements:
    """Each in its newest version, by code."""
    with caller.store.reading() as connection:
        return Achievements(achievements=[AchievementVersion.of(each) for each in list_achievements(connection)])


@router.post(
    "",
    summary="Keep an achievement",
    status_code=201,
    response_model=AchievementKept,
    responses={**_MADE, **problems(*AUTHENTICATED, MALFORMED, CONFLICT)},
)
def add(caller: Admin, request: Request, asked: NewAchievement, idempotency_key: IdempotencyKey = None) -> Response:
    """Under a code, to be issued from. It is refused unless it is good enough: `problems` says what to mend, and where.

    Code and `id` belong to one achievement each. None is ever removed, for credentials were issued from it.
    """
    judged, now = judge(canonicalize(asked.achievement)), caller.service.now()

    def keep(connection: InstitutionConnection) -> AchievementKept:
        entry = add_judged(connection, judged, asked.code, actor=caller.actor, now=now)
        return AchievementKept.with_warnings(entry, judged.review)

    return answer_write(caller, request, idempotency_key, asked, keep, status=201, location=_address)


@router.post(
    "/check",
    summary="Check an achievement",
    dependencies=[Depends(CallerWith(Scope.READ))],
    responses=problems(*AUTHENTICATED, MALFORMED),
)
def check(asked: NewVersion) -> AchievementReview:
    """Say all that is wrong with it, or missing in it; nothing is kept."""
    return AchievementReview.of(review_achievement(canonicalize(asked.achievement)))


@router.get(
    "/{code}",
    summary="Show an achievement",
    response_model=AchievementWhole,
    responses={**KNOWN, **problems(*AUTHENTICATED, NOT_FOUND)},
)
def show(
    caller: Reader,
    request: Request,
    code: Code,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Default: the newest.")] = None,
) -> Response:
    """What it says, in its newest version or the one named."""
    return _whole(caller, request, code, version)


@router.get("/{code}/versions", summary="List an achievement's versions", responses=problems(*AUTHENTICATED, NOT_FOUND))
def versions(caller: Reader, code: Code) -> AchievementVersions:
    """The oldest first; credentials were issued from them, so none is ever changed."""
    with caller.store.reading() as connection:
        entries = list_versions(connection, code)
    if not entries:
        raise NotFoundError("there is no achievement of this code")
    return AchievementVersions(versions=[AchievementVersion.of(each) for each in entries])


@router.post(
    "/{code}/versions",
    summary="Keep a new version of an achievement",
    status_code=201,
    response_model=AchievementKept,
    responses={**_MADE, **problems(*AUTHENTICATED, MALFORMED, NOT_FOUND, CONFLICT)},
)
def revise(
    caller: Admin, request: Request, code: Code, asked: NewVersion, idempotency_key: IdempotencyKey = None
) -> Response:
    """Credentials issued from older versions stay as they are, and those can still be issued from.

    It must have the same `id`, and say something else than the newest version.
    """
    judged, now = judge(canonicalize(asked.achievement)), caller.service.now()

    def keep(connection: InstitutionConnection) -> AchievementKept:
        entry = add_judged_version(connection, judged, code, actor=caller.actor, now=now)
        return AchievementKept.with_warnings(entry, judged.review)

    return answer_write(caller, request, idempotency_key, asked, keep, status=201, location=_address)


@router.get(
    "/{code}/versions/{version}",
    summary="Show a version of an achievement",
    response_model=AchievementWhole,
    responses={**KNOWN, **problems(*AUTHENTICATED, NOT_FOUND)},
)
def show_version(caller: Reader, request: Request, code: Code, version: _Number) -> Response:
    """What it says; that never changes."""
    return _whole(caller, request, code, version)


def _whole(caller: Reader, request: Request, code: str, version: int | None) -> Response:
    with caller.store.reading() as connection:
        record = read_achievement(connection, code, version)
    known = AchievementVersion.of(record.entry).model_dump()
    whole = AchievementWhole(**known, achievement=json.loads(record.content))
    return tagged(request, whole.model_dump_json(by_alias=True).encode(), "application/json")


def _address(answer: dict[str, Any]) -> str:
    return f"/v1/achievements/{answer['code']}/versions/{answer['version']}"
