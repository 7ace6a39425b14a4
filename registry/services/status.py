"""Revoking, suspending and reinstating, one or many: first a plan, which can be shown and priced, then the sending.

    1  settle   earlier status transactions whose fate is not known
    2  prove    the batches are anchored by this issuer; how each credential stands
    3  plan     what would change nothing is passed over; the rest in as few transactions as there can be: one for each
                status list, however many credentials, or `revokeBatch` for a whole batch
    4  send     one after the other; each is in the database before a node has it

Killed at any point, the same again does only what is not done yet: steps 1 and 2 find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from anchor.errors import LedgerError, NotAnchoredError, ReplacedError, RevertedError
from anchor.events import BatchRevoked, CredentialsReinstated, CredentialsRevoked, CredentialsSuspended, StatusChanged
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call
from anchor.ledger.contract import RegistryContract, require_event
from anchor.model import Address, Hash32, StatusPosition
from anchor.status import StatusReason, positions_of
from registry.services.ledger_state import LedgerView
from registry.services.sending import Outbox, note_mined
from registry.services.standing import Standing, WordKey, read_standing
from registry.services.targets import StatusTarget, Words
from registry.store.batches import issuer_ref
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.people import names_at
from registry.store.records import StatusKind, TransactionId
from registry.store.transactions import keep_batch_revocation, keep_status_changes, open_status_transactions

_EVENTS: Final[dict[StatusKind, type[StatusChanged]]] = {
    StatusKind.REVOKE: CredentialsRevoked,
    StatusKind.SUSPEND: CredentialsSuspended,
    StatusKind.REINSTATE: CredentialsReinstated,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transaction."""

    call: Call
    keep: Callable[[InstitutionConnection, TransactionId], None]
    """Notes in the database what it is for."""
    check: Callable[[Receipt], None]
    """Checks, once it is mined, that it did what was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPlan:
    """What would change, and how."""

    changed: tuple[StatusTarget, ...]
    refused: tuple[tuple[StatusTarget, str], ...]
    """Those that nothing would be done for, with the reason in plain words."""
    count: int
    """Credentials that change."""
    passed_over_count: int
    """Credentials of whole batches that stay as they are: revoked, or changed already."""
    first: tuple[StatusPosition, ...]
    """Where some of those that change are."""
    steps: tuple[Step, ...]


class StatusService:
    """Changes the status of one issuer's credentials.

    Args:
        store: The registry's database; may be empty.
        outbox: Sends with the issuer's STATUS key.
        view: The registry on the ledger.
        issuer_id: The issuer.
    """

    def __init__(self, store: Store, outbox: Outbox, view: LedgerView, issuer_id: int) -> None:
        self._store: Final = store
        self._outbox: Final = outbox
        self._view: Final = view
        self._issuer_id: Final = issuer_id
        self._contract: Final = RegistryContract(view.registry)

    @property
    def sender(self) -> Address:
        """The STATUS key's account, whoever sends for it."""
        return self._outbox.sender.actor

    def plan(self, targets: Sequence[StatusTarget], kind: StatusKind, reason: StatusReason) -> StatusPlan:
        """Work out what a change comes to; sends nothing new.

        Args:
            targets: From `registry.services.targets`.
            kind: What to do.
            reason: Why; it stands on the ledger for ever.

        Raises:
            NotAnchoredError: A batch is not on the ledger.
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: An earlier transaction is not mined yet; trying again finds out.
        """
        self._settle_earlier()
        batches = [target for target in targets if _by_its_root(target, kind)]
        singles = [target for target in targets if not _by_its_root(target, kind)]
        standing = self._standing(targets, singles)
        draft = _Draft(kind, standing)
        for target in batches:
            draft.take_batch(target)
        for target in singles:
            draft.take(target)
        return StatusPlan(
            changed=tuple(draft.changed),
            refused=tuple(draft.refused),
            count=draft.count,
            passed_over_count=draft.passed_over_count,
            first=tuple(draft.positions()),
            steps=(
                *(self._batch_step(root, reason) for root in draft.roots),
                *(self._step(kind, reason, *each) for each in sorted(draft.words.items())),
            ),
        )

    def names(self, plan: StatusPlan) -> tuple[str, ...]:
        """Give the names of the first of those whose credentials would change, as far as the database knows them."""
        with self._store.reading() as connection:
            return names_at(connection, self._view.registry, self._issuer_id, plan.first)

    def carry_out(self, plan: StatusPlan, *, now: int) -> tuple[Receipt, ...]:
        """Send what was planned, and wait until it is mined.

        Args:
            plan: From `plan`, just now.
            now: Unix seconds.

        Raises:
            RevertedError: The contract refused.
            LedgerUnavailableError: The node did not answer; safe to try again.
            OutcomeUnknownError: Sent, but not mined yet; trying again finds out.
        """
        receipts: list[Receipt] = []
        for step in plan.steps:
            try:
                receipt = self._finish(self._outbox.send(step.call, step.keep, now=now))
            except LedgerError as error:
                if len(plan.steps) > 1:
                    done = f"{len(receipts)} of {len(plan.steps)} transactions are done"
                    error.advice = f"{error.advice} {done}: the same command again does only the rest.".strip()
                raise
            step.check(receipt)
            receipts.append(receipt)
        return tuple(receipts)

    def _settle_earlier(self) -> None:
        sender = self._outbox.sender
        with self._store.reading() as connection:
            records = open_status_transactions(connection, sender.chain_id, sender.address)
        for record in records:
            try:
                self._finish(record.id)
            except (RevertedError, ReplacedError):
                continue  # noted; what it was to change is asked for again, or is no longer wanted

    def _standing(self, targets: Iterable[StatusTarget], singles: Iterable[StatusTarget]) -> Standing:
        """Prove that the batches are anchored, and how the words that matter stand."""
        sizes = {target.root: target.size for target in targets}
        keys = (key for target in singles for key, _ in _masks(target.words))
        standing = read_standing(self._view, self._issuer_id, sizes, keys)
        for root, size in sizes.items():
            batch = standing.batches[root]
            if batch.anchored_at == 0 or batch.size != size:
                raise NotAnchoredError(
                    "a credential's batch is not on the ledger, so that there is no status to change",
                    advice="Anchor it first (`credanchor issue --resume`), or check that the file is genuine.",
                )
        return standing

    def _step(self, kind: StatusKind, reason: StatusReason, status_list: int, words: dict[int, int]) -> Step:
        encode = {
            StatusKind.REVOKE: self._contract.revoke,
            StatusKind.SUSPEND: self._contract.suspend,
            StatusKind.REINSTATE: self._contract.reinstate,
        }[kind]
        in_order = dict(sorted(words.items()))
        call = encode(
            issuer_id=self._issuer_id,
            status_list=status_list,
            words=list(in_order),
            masks=list(in_order.values()),
            reason=reason.value,
        )
        return Step(
            call=call,
            keep=partial(self._keep, kind, reason, status_list, in_order),
            check=partial(self._check, kind, status_list),
        )

    def _batch_step(self, root: Hash32, reason: StatusReason) -> Step:
        return Step(
            call=self._contract.revoke_batch(issuer_id=self._issuer_id, root=root, reason=reason.value),
            keep=partial(self._keep_batch, root, reason),
            check=partial(self._check_batch, root),
        )

    def _finish(self, transaction: TransactionId) -> Receipt:
        receipt = self._outbox.settle(transaction)
        with self._store.writing() as connection:
            note_mined(connection, transaction, receipt)
        return receipt

    def _keep(
        self,
        kind: StatusKind,
        reason: StatusReason,
        status_list: int,
        words: dict[int, int],
        connection: InstitutionConnection,
        transaction: TransactionId,
    ) -> None:
        issuer = issuer_ref(connection, self._view.registry, self._issuer_id)
        positions = (position for word, mask in words.items() for position in positions_of(status_list, word, mask))
        keep_status_changes(connection, transaction, issuer, positions, kind, reason.value)

    def _keep_batch(
        self, root: Hash32, reason: StatusReason, connection: InstitutionConnection, transaction: TransactionId
    ) -> None:
        issuer = issuer_ref(connection, self._view.registry, self._issuer_id)
        keep_batch_revocation(connection, transaction, issuer, root, reason.value)

    def _check(self, kind: StatusKind, status_list: int, receipt: Receipt) -> None:
        event = require_event(receipt, self._view.registry, _EVENTS[kind])
        if (event.issuer_id, event.status_list) != (self._issuer_id, status_list):
            raise LedgerError(f"the transaction to {kind.value} changed the status of something else")

    def _check_batch(self, root: Hash32, receipt: Receipt) -> None:
        event = require_event(receipt, self._view.registry, BatchRevoked)
        if (event.issuer_id, event.root) != (self._issuer_id, root):
            raise LedgerError("the transaction to revoke a batch revoked another one")


class _Draft:
    """Sorts targets into what changes and what does not."""

    FIRST: Final = 5
    """How many of those that change are named to the person who confirms."""

    def __init__(self, kind: StatusKind, standing: Standing) -> None:
        self._kind: Final = kind
        self._standing: Final = standing
        self._seen: Final[dict[WordKey, int]] = {}
        """Bits that some target meant already: nobody is counted twice."""
        self.changed: Final[list[StatusTarget]] = []
        self.refused: Final[list[tuple[StatusTarget, str]]] = []
        self.count = 0
        self.passed_over_count = 0
        self.words: Final[dict[int, dict[int, int]]] = {}
        self.roots: Final[dict[Hash32, StatusTarget]] = {}

    def take_batch(self, target: StatusTarget) -> None:
        """Take a batch that is revoked by its root."""
        if self._standing.is_batch_revoked(target.root):
            self.refused.append((target, _why_not(self._kind, batch_revoked=True)))
        elif target.root not in self.roots:
            self.roots[target.root] = target
            self.changed.append(target)
            self.count += target.size

    def take(self, target: StatusTarget) -> None:
        """Take credentials whose bits are changed."""
        if target.root in self.roots:
            return  # revoked with its batch, in the same breath
        fresh = [(key, mask & ~self._seen.get(key, 0)) for key, mask in _masks(target.words)]
        if not any(mask for _, mask in fresh):
            return
        if self._standing.is_batch_revoked(target.root):
            self.refused.append((target, _why_not(self._kind, batch_revoked=True)))
            return
        total = changing = revoked = 0
        for key, mask in fresh:
            self._seen[key] = self._seen.get(key, 0) | mask
            is_revoked = mask & self._standing.revoked[key]
            is_suspended = mask & self._standing.suspended[key] & ~is_revoked
            effect = {
                StatusKind.REVOKE: mask & ~is_revoked,
                StatusKind.SUSPEND: mask & ~is_revoked & ~is_suspended,
                StatusKind.REINSTATE: is_suspended,
            }[self._kind]
            if effect:
                words = self.words.setdefault(key[0], {})
                words[key[1]] = words.get(key[1], 0) | effect
            total, changing = total + mask.bit_count(), changing + effect.bit_count()
            revoked += is_revoked.bit_count()
        if changing:
            self.changed.append(target)
            self.count += changing
            self.passed_over_count += total - changing
        else:
            why = _why_not(self._kind, revoked=revoked == total)
            self.refused.append((target, "has no credential to do this to" if target.is_whole_batch else why))

    def positions(self) -> Iterable[StatusPosition]:
        """Give where the first of those that change are."""
        of_batches = (each for target in self.roots.values() for each in _masks(target.words))
        of_words = _masks(self.words)
        every = (
            position
            for (status_list, word), mask in (*of_batches, *of_words)
            for position in positions_of(status_list, word, mask)
        )
        return islice(every, self.FIRST)


def _by_its_root(target: StatusTarget, kind: StatusKind) -> bool:
    return target.is_whole_batch and kind is StatusKind.REVOKE


def _masks(words: Words) -> Iterable[tuple[WordKey, int]]:
    return (((status_list, word), mask) for status_list, each in words.items() for word, mask in each.items())


def _why_not(kind: StatusKind, *, revoked: bool = False, batch_revoked: bool = False) -> str:
    """Say why a change would change nothing."""
    if batch_revoked:
        return "is already revoked, with its whole batch"
    if revoked:
        return "is already revoked" if kind is StatusKind.REVOKE else "is revoked, and revocation is permanent"
    return "is already suspended" if kind is StatusKind.SUSPEND else "is not suspended"
