"""Streams without a server: how many there may be, and what becomes of a client that reads no more."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from registry.api import streams
from registry.api.problems import ProblemError
from registry.api.streams import Stream, Streams
from registry.errors import BusyError
from registry.store.connection import HOME
from registry.store.engine import Store
from registry.store.job_progress import JobProgress
from registry.store.jobs import JobId, JobKind, JobState
from tests.support.databases import Database


@pytest.fixture
def store(sqlite_database: Database) -> Store:
    return sqlite_database.open()


def progress(number: int, revision: int, state: JobState = JobState.SEALED) -> JobProgress:
    return JobProgress(
        id=JobId(number),
        institution=HOME,
        public_id=UUID(int=number),
        kind=JobKind.ROSTER,
        state=state,
        total=None,
        done=0,
        root=None,
        transaction=None,
        failure=None,
        revision=revision,
        changed_at=revision,
    )


def stream_of(key: str, job: JobId | None = None, seconds: float = 600) -> Stream:
    return Stream(key, HOME, job, seconds=seconds, write=lambda each: (str(each.revision), f"job {each.id}"))


async def told(stream: Stream) -> list[str]:
    return [line for piece in [each async for each in stream.pieces()] for line in piece.decode().splitlines() if line]


def test_as_many_as_there_may_be_and_none_once_the_service_ends(store: Store) -> None:
    async def try_it() -> None:
        places = Streams(store, lambda: 0, most=3, most_per_key=2)
        first, second, third = stream_of("a"), stream_of("a"), stream_of("b")
        places.open(first)
        places.open(second)
        with pytest.raises(ProblemError):
            places.open(stream_of("a"))
        places.open(third)
        with pytest.raises(BusyError):
            places.open(stream_of("c"))
        places.close(first)
        places.open(stream_of("c"))
        await places.wait_closed()
        places.close(second)
        with pytest.raises(BusyError):
            places.open(stream_of("d"))

    asyncio.run(try_it())


def test_client_that_reads_no_more_is_cut_off_when_its_stream_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_LAST_WORDS_SECONDS", 0.01)

    async def try_it() -> None:
        places = Streams(store, lambda: 0, most=1, most_per_key=1)
        is_stuck = asyncio.Event()

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(_: Any) -> None:
            is_stuck.set()
            await asyncio.Event().wait()

        answer = places.open(stream_of("a"))
        sending = asyncio.create_task(answer({"type": "http"}, receive, send))
        await is_stuck.wait()
        places.end()
        await sending
        await places.wait_closed()

    asyncio.run(try_it())


def test_client_is_told_the_newest_of_each_job_and_nothing_twice() -> None:
    async def try_it() -> None:
        stream = stream_of("a")
        stream.know(progress(1, 5))
        for revision in (4, 5):
            stream.offer([progress(1, revision)])
        for revision in (1, 2, 3):
            stream.offer([progress(2, revision), progress(3, 1)])
        stream.end()
        lines = [line for line in await told(stream) if line.startswith(("id", "data"))]
        assert lines == ["data: job 2", "id: 3", "data: job 3", "id: 1"]

    asyncio.run(try_it())


def test_jobs_that_had_not_ended_are_looked_at_until_the_client_knows_how_they_did() -> None:
    async def try_it() -> None:
        stream = stream_of("a")
        stream.offer([progress(1, 1), progress(2, 1, JobState.FAILED)])
        assert set(stream.numbers) == {1}
        stream.offer([progress(1, 2, JobState.FINAL)])
        assert set(stream.numbers) == set()
        assert set(stream_of("a", JobId(7)).numbers) == {7}

    asyncio.run(try_it())


def test_stream_of_one_job_ends_with_it_and_any_stream_when_its_time_is_over() -> None:
    async def try_it() -> None:
        one = stream_of("a", JobId(1))
        one.offer([progress(1, 9, JobState.CANCELLED), progress(2, 1)])
        assert (await told(one))[-1] == "id: 9"
        assert "retry: 3000" in await told(stream_of("a", seconds=0.01))

    asyncio.run(try_it())
