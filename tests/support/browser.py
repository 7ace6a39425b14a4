"""A real Chromium, without network: pages come from the test, and what else they ask for is noted and refused."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

ORIGIN: Final = "https://credentials.college.example"
AXE: Final = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

PICTURES_VARIABLE: Final = "CREDANCHOR_PICTURES"
"""A folder, such as docs/images: the pictures of README and guides are renewed there."""
CHROMIUM_VARIABLE: Final = "CREDANCHOR_CHROMIUM"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""As scripts/setup looks for it."""

Answer = Callable[[str], dict[str, Any]]
"""From a path, what `Route.fulfill` takes."""


def find_chromium() -> str:
    """Tell where Chromium is; fails where there is none, for what is not looked at may be broken."""
    found = os.environ.get(CHROMIUM_VARIABLE) or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise RuntimeError(
            f"there is no Chromium: run scripts/setup, or name one in ${CHROMIUM_VARIABLE} (Debian: apt-get install "
            "chromium; elsewhere, Google Chrome does)"
        )
    return found


@cache
def _playwright() -> Playwright:
    """Start what drives browsers: one in a process, for it refuses a second one beside it."""
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return playwright


@contextmanager
def launch() -> Iterator[Browser]:
    """Run a browser; there may be several at once."""
    # No sandbox: it does not work as root, and nothing is opened but our own pages.
    browser = _playwright().chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
    try:
        yield browser
    finally:
        browser.close()


@dataclass(kw_only=True)
class Visit:
    """One look at one page."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """All that was asked for, the page first."""
    complaints: list[str] = field(default_factory=list)
    """What the browser wrote to its console: what the policy blocked, errors."""

    def violations(self) -> list[str]:
        """Have axe look; give what is wrong, with the places."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)",
            list(WCAG),
        )
        return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]

    def overflow(self) -> int:
        """Tell by how many pixels the page is wider than what is seen of it."""
        width: int = self.page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
        return width


def keep_picture(page: Page, name: str) -> None:
    """Take a picture of what is seen, where that is wanted."""
    folder = os.environ.get(PICTURES_VARIABLE)
    if folder is not None:
        path = Path(__file__).parents[2] / folder
        path.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path / f"{name}.png", animations="disabled", scale="css")


@contextmanager
def visit(browser: Browser, path: str, answer: Answer, **options: Any) -> Iterator[Visit]:
    """Open a page.

    Args:
        browser: From `launch`.
        path: Its path, with query.
        answer: Gives it; and whatever else is asked for there.
        options: Of the browser's context: viewport, colour scheme, locale.
    """
    context = browser.new_context(**options)
    # Where tests run there may be no network, which browsers tell their pages.
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'onLine', {get: () => true})")
    try:
        found = Visit(page=context.new_page())

        def give(route: Route) -> None:
            url = route.request.url
            found.requests.append(url)
            if url.startswith(ORIGIN):
                route.fulfill(**answer(url.removeprefix(ORIGIN)))
            else:
                route.abort()

        found.page.route("**/*", give)
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.goto(ORIGIN + path)
        yield found
    finally:
        context.close()
