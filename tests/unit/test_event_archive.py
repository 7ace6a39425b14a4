import json
from dataclasses import replace

import pytest

from anchor.errors import HistoryError, MalformedError
from anchor.event_archive import MAX_LINE_BYTES, ArchiveEnd, end_line, header_line, log_line, read_archive
from anchor.events import RawLog
from anchor.model import RegistryId, hash32
from anchor.replay import replay
from tests.support.history import REGISTRY, chain
from tests.support.stories import STORY

LOGS, PROVEN = chain(STORY)
HASH = hash32(b"\x09" * 32)
LINES = (header_line(REGISTRY), *map(log_line, LOGS), end_line(8, HASH))
LOG = json.loads(LINES[1])


def line(content: object) -> bytes:
    return json.dumps(content).encode() + b"\n"


def test_archive_has_the_logs_and_up_to_where_they_go() -> None:
    *logs, end = read_archive(LINES, REGISTRY)
    assert logs == LOGS
    assert isinstance(end, ArchiveEnd)
    assert (end.block_number, end.block_hash) == (8, HASH)


def test_archive_is_lines_of_json() -> None:
    assert json.loads(LINES[0]) == {"format": "credanchor/event-archive@v1", "registry": REGISTRY.to_text()}
    assert list(LOG) == ["block", "blockHash", "transaction", "index", "topics", "data"]
    assert json.loads(LINES[-1]) == {"upTo": 8, "upToHash": "0x" + "09" * 32}


def test_archive_that_was_added_to_has_several_ends() -> None:
    first = next(place for place, log in enumerate(LOGS) if log.block_number > 1) + 1
    lines = [*LINES[:first], end_line(1, HASH), end_line(1, HASH), *LINES[first:]]
    read = list(read_archive(lines, REGISTRY))
    assert [each.block_number for each in read if isinstance(each, ArchiveEnd)] == [1, 1, 8]
    assert [each for each in read if isinstance(each, RawLog)] == LOGS


def test_archive_with_a_log_left_out_is_no_history() -> None:
    logs = [each for each in read_archive([*LINES[:5], *LINES[6:]], REGISTRY) if isinstance(each, RawLog)]
    with pytest.raises(HistoryError):
        replay(logs, REGISTRY)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "the archive is empty"),
        ([b"\n"], "line 1 of the archive: not JSON"),
        ([b"[]\n"], "line 1 of the archive: not an object"),
        ([b"{}\n"], "not the header"),
        ([line({"format": "credanchor/event-archive@v2"})], "not the header"),
        ([LINES[1]], "line 1 of the archive: not the header"),
        ([header_line(RegistryId(chain_id=1, address=REGISTRY.address))], "not one of the registry"),
        ([line({**json.loads(LINES[0]), "more": 1})], "not one of the registry"),
        ([LINES[0], LINES[0]], "line 2 of the archive: neither a log nor an end"),
        ([LINES[0], LINES[1][:-1]], "line 2 of the archive: it ends early"),
        ([LINES[0], b" " * MAX_LINE_BYTES + b"\n"], "more than 1048576 bytes"),
        ([LINES[0], line({**LOG, "more": 1})], "neither a log nor an end"),
        ([LINES[0], line({**LOG, "topics": {}})], "topics are no list"),
        ([LINES[0], line({**LOG, "topics": {"topics": "0x"}})], "a member twice, or one within another"),
        ([LINES[0], b'{"data":' + b"[" * 1000 + b"]" * 1000 + b"}\n"], "neither a log nor an end"),
        ([LINES[0], line({**LOG, "topics": [5]})], "expected bytes in hex"),
        ([LINES[0], line({**LOG, "topics": ["0x05"]})], "32 bytes"),
        ([LINES[0], line({**LOG, "topics": LOG["topics"] * 3})], "at most 4 topics"),
        ([LINES[0], line({**LOG, "data": "05"})], "line 2"),
        ([LINES[0], line({**LOG, "data": "0xabc"})], "line 2"),
        ([LINES[0], line({**LOG, "block": True})], "expected a whole number"),
        ([LINES[0], line({**LOG, "block": -1})], "expected a whole number"),
        ([LINES[0], line({**LOG, "index": 2**63})], "expected a whole number"),
        ([LINES[0], line({**LOG, "index": "0x0"})], "expected a whole number"),
        ([LINES[0], end_line(5, HASH), end_line(4, HASH)], "an end, and above it are blocks after it"),
        ([*LINES[:-1], end_line(LOGS[-1].block_number - 1, HASH)], "an end, and above it are blocks after it"),
        ([LINES[0], end_line(5, HASH), log_line(replace(LOGS[0], block_number=5))], "a log of block 5, all of whose"),
        ([LINES[0][:-2] + b',"format":"credanchor/event-archive@v1"}\n'], "a member twice"),
        ([LINES[0], LINES[1][:-2] + b',"d\\u0061ta":"0x"}\n'], "line 2 of the archive: a member twice"),
        ([LINES[0], line({"upTo": 5, "upToHash": None})], "expected bytes in hex"),
    ],
)
def test_what_is_no_archive_is_refused(lines: list[bytes], why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        list(read_archive(lines, REGISTRY))
