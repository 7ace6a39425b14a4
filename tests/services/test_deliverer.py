"""Messages to webhooks: claimed, sent to real receivers, tried again, given up; killed in between, sent again."""

from __future__ import annotations

import hmac
import json
import signal
import subprocess
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from anchor.webhook_signature import secret_text
from registry.services.courier import Courier, Outcome
from registry.services.deliverer import (
    JITTER,
    LEASE_SECONDS,
    LONGEST_RETRY_AFTER,
    PAUSES,
    Deliverer,
    next_attempt,
)
from registry.services.derived_secrets import DerivedSecrets, load_derived_secrets
from registry.services.happenings import Event, tell
from registry.services.housekeeping import Housekeeper
from registry.services.webhook_address import REFUSED
from registry.services.webhook_signing import OLD_SECRET_SECONDS
from registry.settings import settings_to_text
from registry.store.audit_log import list_entries
from registry.store.deliveries import DeliveryRecord, DeliveryState, list_deliveries, redeliver
from registry.store.engine import Store
from registry.store.idempotency import KeptAnswer, begin_request, keep_answer
from registry.store.webhooks import add_webhook, get_webhook, remove_webhook, rotate_secret
from tests.support.bureau import PROGRAM
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.receiver import WAIT_SECONDS, Receiver, receiving, status
from tests.support.registry import NOW

SECRETS = DerivedSecrets(bytes(32))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def lite(sqlite_database: Database) -> Store:
    return sqlite_database.open()


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


def deliverer(
    store: Store, clock: Clock, name: str = "d1", *, secrets: DerivedSecrets = SECRETS, is_anything_allowed: bool = True
) -> Deliverer:
    return Deliverer(
        store,
        secrets,
        Courier(seconds=WAIT_SECONDS, is_anything_allowed=is_anything_allowed),
        name=name,
        clock=clock,
        threads=8,
        is_anything_allowed=is_anything_allowed,
    )


def send_all(one: Deliverer) -> int:
    count = 0
    while claimed := one.claim(100):
        for each in claimed:
            one.deliver(each)
        count += len(claimed)
    return count


def add_told(store: Store, address: str, count: int = 1, *, now: int = NOW) -> UUID:
    with store.writing() as connection:
        webhook = add_webhook(connection, address=address, events=["batch.final"], created_at=now)
        for number in range(count):
            tell(connection, Event.BATCH_FINAL, {"job": str(number)}, now=now)
            tell(connection, Event.JOB_FAILED, {"job": "nobody wants to know"}, now=now)
    return webhook.public_id


def told(store: Store, webhook: UUID) -> DeliveryRecord:
    with store.reading() as connection:
        return list_deliveries(connection, webhook)[0]


def is_signed_with(secret: str, message_id: str, timestamp: str, body: bytes, signature: str) -> bool:
    """As a receiver checks it, from the specification."""
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, "sha256").digest()
    return f"v1,{b64encode(digest).decode()}" in signature.split(" ")


def test_what_happened_arrives_signed_once(store: Store, receiver: Receiver) -> None:
    webhook, clock = add_told(store, receiver.url), Clock()
    assert send_all(deliverer(store, clock)) == 1
    message = receiver.next()
    assert json.loads(message.body) == {
        "type": "batch.final",
        "timestamp": "2026-05-28T20:26:40Z",
        "data": {"job": "0"},
    }
    assert message.headers["content-type"] == "application/json"
    assert message.headers["webhook-timestamp"] == str(NOW)
    signed = (message.id, str(NOW), message.body, message.headers["webhook-signature"])
    assert is_signed_with(secret_text(SECRETS.webhook_secret(webhook, 0)), *signed)
    assert not is_signed_with(secret_text(SECRETS.webhook_secret(webhook, 1)), *signed)
    assert not is_signed_with(secret_text(SECRETS.webhook_secret(UUID(int=1), 0)), *signed)
    record = told(store, webhook)
    assert (str(record.public_id), record.state, record.last_status) == (message.id, DeliveryState.DELIVERED, 204)
    assert send_all(deliverer(store, clock)) == 0
    assert receiver.came.empty()


def test_signed_as_the_specification_signs() -> None:
    """The example of the reference implementations of Standard Webhooks."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert is_signed_with(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, signature)
    assert secret_text(b64decode(secret.removeprefix("whsec_"))) == secret


def test_renewed_secret_leaves_a_day_to_change_over(lite: Store, receiver: Receiver) -> None:
    webhook, clock = add_told(lite, receiver.url), Clock()
    with lite.writing() as connection:
        rotate_secret(connection, webhook, now=NOW)
    old, new = (secret_text(SECRETS.webhook_secret(webhook, each)) for each in (0, 1))
    for now, is_old_good in ((NOW + OLD_SECRET_SECONDS - 1, True), (NOW + OLD_SECRET_SECONDS, False)):
        clock.now = now
        send_all(deliverer(lite, clock))
        message = receiver.next()
        signed = (message.id, str(now), message.body, message.headers["webhook-signature"])
        assert is_signed_with(new, *signed)
        assert is_signed_with(old, *signed) == is_old_good
        with lite.writing() as connection:
            redeliver(connection, webhook, UUID(message.id), now=now)


def test_tried_again_for_three_days_under_the_same_id_then_disabled(lite: Store, receiver: Receiver) -> None:
    webhook, clock = add_told(lite, receiver.url), Clock()
    receiver.answer = status(500)
    one, times, ids = deliverer(lite, clock), [], set()
    while told(lite, webhook).state is DeliveryState.PENDING:
        clock.now = told(lite, webhook).next_at
        assert send_all(one) == 1
        times.append(clock.now)
        ids.add(receiver.next().id)
    assert len(times) == len(PAUSES) + 1
    pauses = [after - before for before, after in pairwise(times)]
    assert all(least <= pause <= least * (1 + JITTER) + 1 for least, pause in zip(PAUSES, pauses, strict=True))
    assert pauses != list(PAUSES)
    assert 3 * 86_400 <= times[-1] - times[0] < 4 * 86_400
    assert len(ids) == 1
    record = told(lite, webhook)
    assert (record.attempts, record.last_status, record.last_error) == (10, 500, "it answered 500")
    with lite.reading() as connection:
        disabled = get_webhook(connection, webhook)
        (entry,) = list_entries(connection)
    assert (disabled.disabled_at, disabled.disabled_why) == (clock.now, "nothing arrived for three days")
    assert (entry.actor, entry.action, entry.subject) == ("worker", "webhook.disable", f"webhook {webhook}")


def test_one_message_that_is_never_taken_does_not_disable_a_webhook_that_takes_others(
    lite: Store, receiver: Receiver
) -> None:
    webhook, clock = add_told(lite, receiver.url, 2), Clock()
    with lite.reading() as connection:
        good, bad = list_deliveries(connection, webhook)
    receiver.answer = lambda handler: status(500 if handler.headers["webhook-id"] == str(bad.public_id) else 200)(
        handler
    )
    one = deliverer(lite, clock)
    while bad.state is DeliveryState.PENDING:
        clock.now = bad.next_at
        send_all(one)
        with lite.reading() as connection:
            good, bad = list_deliveries(connection, webhook)
    assert (good.state, bad.state) == (DeliveryState.DELIVERED, DeliveryState.FAILED)
    with lite.reading() as connection:
        assert get_webhook(connection, webhook).disabled_at is None


def test_one_that_is_gone_is_disabled_at_once(lite: Store, receiver: Receiver) -> None:
    webhook, clock = add_told(lite, receiver.url, 3), Clock()
    receiver.answer = status(410)
    one = deliverer(lite, clock)
    one.deliver(one.claim(1)[0])
    assert send_all(one) == 0
    with lite.reading() as connection:
        assert get_webhook(connection, webhook).disabled_why == "it answered 410: it is gone"
        assert {each.state for each in list_deliveries(connection, webhook)} == {DeliveryState.FAILED}


@pytest.mark.parametrize(
    ("retry_after", "code", "least"),
    [
        ("600", 429, 600),
        ("600", 503, 600),
        (formatdate(NOW + 700, usegmt=True), 503, 700),
        ("9" * 400, 503, LONGEST_RETRY_AFTER),
        (formatdate(NOW + 10**8, usegmt=True), 503, LONGEST_RETRY_AFTER),
        ("600", 500, PAUSES[0]),
        ("1", 503, PAUSES[0]),
        ("-600", 503, PAUSES[0]),
        ("²", 503, PAUSES[0]),
        ("soon", 503, PAUSES[0]),
        (formatdate(NOW - 700, usegmt=True), 503, PAUSES[0]),
        ("Fri, 31 Dec 99999 23:59:59 GMT", 503, PAUSES[0]),
    ],
)
def test_receivers_wish_for_a_pause_is_heard_within_limits(retry_after: str, code: int, least: int) -> None:
    at = next_attempt(0, Outcome(status=code, error="x", retry_after=retry_after), now=NOW)
    assert at is not None
    assert least <= at - NOW <= max(least, round(PAUSES[0] * (1 + JITTER)))


def test_address_that_is_not_allowed_any_more_is_refused(lite: Store, receiver: Receiver) -> None:
    webhook = add_told(lite, receiver.url)
    send_all(deliverer(lite, Clock(), is_anything_allowed=False))
    record = told(lite, webhook)
    assert (record.state, record.last_error, record.last_status) == (DeliveryState.PENDING, REFUSED, None)
    assert receiver.came.empty()


@contextmanager
def running(one: Deliverer) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_slow_receiver_holds_up_no_other_institution(store: Store, receiver: Receiver) -> None:
    slow, quick = store.of(add(store, "slow")), store.of(add(store, "quick"))
    go_on = threading.Event()

    def dawdle(handler: BaseHTTPRequestHandler) -> None:
        assert go_on.wait(WAIT_SECONDS)
        status(200)(handler)

    with receiving() as dawdling:
        dawdling.answer = dawdle
        webhook = add_told(slow, dawdling.url, 20)
        with running(deliverer(store, Clock())):
            assert dawdling.next().id
            add_told(quick, receiver.url, 5)
            for _ in range(5):
                receiver.next()
            # All the while two of the slow one's are under way: its quarter of the threads.
            dawdling.next()
            assert dawdling.came.empty()
            go_on.set()
            for _ in range(18):
                dawdling.next()
    with slow.reading() as connection:
        states = [each.state for each in list_deliveries(connection, webhook)]
    assert states.count(DeliveryState.DELIVERED) == 20


def test_webhook_removed_while_it_is_told(lite: Store, receiver: Receiver) -> None:
    webhook, one = add_told(lite, receiver.url), deliverer(lite, Clock())
    (claimed,) = one.claim(1)
    with lite.writing() as connection:
        remove_webhook(connection, webhook)
    one.deliver(claimed)
    assert receiver.next().id == str(claimed.public_id)
    assert one.claim(1) == ()


def test_worker_killed_while_sending_is_followed_by_another(
    database: Database, receiver: Receiver, tmp_path: Path
) -> None:
    """A real process, and SIGKILL: the message comes again, under the same id."""
    store, home = database.open(), tmp_path / "home"
    home.mkdir()
    text = settings_to_text({"rpc_url": "http://127.0.0.1:9", "database_url": database.url})
    (home / "settings.toml").write_text(f"{text}[service]\nprivate_webhooks = true\n")
    killed = threading.Event()

    def wait_for_its_end(handler: BaseHTTPRequestHandler) -> None:
        assert killed.wait(WAIT_SECONDS)
        handler.close_connection = True

    receiver.answer = wait_for_its_end
    webhook = add_told(store, receiver.url, now=int(time.time()))
    with subprocess.Popen([PROGRAM, "worker", "--home", str(home)], stderr=subprocess.DEVNULL) as process:
        try:
            first = receiver.next()
        finally:
            process.send_signal(signal.SIGKILL)
    killed.set()
    receiver.answer = status(200)
    record, clock = told(store, webhook), Clock()
    assert record.state is DeliveryState.PENDING
    clock.now = int(first.headers["webhook-timestamp"])
    other = deliverer(store, clock, "other", secrets=load_derived_secrets(home))
    assert send_all(other) == 0
    clock.now += LEASE_SECONDS + 1
    assert send_all(other) == 1
    second = receiver.next()
    assert (first.id, first.body) == (second.id, second.body)
    assert told(store, webhook).state is DeliveryState.DELIVERED
    secret = secret_text(load_derived_secrets(home).webhook_secret(webhook, 0))
    for each in (first, second):
        headers = each.headers
        assert is_signed_with(secret, each.id, headers["webhook-timestamp"], each.body, headers["webhook-signature"])


def pending_of(store: Store, webhook: UUID) -> UUID:
    with store.reading() as connection:
        (found,) = list_deliveries(connection, webhook, state=DeliveryState.PENDING)
    return found.public_id


def test_what_was_kept_long_enough_is_removed(store: Store, receiver: Receiver) -> None:
    webhook, clock = add_told(store, receiver.url, 3), Clock()
    one = deliverer(store, clock)
    for each in one.claim(2):
        one.deliver(each)
    request = receiver.next().body[:32].ljust(32)
    with store.writing() as connection:
        begin_request(connection, "k", request, now=NOW)  # type: ignore[arg-type]
        keep_answer(connection, "k", KeptAnswer(status=200, body=b""))
    keeper = Housekeeper(store, clock=clock, keep_deliveries_seconds=100, keep_answers_seconds=50)

    def what_is_kept() -> tuple[int, bool]:
        keeper.tidy()
        with store.writing() as connection:
            answer = begin_request(connection, "k", request, now=NOW + 51)  # type: ignore[arg-type]
            return len(list_deliveries(connection, webhook)), answer is not None

    clock.now = NOW + 50
    assert what_is_kept() == (3, True)
    clock.now = NOW + 51
    assert what_is_kept() == (3, False)
    clock.now = NOW + 100
    assert what_is_kept()[0] == 3
    with store.writing() as connection:
        redeliver(connection, webhook, pending_of(store, webhook), now=NOW + LEASE_SECONDS)
    clock.now = NOW + 101
    # What is still to be sent stays.
    assert what_is_kept()[0] == 1
