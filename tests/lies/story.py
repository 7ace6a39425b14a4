"""The true story: a real registry on a real anvil, credentials in every situation, and what is so at each block.

What is true of a credential is written down where the story makes it so, block by block, never asked of a verifier.

    a day each      set up and anchored · suspended, a thief at work · reinstated, revoked, cut off, withdrawn
    minutes         suspended · reinstated, revoked, anchored · 66 blocks, so that those are final · anchored: pending
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from anchor.credential import Credential, parse_credential
from anchor.errors import RevertedError
from anchor.events import IssuerAccredited
from anchor.evidence import batch_slot, did_hash_slot, issuer_slot, key_slot, word_slot
from anchor.ledger.client import Call
from anchor.ledger.contract import RegistryContract, deployed_registry, deployment, require_event
from anchor.ledger.testnet import dev_signer
from anchor.model import Hash32, KeyScope, RegistryId, address, to_hex
from anchor.status import StatusPurpose, word_of
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, REASON, STATUS_KEY, Chain
from tests.support.issuing import make_batch

(STOLEN_ANCHOR_KEY, EPOCH_ANCHOR_KEY, STOLEN_STATUS_KEY, NEXT_STATUS_KEY, WITHDRAWN_ANCHOR_KEY) = range(5, 10)
"""Further accounts of the testnet, after those of `tests.ledger.chain`."""

DAY: Final = 86_400
MAX_AGE: Final = 3600
MAX_ABSENCE_AGE: Final = 120
CONFIRMATIONS: Final = 2
EMPTY_BLOCKS: Final = 66
"""anvil takes what has 64 blocks on top for final."""

Truth = tuple[str, str]
"""Outcome and reason."""

VALID: Final[Truth] = ("valid", "")
NOT_ANCHORED: Final[Truth] = ("invalid", "notAnchored")
PENDING: Final[Truth] = ("unknown", "pending")
REVOKED: Final[Truth] = ("invalid", "revoked")
SUSPENDED: Final[Truth] = ("invalid", "suspended")
BATCH_REVOKED: Final[Truth] = ("invalid", "batchRevoked")
COMPROMISED: Final[Truth] = ("invalid", "keyCompromised")
OTHER_ISSUER: Final[Truth] = ("invalid", "untrustedIssuer")
TAMPERED: Final[Truth] = ("invalid", "tampered")
EXPIRED: Final[Truth] = ("invalid", "expired")
NOT_YET: Final[Truth] = ("invalid", "notYetValid")
OTHER_REGISTRY: Final[Truth] = ("unknown", "untrustedRegistry")
WRONG_CODE: Final[Truth] = ("unknown", "wrongCode")

ALL_FACTS: Final = frozenset({"batch", "key", "issuer", "did", "revoked", "suspended"})
FACTS_OF: Final = {
    VALID: ALL_FACTS,
    PENDING: frozenset({"batch"}),
    NOT_ANCHORED: frozenset({"batch"}),
    BATCH_REVOKED: frozenset({"batch", "issuer"}),
    REVOKED: frozenset({"issuer", "revoked"}),
    SUSPENDED: frozenset({"issuer", "suspended"}),
    COMPROMISED: frozenset({"batch", "key"}),
    OTHER_ISSUER: frozenset({"did"}),
    TAMPERED: frozenset({"batch"}),
    EXPIRED: frozenset(),
    NOT_YET: frozenset({"time"}),
    OTHER_REGISTRY: frozenset(),
    WRONG_CODE: frozenset({"code"}),
}
"""Which facts of the ledger settle each."""


@dataclass(kw_only=True)
class Situation:
    """One credential, and what is true of it from which block on."""

    name: str
    credential: Credential
    truths: list[tuple[int, Truth]] = field(default_factory=lambda: [(0, NOT_ANCHORED)])
    key: bytes = b""
    """Address of the key that anchored."""
    epoch: int = 0
    """Status epoch of its issuer at the end."""

    @property
    def truth(self) -> Truth:
        return self.truths[-1][1]

    def truth_at(self, number: int) -> Truth:
        """What was so at a block."""
        return [truth for first, truth in self.truths if first <= number][-1]

    @property
    def slots(self) -> dict[str, Hash32]:
        """Where each fact stands."""
        request = self.credential.requests[0]
        issuer, position = request.proof.issuer_id, request.position
        place = (issuer, self.epoch, position.status_list, word_of(position.index))
        return {
            "batch": batch_slot(issuer, request.proof.root),
            "key": key_slot(self.key),
            "issuer": issuer_slot(issuer),
            "did": did_hash_slot(issuer),
            "revoked": word_slot(StatusPurpose.REVOCATION, *place),
            "suspended": word_slot(StatusPurpose.SUSPENSION, *place),
        }


class Story:
    """Plays the story on a fresh chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.situations: dict[str, Situation] = {}
        self._time = 0
        chain.set_up()
        self._time = self.chain.client.latest_block().header.timestamp
        self.marks: dict[str, int] = {}
        """Blocks by what comes after them."""
        self._main = chain.issuer_id
        self._moving = self._accredit("did:web:moving.example", EPOCH_ANCHOR_KEY, STOLEN_STATUS_KEY)
        self._leaving = self._accredit("did:web:leaving.example", WITHDRAWN_ANCHOR_KEY)
        self._add_key(self._main, STOLEN_ANCHOR_KEY, KeyScope.ANCHOR)
        self.liars_registry = self._deploy_another()
        self.impostor = self._deploy_another()
        """Trusted by its address; its code was another all the time that anybody looked."""
        self.nowhere = RegistryId(chain_id=chain.chain_id, address=address(b"\xab" * 20))
        """Trusted, and not there."""
        self._anchor_first()
        self._second_day()
        self._third_day()
        self._last_hour()
        latest = self.chain.client.latest_block().header
        self.latest, self.now = latest.number, latest.timestamp + 5

    # The parts of the story.

    def _anchor_first(self) -> None:
        self._pass(DAY)
        self.marks["anchored"] = self._number()
        people = ["valid", "revoked", "suspended", "reinstated", "lately revoked", "lately reinstated"]
        self._make(people, status_list=0, then=VALID)
        self._make(["batch revoked"], status_list=1, then=VALID)
        self._make(["expired"], status_list=2, then=EXPIRED, validUntil="2026-02-01T00:00:00Z")
        self._make(["not yet valid"], status_list=9, then=NOT_YET, validFrom="2030-01-01T00:00:00Z")
        self._make(["compromised after"], status_list=3, then=VALID, account=STOLEN_ANCHOR_KEY)
        self._make(["wrong size"], status_list=6, then=TAMPERED, size=2)
        self._make(["unjustly revoked", "justly revoked"], issuer=self._moving, account=EPOCH_ANCHOR_KEY, then=VALID)
        self._make(["withdrawn after"], issuer=self._leaving, account=WITHDRAWN_ANCHOR_KEY, then=VALID)
        self._make(
            ["issued by another"],
            issuer=self._leaving,
            account=WITHDRAWN_ANCHOR_KEY,
            did=DID,
            status_list=1,
            then=OTHER_ISSUER,
        )
        self._tamper()
        self._never_anchored()

    def _second_day(self) -> None:
        self._pass(DAY)
        self.marks["suspended"] = self._number()
        self._status("suspend", ["suspended", "reinstated"], SUSPENDED)
        self.marks["stolen status key used"] = self._number()
        self._status("revoke", ["unjustly revoked", "justly revoked"], REVOKED, account=STOLEN_STATUS_KEY)
        self._pass(60)
        self.since = self._time
        self._pass(60)
        self._make(["compromised before"], status_list=4, then=VALID, account=STOLEN_ANCHOR_KEY)

    def _third_day(self) -> None:
        self._pass(DAY)
        self.marks["reinstated"] = self._number()
        self._status("reinstate", ["reinstated"], VALID)
        self.marks["revoked"] = self._number()
        self._status("revoke", ["revoked"], REVOKED)
        batch = self.situations["batch revoked"]
        root = batch.credential.requests[0].proof.root
        self._do(STATUS_KEY, self._contract.revoke_batch(issuer_id=self._main, root=root, reason=REASON))
        self._now_true("batch revoked", BATCH_REVOKED)
        self.marks["compromised"] = self._number()
        stolen = dev_signer(STOLEN_ANCHOR_KEY).address
        self._do(CONTROLLER, self._contract.compromise_key(stolen, since=self.since))
        self._now_true("compromised before", COMPROMISED)
        # The status key is stolen: the next epoch repeats what was justly revoked, then counts.
        self._add_key(self._moving, NEXT_STATUS_KEY, KeyScope.STATUS, status_epoch=1)
        justly = self.situations["justly revoked"]
        self._do(NEXT_STATUS_KEY, self._status_call("revoke", justly))
        self.marks["epoch moved"] = self._number()
        thief = dev_signer(STOLEN_STATUS_KEY).address
        self._do(CONTROLLER, self._contract.compromise_key(thief, since=self._time))
        self._now_true("unjustly revoked", VALID)
        for name in ("unjustly revoked", "justly revoked"):
            self.situations[name].epoch = 1
        self.marks["withdrawn"] = self._number()
        self._do(ADMIN, self._contract.withdraw(issuer_id=self._leaving, at=0, reason=REASON))
        self._pass(DAY)
        refused = self._prepare(["withdrawn before"], issuer=self._leaving, status_list=2)
        with pytest.raises(RevertedError):
            self._do(WITHDRAWN_ANCHOR_KEY, self._anchor_call(refused[0], 1))

    def _last_hour(self) -> None:
        self._pass(DAY)
        self.marks["lately suspended"] = self._number()
        self._status("suspend", ["lately reinstated"], SUSPENDED)
        self._pass(600)
        self.marks["lately reinstated"] = self._number()
        self._status("reinstate", ["lately reinstated"], VALID)
        self.marks["lately revoked"] = self._number()
        self._status("revoke", ["lately revoked"], REVOKED)
        self.marks["lately anchored"] = self._number()
        self._make(["lately anchored"], status_list=8, then=VALID)
        self.chain.node.write("anvil_mine", [hex(EMPTY_BLOCKS), hex(12)])
        self._time = self.chain.client.latest_block().header.timestamp
        self._pass(30)
        self.marks["pending"] = self._number()
        self._make(["pending"], status_list=7, then=PENDING)
        self._pass(12)

    def _tamper(self) -> None:
        """Take the valid one, and another name."""
        valid = self.documents["valid"]
        self.documents["tampered"] = {**valid, "name": "Brain surgery"}
        data = json.dumps(self.documents["tampered"]).encode()
        self.situations["tampered"] = Situation(
            name="tampered", credential=parse_credential(data), truths=[(0, TAMPERED)], key=self.situations["valid"].key
        )

    def _never_anchored(self) -> None:
        """Forge one under the issuer's name, another on the liar's own registry."""
        root = self._prepare(["forged"], status_list=5)[0]
        elsewhere = RegistryContract(self.liars_registry)
        self._do(ANCHOR_KEY, elsewhere.anchor(issuer_id=1, root=root, size=1))
        root, _ = self._prepare(["elsewhere"], registry=self.liars_registry, issuer=1, at_first=OTHER_REGISTRY)
        self._do(ANCHOR_KEY, elsewhere.anchor(issuer_id=1, root=root, size=1))
        root, _ = self._prepare(["at an impostor"], registry=self.impostor, issuer=1, at_first=WRONG_CODE)
        self._do(ANCHOR_KEY, RegistryContract(self.impostor).anchor(issuer_id=1, root=root, size=1))
        self.chain.node.write("anvil_setCode", [to_hex(self.impostor.address), "0x60006000fd"])
        self._prepare(["nowhere"], registry=self.nowhere, issuer=1, at_first=WRONG_CODE)

    # What it takes.

    documents: dict[str, dict[str, Any]]

    @property
    def _contract(self) -> RegistryContract:
        return self.chain.contract

    def _number(self) -> int:
        return self.chain.client.latest_block().header.number

    def _do(self, account: int, call: Call) -> None:
        """Act, a second after what was done before."""
        self._time += 1
        self.chain.node.write("evm_setNextBlockTimestamp", [self._time])
        self.chain.execute(account, call)

    def _pass(self, seconds: int) -> None:
        self._time += seconds
        self.chain.node.write("evm_setNextBlockTimestamp", [self._time])
        self.chain.mine()

    def _now_true(self, name: str, truth: Truth) -> None:
        self.situations[name].truths.append((self._number(), truth))

    def _accredit(self, did: str, anchor_key: int, status_key: int | None = None) -> int:
        call = self._contract.accredit(did=did, controller=dev_signer(CONTROLLER).address)
        issuer = require_event(self.chain.execute(ADMIN, call), self.chain.registry, IssuerAccredited).issuer_id
        self._dids = {**getattr(self, "_dids", {self._main: DID}), issuer: did}
        self._add_key(issuer, anchor_key, KeyScope.ANCHOR)
        if status_key is not None:
            self._add_key(issuer, status_key, KeyScope.STATUS)
        return issuer

    def _add_key(
        self, issuer: int, account: int, scope: KeyScope, *, status_epoch: int = 0, registry: RegistryId | None = None
    ) -> None:
        contract = self._contract if registry is None else RegistryContract(registry)
        consent = self.chain.consent(account, scope, issuer_id=issuer, status_epoch=status_epoch)
        signature = dev_signer(account).sign_key_consent(contract.registry, consent)
        self._do(CONTROLLER, contract.add_key(consent, signature))

    def _deploy_another(self) -> RegistryId:
        """Deploy the same code once more, for the liar, who accredits the same issuer there under the same number."""
        admin = dev_signer(ADMIN).address
        call = deployment(admin=admin, accreditor=admin, admin_delay_seconds=3600)
        registry = deployed_registry(self.chain.client, self.chain.chain_id, self.chain.execute(ADMIN, call))
        accredit = RegistryContract(registry).accredit(did=DID, controller=dev_signer(CONTROLLER).address)
        self.chain.execute(ADMIN, accredit)
        self._time = self.chain.client.latest_block().header.timestamp
        self._add_key(1, ANCHOR_KEY, KeyScope.ANCHOR, registry=registry)
        return registry

    def _prepare(
        self,
        names: list[str],
        *,
        issuer: int | None = None,
        registry: RegistryId | None = None,
        did: str | None = None,
        status_list: int = 0,
        account: int = ANCHOR_KEY,
        at_first: Truth = NOT_ANCHORED,
        **members: Any,
    ) -> tuple[Hash32, int]:
        """Make credentials of one batch that nobody has anchored yet; give its root and their issuer."""
        issuer = self._main if issuer is None else issuer
        root, documents = make_batch(
            registry or self.chain.registry,
            issuer,
            did or self._dids[issuer],
            names,
            status_list=status_list,
            **members,
        )
        self.documents = {**getattr(self, "documents", {}), **dict(zip(names, documents, strict=True))}
        for name, document in zip(names, documents, strict=True):
            self.situations[name] = Situation(
                name=name,
                credential=parse_credential(json.dumps(document).encode()),
                key=dev_signer(account).address,
                truths=[(0, at_first)],
            )
        return root, issuer

    def _make(
        self, names: list[str], *, then: Truth, account: int = ANCHOR_KEY, size: int | None = None, **options: Any
    ) -> None:
        root, issuer = self._prepare(names, account=account, **options)
        self._do(account, self._anchor_call(root, size or len(names), issuer))
        for name in names:
            self._now_true(name, then)

    def _anchor_call(self, root: Hash32, size: int, issuer: int | None = None) -> Call:
        return self._contract.anchor(issuer_id=issuer or self._leaving, root=root, size=size)

    def _status_call(self, verb: str, *situations: Situation) -> Call:
        act: Callable[..., Call] = getattr(self._contract, verb)
        request = situations[0].credential.requests[0]
        mask = sum(1 << each.credential.requests[0].position.index for each in situations)
        return act(
            issuer_id=request.proof.issuer_id,
            status_list=request.position.status_list,
            words=[0],
            masks=[mask],
            reason=REASON,
        )

    def _status(self, verb: str, names: list[str], truth: Truth, *, account: int = STATUS_KEY) -> None:
        self._do(account, self._status_call(verb, *(self.situations[name] for name in names)))
        for name in names:
            self._now_true(name, truth)
