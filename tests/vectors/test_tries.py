"""Paths through a trie: a word, its absence, or neither, which shows nothing."""

from typing import Any

import pytest

from anchor.errors import StateProofError
from anchor.model import hash32
from anchor.state_proof import _read_string, _read_uint, _walk
from tests.vectors.reading import data, vectors

Json = dict[str, Any]


def value_of(vector: Json) -> bytes | None:
    """Walk the way of `check_storage`, which hashes a slot first; keys here are chosen, so hashed already."""
    return _walk(hash32(data(vector["root"])), data(vector["key"]), [data(node) for node in vector["nodes"]])


def word_of(vector: Json) -> int | None:
    value = value_of(vector)
    return None if value is None else _read_uint(_read_string(value), 32)


@pytest.mark.parametrize("vector", vectors("tries", "valid"))
def test_path_leads_to_this_value(vector: Json) -> None:
    assert value_of(vector) == (None if vector["value"] is None else data(vector["value"]))
    word_of(vector)


@pytest.mark.parametrize("vector", vectors("tries", "invalid"))
def test_path_shows_nothing(vector: Json) -> None:
    with pytest.raises(StateProofError):
        word_of(vector)
