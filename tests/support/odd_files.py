"""Files as a verifier is given them, good, odd and hostile: JSON, pictures and archives, each by what it is."""

from __future__ import annotations

import io
import json
import struct
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from anchor.model import RegistryId, address
from tests.support.archives import BADGE_NAMESPACE, chunk, encrypted, png_of, svg_of, zip_of, zip_with_link
from tests.support.issuing import make_batch
from tests.support.page_build import ROOT

REGISTRY: Final = RegistryId(chain_id=31337, address=address(b"\x77" * 20))
NAMES: Final = [
    "Zoë Tremblay",
    "ᐊᓇ ᐃᓄᒃ",
    "O'Brien <script>alert(1)</script>",
    '=HYPERLINK("https://evil.example")',
    "محمد",
]
EMAILS: Final = ["zoe@example.org", "ana@example.org", "ZOE@example.org ", "x@example.org", "İpek@example.org"]
DOCUMENTS: Final = make_batch(REGISTRY, 1, "did:web:college.example", NAMES, emails=EMAILS)[1]
FILES: Final = [json.dumps(each, ensure_ascii=False).encode() for each in DOCUMENTS]
GOOD: Final = FILES[0]
TAMPERED: Final = GOOD.replace(b"literacy", b"litercay")
BUNDLES: Final = json.loads((ROOT / "tests" / "vectors" / "bundle.json").read_text())
BUNDLE: Final = bytes.fromhex(BUNDLES["valid"][0]["bundle"][2:])
ATTRIBUTE: Final = "a{0}='1'"
SCOPE: Final = "<g xmlns:n{0}='urn:{0}'>"


def changed(**members: Any) -> bytes:
    """The good credential with other members."""
    return json.dumps({**DOCUMENTS[0], **members}).encode()


def subject(**members: Any) -> bytes:
    """The good credential with another subject."""
    return changed(credentialSubject={"type": ["AchievementSubject"], **members})


def svg(inside: str, *, declaration: str = '<?xml version="1.0"?>', encoding: str = "utf-8") -> bytes:
    """A drawing with this in it; `b:` is the badges' namespace, `o:` another one."""
    start = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="{BADGE_NAMESPACE}" xmlns:o="urn:other">'
    return f"{declaration}{start}{inside}</svg>".encode(encoding)


def cdata(content: bytes, name: str = "b:credential") -> str:
    """An element with this text as it stands."""
    return f"<{name}><![CDATA[{content.decode()}]]></{name}>"


def escaped(content: bytes) -> str:
    """Text as XML writes it."""
    return content.decode().replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def packed(name: str = "a.json", data: bytes = GOOD, method: int = ZIP_DEFLATED, **members: Any) -> bytes:
    """An archive of one member with these attributes."""
    archive = io.BytesIO()
    with ZipFile(archive, "w") as zipped:
        info = ZipInfo(name)
        info.compress_type = method
        for key, value in members.items():
            setattr(info, key, value)
        zipped.writestr(info, data)
    return archive.getvalue()


def patched(archive: bytes, mark: bytes, place: int, data: bytes) -> bytes:
    """The archive with other bytes some way after the first mark."""
    at = archive.index(mark) + place
    return archive[:at] + data + archive[at + len(data) :]


def lying_about_size(stated: int) -> bytes:
    """A member that unpacks to more, or less, than it says, in both places."""
    archive = packed(data=b" " * 3_000_000 + GOOD)
    size = struct.pack("<I", stated)
    return patched(patched(archive, b"PK\x03\x04", 22, size), b"PK\x01\x02", 24, size)


def json_files() -> dict[str, bytes]:
    """Files named `.json`."""
    return {
        "good": GOOD,
        "tampered": TAMPERED,
        "with space around": b" \n" + GOOD + b"\n",
        "byte order mark": b"\xef\xbb\xbf" + GOOD,
        "UTF-16": GOOD.decode().encode("utf-16"),
        "Latin-1": GOOD.decode().encode("latin-1"),
        "empty": b"",
        "white space": b" \n\t",
        "null bytes": b"\0" * 100,
        "array": b"[" + GOOD + b"]",
        "two objects": GOOD + GOOD,
        "cut short": GOOD[:-10],
        "comma at the end": GOOD[:-1] + b",}",
        "doubled key": b'{"type": "x", ' + GOOD[1:],
        "prototype": b'{"__proto__": {"x": 1}, ' + GOOD[1:],
        "constructor": b'{"constructor": {"prototype": {"type": "x"}}, "toString": 1, ' + GOOD[1:],
        "only a prototype": b'{"__proto__": ' + GOOD + b"}",
        "lone surrogate": changed(name="\ud800"),
        "noncharacter": changed(name="\uffff"),
        "deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "deep enough": changed(deep=json.loads("[" * 62 + "]" * 62)),
        "too deep": changed(deep=json.loads("[" * 64 + "]" * 64)),
        "large number": GOOD[:-1] + b', "n": 1e400}',
        "inexact number": GOOD[:-1] + b', "n": 9007199254740993}',
        "just too large": GOOD[:-1] + b', "pad": "' + b"x" * 1_048_576 + b'"}',
        "just small enough": GOOD[:-1] + b', "pad": "' + b"x" * (1_048_576 - len(GOOD) - 12) + b'"}',
        "50 MB": b'{"a": "' + b"x" * 50_000_000 + b'"}',
        "no type": b'{"name": "x"}',
        "type is an object": changed(type={"0": "VerifiableCredential"}),
        "type is text": changed(type="VerifiableCredential"),
        "no issuer": changed(issuer={}),
        "issuer is text": changed(issuer="did:web:college.example"),
        "issuer is a list": changed(issuer=["did:web:college.example"]),
        "name is an object": changed(name={"en": "x"}),
        "id is a number": changed(id=1),
        "bad date": changed(validFrom="yesterday"),
        "date without zone": changed(validFrom="2026-01-01T00:00:00"),
        "no proof": changed(proof=[]),
        "broken proof": changed(proof=[{**DOCUMENTS[0]["proof"][0], "proofValue": "zzz"}]),
        "no status": changed(credentialStatus=[]),
        "status is text": changed(credentialStatus="x"),
        "many holders": changed(credentialSubject=[DOCUMENTS[index]["credentialSubject"] for index in range(3)]),
        "holder by mailto": subject(id="MAILTO: zoe@EXAMPLE.org "),
        "holder in clear": subject(
            identifier={"identityType": "emailAddress", "hashed": False, "identityHash": " Zoe@Example.ORG"}
        ),
        "holder by MD5": subject(
            identifier=[
                {"identityType": "emailAddress", "hashed": True, "identityHash": "md5$" + "0" * 32, "salt": "x"}
            ]
        ),
        "holder by an unknown hash": subject(
            identifier=[{"identityType": "emailAddress", "hashed": True, "identityHash": "sha1$00", "salt": "x"}]
        ),
        "holder with a salt that is none": subject(
            identifier=[{"identityType": "emailAddress", "hashed": True, "identityHash": "sha256$00", "salt": 1}]
        ),
        "holder is text": changed(credentialSubject="zoe@example.org"),
        "holder's names": subject(
            identifier=[
                {"identityType": "name", "hashed": False, "identityHash": "Zoë"},
                {"identityType": "name", "hashed": True, "identityHash": "sha256$00"},
                {"identityType": "name", "hashed": False, "identityHash": {"x": 1}},
                {"identityType": "name", "hashed": False, "identityHash": "\u202eeoZ"},
            ]
        ),
        "web page": b"<!DOCTYPE html><p>Sign in",
        "PDF": b"%PDF-1.7\n",
        "token": b"eyJhbGciOiJFZERTQSJ9.eyJ2YyI6e319.c2ln",
        "policy": b'{"format": "credanchor/policy@v1", "registries": []}',
        "receipt": b'{"format": "credanchor/receipt@v1"}',
        "credential that says to be a policy": b'{"format": "credanchor/policy@v1", ' + GOOD[1:],
        "bundle": BUNDLE,
        "bundle in another order": json.dumps(dict(reversed(json.loads(BUNDLE).items()))).encode(),
        "bundle cut short": BUNDLE[:-20],
        "bundle that is none": b'{"format": "credanchor/bundle@v1"}',
        "bundle too large": b'{"format": "credanchor/bundle@v1", "pad": "' + b"x" * 17_000_000 + b'"}',
    }


def pictures() -> dict[str, bytes]:
    """Files with their whole names."""
    return {
        "good.png": png_of(GOOD),
        "tampered.png": png_of(TAMPERED),
        "none.png": png_of(),
        "two.png": png_of(GOOD, GOOD),
        "packed.png": png_of(GOOD, compressed=True),
        "cut.png": png_of(GOOD)[:200],
        "cut behind.png": png_of(GOOD)[:-3],
        "garbage behind.png": png_of(GOOD) + b"garbage that is no chunk",
        "endless.png": b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        "with language.png": png_of()[:-12]
        + chunk(b"iTXt", b"openbadgecredential\0\0\0fr\0titre\0" + GOOD)
        + chunk(b"IEND", b""),
        "other keyword.png": png_of()[:-12]
        + chunk(b"iTXt", b"openbadgecredentials\0\0\0\0\0" + GOOD)
        + chunk(b"IEND", b""),
        "version 2.png": png_of()[:-12] + chunk(b"iTXt", b"openbadges\0\0\0\0\0{}") + chunk(b"IEND", b""),
        "many chunks.png": png_of(GOOD)[:-12] + chunk(b"teXt", b"") * 50_000 + chunk(b"IEND", b""),
        "large.png": png_of() + b"\0" * 11_000_000,
        "large and baked.png": png_of(GOOD) + b"\0" * 11_000_000,
        "photo.jpg": b"\xff\xd8\xff\xe0" + b"\0" * 1_000,
        "photo.webp": b"RIFF\0\0\0\0WEBP" + b"\0" * 1_000,
        "photo named.json": b"GIF89a" + b"\0" * 1_000,
        "good.svg": svg_of(GOOD),
        "tampered.svg": svg_of(TAMPERED),
        "none.svg": svg_of(),
        "two.svg": svg_of(GOOD, GOOD),
        "token.svg": svg_of(b"", attributes=' verify="ey.J.x"'),
        "escaped.svg": svg(f"<b:credential>\n  {escaped(GOOD)}\n</b:credential>"),
        "in pieces.svg": svg(f"<b:credential>{escaped(GOOD[:100])}<![CDATA[{GOOD[100:].decode()}]]></b:credential>"),
        "by number.svg": svg(f"<b:credential>{''.join(f'&#{ord(each)};' for each in GOOD.decode())}</b:credential>"),
        "by surrogates.svg": svg("<b:credential>&#xD800;&#xDC00;</b:credential>"),
        "by zero.svg": svg("<b:credential>&#0;</b:credential>"),
        "with a comment.svg": svg(f"<b:credential><!-- x -->{escaped(GOOD)}<?x y?></b:credential>"),
        "own namespace.svg": svg(
            cdata(GOOD, "credential").replace("<credential", f'<credential xmlns="{BADGE_NAMESPACE}"', 1)
        ),
        "other namespace.svg": svg(cdata(GOOD, "o:credential")),
        "no namespace.svg": svg(cdata(GOOD, "credential")),
        "other prefix rebound.svg": svg(f'<o:g xmlns:b="urn:other">{cdata(GOOD)}</o:g>'),
        "prefix bound back.svg": svg(f'<o:g xmlns:b="urn:other"/>{cdata(GOOD)}'),
        "nested.svg": svg(f"<b:credential>{cdata(GOOD)}</b:credential>"),
        "other within.svg": svg(f"<b:credential><o:credential>{escaped(GOOD)}</o:credential></b:credential>"),
        "text behind other.svg": svg(f"<b:credential><o:credential/>{escaped(GOOD)}</b:credential>"),
        "entities.svg": svg("&a;", declaration='<!DOCTYPE svg [<!ENTITY a "ha">]>'),
        "parameter entities.svg": svg("", declaration='<!DOCTYPE svg [<!ENTITY % a "ha"> %a;]>'),
        "doctype.svg": svg(
            cdata(GOOD),
            declaration='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
        ),
        "unclosed.svg": svg(cdata(GOOD))[:-6],
        "unclosed element.svg": svg(f"<b:credential>{escaped(GOOD)}"),
        "two roots.svg": svg(cdata(GOOD)) + b"<svg/>",
        "Latin-1.svg": svg(cdata(GOOD), declaration='<?xml version="1.0" encoding="ISO-8859-1"?>', encoding="latin-1"),
        "not Latin-1.svg": svg(cdata(GOOD), declaration='<?xml version="1.0" encoding="ISO-8859-1"?>'),
        "odd encoding.svg": svg(cdata(GOOD), declaration='<?xml version="1.0" encoding="x-odd"?>'),
        "Windows.svg": svg(
            cdata(GOOD), declaration='<?xml version="1.0" encoding="windows-1252"?>', encoding="latin-1"
        ),
        "named UTF-8.svg": svg(cdata(GOOD), declaration="<?xml version='1.0' encoding='utf-8' standalone='no'?>"),
        "not UTF-8.svg": svg(cdata(GOOD), encoding="latin-1"),
        "byte order mark.svg": b"\xef\xbb\xbf" + svg_of(GOOD),
        "long attribute.svg": svg(f'<image href="data:image/png;base64,{"A" * 300_000}"/>{cdata(GOOD)}'),
        "long comment.svg": svg(f"<!--{'x' * 300_000}-->{cdata(GOOD)}"),
        "long doctype.svg": svg(cdata(GOOD), declaration=f"<!DOCTYPE svg [<!--{'x' * 300_000}-->]>"),
        "many attributes.svg": svg(f"<g {' '.join(map(ATTRIBUTE.format, range(50_000)))}/>{cdata(GOOD)}"),
        "many namespaces.svg": svg("".join(map(SCOPE.format, range(5_000))) + cdata(GOOD) + "</g>" * 5_000),
        "ampersands.svg": b"<svg>" + b"&" * 1_000_000,
        "open brackets.svg": b"<" * 1_000_000,
        "page.svg": b"<html><p>Sign in",
        "feed.json": b'<?xml version="1.0"?><rss/>',
    }


def archives() -> dict[str, bytes]:
    """Files named `.zip`."""
    return {
        "good": zip_of([(f"a/{index}.json", data) for index, data in enumerate(FILES)]),
        "stored": zip_of([("a.json", GOOD)], stored=True),
        "everything": zip_of(
            [(f"json/{name}.json", data) for name, data in json_files().items() if len(data) < 20_000]
            + [(f"pictures/{name}", data) for name, data in pictures().items() if len(data) < 20_000]
        ),
        "hidden": zip_of([("__MACOSX/._a.json", b"x"), (".git/a.json", b"x"), ("./a.json", GOOD), ("a/.b.json", b"x")]),
        "other files": zip_of([("readme.txt", b"x"), ("A.JSON", GOOD), ("list.csv", b"x"), ("b.jpg", b"\xff\xd8")]),
        "empty": zip_of([]),
        "without": zip_of([("readme.txt", b"x"), ("logo.png", png_of())]),
        "folder only": zip_of([("a/", b""), ("a.json/", b"")]),
        "bad names": zip_of(
            [(name, GOOD) for name in ("../a.json", "/a.json", "C:\\a.json", "a/../b.json", "\\a.json", "..\\a.json")]
        ),
        "strange names": zip_of(
            [("é.json", GOOD), ("<script>.json", GOOD), ("a\u202enosj.json", GOOD), ("a" * 300 + ".json", GOOD)]
        ),
        "name twice": zip_of([("a.json", GOOD), ("a.json", TAMPERED), ("b.json", GOOD)]),
        "link": zip_with_link("a.json", "/etc/passwd"),
        "device": packed(external_attr=0o020666 << 16, create_system=3),
        "folder that is named like a file": packed(external_attr=0o040755 << 16, create_system=3),
        "plain attributes": packed(external_attr=0o100644 << 16, create_system=3),
        "encrypted": encrypted(zip_of([("a.json", GOOD)])),
        "nested": zip_of([("a.zip", zip_of([("a.json", GOOD)])), ("b.json", GOOD)], stored=True),
        "nested under another name": zip_of([("a.json", zip_of([("a.json", GOOD)]))], stored=True),
        "unknown packing": patched(packed(), b"PK\x01\x02", 10, b"\x63\0"),
        "bomb": zip_of([("a.json", b" " * 50_000_000)]),
        "bomb beside": zip_of([("a.json", b" " * 50_000_000), ("b.json", GOOD)]),
        "small but thin": zip_of([("a.json", b" " * 60_000 + GOOD)]),
        "large member": zip_of([("a.json", b'{"a": "' + b"x" * 17_000_000 + b'"}')], stored=True),
        "large bundle": zip_of(
            [("a.json", b'{"format": "credanchor/bundle@v1", "pad": "' + b"x" * 12_000_000 + b'"}')], stored=True
        ),
        "bundle": zip_of([("a.json", BUNDLE)]),
        "claims less": lying_about_size(10),
        "claims nothing": lying_about_size(0),
        "claims more": lying_about_size(4_000_000),
        "spoilt": patched(zip_of([("a.json", b"{}" * 50), ("b.json", GOOD)], stored=True), b"{}", 3, b"x"),
        "spoilt checksum": patched(packed(), b"PK\x01\x02", 16, b"\0\0\0\0"),
        "points beyond": patched(packed(), b"PK\x01\x02", 42, b"\xff\xff\xff\x7f"),
        "cut at 10": zip_of([("a.json", GOOD)])[:10],
        "cut at 200": zip_of([("a.json", GOOD)])[:200],
        "cut at the end": zip_of([("a.json", GOOD)])[:-30],
        "cut by one": zip_of([("a.json", GOOD)])[:-1],
        "garbage before": b"#!/bin/sh\n" + zip_of([("a.json", GOOD)]),
        "garbage": b"PK\x03\x04" + b"\xff" * 1_000,
        "no archive": GOOD,
        "long table": patched(packed(), b"PK\x05\x06", 12, b"\xff\xff\xff\x7f"),
        "thousands": zip_of([(f"{index}.json", FILES[index % 5]) for index in range(2_000)]),
    }
