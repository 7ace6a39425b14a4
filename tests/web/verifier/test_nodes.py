"""Nodes that are down, that lie, that are behind: the page is never wrong, and where it is at a loss, it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from anchor.bundle import parse_bundle
from anchor.model import KnownBlock, Vouching
from tests.ledger.proxy import Fault, FaultProxy, answering
from tests.support.verifier_world import VerifierWorld
from tests.support.visitor import Visitor, opened, words

NodeMaker = Callable[[], FaultProxy]
ELSEWHERE = "0x" + "5a" * 32


@contextmanager
def page_with(browser: Browser, world: VerifierWorld, folder: Path, **policy: Any) -> Iterator[Visitor]:
    """The page from a disk, with a policy of its own."""
    file = folder / "check.html"
    file.write_bytes(world.page(**policy))
    with opened(browser, file.as_uri()) as visitor:
        yield visitor


def test_node_down_is_unknown_and_checked_again_when_it_is_back(
    browser: Browser, world: VerifierWorld, proxies: NodeMaker, tmp_path: Path
) -> None:
    said, node = words(), proxies()
    node.rule = lambda _method, _count: Fault.DROP_BEFORE
    with page_with(browser, world, tmp_path, nodes=(node.url,)) as visitor:
        for name in ("valid.json", "revoked.json"):
            visitor.give({name: world.files[name]})
            assert (visitor.answer["outcome"], visitor.answer["reason"]) == ("unknown", "noEvidence")
            assert visitor.headline() == said["answer.unknown"]
            assert (visitor.why(), visitor.advice()) == (said["noEvidence.why"], said["noEvidence.do"])
        node.rule = lambda _method, _count: None
        visitor.expect_another()
        visitor.page.get_by_role("button", name=said["stale.again"]).click()
        visitor.wait()
        assert visitor.headline() == said["answer.notValid"]


def as_if_not_revoked(method: str, result: Any) -> Any:
    """Claim that no slot holds anything."""
    if method != "eth_getProof":
        return result
    empty = [{**each, "value": "0x0", "proof": []} for each in result["storageProof"]]
    return {**result, "storageProof": empty}


def another_block(method: str, result: Any) -> Any:
    """Claim another hash for each block."""
    return {**result, "hash": ELSEWHERE} if method.startswith("eth_getBlock") else result


@pytest.mark.parametrize("lie", [as_if_not_revoked, another_block, answering("0x")], ids=["facts", "block", "nonsense"])
def test_one_liar_of_three_changes_nothing(
    browser: Browser, world: VerifierWorld, proxies: NodeMaker, tmp_path: Path, lie: Callable[[str, Any], Any]
) -> None:
    nodes = [proxies() for _ in range(3)]
    nodes[0].change = lie
    urls = tuple(each.url for each in nodes)
    with page_with(browser, world, tmp_path, nodes=urls, vouching=Vouching.K_OF_N, agreeing=2) as visitor:
        for name in ("valid.json", "revoked.json", "suspended.json"):
            visitor.give({name: world.files[name]})
            assert (visitor.answer["outcome"], visitor.answer["reason"]) == world.answers[name]
        assert visitor.answer["basis"]["vouching"] == "kOfN"
        assert visitor.others_asked() == set(urls)


@pytest.mark.parametrize("lie", [as_if_not_revoked, another_block, answering("0x")], ids=["facts", "block", "nonsense"])
def test_a_liar_alone_leaves_it_unknown(
    browser: Browser, world: VerifierWorld, proxies: NodeMaker, tmp_path: Path, lie: Callable[[str, Any], Any]
) -> None:
    node = proxies()
    node.change = lie
    with page_with(browser, world, tmp_path, nodes=(node.url,)) as visitor:
        for name in ("valid.json", "revoked.json"):
            visitor.give({name: world.files[name]})
            assert visitor.answer["outcome"] == "unknown"
            assert visitor.advice() == words()[f"{visitor.answer['reason']}.do"]
        # What needs no node is known all the same.
        visitor.give({"tampered.json": world.files["tampered.json"]})
        assert (visitor.answer["outcome"], visitor.answer["reason"]) == ("invalid", "tampered")


def test_two_liars_of_three_that_differ_leave_no_block(
    browser: Browser, world: VerifierWorld, proxies: NodeMaker, tmp_path: Path
) -> None:
    nodes = [proxies() for _ in range(3)]
    nodes[0].change, nodes[1].rule = another_block, lambda _method, _count: Fault.GARBAGE
    urls = tuple(each.url for each in nodes)
    with page_with(browser, world, tmp_path, nodes=urls, vouching=Vouching.K_OF_N, agreeing=2) as visitor:
        visitor.give({"valid.json": world.files["valid.json"]})
        assert visitor.answer["outcome"] == "unknown"
        assert visitor.headline() == words()["answer.unknown"]


@pytest.mark.parametrize(
    ("policy", "reason"), [({"max_age_seconds": 1}, "staleBlock"), ({"confirmations": 10_000}, "pending")]
)
def test_old_and_young_are_unknown(
    browser: Browser, world: VerifierWorld, tmp_path: Path, policy: dict[str, Any], reason: str
) -> None:
    with page_with(browser, world, tmp_path, **policy) as visitor:
        visitor.give({"valid.json": world.files["valid.json"]})
        assert (visitor.answer["outcome"], visitor.answer["reason"]) == ("unknown", reason)
        said = words()
        assert (visitor.why(), visitor.advice()) == (said[f"{reason}.why"], said[f"{reason}.do"])


def test_a_verdict_says_when_it_has_become_old(browser: Browser, world: VerifierWorld, tmp_path: Path) -> None:
    said = words()
    with page_with(browser, world, tmp_path, max_age_seconds=7200) as visitor:
        visitor.page.clock.install()
        visitor.page.reload()
        visitor.give({"valid.json": world.files["valid.json"]})
        assert visitor.headline() == said["answer.valid"]
        assert not visitor.page.locator("#stale").is_visible()
        visitor.page.clock.fast_forward("03:00:00")
        visitor.page.locator("#stale").wait_for()
        assert visitor.headline() == said["stale.headline"]
        assert visitor.violations() == []


def test_a_bundle_at_a_known_block_asks_nobody(browser: Browser, world: VerifierWorld, tmp_path: Path) -> None:
    """From a disk, without network; the node's address is there, and not asked."""
    said, data = words(), world.files["bundle.json"]
    (proof,) = parse_bundle(data).proofs
    known = frozenset({KnownBlock(proof.registry.chain_id, proof.block.hash)})
    with page_with(browser, world, tmp_path, vouching=Vouching.PINNED_HASH, known_blocks=known) as visitor:
        visitor.context.set_offline(True)
        visitor.give({"bundle.json": data})
        assert (visitor.answer["outcome"], visitor.answer["basis"]["vouching"]) == ("valid", "pinnedHash")
        assert visitor.headline() == said["answer.valid"]
        assert said["basis.contacted.none"] in visitor.page.locator("ca-answer").inner_text()
        visitor.give({"altered.json": data.replace(b"Tremblay", b"Tremblax")})
        assert visitor.answer["outcome"] in {"malformed", "invalid"}
        assert visitor.others_asked() == set()


def test_offline_says_so_and_that_it_says_nothing_for_or_against(visitor: Visitor, world: VerifierWorld) -> None:
    said = words()
    visitor.context.set_offline(True)
    visitor.give({"valid.json": world.files["valid.json"]})
    assert (visitor.answer["outcome"], visitor.answer["reason"]) == ("unknown", "noEvidence")
    assert visitor.advice() == said["noEvidence.do"]
    assert said["offline.title"] in visitor.page.locator("#offline").inner_text()
    # Tests of the whole hold that nobody complained; a request that found no network is in the browser's console.
    assert all("ERR_INTERNET_DISCONNECTED" in each for each in visitor.complaints)
    visitor.complaints.clear()
    visitor.context.set_offline(False)
    visitor.page.locator("#offline").wait_for(state="detached")
    visitor.give({"valid.json": world.files["valid.json"]})
    assert visitor.answer["outcome"] == "valid"
