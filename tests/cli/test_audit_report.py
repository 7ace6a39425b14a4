"""The audit's report: what it says, in two languages, and that it may do nothing."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchor.cli import audit_sections, audit_tables
from anchor.cli.audit_html import refusal_pieces, report_pieces
from anchor.cli.wording import LANGUAGES, wording_of
from anchor.ledger.client import LedgerClient
from anchor.model import Vouching, to_hex
from tests.cli.conftest import Desk
from tests.ledger.chain import DID, STATUS_KEY
from tests.support.audit_reports import EMPTY, EVENTFUL, HOSTILE_DID, made, many, report_of
from tests.support.guides import ROOT as ROOT_FOLDER
from tests.support.history import ACCREDITOR_ROLE, Call, anchored, batch_revoked, role_changed, status_changed
from tests.support.pages import Element, read_page
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    NEWCOMER,
    OTHER_KEY,
    REVOKED,
    ROOT,
    STAGED_KEY,
    STORY,
    SWITCHED,
    VOID,
)
from tests.support.stories import STATUS_KEY as STATUS


def page_of(calls: tuple[Call, ...], language: str = "en", **options: Any) -> Element:
    return read_page(report_of(calls, language, **options))


def section(page: Element, title: str) -> Element:
    (found,) = (each for each in page.all("section") if any(heading.text == title for heading in each.all("h2")))
    return found


def rows(found: Element) -> list[list[str]]:
    return [[cell.text for cell in row.children] for row in found.all("tr")]


def test_the_answer_comes_first_with_what_it_rests_on() -> None:
    page = page_of(STORY)
    first = page.all("section")[0]
    assert first.all("h2")[0].text == "✔ Complete: nothing is missing, altered or invented"
    assert "All 12 events lead" in first.text
    assert "block 1,234, of 1971-04-08" in first.text


def test_totals_are_those_of_the_history() -> None:
    tiles = [each.text for each in page_of(STORY).all("ul")[0].all("li")]
    assert tiles == [
        "500credentials anchored",
        "1batch",
        "2institutions accredited now",
        "3revoked one by one (0.6%)",
        "0revoked with their whole batch",
        "2suspended now",
        "0keys declared compromised",
    ]


def test_a_theft_is_told_with_what_it_undid() -> None:
    page = page_of(SWITCHED)
    text = section(page, "Incidents and changes of control").text
    assert "declared compromised since 1970-01-01 00:09:10" in text
    assert "status epoch 1 counts now" in text
    assert "no longer revoked: list 0, index 0, 767" in text
    assert f"no longer revoked: batch {to_hex(bytes([7] * 32))}" in text
    assert "3 revocations made before do not count any more" in section(page, "In short").text


def test_void_batches_are_named_and_not_counted() -> None:
    page = page_of(VOID)
    assert "Batches that are void" in section(page, "Incidents and changes of control").text
    assert page.all("ul")[0].all("li")[0].text == "0credentials anchored"
    assert "Every batch that was anchored is void." in section(page, "In short").text
    assert "One batch is void for that" in section(page, "In short").text
    assert rows(section(page, "Batches"))[1][-1] == "void"


def test_batches_revoked_as_a_whole_are_counted_with_their_credentials() -> None:
    page = page_of((*STORY, batch_revoked(1, ROOT, actor=STATUS, at=900, block=9)))
    assert page.all("ul")[0].all("li")[4].text == "500revoked with their whole batch"
    assert "One batch is revoked as a whole. Credentials it states: 500." in section(page, "In short").text


def test_a_batch_of_unstated_size_is_not_said_to_have_held_nothing() -> None:
    root = b"\x09" * 32
    unstated = anchored(1, root, size=0, actor=ANCHOR_KEY, at=800, block=8)
    revoked = batch_revoked(1, root, actor=STATUS, at=900, block=9)
    note = "Of batches that are revoked as a whole, some do not state their size."
    assert note in section(page_of((*STORY, unstated, revoked)), "In short").text
    assert note not in section(page_of((*STORY, unstated)), "In short").text


def test_a_theft_is_told_in_french_from_beginning_to_end() -> None:
    text = section(page_of(SWITCHED, "fr"), "Incidents et changements de contrôle").text
    assert "ne sont plus révoquées : liste 0, index 0, 767" in text
    assert "ne sont plus suspendues : liste 0, index 2; liste 5, index 1" in text
    one = report_of((*SWITCHED, *_repeated()), "fr")
    assert "une révocation antérieure ne compte plus" in one


def _repeated() -> tuple[Call, ...]:
    again = batch_revoked(1, ROOT, actor=STAGED_KEY, at=3000, block=30, epoch=1)
    return again, status_changed(REVOKED, 1, [0], [1], actor=STAGED_KEY, at=3001, block=31, epoch=1)


def test_what_of_a_theft_is_left_out_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lines are shown" not in page_of(SWITCHED).text
    monkeypatch.setattr(audit_sections, "_SHOWN_UNDONE", 2)
    text = section(page_of(SWITCHED), "Incidents and changes of control").text
    assert "The first 2 of 3 lines are shown" in text
    assert "no longer revoked: batch" not in text


def test_one_of_a_kind_is_told_in_the_singular() -> None:
    alone = status_changed("CredentialsSuspended", 1, [0], [1], actor=STATUS, at=700, block=7)
    tiles = [each.text for each in page_of((*BEGINNING, alone), "fr").all("ul")[0].all("li")]
    assert tiles[3].startswith("0révoquée individuellement")
    assert tiles[4:6] == ["0révoquée avec tout son lot", "1suspendue à présent"]


def test_the_answer_names_at_once_whose_word_it_rests_on() -> None:
    assert "Who vouches for this block: one node." in page_of(STORY).all("section")[0].text
    assert "Répond de ce bloc : un seul nœud." in page_of(STORY, "fr").all("section")[0].text


def test_what_is_only_there_in_english_is_marked_as_such() -> None:
    report = replace(made(STORY), notes=("the node gave less",))
    page = read_page("".join(report_pieces(report, wording_of("fr"))))
    assert [each.attributes["lang"] for each in page.all("ul")[1].all("li")] == ["en"]
    pieces = refusal_pieces("eip155:1:0x" + "ab" * 20, "events are missing", [], 0, wording_of("fr"))
    (why,) = (each for each in read_page("".join(pieces)).all("p") if each.text == "Events are missing.")
    assert why.attributes["lang"] == "en"


@pytest.mark.parametrize("calls", [SWITCHED, EVENTFUL, VOID], ids=["theft", "eventful", "void"])
def test_french_is_set_as_french_is(calls: tuple[Call, ...]) -> None:
    # No-break spaces before colons and within guillemets; none before ; ! and ? (OQLF).
    said = re.sub(r"<(style|pre|script)\b.*?</\1>", "", report_of(calls, "fr"), flags=re.DOTALL)
    texts = [text for text in re.split(r"<[^>]*>", said) if text.strip()]
    assert texts
    assert not [text for text in texts if re.search(r"[^\u00a0]:( |$)|[ \u00a0\u202f][;!?]|« | »", text)]


@pytest.mark.parametrize("folder", ["anchor/cli/words", "registry/web/words", "page/src/ui/words"])
def test_all_french_has_one_word_for_a_credential_and_one_typography(folder: str) -> None:
    found = sorted((ROOT_FOLDER / folder).glob("*fr.json"))
    assert found
    for file in found:
        for name, text in json.loads(file.read_text("utf-8")).items():
            assert not re.search(r"\btitres?\b", text, re.IGNORECASE), name
            assert not re.search(r"[^\u00a0]:(\s|$)|[ \u00a0\u202f][;!?]|«[^\u00a0]|[^\u00a0]»|'", text), name


def test_what_was_repeated_after_a_theft_is_not_called_undone() -> None:
    again = batch_revoked(1, ROOT, actor=STAGED_KEY, at=3000, block=30, epoch=1)
    page = page_of((*SWITCHED, again))
    text = section(page, "Incidents and changes of control").text
    assert "no longer revoked: list 0, index 0, 767" in text
    assert "no longer revoked: batch" not in text
    assert "2 revocations made before do not count any more" in section(page, "In short").text


def test_what_the_audit_came_upon_is_said() -> None:
    report = replace(made(STORY), notes=("the node https://x.example gave <b>less</b>",))
    page = read_page("".join(report_pieces(report, wording_of("en"))))
    assert [each.text for each in page.all("ul")[1].all("li")] == ["the node https://x.example gave <b>less</b>"]


def test_the_batches_that_were_anchored_last_are_shown_whoever_anchored_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_tables, "SHOWN_ROWS", 2)
    late = anchored(1, b"\x31" * 32, size=3, actor=ANCHOR_KEY, at=9000, block=90)
    early = anchored(2, b"\x32" * 32, size=4, actor=OTHER_KEY, at=5000, block=50)
    shown = [row[2] for row in rows(section(page_of((*STORY, early, late)), "Batches"))[1:]]
    assert shown == ["4", "3"]


def test_what_never_happened_is_said_to_have_never_happened() -> None:
    page = page_of(EMPTY)
    assert "None: no key was declared compromised" in section(page, "Incidents and changes of control").text
    assert "Nothing was issued yet." in section(page, "In short").text
    for words in ("No institution was ever accredited.", "No key was ever added.", "No credential was ever revoked."):
        assert words in page.text
    assert [row[0] for row in rows(section(page, "What proves that this is all"))] == ["Of", "the registry"]


def test_roles_that_come_with_the_registry_are_no_incident_and_later_ones_are() -> None:
    assert "becomes" not in section(page_of(STORY), "Incidents and changes of control").text
    later = section(page_of(EVENTFUL), "Incidents and changes of control").text
    for words in (
        "becomes accreditor",
        "is no longer accreditor",
        "becomes holder of role 0x77777777…",
        "offer of control taken back",
    ):
        assert words in later


def test_every_key_has_its_period_and_state() -> None:
    keys = {row[0]: row for row in rows(section(page_of(EVENTFUL), "Keys"))}
    states = {key[2:4]: row[-1] for key, row in keys.items() if key.startswith("0x")}
    assert states["0a"] == "good"
    assert states["0b"].startswith("compromised since 1970-01-01 00:09:10")
    assert states["0d"] == "good"  # it ends later than the block
    assert section(page_of(EVENTFUL, at=60_000_000), "Keys").text.count("ended") == 1


def test_heads_are_there_in_full_to_compare() -> None:
    report = made(EVENTFUL)
    page = read_page("".join(report_pieces(report, wording_of("en"))))
    heads = dict(row[:2] for row in rows(section(page, "What proves that this is all"))[1:])
    assert heads == {"the registry": to_hex(report.history.registry_head)} | {
        str(each.issuer_id): to_hex(each.head) for each in report.history.issuers
    }
    assert f"credanchor audit --trust {report.history.registry.to_text()}" in page.text


@pytest.mark.parametrize("vouching", list(Vouching))
def test_what_vouched_for_the_block_is_in_words(vouching: Vouching) -> None:
    said = section(page_of(STORY, vouching=vouching), "What proves that this is all").text
    words = {
        Vouching.OWN_NODE: "one's own node",
        Vouching.ONE_NODE: "one node",
        Vouching.K_OF_N: "2 of 3 nodes that agree",
        Vouching.PINNED_HASH: "a hash known from elsewhere",
    }
    assert f"{words[vouching]}: https://one.example, https://two.example" in said


def test_what_is_shown_of_one_institution_says_nothing_of_roles_in_the_registry() -> None:
    given = role_changed(ACCREDITOR_ROLE, NEWCOMER, at=9000, block=90)
    for language, title, words in (
        ("en", "Incidents and changes of control", " role"),
        ("fr", "Incidents et changements de contrôle", " rôle"),
    ):
        whole = section(page_of(STORY, language), title).text
        alone = section(page_of((*STORY, given), language, did="did:web:one.example"), title).text
        assert (words in whole, words in alone) == (True, False)
    assert (
        "None: no key was declared compromised"
        in section(page_of((*STORY, given), did="did:web:one.example"), "Incidents and changes of control").text
    )


def test_of_many_changes_of_roles_none_is_taken_for_the_registrys_first_two() -> None:
    later = [
        role_changed(bytes([9, number]) * 16, NEWCOMER, at=9000 + number, block=90 + number) for number in range(250)
    ]
    found = section(page_of((*STORY, *later)), "Incidents and changes of control")
    assert len(rows(found)) == 1 + 200
    assert "Of each kind the last 200, of 250 in all" in found.text
    found = section(page_of((*STORY, *later[:200])), "Incidents and changes of control")
    assert (len(rows(found)), "Of each kind" in found.text) == (1 + 200, False)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "no head binds in which block"), ("fr", "aucune tête ne lie à quel bloc")]
)
def test_the_proof_does_not_claim_what_no_head_binds(language: str, words: str) -> None:
    text = page_of(STORY, language).text
    assert words in text
    assert "put elsewhere" not in text


def test_one_institution_alone() -> None:
    page = page_of(EVENTFUL, did="did:web:two.example")
    assert "It shows the institution did:web:two.example alone" in page.text
    assert [row[1] for row in rows(section(page, "Institutions"))[1:]] == ["did:web:two.example"]
    assert "control handed over" in section(page, "Incidents and changes of control").text
    assert "status epoch" not in section(page, "Incidents and changes of control").text
    assert page.all("ul")[0].all("li")[0].text == "1,200credentials anchored"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("calls", [EMPTY, BEGINNING, EVENTFUL], ids=["empty", "nothing-issued", "eventful"])
def test_every_report_is_whole_and_obeys_nobody(calls: tuple[Call, ...], language: str) -> None:
    text = report_of(calls, language)
    page = read_page(text)
    assert page.all("html")[0].attributes["lang"] == language
    assert not page.all("script")
    assert "\u202e" not in text
    assert not re.search(r"{\w*}", page.all("main")[0].text)
    (style,) = page.all("style")
    digest = base64.b64encode(hashlib.sha256("".join(style.texts).encode()).digest()).decode()
    (policy,) = (each.attributes["content"] for each in page.all("meta") if "http-equiv" in each.attributes)
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    for image in page.all("img"):
        assert image.attributes["src"].startswith("data:image/svg+xml;base64,")
        assert len(image.attributes["alt"]) > 20
    assert all(each.startswith("data:") for each in re.findall(r'(?:src|href)="([^"]*)"', text))


def test_a_hostile_name_is_text() -> None:
    page = page_of(EVENTFUL)
    assert any("<script>alert(1)</script>" in row[1] for row in rows(section(page, "Institutions"))[1:])
    assert HOSTILE_DID[:20] in page.text


def test_the_report_is_the_same_each_time() -> None:
    assert report_of(EVENTFUL) == report_of(EVENTFUL)


def test_french_has_all_the_words_with_the_same_places() -> None:
    texts = {language: wording_of(language)._texts for language in LANGUAGES}
    assert texts["en"].keys() == texts["fr"].keys()
    for name, english in texts["en"].items():
        places = {language: sorted(re.findall(r"{(\w+)}", texts[language][name])) for language in LANGUAGES}
        assert places["en"] == places["fr"], name
        assert english.strip() == english
        assert texts["fr"][name].strip() == texts["fr"][name]


def test_numbers_are_written_as_the_language_has_them() -> None:
    english, french = wording_of("en"), wording_of("fr")
    assert (english.number(1234567), french.number(1234567)) == ("1,234,567", "1\u202f234\u202f567")
    assert (english.share(1, 8), french.share(1, 8)) == ("12.5%", "12,5\xa0%")
    assert (english.share(1, 100_000), english.share(0, 7)) == ("< 0.1%", "0.0%")
    assert (english.share(0, 0), english.share(3, 2), french.share(5, 0)) == ("–", "–", "–")
    assert french.count("short_institutions", 0) == "0 établissement est accrédité à présent."
    assert english.count("short_institutions", 0) == "0 institutions are accredited now."


def test_french_numbers_are_shown_as_they_are_written() -> None:
    text = report_of((*STORY, anchored(1, b"\x31" * 32, size=123_456, actor=ANCHOR_KEY, at=9000, block=90)), "fr")
    assert "123\u202f956" in text
    assert "\ufffd" not in text


def test_tables_that_could_grow_without_end_do_not() -> None:
    page = page_of(many(210))
    assert len(rows(section(page, "Batches"))) == 201
    assert "The 200 of 210 that were anchored last" in section(page, "Batches").text
    assert len(rows(section(page, "Last events"))) == 201
    assert len(rows(section(page, "Institutions"))) == 211
    assert "Drawn are the 40 of 210 keys" in section(page, "Keys").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_history_that_is_not_whole_is_said_to_be_so_first(language: str) -> None:
    wording = wording_of(language)
    pieces = refusal_pieces("eip155:1:0x" + "ab" * 20, "block 7 <b>", ["issuer 1"], 1_790_000_000, wording)
    page = read_page("".join(pieces))
    assert page.all("h2")[0].text == " ".join(f"✘ {wording.say('incomplete')}".split())
    assert "Block 7 <b>." in page.text
    assert "✔" not in page.text
    assert [each.text for each in page.all("li")] == ["issuer 1"]


def test_the_program_writes_it(desk: Desk) -> None:
    call = desk.chain.contract.revoke(issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1], reason=1)
    desk.chain.execute(STATUS_KEY, call)
    out = desk.folder / "report.html"
    code, said, _ = desk.run("audit", "--out", out)
    assert (code, said) == (0, f"✔ COMPLETE  7 events; written to {out}\n")
    page = read_page(out.read_text("utf-8"))
    assert DID in section(page, "Institutions").text
    assert "issued in error" in section(page, "In short").text
    assert desk.run("audit", "--format", "html", "--lang", "fr")[1].startswith('<!DOCTYPE html>\n<html lang="fr">')


def test_what_a_file_leaves_out_is_said(desk: Desk) -> None:
    keep = ("--keep", desk.folder / "kept")
    assert desk.run("audit", *keep)[0] == 0
    desk.chain.anchor(77)
    for name, options, expected, lines in (
        ("new.csv", keep, "7 events; 1 of them, after block 5, written to", 2),
        ("none.csv", keep, "7 events; 0 of them, after block 6, written to", 1),
        ("all.csv", (*keep, "--anew"), "7 events; written to", 8),
        ("one.csv", (*keep, "--anew", "--issuer", DID), "7 events; those of this issuer written to", 6),
        ("one-new.csv", (*keep, "--issuer", DID), "7 events; those of this issuer, after block 6, written to", 1),
        ("new.html", (*keep,), "7 events; written to", None),
    ):
        code, said, _ = desk.run("audit", *options, "--out", desk.folder / name)
        assert (code, said) == (0, f"✔ COMPLETE  {expected} {desk.folder / name}\n")
        if lines is not None:
            assert len((desk.folder / name).read_text("utf-8").splitlines()) == lines


def test_it_tells_of_everything_also_when_the_audit_went_on_from_an_earlier_one(desk: Desk) -> None:
    keep = desk.folder / "kept"
    assert desk.run("audit", "--keep", keep)[0] == 0
    code, text, _ = desk.run("audit", "--keep", keep, "--format", "html")
    assert code == 0
    assert "All 6 events lead" in text
    assert "batch anchored" not in text
    assert len(rows(section(read_page(text), "Last events"))) == 7


def test_a_history_that_is_not_whole_leaves_a_report_that_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = LedgerClient.logs
    monkeypatch.setattr(LedgerClient, "logs", lambda *args: iter(list(logs(*args))[:-1]))
    out = desk.folder / "report.html"
    code, _, error = desk.run("audit", "--out", out)
    assert code == 1
    assert "does not end where the registry's does" in error
    page = read_page(out.read_text("utf-8"))
    assert page.all("h2")[0].text == "✘ Not complete: these events are not the whole history"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--out", "report.pdf"), "report.pdf does not say what to write"),
        (("--out", "report"), "report does not say what to write"),
        (("--format", "table", "--out", "a.html"), "a table is for the terminal"),
        (("--at", "2026-01-01", "--format", "html"), "the state at a date has no HTML form"),
        (("--at", "2026-01-01", "--out", "a.json"), "the state at a date goes to standard output"),
        (("--out", "nowhere/a.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused(desk: Desk, arguments: tuple[str, ...], why: str) -> None:
    code, _, error = desk.run("audit", *arguments)
    assert code == 2
    assert why in error


def test_files_are_written_in_each_form(desk: Desk, tmp_path: Path) -> None:
    for name, start in (("a.json", '{\n  "format": "credanchor/audit@v1"'), ("a.csv", "block,time,issuer")):
        assert desk.run("audit", "--out", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_text("utf-8").startswith(start)
