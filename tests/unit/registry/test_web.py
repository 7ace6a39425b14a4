"""What pages are made of: languages, words, dates and numbers, strangers' text, and what a credential says."""

from __future__ import annotations

import json
import re
import string
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from anchor.errors import ExpiredError, NoEvidenceError, PendingError, RevokedError, TamperedError
from anchor.events import StatusChanged
from anchor.model import Outcome, Verdict, Vouching
from registry.api.routes.explorer import KINDS
from registry.services.achievement_schema import vocabulary
from registry.services.explorer.views import HitKind
from registry.web import render
from registry.web.credential import view_of
from registry.web.formats import format_date, format_moment, format_number, format_percent, parse_time, read_decimal
from registry.web.languages import LANGUAGES, choose_language
from registry.web.markdown import MAX_CHARACTERS, render_markdown
from registry.web.status import UNKNOWN, status_of
from registry.web.text import clean, language_tag, safe_link
from registry.web.words import PARTS, load_words
from tests.support.shown import TONES, full, hostile, minimal, rubric, shown

LEDGER_WORDS = {
    *(f"ledger.vouching.{each.value}" for each in Vouching),
    *(f"ledger.show.{name or 'all'}" for name in KINDS),
    *(f"ledger.hit.{each.value}" for each in HitKind),
    *(f"ledger.can_find.{name}" for name in ("did", "root", "position", "transaction", "key")),
    *(f"ledger.batch_{state}.{part}" for state in ("good", "void", "revoked") for part in ("title", "text")),
    *(f"ledger.position_{state}.title" for state in ("revoked", "suspended", "untouched")),
    *(f"ledger.{each.kind}" for each in StatusChanged.__subclasses__()),
    *(f"ledger.did_{each.kind}" for each in StatusChanged.__subclasses__()),
    *(f"ledger.key_{state}" for state in ("compromised", "ended", "ends", "from", "good")),
    *(f"ledger.{name}.{part}" for name in ("unread",) for part in ("title", "text")),
}
"""Names that are put together: of the explorer's pages."""
TEMPLATES = Path(render.__file__).parent / "templates"


@pytest.mark.parametrize(
    ("asked", "accept", "language"),
    [
        (None, None, "en"),
        ("fr", "en", "fr"),
        ("de", "fr", "fr"),
        (None, "fr", "fr"),
        (None, "FR-ca", "fr"),
        (None, "de, en;q=0.2, fr;q=0.9", "fr"),
        (None, "fr;q=0.5, en;q=0.5", "fr"),
        (None, "fr;q=0", "en"),
        (None, "fr;q=nonsense", "en"),
        (None, "fr;q=7, en", "en"),
        (None, "fr;q=nan", "en"),
        (None, "," * 10_000 + "fr", "en"),
        (None, "*", "en"),
    ],
)
def test_the_language_is_the_one_liked_best(asked: str | None, accept: str | None, language: str) -> None:
    assert choose_language(asked, accept) == language


def places_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_say_everything_with_the_same_values(part: str) -> None:
    folder = Path(render.__file__).parent / "words"
    texts = {language: json.loads((folder / f"{part}{language}.json").read_text("utf-8")) for language in LANGUAGES}
    english, french = texts["en"], texts["fr"]
    assert list(english) == list(french)
    for name in english:
        assert places_of(english[name]) == places_of(french[name]), name
        for text in (english[name], french[name]):
            assert text.strip() == text != ""
            # They go into HTML as they are.
            assert not re.search(r"[<>&\"']", text), name
    # French has a no-break space before colons.
    assert not [name for name, text in french.items() if re.search(r"[^\u00a0]:( |$)", text)]


def test_there_are_words_for_all_that_is_said_and_none_for_what_is_not() -> None:
    templates = "".join(each.read_text("utf-8") for each in TEMPLATES.glob("*.html"))
    said = set(re.findall(r'say\("([^"]+)"(?!\s*~)', templates))
    said |= {
        f"{name}.{part}"
        for name in (*TONES, "not_found", "not_ready", "too_many", "unavailable")
        for part in ("title", "text")
    }
    said |= {
        f"fact.{name}"
        for name in ("fieldOfStudy", "specialization", "humanCode", "version", "role", "term", "licenseNumber")
    }
    said |= {"title", "result_of"}
    named = load_words()["en"].names
    assert said | LEDGER_WORDS <= named
    rest = named - said - LEDGER_WORDS
    assert {each.partition(".")[0] for each in rest} == {"kind", "result"}
    assert {each.removeprefix("kind.") for each in rest if each.startswith("kind.")} == set(
        vocabulary("Achievement", "achievementType")
    )
    assert {each.removeprefix("result.") for each in rest if each.startswith("result.")} == set(
        vocabulary("Result", "status")
    )


def test_dates_and_numbers_are_written_as_the_language_does() -> None:
    first, other = datetime(2027, 3, 1, 14, 5, tzinfo=UTC), datetime(2026, 8, 15, 0, 0, tzinfo=UTC)
    assert [format_date(first, each) for each in LANGUAGES] == ["1\xa0March\xa02027", "1er\xa0mars\xa02027"]
    assert format_date(other, "fr") == "15\xa0août\xa02026"
    assert format_moment(first, "en") == "1\xa0March\xa02027, 14:05\xa0UTC"
    assert format_moment(first, "fr") == "1er\xa0mars\xa02027 à 14\xa0h\xa005\xa0UTC"
    assert [format_number(Decimal("1234567.50"), each) for each in LANGUAGES] == [
        "1,234,567.50",
        "1\u202f234\u202f567,50",
    ]
    assert [format_percent(Decimal("87.5"), each) for each in LANGUAGES] == ["87.5%", "87,5\xa0%"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-28T21:05:00Z", datetime(2026, 11, 28, 21, 5, tzinfo=UTC)),
        ("2026-11-28T21:05:00-05:00", datetime(2026, 11, 29, 2, 5, tzinfo=UTC)),
        ("2026-11-28", datetime(2026, 11, 28, tzinfo=UTC)),
        ("yesterday", None),
        ("9999-12-31T23:59:59-23:59", None),
    ],
)
def test_times_of_credentials_are_read(text: str, moment: datetime | None) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize("value", [True, None, "NaN", "Infinity", "1e999", "1e-999", "9" * 31, "x", [], ""])
def test_what_is_no_number_is_shown_as_it_stands(value: object) -> None:
    assert read_decimal(value) is None


def test_numbers_are_read() -> None:
    assert [read_decimal(each) for each in (7, 1.5, " 87.50 ")] == [Decimal(7), Decimal("1.5"), Decimal("87.50")]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?b=c#d",
        "http://example.org",
        "https://example.org:8443/x",
        "https://exämple.org/ü",
        "https://[::1]/",
    ],
)
def test_links_lead_to_places(url: str) -> None:
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.org/",
        "//example.org",
        "/c/x",
        "https:example.org",
        "https://",
        "https:///x",
        "https://good.example@evil.example/",
        "https://evil.example\\good.example/",
        "https://example.org/\u202egnp",
        "https://example.org/ x",
        "https://example.org/<b>",
        "https://example.org:99999/",
        "https://[::1/",
        "https://example.org/" + "a" * 5000,
        "",
    ],
)
def test_nothing_else_becomes_a_link(url: str) -> None:
    assert safe_link(url) is None


def test_text_that_does_something_unseen_is_cleaned() -> None:
    assert clean("a\u202eb\u2066c\x00\x1b[0md\ufeff") == "abc[0md"
    assert clean("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd\te"
    # What writing needs stays: joiners, marks, other scripts, emoji of several people.
    for text in ("می‌خواهم", "ᐊᓇ ᐃᓄᒃ", "क्‍ष", "👩‍👩‍👧", "e\u0301", "\u200fאבג"):
        assert clean(text) == text
    assert [language_tag(each) for each in ("fr-CA", "zh-Hant-TW", "", '"><b>', "x" * 80)] == [
        "fr-CA",
        "zh-Hant-TW",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b*", "<p><strong>a</strong> <em>b</em></p>\n"),
        ("<b onclick=x>a</b>", "<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>\n"),
        ("<script>a</script>", "<p>&lt;script&gt;a&lt;/script&gt;</p>\n"),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
        ("![a <b>](https://e.example/p.png)", "<p>a &lt;b&gt;</p>\n"),
        (
            '[a](https://e.example/?a=1&b=2 "t")',
            '<p><a href="https://e.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow ugc">a</a></p>\n',
        ),
        ("# A\n\n##### B", "<h3>A</h3>\n<h3>B</h3>\n"),
        ("A\n===", "<h3>A</h3>\n"),
        ("", ""),
    ],
)
def test_markdown_is_laid_out_and_does_nothing(text: str, html: str) -> None:
    assert render_markdown(text) == html


def test_what_would_take_long_to_be_laid_out_is_shown_all_the_same() -> None:
    long = "*a* <b>\n" + "word " * (MAX_CHARACTERS // 5)
    assert render_markdown(long).startswith('<p class="plain">*a* &lt;b&gt;\nword')
    for sign in "[", "![", "*a ", "`", "<", "_":
        assert render_markdown(sign * 20_000).startswith('<p class="plain">')
    # Criteria of 40 kB as people write them are laid out.
    criteria = "## Part\n\n* **first**: see [it](https://good.example/)\n* _second_\n\n" * 620
    assert len(criteria) > 40_000
    assert render_markdown(criteria[:40_000]).startswith("<h3>Part</h3>")


def verdict(error: Any, outcome: Outcome) -> Verdict:
    reason = "" if error is None else error.reason
    return Verdict(outcome=outcome, reason=reason, checks=(), error=error)


def test_a_verdict_is_said_as_it_is() -> None:
    said = {
        "valid": verdict(None, Outcome.VALID),
        "revoked": verdict(RevokedError("x"), Outcome.INVALID),
        "expired": verdict(ExpiredError("x"), Outcome.INVALID),
        "invalid": verdict(TamperedError("x"), Outcome.INVALID),
        "pending": verdict(PendingError("x"), Outcome.UNKNOWN),
        "unknown": verdict(NoEvidenceError("x"), Outcome.UNKNOWN),
    }
    for name, each in said.items():
        assert (status_of(each).name, status_of(each).tone) == (name, TONES[name])
    assert status_of(None) is UNKNOWN


def test_a_credential_says_what_it_says() -> None:
    view = view_of(full())
    assert (view.name, view.holder, view.kind) == (
        "Premiers soins en santé mentale",
        "Zoë Tremblay-Gagnon",
        "MicroCredential",
    )
    assert (view.credits, view.results[0].number, view.results[1].status) == (
        Decimal("1.5"),
        Decimal("87.5"),
        "Completed",
    )
    assert view.creator == "Consortium du Nord"
    assert view.image is not None
    level = view_of(rubric()).results[0]
    assert (level.level, level.name) == ("Exemplary", "Level on the ward")
    bare = view_of(minimal())
    assert (bare.holder, bare.issuer.name, bare.image, bare.credits) == ("", "did:web:college.example", None, None)
    assert view_of({}).name == ""


@pytest.mark.parametrize(
    "image", ["https://evil.example/x.png", "data:text/html,<b>", "data:image/png;base64,AAAA", {"id": 7}, 7]
)
def test_only_an_image_that_is_in_the_file_is_shown(image: object) -> None:
    document = minimal()
    document["credentialSubject"]["achievement"]["image"] = image
    assert view_of(document).image is None


def test_linkedin_is_told_what_the_credential_says() -> None:
    html = render.credential_page(shown(full()), "fr")
    found = re.search(r'href="(https://www\.linkedin\.com/[^"]+)"', html)
    assert found
    values = parse_qs(urlsplit(found[1].replace("&amp;", "&")).query)
    assert values["name"] == ["Premiers soins en santé mentale"]
    assert (values["issueYear"], values["issueMonth"]) == (["2026"], ["11"])
    assert (values["expirationYear"], values["expirationMonth"]) == (["2029"], ["11"])
    assert values["certUrl"] == [shown(full()).url]
    assert "Zoë" not in str(values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_never_says_valid_of_what_is_not(language: str) -> None:
    word = load_words()[language].say("valid.title")
    for name in TONES:
        html = render.credential_page(shown(rubric(), name), language)
        assert (f"</span> {word}</h2>" in html) == (name == "valid")
        assert ('class="card status good"' in html) == (name == "valid")
    assert "alert(1)</script>" not in render.credential_page(shown(hostile()), language)
