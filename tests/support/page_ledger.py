"""The page's own asking of nodes and judging, built from TypeScript and run by Node: verdicts as Python's have them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anchor.errors import UndeterminedError
from anchor.model import Basis, Check, CheckStatus, Outcome, Policy, RegistryId, Verdict, Vouching, hash32, parse_hex
from anchor.policy import policy_to_text
from tests.support.page_build import compile_page

_PROGRAM: Final = Path(__file__).with_name("page_ledger.mjs")


@dataclass(frozen=True, kw_only=True)
class PageAnswer:
    """What came of one checking."""

    verdicts: list[Verdict]
    missing: dict[str, str]
    """By registry, why there is no evidence."""
    asked: list[str]
    """Addresses, one for each request."""


class PageRefusedError(Exception):
    """The page determines nothing: what it was given cannot be used."""


class Page:
    """The program; asks when it is asked to, and keeps its connections."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process: Final = process

    def check(
        self,
        policy: Policy,
        documents: Sequence[object],
        now: int,
        *,
        limits: dict[str, int] | None = None,
        impatient_with: tuple[str, int] | None = None,
    ) -> PageAnswer:
        """Check credentials by a policy, which names the nodes.

        Args:
            policy: The policy.
            documents: The credentials, as JSON.
            now: Unix seconds.
            limits: Those that are not to be as usual.
            impatient_with: An address that is given up on after so many milliseconds.

        Raises:
            PageRefusedError: It determines nothing.
        """
        request: dict[str, Any] = {
            "policy": policy_to_text(policy),
            "credentials": [json.dumps(each) for each in documents],
            "now": now,
            "limits": limits or {},
        }
        if impatient_with is not None:
            request["impatientWith"] = {"url": impatient_with[0], "ms": impatient_with[1]}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the page's program crashed"
        answer = json.loads(line)
        if "error" in answer:
            raise PageRefusedError(answer["error"])
        return PageAnswer(
            verdicts=[_verdict(each) for each in answer["verdicts"]],
            missing={each["registry"]: each["reason"] for each in answer["missing"]},
            asked=answer["asked"],
        )


@contextmanager
def page_program() -> Iterator[Page]:
    """Compile the page's TypeScript, and run it until the end."""
    compile_page()
    command = ["node", str(_PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Page(process)
        assert process.stdin is not None
        process.stdin.close()


def _verdict(said: dict[str, Any]) -> Verdict:
    checks = tuple(
        Check(
            step=each["step"],
            name=each["name"],
            status=CheckStatus(each["status"]),
            detail=each["detail"],
            reason=each["reason"],
        )
        for each in said["checks"]
    )
    outcome, basis = Outcome(said["outcome"]), said["basis"]
    words = "; ".join(check.detail for check in checks if check.reason == said["reason"])
    return Verdict(
        outcome=outcome,
        reason=said["reason"],
        checks=checks,
        error=None if outcome is Outcome.VALID else UndeterminedError(words),
        basis=None
        if basis is None
        else Basis(
            registry=RegistryId.parse(basis["registry"]),
            block_number=basis["number"],
            block_hash=hash32(parse_hex(basis["hash"])),
            block_at=basis["at"],
            vouching=Vouching(basis["vouching"]),
            vouched_by=tuple(basis["vouchedBy"]),
            nodes_asked=basis["nodesAsked"],
        ),
    )
