"""Learners' pages in a real Chromium: for everybody (WCAG 2.2 AA, by axe), on phones, in print, and asking nobody."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

from registry.web.render import content_security_policy, credential_page, message_page
from tests.support.browser import ORIGIN, Visit, visit
from tests.support.shown import ADDRESS, DOCUMENTS, TONES, rubric, shown

PATH = f"/c/{ADDRESS}"
MESSAGES = ("not_found", "not_ready", "too_many", "unavailable")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = [(width, scheme) for width in (320, 1280) for scheme in SCHEMES]
DOUBLE = "document.documentElement.style.fontSize = '200%'"
FOCUSED = """() => {
    const element = document.activeElement, style = getComputedStyle(element);
    return [element.tagName, parseFloat(style.outlineWidth), style.outlineStyle];
}"""


def html_of(kind: str, language: str) -> str:
    if kind in MESSAGES:
        return message_page(kind, language)
    if kind in DOCUMENTS:
        return credential_page(shown(DOCUMENTS[kind]()), language)
    return credential_page(shown(rubric(), kind, is_replaced=True, verifier_url=""), language)


@contextmanager
def look(browser: Browser, kind: str, language: str, width: int, scheme: str, **options: Any) -> Iterator[Visit]:
    html = html_of(kind, language)
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": content_security_policy()}
    size: Any = {"width": width, "height": 800}
    with visit(
        browser, PATH, lambda _: {"body": html, "headers": headers}, viewport=size, color_scheme=scheme, **options
    ) as found:
        yield found


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", [*DOCUMENTS, MESSAGES[0]])
def test_everybody_can_use_every_page_at_every_width(browser: Browser, kind: str, language: str) -> None:
    with look(browser, kind, language, 320, "light") as found:
        for width, scheme in LOOKS:
            found.page.emulate_media(color_scheme=scheme)
            found.page.set_viewport_size({"width": width, "height": 800})
            assert found.violations() == [], (width, scheme)
            assert found.overflow() == 0, (width, scheme)
        for width in (1280, 320):
            found.page.set_viewport_size({"width": width, "height": 800})
            found.page.evaluate(DOUBLE)
            assert found.overflow() == 0, width
        # Nothing but the page itself: no picture, style, script or font from anywhere.
        assert found.requests == [ORIGIN + PATH]
        assert found.complaints == []


@pytest.mark.parametrize("name", MESSAGES[1:])
def test_everybody_can_read_what_is_in_the_way(browser: Browser, name: str) -> None:
    with look(browser, name, "fr", 320, "dark") as found:
        assert found.violations() == []
        assert found.overflow() == 0


def test_axe_and_the_ruler_find_what_is_wrong(browser: Browser) -> None:
    """Else the tests above would say nothing."""
    with look(browser, "rubric", "en", 320, "light") as found:
        found.page.evaluate(
            """() => {
                document.documentElement.lang = '';
                document.querySelector('.by').style.color = '#ccc';
                document.querySelector('.languages a').style.cssText = 'min-height: 0; padding: 0; font-size: 6px';
                document.querySelector('.emblem').removeAttribute('alt');
                document.querySelector('h1').style.width = '400px';
            }"""
        )
        wrong = {each.partition(":")[0] for each in found.violations()}
        assert wrong >= {"html-has-lang", "color-contrast", "image-alt"}
        assert found.overflow() > 0


@pytest.mark.parametrize(("name", "language"), list(zip(TONES, itertools.cycle(("en", "fr")), strict=False)))
def test_everybody_can_tell_how_a_credential_stands(browser: Browser, name: str, language: str) -> None:
    with look(browser, name, language, 320, "light") as found:
        for scheme in SCHEMES:
            found.page.emulate_media(color_scheme=scheme)
            assert found.violations() == [], scheme
        assert found.overflow() == 0


def test_whoever_uses_the_keyboard_sees_where_he_is_and_gets_everywhere(browser: Browser) -> None:
    with look(browser, "full", "en", 320, "light") as found:
        # What is folded up is reached when it is opened.
        links = found.page.locator("a, summary").locator("visible=true").count()
        reached = []
        for _ in range(links):
            found.page.keyboard.press("Tab")
            tag, width, style = found.page.evaluate(FOCUSED)
            reached.append(tag)
            assert width >= 2, tag
            assert style != "none", tag
        assert sorted(set(reached)) == ["A", "SUMMARY"]
        assert len(reached) == links
        found.page.keyboard.press("Tab")
        assert found.page.evaluate(FOCUSED)[0] == "BODY"


def test_the_page_prints_without_what_is_for_the_screen_alone(browser: Browser) -> None:
    with look(browser, "full", "fr", 1280, "dark") as found:
        found.page.emulate_media(media="print")
        assert found.page.locator(".languages, .actions, .holder-note").locator("visible=true").count() == 0
        assert found.page.locator(".address").inner_text() == ORIGIN + PATH
        assert found.page.locator("h1").is_visible()
        pdf = found.page.pdf(format="Letter")
        assert pdf.startswith(b"%PDF-")


def test_a_strangers_text_stays_text(browser: Browser) -> None:
    with look(browser, "hostile", "en", 1280, "light") as found:
        page = found.page
        assert page.locator("script, iframe, object, embed, form, [onload], [onerror]").count() == 0
        assert page.locator("img").count() == 1
        schemes = page.evaluate("[...new Set([...document.links].map(link => new URL(link.href).protocol))]")
        assert schemes == ["https:"]
        strangers = page.locator("article a[rel~=ugc]").evaluate_all(
            "links => links.map(link => [link.href, link.rel])"
        )
        assert len(strangers) == 3  # of some ten that were tried
        assert {rel for _, rel in strangers} == {"noopener noreferrer nofollow ugc"}
        assert page.title().startswith("<script>alert(1)</script>")
        assert "49" not in page.locator("article").inner_text()
        # What follows a name that wanted to turn the direction still runs its own way.
        assert page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.outerHTML)") is False


def test_policy_of_the_page_lets_nothing_else_happen(browser: Browser) -> None:
    with look(browser, "full", "en", 1280, "light") as found:
        found.page.evaluate(
            """async () => {
                const add = (tag, values) => document.body.append(Object.assign(document.createElement(tag), values));
                add('script', {textContent: 'window.ran = true'});
                add('img', {src: 'https://evil.example/x.png'});
                add('style', {textContent: 'body {background: url(https://evil.example/y.png)}'});
                await fetch('https://evil.example/z').catch(() => null);
            }"""
        )
        assert found.page.evaluate("window.ran") is None
        assert found.requests == [ORIGIN + PATH]
        assert len(found.complaints) >= 4
