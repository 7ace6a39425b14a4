from dataclasses import replace
from typing import Any

import pytest

from anchor.errors import HistoryError
from anchor.events import CredentialsReinstated, CredentialsRevoked, CredentialsSuspended
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, RoleTenure
from anchor.model import ZERO_HASH, Address, Batch, Hash32, Issuer, Key, KeyScope, StatusPosition, address, hash32
from anchor.replay import replay
from anchor.status import StatusPurpose
from tests.support.history import (
    ACCREDITOR,
    ADMIN,
    DEPLOYER,
    REGISTRY,
    Call,
    accredited,
    anchored,
    chain,
    deployed,
    key_added,
    role_changed,
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
    STATUS_KEY,
    STORY,
    assert_refused,
    replayed,
)

MADE_UP_ROLE = b"\x05" * 32


def test_story_leads_to_the_state() -> None:
    logs, proven = chain(STORY)
    history = replay(logs, REGISTRY)
    assert [event.log for event in history.events] == logs
    assert (history.registry, history.registry_head) == (REGISTRY, proven.registry_head)
    one, two = history.issuers
    assert (one.issuer_id, one.did, one.head) == (1, "did:web:one.example", proven.heads[1])
    assert one.record == Issuer(controller=address(CONTROLLER), accredited_at=100, withdrawn_at=0, status_epoch=0)
    assert (one.pending_controller, one.next_status_epoch, one.epoch_changes) == (None, 1, ())
    assert two.record.controller == OTHER
    assert list(one.keys) == [ANCHOR_KEY, STATUS_KEY]
    assert two.keys[address(OTHER_KEY)] == Key(
        issuer_id=2, valid_from=1000, valid_until=0, compromised_at=0, scope=KeyScope.ANCHOR.value, status_epoch=0
    )
    assert one.batches == {
        ROOT: Batch(key=address(ANCHOR_KEY), anchored_at=400, size=500, revoked_reason=0, revoked_epoch=0)
    }
    assert (one.void_batches(), one.revoked_batches()) == ((), ())
    assert one.positions(StatusPurpose.REVOCATION) == (
        StatusPosition(status_list=0, index=0),
        StatusPosition(status_list=0, index=2),
        StatusPosition(status_list=0, index=2 * 256 + 255),
    )
    assert one.positions(StatusPurpose.SUSPENSION) == (
        StatusPosition(status_list=0, index=2),
        StatusPosition(status_list=5, index=1),
    )
    assert [event.kind for event in two.events] == ["issuerAccredited", "keyAdded"]


def test_what_happened_to_one_credential_is_told_in_order() -> None:
    history = replayed(*STORY)

    def told(index: int, status_list: int = 0) -> list[tuple[type, int, int]]:
        changes = history.changes_of(1, StatusPosition(status_list=status_list, index=index))
        return [(type(change), change.at, change.reason) for change in changes]

    assert told(0) == [(CredentialsRevoked, 500, 1)]
    assert told(1) == [(CredentialsSuspended, 600, 2), (CredentialsReinstated, 700, 3)]
    assert told(2) == [(CredentialsRevoked, 500, 1), (CredentialsSuspended, 600, 2)]
    assert told(3) == []
    assert told(256) == []
    assert told(1, status_list=5) == [(CredentialsSuspended, 800, 7)]
    assert history.changes_of(1, StatusPosition(status_list=0, index=3)) == ()


def test_positions_are_in_order_of_list_and_index_whatever_was_changed_first() -> None:
    said: dict[str, Any] = {"actor": STATUS_KEY, "at": 900, "block": 9}
    issuer = replayed(
        *BEGINNING,
        status_changed("CredentialsRevoked", 1, [2], [1], status_list=1, **said),
        status_changed("CredentialsRevoked", 1, [5], [0b11], **said),
        status_changed("CredentialsRevoked", 1, [1], [1], **said),
    ).issuer(1)
    places = [(each.status_list, each.index) for each in issuer.positions(StatusPurpose.REVOCATION)]
    assert places == [(0, 256), (0, 1280), (0, 1281), (1, 512)]


@pytest.mark.parametrize("number", [0, 3, -1])
def test_no_such_issuer(number: int) -> None:
    with pytest.raises(HistoryError, match="no issuer"):
        replayed(*STORY).issuer(number)


def test_no_logs_are_no_history_of_anybody() -> None:
    history = replay([], REGISTRY)
    assert (history.issuers, history.tenures, history.events) == ((), (), ())


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([accredited(1, "did:x", controller=CONTROLLER, at=1, block=1)], "the actor is no accreditor"),
        (
            [*deployed(), accredited(1, "did:x", controller=CONTROLLER, actor=ADMIN, at=100, block=1)],
            "the actor is no accreditor",
        ),
        ([*deployed(), accredited(2, "did:x", controller=CONTROLLER, at=100, block=1)], "be accredited is 1"),
        ([*BEGINNING, accredited(1, "did:x", controller=CONTROLLER, at=300, block=4)], "be accredited is 3"),
        ([*deployed(), accredited(1, "web:x", controller=CONTROLLER, at=100, block=1)], "not one that the contract"),
        (
            [*deployed(), accredited(1, "did:" + "x" * 1021, controller=CONTROLLER, at=100, block=1)],
            "not one that the contract takes",
        ),
        ([*deployed(), accredited(1, "did:x", controller=bytes(20), at=100, block=1)], "controller is nobody"),
        (
            [*BEGINNING, accredited(3, "did:web:one.example", controller=OTHER, at=300, block=4)],
            "DID is another issuer's",
        ),
        (
            [
                *deployed(),
                Call(
                    event="IssuerAccredited",
                    values=(1, ROOT, "did:x", "0x" + "01" * 20, "0x" + "aa" * 20, 100),
                    block=1,
                ),
            ],
            "does not hash to its DID hash",
        ),
        ([*deployed(), anchored(1, ROOT, actor=ANCHOR_KEY, at=100, block=1)], "no such issuer"),
        ([*BEGINNING, anchored(0, ROOT, actor=ANCHOR_KEY, at=300, block=4)], "no such issuer"),
        ([*BEGINNING, anchored(3, ROOT, actor=ANCHOR_KEY, at=300, block=4)], "no such issuer"),
        ([*BEGINNING, key_added(1, OTHER_KEY, 1, actor=CONTROLLER, at=400, block=4)], "bound already"),
        ([*BEGINNING, key_added(1, STATUS_KEY, 1, actor=CONTROLLER, at=400, block=4)], "bound already"),
        ([*BEGINNING, withdrawn(1, 401, actor=ADMIN, at=400, block=4)], "the actor is no accreditor"),
        ([*BEGINNING, withdrawn(1, 401, actor=CONTROLLER, at=400, block=4)], "the actor is no accreditor"),
    ],
)
def test_event_that_the_contract_would_not_emit_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)


def test_longest_did_is_accepted() -> None:
    assert (
        len(replayed(*deployed(), accredited(1, "did:" + "x" * 1020, controller=OTHER, at=100, block=1)).issuers) == 1
    )


def test_time_does_not_run_backwards() -> None:
    assert_refused(
        [*STORY, anchored(1, b"\x08" * 32, actor=ANCHOR_KEY, at=799, block=9)], "its time 799 does not follow"
    )


def test_one_block_has_one_time() -> None:
    assert_refused(
        [*STORY, anchored(1, b"\x08" * 32, actor=ANCHOR_KEY, at=801, block=8)], "its time 801 does not follow"
    )


def test_two_blocks_may_have_one_time() -> None:
    replayed(*STORY, anchored(1, b"\x08" * 32, actor=ANCHOR_KEY, at=800, block=9))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"address": address(b"\xdd" * 20)}, "another contract"),
        ({"block_number": 1}, "comes after block 2, log 4"),
        ({"log_index": 4}, "comes after block 2, log 4"),
        ({"block_hash": ZERO_HASH}, "hash that goes with its number"),
        ({"block_number": 3}, "hash that goes with its number"),
    ],
)
def test_log_from_elsewhere_is_refused(change: dict[str, Any], why: str) -> None:
    logs, _ = chain(BEGINNING)
    logs[5] = replace(logs[5], **change)
    with pytest.raises(HistoryError, match=why):
        replay(logs[:6], REGISTRY)


def test_missing_event_is_found_at_the_next_one_of_that_issuer() -> None:
    logs, _ = chain(STORY)
    with pytest.raises(
        HistoryError,
        match=r"block 6, log 9: credentialsSuspended of issuer 1: the issuer's head .* one before it is missing",
    ):
        replay(logs[:8] + logs[9:], REGISTRY)


def test_altered_registry_head_is_found() -> None:
    logs, _ = chain(BEGINNING[:4])
    logs[3] = replace(logs[3], data=logs[3].data[:160] + bytes(32) + logs[3].data[192:])
    with pytest.raises(HistoryError, match="block 1, log 3: issuerAccredited of issuer 2: the registry-wide head"):
        replay(logs, REGISTRY)


def test_other_logs_of_the_registry_are_passed_over() -> None:
    logs, _ = chain(STORY)
    role = replace(logs[0], topics=(hash32(b"\x99" * 32),), data=b"", block_number=0, log_index=0)
    shifted = [replace(log, log_index=log.log_index + 1) for log in logs]
    assert len(replay([role, *shifted], REGISTRY).events) == len(logs)


# Roles.

GRANTED = role_changed(ACCREDITOR_ROLE, NEWCOMER, at=400, block=4)
TAKEN = role_changed(ADMIN_ROLE, ADMIN, granted=False, actor=NEWCOMER, at=400, block=4)
HANDED_OVER = role_changed(ADMIN_ROLE, NEWCOMER, actor=NEWCOMER, at=400, block=4)
RENOUNCED = role_changed(ADMIN_ROLE, ADMIN, granted=False, actor=ADMIN, at=400, block=4)
AGAIN = role_changed(ADMIN_ROLE, ADMIN, actor=ADMIN, at=400, block=4)


def test_who_had_which_role_is_told() -> None:
    history = replayed(
        *deployed(at=50),
        role_changed(ACCREDITOR_ROLE, NEWCOMER, at=100, block=2),
        accredited(1, "did:web:one.example", controller=CONTROLLER, actor=NEWCOMER, at=200, block=3),
        role_changed(ACCREDITOR_ROLE, ACCREDITOR, granted=False, at=300, block=4),
        role_changed(ACCREDITOR_ROLE, ACCREDITOR, at=400, block=5),
        role_changed(ACCREDITOR_ROLE, NEWCOMER, granted=False, actor=NEWCOMER, at=500, block=6),
    )

    def tenure(role: bytes, account: bytes, since: int, until: int | None) -> RoleTenure:
        return RoleTenure(role=hash32(role), account=address(account), since=since, until=until)

    assert history.tenures == (
        tenure(ADMIN_ROLE, ADMIN, 50, None),
        tenure(ACCREDITOR_ROLE, ACCREDITOR, 50, 300),
        tenure(ACCREDITOR_ROLE, NEWCOMER, 100, 500),
        tenure(ACCREDITOR_ROLE, ACCREDITOR, 400, None),
    )
    assert history.members(ACCREDITOR_ROLE) == (ACCREDITOR,)
    assert history.members(ADMIN_ROLE) == (ADMIN,)
    assert history.members(Hash32(MADE_UP_ROLE)) == ()


@pytest.mark.parametrize(
    ("calls", "admins"),
    [
        ([TAKEN, HANDED_OVER], [NEWCOMER]),
        ([RENOUNCED], []),
        ([RENOUNCED, AGAIN], [ADMIN]),  # accepted from himself
        ([RENOUNCED, role_changed(ACCREDITOR_ROLE, ACCREDITOR, granted=False, actor=ACCREDITOR, at=400, block=4)], []),
    ],
    ids=["handed over", "renounced", "taken from himself", "renounced, and another role too"],
)
def test_admin_role_changes_hands(calls: list[Call], admins: list[Address]) -> None:
    assert list(replayed(*BEGINNING, *calls).members(ADMIN_ROLE)) == admins


@pytest.mark.parametrize(
    "calls",
    [
        [role_changed(MADE_UP_ROLE, bytes(20), at=400, block=4)],
        [TAKEN, HANDED_OVER, role_changed(MADE_UP_ROLE, OTHER, actor=NEWCOMER, at=400, block=4)],
        [TAKEN, HANDED_OVER, role_changed(ADMIN_ROLE, NEWCOMER, granted=False, actor=OTHER, at=500, block=5),
         role_changed(ADMIN_ROLE, OTHER, actor=OTHER, at=500, block=5)],
    ],
)  # fmt: skip
def test_role_change_that_the_contract_could_emit_is_taken(calls: list[Call]) -> None:
    replayed(*BEGINNING, *calls)


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([GRANTED, GRANTED], "nothing changes"),
        ([role_changed(ACCREDITOR_ROLE, NEWCOMER, granted=False, at=400, block=4)], "nothing changes"),
        ([role_changed(ACCREDITOR_ROLE, NEWCOMER, actor=ACCREDITOR, at=400, block=4)], "may not do that"),
        ([role_changed(ACCREDITOR_ROLE, NEWCOMER, actor=NEWCOMER, at=400, block=4)], "may not do that"),
        ([role_changed(ACCREDITOR_ROLE, ACCREDITOR, granted=False, actor=OTHER, at=400, block=4)], "may not do that"),
        ([role_changed(ACCREDITOR_ROLE, NEWCOMER, actor=DEPLOYER, at=400, block=4)], "may not do that"),
        ([RENOUNCED, GRANTED], "may not do that"),
        ([TAKEN, HANDED_OVER, GRANTED], "may not do that"),
        ([role_changed(ADMIN_ROLE, NEWCOMER, at=400, block=4)], "may not do that"),
        ([role_changed(ADMIN_ROLE, NEWCOMER, actor=NEWCOMER, at=400, block=4)], "may not do that"),
        ([RENOUNCED, HANDED_OVER], "may not do that"),
        (
            [role_changed(ACCREDITOR_ROLE, ACCREDITOR, granted=False, actor=ACCREDITOR, at=400, block=4),
             role_changed(ADMIN_ROLE, ACCREDITOR, actor=ACCREDITOR, at=400, block=4)],
            "may not do that",
        ),
        ([RENOUNCED, role_changed(ADMIN_ROLE, NEWCOMER, at=400, block=4)], "may not do that"),
        ([RENOUNCED, role_changed(ADMIN_ROLE, ADMIN, actor=ADMIN, at=401, block=5)], "may not do that"),
        (
            [RENOUNCED, anchored(1, ROOT, actor=ANCHOR_KEY, at=400, block=4), AGAIN],
            "may not do that",
        ),
        (
            [role_changed(ACCREDITOR_ROLE, ACCREDITOR, granted=False, actor=ACCREDITOR, at=400, block=4), RENOUNCED,
             role_changed(ACCREDITOR_ROLE, ACCREDITOR, actor=ACCREDITOR, at=400, block=4)],
            "may not do that",
        ),
        ([TAKEN, GRANTED], "a roleChanged should follow the roleChanged of block 4, log 7"),
        ([TAKEN, role_changed(ADMIN_ROLE, NEWCOMER, actor=NEWCOMER, at=401, block=5)], "should follow"),
        ([TAKEN, anchored(1, ROOT, actor=NEWCOMER, at=400, block=4)], "should follow"),
        ([TAKEN, role_changed(ADMIN_ROLE, OTHER, actor=NEWCOMER, at=400, block=4)], "may not do that"),
        ([TAKEN, role_changed(ACCREDITOR_ROLE, OTHER, actor=NEWCOMER, at=400, block=4)], "may not do that"),
        ([TAKEN], "no roleChanged follows"),
    ],
)  # fmt: skip
def test_role_change_that_the_contract_would_not_emit_is_refused(calls: list[Call], why: str) -> None:
    assert_refused([*BEGINNING, *calls], why)


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ([deployed()[0]], "no roleChanged follows"),
        ([deployed()[1]], "may not do that"),
        ([role_changed(ADMIN_ROLE, bytes(20), at=1, block=1)], "may not do that"),
        ([role_changed(ADMIN_ROLE, ADMIN, granted=False, at=1, block=1)], "nothing changes"),
        ([deployed()[0], role_changed(MADE_UP_ROLE, ADMIN, actor=DEPLOYER, at=100, block=1)], "may not do that"),
        ([deployed()[0], role_changed(ADMIN_ROLE, OTHER, actor=DEPLOYER, at=100, block=1)], "may not do that"),
        ([deployed()[0], role_changed(ACCREDITOR_ROLE, bytes(20), actor=DEPLOYER, at=100, block=1)], "may not do that"),
        ([deployed()[0], role_changed(ACCREDITOR_ROLE, OTHER, actor=ADMIN, at=100, block=1)], "should follow"),
        (
            [deployed()[0], role_changed(ADMIN_ROLE, ADMIN, granted=False, actor=DEPLOYER, at=100, block=1)],
            "may not do that",
        ),
        ([*deployed(), role_changed(ACCREDITOR_ROLE, OTHER, actor=DEPLOYER, at=100, block=1)], "may not do that"),
    ],
)
def test_deployment_that_the_constructor_would_not_emit_is_refused(calls: list[Call], why: str) -> None:
    assert_refused(calls, why)
