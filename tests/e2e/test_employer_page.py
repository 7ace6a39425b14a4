"""An employer's day, by the page alone: one file on her phone; then the whole pile at her desk, and a table to keep.

The page lies on her disk, with the policy of somebody whom she trusts. What it says is held against what is so.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import Browser, Page

from registry.web.verifier import verifier_page
from tests.ledger.chain import Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.archives import zip_of
from tests.support.employer import pile_of
from tests.web.conftest import browser

__all__ = ["browser", "chain", "session_chain"]

HEADLINES = {"valid": "Valid", "invalid": "Not valid", "unknown": "Could not be checked", "malformed": "Not readable"}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
ALL_ANSWERED = "() => document.querySelector('ca-verifier').state.kind === 'answered'"


def open_page(browser: Browser, file: Path, size: dict[str, int]) -> tuple[Page, list[str]]:
    """Open it; give it, and what it asks for beside itself."""
    asked: list[str] = []
    context = browser.new_context(locale="en-CA", viewport={"width": size["width"], "height": size["height"]})
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(file.as_uri())
    asked.clear()
    return page, asked


def test_an_employer_trusts_what_the_page_says(browser: Browser, chain: Chain, tmp_path: Path) -> None:
    pile = pile_of(chain)
    file = tmp_path / "verify.html"
    file.write_bytes(verifier_page(chain.policy(nodes=(chain.url,))).html)

    # On her phone: one of each kind; she reads one line.
    page, asked = open_page(browser, file, PHONE)
    first = {answer: name for name, answer in reversed(pile.answers.items())}
    for number, ((outcome, _), name) in enumerate(first.items()):
        given = tmp_path / f"{number}{Path(name).suffix}"
        given.write_bytes(pile.files[name])
        page.locator("#files").set_input_files(given)
        page.wait_for_function(
            "path => { const { state } = document.querySelector('ca-verifier');"
            " return state.kind === 'answered' && state.report.answers[0].source.path === path; }",
            arg=given.name,
        )
        headline = page.locator("ca-answer #headline")
        headline.wait_for()
        assert headline.inner_text() == HEADLINES[outcome], name
    page.context.close()
    assert {each.rstrip("/") for each in asked if not each.startswith("blob:")} == {chain.url}

    # At her desk: all of them, in an archive. She keeps the table.
    archive = tmp_path / "pile.zip"
    archive.write_bytes(zip_of(sorted(pile.files.items())))
    page, asked = open_page(browser, file, DESK)
    page.locator("#files").set_input_files(archive)
    page.wait_for_function(ALL_ANSWERED)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").first.click()
    kept = tmp_path / "kept.csv"
    download.value.save_as(kept)
    page.context.close()
    rows = list(csv.DictReader(io.StringIO(kept.read_text("utf-8-sig"))))
    said = {row["file"].removeprefix("pile.zip: "): (row["answer"], row["reason"]) for row in rows}
    assert said == pile.answers
    assert {each.rstrip("/") for each in asked if not each.startswith("blob:")} == {chain.url}
