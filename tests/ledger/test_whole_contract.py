"""Every function of the contract, called for real; then the audit proves the history, and equals views and storage."""

from __future__ import annotations

from hashlib import sha256

import pytest
from eth_hash.auto import keccak
from web3 import Web3

from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, History
from anchor.ledger.abi import contract_build
from anchor.ledger.testnet import dev_signer
from anchor.model import Hash32, StatusPosition, hash32, to_hex
from anchor.status import StatusPurpose
from tests.ledger.chain import (
    ADMIN,
    ANCHOR_KEY,
    CONTROLLER,
    FAR,
    REASON,
    STATUS_KEY,
    STRANGER,
    Chain,
    root_of,
)
from tests.ledger.whole_contract import (
    ANCHOR,
    NEW_ADMIN,
    NEW_CONTROLLER,
    SECOND_ACCREDITOR,
    SECOND_ANCHOR_KEY,
    STAGED_KEY,
    STATUS,
    WholeContract,
    account_of,
)
from tests.support.contract_storage import entry, role_entry
from tests.support.world import pack

MADE_UP_ROLE = b"\x05" * 32
SECOND_DID = "did:web:collège.example"

SALT, CONTENT, LONELY_INDEX = root_of(8), root_of(9), 7
LONELY = hash32(sha256(b"\x00" + SALT + bytes(4) + LONELY_INDEX.to_bytes(4, "big") + CONTENT).digest())
"""Root of a batch of one credential: its leaf."""


EVENTS_IN_HEADS = {
    declared["name"]
    for declared in contract_build().abi
    if declared["type"] == "event" and any(each["name"] in {"head", "registryHead"} for each in declared["inputs"])
}


@pytest.fixture
def contract(chain: Chain) -> WholeContract:
    return WholeContract(chain)


def play(contract: WholeContract) -> None:
    """Call every function that changes something."""
    govern(contract)
    issue(contract)
    change_status(contract)
    cut_off(contract)


def govern(contract: WholeContract) -> None:
    send, issuer = contract.send, contract.issuer
    send(ADMIN, "grantRole", ACCREDITOR_ROLE, account_of(SECOND_ACCREDITOR))
    send(SECOND_ACCREDITOR, "accredit", SECOND_DID, account_of(STRANGER))
    send(ADMIN, "revokeRole", ACCREDITOR_ROLE, account_of(ADMIN))
    send(ADMIN, "grantRole", MADE_UP_ROLE, account_of(STRANGER))
    send(STRANGER, "renounceRole", MADE_UP_ROLE, account_of(STRANGER))
    send(ADMIN, "beginDefaultAdminTransfer", account_of(STRANGER))
    send(ADMIN, "cancelDefaultAdminTransfer")
    send(ADMIN, "changeDefaultAdminDelay", 100)
    send(ADMIN, "rollbackDefaultAdminDelay")
    send(ADMIN, "beginDefaultAdminTransfer", account_of(NEW_ADMIN))
    contract.pass_time(3601)
    send(NEW_ADMIN, "acceptDefaultAdminTransfer")
    send(CONTROLLER, "transferController", issuer, account_of(NEW_CONTROLLER))
    send(NEW_CONTROLLER, "acceptController", issuer)
    send(NEW_CONTROLLER, "transferController", issuer, account_of(CONTROLLER))


def issue(contract: WholeContract) -> None:
    send, issuer = contract.send, contract.issuer
    contract.add_key(NEW_CONTROLLER, SECOND_ANCHOR_KEY, ANCHOR)
    send(ANCHOR_KEY, "anchor", issuer, root_of(1), 10)
    signature = contract.sign(ANCHOR_KEY, "Anchor", account_of(ANCHOR_KEY), issuer, root_of(2), 20, FAR)
    send(STRANGER, "anchorBySig", issuer, root_of(2), 20, account_of(ANCHOR_KEY), FAR, signature)
    contract.send_root(SECOND_ANCHOR_KEY, root_of(3))
    send(SECOND_ANCHOR_KEY, "anchor", issuer, LONELY, 1)


def change_status(contract: WholeContract) -> None:
    send, issuer, key = contract.send, contract.issuer, account_of(STATUS_KEY)
    contract.revoke(STATUS_KEY, 0, 1)
    send(STATUS_KEY, "suspend", issuer, 0, [0, 511], [0b110, 1 << 255], REASON)
    send(STATUS_KEY, "reinstate", issuer, 0, [0], [0b010], REASON)
    for name, word, mask in (("revoke", 1, 1), ("suspend", 2, 3), ("reinstate", 2, 1)):
        values = (issuer, 0, [word], [mask], REASON)
        nonce = contract.view("nonceOf", key)
        signature = contract.sign(STATUS_KEY, name.capitalize(), key, *values, nonce, FAR)
        send(STRANGER, f"{name}BySig", *values, key, nonce, FAR, signature)
    send(STATUS_KEY, "revokeBatch", issuer, root_of(2), REASON)
    nonce = contract.view("nonceOf", key)
    signature = contract.sign(STATUS_KEY, "RevokeBatch", key, issuer, root_of(3), REASON, nonce, FAR)
    send(STRANGER, "revokeBatchBySig", issuer, root_of(3), REASON, key, nonce, FAR, signature)
    send(NEW_CONTROLLER, "cancelNonces", key, nonce + 5)
    send(STATUS_KEY, "cancelNonces", key, nonce + 6)


def cut_off(contract: WholeContract) -> None:
    send, issuer = contract.send, contract.issuer
    anchored_at = contract.view("batchOf", issuer, root_of(1))[1]
    send(NEW_CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), anchored_at)
    send(SECOND_ANCHOR_KEY, "anchor", issuer, root_of(1), 10)
    contract.add_key(NEW_CONTROLLER, STAGED_KEY, STATUS, epoch=1)
    contract.revoke(STAGED_KEY, 1)
    send(STAGED_KEY, "revokeBatch", issuer, root_of(3), REASON)
    send(NEW_CONTROLLER, "compromiseKey", account_of(STATUS_KEY), contract.now)
    send(NEW_CONTROLLER, "retireKey", account_of(SECOND_ANCHOR_KEY))
    send(SECOND_ACCREDITOR, "withdraw", issuer, FAR, REASON)
    send(SECOND_ACCREDITOR, "withdraw", issuer, 0, REASON)


def test_audit_of_every_function_is_complete_and_equals_the_views(contract: WholeContract) -> None:
    play(contract)
    history = contract.audit()
    assert {type(event).__name__ for event in history.events} == EVENTS_IN_HEADS
    compare_registry(contract, history)
    compare_issuers(contract, history)
    compare_status(contract, history)
    call_remaining_views(contract)
    functions = {each["name"] for each in contract_build().abi if each["type"] == "function"}
    assert contract.called == functions | {"fallback"}


def compare_registry(contract: WholeContract, history: History) -> None:
    assert contract.view("issuerCount") == len(history.issuers)
    assert contract.view("registryHead") == history.registry_head
    assert contract.view("ACCREDITOR_ROLE") == ACCREDITOR_ROLE
    assert contract.view("DEFAULT_ADMIN_ROLE") == ADMIN_ROLE
    assert [to_hex(each) for each in history.members(ADMIN_ROLE)] == [contract.view("defaultAdmin").lower()]
    assert contract.view("owner") == account_of(NEW_ADMIN)
    for tenure in history.tenures:
        has = any(
            (each.role, each.account, each.until) == (tenure.role, tenure.account, None) for each in history.tenures
        )
        assert contract.view("hasRole", tenure.role, to_checksum(tenure.account)) == has


def compare_issuers(contract: WholeContract, history: History) -> None:
    for issuer in history.issuers:
        record = issuer.record
        controller, accredited_at, withdrawn_at, epoch, did_hash, head = contract.view("issuerOf", issuer.issuer_id)
        assert (controller.lower(), accredited_at) == (to_hex(record.controller), record.accredited_at)
        assert (withdrawn_at, epoch, did_hash, head) == (
            record.withdrawn_at,
            record.status_epoch,
            issuer.did_hash,
            issuer.head,
        )
        assert contract.view("issuerOfDid", issuer.did_hash) == issuer.issuer_id
        assert int(contract.view("pendingControllerOf", issuer.issuer_id), 16) == int.from_bytes(
            issuer.pending_controller or b"", "big"
        )
        assert contract.view("nextStatusEpochOf", issuer.issuer_id) == issuer.next_status_epoch
        for address, key in issuer.keys.items():
            assert tuple(contract.view("keyOf", to_checksum(address))) == (
                key.issuer_id,
                key.valid_from,
                key.valid_until,
                key.compromised_at,
                key.scope,
                key.status_epoch,
            )
        for root, batch in issuer.batches.items():
            by, *others = contract.view("batchOf", issuer.issuer_id, root)
            assert (by.lower(), *others) == (
                to_hex(batch.key),
                batch.anchored_at,
                batch.size,
                batch.revoked_reason,
                batch.revoked_epoch,
            )


def compare_status(contract: WholeContract, history: History) -> None:
    one = history.issuer(contract.issuer)
    revoked, suspended = one.positions(StatusPurpose.REVOCATION), one.positions(StatusPurpose.SUSPENSION)
    (change,) = one.epoch_changes
    assert len(change.unrevoked) == 2
    assert len(change.unsuspended) == 3
    assert change.unrevoked_batches == (root_of(2),)
    assert one.revoked_batches() == (root_of(3),)
    assert one.void_batches() == (root_of(2),)
    assert one.record.withdrawn_at > 0
    for index in {*range(3), 256, 512, 131_071, *(each.index for each in (*change.unrevoked, *change.unsuspended))}:
        place = StatusPosition(status_list=0, index=index)
        assert contract.view("statusOf", one.issuer_id, 0, index) == [place in revoked, place in suspended]
        assert contract.view("isRevoked", one.issuer_id, 0, index) == (place in revoked)
        assert contract.view("isSuspended", one.issuer_id, 0, index) == (place in suspended)


def call_remaining_views(contract: WholeContract) -> None:
    """Views that say nothing of the history, but belong to the contract."""
    assert contract.view("eip712Domain")[:5] == [
        b"\x0f",
        "credanchor",
        "1",
        contract.chain.registry.chain_id,
        contract._address,
    ]
    assert contract.view("pendingDefaultAdmin")[1] == 0
    assert contract.view("defaultAdminDelay") == 3600
    assert contract.view("pendingDefaultAdminDelay") == [0, 0]
    assert contract.view("defaultAdminDelayIncreaseWait") == 5 * 86_400
    assert contract.view("getRoleAdmin", ACCREDITOR_ROLE) == ADMIN_ROLE
    assert contract.view("supportsInterface", bytes.fromhex("01ffc9a7"))
    assert contract.view("isIncluded", root_of(1), root_of(1), 0, 1, [])
    anchored_at = contract.view("verify", contract.issuer, LONELY, SALT, 0, LONELY_INDEX, CONTENT, 0, [])
    assert anchored_at == contract.view("batchOf", contract.issuer, LONELY)[1]


def to_checksum(address: bytes) -> str:
    return str(Web3.to_checksum_address(to_hex(address)))


# Storage, as docs/spec/history.md has it.


def test_every_slot_that_the_specification_names_is_proven(contract: WholeContract) -> None:
    play(contract)
    history = contract.audit()
    one, issuer = history.issuer(contract.issuer), contract.issuer
    expected: dict[Hash32, int] = {
        hash32(bytes(32)): int.from_bytes(history.registry_head, "big"),
        role_entry(ACCREDITOR_ROLE, dev_signer(SECOND_ACCREDITOR).address): 1,
        role_entry(ACCREDITOR_ROLE, dev_signer(ADMIN).address): 0,
        role_entry(ADMIN_ROLE, dev_signer(NEW_ADMIN).address): 1,
        hash32((2).to_bytes(32, "big")): pack((0, 160), (0, 48), (3600, 48)),
        hash32((3).to_bytes(32, "big")): int.from_bytes(dev_signer(NEW_ADMIN).address, "big"),
        hash32((6).to_bytes(32, "big")): 2,
        entry(5, one.did_hash): issuer,
        entry(5, keccak(SECOND_DID.encode())): 2,
        entry(4, issuer): pack(
            (int.from_bytes(one.record.controller, "big"), 160),
            (one.record.accredited_at, 40),
            (one.record.withdrawn_at, 40),
            (1, 16),
        ),
        entry(7, issuer): pack((int.from_bytes(dev_signer(CONTROLLER).address, "big"), 160), (2, 16)),
        entry(7, 2): 0,
        entry(9, dev_signer(STATUS_KEY).address): contract.view("nonceOf", account_of(STATUS_KEY)),
        entry(9, dev_signer(ANCHOR_KEY).address): 0,
        entry(11, issuer, 0, 0, 0): 0b011,
        entry(11, issuer, 1, 0, 0): 0b010,
        entry(12, issuer, 0, 0, 0): 0b100,
        entry(12, issuer, 0, 0, 511): 1 << 255,
        entry(12, issuer, 0, 0, 2): 0b10,
    }
    for offset, value in ((1, one.did_hash), (2, one.head)):
        at = int.from_bytes(entry(4, issuer), "big") + offset
        expected[hash32(at.to_bytes(32, "big"))] = int.from_bytes(value, "big")
    for address, key in one.keys.items():
        expected[entry(8, address)] = pack(
            (key.issuer_id, 32),
            (key.valid_from, 40),
            (key.valid_until, 40),
            (key.compromised_at, 40),
            (key.scope, 8),
            (key.status_epoch, 16),
        )
    for root, batch in one.batches.items():
        expected[entry(10, issuer, root)] = pack(
            (int.from_bytes(batch.key, "big"), 160),
            (batch.anchored_at, 40),
            (batch.size, 32),
            (batch.revoked_reason, 8),
            (batch.revoked_epoch, 16),
        )
    state = contract.state(*expected)
    assert {slot: state.value(slot) for slot in expected} == expected
