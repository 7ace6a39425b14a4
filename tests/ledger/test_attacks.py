"""Attacks that need a real chain: a reorganisation across a cut-off, delegated keys, signatures from elsewhere."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from anchor.credential import parse_credential
from anchor.errors import LedgerError, RevertedError
from anchor.events import BatchAnchored
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.ledger.contract import require_event
from anchor.ledger.testnet import dev_signer, find_anvil
from anchor.ledger.transactions import SignedTransaction
from anchor.model import Policy, hash32, parse_hex
from anchor.verify import verify
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER, DID, FAR, REASON, STATUS_KEY, STRANGER, Chain, root_of
from tests.ledger.whole_contract import ANCHOR, SECOND_ANCHOR_KEY, WholeContract, account_of
from tests.support.issuing import make_batch

SAYS_YES = bytes.fromhex("631626ba7e60e01b5f5260205ff3")
"""Code of a wallet that accepts every signature: ERC-1271's magic value, whatever is asked."""
SAYS_NO = bytes.fromhex("5f5ffd")
"""Code of a wallet that reverts."""


@pytest.fixture
def contract(chain: Chain) -> WholeContract:
    return WholeContract(chain)


# A reorganisation across a cut-off.


class Reorganised:
    """A thief's batch, anchored before the cut-off on a chain that does not last."""

    def __init__(self, contract: WholeContract) -> None:
        self.contract = contract
        self.root, documents = make_batch(contract.chain.registry, contract.issuer, DID, ["Mallory"])
        self.credential = parse_credential(json.dumps(documents[0]).encode())

    def told(self, confirmations: int) -> str:
        rules: Policy = self.contract.chain.policy(confirmations=confirmations)
        evidence = collect_evidence([self.contract.chain.client], self.credential.requests, rules)
        verdict = verify(self.credential, evidence, rules, self.contract.now)
        return verdict.reason or verdict.outcome.value


def test_anchoring_that_a_reorganisation_moves_behind_the_cut_off_is_void(contract: WholeContract) -> None:
    chain, case = contract.chain, Reorganised(contract)
    chain.mine(5)
    sent: list[SignedTransaction] = []
    call = contract.call("anchor", contract.issuer, case.root, 1)
    sender = chain.sender(ANCHOR_KEY)
    sender.wait_for_receipt(sender.send(call, sent.append), 10)
    anchored_at = contract.view("batchOf", contract.issuer, case.root)[1]
    contract.pass_time(10)
    # To who waits, it is nothing yet; who does not, has what he asked for.
    assert case.told(confirmations=3) == "pending"
    assert case.told(confirmations=0) == "valid"
    since = anchored_at + 1
    contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    assert case.told(confirmations=3) == "pending"
    assert case.told(confirmations=0) == "valid"

    depth = chain.client.latest_block().header.number - anchored_block(contract, case.root) + 1
    chain.node.write("anvil_reorg", [depth, []])
    assert contract.view("batchOf", contract.issuer, case.root)[1] == 0
    assert case.told(confirmations=3) == "notAnchored"
    # The same signed transaction is good again, but its block now comes after the cut-off.
    contract.pass_time(20)
    chain.client.send_raw(sent[0].raw)
    chain.mine()
    assert contract.view("batchOf", contract.issuer, case.root)[1] >= since
    assert case.told(confirmations=3) == "pending"
    contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    assert {case.told(confirmations) for confirmations in (0, 3)} == {"keyCompromised"}
    chain.mine(4)
    assert {case.told(confirmations) for confirmations in (0, 3)} == {"keyCompromised"}
    assert contract.audit().issuer(contract.issuer).void_batches() == (case.root,)


def test_anchoring_that_comes_again_after_the_declaration_is_refused(contract: WholeContract) -> None:
    chain, case = contract.chain, Reorganised(contract)
    chain.mine(5)
    snapshot = chain.node.write("evm_snapshot", [])
    sent: list[SignedTransaction] = []
    sender = chain.sender(ANCHOR_KEY)
    sender.wait_for_receipt(sender.send(contract.call("anchor", contract.issuer, case.root, 1), sent.append), 10)
    since = contract.now
    chain.node.write("evm_revert", [snapshot])
    chain.node.write("anvil_setNextBlockTimestamp", [since])
    contract.send(CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    chain.client.send_raw(sent[0].raw)
    with pytest.raises((RevertedError, LedgerError)):
        chain.sender(ANCHOR_KEY).wait_for_receipt(sent[0], 5)
    assert case.told(confirmations=0) == "notAnchored"
    contract.audit()


def anchored_block(contract: WholeContract, root: bytes) -> int:
    history = contract.audit()
    (event,) = [each for each in history.events if getattr(each, "root", None) == root]
    return event.log.block_number


# A bare root that is taken for a call.


def test_root_that_begins_with_a_selector_is_not_believed_anchored(contract: WholeContract) -> None:
    chain, registry = contract.chain, contract.chain.registry
    root = hash32(keccak(b"issuerCount()")[:4] + bytes(28))
    receipt = chain.execute(ANCHOR_KEY, Call(to=registry.address, data=root, what="anchor a bare root"))
    # The transaction went well: it asked for the number of issuers.
    assert receipt.succeeded
    with pytest.raises(LedgerError, match="without the event BatchAnchored"):
        require_event(receipt, registry, BatchAnchored)
    assert contract.view("batchOf", contract.issuer, root)[1] == 0
    # One that begins with no selector is anchored, and the event says so.
    receipt = chain.execute(ANCHOR_KEY, Call(to=registry.address, data=root_of(2), what="anchor a bare root"))
    assert require_event(receipt, registry, BatchAnchored).size == 0


# A key that delegated its code (EIP-7702).


def deploy(chain: Chain, code: bytes) -> str:
    # PUSH1 size, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN, then the code.
    init = bytes([0x60, len(code), 0x80, 0x60, 0x09, 0x5F, 0x39, 0x5F, 0xF3]) + code
    receipt = chain.execute(STRANGER, Call(to=None, data=init, what="deploy the delegate"))
    assert receipt.contract is not None
    assert chain.client.code(receipt.contract) == code
    return "0x" + receipt.contract.hex()


def delegate(chain: Chain, account: int, target: str) -> None:
    """Let an account run the code of another, by a real transaction of type 4 that somebody else pays for."""
    account_key, payer = dev_signer(account)._account, dev_signer(STRANGER)._account
    authorization = account_key.sign_authorization(
        {"chainId": chain.chain_id, "address": target, "nonce": chain.client.mined_count(dev_signer(account).address)}
    )
    fees = chain.client.fees()
    transaction: dict[str, Any] = {
        "type": 4,
        "chainId": chain.chain_id,
        "nonce": chain.client.mined_count(dev_signer(STRANGER).address),
        "to": account_of(account),
        "value": 0,
        "data": "0x",
        "gas": 200_000,
        "maxFeePerGas": fees.max_fee_wei,
        "maxPriorityFeePerGas": fees.max_tip_wei,
        "authorizationList": [authorization],
    }
    signed = payer.sign_transaction(transaction)
    chain.client.send_raw(bytes(signed.raw_transaction))
    expected = bytes.fromhex("ef0100") + parse_hex(target)
    assert chain.client.code(dev_signer(account).address) == expected


@pytest.mark.parametrize("code", [SAYS_YES, SAYS_NO], ids=["accepts everything", "accepts nothing"])
def test_delegated_key_signs_with_its_private_key_and_nothing_else(contract: WholeContract, code: bytes) -> None:
    chain, issuer = contract.chain, contract.issuer
    target = deploy(chain, code)
    delegate(chain, ANCHOR_KEY, target)
    delegate(chain, STATUS_KEY, target)
    key, status_key = account_of(ANCHOR_KEY), account_of(STATUS_KEY)
    forged = contract.sign(STRANGER, "Anchor", key, issuer, root_of(1), 1, FAR)
    for signature in (forged, b"", bytes(65)):
        refused("InvalidSignature", contract, "anchorBySig", issuer, root_of(1), 1, key, FAR, signature)
    good = contract.sign(ANCHOR_KEY, "Anchor", key, issuer, root_of(1), 1, FAR)
    contract.send(STRANGER, "anchorBySig", issuer, root_of(1), 1, key, FAR, good)

    values = (issuer, 0, [0], [1], REASON)
    forged = contract.sign(STRANGER, "Revoke", status_key, *values, 0, FAR)
    refused("InvalidSignature", contract, "revokeBySig", *values, status_key, 0, FAR, forged)
    good = contract.sign(STATUS_KEY, "Revoke", status_key, *values, 0, FAR)
    contract.send(STRANGER, "revokeBySig", *values, status_key, 0, FAR, good)
    assert contract.view("isRevoked", issuer, 0, 0)
    contract.audit()


def test_delegated_account_is_not_bound_without_its_own_signature(contract: WholeContract) -> None:
    chain = contract.chain
    delegate(chain, SECOND_ANCHOR_KEY, deploy(chain, SAYS_YES))
    key = account_of(SECOND_ANCHOR_KEY)
    values = (contract.issuer, key, ANCHOR, 0, 0, FAR)
    forged = contract.sign(CONTROLLER, "KeyConsent", *values)
    with pytest.raises(RevertedError) as caught:
        contract.send(CONTROLLER, "addKey", *values, forged)
    assert caught.value.name == "InvalidConsent"
    contract.add_key(CONTROLLER, SECOND_ANCHOR_KEY, ANCHOR)
    contract.audit()


def test_wallet_that_is_a_contract_is_asked(contract: WholeContract) -> None:
    # What a delegated key is spared: of a wallet the contract must believe what its code says.
    wallet = deploy(contract.chain, SAYS_YES)
    contract.send(CONTROLLER, "addKey", contract.issuer, wallet_of(wallet), ANCHOR, 0, 0, FAR, b"")
    contract.send(STRANGER, "anchorBySig", contract.issuer, root_of(1), 1, wallet_of(wallet), FAR, b"")
    contract.audit()


def wallet_of(address: str) -> str:
    from web3 import Web3

    return str(Web3.to_checksum_address(address))


def refused(error: str, contract: WholeContract, name: str, *values: Any) -> None:
    with pytest.raises(RevertedError) as caught:
        contract.send(STRANGER, name, *values)
    assert caught.value.name == error


# A signature for another chain.

OTHER_CHAIN_ID = 31338


@pytest.fixture
def other_chain(tmp_path: Path) -> Iterator[Chain]:
    """A second anvil, of another chain id, with the same registry at the same address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(find_anvil()), "--port", str(port), "--chain-id", str(OTHER_CHAIN_ID), "--silent"]
    with subprocess.Popen([*command, "--cache-path", str(tmp_path)]) as process:
        try:
            chain = Chain(url=f"http://127.0.0.1:{port}", chain_id=OTHER_CHAIN_ID)
            wait_for(chain.client)
            chain.set_up()
            yield chain
        finally:
            process.terminate()


def wait_for(client: LedgerClient) -> None:
    for _ in range(200):
        try:
            client.latest_block()
        except LedgerError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the second anvil does not answer")


def test_signature_for_another_chain_is_not_good_here(contract: WholeContract, other_chain: Chain) -> None:
    here, there = contract, WholeContract(other_chain)
    assert here.chain.registry.address == there.chain.registry.address
    assert here.issuer == there.issuer
    key = account_of(ANCHOR_KEY)
    signature = here.sign(ANCHOR_KEY, "Anchor", key, here.issuer, root_of(1), 1, FAR)
    refused("InvalidSignature", there, "anchorBySig", here.issuer, root_of(1), 1, key, FAR, signature)
    here.send(STRANGER, "anchorBySig", here.issuer, root_of(1), 1, key, FAR, signature)

    status_key, values = account_of(STATUS_KEY), (here.issuer, 0, [0], [1], REASON)
    for name in ("revoke", "suspend"):
        signature = here.sign(STATUS_KEY, name.capitalize(), status_key, *values, 0, FAR)
        refused("InvalidSignature", there, f"{name}BySig", *values, status_key, 0, FAR, signature)
    consent = (here.issuer, account_of(SECOND_ANCHOR_KEY), ANCHOR, 0, 0, FAR)
    signature = here.sign(SECOND_ANCHOR_KEY, "KeyConsent", *consent)
    with pytest.raises(RevertedError) as caught:
        there.send(CONTROLLER, "addKey", *consent, signature)
    assert caught.value.name == "InvalidConsent"
    # And a whole history is of one chain only.
    here.audit()
    there.audit()
