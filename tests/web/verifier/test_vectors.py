"""Each vector of the specification, judged by the page's core in Chromium and by Python: the same, step by step.

The core is called in the browser with the vectors' own evidence: no node and no file come between.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from anchor.bundle import parse_bundle
from anchor.credential import parse_credential
from anchor.errors import BundleFormatError, MalformedError
from anchor.policy import parse_policy
from anchor.verify import verify
from tests.vectors.reading import data, read
from tests.vectors.test_bundle import evidence_of
from tests.vectors.test_verification import evidence_named, policy_named
from tests.web.stage import ROOT

MALFORMED = "malformed"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The core and what reads vectors, as one script."""
    script = tmp_path_factory.mktemp("core") / "core.js"
    source = ROOT / "page" / "test" / "chromium.ts"
    options = ("--bundle", "--format=iife", "--global-name=judging", "--platform=browser", "--log-level=warning")
    subprocess.run([ROOT / "node_modules" / ".bin" / "esbuild", source, *options, f"--outfile={script}"], check=True)
    return script.read_text("utf-8")


@pytest.fixture
def page(browser: Browser, core: str) -> Page:
    page = browser.new_page()
    page.add_script_tag(content=core)
    return page


def judged(page: Page, function: str, vectors: Any) -> Any:
    """Have the page judge; as text, for megabytes go to and fro as objects slowly."""
    script = f"text => JSON.stringify(judging.{function}(JSON.parse(text)))"
    return json.loads(page.evaluate(script, json.dumps(vectors)))


def test_verdicts(page: Page) -> None:
    vectors = read("verification")
    cases, malformed = vectors["cases"], vectors["malformed"]
    found = judged(page, "judgeCases", vectors)
    page.close()
    names = [each["name"] for each in [*cases, *malformed]]
    by_python = [unless_malformed(case_by_python, each) for each in [*cases, *malformed]]
    assert differing(names, found, by_python) == {}
    assert [each for each in found if each == MALFORMED] == [MALFORMED] * len(malformed)
    outcomes = [(each["outcome"], each["reason"]) for each in cases]
    assert [(each["outcome"], each["reason"]) for each in found[: len(cases)]] == outcomes


def test_bundles(page: Page) -> None:
    vectors = read("bundle")
    valid, invalid = vectors["valid"], vectors["invalid"]
    found = judged(page, "judgeBundles", vectors)
    page.close()
    every = [*valid, *({**valid[0], **each} for each in invalid)]
    by_python = [unless_malformed(bundle_by_python, each) for each in every]
    assert differing([each["name"] for each in every], found, by_python) == {}
    assert found[: len(valid)] == [each["verdicts"] for each in valid]
    assert found[len(valid) :] == [MALFORMED] * len(invalid)


def differing(names: list[str], found: list[Any], expected: list[Any]) -> dict[str, tuple[Any, Any]]:
    """Those on which the two do not agree; none may be left out."""
    rows = zip(names, found, expected, strict=True)
    return {name: (one, other) for name, one, other in rows if one != other}


def unless_malformed(judge: Callable[[dict[str, Any]], Any], case: dict[str, Any]) -> Any:
    try:
        return judge(case)
    except (MalformedError, BundleFormatError):
        return MALFORMED


def case_by_python(case: dict[str, Any]) -> dict[str, Any]:
    credential = parse_credential(data(case["credential"]))
    verdict = verify(credential, evidence_named(case["evidence"]), policy_named(case["policy"]), case["now"])
    checks = [[check.step, check.name, check.status.value, check.reason] for check in verdict.checks]
    return {"outcome": verdict.outcome.value, "reason": verdict.reason, "checks": checks}


def bundle_by_python(case: dict[str, Any]) -> list[dict[str, str]]:
    bundle = parse_bundle(data(case["bundle"]))
    evidence, policy = evidence_of(data(case["bundle"])), parse_policy(json.dumps(case["policy"]).encode())
    verdicts = [verify(each, evidence, policy, case["now"]) for each in bundle.parsed]
    return [{"outcome": verdict.outcome.value, "reason": verdict.reason} for verdict in verdicts]
