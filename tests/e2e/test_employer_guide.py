"""docs/guides/checking-many.md, typed from top to bottom as it stands, with nodes and hosts of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchor.ledger import fetching
from anchor.ledger.abi import runtime_code_hash
from anchor.model import to_hex
from anchor.policy import parse_policy
from tests.ledger.chain import Chain
from tests.ledger.conftest import chain, session_chain
from tests.ledger.proxy import FaultProxy
from tests.support.archives import zip_of
from tests.support.employer import pile_of
from tests.support.guides import Reader, block_of, read_guide, sit_at_a_terminal, steps
from tests.support.host import DocumentHost

__all__ = ["chain", "session_chain"]

GUIDE = read_guide("checking-many.md")
CHECKS_ALL = "credanchor verify downloads --policy policy.json"


@pytest.fixture
def recruiter(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    sit_at_a_terminal(monkeypatch)
    # The host of the links is this machine; the page is about one elsewhere.
    monkeypatch.setattr(fetching, "_is_inside", lambda _host: False)
    pile = pile_of(chain)
    pile.write_to(tmp_path / "downloads")
    (tmp_path / "downloads.zip").write_bytes(zip_of(sorted(pile.files.items())))
    proxy = FaultProxy(chain.url)
    names = ("0040.json", "0041.json")
    with DocumentHost(documents={f"/badges/{name}": pile.files[f"college/{name}"] for name in names}) as host:
        links = block_of(GUIDE, "csv").replace("https://college.example", host.url(""))
        (tmp_path / "links.csv").write_text(links, "utf-8")
        policy = (
            block_of(GUIDE, "json")
            .replace("eip155:11155111:", f"eip155:{chain.chain_id}:")
            .replace("https://node-a.example", chain.url)
            .replace("https://node-b.example", proxy.url)
        )
        # A chain that stands still is final at once, and its blocks are never too old.
        content = json.loads(policy) | {"confirmations": 0, "maxAgeSeconds": None}
        assert parse_policy(json.dumps(content).encode()).registries[0].registry == chain.registry
        (tmp_path / "policy.json").write_text(json.dumps(content), "utf-8")
        yield Reader(place=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    proxy.close()


def test_the_guide_shows_what_is_printed(recruiter: Reader) -> None:
    recruiter.exits = {
        CHECKS_ALL: [2],
        f"{CHECKS_ALL} --out report.html": [2],
        f"{CHECKS_ALL} --out report.csv": [2],
        f"{CHECKS_ALL} --receipt receipt.json --sign-with signer.pem": [2],
        "credanchor verify downloads/institute/0001.json --policy policy.json --holder person.0@example.org": [1],
        "credanchor verify downloads.zip --policy policy.json": [2],
    }
    for step in steps(GUIDE):
        recruiter.follow(recruiter.place, step)
    assert not any(recruiter.exits.values())
    assert f'"codeHash": "{to_hex(runtime_code_hash())}"' in GUIDE
    assert "<h1>Verification of 499 credentials</h1>" in (recruiter.place / "report.html").read_text("utf-8")
