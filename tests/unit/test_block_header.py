"""Block headers of every fork: written from JSON-RPC, held against their hash, read."""

from itertools import pairwise
from typing import Any

import pytest
import rlp

from anchor import state_proof
from anchor.errors import EvidenceFormatError, StateProofError
from anchor.model import hash32, parse_hex, to_hex
from anchor.state_proof import (
    MAX_HEADER_SIZE,
    check_header,
    header_from_rpc,
)
from tests.support.published import hash_of, read_vectors

HEADERS = read_vectors("block-headers.json")["valid"]


@pytest.mark.parametrize("vector", HEADERS, ids=lambda vector: vector["name"])
def test_header_of_every_fork_hashes_to_its_block(vector: Any) -> None:
    block = vector["block"]
    header = header_from_rpc(block)
    assert to_hex(header) == vector["header"]
    read = check_header(header, hash32(parse_hex(block["hash"])))
    assert (read.number, read.timestamp) == (vector["number"], vector["timestamp"])
    assert to_hex(read.state_root) == vector["stateRoot"]
    assert to_hex(read.hash) == block["hash"]


def header_of(*fields: Any) -> bytes:
    """The first header's fields with some replaced, given as (index, value)."""
    content: list[Any] = rlp.decode(parse_hex(HEADERS[0]["header"]))
    for index, value in fields:
        content[index] = value
    encoded: bytes = rlp.encode(content)
    return encoded


def test_fields_of_forks_to_come_are_covered_by_the_hash() -> None:
    content = [*rlp.decode(parse_hex(HEADERS[-1]["header"])), b"\x01" * 32, [b"\x02"]]
    header = rlp.encode(content)
    assert check_header(header, hash_of(header)).number == HEADERS[-1]["number"]


@pytest.mark.parametrize("vector", HEADERS, ids=lambda vector: vector["name"])
def test_only_the_hash_decides_what_a_header_is(vector: Any) -> None:
    """What a node says beside the fields changes nothing; each field that is altered, gone or new changes the hash."""
    block, right = vector["block"], hash32(parse_hex(vector["block"]["hash"]))
    beside: dict[str, Any] = {
        "hash": "0x00",
        "size": None,
        "uncles": [],
        "totalDifficulty": "x",
        "withdrawals": 7,
        "fieldToCome": "0x1",
    }
    assert check_header(header_from_rpc({**block, **beside}), right) == check_header(header_from_rpc(block), right)
    for name, size in state_proof._FIELDS:
        value: Any = block.get(name)
        if value is None:
            added = "0x7" if size is None else "0x" + "ab" * (size or 1)
            others = [{**block, name: added}]
        else:
            altered = value[:-1] + ("1" if value[-1] != "1" else "2") if value != "0x" else "0xab"
            others = [{**block, name: altered}]
            others += [{key: each for key, each in block.items() if key != name}]
        for other in others:
            try:
                header = header_from_rpc(other)
            except EvidenceFormatError:
                continue
            if header == header_from_rpc(block):
                # A zero left out of a later fork's fields is written as it was.
                assert value == "0x0"
                continue
            with pytest.raises(StateProofError, match="does not hash"):
                check_header(header, right)


def test_missing_fields_between_later_ones_are_empty() -> None:
    # A chain that has Prague's requestsHash without Shanghai's withdrawals, as go-ethereum writes it.
    block = dict(HEADERS[0]["block"], baseFeePerGas="0x7", withdrawalsRoot=None, requestsHash="0x" + "0a" * 32)
    assert rlp.decode(header_from_rpc(block))[15:] == [b"\x07", b"", b"", b"", b"", b"\x0a" * 32]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"\x00" * (MAX_HEADER_SIZE + 1), "more than 32768"),
        (b"", "expected a list"),
        (b"\x80", "expected a list"),
        (rlp.encode([b""] * 14), "14 fields, fewer than 15"),
        (header_of((8, b"\x00\x01")), "without leading zeros"),
        (header_of((8, b"\x01" * 9)), "at most 8 bytes"),
        (header_of((11, [])), "expected a string"),
        (header_of((3, b"\x01" * 31)), "32 bytes, got 31"),
        (header_of() + b"\x00", "bytes after the list"),
    ],
)
def test_what_is_no_header_is_refused_even_with_its_own_hash(header: bytes, why: str) -> None:
    with pytest.raises(StateProofError, match=why):
        check_header(header, hash_of(header))


def test_largest_header_is_accepted() -> None:
    room = MAX_HEADER_SIZE - len(header_of((12, b"\x01" * 1000))) + 1000
    header = header_of((12, b"\x01" * room))
    assert len(header) == MAX_HEADER_SIZE
    assert check_header(header, hash_of(header)).number == 0
    block = {**HEADERS[0]["block"], "extraData": "0x" + "01" * MAX_HEADER_SIZE}
    assert rlp.decode(header_from_rpc(block))[12] == b"\x01" * MAX_HEADER_SIZE


def test_header_of_another_block_is_refused() -> None:
    with pytest.raises(StateProofError, match="does not hash"):
        check_header(parse_hex(HEADERS[0]["header"]), hash32(parse_hex(HEADERS[1]["block"]["hash"])))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("parentHash", None),
        ("parentHash", 5),
        ("parentHash", "0x" + "00" * 31),
        ("parentHash", "00" * 33),
        ("parentHash", "0x" + "0g" * 32),
        ("number", None),
        ("number", 7),
        ("number", "7"),
        ("number", "0x"),
        ("number", "0x-7"),
        ("number", "0x_7"),
        ("number", "0x" + "1" * 65),
        ("extraData", "0x1"),
        ("extraData", "0x" + "00" * (MAX_HEADER_SIZE + 1)),
        ("logsBloom", "0x"),
        ("nonce", "0x42"),
        ("baseFeePerGas", ["0x1"]),
        ("slotNumber", "now"),
    ],
)
def test_block_that_is_no_block_is_malformed(member: str, value: object) -> None:
    with pytest.raises(EvidenceFormatError, match=member):
        header_from_rpc({**HEADERS[0]["block"], member: value})


def test_member_longer_than_any_is_not_even_read() -> None:
    for digits in (1, 2):
        text = "0x" + "0" * (2 * MAX_HEADER_SIZE + digits)
        with pytest.raises(EvidenceFormatError, match="extraData has more than 32768 bytes"):
            header_from_rpc({**HEADERS[0]["block"], "extraData": text})


def test_empty_block_is_malformed() -> None:
    with pytest.raises(EvidenceFormatError, match="parentHash is missing"):
        header_from_rpc({})


def test_leading_zeros_of_numbers_are_dropped() -> None:
    # Not proper JSON-RPC, but some nodes write it, and only the hash decides.
    block = HEADERS[0]["block"]
    assert header_from_rpc({**block, "gasLimit": "0x000" + block["gasLimit"][2:]}) == header_from_rpc(block)


def test_vectors_are_in_order_of_forks() -> None:
    counts = [len(rlp.decode(parse_hex(vector["header"]))) for vector in HEADERS]
    assert all(earlier <= later for earlier, later in pairwise(counts))
    assert (counts[0], counts[-1]) == (15, 23)


@pytest.mark.parametrize("number", [0, 1, 0x7F, 0x80, 2**64 - 1])
def test_number_and_time_of_any_size_are_read(number: int) -> None:
    content = [number.to_bytes((number.bit_length() + 7) // 8, "big"), (number // 2).to_bytes(8, "big").lstrip(b"\0")]
    header = header_of((8, content[0]), (11, content[1]))
    read = check_header(header, hash_of(header))
    assert (read.number, read.timestamp) == (number, number // 2)


@pytest.mark.parametrize("quantity", ["0x0", "0x1", "0x7f", "0x80", "0xff", "0x100", "0x" + "f" * 64])
def test_quantities_of_any_size_are_written(quantity: str) -> None:
    block = {**HEADERS[0]["block"], "difficulty": quantity}
    assert int.from_bytes(rlp.decode(header_from_rpc(block))[7], "big") == int(quantity, 16)


def test_upper_case_hex_is_read() -> None:
    block = HEADERS[0]["block"]
    upper = {
        **block,
        "parentHash": "0x" + block["parentHash"][2:].upper(),
        "number": "0x" + block["number"][2:].upper(),
    }
    assert header_from_rpc(upper) == header_from_rpc(block)


def test_members_that_are_no_header_fields_are_left_out() -> None:
    block = HEADERS[0]["block"]
    assert header_from_rpc({**block, "size": "0x1", "uncles": []}) == header_from_rpc(block)


@pytest.mark.parametrize("member", [name for name in HEADERS[0]["block"] if name not in {"hash", "size", "uncles"}])
def test_each_field_of_the_first_headers_is_needed(member: str) -> None:
    block = {name: value for name, value in HEADERS[0]["block"].items() if name != member}
    with pytest.raises(EvidenceFormatError, match=f"{member} is missing"):
        header_from_rpc(block)
