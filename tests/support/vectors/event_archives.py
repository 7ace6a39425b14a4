"""`event-archives.json`: archives of a registry's logs, and files that are none, docs/spec/event-archive.md.

Logs are those of `history.json`, recorded from a real chain; lines are written by hand, and compressed by hand (stored
blocks of RFC 1951), so that the bytes are the same whatever library there is.
"""

import json
from pathlib import Path
from typing import Any
from zlib import crc32

from tests.support.vectors.common import REGISTRY, Json, file_of, to_hex

_HISTORY = json.loads((Path(__file__).parents[2] / "vectors" / "history.json").read_text("utf-8"))
LAST = int(_HISTORY["logs"][-1]["blockNumber"], 16)
HASH = _HISTORY["blockHash"]
HEADER = f'{{"format":"credanchor/event-archive@v1","registry":"{REGISTRY}"}}\n'


def build() -> Json:
    return file_of(
        "Archives of events: such as can be read, with what they say, and such as are malformed. "
        "docs/spec/event-archive.md.",
        registry=REGISTRY,
        valid=[_valid(name, file) for name, file in _archives()],
        invalid=[{"name": name, **_file(file), "reason": reason} for name, file, reason in _malformed()],
    )


def _log(place: int, **changes: Any) -> str:
    log = _HISTORY["logs"][place]
    content = {
        "block": int(log["blockNumber"], 16),
        "blockHash": log["blockHash"],
        "transaction": log["transactionHash"],
        "index": int(log["logIndex"], 16),
        "topics": log["topics"],
        "data": log["data"],
    }
    whole = {name: member for name, member in {**content, **changes}.items() if member is not ...}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False) + "\n"


def _end(number: int = LAST, block_hash: str = HASH) -> str:
    return f'{{"upTo":{number},"upToHash":"{block_hash}"}}\n'


LOGS = [_log(place) for place in range(len(_HISTORY["logs"]))]
WHOLE = "".join([HEADER, *LOGS, _end()])
FIRST = 2
"""Place of a log that is an event with data."""
BLOCK = int(_HISTORY["logs"][FIRST]["blockNumber"], 16)
SHORT = [HEADER, LOGS[FIRST], _end(BLOCK)]


def _archives() -> list[tuple[str, str | bytes]]:
    blocks = [int(log["blockNumber"], 16) for log in _HISTORY["logs"]]
    middle = next(place for place in range(len(LOGS) // 2, len(LOGS)) if blocks[place] > blocks[place - 1])
    before = blocks[middle] - 1
    log = json.loads(LOGS[FIRST])
    return [
        ("whole", WHOLE),
        ("whole-gzip", gzipped(WHOLE.encode())),
        ("gzip-of-two-members", gzipped("".join(SHORT)[:99].encode()) + gzipped("".join(SHORT)[99:].encode())),
        ("whole-added-to", "".join([HEADER, *LOGS[:middle], _end(before), *LOGS[middle:], _end()])),
        ("up-to-a-later-block", HEADER + LOGS[FIRST] + _end(BLOCK + 1000)),
        ("two-ends-of-one-block", "".join(SHORT) + _end(BLOCK)),
        ("nothing-happened", HEADER + _end(0)),
        ("a-log-left-out", "".join([HEADER, *LOGS[:middle], *LOGS[middle + 1 :], _end()])),
        ("the-last-log-left-out", "".join([HEADER, *LOGS[:-1], _end()])),
        ("two-logs-in-another-order", "".join([HEADER, *LOGS[:2], LOGS[3], LOGS[2], *LOGS[4:], _end()])),
        ("short", "".join(SHORT)),
        ("members-in-another-order", HEADER + json.dumps(dict(reversed(log.items()))) + "\n" + _end(BLOCK)),
        ("white-space", SHORT[0][:-1] + " \r\n" + "".join(SHORT[1:])),
        ("hex-in-upper-case", HEADER + _log(FIRST, blockHash="0x" + log["blockHash"][2:].upper()) + _end(BLOCK)),
        ("no-topic", HEADER + _log(FIRST, topics=[]) + _end(BLOCK)),
        ("no-data", HEADER + _log(FIRST, data="0x") + _end(BLOCK)),
        ("largest-numbers", HEADER + _log(FIRST, block=2**63 - 1, index=2**63 - 1) + _end(2**63 - 1)),
    ]


def _valid(name: str, file: str | bytes) -> Json:
    text = file if isinstance(file, str) else WHOLE if name.startswith("whole") else "".join(SHORT)
    lines = [json.loads(line) for line in text.splitlines()][1:]
    is_whole = name.startswith("whole")
    return {
        "name": name,
        **_file(file),
        "logs": sum("topics" in line for line in lines),
        "upTo": lines[-1]["upTo"],
        "upToHash": lines[-1]["upToHash"],
        "isWhole": is_whole,
    }


def _malformed() -> list[tuple[str, str | bytes, str]]:
    packed = gzipped("".join(SHORT).encode())
    header, log, end = SHORT
    cases: list[tuple[str, str | bytes, str]] = [
        ("empty", "", "no header"),
        ("header-missing", log + end, "a log is no header"),
        ("header-after-a-log", log + header + end, "a log is no header"),
        ("header-twice", header + header + log + end, "neither a log nor an end"),
        ("header-of-another-version", header.replace("@v1", "@v2") + end, "another format"),
        ("header-with-more", header.replace("}", ',"logs":1}') + end, "an unknown member"),
        ("header-without-registry", '{"format":"credanchor/event-archive@v1"}\n' + end, "a member is missing"),
        ("header-of-another-registry", header.replace("aa3", "aa4") + end, "another registry"),
        ("header-of-another-chain", header.replace("31337", "1") + end, "another registry"),
        ("header-in-upper-case", header.replace("fbdb", "FBDB") + end, "CAIP-10 is in lower case here"),
        ("header-with-byte-order-mark", "\ufeff" + header + log + end, "not JSON"),
        ("end-missing", header + log, "the last line is no end"),
        ("log-after-the-last-end", header + _end(0) + log, "the last line is no end"),
        ("end-before-an-earlier-end", header + log + _end(BLOCK) + _end(BLOCK - 1), "ends are out of order"),
        ("end-before-a-log-above", header + log + _end(BLOCK - 1), "a log of a later block is above"),
        ("log-of-a-block-above-an-end", header + end + log + end, "all logs of the block are above"),
        ("end-with-more", header + log + end.replace("}", ',"logs":1}'), "an unknown member"),
        ("end-with-short-hash", header + log + _end(BLOCK, "0x12"), "32 bytes"),
        ("end-without-hash", header + log + f'{{"upTo":{BLOCK}}}\n', "a member is missing"),
        ("end-of-text", header + log + end.replace(f":{BLOCK},", f':"{BLOCK}",'), "a number"),
        ("last-line-without-line-feed", header + log + end[:-1], "it was cut short"),
        ("line-cut-short", header + log[:40] + "\n" + end, "not JSON"),
        ("line-empty", header + "\n" + log + end, "not JSON"),
        ("line-a-list", header + f"[{log[:-1]}]\n" + end, "an object"),
        ("line-two-objects", header + log[:-1] + log + end, "not JSON"),
        ("line-not-utf-8", header.encode() + b'{"upTo":1,"upToHash":"\xff"}\n' + end.encode(), "not UTF-8"),
        ("member-twice", header + log.replace("{", f'{{"block":{BLOCK},', 1) + end, "a member twice"),
        ("member-twice-escaped", header + log.replace("{", '{"d\\u0061ta":"0x",', 1) + end, "a member twice"),
        ("log-with-more", header + _log(FIRST, address=REGISTRY) + end, "an unknown member"),
        ("topics-five", header + _log(FIRST, topics=[HASH] * 5) + end, "at most 4 topics"),
        ("topics-object", header + _log(FIRST, topics={}) + end, "a list"),
        ("topic-short", header + _log(FIRST, topics=["0x12"]) + end, "32 bytes"),
        ("topic-number", header + _log(FIRST, topics=[1]) + end, "bytes in hex"),
        ("data-null", header + _log(FIRST, data=None) + end, "bytes in hex"),
        ("data-without-0x", header + _log(FIRST, data="12") + end, "bytes in hex"),
        ("data-with-0X", header + _log(FIRST, data="0X12") + end, "bytes in hex"),
        ("data-of-half-a-byte", header + _log(FIRST, data="0x123") + end, "bytes in hex"),
        ("data-no-hex", header + _log(FIRST, data="0x1g") + end, "bytes in hex"),
        ("block-hash-long", header + _log(FIRST, blockHash=HASH + "00") + end, "32 bytes"),
        ("transaction-null", header + _log(FIRST, transaction=None) + end, "bytes in hex"),
        ("block-negative", header + _log(FIRST, block=-1) + end, "not negative"),
        ("block-fraction", header + _log(FIRST, block=1.5) + end, "a whole number"),
        ("block-true", header + _log(FIRST, block=True) + end, "a number"),
        ("index-text", header + _log(FIRST, index="0") + end, "a number"),
        ("index-too-large", header + _log(FIRST, index=2**63) + end, "at most 2^63 - 1"),
        ("gzip-cut-short", packed[:-20], "not whole"),
        ("gzip-without-end", packed[:-8], "not whole"),
        ("gzip-damaged", packed[:200] + bytes([packed[200] ^ 1]) + packed[201:], "its checksum does not hold"),
        ("gzip-damaged-block", packed[:10] + bytes([packed[10] | 6]) + packed[11:], "a block of no known kind"),
        ("gzip-and-more", packed + b"more", "what follows is not gzip"),
        ("gzip-twice", gzipped(packed), "not JSON"),
    ]
    names = ("block", "blockHash", "transaction", "index", "topics", "data")
    missing = [(f"{name}-missing", header + _log(FIRST, **{name: ...}) + end, "a member is missing") for name in names]
    return [*cases, *missing]


def _file(file: str | bytes) -> Json:
    return {"archive": file} if isinstance(file, str) else {"bytes": to_hex(file)}


def gzipped(data: bytes) -> bytes:
    """Compress by RFC 1952 in the plainest way: blocks that are stored as they are."""
    pieces = [data[start : start + 65_535] for start in range(0, len(data), 65_535)]
    blocks = b"".join(
        bytes([place == len(pieces) - 1])
        + len(piece).to_bytes(2, "little")
        + (len(piece) ^ 0xFFFF).to_bytes(2, "little")
        + piece
        for place, piece in enumerate(pieces)
    )
    trailer = crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    return bytes.fromhex("1f8b08000000000000ff") + blocks + trailer
