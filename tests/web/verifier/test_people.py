"""The page for everybody: in French, on a phone, by keyboard alone, without motion; and its pictures for the guides."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.support.browser import keep_picture
from tests.support.verifier_world import VerifierWorld
from tests.web.verifier.conftest import Open, Visit

PHONE: Final = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALLEST: Final = {"viewport": {"width": 320, "height": 640}}
DESK: Final = {"viewport": {"width": 1100, "height": 900}}

FOCUS_IS: Final = """name => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.textContent.trim() === name;
}"""


def width_beyond(found: Visit) -> int:
    """Tell by how many pixels the page is wider than the screen."""
    beyond: int = found.page.evaluate(
        "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
    )
    return beyond


def test_in_french(visit: Open) -> None:
    with visit(options={"locale": "fr-CA", **PHONE}) as found:
        assert found.page.evaluate("document.documentElement.lang") == "fr"
        said = {
            name: found.answer_to(name) for name in ("valid.json", "revoked.json", "suspended.json", "elsewhere.json")
        }
        assert [headline for headline, _ in said.values()] == [
            "Valide",
            *["Non valide"] * 2,
            "N’a pas pu être vérifiée",
        ]
        assert "révoqué" in said["revoked.json"][1]
        # The other language is one press away, and says the same answer.
        found.page.get_by_role("button", name="English").click()
        found.page.get_by_role("heading", name="Could not be checked").wait_for()
        assert found.page.evaluate("document.documentElement.lang") == "en"
        assert found.complaints == []
    with visit("?lang=fr") as found:
        found.page.get_by_role("heading", name="Vérifier").first.wait_for()


@pytest.mark.parametrize("options", [PHONE, SMALLEST, {**DESK, "color_scheme": "dark"}], ids=["phone", "small", "dark"])
def test_each_state_is_for_everybody(visit: Open, options: dict[str, Any]) -> None:
    with visit(options={"reduced_motion": "reduce", **options}) as found:
        assert (found.violations(), width_beyond(found)) == ([], 0)
        for name in ("valid.json", "revoked.json", "suspended.json", "elsewhere.json", "hostile.json"):
            found.answer_to(name)
            assert (found.violations(), width_beyond(found)) == ([], 0), name
        for summary in found.part("ca-answer summary").all():
            summary.click()
        assert (found.violations(), width_beyond(found)) == ([], 0)


def test_by_keyboard_alone(visit: Open, world: VerifierWorld) -> None:
    with visit() as found:
        with found.page.expect_file_chooser() as chooser:
            reach(found, "Choose files")
            found.page.keyboard.press("Enter")
        chooser.value.set_files(found.file("revoked.json"))
        found.answer("revoked.json")
        # What is read first is the answer.
        found.page.wait_for_function(FOCUS_IS, arg="Not valid")
        reach(found, "Check again")
        found.page.keyboard.press("Space")
        found.page.wait_for_function(FOCUS_IS, arg="Not valid")


def reach(found: Visit, name: str, most: int = 40) -> None:
    """Press Tab until the focus is on a button."""
    for _ in range(most):
        found.page.keyboard.press("Tab")
        if found.page.evaluate(FOCUS_IS, name):
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def test_what_the_guides_show(visit: Open) -> None:
    """The pictures of docs/guides/check-in-the-browser.md, and that what is on them is so."""
    with visit(options=DESK) as found:
        keep_picture(found.page, "verifier-desk")
        assert found.answer_to("valid.json")[0] == "Valid"
        keep_picture(found.page, "verifier-valid")
        assert found.answer_to("revoked.json")[0] == "Not valid"
    with visit("?lang=fr", options=PHONE) as found:
        assert found.answer_to("revoked.json")[0] == "Non valide"
        keep_picture(found.page, "verifier-phone")
    for options in (PHONE, DESK):
        with visit(options=options) as found:
            letter = found.folder / "letter.pdf"
            letter.write_bytes(b"%PDF-1.7\n")
            names = ("valid.json", "revoked.json", "suspended.json", "tampered.json", "elsewhere.json")
            found.give(*[found.file(name) for name in names], letter)
            found.page.wait_for_function(
                "() => document.querySelector('ca-verifier').state.report?.answers.length === 6"
            )
            found.part("ca-table").wait_for()
            assert (found.violations(), width_beyond(found)) == ([], 0)
            if options is DESK:
                keep_picture(found.page, "verifier-many")
