"""Tries built by the `trie` package: what they hold is proven, and no falsified proof ever gives another value."""

from collections.abc import Sequence
from random import Random

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from anchor.errors import StateProofError
from anchor.model import Hash32, address, hash32
from anchor.state_proof import (
    Account,
    _encode_list,
    _encode_string,
    _read_string,
    _split_list,
    _walk,
    check_account,
    check_header,
    check_storage,
)

words = st.integers(1, 2**256 - 1) | st.sampled_from([1, 0x7F, 0x80, 255, 256, 2**255])
slots = st.binary(min_size=32, max_size=32).map(hash32)
storages = st.dictionaries(slots, words, max_size=40)

# Keys that are no hashes share long beginnings: deep tries with extensions and nodes embedded in their parents.
near_keys = st.builds(
    lambda start, place, end: (start * 32)[:place] + end + bytes(32)[: 32 - place - len(end)],
    st.sampled_from([b"\x00", b"\x11", b"\xab"]),
    st.integers(0, 30),
    st.binary(min_size=1, max_size=2),
)
near_tries = st.dictionaries(near_keys, st.binary(min_size=1, max_size=40), min_size=1, max_size=20)


def build(entries: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    return trie


def prove(trie: HexaryTrie, key: bytes) -> list[bytes]:
    return [rlp.encode(node) for node in trie.get_proof(key)]


def outcome(root: Hash32, key: bytes, nodes: Sequence[bytes]) -> bytes | type[StateProofError] | None:
    try:
        return _walk(root, key, nodes)
    except StateProofError:
        return StateProofError


@given(storage=storages, other=slots)
def test_what_a_storage_trie_holds_is_proven(storage: dict[Hash32, int], other: Hash32) -> None:
    trie = build({keccak(slot): rlp.encode(value) for slot, value in storage.items()})
    root = hash32(trie.root_hash)
    for slot in [*storage, other]:
        assert check_storage(root, slot, prove(trie, keccak(slot))) == storage.get(slot, 0)


@given(
    accounts=st.dictionaries(
        st.binary(min_size=20, max_size=20).map(address),
        st.builds(Account, nonce=st.integers(0, 2**64 - 1), balance=words, storage_root=slots, code_hash=slots),
        max_size=20,
    ),
    other=st.binary(min_size=20, max_size=20).map(address),
)
def test_what_a_state_trie_holds_is_proven(accounts: dict[bytes, Account], other: bytes) -> None:
    trie = build(
        {
            keccak(each): rlp.encode([account.nonce, account.balance, account.storage_root, account.code_hash])
            for each, account in accounts.items()
        }
    )
    for each in [*accounts, other]:
        proven = check_account(hash32(trie.root_hash), address(each), prove(trie, keccak(each)))
        assert proven == accounts.get(each)


@given(entries=near_tries, other=near_keys, order=st.randoms(use_true_random=False))
def test_deep_tries_are_walked_whatever_the_order_of_nodes(
    entries: dict[bytes, bytes], other: bytes, order: Random
) -> None:
    trie = build(entries)
    for key in [*entries, other]:
        nodes = prove(trie, key)
        order.shuffle(nodes)
        assert _walk(hash32(trie.root_hash), key, nodes) == entries.get(key)
        # Embedded nodes need no place of their own.
        assert _walk(hash32(trie.root_hash), key, [node for node in nodes if len(node) >= 32 or len(nodes) == 1]) == (
            entries.get(key)
        )


@given(entries=near_tries, other=near_keys, data=st.data())
def test_no_flipped_bit_gives_another_value(entries: dict[bytes, bytes], other: bytes, data: st.DataObject) -> None:
    trie = build(entries)
    key = data.draw(st.sampled_from([*entries, other]))
    nodes = prove(trie, key)
    index = data.draw(st.integers(0, len(nodes) - 1))
    altered = bytearray(nodes[index])
    bit = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[bit // 8] ^= 1 << bit % 8
    nodes[index] = bytes(altered)
    assert outcome(hash32(trie.root_hash), key, nodes) in (entries.get(key), StateProofError)


@given(entries=near_tries, other=near_keys, data=st.data())
def test_no_missing_node_gives_another_value(entries: dict[bytes, bytes], other: bytes, data: st.DataObject) -> None:
    trie = build(entries)
    key = data.draw(st.sampled_from([*entries, other]))
    nodes = prove(trie, key)
    gone = nodes.pop(data.draw(st.integers(0, len(nodes) - 1)))
    needed = len(gone) >= 32 or keccak(gone) == trie.root_hash
    expected = StateProofError if needed else entries.get(key)
    assert outcome(hash32(trie.root_hash), key, nodes) == expected


@given(entries=near_tries, data=st.data())
def test_no_nodes_of_other_keys_or_tries_give_another_value(entries: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = build(entries)
    foreign = build(dict.fromkeys(entries, b"forged"))
    pool = [node for each in entries for node in prove(trie, each) + prove(foreign, each)]
    nodes = data.draw(st.lists(st.sampled_from(pool), max_size=65))
    key = data.draw(st.sampled_from(list(entries)))
    assert outcome(hash32(trie.root_hash), key, nodes) in (entries[key], StateProofError)


@given(nodes=st.lists(st.binary(max_size=100), min_size=1, max_size=5), key=slots)
def test_rubbish_under_its_own_hash_is_refused_in_our_own_words(nodes: list[bytes], key: Hash32) -> None:
    assert outcome(hash32(keccak(nodes[0])), key, nodes) in (None, StateProofError)


items = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=20), max_leaves=40)


def decode(item: bytes) -> object:
    return [decode(each) for each in _split_list(item)] if item[:1] >= b"\xc0" else _read_string(item)


def encode(value: object) -> bytes:
    if isinstance(value, list):
        return _encode_list([encode(each) for each in value])
    assert isinstance(value, bytes)
    return _encode_string(value)


@given(item=items)
def test_rlp_is_that_of_the_rlp_package(item: object) -> None:
    encoded = rlp.encode(item)
    assert encode(item) == encoded
    assert decode(encoded) == item


@given(data=st.binary(max_size=40) | items.map(rlp.encode), place=st.integers(0, 300), byte=st.integers(0, 255))
def test_rlp_refuses_what_the_rlp_package_refuses(data: bytes, place: int, byte: int) -> None:
    changed = data[: place % (len(data) + 1)] + bytes([byte]) + data[place % (len(data) + 1) + 1 :]
    try:
        expected = rlp.decode(changed)
    except rlp.DecodingError:
        with pytest.raises(StateProofError):
            decode(changed)
    else:
        assert decode(changed) == expected


@given(header=st.binary(max_size=700), other=slots)
def test_only_the_hash_makes_a_header(header: bytes, other: Hash32) -> None:
    assume(keccak(header) != other)
    with pytest.raises(StateProofError, match="does not hash"):
        check_header(header, other)
