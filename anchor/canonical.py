"""Strict JSON in, canonical bytes and leaf hashes out (design section 4, docs/adr/0005).

Two readers of one file must never see two credentials. So the parser refuses whatever JSON implementations
are known to read differently: duplicate keys, numbers that do not survive a double, lone surrogates,
noncharacters, a byte order mark. What it accepts has exactly one canonical form (RFC 8785, JCS).

    >>> parse_document(b'{"b": 1.50, "a": "x", "proof": []}').canonical_bytes()
    b'{"a":"x","b":1.5}'

There is one strict reader, which decides. Before it, files written as nearly all are go through a quick one.

Upholds: the same bytes are accepted here and by the JavaScript verifier. Leaves to others: what the members mean.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import sha256
from math import isfinite
from typing import Any, Final, NoReturn

import orjson
import rfc8785

from anchor.errors import CredentialFormatError
from anchor.model import Hash32, StatusPosition

JsonObject = dict[str, Any]
"""A parsed JSON object; values are dict, list, str, int, float, bool or None."""

MAX_DOCUMENT_BYTES: Final = 1 << 20
"""Design section 4. Embedded images fit; a file made to exhaust memory does not."""
MAX_DEPTH: Final = 64
"""Design section 4; the document itself is depth 1. Far below every parser's own recursion limit."""
MAX_INTEGER: Final = 2**53 - 1
"""Largest integer that IEEE 754 doubles, hence RFC 8785, hold without gaps (RFC 8785 section 3.2.2.3)."""
LEAF_TAG: Final = b"\x00"
"""First byte of every leaf preimage; makes it 73 bytes, where a node's preimage is 64."""

_MAX_INTEGER_CHARACTERS: Final = len(str(-MAX_INTEGER))
_SMALLEST_PLAIN_FRACTION: Final = 1e-4
"""Below it encoders write an exponent; RFC 8785 section 3.2.2.3, which is ECMAScript's form, only below 1e-6."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# A string, or an opening (1) or closing bracket (2). Possessive quantifiers: an unterminated string must not make the
# scan quadratic.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)

# In UTF-8: U+FDD0 to U+FDEF, and the last two characters of each plane.
_NONCHARACTER = re.compile(rb"\xef\xb7[\x90-\xaf]|(?:\xef|[\xf0-\xf4][\x8f\x9f\xaf\xbf])\xbf[\xbe\xbf]")
_NONCHARACTER_FIRST_BYTES: Final = (0xEF, 0xF0, 0xF1, 0xF2, 0xF3, 0xF4)
"""Every noncharacter starts with one of these, few others do; to look for single bytes takes next to no time."""

# What the quick reader looks at.
_MAX_COMMON_STRUCTURE: Final = 4096
"""Bytes outside of strings; a credential has some hundreds."""
_BACKSLASH: Final = 0x5C
_ESCAPED_QUOTE_OR_BACKSLASH = re.compile(rb'\\["\\]')
_NUMBER = re.compile(rb"[-0-9][^,\]}]*")
# Thirteen digits at most, which a double keeps, and nothing below a ten-thousandth, where an exponent begins.
_COMMON_NUMBER = re.compile(rb"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{0,3}[1-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A strictly parsed JSON object. Only `parse_document` builds one."""

    value: JsonObject
    is_plain: bool
    """Keys and numbers are such that a quick encoder yields JCS: no rare character in a key, all numbers whole or
    fractions of common size."""

    def canonical_bytes(self) -> bytes:
        """Write the canonical bytes: RFC 8785 form without the top-level `proof`."""
        content = self.value.copy()
        content.pop("proof", None)
        if self.is_plain:
            # On its keys sorting by byte and by UTF-16 unit agree; tests hold both encoders equal.
            return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return canonicalize(content)


def parse_document(data: bytes, *, max_bytes: int | None = MAX_DOCUMENT_BYTES) -> Document:
    """Read one JSON object strictly.

    Args:
        data: UTF-8 without byte order mark.
        max_bytes: How long it may be; None: of any length, for what this program has just made.

    Raises:
        CredentialFormatError: The bytes break one of the rules of design section 4; the message says which.
    """
    if max_bytes is not None and len(data) > max_bytes:
        raise CredentialFormatError(f"the file has {len(data)} bytes; at most {max_bytes} are accepted")
    if data.startswith(_BYTE_ORDER_MARK):
        raise CredentialFormatError("the file starts with a byte order mark; JSON has none")
    return _read_quickly(data) or _read_strictly(data)


def canonicalize(value: JsonObject) -> bytes:
    """Write a JSON object in its RFC 8785 form.

    Raises:
        CredentialFormatError: The value has no such form: an integer too large, a lone surrogate, not JSON at all.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise CredentialFormatError(f"no canonical form: {error}") from error


def credential_hash(canonical: bytes) -> Hash32:
    """Hash canonical bytes with SHA-256; the contract's `verify` takes this hash."""
    return Hash32(sha256(canonical).digest())


def leaf_hash(content: Hash32, salt: Hash32, position: StatusPosition) -> Hash32:
    """Hash one credential into its leaf: SHA-256(0x00 ‖ salt ‖ list ‖ index ‖ credential hash), big-endian.

    Args:
        content: The credential hash.
        salt: 32 random bytes of this credential alone.
        position: Its status position, bound into the leaf so that no other can be claimed.
    """
    place = position.status_list.to_bytes(4, "big") + position.index.to_bytes(4, "big")
    return Hash32(sha256(LEAF_TAG + salt + place + content).digest())


def _read_quickly(data: bytes) -> Document | None:
    """Read a file that is written as nearly all are: on one line, nothing escaped without need, no rare numbers.

    It accepts nothing that `_read_strictly` refuses and reads nothing differently; tests hold both together. It gives
    None for whatever is uncommon in any way: the strict reader decides.
    """
    # Neither noncharacters, nor keys that UTF-8 and UTF-16 sort differently: those have characters beyond U+FFFF.
    if any(first in data for first in _NONCHARACTER_FIRST_BYTES):
        return None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    outside = _outside_strings(data)
    if len(outside) > _MAX_COMMON_STRUCTURE or not _is_common(outside):
        return None
    # The bytes are those that a value is written with. So no key is there twice, no character is escaped that could
    # hide a lone surrogate or noncharacter, and each number is the shortest writing of what was read.
    if not isinstance(value, dict) or orjson.dumps(value) != data.removesuffix(b"\n"):
        return None
    return Document(value=value, is_plain=True)


def _outside_strings(data: bytes) -> bytes:
    """Give what JSON text has outside of strings."""
    # Quotes stand around strings, so every other piece is outside of them, unless quotes are escaped. From the first of
    # those on it is the other way round: the second one ends a piece that then seems to be outside, with a backslash;
    # and without a second one the number of quotes is odd.
    pieces = data.split(b'"')
    outside = b"".join(pieces[::2])
    if len(pieces) % 2 == 0 or _BACKSLASH in outside:
        return b"".join(_ESCAPED_QUOTE_OR_BACKSLASH.sub(b"", data).split(b'"')[::2])
    return outside


@lru_cache(maxsize=1024)
def _is_common(outside: bytes) -> bool:
    """Tell whether a file is not nested too deep and has no rare numbers, by what it has outside of strings.

    The credentials of a batch have it in common, so it is looked at once.
    """
    if outside.count(b"{") + outside.count(b"[") > MAX_DEPTH:
        return False
    return all(map(_COMMON_NUMBER.fullmatch, _NUMBER.findall(outside)))


def _read_strictly(data: bytes) -> Document:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise CredentialFormatError(f"not UTF-8 at byte {error.start}") from error
    _check_depth(data, text)
    reader = _Reader()
    try:
        value = json.loads(
            text,
            object_pairs_hook=reader.read_object,
            parse_int=_read_integer,
            parse_float=reader.read_fraction,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise CredentialFormatError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    if not isinstance(value, dict):
        raise CredentialFormatError("expected a JSON object at the top level")
    _check_characters(data, value)
    return Document(value=value, is_plain=reader.is_plain)


class _Reader:
    """Hooks of one strict parse, and what they saw."""

    __slots__ = ("is_plain",)

    def __init__(self) -> None:
        self.is_plain = True

    def read_object(self, pairs: list[tuple[str, object]]) -> JsonObject:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise CredentialFormatError("an object has the same key twice; readers would differ on which one counts")
        if not all(map(str.isascii, members)):
            self.is_plain = False
        return members

    def read_fraction(self, text: str) -> float:
        number = float(text)
        if not isfinite(number):
            raise CredentialFormatError("a number is too large for a double")
        # Beyond it, all doubles are whole.
        if abs(number) > MAX_INTEGER:
            raise CredentialFormatError(f"a whole number is beyond {MAX_INTEGER}")
        try:
            exact = Decimal(text) == Decimal(repr(number))
        except InvalidOperation:
            exact = False
        if not exact:
            raise CredentialFormatError("a number has more digits than a double keeps; readers would differ on it")
        if number.is_integer() or abs(number) < _SMALLEST_PLAIN_FRACTION:
            self.is_plain = False
        return number


def _read_integer(text: str) -> int:
    # The length first: Python takes long over numbers of many digits, and refuses the longest in its own way.
    if len(text) > _MAX_INTEGER_CHARACTERS or abs(int(text)) > MAX_INTEGER:
        raise CredentialFormatError(f"a whole number is beyond {MAX_INTEGER}")
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise CredentialFormatError(f"{text} is not a JSON number")


def _check_depth(data: bytes, text: str) -> None:
    # Brackets within strings counted, too: most documents have few of them all the same.
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[1]:
            depth += 1
            if depth > MAX_DEPTH:
                raise CredentialFormatError(f"nested deeper than {MAX_DEPTH} levels")
        elif token[2]:
            depth -= 1


def _check_characters(data: bytes, value: JsonObject) -> None:
    """Refuse lone surrogates and noncharacters in any string of the document, escaped or not."""
    if b"\\" in data:
        data = _without_escapes(value)
    if any(first in data for first in _NONCHARACTER_FIRST_BYTES) and _NONCHARACTER.search(data) is not None:
        raise CredentialFormatError("a string has a Unicode noncharacter")


def _without_escapes(value: JsonObject) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise CredentialFormatError("a string has a lone surrogate") from error
