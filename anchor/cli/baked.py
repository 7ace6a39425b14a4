"""Badges that are pictures: the credential that is baked into a PNG or SVG (Open Badges 3.0 section 5.3).

    PNG   an iTXt chunk with the keyword `openbadgecredential`, not compressed; its text is the credential
    SVG   an element `credential` of the namespace `https://purl.imsglobal.org/ob/v3p0`; likewise

Upholds: a picture with two credentials in it is refused, for readers would differ on which counts.
"""

from __future__ import annotations

import codecs
import re
from typing import Final
from xml.parsers import expat

from anchor.errors import CredentialFormatError

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PHOTOGRAPH: Final = re.compile(rb"\xff\xd8|GIF8|RIFF.{4}WEBP", re.DOTALL)
"""JPEG, GIF, WebP: no credential is ever in them."""
MAX_PICTURE_BYTES: Final = 10 * 2**20
"""Badges are drawings of some kilobytes; a photograph is looked at in a moment."""

_KEYWORD: Final = b"openbadgecredential"
_NAMESPACE: Final = "https://purl.imsglobal.org/ob/v3p0"
_ELEMENT: Final = f"{_NAMESPACE} credential"
_ENCODINGS: Final = frozenset({"utf-8", "us-ascii", "iso-8859-1"})
"""Others are known to some readers of XML, and not to all."""
_XML_SPACE: Final = " \t\r\n"
_CHUNK_FRAME_BYTES: Final = 12
"""Of a PNG chunk: length, type, and checksum after the data (PNG section 5.3)."""


def is_picture(start: bytes) -> bool:
    """Tell a picture, or something else in XML or HTML, by its start."""
    is_binary = start.startswith(_PNG_START) or _PHOTOGRAPH.match(start) is not None
    return is_binary or start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<"


def baked_credential(picture: bytes) -> bytes | None:
    """Give the credential that a PNG or SVG has in it; None if it has none.

    Raises:
        CredentialFormatError: It has more than one, or one in a form that Open Badges does not know; or the picture is
            damaged or too large.
    """
    if len(picture) > MAX_PICTURE_BYTES:
        raise CredentialFormatError(f"the picture has more than {MAX_PICTURE_BYTES} bytes")
    if _PHOTOGRAPH.match(picture) is not None:
        return None
    found = _in_png(picture) if picture.startswith(_PNG_START) else _in_svg(picture)
    if len(found) > 1:
        raise CredentialFormatError("the picture has more than one credential in it")
    return found[0] if found else None


def may_be_baked(picture: bytes) -> bool:
    """Tell a picture that is meant to have a credential in it from any other, even if it is damaged."""
    return _KEYWORD in picture or _NAMESPACE.encode() in picture


def _in_png(picture: bytes) -> list[bytes]:
    found, place = [], len(_PNG_START)
    while place < len(picture):
        length = int.from_bytes(picture[place : place + 4], "big")
        kind, data = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        if len(data) != length:
            raise CredentialFormatError("the picture is damaged: it ends too early")
        if kind == b"iTXt" and data.startswith(_KEYWORD + b"\x00"):
            found.append(_text_of(data[len(_KEYWORD) + 1 :]))
        place += _CHUNK_FRAME_BYTES + length
    return found


def _text_of(rest: bytes) -> bytes:
    """Give the text of an iTXt chunk: after compression flag, method, language tag and translated keyword."""
    flags, language_and_more = rest[:2], rest[2:].split(b"\x00", 2)
    if flags[:1] != b"\x00" or len(language_and_more) != 3:
        raise CredentialFormatError("the credential in the picture is compressed or damaged, which Open Badges forbids")
    return language_and_more[2]


def _in_svg(picture: bytes) -> list[bytes]:
    found: list[bytes] = []
    pieces: list[str] | None = None
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise CredentialFormatError("the picture declares entities, which can make it grow without end")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal pieces
        if name == _ELEMENT:
            if "verify" in attributes:
                raise CredentialFormatError("the credential in the picture is a signed token, which is not read here")
            pieces = []

    def text(piece: str) -> None:
        if pieces is not None:
            pieces.append(piece)

    def end(name: str) -> None:
        nonlocal pieces
        if name == _ELEMENT and pieces is not None:
            found.append("".join(pieces).strip(_XML_SPACE).encode())
            pieces = None

    def declare(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise CredentialFormatError(f"the encoding {encoding} of the picture is not read: save it as UTF-8")

    parser.XmlDeclHandler, parser.EntityDeclHandler = declare, refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(picture, True)
    except expat.ExpatError as error:
        raise CredentialFormatError("this is neither a credential nor a PNG or SVG picture that can be read") from error
    return found
