"""What an issuer's events may say of its accreditation, control, batches and status bits."""

from typing import Any

import pytest

from anchor.errors import HistoryError
from anchor.model import Batch, Issuer, address, hash32
from anchor.replay import replay
from tests.support.history import (
    REGISTRY,
    Call,
    accredited,
    anchored,
    batch_revoked,
    chain,
    control_accepted,
    control_offered,
    deployed,
    epochs_changed,
    key_added,
    key_compromised,
    key_retired,
    nonces_cancelled,
    role_changed,
    status_changed,
    withdrawn,
)
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    CONTROLLER,
    ENDED,
    LATER,
    NEW_ANCHOR_KEY,
    NEWCOMER,
    OTHER,
    OTHER_KEY,
    REINSTATED,
    REVOKED,
    ROOT,
    SECOND_ANCHOR_KEY,
    SECOND_ROOT,
    SKIPPED,
    STAGED,
    STAGED_KEY,
    STATUS_KEY,
    STORY,
    SUSPENDED,
    SWITCHED,
    VOID,
    assert_refused,
    by_controller,
    replayed,
    revoked_alone,
)

# Accreditation.


def test_withdrawal_can_be_moved_to_an_earlier_time() -> None:
    history = replayed(*STORY, withdrawn(1, 5000, at=1000, block=10), withdrawn(1, 2001, **LATER))
    assert history.issuer(1).record == Issuer(
        controller=address(CONTROLLER), accredited_at=100, withdrawn_at=2001, status_epoch=0
    )
    assert history.issuer(2).record.withdrawn_at == 0


def test_issuer_goes_on_until_its_accreditation_ends() -> None:
    replayed(
        *STORY,
        withdrawn(1, 2001, at=1500, block=15),
        anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, **LATER),
        NEW_ANCHOR_KEY,
    )


def test_withdrawn_issuer_goes_on_with_everything_but_anchoring() -> None:
    history = replayed(
        *ENDED,
        key_added(1, STAGED_KEY, 2, **by_controller()),
        batch_revoked(1, ROOT, actor=STAGED_KEY, **LATER),
        key_retired(1, ANCHOR_KEY, **by_controller()),
        control_offered(1, NEWCOMER, **by_controller()),
        nonces_cancelled(1, STATUS_KEY, 9, **by_controller()),
    )
    assert history.issuer(1).revoked_batches() == (ROOT,)


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*STORY, withdrawn(1, 2001, reason=0, **LATER)], "no reason 0"),
        ([*STORY, withdrawn(1, 2001, reason=8, **LATER)], "no reason 8"),
        ([*STORY, withdrawn(1, 2000, **LATER)], "end in the past"),
        ([*STORY, withdrawn(1, 2001, at=1500, block=15), withdrawn(1, 2001, **LATER)], "ends earlier already, at 2001"),
        ([*STORY, withdrawn(1, 2001, at=1500, block=15), withdrawn(1, 2002, **LATER)], "ends earlier already, at 2001"),
        ([*ENDED, withdrawn(1, 1999, **LATER)], "accreditation ended at 2000"),
        ([*ENDED, anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, **LATER)], "accreditation ended at 2000"),
        ([*ENDED, NEW_ANCHOR_KEY], "accreditation ended at 2000"),
    ],
)
def test_withdrawal_that_the_contract_would_not_allow_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


def test_times_may_begin_with_the_first_second_there_is() -> None:
    # A chain of one's own may start at 0, where an accreditation that ends at 1 has ended, and 0 means no end.
    began = (
        *deployed(at=0, block=0),
        accredited(1, "did:web:one.example", controller=CONTROLLER, at=0, block=0),
        key_added(1, ANCHOR_KEY, 1, actor=CONTROLLER, at=0, block=0),
        withdrawn(1, 1, at=0, block=0),
    )
    assert replayed(*began).issuer(1).record.withdrawn_at == 1
    assert_refused([*began, withdrawn(1, 1, at=0, block=0)], "ends earlier already, at 1")
    assert_refused([*began, anchored(1, ROOT, actor=ANCHOR_KEY, at=1, block=1)], "accreditation ended at 1")


def test_what_happened_cannot_be_added_to() -> None:
    issuer = replayed(*STORY).issuer(1)
    assert type(issuer.events) is tuple
    assert {type(changes) for changes in issuer.changes.values()} == {tuple}


def test_refusal_names_the_event_and_whose_it_is() -> None:
    for call, said in (
        (withdrawn(1, 2000, **LATER), "accreditationWithdrawn of issuer 1: the accreditation would end in the past"),
        (role_changed(bytes(32), OTHER, actor=OTHER, **LATER), "roleChanged: the actor may not do that"),
    ):
        logs, _ = chain([*STORY, call])
        with pytest.raises(HistoryError) as caught:
            replay(logs, REGISTRY)
        assert str(caught.value) == f"{logs[-1].place}: {said}"


# Control.


def test_control_is_handed_over_in_two_steps() -> None:
    offered = (*STORY, control_offered(1, OTHER, **by_controller()), control_offered(1, NEWCOMER, **by_controller()))
    waiting = replayed(*offered, NEW_ANCHOR_KEY).issuer(1)
    assert (waiting.record.controller, waiting.pending_controller) == (CONTROLLER, NEWCOMER)
    accepted = control_accepted(1, NEWCOMER, **LATER)
    key = key_added(1, STAGED_KEY, 2, **by_controller(actor=NEWCOMER))
    done = replayed(*offered, accepted, key, control_offered(1, CONTROLLER, **by_controller(actor=NEWCOMER))).issuer(1)
    assert (done.record.controller, done.pending_controller) == (NEWCOMER, CONTROLLER)


def test_offer_of_control_can_be_taken_back() -> None:
    back = (control_offered(1, NEWCOMER, **by_controller()), control_offered(1, bytes(20), **by_controller()))
    assert replayed(*STORY, *back).issuer(1).pending_controller is None


OFFERED = (*STORY, control_offered(1, NEWCOMER, **by_controller()))


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*STORY, control_offered(1, NEWCOMER, **by_controller(actor=OTHER))], "not the issuer's controller"),
        ([*STORY, control_offered(1, CONTROLLER, **by_controller())], "offered to the controller"),
        ([*STORY, control_offered(1, bytes(20), **by_controller())], "nothing changes"),
        ([*OFFERED, control_offered(1, NEWCOMER, **by_controller())], "nothing changes"),
        ([*STORY, control_accepted(1, NEWCOMER, **LATER)], "was not offered control"),
        ([*STORY, control_accepted(1, bytes(20), **LATER)], "was not offered control"),
        ([*OFFERED, control_accepted(1, OTHER, **LATER)], "was not offered control"),
        ([*OFFERED, control_accepted(1, NEWCOMER, actor=CONTROLLER, **LATER)], "was not offered control"),
        ([*OFFERED, control_accepted(1, OTHER, actor=NEWCOMER, **LATER)], "was not offered control"),
        ([*OFFERED, control_accepted(2, NEWCOMER, **LATER)], "was not offered control"),
        (
            [*OFFERED, control_accepted(1, NEWCOMER, **LATER), control_accepted(1, NEWCOMER, **LATER)],
            "was not offered control",
        ),
        ([*OFFERED, control_accepted(1, NEWCOMER, **LATER), NEW_ANCHOR_KEY], "not the issuer's controller"),
    ],
)
def test_change_of_control_that_the_contract_would_not_allow_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


# Batches.


def test_batch_anchored_by_its_root_alone_has_no_size() -> None:
    history = replayed(*STORY, anchored(1, SECOND_ROOT, size=0, actor=ANCHOR_KEY, **LATER))
    assert history.issuer(1).batches[hash32(SECOND_ROOT)].size == 0


def test_void_batch_can_be_anchored_again() -> None:
    again = anchored(1, ROOT, size=501, actor=SECOND_ANCHOR_KEY, **LATER)
    issuer = replayed(*VOID, anchored(1, SECOND_ROOT, actor=SECOND_ANCHOR_KEY, **LATER), again).issuer(1)
    assert issuer.void_batches() == ()
    assert list(issuer.batches.items()) == [
        (
            SECOND_ROOT,
            Batch(key=address(SECOND_ANCHOR_KEY), anchored_at=2000, size=1, revoked_reason=0, revoked_epoch=0),
        ),
        (ROOT, Batch(key=address(SECOND_ANCHOR_KEY), anchored_at=2000, size=501, revoked_reason=0, revoked_epoch=0)),
    ]


def test_void_batch_whose_revocation_counts_no_more_can_be_anchored_again() -> None:
    history = replayed(
        *SWITCHED,
        key_compromised(1, ANCHOR_KEY, 400, **by_controller()),
        NEW_ANCHOR_KEY,
        anchored(1, ROOT, actor=SECOND_ANCHOR_KEY, **LATER),
    )
    assert history.issuer(1).batches[hash32(ROOT)].revoked_reason == 0


def test_void_batch_can_be_revoked() -> None:
    issuer = replayed(*VOID, batch_revoked(1, ROOT, actor=STATUS_KEY, reason=3, **LATER)).issuer(1)
    assert (issuer.void_batches(), issuer.revoked_batches()) == ((ROOT,), (ROOT,))
    assert issuer.batches[hash32(ROOT)] == Batch(
        key=address(ANCHOR_KEY), anchored_at=400, size=500, revoked_reason=3, revoked_epoch=0
    )


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*BEGINNING, anchored(1, ROOT, actor=CONTROLLER, **LATER)], "not a key of the issuer"),
        ([*BEGINNING, anchored(1, ROOT, actor=STATUS_KEY, **LATER)], "scope ANCHOR"),
        ([*BEGINNING, anchored(1, ROOT, actor=OTHER_KEY, **LATER)], "not a key of the issuer"),
        ([*BEGINNING, anchored(2, ROOT, actor=OTHER_KEY, at=999, block=4)], "valid at that time"),
        ([*BEGINNING, anchored(1, bytes(32), actor=ANCHOR_KEY, **LATER)], "root is zero"),
        ([*STORY, anchored(1, ROOT, actor=ANCHOR_KEY, **LATER)], "anchored before, and that is not void"),
        ([*VOID, anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, **LATER)], "cut off at 400"),
        (
            [
                *STORY,
                key_retired(1, ANCHOR_KEY, **by_controller()),
                anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, at=2001, block=21),
            ],
            "cut off at 2001",
        ),
        (
            [
                *STORY,
                key_compromised(1, ANCHOR_KEY, 401, **by_controller()),
                NEW_ANCHOR_KEY,
                anchored(1, ROOT, actor=SECOND_ANCHOR_KEY, **LATER),
            ],
            "anchored before, and that is not void",
        ),
        (
            [
                *VOID,
                batch_revoked(1, ROOT, actor=STATUS_KEY, **LATER),
                anchored(1, ROOT, actor=SECOND_ANCHOR_KEY, **LATER),
            ],
            "anchored before, and revoked",
        ),
        ([*STORY, batch_revoked(1, SECOND_ROOT, actor=STATUS_KEY, **LATER)], "was not anchored"),
        ([*STORY, batch_revoked(1, ROOT, actor=ANCHOR_KEY, **LATER)], "scope STATUS"),
        ([*STORY, batch_revoked(1, ROOT, actor=STATUS_KEY, reason=0, **LATER)], "no reason 0"),
        ([*STORY, batch_revoked(1, ROOT, actor=STATUS_KEY, epoch=1, **LATER)], "does not write status epoch 1"),
        ([*STAGED, batch_revoked(1, ROOT, actor=STATUS_KEY, **LATER)], "revoked already, in status epoch 0"),
        (
            [
                *STORY,
                key_added(1, STAGED_KEY, 2, **by_controller(epoch=1)),
                batch_revoked(1, ROOT, actor=STAGED_KEY, epoch=1, **LATER),
                batch_revoked(1, ROOT, actor=STATUS_KEY, **LATER),
            ],
            "revoked already, in status epoch 1",
        ),
    ],
)
def test_batch_change_that_the_contract_would_not_make_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


# Status.


@pytest.mark.parametrize(
    ("event", "change", "why"),
    [
        (REVOKED, {"actor": ANCHOR_KEY}, "scope STATUS"),
        (REVOKED, {"epoch": 1}, "does not write status epoch 1"),
        (REVOKED, {"reason": 0}, "no reason 0"),
        (REVOKED, {"reason": 8}, "no reason 8"),
        (REVOKED, {"words": [], "masks": []}, "no word"),
        (REVOKED, {"masks": [2, 2]}, "one mask for each word"),
        (REVOKED, {"words": [4, 3], "masks": [1, 1]}, "do not increase"),
        (REVOKED, {"words": [3, 3], "masks": [1, 2]}, "do not increase"),
        (REVOKED, {"words": [512], "masks": [1]}, "outside the list"),
        (REVOKED, {"words": [0, 512], "masks": [0b1000, 1]}, "outside the list"),
        (REVOKED, {"masks": [0]}, "mask of word 0"),
        (REVOKED, {"masks": [0b100]}, "mask of word 0"),
        (SUSPENDED, {"masks": [0b100]}, "mask of word 0"),
        (REINSTATED, {"masks": [0b010]}, "mask of word 0"),
        (REINSTATED, {"masks": [0]}, "mask of word 0"),
        (REINSTATED, {"words": [1], "masks": [1]}, "mask of word 1"),
    ],
)
def test_status_change_that_the_contract_would_not_emit_is_refused(
    event: str, change: dict[str, Any], why: str
) -> None:
    said: dict[str, Any] = {"words": [0], "masks": [0b1000], "actor": STATUS_KEY, "at": 900, "block": 9} | change
    assert_refused([*STORY, status_changed(event, 1, **said)], why)


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*SWITCHED, revoked_alone(0)], "cut off at 550"),
        ([*SKIPPED, revoked_alone(0, actor=STAGED_KEY, epoch=1)], "cut off at 1000"),
        (
            # Two keys of one epoch, and only one of them stolen: nobody writes there any more.
            [
                *STORY,
                key_added(1, OTHER, 2, **by_controller()),
                key_compromised(1, OTHER, 2000, **by_controller()),
                epochs_changed(1, 1, 2, **by_controller()),
                revoked_alone(0),
            ],
            "status epoch 0 is over",
        ),
        (
            [
                *STAGED,
                key_added(1, OTHER, 2, **by_controller(epoch=1)),
                key_compromised(1, OTHER, 2000, **by_controller()),
                epochs_changed(1, 0, 2, **by_controller()),
                revoked_alone(0, actor=STAGED_KEY, epoch=1),
            ],
            "status epoch 1 is over",
        ),
        (
            [*STORY, key_retired(1, STATUS_KEY, **by_controller()), revoked_alone(0, at=2001, block=21)],
            "cut off at 2001",
        ),
    ],
)
def test_status_change_with_a_key_that_may_not_any_more_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


def test_retired_status_key_leaves_its_epoch_as_it_is() -> None:
    history = replayed(*STORY, key_retired(1, STATUS_KEY, **by_controller()), revoked_alone(0))
    assert history.issuer(1).epoch_changes == ()
