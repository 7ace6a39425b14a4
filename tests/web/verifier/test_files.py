"""Files that are no credential, and files made to harm: each is named in words to act on, and the page lives on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchor.policy import policy_to_text
from tests.support.archives import encrypted, png_of, svg_of, zip_of
from tests.support.verifier_world import VerifierWorld
from tests.support.visitor import Visitor, words

LARGE = 50_000_000


def bad_files(world: VerifierWorld) -> dict[str, tuple[bytes, str]]:
    """What people have sent instead of a credential, and what it is called."""
    valid = world.files["valid.json"]
    document = json.loads(valid)
    (proof,) = document["proof"]
    jwt = b"eyJhbGciOiJFUzI1NiJ9.eyJ2YyI6eyJ0eXBlIjpbIlZlcmlmaWFibGVDcmVkZW50aWFsIl19fQ.c2lnbmF0dXJl"
    badge = {"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": "https://x.example/1"}
    return {
        "empty.json": (b"", "empty"),
        "certificate.pdf": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "pdf"),
        "page.html": (b"<!doctype html><html><body>Certificate</body></html>", "webPage"),
        "photo.png": (png_of(), "pictureWithout"),
        "cut-short.png": (png_of(valid)[:60], "badPicture"),
        "cut-short.json": (valid[: len(valid) // 2], "notJson"),
        "letter.txt": ("Chère Madame, voici mon titre.".encode(), "notJson"),
        "token.jwt": (jwt, "jwt"),
        "old-badge.json": (json.dumps(badge).encode(), "openBadge2"),
        "locked.zip": (encrypted(zip_of([("a.json", valid)])), "archiveEncrypted"),
        "nothing.zip": (zip_of([]), "archiveEmpty"),
        "matryoshka.zip": (zip_of([("inner.zip", zip_of([("a.json", valid)]))]), "archiveInArchive"),
        "policy.json": (policy_to_text(world.policy()).encode(), "isPolicy"),
        "damaged-proof.json": (
            json.dumps({**document, "proof": [{**proof, "proofValue": proof["proofValue"][:-9]}]}).encode(),
            "badProof",
        ),
    }


def hostile_files(world: VerifierWorld) -> dict[str, bytes]:
    """What attackers have sent; none of it is a credential."""
    valid = world.files["valid.json"]
    return {
        "deep.json": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        "wide.json": b"[" + b"0," * 400_000 + b"0]",
        "twice.json": valid.replace(b"{", b'{"name": "Something better", "name": "x", ', 1),
        "half-a-character.json": valid.replace(b'"name":', b'"\\ud800": 1, "name":', 1),
        "numbers.json": valid.replace(b"{", b'{"n": 1e400, ', 1),
        "large.json": b'{"a": "' + b"x" * LARGE + b'"}',
        "large.bin": bytes(LARGE),
        "bomb.zip": zip_of([("bomb.json", bytes(200_000_000))]),
        "entities.svg": b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + svg_of(b"&b;"),
        "\u202egnp.exe<img src=x onerror=document.title=1>.json": b"{}",
    }


@pytest.fixture(scope="module")
def bad(world: VerifierWorld) -> dict[str, tuple[bytes, str]]:
    return bad_files(world)


def test_each_bad_file_is_named_and_one_is_told_what_to_do(
    visitor: Visitor, world: VerifierWorld, bad: dict[str, tuple[bytes, str]]
) -> None:
    said = words()
    assert len(bad) >= 12
    for name, (data, problem) in bad.items():
        visitor.give({name: data})
        answer = visitor.answer
        assert (answer["outcome"], answer["problem"]) == ("malformed", problem), name
        assert visitor.headline() == said["answer.malformed"], name
        assert (visitor.why(), visitor.advice()) == (said[f"problem.{problem}.why"], said[f"problem.{problem}.do"])
        assert answer["checks"] == [], name
    assert visitor.others_asked() == set()


def test_all_at_once_each_has_its_row(
    visitor: Visitor, world: VerifierWorld, bad: dict[str, tuple[bytes, str]]
) -> None:
    good = {name: data for name, data in world.files.items() if name in {"valid.json", "revoked.json"}}
    visitor.give({name: data for name, (data, _) in bad.items()} | good)
    found = {each["source"]["path"]: each["outcome"] for each in visitor.report()["answers"]}
    expected: dict[str, Any] = dict.fromkeys(bad, "malformed") | {"valid.json": "valid", "revoked.json": "invalid"}
    assert found == expected


def test_hostile_files_are_refused_and_the_page_lives_on(
    visitor: Visitor, world: VerifierWorld, tmp_path: Path
) -> None:
    title = visitor.page.title()
    for name, data in hostile_files(world).items():
        (tmp_path / name).write_bytes(data)
        visitor.give_from(tmp_path / name)
        assert {each["outcome"] for each in visitor.report()["answers"]} == {"malformed"}, name
        assert visitor.headline() == words()["answer.malformed"], name
    visitor.give({"valid.json": world.files["valid.json"]})
    assert visitor.answer["outcome"] == "valid"
    assert visitor.page.title() == title


def test_members_named_like_a_prototype_change_no_verdict(visitor: Visitor, world: VerifierWorld) -> None:
    """`__proto__` and `constructor` are members as any others: part of what was hashed."""
    for member in ("__proto__", "constructor", "toString"):
        spoiled = world.files["valid.json"].replace(b"{", b'{"%s": {"outcome": "valid"}, ' % member.encode(), 1)
        visitor.give({"polluted.json": spoiled})
        assert (visitor.answer["outcome"], visitor.answer["reason"]) == ("invalid", "tampered"), member
    assert visitor.page.evaluate("() => ({}).outcome") is None
    visitor.give({"revoked.json": world.files["revoked.json"]})
    assert visitor.answer["reason"] == "revoked"


def test_baked_pictures_and_pasted_text_are_credentials(visitor: Visitor, world: VerifierWorld) -> None:
    valid = world.files["valid.json"]
    for name, data in {
        "badge.png": png_of(valid),
        "packed.png": png_of(valid, compressed=True),
        "badge.svg": svg_of(valid),
    }.items():
        visitor.give({name: data})
        assert visitor.answer["outcome"] == "valid", name
    visitor.paste(world.files["revoked.json"].decode())
    assert visitor.answer["reason"] == "revoked"
