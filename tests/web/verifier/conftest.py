"""The verifier page, a real chain, and files with the right answers; every request that the page makes is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from anchor.ledger.testnet import Testnet
from tests.ledger.chain import Chain
from tests.ledger.proxy import FaultProxy
from tests.support.browser import AXE, WCAG
from tests.support.verifier_world import VerifierWorld, build_world

CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VerifierWorld]:
    testnet = Testnet(tmp_path_factory.mktemp("testnet"))
    chain = Chain(url=testnet.up(port=0).url)
    try:
        chain.set_up()
        yield build_world(chain)
    finally:
        testnet.down()


@dataclass(kw_only=True)
class Visit:
    """Somebody with the page open, and files beside it."""

    page: Page
    folder: Path
    world: VerifierWorld
    requests: list[str] = field(default_factory=list)
    """Everything but the page itself and what it makes of its own (blob:)."""
    complaints: list[str] = field(default_factory=list)
    """What the browser wrote to its console, and errors that nobody caught."""

    def file(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            path.write_bytes(self.world.files[name])
        return path

    def give(self, *paths: Path) -> None:
        """Choose files."""
        self.page.locator("#files").set_input_files([str(path) for path in paths])

    def answer(self, name: str) -> tuple[str, str]:
        """Wait for the one answer, to this file: its headline, and all that stands with it."""
        self.page.wait_for_function(
            """name => {
                const { state } = document.querySelector('ca-verifier');
                return state.kind === 'answered' && state.report.answers[0].source.path === name;
            }""",
            arg=name,
            timeout=PATIENCE_MS,
        )
        headline = self.page.locator("ca-answer .headline")
        headline.wait_for(timeout=PATIENCE_MS)
        return headline.locator("h2").inner_text(), headline.inner_text()

    def answer_to(self, name: str) -> tuple[str, str]:
        self.give(self.file(name))
        return self.answer(name)

    def checks(self) -> list[str]:
        """How the thirteen checks came out, in order."""
        statuses: list[str] = self.page.evaluate(
            "document.querySelector('ca-verifier').state.report.answers[0].checks.map(({status}) => status)"
        )
        return statuses

    def report(self) -> Any:
        """The report as the page has it."""
        return self.page.evaluate("document.querySelector('ca-verifier').state.report")

    def violations(self) -> list[str]:
        """Have axe look; give what is wrong, with the places."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)",
            list(WCAG),
        )
        return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]

    def part(self, selector: str) -> Locator:
        return self.page.locator(selector)


Open = Callable[..., Any]


@pytest.fixture
def visit(browser: Browser, world: VerifierWorld, tmp_path: Path) -> Open:
    """Open the page from the disk, with a policy."""

    @contextmanager
    def open_page(
        query: str = "", *, options: dict[str, Any] | None = None, url: str = "", **policy: Any
    ) -> Iterator[Visit]:
        path = tmp_path / "verify.html"
        path.write_bytes(world.page(**policy))
        context = browser.new_context(**{"locale": "en-CA", **(options or {})})
        try:
            found = Visit(page=context.new_page(), folder=tmp_path, world=world)
            found.page.set_default_timeout(PATIENCE_MS)
            address = url or path.as_uri()

            def note(request: Any) -> None:
                if not request.url.startswith((address, "blob:")):
                    found.requests.append(request.url)

            # From pages as from workers.
            context.on("request", note)
            found.page.on("console", lambda message: found.complaints.append(message.text))
            found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
            found.page.goto(address + query)
            yield found
        finally:
            context.close()

    return open_page


@pytest.fixture
def nodes(world: VerifierWorld) -> Iterator[list[FaultProxy]]:
    """Three addresses of the ledger, each of which may misbehave."""
    proxies = [FaultProxy(world.chain.url) for _ in range(3)]
    for proxy in proxies:
        proxy.headers = dict(CORS)
    try:
        yield proxies
    finally:
        for proxy in proxies:
            proxy.close()
