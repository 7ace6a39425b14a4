"""The numbers of the audit's report, counted again from the JSON of the same audit, by other means."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from anchor.cli import plots
from anchor.cli.histories import json_pieces
from tests.support.audit_reports import EVENTFUL, made, report_of, two_years
from tests.support.history import Call
from tests.support.pages import Element, read_page
from tests.support.stories import STORY, SWITCHED, VOID

_SETTING = {"credentialsRevoked": "revoked", "credentialsSuspended": "suspended"}


def counted(events: list[dict[str, Any]]) -> list[int]:
    """Count credentials, batches, revoked, revoked with their batch, and compromised keys, from events alone."""
    epochs = {each["issuer"]: each["epoch"] for each in events if each["event"] == "statusEpochChanged"}
    sizes = {
        (each["issuer"], each["root"]): each["size"]
        for each in events
        if each["event"] == "batchAnchored" and not each["void"]
    }
    bits: dict[str, set[tuple[int, int, int]]] = {"revoked": set(), "suspended": set()}
    whole = set()
    for each in events:
        if each.get("epoch") != epochs.get(each["issuer"], 0):
            continue
        places = {(each["issuer"], each["list"], index) for index in each.get("indices", ())}
        if each["event"] in _SETTING:
            bits[_SETTING[each["event"]]] |= places
        elif each["event"] == "credentialsReinstated":
            bits["suspended"] -= places
        elif each["event"] == "batchRevoked":
            whole.add((each["issuer"], each["root"]))
    compromised = {each["key"] for each in events if each["event"] == "keyCompromised"}
    lost = sum(sizes.get(each, 0) for each in whole)
    return [sum(sizes.values()), len(sizes), len(bits["revoked"]), lost, len(bits["suspended"]), len(compromised)]


def events_of(calls: tuple[Call, ...]) -> list[dict[str, Any]]:
    report = made(calls)
    events: list[dict[str, Any]] = json.loads("".join(json_pieces(report.history, report.basis, None)))["events"]
    return events


def section(page: Element, title: str) -> Element:
    (found,) = (each for each in page.all("section") if any(heading.text == title for heading in each.all("h2")))
    return found


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize(
    "calls", [STORY, SWITCHED, VOID, EVENTFUL, two_years()], ids=["story", "theft", "void", "eventful", "two-years"]
)
def test_what_the_report_counts_is_what_the_events_say(calls: tuple[Call, ...]) -> None:
    events, page = events_of(calls), read_page(report_of(calls))
    tiles = [number(each.all("b")[0].text) for each in page.all("ul")[0].all("li")]
    assert [*tiles[:2], *tiles[3:]] == counted(events)
    # Nor do sections contradict each other.
    institutions = [[number(cell.text) for cell in row.children[4:8]] for row in _rows(section(page, "Institutions"))]
    assert [sum(column) for column in zip(*institutions, strict=True)] == [tiles[1], tiles[0], tiles[3], tiles[5]]
    acts: Counter[str] = Counter()
    for row in _rows(section(page, "Who acted")):
        for act in row.children[2].text.split(", "):
            kind, count = act.split(": ")
            acts[kind] += number(count)
    assert sum(acts.values()) == len(events)
    for kind, event in (("batches anchored", "batchAnchored"), ("revocations", "credentialsRevoked")):
        assert acts[kind] == sum(each["event"] == event for each in events)
    if over_time := [each for each in page.all("table") if each.all("th")[0].text == "From"]:
        titles = [each.text for each in over_time[0].all("thead")[0].all("th")]
        drawn = (
            [number(row.children[titles.index("anchored")].text) for row in _rows(over_time[0])]
            if ("anchored" in titles)
            else []
        )
        assert sum(drawn) == tiles[0]


def _rows(found: Element) -> list[Element]:
    return found.all("tbody")[0].all("tr")


def test_what_is_hatched_is_seen_to_be_on_paper_in_black_and_white() -> None:
    hatched = [style for style in plots._STYLES.values() if style["hatch"]]
    assert len(hatched) == 6
    for style in hatched:
        light, dark = sorted((_luminance(style["color"]), _luminance(style["edgecolor"])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, style


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    parts = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
