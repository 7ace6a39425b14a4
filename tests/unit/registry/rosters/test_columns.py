"""Which column is what."""

import pytest

from anchor.errors import MalformedError
from registry.errors import RosterFormatError
from registry.services.recipient import Recipient
from registry.services.roster import RosterOptions
from registry.services.rosters.columns import Field, column_letters
from registry.services.rosters.profiles import parse_mapping
from tests.support.rosters import check_roster, parse_roster


@pytest.mark.parametrize(
    ("heading", "value", "field"),
    [
        ("DID", "did:key:z6Mk", {"did": "did:key:z6Mk"}),
        ("Valid from", "2026-01-01", {"valid_from": 1_767_225_600}),
        ("Valide jusqu'au", "2026-01-01", {"valid_until": 1_767_312_000}),
        ("Date d’obtention", "2026-01-01", {"awarded_at": 1_767_225_600}),
        ("Date de début", "2026-01-01", {"activity_start_at": 1_767_225_600}),
        ("End date", "2026-01-01", {"activity_end_at": 1_767_225_600}),
        ("Résultat", "A+", {"result": "A+"}),
        ("Evidence URL", "https://a.example/b", {"evidence_url": "https://a.example/b"}),
        ("Narrative", "Two\nlines", {"narrative": "Two\nlines"}),
        ("Licence", "L-77", {"license_number": "L-77"}),
    ],
)
def test_each_field_goes_by_headings_in_two_languages(heading: str, value: str, field: dict[str, object]) -> None:
    data = f'Nom,{heading}\nAna,"{value}"\nBo,\n'.encode()
    assert parse_roster(data).recipients == (Recipient(name="Ana", **field), Recipient(name="Bo"))  # type: ignore[arg-type]


@pytest.mark.parametrize("heading", ["Note", "Comment", "Description", "Date", "Date of birth", "Remarque"])
def test_what_may_mean_something_else_is_not_taken(heading: str) -> None:
    read = parse_roster(f"name,{heading}\nAna,2001-01-01\n".encode())
    assert read.recipients == (Recipient(name="Ana"),)
    assert read.unused_columns == (heading,)


def test_first_and_last_name_make_the_name() -> None:
    data = b"Surname,First name,Email address\nTremblay,Zo\xc3\xa9,z@example.org\nRoy,,r@example.org\n"
    report = check_roster(data)
    assert [(each.where, each.reason) for each in report.problems] == [("line 3, First name", "is empty")]
    assert parse_roster(data.rpartition(b"Roy")[0]).recipients[0].name == "Zoé Tremblay"


def test_what_the_person_says_goes_before_what_is_known() -> None:
    options = RosterOptions(mapping={"Étudiante": Field.NAME, "name": Field.LICENSE})
    read = parse_roster("name,étudiante\n77,Ana\n".encode(), options)
    assert read.recipients == (Recipient(name="Ana", license_number="77"),)
    with pytest.raises(RosterFormatError, match="no column “Student no”, which --map") as caught:
        check_roster(b"name,other\nAna,x\n", RosterOptions(mapping={"Student no": Field.LICENSE}))
    assert caught.value.advice == "Its columns are: name, other"


def test_heading_a_letter_off_is_suggested() -> None:
    report = check_roster(b"name,emial,narative,zzz\nAna,x,y,z\n")
    assert report.columns.unused == ("emial", "narative", "zzz")
    assert report.columns.suggestions == (
        "“emial” looks like “email”: if it is, say --map 'emial=email'",
        "“narative” looks like “narrative”: if it is, say --map 'narative=narrative'",
    )


def test_header_stands_within_the_first_ten_lines() -> None:
    lines = [f"remark {number}" for number in range(9)]
    assert parse_roster("\n".join([*lines, "name", "Ana", ""]).encode()).recipients == (Recipient(name="Ana"),)
    with pytest.raises(RosterFormatError, match="no column for names"):
        check_roster("\n".join([*lines, "remark", "name", "Ana", ""]).encode())


# Exports of learning management systems. Their shape is that of the exports; the people are made up.


def test_moodle_course_completion_takes_who_has_completed() -> None:
    data = (
        "First name,Surname,ID number,Email address,Quiz 1,Course complete\n"
        'Zoé,Tremblay,77,zoe@example.org,Completed,"Thursday, 3 April 2025, 10:15 AM"\n'
        "Ana,Roy,78,ana@example.org,Completed (achieved pass grade),Completed\n"
        "Bo,Diaz,79,bo@example.org,Not completed,Not completed\n"
        "Cy,Li,80,cy@example.org,,\n"
    )
    read = parse_roster(data.encode())
    assert [(each.name, each.awarded_at) for each in read.recipients] == [
        ("Zoé Tremblay", 1_743_675_300),
        ("Ana Roy", None),
    ]
    assert read.report.passed_over == {"not completed": 2}
    (problem,) = check_roster(data.replace(",,\n", ",,perhaps\n").encode()).problems
    assert problem.reason == "is neither a date, nor yes or no"


def test_canvas_gradebook() -> None:
    data = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Essay (12),Final Score\n"
        "    Points Possible,,,,,20,(read only)\n"
        '"Tremblay, Zoé",1,u1,zoe@example.org,A,18,90\n'
        '"Roy, Ana",2,u2,ana@example.org,A,17,85\n'
        '"Student, Test",3,,t@example.org,A,0,0\n'
    )
    read = parse_roster(data.encode())
    assert read.recipients == (
        Recipient(name="Zoé Tremblay", email="zoe@example.org"),
        Recipient(name="Ana Roy", email="ana@example.org"),
    )
    assert sum(read.report.passed_over.values()) == 2
    assert read.report.columns.is_canvas


def test_columns_are_lettered_as_in_spreadsheets() -> None:
    assert [column_letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


def test_mappings_are_read_from_text() -> None:
    assert parse_mapping(["a=b=email", " Nom = name"]) == {"a=b": Field.EMAIL, "Nom": Field.NAME}
    for text in ("email", "=email", "x=mail"):
        with pytest.raises(MalformedError) as caught:
            parse_mapping([text])
        assert "name, first-name, last-name, email" in caught.value.advice
