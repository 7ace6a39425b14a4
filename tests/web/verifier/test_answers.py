"""One file, one line: every state that a credential can be in, in a real Chromium, against a real chain."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from anchor.bundle import parse_bundle
from anchor.library import verify
from anchor.model import Hash32, KnownBlock, Vouching
from tests.ledger.nodes import forged, of_blocks
from tests.ledger.proxy import FaultProxy
from tests.support.verifier_world import EMAIL, PERSON, RIGHT_TO_LEFT, VerifierWorld
from tests.web.verifier.conftest import Open

HEADLINES = {"valid": "Valid", "invalid": "Not valid", "unknown": "Could not be checked"}
STATES = (
    "valid.json",
    "right-to-left.json",
    "tampered.json",
    "revoked.json",
    "suspended.json",
    "expired.json",
    "not-yet.json",
    "own-tree.json",
    "borrowed.json",
    "elsewhere.json",
    "batch-revoked.json",
    "stolen-key.json",
    "withdrawn-later.json",
    "hostile.json",
)
BAD = {
    "empty.json": (b"", "empty"),
    "cut-short.json": (b'{"type": ["VerifiableCredential"], "issuer', "notJson"),
    "diploma.pdf": (b"%PDF-1.7\n1 0 obj", "pdf"),
    "page.html": (b"<!doctype html><title>Badge</title>", "webPage"),
    "photo.jpg": (b"\xff\xd8\xff\xe0 a photograph", "pictureWithout"),
    "old.json": (b'{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion"}', "openBadge2"),
    "token.txt": (b"eyJhbGciOiJFZERTQSJ9.eyJ2YyI6e319.c2ln", "jwt"),
    "policy.json": (b'{"format": "credanchor/policy@v1", "registries": []}', "isPolicy"),
    "other.json": (b'{"name": "shopping", "items": ["milk"]}', "notCredential"),
    "locked.zip": (b"PK\x03\x04 no archive at all", "badArchive"),
    "doubled.json": (b'{"type": "VerifiableCredential", "type": "VerifiableCredential"}', "notStrictJson"),
    "latin.json": (b'{"name": "Zo\xeb"}', "notText"),
}


def test_the_answers_are_the_programs_check_by_check(visit: Open, world: VerifierWorld) -> None:
    with visit() as found:
        for name in STATES:
            outcome, reason = world.answers[name]
            verdict = verify(world.files[name], world.policy())
            assert (verdict.outcome.value, verdict.reason) == (outcome, reason)
            found.requests.clear()
            headline, words = found.answer_to(name)
            assert headline == HEADLINES[outcome], (name, words)
            (answer,) = found.report()["answers"]
            assert (answer["outcome"], answer["reason"]) == (outcome, reason), name
            assert found.checks() == [check.status.value for check in verdict.checks], name
            assert answer["confirmed"] is all(check.status.value == "passed" for check in verdict.checks[:8]), name
            # The only calls are to the node that is shown.
            assert set(found.requests) <= {f"{world.chain.url}/"}
            assert len(found.requests) <= 3
            if outcome == "valid":
                shown = found.part("ca-answer").get_by_text(world.chain.url).filter(visible=True)
                assert shown.count() >= 1, name
        assert found.complaints == []


def test_each_bad_file_is_told_what_it_is_and_what_to_do(visit: Open) -> None:
    with visit() as found:
        for name, (content, problem) in BAD.items():
            path = found.folder / name
            path.write_bytes(content)
            found.give(path)
            headline, words = found.answer(name)
            (answer,) = found.report()["answers"]
            assert (answer["outcome"], answer["problem"]) == ("malformed", problem), name
            assert headline not in HEADLINES.values()
            # The answer, why, and what to do.
            assert len([line for line in words.splitlines() if line.strip()]) >= 3, words
        assert found.requests == []
        assert found.complaints == []


def test_nothing_that_a_stranger_wrote_runs_or_is_markup(visit: Open, world: VerifierWorld) -> None:
    with visit() as found:
        found.answer_to("hostile.json")
        assert found.part("ca-answer").get_by_text("<img src=x").first.is_visible()
        assert found.page.title() != "1"
        assert found.part("ca-answer img").count() == 0


def test_a_name_from_right_to_left_keeps_to_itself(visit: Open) -> None:
    with visit() as found:
        found.answer_to("right-to-left.json")
        isolated = found.part("ca-answer bdi, ca-answer [dir=auto]").filter(has_text=RIGHT_TO_LEFT)
        assert isolated.count() >= 1
        assert found.violations() == []


@pytest.mark.parametrize(
    ("email", "headline"), [(EMAIL.upper(), "Valid"), ("somebody@example.org", "Valid, but not this person’s")]
)
def test_whose_it_is(visit: Open, email: str, headline: str) -> None:
    with visit() as found:
        found.part("#email").fill(email)
        found.answer_to("valid.json")
        (answer,) = found.report()["answers"]
        assert (answer["holder"] == "matches") is (headline == "Valid")
        assert found.part("ca-answer").get_by_text(PERSON).first.is_visible()
        assert email not in json.dumps(found.report())
        assert not any("example.org" in each for each in found.requests)


def test_of_a_bundle_whose_block_is_known_nobody_is_asked(visit: Open, world: VerifierWorld) -> None:
    content = json.loads(world.files["bundle.json"])
    (proof,) = parse_bundle(world.files["bundle.json"]).proofs
    assert content["format"] == "credanchor/bundle@v1"
    known = frozenset({KnownBlock(chain_id=proof.registry.chain_id, hash=proof.block.hash)})
    with visit(vouching=Vouching.PINNED_HASH, known_blocks=known) as found:
        found.page.context.set_offline(True)
        assert found.answer_to("bundle.json")[0] == "Valid"
        assert found.requests == []
    # Another block is known: nothing vouches for this one.
    other = frozenset({KnownBlock(chain_id=proof.registry.chain_id, hash=Hash32(proof.block.hash[::-1]))})
    with visit(vouching=Vouching.PINNED_HASH, known_blocks=other) as found:
        assert found.answer_to("bundle.json")[0] == "Could not be checked"
        assert found.report()["answers"][0]["reason"] == "unvouchedBlock"


def test_a_bundle_tells_a_node_its_blocks_number_and_no_more(
    visit: Open, world: VerifierWorld, nodes: list[FaultProxy]
) -> None:
    with visit(nodes=(nodes[0].url,)) as found:
        assert found.answer_to("bundle.json")[0] == "Valid"
        assert set(nodes[0].calls) == {"eth_chainId", "eth_getBlockByNumber"}


def test_not_final_yet(visit: Open, world: VerifierWorld) -> None:
    with visit(confirmations=10_000) as found:
        assert found.answer_to("valid.json")[0] == "Could not be checked"
        assert found.report()["answers"][0]["reason"] in {"pending", "noEvidence"}


def test_a_node_that_is_down(visit: Open) -> None:
    with visit(nodes=("http://127.0.0.1:9",)) as found:
        headline, words = found.answer_to("valid.json")
        assert headline == "Could not be checked", words
        assert found.report()["answers"][0]["reason"] == "noEvidence"


def test_offline(visit: Open) -> None:
    with visit() as found:
        found.page.context.set_offline(True)
        assert found.answer_to("valid.json")[0] == "Could not be checked"
        assert found.page.get_by_role("heading", name="You are offline").is_visible()
        assert found.violations() == []


@pytest.mark.parametrize("liar", [0, 1, 2])
def test_one_liar_of_three_changes_nothing(visit: Open, nodes: list[FaultProxy], liar: int) -> None:
    nodes[liar].answer = of_blocks(lambda block: forged(block, extraData="0x66"))
    urls = tuple(node.url for node in nodes)
    with visit(vouching=Vouching.K_OF_N, nodes=urls, agreeing=2) as found:
        assert found.answer_to("valid.json")[0] == "Valid"
        (basis,) = found.report()["bases"]
        assert nodes[liar].url not in basis["vouchedBy"]
        assert len(basis["vouchedBy"]) == 2


def test_a_lying_node_can_only_make_it_unknown(visit: Open, nodes: list[FaultProxy]) -> None:
    def without_revocation(method: str, _params: list[Any], result: Any) -> Any:
        if method != "eth_getProof":
            return result
        entries = [{**each, "value": "0x0", "proof": each["proof"][:1]} for each in result["storageProof"]]
        return {**result, "storageProof": entries}

    nodes[0].answer = without_revocation
    with visit(nodes=(nodes[0].url,)) as found:
        assert found.answer_to("revoked.json")[0] == "Could not be checked"
        assert found.report()["answers"][0]["reason"] in {"badStateProof", "noEvidence"}


def test_a_block_that_is_too_old(visit: Open, world: VerifierWorld) -> None:
    with visit(max_age_seconds=1) as found:
        while time.time() <= world.chain.client.latest_block().header.timestamp + 1:
            found.page.wait_for_timeout(100)
        assert found.answer_to("valid.json")[0] == "Could not be checked"
        assert found.report()["answers"][0]["reason"] == "staleBlock"


def test_an_answer_says_when_it_has_become_old(visit: Open, world: VerifierWorld) -> None:
    # A moment ago there was a new block, so that the answer is good for a while.
    world.chain.mine()
    with visit(max_age_seconds=3600) as found:
        found.page.clock.install()
        found.page.reload()
        assert found.answer_to("valid.json")[0] == "Valid"
        assert found.report()["staleAt"] is not None
        found.page.clock.fast_forward("01:01:00")
        found.part("ca-answer[stale]").wait_for()
        assert found.violations() == []
