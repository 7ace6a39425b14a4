"""What a stranger wrote stays text in a spreadsheet."""

import pytest

from anchor.cells import as_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("  =1", "'  =1"),
        ('"=1', "'\"=1"),
        ("\t=1", "\t'=1"),
        ("a;=1", "a;'=1"),
        ('a;"=1";b\n=2', "a;'\"=1\";b\n'=2"),
    ],
)
def test_formula_becomes_text(text: str, cell: str) -> None:
    assert as_cell(text) == cell


@pytest.mark.parametrize("text", ["", "Zoë", "O'Brien-Łukasz", "a=b", "1+1", "a; b", "zoe@example.org", "'quoted'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert as_cell(text) == text
