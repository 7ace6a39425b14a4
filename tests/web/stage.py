"""The verifier page's own parts in a real browser, with a checker that says what the test wants, when it wants it."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from tests.support.browser import Visit, visit

ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = ROOT / "page"
_SCRIPT: Final = """
import { CheckingError } from "./src/checking/check.ts";
import { languageOf, speak, Verifier } from "./src/ui/index.ts";

const stage = { requests: [], stopped: 0 };
const checker = {
  check(request, listen) {
    stage.requests.push({ ...request, policy: new TextDecoder().decode(request.policy) });
    stage.event = listen;
    const report = new Promise((resolve, reject) => {
      stage.finish = resolve;
      stage.fail = (trouble) => reject(new CheckingError(trouble, "what happened <b>precisely</b>"));
    });
    return { report, stop: () => { stage.stopped += 1; } };
  },
};
globalThis.stage = stage;
speak(languageOf([new URLSearchParams(location.search).get("lang") ?? "en"]));
document.documentElement.lang = new URLSearchParams(location.search).get("lang") ?? "en";
const verifier = document.querySelector("ca-verifier");
verifier.everywhere = true;
verifier.checker = checker;
verifier.policy = new TextEncoder().encode(document.getElementById("policy").textContent);
"""
POLICY: Final = {
    "format": "credanchor/policy@v1",
    "registries": [
        {
            "registry": "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3",
            "codeHash": "0x" + "ab" * 32,
            "name": "New Brunswick",
        }
    ],
    "vouching": "kOfN",
    "nodes": ["https://one.example/rpc", "https://two.example/rpc", "https://three.example/rpc"],
}


@cache
def _html() -> str:
    found = subprocess.run(
        [
            str(ROOT / "node_modules" / ".bin" / "esbuild"),
            *("--bundle", "--format=iife", "--target=es2022", "--charset=utf8", "--loader=ts", "--sourcefile=stage.ts"),
            *("--external:stream", "--external:string_decoder", "--log-level=error"),
        ],
        input=_SCRIPT,
        capture_output=True,
        text=True,
        check=True,
        cwd=_PAGE,
    )
    script = found.stdout.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    style = (_PAGE / "src" / "page.css").read_text("utf-8")
    rules = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        "require-trusted-types-for 'script'; trusted-types lit-html"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Check a credential</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{rules}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{style}</style></head><body>'
        f'<script type="application/json" id="policy">{json.dumps(POLICY)}</script>'
        f"<ca-verifier></ca-verifier><script>{script}</script></body></html>"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@contextmanager
def on_stage(browser: Browser, path: str = "/verify", **options: Any) -> Iterator[Visit]:
    """Open the page with the test's checker; `stage` in it tells what was asked, and takes what is to be answered."""
    body = {"status": 200, "content_type": "text/html; charset=utf-8", "body": _html()}
    with visit(browser, path, lambda _: body, **options) as found:
        yield found


def give_text(page: Page, text: str) -> None:
    """Give a credential as pasted text, as a user does."""
    page.get_by_role("button", name="Paste text or a link").click()
    page.get_by_label("Text of a credential, or its link").fill(text)
    page.get_by_role("button", name="Check this").click()


def finish(page: Page, report: dict[str, Any]) -> None:
    """End the checking with a report."""
    page.evaluate("report => stage.finish(report)", report)


STEPS: Final = (
    "wellFormed",
    "statusEntries",
    "inclusion",
    "registryTrusted",
    "block",
    "anchored",
    "key",
    "issuer",
    "batchNotRevoked",
    "notRevoked",
    "notSuspended",
    "dates",
    "otherProofs",
)
BASIS: Final = {
    "registry": POLICY["registries"][0]["registry"],  # type: ignore[index]
    "registryName": "New Brunswick",
    "blockNumber": 21_034_567,
    "blockHash": "0x" + "c4" * 32,
    "blockAt": 1_795_900_000,
    "vouching": "kOfN",
    "vouchedBy": ["one.example", "two.example"],
    "nodesAsked": 3,
}


def checks(failed: dict[str, str] | None = None, unknown: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Give thirteen checks: all passed but for those named, with their reasons."""
    found = []
    for step, name in enumerate(STEPS, 1):
        status, reason = "passed", ""
        if name in (failed or {}):
            status, reason = "failed", (failed or {})[name]
        elif name in (unknown or {}):
            status, reason = "unknown", (unknown or {})[name]
        elif name == "otherProofs":
            status = "notApplicable"
        found.append({"step": step, "name": name, "status": status, "reason": reason, "detail": f"detail of {name}"})
    return found


def answer(**changes: Any) -> dict[str, Any]:
    """Give an answer of a valid credential, changed."""
    facts = {
        "credentialId": "urn:uuid:0b9c5a1e-0000-4000-8000-000000000001",
        "name": "Welding: Shielded Metal Arc, Level 1",
        "holderName": "Zoé Tremblay",
        "issuerDid": "did:web:college.example",
        "issuerName": "Harbour Community College",
        "issuerUrl": "https://college.example/credentials",
        "issuerEmail": "registrar@college.example",
        "validFrom": 1_780_000_000,
        "validUntil": 1_890_000_000,
        "anchoredAt": 1_780_000_900,
        "keyCompromisedAt": None,
        "anchor": None,
    }
    found: dict[str, Any] = {
        "number": 0,
        "source": {"path": "zoe-welding.json", "member": None, "address": None},
        "outcome": "valid",
        "reason": "",
        "problem": None,
        "message": "",
        "holder": None,
        "confirmed": True,
        "facts": {**facts, **changes.pop("facts", {})},
        "basis": BASIS,
        "raw": None,
        "checks": checks(),
        "contacted": [],
    }
    return {**found, **changes}


def problem(name: str, **changes: Any) -> dict[str, Any]:
    """Give an answer about what is no credential."""
    nothing = {"outcome": "malformed", "reason": "malformed", "confirmed": False, "basis": None, "checks": []}
    return {**answer(), **nothing, "facts": None, "problem": name, "message": "what is wrong, precisely", **changes}


def report(*answers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give a report of answers."""
    found = {
        "checkedAt": 1_795_900_012,
        "asOfBlock": False,
        "asksHolder": False,
        "answers": list(answers),
        "bases": [BASIS],
        "otherFiles": [],
        "contacted": [],
        "staleAt": None,
        "stopped": False,
    }
    return {**found, **changes}
