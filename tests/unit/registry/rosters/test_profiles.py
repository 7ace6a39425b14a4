"""What a person said of a kind of file, kept and read again."""

from pathlib import Path

import pytest

from anchor.errors import MalformedError
from registry.errors import ConflictError, NotFoundError, RosterFormatError
from registry.services.roster import RosterOptions
from registry.services.rosters.columns import Field
from registry.services.rosters.dates import DateOrder
from registry.services.rosters.profiles import Profiles

OPTIONS = RosterOptions(mapping={'Courriel "étudiant"': Field.EMAIL, "N°": Field.LICENSE}, dates=DateOrder.DAY_FIRST)


def test_a_profile_says_what_was_kept(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "profiles")
    assert profiles.names() == ()
    profiles.save("moodle", OPTIONS)
    profiles.save("bare", RosterOptions())
    assert profiles.names() == ("bare", "moodle")
    assert profiles.load("moodle") == OPTIONS
    assert profiles.load("bare") == RosterOptions()


def test_a_profile_is_not_overwritten_by_chance(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    profiles.save("moodle", OPTIONS)
    with pytest.raises(ConflictError, match="there is a profile moodle already"):
        profiles.save("moodle", RosterOptions())
    profiles.save("moodle", RosterOptions(), replace=True)
    assert profiles.load("moodle") == RosterOptions()


def test_profiles_that_cannot_be_used(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    profiles.save("canvas", OPTIONS)
    with pytest.raises(NotFoundError, match="no profile other") as caught:
        profiles.load("other")
    assert caught.value.advice == "There are: canvas."
    for name in ("../settings", "", "a b", "a" * 65):
        with pytest.raises(MalformedError, match="profile's name"):
            profiles.load(name)
    for content, said in (
        ("dates = ", "cannot be read"),
        ("date = 'dmy'", "more than dates"),
        ("columns = 1", "more than dates"),
        ("dates = 'ymd'", "dates are dmy"),
        ("[columns]\nx = 'mail'", "no field 'mail'"),
    ):
        (tmp_path / "bad.toml").write_text(content)
        with pytest.raises((RosterFormatError, MalformedError), match=said):
            profiles.load("bad")
