"""Webhooks and what they are told, in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from registry.errors import ConflictError, NotFoundError
from registry.store.deliveries import (
    DeliveryRecord,
    DeliveryState,
    are_deliveries_due,
    claim_deliveries,
    has_anything_arrived,
    list_deliveries,
    redeliver,
    remove_old_deliveries,
    send_one,
    settle_delivery,
)
from registry.store.engine import Store
from registry.store.institutions import close_institution
from registry.store.webhooks import (
    add_webhook,
    announce,
    disable_webhook,
    enable_webhook,
    get_webhook,
    list_webhooks,
    remove_webhook,
    rotate_secret,
)
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.registry import NOW


def test_each_webhook_is_told_what_it_wants(store: Store) -> None:
    college = store.of(add(store, "college"))
    with college.writing() as connection:
        both = add_webhook(connection, address="https://a.example", events=["y", "x"], created_at=NOW)
        add_webhook(connection, address="https://b.example", events=["y"], created_at=NOW)
        assert [each.address for each in list_webhooks(connection)] == ["https://a.example", "https://b.example"]
        assert both.events == {"x", "y"}
        assert [announce(connection, event, b"{}", now=NOW) for event in ("x", "y", "z")] == [1, 2, 0]
        assert len(list_deliveries(connection, both.public_id)) == 2
        newest, oldest = list_deliveries(connection, both.public_id)
        assert list_deliveries(connection, both.public_id, before=newest.id) == (oldest,)
    with store.writing() as connection:
        assert announce(connection, "x", b"{}", now=NOW) == 0


def claim(store: Store, worker: str, now: int, limit: int = 10, per_institution: int = 10) -> list[Any]:
    with store.operator_writing() as connection:
        return list(
            claim_deliveries(
                connection, worker, now=now, lease_seconds=30, limit=limit, per_institution=per_institution
            )
        )


def told(store: Store) -> UUID:
    with store.writing() as connection:
        webhook = add_webhook(connection, address="https://a.example", events=["x"], created_at=NOW)
        announce(connection, "x", b'{"id": 1}', now=NOW)
    return webhook.public_id


def test_a_delivery_is_tried_until_it_arrives(store: Store) -> None:
    webhook = told(store)
    assert claim(store, "w1", NOW - 1) == []
    (first,) = claim(store, "w1", NOW)
    assert (first.address, first.payload, first.webhook) == ("https://a.example", b'{"id": 1}', webhook)
    assert claim(store, "w2", NOW + 29) == []
    with store.writing() as connection:
        settle_delivery(connection, first, "w1", now=NOW, status=503, error="503", again_at=NOW + 60)
    assert claim(store, "w2", NOW + 59) == []
    (again,) = claim(store, "w2", NOW + 60)
    with pytest.raises(ConflictError), store.writing() as connection:
        settle_delivery(connection, first, "w1", now=NOW, status=200, error=None, again_at=None)
    with store.writing() as connection:
        settle_delivery(connection, again, "w2", now=NOW + 61, status=200, error=None, again_at=None)
    with store.reading() as connection:
        (record,) = list_deliveries(connection, webhook)
    assert (record.state, record.attempts, record.last_status) == (DeliveryState.DELIVERED, 2, 200)
    assert (record.delivered_at, record.last_error) == (NOW + 61, None)
    assert claim(store, "w2", NOW + 10**6) == []


def test_what_was_given_up_is_sent_again_on_request(store: Store) -> None:
    webhook = told(store)
    (first,) = claim(store, "w1", NOW)
    with pytest.raises(ConflictError), store.writing() as connection:
        redeliver(connection, webhook, first.public_id, now=NOW + 29)
    with store.writing() as connection:
        settle_delivery(connection, first, "w1", now=NOW, status=None, error="no answer", again_at=None)
    assert claim(store, "w1", NOW + 10**6) == []
    with store.writing() as connection:
        assert list_deliveries(connection, webhook)[0].state is DeliveryState.FAILED
        redeliver(connection, webhook, first.public_id, now=NOW + 70)
    assert [each.attempts for each in claim(store, "w1", NOW + 70)] == [0]


def test_a_worker_that_died_is_followed_by_another(store: Store) -> None:
    told(store)
    claim(store, "w1", NOW)
    assert len(claim(store, "w2", NOW + 30)) == 1


def test_a_disabled_webhook_is_told_nothing_more(store: Store) -> None:
    webhook = told(store)
    with store.writing() as connection:
        disable_webhook(connection, webhook, now=NOW)
        assert announce(connection, "x", b"{}", now=NOW) == 0
        (record,) = list_deliveries(connection, webhook)
        with pytest.raises(ConflictError):
            redeliver(connection, webhook, record.public_id, now=NOW)
        with pytest.raises(NotFoundError):
            disable_webhook(connection, webhook, now=NOW)
        with pytest.raises(NotFoundError):
            redeliver(connection, webhook, uuid4(), now=NOW)
    assert record.state is DeliveryState.FAILED
    assert claim(store, "w1", NOW + 1) == []


def test_a_webhook_disabled_while_it_is_told_is_not_told_again(store: Store) -> None:
    webhook = told(store)
    (first,) = claim(store, "w1", NOW)
    with store.writing() as connection:
        disable_webhook(connection, webhook, now=NOW)
    with store.writing() as connection:
        settle_delivery(connection, first, "w1", now=NOW, status=None, error="no answer", again_at=NOW + 1)
    assert claim(store, "w1", NOW + 1) == []


def test_what_is_told_while_nobody_listens_is_not_told_later(store: Store) -> None:
    webhook = told(store)
    with store.writing() as connection:
        disable_webhook(connection, webhook, now=NOW, why="it was gone")
        assert get_webhook(connection, webhook).disabled_why == "it was gone"
        with pytest.raises(ConflictError):
            send_one(connection, webhook, "ping", b"{}", now=NOW)
        enabled = enable_webhook(connection, webhook)
        assert (enabled.disabled_at, enabled.disabled_why) == (None, None)
    assert claim(store, "w1", NOW + 10**6) == []
    with store.writing() as connection:
        assert send_one(connection, webhook, "ping", b"{}", now=NOW).event == "ping"
    assert [each.event for each in claim(store, "w1", NOW)] == ["ping"]


def test_another_secret_has_another_generation(store: Store) -> None:
    webhook = told(store)
    with store.writing() as connection:
        assert get_webhook(connection, webhook).generation == 0
        rotated = rotate_secret(connection, webhook, now=NOW + 5)
    assert (rotated.generation, rotated.rotated_at) == (1, NOW + 5)
    (delivery,) = claim(store, "w1", NOW)
    assert (delivery.generation, delivery.rotated_at) == (1, NOW + 5)


def test_removed_with_all_that_it_was_told(store: Store) -> None:
    webhook = told(store)
    (delivery,) = claim(store, "w1", NOW)
    with store.writing() as connection:
        remove_webhook(connection, webhook)
        assert list_webhooks(connection) == ()
        assert list_deliveries(connection, webhook) == ()
        with pytest.raises(NotFoundError):
            remove_webhook(connection, webhook)
        with pytest.raises(ConflictError):
            settle_delivery(connection, delivery, "w1", now=NOW, status=200, error=None, again_at=None)


def test_institutions_share_the_workers_out(store: Store) -> None:
    """One that has many messages waiting, or under way, leaves room for the others."""
    busy, calm = store.of(add(store, "busy")), store.of(add(store, "calm"))
    for each, count in ((busy, 9), (calm, 1)):
        with each.writing() as connection:
            add_webhook(connection, address="https://a.example", events=["x"], created_at=NOW)
            for _ in range(count):
                announce(connection, "x", b"{}", now=NOW)

    def claimed(worker: str, limit: int) -> list[int]:
        return [each.institution for each in claim(store, worker, NOW, limit, per_institution=3)]

    assert sorted(claimed("w1", 2)) == sorted([busy.institution, calm.institution])
    assert claimed("w2", 9) == [busy.institution] * 2
    assert claimed("w2", 9) == []


def test_no_message_is_claimed_twice(database: Database) -> None:
    store = database.open()
    webhook = told(store)
    with store.writing() as connection:
        for _ in range(19):
            send_one(connection, webhook, "ping", b"{}", now=NOW)
    barrier, stores = Barrier(4), [database.open() for _ in range(4)]

    def take(number: int) -> list[DeliveryRecord]:
        barrier.wait()
        return claim(stores[number], f"w{number}", NOW, limit=5, per_institution=100)

    with ThreadPoolExecutor(4) as pool:
        taken = [each.id for found in pool.map(take, range(4)) for each in found]
    assert len(taken) == len(set(taken)) > 0
    taken += [each.id for each in claim(store, "last", NOW, limit=100, per_institution=100)]
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 20


def test_a_closed_institution_is_told_nothing_more(store: Store) -> None:
    college = store.of(add(store, "college"))
    webhook = told(college)
    with store.operator_writing() as connection:
        close_institution(connection, college.institution, now=NOW)
        assert not are_deliveries_due(connection, now=NOW)
    assert claim(store, "w1", NOW) == []
    with store.operator_writing() as connection:
        assert remove_old_deliveries(connection, before=NOW) == 0
        assert remove_old_deliveries(connection, before=NOW + 1) == 1
    with college.reading() as connection:
        assert list_deliveries(connection, webhook) == ()


def test_old_messages_are_removed_once_they_have_come_to_an_end(store: Store) -> None:
    webhook = told(store)
    (first,) = claim(store, "w1", NOW)
    with store.writing() as connection:
        assert not has_anything_arrived(connection, webhook, since=NOW)
        settle_delivery(connection, first, "w1", now=NOW, status=200, error=None, again_at=None)
        assert has_anything_arrived(connection, webhook, since=NOW)
        assert not has_anything_arrived(connection, webhook, since=NOW + 1)
        send_one(connection, webhook, "ping", b"{}", now=NOW)
    (pending,) = claim(store, "w1", NOW)
    with store.writing() as connection:
        settle_delivery(connection, pending, "w1", now=NOW, status=503, error="x", again_at=NOW + 9)
    with store.operator_writing() as connection:
        assert are_deliveries_due(connection, now=NOW + 9)
        assert not are_deliveries_due(connection, now=NOW + 8)
        assert remove_old_deliveries(connection, before=NOW) == 0
        assert remove_old_deliveries(connection, before=NOW + 1) == 1
    with store.reading() as connection:
        assert [each.id for each in list_deliveries(connection, webhook)] == [pending.id]
        assert list_deliveries(connection, webhook, state=DeliveryState.DELIVERED) == ()
