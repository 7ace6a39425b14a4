"""Achievements kept under codes: versions only added, and what `issue --achievement` takes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.errors import MalformedError
from registry.errors import AchievementFormatError, ConflictError, NotFoundError
from registry.services.achievement import Achievement
from registry.services.achievement_library import (
    check_code,
    keep_new,
    keep_version,
    names_file,
    resolve_achievement,
    suggest_code,
)
from registry.store.achievements import list_achievements, list_versions, read_achievement
from registry.store.engine import Store
from tests.support.achievements import EXAMPLES, as_bytes
from tests.support.registry import ACHIEVEMENT, NOW


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def resolve(store: Store | None, text: str) -> Achievement:
    return resolve_achievement(store, text, Path.read_bytes)


def test_first_version_and_the_next(store: Store) -> None:
    first, review = keep_new(store, as_bytes(), "data", now=NOW)
    assert (first.code, first.version, first.uri, first.added_at) == ("data", 1, ACHIEVEMENT["id"], NOW)
    assert review.warnings
    second, _ = keep_version(store, as_bytes({"name": "Better"}), "data", now=NOW + 1)
    assert (second.code, second.version, second.name) == ("data", 2, "Better")
    with store.reading() as connection:
        assert list_achievements(connection) == (second,)
        assert list_versions(connection, "data") == (first, second)
        assert read_achievement(connection, "data").entry == second
        assert read_achievement(connection, "data", 1).entry == first
    assert resolve(store, "data").name == "Better"
    assert resolve(store, "data@1").value == ACHIEVEMENT


def test_lists_are_by_code_and_show_the_newest(store: Store) -> None:
    for code in ("b", "a", "c"):
        keep_new(store, as_bytes({"id": f"urn:x:{code}"}), code, now=NOW)
    keep_version(store, as_bytes({"id": "urn:x:b", "name": "B"}), "b", now=NOW)
    with store.reading() as connection:
        assert [(entry.code, entry.version) for entry in list_achievements(connection)] == [
            ("a", 1),
            ("b", 2),
            ("c", 1),
        ]
        assert list_versions(connection, "other") == ()


def test_nothing_changed_is_refused_whatever_the_layout(store: Store) -> None:
    keep_new(store, as_bytes(), "data", now=NOW)
    with pytest.raises(ConflictError, match="nothing changed") as caught:
        keep_version(store, as_bytes().replace(b", ", b" ,\n\t"), "data", now=NOW)
    assert "--achievement data" in caught.value.advice
    keep_version(store, as_bytes({"name": "Better"}), "data", now=NOW)
    # Going back to what it said before is a change.
    assert keep_version(store, as_bytes(), "data", now=NOW)[0].version == 3


def test_code_and_id_belong_to_one_achievement(store: Store) -> None:
    keep_new(store, as_bytes(), "data", now=NOW)
    with pytest.raises(ConflictError, match="taken by another"):
        keep_new(store, as_bytes({"id": "urn:x:2"}), "data", now=NOW)
    with pytest.raises(ConflictError, match="kept already, as data") as caught:
        keep_new(store, as_bytes({"name": "Better"}), "other", now=NOW)
    assert "revise data" in caught.value.advice
    keep_new(store, as_bytes({"id": "urn:x:2"}), "other", now=NOW)
    # Each half of it belongs to one that is kept.
    with pytest.raises(ConflictError):
        keep_new(store, as_bytes(), "other", now=NOW)
    with pytest.raises(ConflictError, match="another id"):
        keep_version(store, as_bytes({"id": "urn:x:3"}), "data", now=NOW)
    with pytest.raises(NotFoundError, match="no achievement nothing"):
        keep_version(store, as_bytes(), "nothing", now=NOW)


def test_only_good_ones_are_kept(store: Store) -> None:
    with pytest.raises(AchievementFormatError, match="2 problems") as caught:
        keep_new(store, as_bytes({"inLanguage": "zz", "criteria": None}), "data", now=NOW)
    assert {problem.where for problem in caught.value.problems} == {"$.criteria", "$.inLanguage"}
    with store.reading() as connection:
        assert list_achievements(connection) == ()


def test_two_writers_make_two_versions(store: Store) -> None:
    keep_new(store, as_bytes(), "data", now=NOW)
    files = [as_bytes({"name": f"Name {number}"}) for number in range(8)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        done = list(pool.map(lambda data: keep_version(store, data, "data", now=NOW)[0].version, files))
    assert sorted(done) == list(range(2, 10))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Data Literacy", "data-literacy"),
        ("Littératie des données (2026)", "litteratie-des-donnees-2026"),
        ("  Ǆ ½ ﬁ  ", "dz-1-2-fi"),
        ("Data Literacy for Community Health / Littératie", "data-literacy-for-community-health"),
        ("x" * 100, "x" * 40),
    ],
)
def test_codes_are_made_from_names(name: str, code: str) -> None:
    assert suggest_code(name) == code
    assert check_code(code) == code


def test_a_name_may_give_no_code() -> None:
    with pytest.raises(MalformedError) as caught:
        suggest_code("ᐊᓇ ᐃᓄᒃ")
    assert "--code" in caught.value.advice


@pytest.mark.parametrize("code", ["", "Data", "data_1", "-data", "data--1", "data@2", "données", "x" * 65, "a\n"])
def test_what_is_no_code(code: str) -> None:
    with pytest.raises(MalformedError, match="small letters"):
        check_code(code)


def test_a_file_goes_before_a_code(store: Store) -> None:
    keep_new(store, as_bytes(), "data", now=NOW)
    assert not names_file("data")
    Path("data").write_bytes(as_bytes({"name": "From the file"}))
    assert names_file("data")
    assert resolve(store, "data").name == "From the file"
    assert resolve(None, "./data").name == "From the file"
    assert resolve(None, str(EXAMPLES / "achievement.json")).name.startswith("Data Literacy")


def test_what_can_be_no_code_is_a_file(store: Store) -> None:
    for text in ("data.json", "Data", "data@0", "data@", "a/b"):
        assert names_file(text)
        with pytest.raises(FileNotFoundError):
            resolve(store, text)


def test_what_is_not_there_is_said_with_what_was_probably_meant(store: Store) -> None:
    def advice(text: str) -> str:
        with pytest.raises(NotFoundError) as caught:
            resolve(store, text)
        return caught.value.advice

    assert "add FILE" in advice("data")
    keep_new(store, as_bytes({"name": "Welding"}), "data-literacy", now=NOW)
    assert "Did you mean data-literacy?" in advice("data-litracy")
    assert "Did you mean data-literacy?" in advice("data")
    assert "Did you mean data-literacy?" in advice("weldin")
    assert "achievement list" in advice("xyzzy")
    assert "versions 1 to 1" in advice("data-literacy@2")
    with pytest.raises(NotFoundError, match="no file data"):
        resolve(None, "data-literacy")


def test_large_files_are_no_achievement(store: Store) -> None:
    Path("large.json").write_bytes(b" " * (MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(AchievementFormatError):
        resolve(store, "large.json")
