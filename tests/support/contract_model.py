"""A model of the contract that makes random calls: what its logs and its state would be."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

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


@dataclass
class ModelKey:
    issuer: int
    scope: int
    epoch: int
    cut_off: int | None = None
    nonce: int = 0


@dataclass
class ModelBatch:
    key: bytes
    at: int
    size: int
    revoked_epoch: int | None = None


@dataclass
class Model:
    """What the contract would do, one random call after another."""

    random: Random
    calls: list[Call] = field(default_factory=lambda: list(deployed(at=1_000, block=1)))
    admin: bytes = ADMIN
    accreditors: list[bytes] = field(default_factory=lambda: [ACCREDITOR])
    controllers: dict[int, bytes] = field(default_factory=dict)
    offers: dict[int, bytes] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    epochs: dict[int, tuple[int, int]] = field(default_factory=dict)
    keys: dict[bytes, ModelKey] = field(default_factory=dict)
    roots: dict[tuple[int, bytes], ModelBatch] = field(default_factory=dict)
    bits: dict[tuple[int, StatusPurpose, StatusWord], int] = field(default_factory=dict)
    at: int = 1_000
    block: int = 1

    def fresh(self) -> bytes:
        """32 bytes that no other call has: what never repeats is not left to chance."""
        return keccak(b"%d" % len(self.calls))

    @property
    def now(self) -> dict[str, Any]:
        return {"at": self.at, "block": self.block}

    def step(self) -> None:
        if self.random.random() < 0.7:
            self.block += self.random.randint(1, 3)
            self.at += self.random.randint(0, 20)
        acts = [self.change_role, *[self.accredit] * (2 * (len(self.controllers) < 3))]
        if self.controllers:
            acts += [self.withdraw, self.move_control, *[self.add_key] * 4]
        if self.keys:
            acts += [self.cut_off, self.cut_off, self.cancel_nonces, *[self.anchor] * 4, *[self.change_status] * 6]
        if self.roots:
            acts += [self.revoke_batch, *[self.anchor_again] * 3]
        self.random.choice(acts)()

    def change_role(self) -> None:
        role = bytes(ACCREDITOR_ROLE)
        match self.random.randint(0, 2):
            case 0:
                heir = self.fresh()[:20]
                self.calls += [
                    role_changed(ADMIN_ROLE, self.admin, granted=False, actor=heir, **self.now),
                    role_changed(ADMIN_ROLE, heir, actor=heir, **self.now),
                ]
                self.admin = heir
            case 1:
                self.accreditors.append(self.fresh()[:20])
                self.calls.append(role_changed(role, self.accreditors[-1], actor=self.admin, **self.now))
            case _ if len(self.accreditors) > 1:
                gone = self.accreditors.pop(self.random.randrange(len(self.accreditors)))
                actor = self.random.choice([gone, self.admin])
                self.calls.append(role_changed(role, gone, granted=False, actor=actor, **self.now))

    def accredit(self) -> None:
        issuer = len(self.controllers) + 1
        controller, actor = self.fresh()[:20], self.random.choice(self.accreditors)
        did = f"did:web:{self.random.choice('aé你')}{issuer}.example"
        self.calls.append(accredited(issuer, did, controller=controller, actor=actor, **self.now))
        self.controllers[issuer] = controller
        self.epochs[issuer] = (0, 1)

    def withdraw(self) -> None:
        issuer, end = self.random.choice(list(self.controllers)), self.at + self.random.randint(1, 200)
        if end < self.ends.get(issuer, 2**40) and self.accredited_now(issuer):
            self.calls.append(withdrawn(issuer, end, actor=self.random.choice(self.accreditors), **self.now))
            self.ends[issuer] = end

    def accredited_now(self, issuer: int) -> bool:
        return self.at < self.ends.get(issuer, 2**40)

    def move_control(self) -> None:
        issuer = self.random.choice(list(self.controllers))
        if issuer in self.offers and self.random.random() < 0.5:
            self.controllers[issuer] = self.offers.pop(issuer)
            self.calls.append(control_accepted(issuer, self.controllers[issuer], **self.now))
        else:
            self.offers[issuer] = self.fresh()[:20]
            actor = self.controllers[issuer]
            self.calls.append(control_offered(issuer, self.offers[issuer], actor=actor, **self.now))

    def add_key(self) -> None:
        issuer = self.random.choice(list(self.controllers))
        key, scope = self.fresh()[:20], self.random.choice([1, 2])
        if scope == 1 and not self.accredited_now(issuer):
            return
        epoch = self.random.choice(self.epochs[issuer]) if scope == 2 else 0
        actor = self.controllers[issuer]
        self.calls.append(key_added(issuer, key, scope, actor=actor, epoch=epoch, **self.now))
        self.keys[key] = ModelKey(issuer=issuer, scope=scope, epoch=epoch)

    def cut_off(self) -> None:
        key, record = self.random.choice(list(self.keys.items()))
        actor, added = self.controllers[record.issuer], self.added_at(key)
        if record.cut_off is None and self.random.random() < 0.3:
            self.calls.append(key_retired(record.issuer, key, actor=actor, **self.now))
            record.cut_off = self.at + 1
            return
        since = self.random.randint(added, self.at)
        if record.cut_off is not None and since >= record.cut_off:
            return
        self.calls.append(key_compromised(record.issuer, key, since, actor=actor, **self.now))
        record.cut_off = since
        current, following = self.epochs[record.issuer]
        if record.scope == 2 and record.epoch in (current, following):
            counts = following if record.epoch == current else current
            self.epochs[record.issuer] = (counts, following + 1)
            self.calls.append(epochs_changed(record.issuer, counts, following + 1, actor=actor, **self.now))

    def added_at(self, key: bytes) -> int:
        (at,) = [
            call.values[4] for call in self.calls if call.event == "KeyAdded" and call.values[1] == f"0x{key.hex()}"
        ]
        assert isinstance(at, int)
        return at

    def able(self, scope: int) -> list[tuple[bytes, ModelKey]]:
        return [
            (key, record)
            for key, record in self.keys.items()
            if record.scope == scope and (record.cut_off is None or self.at < record.cut_off)
        ]

    def cancel_nonces(self) -> None:
        key, record = self.random.choice(list(self.keys.items()))
        record.nonce += self.random.randint(1, 1024)
        actor = self.random.choice([key, self.controllers[record.issuer]])
        self.calls.append(nonces_cancelled(record.issuer, key, record.nonce, actor=actor, **self.now))

    def anchor(self) -> None:
        able = [(key, record) for key, record in self.able(1) if self.accredited_now(record.issuer)]
        if able:
            key, record = self.random.choice(able)
            self.put(key, record.issuer, self.fresh())

    def put(self, key: bytes, issuer: int, root: bytes) -> None:
        size = self.random.choice([0, self.random.randint(1, 2**32 - 1)])
        self.calls.append(anchored(issuer, root, size=size, actor=key, **self.now))
        self.roots[issuer, root] = ModelBatch(key=key, at=self.at, size=size)

    def is_void(self, batch: ModelBatch) -> bool:
        cut_off = self.keys[batch.key].cut_off
        return cut_off is not None and cut_off <= batch.at

    def is_revoked(self, batch: ModelBatch, epoch: int) -> bool:
        return batch.revoked_epoch is not None and batch.revoked_epoch >= epoch

    def anchor_again(self) -> None:
        (issuer, root), batch = self.random.choice(list(self.roots.items()))
        able = [key for key, record in self.able(1) if record.issuer == issuer and self.accredited_now(issuer)]
        if able and self.is_void(batch) and not self.is_revoked(batch, self.epochs[issuer][0]):
            self.put(self.random.choice(able), issuer, root)

    def writers(self) -> list[tuple[bytes, ModelKey]]:
        return [(key, record) for key, record in self.able(2) if record.epoch in self.epochs[record.issuer]]

    def revoke_batch(self) -> None:
        for key, record in self.random.sample(self.writers(), len(self.writers())):
            for (issuer, root), batch in self.roots.items():
                if issuer == record.issuer and not self.is_revoked(batch, record.epoch):
                    self.calls.append(batch_revoked(issuer, root, actor=key, epoch=record.epoch, **self.now))
                    batch.revoked_epoch = record.epoch
                    record.nonce += self.random.randint(0, 1)
                    return

    def change_status(self) -> None:
        if not self.writers():
            return
        key, record = self.random.choice(self.writers())
        issuer, epoch = record.issuer, record.epoch
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
            said: dict[str, Any] = {"actor": key, "status_list": status_list, "epoch": epoch, **self.now}
            self.calls.append(status_changed(name, issuer, words, masks, **said))
            record.nonce += self.random.randint(0, 1) if name == REVOKED else 1

    def set_bits(self, issuer: int, purpose: StatusPurpose, epoch: int) -> set[StatusPosition]:
        return {
            position
            for (whose, what, place), mask in self.bits.items()
            if (whose, what, place.epoch) == (issuer, purpose, epoch)
            for position in positions_of(place.status_list, place.word, mask)
        }


@st.composite
def models(draw: st.DrawFn) -> Model:
    model = Model(random=draw(st.randoms(use_true_random=False)))
    for _ in range(draw(st.integers(1, 40))):
        model.step()
    return model
