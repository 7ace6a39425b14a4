import json
from pathlib import Path
from typing import Any

import pytest

from anchor import audit_statement
from anchor.audit_statement import (
    AuditStatement,
    Comparison,
    Contradiction,
    Trouble,
    check_statement,
    compare_statements,
    hold_against,
    hold_block,
    make_statement,
    settle,
)
from anchor.data_integrity import sign_document
from anchor.did_key import Ed25519Key
from anchor.errors import HistoryError, SignedFormatError
from anchor.history import History
from anchor.model import Basis, BlockHeader, RegistryId, Vouching, hash32
from anchor.replay import replay
from tests.support.history import REGISTRY, Call, accredited, anchored, chain
from tests.support.stories import ANCHOR_KEY, BEGINNING, NEWCOMER, OTHER_KEY, STORY, replayed, revoked_alone

KEY = Ed25519Key(bytes(32))
CODE = hash32(b"\xc0" * 32)


def stated(history: History, at: int, **changes: Any) -> AuditStatement:
    return check_statement(written(history, at, **changes))


def written(history: History, at: int, **changes: Any) -> bytes:
    basis = Basis(
        registry=history.registry,
        block_number=at,
        block_hash=hash32(b"\xbb" * 32),
        block_at=at,
        vouching=Vouching.OWN_NODE,
        vouched_by=(),
    )
    options = {"code_hash": CODE, "audited_at": at, "program": "test", "key": KEY, **changes}
    return make_statement(history, basis, **options)


def held(statement: AuditStatement, *calls: Call, next_block_at: int | None = 2**40) -> Comparison:
    return hold_against(statement, replayed(*calls), code_hash=CODE, next_block_at=next_block_at)


def troubles(statement: AuditStatement, *calls: Call) -> dict[int | None, Trouble]:
    compared = held(statement, *calls)
    assert compared.open == ()
    return {each.issuer_id: each.trouble for each in compared.contradictions}


LATER = (
    *STORY,
    revoked_alone(3, at=2000, block=20),
    accredited(3, "did:web:three.example", controller=NEWCOMER, at=3000, block=30),
    anchored(2, b"\x0a" * 32, actor=OTHER_KEY, at=4000, block=40),
)


def test_a_statement_says_what_was_found() -> None:
    history = replayed(*STORY)
    statement = stated(history, 800, organisation="Auditors")
    assert (statement.organisation, statement.program, statement.audited_at) == ("Auditors", "test", 800)
    assert (statement.signature.signer, statement.code_hash) == (KEY.did, CODE)
    assert statement.did_hashes == tuple(each.did_hash for each in history.issuers)
    assert {chain: stated.head for chain, stated in statement.heads.items()} == {
        None: history.registry_head,
        1: history.issuers[0].head,
        2: history.issuers[1].head,
    }
    assert {chain: stated.events for chain, stated in statement.heads.items()} == {None: 4, 1: 8, 2: 2}
    assert "organisation" not in json.loads(written(history, 800))


def test_it_holds_in_its_own_history_and_in_every_later_one() -> None:
    statement = stated(replayed(*STORY), 800)
    for end in range(len(STORY), len(LATER) + 1):
        assert troubles(statement, *LATER[:end]) == {}


def time_of(call: Call) -> int:
    at = call.values[-1]
    assert isinstance(at, int)
    return at


@pytest.mark.parametrize(
    "end", [end for end in range(len(BEGINNING), len(LATER)) if time_of(LATER[end - 1]) != time_of(LATER[end])]
)
def test_a_statement_of_every_moment_holds_later(end: int) -> None:
    calls = LATER[:end]
    assert troubles(stated(replayed(*calls), time_of(calls[-1])), *LATER) == {}


def test_an_auditor_from_whom_an_event_was_withheld_is_contradicted() -> None:
    # He believed a block hash with a state of its own, before the revocation.
    statement = stated(replayed(*STORY), 2500)
    assert troubles(statement, *LATER) == {1: Trouble.LEFT_OUT}
    # Or the revocation in his own, last block.
    assert troubles(stated(replayed(*STORY), 2000), *LATER) == {1: Trouble.LEFT_OUT}


def test_contradictions_are_in_order_the_registry_first() -> None:
    # The issuer's is found first.
    assert list(troubles(stated(replayed(*STORY), 3500), *LATER)) == [None, 1, 3]


def test_an_auditor_who_saw_another_event_is_contradicted() -> None:
    other = (*STORY, revoked_alone(4, at=2000, block=20))
    assert troubles(stated(replayed(*other), 2500), *LATER) == {1: Trouble.OTHER_HEAD}


def test_an_auditor_who_saw_more_than_there_was_is_contradicted() -> None:
    more = (*LATER, revoked_alone(5, at=4000, block=41))
    assert troubles(stated(replayed(*more), 4000), *LATER) == {1: Trouble.MISSING_HERE}


def test_an_auditor_who_counts_what_came_later_is_contradicted() -> None:
    statement = stated(replayed(*LATER), 2500)
    assert troubles(statement, *LATER) == {None: Trouble.TOO_EARLY, 2: Trouble.TOO_EARLY, 3: Trouble.TOO_EARLY}


def test_an_institution_that_was_accredited_by_then_may_not_be_missing() -> None:
    assert troubles(stated(replayed(*LATER[:-2]), 3500), *LATER) == {None: Trouble.LEFT_OUT, 3: Trouble.LEFT_OUT}


def test_another_institution_under_a_number_is_found() -> None:
    other = (*BEGINNING, accredited(3, "did:web:other.example", controller=NEWCOMER, at=3000, block=30))
    mine = (*BEGINNING, accredited(3, "did:web:three.example", controller=NEWCOMER, at=3000, block=30))
    assert troubles(stated(replayed(*other), 3000), *mine) == {None: Trouble.OTHER_HEAD, 3: Trouble.OTHER_ISSUER}


def test_the_first_contradiction_of_a_head_counts() -> None:
    calls = (*STORY, revoked_alone(3, at=2000, block=20), revoked_alone(4, at=2001, block=21))
    assert troubles(stated(replayed(*STORY), 2500), *calls) == {1: Trouble.LEFT_OUT}


def test_a_history_of_another_registry_is_refused() -> None:
    elsewhere = RegistryId(chain_id=1, address=REGISTRY.address)
    logs, _ = chain(STORY, elsewhere)
    with pytest.raises(HistoryError, match="the history is of eip155:1:"):
        hold_against(stated(replayed(*STORY), 800), replay(logs, elsewhere), code_hash=CODE, next_block_at=None)


def test_a_statement_that_nobody_would_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(written(replayed(*STORY), 800))
    monkeypatch.setattr(audit_statement, "MAX_STATEMENT_BYTES", size)
    assert len(written(replayed(*STORY), 800)) == size
    monkeypatch.setattr(audit_statement, "MAX_STATEMENT_BYTES", 500)
    with pytest.raises(SignedFormatError, match="more than 500"):
        written(replayed(*STORY), 800)


def test_it_is_written_for_people_and_names_no_node_that_was_not_asked() -> None:
    text = written(replayed(*STORY, anchored(1, b"\x21" * 32, actor=ANCHOR_KEY, at=900, block=9)), 900).decode()
    assert text.startswith('{\n "format": "credanchor/audit-statement@v1"')
    assert text.endswith("}\n")
    assert "http" not in text
    assert "Universität" in written(replayed(*STORY), 800, organisation="Universität").decode()


def test_words_and_limits_are_those_of_the_specification() -> None:
    spec = (Path(__file__).parents[2] / "docs" / "spec" / "audit-statement.md").read_text("utf-8")
    assert f"{audit_statement.MAX_STATEMENT_BYTES:,} bytes" in spec
    assert all(f"`{each.value}`" in spec for each in Trouble)


def test_a_statement_about_many_institutions_is_read() -> None:
    # Larger than any other document may be.
    assert len(stated(replayed(*STORY), 800, program="x" * 2**20).program) == 2**20


def test_members_that_are_too_many_are_named() -> None:
    content = json.loads(written(replayed(*STORY), 800))
    del content["proof"]
    content["registryWide"]["more"] = 1
    with pytest.raises(SignedFormatError, match=r"^registryWide "):
        check_statement(json.dumps(sign_document(content, KEY, 800)).encode())


def test_two_statements_say_what_went_on_between_them() -> None:
    earlier, later = stated(replayed(*STORY), 800), stated(replayed(*LATER), 4000)
    compared = compare_statements(later, earlier)
    assert [each.trouble for each in compared.contradictions] == [Trouble.OTHER_BLOCK]  # all here have one hash
    assert compared.open == (None, 1, 2, 3)


ONE_SECOND = (*STORY, revoked_alone(3, at=2000, block=20), revoked_alone(4, at=2000, block=21))


def test_of_two_blocks_of_one_second_nobody_can_tell_which_has_an_event() -> None:
    # Of block 20, honest; and one that lacks the event of block 20.
    for end in (len(STORY), len(STORY) + 1, len(STORY) + 2):
        statement = stated(replayed(*ONE_SECOND[:end]), 2000)
        assert held(statement, *ONE_SECOND, next_block_at=2000) == Comparison(contradictions=(), open=(1,))


def test_heads_that_are_proven_at_its_block_settle_what_is_open() -> None:
    history = replayed(*ONE_SECOND[:-1])
    heads = {None: history.registry_head, 1: history.issuers[0].head}
    for end, expected in [(-2, {1: Trouble.OTHER_HEAD}), (-1, {}), (len(ONE_SECOND), {1: Trouble.OTHER_HEAD})]:
        statement = stated(replayed(*ONE_SECOND[:end]), 2000)
        settled = settle(statement, held(statement, *ONE_SECOND, next_block_at=2000), heads)
        assert ({each.issuer_id: each.trouble for each in settled.contradictions}, settled.open) == (expected, ())


@pytest.mark.parametrize("was_there", [True, False])
def test_an_issuer_that_was_accredited_in_that_second_is_settled_too(was_there: bool) -> None:
    calls = (*STORY, accredited(3, "did:web:three.example", controller=NEWCOMER, at=2000, block=20))
    history = replayed(*(calls if was_there else STORY))
    statement = stated(replayed(*STORY), 2000)
    compared = held(statement, *calls, next_block_at=2000)
    assert compared == Comparison(contradictions=(), open=(None, 3))
    heads = {None: history.registry_head, 3: history.issuers[2].head if was_there else hash32(bytes(32))}
    settled = settle(statement, compared, heads)
    expected = [Trouble.OTHER_HEAD, Trouble.LEFT_OUT] if was_there else []
    assert [each.trouble for each in settled.contradictions] == expected


def test_an_event_before_that_second_is_missed_all_the_same() -> None:
    statement = stated(replayed(*STORY[:-1]), 2000)
    (contradiction,) = held(statement, *ONE_SECOND, next_block_at=2000).contradictions
    assert contradiction.trouble is Trouble.LEFT_OUT


def test_the_last_block_of_a_history_has_no_other_of_its_second() -> None:
    statement = stated(replayed(*ONE_SECOND), 2000)
    assert held(statement, *ONE_SECOND, next_block_at=None) == Comparison(contradictions=(), open=())


def test_other_code_than_the_contract_has_is_a_contradiction() -> None:
    statement = stated(replayed(*STORY), 800, code_hash=hash32(b"\xc1" * 32))
    contradiction = Contradiction(trouble=Trouble.OTHER_CODE, issuer_id=None)
    assert held(statement, *STORY) == Comparison(contradictions=(contradiction,), open=())


@pytest.mark.parametrize(
    ("block_hash", "at", "expected"),
    [
        (b"\xbb", 800, []),
        (b"\xbc", 800, [Trouble.OTHER_BLOCK]),
        (b"\xbc", 801, [Trouble.OTHER_BLOCK]),
        # Without this, whoever states an earlier time could leave out what happened until his block.
        (b"\xbb", 801, [Trouble.OTHER_TIME]),
    ],
)
def test_the_block_must_be_the_chains_with_its_time(block_hash: bytes, at: int, expected: list[Trouble]) -> None:
    header = BlockHeader(hash=hash32(block_hash * 32), number=800, timestamp=at, state_root=hash32(bytes(32)))
    found = hold_block(stated(replayed(*STORY), 800), header)
    assert found == tuple(Contradiction(trouble=trouble, issuer_id=None) for trouble in expected)
