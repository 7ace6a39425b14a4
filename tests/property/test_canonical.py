"""Canonical bytes: the fast encoder, rfc8785 and a second parse agree on everything the strict parser accepts."""

import json
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from anchor.canonical import canonicalize, parse_document
from anchor.errors import CredentialFormatError

NONCHARACTERS = {chr(plane + low) for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF)}
NONCHARACTERS |= {chr(code) for code in range(0xFDD0, 0xFDF0)}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NONCHARACTERS), max_size=12)
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer() or abs(x) < 2**53)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | FRACTIONS | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
OBJECTS = st.dictionaries(TEXTS.filter(lambda key: key != "proof"), VALUES, max_size=5)


@given(value=OBJECTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 3]))
def test_every_writing_of_a_value_has_the_bytes_of_rfc8785(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert parse_document(text.encode()).canonical_bytes() == rfc8785.dumps(value)


@given(value=OBJECTS)
def test_canonical_bytes_are_their_own_canonical_form(value: Any) -> None:
    once = canonicalize(value)
    assert parse_document(once).canonical_bytes() == once


@given(data=st.binary(max_size=60) | OBJECTS.map(lambda value: json.dumps(value).encode()), cut=st.data())
def test_any_bytes_are_parsed_or_refused_in_words(data: bytes, cut: st.DataObject) -> None:
    damaged = bytearray(data)
    if damaged:
        damaged[cut.draw(st.integers(0, len(damaged) - 1))] = cut.draw(st.integers(0, 255))
    try:
        document = parse_document(bytes(damaged))
    except CredentialFormatError:
        return
    assert parse_document(document.canonical_bytes()).canonical_bytes() == document.canonical_bytes()
