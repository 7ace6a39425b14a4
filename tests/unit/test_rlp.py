"""RLP as far as headers and tries need it, held against the published tests."""

from typing import Any

import pytest
import rlp

from anchor.errors import StateProofError
from anchor.model import parse_hex
from anchor.state_proof import (
    _encode_list,
    _encode_string,
    _read_string,
    _split_list,
)
from tests.support.published import read_vectors


def decode(item: bytes) -> Any:
    return [decode(each) for each in _split_list(item)] if item[:1] >= b"\xc0" else _read_string(item)


def encode(value: Any) -> bytes:
    if isinstance(value, list):
        return _encode_list([encode(each) for each in value])
    if isinstance(value, int):
        return _encode_string(value.to_bytes((value.bit_length() + 7) // 8, "big"))
    return _encode_string(value)


def published(value: Any) -> Any:
    """What rlptest.json means: texts are bytes, '#' starts a big number."""
    if isinstance(value, list):
        return [published(each) for each in value]
    if isinstance(value, str):
        return int(value[1:]) if value.startswith("#") else value.encode()
    return value


@pytest.mark.parametrize(
    ("value", "encoded"),
    [pytest.param(each["in"], each["out"], id=name) for name, each in read_vectors("eth/rlptest.json").items()],
)
def test_published_rlp(value: Any, encoded: str) -> None:
    item = parse_hex(encoded)
    assert encode(published(value)) == item
    assert encode(decode(item)) == item


@pytest.mark.parametrize("name", list(read_vectors("eth/rlpexample.json")))
def test_published_example_is_rlp(name: str) -> None:
    item = parse_hex(read_vectors("eth/rlpexample.json")[name]["out"])
    assert encode(decode(item)) == item
    assert rlp.decode(item) == decode(item)


@pytest.mark.parametrize(
    "encoded", [pytest.param(each["out"], id=name) for name, each in read_vectors("eth/invalidRLPTest.json").items()]
)
def test_published_invalid_rlp_is_refused(encoded: str) -> None:
    with pytest.raises(StateProofError):
        decode(parse_hex(encoded if encoded.startswith("0x") else "0x" + encoded))


@pytest.mark.parametrize("size", [0, 1, 55, 56, 255, 256, 65_535, 65_536])
def test_rlp_lengths(size: int) -> None:
    content = b"\x80" * size
    assert _encode_string(content) == rlp.encode(content)
    assert _encode_list([b"\x01"] * size) == rlp.encode([b"\x01"] * size)
    assert decode(rlp.encode(content)) == content


def test_longest_string_there_could_be_is_no_list() -> None:
    with pytest.raises(StateProofError, match="expected a list"):
        _split_list(b"\xbf")
    with pytest.raises(StateProofError, match="an item is longer than what holds it"):
        _read_string(b"\xbf" + b"\x01" * 8)


def test_depth_costs_nothing() -> None:
    deep = b"\xc0"
    for _ in range(5_000):
        deep = _encode_list([deep])
    assert len(_split_list(deep)) == 1


@pytest.mark.parametrize(
    "item",
    [b"\xb7", b"\xb8", b"\xf7", b"\xf8", b"\xb8\x38" + b"x" * 55, b"\xf8\x38" + b"x" * 55, b"\xb9\x00\x38" + b"x" * 56],
    ids=bytes.hex,
)
def test_length_that_leads_beyond_the_end_or_is_not_shortest_is_refused(item: bytes) -> None:
    with pytest.raises(StateProofError):
        decode(item[:60])


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x7f", b"\x80", b"\x00\x00", b"x" * 55, b"x" * 56])
def test_strings_and_lists_of_them(content: bytes) -> None:
    assert _read_string(rlp.encode(content)) == content
    assert _split_list(rlp.encode([content, content])) == [rlp.encode(content)] * 2
    assert _encode_string(content) == rlp.encode(content)
