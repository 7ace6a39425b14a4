"""What a running service shows of status, held against the ledger at the block that it was made from.

A service that is behind shows what was so some blocks ago; one that lies, or whose node does, shows what never was so.
The time of the block stands in each list, and the history says what was so then.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from anchor.canonical import parse_document
from anchor.errors import CredentialFormatError, FetchError, LedgerUnavailableError
from anchor.events import AnyEvent, BatchRevoked, CredentialsRevoked, StatusChanged, StatusEpochChanged
from anchor.history import IssuerHistory
from anchor.ledger.fetching import fetch
from anchor.model import Hash32, StatusPosition, to_utc
from anchor.status import LIST_SIZE, StatusPurpose, positions_of, status_list_url
from registry.services.differences import Difference, DifferenceKind
from registry.store.records import BatchRecord

_MAX_BYTES: Final = 200_000
"""Of a status list's document: 16 KiB of bits that cannot be packed, and what is around them."""
_GZIP: Final = 31
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedList:
    """A status list as the service shows it."""

    status_list: int
    purpose: StatusPurpose
    at: int
    """Time of the block that it was made from."""
    positions: frozenset[StatusPosition]
    """Whose bit is set."""


def lists_of(batches: Iterable[BatchRecord]) -> tuple[int, ...]:
    """List the status lists that batches have positions in."""
    return tuple(
        sorted(
            {
                number
                for batch in batches
                for number in range(
                    batch.first_position // LIST_SIZE, (batch.first_position + batch.size - 1) // LIST_SIZE + 1
                )
            }
        )
    )


def fetch_lists(url: str, issuer_id: int, lists: Sequence[int]) -> Iterator[ServedList]:
    """Fetch an issuer's status lists from a service.

    Args:
        url: The service's address.
        issuer_id: The issuer's number.
        lists: Which lists, each for both purposes.

    Raises:
        FetchError: One did not come, or is no status list.
    """
    for status_list in lists:
        for purpose in StatusPurpose:
            address = status_list_url(url, issuer_id, status_list, purpose)
            try:
                content = parse_document(fetch(address, max_bytes=_MAX_BYTES)).value
                at = _time(str(content["validFrom"]))
                positions = _positions(status_list, str(content["credentialSubject"]["encodedList"]))
            except (CredentialFormatError, KeyError, TypeError, ValueError, zlib.error) as error:
                raise FetchError(f"{address} is no status list ({type(error).__name__})") from error
            yield ServedList(status_list=status_list, purpose=purpose, at=at, positions=positions)


def compare_served(
    issuer: IssuerHistory, batches: Sequence[BatchRecord], served: Iterable[ServedList], *, now: int
) -> Iterator[Difference]:
    """Name each status that a service shows otherwise than the ledger.

    Args:
        issuer: Its history, proven whole at a block not before those of the lists, with all events.
        batches: The institution's, for those that are revoked as a whole.
        served: What the service shows.
        now: The time of the block up to which the history goes, Unix seconds.

    Raises:
        LedgerUnavailableError: A list was made from a later block than the history goes up to.
    """
    for each in served:
        if each.at > now:
            raise LedgerUnavailableError(
                f"the service's node is ahead: a list is of {to_utc(each.at)}, the newest block here of {to_utc(now)}",
                advice="Try again once the node here has synced.",
            )
        is_honest, then, now_shown = _shown(issuer, batches, each)
        if is_honest:
            if each.positions != now_shown:
                yield Difference(
                    kind=DifferenceKind.SERVED_BEHIND,
                    position=StatusPosition(status_list=each.status_list, index=0),
                    detail=f"the whole list, {each.purpose.value} as of {to_utc(each.at)}",
                )
            continue
        name = f"{each.purpose.value} as of {to_utc(each.at)}"
        yield from _named(each.positions - then, f"{name}: shown, and not so")
        yield from _named(then - each.positions, f"{name}: so, and not shown")


def _named(positions: frozenset[StatusPosition], detail: str) -> Iterator[Difference]:
    for number, position in enumerate(sorted(positions)):
        if number == _SHOWN:
            rest = f"{detail}; and {len(positions) - _SHOWN} more of this list"
            yield Difference(kind=DifferenceKind.SERVED_OTHERWISE, position=position, detail=rest)
            return
        yield Difference(kind=DifferenceKind.SERVED_OTHERWISE, position=position, detail=detail)


def _shown(
    issuer: IssuerHistory, batches: Sequence[BatchRecord], served: ServedList
) -> tuple[bool, frozenset[StatusPosition], frozenset[StatusPosition]]:
    """Say whether a list shows what was so at its time, which bits were set at the end of that, and which are now.

    What was so when its second began counts, and after each event of that second: several blocks may be of one second,
    and which of them a list was made from, it does not say. One state is kept at a time: there may be many events.
    """
    state = _Shown(batches, served)
    is_honest, then = False, None
    for event in issuer.events:
        if event.at >= served.at and then is None:
            then = state.positions()
            is_honest = served.positions == then
        state.take(event)
        if event.at == served.at and not is_honest:
            then = state.positions()
            is_honest = served.positions == then
    now = state.positions()
    return (is_honest, then, now) if then is not None else (served.positions == now, now, now)


class _Shown:
    """What a list shows while events go by."""

    def __init__(self, batches: Sequence[BatchRecord], served: ServedList) -> None:
        self._batches: Final = batches
        self._served: Final = served
        self._epoch = 0
        self._bits: Final[dict[int, set[StatusPosition]]] = {}
        self._revoked: Final[dict[Hash32, int]] = {}

    def take(self, event: AnyEvent) -> None:
        match event:
            case StatusEpochChanged():
                self._epoch = event.epoch
            case BatchRevoked():
                self._revoked[event.root] = event.epoch
            case StatusChanged() if (
                event.status_list == self._served.status_list and _purpose(event) is self._served.purpose
            ):
                self._bits.setdefault(event.epoch, set()).symmetric_difference_update(
                    position
                    for word, mask in zip(event.words, event.masks, strict=True)
                    for position in positions_of(event.status_list, word, mask)
                )

    def positions(self) -> frozenset[StatusPosition]:
        shown = set(self._bits.get(self._epoch, ()))
        if self._served.purpose is StatusPurpose.REVOCATION:
            for batch in self._batches:
                # A revocation counts in the epoch that it was made in, and in those before it.
                if self._revoked.get(batch.root, -1) >= self._epoch:
                    shown |= _positions_of_batch(batch, self._served.status_list)
        return frozenset(shown)


def _purpose(event: StatusChanged) -> StatusPurpose:
    return StatusPurpose.REVOCATION if isinstance(event, CredentialsRevoked) else StatusPurpose.SUSPENSION


def _positions_of_batch(batch: BatchRecord, status_list: int) -> set[StatusPosition]:
    start = max(batch.first_position - status_list * LIST_SIZE, 0)
    end = min(batch.first_position + batch.size - status_list * LIST_SIZE, LIST_SIZE)
    return {StatusPosition(status_list=status_list, index=index) for index in range(start, end)}


def _time(text: str) -> int:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone, which would be this machine's")
    return int(time.timestamp())


def _positions(status_list: int, encoded: str) -> frozenset[StatusPosition]:
    """Read `encodedList` of Bitstring Status List v1.0; bit 0 is the first one of the first byte."""
    if not encoded.startswith("u"):
        raise ValueError("not multibase base64url")
    unpacker = zlib.decompressobj(wbits=_GZIP)
    data = unpacker.decompress(urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)), LIST_SIZE // 8 + 1)
    if len(data) != LIST_SIZE // 8 or not unpacker.eof:
        raise ValueError("not 16 KiB")
    return frozenset(
        StatusPosition(status_list=status_list, index=8 * place + bit)
        for place, byte in enumerate(data)
        if byte
        for bit in range(8)
        if byte & 0x80 >> bit
    )
