"""One anvil a session (one for each worker), with a registry; every test starts from the same chain."""

from collections.abc import Iterator

import pytest

from anchor.ledger.client import LedgerClient
from anchor.ledger.testnet import Testnet
from tests.ledger.chain import Chain
from tests.ledger.proxy import FaultProxy


@pytest.fixture(scope="session")
def session_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    testnet = Testnet(tmp_path_factory.mktemp("testnet"))
    chain = Chain(url=testnet.up(port=0).url)
    try:
        chain.set_up()
        yield chain
    finally:
        testnet.down()


@pytest.fixture
def chain(session_chain: Chain) -> Iterator[Chain]:
    with session_chain.put_back():
        yield session_chain
        session_chain.set_mining(automatic=True)


@pytest.fixture
def proxy(chain: Chain) -> Iterator[FaultProxy]:
    proxy = FaultProxy(chain.url)
    yield proxy
    proxy.close()


@pytest.fixture
def spoiled(proxy: FaultProxy) -> Iterator[LedgerClient]:
    """A client of the proxy, impatient so that tests are quick."""
    client = LedgerClient(proxy.url, timeout_seconds=0.4, max_answer_bytes=2**22)
    yield client
    client.close()
