"""ZIP archives and pictures with credentials in them, as people and programs make them, and as attackers do."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterable
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

ITXT_KEYWORD = b"openbadgecredential"
BADGE_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"


def zip_of(members: Iterable[tuple[str, bytes]], *, stored: bool = False) -> bytes:
    """An archive of these members, in order; a name may stand twice."""
    archive = io.BytesIO()
    with ZipFile(archive, "w", ZIP_STORED if stored else ZIP_DEFLATED) as zipped, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in members:
            zipped.writestr(name, data)
    return archive.getvalue()


def zip_with_link(name: str, target: str) -> bytes:
    """An archive with a symbolic link, as `zip --symlinks` makes it."""
    archive = io.BytesIO()
    with ZipFile(archive, "w") as zipped:
        info = ZipInfo(name)
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        zipped.writestr(info, target)
    return archive.getvalue()


def encrypted(archive: bytes) -> bytes:
    """The archive with its members flagged as encrypted, both where they stand and in the table of contents."""
    changed = bytearray(archive)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := archive.find(mark, at + 1)) >= 0:
            changed[at + place] |= 1
    return bytes(changed)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(*credentials: bytes, compressed: bool = False) -> bytes:
    """A picture of one black point, with credentials baked in."""
    picture = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    for each in credentials:
        text = zlib.compress(each) if compressed else each
        picture += chunk(b"iTXt", ITXT_KEYWORD + b"\x00" + bytes([compressed, 0]) + b"\x00\x00" + text)
    return picture + chunk(b"IDAT", zlib.compress(b"\x00\x00")) + chunk(b"IEND", b"")


def svg_of(*credentials: bytes, attributes: str = "") -> bytes:
    """A drawing with credentials baked in."""
    baked = b"".join(
        f"<openbadges:credential{attributes}><![CDATA[".encode() + each + b"]]></openbadges:credential>"
        for each in credentials
    )
    start = f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="{BADGE_NAMESPACE}">'
    return start.encode() + baked + b'<circle r="5"/></svg>'
