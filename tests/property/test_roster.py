"""Rosters: recipients written in any format come back as they were."""

import csv
import io
import json
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.services.recipient import Recipient
from tests.support.messy_roster import as_xlsx
from tests.support.rosters import parse_roster

HEADINGS = ["Nom", "Courriel", "License"]

# No formula signs in front, no control or direction characters; with a letter.
WORDS = st.text(st.characters(categories=["L", "M", "N", "P", "Zs"]), min_size=1, max_size=20)
NAMES = (
    st.builds("x{}".format, WORDS)
    .map(lambda text: unicodedata.normalize("NFC", text.strip()))
    .filter(lambda text: len(text) <= 300)
)
LICENSES = st.none() | st.from_regex(r"[A-Z]{1,3}-[0-9]{1,8}", fullmatch=True)


@st.composite
def rosters(draw: st.DrawFn) -> list[Recipient]:
    names = draw(st.lists(NAMES, min_size=1, max_size=8))
    return [
        Recipient(
            name=name,
            email=draw(st.none() | st.just(f"learner.{number}@example.org")),
            license_number=draw(LICENSES),
        )
        for number, name in enumerate(names)
    ]


def rows_of(recipients: list[Recipient]) -> list[list[object]]:
    rows: list[list[object]] = [[each.name, each.email or "", each.license_number or ""] for each in recipients]
    return [list(HEADINGS), *rows]


@given(recipients=rosters(), delimiter=st.sampled_from(",;\t|"), ending=st.sampled_from(["\n", "\r\n", "\r"]))
def test_delimited_text(recipients: list[Recipient], delimiter: str, ending: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(rows_of(recipients))
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert list(parse_roster(text.getvalue().encode(encoding)).recipients) == recipients


@given(recipients=rosters(), ascii_only=st.booleans())
def test_json(recipients: list[Recipient], ascii_only: bool) -> None:
    entries = [dict(zip(HEADINGS, row, strict=True)) for row in rows_of(recipients)[1:]]
    assert list(parse_roster(json.dumps(entries, ensure_ascii=ascii_only).encode()).recipients) == recipients
    lines = "\n".join(json.dumps(entry, ensure_ascii=ascii_only) for entry in entries)
    assert list(parse_roster(lines.encode()).recipients) == recipients


@settings(max_examples=50)
@given(recipients=rosters())
def test_spreadsheets(recipients: list[Recipient]) -> None:
    assert list(parse_roster(as_xlsx(rows_of(recipients))).recipients) == recipients
