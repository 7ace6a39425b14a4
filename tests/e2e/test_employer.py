"""An employer's day, by the program alone: five hundred files of three institutions, of which most are good.

She has two addresses of nodes and a policy that trusts one registry. What she gets is held, file by file, against what
is so: in the table, in each kind of report, from the folder and from an archive, on a receipt, and without network.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anchor.policy import policy_to_text
from tests.ledger.chain import Chain
from tests.ledger.conftest import chain, session_chain
from tests.ledger.proxy import FaultProxy
from tests.support.archives import zip_of
from tests.support.employer import Pile, pile_of
from tests.support.pages import read_page

__all__ = ["chain", "session_chain"]

SECTIONS = {"Not valid": "invalid", "Malformed": "malformed", "Could not be determined": "unknown", "Valid": "valid"}


@dataclass(kw_only=True)
class Employer:
    """A folder on her machine, and the program as installed."""

    folder: Path
    pile: Pile

    def types(self, *arguments: object, exits: int = 0, before: tuple[str, ...] = ()) -> str:
        """Run the program; give what it printed, and require its exit code and that it kept its head."""
        command = [*before, str(Path(sys.executable).with_name("credanchor")), *(str(each) for each in arguments)]
        environment = {**os.environ, "CREDANCHOR_HOME": str(self.folder), "CREDANCHOR_PASSPHRASE": "four words of hers"}
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, env=environment, timeout=300
        )
        assert ended.returncode == exits, ended.stdout[-2000:] + ended.stderr
        assert "Traceback" not in ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture
def employer(chain: Chain, tmp_path: Path) -> Employer:
    pile = pile_of(chain)
    pile.write_to(tmp_path / "pile")
    (tmp_path / "pile.zip").write_bytes(zip_of(sorted(pile.files.items())))
    (tmp_path / "policy.json").write_text(policy_to_text(chain.policy(nodes=(chain.url,))), "utf-8")
    return Employer(folder=tmp_path, pile=pile)


def said_in(content: dict[str, Any], start: str) -> dict[str, tuple[str, str]]:
    """Outcome and reason by file, as the JSON report says them."""
    return {
        each["file"].removeprefix(start): (each["outcome"], each.get("reason", "malformed"))
        for each in content["results"]
    }


def test_table_and_reports_are_right_file_by_file(employer: Employer) -> None:
    pile = employer.pile
    assert len(pile.files) >= 499
    assert set(Counter(reason for _, reason in pile.answers.values())) == {
        *("", "revoked", "suspended", "batchRevoked", "tampered", "notAnchored", "untrustedIssuer"),
        *("untrustedRegistry", "malformed"),
    }
    counts = pile.counts

    # The table: what needs attention comes first, and every file has its line.
    printed = employer.types("verify", "pile", exits=2)
    lines = {name: line for line in printed.splitlines() for name in [*pile.files] if f"  pile/{name} " in f"{line} "}
    heads = {"valid": "✔ VALID ", "invalid": "✘ NOT VALID ", "unknown": "? COULD NOT", "malformed": "✘ MALFORMED "}
    assert lines.keys() == pile.answers.keys()
    wrong = {name for name, (outcome, _) in pile.answers.items() if not lines[name].startswith(heads[outcome])}
    assert not wrong
    assert printed.index("✘ NOT VALID") < printed.index("? COULD NOT") < printed.index("✔ VALID")
    summary = "{valid} valid · {invalid} not valid · {malformed} malformed · {unknown} could not be determined"
    assert summary.format(**counts) in printed
    assert "rests on block" in printed

    # JSON, CSV and HTML agree with it.
    for kind in ("json", "csv", "html"):
        employer.types("verify", "pile", "--out", f"report.{kind}", exits=2)
    content = json.loads((employer.folder / "report.json").read_text("utf-8"))
    assert said_in(content, "pile/") == pile.answers
    assert content["counts"] == counts
    rows = list(csv.DictReader(io.StringIO((employer.folder / "report.csv").read_text("utf-8-sig"))))
    assert {row["file"].removeprefix("pile/"): (row["answer"], row["reason"]) for row in rows} == pile.answers
    page = read_page((employer.folder / "report.html").read_text("utf-8"))
    shown = {
        body.all("th")[0].all("small")[0].text.removeprefix("pile/"): SECTIONS[section.all("h2")[0].text[2:]]
        for section in page.all("section")
        for body in section.all("tbody")
    }
    assert shown == {name: outcome for name, (outcome, _) in pile.answers.items()}

    # The archive says the same.
    content = json.loads(employer.types("verify", "pile.zip", "--json", exits=2))
    assert said_in(content, "pile.zip: ") == pile.answers


def test_exit_codes_follow_the_worst_file(employer: Employer) -> None:
    employer.types("verify", "pile/institute")
    employer.types("verify", "pile/college", exits=1)
    employer.types("verify", "pile/institute", "pile/other/elsewhere.json", exits=3)
    employer.types("verify", "pile/college", "pile/other/elsewhere.json", exits=1)
    # Whose they are: good, and somebody else's; then the right person's.
    printed = employer.types("verify", "pile/institute/0000.json", "--holder", "person.0@example.org", exits=0)
    assert "matches" in printed
    assert "does not match" in employer.types(
        "verify", "pile/institute/0001.json", "--holder", "person.0@example.org", exits=1
    )


def test_two_nodes_a_receipt_and_a_bundle_without_network(employer: Employer, chain: Chain) -> None:
    registry = chain.registry.to_text()
    proxy = FaultProxy(chain.url)
    try:
        # Two addresses of nodes, which must agree.
        trust = ("--trust", registry, "--confirmations", 0, "--max-age", "any")
        nodes = ("--rpc", chain.url, "--rpc", proxy.url)
        content = json.loads(employer.types("verify", "pile", *trust, *nodes, "--json", exits=2))
        assert said_in(content, "pile/") == employer.pile.answers
        (basis,) = content["bases"]
        assert (basis["vouching"], len(basis["vouchedBy"]), basis["nodesAsked"]) == ("kOfN", 2, 2)

        # A receipt says later what was found, to somebody else.
        employer.types("signer", "new", "--out", "signer.pem")
        employer.types("verify", "pile", "--receipt", "receipt.json", "--sign-with", "signer.pem", exits=2)
        employer.types("receipt", "check", "receipt.json", "pile/institute")
        employer.types("receipt", "check", "receipt.json", "pile/college", exits=1)
        later = employer.folder / "later.json"
        later.write_bytes((employer.folder / "pile/institute/0000.json").read_bytes() + b" ")
        employer.types("receipt", "check", "receipt.json", later, exits=1)

        # A bundle verifies where there is no network at all, by a block that she knows.
        employer.types("bundle", "pile/institute", "--out", "institute.bundle.json")
        employer.types("known-blocks", "add", "institute.bundle.json", "--to", "known.json")
        no_network = ("unshare", "--net")
        offline = ("verify", "institute.bundle.json", "--known-blocks", "known.json", "--trust", registry)
        printed = employer.types(*offline, "--max-age", "any", "--confirmations", 0, before=no_network)
        assert "180 valid" in printed
        assert "pinnedHash" in printed
    finally:
        proxy.close()
