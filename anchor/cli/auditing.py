"""A registry's whole history: read from a node or an archive, replayed, and proven complete at one block.

In memory for those who need every event at hand (`audit_registry`); or through a folder that keeps events and a
checkpoint, with memory for what the events led to alone (`audit_through`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from anchor.checkpoint import Checkpoint
from anchor.cli.cycles import no_search_for_cycles
from anchor.cli.faults import Prove, Source, broken
from anchor.cli.histories import Since
from anchor.cli.kept import Archive, GivenArchive, heads_of, read_checkpoint, write_checkpoint
from anchor.errors import HistoryError, LedgerError, LedgerUnavailableError, UndeterminedError
from anchor.events import AnyEvent, RawLog
from anchor.evidence import REGISTRY_HEAD_SLOT, LedgerState, head_slot
from anchor.history import History
from anchor.model import Basis, BlockHeader, Hash32, Policy, RegistryId, TrustedRegistry, to_hex
from anchor.replay import Replay

if TYPE_CHECKING:
    from anchor.ledger.client import LedgerClient

Tell = Callable[[str], None]
"""Says what is being done."""


class NoteKind(Enum):
    """What an audit may note besides."""

    REORGANISED = "reorganised"
    """The chain is not any more the one that the checkpoint is of."""
    CHECKPOINT_LEFT = "checkpointLeft"
    """What came after the checkpoint did not go on from it; everything was read again."""
    OTHER_CHAIN = "otherChain"
    """The archive was written on another chain of blocks, up to one that a node has otherwise."""
    NODE_REFUTED = "nodeRefuted"
    """A node gave a history that is not whole, and another one did."""


class Note(NamedTuple):
    """Something that changes nothing about the answer, and that whoever audits wants to know."""

    kind: NoteKind
    message: str
    refuted: str = ""
    """The node that was refuted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A history that is proven complete; its events are those since an earlier audit, if it went on from one."""

    history: History
    basis: Basis
    block: BlockHeader
    """The history goes up to this block."""
    since: Since | None
    all_events: Sequence[AnyEvent]
    """Those of the history, and of earlier audits that this one went on from."""
    read_from: str
    """The node that gave them."""
    notes: tuple[Note, ...] = ()


def audit_registry(pin: TrustedRegistry, policy: Policy, tell: Tell) -> tuple[History, Basis]:
    """Fetch, replay and prove a registry's history at the newest block that is vouched for, all in memory.

    Raises:
        HistoryError: The events given are not the whole history.
        LedgerError: No node answered, or those that did gave no whole history.
        UndeterminedError: Their state proofs do not hold, or the block is not one that the policy accepts.
    """
    audited = _audit(pin, policy, tell, _Reader(pin, policy))
    return audited.history, audited.basis


def audit_through(
    folder: Path,
    pin: TrustedRegistry,
    policy: Policy,
    tell: Tell,
    *,
    archive: Path | None = None,
    is_anew: bool = False,
) -> Audited:
    """Likewise, through a folder: go on from its checkpoint, and leave events and a checkpoint there.

    Args:
        folder: Made if it is not there.
        pin: The registry.
        policy: Nodes, and what vouches for the block.
        tell: Says what is being done.
        archive: Events are read from there first; nodes are asked for those after it.
        is_anew: Take no notice of the checkpoint.

    Raises:
        MalformedError: The folder or the archive cannot be used.
        HistoryError: As `audit_registry`, and likewise the others.
    """
    given = GivenArchive(archive, pin.registry) if archive is not None else None
    return _audit(pin, policy, tell, _Reader(pin, policy, folder, given, is_anew=is_anew))


def header_at(policy: Policy, registry: RegistryId, number: int) -> BlockHeader:
    """Give an older block of a registry's chain, vouched for as the policy wants.

    Raises:
        LedgerError: Too few nodes answered, or have it.
        UnvouchedBlockError: They do not agree, or the policy does not know it.
    """
    from anchor.ledger.client import clients_of
    from anchor.ledger.vouching import vouch_at

    return vouch_at(clients_of(policy), registry.chain_id, policy, number).block.header


def heads_at(
    policy: Policy, registry: RegistryId, number: int, issuers: Iterable[int | None]
) -> dict[int | None, Hash32]:
    """Prove heads at an older block of a registry's chain; None: the registry-wide one.

    Raises:
        LedgerError: As `header_at`; or no node has the state of this block any more.
        UndeterminedError: Likewise; or their proofs do not hold.
    """
    from anchor.ledger.client import clients_of
    from anchor.ledger.collect import collect_slots
    from anchor.ledger.vouching import vouch_at

    nodes = clients_of(policy)
    vouched = vouch_at(nodes, registry.chain_id, policy, number)
    slots = {each: REGISTRY_HEAD_SLOT if each is None else head_slot(each) for each in issuers}
    state = LedgerState(collect_slots(nodes, registry, slots.values(), policy, vouched=vouched))
    return {each: Hash32(state.value(slot).to_bytes(32, "big")) for each, slot in slots.items()}


class _Read(NamedTuple):
    history: History
    since: Since | None
    all_events: Sequence[AnyEvent]


class _Reader:
    """Where the logs of one audit come from and where they are left."""

    def __init__(
        self,
        pin: TrustedRegistry,
        policy: Policy,
        folder: Path | None = None,
        given: GivenArchive | None = None,
        *,
        is_anew: bool = False,
    ) -> None:
        self._pin: Final = pin
        self._policy: Final = policy
        self._folder: Final = folder
        self._given: Final = given
        self._found: Final = read_checkpoint(folder, pin.registry) if folder is not None and not is_anew else None
        self._notes: Final[dict[Note, None]] = {}

    @property
    def known_issuers(self) -> range:
        """The numbers of those that are known before anything is read."""
        return range(1, 1 + (len(self._found.state["issuers"]) if self._found is not None else 0))

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be noted of the last reading."""
        return tuple(self._notes)

    def history(
        self, node: LedgerClient, block: BlockHeader, check: Callable[[History, int], None], tell: Tell
    ) -> _Read:
        """Read and check the events up to a block: from the checkpoint on if it leads there, else all."""
        # Those of a node that was asked before, in vain, are of no history that is shown.
        self._notes.clear()
        if self._found is not None and self._is_on_chain(node, self._found, block):
            try:
                return self._read(node, block, check, self._found)
            except HistoryError as error:
                # The node may lie, or the checkpoint be wrong: what is read from the start on tells.
                self._note(NoteKind.CHECKPOINT_LEFT, f"what follows the checkpoint does not go on from it: {error}")
        if self._notes:
            tell("reading everything again")
        read = self._read(node, block, check, None)
        self._hold_end_against(node, block)
        return read

    def _note(self, kind: NoteKind, message: str) -> None:
        self._notes[Note(kind, message)] = None

    def _hold_end_against(self, node: LedgerClient, block: BlockHeader) -> None:
        """Note that the archive is of another chain of blocks, where a node says so; heads alone decide."""
        end = self._given.end if self._given is not None else None
        if end is None:
            return
        there = block.hash if end.block_number == block.number else None
        if there is None:
            found = node.block(end.block_number)
            there = None if found is None else found.header.hash
        if there is not None and there != end.block_hash:
            self._note(
                NoteKind.OTHER_CHAIN,
                f"the archive goes up to block {end.block_number} with the hash {to_hex(end.block_hash)}; at the node "
                f"{node.node} it has {to_hex(there)}: the archive was written before a reorganisation, or is wrong "
                "about it; its events are all there nevertheless",
            )

    def _is_on_chain(self, node: LedgerClient, checkpoint: Checkpoint, block: BlockHeader) -> bool:
        if block.number < checkpoint.block_number:
            raise LedgerUnavailableError(
                f"the newest block that is vouched for, {block.number}, is before that of the checkpoint, "
                f"{checkpoint.block_number}",
                advice="Wait until the node has synced, or read everything again with --anew.",
            )
        there = node.block(checkpoint.block_number)
        # A node that forgot it says nothing against it; whether the history goes on from there, heads decide.
        if there is None or there.header.hash == checkpoint.block_hash or self._is_vouched(checkpoint):
            return True
        self._note(
            NoteKind.REORGANISED,
            f"the chain was reorganised, as the node {node.node} has it: its block {checkpoint.block_number} is not "
            "that of the last audit",
        )
        return False

    def _is_vouched(self, checkpoint: Checkpoint) -> bool:
        """Tell whether those who must vouch have a checkpoint's block on the chain, though one node has another."""
        try:
            found = header_at(self._policy, self._pin.registry, checkpoint.block_number)
        except (LedgerError, UndeterminedError):
            return False
        return found.hash == checkpoint.block_hash

    def _read(
        self,
        node: LedgerClient,
        block: BlockHeader,
        check: Callable[[History, int], None],
        checkpoint: Checkpoint | None,
    ) -> _Read:
        registry, is_kept = self._pin.registry, self._folder is not None
        with no_search_for_cycles():
            run = checkpoint.replay(keep=not is_kept) if checkpoint is not None else Replay(registry, keep=not is_kept)
        before, first = run.count, 0 if checkpoint is None else checkpoint.block_number + 1
        logs = self._logs(node, first, block)
        if self._folder is None:
            for log in logs:
                run.take(log)
            history = run.result()
            check(history, run.count)
            return _Read(history, None, history.events)
        archive = Archive(self._folder, checkpoint, registry)
        try:
            for log in logs:
                event = run.take(log)
                if event is not None:
                    archive.add(event)
            history = run.result()
            check(history, run.count)
            end = archive.finish(block.number, block.hash)
        finally:
            archive.close()
        with no_search_for_cycles():
            state = {**run.content(), "archiveBytes": end}
            write_checkpoint(
                self._folder,
                Checkpoint(registry=registry, block_number=block.number, block_hash=block.hash, state=state),
            )
        since = None if checkpoint is None else Since(checkpoint.block_number, before)
        after = heads_of(state)
        events = archive.events({} if checkpoint is None else heads_of(checkpoint.state), after, run.count - before)
        return _Read(replace(history, events=events), since, archive.all_events(after, run.count))

    def explained(
        self, error: HistoryError, nodes: Sequence[LedgerClient], block: BlockHeader, prove: Prove
    ) -> HistoryError:
        """Read all logs once more, to say where a history that was refused breaks.

        Args:
            error: Why it was refused.
            nodes: Those whose events were refused, that of the error first.
            block: Up to which the history goes.
            prove: Opens state proofs.
        """
        sources = [self._source(node) for node in nodes[:2]]
        if self._given is not None:
            sources.insert(0, Source(name="", logs=self._archived))
        return broken(
            error,
            self._pin.registry,
            self._logs(nodes[0], 0, block),
            prove,
            last_block=block.number,
            sources=(sources[0], sources[1]) if len(sources) > 1 else None,
        )

    def _source(self, node: LedgerClient) -> Source:
        address = self._pin.registry.address
        return Source(name=node.node, logs=lambda first, last: node.logs(address, first, last))

    def _archived(self, first: int, last: int) -> Iterator[RawLog]:
        logs = self._given.logs() if self._given is not None else iter(())
        return (log for log in logs if first <= log.block_number <= last)

    def _logs(self, node: LedgerClient, first: int, block: BlockHeader) -> Iterator[RawLog]:
        if self._given is not None:
            yield from (log for log in self._given.logs() if log.block_number >= first)
            end = self._given.end
            if end is not None and end.block_number > block.number:
                raise LedgerUnavailableError(
                    f"the archive goes up to block {end.block_number}, and the newest one that is vouched for is "
                    f"{block.number}",
                    advice="Wait until the node has synced.",
                )
            first = max(first, end.block_number + 1) if end is not None else first
        yield from node.logs(self._pin.registry.address, first, block.number)


def _audit(pin: TrustedRegistry, policy: Policy, tell: Tell, reader: _Reader) -> Audited:
    # What asks nodes takes a while to import; `--help` needs none of it.
    from anchor.ledger.client import clients_of
    from anchor.ledger.complete import VouchedRegistry
    from anchor.ledger.vouching import combined

    nodes = clients_of(policy)
    # Before anything long: is this a fresh block, and is the contract there?
    vouched = VouchedRegistry(nodes, pin, policy, int(time.time()), issuers=reader.known_issuers)

    def check(history: History, count: int) -> None:
        tell(f"proving that {count} events are all there are")
        vouched.check(history)

    failures: list[LedgerError] = []
    refuted: dict[LedgerClient, HistoryError] = {}
    for node in vouched.sources():
        try:
            read = _history_from(node, pin, vouched.block, reader, check, tell)
        except LedgerError as error:
            failures.append(error)
        except HistoryError as error:
            refuted[node] = error
            failures.append(LedgerUnavailableError(_refuted(node, error)))
        else:
            dissent = (
                Note(NoteKind.NODE_REFUTED, _refuted(other, error), other.node) for other, error in refuted.items()
            )
            notes = (*dissent, *reader.notes)
            return Audited(basis=vouched.basis, block=vouched.block, read_from=node.node, notes=notes, **read._asdict())
    # Whoever did not answer might have given a whole one.
    if len(refuted) < len(nodes):
        raise combined(failures)
    why = next(iter(refuted.values()))
    tell("looking for the place where it breaks")
    try:
        located = reader.explained(why, tuple(refuted), vouched.block, vouched.prove)
    except (LedgerError, UndeterminedError):
        # It is refused, wherever it breaks.
        raise why from None
    raise located from why


def _refuted(node: LedgerClient, error: HistoryError) -> str:
    return f"the events that the node {node.node} gave are not all: {error}"


def _history_from(
    node: LedgerClient,
    pin: TrustedRegistry,
    block: BlockHeader,
    reader: _Reader,
    check: Callable[[History, int], None],
    tell: Tell,
) -> _Read:
    """Read the events that one node gives up to a block, and prove that they are all."""
    node.require_chain(pin.registry.chain_id)
    tell(f"reading events up to block {block.number}")
    try:
        return reader.history(node, block, check, tell)
    except HistoryError as error:
        # Events are named by block number, the proof by block hash: after a reorganisation they are of two chains.
        from anchor.ledger.complete import is_on_chain

        if not is_on_chain(node, block.number, block.hash):
            raise LedgerUnavailableError(
                "the chain was reorganised during the audit", advice="Run it again."
            ) from error
        raise
