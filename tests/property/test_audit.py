"""A model of the contract writes random histories: replay finds its state, and sees through every falsification."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from anchor.audit import History, StatusWord, check_complete, replay
from anchor.errors import HistoryError
from anchor.events import RawLog
from anchor.status import StatusPurpose, mask_of, positions_of, word_of
from tests.support.history import REGISTRY, Call, accredited, anchored, chain, key_added, status_changed

REVOKED, SUSPENDED, REINSTATED = "CredentialsRevoked", "CredentialsSuspended", "CredentialsReinstated"


@dataclass
class Model:
    """What the contract would do, one random call after another."""

    random: Random
    calls: list[Call] = field(default_factory=list)
    controllers: dict[int, bytes] = field(default_factory=dict)
    keys: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    """Issuer, scope and status epoch of each key."""
    roots: dict[tuple[int, bytes], int] = field(default_factory=dict)
    bits: dict[tuple[int, StatusPurpose, StatusWord], int] = field(default_factory=dict)
    at: int = 1_000
    block: int = 1

    def fresh(self) -> bytes:
        """32 bytes that no other call has: what never repeats is not left to chance."""
        return keccak(b"%d" % len(self.calls))

    def step(self) -> None:
        if self.random.random() < 0.7:
            self.block += self.random.randint(1, 3)
            self.at += self.random.randint(0, 20)
        known = [scope for _, scope, _ in self.keys.values()]
        acts = [self.accredit, *[self.add_key] * (2 * bool(self.controllers))]
        acts += [self.anchor] * (3 * (1 in known)) + [self.change_status] * (5 * (2 in known))
        self.random.choice(acts)()

    def accredit(self) -> None:
        issuer = len(self.controllers) + 1
        controller = self.fresh()[:20]
        did = f"did:web:{self.random.choice('aé你')}{issuer}.example"
        self.calls.append(accredited(issuer, did, controller=controller, at=self.at, block=self.block))
        self.controllers[issuer] = controller

    def add_key(self) -> None:
        issuer = self.random.choice(list(self.controllers))
        key, scope = self.fresh()[:20], self.random.choice([1, 2])
        epoch = self.random.choice([0, 1]) if scope == 2 else 0
        actor = self.controllers[issuer]
        self.calls.append(key_added(issuer, key, scope, actor=actor, at=self.at, block=self.block, epoch=epoch))
        self.keys[key] = (issuer, scope, epoch)

    def anchor(self) -> None:
        key, issuer, _ = self.random.choice([(k, i, e) for k, (i, scope, e) in self.keys.items() if scope == 1])
        root, size = self.fresh(), self.random.randint(1, 2**32 - 1)
        self.calls.append(anchored(issuer, root, size=size, actor=key, at=self.at, block=self.block))
        self.roots[issuer, root] = size

    def change_status(self) -> None:
        key, issuer, epoch = self.random.choice([(k, i, e) for k, (i, scope, e) in self.keys.items() if scope == 2])
        name, status_list = self.random.choice([REVOKED, SUSPENDED, REINSTATED]), self.random.randint(0, 1)
        purpose = StatusPurpose.REVOCATION if name == REVOKED else StatusPurpose.SUSPENSION
        words, masks = [], []
        for word in sorted(self.random.sample([0, 1, 2, 511], self.random.randint(1, 3))):
            place = (issuer, purpose, StatusWord(epoch, status_list, word))
            old = self.bits.get(place, 0)
            asked = self.random.getrandbits(256) & self.random.getrandbits(256)
            mask = asked & (old if name == REINSTATED else ~old)
            if mask:
                words.append(word)
                masks.append(mask)
                self.bits[place] = old ^ mask
        if words:
            said: dict[str, Any] = {
                "actor": key,
                "at": self.at,
                "block": self.block,
                "status_list": status_list,
                "epoch": epoch,
            }
            self.calls.append(status_changed(name, issuer, words, masks, **said))


@st.composite
def models(draw: st.DrawFn) -> Model:
    model = Model(random=draw(st.randoms(use_true_random=False)))
    for _ in range(draw(st.integers(1, 25))):
        model.step()
    return model


def assert_rejected(logs: list[RawLog], told: Model) -> None:
    _, proven = chain(told.calls)
    with pytest.raises(HistoryError):
        check_complete(replay(logs, REGISTRY), proven)


@given(model=models())
def test_replay_finds_what_happened(model: Model) -> None:
    logs, proven = chain(model.calls)
    history = replay(logs, REGISTRY)
    check_complete(history, proven)
    assert [event.log for event in history.events] == logs
    assert {issuer.issuer_id: issuer.record.controller for issuer in history.issuers} == model.controllers
    assert {
        bytes(address): (key.issuer_id, key.scope, key.status_epoch)
        for issuer in history.issuers
        for address, key in issuer.keys.items()
    } == model.keys
    assert {
        (issuer.issuer_id, root): batch.size for issuer in history.issuers for root, batch in issuer.batches.items()
    } == model.roots
    assert {
        (issuer.issuer_id, purpose, word): mask
        for issuer in history.issuers
        for purpose, words in issuer.bits.items()
        for word, mask in words.items()
    } == model.bits
    check_changes(history)


def check_changes(history: History) -> None:
    """What is told of single credentials adds up to the bits."""
    for issuer in history.issuers:
        for purpose in StatusPurpose:
            for position in issuer.positions(purpose)[:20]:
                changes = [change for change in issuer.changes_of(position) if change.epoch == 0]
                kinds = [change.kind for change in changes]
                if purpose is StatusPurpose.REVOCATION:
                    assert kinds.count("credentialsRevoked") == 1
                else:
                    assert kinds.count("credentialsSuspended") == kinds.count("credentialsReinstated") + 1
            for word, mask in issuer.bits[purpose].items():
                shown = positions_of(word.status_list, word.word, mask)
                assert sum(mask_of(each.index) for each in shown) == mask
                assert {word_of(each.index) for each in shown} <= {word.word}


@given(model=models(), data=st.data())
def test_no_log_can_be_left_out(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    del logs[data.draw(st.integers(0, len(logs) - 1))]
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_bit_of_a_log_can_be_changed(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    index = data.draw(st.integers(0, len(logs) - 1))
    log = logs[index]
    content = bytearray(b"".join(log.topics) + log.data)
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    topics = tuple(bytes(content[start : start + 32]) for start in range(0, 96, 32))
    logs[index] = replace(log, topics=topics, data=bytes(content[96:]))  # type: ignore[arg-type]
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_word_of_a_log_can_be_replaced(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    index = data.draw(st.integers(0, len(logs) - 1))
    log = logs[index]
    at = 32 * data.draw(st.integers(0, len(log.data) // 32 - 1))
    word = data.draw(st.integers(0, 2**256 - 1) | st.integers(0, 512)).to_bytes(32, "big")
    changed = log.data[:at] + word + log.data[at + 32 :]
    assume(changed != log.data)
    logs[index] = replace(log, data=changed)
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_two_logs_of_an_issuer_can_change_places(model: Model, data: st.DataObject) -> None:
    # Places alone are bound by no head: logs of two issuers at one time may have come in either order.
    logs, _ = chain(model.calls)
    issuer = data.draw(st.sampled_from(sorted(model.controllers)))
    own = [index for index, log in enumerate(logs) if log.topics[1] == issuer.to_bytes(32, "big")]
    first, second = data.draw(st.sampled_from(own)), data.draw(st.sampled_from(own))
    assume(first != second)
    one, two = logs[first], logs[second]
    logs[first] = replace(one, topics=two.topics, data=two.data)
    logs[second] = replace(two, topics=one.topics, data=one.data)
    assert_rejected(logs, model)
    logs[first], logs[second] = two, one
    assert_rejected(logs, model)


@given(model=models(), data=st.data())
def test_no_log_can_be_inserted(model: Model, data: st.DataObject) -> None:
    logs, _ = chain(model.calls)
    doubled = data.draw(st.sampled_from(logs))
    later = [replace(log, log_index=log.log_index + 1) if log.log_index > doubled.log_index else log for log in logs]
    later.insert(doubled.log_index + 1, replace(doubled, log_index=doubled.log_index + 1))
    assert_rejected(later, model)


@given(model=models(), data=st.data())
def test_no_history_with_heads_of_its_own_passes(model: Model, data: st.DataObject) -> None:
    # The forger runs his own contract: every head follows, and only the proven ones give him away.
    forged = list(model.calls)
    index = data.draw(st.integers(0, len(forged) - 1))
    match data.draw(st.sampled_from(["remove", "double", "swap", "alter", "append"])):
        case "remove":
            del forged[index]
        case "double":
            forged.insert(index, forged[index])
        case "swap":
            forged.insert(0, forged.pop(index))
        case "alter":
            *others, at = forged[index].values
            assert isinstance(at, int)
            forged[index] = replace(forged[index], values=(*others, at + 1))
        case _:
            issuer = len(model.controllers) + 1
            forged.append(accredited(issuer, "did:web:x", controller=b"\x01" * 20, at=model.at, block=model.block))
    assume(forged != model.calls)
    assert_rejected(chain(forged)[0], model)


@given(model=models())
def test_history_of_another_registry_is_refused(model: Model) -> None:
    other = replace(REGISTRY, chain_id=1)
    logs, _ = chain(model.calls, other)
    with pytest.raises(HistoryError):
        replay(logs, REGISTRY)
