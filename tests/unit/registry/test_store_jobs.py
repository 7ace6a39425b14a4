"""Jobs: state machines that outlive processes, and workers that share them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, update

from registry.errors import ConflictError
from registry.store.connection import InstitutionId
from registry.store.engine import Store
from registry.store.job_claims import LARGE_BYTES, Lane, claim_jobs, extend_lease
from registry.store.jobs import (
    CANCELLABLE,
    ENDED,
    NEXT_STATES,
    JobId,
    JobKind,
    JobRecord,
    JobState,
    add_content,
    cancel_job,
    count_waiting,
    create_job,
    drop_content,
    finish_content,
    get_job,
    list_jobs,
    move_job,
    note_progress,
    put_off_job,
    read_content,
    release_job,
)
from registry.store.service_tables import jobs
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.registry import NOW

ROSTER = [b"name,email\n", "Zoé,zoe@example.org\n".encode() * 1000, b"\x00\xff"]


def received(store: Store) -> JobRecord:
    with store.writing() as connection:
        job = create_job(connection, JobKind.ROSTER, '{"achievement": "data"}', now=NOW)
        for number, content in enumerate(ROSTER):
            add_content(connection, job, number, content)
        return finish_content(connection, job, now=NOW)


def claim(store: Store, worker: str, *, now: int = NOW, limit: int = 1) -> list[JobRecord]:
    with store.operator_writing() as connection:
        return list(claim_jobs(connection, worker, now=now, lease_seconds=30, limit=limit))


def test_what_was_uploaded_is_there_until_it_is_dropped(store: Store) -> None:
    job = received(store)
    with store.writing() as connection:
        assert list(read_content(connection, job)) == ROSTER
        read = get_job(connection, job.public_id)
        assert read == job
        assert (job.content_size, job.content_hash) == (len(b"".join(ROSTER)), sha256(b"".join(ROSTER)).digest())
        with pytest.raises(ConflictError):
            add_content(connection, job, 3, b"more")
        drop_content(connection, job)
        assert list(read_content(connection, job)) == []


def test_nobody_claims_what_is_still_being_uploaded(store: Store) -> None:
    with store.writing() as connection:
        job = create_job(connection, JobKind.STATUS, "{}", now=NOW)
    assert claim(store, "w") == []
    with store.writing() as connection:
        finish_content(connection, job, now=NOW)
    assert [each.kind for each in claim(store, "w")] == [JobKind.STATUS]


def test_a_job_goes_its_way(store: Store) -> None:
    received(store)
    (job,) = claim(store, "w")
    revisions = [job.revision]
    for state in (JobState.VALIDATED, JobState.SEALED, JobState.SIGNED, JobState.SENT, JobState.MINED, JobState.FINAL):
        with store.writing() as connection:
            job = move_job(connection, job, state, now=NOW + 1, report="{}")
        revisions.append(job.revision)
    assert revisions == list(range(revisions[0], revisions[0] + 7))
    assert (job.state, job.changed_at, job.report) == (JobState.FINAL, NOW + 1, "{}")
    assert claim(store, "w", now=NOW + 10**6) == []


@pytest.mark.parametrize("state", [state for state in JobState if JobState.SEALED not in NEXT_STATES[state]])
def test_states_follow_in_order(sqlite_database: Database, state: JobState) -> None:
    """No database is asked for that."""
    store = sqlite_database.open()
    job = received(store)
    with store.writing() as connection, pytest.raises(ValueError, match="never becomes"):
        move_job(connection, replace(job, state=state), JobState.SEALED, now=NOW)


def test_every_state_but_the_last_ones_leads_somewhere() -> None:
    assert set(NEXT_STATES) == set(JobState)
    assert set(ENDED) == {JobState.FINAL, JobState.TRIED, JobState.CANCELLED, JobState.FAILED}
    assert set(CANCELLABLE) == {JobState.RECEIVING, JobState.RECEIVED, JobState.VALIDATED}


def test_a_record_that_is_out_of_date_moves_nothing(store: Store) -> None:
    job = received(store)
    with store.writing() as connection:
        move_job(connection, job, JobState.VALIDATED, now=NOW)
    with pytest.raises(ConflictError, match="another process"), store.writing() as connection:
        move_job(connection, job, JobState.VALIDATED, now=NOW)


def test_cancelling_ends_the_work_of_whoever_is_at_it(store: Store) -> None:
    received(store)
    (job,) = claim(store, "w")
    with store.writing() as connection:
        cancelled = cancel_job(connection, job.public_id, now=NOW + 1)
        assert list(read_content(connection, cancelled)) == []
    for late in (
        lambda connection: note_progress(connection, job, now=NOW, done=1, total=2),
        lambda connection: move_job(connection, job, JobState.VALIDATED, now=NOW),
        lambda connection: put_off_job(connection, job, now=NOW, until=NOW, why="x"),
        lambda connection: release_job(connection, job, now=NOW),
        lambda connection: extend_lease(connection.plain, job, now=NOW, lease_seconds=1),
        lambda connection: cancel_job(connection, job.public_id, now=NOW),
    ):
        with pytest.raises(ConflictError), store.writing() as connection:
            late(connection)


def test_what_is_sealed_is_not_cancelled(store: Store) -> None:
    job = received(store)
    with store.writing() as connection:
        for state in (JobState.VALIDATED, JobState.SEALED):
            job = move_job(connection, job, state, now=NOW)
        with pytest.raises(ConflictError, match="cannot be cancelled"):
            cancel_job(connection, job.public_id, now=NOW)


def test_progress_and_putting_off(store: Store) -> None:
    received(store)
    (job,) = claim(store, "w")
    with store.writing() as connection:
        job = note_progress(connection, job, now=NOW, done=5, total=10)
        job = put_off_job(connection, job, now=NOW, until=NOW + 60, why="the node does not answer")
    assert (job.done, job.total, job.attempts, job.failure) == (5, 10, 1, "the node does not answer")
    assert claim(store, "v", now=NOW + 59) == []
    assert [each.leased_by for each in claim(store, "v", now=NOW + 60)] == ["v"]


def test_jobs_are_listed_page_by_page(store: Store) -> None:
    made = [received(store) for _ in range(3)]
    with store.reading() as connection:
        newest, *_ = first = list_jobs(connection, limit=2)
        assert [each.id for each in first] == [made[2].id, made[1].id]
        assert [each.id for each in list_jobs(connection, before=first[-1].id)] == [made[0].id]
        assert list_jobs(connection, kind=JobKind.STATUS) == ()
        assert newest.request == '{"achievement": "data"}'


def test_institutions_take_turns(store: Store) -> None:
    many, few = store.of(add(store, "many")), store.of(add(store, "few"))
    for _ in range(3):
        received(many)
    received(few)
    owners: list[InstitutionId] = [claim(store, "w")[0].institution for _ in range(4)]
    assert owners == [many.institution, few.institution, many.institution, many.institution]
    assert claim(store, "w") == []


def test_several_at_once_are_claimed_in_turns_too(store: Store) -> None:
    many, few = store.of(add(store, "many")), store.of(add(store, "few"))
    for _ in range(3):
        received(many)
    received(few)
    assert [each.institution for each in claim(store, "w", limit=2)] == [many.institution, few.institution]


def test_a_thousand_jobs_of_one_institution_do_not_hold_up_anothers_one(store: Store) -> None:
    many, few = store.of(add(store, "many")), store.of(add(store, "few"))
    with many.writing() as connection:
        for _ in range(1000):
            create_job(connection, JobKind.ROSTER, "{}", now=NOW)
        connection.execute(update(jobs).values(state=JobState.RECEIVED.value))
    assert claim(store, "w")[0].institution == many.institution
    late = received(few)
    assert claim(store, "v")[0].id == late.id
    # Neither does a job that is given back after each step keep others waiting.
    owners = []
    for _ in range(4):
        (job,) = claim(store, "w")
        owners.append(job.institution)
        with store.of(job.institution).writing() as connection:
            release_job(connection, job, now=NOW)
        if late.id == job.id or len(owners) == 1:
            with few.writing() as connection:
                connection.execute(update(jobs).where(jobs.c.id == late.id).values(leased_by=None, leased_until=None))
    assert owners == [many.institution, few.institution, many.institution, few.institution]


def large(store: Store) -> JobRecord:
    """A roster with as many bytes as a large one has, of which none are there."""
    job = received(store)
    with store.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(content_size=LARGE_BYTES))
    return job


def claim_in(store: Store, lane: Lane, *, now: int = NOW) -> list[JobId]:
    with store.operator_writing() as connection:
        return [job.id for job in claim_jobs(connection, lane.value, now=now, lease_seconds=30, lane=lane)]


def test_large_rosters_are_left_to_some_workers_and_of_one_institution_only_one_is_worked_on(store: Store) -> None:
    here, there = store.of(add(store, "here")), store.of(add(store, "there"))
    first, second, small, other = large(here), large(here), received(here), large(there)
    assert claim_in(store, Lane.LIGHT) == [small.id]
    assert claim_in(store, Lane.LIGHT) == []
    assert claim_in(store, Lane.ANY) == [other.id]
    assert claim_in(store, Lane.ANY) == [first.id]
    assert claim_in(store, Lane.ANY) == []
    assert claim_in(store, Lane.ROSTERS, now=NOW + 31) != []
    # Sealed, it is no longer large.
    with here.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == second.id).values(state=JobState.SEALED.value))
    assert claim_in(store, Lane.LIGHT) == [second.id]


def test_one_lane_is_for_rosters_that_are_to_be_sealed(store: Store) -> None:
    roster = received(store)
    with store.writing() as connection:
        status = create_job(connection, JobKind.STATUS, "{}", now=NOW)
        finish_content(connection, status, now=NOW)
    sealed = received(store)
    with store.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == sealed.id).values(state=JobState.SENT.value))
    assert claim_in(store, Lane.ROSTERS) == [roster.id]
    assert claim_in(store, Lane.ROSTERS) == []
    assert {*claim_in(store, Lane.LIGHT), *claim_in(store, Lane.LIGHT)} == {status.id, sealed.id}


def test_waiting_jobs_are_counted_with_their_bytes(store: Store) -> None:
    size = len(b"".join(ROSTER))
    with store.reading() as connection:
        assert count_waiting(connection) == (0, 0)
    received(store), received(store)
    with store.writing() as connection:
        assert count_waiting(connection) == (2, 2 * size)
        (newest, _) = list_jobs(connection)
        cancel_job(connection, newest.public_id, now=NOW)
        assert count_waiting(connection) == (1, size)
    with store.of(add(store, "other")).reading() as connection:
        assert count_waiting(connection) == (0, 0)


def test_nothing_is_left_of_a_dropped_upload(database: Database) -> None:
    store = database.open()
    job = received(store)
    store.clean_uploads()
    with store.writing() as connection:
        drop_content(connection, job)
    store.clean_uploads()
    if database.is_postgresql:
        with store.operator_reading() as connection:
            sizes = "SELECT pg_relation_size(oid), pg_relation_size(reltoastrelid) FROM pg_class"
            found = connection.exec_driver_sql(f"{sizes} WHERE relname = 'job_chunks'").one()
        assert tuple(found) == (0, 0)
    else:
        path = Path(database.url.removeprefix("sqlite:///"))
        kept = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
        assert b"jobs" in kept
        assert b"zoe@example.org" not in kept


def test_a_reader_does_not_keep_others_waiting_while_the_journal_is_emptied(sqlite_database: Database) -> None:
    store, other = sqlite_database.open(), sqlite_database.open()
    received(store)
    with other.reading() as connection:
        assert len(list_jobs(connection)) == 1
        received(store)
        store.clean_uploads()
        received(store)
    with store.reading() as connection:
        assert len(list_jobs(connection)) == 3


def test_a_lease_ends_and_can_be_extended(store: Store) -> None:
    received(store)
    (job,) = claim(store, "w")
    with store.operator_writing() as connection:
        extend_lease(connection, job, now=NOW + 20, lease_seconds=30)
    assert claim(store, "v", now=NOW + 49) == []
    (taken,) = claim(store, "v", now=NOW + 50)
    assert taken.id == job.id
    with pytest.raises(ConflictError), store.operator_writing() as connection:
        extend_lease(connection, job, now=NOW + 50, lease_seconds=30)
    with pytest.raises(ConflictError), store.writing() as connection:
        move_job(connection, job, JobState.VALIDATED, now=NOW)


def test_workers_at_once_never_share_a_job(database: Database) -> None:
    store = database.open()
    for _ in range(12):
        received(store)
    stores, barrier = [database.open() for _ in range(4)], Barrier(4)

    def work(number: int) -> list[int]:
        barrier.wait()
        return [job.id for _ in range(3) for job in claim(stores[number], f"w{number}")]

    with ThreadPoolExecutor(4) as pool:
        claimed = [number for each in pool.map(work, range(4)) for number in each]
    assert len(claimed) == len(set(claimed)) == 12


def test_postgresql_passes_over_what_is_being_claimed(postgres_database: Database) -> None:
    """Nobody waits: the first transaction is still open when the second claims."""
    store, other = postgres_database.open(), postgres_database.open()
    first, second = received(store), received(store)
    with store.operator_writing() as connection:
        (one,) = claim_jobs(connection, "w", now=NOW, lease_seconds=30)
        (two,) = claim(other, "v")
        assert claim(other, "v") == []
    assert {one.id, two.id} == {first.id, second.id}


KILLED_WORKER = """
import sys, time
from registry.store.engine import open_store
from registry.store.job_claims import claim_jobs
store = open_store(sys.argv[1])
with store.operator_writing() as connection:
    (job,) = claim_jobs(connection, "killed", now=int(sys.argv[2]), lease_seconds=30)
    if sys.argv[3] == "before":
        print(job.id, flush=True)
        sys.stdin.read()
print(job.id, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_workers_job_is_taken_up_by_another(database: Database, when: str) -> None:
    """Killed before its claim was kept, the job is free at once; after it, when the lease has ended."""
    store = database.open()
    job = received(store)
    command = [sys.executable, "-c", KILLED_WORKER, database.url, str(NOW), when]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == f"{job.id}\n"
        worker.kill()
    if when == "after":
        assert claim(store, "v", now=NOW + 29) == []
        (taken,) = claim(store, "v", now=NOW + 30)
    else:
        with store.writing() as connection:
            # Wait until PostgreSQL has noticed that nobody is there any more.
            connection.execute(select(jobs.c.id).with_for_update())
        (taken,) = claim(store, "v", now=NOW)
    assert (taken.id, taken.leased_by, taken.state) == (job.id, "v", JobState.RECEIVED)
