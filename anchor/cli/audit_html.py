"""The audit's report as one HTML file: the answer first, then what happened, then what proves that this is all.

Upholds: it needs nothing from anywhere and may do nothing (`anchor.cli.html_page`). What a stranger wrote is text
(`anchor.cli.markup`). It grows with institutions, keys and periods, not with events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Final

from anchor.activity import reasons_of
from anchor.cli.audit_sections import (
    REVOKING,
    AuditReport,
    actors_section,
    batches_section,
    events_section,
    incidents_section,
    institutions_section,
    keys_section,
    over_time_section,
    still_undone,
    why_revoked_section,
)
from anchor.cli.audit_tables import facts_list, heads_table
from anchor.cli.histories import Totals, totals_of
from anchor.cli.html_page import head
from anchor.cli.markup import Markup, element
from anchor.cli.wording import Wording
from anchor.history import IssuerHistory, is_void
from anchor.model import Basis, to_hex, to_utc

_STYLE: Final = """
.verdict { margin: 1.25rem 0 0; padding: 1rem 1.25rem; border: 1px solid; border-left: .6rem solid;
  border-radius: .3rem; }
.verdict h2 { margin: 0 0 .25rem; font-size: 1.35rem; }
.verdict p { color: var(--ink); }
p, li { overflow-wrap: anywhere; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; break-after: avoid; }
ul.short { margin: .5rem 0; padding-left: 1.25rem; max-width: 62rem; font-size: 1.08rem; }
.wide { overflow-x: auto; }
.wide td, .wide th { padding-bottom: .35rem; overflow-wrap: normal; }
.wide tr + tr > * { border-top: 1px solid var(--line); }
.wide bdi { overflow-wrap: anywhere; }
.wide code { white-space: nowrap; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
tbody th { font-weight: 400; }
figure { margin: .75rem 0; break-inside: avoid; }
figure img { display: block; width: 100%; max-width: 56rem; height: auto; }
dl { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr; gap: .4rem 1.25rem; margin: .75rem 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; max-width: 56rem; }
pre { margin: .5rem 0; padding: .75rem 1rem; overflow-x: auto; border-radius: .3rem; background: var(--paper);
  white-space: pre-wrap; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid #1d4f91; outline-offset: 2px; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: .1rem; } dd { margin-bottom: .5rem; }
  .wide bdi { display: inline-block; min-width: 10rem; } }
@media print {
  @page { size: A4; margin: 14mm 14mm 16mm;
    @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
  :root { font-size: 9pt; }
  table { font-size: 8pt; }
  .wide { overflow: visible; }
  .wide code:not(.short) { white-space: normal; overflow-wrap: anywhere; }
  p:has(+ figure), p:has(+ .wide) { break-after: avoid; }
  p, li, tr, dt, dd, .verdict { break-inside: avoid; }
  dt { break-after: avoid; }
  .proof { break-before: page; }
  summary { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; overflow: visible; }
}
"""


def report_pieces(report: AuditReport, wording: Wording) -> Iterator[str]:
    """Give the report of a complete history as an HTML document, piece by piece.

    Raises:
        MalformedError: The plotting library is not installed.
    """
    yield _start(wording)
    yield _cover(report, wording)
    yield _in_short(report, wording)
    for section in _SECTIONS:
        yield section(report, wording) + "\n"
    yield _glossary(wording)
    yield _END


def refusal_pieces(registry: str, why: str, places: Sequence[str], made_at: int, wording: Wording) -> Iterator[str]:
    """Give the report of a history that is not whole: that, and where it breaks.

    Args:
        registry: CAIP-10 name.
        why: What was found.
        places: Where the chains of heads break, if that could be told; one line each.
        made_at: Unix seconds.
        wording: The language.
    """
    yield _start(wording)
    yield _about(registry, made_at, None, wording)
    yield element(
        "section",
        element("h2", "✘ ", wording.say("incomplete")),
        element("p", wording.say("incomplete_why")),
        class_="verdict red",
    )
    yield element("h2", wording.say("where_it_breaks"))
    yield element("p", f"{why[:1].upper()}{why[1:]}.", lang="en")
    if places:
        yield element("ul", *(element("li", place) for place in places))
    yield _check_again(registry, wording)
    yield _END


_END: Final = "</main>\n</body>\n</html>\n"


def _start(wording: Wording) -> str:
    start = f'<!DOCTYPE html>\n<html lang="{wording.language}">\n{head(wording.say("title"), _STYLE)}\n'
    return start + "<body>\n<main>\n" + element("h1", wording.say("title")) + "\n"


def _about(registry: str, made_at: int, did: str | None, wording: Wording) -> Markup:
    said = [wording.say("about_text", time=to_utc(made_at), version=version("credanchor"), registry=registry)]
    if did is not None:
        said.append(wording.say("covers_one", did=did))
    return Markup("".join(element("p", each, class_="faint") for each in said))


def _cover(report: AuditReport, wording: Wording) -> Markup:
    basis, say = report.basis, wording.say
    named = [element("p", element("strong", basis.registry_name))] if basis.registry_name else []
    totals, count = _totals(report), wording.count
    accredited = sum(_is_accredited(each, basis.block_at) for each in report.issuers)
    compromised = sum(key.compromised_at > 0 for _, _, key in report.keys)
    share = wording.share(totals.revoked, totals.credentials)
    tiles = (
        (totals.credentials, count("tile_credentials", totals.credentials), "green"),
        (totals.batches, count("tile_batches", totals.batches), "green"),
        (accredited, count("tile_institutions", accredited), "green"),
        (totals.revoked, count("tile_revoked", totals.revoked, share=share), "yellow"),
        (totals.revoked_whole, count("tile_batch_revoked", totals.revoked_whole), "yellow"),
        (totals.suspended, count("tile_suspended", totals.suspended), "yellow"),
        (compromised, count("tile_compromised", compromised), "red" if compromised else "green"),
    )
    events = len(report.history.events)
    return Markup(
        "".join(
            (
                *named,
                _about(basis.registry.to_text(), report.made_at, report.did, wording),
                element(
                    "section",
                    element("h2", "✔ ", say("complete")),
                    element(
                        "p", say("complete_why", events=events, block=basis.block_number, time=to_utc(basis.block_at))
                    ),
                    element("p", say("complete_rests", vouching=_vouching(basis, wording))),
                    class_="verdict green",
                ),
                element(
                    "ul",
                    *(
                        element("li", element("b", wording.number(number)), element("span", what), class_=colour)
                        for number, what, colour in tiles
                    ),
                    class_="counts",
                ),
                *_notes(report.notes, wording),
            )
        )
    )


def _notes(notes: Sequence[str], wording: Wording) -> list[Markup]:
    if not notes:
        return []
    return [element("h2", wording.say("notes")), element("ul", *(element("li", each, lang="en") for each in notes))]


def _totals(report: AuditReport) -> Totals:
    sums = [sum(column) for column in zip(*map(totals_of, report.issuers), strict=True)]
    return Totals(*sums) if sums else Totals(0, 0, 0, 0, 0)


def _in_short(report: AuditReport, wording: Wording) -> Markup:
    say, count, number, totals = wording.say, wording.count, wording.number, _totals(report)
    batches = [
        batch for issuer in report.issuers for batch in issuer.batches.values() if not is_void(batch, issuer.keys)
    ]
    unstated = sum(not batch.size for batch in batches)
    withdrawn = sum(not _is_accredited(each, report.basis.block_at) for each in report.issuers)
    said = [count("short_institutions", len(report.issuers) - withdrawn)]
    if withdrawn:
        said.append(count("short_withdrawn", withdrawn))
    if batches:
        times = [batch.anchored_at for batch in batches]
        first, last = to_utc(min(times)), to_utc(max(times))
        said.append(
            count("short_issued", totals.batches, credentials=number(totals.credentials), first=first, last=last)
        )
    else:
        anything = any(issuer.batches for issuer in report.issuers)
        said.append(say("short_none_good" if anything else "short_nothing"))
    if unstated:
        said.append(count("short_unstated", unstated))
    if totals.revoked or totals.suspended:
        share = wording.share(totals.revoked, totals.credentials)
        said.append(say("short_revoked", revoked=totals.revoked, suspended=totals.suspended, share=share))
    reasons = reasons_of(report.activity.tallies, REVOKING)
    if reasons:
        said.append(say("short_reason", reason=say(f"reason_{next(iter(reasons)).label}")))
    revoked = sum(len(each.revoked_batches()) for each in report.issuers)
    if revoked:
        said.append(count("short_batches_revoked", revoked, credentials=totals.revoked_whole))
        if any(not issuer.batches[root].size for issuer in report.issuers for root in issuer.revoked_batches()):
            said.append(say("short_batches_unstated"))
    compromised = sum(key.compromised_at > 0 for _, _, key in report.keys)
    said.append(count("short_compromised", compromised) if compromised else say("short_no_compromise"))
    void = sum(len(each.void_batches()) for each in report.issuers)
    if void:
        said.append(count("short_void", void))
    undone = sum(
        len(change.unrevoked) + len(change.unrevoked_batches)
        for issuer in report.issuers
        for change in still_undone(issuer)
    )
    if undone:
        said.append(count("short_undone", undone))
    return element(
        "section",
        element("h2", say("in_short")),
        element("ul", *(element("li", element("bdi", each)) for each in said), class_="short"),
    )


def _proof(report: AuditReport, wording: Wording) -> Markup:
    basis, say = report.basis, wording.say
    vouching = _vouching(basis, wording)
    facts = {
        "registry": basis.registry.to_text(),
        "registry_name": basis.registry_name,
        "code_hash": element("code", to_hex(report.code_hash)),
        "block": wording.number(basis.block_number),
        "block_hash": element("code", to_hex(basis.block_hash)),
        "time": to_utc(basis.block_at),
        "vouched_by": say("named", name=vouching, value=", ".join(basis.vouched_by)) if basis.vouched_by else vouching,
    }
    return element(
        "section",
        element("h2", say("proof")),
        *(element("p", say(name)) for name in ("proof_1", "proof_2", "proof_3")),
        element("h3", say("rests_on")),
        element("p", say("rests_text")),
        facts_list(facts, wording),
        _check_again(basis.registry.to_text(), wording),
        element("p", say("check_again_after", command="credanchor statement check")),
        element("h3", say("heads")),
        heads_table(report.history, wording),
        class_="proof",
    )


def _vouching(basis: Basis, wording: Wording) -> str:
    name = f"vouching_{basis.vouching.value}"
    return wording.say(name, agreeing=len(basis.vouched_by), asked=basis.nodes_asked)


def _check_again(registry: str, wording: Wording) -> Markup:
    command = f"credanchor audit --trust {registry} --rpc https://NODE"
    return Markup(
        element("h3", wording.say("check_again"))
        + element("p", wording.say("check_again_text"))
        + element("pre", element("code", command))
    )


def _glossary(wording: Wording) -> Markup:
    words = ("word_anchor", "word_revoked", "word_void", "word_epoch", "word_head", "word_relayed")
    return element(
        "section",
        element("h2", wording.say("glossary")),
        facts_list({name: wording.say(f"{name}_text") for name in words}, wording),
    )


def _is_accredited(issuer: IssuerHistory, at: int) -> bool:
    return not 0 < issuer.record.withdrawn_at <= at


_SECTIONS: Final = (
    over_time_section,
    why_revoked_section,
    incidents_section,
    institutions_section,
    keys_section,
    actors_section,
    batches_section,
    events_section,
    _proof,
)
