"""Somebody at the verifier page, in a real Chromium: gives it files, reads what it says; every request is noted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import Visit

ROOT: Final = Path(__file__).parents[2]
WORDS: Final = ROOT / "page" / "src" / "ui" / "words"
DESK: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
PATIENCE_MS: Final = 60_000
"""Of a test, for machines with much to do; nothing is expected to take so long."""

_NOTE: Final = "() => { window.before = document.querySelector('ca-verifier').state; }"
_DONE: Final = """() => {
    const { state } = document.querySelector("ca-verifier");
    return state !== window.before && (state.kind === "answered" || state.kind === "trouble");
}"""
_REPORT: Final = "() => { const { state } = document.querySelector('ca-verifier'); return state.report ?? null; }"


@cache
def words(language: str = "en") -> dict[str, str]:
    """What the page says, by key."""
    found: dict[str, str] = {}
    for name in (f"{language}.json", f"many.{language}.json"):
        found |= json.loads((WORDS / name).read_text("utf-8"))
    return found


@dataclass(kw_only=True)
class Visitor(Visit):
    """One person with the page before her."""

    context: BrowserContext
    url: str
    asked: list[str] = field(default_factory=list)
    """Requests since the page was there."""

    def give(self, files: Mapping[str, bytes]) -> None:
        """Choose files; wait until the page has its answers."""
        self.page.evaluate(_NOTE)
        self.page.locator("#files").set_input_files(
            [{"name": name, "mimeType": "", "buffer": data} for name, data in files.items()]
        )
        self.wait()

    def give_from(self, file: Path) -> None:
        """Choose a file that lies on the disk: large ones are not carried through the test."""
        self.page.evaluate(_NOTE)
        self.page.locator("#files").set_input_files(file)
        self.wait()

    def paste(self, text: str) -> None:
        """Type text or a link, and have it checked."""
        self.page.evaluate(_NOTE)
        if not self.page.locator("#text").is_visible():
            self.page.get_by_role("button", name=words()["input.text.open"]).click()
        self.page.locator("#text").fill(text)
        self.page.get_by_role("button", name=words()["input.text.check"]).click()
        self.wait()

    def expect_another(self) -> None:
        """Note what is shown now, so that `wait` waits for something else."""
        self.page.evaluate(_NOTE)

    def wait(self) -> None:
        """Wait until the page has answered."""
        self.page.wait_for_function(_DONE, timeout=PATIENCE_MS)

    def report(self) -> dict[str, Any]:
        """What the page found, as its own table and files have it."""
        found: dict[str, Any] = self.page.evaluate(_REPORT)
        return found

    @property
    def answer(self) -> dict[str, Any]:
        """The only answer."""
        (found,) = self.report()["answers"]
        return dict(found)

    def headline(self) -> str:
        return self.page.locator("ca-answer #headline").inner_text()

    def why(self) -> str:
        return self.page.locator("ca-answer .headline .why").inner_text()

    def advice(self) -> str:
        return self.page.locator("ca-answer .headline .why + p").inner_text()

    def others_asked(self) -> set[str]:
        """Whom the page has asked, beside what it is made of; without paths."""
        own = ("blob:", "data:")
        return {
            "/".join(each.split("/")[:3])
            for each in self.asked
            if not each.startswith(own) and each.split("#")[0] != self.url
        }


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """Open the page; at the end, hold that it has not complained.

    Args:
        browser: From `launch`.
        url: Where the page is.
        options: Of the browser's context: viewport, locale, colour scheme.
    """
    context = browser.new_context(**{"locale": "en-CA", "viewport": DESK, **options})
    try:
        page: Page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(page=page, context=context, url=url)
        context.on("request", lambda request: visitor.asked.append(request.url))
        page.on("console", lambda message: visitor.complaints.append(message.text))
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.goto(url)
        page.locator("ca-verifier main").wait_for()
        yield visitor
    finally:
        context.close()
