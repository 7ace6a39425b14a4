"""Images inside a file: data URIs (RFC 2397) made, and judged by what their bytes are, not by what they say."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_EMBEDDED_BYTES: Final = 64 * 1024
"""A larger one is worth a warning: each credential of a batch carries it."""

MAX_IMAGE_BYTES: Final = 512 * 1024
"""A larger file is not embedded at all: a credential has at most 1 MiB."""

_DATA_URI: Final = re.compile(r"data:(?P<kind>[^,;]*)(?P<parameters>(?:;[^,;]*)*),(?P<content>.*)", re.DOTALL)
_STARTS: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_SVG: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg[\s>]", re.DOTALL | re.IGNORECASE
)


def image_kind(data: bytes) -> str | None:
    """Tell an image by its first bytes: PNG, JPEG, GIF, WebP or SVG; None if it is none of them."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if _SVG.match(data):
        return "image/svg+xml"
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)


def make_data_uri(data: bytes, kind: str) -> str:
    """Put an image of a known kind into a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def data_uri_fault(uri: str) -> str | None:
    """Say why a `data:` URI holds no image that everybody can show; None when it does."""
    found = _DATA_URI.fullmatch(uri)
    if found is None:
        return "is no data URI: it has no comma before its content"
    try:
        content = unquote_to_bytes(found["content"])
        if ";base64" in found["parameters"].lower():
            content = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return "is not base64 as it says"
    kind = image_kind(content)
    if kind is None:
        return "holds no image: not PNG, SVG, JPEG, GIF or WebP"
    if found["kind"].lower() != kind:
        return f"says it is {found['kind'] or 'text'} and holds {kind}"
    return None
