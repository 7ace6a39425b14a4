"""Sections of the audit's report that show what happened: plots, incidents, institutions, keys, batches, events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from anchor.activity import KEPT_ALARMS, Activity, reasons_of, timeline_of
from anchor.cli.audit_tables import (
    SHOWN_ROWS,
    actors_table,
    batches_table,
    delays_table,
    events_table,
    institutions_table,
    keys_table,
    timeline_table,
    void_table,
)
from anchor.cli.audit_words import scope_name, short
from anchor.cli.markup import Markup, element
from anchor.cli.occurrences import position_words
from anchor.cli.plots import KeyBar, activity_plot, bars_plot, data_address, delay_classes, delay_plot, keys_plot
from anchor.cli.wording import Wording
from anchor.events import AnyEvent, RoleChanged
from anchor.history import EpochChange, History, IssuerHistory
from anchor.model import Address, Basis, Hash32, Key, to_hex, to_utc
from anchor.status import StatusPurpose

REVOKING: Final = ("credentialsRevoked", "batchRevoked")
"""Kinds of event that revoke."""

_DRAWN_KEYS: Final = 40
_SHOWN_UNDONE: Final = 50
_FIRST_ROLES: Final = 2
"""Roles that are given while a registry is deployed, its first events: no change of control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """A history that is proven complete, to be shown."""

    history: History
    activity: Activity
    basis: Basis
    code_hash: Hash32
    made_at: int
    """Unix seconds."""
    did: str | None
    """Only this institution is shown; None: all are."""
    notes: tuple[str, ...] = ()
    """What the audit came upon and went on from."""

    @property
    def issuers(self) -> tuple[IssuerHistory, ...]:
        """Those that are shown."""
        return tuple(each for each in self.history.issuers if self.did in (None, each.did))

    @property
    def keys(self) -> tuple[tuple[IssuerHistory, Address, Key], ...]:
        """All keys of those that are shown."""
        return tuple((issuer, address, key) for issuer in self.issuers for address, key in issuer.keys.items())


def over_time_section(report: AuditReport, wording: Wording) -> Markup:
    """Show what was issued and what changed status, over time."""
    say, tallies = wording.say, [each for each in report.activity.tallies if each.credentials]
    if not tallies:
        return Markup("")
    timeline = timeline_of(tallies, report.basis.block_at)
    unit = say(f"unit_{timeline.unit}")
    ends = {"first": to_utc(timeline.starts[0]), "last": to_utc(report.basis.block_at)}
    return _section(
        wording,
        "over_time",
        element("p", say("over_time_text", unit=unit)),
        _figure(activity_plot(timeline, say, wording.number), say("over_time_alt", unit=unit, **ends)),
        element("details", element("summary", say("in_numbers")), timeline_table(timeline, wording)),
    )


def why_revoked_section(report: AuditReport, wording: Wording) -> Markup:
    """Show for which reasons, and how long after anchoring, credentials were revoked."""
    say = wording.say
    reasons = {
        say(f"reason_{reason.label}"): count for reason, count in reasons_of(report.activity.tallies, REVOKING).items()
    }
    if not reasons:
        return _section(wording, "why_revoked", element("p", say("no_revocation")))
    rows = ", ".join(f"{reason} {wording.number(count)}" for reason, count in reasons.items())
    parts = [element("p", say("reasons_text"))]
    parts += [_figure(bars_plot(reasons, "credentialsRevoked", wording.number), say("reasons_alt", rows=rows))]
    delays = report.activity.delays
    exact, estimated = delay_classes(delays.exact), delay_classes(delays.estimated)
    parts += [element("h3", say("delay_title")), element("p", say("delay_text"))]
    if any(exact) or any(estimated):
        parts.append(_figure(delay_plot(exact, estimated, say, wording.number), say("delay_alt")))
        parts.append(element("details", element("summary", say("in_numbers")), delays_table(exact, estimated, wording)))
    if delays.unknown:
        parts.append(element("p", wording.count("delay_unknown", delays.unknown)))
    return _section(wording, "why_revoked", *parts)


def incidents_section(report: AuditReport, wording: Wording) -> Markup:
    """Show what a board wants to hear of: compromises, control, ended accreditations, revoked and void batches."""
    events = _incidents_of(report)
    # What is shown of one institution alone says nothing of the registry's roles.
    none = "no_incidents" if report.did is None else "no_incidents_here"
    alarms = report.activity.alarms - (_FIRST_ROLES if report.did is None else 0)
    shown = [events_table(events, wording)] if events else [element("p", wording.say(none))]
    if len(events) < alarms:
        shown.insert(0, element("p", wording.say("kind_last", shown=KEPT_ALARMS, count=alarms)))
    if any(each.void_batches() for each in report.issuers):
        shown += [element("h3", wording.say("void_title")), void_table(report.issuers, wording)]
    undone = [element("li", each) for issuer in report.issuers for each in _undone(issuer, wording)]
    if undone:
        shown += [element("h3", wording.say("undone_title")), element("p", wording.say("undone_text"))]
        shown.append(element("ul", *undone[:_SHOWN_UNDONE]))
        if len(undone) > _SHOWN_UNDONE:
            shown.append(element("p", wording.say("undone_more", shown=_SHOWN_UNDONE, count=len(undone))))
    return _section(wording, "incidents", *shown)


def _incidents_of(report: AuditReport) -> list[AnyEvent]:
    """List what a board wants to hear of, in the order of the chain."""
    first = {event.heads.get(None) for event in islice(report.history.events, _FIRST_ROLES)}
    return [
        event
        for event in report.activity.alarming
        if not (isinstance(event, RoleChanged) and event.heads[None] in first)
    ]


def _undone(issuer: IssuerHistory, wording: Wording) -> Iterator[str]:
    for change in still_undone(issuer):
        event = change.event
        since = wording.say("since_epoch", time=to_utc(event.at), issuer=str(issuer.issuer_id), epoch=str(event.epoch))
        named = partial(wording.say, "named", name=since)
        if change.unrevoked:
            words = position_words(change.unrevoked, wording)
            yield named(value=wording.say("undone_revoked", positions=words))
        if change.unsuspended:
            words = position_words(change.unsuspended, wording)
            yield named(value=wording.say("undone_suspended", positions=words))
        for root in change.unrevoked_batches:
            yield named(value=wording.say("undone_batch", root=to_hex(root)))


def still_undone(issuer: IssuerHistory) -> Iterator[EpochChange]:
    """Give what changes of epoch undid, without what was repeated since."""
    revoked, suspended = (
        set(issuer.positions(purpose)) for purpose in (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
    )
    whole = set(issuer.revoked_batches())
    for change in issuer.epoch_changes:
        yield replace(
            change,
            unrevoked=tuple(each for each in change.unrevoked if each not in revoked),
            unsuspended=tuple(each for each in change.unsuspended if each not in suspended),
            unrevoked_batches=tuple(root for root in change.unrevoked_batches if root not in whole),
        )


def institutions_section(report: AuditReport, wording: Wording) -> Markup:
    """Show the institutions."""
    if not report.issuers:
        return _section(wording, "institutions", element("p", wording.say("no_institutions")))
    return _section(wording, "institutions", institutions_table(report.issuers, wording))


def keys_section(report: AuditReport, wording: Wording) -> Markup:
    """Show from when to when keys were good."""
    say, keys, now = wording.say, report.keys, report.basis.block_at
    if not keys:
        return _section(wording, "keys", element("p", say("no_keys")))
    drawn = sorted(keys, key=lambda each: each[2].valid_from)[-_DRAWN_KEYS:]
    bars = [_bar(issuer, address, key, now) for issuer, address, key in drawn]
    parts = [element("p", say("keys_text"))]
    if len(drawn) < len(keys):
        parts.append(element("p", say("keys_shown", shown=len(drawn), count=len(keys))))
    parts += [_figure(keys_plot(bars, say), say("keys_alt", count=len(drawn))), keys_table(keys, now, wording)]
    return _section(wording, "keys", *parts)


def _bar(issuer: IssuerHistory, address: Address, key: Key, now: int) -> KeyBar:
    ends = min(key.valid_until or now, now)
    return KeyBar(
        label=f"{issuer.issuer_id}  {short(address)}",
        scope=scope_name(key.scope),
        starts=min(key.valid_from, now),
        ends=max(ends, min(key.valid_from, now)),
        compromised_at=key.compromised_at or None,
    )


def actors_section(report: AuditReport, wording: Wording) -> Markup:
    """Show which accounts did what."""
    actors = report.activity.actors
    return _section(wording, "who_acted", element("p", wording.say("who_acted_text")), actors_table(actors, wording))


def batches_section(report: AuditReport, wording: Wording) -> Markup:
    """Show the batches that were anchored last."""
    count = sum(len(issuer.batches) for issuer in report.issuers)
    if not count:
        return Markup("")
    last = [element("p", wording.say("last_anchored", shown=SHOWN_ROWS, count=count), class_="faint")]
    return _section(wording, "batches", *(last if count > SHOWN_ROWS else []), batches_table(report.issuers, wording))


def events_section(report: AuditReport, wording: Wording) -> Markup:
    """Show the last events."""
    count, last = sum(each.events for each in report.activity.tallies), report.activity.last
    return _section(wording, "events", *_last(count, wording), events_table(last, wording))


def _last(count: int, wording: Wording) -> list[Markup]:
    if count <= SHOWN_ROWS:
        return []
    return [element("p", wording.say("last_shown", shown=SHOWN_ROWS, count=count), class_="faint")]


def _section(wording: Wording, name: str, *content: str) -> Markup:
    return element("section", element("h2", wording.say(name)), *content)


def _figure(svg: bytes, words: str) -> Markup:
    return element("figure", element("img", src=data_address(svg), alt=words))
