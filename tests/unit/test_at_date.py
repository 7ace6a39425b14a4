from dataclasses import replace

import pytest

from anchor.at_date import CredentialAt, credential_at, state_at
from anchor.canonical import leaf_hash
from anchor.credential import Credential
from anchor.errors import InclusionError, NotAnchoredError, UntrustedRegistryError
from anchor.evidence import EvidenceRequest
from anchor.history import History
from anchor.model import AnchorProof, InclusionProof, RegistryId, StatusPosition, hash32
from tests.support.history import (
    REGISTRY,
    Call,
    anchored,
    batch_revoked,
    epochs_changed,
    key_added,
    key_compromised,
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
    REINSTATED,
    REVOKED,
    STAGED_KEY,
    STATUS_KEY,
    SUSPENDED,
    replayed,
)

SALT, CONTENT = hash32(b"\x01" * 32), hash32(b"\x02" * 32)
POSITION = StatusPosition(status_list=0, index=3)
LEAF = leaf_hash(CONTENT, SALT, POSITION)
"""A batch of one: the leaf is the root."""
OTHER_REGISTRY = RegistryId(chain_id=1, address=REGISTRY.address)

HISTORY = (
    *BEGINNING,
    anchored(1, LEAF, size=1, actor=ANCHOR_KEY, at=400, block=4),
    status_changed(SUSPENDED, 1, [0], [0b1000], actor=STATUS_KEY, at=500, block=5),
    status_changed(REINSTATED, 1, [0], [0b1000], actor=STATUS_KEY, at=600, block=6),
    status_changed(REVOKED, 1, [0], [0b1001], actor=STATUS_KEY, at=700, block=7),
)


def credential(
    *, did: str = "did:web:one.example", valid_from: int | None = None, valid_until: int | None = None, issuer: int = 1
) -> Credential:
    proof = AnchorProof(
        registry=REGISTRY,
        issuer_id=issuer,
        root=LEAF,
        salt=SALT,
        inclusion=InclusionProof(leaf_index=0, size=1, siblings=()),
    )
    return Credential(
        content_hash=CONTENT,
        id="",
        name="",
        holder="",
        contact="",
        issuer_did=did,
        valid_from=valid_from,
        valid_until=valid_until,
        other_proofs=(),
        requests=(EvidenceRequest(proof=proof, position=POSITION),),
    )


def told(*calls: Call) -> History:
    """Replay calls, each second with a block of its own."""
    return replayed(*(replace(call, block=int(str(call.values[-1]))) for call in calls))


def reasons(history: History, at: int, asked: Credential | None = None) -> tuple[str, str]:
    judged = credential_at(state_at(history, at), history, asked or credential())
    return judged.reason, judged.reason_in_hindsight


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (40, "notAnchored"),
        (399, "notAnchored"),
        (400, ""),
        (499, ""),
        (500, "suspended"),
        (600, ""),
        (700, "revoked"),
        (9000, "revoked"),
    ],
)
def test_credential_was_what_the_events_up_to_then_made_it(at: int, reason: str) -> None:
    assert reasons(replayed(*HISTORY), at) == (reason, reason)


def test_events_that_decide_it_are_named() -> None:
    history = replayed(*HISTORY)
    judged = credential_at(state_at(history, 650), history, credential())
    assert [(event.kind, event.at) for event in judged.events] == [
        ("keyAdded", 200),
        ("batchAnchored", 400),
        ("credentialsSuspended", 500),
        ("credentialsReinstated", 600),
    ]


def test_compromise_declared_later_is_told_apart() -> None:
    history = replayed(*HISTORY, key_compromised(1, ANCHOR_KEY, 400, actor=CONTROLLER, at=800, block=8))
    assert reasons(history, 450) == ("", "keyCompromised")
    assert reasons(history, 800) == ("keyCompromised", "keyCompromised")
    (later,) = state_at(history, 450).later
    assert (later.issuer_id, later.key, later.since, later.void_batches) == (1, ANCHOR_KEY, 400, (LEAF,))
    assert len(state_at(history, 400).later) == 1
    # Of a time before it was stolen nothing is declared; and once declared it is not declared later.
    assert state_at(history, 399).later == state_at(history, 800).later == ()


def test_each_key_that_was_stolen_has_its_own_batches() -> None:
    other = hash32(b"\x05" * 32)
    history = told(
        *HISTORY,
        key_added(1, STAGED_KEY, 1, actor=CONTROLLER, at=710, block=8),
        anchored(1, other, actor=STAGED_KEY, at=720, block=8),
        key_compromised(1, ANCHOR_KEY, 300, actor=CONTROLLER, at=800, block=9),
        key_compromised(1, STAGED_KEY, 715, actor=CONTROLLER, at=800, block=9),
    )
    assert {each.key: (each.since, each.void_batches) for each in state_at(history, 750).later} == {
        ANCHOR_KEY: (300, (LEAF,)),
        STAGED_KEY: (715, (other,)),
    }


def test_a_compromise_of_one_key_is_told_wherever_it_stands() -> None:
    history = told(
        *HISTORY,
        key_added(1, STAGED_KEY, 1, actor=CONTROLLER, at=710, block=8),
        key_compromised(1, STAGED_KEY, 720, actor=CONTROLLER, at=800, block=8),
    )
    assert [each.key for each in state_at(history, 750).later] == [STAGED_KEY]


def test_an_earlier_time_that_is_declared_later_makes_void_what_was_good_alone() -> None:
    other = hash32(b"\x05" * 32)
    history = told(
        *HISTORY,
        anchored(1, other, actor=ANCHOR_KEY, at=720, block=8),
        key_compromised(1, ANCHOR_KEY, 715, actor=CONTROLLER, at=800, block=9),
        key_compromised(1, ANCHOR_KEY, 300, actor=CONTROLLER, at=900, block=9),
    )
    assert [(each.since, each.void_batches) for each in state_at(history, 850).later] == [(300, (LEAF,))]


def test_events_are_gone_through_and_not_held() -> None:
    state = state_at(told(*HISTORY), 650)
    assert (state.then.events, state.count) == ((), len(HISTORY) - 1)
    assert [issuer.events for issuer in state.then.issuers] == [(), ()]


def test_an_issuer_that_was_not_there_yet_decided_nothing() -> None:
    history = told(*HISTORY)
    assert credential_at(state_at(history, 40), history, credential()) == CredentialAt(
        reason="notAnchored", reason_in_hindsight="notAnchored", is_undone_later=False, events=()
    )


@pytest.mark.parametrize("word", [0, 1])
def test_only_its_own_events_decide_a_credential(word: int) -> None:
    place, other = StatusPosition(status_list=0, index=256 * word), 1 - word
    root = leaf_hash(CONTENT, SALT, place)
    request = credential().requests[0]
    asked = replace(credential(), requests=(EvidenceRequest(proof=replace(request.proof, root=root), position=place),))
    history = told(
        *BEGINNING,
        anchored(1, root, actor=ANCHOR_KEY, at=400, block=4),
        anchored(1, LEAF, actor=ANCHOR_KEY, at=400, block=4),
        status_changed(REVOKED, 1, [other], [1], actor=STATUS_KEY, at=500, block=5),
        status_changed(REVOKED, 1, [word], [1], actor=STATUS_KEY, at=500, block=5, status_list=5),
        withdrawn(2, 600, at=550, block=5),
    )
    judged = credential_at(state_at(history, 700), history, asked)
    assert judged.reason == ""
    assert [(event.kind, getattr(event, "key", None), getattr(event, "root", None)) for event in judged.events] == [
        ("keyAdded", ANCHOR_KEY, None),
        ("batchAnchored", None, root),
    ]
    history = told(
        *BEGINNING,
        anchored(1, root, actor=ANCHOR_KEY, at=400, block=4),
        status_changed(
            REVOKED, 1, sorted([word, other]), [2, 1] if word == 0 else [1, 2], actor=STATUS_KEY, at=500, block=5
        ),
        status_changed(REVOKED, 1, [word, 2], [1, 1], actor=STATUS_KEY, at=600, block=6),
    )
    assert [event.at for event in credential_at(state_at(history, 700), history, asked).events] == [200, 400, 600]


def test_compromise_since_after_the_batch_leaves_it_good() -> None:
    history = replayed(*HISTORY, key_compromised(1, ANCHOR_KEY, 401, actor=CONTROLLER, at=800, block=8))
    assert reasons(history, 450) == ("", "")
    assert [each.void_batches for each in state_at(history, 450).later] == [()]


UNDONE = (
    key_added(1, STAGED_KEY, 2, actor=CONTROLLER, at=800, block=8, epoch=1),
    key_compromised(1, STATUS_KEY, 450, actor=CONTROLLER, at=900, block=9),
    epochs_changed(1, 1, 2, actor=CONTROLLER, at=900, block=9),
)


@pytest.mark.parametrize(
    ("more", "at", "reason", "undone"),
    [
        ((), 750, "revoked", True),
        ((), 450, "", False),
        ((), 900, "", False),
        ((batch_revoked(1, LEAF, actor=STATUS_KEY, at=750, block=7),), 760, "batchRevoked", True),
        ((status_changed(SUSPENDED, 1, [0], [0b1000], actor=STATUS_KEY, at=700, block=7),), 760, "revoked", True),
    ],
)
def test_revocation_that_ended_with_its_epoch_is_told(
    more: tuple[Call, ...], at: int, reason: str, undone: bool
) -> None:
    at_700 = tuple(replace(call, block=7) if call.block == 7 else call for call in more)
    calls = [*HISTORY, *(replace(call, block=8) if call.values[-1] == 750 else call for call in at_700)]
    history = replayed(*calls, *(replace(call, block=call.block + 1) for call in UNDONE))
    judged = credential_at(state_at(history, at), history, credential())
    assert (judged.reason, judged.is_undone_later) == (reason, undone)


STAGED = (
    *HISTORY,
    status_changed(SUSPENDED, 1, [0], [0b1000], actor=STATUS_KEY, at=710, block=7),
    key_added(1, STAGED_KEY, 2, actor=CONTROLLER, at=800, block=8, epoch=1),
)
"""Revoked and suspended, and a next epoch that has nothing yet."""
AGAIN = status_changed(REVOKED, 1, [0], [0b1000], actor=STAGED_KEY, at=850, block=8, epoch=1)
SWITCH = UNDONE[1:]


def undone(history: History, at: int, asked: Credential | None = None) -> tuple[str, bool]:
    judged = credential_at(state_at(history, at), history, asked or credential())
    return judged.reason, judged.is_undone_later


def test_what_the_next_epoch_repeats_does_not_end() -> None:
    # Its suspension ends; it was revoked, and is.
    assert undone(told(*STAGED, AGAIN, *SWITCH), 760) == ("revoked", False)
    suspended = replace(AGAIN, event=SUSPENDED)
    assert undone(told(*HISTORY[:-2], STAGED[-1], suspended, *SWITCH), 760) == ("suspended", False)
    batch = batch_revoked(1, LEAF, actor=STAGED_KEY, at=860, block=8, epoch=1)
    revoked = batch_revoked(1, LEAF, actor=STATUS_KEY, at=750, block=7)
    assert undone(told(*STAGED[:-1], revoked, STAGED[-1], batch, *SWITCH), 760) == ("batchRevoked", False)


def test_what_ends_later_is_told_of_the_reason_alone() -> None:
    revoked = batch_revoked(1, LEAF, actor=STATUS_KEY, at=750, block=7)
    history = told(*STAGED[:-1], revoked, STAGED[-1], *SWITCH)
    assert undone(history, 760) == ("batchRevoked", True)
    assert undone(history, 760, credential(did="did:web:two.example")) == ("untrustedIssuer", False)


@pytest.mark.parametrize("at", [900, 950])
def test_an_epoch_that_ended_before_undoes_nothing_later(at: int) -> None:
    again = replace(AGAIN, values=(*AGAIN.values[:-1], at))
    history = told(*STAGED, *SWITCH, again)
    assert undone(history, at) == undone(history, 1000) == ("revoked", False)


def test_suspension_that_ended_with_its_epoch_is_told() -> None:
    history = replayed(*HISTORY[:-2], *UNDONE)
    judged = credential_at(state_at(history, 850), history, credential())
    assert (judged.reason, judged.is_undone_later) == ("suspended", True)
    assert "statusEpochChanged" in [
        event.kind for event in credential_at(state_at(history, 900), history, credential()).events
    ]


def test_accreditation_that_ended_is_among_the_events_and_ends_nothing() -> None:
    history = replayed(*HISTORY[:-3], withdrawn(1, 501, at=500, block=5))
    judged = credential_at(state_at(history, 600), history, credential())
    assert (judged.reason, judged.events[-1].kind) == ("", "accreditationWithdrawn")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (credential(did="did:web:two.example"), "untrustedIssuer"),
        (credential(valid_from=451), "notYetValid"),
        (credential(valid_from=450, valid_until=451), ""),
        (credential(valid_until=450), "expired"),
        (credential(issuer=2), "notAnchored"),
        (credential(issuer=9), "notAnchored"),
    ],
)
def test_what_the_credential_says_counts(asked: Credential, reason: str) -> None:
    assert reasons(replayed(*HISTORY), 450, asked) == (reason, reason)


def test_batch_of_another_size_is_not_its_own() -> None:
    history = replayed(*BEGINNING, anchored(1, LEAF, size=2, actor=ANCHOR_KEY, at=400, block=4))
    assert reasons(history, 450) == ("notAnchored", "notAnchored")


def test_changed_credential_has_no_state() -> None:
    history = replayed(*HISTORY)
    with pytest.raises(InclusionError):
        reasons(history, 450, replace(credential(), content_hash=SALT))


def test_credential_of_another_registry_is_not_judged() -> None:
    history = replayed(*HISTORY)
    request = credential().requests[0]
    other = replace(request, proof=replace(request.proof, registry=OTHER_REGISTRY))
    with pytest.raises(UntrustedRegistryError, match=f"no anchor proof from {REGISTRY.to_text()}"):
        reasons(history, 450, replace(credential(), requests=(other,)))
    assert reasons(history, 450, replace(credential(), requests=(other, request))) == ("", "")


def test_credential_without_anchor_proof_has_no_state() -> None:
    with pytest.raises(NotAnchoredError, match="no anchor proof"):
        reasons(replayed(*HISTORY), 450, replace(credential(), requests=()))


SECOND = StatusPosition(status_list=0, index=200)
SECOND_LEAF = leaf_hash(CONTENT, SALT, SECOND)


def with_two_proofs(*, is_second_first: bool = False) -> Credential:
    """A credential that was anchored again, in a batch and a status position of its own."""
    first = credential().requests[0]
    second = EvidenceRequest(proof=replace(first.proof, root=SECOND_LEAF), position=SECOND)
    return replace(credential(), requests=(second, first) if is_second_first else (first, second))


@pytest.mark.parametrize("is_second_first", [False, True])
def test_of_several_anchor_proofs_one_that_passes_suffices(is_second_first: bool) -> None:
    asked = with_two_proofs(is_second_first=is_second_first)
    again = anchored(1, SECOND_LEAF, size=1, actor=STAGED_KEY, at=750, block=8)
    stolen = key_compromised(1, ANCHOR_KEY, 300, actor=CONTROLLER, at=800, block=9)
    key = key_added(1, STAGED_KEY, 1, actor=CONTROLLER, at=710, block=8)
    history = told(*HISTORY, key, again, stolen)
    assert reasons(history, 450, asked) == ("", "keyCompromised")
    assert reasons(history, 500, asked)[0] != ""
    # Since it was anchored again, and by a key that is good, neither its revocation nor the theft counts.
    assert reasons(history, 760, asked) == ("", "")
    judged = credential_at(state_at(history, 760), history, asked)
    assert [event.kind for event in judged.events] == ["keyAdded", "batchAnchored"]


def test_of_two_proofs_that_passed_the_one_that_still_does_counts() -> None:
    key = key_added(1, STAGED_KEY, 1, actor=CONTROLLER, at=300, block=3)
    again = anchored(1, SECOND_LEAF, size=1, actor=STAGED_KEY, at=420, block=4)
    stolen = key_compromised(1, ANCHOR_KEY, 300, actor=CONTROLLER, at=800, block=9)
    history = told(*BEGINNING, key, HISTORY[len(BEGINNING)], again, stolen)
    assert reasons(history, 450) == ("", "keyCompromised")
    assert reasons(history, 450, with_two_proofs()) == ("", "")


def test_a_proof_that_is_not_the_credentials_own_spoils_no_other() -> None:
    asked, history = with_two_proofs(), replayed(*HISTORY)
    spoilt = replace(asked.requests[0], position=SECOND)
    assert reasons(history, 450, replace(asked, requests=(spoilt, asked.requests[0]))) == ("", "")
    assert reasons(history, 450, replace(asked, requests=(asked.requests[0], spoilt))) == ("", "")
    with pytest.raises(InclusionError):
        reasons(history, 450, replace(asked, requests=(spoilt, spoilt)))


def test_issuer_that_the_verifier_denies_is_not_trusted() -> None:
    history = replayed(*HISTORY)
    state = state_at(history, 450)
    judged = credential_at(state, history, credential(), denied={"did:web:one.example"})
    assert (judged.reason, judged.reason_in_hindsight) == ("untrustedIssuer", "untrustedIssuer")
    assert credential_at(state, history, credential(), denied={"did:web:two.example"}).reason == ""


ENDED = status_changed(REINSTATED, 1, [0], [0b1000], actor=STATUS_KEY, at=820, block=8)


def test_suspension_that_was_lifted_did_not_end_with_its_epoch() -> None:
    suspended = HISTORY[:-2]
    again = status_changed(SUSPENDED, 1, [0], [0b1000], actor=STATUS_KEY, at=830, block=8)
    other = replace(ENDED, values=(*ENDED.values[:4], [0b1], *ENDED.values[5:]))
    first = status_changed(SUSPENDED, 1, [0], [0b1], actor=STATUS_KEY, at=510, block=5)
    assert undone(told(*suspended, STAGED[-1], ENDED, again, *SWITCH), 600) == ("suspended", False)
    # It is that credential's that counts, before the change, and in the epoch that counts.
    assert undone(told(*suspended, first, STAGED[-1], other, *SWITCH), 600) == ("suspended", True)
    staged = replace(AGAIN, event=SUSPENDED), replace(AGAIN, event=REINSTATED)
    assert undone(told(*suspended, STAGED[-1], *staged, *SWITCH), 600) == ("suspended", True)
    later = (
        replace(AGAIN, event=SUSPENDED),
        status_changed(REINSTATED, 1, [0], [0b1000], actor=STAGED_KEY, at=950, block=9, epoch=1),
    )
    assert undone(told(*suspended, STAGED[-1], later[0], *SWITCH, later[1]), 600) == ("suspended", False)


def test_a_suspension_is_lifted_by_its_own_issuer_and_in_the_epoch_that_counts() -> None:
    again = replace(AGAIN, event=SUSPENDED)
    third = b"\x77" * 20
    key = key_added(1, third, 2, actor=CONTROLLER, at=910, block=9, epoch=2)
    lifted = status_changed(REINSTATED, 1, [0], [0b1000], actor=STAGED_KEY, at=920, block=9, epoch=1)
    suspended = replace(lifted, event=SUSPENDED, values=(*lifted.values[:-1], 930))
    switch = (
        key_compromised(1, STAGED_KEY, 905, actor=CONTROLLER, at=940, block=9),
        epochs_changed(1, 2, 3, actor=CONTROLLER, at=940, block=9),
    )
    of_another = withdrawn(2, 700, at=650, block=6)
    calls = (*HISTORY[:-2], of_another, STAGED[-1], again, *SWITCH, key)
    # It lasted until the second change of epochs; or it was lifted between the two, in the epoch that counted then.
    assert undone(told(*calls, *switch), 600) == ("suspended", True)
    assert undone(told(*calls, lifted, suspended, *switch), 600) == ("suspended", False)


def test_what_happens_to_others_lifts_no_suspension() -> None:
    key = key_added(2, b"\x78" * 20, 2, actor=OTHER, at=510, block=5)
    mine = status_changed(SUSPENDED, 2, [0], [0b1000], actor=b"\x78" * 20, at=520, block=5)
    lifted = replace(mine, event=REINSTATED, values=(*mine.values[:-1], 700))
    role = role_changed(b"\x09" * 32, NEWCOMER, at=710, block=7)
    history = told(*HISTORY[:-2], key, mine, lifted, role, STAGED[-1], *SWITCH)
    assert undone(history, 600) == ("suspended", True)


def test_what_happened_up_to_the_date_lifted_nothing_later() -> None:
    again = status_changed(SUSPENDED, 1, [0], [0b1000], actor=STATUS_KEY, at=600, block=6)
    history = replayed(*HISTORY[:-1], again, *UNDONE)
    assert undone(history, 600) == ("suspended", True)
