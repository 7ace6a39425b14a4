"""A registry on a real anvil, with one issuer and its keys, as tests need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from anchor.events import BatchAnchored, IssuerAccredited, KeyAdded
from anchor.evidence import EvidenceRequest
from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.contract import KeyConsent, RegistryContract, deployed_registry, deployment, require_event
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.ledger.transactions import SignedTransaction, TransactionSender
from anchor.model import (
    AnchorProof,
    Hash32,
    InclusionProof,
    KeyScope,
    Policy,
    RegistryId,
    StatusPosition,
    TrustedRegistry,
    Vouching,
    hash32,
)
from tests.support.mining import mining_first

ADMIN, CONTROLLER, ANCHOR_KEY, STATUS_KEY, STRANGER = range(5)
"""Which of the testnet's accounts plays which part."""

DID = "did:web:college.example"
FAR = 2**40 - 1
REASON = 1


def drop(_signed: SignedTransaction) -> None:
    """Persist nothing."""


def root_of(number: int) -> Hash32:
    return hash32(number.to_bytes(32, "big"))


@dataclass(kw_only=True)
class Chain:
    url: str
    chain_id: int = CHAIN_ID
    registry: RegistryId = field(init=False)
    issuer_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.node = RpcNode(self.url)
        self.client = LedgerClient(self.url)

    def set_up(self) -> None:
        admin = dev_signer(ADMIN).address
        receipt = self.execute(ADMIN, deployment(admin=admin, accreditor=admin, admin_delay_seconds=3600))
        self.registry = deployed_registry(self.client, self.chain_id, receipt)
        call = self.contract.accredit(did=DID, controller=dev_signer(CONTROLLER).address)
        self.issuer_id = require_event(self.execute(ADMIN, call), self.registry, IssuerAccredited).issuer_id
        for account, scope in ((ANCHOR_KEY, KeyScope.ANCHOR), (STATUS_KEY, KeyScope.STATUS)):
            signer = dev_signer(account)
            consent = self.consent(account, scope)
            call = self.contract.add_key(consent, signer.sign_key_consent(self.registry, consent))
            added = require_event(self.execute(CONTROLLER, call), self.registry, KeyAdded)
            assert added.key == signer.address

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Put the chain back to what it is now, afterwards; what is sent meanwhile is mined at once."""
        snapshot = self.node.write("evm_snapshot", [])
        with mining_first(self.node):
            yield
        assert self.node.write("evm_revert", [snapshot])

    @property
    def contract(self) -> RegistryContract:
        return RegistryContract(self.registry)

    def consent(self, account: int, scope: KeyScope, **changes: Any) -> KeyConsent:
        fields: dict[str, Any] = {
            "issuer_id": self.issuer_id,
            "key": dev_signer(account).address,
            "scope": scope,
            "status_epoch": 0,
            "valid_from": 0,
            "deadline": FAR,
        }
        return KeyConsent(**(fields | changes))

    def sender(
        self, account: int, *, client: LedgerClient | None = None, lock: AbstractContextManager[object] | None = None
    ) -> TransactionSender:
        return TransactionSender(
            client or self.client, chain_id=self.chain_id, signer=dev_signer(account), lock=lock or nullcontext()
        )

    def execute(self, account: int, call: Call) -> Receipt:
        sender = self.sender(account)
        return sender.wait_for_receipt(sender.send(call, drop), 10)

    def anchor_call(self, number: int, size: int = 10) -> Call:
        return self.contract.anchor(issuer_id=self.issuer_id, root=root_of(number), size=size)

    def anchor(self, number: int, size: int = 10) -> BatchAnchored:
        return require_event(self.execute(ANCHOR_KEY, self.anchor_call(number, size)), self.registry, BatchAnchored)

    def revoke_call(self, words: list[int], masks: list[int]) -> Call:
        return self.contract.revoke(issuer_id=self.issuer_id, status_list=0, words=words, masks=masks, reason=REASON)

    def request(
        self, number: int, *, size: int = 10, index: int = 0, registry: RegistryId | None = None
    ) -> EvidenceRequest:
        proof = AnchorProof(
            registry=registry or self.registry,
            issuer_id=self.issuer_id,
            root=root_of(number),
            salt=root_of(1),
            inclusion=InclusionProof(leaf_index=0, size=size, siblings=()),
        )
        return EvidenceRequest(proof=proof, position=StatusPosition(status_list=0, index=index))

    def policy(self, *registries: RegistryId, **changes: Any) -> Policy:
        pins = tuple(
            TrustedRegistry(registry=each, code_hash=runtime_code_hash()) for each in registries or (self.registry,)
        )
        fields: dict[str, Any] = {
            "registries": pins,
            "vouching": Vouching.ONE_NODE,
            "confirmations": 0,
            "max_age_seconds": None,
        }
        return Policy(**(fields | changes))

    def set_mining(self, *, automatic: bool) -> None:
        self.node.write("evm_setAutomine", [automatic])

    def mine(self, blocks: int = 1) -> None:
        self.node.write("anvil_mine", [hex(blocks)])
