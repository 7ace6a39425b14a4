"""What verdicts say where a node lies, or does nothing: which node, which block, and on whose word."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from anchor.cli import checking
from anchor.model import Outcome, Vouching, to_utc
from anchor.policy import policy_to_text
from tests.lies.every_kind import KINDS
from tests.lies.judge import K_OF_N, LAGGING, ONE_NODE, STANDING_BY, Cell
from tests.lies.kinds import Case, Kind
from tests.lies.node import Fault, Lie
from tests.lies.theatre import Theatre
from tests.support.program import Program


def case_of(kind: str | Lie, situation: str, *, position: int = 0) -> Case:
    lie = kind
    made = KINDS[lie] if isinstance(lie, str) else Kind(name="one lie", make=lambda _: lie)
    return Case(kind=made, situation=situation, seed=3, position=position)


def test_invented_chain_is_told_as_the_word_of_one_node(theatre: Theatre) -> None:
    case = case_of("invented: a whole chain", "forged")
    verdict = theatre.verdict(case, ONE_NODE)
    assert verdict.outcome is Outcome.VALID
    assert verdict.basis is not None
    assert (verdict.basis.vouching, verdict.basis.vouched_by) == (Vouching.ONE_NODE, (theatre.nodes[0].url,))
    assert "on the word of one node" in verdict.checks[4].detail
    assert theatre.verdict(case, K_OF_N).reason == "notAnchored"


def test_program_shows_whose_word_an_invented_chain_is(
    theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case, file, policy = case_of("invented: a whole chain", "forged"), tmp_path / "c.json", tmp_path / "policy.json"
    file.write_text(json.dumps(theatre.story.documents["forged"]))
    urls = tuple(node.url for node in theatre.nodes)
    monkeypatch.setattr(checking, "time", SimpleNamespace(time=lambda: theatre.story.now))
    program = Program(capsys=capsys)
    with theatre.lying(case):
        policy.write_text(policy_to_text(theatre.policy(nodes=urls[:1])))
        code, out, _ = program.run("verify", file, "--policy", policy)
        assert (code, f"oneNode: {urls[0]}" in out) == (0, True)
        three = theatre.policy(nodes=urls, vouching=Vouching.K_OF_N, agreeing=2)
        policy.write_text(policy_to_text(three))
        code, out, _ = program.run("verify", file, "--policy", policy)
        assert (code, "NOT VALID" in out) == (1, True)


@pytest.mark.parametrize("fault", Fault)
def test_node_that_does_nothing_is_named_with_what_it_did(theatre: Theatre, fault: Fault) -> None:
    statuses = {Fault.BUSY: 429, Fault.BROKEN: 503, Fault.FORBIDDEN: 403, Fault.ELSEWHERE: 307}
    case = case_of(Lie(fault=fault, status=statuses.get(fault, 200)), "valid")
    # The suite itself looks at the words.
    theatre.play(case)
    assert theatre.verdict(case, ONE_NODE).outcome is Outcome.UNKNOWN
    assert theatre.verdict(case, K_OF_N).outcome is Outcome.VALID
    verdict = theatre.verdict(case, STANDING_BY)
    assert verdict.outcome is Outcome.VALID
    assert verdict.basis is not None
    assert verdict.basis.vouched_by == (theatre.nodes[1].url,)


def test_old_block_is_named_with_its_time(theatre: Theatre) -> None:
    story = theatre.story
    number = story.marks["lately reinstated"]
    old = Lie(ask=lambda _method, params: [hex(number), *params[1:]] if params[:1] == ["latest"] else params)
    verdict = theatre.verdict(case_of(old, "lately reinstated"), ONE_NODE)
    assert verdict.reason == "suspended"
    assert verdict.basis is not None
    assert verdict.basis.block_number == number
    block_at = verdict.basis.block_at
    assert 0 < story.now - block_at < 3600
    assert to_utc(block_at) in verdict.checks[4].detail


def test_final_block_is_found_where_one_node_lags_and_another_hides_it(theatre: Theatre) -> None:
    """Two nodes agree on the newest block, two others only on one below that which is just final: final as well."""
    case = Case(kind=KINDS["block tag: final absent"], situation="valid", seed=12, position=0)
    assert (case.confirmations, case.lag) == (2, 3)
    assert theatre.play(case)[LAGGING] is Cell.RIGHT
