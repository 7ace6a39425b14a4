"""The ways by which credentials come to the page: dropped, in a picture, pasted, linked, scanned, by the thousand."""

from __future__ import annotations

import json
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser

from tests.ledger.proxy import FaultProxy
from tests.support.archives import chunk, png_of, svg_of
from tests.support.browser import find_chromium
from tests.support.host import DocumentHost
from tests.support.verifier_world import VerifierWorld
from tests.web.stage import ROOT
from tests.web.verifier.conftest import CORS, Open, Visit

_DROP = """([name, text, type]) => {
    const dataTransfer = new DataTransfer();
    if (name === "") dataTransfer.setData("text/plain", text);
    else dataTransfer.items.add(new File([text], name, { type }));
    const init = { dataTransfer, bubbles: true, cancelable: true, composed: true };
    for (const kind of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, init));
}"""
Shape = Callable[[list[list[int]]], bytes]


def answered(found: Visit, outcome: str, reason: str = "") -> None:
    """Wait for one answer, and hold it against this."""
    found.page.wait_for_function(
        """([outcome, reason]) => {
            const { state } = document.querySelector('ca-verifier');
            const [answer] = state.report?.answers ?? [];
            return state.kind === 'answered' && answer.outcome === outcome && answer.reason === reason;
        }""",
        arg=[outcome, reason],
    )


def test_what_is_dropped_anywhere_is_checked_and_a_link_is_only_shown(visit: Open, world: VerifierWorld) -> None:
    with visit() as found:
        found.page.evaluate(_DROP, ["revoked.json", world.files["revoked.json"].decode(), "application/json"])
        assert found.answer("revoked.json")[0] == "Not valid"
        asked = len(found.requests)
        found.page.evaluate(_DROP, ["", "https://elsewhere.example/badge.json", ""])
        found.page.wait_for_function(
            "() => document.querySelector('ca-verifier').shadowRoot.querySelector('ca-input').shadowRoot"
            ".querySelector('#text').value === 'https://elsewhere.example/badge.json'"
        )
        assert len(found.requests) == asked


def test_pictures_that_carry_it(visit: Open, world: VerifierWorld) -> None:
    data = world.files["valid.json"]
    with visit() as found:
        for name, picture in {"badge.png": png_of(data), "badge.svg": svg_of(data)}.items():
            (found.folder / name).write_bytes(picture)
            found.give(found.folder / name)
            assert found.answer(name)[0] == "Valid", name


def type_in(found: Visit, text: str) -> None:
    if not found.part("#text").is_visible():
        found.page.get_by_role("button", name="Paste text or a link").click()
    found.part("#text").fill(text)
    found.page.get_by_role("button", name="Check this").click()


def test_text_and_links(visit: Open, world: VerifierWorld) -> None:
    """Of a link, the site that it names is asked, and nobody else; one that lets no page read it is explained."""
    documents = {"/valid.json": world.files["valid.json"], "/closed.json": world.files["valid.json"]}
    with visit() as found, DocumentHost(documents=documents) as host:
        host.headers["/valid.json"] = CORS
        type_in(found, world.files["suspended.json"].decode())
        answered(found, "invalid", "suspended")
        type_in(found, host.url("/valid.json"))
        answered(found, "valid")
        asked = {each for each in found.requests if not each.startswith(world.chain.url)}
        assert asked == {host.url("/valid.json")}
        assert "cookie" not in {name.lower() for _, headers in host.asked for name in headers}
        shown = f"127.0.0.1:{host.port}"
        assert found.part("ca-answer").get_by_text(shown).first.is_visible()
        assert found.complaints == []
        type_in(found, host.url("/closed.json"))
        answered(found, "unknown", "notFetched")
        assert found.report()["answers"][0]["problem"] == "notFetchedCors"
        # Without TLS, only this machine is asked.
        before = len(found.requests)
        type_in(found, "http://elsewhere.example/badge.json")
        found.page.wait_for_function(
            "() => document.querySelector('ca-verifier').state.report?.answers[0].problem === 'insecureAddress'"
        )
        assert len(found.requests) == before


def qr_of(text: str) -> list[list[int]]:
    """The modules of a QR code with a margin, made by the encoder of the page's library: 1 is dark."""
    script = (
        "import encodeQR from 'qr'; const [, text] = process.argv;"
        "console.log(JSON.stringify(encodeQR(text, 'raw', {border: 4}).map((row) => row.map(Number))))"
    )
    command = ["node", "--input-type=module", "-e", script, text]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rows: list[list[int]] = json.loads(printed)
    return rows


def grey(rows: list[list[int]], scale: int) -> list[bytes]:
    """Rows of points, one byte each."""
    return [bytes(value for cell in row for value in [235 - 210 * cell] * scale) for row in rows for _ in range(scale)]


def png_with(rows: list[list[int]], scale: int = 6) -> bytes:
    points = grey(rows, scale)
    size = struct.pack(">IIBBBBB", len(points[0]), len(points), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\x00" + row for row in points))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def film_with(rows: list[list[int]], width: int = 640, height: int = 480) -> bytes:
    """What a camera sees that is held before the code: a y4m film of two frames."""
    scale = height // len(rows)
    points = grey(rows, scale)
    left = (width - len(points[0])) // 2
    lines = [bytes([235]) * left + row + bytes([235]) * (width - left - len(row)) for row in points]
    lines += [bytes([235]) * width] * (height - len(lines))
    frame = b"FRAME\n" + b"".join(lines) + bytes([128]) * (width * height // 2)
    return f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2


def test_a_code_in_a_picture_is_shown_and_opened_only_when_the_user_says_so(visit: Open, world: VerifierWorld) -> None:
    with visit() as found, DocumentHost(documents={"/c/1": world.files["valid.json"]}) as host:
        host.headers["/c/1"] = CORS
        picture = found.folder / "code.png"
        picture.write_bytes(png_with(qr_of(host.url("/c/1"))))
        found.page.get_by_role("button", name="Scan a QR code").click()
        found.part("#picture").set_input_files(picture)
        found.part("ca-scanner").get_by_text(host.url("/c/1")).wait_for()
        assert host.asked == []
        found.page.get_by_role("button", name="Open this link").click()
        answered(found, "valid")
        assert [path for path, _ in host.asked] == ["/c/1"]
        # A picture without one says what to do.
        found.page.get_by_role("button", name="Scan a QR code").click()
        picture.write_bytes(png_of())
        found.part("#picture").set_input_files(picture)
        found.page.get_by_text("There is no QR code to be read").wait_for()
        assert found.complaints == []


def test_a_code_before_the_camera(browser: Browser, world: VerifierWorld, tmp_path: Path) -> None:
    film, page_file = tmp_path / "film.y4m", tmp_path / "verify.html"
    link = "https://credentials.college.example/c/q83vASNFZ4mrze8BI0VniavN"
    film.write_bytes(film_with(qr_of(link)))
    page_file.write_bytes(world.page())
    arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    filming = browser.browser_type.launch(
        executable_path=find_chromium(), args=[*arguments, f"--use-file-for-fake-video-capture={film}"]
    )
    try:
        page = filming.new_page()
        asked: list[str] = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        page.get_by_role("button", name="Scan a QR code").click()
        page.get_by_role("button", name="Use the camera").click()
        page.locator("ca-scanner").get_by_text(link).wait_for()
        # Seen is not opened; and the camera is off.
        assert page.locator("ca-scanner video").count() == 0
        assert not any("college" in each for each in asked)
    finally:
        filming.close()


def test_an_archive_of_a_thousand(visit: Open, world: VerifierWorld, nodes: list[FaultProxy]) -> None:
    """All are checked on three requests; what is not valid is counted; one is opened, and the table is found again."""
    with visit(nodes=(nodes[0].url,)) as found:
        archive = found.folder / "thousand.zip"
        archive.write_bytes(world.thousand)
        found.give(archive)
        found.page.wait_for_function("() => document.querySelector('ca-verifier').state.kind === 'answered'")
        answers = found.page.evaluate(
            "document.querySelector('ca-verifier').state.report.answers"
            ".map(({ source, reason }) => [source.member, reason])"
        )
        assert len(answers) == 1000
        assert {name for name, reason in answers if reason != ""} == {"0000.json", "0001.json", "0002.json"}
        assert nodes[0].requests <= 3
        found.part("ca-table").wait_for()
        assert found.part("ca-table").get_by_text("997").count() >= 1
        # What needs attention comes first.
        found.part("ca-table").get_by_role("link").or_(found.part("ca-table tbody button")).first.click()
        assert found.part("ca-answer #headline").inner_text() == "Not valid"
        found.page.get_by_role("button", name="Back to all").click()
        found.part("ca-table").get_by_text("997").first.wait_for()
        assert found.violations() == []
        assert found.complaints == []
