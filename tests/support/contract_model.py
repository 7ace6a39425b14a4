"""A model of the contract that makes random calls: what its logs and its state would be.

Honest people and thieves alike: to the contract a stolen key is a key. `tests.ledger.random_contract` lets the real
contract do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from eth_hash.auto import keccak
from hypothesis import strategies as st

from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, StatusWord
from anchor.model import StatusPosition
from anchor.status import StatusPurpose, positions_of
from tests.support.history import (
    ACCREDITOR,
    ADMIN,
    Call,
    accredited,
    anchored,
    batch_revoked,
    control_accepted,
    control_offered,
    deployed,
    epochs_changed,
    key_added,
    key_compromised,
    key_retired,
    nonces_cancelled,
    role_changed,
    status_changed,
    withdrawn,
)
from tests.support.stories import REINSTATED, REVOKED, SUSPENDED

NOBODY: Final = bytes(20)
NEVER: Final = 2**40
MADE_UP_ROLE: Final = b"\x05" * 32
"""A role that means nothing: admins may make up such."""
WORDS: Final = (0, 1, 2, 511)
"""Few, so that calls meet in them."""


@dataclass
class ModelKey:
    issuer: int
    scope: int
    epoch: int
    valid_from: int
    retired_at: int | None = None
    compromised_at: int | None = None
    nonce: int = 0
    stolen_at: int | None = None
    """Since when a thief has it, too."""

    @property
    def cut_off(self) -> int | None:
        ends = [end for end in (self.retired_at, self.compromised_at) if end is not None]
        return min(ends) if ends else None


@dataclass
class ModelBatch:
    key: bytes
    at: int
    size: int
    revoked_epoch: int | None = None
    reason: int = 0


@dataclass
class Model:
    """What the contract would do, one random call after another."""

    random: Random
    at: int = 1_000
    block: int = 1
    calls: list[Call] = field(default_factory=list)
    admin: bytes | None = ADMIN
    """None: the last one gave the role up."""
    accreditors: list[bytes] = field(default_factory=lambda: [ACCREDITOR])
    players: list[bytes] = field(default_factory=list)
    """Who has the made-up role."""
    controllers: dict[int, bytes] = field(default_factory=dict)
    offers: dict[int, bytes] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    epochs: dict[int, tuple[int, int]] = field(default_factory=dict)
    keys: dict[bytes, ModelKey] = field(default_factory=dict)
    roots: dict[tuple[int, bytes], ModelBatch] = field(default_factory=dict)
    bits: dict[tuple[int, StatusPurpose, StatusWord], int] = field(default_factory=dict)
    named: int = 0

    def __post_init__(self) -> None:
        self.do(*deployed(at=self.at, block=self.block))

    # What a subclass may do for real.

    def do(self, *calls: Call, relayed: bool = False) -> None:
        """Take the events of one call; `relayed`: the key signs and somebody else sends."""
        assert relayed is False or len(calls) == 1
        self.calls += calls

    def offer_admin(self, heir: bytes) -> None:
        """Offer the admin's role, to nobody before it is given up: that is in no head."""

    def fail(self) -> None:
        """Try something that the contract must refuse."""

    def pass_time(self) -> None:
        self.block += self.random.randint(1, 3)
        self.at += self.random.randint(0, 20)

    def new_key(self) -> bytes:
        return self.fresh()[:20]

    # What all acts share.

    def fresh(self) -> bytes:
        """32 bytes that no other call has: what never repeats is not left to chance."""
        self.named += 1
        return keccak(b"%d" % self.named)

    @property
    def now(self) -> dict[str, Any]:
        return {"at": self.at, "block": self.block}

    def step(self) -> None:
        if self.random.random() < 0.7:
            self.pass_time()
        acts: list[Callable[[], None]] = [self.accredit] * (
            2 if len(self.controllers) < 3 else len(self.controllers) < 6
        )
        if self.admin is not None:
            acts.append(self.change_role)
        if self.controllers:
            acts += [self.withdraw, self.move_control, *[self.add_key] * 4, *[self.fail] * 3]
        if self.keys:
            acts += [self.cut_off, self.cancel_nonces, *[self.anchor] * 4, *[self.change_status] * 6]
            acts += [self.steal, *[self.rob] * 2, self.find_out]
        if self.roots:
            acts += [self.revoke_batch, *[self.anchor_again] * 3]
        self.random.choice(acts)()

    # Roles, accreditation and control.

    def change_role(self) -> None:
        assert self.admin is not None
        match self.random.randint(0, 5):
            case 0:
                self.hand_over_admin(self.admin)
            case 1 if self.random.random() < 0.1:
                self.offer_admin(NOBODY)
                self.pass_time()
                self.do(role_changed(ADMIN_ROLE, self.admin, granted=False, actor=self.admin, **self.now))
                self.admin = None
            case 2 if len(self.accreditors) > 1:
                self.take_role(bytes(ACCREDITOR_ROLE), self.accreditors)
            case 3 if self.players:
                self.take_role(MADE_UP_ROLE, self.players)
            case 4:
                self.give_role(MADE_UP_ROLE, self.players)
            case _:
                self.give_role(bytes(ACCREDITOR_ROLE), self.accreditors)

    def hand_over_admin(self, admin: bytes) -> None:
        # An admin may offer the role to himself: then he loses it and has it again.
        heir = admin if self.random.random() < 0.2 else self.fresh()[:20]
        self.offer_admin(heir)
        self.pass_time()
        self.do(
            role_changed(ADMIN_ROLE, admin, granted=False, actor=heir, **self.now),
            role_changed(ADMIN_ROLE, heir, actor=heir, **self.now),
        )
        self.admin = heir

    def give_role(self, role: bytes, members: list[bytes]) -> None:
        assert self.admin is not None
        members.append(self.fresh()[:20])
        self.do(role_changed(role, members[-1], actor=self.admin, **self.now))

    def take_role(self, role: bytes, members: list[bytes]) -> None:
        assert self.admin is not None
        gone = members.pop(self.random.randrange(len(members)))
        actor = self.random.choice([gone, self.admin])
        self.do(role_changed(role, gone, granted=False, actor=actor, **self.now))

    def accredit(self) -> None:
        issuer = len(self.controllers) + 1
        controller, actor = self.fresh()[:20], self.random.choice(self.accreditors)
        did = f"did:web:{self.random.choice('aé你')}{issuer}.example"
        self.do(accredited(issuer, did, controller=controller, actor=actor, **self.now))
        self.controllers[issuer] = controller
        self.epochs[issuer] = (0, 1)

    def withdraw(self) -> None:
        issuer, end = self.random.choice(list(self.controllers)), self.at + self.random.randint(1, 2_000)
        if end < self.ends.get(issuer, NEVER) and self.accredited_now(issuer):
            actor, reason = self.random.choice(self.accreditors), self.reason()
            self.do(withdrawn(issuer, end, actor=actor, reason=reason, **self.now))
            self.ends[issuer] = end

    def accredited_now(self, issuer: int) -> bool:
        return self.at < self.ends.get(issuer, NEVER)

    def move_control(self) -> None:
        issuer = self.random.choice(list(self.controllers))
        offered, actor = self.offers.get(issuer), self.controllers[issuer]
        if offered is not None and self.random.random() < 0.5:
            self.controllers[issuer] = self.offers.pop(issuer)
            self.do(control_accepted(issuer, offered, **self.now))
            return
        heir = NOBODY if offered is not None and self.random.random() < 0.2 else self.fresh()[:20]
        self.do(control_offered(issuer, heir, actor=actor, **self.now))
        self.offers.pop(issuer, None)
        if heir != NOBODY:
            self.offers[issuer] = heir

    # Keys, and who stole them.

    def add_key(self) -> None:
        issuer = self.random.choice(list(self.controllers))
        key, scope = self.new_key(), self.random.choice([1, 2])
        if scope == 1 and not self.accredited_now(issuer):
            return
        epoch = self.random.choice(self.epochs[issuer]) if scope == 2 else 0
        start = self.at + self.random.randint(1, 60) if self.random.random() < 0.1 else 0
        actor = self.controllers[issuer]
        self.do(key_added(issuer, key, scope, actor=actor, epoch=epoch, valid_from=start, **self.now))
        self.keys[key] = ModelKey(issuer=issuer, scope=scope, epoch=epoch, valid_from=start or self.at)

    def cut_off(self) -> None:
        key, record = self.random.choice(list(self.keys.items()))
        if record.cut_off is None and self.random.random() < 0.5:
            self.do(key_retired(record.issuer, key, actor=self.controllers[record.issuer], **self.now))
            record.retired_at = self.at + 1
        elif record.valid_from <= self.at:
            self.compromise(key, self.random.randint(record.valid_from, self.at))

    def compromise(self, key: bytes, since: int) -> None:
        record = self.keys[key]
        if record.cut_off is not None and since >= record.cut_off:
            return
        actor = self.controllers[record.issuer]
        calls = [key_compromised(record.issuer, key, since, actor=actor, **self.now)]
        current, following = self.epochs[record.issuer]
        if record.scope == 2 and record.epoch in (current, following):
            counts = following if record.epoch == current else current
            self.epochs[record.issuer] = (counts, following + 1)
            calls.append(epochs_changed(record.issuer, counts, following + 1, actor=actor, **self.now))
        self.do(*calls)
        record.compromised_at = since

    def steal(self) -> None:
        able = [record for scope in (1, 2) for _, record in self.able(scope) if record.stolen_at is None]
        if able:
            self.random.choice(able).stolen_at = self.at

    def rob(self) -> None:
        """The thief does what he can with a key that he stole, at once."""
        stolen = [(key, each) for scope in (1, 2) for key, each in self.able(scope) if each.stolen_at is not None]
        if not stolen:
            return
        key, record = self.random.choice(stolen)
        for _ in range(self.random.randint(1, 3)):
            if record.scope == 2 and record.epoch in self.epochs[record.issuer]:
                self.random.choice([self.change_bits, self.revoke_some_batch])(key, record)
            elif record.scope == 1 and self.accredited_now(record.issuer):
                self.put(key, record.issuer, self.fresh())

    def find_out(self) -> None:
        """A theft is found out: the controller declares the key compromised since then."""
        stolen = [(key, each.stolen_at) for key, each in self.keys.items() if each.stolen_at is not None]
        if stolen:
            self.compromise(*self.random.choice(stolen))

    def able(self, scope: int) -> list[tuple[bytes, ModelKey]]:
        return [
            (key, record)
            for key, record in self.keys.items()
            if record.scope == scope and record.valid_from <= self.at < (record.cut_off or NEVER)
        ]

    def cancel_nonces(self) -> None:
        key, record = self.random.choice(list(self.keys.items()))
        record.nonce += self.random.choice([1, 1024, self.random.randint(1, 1024)])
        actor = self.random.choice([key, self.controllers[record.issuer]])
        self.do(nonces_cancelled(record.issuer, key, record.nonce, actor=actor, **self.now))

    # Batches and status.

    def reason(self) -> int:
        return self.random.randint(1, 7)

    def relays(self) -> bool:
        return self.random.random() < 0.4

    def anchor(self) -> None:
        able = [(key, record) for key, record in self.able(1) if self.accredited_now(record.issuer)]
        if able:
            key, record = self.random.choice(able)
            self.put(key, record.issuer, self.fresh())

    def put(self, key: bytes, issuer: int, root: bytes) -> None:
        size = self.random.choice([0, self.random.randint(1, 2**32 - 1)])
        # Without a size it is the bare root that is sent, by the key itself.
        self.do(anchored(issuer, root, size=size, actor=key, **self.now), relayed=size > 0 and self.relays())
        self.roots[issuer, root] = ModelBatch(key=key, at=self.at, size=size)

    def is_void(self, batch: ModelBatch) -> bool:
        cut_off = self.keys[batch.key].cut_off
        return cut_off is not None and cut_off <= batch.at

    def is_revoked(self, batch: ModelBatch, epoch: int) -> bool:
        return batch.revoked_epoch is not None and batch.revoked_epoch >= epoch

    def void(self) -> list[tuple[int, bytes]]:
        """Batches that may be anchored again, as far as they themselves are concerned."""
        return [
            (issuer, root)
            for (issuer, root), batch in self.roots.items()
            if self.is_void(batch) and not self.is_revoked(batch, self.epochs[issuer][0])
        ]

    def anchor_again(self) -> None:
        for issuer, root in self.random.sample(self.void(), len(self.void())):
            able = [key for key, record in self.able(1) if record.issuer == issuer and self.accredited_now(issuer)]
            if able:
                self.put(self.random.choice(able), issuer, root)
                return

    def writers(self) -> list[tuple[bytes, ModelKey]]:
        return [(key, record) for key, record in self.able(2) if record.epoch in self.epochs[record.issuer]]

    def revoke_batch(self) -> None:
        if self.writers():
            self.revoke_some_batch(*self.random.choice(self.writers()))

    def revoke_some_batch(self, key: bytes, record: ModelKey) -> None:
        for (issuer, root), batch in self.roots.items():
            if issuer == record.issuer and not self.is_revoked(batch, record.epoch):
                reason, relayed = self.reason(), self.relays()
                call = batch_revoked(issuer, root, actor=key, epoch=record.epoch, reason=reason, **self.now)
                self.do(call, relayed=relayed)
                batch.revoked_epoch, batch.reason = record.epoch, reason
                record.nonce += relayed
                return

    def change_status(self) -> None:
        if self.writers():
            self.change_bits(*self.random.choice(self.writers()))

    def change_bits(self, key: bytes, record: ModelKey) -> None:
        issuer, epoch = record.issuer, record.epoch
        name, status_list = self.random.choice([REVOKED, SUSPENDED, REINSTATED]), self.random.randint(0, 1)
        purpose = StatusPurpose.REVOCATION if name == REVOKED else StatusPurpose.SUSPENSION
        words, masks = [], []
        for word in sorted(self.random.sample(WORDS, self.random.randint(1, 3))):
            place = (issuer, purpose, StatusWord(epoch, status_list, word))
            old = self.bits.get(place, 0)
            asked = self.random.getrandbits(256) & self.random.getrandbits(256)
            mask = asked & (old if name == REINSTATED else ~old)
            if mask:
                words.append(word)
                masks.append(mask)
                self.bits[place] = old ^ mask
        if words:
            said: dict[str, Any] = {"actor": key, "status_list": status_list, "epoch": epoch, **self.now}
            relayed = self.relays()
            self.do(status_changed(name, issuer, words, masks, reason=self.reason(), **said), relayed=relayed)
            # Of suspensions and reinstatements a direct call uses up a nonce, too.
            record.nonce += relayed or name != REVOKED

    def set_bits(self, issuer: int, purpose: StatusPurpose, epoch: int) -> set[StatusPosition]:
        return {
            position
            for (whose, what, place), mask in self.bits.items()
            if (whose, what, place.epoch) == (issuer, purpose, epoch)
            for position in positions_of(place.status_list, place.word, mask)
        }


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Short histories, of which hypothesis finds the shortest that fails."""
    return _after(Model(random=draw(st.randoms(use_true_random=False))), draw(st.integers(1, 40)))


@st.composite
def eventful_models(draw: st.DrawFn) -> Model:
    """Longer ones, in most of which batches are revoked and status epochs change."""
    return _after(Model(random=Random(draw(st.integers(0, 2**64 - 1)))), draw(st.integers(80, 140)))


@st.composite
def long_models(draw: st.DrawFn) -> Model:
    """Histories of hundreds of calls; a seed for each is all that hypothesis chooses."""
    return _after(Model(random=Random(draw(st.integers(0, 2**64 - 1)))), draw(st.integers(300, 500)))


def _after(model: Model, steps: int) -> Model:
    for _ in range(steps):
        model.step()
    return model
