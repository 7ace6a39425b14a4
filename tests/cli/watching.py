"""Watching a registry in a test: steps take place while the program waits, and a webhook takes its alerts."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cli.conftest import Desk
from tests.ledger.chain import CONTROLLER, STATUS_KEY
from tests.ledger.proxy import Fault, FaultProxy
from tests.support.receiver import Receiver, receiving

Step = Callable[[], object]
Watched = Callable[..., tuple[int, str, str]]

EVERY = 15
"""Seconds from one look to the next, as the program has them."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def watched(desk: Desk) -> Watched:
    """Watch while things happen: each step takes place when the program would wait; then somebody stops it."""

    def watch(*steps: Step, options: tuple[object, ...] = ()) -> tuple[int, str, str]:
        left = list(steps)

        def wait(seconds: float) -> None:
            if seconds != EVERY:
                return  # between two attempts to ask or to send
            if not left:
                raise KeyboardInterrupt
            left.pop(0)()

        # The testnet's own waiting, in other threads, is not touched.
        sleep, mine = time.sleep, threading.get_ident()
        depth: list[int] = []

        def only_here(seconds: float) -> None:
            if threading.get_ident() != mine or depth:
                return sleep(seconds)
            depth.append(1)
            try:
                return wait(seconds)
            finally:
                depth.pop()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", only_here)
            return desk.run("audit", "--follow", "--keep", desk.folder / "kept", *options)

    return watch


def revoke(desk: Desk, index: int) -> None:
    call = desk.chain.contract.revoke(
        issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
    )
    desk.chain.execute(STATUS_KEY, call)


def offer_control(desk: Desk) -> None:
    call = desk.chain.contract.transfer_controller(issuer_id=desk.chain.issuer_id, controller=b"\x77" * 20)  # type: ignore[arg-type]
    desk.chain.execute(CONTROLLER, call)


def alerts(receiver: Receiver) -> list[dict[str, Any]]:
    found = []
    while not receiver.came.empty():
        found.append(json.loads(receiver.came.get().body))
    return found


def nothing() -> None:
    """Let one look go by."""


def away_and_back(node: FaultProxy) -> tuple[Step, Step]:
    """Give the steps by which a node goes away, and is back."""

    def fall() -> None:
        node.rule = lambda _method, _count: Fault.DROP_BEFORE

    def rise() -> None:
        node.rule = lambda _method, _count: None

    return fall, rise
