"""Watching a registry: audits again and again from the checkpoint, tells what is new, and raises alerts.

Nothing is lost: an event counts as told once its line is printed and its alert taken by the webhook. What was told
stands in the folder beside the checkpoint, so that the next run tells the rest, whenever this one ends. An alert about
no event is sent again while this run goes on; that it was never taken is said at the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from anchor.cli.auditing import Audited
from anchor.cli.faults import damage_content, damage_lines, damage_of
from anchor.cli.files import write_pieces
from anchor.cli.occurrences import LABELS, Occurrence
from anchor.cli.output import console, error_console, json_text, printable
from anchor.cli.verdicts import basis_content
from anchor.cli.wording import wording_of
from anchor.errors import (
    FetchError,
    HistoryError,
    LedgerError,
    MalformedError,
    NodesDisagreeError,
    UndeterminedError,
    UnvouchedBlockError,
)
from anchor.events import AnyEvent
from anchor.model import RegistryId, to_hex, to_utc
from anchor.webhook_signature import secret_of

FORMAT: Final = "credanchor/audit-alert@v1"
"""First member of an alert; a change that could break readers changes it."""

INCIDENTS: Final = frozenset(
    {
        "roleChanged",
        "accreditationWithdrawn",
        "controllerTransferStarted",
        "controllerTransferred",
        "keyCompromised",
        "statusEpochChanged",
        "batchRevoked",
    }
)
"""Kinds of events that whoever answers for a registry wants to hear of at once."""

SECRET_VARIABLE: Final = "CREDANCHOR_WEBHOOK_SECRET"  # noqa: S105 - a name
_PATIENCE: Final = 4
_TOLD: Final = "told"
_REMEMBERED: Final = 1000
"""Events told last that are known again, should the chain have been reorganised."""
_ALERTS: Final = UUID("7e0e1f1c-8d0b-4f53-9d43-6d3c2f6f0f52")
_STEADY: Final = frozenset({"refuted", "unreachable", "undetermined", "disagreement"})
"""Alerts about a state that lasts: raised when it begins, and again only after it was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a registry is watched."""

    folder: Path
    """Of the checkpoint."""
    registry: RegistryId
    kinds: frozenset[str]
    """Of events that raise alerts."""
    webhook: str | None
    key: bytes | None
    """What messages to the webhook are signed with."""
    every: int
    """Seconds between two audits."""
    patience: int
    """Audits in a row that may fail for want of a node, or of nodes that agree, before that raises an alert."""
    until_alert: bool
    """Stop with the first alert."""
    as_json: bool
    """Print events and alerts as lines of JSON."""


def kinds_of(text: str) -> frozenset[str]:
    """Read which events raise alerts: `incidents`, `all`, or kinds with commas between.

    Raises:
        MalformedError: There is no such kind.
    """
    if text == "all":
        return frozenset(LABELS)
    kinds: set[str] = set()
    for name in text.split(","):
        if name == "incidents":
            kinds |= INCIDENTS
        elif name in LABELS:
            kinds.add(name)
        else:
            raise MalformedError(
                f"there is no event {name[:40]!r}", advice=f"Name incidents, all, or some of: {', '.join(LABELS)}."
            )
    return frozenset(kinds)


def watch_of(
    registry: RegistryId,
    keep: Path | None,
    alert: str | None,
    webhook: str | None,
    *,
    secret_file: Path | None,
    every: int,
    until_alert: bool,
    as_json: bool,
) -> Watch:
    """Read how a registry shall be watched; the webhook's secret is in a file, or else in the environment.

    Raises:
        MalformedError: There is no folder, no such kind of event, or nowhere to send alerts; or the secret is none.
    """
    if keep is None:
        raise MalformedError("--follow goes on from what --keep keeps", advice="Name a folder with --keep.")
    if secret_file is not None and webhook is None:
        raise MalformedError("there is no --webhook whose alerts this secret would sign", advice="Add --webhook URL.")
    # Empty in the environment is none; an empty file is a mistake, and must not leave alerts unsigned.
    secret = os.environ.get(SECRET_VARIABLE) or None if secret_file is None else _secret_in(secret_file)
    if webhook is not None:
        from anchor.ledger.alerting import check_webhook

        check_webhook(webhook)
    return Watch(
        folder=keep,
        registry=registry,
        kinds=kinds_of(alert or "incidents"),
        webhook=webhook,
        key=secret_of(secret) if secret is not None else None,
        every=every,
        patience=_PATIENCE,
        until_alert=until_alert,
        as_json=as_json,
    )


def _secret_in(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise MalformedError(f"the secret in {path} cannot be read", advice="It is one line, whsec_….") from error


def follow(watch: Watch, audit: Callable[[], Audited]) -> bool:
    """Audit until told to stop.

    Args:
        watch: How.
        audit: Audits once, through the folder.

    Returns:
        Whether it ended with an alert; else somebody stopped it.
    """
    watcher = _Watcher(watch, audit)
    with suppress(KeyboardInterrupt), _Ending() as ending:
        while True:
            watcher.look()
            if watch.until_alert and watcher.has_alerted:
                watcher.note_unsent()
                return True
            with ending.at_once():
                time.sleep(watch.every)
    watcher.note_unsent()
    watcher.note(f"stopped; go on with the same command. {watcher.state}")
    return watcher.has_alerted and watch.until_alert


class _Ending:
    """Lets what ends a service end this, too: at once while it waits, else after the look that is going on.

    Raised in the middle of a look, an interruption may be lost in code that cannot be interrupted.
    """

    def __init__(self) -> None:
        self._is_asked = self._is_waiting = False

    def __enter__(self) -> _Ending:
        self._before = signal.signal(signal.SIGTERM, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """End it within, from now on; and now, if that was asked for before."""
        self._is_waiting = True
        if self._is_asked:
            raise KeyboardInterrupt
        yield
        self._is_waiting = False

    def _interrupt(self, _number: int, _frame: object) -> None:
        is_again, self._is_asked = self._is_asked, True
        if self._is_waiting or is_again:
            raise KeyboardInterrupt


class _Watcher:
    def __init__(self, watch: Watch, audit: Callable[[], Audited]) -> None:
        self._watch: Final = watch
        self._audit: Final = audit
        self._told = _Told.read(watch.folder)
        self._lasting: set[str] = set()
        self._refuted: set[str] = set()
        """Nodes about which an alert was raised."""
        self._unsent: Final[deque[tuple[UUID, bytes]]] = deque(maxlen=_REMEMBERED)
        """Alerts about no event that the webhook did not take yet."""
        self._printed = ""
        """The event whose line was printed last."""
        self._failed = 0
        self._is_first = True
        self.has_alerted = False
        self.state = "Nothing was proven yet."

    def note(self, words: str) -> None:
        """Say something that is neither an event nor an alert."""
        (error_console if self._watch.as_json else console).print(printable(words))

    def note_unsent(self) -> None:
        """Say whether the webhook never took some alerts that no later run sends."""
        if self._unsent:
            count = len(self._unsent)
            were = "1 alert was" if count == 1 else f"{count} alerts were"
            self.note(f"{were} not taken by the webhook, and will not be sent again")

    def look(self) -> None:
        """Audit once, and tell what is new."""
        self._send_unsent()
        try:
            audited = self._audit()
        except HistoryError as error:
            self._failed = 0
            damage = damage_of(error)
            places = "; ".join(damage_lines(damage, wording_of("en")))
            self._alert("refuted", f"{error}{'; ' if places else ''}{places}", damage_content(damage))
            return
        except UndeterminedError as error:
            self._failed = 0
            self._alert("disagreement" if isinstance(error, UnvouchedBlockError) else "undetermined", str(error), {})
            return
        except LedgerError as error:
            self._failed += 1
            error_console.print(f"[yellow]?[/] {printable(str(error))}")
            if self._failed >= self._watch.patience:
                self._alert("disagreement" if isinstance(error, NodesDisagreeError) else "unreachable", str(error), {})
            return
        self._failed = 0
        self._lasting.clear()
        # Not over because another node was asked this time: only once that node gives what is proven.
        self._refuted.discard(audited.read_from)
        for note in audited.notes:
            if note.refuted not in self._refuted:
                self._alert(note.kind.value, note.message, {})
        self._refuted |= {note.refuted for note in audited.notes if note.refuted}
        count = len(audited.all_events)
        self.state = f"{count} events proven up to block {audited.block.number} of {to_utc(audited.block.timestamp)}."
        if self._is_first:
            self.note(f"watching {self._watch.registry.to_text()}: {self.state}")
            if self._told is None:
                self._told = _Told.of(audited, islice(audited.all_events, max(0, count - _REMEMBERED), None))
                self._told.write(self._watch.folder)
        self._is_first = False
        self._tell(audited)

    def _tell(self, audited: Audited) -> None:
        if self._told is None:
            return
        # Those since the checkpoint; those before it too, if an earlier run ended before they were told.
        whole = replace(audited.history, events=audited.all_events)
        try:
            for event in self._told.new(audited):
                if not self._print(Occurrence(whole, event), audited):
                    # Not taken: it is told again, and what comes after it later.
                    break
                self._told.add(event)
        finally:
            # Also when somebody stops it in the middle.
            self._told.write(self._watch.folder)

    def _print(self, occurrence: Occurrence, audited: Audited) -> bool:
        event = occurrence.event
        is_alert = event.kind in self._watch.kinds
        about = {"event": occurrence.content(), "basis": basis_content(audited.basis)}
        if self._printed == _identity(event):
            # Its alert was not taken the last time.
            pass
        elif self._watch.as_json:
            self._print_line(event.kind, occurrence.words(), about, is_alert=is_alert)
        else:
            mark = "[bold red]![/]" if is_alert else " "
            whose = "" if occurrence.issuer is None else f"  issuer {occurrence.issuer.issuer_id}"
            reason = f"  {occurrence.reason}" if occurrence.reason else ""
            console.print(
                f"{mark} block {event.log.block_number}  {to_utc(event.at)}{whose}  {LABELS[event.kind]}  "
                f"{printable(occurrence.words())}{reason}  by {to_hex(event.actor)}"
            )
        self._printed = _identity(event)
        if not is_alert:
            return True
        self.has_alerted = True
        # Alerts come in order. The id is the same each time that an event is told again.
        identifier = self._identifier(_identity(event))
        return not self._unsent and self._send(identifier, self._body(event.kind, occurrence.words(), about))

    def _alert(self, name: str, message: str, about: dict[str, Any]) -> None:
        """Raise an alert that is about no event."""
        if name in self._lasting:
            return
        if name in _STEADY:
            self._lasting.add(name)
        if self._watch.as_json:
            self._print_line(name, message, about, is_alert=True)
        else:
            error_console.print(f"[bold red]![/] {name}: {printable(message)}")
        self.has_alerted = True
        others_wait = bool(self._unsent)
        self._unsent.append((self._identifier(f"{name}{time.time_ns()}"), self._body(name, message, about)))
        if not others_wait:
            self._send_unsent()

    def _send_unsent(self) -> None:
        """Send the alerts that were not taken yet, in their order, until one is not taken again."""
        while self._unsent and self._send(*self._unsent[0]):
            self._unsent.popleft()

    def _identifier(self, identity: str) -> UUID:
        return uuid5(_ALERTS, f"{self._watch.registry.to_text()} {identity}")

    def _body(self, name: str, message: str, about: dict[str, Any]) -> bytes:
        return json_text(self._content(name, message, about)).encode()

    def _send(self, identifier: UUID, body: bytes) -> bool:
        """Send an alert to the webhook, if there is one; tell whether it is told."""
        if self._watch.webhook is None:
            return True
        from anchor.ledger.alerting import post_alert

        try:
            post_alert(self._watch.webhook, identifier, body, self._watch.key)
        except FetchError as error:
            error_console.print(f"[bold red]✘[/] {printable(str(error))}; it is sent again later")
            return False
        return True

    def _content(self, name: str | None, message: str, about: dict[str, Any]) -> dict[str, Any]:
        registry = self._watch.registry.to_text()
        return {"format": FORMAT, "registry": registry, "alert": name, "message": message, **about}

    def _print_line(self, name: str, message: str, about: dict[str, Any], *, is_alert: bool) -> None:
        # ASCII: nothing in it is obeyed by a terminal. At once: whoever reads a pipe waits for it.
        sys.stdout.write(json.dumps(self._content(name if is_alert else None, message, about)) + "\n")
        sys.stdout.flush()


class _Told:
    """Which events were told: how many, and the last ones by their hashes."""

    def __init__(self, count: int, last: list[str]) -> None:
        self._count, self._last = count, last

    @classmethod
    def of(cls, audited: Audited, last: Iterator[AnyEvent]) -> _Told:
        return cls(len(audited.all_events), [_identity(event) for event in last])

    @classmethod
    def read(cls, folder: Path) -> _Told | None:
        """Read it; None if nothing was told yet."""
        path = folder / _TOLD
        try:
            content = json.loads(path.read_text("utf-8"))
            return cls(int(content["count"]), [str(each) for each in content["last"]])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MalformedError(
                f"{path} cannot be read: {error}", advice="Delete it: then only what comes from now on is told."
            ) from error

    def write(self, folder: Path) -> None:
        write_pieces(folder / _TOLD, [json.dumps({"count": self._count, "last": self._last})])

    def new(self, audited: Audited) -> Sequence[AnyEvent]:
        """Give the events that were not told."""
        if audited.since is not None and audited.since.proven == self._count:
            return audited.history.events
        known = set(self._last)
        # After a reorganisation events may have gone, and others come, among the last ones.
        start = max(0, min(self._count, len(audited.all_events)) - len(self._last))
        found = [event for event in islice(audited.all_events, start, None) if _identity(event) not in known]
        self._count = len(audited.all_events) - len(found)
        return found

    def add(self, event: AnyEvent) -> None:
        self._count += 1
        self._last = [*self._last[1 - _REMEMBERED :], _identity(event)]


def _identity(event: AnyEvent) -> str:
    # With its head: two events that say the same are two.
    return to_hex(next(iter(event.heads.values())))
