"""Ethereum's ABI encoding, held against eth_abi."""

from typing import Any

from eth_abi import abi as eth_abi
from hypothesis import given
from hypothesis import strategies as st

from anchor.abi import decode, encode
from anchor.errors import MalformedError

NUMBERS = {f"uint{bits}": st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 40, 256)}
KINDS: dict[str, st.SearchStrategy[Any]] = {
    **NUMBERS,
    **{f"{kind}[]": st.lists(number, max_size=4).map(tuple) for kind, number in NUMBERS.items()},
    "bool": st.booleans(),
    "bytes32": st.binary(min_size=32, max_size=32),
    "address": st.binary(min_size=20, max_size=20),
    "bytes": st.binary(max_size=70),
}
TYPED = st.lists(st.sampled_from(sorted(KINDS)), max_size=6).flatmap(
    lambda types: st.tuples(st.just(types), st.tuples(*(KINDS[kind] for kind in types)))
)


@given(TYPED)
def test_encoding_is_that_of_eth_abi_and_decodes_to_the_same(typed: tuple[list[str], tuple[Any, ...]]) -> None:
    types, values = typed
    encoded = encode(types, values)
    assert encoded == eth_abi.encode(types, values)
    assert decode(types, encoded) == values


@given(TYPED, st.data())
def test_what_decodes_is_the_one_encoding(typed: tuple[list[str], tuple[Any, ...]], more: st.DataObject) -> None:
    types, values = typed
    altered = bytearray(encode(types, values) + more.draw(st.binary(max_size=2)))
    for place in more.draw(st.lists(st.integers(0, max(len(altered) - 1, 0)), max_size=3)) if altered else []:
        altered[place] = more.draw(st.integers(0, 255))
    try:
        found = decode(types, bytes(altered))
    except MalformedError:
        return
    assert encode(types, found) == bytes(altered)
