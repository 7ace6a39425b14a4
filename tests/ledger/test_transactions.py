"""Sending on a real chain, through a node that misbehaves, by several at once."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from filelock import FileLock

from anchor.errors import (
    LedgerError,
    LedgerUnavailableError,
    NodeRefusedError,
    OutcomeUnknownError,
    ReplacedError,
    RevertedError,
    WrongLedgerError,
)
from anchor.events import BatchAnchored, CredentialsReinstated, CredentialsRevoked, CredentialsSuspended
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.ledger.contract import RegistryContract, deployed_registry, require_event
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.ledger.transactions import Fate, SignedTransaction, TransactionSender
from anchor.model import RegistryId, address
from tests.ledger.chain import ADMIN, ANCHOR_KEY, REASON, STATUS_KEY, STRANGER, Chain, drop, root_of
from tests.ledger.proxy import Fault, FaultProxy, refusing, when

SEND = "eth_sendRawTransaction"

NOT_SENT = (Fault.DROP_BEFORE, Fault.ERROR_500_BEFORE)
SENT_AND_LOST = (
    Fault.DROP_AFTER,
    Fault.HANG_AFTER,
    Fault.TRICKLE,
    Fault.GARBAGE,
    Fault.TRUNCATED,
    Fault.ERROR_500_AFTER,
    Fault.BUSY,
)


def anchored_size(chain: Chain, number: int) -> int:
    """What the ledger proves, whatever was said on the way."""
    evidence = collect_evidence([chain.client], [chain.request(number)], chain.policy())
    return evidence.state_of(chain.registry).batch(chain.issuer_id, root_of(number)).size


def calls(chain: Chain) -> dict[str, tuple[int, Call]]:
    """Every kind of write that an issuer does, each with its account."""
    contract, issuer_id = chain.contract, chain.issuer_id
    return {
        "anchor": (ANCHOR_KEY, chain.anchor_call(5)),
        "revoke": (STATUS_KEY, chain.revoke_call([0], [1])),
        "suspend": (
            STATUS_KEY,
            contract.suspend(issuer_id=issuer_id, status_list=0, words=[0], masks=[2], reason=REASON),
        ),
        "accredit": (ADMIN, contract.accredit(did="did:web:other.example", controller=dev_signer(STRANGER).address)),
    }


def test_the_signed_bytes_are_kept_before_anyone_else_has_them(chain: Chain) -> None:
    kept: list[SignedTransaction] = []

    def persist(signed: SignedTransaction) -> None:
        assert not chain.client.knows_transaction(signed.hash)
        kept.append(signed)

    sender = chain.sender(ANCHOR_KEY)
    sent = sender.send(chain.anchor_call(5), persist)
    receipt = sender.wait_for_receipt(sent)

    assert kept == [sent]
    event = require_event(receipt, chain.registry, BatchAnchored)
    assert (event.root, event.size, event.actor) == (root_of(5), 10, sender.address)
    assert receipt.gas_used <= 62_000
    assert anchored_size(chain, 5) == 10


def test_nothing_is_sent_when_it_cannot_be_kept(chain: Chain) -> None:
    def persist(signed: SignedTransaction) -> None:
        raise OSError("disk full")

    before = chain.client.pending_count(dev_signer(ANCHOR_KEY).address)
    with pytest.raises(OSError, match="disk full"):
        chain.sender(ANCHOR_KEY).send(chain.anchor_call(5), persist)
    assert chain.client.pending_count(dev_signer(ANCHOR_KEY).address) == before


def test_status_calls_change_what_they_say(chain: Chain) -> None:
    words, masks = [0, 3], [1 << 7, 1 << 200]

    def act(name: str) -> Call:
        call: Callable[..., Call] = getattr(chain.contract, name)
        return call(issuer_id=chain.issuer_id, status_list=0, words=words, masks=masks, reason=REASON)

    for name, kind in (
        ("revoke", CredentialsRevoked),
        ("suspend", CredentialsSuspended),
        ("reinstate", CredentialsReinstated),
    ):
        event = require_event(chain.execute(STATUS_KEY, act(name)), chain.registry, kind)
        assert (list(event.words), list(event.masks), event.reason) == (words, masks, REASON)


def test_a_mined_transaction_without_the_event_is_not_taken_for_done(chain: Chain) -> None:
    receipt = chain.execute(ANCHOR_KEY, chain.anchor_call(5))
    with pytest.raises(LedgerError, match="without the event CredentialsRevoked"):
        require_event(receipt, chain.registry, CredentialsRevoked)
    elsewhere = RegistryId(chain_id=CHAIN_ID, address=address(b"\x01" * 20))
    with pytest.raises(LedgerError, match="without the event BatchAnchored"):
        require_event(receipt, elsewhere, BatchAnchored)


# Each write, failed or failed but persisted; then a restart, which has nothing but what was kept.


@pytest.mark.parametrize("name", ["anchor", "revoke", "suspend", "accredit"])
@pytest.mark.parametrize("fault", [*NOT_SENT, *SENT_AND_LOST])
def test_a_lost_answer_is_reconciled_and_done_once(
    chain: Chain, proxy: FaultProxy, spoiled: LedgerClient, fault: Fault, name: str
) -> None:
    account, call = calls(chain)[name]
    kept: list[SignedTransaction] = []
    proxy.rule = when(SEND, fault)
    nonce = chain.client.mined_count(dev_signer(account).address)

    with pytest.raises(OutcomeUnknownError):
        chain.sender(account, client=spoiled).send(call, kept.append)
    proxy.release.set()

    assert proxy.count(SEND) == 1, "a write is never repeated blindly"
    restarted = chain.sender(account)
    (signed,) = kept
    fates = {Fate.NEVER_SEEN} if fault in NOT_SENT else {Fate.PENDING, Fate.MINED}
    assert restarted.reconcile(signed).fate in fates
    restarted.broadcast(signed)  # whatever happened, the same bytes do no harm
    assert restarted.wait_for_receipt(signed, 5).transaction_hash == signed.hash
    assert chain.client.mined_count(restarted.address) == nonce + 1


def test_a_node_that_cannot_be_reached_was_not_sent_anything(chain: Chain, proxy: FaultProxy) -> None:
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.sign(sender.prepare(chain.anchor_call(5)))
    down = chain.sender(ANCHOR_KEY, client=LedgerClient("http://127.0.0.1:1"))
    with pytest.raises(LedgerUnavailableError, match="cannot be reached"):
        down.broadcast(signed)
    assert sender.reconcile(signed).fate is Fate.NEVER_SEEN


def test_a_crash_before_broadcasting_leaves_what_was_never_seen(chain: Chain) -> None:
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.sign(sender.prepare(chain.anchor_call(5)))
    assert sender.reconcile(signed).fate is Fate.NEVER_SEEN
    with pytest.raises(OutcomeUnknownError, match=r"not mined after 0\.05 s"):
        sender.wait_for_receipt(signed, 0.05)


def test_broadcasting_again_is_harmless_while_waiting_and_when_mined(chain: Chain) -> None:
    chain.set_mining(automatic=False)
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.send(chain.anchor_call(5), drop)
    assert sender.reconcile(signed).fate is Fate.PENDING
    sender.broadcast(signed)
    with pytest.raises(OutcomeUnknownError):
        sender.wait_for_receipt(signed, 0.05)
    chain.mine()
    sender.broadcast(signed)
    receipt = sender.wait_for_receipt(signed)
    assert receipt == sender.reconcile(signed).receipt


def test_a_nonce_taken_by_another_transaction_is_definite(chain: Chain) -> None:
    sender = chain.sender(ANCHOR_KEY)
    lost = sender.sign(sender.prepare(chain.anchor_call(5)))
    chain.anchor(6)
    assert sender.reconcile(lost).fate is Fate.REPLACED
    for act in (lambda: sender.broadcast(lost), lambda: sender.wait_for_receipt(lost)):
        with pytest.raises(ReplacedError):
            act()
    assert (anchored_size(chain, 5), anchored_size(chain, 6)) == (0, 10)


def test_a_nonce_taken_by_one_that_still_waits_is_refused(chain: Chain) -> None:
    chain.set_mining(automatic=False)
    sender = chain.sender(ANCHOR_KEY)
    late = sender.sign(sender.prepare(chain.anchor_call(5)))
    sender.send(chain.anchor_call(6), drop)
    with pytest.raises(NodeRefusedError) as refused:
        sender.broadcast(late)
    assert "another transaction of this account is waiting" in refused.value.advice


def test_a_refusal_of_no_known_meaning_leaves_the_outcome_open(chain: Chain) -> None:
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.sign(sender.prepare(chain.anchor_call(5)))
    garbled = SignedTransaction(raw=b"\x02\x01", hash=signed.hash, sender=signed.sender, nonce=signed.nonce)
    with pytest.raises(OutcomeUnknownError, match="not certain"):
        sender.broadcast(garbled)


def test_a_refusal_followed_by_silence_leaves_the_outcome_open(
    chain: Chain, proxy: FaultProxy, spoiled: LedgerClient
) -> None:
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.send(chain.anchor_call(5), drop)
    proxy.rule = when("eth_getTransactionReceipt", Fault.DROP_BEFORE)
    with pytest.raises(OutcomeUnknownError, match="nonce too low"):
        chain.sender(ANCHOR_KEY, client=spoiled).broadcast(signed)


def test_waiting_survives_a_node_that_is_away_for_a_moment(
    chain: Chain, proxy: FaultProxy, spoiled: LedgerClient
) -> None:
    signed = chain.sender(ANCHOR_KEY).send(chain.anchor_call(5), drop)
    waiting = chain.sender(ANCHOR_KEY, client=spoiled)
    proxy.rule = when("eth_getTransactionReceipt", Fault.DROP_BEFORE, times=4)
    assert waiting.wait_for_receipt(signed, 5).succeeded
    proxy.rule = when("eth_getTransactionReceipt", Fault.DROP_BEFORE)
    with pytest.raises(OutcomeUnknownError, match="broke"):
        waiting.wait_for_receipt(signed, 0.1)


# What the contract refuses.


def test_a_refusal_is_known_before_anything_is_signed(chain: Chain) -> None:
    chain.anchor(5)
    nonce = chain.client.pending_count(dev_signer(ANCHOR_KEY).address)
    with pytest.raises(RevertedError, match="refused to anchor the batch: AlreadyAnchored") as refused:
        chain.sender(ANCHOR_KEY).send(chain.anchor_call(5), drop)
    assert refused.value.name == "AlreadyAnchored"
    assert refused.value.arguments["root"] == root_of(5)
    assert "nothing is left to do" in refused.value.diagnostics()
    assert chain.client.pending_count(dev_signer(ANCHOR_KEY).address) == nonce


@pytest.mark.parametrize(
    ("account", "name"), [(STRANGER, "KeyNotOfIssuer"), (STATUS_KEY, "WrongScope"), (ADMIN, "KeyNotOfIssuer")]
)
def test_who_may_not_anchor_is_told_why(chain: Chain, account: int, name: str) -> None:
    with pytest.raises(RevertedError) as refused:
        chain.sender(account).send(chain.anchor_call(5), drop)
    assert refused.value.name == name


def test_what_is_refused_only_when_mined_says_why(chain: Chain) -> None:
    chain.set_mining(automatic=False)
    sender = chain.sender(ANCHOR_KEY)
    prepared = sender.prepare(chain.anchor_call(5))
    first, second = (sender.sign(replace(prepared, nonce=prepared.nonce + later)) for later in range(2))
    sender.broadcast(first)
    sender.broadcast(second)
    chain.mine()
    assert sender.wait_for_receipt(first).succeeded
    with pytest.raises(RevertedError, match="when it was mined") as refused:
        sender.wait_for_receipt(second)
    assert refused.value.name == "AlreadyAnchored"
    found = sender.reconcile(second)
    assert found.fate is Fate.MINED
    assert found.receipt is not None
    assert not found.receipt.succeeded


def test_another_chain_or_no_contract_is_found_out_before_anything_is_signed(chain: Chain) -> None:
    elsewhere = TransactionSender(chain.client, chain_id=1, signer=dev_signer(ANCHOR_KEY), lock=nullcontext())
    with pytest.raises(WrongLedgerError, match="serves chain 31337, not chain 1"):
        elsewhere.send(chain.anchor_call(5), drop)
    for account in (b"\x01" * 20, dev_signer(STRANGER).address):
        contract = RegistryContract(RegistryId(chain_id=CHAIN_ID, address=address(account)))
        with pytest.raises(WrongLedgerError, match="no contract at 0x"):
            chain.sender(ANCHOR_KEY).send(contract.anchor(issuer_id=1, root=root_of(5), size=1), drop)


def test_an_account_without_coin_is_told_so(chain: Chain) -> None:
    sender = chain.sender(ANCHOR_KEY)
    chain.node.write("anvil_setBalance", ["0x" + sender.address.hex(), "0x1"])
    with pytest.raises(NodeRefusedError, match="not enough coin") as refused:
        sender.send(chain.anchor_call(5), drop)
    assert "send it some coin" in refused.value.advice


def test_what_the_node_refuses_for_sure_is_not_of_unknown_outcome(chain: Chain, proxy: FaultProxy) -> None:
    sender = chain.sender(ANCHOR_KEY, client=LedgerClient(proxy.url))
    prepared = sender.prepare(chain.anchor_call(5))
    with pytest.raises(NodeRefusedError, match="intrinsic gas too low"):
        sender.broadcast(sender.sign(replace(prepared, gas=20_000)))
    proxy.refuse = refusing("over quota", "eth_estimateGas")
    with pytest.raises(NodeRefusedError, match="over quota"):
        sender.prepare(chain.anchor_call(5))


def test_what_runs_out_of_gas_is_reverted_without_a_reason(chain: Chain) -> None:
    sender = chain.sender(ANCHOR_KEY)
    signed = sender.sign(replace(sender.prepare(chain.anchor_call(5)), gas=40_000))
    sender.broadcast(signed)
    with pytest.raises(RevertedError, match="when it was mined") as refused:
        sender.wait_for_receipt(signed)
    assert refused.value.name == ""
    assert anchored_size(chain, 5) == 0


def test_only_a_deployment_deploys(chain: Chain) -> None:
    with pytest.raises(WrongLedgerError, match="deployed no contract"):
        deployed_registry(chain.client, CHAIN_ID, chain.execute(ANCHOR_KEY, chain.anchor_call(5)))


def test_a_node_that_lies_about_fees_does_not_empty_the_account(chain: Chain, proxy: FaultProxy) -> None:
    proxy.change = lambda method, result: hex(10**15) if method == "eth_maxPriorityFeePerGas" else result
    with pytest.raises(LedgerError, match="more than the"):
        chain.sender(ANCHOR_KEY, client=LedgerClient(proxy.url)).send(chain.anchor_call(5), drop)
    assert proxy.count(SEND) == 0


def test_after_mining_and_before_anyone_is_told_the_hook_runs(chain: Chain) -> None:
    ran: list[bool] = []
    sender = TransactionSender(
        chain.client,
        chain_id=CHAIN_ID,
        signer=dev_signer(ANCHOR_KEY),
        lock=nullcontext(),
        on_mined=lambda: ran.append(True),
    )
    sender.wait_for_receipt(sender.send(chain.anchor_call(5), drop))
    assert ran == [True]


# One owner of a nonce.


def test_threads_that_send_at_once_take_a_nonce_each(chain: Chain, tmp_path: Path) -> None:
    sent: list[SignedTransaction] = []

    def send(number: int) -> None:
        sender = chain.sender(ANCHOR_KEY, lock=FileLock(tmp_path / "account.lock"))
        sent.append(sender.send(chain.anchor_call(number), drop))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({signed.nonce for signed in sent}) == len(threads)
    assert all(chain.sender(ANCHOR_KEY).wait_for_receipt(signed).succeeded for signed in sent)


def _send_in_process(url: str, registry: str, issuer_id: int, lock: str, numbers: list[int]) -> list[int]:
    contract = RegistryContract(RegistryId.parse(registry))
    sender = TransactionSender(LedgerClient(url), chain_id=CHAIN_ID, signer=dev_signer(ANCHOR_KEY), lock=FileLock(lock))
    sent = [sender.send(contract.anchor(issuer_id=issuer_id, root=root_of(number), size=1), drop) for number in numbers]
    return [signed.nonce for signed in sent if sender.wait_for_receipt(signed).succeeded]


def test_processes_that_send_at_once_take_a_nonce_each(chain: Chain, tmp_path: Path) -> None:
    lock, registry = str(tmp_path / "account.lock"), chain.registry.to_text()
    with get_context("spawn").Pool(2) as pool:
        nonces = pool.starmap(
            _send_in_process,
            [(chain.url, registry, chain.issuer_id, lock, list(range(start, start + 5))) for start in (20, 30)],
        )
    assert len({nonce for some in nonces for nonce in some}) == 10
    assert all(anchored_size(chain, number) == 1 for number in (20, 24, 30, 34))
