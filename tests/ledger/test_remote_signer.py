"""A remote signer, against a stand-in that speaks web3signer's words: it signs for a real chain, and its lies show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from anchor.errors import KeyUnavailableError, LedgerUnavailableError, MalformedError
from anchor.events import BatchAnchored, KeyAdded
from anchor.ledger.contract import deployed_registry, deployment, require_event
from anchor.ledger.keys import Signer
from anchor.ledger.relayed import Authorisation, authorise, needs_nonce, read_authorisation
from anchor.ledger.remote_signer import RemoteSigner
from anchor.ledger.signers import RemoteKey, SigningKey, parse_remote_key
from anchor.ledger.transactions import TransactionSender
from anchor.model import KeyScope, address, parse_hex, to_hex
from tests.ledger.chain import CONTROLLER, Chain, drop, root_of
from tests.support.remote_signer import StandIn, stand_in

SECRET, OTHER_SECRET = b"\x11" * 32, b"\x22" * 32
ACCOUNT: LocalAccount = Account.from_key(SECRET)
ADDRESS = address(parse_hex(ACCOUNT.address))


@pytest.fixture
def remote() -> Iterator[StandIn]:
    with stand_in(SECRET) as signer:
        yield signer


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "type": 2,
        "chainId": 31337,
        "nonce": 0,
        "gas": 100_000,
        "maxFeePerGas": 2 * 10**9,
        "maxPriorityFeePerGas": 10**9,
        "value": 0,
        "data": b"\x12\x34",
        "to": bytes([7] * 20),
    } | changes


@pytest.mark.parametrize("changes", [{}, {"nonce": 300, "data": b""}, {"value": 5}])
def test_it_signs_what_a_key_file_would_sign(remote: StandIn, changes: dict[str, Any]) -> None:
    local: SigningKey = Signer(ACCOUNT)
    other: SigningKey = RemoteSigner(remote.key(ACCOUNT))
    assert other.sign_transaction(fields(**changes)) == local.sign_transaction(fields(**changes))


def test_it_sends_for_a_key_that_the_registry_knows(chain: Chain, remote: StandIn) -> None:
    signer = RemoteSigner(remote.key(ACCOUNT))
    chain.node.write("anvil_setBalance", [to_hex(ADDRESS), hex(10**18)])
    consent = chain.consent(CONTROLLER, KeyScope.ANCHOR, key=ADDRESS)
    call = chain.contract.add_key(consent, signer.sign_key_consent(chain.registry, consent))
    assert require_event(chain.execute(CONTROLLER, call), chain.registry, KeyAdded).key == ADDRESS

    sender = TransactionSender(chain.client, chain_id=chain.chain_id, signer=signer, lock=nullcontext())
    receipt = sender.wait_for_receipt(sender.send(chain.anchor_call(1), drop), 10)
    assert require_event(receipt, chain.registry, BatchAnchored).root == root_of(1)
    # A deployment has no `to`.
    call = deployment(admin=ADDRESS, accreditor=ADDRESS, admin_delay_seconds=0)
    receipt = sender.wait_for_receipt(sender.send(call, drop), 10)
    assert deployed_registry(chain.client, chain.chain_id, receipt) != chain.registry


@pytest.mark.parametrize("parity", [False, True])
def test_a_consent_is_the_same_wherever_the_key_is(chain: Chain, remote: StandIn, parity: bool) -> None:
    if parity:
        remote.answer = lambda answer: answer[:-2] + f"{int(answer[-2:], 16) - 27:02x}"
    consent = chain.consent(CONTROLLER, KeyScope.STATUS, key=ADDRESS)
    signature = RemoteSigner(remote.key(ACCOUNT)).sign_key_consent(chain.registry, consent)
    assert signature == Signer(ACCOUNT).sign_key_consent(chain.registry, consent)


def setting(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update(changes)


SPOILT = [
    setting(nonce=1),
    setting(gas=100_001),
    setting(maxFeePerGas=3 * 10**9),
    setting(maxPriorityFeePerGas=1),
    setting(value=1),
    setting(data="0x1235"),
    setting(to=bytes([8] * 20)),
    setting(chainId=1),
    setting(accessList=[{"address": "0x" + "00" * 20, "storageKeys": []}]),
    lambda content: content.pop("to"),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_another_transaction_than_asked_for_is_not_taken(remote: StandIn, spoil: Callable[..., object]) -> None:
    remote.spoil = spoil
    with pytest.raises(KeyUnavailableError, match="did not sign the transaction that was asked for"):
        RemoteSigner(remote.key(ACCOUNT)).sign_transaction(fields())


def legacy(_answer: object) -> str:
    asked: dict[str, Any] = {
        "nonce": 0,
        "gas": 100_000,
        "gasPrice": 10**9,
        "value": 0,
        "to": bytes([7] * 20),
        "data": "0x1234",
    }
    return str(ACCOUNT.sign_transaction({**asked, "chainId": 31337}).raw_transaction.to_0x_hex())


@pytest.mark.parametrize(
    "answer", [legacy, lambda _: "0x", lambda _: "0x02c0", lambda _: "0x02ff", lambda _: "0x0280", lambda raw: raw[:-2]]
)
def test_what_is_no_such_transaction_is_not_taken(remote: StandIn, answer: Callable[[Any], object]) -> None:
    remote.answer = answer
    with pytest.raises(KeyUnavailableError, match="did not sign"):
        RemoteSigner(remote.key(ACCOUNT)).sign_transaction(fields())


def test_another_key_than_asked_for_is_not_taken(chain: Chain, remote: StandIn) -> None:
    remote.accounts[ACCOUNT.address.lower()] = Account.from_key(OTHER_SECRET)
    signer = RemoteSigner(remote.key(ACCOUNT))
    with pytest.raises(KeyUnavailableError, match="did not sign the transaction"):
        signer.sign_transaction(fields())
    with pytest.raises(KeyUnavailableError, match="did not sign the consent"):
        signer.sign_key_consent(chain.registry, chain.consent(CONTROLLER, KeyScope.ANCHOR, key=ADDRESS))


@pytest.mark.parametrize("answer", ["0x", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64])
def test_what_is_no_signature_is_not_taken(chain: Chain, remote: StandIn, answer: str) -> None:
    remote.answer = lambda _answer: answer
    consent = chain.consent(CONTROLLER, KeyScope.ANCHOR, key=ADDRESS)
    with pytest.raises(KeyUnavailableError, match="did not sign the consent"):
        RemoteSigner(remote.key(ACCOUNT)).sign_key_consent(chain.registry, consent)


def test_the_consent_of_another_key_is_not_asked_for(chain: Chain, remote: StandIn) -> None:
    with pytest.raises(KeyUnavailableError, match="cannot consent for"):
        RemoteSigner(remote.key(ACCOUNT)).sign_key_consent(chain.registry, chain.consent(CONTROLLER, KeyScope.ANCHOR))
    assert remote.asked == []


def test_a_signer_that_refuses_is_named_with_its_words(remote: StandIn) -> None:
    stranger = Account.from_key(OTHER_SECRET)
    with pytest.raises(KeyUnavailableError, match="does not match an available account") as refused:
        RemoteSigner(remote.key(stranger)).sign_transaction(fields())
    assert "holds this key" in refused.value.advice


def test_a_signer_that_is_down_can_be_asked_again(remote: StandIn) -> None:
    key = RemoteKey(url="http://127.0.0.1:9", address=ADDRESS)
    with pytest.raises(LedgerUnavailableError, match="nothing was signed") as failed:
        RemoteSigner(key).sign_transaction(fields())
    assert "settings.toml" in failed.value.advice
    remote.answer = lambda _answer: 7
    with pytest.raises(LedgerUnavailableError, match="no bytes"):
        RemoteSigner(remote.key(ACCOUNT)).sign_transaction(fields())


def test_a_signer_shows_no_password() -> None:
    key = RemoteKey(url="http://user:secret@127.0.0.1:9/secret", address=ADDRESS)
    assert repr(RemoteSigner(key)) == f"RemoteSigner(http://127.0.0.1:9/…, {to_hex(ADDRESS)})"


def test_references_to_keys() -> None:
    text = f"https://signer.example:9000/x#{ACCOUNT.address}"
    assert parse_remote_key(text) == RemoteKey(url="https://signer.example:9000/x", address=ADDRESS)
    assert parse_remote_key("keys/anchor.json") is None
    for wrong in ("http://secret:9000", "http://secret#0x12", f"https://#{ACCOUNT.address}", "http://secret #0x12"):
        with pytest.raises(MalformedError) as refused:
            parse_remote_key(wrong)
        assert "secret" not in refused.value.diagnostics()


def authorisations(chain: Chain) -> list[Authorisation]:
    contract, issuer_id = chain.contract, chain.issuer_id
    words: dict[str, Any] = {
        "issuer_id": issuer_id,
        "status_list": 7,
        "words": [0, 511],
        "masks": [1, 2**255 + 1],
        "reason": 1,
    }
    calls = [
        chain.anchor_call(1),
        contract.revoke_batch(issuer_id=issuer_id, root=root_of(1), reason=1),
        contract.revoke(**words),
        contract.suspend(**words),
        contract.reinstate(**words),
    ]
    return [
        authorise(chain.registry, call, ADDRESS, nonce=2**60 if needs_nonce(call) else None, deadline=2**40 - 1)
        for call in calls
    ]


def test_an_authorisation_is_the_same_wherever_the_key_is(chain: Chain, remote: StandIn) -> None:
    signatures = set()
    for each in authorisations(chain):
        signature = RemoteSigner(remote.key(ACCOUNT)).sign_authorisation(each)
        assert signature == Signer(ACCOUNT).sign_authorisation(each)
        signatures.add(signature)
        again = read_authorisation(chain.registry, each.call(signature, what="x"))
        assert again == each
    assert len(signatures) == 5
    assert read_authorisation(chain.registry, chain.anchor_call(1)) is None


def test_a_remote_signer_that_signs_something_else_is_found_out(chain: Chain, remote: StandIn) -> None:
    (anchoring, *_) = authorisations(chain)
    remote.spoil = lambda message: message.update(size=11)
    with pytest.raises(KeyUnavailableError, match="did not sign the authorisation"):
        RemoteSigner(remote.key(ACCOUNT)).sign_authorisation(anchoring)
    other = replace(anchoring, key=address(bytes([7]) * 20))
    for signer in (RemoteSigner(remote.key(ACCOUNT)), Signer(ACCOUNT)):
        with pytest.raises(KeyUnavailableError, match="cannot sign for the key"):
            signer.sign_authorisation(other)
