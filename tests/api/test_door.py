"""What an API key opens, for how long, and that its use is noted."""

from __future__ import annotations

from dataclasses import replace

from registry.api.limits import RateLimiter
from registry.services import operation
from registry.services.access import REMEMBERED_SECONDS, Door
from registry.store.audit_log import check_chain, list_entries
from tests.api.town import Town


def door_of(town: Town) -> tuple[Door, list[float]]:
    """Give a door, and its clock to be moved."""
    now = [100.0]
    return Door(town.service.store, lambda: now[0]), now


def test_key_that_is_revoked_opens_nothing_a_second_later(town: Town) -> None:
    door, now = door_of(town)
    town.service.__dict__["door"] = door
    assert town.get("/v1/batches").status_code == 200
    operation.revoke_key(town.service.store, "borealis", town.here.keys["read"].split("_")[1], now=1)
    now[0] += REMEMBERED_SECONDS
    assert town.get("/v1/batches").status_code == 200
    now[0] += 0.001
    assert town.get("/v1/batches").status_code == 401


def test_what_was_refused_is_not_remembered_and_no_key_stands_for_another(town: Town) -> None:
    door, _ = door_of(town)
    assert door.recall("x") is None
    key = town.here.keys["read"]
    access = door.open(key, now=town.service.now())
    assert door.recall(key) == access
    assert door.recall(key[:-1]) is None
    assert door.recall(town.there.keys["read"]) is None


def test_use_is_noted_and_all_that_the_operator_did_is_in_the_log(town: Town) -> None:
    assert town.get("/v1/batches").status_code == 200
    town.client.__exit__(None, None, None)  # what was begun beside the request is finished
    _, keys = operation.show(town.service.store, "borealis")
    used = {each.prefix: each.last_used_at is not None for each in keys}
    assert [used[town.here.keys[name].split("_")[1]] for name in ("read", "admin", "expired")] == [True, False, False]
    with town.here.store.reading() as connection:
        actions = [each.action for each in list_entries(connection)]
        check_chain(connection)
    kept = ["achievement.add", "achievement.revise"]
    assert actions == ["institution.add", *kept, *["key.create"] * 7, "key.revoke"]
    town.client.__enter__()


def test_who_uses_a_key_too_often_is_told_to_wait(town: Town) -> None:
    context = replace(town.app.state.context, by_key=RateLimiter(2, lambda: 0.0))
    town.app.state.context = context
    assert [town.get("/v1/batches").status_code for _ in range(3)] == [200, 200, 429]
    # Another key has a bucket of its own.
    assert town.get("/v1/batches", "admin").status_code == 403
