"""The verifier page and the program say the same of the same files on a real chain, in JSON and in CSV.

They differ in the words that explain a check to experts, which are not compared.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from tests.cli.conftest import NAMES, Desk
from tests.cli.test_verify import changed, set_status
from tests.ledger.chain import ANCHOR_KEY, DID
from tests.support.employer import ELSEWHERE
from tests.support.issuing import make_batch
from tests.support.page_checking import page_reports

HOLDER = " Zoe@Example.org"
HOSTILE = (
    '=HYPERLINK("https://evil.example","x");+1<script>\x1b[2J\u202e\u200b\u00ad\u2028 a\x1fb\ufeff👩\u200d🏫'
    + "x" * 400
)


@pytest.fixture
def table(desk: Desk) -> Path:
    """A folder with an answer of each kind."""
    chain, folder = desk.chain, desk.folder / "badges"

    def batch(first_index: int, **members: Any) -> list[dict[str, Any]]:
        did = members.pop("did", DID)
        root, documents = make_batch(
            chain.registry, chain.issuer_id, did, NAMES[:2], first_index=first_index, **members
        )
        chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=2))
        return documents

    desk.write("badges/expired.json", batch(300, validUntil="2026-01-02T00:00:00Z")[0])
    desk.write("badges/later.json", batch(302, validFrom="2999-01-01T00:00:00Z")[0])
    desk.write("badges/other-did.json", batch(304, did="did:web:diploma-mill.example")[0])
    his, hers = batch(306, emails=["zoe@example.org", "ana@example.org"])
    desk.write("badges/his.json", his)
    desk.write("badges/hers.json", hers)
    # The second one's issuer writes his name as no spreadsheet should see it.
    desk.write("badges/hostile.json", batch(308, name=HOSTILE, issuer_name=f"@{HOSTILE}")[1])
    _, unanchored = make_batch(chain.registry, chain.issuer_id, DID, NAMES, first_index=310)
    desk.write("badges/not-anchored.json", unanchored[0])
    _, elsewhere = make_batch(ELSEWHERE, 1, DID, ["Ana"])
    desk.write("badges/elsewhere.json", elsewhere[0])
    desk.write("badges/changed.json", changed(desk.files[2], name="Astrophysics"))
    without = {key: value for key, value in unanchored[1].items() if key != "proof"}
    desk.write("badges/without.json", without)
    desk.write("badges/cut-short.json", b'{"type": "VerifiableCredential", ')
    desk.write("badges/known.json", (desk.folder / "policy.json").read_bytes())
    assert desk.run("bundle", *desk.files[2:4], "--out", folder / "bundle.json")[0] == 0
    with ZipFile(folder / "more.zip", "w", ZIP_DEFLATED) as archive:
        archive.write(desk.files[4], "in it/4.json")
        archive.writestr("not one.json", "[]")
    set_status(desk, "revoke", 0)
    set_status(desk, "suspend", 1)
    return folder


def comparable(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out the words for experts, and when it was."""
    results = []
    for each in content["results"]:
        kept = {key: value for key, value in each.items() if key not in ("message", "error", "problem")}
        if "checks" in kept:
            kept["checks"] = [{**check, "detail": ""} for check in kept["checks"]]
        results.append(kept)
    return {**content, "checkedAt": 0, "results": results}


def cells(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return [
        {**row, "why": "" if row["why"] == "" else "something"}
        for row in csv.DictReader(io.StringIO(text[1:], newline=""))
    ]


@pytest.mark.parametrize(
    ("holder", "as_of_block", "changes"),
    [
        (HOLDER, False, {}),
        (None, True, {"max_age_seconds": 3600}),
        (None, False, {"denied_issuers": frozenset({DID})}),
        (None, False, {"confirmations": 1_000}),
    ],
    ids=["holder", "as-of-block", "denied", "not-final"],
)
def test_reports_are_the_same(
    desk: Desk, table: Path, holder: str | None, as_of_block: bool, changes: dict[str, Any]
) -> None:
    policy = desk.write_policy(**changes)
    options = [*(["--holder", holder] if holder else []), *(["--as-of-block"] if as_of_block else [])]
    _, program = desk.run_json("verify", table, *options)
    _, table_out, _ = desk.run("verify", table, *options, "--format", "csv")
    page = page_reports(sorted(table.iterdir()), policy, holder=holder, as_of_block=as_of_block)
    assert comparable(page.content) == comparable(program)
    assert cells(page.csv) == cells(table_out)
    assert len({each.get("reason", "") for each in program["results"]}) > 3
