from pathlib import Path

import pytest

from registry.errors import RosterFormatError
from registry.services import roster
from registry.services.recipient import Recipient
from registry.services.rosters import sheets
from tests.support.rosters import parse_roster

ROSTER_1000 = Path(__file__).parents[3] / "docs" / "examples" / "roster-1000.csv"


def problems_of(data: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(RosterFormatError) as caught:
        parse_roster(data.encode() if isinstance(data, str) else data)
    return [(each.where, each.reason) for each in caught.value.problems]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_marks_and_line_endings(mark: bytes, delimiter: str, ending: str) -> None:
    lines = [f"name{delimiter}email", f"Zoé Tremblay{delimiter}zoe@example.org", f"ᐃᓄᒃ{delimiter}", ""]
    read = parse_roster(mark + ending.join(lines).encode())
    assert read.recipients == (
        Recipient(name="Zoé Tremblay", email="zoe@example.org"),
        Recipient(name="ᐃᓄᒃ", email=None),
    )
    assert read.unused_columns == ()


@pytest.mark.parametrize("heading", ["name", "NAME", " Nom ", "full_name", "Full  Name", "nom complet"])
def test_a_column_for_names_goes_by_many_names(heading: str) -> None:
    assert parse_roster(f"{heading}\nAna\n".encode()).recipients == (Recipient(name="Ana", email=None),)


def test_columns_in_any_order_and_others_named() -> None:
    read = parse_roster(b'No;Courriel;Nom;""\n1;a@example.org;Ana;x\n')
    assert read.recipients == (Recipient(name="Ana", email="a@example.org"),)
    assert read.unused_columns == ("No",)


def test_names_are_normalised_and_stripped() -> None:
    read = parse_roster("name\n  Zoe\u0301 \n".encode())
    assert read.recipients[0].name == "Zoé"


@pytest.mark.parametrize(
    "name", ["O'Brien", "Jean-François", "Sahaiʔa", "Nıłts'ı", "ʻAulani", "محمد بن‌عمار", "Ọ̀ṣun", "Ng", "X Æ A-12"]
)
def test_names_as_people_have_them(name: str) -> None:
    assert parse_roster(f'name\n"{name}"\n'.encode()).recipients[0].name == name


def test_quoted_cells_hold_delimiters() -> None:
    assert parse_roster(b'name,email\n"Roy, Ana",a@example.org\n').recipients[0].name == "Roy, Ana"


def test_empty_lines_count_for_nothing_but_are_counted() -> None:
    assert problems_of("name,email\n\n,\nAna,x\n") == [("line 4, email", "is not an e-mail address")]


@pytest.mark.parametrize(
    ("row", "where", "reason"),
    [
        (",a@example.org", "line 2, name", "is empty"),
        ("12 34,", "line 2, name", "has no letter"),
        ("=cmd(),", "line 2, name", "starts with a sign that spreadsheets take for a formula"),
        ('"A\nB",', "line 2, name", "has a control character, such as a line break or a tab"),
        ("A\x01B,", "line 2, name", "has a control character, such as a line break or a tab"),
        ("A\ufdd0,", "line 2, name", "has a control character, such as a line break or a tab"),
        ("A" * 301 + ",", "line 2, name", "has more than 300 characters"),
        ("Ana", "line 2", "has 1 cells, the header has 2"),
        ("Ana,b,c", "line 2", "has 3 cells, the header has 2"),
    ],
)
def test_bad_rows(row: str, where: str, reason: str) -> None:
    assert problems_of(f"name,email\n{row}\n") == [(where, reason)]


@pytest.mark.parametrize(
    "email",
    [
        "ana",
        "ana@",
        "@example.org",
        "a b@example.org",
        "ana@example",
        "a@b@example.org",
        "ana@example..org",
        "ana@example.org.",
        "<ana@example.org>",
        "a" * 250 + "@example.org",
        "ana@example.org\u200b",
        "ana\u202e@example.org",
    ],
)
def test_bad_addresses(email: str) -> None:
    assert problems_of(f"name;email\nAna;{email}\n") == [("line 2, email", "is not an e-mail address")]


@pytest.mark.parametrize(
    "email", ["ana@example.org", "a+b.c'd@sub.example.org", "josé@exämple.org", "ana@xn--p1ai.example"]
)
def test_good_addresses(email: str) -> None:
    assert parse_roster(f"name,email\nAna,{email}\n".encode()).recipients[0].email == email


def test_the_same_address_twice_whatever_its_case() -> None:
    data = "name,email\nAna,ana@example.org\nBo,bo@example.org\nAna,ANA@example.org\nAn,ana@example.org\n"
    assert problems_of(data) == [
        ("line 4, email", "is the same as on line 2"),
        ("line 5, email", "is the same as on line 2"),
    ]


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    data = 'name,email\nAna,x\nBo\n,c@example.org\nDi,c@example.org\n"E"x",\n'
    assert [where for where, _ in problems_of(data)] == [
        "line 2, email",
        "line 3",
        "line 4, name",
        "line 5, email",
        "line 6",
    ]


def test_only_so_many_problems_are_listed() -> None:
    count = roster.MAX_PROBLEMS + 7
    with pytest.raises(RosterFormatError, match="the roster has 1,007 problems") as caught:
        parse_roster(b"name\n" + b"1\n" * count)
    assert len(caught.value.problems) == roster.MAX_PROBLEMS


def test_lines_are_counted_through_quoted_line_breaks() -> None:
    assert [where for where, _ in problems_of('name,email\n"A\nB",\nC,x\n')] == ["line 2, name", "line 4, email"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no column"),
        (b"Ana,ana@example.org\nBo,bo@example.org\n", "no column"),
        (b"email\na@example.org\n", "no column"),
        (b"name,email\n", "no recipients"),
        (b"name,email\n\n , \n", "no recipients"),
        (b"name\nA\x00B\n", "bytes that no text has"),
        (b"name\nA\x81\n", "neither in UTF-8 nor in Windows-1252"),
        (b"PK\x03\x04 no spreadsheet", "cannot be opened"),
        (b"\xd0\xcf\x11\xe0 no spreadsheet", "cannot be opened"),
        (b'[{"name": ', "starts like JSON, but is none"),
        (b'{"name": "Ana"}\n{"name"\n', "1 problem"),
        (b'[["Ana"]]', "1 problem"),
    ],
)
def test_files_that_are_no_roster(data: bytes, words: str) -> None:
    with pytest.raises(RosterFormatError, match=words):
        parse_roster(data)


def test_two_columns_for_one_thing() -> None:
    with pytest.raises(RosterFormatError, match="two columns are for name: “name” and “Nom”") as caught:
        parse_roster(b"name,Nom\nA,B\n")
    assert "--map 'HEADING=name'" in caught.value.advice


def test_a_file_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_FILE_BYTES", 10)
    with pytest.raises(RosterFormatError, match="more than 10 bytes"):
        parse_roster(b"name\nAna\nBo\n")


def test_errors_hold_no_personal_data() -> None:
    data = "name,email\nSecret Person,secret-address\n=Hidden,\n"
    with pytest.raises(RosterFormatError) as caught:
        parse_roster(data.encode())
    shown = f"{caught.value.diagnostics()} {caught.value.problems!r} {caught.value!r}"
    assert "ecret" not in shown
    assert "Hidden" not in shown


def test_the_example_roster() -> None:
    recipients = parse_roster(ROSTER_1000.read_bytes()).recipients
    assert len(recipients) == 1000
    assert all(each.email is None or each.email.endswith("@example.org") for each in recipients)
    assert any("ʔ" in each.name for each in recipients)
    assert any("\u1400" <= char <= "\u167f" for each in recipients for char in each.name)
