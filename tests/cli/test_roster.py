"""`credanchor roster` as a program: what a registrar reads before issuing."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.messy_roster import FAULTS, as_xlsx, mended_rows, messy_rows
from tests.support.program import Program


class Done(NamedTuple):
    code: int
    out: str
    err: str


def ran(program: Program, *arguments: object) -> Done:
    return Done(*program.run(*arguments))


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(capsys=capsys)


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    path = tmp_path / "cohort.xlsx"
    path.write_bytes(as_xlsx(messy_rows()))
    return path


def test_every_fault_is_shown_with_its_place_and_what_to_do(program: Program, messy: Path) -> None:
    done = ran(program, "roster", "check", messy)
    assert done.code == 2
    for row, (column, _, hint) in FAULTS.items():
        assert any(f"row {row}, {column}:" in line and hint in line for line in done.err.splitlines())
    assert "10 to mend; 290 rows are good" in done.out
    assert "email           Courriel" in done.out
    assert "“Resultat” looks like “résultat”" in done.err
    assert "example.org" not in done.out + done.err


@pytest.mark.parametrize("content", ['{"a": 1', "[1]"])
def test_a_file_that_cannot_be_told_into_rows_is_told_why(program: Program, tmp_path: Path, content: str) -> None:
    (tmp_path / "roster.json").write_text(content, "utf-8")
    done = ran(program, "roster", "check", tmp_path / "roster.json")
    assert done.code == 2
    assert "✘" in done.err.split("\n", 1)[1]
    as_json = json.loads(ran(program, "roster", "check", tmp_path / "roster.json", "--json").out)
    assert as_json["error"]["problems"]


def test_report_for_programs(program: Program, messy: Path) -> None:
    done = ran(program, "roster", "check", messy, "--map", "Resultat=result", "--json")
    report = json.loads(done.out)
    assert done.code == 2
    assert report["format"] == "credanchor/roster@v1"
    assert (report["goodCount"], report["problemCount"]) == (290, 10)
    assert report["columns"]["result"] == "Resultat"
    assert report["unusedColumns"] == ["No"]
    assert "example.org" not in done.out


def test_rejected_rows_are_mended_and_checked_again(program: Program, messy: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "to-mend.csv"
    done = ran(program, "roster", "check", messy, "--rejects", rejects)
    assert f"rows to mend are in {rejects}" in done.out
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][-1] == "problem"
    assert len(rows) == 1 + len(FAULTS)
    assert rows[1][-1].startswith("row 7, Courriel (column C): is not an e-mail address (it has no @)")
    mended = {row: cells for row, cells in enumerate(mended_rows(), start=1) if row in FAULTS}
    with rejects.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([rows[0], *([*cells, ""] for cells in mended.values())])
    again = ran(program, "roster", "check", rejects)
    assert again.code == 0
    assert "10 rows, all good" in again.out


def test_profile_saves_typing(program: Program, tmp_path: Path) -> None:
    roster, home = tmp_path / "export.csv", tmp_path / "home"
    roster.write_text("Étudiante;Obtenu\nAna;03/04/2026\n", "utf-8")
    flags = ("--map", "Étudiante=name", "--map", "Obtenu=awarded", "--dates", "dmy")
    assert ran(program, "roster", "check", roster, "--home", home).code == 2
    saved = ran(program, "roster", "profile", "save", "nursing", *flags, "--home", home)
    assert saved.code == 0
    assert "--profile nursing" in saved.out
    assert ran(program, "roster", "check", roster, "--profile", "nursing", "--home", home).code == 0
    assert ran(program, "roster", "profile", "list", "--home", home).out == "nursing\n"
    shown = json.loads(ran(program, "roster", "profile", "show", "nursing", "--home", home, "--json").out)
    assert (shown["dates"], shown["columns"]) == ("dmy", {"Étudiante": "name", "Obtenu": "awarded"})
    assert ran(program, "roster", "profile", "save", "nursing", "--home", home).code == 1
    missing = ran(program, "roster", "check", roster, "--profile", "other", "--home", home)
    assert missing.code == 1
    assert "There are: nursing." in missing.err


def test_template_is_a_good_roster(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(ran(program, "roster", "template").out, "utf-8")
    assert ran(program, "roster", "check", path).code == 0


def test_usage_that_cannot_be_meant(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("name\nAna\n")
    for flags, said in (
        (("--map", "name"), "'HEADING=field'"),
        (("--map", "name=nome"), "The fields are: name"),
        (("--dates", "ymd"), "dmy (day first) or mdy"),
    ):
        done = ran(program, "roster", "check", path, *flags)
        assert done.code == 2
        assert said in done.err
    assert ran(program, "roster", "check", tmp_path).code == 2
