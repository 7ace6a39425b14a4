"""The verifier page's worker in a real Chromium, from a disk: stopped, crashed, and what its answers are meanwhile."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from anchor.model import parse_hex

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "registry" / "web" / "verifier.html"
COUNT: Final = 300

START: Final = """
({bundle, policy, count}) => {
  const bytes = Uint8Array.from(atob(bundle), (letter) => letter.charCodeAt(0));
  const file = new Blob([bytes]);
  const inputs = Array.from({length: count}, (_, number) => ({kind: "file", file, path: `${number}`}));
  const request = {inputs, policy: new TextEncoder().encode(policy), holderEmail: null, asOfBlock: true};
  window.heard = [];
  window.checking = document.querySelector("ca-verifier").checker.check(request, (event) => {
    window.heard.push(event.kind);
    if (event.kind === window.stopAt) window.checking.stop();
  });
  window.outcome = window.checking.report.then(
    ({answers, stopped, bases}) => ({
      paths: answers.map(({source}) => source.path),
      outcomes: [...new Set(answers.map(({outcome}) => outcome))],
      stopped,
      blocks: bases.length,
    }),
    ({name, trouble, message}) => ({name, trouble, message}),
  );
}
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(PAGE.as_uri())
        page.locator("ca-verifier main").wait_for()
        yield page
    finally:
        context.close()


def start(page: Page, count: int) -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "bundle.json").read_text("utf-8"))["valid"]
    (vector,) = (each for each in vectors if each["name"] == "one-credential")
    bundle = base64.b64encode(parse_hex(vector["bundle"])).decode()
    page.evaluate(START, {"bundle": bundle, "policy": json.dumps(vector["policy"]), "count": count})


def outcome(page: Page) -> dict[str, Any]:
    said: dict[str, Any] = page.evaluate("window.outcome")
    return said


def test_all_are_answered_in_order_and_nothing_is_asked(page: Page) -> None:
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    start(page, COUNT)
    said = outcome(page)
    assert said["paths"] == [str(number) for number in range(COUNT)]
    assert (said["outcomes"], said["stopped"], said["blocks"]) == (["valid"], False, 1)
    assert page.evaluate("window.heard.filter((kind) => kind === 'answers').length") > 1
    # The worker's own script, which is in the page.
    assert [each.partition(":")[0] for each in requests] in ([], ["blob"])


def test_what_was_answered_stays_when_it_is_stopped(page: Page) -> None:
    page.evaluate("window.stopAt = 'answers'")
    start(page, COUNT)
    said = outcome(page)
    assert 0 < len(said["paths"]) < COUNT
    assert (said["outcomes"], said["stopped"], said["blocks"]) == (["valid"], True, 1)
    page.evaluate("window.stopAt = ''")
    start(page, 1)
    assert (outcome(page)["paths"], outcome(page)["stopped"]) == (["0"], False)


def test_a_crash_is_said_and_the_next_checking_works(page: Page) -> None:
    with page.expect_worker() as worker:
        start(page, 1)
    outcome(page)
    start(page, 10_000)
    worker.value.evaluate("() => { setTimeout(() => { throw new Error('out of order'); }, 0); }")
    said = outcome(page)
    assert (said["name"], said["trouble"]) == ("CheckingError", "crashed")
    assert "out of order" in said["message"]
    start(page, 1)
    assert outcome(page)["outcomes"] == ["valid"]
