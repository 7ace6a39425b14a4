from typing import Any

import pytest

from anchor.history import EpochChange
from anchor.model import Batch, Issuer, Key, KeyScope, StatusPosition, address, hash32
from anchor.replay_issuer import MAX_CANCELLED_NONCES
from anchor.status import StatusPurpose
from tests.support.history import (
    Call,
    anchored,
    batch_revoked,
    control_accepted,
    control_offered,
    epochs_changed,
    key_added,
    key_compromised,
    key_retired,
    nonces_cancelled,
    status_changed,
    withdrawn,
)
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    CONTROLLER,
    NEWCOMER,
    OTHER,
    OTHER_KEY,
    ROOT,
    SECOND_ANCHOR_KEY,
    SECOND_ROOT,
    STAGED,
    STAGED_KEY,
    STATUS_KEY,
    STORY,
    assert_refused,
    replayed,
)

LATER: dict[str, Any] = {"at": 2000, "block": 20}
REVOKED, SUSPENDED, REINSTATED = "CredentialsRevoked", "CredentialsSuspended", "CredentialsReinstated"


def by_controller(**changes: Any) -> dict[str, Any]:
    return {"actor": CONTROLLER, **LATER, **changes}


def revoked_alone(bit: int, *, actor: bytes = STATUS_KEY, epoch: int = 0, at: int = 2000, block: int = 20) -> Call:
    return status_changed(REVOKED, 1, [100], [1 << bit], actor=actor, epoch=epoch, at=at, block=block)


NEW_ANCHOR_KEY = key_added(1, SECOND_ANCHOR_KEY, 1, **by_controller())
COMPROMISED = key_compromised(1, STATUS_KEY, 550, **by_controller())
SWITCHED = (*STAGED, COMPROMISED, epochs_changed(1, 1, 2, **by_controller()))
SKIPPED = (
    *STAGED,
    key_compromised(1, STAGED_KEY, 1000, **by_controller()),
    epochs_changed(1, 0, 2, **by_controller()),
)
ENDED = (*STORY, withdrawn(1, 2000, at=1500, block=15))
VOID = (*STORY, key_compromised(1, ANCHOR_KEY, 400, **by_controller()), NEW_ANCHOR_KEY)


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


# Keys.


def test_keys_are_cut_off() -> None:
    history = replayed(
        *STORY,
        key_retired(1, ANCHOR_KEY, **by_controller()),
        anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, **LATER),  # in the same block: good until the next second
        key_compromised(1, ANCHOR_KEY, 1500, **by_controller(block=21)),
        key_compromised(1, ANCHOR_KEY, 401, **by_controller(block=22)),
        key_added(1, SECOND_ANCHOR_KEY, 1, **by_controller(block=22, valid_from=3000)),
        key_retired(1, SECOND_ANCHOR_KEY, **by_controller(block=22)),  # before it is valid
    )
    issuer = history.issuer(1)
    assert issuer.keys[address(ANCHOR_KEY)] == Key(
        issuer_id=1,
        valid_from=200,
        valid_until=2001,
        compromised_at=401,
        scope=KeyScope.ANCHOR.value,
        status_epoch=0,
    )
    assert issuer.keys[address(ANCHOR_KEY)].cut_off == 401
    assert issuer.keys[address(SECOND_ANCHOR_KEY)].cut_off == 2001
    assert issuer.keys[address(STATUS_KEY)].cut_off is None
    assert issuer.void_batches() == (SECOND_ROOT,)


@pytest.mark.parametrize("since", [200, 2000])
def test_key_is_compromised_since_its_first_second_or_now(since: int) -> None:
    history = replayed(*STORY, key_compromised(1, ANCHOR_KEY, since, **by_controller()))
    assert history.issuer(1).keys[address(ANCHOR_KEY)].compromised_at == since
    assert history.issuer(1).void_batches() == ((ROOT,) if since == 200 else ())


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*BEGINNING, key_added(1, STAGED_KEY, 1, **by_controller(actor=OTHER))], "not the issuer's controller"),
        ([*BEGINNING, key_added(1, STAGED_KEY, 1, **by_controller(valid_from=1999))], "before it was added"),
        ([*BEGINNING, key_added(1, STAGED_KEY, 3, **by_controller())], "no scope 3"),
        ([*BEGINNING, key_added(1, STAGED_KEY, 0, **by_controller())], "no scope 0"),
        ([*BEGINNING, key_added(1, STAGED_KEY, 1, **by_controller(epoch=1))], "status epoch 1"),
        ([*BEGINNING, key_added(1, STAGED_KEY, 2, **by_controller(epoch=2))], "status epoch 2"),
        ([*SWITCHED, key_added(1, OTHER, 2, **by_controller(epoch=0))], "status epoch 0"),
        ([*SKIPPED, key_added(1, OTHER, 2, **by_controller(epoch=1))], "status epoch 1"),
        ([*STORY, key_retired(1, OTHER_KEY, **by_controller())], "no such key"),
        ([*STORY, key_retired(1, ANCHOR_KEY, **by_controller(actor=ANCHOR_KEY))], "not the issuer's controller"),
        ([*STORY, key_retired(1, ANCHOR_KEY, **by_controller(valid_until=2000))], "from the next second on"),
        ([*STORY, key_retired(1, ANCHOR_KEY, **by_controller(valid_until=2002))], "from the next second on"),
        (
            [*STORY, key_retired(1, ANCHOR_KEY, **by_controller()), key_retired(1, ANCHOR_KEY, **by_controller())],
            "has an end already, at 2001",
        ),
        ([*VOID, key_retired(1, ANCHOR_KEY, **by_controller())], "has an end already, at 400"),
        ([*STORY, key_compromised(1, OTHER_KEY, 1000, **by_controller())], "no such key"),
        ([*STORY, key_compromised(1, ANCHOR_KEY, 500, **by_controller(actor=OTHER))], "not the issuer's controller"),
        ([*STORY, key_compromised(1, ANCHOR_KEY, 199, **by_controller())], "from its first second to now"),
        ([*STORY, key_compromised(1, ANCHOR_KEY, 2001, **by_controller())], "from its first second to now"),
        ([*VOID, key_compromised(1, ANCHOR_KEY, 400, **by_controller())], "earlier cut-off already, 400"),
        (
            [
                *STORY,
                key_retired(1, ANCHOR_KEY, **by_controller()),
                key_compromised(1, ANCHOR_KEY, 2001, **by_controller(at=3000, block=21)),
            ],
            "earlier cut-off already, 2001",
        ),
    ],
)
def test_key_change_that_the_contract_would_not_allow_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


# Status epochs.


def test_bits_of_a_staged_epoch_do_not_count_yet() -> None:
    history = replayed(*STAGED)
    assert history.issuer(1).positions(StatusPurpose.REVOCATION) == replayed(*STORY).issuer(1).positions(
        StatusPurpose.REVOCATION
    )
    assert [change.epoch for change in history.changes_of(1, StatusPosition(status_list=0, index=2))] == [0, 0, 1]


def test_epoch_change_makes_the_staged_epoch_count_and_names_what_it_undoes() -> None:
    history = replayed(*SWITCHED)
    issuer = history.issuer(1)
    assert (issuer.record.status_epoch, issuer.next_status_epoch) == (1, 2)
    assert issuer.keys[address(STATUS_KEY)].compromised_at == 550
    assert issuer.positions(StatusPurpose.REVOCATION) == (StatusPosition(status_list=0, index=2),)
    assert issuer.positions(StatusPurpose.SUSPENSION) == (StatusPosition(status_list=0, index=0),)
    assert issuer.revoked_batches() == ()
    (change,) = issuer.epoch_changes
    assert change == EpochChange(
        event=change.event,
        unrevoked=(StatusPosition(status_list=0, index=0), StatusPosition(status_list=0, index=2 * 256 + 255)),
        unsuspended=(StatusPosition(status_list=0, index=2), StatusPosition(status_list=5, index=1)),
        unrevoked_batches=(hash32(ROOT),),
    )
    assert (change.event.epoch, change.event.at) == (1, 2000)


def test_staged_epoch_is_skipped_if_its_key_is_stolen() -> None:
    issuer = replayed(*SKIPPED, key_added(1, OTHER, 2, **by_controller(epoch=2))).issuer(1)
    assert (issuer.record.status_epoch, issuer.next_status_epoch) == (0, 2)
    assert issuer.positions(StatusPurpose.REVOCATION) == replayed(*STORY).issuer(1).positions(StatusPurpose.REVOCATION)
    assert issuer.revoked_batches() == (ROOT,)
    (change,) = issuer.epoch_changes
    assert (change.unrevoked, change.unsuspended, change.unrevoked_batches) == ((), (), ())


def test_batch_revoked_for_the_next_epoch_stays_revoked() -> None:
    staged = (*STAGED, batch_revoked(1, ROOT, actor=STAGED_KEY, at=1200, block=12, epoch=1, reason=2))
    before = replayed(*staged).issuer(1)
    after = replayed(*staged, *SWITCHED[-2:]).issuer(1)
    assert before.revoked_batches() == after.revoked_batches() == (ROOT,)
    assert (before.batches[hash32(ROOT)].revoked_reason, before.batches[hash32(ROOT)].revoked_epoch) == (2, 1)
    assert after.epoch_changes[0].unrevoked_batches == ()


def test_key_of_an_epoch_that_is_over_can_be_declared_compromised_without_a_change() -> None:
    again = key_compromised(1, STATUS_KEY, 540, **by_controller())
    history = replayed(*SWITCHED, again, revoked_alone(0, actor=STAGED_KEY, epoch=1))
    assert history.issuer(1).record.status_epoch == 1
    assert len(history.issuer(1).epoch_changes) == 1


def test_stolen_key_of_the_epoch_that_became_current_changes_it_again() -> None:
    history = replayed(
        *SWITCHED,
        key_compromised(1, STAGED_KEY, 1000, **by_controller()),
        epochs_changed(1, 2, 3, **by_controller()),
    )
    assert (history.issuer(1).record.status_epoch, history.issuer(1).next_status_epoch) == (2, 3)
    assert history.issuer(1).epoch_changes[1].unrevoked == (StatusPosition(status_list=0, index=2),)


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*STAGED, COMPROMISED], "no statusEpochChanged follows"),
        ([*STAGED, COMPROMISED, NEW_ANCHOR_KEY], "a statusEpochChanged should follow the keyCompromised of block 20"),
        ([*STAGED, COMPROMISED, epochs_changed(1, 1, 2, **by_controller(actor=OTHER))], "should follow"),
        ([*STAGED, COMPROMISED, epochs_changed(1, 1, 2, **by_controller(at=2001, block=21))], "should follow"),
        ([*STAGED, COMPROMISED, epochs_changed(2, 1, 2, **by_controller())], "epochs do not follow"),
        ([*STAGED, COMPROMISED, epochs_changed(1, 2, 3, **by_controller())], "epochs do not follow"),
        ([*STAGED, COMPROMISED, epochs_changed(1, 0, 2, **by_controller())], "epochs do not follow"),
        ([*STAGED, COMPROMISED, epochs_changed(1, 1, 3, **by_controller())], "epochs do not follow"),
        ([*SKIPPED[:-1], epochs_changed(1, 2, 3, **by_controller())], "epochs do not follow"),
        ([*STORY, epochs_changed(1, 1, 2, **by_controller())], "epochs do not follow"),
        ([*SWITCHED, epochs_changed(1, 1, 2, **by_controller())], "epochs do not follow"),
        (
            [
                *STORY,
                key_compromised(1, ANCHOR_KEY, 500, **by_controller()),
                epochs_changed(1, 1, 2, **by_controller()),
            ],
            "epochs do not follow",
        ),
    ],
)
def test_epoch_change_that_the_contract_would_not_make_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


# Nonces.


@pytest.mark.parametrize(
    ("actor", "nonce"),
    [(STATUS_KEY, 4), (CONTROLLER, 4), (CONTROLLER, 4 + MAX_CANCELLED_NONCES)],
)
def test_nonces_are_cancelled_by_key_or_controller(actor: bytes, nonce: int) -> None:
    # Three changes that use one each, and one revocation that may have used one.
    replayed(*STORY, nonces_cancelled(1, STATUS_KEY, nonce, **by_controller(actor=actor)))


def test_nonces_of_an_anchoring_key_are_none_until_cancelled() -> None:
    replayed(
        *STORY,
        nonces_cancelled(1, ANCHOR_KEY, 1, **by_controller()),
        nonces_cancelled(1, ANCHOR_KEY, 1 + MAX_CANCELLED_NONCES, **by_controller()),
    )


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([*STORY, nonces_cancelled(1, STATUS_KEY, 5, **by_controller(actor=OTHER))], "neither the key nor"),
        ([*STORY, nonces_cancelled(2, STATUS_KEY, 5, **by_controller(actor=STATUS_KEY))], "no such key"),
        ([*STORY, nonces_cancelled(1, STATUS_KEY, 3, **by_controller())], "cannot become 3"),
        ([*STORY, nonces_cancelled(1, STATUS_KEY, 5 + MAX_CANCELLED_NONCES, **by_controller())], "cannot become 1029"),
        ([*STORY, nonces_cancelled(1, ANCHOR_KEY, 0, **by_controller())], "cannot become 0"),
        ([*STORY, nonces_cancelled(1, ANCHOR_KEY, 1025, **by_controller())], "cannot become 1025"),
        (
            [
                *STORY,
                nonces_cancelled(1, STATUS_KEY, 9, **by_controller()),
                nonces_cancelled(1, STATUS_KEY, 9, **by_controller()),
            ],
            "cannot become 9",
        ),
        (
            # A batch may be revoked without a nonce, and with one.
            [
                *STORY,
                nonces_cancelled(1, STATUS_KEY, 9, **by_controller()),
                batch_revoked(1, ROOT, actor=STATUS_KEY, **LATER),
                nonces_cancelled(1, STATUS_KEY, 11 + MAX_CANCELLED_NONCES, **by_controller()),
            ],
            "cannot become 1035",
        ),
    ],
)
def test_cancellation_that_the_contract_would_not_allow_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


@pytest.mark.parametrize("nonce", [10, 10 + MAX_CANCELLED_NONCES])
def test_revoked_batch_may_have_used_a_nonce(nonce: int) -> None:
    replayed(
        *STORY,
        nonces_cancelled(1, STATUS_KEY, 9, **by_controller()),
        batch_revoked(1, ROOT, actor=STATUS_KEY, **LATER),
        nonces_cancelled(1, STATUS_KEY, nonce, **by_controller()),
    )


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
