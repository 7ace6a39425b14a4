"""Achievements that an institution keeps under a code, and what `issue --achievement` takes: a code, or a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from anchor.canonical import canonicalize
from anchor.errors import MalformedError
from registry.errors import AchievementFormatError, NotFoundError
from registry.services.achievement import Achievement, Review, parse_achievement, review_achievement
from registry.store.achievements import add_achievement, list_achievements, read_achievement, revise_achievement
from registry.store.audit_log import OPERATOR, append_entry
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import AchievementEntry

MAX_CODE_CHARACTERS: Final = 64
_SUGGESTED_CHARACTERS: Final = 40
_CODE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_REFERENCE: Final = re.compile(rf"(?P<code>{_CODE.pattern})(?:@(?P<version>[1-9][0-9]{{0,8}}))?")
_NEAR: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An achievement that is good enough to issue from; only `judge` makes one."""

    achievement: Achievement
    review: Review


def judge(data: bytes) -> Judged:
    """Check that an achievement is good enough to be kept.

    Raises:
        AchievementFormatError: It is not; problems say why.
    """
    review = review_achievement(data)
    if review.problems:
        count = "1 problem" if len(review.problems) == 1 else f"{len(review.problems)} problems"
        raise AchievementFormatError(
            f"the achievement is not good enough to issue from: {count}",
            review.problems,
            advice="Mend it and try again; nothing was kept.",
        )
    return Judged(achievement=parse_achievement(data), review=review)


def add_judged(
    connection: InstitutionConnection, judged: Judged, code: str | None, *, actor: str, now: int
) -> AchievementEntry:
    """Keep an achievement under a code, one made from its name where none is given, and note who did it.

    Raises:
        MalformedError: The code is none, or none can be made from the name.
        ConflictError: The code or the achievement's id is taken.
    """
    achievement = judged.achievement
    entry = add_achievement(
        connection,
        code=check_code(code) if code is not None else suggest_code(achievement.name),
        uri=achievement.id,
        name=achievement.name,
        content=canonicalize(achievement.value),
        added_at=now,
    )
    _note(connection, entry, "achievement.add", actor, now)
    return entry


def add_judged_version(
    connection: InstitutionConnection, judged: Judged, code: str, *, actor: str, now: int
) -> AchievementEntry:
    """Keep a new version of an achievement, and note who did it.

    Raises:
        NotFoundError: No achievement of this code is kept.
        ConflictError: It has another id, or nothing changed.
    """
    achievement = judged.achievement
    entry = revise_achievement(
        connection,
        code=code,
        uri=achievement.id,
        name=achievement.name,
        content=canonicalize(achievement.value),
        added_at=now,
    )
    _note(connection, entry, "achievement.revise", actor, now)
    return entry


def keep_new(
    store: Store, data: bytes, code: str | None, *, now: int, actor: str = OPERATOR
) -> tuple[AchievementEntry, Review]:
    """Keep an achievement under a code; one made from its name where none is given.

    Raises:
        AchievementFormatError: The file is not good enough to issue from; problems say why.
        MalformedError: The code is none, or none can be made from the name.
        ConflictError: The code or the achievement's id is taken.
    """
    judged = judge(data)
    with store.writing() as connection:
        return add_judged(connection, judged, code, actor=actor, now=now), judged.review


def keep_version(
    store: Store, data: bytes, code: str, *, now: int, actor: str = OPERATOR
) -> tuple[AchievementEntry, Review]:
    """Keep a new version of an achievement.

    Raises:
        AchievementFormatError: The file is not good enough to issue from; problems say why.
        NotFoundError: No achievement of this code is kept.
        ConflictError: It has another id, or nothing changed.
    """
    judged = judge(data)
    with store.writing() as connection:
        return add_judged_version(connection, judged, code, actor=actor, now=now), judged.review


def check_code(code: str) -> str:
    """Give back a code that can be one.

    Raises:
        MalformedError: It cannot.
    """
    if len(code) > MAX_CODE_CHARACTERS or not _CODE.fullmatch(code):
        raise MalformedError(
            "a code has small letters a to z, digits, and single hyphens between them; at most 64 characters",
            advice="Such as data-literacy-2026.",
        )
    return code


def suggest_code(name: str) -> str:
    """Make a code from a name.

    Raises:
        MalformedError: The name has no letter of the Latin alphabet to make it from.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    code = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(code) > _SUGGESTED_CHARACTERS:
        code = code[: _SUGGESTED_CHARACTERS + 1].rpartition("-")[0] or code[:_SUGGESTED_CHARACTERS]
    if not code:
        raise MalformedError("no code can be made from the achievement's name", advice="Give one with --code CODE.")
    return code


def names_file(text: str) -> bool:
    """Tell whether a reference to an achievement means a file: it is there, or could be nothing else."""
    return _REFERENCE.fullmatch(text) is None or Path(text).is_file()


def resolve_achievement(store: Store | None, text: str, read_file: Callable[[Path], bytes]) -> Achievement:
    """Find the achievement that a person means.

    Args:
        store: Where achievements are kept; None: only files can be meant.
        text: `code`, `code@2` for a version, or a file's path; a file goes before a code.
        read_file: Reads a file that a person named; raises what it means that it cannot.

    Raises:
        AchievementFormatError: The file holds no achievement.
        NotFoundError: There is no such achievement or version; the advice lists codes that look like it.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None or names_file(text):
        return parse_achievement(read_file(Path(text)))
    if store is None:
        raise NotFoundError(f"there is no file {text}", advice="Give the path of an achievement's file.")
    code, version = found["code"], found["version"]
    with store.reading() as connection:
        entries = list_achievements(connection)
        if code in (entry.code for entry in entries):
            record = read_achievement(connection, code, None if version is None else int(version))
            return parse_achievement(record.content)
    raise NotFoundError(f"there is no achievement and no file {code}", advice=_advice(code, entries))


def _advice(code: str, entries: tuple[AchievementEntry, ...]) -> str:
    if not entries:
        return "None is kept yet: credanchor achievement add FILE, or give a file's path."
    words = {word: entry.code for entry in entries for word in (entry.code, entry.name.casefold())}
    likely = [words[word] for word in get_close_matches(code, words, n=3, cutoff=_NEAR)]
    likely += [entry.code for entry in entries if entry.code.startswith(code) or code.startswith(entry.code)]
    if likely:
        return f"Did you mean {' or '.join(dict.fromkeys(likely))}? All of them: credanchor achievement list."
    return "See which are kept: credanchor achievement list."


def _note(connection: InstitutionConnection, entry: AchievementEntry, action: str, actor: str, now: int) -> None:
    append_entry(
        connection, at=now, actor=actor, action=action, subject=f"achievement {entry.code} version {entry.version}"
    )
