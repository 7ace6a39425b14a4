"""Everything belongs to an institution, and no function of the store can leave it out."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from sqlalchemy import Connection, Table

import registry.store
from anchor.model import Address, Hash32, StatusPosition
from registry.errors import ConflictError, NotFoundError
from registry.store import (
    achievements,
    batches,
    deliveries,
    erasure,
    jobs,
    learner_pages,
    people,
    status_history,
    status_jobs,
    transactions,
    webhooks,
)
from registry.store.connection import HOME, InstitutionConnection, InstitutionId
from registry.store.engine import Store
from registry.store.institutions import (
    InstitutionDetails,
    change_institution,
    close_institution,
    find_institution,
    get_institution,
    list_institutions,
    own_institution,
)
from registry.store.records import StatusKind, TransactionState
from registry.store.replacements import keep_replacement, predecessor_of, successor_of
from registry.store.tables import metadata
from tests.support.institutions import add
from tests.support.registry import NOW, REGISTRY, frame_of, recipients_of, seal

NOBODYS = {
    "institutions",
    "sending_accounts",
    # The chain's, which is open to all.
    *(name for name in metadata.tables if name.startswith("ledger_")),
}
MAY_BE_THE_OPERATORS = {"api_keys"}

OPERATORS = {
    # Before it is known whose a request is, or for all of them.
    "api_keys",
    "job_claims",
    "sending_accounts",
    "engine",
    "ledger_check",
    "ledger_checkpoints",
    "ledger_copies",
    "ledger_events",
    "ledger_issuers",
    # What is particular to one kind of database.
    "bulk",
    "connection",
    "postgresql",
    "sqlite",
}
"""Modules whose functions take a plain connection; of the others only those below do."""

OPERATORS_FUNCTIONS = {
    "pages.owner_of_issuer",  # whose status list it is, which everybody may know
    "institutions.add_institution",
    "institutions.change_institution",
    "institutions.close_institution",
    "institutions.get_institution",
    "institutions.find_institution",
    "institutions.list_institutions",
    "institutions.page_of_institutions",
    "idempotency.forget_answers",
    "jobs.remove_abandoned",  # uploads that broke off, whoever began them
    "job_progress.watched_progress",  # one look for all who watch
    "deliveries.are_deliveries_due",
    "deliveries.claim_deliveries",
    "deliveries.remove_old_deliveries",
    # Whoever knows the address, or asks for a status list, belongs to no institution.
    "learner_pages.owner_of_credential",
}


def leads_to_an_institution(table: Table, seen: frozenset[str] = frozenset()) -> bool:
    """Whether each row names its institution, or must name a row that does."""
    for column in table.columns:
        for key in column.foreign_keys:
            parent = key.column.table
            if column.nullable or parent.name in seen:
                continue
            if parent.name == "institutions" or leads_to_an_institution(parent, seen | {table.name}):
                return True
    return False


@pytest.mark.parametrize("table", [each for each in metadata.sorted_tables if each.name not in NOBODYS], ids=str)
def test_every_row_has_an_institution(table: Table) -> None:
    assert leads_to_an_institution(table) == (table.name not in MAY_BE_THE_OPERATORS)


def modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(registry.store.__path__):
        if not info.ispkg or info.name != "migrations":
            yield import_module(f"registry.store.{info.name}")


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in modules():
        short = module.__name__.rpartition(".")[2]
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and short not in OPERATORS:
                yield f"{short}.{name}", function


def test_every_function_that_asks_the_database_takes_the_institution() -> None:
    plain = set()
    for name, function in functions():
        hints = get_type_hints(function)
        first = next(iter(inspect.signature(function).parameters), None)
        if InstitutionConnection in hints.values():
            assert hints.get(str(first)) is InstitutionConnection, name
        if Connection in hints.values():
            plain.add(name)
    private = {name for name in plain if name.partition(".")[2].startswith("_")}
    assert plain - private == OPERATORS_FUNCTIONS


def achievement(connection: InstitutionConnection) -> None:
    achievements.add_achievement(connection, code="data", uri="urn:x", name="x", content=b"{}", added_at=NOW)


def test_two_institutions_may_use_the_same_codes(store: Store) -> None:
    for institution in (HOME, add(store, "a"), add(store, "b")):
        with store.of(institution).writing() as connection:
            achievement(connection)
            with pytest.raises(ConflictError):
                achievement(connection)
        with store.of(institution).reading() as connection:
            assert len(achievements.list_achievements(connection)) == 1


class Belongings:
    """Something of everything that an institution can have."""

    def __init__(self, store: Store, institution: InstitutionId, issuer_id: int) -> None:
        self.store = store.of(institution)
        self.batch = seal(self.store, frame_of(issuer_id=issuer_id), recipients_of(2))
        with self.store.writing() as connection:
            self.first, self.second = batches.iterate_credentials(connection, self.batch.id)
            keep_replacement(connection, self.first.uuid, self.second.uuid)
            self.transaction = transactions.keep_transaction(
                connection,
                chain_id=31337,
                sender=Address(bytes(20)),
                nonce=issuer_id,
                transaction_hash=Hash32(issuer_id.to_bytes(32, "big")),
                raw=b"raw",
                signed_at=NOW,
            )
            self.position = self.first.position
            transactions.keep_status_changes(
                connection, self.transaction, self.batch.issuer, [self.position], StatusKind.REVOKE, 1
            )
            transactions.keep_batch_revocation(connection, self.transaction, self.batch.issuer, self.batch.root, 1)
            achievement(connection)
            self.webhook = webhooks.add_webhook(connection, address="https://x.example", events=["e"], created_at=NOW)
            webhooks.announce(connection, "e", b"{}", now=NOW)
            (self.delivery,) = deliveries.list_deliveries(connection, self.webhook.public_id)
        with self.store.operator_writing() as connection:
            deliveries.claim_deliveries(connection, "w", now=NOW, lease_seconds=1, limit=9, per_institution=9)
        with self.store.writing() as connection:
            deliveries.settle_delivery(connection, self.delivery, "w", now=NOW, status=200, error=None, again_at=None)
            self.job = jobs.create_job(connection, jobs.JobKind.ROSTER, "{}", now=NOW)
            jobs.add_content(connection, self.job, 0, b"name\n")
            change = jobs.create_job(connection, jobs.JobKind.STATUS, "{}", now=NOW)
            self.change = jobs.finish_content(connection, change, now=NOW)
            status_jobs.link_transaction(connection, self.change, self.transaction)
            learner_pages.renew_page(connection, self.first.uuid, now=NOW)


READS: dict[str, Callable[[InstitutionConnection, Belongings], object]] = {
    "unfinished": lambda connection, its: batches.unfinished_batches(connection, REGISTRY, its.batch.issuer.issuer_id),
    "by achievement": lambda connection, its: batches.batches_of_achievement(
        connection, REGISTRY, its.batch.issuer.issuer_id, its.batch.achievement_id
    ),
    "by roster": lambda connection, its: batches.newest_of_roster(connection, its.batch.issuer, its.batch.roster_hash),
    "newest": lambda connection, _its: batches.newest_batch(connection),
    "credentials": lambda connection, its: list(batches.iterate_credentials(connection, its.batch.id)),
    "levels": lambda connection, its: batches.read_levels(connection, its.batch.id),
    "templates": lambda connection, its: batches.read_templates(connection, its.batch.id),
    "by name": lambda connection, _its: list(people.uuids_by_name(connection, ["zoe"])),
    "by name in the batch": lambda connection, its: list(people.uuids_by_name(connection, ["zoe"], its.batch.id)),
    "by e-mail": lambda connection, _its: people.uuids_by_email(connection, {"zoe.0@example.org"}),
    "names": lambda connection, its: people.names_at(connection, REGISTRY, its.batch.issuer.issuer_id, [its.position]),
    "successor": lambda connection, its: successor_of(connection, its.first.uuid),
    "predecessor": lambda connection, its: predecessor_of(connection, its.second.uuid),
    "open transactions": lambda connection, _its: transactions.open_status_transactions(
        connection, 31337, Address(bytes(20))
    ),
    "history": lambda connection, its: transactions.status_history(
        connection, its.batch.issuer, its.position, its.batch.root
    ),
    "achievements": lambda connection, _its: achievements.list_achievements(connection),
    "versions": lambda connection, _its: achievements.list_versions(connection, "data"),
    "webhooks": lambda connection, _its: webhooks.list_webhooks(connection),
    "deliveries": lambda connection, its: deliveries.list_deliveries(connection, its.webhook.public_id),
    "anything that arrived": lambda connection, its: deliveries.has_anything_arrived(
        connection, its.webhook.public_id, since=NOW
    ),
    "jobs": lambda connection, _its: jobs.list_jobs(connection),
    "content": lambda connection, its: list(jobs.read_content(connection, its.job)),
    "unmined": lambda connection, _its: status_jobs.unmined_status_jobs(connection),
    "transactions of a job": lambda connection, its: status_jobs.transactions_of_job(connection, its.change.id),
    "changes": lambda connection, _its: status_history.page_of_changes(connection, before=None, limit=9, named=9),
    "several credentials": lambda connection, its: status_jobs.get_credentials(connection, [its.first.uuid]),
}

REFUSED: dict[str, Callable[[InstitutionConnection, Belongings], object]] = {
    "batch": lambda connection, its: batches.get_batch(connection, its.batch.id),
    "credential": lambda connection, its: batches.get_credential(connection, its.first.uuid),
    "transaction": lambda connection, its: transactions.get_transaction(connection, its.transaction),
    "replacing": lambda connection, its: keep_replacement(connection, its.second.uuid, its.first.uuid),
    "moving": lambda connection, its: batches.move_batch(connection, its.batch, its.batch.state),
    "issuer": lambda connection, its: batches.issuer_ref(connection, REGISTRY, its.batch.issuer.issuer_id),
    "achievement": lambda connection, _its: achievements.read_achievement(connection, "data"),
    "job": lambda connection, its: jobs.get_job(connection, its.job.public_id),
    "cancelling": lambda connection, its: jobs.cancel_job(connection, its.job.public_id, now=NOW),
    "uploading": lambda connection, its: jobs.add_content(connection, its.job, 1, b"x"),
    "moving a job": lambda connection, its: jobs.move_job(connection, its.job, jobs.JobState.RECEIVED, now=NOW),
    "linking": lambda connection, its: status_jobs.link_transaction(connection, its.change, its.transaction),
    "page": lambda connection, its: learner_pages.page_of(connection, its.first.uuid),
    "withdrawing": lambda connection, its: learner_pages.withdraw_page(connection, its.first.uuid, now=NOW),
    "renewing": lambda connection, its: learner_pages.renew_page(connection, its.first.uuid, now=NOW),
    "disabling": lambda connection, its: webhooks.disable_webhook(connection, its.webhook.public_id, now=NOW),
    "redelivering": lambda connection, its: deliveries.redeliver(
        connection, its.webhook.public_id, its.delivery.public_id, now=NOW
    ),
    "webhook": lambda connection, its: webhooks.get_webhook(connection, its.webhook.public_id),
    "enabling": lambda connection, its: webhooks.enable_webhook(connection, its.webhook.public_id),
    "rotating": lambda connection, its: webhooks.rotate_secret(connection, its.webhook.public_id, now=NOW),
    "removing a webhook": lambda connection, its: webhooks.remove_webhook(connection, its.webhook.public_id),
    "delivery": lambda connection, its: deliveries.get_delivery(
        connection, its.webhook.public_id, its.delivery.public_id
    ),
    "sending": lambda connection, its: deliveries.send_one(connection, its.webhook.public_id, "e", b"{}", now=NOW),
    "settling": lambda connection, its: deliveries.settle_delivery(
        connection, its.delivery, "w", now=NOW, status=200, error=None, again_at=None
    ),
}


def test_an_institution_sees_nothing_of_another(store: Store) -> None:
    one, other = add(store, "one"), add(store, "other")
    its = Belongings(store, one, 1)
    with its.store.reading() as connection:
        # Each of them finds something for whom it belongs to, or the test would say nothing.
        assert [name for name, read in READS.items() if not read(connection, its)] == []
    for stranger in (other, HOME):
        with store.of(stranger).reading() as connection:
            assert [name for name, read in READS.items() if read(connection, its)] == []


@pytest.mark.parametrize("name", REFUSED)
def test_an_institution_can_touch_nothing_of_another(store: Store, name: str) -> None:
    one, other = add(store, "one"), add(store, "other")
    its = Belongings(store, one, 1)
    with pytest.raises((NotFoundError, ConflictError)), store.of(other).writing() as connection:
        REFUSED[name](connection, its)


def test_what_writes_without_asking_changes_nothing_of_another(store: Store) -> None:
    one, other = add(store, "one"), add(store, "other")
    its = Belongings(store, one, 1)
    with store.of(other).writing() as connection:
        erasure.erase_credentials(connection, [its.first.uuid], now=NOW)
        jobs.drop_content(connection, its.job)
        transactions.settle_transaction(connection, its.transaction, TransactionState.MINED)
    with its.store.reading() as connection:
        assert batches.get_credential(connection, its.first.uuid) == its.first
        assert erasure.erased_at(connection, its.first.uuid) is None
        assert batches.get_batch(connection, its.batch.id) == its.batch
        assert list(jobs.read_content(connection, its.job)) == [b"name\n"]
        assert transactions.get_transaction(connection, its.transaction).block_number is None
        assert successor_of(connection, its.first.uuid) == its.second.uuid


def test_institutions_are_kept_changed_and_closed(store: Store) -> None:
    details = InstitutionDetails(name="Collège", registry=REGISTRY, issuer_id=7, monthly_gas_budget_wei=2**70)
    one = add(store, "zeta", issuer_id=1)
    add(store, "alpha")
    with store.operator_writing() as connection:
        change_institution(connection, one, details)
        close_institution(connection, one, now=NOW + 1)
        with pytest.raises(NotFoundError):
            close_institution(connection, one, now=NOW + 1)
        with pytest.raises(NotFoundError):
            change_institution(connection, InstitutionId(99), InstitutionDetails(name="x"))
        assert [each.code for each in list_institutions(connection)] == ["alpha", "zeta"]
        record = find_institution(connection, "zeta")
        assert (record.details, record.created_at, record.closed_at) == (details, NOW, NOW + 1)
        with pytest.raises(NotFoundError):
            find_institution(connection, "x")
        with pytest.raises(NotFoundError):
            get_institution(connection, InstitutionId(99))
    with store.of(one).reading() as own:
        assert own_institution(own) == record


def test_codes_and_issuers_are_one_institutions(store: Store) -> None:
    first = add(store, "one", issuer_id=1)
    with pytest.raises(ConflictError, match="already"):
        add(store, "one")
    with pytest.raises(ConflictError, match="another institution's"):
        add(store, "two", issuer_id=1)
    second = add(store, "two", issuer_id=2)
    with store.operator_writing() as connection:
        taken = get_institution(connection, second).details
        with pytest.raises(ConflictError):
            change_institution(connection, first, taken)
        change_institution(connection, second, taken)


def test_a_position_is_of_one_institution(store: Store) -> None:
    """An issuer's row cannot be reached with another institution's connection, whoever hands the reference on."""
    one, other = add(store, "one"), add(store, "other")
    with store.of(one).writing() as connection:
        issuer = batches.issuer_ref(connection, REGISTRY, 1)
    with store.of(other).reading() as connection:
        position = StatusPosition(status_list=0, index=0)
        assert transactions.status_history(connection, issuer, position, Hash32(bytes(32))) == ()
    with pytest.raises(Exception, match="No row"), store.of(other).writing() as connection:
        batches.allocate_positions(connection, issuer, 1)
