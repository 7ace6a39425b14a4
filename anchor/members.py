"""Members of the documents that are signed (receipts, trust lists, audit statements), read strictly, one by one.

Upholds: each has the kind its format says, or the document is refused, in words that name the member.
"""

from __future__ import annotations

import re
from typing import Any, Final

from anchor.canonical import MAX_DOCUMENT_BYTES, Document, JsonObject, parse_document
from anchor.errors import CredentialFormatError, SignedFormatError
from anchor.model import Basis, Hash32, RegistryId, Vouching, hash32, parse_hex, to_hex

_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_BLOCK_MEMBERS: Final = frozenset({"registry", "number", "hash", "at", "vouching", "vouchedBy", "nodesAsked"})
_NONE: Final[frozenset[str]] = frozenset()


def parse_members(
    data: bytes,
    form: str,
    members: frozenset[str],
    *,
    optional: frozenset[str] = _NONE,
    max_bytes: int = MAX_DOCUMENT_BYTES,
) -> Document:
    """Read a file of one of these formats, as far as naming its members.

    Args:
        data: The file.
        form: What its member `format` must say.
        members: Those that it must have.
        optional: Those that it may have besides; no others.
        max_bytes: How long it may be.

    Raises:
        SignedFormatError: It is not strict JSON, of another format, or lacks members or has unknown ones.
    """
    try:
        document = parse_document(data, max_bytes=max_bytes)
    except CredentialFormatError as error:
        raise SignedFormatError(f"the file is not strict JSON: {error}") from error
    if document.value.get("format") != form:
        raise SignedFormatError(f"the file's format must be {form}")
    check_members(document.value, members, form, optional=optional)
    return document


def check_members(value: Any, members: frozenset[str], what: str, *, optional: frozenset[str] = _NONE) -> None:
    """Check that something is an object with these members and no others."""
    if not isinstance(value, dict) or not members <= value.keys() <= members | optional:
        raise SignedFormatError(f"{what} must be an object with exactly the members {', '.join(sorted(members))}")


def list_of(content: JsonObject, name: str) -> list[Any]:
    """Read a list of whatever."""
    value = content[name]
    if not isinstance(value, list):
        raise SignedFormatError(f"{name} must be a list")
    return value


def texts_of(content: JsonObject, name: str) -> list[str]:
    """Read a list of texts."""
    value = list_of(content, name)
    if not all(isinstance(each, str) for each in value):
        raise SignedFormatError(f"{name} must be a list of texts")
    return value


def text_of(content: JsonObject, name: str) -> str:
    """Read text; empty where the member is absent, which only an optional one can be."""
    value = content.get(name, "")
    if not isinstance(value, str):
        raise SignedFormatError(f"{name} must be text")
    return value


def whole_of(content: JsonObject, name: str, *, least: int = 0) -> int:
    """Read a whole number, written without fraction or exponent."""
    value = content[name]
    if type(value) is not int or value < least:
        raise SignedFormatError(f"{name} must be a whole number from {least}")
    return value


def whole_or_none_of(content: JsonObject, name: str) -> int | None:
    """Read a whole number from 0, or null."""
    return None if content[name] is None else whole_of(content, name)


def hash_of(content: JsonObject, name: str) -> Hash32:
    """Read 32 bytes in lower-case hex."""
    value = content[name]
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        raise SignedFormatError(f"{name} must be 0x and 64 lower-case hex digits")
    return hash32(parse_hex(value))


def block_content(basis: Basis) -> JsonObject:
    """Write down a block that something rests on, and what vouched for it."""
    return {
        "registry": basis.registry.to_text(),
        "number": basis.block_number,
        "hash": to_hex(basis.block_hash),
        "at": basis.block_at,
        "vouching": basis.vouching.value,
        "vouchedBy": list(basis.vouched_by),
        "nodesAsked": basis.nodes_asked,
    }


def block_of(content: Any) -> Basis:
    """Read what `block_content` wrote."""
    check_members(content, _BLOCK_MEMBERS, "a block")
    try:
        registry, vouching = RegistryId.parse(text_of(content, "registry")), Vouching(content["vouching"])
    except ValueError as error:
        raise SignedFormatError("a block has no such registry or nothing that could vouch for it") from error
    return Basis(
        registry=registry,
        block_number=whole_of(content, "number"),
        block_hash=hash_of(content, "hash"),
        block_at=whole_of(content, "at"),
        vouching=vouching,
        vouched_by=tuple(texts_of(content, "vouchedBy")),
        nodes_asked=whole_of(content, "nodesAsked"),
    )
