"""A roster by API: taken in, done by a worker on a real chain, and looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from anchor.errors import LedgerUnavailableError
from anchor.ledger.testnet import dev_signer
from anchor.model import Hash32, to_hex
from registry.services import operation
from registry.services.anchoring import Anchoring
from registry.services.costs import Cost, preview_cost
from registry.services.roster_job import RosterJob
from registry.services.roster_sealing import RosterSealing
from registry.services.work import Work
from registry.services.worker import MINED_SECONDS, Worker
from registry.store.connection import InstitutionId
from registry.store.jobs import JobKind
from tests.api.town import Town
from tests.ledger.chain import ANCHOR_KEY
from tests.support.registry import APPROVALS, frame_of

CSV = "name,email\nZoë Tremblay,zoe@example.org\nᐊᓇ ᐃᓄᒃ,ana@example.org\n".encode()


def upload(town: Town, content: bytes = CSV, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {town.here.keys['issue']}", "Content-Type": "text/csv"}
    return town.client.post("/v1/batches?achievement=data-literacy", content=content, headers=given | headers)


def worker_of(town: Town, now: int = 1_900_000_000) -> Worker:
    """A worker as a new process would be one; it notes all progress."""
    here, office, ticks = town.here, town.here.office, count().__next__

    def work_of(number: InstitutionId, kind: JobKind) -> Work:
        assert (number, kind) == (here.id, JobKind.ROSTER)

        def frame(achievement: Any, valid_from: int) -> Any:
            made = frame_of(achievement, registry=town.chain.registry, issuer_id=here.issuer_id)
            return replace(made, issuer=replace(made.issuer, did=here.did), valid_from=valid_from)

        def cost(root: Hash32, size: int) -> Cost:
            call = town.chain.contract.anchor(issuer_id=here.issuer_id, root=root, size=size)
            return preview_cost(office.client, dev_signer(ANCHOR_KEY).address, [call])

        sealing = RosterSealing(here.store, office.anchoring, APPROVALS, frame, cost, ticks)
        return RosterJob(here.store, sealing, office.anchoring, office.view)

    return Worker(town.service.store, work_of, name=f"worker {now}", clock=lambda: now)


def work(worker: Worker) -> None:
    while worker.work_once():
        pass


def test_roster_becomes_a_batch_that_is_final(any_town: Town) -> None:
    town = any_town
    answer = upload(town)
    assert answer.status_code == 202, answer.text
    worker = worker_of(town)
    seen = []
    while worker.work_once():
        seen.append(town.get(answer.headers["location"]).json()["state"])
    assert seen == ["sealed", "mined", "final"]
    job = town.get(answer.headers["location"])
    assert (job.json()["total"], job.json()["done"], job.json()["failure"]) == (2, 2, None)
    again = town.get(answer.headers["location"], **{"If-None-Match": job.headers["etag"]})
    assert again.status_code == 304
    batch = town.get(f"/v1/batches/{job.json()['batch']}").json()
    assert (batch["state"], batch["size"]) == ("anchored", 2)
    assert [each["id"] for each in town.get("/v1/jobs").json()["jobs"]] == [job.json()["id"]]


def test_what_is_wrong_with_a_roster_is_told_without_what_stands_there(town: Town) -> None:
    answer = upload(town, b"name,email\nZo\xc3\xab Tremblay,no-address\n")
    assert worker_of(town).work_once()
    job = town.get(answer.headers["location"])
    assert (job.json()["state"], job.json()["problemCount"]) == ("failed", 1)
    (problem,) = job.json()["problems"]
    assert "2" in problem["where"]
    assert "no-address" not in job.text
    assert "Tremblay" not in job.text


def test_same_key_leads_to_the_same_job_and_another_roster_is_refused(any_town: Town) -> None:
    key = {"Idempotency-Key": "a-key"}
    first, second = upload(any_town, CSV, **key), upload(any_town, CSV, **key)
    assert (first.status_code, second.status_code, first.content) == (202, 202, second.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert upload(any_town, CSV + b"Ann,ann@example.org\n", **key).status_code == 409
    assert len(any_town.get("/v1/jobs").json()["jobs"]) == 1


def test_cancelled_before_sealing_and_not_after(town: Town) -> None:
    job = upload(town).json()["id"]
    for _ in range(2):
        assert town.post(f"/v1/jobs/{job}/cancel", None, "issue").json()["state"] == "cancelled"
    worker = worker_of(town)
    assert not worker.work_once()
    other = upload(town).json()["id"]
    assert worker.work_once()
    assert town.post(f"/v1/jobs/{other}/cancel", None, "issue").status_code == 409


def test_anchoring_that_the_chain_took_back_is_sent_again(town: Town) -> None:
    answer = upload(town)
    worker = worker_of(town)
    assert worker.work_once()
    before = town.chain.node.write("evm_snapshot", [])
    assert worker.work_once()
    town.chain.node.write("evm_revert", [before])
    assert town.get(answer.headers["location"]).json()["state"] == "mined"
    assert worker.work_once()
    assert town.get(answer.headers["location"]).json()["state"] == "sent"
    work(worker)
    assert town.get(answer.headers["location"]).json()["state"] == "final"
    assert len(town.here.office.audit().batches) == 2


def test_no_worker_waits_for_a_transaction(town: Town) -> None:
    town.here.office.wait_seconds = 0
    answer = upload(town)
    worker = worker_of(town)
    assert worker.work_once()
    town.chain.set_mining(automatic=False)
    assert worker.work_once()
    # It was given back, and is looked at again a little later.
    job = town.get(answer.headers["location"]).json()
    assert (job["state"], job["failure"], job["nextAt"]) == ("sent", None, 1_900_000_000 + MINED_SECONDS)
    assert not worker.work_once()
    later = worker_of(town, 1_900_000_000 + MINED_SECONDS)
    assert later.work_once()
    assert town.get(answer.headers["location"]).json()["state"] == "sent"
    town.chain.mine()
    work(worker_of(town, 1_900_000_000 + 2 * MINED_SECONDS))
    assert town.get(answer.headers["location"]).json()["state"] == "final"
    assert len(town.here.office.audit().batches) == 2


def test_what_is_in_the_way_is_told_and_tried_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = upload(town)

    def unreachable(*_: object) -> None:
        raise LedgerUnavailableError("http://10.0.0.7:8545 does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Anchoring, "check_ready", unreachable)
        assert worker_of(town).work_once()
    job = town.get(answer.headers["location"]).json()
    assert (job["state"], job["failureKind"], job["nextAt"]) == ("validated", "ledgerUnavailable", 1_900_000_005)
    assert "10.0.0.7" not in json.dumps(job)
    assert not worker_of(town, 1_900_000_004).work_once()
    work(worker_of(town, 1_900_000_005))
    job = town.get(answer.headers["location"]).json()
    assert (job["state"], job["failureKind"]) == ("final", None)


def test_rosters_with_the_same_people_wait_for_each_other(town: Town) -> None:
    """The second is not refused for good before the first is anchored: then it is known."""
    town.here.office.wait_seconds = 0
    first, second = upload(town), upload(town, CSV + b"Cy,cy@example.org\n")
    town.chain.set_mining(automatic=False)
    work(worker_of(town))
    states = [town.get(each.headers["location"]).json() for each in (first, second)]
    assert [(each["state"], each["failureKind"]) for each in states] == [
        ("sent", None),
        ("received", "earlierUnfinished"),
    ]
    town.chain.mine()
    work(worker_of(town, 1_900_000_010))
    states = [town.get(each.headers["location"]).json() for each in (first, second)]
    assert [each["state"] for each in states] == ["final", "failed"]
    assert states[1]["problemCount"] == 2


def test_job_waits_for_budget_or_coin_and_says_so(town: Town) -> None:
    answer = upload(town)
    location, start = answer.headers["location"], 1_900_000_000
    assert worker_of(town, start).work_once()
    operation.set_budget(town.service.store, town.here.code, 1, now=start)
    assert worker_of(town, start).work_once()
    job = town.get(location).json()
    assert (job["state"], job["failureKind"]) == ("sealed", "budgetUsedUp")
    operation.set_budget(town.service.store, town.here.code, None, now=start)
    account = to_hex(dev_signer(ANCHOR_KEY).address)
    balance = town.chain.node.read("eth_getBalance", [account, "latest"])
    town.chain.node.write("anvil_setBalance", [account, "0x1"])
    assert worker_of(town, start + 60).work_once()
    job = town.get(location).json()
    assert (job["failureKind"], "account" in job["failure"]) == ("tooLittleCoin", True)
    town.chain.node.write("anvil_setBalance", [account, balance])
    work(worker_of(town, start + 120))
    assert town.get(location).json()["state"] == "final"
    assert len(town.here.office.audit().batches) == 2
    (shown,) = town.get("/v1/institutions").json()["institutions"]
    assert shown["monthlyGasBudgetWei"] is None
    assert int(shown["monthlyGasSpentWei"]) > 0
    assert shown["isRelayed"] is False
