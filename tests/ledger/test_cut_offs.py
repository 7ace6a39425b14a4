"""What withdrawals, cut-offs, re-anchorings and status epochs do to credentials: a verifier's verdict, end to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anchor.errors import RevertedError
from anchor.model import Outcome, Verdict
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, FAR, REASON, STATUS_KEY, STRANGER, Chain, root_of
from tests.ledger.whole_contract import ANCHOR, SECOND_ANCHOR_KEY, STAGED_KEY, STATUS, WholeContract, account_of
from tests.support.issuing import make_batch


class School:
    """An issuer with one anchored batch of three credentials."""

    def __init__(self, chain: Chain) -> None:
        self.contract = WholeContract(chain)
        self.issuer = chain.issuer_id
        self.root, self.documents = make_batch(chain.registry, self.issuer, DID, ["Ada", "Bob", "Cy"])

    def anchor(self, account: int = ANCHOR_KEY) -> int:
        """Anchor the batch; give the time."""
        self.contract.send(account, "anchor", self.issuer, self.root, len(self.documents))
        return self.anchored_at

    @property
    def anchored_at(self) -> int:
        return int(self.contract.view("batchOf", self.issuer, self.root)[1])

    def verdicts(self) -> list[str]:
        """The outcome or the reason, for each credential."""
        return [told(self.contract.verdict(document)) for document in self.documents]


def told(verdict: Verdict) -> str:
    return verdict.reason or verdict.outcome.value


@pytest.fixture
def school(chain: Chain) -> School:
    school = School(chain)
    school.anchor()
    return school


def refused(error: str, send: Any, *values: Any) -> None:
    with pytest.raises(RevertedError) as caught:
        send(*values)
    assert caught.value.name == error
    assert caught.value.advice


def test_what_was_anchored_before_a_withdrawal_stays_good(school: School) -> None:
    send, issuer = school.contract.send, school.issuer
    send(ADMIN, "withdraw", issuer, 0, REASON)
    school.contract.pass_time(1)
    assert school.verdicts() == ["valid"] * 3
    refused("IssuerWithdrawn", send, ANCHOR_KEY, "anchor", issuer, root_of(1), 1)
    refused("IssuerWithdrawn", send, ADMIN, "withdraw", issuer, FAR, REASON)
    school.contract.revoke(STATUS_KEY, 1)
    assert school.verdicts() == ["valid", "revoked", "valid"]
    assert school.contract.audit().issuer(issuer).record.withdrawn_at > school.anchored_at


def test_what_a_key_anchored_before_it_retired_stays_good(school: School) -> None:
    send = school.contract.send
    send(CONTROLLER, "retireKey", account_of(ANCHOR_KEY))
    school.contract.pass_time(1)
    assert school.verdicts() == ["valid"] * 3
    refused("KeyCutOff", send, ANCHOR_KEY, "anchor", school.issuer, root_of(1), 1)
    refused("KeyCutOff", send, CONTROLLER, "retireKey", account_of(ANCHOR_KEY))
    assert school.contract.audit().issuer(school.issuer).void_batches() == ()


def test_compromise_after_the_anchoring_leaves_it_good_and_is_shown(school: School) -> None:
    school.contract.pass_time(1)
    since = school.anchored_at + 1
    school.contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    verdict = school.contract.verdict(school.documents[0])
    assert (verdict.outcome, verdict.compromised_at) == (Outcome.VALID, since)
    assert school.contract.audit().issuer(school.issuer).void_batches() == ()


@pytest.mark.parametrize("earlier", [0, 1])
def test_compromise_at_or_before_the_anchoring_makes_it_void(school: School, earlier: int) -> None:
    valid_from = school.contract.view("keyOf", account_of(ANCHOR_KEY))[1]
    since = max(school.anchored_at - earlier, valid_from)
    school.contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    assert school.verdicts() == ["keyCompromised"] * 3
    refused("CutOffNotEarlier", school.contract.send, CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    assert school.contract.audit().issuer(school.issuer).void_batches() == (school.root,)


def test_holders_copy_is_good_again_after_the_batch_is_anchored_again(school: School) -> None:
    contract = school.contract
    first = school.anchored_at
    contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), first)
    contract.add_key(CONTROLLER, SECOND_ANCHOR_KEY, ANCHOR)
    contract.revoke(STATUS_KEY, 2)
    assert school.verdicts() == ["keyCompromised"] * 3
    contract.pass_time(1)
    assert school.anchor(SECOND_ANCHOR_KEY) > first
    assert school.verdicts() == ["valid", "valid", "revoked"]
    refused("AlreadyAnchored", school.anchor, SECOND_ANCHOR_KEY)
    assert contract.audit().issuer(school.issuer).void_batches() == ()


def test_revoked_batch_is_revoked_for_all_and_cannot_be_anchored_again(school: School) -> None:
    contract = school.contract
    contract.send(STATUS_KEY, "revokeBatch", school.issuer, school.root, REASON)
    assert school.verdicts() == ["batchRevoked"] * 3
    refused("BatchAlreadyRevoked", contract.send, STATUS_KEY, "revokeBatch", school.issuer, school.root, REASON)
    contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), school.anchored_at)
    contract.add_key(CONTROLLER, SECOND_ANCHOR_KEY, ANCHOR)
    refused("AlreadyAnchored", school.anchor, SECOND_ANCHOR_KEY)
    assert contract.audit().issuer(school.issuer).revoked_batches() == (school.root,)


def test_epoch_change_undoes_the_thiefs_revocations_and_never_the_honest_ones(school: School) -> None:
    contract, issuer = school.contract, school.issuer
    contract.revoke(STATUS_KEY, 0)
    assert school.verdicts() == ["revoked", "valid", "valid"]
    # The thief has STATUS_KEY from here on.
    contract.revoke(STATUS_KEY, 1)
    contract.send(STATUS_KEY, "suspend", issuer, 0, [0], [0b100], REASON)
    steps: list[Callable[[], object]] = [
        lambda: contract.add_key(CONTROLLER, STAGED_KEY, STATUS, epoch=1),
        lambda: contract.send(STATUS_KEY, "revokeBatch", issuer, school.root, REASON),
        lambda: contract.revoke(STAGED_KEY, 0),
        lambda: contract.revoke(STATUS_KEY, 3),
    ]
    for step in steps:
        step()
        assert school.verdicts()[0] in {"revoked", "batchRevoked"}
    assert school.verdicts() == ["batchRevoked"] * 3
    contract.send(CONTROLLER, "compromiseKey", account_of(STATUS_KEY), contract.now)
    assert school.verdicts() == ["revoked", "valid", "valid"]
    refused("KeyCutOff", contract.revoke, STATUS_KEY, 4)
    contract.revoke(STAGED_KEY, 2)
    assert school.verdicts() == ["revoked", "valid", "revoked"]
    (change,) = contract.audit().issuer(issuer).epoch_changes
    assert [each.index for each in change.unrevoked] == [1, 3]
    assert [each.index for each in change.unsuspended] == [2]
    assert change.unrevoked_batches == (school.root,)


def test_stolen_staged_key_is_skipped_and_counts_for_nothing(school: School) -> None:
    contract = school.contract
    contract.add_key(CONTROLLER, STAGED_KEY, STATUS, epoch=1)
    contract.revoke(STAGED_KEY, 0, 1)
    contract.revoke(STATUS_KEY, 2)
    assert school.verdicts() == ["valid", "valid", "revoked"]
    contract.send(CONTROLLER, "compromiseKey", account_of(STAGED_KEY), contract.now)
    assert school.verdicts() == ["valid", "valid", "revoked"]
    assert contract.view("nextStatusEpochOf", school.issuer) == 2
    contract.audit()


def test_credential_does_not_verify_on_a_bare_root(chain: Chain) -> None:
    school = School(chain)
    school.contract.send_root(ANCHOR_KEY, school.root)
    assert school.verdicts() == ["tampered"] * 3
    refused("AlreadyAnchored", school.anchor)
    refused("UnknownCall", school.contract.send_root, ANCHOR_KEY, school.root + b"\x00")
    refused("UnknownKey", school.contract.send_root, STRANGER, root_of(1))
    assert school.contract.audit().issuer(school.issuer).batches[school.root].size == 0


def test_relayed_anchoring_is_the_keys(chain: Chain) -> None:
    school = School(chain)
    values = (school.issuer, school.root, 3)
    signature = school.contract.sign(ANCHOR_KEY, "Anchor", account_of(ANCHOR_KEY), *values, FAR)
    school.contract.send(STRANGER, "anchorBySig", *values, account_of(ANCHOR_KEY), FAR, signature)
    assert school.verdicts() == ["valid"] * 3
    school.contract.audit()
