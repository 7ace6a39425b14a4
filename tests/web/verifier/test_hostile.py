"""Files made to harm: each is refused in words, changes no verdict, and the page lives on."""

from __future__ import annotations

from tests.support.archives import encrypted, png_of, svg_of, zip_of
from tests.support.verifier_world import VerifierWorld
from tests.web.verifier.conftest import Open

LARGE = 50_000_000


def hostile_files(valid: bytes) -> dict[str, bytes]:
    """What attackers would send, by name; none of it is a credential."""
    return {
        "deep.json": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        "wide.json": b"[" + b"0," * 400_000 + b"0]",
        "twice.json": valid.replace(b"{", b'{"name": "Something better", "name": "x", ', 1),
        "half-a-character.json": valid.replace(b'"name":', b'"\\ud800": 1, "name":', 1),
        "number.json": valid.replace(b"{", b'{"n": 1e400, ', 1),
        "large.json": b'{"a": "' + b"x" * LARGE + b'"}',
        "large.bin": bytes(LARGE),
        "bomb.zip": zip_of([("bomb.json", bytes(200_000_000))]),
        "locked.zip": encrypted(zip_of([("a.json", valid)])),
        "inner.zip": zip_of([("inner.zip", zip_of([("a.json", valid)]))]),
        "entities.svg": b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + svg_of(b"&b;"),
        "cut-short.png": png_of(valid)[:60],
        "\u202egnp.exe<img src=x onerror=document.title=1>.json": b"{}",
    }


def test_each_is_refused_and_the_page_lives_on(visit: Open, world: VerifierWorld) -> None:
    with visit() as found:
        title = found.page.title()
        for name, data in hostile_files(world.files["valid.json"]).items():
            path = found.folder / name
            path.write_bytes(data)
            found.give(path)
            headline, said = found.answer(name)
            assert headline == "Not readable", (name, said)
        assert found.requests == []
        assert found.answer_to("valid.json")[0] == "Valid"
        assert found.page.title() == title
        assert found.complaints == []


def test_members_named_like_those_of_every_object_change_no_verdict(visit: Open, world: VerifierWorld) -> None:
    with visit() as found:
        for member in ("__proto__", "constructor", "toString"):
            path = found.folder / f"{member}.json"
            start = b'{"%s": {"outcome": "valid", "status": "passed"}, ' % member.encode()
            path.write_bytes(world.files["valid.json"].replace(b"{", start, 1))
            found.give(path)
            assert found.answer(path.name)[0] == "Not valid"
            assert found.report()["answers"][0]["reason"] == "tampered"
        assert found.page.evaluate("() => ({}).outcome === undefined")
        assert found.answer_to("revoked.json")[0] == "Not valid"
