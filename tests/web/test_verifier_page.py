"""The verifier page as it is given out, in a real Chromium: from the service, from any web server, and from a disk."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from anchor.policy import parse_policy
from registry.api.app import create_app
from registry.api_wiring import load_service
from registry.web.verifier import verifier_page
from tests.api.conftest import nobody, write_home
from tests.ledger.chain import ANCHOR_KEY, DID, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.host import DocumentHost
from tests.support.issuing import make_batch
from tests.support.serving import serving

__all__ = ["chain", "session_chain"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "registry" / "web" / "verifier.html"
MOST_BYTES = 300_000


@contextmanager
def opened(kind: str, home: Path) -> Iterator[str]:
    """Give the page's address, as one of those who give it out would."""
    html = verifier_page(parse_policy((home / "policy.json").read_bytes())).html
    if kind == "service":
        with serving(create_app(load_service(home, nobody))) as url:
            yield f"{url}/verify"
    elif kind == "server":
        with DocumentHost(documents={"/some/where/check.html": html}) as host:
            host.headers["/some/where/check.html"] = {"Content-Type": "text/html"}
            yield host.url("/some/where/check.html")
    else:
        file = home / "a file.html"
        file.write_bytes(html)
        yield file.as_uri()


def drop(page: Page, document: object) -> None:
    content = json.dumps(document).encode()
    page.locator("#files").set_input_files({"name": "badge.json", "mimeType": "application/json", "buffer": content})


@pytest.mark.parametrize("kind", ["service", "server", "disk"])
def test_it_checks_a_credential_wherever_it_comes_from(
    browser: Browser, chain: Chain, tmp_path: Path, kind: str
) -> None:
    root, (document, *_) = make_batch(chain.registry, chain.issuer_id, DID, ["Zoë Tremblay", "Ana"])
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=2))
    asked: list[str] = []
    complaints: list[str] = []
    context = browser.new_context(locale="en-CA")
    try:
        with opened(kind, write_home(tmp_path / "home", chain)) as url:
            page = context.new_page()
            context.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(url)
            drop(page, document)
            page.get_by_role("heading", name="Valid", exact=True).wait_for()
            drop(page, {**document, "name": "Astrophysics"})
            page.get_by_role("heading", name="Not valid", exact=True).wait_for()
    finally:
        context.close()
    assert complaints == []
    # The page, the worker's script, which is in it, and the node that the policy names.
    others = {each for each in asked if each != url and not each.startswith("blob:")}
    assert {each.rstrip("/") for each in others} == {chain.url}


def test_nothing_runs_but_its_own_script(browser: Browser) -> None:
    """What would come into the page by a hole in it, its policy keeps from running and from telling anybody."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(PAGE.as_uri())
        page.locator("ca-verifier main").wait_for()
        # Not by `evaluate` alone, which no policy binds: what it puts into the page is bound.
        ran = page.evaluate(
            """() => {
                const script = document.createElement("script");
                try { script.textContent = "window.ran = true"; } catch { return "refused"; }
                document.body.append(script);
                return window.ran ?? false;
            }"""
        )
        assert ran == "refused"
        image = "() => { document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/x.png'})); }"
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            page.evaluate(image)
    finally:
        context.close()


def test_it_is_small_and_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    files = (tmp_path / "one" / "a.html", tmp_path / "two" / "b.html")
    printed = [
        subprocess.run([ROOT / "scripts" / "build-page", each], capture_output=True, text=True, check=True)
        for each in files
    ]
    one, two = (each.read_bytes() for each in files)
    assert one == two == PAGE.read_bytes()
    (size,) = re.findall(r", ([\d.]+) kB gzipped$", printed[0].stdout)
    assert float(size) * 1000 < MOST_BYTES
    assert str(ROOT).encode() not in one
