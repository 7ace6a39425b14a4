"""The report as one HTML file, to be filed, sent or printed.

Upholds: it needs nothing from anywhere and may do nothing (`anchor.cli.html_page`). What a stranger wrote is text
(`anchor.cli.markup`).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from anchor.cli.checking import CheckedFile, Report
from anchor.cli.html_page import head
from anchor.cli.markup import Markup, element
from anchor.cli.reports import Group, Row, clipped, counts_of, sorted_rows
from anchor.cli.verdicts import STEP_LABELS, as_of_words, basis_words, contacted_words
from anchor.identity import HolderMatch
from anchor.model import Basis, CheckStatus, Verdict, to_hex, to_utc

_STYLE: Final = """
table { table-layout: fixed; }
.more td { padding: 0 0 .45rem; }
.facts th, .facts td { padding-bottom: .45rem; }
.claimed { font-style: italic; font-weight: 400; color: var(--faint); }
.name { width: 25%; } .holder { width: 15%; } .issuer { width: 22%; } .day { width: 9%; }
details[open] { margin: .25rem 0 .5rem; padding: .5rem .9rem; border-radius: .3rem; background: var(--paper); }
dl { display: grid; grid-template-columns: 13rem 1fr; gap: .1rem .75rem; margin: .5rem 0; font-size: .88rem; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
.meanings dl { grid-template-columns: 15rem 1fr; gap: .4rem 1.25rem; font-size: 1rem; }
.meanings dt { font-weight: 600; color: var(--ink); }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { font-size: 8.5pt; }
  tbody { break-inside: avoid; }
  tr.more:not(:has(details[open])) { display: none; }
  tbody th, tbody td { padding-bottom: .45rem; }
}
"""

_TITLES: Final = {
    Group.NOT_VALID: "Not valid",
    Group.OTHER_PERSON: "Valid, but another person's",
    Group.MALFORMED: "Malformed",
    Group.UNKNOWN: "Could not be determined",
    Group.HOLDER_OPEN: "Valid, but it does not say whose",
    Group.VALID: "Valid",
}
_MEANINGS: Final = {
    Group.NOT_VALID: "Do not rely on it. It was changed, never issued, revoked, suspended, or its time is over: the "
    "reason stands beside each. If one should be good, ask the issuer, not the person who gave it to you.",
    Group.OTHER_PERSON: "The credential is good, and states another e-mail address than the one that was asked for.",
    Group.MALFORMED: "The file is not a credential, or is damaged. Ask for it again.",
    Group.UNKNOWN: "Neither good nor bad: what was at hand did not settle it. The reason stands beside each; often it "
    "is enough to check again later.",
    Group.HOLDER_OPEN: "The credential is good, and states no e-mail address to compare: look at the name.",
    Group.VALID: "Issued by the issuer named while it was accredited, unchanged since, and neither revoked nor "
    "suspended at the time of this check.",
}
_HOLDER_WORDS: Final = {
    HolderMatch.MATCHES: "matches the e-mail asked for",
    HolderMatch.DIFFERS: "does not match the e-mail asked for",
    HolderMatch.NOT_STATED: "no e-mail stated",
}
_MARKS: Final = {
    CheckStatus.PASSED: "✔",
    CheckStatus.FAILED: "✘",
    CheckStatus.UNKNOWN: "?",
    CheckStatus.NOT_APPLICABLE: "–",
    CheckStatus.SKIPPED: "·",
}


def html_pieces(report: Report) -> Iterator[str]:
    """Give the report as an HTML document, piece by piece."""
    rows = sorted_rows(report)
    counts = counts_of(rows)
    yield "<!DOCTYPE html>\n" + f'<html lang="en">\n{head("Verification of credentials", _STYLE)}\n<body>\n<main>\n'
    yield _beginning(report, counts)
    for group, count in counts.items():
        yield f"<section>\n{_group_start(group, count)}\n"
        for row in rows:
            if row.group is group:
                yield _table_row(row) + "\n"
        yield "</table>\n</section>\n"
    yield _end(report, counts)
    yield "</main>\n</body>\n</html>\n"


def _beginning(report: Report, counts: dict[Group, int]) -> str:
    number = len(report.files)
    what = f"{number:,} credential{'' if number == 1 else 's'}"
    parts = [
        element("h1", f"Verification of {what}"),
        element(
            "p",
            f"Checked on {to_utc(report.checked_at)} with credanchor {version('credanchor')}, by proofs from the "
            "ledger. Status can change: the answers hold for that time.",
            class_="faint",
        ),
        *(element("p", f"The answers rest on {basis_words(basis)}.", class_="faint") for basis in report.bases),
    ]
    if report.fetched_from or report.issuers_asked:
        words = contacted_words(report.fetched_from, report.issuers_asked)
        parts.append(element("p", f"Beside the nodes: {words}.", class_="faint"))
    if report.as_of_block:
        parts += [element("p", f"{as_of_words(basis)}.".capitalize(), class_="yellow") for basis in report.bases]
    tiles = [
        element("li", element("b", f"{count:,}"), element("span", _TITLES[group]), class_=group.colour)
        for group, count in counts.items()
    ]
    return "\n".join([*parts, element("ul", *tiles, class_="counts")]) + "\n"


def _group_start(group: Group, count: int) -> str:
    mark = group.headline.partition(" ")[0]
    caption = f"{count:,} in this table."
    if group not in (Group.VALID, Group.OTHER_PERSON, Group.HOLDER_OPEN):
        caption += " In brackets: what the file says of itself; nothing confirms it."
    columns = (("Credential", "name"), ("Holder", "holder"), ("Issuer", "issuer"), ("Anchored", "day"), ("Answer", ""))
    titles = [element("th", title, scope="col", **({"class_": kind} if kind else {})) for title, kind in columns]
    return (
        element("h2", element("span", mark, class_=group.colour), f" {_TITLES[group]}")
        + element("p", _MEANINGS[group])
        + "\n<table>"
        + element("caption", caption)
        + element("thead", element("tr", *titles))
    )


def _table_row(row: Row) -> Markup:
    checked = row.checked
    holder = [_stated(row.holder, row)]
    if checked.holder is not None:
        holder.append(element("small", _HOLDER_WORDS[checked.holder]))
    why = clipped(checked.why) or "Valid."
    answer = [element("span", f"{why[:1].upper()}{why[1:]}", class_=row.group.colour)]
    if checked.contacted:
        answer.append(element("small", clipped(contacted_words(checked.source.contacted, checked.issuer_asked))))
    # A part of the table for each, so that its two rows stay together on paper.
    columns = element(
        "tr",
        element("th", _stated(row.credential, row), element("small", clipped(checked.source.name)), scope="row"),
        element("td", *holder),
        element(
            "td",
            _stated(row.issuer or row.did, row),
            *([element("small", _stated(row.did, row))] if row.issuer else []),
        ),
        element("td", row.anchored, class_="when"),
        element("td", *answer),
    )
    return element("tbody", columns, element("tr", element("td", _details(row), colspan="5"), class_="more"))


def _stated(text: str, row: Row) -> Markup:
    """Mark what the file says of itself until the ledger has confirmed where it comes from."""
    if not text or row.checked.is_confirmed:
        return element("bdi", text)
    return element("span", "(", element("bdi", text), ")", class_="claimed")


def _details(row: Row) -> Markup:
    checked, verdict = row.checked, row.checked.answer
    facts = {"file": checked.source.name}
    if isinstance(verdict, Verdict):
        facts |= {
            "credential": verdict.credential_id,
            "issuer's DID": verdict.issuer_did,
            "whom to ask": verdict.contact if checked.is_confirmed else "",
            "anchored": "" if verdict.anchored_at is None else f"{to_utc(verdict.anchored_at)}, by the chain's clock",
        }
        if verdict.basis is not None:
            facts["registry, block"] = f"{verdict.basis.registry.to_text()}, {verdict.basis.block_number}"
    elif verdict.advice:
        facts["what to do"] = verdict.advice
    shown = [
        each
        for label, fact in facts.items()
        if fact
        for each in (element("dt", label), element("dd", element("bdi", clipped(fact))))
    ]
    return element("details", element("summary", "Details"), element("dl", *shown), *_checks(row.group, checked))


def _checks(group: Group, checked: CheckedFile) -> list[Markup]:
    """List the thirteen checks where one did not pass; of what is valid there is nothing to tell."""
    if group is Group.VALID or not isinstance(checked.answer, Verdict):
        return []
    return [
        element(
            "dl",
            *(
                each
                for check in checked.answer.checks
                for each in (
                    element("dt", f"{_MARKS[check.status]} {STEP_LABELS[check.name]}"),
                    element("dd", clipped(check.detail)),
                )
            ),
        )
    ]


def _end(report: Report, counts: dict[Group, int]) -> str:
    parts = []
    if report.bases:
        parts += [
            element("h2", "What these answers rest on"),
            element(
                "p",
                "Every fact was proved against the block named here. The answers are worth as much as what vouches for "
                "that block's hash.",
            ),
            _bases(report.bases),
        ]
    if report.others:
        names = [element("li", f"{clipped(each.source.name)} (a {each.what})") for each in report.others]
        parts += [element("h2", "Left aside"), element("p", "These files are no credentials:"), element("ul", *names)]
    meanings = [
        each
        for group in Group
        if group in counts or not report.asks_holder or group in (Group.OTHER_PERSON, Group.HOLDER_OPEN)
        for each in (element("dt", _TITLES[group]), element("dd", _MEANINGS[group]))
        if report.asks_holder or group not in (Group.OTHER_PERSON, Group.HOLDER_OPEN)
    ]
    parts.append(
        element("section", element("h2", "What the answers mean"), element("dl", *meanings), class_="meanings")
    )
    return "\n".join(parts) + "\n"


def _bases(bases: tuple[Basis, ...]) -> Markup:
    titles = [element("th", title, scope="col") for title in ("Registry", "Block", "Time", "Vouched for by")]
    rows = [
        element(
            "tr",
            element("th", basis.registry_name or "Registry", element("small", basis.registry.to_text()), scope="row"),
            element("td", f"{basis.block_number:,}", element("small", element("code", to_hex(basis.block_hash)))),
            element("td", to_utc(basis.block_at)),
            element("td", clipped(", ".join(basis.vouched_by)), element("small", basis.vouching.value)),
        )
        for basis in bases
    ]
    return element(
        "table",
        element("caption", "One block of each registry."),
        element("thead", element("tr", *titles)),
        element("tbody", *rows),
        class_="facts",
    )
