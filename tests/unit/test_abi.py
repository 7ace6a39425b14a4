"""Ethereum's ABI encoding: strict, where eth_abi is not. tests/property holds it against that."""

from typing import Any

import pytest
from eth_abi import abi as eth_abi

from anchor.abi import decode, encode
from anchor.errors import MalformedError


def data(*words: str) -> bytes:
    return bytes.fromhex("".join(word.rjust(64, "0") for word in words))


def test_text_is_encoded_like_bytes() -> None:
    assert encode(["string"], [b"did"]) == eth_abi.encode(["string"], ["did"])
    assert decode(["string"], encode(["string"], [b"\xff"])) == (b"\xff",)


def test_an_address_and_a_truth_value_fill_a_word_each() -> None:
    values = [b"\x11" * 20, True]
    encoded = encode(["address", "bool"], values)
    assert encoded == data("11" * 20, "1")
    assert decode(["address", "bool"], encoded) == tuple(values)


@pytest.mark.parametrize(
    ("types", "encoded", "said"),
    [
        (["uint8"], b"", "ends early"),
        (["uint8"], data("1")[:-1], "ends early"),
        (["uint8"], data("1", "1"), "bytes after the last value"),
        ([], b"\x00", "bytes after the last value"),
        (["uint8"], data("100"), "too large for a uint8"),
        (["bool"], data("2"), "too large for a bool"),
        (["address"], data("1" + "00" * 20), "more than 20 bytes"),
        (["bytes"], data("40", "0", "0"), "not where it belongs"),
        (["bytes"], data("0"), "not where it belongs"),
        (["bytes", "bytes"], data("40", "40", "0"), "not where it belongs"),
        (["bytes"], data("20"), "ends early"),
        (["bytes"], data("20", "1"), "ends early"),
        (["bytes"], data("20", "f" * 64), "ends early"),
        (["bytes"], data("20", "1", "ff" + "00" * 30 + "01"), "not padded with zeros"),
        (["uint16[]"], data("20", "2", "1"), "ends early"),
        (["uint16[]"], data("20", "f" * 64, "1"), "ends early"),
        (["uint16[]"], data("20", "1", "10000"), r"too large for a uint16\[\]"),
    ],
)
def test_other_bytes_are_refused(types: list[str], encoded: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        decode(types, encoded)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("uint8", 256, "256 is no number of 8 bits"),
        ("uint8", -1, "-1 is no number of 8 bits"),
        ("uint16[]", [1, 65_536], "65536 is no number of 16 bits"),
        ("bytes32", b"x" * 31, "expected 32 bytes, got 31"),
        ("address", b"x" * 21, "expected 20 bytes, got 21"),
    ],
)
def test_value_that_does_not_fit_is_refused(kind: str, value: Any, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        encode([kind], [value])


def test_one_value_for_each_type() -> None:
    with pytest.raises(ValueError, match="zip"):
        encode(["uint8"], [])
