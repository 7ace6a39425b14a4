"""Webhooks by API: added, tried out, told of what a worker does, looked at, renewed, disabled, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from registry.services.deliverer import Deliverer
from registry.services.webhook_address import REFUSED
from registry.services.webhooks import MAX_WEBHOOKS
from registry.store.audit_log import list_entries
from tests.api.test_jobs import upload, work, worker_of
from tests.api.town import Resident, Town
from tests.support.receiver import Receiver, receiving, status


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def town(town: Town) -> Town:
    town.service.allows_any_webhook = True  # type: ignore[misc]  # as with --dev
    return town


def ask(
    town: Town, method: str, path: str, body: Any = None, *, of: Resident | None = None, key: str | None = None
) -> Any:
    given = {"Authorization": f"Bearer {(of or town.here).keys['admin']}"}
    if key is not None:
        given["Idempotency-Key"] = key
    return town.client.request(method, f"/v1/webhooks{path}", json=body, headers=given)


def added(town: Town, address: str, *events: str, of: Resident | None = None) -> str:
    answer = ask(town, "POST", "", {"address": address, "events": list(events or ["batch.final"])}, of=of)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def deliver(town: Town) -> None:
    """As the worker's thread does it."""
    one: Deliverer = town.service.deliverer()
    while claimed := one.claim(100):
        for each in claimed:
            one.deliver(each)


def test_told_of_a_batch_that_was_uploaded(town: Town, receiver: Receiver) -> None:
    added(town, receiver.url, "batch.final", "batch.anchored")
    with receiving() as elsewhere:
        added(town, elsewhere.url, "batch.final", "batch.anchored", "job.failed", of=town.there)
        good, bad = upload(town).json()["id"], upload(town, b"name,email\nAnn,x\n").json()["id"]
        work(worker_of(town, town.service.now()))
        deliver(town)
        assert elsewhere.came.empty()
    told = [json.loads(receiver.next().body) for _ in range(2)]
    assert receiver.came.empty()
    job = town.get(f"/v1/jobs/{good}").json()
    ids = {"job": good, "batch": job["batch"], "transaction": job["transaction"]}
    assert [(each["type"], each["data"]) for each in told] == [("batch.anchored", ids), ("batch.final", ids)]
    assert town.get(f"/v1/jobs/{bad}").json()["state"] == "failed"
    failed = added(town, receiver.url, "job.failed")
    upload(town, b"name,email\nAnn,x\n")
    work(worker_of(town, town.service.now()))
    deliver(town)
    message = json.loads(receiver.next().body)
    assert (message["type"], list(message["data"])) == ("job.failed", ["job"])
    assert b"Ann" not in json.dumps(ask(town, "GET", f"/{failed}/deliveries").json()).encode()


def test_tried_out_and_sent_again_and_its_address_in_no_log_and_no_metrics(
    town: Town, receiver: Receiver, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    webhook = added(town, receiver.url)
    receiver.answer = status(500)
    ping = ask(town, "POST", f"/{webhook}/ping").json()
    assert (ping["event"], ping["state"], ping["attempts"], ping["lastStatus"]) == ("ping", "pending", 0, None)
    assert ping["message"]["data"] == {"webhook": webhook}
    deliver(town)
    assert receiver.next().id == ping["id"]
    (seen,) = ask(town, "GET", f"/{webhook}/deliveries").json()["deliveries"]
    assert (seen["attempts"], seen["lastStatus"], seen["lastError"]) == (1, 500, "it answered 500")
    assert seen["nextAt"] > seen["createdAt"]
    receiver.answer = status(204)
    again = ask(town, "POST", f"/{webhook}/deliveries/{ping['id']}/redeliver")
    assert (again.status_code, again.json()["attempts"]) == (202, 0)
    deliver(town)
    assert receiver.next().id == ping["id"]
    seen = ask(town, "GET", f"/{webhook}/deliveries/{ping['id']}").json()
    assert (seen["state"], seen["nextAt"], seen["lastStatus"]) == ("delivered", None, 204)
    assert seen["deliveredAt"] >= seen["createdAt"]
    other = added(town, receiver.url)
    for path in (f"/{other}/deliveries/{ping['id']}", f"/{webhook}/deliveries/{uuid4()}"):
        assert ask(town, "GET", path).status_code == 404
        assert ask(town, "POST", f"{path}/redeliver").status_code == 404
    assert ask(town, "GET", f"/{uuid4()}/deliveries").status_code == 404
    # The list goes on by cursor.
    ids = [ping["id"], *(ask(town, "POST", f"/{webhook}/ping").json()["id"] for _ in range(2))]
    first = ask(town, "GET", f"/{webhook}/deliveries?limit=2").json()
    second = ask(town, "GET", f"/{webhook}/deliveries?limit=2&cursor={first['next']}").json()
    assert [each["id"] for each in first["deliveries"] + second["deliveries"]] == ids[::-1]
    assert second["next"] is None
    assert ask(town, "GET", f"/{webhook}/deliveries?state=failed").json()["deliveries"] == []
    said = capfd.readouterr()
    with town.here.store.reading() as connection:
        entries = str(list_entries(connection))
    for text in (said.out, said.err, caplog.text, town.client.get("/metrics").text, entries):
        assert "token=secret" not in text
        assert str(receiver.port) not in text


def test_disabled_enabled_and_removed(town: Town, receiver: Receiver) -> None:
    webhook = added(town, receiver.url)
    for _ in range(2):
        assert ask(town, "POST", f"/{webhook}/disable").json()["disabledAt"] is not None
    assert ask(town, "POST", f"/{webhook}/ping").status_code == 409
    for _ in range(2):
        assert ask(town, "POST", f"/{webhook}/enable").json()["disabledAt"] is None
    assert ask(town, "DELETE", f"/{webhook}").json()["id"] == webhook
    assert ask(town, "GET", "").json()["webhooks"] == []
    assert ask(town, "GET", f"/{webhook}").status_code == 404
    assert ask(town, "DELETE", f"/{webhook}").status_code == 404
    with town.here.store.reading() as connection:
        entries = [(each.action, each.subject) for each in list_entries(connection)]
    entries = [each for each in entries if each[0].startswith("webhook.")]
    wanted = ["webhook.add", "webhook.disable", "webhook.enable", "webhook.remove"]
    assert entries == [(each, f"webhook {webhook}") for each in wanted]


def test_secret_is_shown_renewed_and_in_no_answer_that_is_kept(town: Town, receiver: Receiver) -> None:
    body = {"address": receiver.url, "events": ["batch.final"]}
    first, second = (ask(town, "POST", "", body, key="once") for _ in range(2))
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    webhook = first.json()["id"]
    secret = ask(town, "GET", f"/{webhook}/secret")
    assert secret.headers["cache-control"] == "no-store"
    rotated = [ask(town, "POST", f"/{webhook}/rotate-secret", key="twice") for _ in range(2)]
    new = ask(town, "GET", f"/{webhook}/secret").json()["secret"]
    assert new != secret.json()["secret"]
    # The second time it was not renewed once more.
    assert rotated[0].content == rotated[1].content
    assert rotated[0].json()["rotatedAt"] is not None
    for answer in (first, *rotated, ask(town, "GET", "")):
        assert "whsec_" not in answer.text


def test_what_is_refused(town: Town, receiver: Receiver) -> None:
    for events in ([], ["nothing"], ["ping"], "batch.final", None):
        assert ask(town, "POST", "", {"address": receiver.url, "events": events}).status_code == 422
    for _ in range(MAX_WEBHOOKS):
        added(town, receiver.url)
    answer = ask(town, "POST", "", {"address": receiver.url, "events": ["batch.final"]})
    assert (answer.status_code, "20 webhooks" in answer.json()["detail"]) == (409, True)
    added(town, receiver.url, of=town.there)
    town.service.allows_any_webhook = False  # type: ignore[misc]
    for address in ("http://lms.example/", "https://10.0.0.1/", "https://u:p@lms.example/", receiver.url):
        answer = ask(town, "POST", "", {"address": address, "events": ["batch.final"]})
        assert answer.status_code == 400
        assert address not in answer.text
        assert (answer.json()["detail"] == REFUSED) == ("10." in address)
