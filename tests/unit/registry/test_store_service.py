"""API keys, the audit log and idempotency keys, in both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Executable, delete, insert, select, update

from anchor.model import Hash32
from registry.errors import ConflictError, NotFoundError, NotPermittedError, StoreError
from registry.store.api_keys import (
    Scope,
    authenticate,
    create_api_key,
    list_api_keys,
    note_use,
    revoke_api_key,
)
from registry.store.audit_log import _hash, append_entry, check_chain, list_entries
from registry.store.connection import HOME, InstitutionId
from registry.store.engine import Store
from registry.store.idempotency import KeptAnswer, begin_request, forget_answers, keep_answer
from registry.store.institutions import close_institution
from registry.store.service_tables import api_keys, audit_chains, audit_entries
from tests.support.databases import Database
from tests.support.institutions import add
from tests.support.registry import NOW

# API keys


def make_key(store: Store, institution: InstitutionId | None, expires_at: int | None = None) -> tuple[str, str]:
    with store.operator_writing() as connection:
        record, text = create_api_key(
            connection, institution, {Scope.READ, Scope.ISSUE}, label="LMS", created_at=NOW, expires_at=expires_at
        )
    return record.prefix, text


def is_valid(store: Store, text: str, now: int = NOW) -> bool:
    with store.operator_reading() as connection:
        try:
            authenticate(connection, text, now=now)
        except NotPermittedError:
            return False
        return True


def test_a_key_tells_whose_it_is_and_its_secret_is_not_kept(store: Store) -> None:
    college = add(store, "college")
    prefix, text = make_key(store, college)
    with store.operator_reading() as connection:
        record = authenticate(connection, text, now=NOW)
        kept = connection.execute(select(api_keys)).one()
    assert (record.prefix, record.institution, record.label) == (prefix, college, "LMS")
    assert record.scopes == {Scope.READ, Scope.ISSUE}
    assert text.removeprefix(f"credanchor_{prefix}_") not in repr(kept)
    assert text.startswith(f"credanchor_{prefix}_")


def test_wrong_keys(store: Store) -> None:
    prefix, text = make_key(store, None)
    secret = text.removeprefix(f"credanchor_{prefix}_")
    other_prefix, other_text = make_key(store, None)
    other = other_text.removeprefix(f"credanchor_{other_prefix}_")
    assert is_valid(store, text)
    for wrong in (
        "",
        prefix,
        f"credanchor_{prefix}_",
        text + "A",
        f"credanchor_{'0' * 16}_{secret}",
        f"credanchor_{prefix}_{secret[::-1]}",
        f"credanchor_{prefix}_{other}",
        f" {text}",
        f"{text}\n",
    ):
        assert not is_valid(store, wrong), wrong


def test_a_key_ends(store: Store) -> None:
    college = add(store, "college")
    (_, expiring), (prefix, revoked), (_, closed) = (
        make_key(store, None, NOW + 5),
        make_key(store, college),
        make_key(store, college),
    )
    assert is_valid(store, expiring, NOW + 4)
    assert not is_valid(store, expiring, NOW + 5)
    with store.operator_writing() as connection:
        for stranger in (None, HOME):
            with pytest.raises(NotFoundError):
                revoke_api_key(connection, stranger, prefix, now=NOW)
        revoke_api_key(connection, college, prefix, now=NOW)
        with pytest.raises(NotFoundError):
            revoke_api_key(connection, college, prefix, now=NOW)
    assert not is_valid(store, revoked)
    assert is_valid(store, closed)
    with store.operator_writing() as connection:
        close_institution(connection, college, now=NOW)
        assert [each.revoked_at for each in list_api_keys(connection, college)] == [NOW, None]
        assert len(list_api_keys(connection, None)) == 1
    assert not is_valid(store, closed)


def test_use_is_noted_once_a_minute(store: Store) -> None:
    _, text = make_key(store, None)
    noted = []
    for now in (NOW, NOW + 59, NOW + 60):
        with store.operator_writing() as connection:
            note_use(connection, authenticate(connection, text, now=now), now=now)
            noted.append(authenticate(connection, text, now=now).last_used_at)
    assert noted == [NOW, NOW, NOW + 60]


# The audit log


def act(store: Store, action: str) -> None:
    with store.writing() as connection:
        append_entry(connection, at=NOW, actor="operator", action=action, subject="batch 1")


def test_the_log_is_each_institutions_own(store: Store) -> None:
    college = add(store, "college")
    for action in ("a", "b", "c"):
        act(store.of(college), action)
    act(store, "x")
    with store.of(college).reading() as connection:
        assert [(each.number, each.action) for each in list_entries(connection)] == [(1, "a"), (2, "b"), (3, "c")]
        assert [each.number for each in list_entries(connection, after=1, limit=1)] == [2]
        assert check_chain(connection) == list_entries(connection)[-1].hash
    with store.reading() as connection:
        assert [each.action for each in list_entries(connection)] == ["x"]


def test_an_empty_log_is_whole(store: Store) -> None:
    with store.of(add(store, "college")).reading() as connection:
        assert check_chain(connection) == bytes(32)


AT = audit_entries.c.number
ALTERATIONS: dict[str, Executable] = {
    "changed": update(audit_entries).where(AT == 2).values(actor="somebody else"),
    "removed": delete(audit_entries).where(AT == 2),
    "first removed": delete(audit_entries).where(AT == 1),
    "last removed": delete(audit_entries).where(AT == 3),
    "all removed": delete(audit_entries),
    "added": insert(audit_entries).values(
        institution_ref=HOME, number=4, at=NOW, actor="x", action="x", subject="x", hash=bytes(32)
    ),
    "end": update(audit_chains).values(length=2),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_what_was_altered_shows(store: Store, name: str) -> None:
    for action in ("a", "b", "c"):
        act(store, action)
    with store.writing() as connection:
        check_chain(connection)
        connection.execute(ALTERATIONS[name])
        with pytest.raises(StoreError, match="altered at entry"):
            check_chain(connection)


def test_an_entry_that_was_changed_with_its_hash_shows_by_the_next(store: Store) -> None:
    for action in ("a", "b", "c"):
        act(store, action)
    with store.writing() as connection:
        first, second, _ = list_entries(connection)
        forged = _hash(first.hash, second.number, second.at, "somebody else", second.action, second.subject)
        connection.execute(update(audit_entries).where(AT == 2).values(actor="somebody else", hash=forged))
        with pytest.raises(StoreError, match="altered at entry 3"):
            check_chain(connection)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do something in several threads, which wait for each other before they begin."""
    barrier = Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_entries_written_at_once_make_one_chain(database: Database) -> None:
    stores = [database.open() for _ in range(4)]

    def write(number: int) -> None:
        for turn in range(5):
            act(stores[number], f"{number}.{turn}")

    at_once(4, write)
    with stores[0].reading() as connection:
        check_chain(connection)
        assert len(list_entries(connection)) == 20


# Idempotency keys

REQUEST, OTHER = Hash32(bytes(32)), Hash32(bytes(31) + b"\1")


ANSWER = KeptAnswer(status=201, body=b"{}")


def answer(store: Store, request: Hash32 = REQUEST) -> str:
    with store.writing() as connection:
        kept = begin_request(connection, "k", request, now=NOW)
        if kept is None:
            keep_answer(connection, "k", ANSWER)
    assert kept in (None, ANSWER)
    return "kept" if kept else "done"


def test_a_write_is_answered_the_same_again(store: Store) -> None:
    assert [answer(store), answer(store)] == ["done", "kept"]
    with pytest.raises(ConflictError, match="another request"):
        answer(store, OTHER)
    assert answer(store.of(add(store, "college")), OTHER) == "done"
    with store.operator_writing() as connection:
        assert forget_answers(connection, before=NOW) == 0
        assert forget_answers(connection, before=NOW + 1) == 2
    assert answer(store, OTHER) == "done"


def test_what_failed_may_be_tried_again_at_once(store: Store) -> None:
    def fail() -> None:
        with store.writing() as connection:
            begin_request(connection, "k", REQUEST, now=NOW)
            raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        fail()
    assert answer(store, OTHER) == "done"


def test_of_equal_requests_at_once_one_is_done(database: Database) -> None:
    stores = [database.open() for _ in range(4)]
    assert sorted(at_once(4, lambda number: answer(stores[number]))) == ["done", "kept", "kept", "kept"]
