"""Workers as processes: killed at every point, suspended for longer than their lease, and competing. Each job once."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.services import operation
from registry.store.pages import page_of_batches
from tests.api.conftest import settled
from tests.api.town import Resident, Town
from tests.ledger.chain import ANCHOR_KEY, STRANGER, Chain
from tests.support.databases import Database
from tests.support.worker_processes import LEASE_SECONDS, NOW, POINTS, run, start, write_key


@pytest.fixture
def working_town(any_town: Town) -> Town:
    """Whose institutions have keys that a process can open."""
    return with_keys(any_town)


@pytest.fixture
def postgres_town(chain: Chain, tmp_path: Path, postgres_database: Database) -> Iterator[Town]:
    yield from settled(chain, tmp_path, postgres_database)


def with_keys(town: Town) -> Town:
    for resident, account in ((town.here, ANCHOR_KEY), (town.there, STRANGER)):
        changes = {"anchor_key": write_key(town.folder, account), "status_key": "keys/none.json"}
        operation.change(town.service.store, resident.code, changes, now=NOW)
    return town


def upload(town: Town, resident: Resident, label: str, count: int = 5) -> str:
    """Upload a roster of people who are on no other; give the job's address."""
    people = "".join(f"Ann,{label}.{number}@example.org\n" for number in range(count))
    headers = {"Authorization": f"Bearer {resident.keys['issue']}", "Content-Type": "text/csv"}
    answer = town.client.post(
        "/v1/batches?achievement=data-literacy", content=f"name,email\n{people}".encode(), headers=headers
    )
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def job_of(town: Town, resident: Resident, address: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {resident.keys['read']}"}
    job: dict[str, Any] = town.client.get(address, headers=headers).json()
    return job


def issued(resident: Resident) -> Counter[str | None]:
    """E-mails of those issued to since the town was built, and how often."""
    with resident.store.reading() as connection:
        batches = page_of_batches(connection, before=None, limit=100, state=None)
    known = {resident.anchored.id, resident.sealed.id}
    return Counter(
        each.recipient_email for batch in batches if batch.id not in known for each in resident.credentials(batch)
    )


def test_killed_at_every_point_another_process_goes_on(working_town: Town) -> None:
    town = working_town
    now = NOW
    # From `signed` a job is mined at once: what was sent is a roster of its own.
    for label, points in (("a", [each for each in POINTS if each != "sent"]), ("b", ["sent"])):
        address = upload(town, town.here, label)
        for point in points:
            assert run(town.folder, now=now, stop_at=point) == -signal.SIGKILL, point
            job = job_of(town, town.here, address)
            assert job["state"] == POINTS[point], job
            if point == "keeping":
                # Until the lease ends, nobody else takes it.
                assert run(town.folder, now=now + LEASE_SECONDS - 1) == 0
                assert job_of(town, town.here, address) == job
            now += LEASE_SECONDS + 1
        assert run(town.folder, now=now) == 0
        job = job_of(town, town.here, address)
        assert (job["state"], job["failure"]) == ("final", None)
    assert issued(town.here) == {f"{label}.{number}@example.org": 1 for label in "ab" for number in range(5)}
    assert len(town.here.office.audit().batches) == 3  # the one that the town had, and these


@pytest.mark.parametrize("point", ["filling", "sealed"])
def test_suspended_for_longer_than_its_lease_it_writes_nothing_more(town: Town, point: str) -> None:
    with_keys(town)
    address = upload(town, town.here, "learner")
    suspended = start(town.folder, stop_at=point, how=signal.SIGSTOP)
    suspended.wait_until_stopped()
    assert run(town.folder, now=NOW + LEASE_SECONDS + 1) == 0
    before = job_of(town, town.here, address), audit_of(town)
    assert before[0]["state"] == "final"
    suspended.go_on()
    assert suspended.wait() == 0
    assert (job_of(town, town.here, address), audit_of(town)) == before
    assert issued(town.here) == {f"learner.{number}@example.org": 1 for number in range(5)}
    assert len(town.here.office.audit().batches) == 2


def audit_of(town: Town) -> Any:
    return operation.read_log(town.service.store, town.here.code, after=0, limit=100)


def test_competing_processes_do_each_job_once(postgres_town: Town) -> None:
    town = with_keys(postgres_town)
    jobs = [
        (resident, upload(town, resident, f"{resident.code}-{number}", 3))
        for number in range(3)
        for resident in (town.here, town.there)
    ]
    running = [start(town.folder), start(town.folder), start(town.folder, stop_at="signed")]
    assert [each.wait() for each in running[:2]] == [0, 0]
    assert running[2].wait() in {0, -signal.SIGKILL}
    # What was put off while others sent, and what the killed one left behind.
    later = NOW
    for _ in range(3):
        later += LEASE_SECONDS + 1
        assert run(town.folder, now=later) == 0
    for resident, address in jobs:
        assert job_of(town, resident, address)["state"] == "final"
    for resident in (town.here, town.there):
        assert len(issued(resident)) == 9
        assert set(issued(resident).values()) == {1}
