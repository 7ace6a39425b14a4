"""The status on pages, asked for at the same time by many: nodes once, each credential its own, nobody for too long."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

from anchor.credential import Credential
from anchor.errors import PolicyFormatError, RevokedError
from anchor.model import Outcome, Verdict
from registry.api.page_status import PageStatus
from registry.api.pool import Pool
from registry.services.page_verdicts import PageVerdicts

NOW = 1_790_000_000
VALID = Verdict(outcome=Outcome.VALID, reason="", checks=())
REVOKED = Verdict(outcome=Outcome.INVALID, reason="revoked", checks=(), error=RevokedError("x"))


class Judge:
    """Knows nothing until it was asked; answers when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may = threading.Event()
        self.is_known = False

    def recall(self, credential: Any, *, now: int) -> Verdict | None:
        assert now == NOW
        return self._verdict(credential) if self.is_known else None

    def ask(self, credential: Any, *, now: int) -> Verdict:
        assert now == NOW
        self.asked.append(credential.name)
        self.may.wait(10)
        if credential.name == "broken":
            raise PolicyFormatError("x")
        self.is_known = True
        return self._verdict(credential)

    def _verdict(self, credential: Any) -> Verdict:
        return REVOKED if credential.name == "revoked" else VALID


def of_one_batch(name: str) -> Credential:
    """They share their evidence."""
    return cast(Credential, SimpleNamespace(name=name, issuer_did="did:web:college.example", requests=()))


def statuses(judge: Judge, names: list[str], *, threads: int = 1, patience_seconds: float = 10.0) -> list[str]:
    async def look() -> list[str]:
        pool = Pool(threads)
        status = PageStatus(cast(PageVerdicts, judge), pool, lambda: NOW, patience_seconds=patience_seconds)
        looks = [asyncio.create_task(status.of(of_one_batch(name), "request")) for name in names]
        while not judge.asked:
            await asyncio.sleep(0)
        if patience_seconds:
            judge.may.set()
        found = [(await each).name for each in looks]
        judge.may.set()
        pool.close()
        return found

    return asyncio.run(look())


def test_nodes_are_asked_once_and_each_gets_its_own_verdict() -> None:
    judge = Judge()
    assert statuses(judge, ["good", "revoked", "good"]) == ["valid", "revoked", "valid"]
    assert len(judge.asked) == 1


def test_what_does_not_come_in_time_is_unknown() -> None:
    judge = Judge()
    assert statuses(judge, ["good", "revoked"], patience_seconds=0.0) == ["unknown", "unknown"]
    assert len(judge.asked) == 1


def test_what_goes_wrong_is_unknown_for_all_who_waited() -> None:
    judge = Judge()
    judge.may.set()
    assert statuses(judge, ["broken"]) == ["unknown"]
