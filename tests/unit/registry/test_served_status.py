import gzip
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest

from anchor.errors import FetchError, LedgerUnavailableError
from anchor.history import IssuerHistory
from anchor.model import StatusPosition, hash32
from anchor.status import LIST_SIZE, StatusPurpose, group_positions, status_list_url
from registry.services import served_status
from registry.services.differences import Difference, DifferenceKind
from registry.services.doings import bits_of
from registry.services.served_status import ServedList, compare_served, fetch_lists, lists_of
from registry.store.reconciliation import OwnBatch
from registry.store.records import BatchId, BatchState
from tests.support.history import Call, anchored, batch_revoked, status_changed
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    REINSTATED,
    REVOKED,
    ROOT,
    SKIPPED,
    STAGED,
    STATUS_KEY,
    SUSPENDED,
    SWITCHED,
    replayed,
)

FIRST, SECOND, LATER = (StatusPosition(status_list=0, index=index) for index in range(3))


def history() -> IssuerHistory:
    """Two revocations in two blocks of one second, and one later."""
    calls = [
        status_changed(REVOKED, 1, [0], [1 << index], actor=STATUS_KEY, at=at, block=block)
        for index, (at, block) in enumerate([(500, 5), (500, 6), (600, 7)])
    ]
    return replayed(*BEGINNING, *calls).issuer(1)


def shown(status_list: int, purpose: StatusPurpose, at: int, *positions: StatusPosition) -> ServedList:
    words = group_positions(positions).get(status_list, {})
    return ServedList(status_list=status_list, purpose=purpose, at=at, words=words)


def differences(
    *positions: StatusPosition, at: int, now: int = 600, issuer: IssuerHistory | None = None
) -> list[DifferenceKind]:
    served = shown(0, StatusPurpose.REVOCATION, at, *positions)
    return [each.kind for each in compare_served((issuer or history()).events, {}, [served], now=now)]


def test_what_is_so_now_is_no_difference() -> None:
    assert differences(FIRST, SECOND, LATER, at=600) == []
    # A new epoch counts, and repeats one of three.
    assert differences(LATER, at=3000, now=3000, issuer=replayed(*SWITCHED).issuer(1)) == []


@pytest.mark.parametrize("shown", [(), (FIRST,), (FIRST, SECOND)])
def test_each_block_of_one_second_may_be_the_lists(shown: tuple[StatusPosition, ...]) -> None:
    assert differences(*shown, at=500) == [DifferenceKind.SERVED_BEHIND]


@pytest.mark.parametrize("shown", [(SECOND,), (FIRST, SECOND, LATER), (FIRST, LATER)])
def test_what_was_so_in_none_of_them_is_a_lie(shown: tuple[StatusPosition, ...]) -> None:
    assert set(differences(*shown, at=500)) == {DifferenceKind.SERVED_OTHERWISE}


def test_before_anything_happened_nothing_was_so() -> None:
    assert differences(at=400) == [DifferenceKind.SERVED_BEHIND]
    assert differences(FIRST, at=400) == [DifferenceKind.SERVED_OTHERWISE]


def test_a_list_of_a_later_block_than_ours_decides_nothing() -> None:
    with pytest.raises(LedgerUnavailableError, match="the service's node is ahead"):
        differences(FIRST, at=601)


def batch(first: int, size: int, root: bytes = ROOT) -> OwnBatch:
    return OwnBatch(BatchId(1), hash32(root), size, first, BatchState.ANCHORED, 0, None)


def position(index: int, status_list: int = 0) -> StatusPosition:
    return StatusPosition(status_list=status_list, index=index)


def compared(
    calls: tuple[Call, ...],
    *positions: StatusPosition,
    at: int,
    batches: tuple[OwnBatch, ...] = (),
    purpose: StatusPurpose = StatusPurpose.REVOCATION,
    status_list: int = 0,
) -> list[Difference]:
    served = shown(status_list, purpose, at, *positions)
    mine = {each.root: each for each in batches}
    return list(compare_served(replayed(*calls).issuer(1).events, mine, [served], now=5000))


# Batches that are revoked as a whole


def revoked_batch(*more: Call) -> tuple[Call, ...]:
    return (
        *BEGINNING,
        anchored(1, ROOT, size=4, actor=ANCHOR_KEY, at=400, block=4),
        batch_revoked(1, ROOT, actor=STATUS_KEY, at=900, block=9),
        *more,
    )


def test_a_batch_that_is_revoked_shows_all_its_positions_and_no_others() -> None:
    batches = (batch(10, 4), batch(20, 4, bytes(32)))
    shown = [position(index) for index in range(10, 14)]
    assert compared(revoked_batch(), *shown, at=900, batches=batches) == []
    detail = "revocation as of 1970-01-01 00:15:00 UTC"
    for index in (10, 13):
        (difference,) = compared(revoked_batch(), *set(shown) - {position(index)}, at=901, batches=batches)
        assert (difference.kind, difference.position) == (DifferenceKind.SERVED_OTHERWISE, position(index))
        assert difference.detail == "revocation as of 1970-01-01 00:15:01 UTC: so, and not shown"
    for index in (9, 14, 20):
        (difference,) = compared(revoked_batch(), *shown, position(index), at=900, batches=batches)
        assert difference == Difference(
            kind=DifferenceKind.SERVED_OTHERWISE, position=position(index), detail=f"{detail}: shown, and not so"
        )
    # Revoked, nobody is suspended by that.
    assert compared(revoked_batch(), at=900, batches=batches, purpose=StatusPurpose.SUSPENSION) == []
    before = compared(revoked_batch(), at=899, batches=batches)
    assert before == [
        Difference(
            kind=DifferenceKind.SERVED_BEHIND,
            position=position(0),
            detail="the whole list, revocation as of 1970-01-01 00:14:59 UTC",
        )
    ]


def test_a_batch_across_two_lists_shows_in_each_what_is_of_it() -> None:
    batches = (batch(LIST_SIZE * 3 - 2, 4),)
    for number, indices in ((1, []), (2, [LIST_SIZE - 2, LIST_SIZE - 1]), (3, [0, 1]), (4, [])):
        shown = [position(index, number) for index in indices]
        assert compared(revoked_batch(), *shown, at=900, batches=batches, status_list=number) == []


def test_a_batch_revoked_in_an_epoch_counts_in_that_and_those_before_it() -> None:
    batches = (batch(0, 500),)
    everything = [position(index) for index in range(500)]
    alone = position(2 * 256 + 255)
    # Revoked in epoch 0, and it counts: with what was revoked alone.
    assert compared(STAGED, *everything, alone, at=1100, batches=batches) == []
    # Epoch 1 counts now, and nobody revoked it there; one of three was repeated.
    assert compared(SWITCHED, position(2), at=3000, batches=batches) == []
    again = batch_revoked(1, ROOT, actor=b"\x0e" * 20, at=1200, block=12, epoch=1)
    switched = (*STAGED, again, *SWITCHED[len(STAGED) :])
    assert compared((*STAGED, again), *everything, alone, at=1200, batches=batches) == []
    assert compared(switched, *everything, at=3000, batches=batches) == []
    # An epoch that was only staged, and will never count, changes nothing.
    assert compared(SKIPPED, *everything, alone, at=3000, batches=batches) == []


# Purposes and lists


def test_each_purpose_and_each_list_shows_its_own() -> None:
    calls = (
        *BEGINNING,
        status_changed(REVOKED, 1, [0, 3], [0b1, 0b10], actor=STATUS_KEY, at=400, block=4),
        status_changed(SUSPENDED, 1, [0], [0b110], actor=STATUS_KEY, at=500, block=5),
        status_changed(REINSTATED, 1, [0], [0b100], actor=STATUS_KEY, at=600, block=6),
        status_changed(SUSPENDED, 1, [0], [0b1000], actor=STATUS_KEY, at=700, block=7, status_list=1),
    )
    suspension = StatusPurpose.SUSPENSION
    assert compared(calls, position(0), position(3 * 256 + 1), at=700) == []
    assert compared(calls, position(1), at=700, purpose=suspension) == []
    assert compared(calls, position(3, 1), at=700, purpose=suspension, status_list=1) == []
    (behind,) = compared(calls, position(1), position(2), at=500, purpose=suspension)
    assert behind.detail == "the whole list, suspension as of 1970-01-01 00:08:20 UTC"


def test_a_list_of_which_too_much_is_wrong_is_told_in_a_few_lines() -> None:
    shown = [position(index) for index in range(100, 107)]
    (*first, last) = compared(BEGINNING, *shown, at=400)
    assert [each.position for each in (*first, last)] == shown[:6]
    assert {each.detail for each in first} == {"revocation as of 1970-01-01 00:06:40 UTC: shown, and not so"}
    assert last.detail == "revocation as of 1970-01-01 00:06:40 UTC: shown, and not so; and 2 more of this list"
    assert len(compared(BEGINNING, *shown[:5], at=400)) == 5


def test_each_list_is_compared() -> None:
    purpose = StatusPurpose.REVOCATION
    lists = [
        shown(0, purpose, 600, FIRST, SECOND, LATER),
        shown(0, purpose, 500, FIRST),
        shown(1, purpose, 500, position(4, 1)),
        shown(2, purpose, 500, position(5, 2)),
    ]
    assert [(each.kind, each.position) for each in compare_served(history().events, {}, lists, now=600)] == [
        (DifferenceKind.SERVED_BEHIND, position(0)),
        (DifferenceKind.SERVED_OTHERWISE, position(4, 1)),
        (DifferenceKind.SERVED_OTHERWISE, position(5, 2)),
    ]


def test_of_an_institution_without_events_of_that_time_what_is_now_was_so() -> None:
    assert compared(BEGINNING, at=4000) == []
    assert len(compared(BEGINNING, position(1), at=4000)) == 1


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], ()),
        ([(0, 1)], (0,)),
        ([(0, LIST_SIZE)], (0,)),
        ([(0, LIST_SIZE + 1)], (0, 1)),
        ([(LIST_SIZE - 1, 1)], (0,)),
        ([(LIST_SIZE * 9, 1), (LIST_SIZE * 2, 1)], (2, 9)),
        ([(LIST_SIZE * 7, 3), (5, 2), (6, 2), (LIST_SIZE * 3 - 1, LIST_SIZE + 2)], (0, 2, 3, 4, 7)),
    ],
)
def test_lists_are_those_that_batches_have_positions_in(
    places: list[tuple[int, int]], expected: tuple[int, ...]
) -> None:
    assert lists_of([batch(first, size) for first, size in places]) == expected


# Reading what is served


def encoded(data: bytes) -> str:
    return "u" + urlsafe_b64encode(gzip.compress(data)).decode().rstrip("=")


BITS = bytes([0b1000_0001, *bytes(LIST_SIZE // 8 - 2), 1])


Serve = Callable[[bytes], list[ServedList]]


def document(encoded_list: object, valid_from: object = "2026-01-01T00:00:00Z") -> bytes:
    return json.dumps({"validFrom": valid_from, "credentialSubject": {"encodedList": encoded_list}}).encode()


@pytest.fixture
def asked() -> list[str]:
    """The addresses that were fetched."""
    return []


@pytest.fixture
def serve(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Serve:
    def serve(content: bytes) -> list[ServedList]:
        def fetch(url: str, *, max_bytes: int) -> bytes:
            assert max_bytes == 200_000
            asked.append(url)
            return content

        monkeypatch.setattr(served_status, "fetch", fetch)
        return list(fetch_lists("https://service.example", 7, [3, 5]))

    return serve


def test_lists_are_read_for_both_purposes(serve: Serve, asked: list[str]) -> None:
    assert serve(document(encoded(BITS))) == [
        shown(number, purpose, 1_767_225_600, *(position(index, number) for index in (0, 7, LIST_SIZE - 1)))
        for number in (3, 5)
        for purpose in StatusPurpose
    ]
    assert asked == [
        status_list_url("https://service.example", 7, number, purpose) for number in (3, 5) for purpose in StatusPurpose
    ]


@pytest.mark.parametrize(
    "text",
    [
        encoded(BITS)[1:],
        "z" + encoded(BITS)[1:],
        encoded(BITS[:-1]),
        encoded(BITS + b"\x00"),
        encoded(bytes(2**24)),
        "u" + urlsafe_b64encode(gzip.compress(BITS)[:-1]).decode().rstrip("="),
        "u" + urlsafe_b64encode(BITS).decode(),
        "u",
        "",
    ],
    ids=["no-letter", "other-letter", "short", "long", "bomb", "cut-off", "not-packed", "nothing", "empty"],
)
def test_what_is_no_list_of_16_kib_is_refused(text: str, serve: Serve) -> None:
    with pytest.raises(FetchError, match=r"https://service\.example/\S+ is no status list"):
        serve(document(text))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"validFrom":"2026-01-01T00:00:00Z"}',
        b'{"validFrom":"2026-01-01T00:00:00Z","credentialSubject":null}',
        b'{"validFrom":"2026-01-01T00:00:00Z","credentialSubject":{}}',
        document(None),
        document(5),
        document([]),
        document(encoded(BITS), 5),
        document(encoded(BITS), None),
    ],
)
def test_what_is_another_document_is_refused(content: bytes, serve: Serve) -> None:
    with pytest.raises(FetchError, match="is no status list"):
        serve(content)


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01", "yesterday", "", "None"])
def test_a_time_that_depends_on_the_machine_or_is_none_is_refused(text: str, serve: Serve) -> None:
    with pytest.raises(FetchError, match="is no status list"):
        serve(document(encoded(BITS), text))


def test_lists_of_every_length_are_read(serve: Serve) -> None:
    lengths = set()
    for count in range(40):
        bits = bytes((number * 37 + 1) % 256 for number in range(count)) + bytes(LIST_SIZE // 8 - count)
        lengths.add(len(encoded(bits)[1:]) % 4)
        expected = {index for index in range(8 * count) if bits[index // 8] & 0x80 >> index % 8}
        words = serve(document(encoded(bits)))[0].words
        assert {word * 256 + bit for word, mask in words.items() for bit in bits_of(mask)} == expected
    assert lengths == {0, 2, 3}


@pytest.mark.parametrize("text", ["2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.9Z"])
def test_a_time_is_the_second_that_it_says_in_whichever_zone(text: str, serve: Serve) -> None:
    found = serve(document(encoded(BITS), text))
    assert {each.at for each in found} == {1_767_225_600}
