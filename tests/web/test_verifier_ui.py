"""The verifier page in a real Chromium: what each state says, to everybody (WCAG 2.2 AA, by axe), asking nobody."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.support.browser import ORIGIN, Visit
from tests.web.stage import POLICY, ROOT, STEPS, answer, checks, finish, give_text, on_stage, problem, report

WIDTHS: Final = (320, 1280)
DOUBLE: Final = "document.documentElement.style.fontSize = '200%'"
GIVE: Final = "void document.querySelector('ca-verifier').check({inputs: [], email: null, asOfBlock: false})"
SKIPPED: Final = [
    {**each, "status": "skipped", "reason": ""} if 4 <= each["step"] <= 11 else each
    for each in checks(failed={"inclusion": "tampered"})
]
TAMPERED: Final = answer(outcome="invalid", reason="tampered", confirmed=False, basis=None, checks=SKIPPED)
OPEN: Final = answer(
    outcome="unknown",
    reason="noEvidence",
    confirmed=False,
    basis=None,
    checks=checks(unknown=dict.fromkeys(STEPS[4:11], "noEvidence")),
)
REPORTS: Final[dict[str, dict[str, Any]]] = {
    "valid": report(answer()),
    "otherPerson": report(answer(holder="doesNotMatch"), asksHolder=True),
    "revoked": report(answer(outcome="invalid", reason="revoked", checks=checks(failed={"notRevoked": "revoked"}))),
    "suspended": report(
        answer(outcome="invalid", reason="suspended", checks=checks(failed={"notSuspended": "suspended"}))
    ),
    "tampered": report(TAMPERED),
    "unknown": report(OPEN, bases=[]),
    "pdf": report(problem("pdf"), bases=[]),
    "stale": report(answer(), staleAt=1_700_000_000),
    "stopped": report(stopped=True, bases=[]),
}
WORKING: Final = """() => {
    stage.event({kind: "reading", count: 3});
    stage.event({kind: "contacting", host: "one.example", purpose: "node"});
    stage.event({kind: "contacting", host: "one.example", purpose: "node"});
    stage.event({kind: "contacting", host: "college.example", purpose: "link"});
}"""


FOCUSED: Final = """() => {
    let element = document.activeElement;
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (element === document.body) return ["", true];
    const style = getComputedStyle(element);
    return [element.textContent.trim(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


def enter(found: Visit, state: str) -> None:
    """Bring the page into a state."""
    if state == "empty":
        return
    found.page.evaluate(GIVE)
    if state == "working":
        found.page.evaluate(WORKING)
        expect(found.page.locator("ca-progress li")).to_have_count(2)
    elif state == "trouble":
        found.page.evaluate("stage.fail('trustList')")
        expect(found.page.locator("#trouble")).to_be_focused()
    else:
        finish(found.page, REPORTS[state])
        heading = "ca-answer h2 >> nth=0" if REPORTS[state]["answers"] else "ca-input h2"
        expect(found.page.locator(heading)).to_be_visible()
    if state in ("valid", "unknown"):
        found.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")


@pytest.mark.parametrize("state", ["empty", "working", "trouble", *REPORTS])
def test_everybody_can_use_every_state_at_every_width(browser: Browser, state: str) -> None:
    with on_stage(browser, viewport={"width": 320, "height": 800}, color_scheme="light") as found:
        enter(found, state)
        assert found.violations() == []
        found.page.get_by_role("button", name="Français").click()
        found.page.emulate_media(color_scheme="dark")
        assert found.violations() == []
        for zoom in ("", DOUBLE):
            found.page.evaluate(zoom or "0")
            for width in WIDTHS:
                found.page.set_viewport_size({"width": width, "height": 800})
                assert found.overflow() == 0, (zoom, width)
        # Nothing but the page itself, and nothing that its policy has to block.
        assert found.requests == [f"{ORIGIN}/verify"]
        assert found.complaints == []


@pytest.mark.parametrize("state", ["input", "scanner"])
def test_everybody_can_use_what_is_opened_for_input(browser: Browser, state: str) -> None:
    with on_stage(browser, viewport={"width": 320, "height": 800}) as found:
        name = "Paste text or a link" if state == "input" else "Scan a QR code"
        found.page.get_by_role("button", name=name).click()
        assert found.violations() == []
        assert found.overflow() == 0


def test_the_answer_is_one_line_with_the_reason_and_what_to_do(browser: Browser) -> None:
    with on_stage(browser) as found:
        give_text(found.page, "{}")
        finish(found.page, REPORTS["revoked"])
        headline = found.page.get_by_role("heading", name="Not valid")
        # Where the focus is, so that it is what a screen reader reads.
        expect(headline).to_be_focused()
        expect(found.page.get_by_text("The institution has revoked it.").first).to_be_visible()
        expect(found.page.get_by_text("Ask the person for a newer one, or ask the institution.")).to_be_visible()
        mail = found.page.get_by_role("link", name="registrar@college.example")
        expect(mail).to_have_attribute("href", "mailto:registrar@college.example")
        expect(found.page.get_by_text("block 21034567").first).to_be_visible()
        expect(found.page.get_by_text("2 of 3 nodes agree on that")).to_be_visible()
        found.page.get_by_text("11 checks passed · 1 failed").click()
        expect(found.page.get_by_role("listitem").filter(has_text="Revoked – failed")).to_be_visible()


def test_what_is_not_confirmed_says_so_and_names_nobody_to_ask(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate(GIVE)
        finish(found.page, REPORTS["tampered"])
        expect(found.page.get_by_text("None of this is confirmed. Anybody can have written it.")).to_be_visible()
        expect(found.page.get_by_text("Whom to ask")).to_have_count(0)
        expect(found.page.get_by_role("link")).to_have_count(0)


def test_the_one_answer_is_about_the_person_too(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.get_by_label("Whose should it be?").fill("zoe@example.org")
        give_text(found.page, "{}")
        assert found.page.evaluate("stage.requests[0].holderEmail") == "zoe@example.org"
        finish(found.page, REPORTS["otherPerson"])
        expect(found.page.get_by_role("heading", name="Not this person’s")).to_be_focused()
        # In no address, and kept nowhere.
        assert "zoe" not in found.page.url
        assert found.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_whose_it_is_can_be_asked_of_what_was_given_before(browser: Browser) -> None:
    with on_stage(browser) as found:
        give_text(found.page, '{"a": 1}')
        finish(found.page, REPORTS["valid"])
        found.page.get_by_label("Whose should it be?").fill("zoe@example.org")
        found.page.get_by_role("button", name="Compare with what was checked").click()
        [before, after] = found.page.evaluate("stage.requests")
        assert after == {**before, "holderEmail": "zoe@example.org"}
        finish(found.page, report(answer(holder="matches"), asksHolder=True))
        expect(found.page.get_by_text("It states the e-mail address that you gave.")).to_be_visible()


def test_an_email_that_is_none_is_said_before_anything_is_checked(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.get_by_label("Whose should it be?").fill("zoe")
        give_text(found.page, "{}")
        expect(found.page.get_by_text("This is not an e-mail address.")).to_be_visible()
        expect(found.page.get_by_label("Whose should it be?")).to_be_focused()
        assert found.page.evaluate("stage.requests") == []


def test_the_policy_that_came_with_the_page_goes_with_each_request(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.get_by_label("For an older bundle").check()
        give_text(found.page, '{"a": 1}')
        [request] = found.page.evaluate("stage.requests")
        assert json.loads(request["policy"]) == POLICY
        assert request["inputs"] == [{"kind": "text", "text": '{"a": 1}'}]
        assert request["asOfBlock"] is True


def test_a_page_without_a_policy_says_what_to_do(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate("document.querySelector('ca-verifier').policy = null")
        give_text(found.page, "{}")
        expect(found.page.get_by_text("This page came without rules of what to trust")).to_be_visible()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_text_can_be_dropped_and_pasted_anywhere(browser: Browser, kind: str) -> None:
    with on_stage(browser) as found:
        hand_over(found.page, kind, "text/plain", '{"a": 1}')
        if kind == "paste":
            assert found.page.evaluate("stage.requests[0].inputs") == [{"kind": "text", "text": '{"a": 1}'}]
        else:
            expect(found.page.get_by_label("Text of a credential, or its link")).to_have_value('{"a": 1}')


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_link_is_opened_only_for_who_presses_the_button(browser: Browser, kind: str) -> None:
    with on_stage(browser) as found:
        hand_over(found.page, kind, "text/plain", "https://college.example/zoe.json")
        field = found.page.get_by_label("Text of a credential, or its link")
        expect(field).to_have_value("https://college.example/zoe.json")
        assert found.page.evaluate("stage.requests") == []
        found.page.get_by_role("button", name="Check this").click()
        [request] = found.page.evaluate("stage.requests")
        assert request["inputs"] == [{"kind": "link", "url": "https://college.example/zoe.json"}]


def test_files_come_by_drop_and_by_choice_with_their_names(browser: Browser) -> None:
    with on_stage(browser) as found:
        files: list[FilePayload] = [
            {"name": f"{name}.json", "mimeType": "application/json", "buffer": b"{}"} for name in ("a", "b")
        ]
        found.page.locator("#files").set_input_files(files)
        hand_over(found.page, "drop", "file", "c.json")
        found.page.wait_for_function("stage.requests.length === 2")
        paths = found.page.evaluate("stage.requests.map(({inputs}) => inputs.map(({path}) => path))")
        assert paths == [["a.json", "b.json"], ["c.json"]]


def test_it_says_who_is_asked_and_can_be_stopped(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate(GIVE)
        found.page.evaluate(WORKING)
        asked = found.page.locator("ca-progress li")
        expect(asked).to_have_text(["one.example (node of the ledger)", "college.example (your link)"])
        expect(found.page.get_by_role("status").first).to_have_text("Checking")
        found.page.get_by_role("button", name="Stop").click()
        assert found.page.evaluate("stage.stopped") == 1
        finish(found.page, REPORTS["stopped"])
        expect(found.page.get_by_text("You stopped it before anything was checked.")).to_be_visible()


def test_an_answer_that_a_newer_question_overtook_is_nobodys(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate(GIVE)
        found.page.evaluate("void (globalThis.first = stage.finish)")
        found.page.evaluate(GIVE)
        found.page.evaluate("report => first(report)", REPORTS["valid"])
        expect(found.page.locator("ca-progress")).to_be_visible()
        assert found.page.evaluate("stage.stopped") == 1
        finish(found.page, REPORTS["tampered"])
        expect(found.page.get_by_role("heading", name="Not valid")).to_be_focused()


def test_nothing_moves_while_it_is_checked(browser: Browser) -> None:
    with on_stage(browser, viewport={"width": 1280, "height": 900}) as found:
        found.page.evaluate(
            """() => {
                globalThis.shift = 0;
                new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) shift += entry.value;
                }).observe({type: "layout-shift", buffered: true});
            }"""
        )
        found.page.evaluate(GIVE)
        for number in range(20):
            found.page.evaluate(
                "event => { stage.event(event); return new Promise(requestAnimationFrame); }",
                {"kind": "contacting", "host": f"host-{number}.example", "purpose": "node"},
            )
        many = [answer(number=number) for number in range(2)]
        found.page.evaluate("event => stage.event(event)", {"kind": "answers", "answers": many, "total": 2})
        finish(found.page, report(*many))
        expect(found.page.locator("ca-table")).to_be_attached()
        found.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert found.page.evaluate("shift") == 0


def test_an_old_answer_says_so_and_is_given_anew(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.clock.install(time=1_795_900_000)
        found.page.evaluate(GIVE)
        finish(found.page, report(answer(), staleAt=1_795_903_600))
        expect(found.page.get_by_role("heading", name="Valid", exact=True)).to_be_focused()
        found.page.clock.fast_forward(3_601_000)
        expect(found.page.get_by_text("This answer is old")).to_be_visible()
        expect(found.page.get_by_role("heading", name="Valid at the time")).to_be_visible()
        found.page.get_by_role("button", name="Check again").first.click()
        finish(found.page, report(answer(), staleAt=1_795_999_999))
        expect(found.page.get_by_role("heading", name="Valid", exact=True)).to_be_focused()
        expect(found.page.get_by_text("This answer is old")).to_have_count(0)


def test_offline_is_said(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate("dispatchEvent(new Event('offline'))")
        expect(found.page.get_by_text("You are offline")).to_be_visible()
        found.page.evaluate("dispatchEvent(new Event('online'))")
        expect(found.page.get_by_text("You are offline")).to_have_count(0)


def test_rules_that_the_user_changed_stand_beside_the_answer(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate(GIVE)
        finish(found.page, REPORTS["valid"])
        change = """bytes => document.querySelector('ca-verifier').shadowRoot.querySelector('ca-policy').dispatchEvent(
            new CustomEvent('policy-change', {detail: bytes && new TextEncoder().encode(bytes)}))"""
        found.page.evaluate(change, "{}")
        expect(found.page.get_by_text("You have changed what is trusted since.")).to_be_visible()
        found.page.get_by_role("button", name="Check again").first.click()
        assert found.page.evaluate("stage.requests[1].policy") == "{}"
        finish(found.page, REPORTS["valid"])
        expect(found.page.get_by_text("Checked by rules of trust that you changed")).to_be_visible()
        found.page.evaluate(change, None)
        found.page.get_by_role("button", name="Check again").first.click()
        finish(found.page, REPORTS["valid"])
        expect(found.page.get_by_role("heading", name="Valid", exact=True)).to_be_focused()
        expect(found.page.get_by_text("rules of trust that you changed")).to_have_count(0)


def test_the_language_can_be_changed_with_the_answer_there(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate(GIVE)
        finish(found.page, REPORTS["revoked"])
        found.page.get_by_role("button", name="Français").click()
        expect(found.page.get_by_role("heading", name="Non valide")).to_be_visible()
        expect(found.page.get_by_text("L’établissement l’a révoquée.").first).to_be_visible()


def test_what_a_stranger_wrote_stays_text_and_in_its_place(browser: Browser) -> None:
    hostile = {
        "name": "<img src=x onerror=alert(1)>\u202ereversed",
        "holderName": "محمد العربي",
        "issuerName": "x" * 5_000,
        "issuerUrl": "javascript:alert(1)",
        "issuerEmail": "a@b.example?bcc=everybody@c.example",
    }
    with on_stage(browser, viewport={"width": 320, "height": 800}) as found:
        found.page.evaluate(GIVE)
        finish(found.page, report(answer(facts=hostile)))
        expect(found.page.locator("ca-answer .name bdi")).to_have_text("<img src=x onerror=alert(1)>reversed")
        expect(found.page.locator("ca-answer .holder bdi")).to_have_text("محمد العربي")
        expect(found.page.locator("ca-answer a")).to_have_count(0)
        expect(found.page.locator("ca-answer img")).to_have_count(0)
        assert found.overflow() == 0
        assert len(found.requests) == 1


def test_on_paper_there_is_the_answer_with_all_checks_and_nothing_to_press(browser: Browser) -> None:
    with on_stage(browser) as found:
        found.page.evaluate(GIVE)
        finish(found.page, REPORTS["valid"])
        expect(found.page.get_by_role("heading", name="Valid", exact=True)).to_be_focused()
        found.page.emulate_media(media="print")
        found.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        expect(found.page.get_by_text("Not a letter has been changed since it was issued.")).to_be_visible()
        for button in found.page.get_by_role("button").all():
            expect(button).to_be_hidden()
        expect(found.page.locator("ca-input")).to_be_hidden()


def test_the_keyboard_reaches_everything_and_is_seen_there(browser: Browser) -> None:
    with on_stage(browser) as found:
        reached = []
        for _ in range(12):
            found.page.keyboard.press("Tab")
            reached.append(found.page.evaluate(FOCUSED))
        names = [name for name, _ in reached]
        for expected in ("English", "Français", "Choose files", "Choose a folder", "Paste text or a link"):
            assert expected in names
        assert all(outline for name, outline in reached if name)


def qr_picture(text: str) -> bytes:
    """Give a picture of a QR code."""
    script = (
        "import('qr').then(({default: encode}) => process.stdout.write(encode(process.argv[1], 'gif', {scale: 6})))"
    )
    return subprocess.run(["node", "-e", script, text], capture_output=True, check=True, cwd=ROOT).stdout


def test_a_code_is_shown_before_anything_is_done_with_it(browser: Browser) -> None:
    link = "https://college.example/zoe.json"
    with on_stage(browser) as found:
        found.page.get_by_role("button", name="Scan a QR code").click()
        picture = found.page.locator("#picture")
        nothing: FilePayload = {"name": "a.gif", "mimeType": "image/gif", "buffer": qr_picture("x")[:30]}
        picture.set_input_files(nothing)
        expect(found.page.get_by_text("This picture cannot be read.")).to_be_visible()
        code: FilePayload = {"name": "code.gif", "mimeType": "image/gif", "buffer": qr_picture(link)}
        picture.set_input_files(code)
        expect(found.page.get_by_text(link)).to_be_visible()
        expect(found.page.get_by_text("Only college.example is asked")).to_be_visible()
        assert found.page.evaluate("stage.requests") == []
        assert found.violations() == []
        found.page.get_by_role("button", name="Open this link").click()
        assert found.page.evaluate("stage.requests[0].inputs") == [{"kind": "link", "url": link}]
        assert len(found.requests) == 1


def hand_over(page: Page, kind: str, media_type: str, content: str) -> None:
    """Drop something on the page, or paste it into it."""
    page.evaluate(
        """([kind, type, content]) => {
            const data = new DataTransfer();
            if (type === "file") data.items.add(new File(["{}"], content));
            else data.setData(type, content);
            const options = {bubbles: true, composed: true, cancelable: true};
            document.body.dispatchEvent(
                kind === "drop"
                    ? new DragEvent("drop", {...options, dataTransfer: data})
                    : new ClipboardEvent("paste", {...options, clipboardData: data}));
        }""",
        [kind, media_type, content],
    )
