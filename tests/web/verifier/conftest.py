"""One chain with a credential in each state, and the page that asks it: for all tests of a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.ledger.conftest import session_chain
from tests.ledger.proxy import FaultProxy
from tests.support.verifier_world import VerifierWorld, build_world
from tests.support.visitor import ROOT, Visitor, opened

__all__ = ["session_chain"]

IMAGES = ROOT / "docs" / "images"
TAKE_VARIABLE = "CREDANCHOR_SCREENSHOTS"
"""Set to 1, the tests renew the pictures in docs/images; set to a folder, they are put there."""


@pytest.fixture(scope="session")
def world(session_chain: object) -> VerifierWorld:
    return build_world(session_chain)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def page_file(world: VerifierWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on a disk."""
    file = tmp_path_factory.mktemp("disk") / "check a credential.html"
    file.write_bytes(world.page())
    return file


@pytest.fixture
def visitor(browser: Browser, page_file: Path) -> Iterator[Visitor]:
    """Somebody who has opened the page from a disk; the page must not complain."""
    with opened(browser, page_file.as_uri()) as found:
        yield found
        assert found.complaints == []


@pytest.fixture
def proxies(world: VerifierWorld) -> Iterator[Callable[[], FaultProxy]]:
    """Makes nodes that may misbehave, and that pages may ask."""
    made: list[FaultProxy] = []

    def make() -> FaultProxy:
        proxy = FaultProxy(world.chain.url)
        proxy.headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        made.append(proxy)
        return proxy

    yield make
    for each in made:
        each.close()


Take = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def take() -> Take:
    """Take a picture of what is seen, where that was asked for."""
    wanted = os.environ.get(TAKE_VARIABLE, "")
    folder = IMAGES if wanted == "1" else Path(wanted)

    def take(page: Page, name: str) -> None:
        if wanted:
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return take
