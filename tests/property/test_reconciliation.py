"""Whatever happened and was asked for: comparing words of bits, read by rows, finds what comparing one by one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from anchor.events import BatchAnchored, BatchRevoked, CredentialsRevoked, StatusChanged
from anchor.history import IssuerHistory
from anchor.model import Address, Hash32, StatusPosition, address, hash32, to_utc
from anchor.status import LIST_SIZE, StatusPurpose
from registry.services.differences import Difference, DifferenceKind
from registry.services.reconciliation import Settled, Stored, reconcile
from registry.store import reconciliation as rows
from registry.store.batches import issuer_ref
from registry.store.engine import Store, open_store
from registry.store.reconciliation import OwnBatch, asked_revocations, asked_statuses, in_words, sealed_for
from registry.store.records import BatchId, BatchState, StatusKind, TransactionState
from registry.store.tables import batch_revocations, batches, status_changes, transactions
from registry.store.transactions import own_transactions
from tests.support.contract_model import Model, eventful_models
from tests.support.history import REGISTRY
from tests.support.stories import replayed

FOLDER = TemporaryDirectory()
NOW = 10_000_000
STATUS_KINDS = {
    DifferenceKind.REVOKED_ELSEWHERE,
    DifferenceKind.SUSPENDED_ELSEWHERE,
    DifferenceKind.REINSTATED_ELSEWHERE,
    DifferenceKind.REVOCATION_MISSING,
    DifferenceKind.UNKNOWN_POSITION,
}


class Asked(NamedTuple):
    """A change of status that was asked for."""

    position: StatusPosition
    kind: StatusKind
    state: TransactionState


class Database(NamedTuple):
    """What an institution's database has, in plain values."""

    batches: Sequence[OwnBatch]
    changes: Sequence[Asked]
    """In the order of their transactions."""
    revocations: Sequence[tuple[Hash32, TransactionState]]
    transactions: frozenset[Hash32]


# What is asked for, at random


def some_database(random: Random, issuer: IssuerHistory, model: Model) -> Database:
    """Of what the ledger has, and of what it has not, some."""
    roots = [*issuer.batches, *(hash32(bytes([number]) * 32) for number in (0xEE, 0xEF))]
    own, place = [], random.choice([0, 200, LIST_SIZE - 300])
    for number, root in enumerate(random.sample(roots, random.randint(0, len(roots))), start=1):
        known = issuer.batches.get(root)
        size = random.choice([known.size if known and 0 < known.size < 10**6 else 7, random.randint(1, 600)])
        state, failure = random.choice(list(BatchState)), random.choice([None, "KeyNotActive"])
        own.append(OwnBatch(BatchId(number), root, size, place, state, random.choice([0, NOW - 10]), failure))
        place += size + random.choice([0, 0, 5])
    set_now = [*issuer.positions(StatusPurpose.REVOCATION), *issuer.positions(StatusPurpose.SUSPENSION)]
    others = [
        StatusPosition(status_list=random.randint(0, 2), index=random.choice([0, 1, 255, 256, 600])) for _ in range(5)
    ]
    changes = []
    for position in random.sample(set_now, min(len(set_now), random.choice([0, 3, 40]))) + others:
        for _ in range(random.choice([1, 1, 1, 2, 3])):
            became = random.choice([TransactionState.MINED] * 5 + list(TransactionState))
            changes.append(Asked(position, random.choice(list(StatusKind)), became))
    random.shuffle(changes)
    asked = [(root, random.choice(list(TransactionState))) for root in random.choices(roots, k=random.randint(0, 4))]
    done = [event.log.transaction_hash for event in issuer.events if isinstance(event, BatchRevoked)]
    return Database(own, changes, asked, frozenset(random.sample(done, random.randint(0, len(done)))))


def a_moment_later(random: Random, database: Database) -> Database:
    """Some of it came, some went on."""
    return Database(
        [
            batch._replace(state=random.choice([batch.state, BatchState.ANCHORED]))
            for batch in database.batches
            if random.random() < 0.9
        ],
        [
            change._replace(state=random.choice([change.state] * 3 + [TransactionState.MINED]))
            for change in database.changes
            if random.random() < 0.9
        ],
        [(root, random.choice([state, TransactionState.MINED])) for root, state in database.revocations],
        database.transactions,
    )


# As it is kept, and read back some rows at a time


@cache
def store() -> Store:
    """One database for all examples."""
    return open_store(f"sqlite:///{Path(FOLDER.name) / 'registry.db'}")


def read(database: Database, issuer_id: int) -> Stored:
    """Keep it, and read it as the command does."""
    with store().writing() as connection:
        for table in (status_changes, batch_revocations, batches, transactions):
            connection.execute(delete(table))
        issuer = issuer_ref(connection, REGISTRY, issuer_id).id
        kept = [
            *(transaction(10_000 + at, each, TransactionState.MINED) for at, each in enumerate(database.transactions)),
            *(transaction(at, None, change.state) for at, change in enumerate(database.changes, start=1)),
            *(transaction(at, None, state) for at, (_, state) in enumerate(database.revocations, start=5_000)),
        ]
        changed = [
            {
                "transaction_id": at,
                "issuer_ref": issuer,
                "status_list": change.position.status_list,
                "status_index": change.position.index,
                "kind": change.kind.value,
                "reason": 7,
            }
            # In no order: rows need not be in that of their transactions.
            for at, change in sorted(enumerate(database.changes, start=1), key=lambda each: each[0] * 7919 % 101)
        ]
        revoked = [
            {"transaction_id": at, "issuer_ref": issuer, "root": root, "reason": 7}
            for at, (root, _) in enumerate(database.revocations, start=5_000)
        ]
        sealed = [
            {
                **batch._asdict(),
                "state": batch.state.value,
                "roster_hash": bytes(32),
                "issuer_ref": issuer,
                "achievement_name": "Diploma",
            }
            for batch in database.batches
        ]
        for table, its in (
            (transactions, kept),
            (status_changes, changed),
            (batch_revocations, revoked),
            (batches, sealed),
        ):
            if its:
                connection.execute(insert(table), its)
    with store().reading() as connection:
        return Stored(
            batches={batch.root: batch for batch in sealed_for(connection, REGISTRY, issuer_id)},
            revocations=asked_revocations(connection, REGISTRY, issuer_id),
            statuses=in_words(asked_statuses(connection, REGISTRY, issuer_id)),
        )


def transaction(number: int, its_hash: Hash32 | None, state: TransactionState) -> dict[str, Any]:
    return {
        "id": number,
        "institution_ref": 1,
        "chain_id": 1,
        "sender": bytes(20),
        "nonce": number,
        "hash": its_hash or number.to_bytes(32, "big"),
        "raw": b"",
        "state": state.value,
        "signed_at": 0,
    }


def knows(hashes: Any) -> frozenset[Hash32]:
    with store().reading() as connection:
        return own_transactions(connection, hashes)


# One by one


def naive(issuer: IssuerHistory, database: Database) -> set[Difference]:
    """Compare with one moment of the database, position by position and root by root."""
    return {
        *naive_batches(issuer, {each.root: each for each in database.batches}),
        *naive_revocations(issuer, database),
        *naive_statuses(issuer, database),
    }


def naive_batches(issuer: IssuerHistory, own: Mapping[Hash32, OwnBatch]) -> Iterator[Difference]:
    kinds, void = DifferenceKind, issuer.void_batches()
    for root, record in own.items():
        batch = issuer.batches.get(root)
        if batch is None:
            if record.state is BatchState.ANCHORED:
                yield Difference(kind=kinds.NOT_ON_LEDGER, root=root)
            elif record.state is BatchState.FAILED or (record.state is BatchState.SEALED and record.sealed_at == 0):
                yield Difference(kind=kinds.NEVER_ANCHORED, root=root, detail=record.failure or "")
        elif batch.size != record.size:
            detail = f"{batch.size or 'not stated'} on the ledger, {record.size} here"
            yield Difference(kind=kinds.OTHER_SIZE, root=root, key=batch.key, detail=detail)
        elif root in void and root not in issuer.revoked_batches():
            yield Difference(kind=kinds.VOID, root=root, key=batch.key)
        elif record.state is not BatchState.ANCHORED:
            yield Difference(kind=kinds.NOT_NOTED, root=root)
    for root in issuer.batches.keys() - own.keys():
        events = [each for each in issuer.events if isinstance(each, BatchAnchored) and each.root == root]
        yield Difference(
            kind=kinds.FOREIGN_VOID if root in void else kinds.FOREIGN_BATCH,
            root=root,
            key=events[-1].actor,
            transaction=events[-1].log.transaction_hash,
            detail=f"{events[-1].size or 'unstated number of'} credentials, {to_utc(events[-1].at)}",
        )


def naive_revocations(issuer: IssuerHistory, database: Database) -> Iterator[Difference]:
    open_states = (TransactionState.SIGNED, TransactionState.SENT)
    counting = {root: set[bool]() for root, _ in database.revocations}
    for root, state in database.revocations:
        if state in open_states or state is TransactionState.MINED:
            counting[root].add(state in open_states)
    asked = {root: all(are_open) for root, are_open in counting.items() if are_open}
    for root in issuer.revoked_batches():
        event = [each for each in issuer.events if isinstance(each, BatchRevoked) and each.root == root][-1]
        transaction = event.log.transaction_hash
        if root not in asked and transaction not in database.transactions:
            kind = DifferenceKind.BATCH_REVOKED_ELSEWHERE
            yield Difference(kind=kind, root=root, key=event.actor, transaction=transaction)
    for root, is_open in asked.items():
        if root not in issuer.revoked_batches() and not is_open:
            yield Difference(kind=DifferenceKind.BATCH_REVOCATION_MISSING, root=root)


def naive_statuses(issuer: IssuerHistory, database: Database) -> Iterator[Difference]:
    revoked, suspended = (set(issuer.positions(purpose)) for purpose in StatusPurpose)
    asked: dict[StatusPosition, list[Asked]] = {}
    for change in database.changes:
        asked.setdefault(change.position, []).append(change)
    for place in {*revoked, *suspended, *asked}:
        changes = asked.get(place, [])
        if any(each.state in (TransactionState.SIGNED, TransactionState.SENT) for each in changes):
            continue
        mined = [each.kind for each in changes if each.state is TransactionState.MINED]
        others = [kind for kind in mined if kind is not StatusKind.REVOKE]
        number = place.status_list * LIST_SIZE + place.index
        is_known = place in asked or any(0 <= number - batch.first_position < batch.size for batch in database.batches)
        for purpose, is_so, should_be, more, less in (
            (
                StatusPurpose.REVOCATION,
                place in revoked,
                StatusKind.REVOKE in mined,
                DifferenceKind.REVOKED_ELSEWHERE,
                DifferenceKind.REVOCATION_MISSING,
            ),
            (
                StatusPurpose.SUSPENSION,
                place in suspended,
                others[-1:] == [StatusKind.SUSPEND],
                DifferenceKind.SUSPENDED_ELSEWHERE,
                DifferenceKind.REINSTATED_ELSEWHERE,
            ),
        ):
            if is_so != should_be:
                kind = less if should_be else more if is_known else DifferenceKind.UNKNOWN_POSITION
                yield naive_named(issuer, kind, place, purpose)


def naive_named(
    issuer: IssuerHistory, kind: DifferenceKind, place: StatusPosition, purpose: StatusPurpose
) -> Difference:
    changes = [
        event
        for event in issuer.events
        if isinstance(event, StatusChanged)
        and event.epoch == issuer.record.status_epoch
        and isinstance(event, CredentialsRevoked) == (purpose is StatusPurpose.REVOCATION)
        and is_changed_by(event, place)
    ]
    if kind is DifferenceKind.REVOCATION_MISSING or not changes:
        return Difference(kind=kind, position=place)
    last = changes[-1]
    return Difference(
        kind=kind, position=place, key=last.actor, transaction=last.log.transaction_hash, detail=to_utc(last.at)
    )


def is_changed_by(event: StatusChanged, place: StatusPosition) -> bool:
    word, bit = divmod(place.index, 256)
    changed = dict(zip(event.words, event.masks, strict=True)).get(word, 0)
    return event.status_list == place.status_list and bool(changed >> bit & 1)


# The properties


@settings(max_examples=20)
@given(model=eventful_models(), random=st.randoms(use_true_random=False))
def test_reading_row_by_row_finds_what_comparing_one_by_one_does(model: Model, random: Random) -> None:
    history = replayed(*model.calls)
    for issuer in history.issuers:
        early = some_database(random, issuer, model)
        late = a_moment_later(random, early)
        with patch.object(rows, "_ROWS_A_FETCH", 3):
            stored = read(early, issuer.issuer_id), read(late, issuer.issuer_id)
        anybody = Address(address(b"\x77" * 20))
        settled = Settled(did=issuer.did, anchor_key=anybody, status_key=anybody, controller=None)
        found = [
            each
            for each in reconcile(issuer, history.events, settled, stored, knows, now=NOW)
            if each.root is not None or each.position is not None
        ]
        assert len(set(found)) == len(found)
        assert set(found) == naive(issuer, early) & naive(issuer, late)
        places = [each.position for each in found if each.position is not None]
        assert places == sorted(places)
