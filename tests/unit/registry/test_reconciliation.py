"""What reconciliation makes of a history: each rule and its edges; on a real chain, tests/cli/test_reconcile.py."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from anchor.history import IssuerHistory
from anchor.model import Address, Hash32, StatusPosition, address, hash32
from anchor.status import LIST_SIZE
from registry.services.differences import Difference, DifferenceKind, subject_of
from registry.services.reconciliation import Settled, Stored, reconcile
from registry.store.reconciliation import AskedStatus, OwnBatch, in_words
from registry.store.records import BatchId, BatchState
from tests.support.history import (
    Call,
    anchored,
    batch_revoked,
    key_added,
    key_compromised,
    key_retired,
    status_changed,
    withdrawn,
)
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    CONTROLLER,
    OTHER_KEY,
    REINSTATED,
    REVOKED,
    SECOND_ANCHOR_KEY,
    STAGED_KEY,
    STATUS_KEY,
    SUSPENDED,
    SWITCHED,
    replayed,
)

DID = "did:web:one.example"
ANCHORS, WRITES = address(ANCHOR_KEY), address(STATUS_KEY)
A, B, C = (hash32(bytes([number]) * 32) for number in (0xA1, 0xB2, 0xC3))
NOW = 5000


def history(*calls: Call, start: tuple[Call, ...] = BEGINNING) -> IssuerHistory:
    return replayed(*start, *calls).issuer(1)


def batch(root: Hash32, *, size: int = 4, first: int = 0, **changes: Any) -> OwnBatch:
    own_batch = OwnBatch(BatchId(1), root, size, first, BatchState.ANCHORED, 1000, None)
    return own_batch._replace(**changes)


@dataclass(frozen=True, kw_only=True)
class Own:
    """What the institution has of its own."""

    settled: Settled
    batches: tuple[OwnBatch, ...]
    revocations: dict[Hash32, bool]
    transactions: Collection[Hash32]

    def stored(self, statuses: Iterable[AskedStatus]) -> Stored:
        batches = {each.root: each for each in self.batches}
        return Stored(batches=batches, revocations=self.revocations, statuses=in_words(statuses))

    def knows(self, hashes: Collection[Hash32]) -> Collection[Hash32]:
        return set(hashes) & set(self.transactions)


def own(
    *batches: OwnBatch,
    revocations: dict[Hash32, bool] | None = None,
    transactions: Collection[Hash32] = (),
    **changes: Any,
) -> Own:
    content: dict[str, Any] = {"did": DID, "anchor_key": ANCHORS, "status_key": WRITES, "controller": None}
    settled = Settled(**(content | changes))
    return Own(settled=settled, batches=batches, revocations=revocations or {}, transactions=transactions)


def asked(
    index: int, *, is_revoked: bool = False, is_suspended: bool = False, is_open: bool = False, status_list: int = 0
) -> AskedStatus:
    position = StatusPosition(status_list=status_list, index=index)
    return AskedStatus(position, is_revoked, is_suspended, is_open)


def found(
    issuer: IssuerHistory, mine: Own, statuses: Iterable[AskedStatus] = (), *, now: int = NOW
) -> list[Difference]:
    stored = mine.stored(statuses)
    return told(issuer, mine, (stored, stored), now=now)


def told(issuer: IssuerHistory, mine: Own, stored: tuple[Stored, Stored], *, now: int = NOW) -> list[Difference]:
    return list(reconcile(issuer, issuer.events, mine.settled, stored, mine.knows, now=now))


def kinds(
    issuer: IssuerHistory, mine: Own, statuses: Iterable[AskedStatus] = (), *, now: int = NOW
) -> list[DifferenceKind]:
    return [each.kind for each in found(issuer, mine, statuses, now=now)]


def anchor(root: bytes, *, size: int = 4, actor: bytes = ANCHOR_KEY, at: int = 2000, block: int = 20) -> Call:
    return anchored(1, root, size=size, actor=actor, at=at, block=block)


def change(event: str, index: int, *, actor: bytes = STATUS_KEY, at: int = 2000, block: int = 20, **more: int) -> Call:
    return status_changed(event, 1, [index // 256], [1 << index % 256], actor=actor, at=at, block=block, **more)


# Settings


def test_settings_that_are_the_ledgers_are_no_difference() -> None:
    assert found(history(), own()) == []


def test_another_did_is_told_with_the_ledgers() -> None:
    (difference,) = found(history(), own(did="did:web:other.example"))
    assert difference == Difference(kind=DifferenceKind.OTHER_DID, detail=DID)


@pytest.mark.parametrize(("now", "expected"), [(3999, []), (4000, [DifferenceKind.WITHDRAWN])])
def test_an_accreditation_ends_with_its_last_second(now: int, expected: list[DifferenceKind]) -> None:
    issuer = history(withdrawn(1, 4000, at=2000, block=20))
    differences = found(issuer, own(), now=now)
    assert [each.kind for each in differences] == expected
    assert [each.detail for each in differences] == ["since 1970-01-01 01:06:40 UTC"] * len(expected)


@pytest.mark.parametrize(("now", "expected"), [(3999, []), (4000, [DifferenceKind.KEY_ENDED])])
@pytest.mark.parametrize(("key", "scope"), [(ANCHOR_KEY, "anchor"), (STATUS_KEY, "status")])
def test_a_retired_key_ends_with_the_next_second(
    key: bytes, scope: str, now: int, expected: list[DifferenceKind]
) -> None:
    issuer = history(key_retired(1, key, actor=CONTROLLER, at=3999, block=39))
    differences = found(issuer, own(), now=now)
    assert differences == [Difference(kind=kind, key=address(key), detail=f"for {scope}") for kind in expected]


def test_a_key_that_the_ledger_has_not_is_named_for_what_it_is_there() -> None:
    stranger = address(b"\x99" * 20)
    for mine, scope in ((own(anchor_key=stranger), "anchor"), (own(status_key=stranger), "status")):
        (difference,) = found(history(), mine)
        assert difference == Difference(kind=DifferenceKind.NO_SUCH_KEY, key=stranger, detail=f"for {scope}")
    # Another institution's key is none of this one's.
    assert kinds(history(), own(anchor_key=address(OTHER_KEY))) == [DifferenceKind.NO_SUCH_KEY]


def test_keys_that_are_exchanged_may_not_do_what_they_are_there_for() -> None:
    assert found(history(), own(anchor_key=WRITES, status_key=ANCHORS)) == [
        Difference(kind=DifferenceKind.WRONG_KEY, key=WRITES, detail="it is not for anchor"),
        Difference(kind=DifferenceKind.WRONG_KEY, key=ANCHORS, detail="it is not for status"),
    ]


def test_a_status_key_of_an_epoch_that_does_not_count_yet_is_the_wrong_one() -> None:
    staged = key_added(1, STAGED_KEY, 2, actor=CONTROLLER, at=2000, block=20, epoch=1)
    (difference,) = found(history(staged), own(status_key=address(STAGED_KEY)))
    detail = "it writes status epoch 1, and 0 counts"
    assert difference == Difference(kind=DifferenceKind.WRONG_KEY, key=address(STAGED_KEY), detail=detail)
    # Once it counts it is right; anchor keys have no epoch.
    issuer = history(start=SWITCHED)
    assert not {DifferenceKind.WRONG_KEY} & set(kinds(issuer, own(status_key=address(STAGED_KEY))))


# Batches


@pytest.mark.parametrize(
    ("state", "sealed_at", "expected"),
    [
        (BatchState.ANCHORED, NOW, [DifferenceKind.NOT_ON_LEDGER]),
        (BatchState.FAILED, NOW, [DifferenceKind.NEVER_ANCHORED]),
        (BatchState.SEALED, NOW - 3601, [DifferenceKind.NEVER_ANCHORED]),
        (BatchState.SEALED, NOW - 3600, []),
        (BatchState.SIGNED, 0, []),
        (BatchState.SENT, 0, []),
    ],
)
def test_what_the_ledger_has_not_depends_on_how_far_a_batch_has_come(
    state: BatchState, sealed_at: int, expected: list[DifferenceKind]
) -> None:
    record = batch(A, state=state, sealed_at=sealed_at)
    assert found(history(), own(record)) == [Difference(kind=kind, root=A) for kind in expected]


def test_why_a_batch_was_never_anchored_is_told() -> None:
    (difference,) = found(history(), own(batch(A, state=BatchState.FAILED, failure="KeyNotActive")))
    assert (difference.kind, difference.detail) == (DifferenceKind.NEVER_ANCHORED, "KeyNotActive")


@pytest.mark.parametrize("state", list(BatchState))
def test_a_batch_on_the_ledger_is_to_be_noted(state: BatchState) -> None:
    expected = [] if state is BatchState.ANCHORED else [Difference(kind=DifferenceKind.NOT_NOTED, root=A)]
    assert found(history(anchor(A)), own(batch(A, state=state))) == expected


@pytest.mark.parametrize(("size", "told"), [(5, "5 on the ledger, 4 here"), (0, "not stated on the ledger, 4 here")])
def test_another_size_is_told_with_the_key_that_anchored_it(size: int, told: str) -> None:
    # However far the batch has come here.
    for state in (BatchState.ANCHORED, BatchState.SENT):
        (difference,) = found(history(anchor(A, size=size)), own(batch(A, state=state)))
        assert difference == Difference(kind=DifferenceKind.OTHER_SIZE, root=A, key=ANCHORS, detail=told)


def stolen(*calls: Call) -> IssuerHistory:
    """A and B are anchored, and their key is stolen since B."""
    return history(
        anchor(A),
        anchor(B, at=2500, block=25),
        key_added(1, SECOND_ANCHOR_KEY, 1, actor=CONTROLLER, at=2600, block=26),
        *calls,
        key_compromised(1, ANCHOR_KEY, 2500, actor=CONTROLLER, at=3000, block=30),
    )


def test_a_void_batch_is_told_with_its_key_unless_it_is_revoked_too() -> None:
    mine = own(batch(A), batch(B, first=4), anchor_key=address(SECOND_ANCHOR_KEY))
    assert found(stolen(), mine) == [Difference(kind=DifferenceKind.VOID, root=B, key=ANCHORS)]
    revoked = stolen(batch_revoked(1, B, actor=STATUS_KEY, at=2700, block=27))
    mine = own(
        *mine.batches,
        anchor_key=address(SECOND_ANCHOR_KEY),
        revocations={B: False},
    )
    assert found(revoked, mine) == []


def test_batches_of_others_are_told_with_key_transaction_and_size() -> None:
    issuer = stolen()
    transactions = {event.root: event.log.transaction_hash for event in issuer.events if event.kind == "batchAnchored"}  # type: ignore[union-attr]
    differences = found(issuer, own(anchor_key=address(SECOND_ANCHOR_KEY)))
    assert differences == [
        Difference(
            kind=kind,
            root=root,
            key=ANCHORS,
            transaction=transactions[root],
            detail=f"4 credentials, 1970-01-01 {at} UTC",
        )
        for kind, root, at in (
            (DifferenceKind.FOREIGN_BATCH, A, "00:33:20"),
            (DifferenceKind.FOREIGN_VOID, B, "00:41:40"),
        )
    ]
    (difference,) = found(history(anchor(C, size=0)), own())
    assert difference.detail == "unstated number of credentials, 1970-01-01 00:33:20 UTC"


def test_of_a_batch_that_was_anchored_again_the_last_transaction_is_told() -> None:
    issuer = replayed(
        *BEGINNING,
        anchor(A),
        key_compromised(1, ANCHOR_KEY, 2000, actor=CONTROLLER, at=3000, block=30),
        key_added(1, SECOND_ANCHOR_KEY, 1, actor=CONTROLLER, at=3000, block=30),
        anchor(A, actor=SECOND_ANCHOR_KEY, at=3500, block=35),
    ).issuer(1)
    (difference,) = found(issuer, own(anchor_key=address(SECOND_ANCHOR_KEY)))
    assert difference.kind is DifferenceKind.FOREIGN_BATCH
    assert difference.transaction == issuer.events[-1].log.transaction_hash


# Batches that are revoked as a whole


def both_revoked() -> IssuerHistory:
    return history(
        anchor(A),
        anchor(B),
        batch_revoked(1, B, actor=STATUS_KEY, at=2100, block=21),
        batch_revoked(1, A, actor=STATUS_KEY, at=2200, block=22),
    )


def test_whole_batches_that_nobody_here_revoked_are_told_in_order_of_their_roots() -> None:
    issuer = both_revoked()
    mine = (batch(A), batch(B, first=4))
    of_b, of_a = (event.log.transaction_hash for event in issuer.events[-2:])
    expected = [
        Difference(kind=DifferenceKind.BATCH_REVOKED_ELSEWHERE, root=root, key=WRITES, transaction=transaction)
        for root, transaction in ((A, of_a), (B, of_b))
    ]
    assert found(issuer, own(*mine)) == expected
    # Asked for here, or sent from here, it is no theft.
    assert found(issuer, own(*mine, revocations={A: False})) == expected[1:]
    assert found(issuer, own(*mine, transactions=[of_b])) == expected[:1]


@pytest.mark.parametrize("is_open", [True, False])
def test_a_whole_batch_whose_revocation_the_ledger_has_not_is_missed_once_it_should_be_there(is_open: bool) -> None:
    mine = own(batch(A), revocations={A: is_open})
    expected = [] if is_open else [Difference(kind=DifferenceKind.BATCH_REVOCATION_MISSING, root=A)]
    assert found(history(anchor(A)), mine) == expected


# Status


def test_what_was_asked_for_and_is_so_is_no_difference() -> None:
    issuer = history(anchor(A), change(REVOKED, 0), change(SUSPENDED, 1), change(SUSPENDED, 2), change(REVOKED, 2))
    statuses = [asked(0, is_revoked=True), asked(1, is_suspended=True), asked(2, is_revoked=True, is_suspended=True)]
    assert found(issuer, own(batch(A)), [*statuses, asked(3)]) == []


def test_changes_that_nobody_here_asked_for_are_told_with_who_made_the_last_one_and_when() -> None:
    issuer = history(
        anchor(A),
        change(REVOKED, 0, at=2100, block=21),
        change(SUSPENDED, 1, at=2200, block=22),
        change(SUSPENDED, 2, at=2300, block=23),
        change(REINSTATED, 2, at=2400, block=24),
    )
    revoked, suspended, _, reinstated = (event.log.transaction_hash for event in issuer.events[-4:])
    expected = [
        Difference(
            kind=kind,
            position=StatusPosition(status_list=0, index=index),
            key=WRITES,
            transaction=transaction,
            detail=f"1970-01-01 {at} UTC",
        )
        for kind, index, transaction, at in (
            (DifferenceKind.REVOKED_ELSEWHERE, 0, revoked, "00:35:00"),
            (DifferenceKind.SUSPENDED_ELSEWHERE, 1, suspended, "00:36:40"),
            (DifferenceKind.REINSTATED_ELSEWHERE, 2, reinstated, "00:40:00"),
        )
    ]
    # Whether something else was ever asked for, or nothing was.
    assert found(issuer, own(batch(A)), [asked(0), asked(1), asked(2, is_suspended=True)]) == expected
    assert found(issuer, own(batch(A))) == expected[:2]


def test_one_credential_may_differ_in_both() -> None:
    issuer = history(anchor(A), change(SUSPENDED, 0))
    assert kinds(issuer, own(batch(A)), [asked(0, is_revoked=True)]) == [
        DifferenceKind.REVOCATION_MISSING,
        DifferenceKind.SUSPENDED_ELSEWHERE,
    ]


def test_while_a_change_is_on_its_way_a_credential_is_not_judged() -> None:
    issuer = history(anchor(A), change(REVOKED, 0), change(SUSPENDED, 1))
    statuses = [asked(0, is_open=True), asked(1, is_open=True), asked(2, is_revoked=True, is_open=True)]
    assert found(issuer, own(batch(A)), statuses) == []


def test_a_revocation_that_is_missing_is_nobodys_doing() -> None:
    # That it was suspended here, or revoked in an epoch that counts no more, says nothing of who left it out.
    position = StatusPosition(status_list=0, index=0)
    missing = Difference(kind=DifferenceKind.REVOCATION_MISSING, position=position)
    issuer = history(anchor(A), change(SUSPENDED, 0))
    assert found(issuer, own(batch(A)), [asked(0, is_revoked=True, is_suspended=True)]) == [missing]
    issuer = history(start=SWITCHED)
    mine = own(batch(issuer.revoked_batches()[0] if issuer.revoked_batches() else next(iter(issuer.batches)), size=500))
    assert missing in found(issuer, mine, [asked(0, is_revoked=True)])


def test_who_changed_a_status_is_told_of_the_epoch_that_counts() -> None:
    # In the epoch before, the credential was reinstated; in this one nobody ever suspended it.
    issuer = history(start=SWITCHED)
    position = StatusPosition(status_list=0, index=1)
    differences = [each for each in found(issuer, own(), [asked(1, is_suspended=True)]) if each.position == position]
    assert differences == [Difference(kind=DifferenceKind.REINSTATED_ELSEWHERE, position=position)]
    suspended = StatusPosition(status_list=0, index=0)
    (difference,) = [each for each in found(issuer, own(), [asked(0)]) if each.position == suspended]
    assert (difference.kind, difference.key) == (DifferenceKind.SUSPENDED_ELSEWHERE, address(STAGED_KEY))


@pytest.mark.parametrize(
    ("status_list", "index", "is_known"),
    [
        (0, LIST_SIZE - 3, False),
        (0, LIST_SIZE - 2, True),
        (0, LIST_SIZE - 1, True),
        (1, 0, True),
        (1, 1, True),
        (1, 2, False),
        (1, 9, False),
        (1, 10, True),
        (1, 13, True),
        (1, 14, False),
    ],
)
def test_positions_of_no_batch_here_are_told_from_those_of_one(status_list: int, index: int, is_known: bool) -> None:
    issuer = history(anchor(A), anchor(B), *(change(each, index, status_list=status_list) for each in (REVOKED,)))
    mine = own(batch(B, first=LIST_SIZE + 10), batch(A, first=LIST_SIZE - 2))
    expected = DifferenceKind.REVOKED_ELSEWHERE if is_known else DifferenceKind.UNKNOWN_POSITION
    assert kinds(issuer, mine) == [expected]
    issuer = history(anchor(A), anchor(B), change(SUSPENDED, index, status_list=status_list))
    expected = DifferenceKind.SUSPENDED_ELSEWHERE if is_known else DifferenceKind.UNKNOWN_POSITION
    assert kinds(issuer, mine) == [expected]


def test_what_nobody_asked_for_is_told_in_order_of_list_and_index() -> None:
    issuer = history(change(REVOKED, 600), change(REVOKED, 5), change(REVOKED, 1, status_list=2))
    assert [(each.position.status_list, each.position.index) for each in found(issuer, own()) if each.position] == [
        (0, 5),
        (0, 600),
        (2, 1),
    ]


# Words


def test_each_difference_names_what_it_is_about() -> None:
    kind, key = DifferenceKind.OTHER_DID, Address(b"\x01" * 20)
    position = StatusPosition(status_list=3, index=7)
    assert subject_of(Difference(kind=kind, root=A, position=position, key=key)) == "batch 0x" + "a1" * 32
    assert subject_of(Difference(kind=kind, position=position, key=key)) == "list 3, index 7"
    assert subject_of(Difference(kind=kind, key=key)) == "key 0x" + "01" * 20
    assert subject_of(Difference(kind=kind)) == "issuer"
