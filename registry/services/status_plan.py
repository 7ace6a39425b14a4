"""What a change of status comes to: which credentials change, which are passed over and why, in which transactions.

Pure, but for proving how things stand. What changes of several requests have in common is done once: the bits of one
status list go into one transaction, whoever asked for them, for words can be OR-ed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from anchor.errors import LedgerError, NotAnchoredError
from anchor.events import BatchRevoked, CredentialsReinstated, CredentialsRevoked, CredentialsSuspended, StatusChanged
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call
from anchor.ledger.contract import RegistryContract, require_event
from anchor.model import Hash32, StatusPosition
from anchor.status import StatusReason, positions_of
from registry.services.ledger_state import LedgerView
from registry.services.standing import Standing, WordKey, read_standing
from registry.services.targets import StatusTarget, Words
from registry.store.records import StatusKind

_EVENTS: Final[dict[StatusKind, type[StatusChanged]]] = {
    StatusKind.REVOKE: CredentialsRevoked,
    StatusKind.SUSPEND: CredentialsSuspended,
    StatusKind.REINSTATE: CredentialsReinstated,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transaction: bits of one status list, or a whole batch."""

    call: Call
    kind: StatusKind
    reason: StatusReason
    status_list: int = 0
    words: Mapping[int, int] = field(default_factory=dict)
    """For each word, in order, the bits that are to change."""
    root: Hash32 | None = None
    """Of the batch that is revoked as a whole."""

    def positions(self) -> Iterable[StatusPosition]:
        """Give which positions it changes; none for a whole batch."""
        return (each for word, mask in self.words.items() for each in positions_of(self.status_list, word, mask))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one request would change, as things stand."""

    changed: tuple[StatusTarget, ...]
    refused: tuple[tuple[StatusTarget, str], ...]
    """Those that nothing would be done for, with the reason in plain words."""
    count: int
    """Credentials that change."""
    passed_over_count: int
    """Credentials of whole batches that stay as they are: revoked, or changed already."""
    words: Words
    """Bits that change."""
    roots: Mapping[Hash32, StatusTarget]
    """Batches that are revoked as a whole."""

    @property
    def is_nothing(self) -> bool:
        """Whether all is already as it is wanted to be."""
        return not self.words and not self.roots

    def has_part_in(self, step: Step) -> bool:
        """Tell whether a transaction does something of it."""
        if step.root is not None:
            return step.root in self.roots
        bits = self.words.get(step.status_list, {})
        return any(mask & bits.get(word, 0) for word, mask in step.words.items())

    def positions(self) -> Iterable[StatusPosition]:
        """Give where those that change are."""
        of_batches = (each for target in self.roots.values() for each in _masks(target.words))
        return (
            position
            for (status_list, word), mask in (*of_batches, *_masks(self.words))
            for position in positions_of(status_list, word, mask)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPlan:
    """What would change, and how."""

    effect: Effect
    steps: tuple[Step, ...]

    @property
    def changed(self) -> tuple[StatusTarget, ...]:
        """Those that something would be done for."""
        return self.effect.changed

    @property
    def refused(self) -> tuple[tuple[StatusTarget, str], ...]:
        """Those that nothing would be done for, with the reason in plain words."""
        return self.effect.refused

    @property
    def count(self) -> int:
        """How many credentials change."""
        return self.effect.count

    @property
    def passed_over_count(self) -> int:
        """How many credentials of whole batches stay as they are."""
        return self.effect.passed_over_count


class StatusPlanner:
    """Plans changes of status of one issuer's credentials; needs no key.

    Args:
        view: The registry on the ledger.
        issuer_id: The issuer.
    """

    def __init__(self, view: LedgerView, issuer_id: int) -> None:
        self.view: Final = view
        self.issuer_id: Final = issuer_id
        self._contract: Final = RegistryContract(view.registry)

    def plan(self, targets: Sequence[StatusTarget], kind: StatusKind, reason: StatusReason) -> StatusPlan:
        """Work out what a change comes to, as the newest block has it.

        Args:
            targets: From `registry.services.targets`.
            kind: What to do.
            reason: Why; it stands on the ledger for ever.

        Raises:
            NotAnchoredError: A batch is not on the ledger.
            LedgerUnavailableError: The node did not answer; safe to try again.
        """
        effect = effect_of(targets, kind, self.prove(targets, kind))
        return StatusPlan(effect=effect, steps=self.steps([effect], kind, reason))

    def prove(self, targets: Sequence[StatusTarget], kind: StatusKind) -> Standing:
        """Prove how the batches of targets stand, and the words that matter.

        Raises:
            LedgerUnavailableError: The node did not answer; safe to try again.
        """
        keys = (key for target in targets if not _by_its_root(target, kind) for key, _ in _masks(target.words))
        return read_standing(self.view, self.issuer_id, (target.root for target in targets), keys)

    def steps(self, effects: Iterable[Effect], kind: StatusKind, reason: StatusReason) -> tuple[Step, ...]:
        """Put what several requests change into as few transactions as there can be.

        Args:
            effects: Of requests for the same thing.
            kind: What to do.
            reason: Why.
        """
        roots: dict[Hash32, None] = {}
        lists: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for effect in effects:
            roots |= dict.fromkeys(effect.roots)
            for (status_list, word), mask in _masks(effect.words):
                words = lists[status_list]
                words[word] = words.get(word, 0) | mask
        return (
            *(batch_step(self._contract, self.issuer_id, root, reason) for root in roots),
            *(words_step(self._contract, self.issuer_id, kind, reason, *each) for each in sorted(lists.items())),
        )

    def check(self, step: Step, receipt: Receipt) -> None:
        """Check that a mined transaction did what was meant.

        Raises:
            LedgerError: It did something else.
        """
        if step.root is not None:
            event = require_event(receipt, self.view.registry, BatchRevoked)
            if (event.issuer_id, event.root) != (self.issuer_id, step.root):
                raise LedgerError("the transaction to revoke a batch revoked another one")
            return
        changed = require_event(receipt, self.view.registry, _EVENTS[step.kind])
        if (changed.issuer_id, changed.status_list) != (self.issuer_id, step.status_list):
            raise LedgerError(f"the transaction to {step.kind.value} changed the status of something else")


def words_step(
    contract: RegistryContract,
    issuer_id: int,
    kind: StatusKind,
    reason: StatusReason,
    status_list: int,
    words: Mapping[int, int],
) -> Step:
    """Put a change of bits of one status list into a transaction.

    Args:
        contract: The registry.
        issuer_id: The issuer.
        kind: What to do.
        reason: Why.
        status_list: The list.
        words: For each word the bits that are to change; at most as many words as one call takes.
    """
    encode = {
        StatusKind.REVOKE: contract.revoke,
        StatusKind.SUSPEND: contract.suspend,
        StatusKind.REINSTATE: contract.reinstate,
    }[kind]
    in_order = dict(sorted(words.items()))
    call = encode(
        issuer_id=issuer_id,
        status_list=status_list,
        words=list(in_order),
        masks=list(in_order.values()),
        reason=reason.value,
    )
    return Step(call=call, kind=kind, reason=reason, status_list=status_list, words=in_order)


def batch_step(contract: RegistryContract, issuer_id: int, root: Hash32, reason: StatusReason) -> Step:
    """Put the revocation of a whole batch into a transaction."""
    call = contract.revoke_batch(issuer_id=issuer_id, root=root, reason=reason.value)
    return Step(call=call, kind=StatusKind.REVOKE, reason=reason, root=root)


def effect_of(targets: Sequence[StatusTarget], kind: StatusKind, standing: Standing) -> Effect:
    """Sort targets into what changes and what does not.

    Args:
        targets: Any number; nobody is counted twice.
        kind: What to do.
        standing: Of their batches and words.

    Raises:
        NotAnchoredError: A batch is not on the ledger.
    """
    for target in targets:
        batch = standing.batches[target.root]
        if batch.anchored_at == 0 or batch.size != target.size:
            raise NotAnchoredError(
                "a credential's batch is not on the ledger, so that there is no status to change",
                advice="Anchor it first (`credanchor issue --resume`), or check that the file is genuine.",
            )
    draft = _Draft(kind, standing)
    for target in targets:
        if _by_its_root(target, kind):
            draft.take_batch(target)
    for target in targets:
        if not _by_its_root(target, kind):
            draft.take(target)
    return Effect(
        changed=tuple(draft.changed),
        refused=tuple(draft.refused),
        count=draft.count,
        passed_over_count=draft.passed_over_count,
        words=draft.words,
        roots=draft.roots,
    )


class _Draft:
    """Sorts targets into what changes and what does not."""

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
