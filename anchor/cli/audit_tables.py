"""Tables of the audit's report: institutions, keys, accounts, batches, events and heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import chain, islice
from typing import Final

from anchor.activity import Actor, Timeline
from anchor.cli.audit_words import event_words, reason_words, scope_name, short
from anchor.cli.histories import totals_of
from anchor.cli.markup import Markup, element
from anchor.cli.plots import DELAY_NAMES, period_label
from anchor.cli.wording import Wording
from anchor.events import AnyEvent, IssuerEvent
from anchor.history import History, IssuerHistory, is_void
from anchor.model import Batch, Hash32, Key, to_hex, to_utc
from anchor.status import StatusReason

SHOWN_ROWS: Final = 200
"""Rows of a table that could grow without end."""

Cells = Sequence[str]


def table(
    label: str, titles: Sequence[str], rows: Iterable[Cells], wording: Wording, *, numbers: Iterable[int] = ()
) -> Markup:
    """Build a table whose first column names the row.

    Args:
        label: Name of what it is called, among the words.
        titles: Names of the columns' titles among the words.
        rows: Cells, as many as titles.
        wording: The language.
        numbers: Which columns are numbers, counted from 0.
    """
    right = {column: {"class_": "number"} for column in numbers}
    return element(
        "div",
        element(
            "table",
            element(
                "thead",
                element(
                    "tr",
                    *(
                        element("th", wording.say(name), scope="col", **right.get(column, {}))
                        for column, name in enumerate(titles)
                    ),
                ),
            ),
            element(
                "tbody",
                *(
                    element(
                        "tr",
                        element("th", row[0], scope="row", **right.get(0, {})),
                        *(element("td", cell, **right.get(column, {})) for column, cell in enumerate(row[1:], 1)),
                    )
                    for row in rows
                ),
            ),
        ),
        class_="wide",
        tabindex="0",
        role="group",
        aria_label=wording.say(label),
    )


def institutions_table(issuers: Iterable[IssuerHistory], wording: Wording) -> Markup:
    """Show each institution, how long it was accredited, and what counts of it."""
    titles = ("col_number", "col_institution", "col_accredited", "col_until", "col_batches", "col_credentials")
    return table(
        "institutions",
        (*titles, "col_revoked", "col_suspended"),
        (
            (
                str(issuer.issuer_id),
                element("bdi", issuer.did),
                when(issuer.record.accredited_at),
                when(issuer.record.withdrawn_at) if issuer.record.withdrawn_at else wording.say("still"),
                *map(wording.number, totals_of(issuer)[:4]),
            )
            for issuer in issuers
        ),
        wording,
        numbers=range(4, 8),
    )


def keys_table(keys: Iterable[tuple[IssuerHistory, bytes, Key]], until: int, wording: Wording) -> Markup:
    """Show each key, its period and what became of it, as of a time."""
    return table(
        "keys",
        ("col_key", "col_number", "col_may", "col_epoch", "col_from", "col_until", "col_state"),
        (
            (
                element("code", to_hex(address)),
                str(issuer.issuer_id),
                wording.say(scope_name(key.scope)),
                str(key.status_epoch) if scope_name(key.scope) == "status" else "",
                when(key.valid_from),
                when(key.valid_until) if key.valid_until else "",
                _key_state(key, until, wording),
            )
            for issuer, address, key in keys
        ),
        wording,
    )


def _key_state(key: Key, until: int, wording: Wording) -> str:
    if key.compromised_at:
        return element("span", wording.say("compromised_since", time=to_utc(key.compromised_at)), class_="red")
    if key.valid_until and key.valid_until <= until:
        return wording.say("ended")
    return wording.say("good_key" if key.valid_from <= until else "not_yet")


def actors_table(actors: Iterable[Actor], wording: Wording) -> Markup:
    """Show what each account did, and for whom."""
    return table(
        "who_acted",
        ("col_account", "col_of", "col_acts", "col_first", "col_last"),
        (
            (
                element("code", to_hex(actor.account)),
                wording.say("whole_registry") if actor.issuer_id is None else str(actor.issuer_id),
                ", ".join(
                    wording.say("named", name=wording.say(f"kind_{kind}"), value=count)
                    for kind, count in actor.kinds.items()
                ),
                when(actor.first_at),
                when(actor.last_at),
            )
            for actor in actors
        ),
        wording,
    )


def batches_table(issuers: Iterable[IssuerHistory], wording: Wording) -> Markup:
    """Show the batches that were anchored last, and what became of them."""
    every = ((issuer, root) for issuer in issuers for root in issuer.batches)
    last = nlargest(SHOWN_ROWS, every, key=lambda each: each[0].batches[each[1]].anchored_at)
    return _batch_rows(reversed(last), wording)


def void_table(issuers: Iterable[IssuerHistory], wording: Wording) -> Markup:
    """Show the first batches that are void."""
    void = ((issuer, root) for issuer in issuers for root in issuer.void_batches())
    return _batch_rows(islice(void, SHOWN_ROWS), wording)


def _batch_rows(batches: Iterable[tuple[IssuerHistory, Hash32]], wording: Wording) -> Markup:
    return table(
        "batches",
        ("col_root", "col_number", "col_size", "col_anchored", "col_by", "col_state"),
        (
            (
                element("code", to_hex(root)),
                str(issuer.issuer_id),
                wording.number(batch.size) if batch.size else wording.say("not_stated"),
                when(batch.anchored_at),
                element("code", short(batch.key), class_="short"),
                _batch_state(issuer, batch, wording),
            )
            for issuer, root in batches
            for batch in (issuer.batches[root],)
        ),
        wording,
        numbers=(2,),
    )


def _batch_state(issuer: IssuerHistory, batch: Batch, wording: Wording) -> str:
    if is_void(batch, issuer.keys):
        return element("span", wording.say("void"), class_="red")
    if batch.is_revoked_in(issuer.record.status_epoch):
        reason = wording.say(f"reason_{StatusReason(batch.revoked_reason).label}")
        return element("span", wording.say("batch_revoked", reason=reason), class_="red")
    return wording.say("good_batch")


def events_table(events: Iterable[AnyEvent], wording: Wording) -> Markup:
    """Show events: when, whose, what, why, by whom, and where to look."""
    return table(
        "events",
        ("col_when", "col_number", "col_what", "col_reason", "col_by", "block"),
        (
            (
                when(event.at),
                str(event.issuer_id) if isinstance(event, IssuerEvent) else "",
                element("bdi", event_words(event, wording)),
                reason_words(event, wording),
                element("code", short(event.actor), class_="short"),
                element("span", str(event.log.block_number), title=to_hex(event.log.transaction_hash)),
            )
            for event in events
        ),
        wording,
        numbers=(5,),
    )


def timeline_table(timeline: Timeline, wording: Wording) -> Markup:
    """Show a timeline in numbers, without the periods in which nothing happened."""
    kinds = [kind for kind in _COUNTED if any(timeline.credentials.get(kind, ()))]
    rows = (
        (period_label(timeline.unit, start), *(wording.number(timeline.credentials[kind][place]) for kind in kinds))
        for place, start in enumerate(timeline.starts)
        if any(timeline.credentials[kind][place] for kind in kinds)
    )
    return table("in_numbers", ("period", *kinds), rows, wording, numbers=range(1, len(kinds) + 1))


_COUNTED: Final = (
    "batchAnchored",
    "batchRevoked",
    "credentialsRevoked",
    "credentialsSuspended",
    "credentialsReinstated",
)


def delays_table(exact: Sequence[int], estimated: Sequence[int], wording: Wording) -> Markup:
    """Show delays by class."""
    rows = (
        (wording.say(f"delay_{name}"), wording.number(sure), wording.number(likely))
        for name, sure, likely in zip(DELAY_NAMES, exact, estimated, strict=True)
    )
    return table("delay_title", ("delay", "exact", "estimated"), rows, wording, numbers=(1, 2))


def heads_table(history: History, wording: Wording) -> Markup:
    """Show the heads that prove the history, the registry's first."""
    registry: Iterator[Cells] = iter([(wording.say("whole_registry"), element("code", to_hex(history.registry_head)))])
    issuers = ((str(each.issuer_id), element("code", to_hex(each.head))) for each in history.issuers)
    return table("heads", ("col_of", "col_head"), chain(registry, issuers), wording)


def facts_list(facts: Mapping[str, str], wording: Wording) -> Markup:
    """Show named facts, those that are empty left out."""
    return element(
        "dl",
        *(
            each
            for name, fact in facts.items()
            if fact
            for each in (element("dt", wording.say(name)), element("dd", fact))
        ),
        class_="facts",
    )


def when(at: int) -> Markup:
    """Show a time."""
    return element("span", to_utc(at).removesuffix(" UTC"), class_="when")
