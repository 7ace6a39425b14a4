"""What an issuer's events may say of its keys, of the status epochs and nonces that hang on them."""

from typing import Any

import pytest

from anchor.history import EpochChange
from anchor.model import Key, KeyScope, StatusPosition, address, hash32
from anchor.replay_issuer import MAX_CANCELLED_NONCES
from anchor.status import StatusPurpose
from tests.support.history import (
    Call,
    anchored,
    batch_revoked,
    epochs_changed,
    key_added,
    key_compromised,
    key_retired,
    nonces_cancelled,
    status_changed,
)
from tests.support.stories import (
    ANCHOR_KEY,
    BEGINNING,
    COMPROMISED,
    CONTROLLER,
    LATER,
    NEW_ANCHOR_KEY,
    OTHER,
    OTHER_KEY,
    REVOKED,
    ROOT,
    SECOND_ANCHOR_KEY,
    SECOND_ROOT,
    SKIPPED,
    STAGED,
    STAGED_KEY,
    STATUS_KEY,
    STORY,
    SWITCHED,
    VOID,
    assert_refused,
    by_controller,
    replayed,
    revoked_alone,
)

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


def test_epoch_change_undoes_what_was_revoked_and_is_not_any_more() -> None:
    said: dict[str, Any] = {"actor": STATUS_KEY, "at": 1100, "block": 11}
    history = replayed(
        *STAGED,
        anchored(1, SECOND_ROOT, actor=ANCHOR_KEY, at=1100, block=11),
        status_changed(REVOKED, 1, [3], [0b11], **said),
        *SWITCHED[-2:],
    )
    (change,) = history.issuer(1).epoch_changes
    # The first bit of a word of which the new epoch knows nothing; but not a batch that nobody had revoked.
    assert [each.index for each in change.unrevoked] == [0, 2 * 256 + 255, 3 * 256, 3 * 256 + 1]
    assert change.unrevoked_batches == (ROOT,)


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
