"""Events as the explorer's pages tell them: one line each, with what it leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from typing import Final

from markupsafe import Markup, escape

from anchor.cli.audit_words import event_words, reason_words
from anchor.cli.wording import Wording, wording_of
from anchor.events import (
    BatchAnchored,
    BatchRevoked,
    IssuerAccredited,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    StatusChanged,
)
from anchor.model import Address, Hash32, StatusPosition
from anchor.status import positions_of
from registry.services.explorer.views import EventView
from registry.web.formats import time_element
from registry.web.words import load_words

_TONES: Final = {
    "accreditationWithdrawn": "paused",
    "batchAnchored": "good",
    "batchRevoked": "bad",
    "credentialsReinstated": "good",
    "credentialsRevoked": "bad",
    "credentialsSuspended": "paused",
    "keyCompromised": "bad",
    "statusEpochChanged": "paused",
}
"""How a line looks; others look like nothing in particular."""

FEW_POSITIONS: Final = 5
"""Of one event, in a list of events."""
MANY_POSITIONS: Final = 200
"""Of one event, where it is shown by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One event."""

    number: int
    text: Markup
    """What happened, in the reader's language; of changes of status, without the positions."""
    reason: str
    """Empty: such an event has none."""
    tone: str
    """good, bad, paused, or none."""
    at: int
    actor: Address
    issuer_id: int | None
    transaction: Hash32
    block: int
    log_index: int
    root: Hash32 | None
    """Of the batch that it is about."""
    key: Address | None
    """The key that it is about."""
    positions: tuple[StatusPosition, ...]
    """Those that it is about, or the first of them."""
    more: int
    """How many more positions it is about."""


def shown_did(text: str) -> str:
    """Write a DID so that no two look alike: what is not plain ASCII, which no DID should have, is spelt out."""
    escaped = text.encode("ascii", "backslashreplace").decode()
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in escaped)


def lines_of(
    views: Iterable[EventView], language: str, *, most_positions: int = FEW_POSITIONS
) -> tuple[EventLine, ...]:
    """Tell events.

    Args:
        views: The events.
        language: A code of `LANGUAGES`.
        most_positions: How many positions of each are named.
    """
    return tuple(_line(view, language, most_positions) for view in views)


@cache
def _escaping(language: str) -> Wording:
    """Words that escape what is put into them, but for what is markup."""
    return wording_of(language).written(Markup)


def _line(view: EventView, language: str, most: int) -> EventLine:
    event, wording = view.event, wording_of(language)
    if isinstance(event, IssuerAccredited):
        event = replace(event, did_bytes=shown_did(event.did).encode())
    positions: tuple[StatusPosition, ...] = ()
    if isinstance(event, StatusChanged):
        every = (
            position
            for word, mask in zip(event.words, event.masks, strict=True)
            for position in positions_of(event.status_list, word, mask)
        )
        positions = tuple(islice(every, most))
    if isinstance(event, StatusChanged):
        text = load_words()[language].say(f"ledger.{event.kind}", list=event.status_list)
    else:
        text = escape(event_words(event, _escaping(language), partial(time_element, language=language)))
    return EventLine(
        number=view.number,
        text=text[:1].upper() + text[1:],
        reason=reason_words(event, wording),
        tone=_TONES.get(event.kind, "none"),
        at=event.at,
        actor=event.actor,
        issuer_id=view.issuer_id,
        transaction=event.log.transaction_hash,
        block=event.log.block_number,
        log_index=event.log.log_index,
        root=event.root if isinstance(event, BatchAnchored | BatchRevoked) else None,
        key=event.key if isinstance(event, KeyAdded | KeyRetired | KeyCompromised) else None,
        positions=positions,
        more=max(0, view.credentials - len(positions)) if isinstance(event, StatusChanged) else 0,
    )
