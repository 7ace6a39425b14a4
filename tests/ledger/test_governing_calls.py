"""The calls of accreditor and controller as Python encodes them: the contract does what each says, and tells it."""

import pytest

from anchor.errors import RevertedError
from anchor.events import AccreditationWithdrawn, BatchRevoked, KeyCompromised, KeyRetired
from anchor.ledger.contract import require_event
from anchor.ledger.testnet import dev_signer
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, FAR, REASON, STATUS_KEY, Chain, root_of


def test_a_withdrawal_ends_the_accreditation_when_it_says(chain: Chain) -> None:
    call = chain.contract.withdraw(issuer_id=chain.issuer_id, at=FAR, reason=REASON)
    event = require_event(chain.execute(ADMIN, call), chain.registry, AccreditationWithdrawn)
    assert (event.issuer_id, event.withdrawn_at, event.reason) == (chain.issuer_id, FAR, REASON)
    sooner = chain.contract.withdraw(issuer_id=chain.issuer_id, at=0, reason=REASON)
    event = require_event(chain.execute(ADMIN, sooner), chain.registry, AccreditationWithdrawn)
    assert event.withdrawn_at == event.at + 1


def test_a_retired_key_anchors_no_more(chain: Chain) -> None:
    key = dev_signer(ANCHOR_KEY).address
    event = require_event(chain.execute(CONTROLLER, chain.contract.retire_key(key)), chain.registry, KeyRetired)
    assert (event.key, event.valid_until) == (key, event.at + 1)
    with pytest.raises(RevertedError) as refused:
        chain.execute(CONTROLLER, chain.contract.retire_key(key))
    assert refused.value.name == "KeyCutOff"


def test_a_compromised_key_is_cut_off_since_the_time_given(chain: Chain) -> None:
    key, at = dev_signer(ANCHOR_KEY).address, chain.anchor(1).at
    call = chain.contract.compromise_key(key, since=at)
    event = require_event(chain.execute(CONTROLLER, call), chain.registry, KeyCompromised)
    assert (event.key, event.since) == (key, at)


def test_a_batch_is_revoked_as_a_whole(chain: Chain) -> None:
    chain.anchor(1)
    call = chain.contract.revoke_batch(issuer_id=chain.issuer_id, root=root_of(1), reason=REASON)
    event = require_event(chain.execute(STATUS_KEY, call), chain.registry, BatchRevoked)
    assert (event.issuer_id, event.root, event.reason) == (chain.issuer_id, root_of(1), REASON)
