"""Many answers, what is trusted, details for experts and what can be kept: as a user sees and uses them in Chromium."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Visit
from tests.web.stage import BASIS, POLICY, answer, checks, finish, on_stage, problem, report

PHONE: Final = {"viewport": {"width": 320, "height": 640}}
HOSTILE: Final = '=cmd|" /C calc"!A0<img src=x onerror="document.title=1">'
MANY: Final = 130


def many() -> list[dict[str, Any]]:
    """130 from one archive: 2 revoked, 1 tampered with a hostile name, 1 PDF, 1 that could not be checked."""
    found = [
        answer(
            number=number,
            source={"path": "badges.zip", "member": f"badge-{number:03}.json", "address": None},
            facts={"name": f"Welding {number}", "holderName": f"Person {MANY - number:03}"},
        )
        for number in range(MANY)
    ]
    found[3]["facts"]["holderName"] = "Zoë Ångström"
    for number in (40, 90):
        found[number] |= {"outcome": "invalid", "reason": "revoked", "checks": checks({"notRevoked": "revoked"})}
    found[60] |= {"outcome": "invalid", "reason": "tampered", "confirmed": False}
    found[60]["facts"] |= {"name": HOSTILE, "issuerName": HOSTILE}
    found[70] = problem("pdf", number=70, source={"path": "badges.zip", "member": "scan.pdf", "address": None})
    found[80] |= {"outcome": "unknown", "reason": "noEvidence", "confirmed": False}
    return found


def check_again(page: Page) -> None:
    """Have something checked; `finish` ends it."""
    # Nothing is awaited: the checking ends only when the test says so.
    page.evaluate(
        "() => { void document.querySelector('ca-verifier').check({inputs: [], email: null, asOfBlock: false}) }"
    )


def show(page: Page, *answers: dict[str, Any], **changes: Any) -> None:
    check_again(page)
    finish(page, report(*answers, **changes))


@contextmanager
def with_many(browser: Browser, path: str = "/verify", **options: Any) -> Iterator[Visit]:
    with on_stage(browser, path, **options) as found:
        show(found.page, *many())
        expect(rows(found.page)).to_have_count(50)
        yield found


def rows(page: Page) -> Any:
    return page.locator("ca-table tbody tr")


def names(page: Page) -> list[str]:
    texts: list[str] = page.locator("ca-table tbody button.link").all_inner_texts()
    return [text.strip() for text in texts]


@pytest.mark.parametrize(
    ("language", "options"),
    [("en", {}), ("fr", PHONE), ("en", {"color_scheme": "dark"})],
    ids=["desk", "phone", "dark"],
)
def test_many_answers_can_be_used_by_everybody(browser: Browser, language: str, options: dict[str, Any]) -> None:
    with with_many(browser, f"/verify?lang={language}", **options) as found:
        found.page.locator("ca-policy summary").first.click()
        found.page.locator("ca-policy-form summary").first.click()
        assert found.violations() == []
        assert found.overflow() == 0
        assert found.complaints == []
        assert len(found.requests) == 1


def test_what_needs_attention_comes_first_and_is_counted(browser: Browser) -> None:
    with with_many(browser) as found:
        page = found.page
        assert names(page)[:6] == [
            "Welding 40",
            "Welding 90",
            HOSTILE,
            "badges.zip: scan.pdf",
            "Welding 80",
            "Welding 0",
        ]
        counts = page.get_by_role("group", name="Show only").get_by_role("button").all_inner_texts()
        assert [" ".join(each.split()) for each in counts] == [
            "All 130",
            "Not valid 3",
            "Not readable 1",
            "Could not be checked 1",
            "Valid 125",
        ]
        assert page.title() == "Check a credential"
        expect(rows(page).nth(2)).to_contain_text("not confirmed")
        expect(rows(page).nth(0)).to_contain_text("The institution has revoked it.")


def test_answers_are_found_filtered_and_sorted(browser: Browser) -> None:
    with with_many(browser) as found:
        page = found.page
        page.get_by_label("Find").fill("ZOE angstrom")
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text("Zoë Ångström")
        expect(page.get_by_text("1 of 130 found")).to_be_visible()
        page.get_by_label("Find").fill("")
        page.get_by_role("button", name="Not valid").click()
        expect(rows(page)).to_have_count(3)
        page.get_by_role("button", name="All 130").click()
        page.get_by_label("Sort").select_option("given")
        expect(rows(page).first).to_contain_text("Welding 0")
        page.get_by_label("Sort").select_option("holder")
        # The PDF has no holder; then by the alphabet.
        expect(rows(page).nth(1)).to_contain_text("Person 001")


def test_every_answer_can_be_reached_and_printed(browser: Browser) -> None:
    with with_many(browser) as found:
        page = found.page
        page.get_by_role("button", name="Next").click()
        page.get_by_role("button", name="Next").click()
        expect(rows(page)).to_have_count(30)
        expect(page.get_by_role("button", name="Next")).to_be_disabled()
        table = page.locator("ca-table")
        printed = table.evaluate(
            """table => {
                window.dispatchEvent(new Event("beforeprint"));
                return table.shadowRoot.querySelectorAll("tbody tr").length;
            }"""
        )
        assert printed == MANY, "nothing waits for the page to draw before it prints"
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        expect(rows(page)).to_have_count(30)
        page.get_by_role("button", name="Show all 130 at once").click()
        expect(rows(page)).to_have_count(MANY)


def test_a_row_opens_its_answer_and_leads_back(browser: Browser) -> None:
    with with_many(browser) as found:
        page = found.page
        page.get_by_role("button", name="Welding 90").focus()
        page.keyboard.press("Enter")
        expect(page.locator("ca-answer h2").first).to_be_focused()
        expect(page.locator("ca-answer h2").first).to_have_text("Not valid")
        page.get_by_role("button", name="Back to all").click()
        expect(page.get_by_role("heading", name="130 answers")).to_be_focused()


def test_answers_are_saved_as_the_program_writes_them(browser: Browser) -> None:
    with with_many(browser) as found:
        page = found.page
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as a table (CSV)").click()
        table = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
        assert saved.value.suggested_filename.endswith(".csv")
        assert [len(table), table[0]["reason"]] == [MANY, "revoked"]
        assert table[2]["credential"].startswith("'=cmd"), "a spreadsheet would run it"
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as JSON").click()
        written = json.loads(Path(saved.value.path()).read_bytes())
        assert written["format"] == "credanchor/verification@v1"
        assert written["counts"] == {"valid": 125, "invalid": 3, "unknown": 1, "malformed": 1}
        assert len(found.requests) == 1


def test_what_is_kept_says_what_it_is_worth_and_by_which_rules(browser: Browser) -> None:
    with on_stage(browser) as found:
        show(found.page, answer())
        kept = found.page.locator("ca-receipt")
        expect(kept).to_contain_text("it proves nothing to others")
        expect(kept).to_contain_text(f"0x{sha256(json.dumps(POLICY).encode()).hexdigest()}")


# What is trusted


@contextmanager
def with_policy(browser: Browser, **options: Any) -> Iterator[Visit]:
    with on_stage(browser, **options) as found:
        found.page.locator("ca-policy summary").first.click()
        found.page.locator("ca-policy-form summary").first.click()
        yield found


def used(page: Page) -> dict[str, Any]:
    """Check something, and tell by which policy."""
    before = page.evaluate("stage.requests.length")
    check_again(page)
    found: dict[str, Any] = json.loads(page.evaluate(f"stage.requests[{before}].policy"))
    finish(page, report(answer()))
    expect(page.locator("ca-answer h2").first).to_be_visible()
    return found


def test_what_is_trusted_is_said_in_words(browser: Browser) -> None:
    with with_policy(browser) as found:
        panel = found.page.locator("ca-policy")
        for text in (
            "the rules that came with this page",
            "New Brunswick",
            POLICY["registries"][0]["registry"],  # type: ignore[index]
            "0x" + "ab" * 32,
            "2 of 3 nodes must agree",
            "one.example",
            "two.example",
            "three.example",
            "when the ledger calls it final",
            "60 minutes",
        ):
            expect(panel).to_contain_text(str(text))


def test_changed_rules_count_from_the_next_check_and_are_said(browser: Browser) -> None:
    with with_policy(browser) as found:
        page = found.page
        assert used(page) == POLICY
        page.get_by_label("Addresses of nodes").fill("https://mine.example/key\nhttp://127.0.0.1:8545")
        page.get_by_label("Who says which block").select_option("oneNode")
        page.get_by_role("button", name="Use these rules").click()
        expect(page.get_by_text("You have changed what is trusted since.")).to_be_visible()
        expect(page.locator("ca-policy")).to_contain_text("changed by you")
        assert used(page) == {
            **POLICY,
            "vouching": "oneNode",
            "nodes": ["https://mine.example/key", "http://127.0.0.1:8545"],
            "agreeing": None,
        }
        expect(page.get_by_text("Checked by rules of trust that you changed")).to_be_visible()
        page.get_by_role("button", name="Put back those of this page").click()
        assert used(page) == POLICY
        assert found.violations() == []


def test_a_block_is_pinned_and_registries_are_added_and_removed(browser: Browser) -> None:
    other = "eip155:10:0x" + "cd" * 20
    with with_policy(browser) as found:
        page = found.page
        page.get_by_label("Who says which block").select_option("pinnedHash")
        page.get_by_label("Hash of the block").fill("0x" + "EF" * 32)
        page.get_by_label("Registry", exact=True).fill(other)
        page.get_by_label("Hash of its code").fill("0x" + "12" * 32)
        page.get_by_label("Name for it").fill("Another")
        page.get_by_role("button", name="Use these rules").click()
        expect(page.get_by_role("button", name="Remove Another")).to_be_visible()
        made = used(page)
        assert made["knownBlocks"] == {"eip155:31337": ["0x" + "ef" * 32]}
        assert made["registries"][1] == {"registry": other, "codeHash": "0x" + "12" * 32, "name": "Another"}
        page.get_by_role("button", name="Remove New Brunswick").click()
        expect(page.get_by_role("button", name="Remove New Brunswick")).to_be_hidden()
        assert [each["registry"] for each in used(page)["registries"]] == [other]


@pytest.mark.parametrize(
    ("label", "text", "complaint"),
    [
        ("Addresses of nodes", "http://node.example", "Each line must be an address"),
        ("Addresses of nodes", "node.example", "Each line must be an address"),
        ("How many must agree", "two", "Write a whole number"),
        ("How many must agree", "4", "These rules cannot be used."),
        ("Registry", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "Write it as eip155"),
        ("Hash of its code", "0x12", "Write it as eip155"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_at_their_field(
    browser: Browser, label: str, text: str, complaint: str
) -> None:
    with with_policy(browser) as found:
        page = found.page
        page.get_by_label(label, exact=label == "Registry").fill(text)
        page.get_by_role("button", name="Use these rules").click()
        expect(page.get_by_role("alert").filter(has_text=complaint)).to_be_visible()
        assert used(page) == POLICY


def test_a_policy_file_is_loaded_or_refused(browser: Browser) -> None:
    with with_policy(browser) as found:
        page = found.page
        file = page.locator("ca-policy input[type=file]")
        misspelt = json.dumps({**POLICY, "maxAgeSecond": 60}).encode()
        file.set_input_files({"name": "p.json", "mimeType": "application/json", "buffer": misspelt})
        expect(page.get_by_role("alert").filter(has_text="These rules cannot be used.")).to_be_visible()
        assert used(page) == POLICY
        own = {**POLICY, "maxAgeSeconds": 60, "deniedIssuers": ["did:web:mill.example"]}
        file.set_input_files({"name": "p.json", "mimeType": "application/json", "buffer": json.dumps(own).encode()})
        expect(page.locator("ca-policy")).to_contain_text("did:web:mill.example")
        assert used(page) == own
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as a file").click()
        assert json.loads(Path(saved.value.path()).read_bytes()) == own


def test_rules_are_kept_only_for_who_wants_it(browser: Browser) -> None:
    with with_policy(browser) as found:
        page = found.page
        page.get_by_role("button", name="Remove New Brunswick").click()
        page.reload()
        assert used(page) == POLICY
        page.locator("ca-policy summary").first.click()
        page.get_by_role("button", name="Remove New Brunswick").click()
        page.get_by_label("Keep my rules in this browser").check()
        page.reload()
        expect(page.locator("ca-policy")).to_contain_text("kept in this browser")
        assert used(page)["registries"] == []
        page.locator("ca-policy summary").first.click()
        page.get_by_role("button", name="Put back those of this page").click()
        page.reload()
        assert used(page) == POLICY


def test_from_the_disk_nothing_is_kept_for_other_files_could_change_it(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "verify.html"
    with on_stage(browser) as found:
        response = found.page.reload()
        assert response is not None
        file.write_bytes(response.body())
    page = browser.new_page()
    try:
        page.goto(file.as_uri())
        page.evaluate(
            "policy => localStorage.setItem('credanchor-policy', policy)", json.dumps({**POLICY, "registries": []})
        )
        page.reload()
        assert used(page) == POLICY
        page.locator("ca-policy summary").first.click()
        page.get_by_role("button", name="Remove New Brunswick").click()
        expect(page.get_by_text("Your rules are gone when you close this page")).to_be_visible()
        expect(page.get_by_label("Keep my rules in this browser")).to_have_count(0)
    finally:
        page.close()


# Details for experts


def anchor_of(index: int, size: int) -> dict[str, Any]:
    """Make a tree as docs/spec/anchor-proof.md says: a last odd node moves up unchanged."""
    leaves = [sha256(bytes([number])).digest() for number in range(size)]
    level, place, siblings = leaves, index, []
    while len(level) > 1:
        if place ^ 1 < len(level):
            siblings.append("0x" + level[place ^ 1].hex())
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level, place = [sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs], place // 2
    return {
        "registry": BASIS["registry"],
        "issuerId": 3,
        "root": "0x" + level[0].hex(),
        "size": size,
        "leafIndex": index,
        "leaf": "0x" + leaves[index].hex(),
        "salt": "0x" + "5a" * 32,
        "path": siblings,
        "list": 0,
        "statusIndex": 94_567,
        "credentialHash": "0x" + "1b" * 32,
    }


def test_the_way_through_the_tree_is_drawn_and_listed(browser: Browser) -> None:
    holds, fails = "It does lead to the root", "It does not lead to the root"
    with on_stage(browser) as found:
        page = found.page
        show(page, answer(facts={"anchor": anchor_of(5, 11)}, raw='{"name": "<b>Welding</b>"}'))
        details = page.locator("ca-details")
        details.locator("summary").first.click()
        details.get_by_text("The same as a list").click()
        expect(details.get_by_role("img")).to_be_visible()
        expect(details.locator("ol li")).to_have_count(4)
        expect(details.locator("ol li").last).to_contain_text(anchor_of(5, 11)["root"])
        expect(details.locator("pre")).to_have_text('{"name": "<b>Welding</b>"}')
        assert found.violations() == []
        assert found.complaints == []

        def said(anchor: dict[str, Any]) -> str:
            text: str = details.evaluate(
                """async (part, answer) => {
                    part.answer = answer;
                    await part.updateComplete;
                    return part.shadowRoot.textContent;
                }""",
                answer(facts={"anchor": anchor}),
            )
            return text

        for size in (1, 2, 3, 7, 8, 11):
            for index in range(size):
                assert holds in said(anchor_of(index, size)), (index, size)
        right = anchor_of(5, 11)
        for wrong in (
            {"leaf": "0x" + "00" * 32},
            {"path": right["path"][:-1]},
            {"path": [*right["path"], "0x" + "00" * 32]},
            {"leafIndex": 4},
            {"leafIndex": 11},
            {"size": 2**32 - 1},
        ):
            assert fails in said({**right, **wrong}), wrong


def test_the_raw_credential_is_copied_or_marked(browser: Browser) -> None:
    for permissions, said in ((["clipboard-read", "clipboard-write"], "Copied."), ([], "The text is marked")):
        with on_stage(browser, permissions=permissions) as found:
            page = found.page
            if not permissions:
                page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
            show(page, answer(raw='{"name": "Welding"}'))
            page.locator("ca-details summary").first.click()
            page.get_by_role("button", name="Copy").click()
            expect(page.get_by_text(said)).to_be_visible()
            if permissions:
                assert page.evaluate("navigator.clipboard.readText()") == '{"name": "Welding"}'
