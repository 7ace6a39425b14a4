"""Replay: from the registry's logs to everything that ever happened in it, if the contract could have emitted them.

    1  Every log is the registry's, and comes after the one before it
    2  It is one of the registry's events, encoded as the contract encodes it             anchor.logs
    3  Its time is not before that of the event before it
    4  The heads in it follow from those before it
    5  The contract would have emitted it in that state: the actor had the right, …       and anchor.replay_issuer

An inventor can log heads of his own: only `anchor.audit.check_complete` tells a true history from one made up.
Block, transaction and log index of an event are bound by no head: show them as where to look, not as facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from eth_hash.auto import keccak

from anchor.errors import HistoryError
from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    Event,
    IssuerAccredited,
    IssuerEvent,
    KeyAdded,
    OngoingEvent,
    RawLog,
    RoleChanged,
)
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, History, RoleTenure
from anchor.logs import first_head, next_head, parse_log
from anchor.model import ZERO_ADDRESS, Address, Hash32, RegistryId
from anchor.replay_issuer import IssuerReplay, Sequel, refuse

MAX_DID_BYTES: Final = 1024
"""Longest DID that the contract takes (`MAX_DID_LENGTH` of ICredentialRegistry.sol)."""

_DID_SCHEME: Final = b"did:"


def replay(logs: Iterable[RawLog], registry: RegistryId) -> History:
    """Replay a registry's logs from its deployment on.

    Args:
        logs: All logs of the registry, in the order of the chain, up to the end of a block.
        registry: The registry; chain and address go into every head.

    Raises:
        HistoryError: The logs are not a history of this registry; the message names the first one that does not fit.
    """
    run = Replay(registry)
    for log in logs:
        run.take(log)
    return run.result()


class Replay:
    """The registry's state while its events are replayed; memory for what they led to, and for themselves if kept.

    Args:
        registry: The registry; chain and address go into every head.
        keep: Whether the history has the events themselves. Without them it has what they led to, in a tenth of the
            memory; whoever needs them reads them again.
        packed: Whether batches and status words are held in a quarter of the memory; to look at each takes twice as
            long.
    """

    def __init__(self, registry: RegistryId, *, keep: bool = True, packed: bool = False) -> None:
        self._registry = registry
        self._keep, self._packed = keep, packed
        self._heads: dict[int | None, Hash32] = {None: first_head(registry, None)}
        self._sequel = Sequel()
        self._roles = _RoleReplay(self._sequel)
        self._issuers: list[IssuerReplay] = []
        self._did_hashes: set[Hash32] = set()
        self._keys: set[Address] = set()
        self._events: list[AnyEvent] = []
        self._last_event: AnyEvent | None = None
        self._last_log: RawLog | None = None
        self._since = 0
        self._time = 0
        self.count = 0
        """Events taken, those before a checkpoint included."""

    def content(self) -> dict[str, Any]:
        """Give the state as plain values, for `restored`; only after `result`, at the end of a block."""
        return self._content([issuer.content() for issuer in self._issuers])

    def summary(self) -> dict[str, Any]:
        """Give the state without what `parts` gives, likewise."""
        return self._content([issuer.summary() for issuer in self._issuers])

    def parts(self, rows: int) -> Iterator[list[Any]]:
        """Give the rest of the state in parts of so many rows, for `restore_part`; it is never there twice."""
        for number, issuer in enumerate(self._issuers, start=1):
            for name, table in issuer.tables():
                while part := list(islice(table, rows)):
                    yield [number, name, part]

    def restore_part(self, part: list[Any]) -> None:
        """Go on with one of the `parts`, in order."""
        number, name, rows = part
        self._issuers[number - 1].restore_rows(name, rows)

    def _content(self, issuers: Iterable[dict[str, Any]]) -> dict[str, Any]:
        return {
            "count": self.count,
            "time": self._time,
            "registryHead": self._heads[None],
            "tenures": [[each.role, each.account, each.since, each.until] for each in self._roles.tenures],
            "issuers": [{**each, "head": self._heads[number]} for number, each in enumerate(issuers, start=1)],
        }

    @classmethod
    def restored(
        cls,
        registry: RegistryId,
        content: dict[str, Any],
        block_number: int,
        *,
        keep: bool = True,
        packed: bool = False,
    ) -> Replay:
        """Go on from a state: what `content` gave when all blocks up to this one had been taken."""
        run = cls(registry, keep=keep, packed=packed)
        run._since, run._time, run.count = block_number + 1, content["time"], content["count"]
        run._heads[None] = content["registryHead"]
        run._roles.restore(content["tenures"])
        for number, each in enumerate(content["issuers"], start=1):
            issuer = IssuerReplay.restored(number, each, run._sequel, keep=keep, packed=packed)
            run._issuers.append(issuer)
            run._heads[number] = each["head"]
            run._did_hashes.add(issuer.did_hash)
            run._keys.update(issuer.keys)
        return run

    def result(self) -> History:
        """Give what the events taken so far led to.

        Raises:
            HistoryError: The last one cannot stand alone.
        """
        self._sequel.check_end()
        return History(
            registry=self._registry,
            issuers=tuple(issuer.result(self._heads[number]) for number, issuer in enumerate(self._issuers, start=1)),
            registry_head=self._heads[None],
            tenures=tuple(self._roles.tenures),
            events=tuple(self._events),
        )

    def take(self, log: RawLog) -> AnyEvent | None:
        """Take the next log; give the event that it is, None for a log of another kind.

        Raises:
            HistoryError: It does not fit.
        """
        self._check_place(log)  # step 1
        event = parse_log(log)  # step 2
        if event is None:
            return None
        self._check_time(event)  # step 3
        self._extend_heads(event)  # step 4
        self._apply(event)  # step 5
        self._last_event, self._time = event, event.at
        self.count += 1
        if self._keep:
            self._events.append(event)
        return event

    def _check_place(self, log: RawLog) -> None:
        if log.address != self._registry.address:
            raise HistoryError(f"{log.place}: a log of another contract")
        if log.block_number < self._since:
            raise HistoryError(f"{log.place}: comes before block {self._since}, from which the history goes on")
        last = self._last_log
        if last is not None:
            if (log.block_number, log.log_index) <= (last.block_number, last.log_index):
                raise HistoryError(f"{log.place}: comes after {last.place}")
            if (log.block_number == last.block_number) != (log.block_hash == last.block_hash):
                raise HistoryError(f"{log.place}: its block has not the hash that goes with its number")
        self._last_log = log

    def _check_time(self, event: Event) -> None:
        last = self._last_event
        if event.at < self._time:
            refuse(event, f"its time {event.at} does not follow {self._time}, that of an event before it")
        if last is not None and event.log.block_number == last.log.block_number and event.at != last.at:
            refuse(event, f"its time {event.at} does not follow that of {last.log.place}, {last.at}")

    def _extend_heads(self, event: Event) -> None:
        for issuer_id, logged in event.heads.items():
            if issuer_id not in self._heads:
                self._heads[issuer_id] = first_head(self._registry, issuer_id)
            head = next_head(self._heads[issuer_id], event.event_hash)
            if head != logged:
                which = "registry-wide" if issuer_id is None else "issuer's"
                refuse(event, f"the {which} head does not follow: this event is altered, or one before it is missing")
            self._heads[issuer_id] = head

    def _apply(self, event: AnyEvent) -> None:
        self._sequel.check(event)
        match event:
            case RoleChanged():
                self._roles.change(event, self._last_event)
            case IssuerAccredited():
                self._accredit(event)
            case _:
                self._go_on(event)

    def _accredit(self, event: IssuerAccredited) -> None:
        self._roles.require_accreditor(event)
        if event.issuer_id != len(self._issuers) + 1:
            refuse(event, f"the next issuer to be accredited is {len(self._issuers) + 1}")
        if keccak(event.did_bytes) != event.did_hash:
            refuse(event, "its DID does not hash to its DID hash")
        if not event.did_bytes.startswith(_DID_SCHEME) or len(event.did_bytes) > MAX_DID_BYTES:
            refuse(event, "its DID is not one that the contract takes")
        if event.controller == ZERO_ADDRESS:
            refuse(event, "the controller is nobody")
        if event.did_hash in self._did_hashes:
            refuse(event, "the DID is another issuer's")
        self._did_hashes.add(event.did_hash)
        self._issuers.append(IssuerReplay(event, self._sequel, keep=self._keep, packed=self._packed))

    def _go_on(self, event: OngoingEvent) -> None:
        if not 1 <= event.issuer_id <= len(self._issuers):
            refuse(event, "no such issuer was accredited before")
        if isinstance(event, AccreditationWithdrawn):
            self._roles.require_accreditor(event)
        if isinstance(event, KeyAdded):
            if event.key in self._keys:
                refuse(event, "the key is bound already, to this issuer or another")
            self._keys.add(event.key)
        self._issuers[event.issuer_id - 1].take(event)


class _RoleReplay:
    """Who has which role while events are replayed: OpenZeppelin's `AccessControlDefaultAdminRules`.

    Offers of the admin's role and their delay are in no head; hence only that it is handed over, not when it might be.
    """

    def __init__(self, sequel: Sequel) -> None:
        self._sequel = sequel
        self._places: dict[tuple[Hash32, Address], int] = {}
        """Where in `tenures` those who have a role now are."""
        self.tenures: Final[list[RoleTenure]] = []

    def restore(self, tenures: Iterable[tuple[Hash32, Address, int, int | None]]) -> None:
        """Take over the tenures of an earlier replay."""
        for role, account, since, until in tenures:
            if until is None:
                self._places[role, account] = len(self.tenures)
            self.tenures.append(RoleTenure(role=role, account=account, since=since, until=until))

    def require_accreditor(self, event: IssuerEvent) -> None:
        """Check that the actor is an accreditor."""
        if (ACCREDITOR_ROLE, event.actor) not in self._places:
            refuse(event, "the actor is no accreditor")

    def change(self, event: RoleChanged, previous: AnyEvent | None) -> None:
        """Take a change, and the event before it."""
        place = self._places.get((event.role, event.account))
        if event.granted != (place is None):
            refuse(event, "nothing changes: the account has the role, or has it not")
        if not self._may(event, previous):
            refuse(event, "the actor may not do that")
        if place is None:
            self._places[event.role, event.account] = len(self.tenures)
            self.tenures.append(RoleTenure(role=event.role, account=event.account, since=event.at, until=None))
        else:
            del self._places[event.role, event.account]
            self.tenures[place] = replace(self.tenures[place], until=event.at)

    def _may(self, event: RoleChanged, previous: AnyEvent | None) -> bool:
        if len(self.tenures) < 2:
            return self._deploys(event, previous)
        if event.role != ADMIN_ROLE:
            renounces = not event.granted and event.actor == event.account
            return renounces or (ADMIN_ROLE, event.actor) in self._places
        if not event.granted:
            # Whoever accepts the role takes it from the admin before him, in one call. An admin may also renounce it.
            if event.actor != event.account:
                self._sequel.expect(RoleChanged, event)
            return True
        return (
            isinstance(previous, RoleChanged)
            and previous.role == ADMIN_ROLE
            and event.actor == previous.actor == event.account
            and event.at == previous.at
        )

    def _deploys(self, event: RoleChanged, previous: AnyEvent | None) -> bool:
        """Tell whether this is what the constructor emits: an admin, then an accreditor. No role can be lost yet."""
        if previous is None:
            self._sequel.expect(RoleChanged, event)
        role = ADMIN_ROLE if previous is None else ACCREDITOR_ROLE
        return event.role == role and event.account != ZERO_ADDRESS
