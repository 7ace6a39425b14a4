"""Mappings that take little more memory than the bytes of their entries: millions of them, of which no object is kept.

Entries stand in a row, in the order in which they were put, as a dictionary has them. Where each one is, a table with
open addressing says, by Python's hash of the key's bytes: whoever chooses keys cannot choose their places in it.
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from array import array
from collections.abc import ItemsView, Iterator, MutableMapping, ValuesView
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_FIRST_PLACES: Final = 8
"""Always a power of two, and at most two thirds of them taken."""


class PackedMapping(MutableMapping[K, V]):
    """A mapping whose keys and values are kept as bytes, each of one length.

    Args:
        key_length: Bytes of a key.
        value_length: Bytes of a value.
    """

    def __init__(self, key_length: int, value_length: int) -> None:
        self._value_start: Final = 1 + key_length
        self._length: Final = 1 + key_length + value_length
        self._entries: Final = bytearray()
        """Of each entry a byte, 0 if it was taken out, its key, its value."""
        self._places = array("I", bytes(4 * _FIRST_PLACES))
        """Numbers of entries, from 1; 0: none."""
        self._count = 0

    @abstractmethod
    def key_to_bytes(self, key: K) -> bytes:
        """Write a key; raise `struct.error` if it is none that might be there."""

    @abstractmethod
    def key_of_bytes(self, data: bytes) -> K:
        """Read a key."""

    @abstractmethod
    def value_to_bytes(self, value: V) -> bytes:
        """Write a value."""

    @abstractmethod
    def value_of_bytes(self, data: bytes) -> V:
        """Read a value."""

    def __len__(self) -> int:
        return self._count

    def get(self, key: K, default: Any = None, /) -> Any:
        """Look up a value, in half the time that it takes `Mapping`."""
        try:
            start = self._find(self.key_to_bytes(key))
        except struct.error:
            # Too large for any entry: strangers' documents name such ones.
            return default
        if start is None:
            return default
        return self.value_of_bytes(bytes(self._entries[start + self._value_start : start + self._length]))

    def __getitem__(self, key: K) -> V:
        value: V | None = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        data, packed = self.key_to_bytes(key), self.value_to_bytes(value)
        if len(data) != self._value_start - 1:
            raise ValueError(f"a key has {self._value_start - 1} bytes, not {len(data)}")
        start = self._find(data)
        if start is not None:
            self._entries[start + self._value_start : start + self._length] = packed
            return
        self._entries.extend(b"\x01" + data + packed)
        self._count += 1
        number = len(self._entries) // self._length
        if 3 * number > 2 * len(self._places):
            self._grow()
        else:
            self._place(data, number)

    def __delitem__(self, key: K) -> None:
        start = self._find(self.key_to_bytes(key))
        if start is None:
            raise KeyError(key)
        self._entries[start] = 0
        self._count -= 1

    def __iter__(self) -> Iterator[K]:
        for start in self._starts():
            yield self.key_of_bytes(bytes(self._entries[start + 1 : start + self._value_start]))

    def items(self) -> ItemsView[K, V]:
        """Give the entries in order, each read once."""
        return _Items(self)

    def values(self) -> ValuesView[V]:
        """Give the values in order, likewise."""
        return _Values(self)

    def pairs(self) -> Iterator[tuple[K, V]]:
        """Go through the entries in order."""
        for start in self._starts():
            entry = bytes(self._entries[start : start + self._length])
            yield self.key_of_bytes(entry[1 : self._value_start]), self.value_of_bytes(entry[self._value_start :])

    def _starts(self) -> Iterator[int]:
        for start in range(0, len(self._entries), self._length):
            if self._entries[start]:
                yield start

    def _find(self, data: bytes) -> int | None:
        """Find where an entry begins."""
        places, last = self._places, len(self._places) - 1
        at = hash(data) & last
        while number := places[at]:
            start = (number - 1) * self._length
            if self._entries.startswith(data, start + 1) and self._entries[start]:
                return start
            at = (at + 1) & last
        return None

    def _place(self, data: bytes, number: int) -> None:
        places, last = self._places, len(self._places) - 1
        at = hash(data) & last
        while places[at]:
            at = (at + 1) & last
        places[at] = number

    def _grow(self) -> None:
        """Have twice as many places; entries that were taken out get none."""
        self._places = array("I", bytes(8 * len(self._places)))
        for start in self._starts():
            self._place(bytes(self._entries[start + 1 : start + self._value_start]), start // self._length + 1)


class _Items(ItemsView[K, V]):
    _mapping: PackedMapping[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping.pairs()


class _Values(ValuesView[V]):
    _mapping: PackedMapping[object, V]

    def __iter__(self) -> Iterator[V]:
        return (value for _, value in self._mapping.pairs())
