"""Changes of status by API: taken in, done by a worker on a real chain, looked at; killed in between, done once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from anchor.model import to_hex
from registry.services.ledger_state import LedgerView
from registry.services.status import StatusService
from registry.services.status_job import StatusJob
from registry.services.status_plan import StatusPlanner
from registry.services.work import Work
from registry.services.worker import Worker
from registry.store.connection import InstitutionId
from registry.store.jobs import JobKind
from registry.store.records import BatchRecord
from registry.store.tables import credentials
from tests.api.test_jobs import upload, work
from tests.api.town import Town
from tests.ledger.chain import ANCHOR_KEY

SOON = 1_900_000_000


def ask(town: Town, action: str, *places: int, key: str = "status", dry: bool = False, **members: Any) -> Any:
    """Ask for a change of some of the anchored batch's credentials."""
    body = {"action": action, "reason": "other", **members}
    if places:
        body["credentials"] = [str(uuid_at(town, place)) for place in places]
    return town.post("/v1/status" + ("?dryRun=true" if dry else ""), body, key)


def uuid_at(town: Town, place: int) -> UUID:
    return town.here.credentials()[place].uuid


def asked(town: Town, action: str, *places: int, **members: Any) -> str:
    """Ask for it; give the job's address."""
    answer = ask(town, action, *places, **members)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def worker_of(town: Town, now: int = SOON, *, confirmations: int = 0, status: StatusService | None = None) -> Worker:
    """A worker as a new process would be one."""
    here, office = town.here, town.here.office

    def work_of(number: InstitutionId, kind: JobKind) -> Work:
        assert (number, kind) == (here.id, JobKind.STATUS)
        view = LedgerView(town.chain.client, town.chain.registry, confirmations=confirmations)
        planner = StatusPlanner(view, here.issuer_id)
        return StatusJob(here.store, lambda: status or office.status(), office.targets, planner)

    return Worker(town.service.store, work_of, name=f"worker {now}", clock=lambda: now)


def state_of(town: Town, place: int) -> str:
    return str(town.get(f"/v1/credentials/{uuid_at(town, place)}/status").json()["state"])


def second_batch(town: Town) -> BatchRecord:
    town.here.office.anchoring().anchor(town.here.sealed.id, now=SOON)
    return town.here.office.batch(town.here.sealed.id)


def test_revoked_and_final(any_town: Town) -> None:
    town = any_town
    address = asked(town, "revoke", 0, 3)
    worker, seen = worker_of(town), []
    while worker.work_once():
        seen.append(town.get(address).json()["state"])
    assert seen == ["mined", "final"]
    job = town.get(address).json()
    assert (job["kind"], job["total"], job["done"], job["failure"]) == ("status", 2, 2, None)
    assert (len(job["transactions"]), job["passedOverCount"], job["provenAt"]["number"] > 0) == (1, 0, True)
    assert [state_of(town, place) for place in range(4)] == ["revoked", "active", "active", "revoked"]
    history = town.get(f"/v1/credentials/{uuid_at(town, 0)}/history").json()["changes"]
    assert [each["transaction"] for each in history] == job["transactions"]
    assert [each["id"] for each in town.get("/v1/jobs").json()["jobs"]] == [job["id"]]
    town.here.office.audit()


def test_what_is_revoked_already_ends_well_and_says_so(town: Town) -> None:
    first = asked(town, "revoke", 0)
    work(worker_of(town))
    second = asked(town, "revoke", 0)
    work(worker_of(town))
    assert [town.get(each).json()["state"] for each in (first, second)] == ["final", "final"]
    job = town.get(second).json()
    assert (job["total"], job["transactions"], job["passedOverCount"]) == (0, [], 1)
    assert job["passedOver"] == [{"target": uuid_at(town, 0).urn, "reason": "is already revoked"}]


def test_a_whole_batch_and_credentials_of_another_take_two_transactions(any_town: Town) -> None:
    town = any_town
    batch = second_batch(town)
    address = asked(town, "revoke", 1, batches=[to_hex(batch.root)])
    work(worker_of(town))
    job = town.get(address).json()
    assert (job["state"], job["total"], job["done"], len(job["transactions"])) == ("final", 3, 3, 2)
    (one, *_) = town.here.credentials(batch)
    assert town.get(f"/v1/credentials/{one.uuid}/status").json()["state"] == "batchRevoked"
    again = asked(town, "revoke", batches=[to_hex(batch.root)])
    work(worker_of(town))
    job = town.get(again).json()
    assert (job["state"], job["passedOverCount"], job["passedOver"][0]["target"]) == ("final", 2, to_hex(batch.root))


def test_history_lists_what_was_sent_page_by_page(any_town: Town) -> None:
    town = any_town
    batch = second_batch(town)
    alike = [asked(town, "suspend", place) for place in (0, 1)]
    work(worker_of(town))
    whole = asked(town, "revoke", batches=[to_hex(batch.root)], reason="superseded")
    work(worker_of(town))
    newest, oldest = town.get("/v1/history").json()["changes"]
    assert (newest["change"], newest["reason"], newest["batch"]) == ("revoke", "superseded", to_hex(batch.root))
    assert (newest["count"], newest["credentials"]) == (0, [])
    assert newest["jobs"] == [whole.rpartition("/")[2]]
    assert (oldest["change"], oldest["batch"], oldest["count"], oldest["state"]) == ("suspend", None, 2, "mined")
    assert set(oldest["credentials"]) == {uuid_at(town, place).urn for place in (0, 1)}
    assert oldest["jobs"] == [each.rpartition("/")[2] for each in alike]
    page = town.get("/v1/history?limit=1").json()
    assert page["changes"] == [newest]
    assert town.get(f"/v1/history?limit=1&cursor={page['next']}").json() == {"changes": [oldest], "next": None}


def test_tried_out_nothing_is_done(town: Town) -> None:
    address = asked(town, "revoke", 0)
    work(worker_of(town))
    answer = ask(town, "revoke", 0, 1, 2, dry=True)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["total"], found["passedOverCount"], found["transactions"]) == (2, 1, 1)
    assert found["passedOver"] == [{"target": uuid_at(town, 0).urn, "reason": "is already revoked"}]
    assert 40_000 < found["gas"] < 100_000
    assert 0 < int(found["likelyWei"]) <= int(found["maxWei"])
    assert [each["id"] for each in town.get("/v1/jobs").json()["jobs"]] == [address.rpartition("/")[2]]
    assert state_of(town, 1) == "active"


def test_nothing_is_done_if_one_is_unknown_unless_it_may_be_passed_over(town: Town) -> None:
    strangers = str(town.there.credentials()[0].uuid)
    unanchored = str(town.here.credentials(town.here.sealed)[0].uuid)
    good = str(uuid_at(town, 0))
    for named, status, places in (
        ([good, strangers], 404, ["body.credentials.1"]),
        ([unanchored, good], 409, ["body.credentials.0"]),
        ([unanchored, good, strangers], 404, ["body.credentials.0", "body.credentials.2"]),
    ):
        answer = ask(town, "suspend", credentials=named)
        assert (answer.status_code, [each["where"] for each in answer.json()["problems"]]) == (status, places)
        assert strangers not in answer.text
    assert ask(town, "suspend", batches=[to_hex(town.there.anchored.root)], passOver=True).status_code == 404
    assert town.get("/v1/jobs").json()["jobs"] == []
    address = asked(town, "suspend", credentials=[good, strangers, unanchored, good], passOver=True)
    assert town.get(address).json()["credentials"] == 1
    work(worker_of(town))
    job = town.get(address).json()
    assert (job["state"], job["total"], job["passedOverCount"]) == ("final", 1, 2)


@pytest.mark.parametrize(
    "body",
    [
        {"action": "revoke", "reason": "other"},
        {"action": "revoke", "reason": "other", "credentials": []},
        {"action": "revoke", "reason": "misconduct", "credentials": ["6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"]},
        {"action": "delete", "reason": "other", "credentials": ["6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"]},
        {"action": "revoke", "reason": "other", "credentials": ["zoe@example.org"]},
        {"action": "revoke", "reason": "other", "batches": ["0x00"]},
        {"action": "revoke", "reason": "other", "batches": ["0x" + "00" * 32] * 101},
    ],
)
def test_what_breaks_the_format_is_refused_and_not_repeated(town: Town, body: dict[str, Any]) -> None:
    answer = town.post("/v1/status", body, "status")
    assert answer.status_code == 422
    assert "example.org" not in answer.text


def test_same_key_leads_to_the_same_job(town: Town) -> None:
    headers = {"Authorization": f"Bearer {town.here.keys['status']}", "Idempotency-Key": "a-key"}
    body = {"action": "revoke", "reason": "other", "credentials": [str(uuid_at(town, 0))]}
    first, second = (town.client.post("/v1/status", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code, first.content) == (202, 202, second.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert first.headers["location"] == second.headers["location"]
    assert town.client.post("/v1/status", json={**body, "reason": "superseded"}, headers=headers).status_code == 409
    assert len(town.get("/v1/jobs").json()["jobs"]) == 1


def test_waiting_jobs_for_the_same_go_in_one_transaction(any_town: Town) -> None:
    town = any_town
    before = asked(town, "revoke", 5)
    work(worker_of(town))
    alike = [asked(town, "revoke", place) for place in (0, 1)]
    nothing = asked(town, "revoke", 5)
    other = asked(town, "revoke", 2, reason="superseded")
    alike.append(asked(town, "revoke", 0, 3))
    worker = worker_of(town)
    assert worker.work_once()
    jobs = [town.get(each).json() for each in alike]
    assert [each["state"] for each in jobs] == ["mined"] * 3
    assert len({tuple(each["transactions"]) for each in jobs}) == 1
    assert [town.get(each).json()["state"] for each in (before, nothing, other)] == ["final", "received", "received"]
    work(worker)
    assert (town.get(nothing).json()["state"], town.get(nothing).json()["total"]) == ("final", 0)
    assert {town.get(each).json()["state"] for each in (*alike, other)} == {"final"}
    assert [each["total"] for each in jobs] == [1, 1, 2]
    (transaction,) = town.get(other).json()["transactions"]
    assert [transaction] != jobs[0]["transactions"]
    assert {state_of(town, place) for place in range(4)} == {"revoked"}


def test_one_that_cannot_be_done_holds_up_nobody_who_would_go_along(town: Town) -> None:
    """Somebody altered what the database has of its credential."""
    first, bad, last = (asked(town, "suspend", place) for place in range(3))
    uuid = uuid_at(town, 1)
    with town.here.store.writing() as connection:
        connection.execute(update(credentials).where(credentials.c.uuid == uuid.bytes).values(recipient_name="Eve"))
    work(worker_of(town))
    assert [town.get(each).json()["state"] for each in (first, bad, last)] == ["final", "received", "final"]
    assert [len(town.get(each).json()["transactions"]) for each in (first, bad, last)] == [1, 0, 1]
    assert state_of(town, 1) == "active"


def test_one_that_is_cancelled_meanwhile_is_left_out(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (asked(town, "revoke", place) for place in range(3))
    really = StatusPlanner.steps

    def cancelling(self: StatusPlanner, *given: Any) -> Any:
        monkeypatch.setattr(StatusPlanner, "steps", really)
        answer = town.post(f"{second}/cancel", None, "status")
        assert answer.json()["state"] == "cancelled"
        return really(self, *given)

    monkeypatch.setattr(StatusPlanner, "steps", cancelling)
    work(worker_of(town))
    assert [town.get(each).json()["state"] for each in (first, second, third)] == ["final", "cancelled", "final"]
    assert [state_of(town, place) for place in range(3)] == ["revoked", "active", "revoked"]


def test_suspended_and_reinstated_in_the_order_in_which_it_was_asked_for(town: Town) -> None:
    places = [asked(town, action, 0) for action in ("suspend", "reinstate", "suspend")]
    apart = asked(town, "suspend", 1)
    worker = worker_of(town)
    assert worker.work_once()
    # The other suspension goes along with the first; the one after the reinstatement does not.
    assert [town.get(each).json()["state"] for each in (*places, apart)] == ["mined", "received", "received", "mined"]
    for now in range(SOON, SOON + 60, 6):
        work(worker_of(town, now))
    jobs = [town.get(each).json() for each in places]
    assert [(each["state"], each["total"]) for each in jobs] == [("final", 1)] * 3
    assert state_of(town, 0) == "suspended"


def test_what_was_put_off_is_not_overtaken_by_the_contrary(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = asked(town, "suspend", 0), asked(town, "reinstate", 0)
    with monkeypatch.context() as patch:
        patch.setattr(StatusPlanner, "prove", lambda *_: 1 / 0)
        assert worker_of(town).work_once()
    work(worker_of(town))  # the first is not due yet
    assert [town.get(each).json()["state"] for each in (first, second)] == ["received", "received"]
    for now in range(SOON, SOON + 60, 6):
        work(worker_of(town, now))
    assert [town.get(each).json()["total"] for each in (first, second)] == [1, 1]
    assert state_of(town, 0) == "active"


def test_cancelling_takes_the_scope_of_what_is_cancelled(town: Town) -> None:
    roster, change = upload(town).json()["id"], asked(town, "revoke", 0).rpartition("/")[2]
    for job, wrong, right in ((roster, "status", "issue"), (change, "issue", "status")):
        assert town.post(f"/v1/jobs/{job}/cancel", None, wrong).status_code == 403
        assert town.post(f"/v1/jobs/{job}/cancel", None, right).json()["state"] == "cancelled"
    assert not worker_of(town).work_once()


def test_refused_by_the_contract_it_fails(town: Town) -> None:
    address = asked(town, "revoke", 0)
    office = town.here.office
    work(worker_of(town, status=office.status(office.sender(ANCHOR_KEY))))
    job = town.get(address).json()
    assert (job["state"], job["transactions"]) == ("failed", [])
    assert job["failureKind"] == "ledgerRefuses"
