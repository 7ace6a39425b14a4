"""Server-sent events over real connections."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.api import streams
from registry.services import operation
from tests.api.conftest import write_home
from tests.api.test_jobs import upload, work, worker_of
from tests.api.test_serve import start
from tests.api.town import Resident, Town, build_town
from tests.ledger.chain import Chain
from tests.support.bureau import Bureau
from tests.support.databases import Database
from tests.support.serving import serving


@dataclass(kw_only=True)
class Told:
    """One event."""

    id: int
    data: dict[str, Any]


@dataclass(kw_only=True)
class Watching:
    """A stream that is open."""

    answer: httpx2.Response
    comments: int = 0
    _lines: Iterator[str] | None = field(default=None)

    def events(self) -> Iterator[Told]:
        """Give events as they come, to the stream's end."""
        fields: dict[str, str] = {}
        for line in self.lines():
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                assert fields.pop("event") == "job"
                yield Told(id=int(fields.pop("id")), data=json.loads(fields.pop("data")))

    def lines(self) -> Iterator[str]:
        if self._lines is None:
            self._lines = self.answer.iter_lines()
        return self._lines


@dataclass(kw_only=True)
class Place:
    """A town that is served."""

    town: Town
    address: str

    def headers(self, of: Resident | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {(of or self.town.here).keys['read']}"}

    @contextmanager
    def watch(self, path: str, *, last: int | str | None = None, of: Resident | None = None) -> Iterator[Watching]:
        headers = self.headers(of) | ({} if last is None else {"Last-Event-ID": str(last)})
        with (
            httpx2.Client(base_url=self.address, timeout=30, trust_env=False) as client,
            client.stream("GET", path, headers=headers) as answer,
        ):
            if answer.status_code == 200:
                assert answer.headers["content-type"].startswith("text/event-stream")
            yield Watching(answer=answer)


@pytest.fixture
def place(chain: Chain, tmp_path: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    yield from served(chain, tmp_path, sqlite_database, monkeypatch)


@pytest.fixture
def any_place(chain: Chain, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    yield from served(chain, tmp_path, database, monkeypatch)


def served(chain: Chain, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    town = build_town(chain, folder / "town", database, stream_seconds=600)
    with town.client, serving(town.app) as address:
        yield Place(town=town, address=address)


@contextmanager
def working(town: Town) -> Iterator[None]:
    thread = threading.Thread(target=work, args=(worker_of(town, town.service.now()),))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_job_is_watched_from_upload_to_its_end(place: Place) -> None:
    town = place.town
    job = upload(town).json()["id"]
    path = f"/v1/jobs/{job}/events"
    with place.watch(path) as watching:
        told = watching.events()
        first = next(told)
        assert (first.data["job"], first.data["state"], first.data["batch"]) == (job, "received", None)
        with working(town):
            seen = [first, *told]
    assert all(each.id == each.data["revision"] for each in seen)
    revisions = [each.id for each in seen]
    assert revisions == sorted(set(revisions))
    last = seen[-1].data
    shown = town.get(f"/v1/jobs/{job}").json()
    assert last["state"] == shown["state"] == "final"
    assert {name: last[name] for name in ("batch", "transaction", "total", "done", "failure")} == {
        name: shown[name] for name in ("batch", "transaction", "total", "done", "failure")
    }
    assert "Tremblay" not in str(seen)
    # Coming again: with the last event there is nothing more, with an earlier one the newest, and then it ends.
    with place.watch(path, last=revisions[-1]) as watching:
        assert watching.answer.status_code == 204
    with place.watch(path, last=first.id) as watching:
        assert [each.id for each in watching.events()] == [revisions[-1]]
    # What is no id is passed over.
    with place.watch(path, last="x1") as watching:
        assert [each.id for each in watching.events()] == [revisions[-1]]


def test_all_jobs_of_an_institution_are_watched_and_no_others(any_place: Place) -> None:
    place = any_place
    town = place.town
    town.there.add_job()
    ended = upload(town, b"name,email\nAnn,x\n").json()["id"]
    work(worker_of(town, town.service.now()))
    first = upload(town).json()["id"]
    with place.watch("/v1/jobs/events") as watching, place.watch("/v1/jobs/events", of=town.there) as theirs:
        told = watching.events()
        assert next(told).data["job"] == first
        second = upload(town, b"name,email\nAnn,ann@example.org\n").json()["id"]
        states: dict[str, list[str]] = {first: [], second: []}
        with working(town):
            while not all({"final", "failed"} & set(each) for each in states.values()):
                event = next(told)
                assert event.id == event.data["changedAt"]
                states[event.data["job"]].append(event.data["state"])
        assert (states[second][0], states[first][-1], states[second][-1]) == ("received", "final", "final")
        # Nothing of this came in between.
        own = {town.there.job}
        town.there.add_job()
        while town.there.job not in own:
            own.add(next(theirs.events()).data["job"])
        assert not own & {first, second, ended}
    # Coming again: what ended since, or not long before, is told.
    with place.watch("/v1/jobs/events", last=town.service.now()) as watching:
        told = watching.events()
        again = {each.data["job"]: each.data["state"] for _, each in zip(range(3), told, strict=False)}
    assert again == {ended: "failed", first: "final", second: "final"}


def test_stream_of_a_key_that_is_revoked_ends(place: Place) -> None:
    town = place.town
    with place.watch("/v1/jobs/events") as watching, place.watch("/v1/jobs/events", of=town.there) as theirs:
        operation.revoke_key(town.service.store, "borealis", town.here.keys["read"].split("_")[1], now=1)
        assert list(watching.events()) == []
        operation.close(town.service.store, "elsewhere", now=town.service.now())
        assert list(theirs.events()) == []


def test_no_more_streams_than_there_may_be_and_none_costs_a_thread(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.02)
    town = place.town
    options, threads = town.service.options, threading.active_count()
    opened = [place.watch("/v1/jobs/events") for _ in range(options.max_streams_per_key)]
    watching = [each.__enter__() for each in opened]
    assert [each.answer.status_code for each in watching] == [200] * len(opened)
    with place.watch("/v1/jobs/events") as refused:
        assert (refused.answer.status_code, refused.answer.headers["retry-after"]) == (429, "30")
        assert "10 streams" in refused.answer.read().decode()
    with place.watch("/v1/jobs/events", of=town.there) as another:
        assert another.answer.status_code == 200
        # Comments come, although nothing happens; and nobody holds a connection to the database.
        lines = [line for _, line in zip(range(9), another.lines(), strict=False) if line]
        assert [line[:1] for line in lines] == [":", "r", ":", ":", ":"]
        assert threading.active_count() - threads < len(opened)
        # The watcher's, if it looks right now.
        assert town.service.store._engine.pool.checkedout() <= 1  # type: ignore[attr-defined]
    opened[0].__exit__(None, None, None)
    # Its place is free as soon as the service has seen that it is gone.
    while True:
        with place.watch("/v1/jobs/events") as again:
            if again.answer.status_code == 200:
                break
            assert again.answer.status_code == 429
    for each in opened[1:]:
        each.__exit__(None, None, None)


def test_service_ends_although_somebody_watches(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = write_home(tmp_path / "home", chain)
    bureau = Bureau(home=home, capsys=capsys)
    process, address = start(home, "--no-worker")
    _, key, _ = bureau.run("api-key", "new", "--institution", "home", "--scope", "read", "--home", home)
    headers = {"Authorization": f"Bearer {key.strip()}"}
    with httpx2.stream("GET", f"{address}/v1/jobs/events", headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        process.send_signal(signal.SIGTERM)
        # To its proper end: a connection that breaks off would raise.
        assert "retry: 3000" in list(lines)
    out, err = process.communicate(timeout=60)
    assert process.returncode in {0, -signal.SIGTERM}
    (line,) = map(json.loads, out.splitlines())
    assert (line["route"], line["status"]) == ("/v1/jobs/events", 200)
    assert "Cancel" not in err
    assert "Traceback" not in err
