"""An institution at work on a real chain: its database and keys, and what the ledger proves afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from anchor.cli.auditing import audit_registry
from anchor.credential import parse_credential
from anchor.history import IssuerHistory
from anchor.ledger.answers import Receipt
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.ledger.testnet import CHAIN_ID, dev_signer
from anchor.ledger.transactions import TransactionSender
from anchor.model import Verdict
from anchor.status import StatusReason
from anchor.verify import verify
from registry.services.anchoring import Anchoring
from registry.services.approvals import Approvals
from registry.services.ledger_state import LedgerView
from registry.services.locks import ProcessLock
from registry.services.sending import Outbox
from registry.services.status import StatusService
from registry.services.status_plan import StatusPlan
from registry.services.stored import credential_files
from registry.services.targets import StatusTarget, TargetFinder
from registry.store.batches import get_batch
from registry.store.engine import Store
from registry.store.records import BatchId, BatchRecord, StatusKind
from tests.ledger.chain import ANCHOR_KEY, STATUS_KEY, Chain
from tests.support.databases import Database
from tests.support.registry import APPROVALS, NOW, frame_of, recipients_of, seal

LATER = NOW + 10**8
"""When verdicts are given: after the chain's clock, whatever the tests did to it."""


@dataclass(kw_only=True)
class Office:
    """One institution. `restarted` gives it again, as a new process would find it."""

    chain: Chain
    folder: Path
    database: Database
    client: LedgerClient
    wait_seconds: float = 5.0
    approvals: Approvals = APPROVALS
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.database.open()

    def restarted(self, client: LedgerClient | None = None) -> Office:
        return replace(self, client=client or self.chain.client, wait_seconds=5.0, approvals=APPROVALS)

    def sender(self, account: int) -> TransactionSender:
        lock = ProcessLock(self.folder / f"{account}.lock", what="sends for this account", timeout_seconds=5)
        return TransactionSender(self.client, chain_id=CHAIN_ID, signer=dev_signer(account), lock=lock)

    @property
    def view(self) -> LedgerView:
        return LedgerView(self.client, self.chain.registry)

    def anchoring(self, sender: TransactionSender | None = None) -> Anchoring:
        outbox = Outbox(self.store, sender or self.sender(ANCHOR_KEY), wait_seconds=self.wait_seconds)
        return Anchoring(self.store, outbox, self.view, self.approvals)

    def status(self, sender: TransactionSender | None = None) -> StatusService:
        outbox = Outbox(self.store, sender or self.sender(STATUS_KEY), wait_seconds=self.wait_seconds)
        return StatusService(self.store, outbox, self.view, self.chain.issuer_id)

    @property
    def targets(self) -> TargetFinder:
        return TargetFinder(self.store, self.chain.registry, self.chain.issuer_id)

    def change(
        self,
        targets: Sequence[StatusTarget],
        kind: StatusKind,
        reason: StatusReason = StatusReason.OTHER,
        service: StatusService | None = None,
    ) -> tuple[StatusPlan, tuple[Receipt, ...]]:
        """Plan and carry out, as a person who confirms does."""
        service = service or self.status()
        plan = service.plan(targets, kind, reason)
        return plan, service.carry_out(plan, now=NOW)

    def seal(self, count: int = 5) -> BatchRecord:
        frame = frame_of(registry=self.chain.registry, issuer_id=self.chain.issuer_id)
        return seal(self.store, frame, recipients_of(count))

    def batch(self, batch_id: BatchId) -> BatchRecord:
        with self.store.reading() as connection:
            return get_batch(connection, batch_id)

    def files(self, batch_id: BatchId) -> list[bytes]:
        """The credentials of a batch as files, in leaf order."""
        with self.store.reading() as connection:
            return [content for _, content in credential_files(connection, get_batch(connection, batch_id))]

    def verdict(self, data: bytes) -> Verdict:
        credential, policy = parse_credential(data), self.chain.policy()
        return verify(credential, collect_evidence([self.chain.client], credential.requests, policy), policy, LATER)

    def audit(self) -> IssuerHistory:
        """What the production auditor finds: the whole history, proven complete."""
        policy = self.chain.policy(nodes=(self.chain.url,))
        history, _ = audit_registry(policy.registries[0], policy, lambda _words: None)
        return history.issuer(self.chain.issuer_id)
