"""`credanchor audit` of a registry whose node, archive or folder was made to harm whoever audits."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Desk
from tests.ledger.proxy import FaultProxy


def with_log(**changes: Any) -> Any:
    """A node that adds to the last log of an answer one more, and changes its members."""

    def say(method: str, _params: list[Any], result: Any) -> Any:
        if method != "eth_getLogs" or not result:
            return result
        index = hex(int(result[-1]["logIndex"], 16) + 1)
        return [*result, {**result[-1], "logIndex": index, **changes}]

    return say


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": ["0x" + "77" * 32], "data": "0x" + "00" * 2**20},
        {"topics": [], "logIndex": hex(2**63 - 1)},
    ],
)
def test_logs_that_are_no_events_leave_no_trace_in_what_is_kept(
    desk: Desk, tmp_path: Path, changes: dict[str, Any]
) -> None:
    folder, proxy = tmp_path / "kept", FaultProxy(desk.chain.url)
    try:
        desk.write_policy(nodes=(proxy.url,))
        whole = desk.run_json("audit")[1]
        proxy.answer = with_log(**changes)
        code, first = desk.run_json("audit", "--keep", str(folder))
        assert (code, first["events"]) == (0, whole["events"])
        desk.chain.anchor(77)
        code, second = desk.run_json("audit", "--keep", str(folder))
        assert (code, len(second["events"])) == (0, 1)
    finally:
        proxy.close()
    desk.write_policy()
    logs = [line for line in (folder / "events.jsonl").read_bytes().splitlines() if b"topics" in line]
    assert len(logs) == len(whole["events"]) + 1
    assert desk.run_json("audit", "--from", str(folder / "events.jsonl"))[0] == 0


@pytest.mark.parametrize("index", [2**63, 2**64, 2**256 - 1])
def test_places_that_no_chain_has_are_no_answer(desk: Desk, tmp_path: Path, index: int) -> None:
    def say(method: str, _params: list[Any], result: Any) -> Any:
        if method != "eth_getLogs" or not result:
            return result
        return [*result[:-1], {**result[-1], "logIndex": hex(index)}]

    proxy = FaultProxy(desk.chain.url)
    try:
        desk.write_policy(nodes=(proxy.url,))
        proxy.answer = say
        code, out, error = desk.run("audit", "--keep", str(tmp_path / "kept"))
    finally:
        proxy.close()
    assert (code, "COMPLETE" in out, "malformed answer to eth_getLogs" in error) == (3, False, True), error
