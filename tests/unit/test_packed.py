"""Mappings that keep bytes: whatever is done to one, it is as a dictionary."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchor.history import StatusWord
from anchor.model import Batch, Hash32, address, hash32
from anchor.replay_tables import PackedBatches, PackedWords

WORDS = st.builds(StatusWord, st.integers(0, 2), st.integers(0, 3), st.integers(0, 3))
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "put", "take out"]), WORDS, st.integers(0, 2**256 - 1)))


def batch(number: int, key: int = 1) -> Batch:
    return Batch(
        key=address(bytes([key]) * 20),
        anchored_at=2**40 - number,
        size=2**32 - 1 - number,
        revoked_reason=number % 8,
        revoked_epoch=2**16 - 1,
    )


def root(number: int) -> Hash32:
    return hash32(number.to_bytes(32, "big"))


@example(steps=[("put", StatusWord(0, 0, 0), 1), ("take out", StatusWord(0, 0, 0), 0)])
@given(steps=STEPS)
def test_it_is_as_a_dictionary(steps: list[tuple[str, StatusWord, int]]) -> None:
    table, plain = PackedWords(), dict[StatusWord, int]()
    for what, key, value in steps:
        if what == "put":
            table[key] = plain[key] = value
        elif key in plain:
            del table[key], plain[key]
        assert (key in table, table.get(key)) == (key in plain, plain.get(key))
    assert list(table) == list(plain)
    assert list(table.items()) == list(plain.items())
    assert list(table.values()) == list(plain.values())
    assert (len(table), len(table.items()), len(table.values())) == (len(plain),) * 3
    assert table == plain
    assert all(table[key] == value for key, value in plain.items())


def test_thousands_are_found_again_in_their_order() -> None:
    table = PackedBatches()
    plain = {root(number): batch(number, number % 3) for number in range(5_000)}
    table.update(plain)
    for number in range(0, 5_000, 7):
        del table[root(number)], plain[root(number)]
        table[root(number)] = plain[root(number)] = batch(number + 1)
    assert list(table.items()) == list(plain.items())
    assert all(table[key] == value for key, value in plain.items())
    assert root(5_000) not in table


def test_what_is_not_there_cannot_be_had_or_taken_out() -> None:
    table = PackedBatches()
    table[root(1)] = batch(1)
    del table[root(1)]
    with pytest.raises(KeyError):
        table[root(1)]
    with pytest.raises(KeyError):
        del table[root(1)]
    assert (len(table), list(table)) == (0, [])


@pytest.mark.parametrize("key", [b"", b"\x01" * 31, b"\x01" * 33])
def test_key_of_another_length_is_refused(key: bytes) -> None:
    table = PackedBatches()
    with pytest.raises(ValueError, match="32 bytes"):
        table[Hash32(key)] = batch(1)


def test_key_that_cannot_be_there_is_not_there() -> None:
    table = PackedWords()
    table[StatusWord(0, 0, 0)] = 1
    for key in (StatusWord(0, 2**32, 0), StatusWord(-1, 0, 0), StatusWord(0, 0, 2**300)):
        assert (key in table, table.get(key, 7)) == (False, 7)


def test_number_that_no_contract_has_is_refused() -> None:
    words, batches = PackedWords(), PackedBatches()
    with pytest.raises(struct.error):
        words[StatusWord(0, 0, 2**16)] = 1
    with pytest.raises(OverflowError):
        words[StatusWord(0, 0, 0)] = 2**256
    with pytest.raises(struct.error):
        batches[root(1)] = batch(-1)
    assert not words
    assert not batches
