"""The audit's report in a real Chromium: for everybody (WCAG 2.2 AA, by axe), on phones and paper, asking nobody."""

from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser

from anchor.cli.audit_html import refusal_pieces
from anchor.cli.wording import LANGUAGES, wording_of
from tests.support.audit_reports import EMPTY, EVENTFUL, many, report_of, two_years
from tests.support.browser import Visit, keep_picture, visit


def look(browser: Browser, text: str, **options: Any) -> AbstractContextManager[Visit]:
    return visit(browser, "/report.html", lambda _: {"body": text, "content_type": "text/html"}, **options)


def assert_for_everybody(found: Visit) -> None:
    assert found.violations() == []
    assert found.overflow() <= 0
    assert found.complaints == []
    assert len(found.requests) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [320, 1280])
def test_an_eventful_history_is_for_everybody(browser: Browser, language: str, width: int) -> None:
    with look(browser, report_of(EVENTFUL, language), viewport={"width": width, "height": 900}) as found:
        assert_for_everybody(found)
        # Its plots came through the policy, and have a size.
        sizes = found.page.evaluate("[...document.images].map(each => each.naturalWidth)")
        assert len(sizes) == 4
        assert all(sizes)
        found.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert_for_everybody(found)


def test_words_of_a_table_are_not_cut_into_letters_on_a_phone(browser: Browser) -> None:
    with look(browser, report_of(EVENTFUL, "fr"), viewport={"width": 390, "height": 900}) as found:
        widths = found.page.evaluate("[...document.querySelectorAll('.wide td bdi')].map(each => each.offsetWidth)")
        assert len(widths) > 5
        assert min(widths) >= 160


@pytest.mark.parametrize("calls", [EMPTY, many(60)], ids=["empty", "many-institutions"])
def test_so_are_an_empty_and_a_large_registry(browser: Browser, calls: tuple[object, ...]) -> None:
    with look(browser, report_of(calls), viewport={"width": 600, "height": 900}) as found:  # type: ignore[arg-type]
        assert_for_everybody(found)


def test_so_is_a_history_that_is_not_whole(browser: Browser) -> None:
    pieces = refusal_pieces("eip155:1:0x" + "ab" * 20, "events are missing", ["issuer 1"], 0, wording_of("en"))
    with look(browser, "".join(pieces), viewport={"width": 320, "height": 900}) as found:
        assert_for_everybody(found)


def test_nothing_is_cut_off_on_paper(browser: Browser) -> None:
    with look(browser, report_of(EVENTFUL), viewport={"width": 690, "height": 990}) as found:
        found.page.emulate_media(media="print")
        assert found.overflow() <= 0
        cut = found.page.evaluate(
            "[...document.querySelectorAll('.wide')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
        )
        assert cut == 0
        assert found.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_two_years_of_a_college_are_a_picture_for_its_board(browser: Browser) -> None:
    text = report_of(two_years(), at=1_771_459_200)
    with look(browser, text, viewport={"width": 1000, "height": 1290}) as found:
        assert_for_everybody(found)
        assert found.page.get_by_text("One batch is void for that").is_visible()
        keep_picture(found.page, "audit-report")
