"""Known blocks as a file, for verifiers without network (docs/spec/bundle.md, "Known blocks").

    {"format": "credanchor/known-blocks@v1", "blocks": {"eip155:1": ["0x…", "0x…"]}}

Whoever uses such a file believes that its author saw these blocks on their chains, and that they are final.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from anchor.canonical import JsonObject, parse_document
from anchor.errors import CredentialFormatError, MalformedError, PolicyFormatError
from anchor.model import KnownBlock
from anchor.policy import known_blocks_content, parse_known_blocks

FORMAT: Final = "credanchor/known-blocks@v1"
_MEMBERS: Final = frozenset({"format", "blocks"})


def parse_known_blocks_file(data: bytes) -> frozenset[KnownBlock]:
    """Read a file of known blocks.

    Raises:
        PolicyFormatError: It is not strict JSON, of another format or version, or has a member wrong, missing or
            unknown.
    """
    try:
        content = parse_document(data).value
    except CredentialFormatError as error:
        raise PolicyFormatError(f"the file of known blocks is not strict JSON: {error}") from error
    if content.get("format") != FORMAT or content.keys() != _MEMBERS:
        raise PolicyFormatError(f"a file of known blocks has exactly a format, {FORMAT}, and blocks")
    try:
        return parse_known_blocks(content["blocks"])
    except MalformedError as error:
        raise PolicyFormatError(f"the file of known blocks is not usable: {error}") from error


def known_blocks_file(blocks: Iterable[KnownBlock]) -> JsonObject:
    """Give the content of a file of known blocks."""
    return {"format": FORMAT, "blocks": known_blocks_content(frozenset(blocks))}


def known_blocks_to_text(blocks: Iterable[KnownBlock]) -> str:
    """Write a file of known blocks; `parse_known_blocks_file` reads the same ones back."""
    return json.dumps(known_blocks_file(blocks), indent=2) + "\n"
