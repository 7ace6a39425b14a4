"""What a running service shows of status, held against the ledger at the block that it was made from.

A service that is behind shows what was so some blocks ago; one that lies, or whose node does, shows what never was so.
The time of the block stands in each list, and the history says what was so then.

Events are gone through once for all lists. Of each list, its words are held, and which of them differ at the moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Final

from anchor.canonical import parse_document
from anchor.errors import CredentialFormatError, FetchError, LedgerUnavailableError, MalformedError
from anchor.events import AnyEvent, BatchRevoked, StatusChanged, StatusEpochChanged
from anchor.ledger.fetching import fetch
from anchor.model import Hash32, StatusPosition, to_utc
from anchor.status import LIST_SIZE, WORD_BITS, StatusPurpose, status_list_url, words_of_list
from registry.services.counting_status import CountingStatus
from registry.services.differences import Difference, DifferenceKind
from registry.services.doings import WordOf, bits_of, purpose_of
from registry.store.reconciliation import OwnBatch

_MAX_BYTES: Final = 200_000
"""Of a status list's document: 16 KiB of bits that cannot be packed, and what is around them."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedList:
    """A status list as the service shows it."""

    status_list: int
    purpose: StatusPurpose
    at: int
    """Time of the block that it was made from."""
    words: Mapping[int, int]
    """By number, those in which a bit is set."""


def lists_of(batches: Iterable[OwnBatch]) -> tuple[int, ...]:
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
                words = words_of_list(str(content["credentialSubject"]["encodedList"]))
            except (CredentialFormatError, MalformedError, KeyError, TypeError, ValueError) as error:
                raise FetchError(f"{address} is no status list ({type(error).__name__})") from error
            yield ServedList(status_list=status_list, purpose=purpose, at=at, words=words)


def compare_served(
    events: Iterable[AnyEvent], batches: Mapping[Hash32, OwnBatch], served: Sequence[ServedList], *, now: int
) -> Iterator[Difference]:
    """Name each status that a service shows otherwise than the ledger.

    Args:
        events: The issuer's, proven whole up to a block not before those of the lists; read once.
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
    shown = _Shown(batches)
    watches = [_Watch(each, shown) for each in served]
    if watches:
        _go_through(events, shown, watches)
    for watch in watches:
        yield from watch.differences()


def _go_through(events: Iterable[AnyEvent], shown: _Shown, watches: Sequence[_Watch]) -> None:
    """Have each list looked at whenever it may have been made.

    What was so when its second began counts, and after each event of that second: several blocks may be of one second,
    and which of them a list was made from, it does not say.
    """
    by_list: dict[tuple[StatusPurpose, int], list[_Watch]] = {}
    for watch in watches:
        by_list.setdefault((watch.served.purpose, watch.served.status_list), []).append(watch)
    pending = deque(sorted(watches, key=lambda each: each.served.at))
    for event in events:
        while pending and pending[0].served.at < event.at:
            pending.popleft().settle()
        meanwhile = list(takewhile(lambda each: each.served.at == event.at, pending))  # noqa: B023 - gone through here
        for watch in meanwhile:
            watch.look()
        changed = shown.take(event)
        if changed is None:
            for watch in watches:
                watch.compare_all()
        else:
            for purpose, status_list, word in changed:
                for watch in by_list.get((purpose, status_list), ()):
                    watch.compare(word)
        for watch in meanwhile:
            watch.look()
    for watch in pending:
        watch.settle()


class _Shown:
    """What lists show while events go by."""

    def __init__(self, batches: Mapping[Hash32, OwnBatch]) -> None:
        self._batches: Final = batches
        self._status: Final = CountingStatus()
        self._covered: dict[tuple[int, int], int] = {}
        """By list and word, the positions of batches that are revoked as a whole."""

    def take(self, event: AnyEvent) -> Collection[WordOf] | None:
        """Take the next event; give the words that it may have changed, None: any."""
        self._status.take(event)
        match event:
            case StatusEpochChanged():
                # A revocation counts in the epoch that it was made in, and in those before it.
                self._covered = {}
                for root in self._status.revoked_batches():
                    self._cover(root)
                return None
            case BatchRevoked() if self._status.is_revoked(event.root):
                return self._cover(event.root)
            case StatusChanged():
                return [WordOf(purpose_of(event), event.status_list, word) for word in event.words]
            case _:
                return ()

    def word(self, purpose: StatusPurpose, status_list: int, word: int) -> int:
        """Give the bits of a word of a list."""
        covered = self._covered.get((status_list, word), 0) if purpose is StatusPurpose.REVOCATION else 0
        return self._status.word(purpose, status_list, word) | covered

    def _cover(self, root: Hash32) -> Collection[WordOf]:
        words, batch = [], self._batches.get(root)
        place, end = (0, 0) if batch is None else (batch.first_position, batch.first_position + batch.size)
        while place < end:
            number, bit = divmod(place, WORD_BITS)
            bits = min(WORD_BITS - bit, end - place)
            key = divmod(number, LIST_SIZE // WORD_BITS)
            self._covered[key] = self._covered.get(key, 0) | ((1 << bits) - 1) << bit
            words.append(WordOf(StatusPurpose.REVOCATION, *key))
            place += bits
        return words


class _Watch:
    """One list beside what should be shown of it, while events go by."""

    def __init__(self, served: ServedList, shown: _Shown) -> None:
        self.served: Final = served
        self._shown: Final = shown
        self._differing = set(served.words)
        """Words that differ now; before anything happened, nothing was set."""
        self._is_honest = False
        self._then: Mapping[int, int] = {}
        """If it never was so: those that differed in the end of its second, as they should have been."""

    def look(self) -> None:
        """Note whether it may have been made now."""
        self._is_honest = self._is_honest or not self._differing

    def settle(self) -> None:
        """Look for the last time."""
        self.look()
        if not self._is_honest:
            self._then = {word: self._word(word) for word in self._differing}

    def differences(self) -> Iterator[Difference]:
        """Name what is wrong; after the last event."""
        served = self.served
        name = f"{served.purpose.value} as of {to_utc(served.at)}"
        if self._is_honest:
            if self._differing:
                position = StatusPosition(status_list=served.status_list, index=0)
                yield Difference(kind=DifferenceKind.SERVED_BEHIND, position=position, detail=f"the whole list, {name}")
            return
        shown, right = served.words, self._then
        yield from self._named(
            {each: shown.get(each, 0) & ~right[each] for each in right}, f"{name}: shown, and not so"
        )
        yield from self._named(
            {each: right[each] & ~shown.get(each, 0) for each in right}, f"{name}: so, and not shown"
        )

    def _named(self, masks: Mapping[int, int], detail: str) -> Iterator[Difference]:
        more = sum(mask.bit_count() for mask in masks.values()) - _SHOWN
        indices = (word * WORD_BITS + bit for word in sorted(masks) for bit in bits_of(masks[word]))
        for number, index in enumerate(islice(indices, _SHOWN + 1)):
            position = StatusPosition(status_list=self.served.status_list, index=index)
            rest = f"{detail}; and {more} more of this list" if number == _SHOWN else detail
            yield Difference(kind=DifferenceKind.SERVED_OTHERWISE, position=position, detail=rest)

    def compare_all(self) -> None:
        """Compare the list as a whole."""
        for word in range(LIST_SIZE // WORD_BITS):
            self.compare(word)

    def compare(self, word: int) -> None:
        """Compare a word that may have changed."""
        if self._word(word) == self.served.words.get(word, 0):
            self._differing.discard(word)
        else:
            self._differing.add(word)

    def _word(self, word: int) -> int:
        return self._shown.word(self.served.purpose, self.served.status_list, word)


def _time(text: str) -> int:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone, which would be this machine's")
    return int(time.timestamp())
