"""Ethereum's ABI encoding, as far as the registry's events use it (Solidity, "Contract ABI Specification").

    uint<N>, bool, bytes32, address    one word of 32 bytes, big-endian
    string, bytes                      in the tail: length, content, zeros up to a whole word
    uint<N>[]                          in the tail: length, one word each

Upholds: one value has one encoding. What is decoded is byte for byte what `encode` writes: words without stray bits,
tails in order and without gaps, nothing behind them. A decoder that is looser would let one event pass as another.

Our own, on purpose: an audit decodes every event there is, and `eth_abi` takes several times as long, lets other
encodings pass, and would be half of what a verifier has to install. Tests hold both equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from anchor.errors import MalformedError

_WORD: Final = 32
_DYNAMIC: Final = frozenset({"string", "bytes"})


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Encode values as `abi.encode` does.

    Args:
        types: Such as `uint32`, `address`, `uint16[]`.
        values: One for each: whole numbers, `bool`, bytes (for `bytes32`, `address`, `bytes` and `string`), or
            sequences of whole numbers.

    Raises:
        MalformedError: A value does not fit its type.
    """
    head, tail = bytearray(), bytearray()
    for kind, value in zip(types, values, strict=True):
        if is_dynamic(kind):
            head += _number(len(types) * _WORD + len(tail), 256)
            tail += _encode_dynamic(kind, value)
        else:
            head += _encode_word(kind, value)
    return bytes(head + tail)


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Decode what `encode` writes for these types, and nothing else.

    Raises:
        MalformedError: The bytes are not the one encoding of values of these types.
    """
    values: list[Any] = []
    end = len(types) * _WORD
    heads = _slice(data, 0, end)
    for index, kind in enumerate(types):
        word = heads[index * _WORD : (index + 1) * _WORD]
        if not is_dynamic(kind):
            values.append(_decode_word(kind, word))
        elif int.from_bytes(word, "big") != end:
            raise MalformedError(f"ABI: the content of a {kind} is not where it belongs")
        else:
            value, end = _decode_dynamic(kind, data, end)
            values.append(value)
    if end != len(data):
        raise MalformedError("ABI: bytes after the last value")
    return tuple(values)


@lru_cache
def is_dynamic(kind: str) -> bool:
    """Tell whether a type's values stand in the tail, where its word points to."""
    return kind in _DYNAMIC or kind.endswith("[]")


def _encode_dynamic(kind: str, value: Any) -> bytes:
    if kind.endswith("[]"):
        bits = _bits(kind.removesuffix("[]"))
        return _number(len(value), 256) + b"".join(_number(item, bits) for item in value)
    return _number(len(value), 256) + bytes(value) + bytes(-len(value) % _WORD)


def _decode_dynamic(kind: str, data: bytes, start: int) -> tuple[Any, int]:
    length, start = int.from_bytes(_slice(data, start, _WORD), "big"), start + _WORD
    if kind.endswith("[]"):
        bits, content = _bits(kind.removesuffix("[]")), _slice(data, start, length * _WORD)
        items = [int.from_bytes(content[place : place + _WORD], "big") for place in range(0, len(content), _WORD)]
        if any(item >> bits for item in items):
            raise MalformedError(f"ABI: a number is too large for a {kind}")
        return tuple(items), start + len(content)
    padded = _slice(data, start, length + -length % _WORD)
    if any(padded[length:]):
        raise MalformedError(f"ABI: a {kind} is not padded with zeros")
    return padded[:length], start + len(padded)


def _encode_word(kind: str, value: Any) -> bytes:
    match kind:
        case "address":
            return bytes(12) + _sized(value, 20)
        case "bytes32":
            return _sized(value, _WORD)
        case "bool":
            return _number(int(value), 1)
        case _:
            return _number(value, _bits(kind))


def _decode_word(kind: str, word: bytes) -> Any:
    match kind:
        case "address":
            if any(word[:12]):
                raise MalformedError("ABI: an address has more than 20 bytes")
            return word[12:]
        case "bytes32":
            return word
        case "bool":
            return bool(_decode_number(word, 1, kind))
        case _:
            return _decode_number(word, _bits(kind), kind)


def _decode_number(word: bytes, bits: int, kind: str) -> int:
    number = int.from_bytes(word, "big")
    if number >> bits:
        raise MalformedError(f"ABI: a number is too large for a {kind}")
    return number


@lru_cache
def _bits(kind: str) -> int:
    return int(kind.removeprefix("uint"))


def _number(value: int, bits: int) -> bytes:
    if not 0 <= value < 1 << bits:
        raise MalformedError(f"ABI: {value} is no number of {bits} bits")
    return value.to_bytes(_WORD, "big")


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise MalformedError(f"ABI: expected {size} bytes, got {len(value)}")
    return value


def _slice(data: bytes, start: int, length: int) -> bytes:
    if length > len(data) - start:
        raise MalformedError("ABI: the encoding ends early")
    return data[start : start + length]
