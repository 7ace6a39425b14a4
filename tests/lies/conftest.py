"""One true chain and one invented one a session (one for each worker): nobody changes them after their story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anchor.ledger import rpc
from anchor.ledger.testnet import Testnet, dev_signer
from tests.ledger.chain import ANCHOR_KEY, REASON, STATUS_KEY, Chain
from tests.lies.node import RealNode
from tests.lies.story import EMPTY_BLOCKS, Story
from tests.lies.theatre import Theatre


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    testnets = [Testnet(tmp_path_factory.mktemp(name)) for name in ("true", "invented")]
    try:
        story = Story(Chain(url=testnets[0].up(port=0).url))
        invented = Chain(url=testnets[1].up(port=0).url)
        _invent(invented, story)
        theatre = Theatre(story, RealNode(invented.url), invented.client.latest_block().header.number)
        yield theatre
        theatre.close()
    finally:
        for testnet in testnets:
            testnet.down()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients ask again at once: there are thousands of cases."""
    monkeypatch.setattr(rpc, "_FIRST_PAUSE_SECONDS", 0.0)


def _invent(chain: Chain, story: Story) -> None:
    """Make another chain with the same addresses: the forged batch is anchored, the valid credential revoked."""
    chain.set_up()
    assert (chain.registry, chain.issuer_id) == (story.chain.registry, story.chain.issuer_id)
    chain.node.write("evm_setNextBlockTimestamp", [story.now - 2000])
    for name in ("valid", "forged"):
        proof = story.situations[name].credential.requests[0].proof
        size = proof.inclusion.size
        chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=proof.root, size=size))
    bit = 1 << story.situations["valid"].credential.requests[0].position.index
    chain.execute(
        STATUS_KEY,
        chain.contract.revoke(issuer_id=chain.issuer_id, status_list=0, words=[0], masks=[bit], reason=REASON),
    )
    assert dev_signer(ANCHOR_KEY).address == story.situations["forged"].key
    chain.node.write("anvil_mine", [hex(EMPTY_BLOCKS), hex(12)])
    chain.node.write("evm_setNextBlockTimestamp", [story.now - 5])
    chain.mine()
