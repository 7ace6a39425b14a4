"""Archives of events: a registry's logs as lines of JSON, for anyone to keep, publish and check again.

Nodes forget old logs; whoever has an archive needs none of them. It proves nothing by itself: the heads in the
contract's state do, whoever gave the archive (docs/spec/event-archive.md).

    1   a header:        {"format":"credanchor/event-archive@v1","registry":"eip155:…"}
    …   a log:           {"block":5,"blockHash":"0x…","transaction":"0x…","index":0,"topics":["0x…"],"data":"0x…"}
    …   an end:          {"upTo":9,"upToHash":"0x…"}; all logs of the blocks up to it are above

Logs after the last end are of a writer that was cut short, and do not count.

Leaves to others: whether the logs are a history (`anchor.replay`), and all of it (`anchor.audit`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from anchor.errors import MalformedError
from anchor.events import MAX_PLACE, RawLog
from anchor.model import Hash32, RegistryId, hash32, parse_hex, to_hex

FORMAT: Final = "credanchor/event-archive@v1"
"""First member of the first line; a change that could break readers changes it."""

MAX_LINE_BYTES: Final = 2**20
"""The longest event has 512 words and masks: some 66 kB in hex."""


class ArchiveEnd:
    """That an archive holds all logs of the blocks up to this one."""

    __slots__ = ("block_hash", "block_number")

    def __init__(self, block_number: int, block_hash: Hash32) -> None:
        self.block_number: Final = block_number
        self.block_hash: Final = block_hash


def header_line(registry: RegistryId) -> bytes:
    """Write the first line."""
    return orjson.dumps({"format": FORMAT, "registry": registry.to_text()}) + b"\n"


def log_line(log: RawLog) -> bytes:
    """Write a log."""
    content = {
        "block": log.block_number,
        "blockHash": to_hex(log.block_hash),
        "transaction": to_hex(log.transaction_hash),
        "index": log.log_index,
        "topics": [to_hex(topic) for topic in log.topics],
        "data": to_hex(log.data),
    }
    return orjson.dumps(content) + b"\n"


def end_line(block_number: int, block_hash: Hash32) -> bytes:
    """Write that all logs of the blocks up to this one are above."""
    return orjson.dumps({"upTo": block_number, "upToHash": to_hex(block_hash)}) + b"\n"


def read_archive(lines: Iterable[bytes], registry: RegistryId) -> Iterator[RawLog | ArchiveEnd]:
    """Read an archive of a registry line by line: logs, and after them their ends.

    Args:
        lines: Each with its line feed, of at most `MAX_LINE_BYTES`.
        registry: The registry that it must be of.

    Raises:
        MalformedError: It is no archive, or one of another registry; the message names the line.
    """
    number = 0
    last = highest = -1
    for number, line in enumerate(lines, start=1):
        try:
            content = _object(line)
            if number == 1:
                _check_header(content, registry)
                continue
            if content.keys() == {"upTo", "upToHash"}:
                end = ArchiveEnd(_number(content["upTo"]), _hash(content["upToHash"]))
                if end.block_number < highest:
                    raise MalformedError("an end, and above it are blocks after it")
                last = highest = end.block_number
                yield end
            else:
                log = _log(content, registry)
                if log.block_number <= last:
                    raise MalformedError(f"a log of block {log.block_number}, all of whose logs are above already")
                highest = max(highest, log.block_number)
                yield log
        except MalformedError as error:
            raise MalformedError(f"line {number} of the archive: {error}") from error
    if number == 0:
        raise MalformedError("the archive is empty")


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise MalformedError(f"more than {MAX_LINE_BYTES} bytes")
    if not line.endswith(b"\n"):
        raise MalformedError("it ends early")
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise MalformedError("not JSON") from error
    if not isinstance(content, dict):
        raise MalformedError("not an object")
    # No text in an archive has a quotation mark in it: too many are a member twice, and readers differ in which counts.
    if line.count(b'"') > 2 * (len(content) + sum(map(_count_texts, content.values()))):
        raise MalformedError("a member twice, or one within another")
    return content


def _count_texts(value: object) -> int:
    return sum(isinstance(each, str) for each in (value if isinstance(value, list) else [value]))


def _check_header(content: dict[str, Any], registry: RegistryId) -> None:
    if content.get("format") != FORMAT:
        raise MalformedError(f"not the header of a {FORMAT}")
    if content != {"format": FORMAT, "registry": registry.to_text()}:
        raise MalformedError(f"the archive is not one of the registry {registry.to_text()}")


def _log(content: dict[str, Any], registry: RegistryId) -> RawLog:
    if content.keys() != {"block", "blockHash", "transaction", "index", "topics", "data"}:
        raise MalformedError("neither a log nor an end")
    topics = content["topics"]
    if not isinstance(topics, list):
        raise MalformedError("topics are no list")
    return RawLog(
        address=registry.address,
        topics=tuple(map(_hash, topics)),
        data=_bytes(content["data"]),
        block_number=_number(content["block"]),
        block_hash=_hash(content["blockHash"]),
        transaction_hash=_hash(content["transaction"]),
        log_index=_number(content["index"]),
    )


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_PLACE:
        raise MalformedError("expected a whole number")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise MalformedError("expected bytes in hex")
    return parse_hex(value)


def _hash(value: object) -> Hash32:
    return hash32(_bytes(value))
