"""Rosters in every format and dialect that institutions have them in."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from registry.errors import RosterFormatError
from registry.services.recipient import Recipient
from registry.services.roster import open_roster
from registry.services.rosters import spreadsheets
from tests.support.messy_roster import COUNT, FAULTS, as_xlsx, mended_rows, messy_rows
from tests.support.rosters import check_roster, opened, parse_roster, recipients_in

ZOE = Recipient(name="Zoé", email="zoe@example.org")


@pytest.mark.parametrize(
    ("encoding", "said", "guessed"),
    [
        ("utf-8", "UTF-8", False),
        ("utf-8-sig", "UTF-8", False),
        ("utf-16", "UTF-16", False),
        ("cp1252", "Windows-1252", True),
    ],
)
def test_encodings_are_found_and_a_guess_is_told(encoding: str, said: str, guessed: bool) -> None:
    data = "name,email\nZoé,zoe@example.org\n".encode(encoding)
    if encoding == "utf-16":
        # As Excel writes “Unicode text”: every second byte is zero, which is no fault then.
        assert b"\x00" in data
    read = parse_roster(data)
    assert read.recipients == (ZOE,)
    assert read.report.form.details[0] == said
    assert bool(read.report.form.notes) is guessed


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_that_cuts_evenly(delimiter: str) -> None:
    within = delimiter.strip()  # a name has no tab
    text = f'name{delimiter}email\n"Roy{within} Ana"{delimiter}a@example.org\n"B, C; D | E"{delimiter}\n'
    assert [each.name for each in parse_roster(text.encode()).recipients][1] == "B, C; D | E"


def test_spreadsheet_with_a_title_dates_and_numbers() -> None:
    rows: list[list[object]] = [
        ["Spring 2026", "", "", ""],
        ["", "", "", ""],
        ["Name", "E-mail", "Award date", "License"],
        ["Zoé", "zoe@example.org", date(2026, 5, 29), 12345678901],
        ["", "", "", ""],
    ]
    read = parse_roster(as_xlsx(rows))
    assert read.recipients == (ZOE._replace(awarded_at=1_780_012_800, license_number="12345678901"),)
    assert read.report.form.kind == "spreadsheet"
    assert "Cohorte" in read.report.form.details[0]


def test_problem_in_a_spreadsheet_is_found_by_row_and_letter() -> None:
    rows: list[list[object]] = [["Title", ""], ["Name", "E-mail"], ["Zoé", "zoe"]]
    (problem,) = check_roster(as_xlsx(rows)).problems
    assert problem.where == "row 3, E-mail (column B)"


def test_spreadsheet_that_would_unpack_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_SHEET_BYTES", 1000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 1001)
    with pytest.raises(RosterFormatError, match="unpacks to 1001 bytes"):
        check_roster(file.getvalue())


def test_json_and_ndjson() -> None:
    entries = [{"name": "Zoé", "email": "zoe@example.org"}, {"name": "Ana", "valid until": "2027-01-31", "email": None}]
    ana = Recipient(name="Ana", valid_until=1_801_440_000)
    for data in (json.dumps(entries), "\n".join(json.dumps(entry) for entry in entries) + "\n\n"):
        read = parse_roster(data.encode())
        assert read.recipients == (ZOE, ana)
    (problem,) = check_roster(json.dumps([{"name": "A"}, {"name": ["B"]}]).encode()).problems
    assert (problem.where, problem.reason) == ("entry 2, name", "is a JSON array or object, not text")
    (problem,) = check_roster(b'{"name":"A"}\n\n{"name":"","email":"b@example.org"}\n').problems
    assert (problem.where, problem.reason) == ("line 3, name", "is empty")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RosterFormatError, match="is not a file"):
        open_roster(tmp_path)
    with pytest.raises(RosterFormatError, match="cannot be read: No such file"):
        open_roster(tmp_path / "absent.csv")


def test_what_was_checked_is_what_is_given(tmp_path: Path) -> None:
    report = opened(b"name\nAna\nBo\n", tmp_path).check()
    (tmp_path / "roster").write_bytes(b"name\nAna\nMallory\n")
    assert [each.name for each in recipients_in(report)] == ["Ana", "Bo"]


def test_rows_with_problems_can_be_left_out(tmp_path: Path) -> None:
    report = opened(b"name,email\nAna,\n,x@example.org\nBo,bo@\nCy,cy@x.org\nDi,cy@x.org\n", tmp_path).check()
    assert (report.good_count, report.problem_count, report.bad_rows) == (2, 3, frozenset({3, 4, 6}))
    assert [each.name for each in recipients_in(report)] == ["Ana", "Cy"]
    assert report.recipients.count(report.bad_rows) == 2
    with pytest.raises(RosterFormatError, match="3 problems"):
        report.require_good()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_each_of_ten_faults_among_300_learners_is_pointed_out(form: str) -> None:
    rows = messy_rows()
    report = check_roster(as_xlsx(rows) if form == "xlsx" else as_csv(rows))
    found = {problem.where: problem for problem in report.problems}
    assert report.problem_count == len(FAULTS) == 10
    for row, (column, reason, hint) in FAULTS.items():
        where = f"row {row}, {column}" if form == "xlsx" else f"line {row}, {column.partition(' (')[0]}"
        assert found[where].reason == reason.replace("row", "line" if form == "csv" else "row")
        assert hint in found[where].hint
    assert report.good_count == COUNT - 10
    assert [each for each in report.columns.suggestions if "“Resultat” looks like “résultat”" in each]
    parse_roster(as_xlsx(mended_rows()))


def as_csv(rows: list[list[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode()
