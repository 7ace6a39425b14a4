"""`credanchor reconcile` and the explorer's index: what lags is told from what is wrong; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from anchor.ledger.client import LedgerClient
from anchor.model import to_hex
from registry.services import explored_index
from registry.store.records import StatusKind
from registry.store.transactions import all_transaction_hashes
from tests.api.conftest import any_town
from tests.api.town import Town
from tests.cli.test_issuer import pass_time
from tests.cli.test_reconcile_hosted import Operator, change, operator, settle_there, thief_revokes
from tests.ledger.conftest import chain, session_chain
from tests.ledger.whole_contract import SECOND_ANCHOR_KEY

__all__ = ["any_town", "chain", "operator", "session_chain"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index lags after twenty seconds: a chain whose clock is minutes ahead proves nothing."""
    monkeypatch.setattr(explored_index, "LAG_SECONDS", 20)


@pytest.fixture
def town(any_town: Town) -> Town:
    """Each has a revoked credential; all is read and proven."""
    settle_there(any_town)
    first, second = any_town.here.credentials()[:2]
    office = any_town.here.office
    office.change(office.targets.of_uuid(first.uuid), StatusKind.REVOKE)
    office.change(office.targets.of_uuid(second.uuid), StatusKind.SUSPEND)
    thief_revokes(any_town, any_town.there, SECOND_ANCHOR_KEY, any_town.there.credentials()[0].position)
    any_town.read_history()
    return any_town


def differences(operator: Operator) -> list[dict[str, Any]]:
    """Those of the index, of the first institution."""
    return [each for each in operator.reconcile(operator.town.here) if each["kind"].startswith("index")]


def told(operator: Operator) -> list[tuple[str, str]]:
    return [(each["kind"], each["detail"]) for each in differences(operator)]


def test_an_index_that_is_right_is_no_difference(operator: Operator, town: Town) -> None:
    assert differences(operator) == []
    # Read by nobody so far is no difference, either.
    change(town, "UPDATE ledger_syncs SET shown_ref = NULL")
    assert differences(operator) == []
    change(town, "UPDATE ledger_syncs SET problem = 'no node answers'")
    assert told(operator) == [("indexBehind", "it shows nothing: no node answers")]


def test_an_index_that_is_behind_is_told_once_it_is_for_long(operator: Operator, town: Town) -> None:
    event = town.chain.anchor(9)
    assert differences(operator) == []
    pass_time(town.chain, 5)
    assert differences(operator) == []
    pass_time(town.chain, 20)
    ((kind, detail),) = told(operator)
    assert (kind, ", without 1 events, the first of " in detail) == ("indexBehind", True)
    change(town, "UPDATE ledger_syncs SET problem = 'no node answers'")
    assert told(operator)[0][1].endswith("; no node answers")
    # What it shows must be right as of its own block all the same.
    change(town, "UPDATE ledger_events SET reason = 5 WHERE kind = 'credentialsRevoked' AND issuer_id = 1")
    assert [kind for kind, _ in told(operator)] == ["indexOtherwise", "indexBehind"]
    change(town, "UPDATE ledger_issuers SET content = :content WHERE issuer_id = 1", content=b"x")
    assert [kind for kind, _ in told(operator)] == ["indexOtherwise", "indexOtherwise", "indexBehind"]
    town.read_history()
    assert event.log.block_number
    # Read on, the row that somebody changed is still there, and still found.
    assert "indexBehind" not in dict(told(operator))


def test_what_a_neighbour_did_leaves_an_index_as_good(operator: Operator, town: Town) -> None:
    thief_revokes(town, town.there, SECOND_ANCHOR_KEY, town.there.credentials()[1].position)
    pass_time(town.chain, 30)
    assert differences(operator) == []
    change(town, "UPDATE ledger_events SET reason = 5 WHERE issuer_id = 2")
    change(town, "DELETE FROM ledger_words WHERE issuer_id = 2")
    assert differences(operator) == []


def test_what_is_missing_changed_and_made_up_is_named(operator: Operator, town: Town) -> None:
    root = to_hex(town.here.anchored.root)
    change(town, "UPDATE ledger_events SET at = at + 1 WHERE kind = 'batchAnchored' AND issuer_id = 1")
    (found,) = differences(operator)
    assert (found["kind"], found["root"]) == ("indexOtherwise", root)
    with town.here.store.reading() as connection:
        assert bytes.fromhex(found["transaction"][2:]) in all_transaction_hashes(connection)
    assert found["detail"].endswith(": at")
    change(town, "UPDATE ledger_events SET issuer_id = 2 WHERE kind = 'batchAnchored' AND issuer_id = 1")
    (found,) = differences(operator)
    assert (found["kind"], found["root"]) == ("indexMissing", root)
    change(town, "UPDATE ledger_events SET issuer_id = 1 WHERE issuer_id = 2 AND kind = 'batchAnchored'")
    found = {each["kind"]: each for each in differences(operator)}
    assert found.keys() == {"indexOtherwise", "indexForeign"}
    # Whose batch it is, the transaction tells; its root is the neighbour's.
    assert (found["indexForeign"]["root"], found["indexForeign"]["transaction"][:2]) == (None, "0x")


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("DELETE FROM ledger_words WHERE kind = 'credentialsRevoked' AND issuer_id = 1", "which credentials a change"),
        ("UPDATE ledger_words SET epoch = 3 WHERE kind = 'credentialsSuspended'", "which credentials a change"),
        ("UPDATE ledger_tallies SET credentials = credentials + 1 WHERE issuer_id = 1", "how many events there were"),
        ("DELETE FROM ledger_tallies WHERE issuer_id = 1", "how many events there were"),
        ("UPDATE ledger_accounts SET number = number + 1 WHERE key_of = 1", "whose key it is"),
        ("UPDATE ledger_issuers SET did_hash = :zero WHERE issuer_id = 1", "the issuer's DID"),
        ("UPDATE ledger_issuers SET did = 'did:web:other' WHERE issuer_id = 1", "the issuer's DID"),
        ("DELETE FROM ledger_issuers WHERE issuer_id = 1", "whether there is this issuer"),
        ("UPDATE ledger_copies SET content = :zero", "cannot be read"),
        ("UPDATE ledger_copies SET proven = proven - 1", "events of the registry are shown"),
    ],
)
def test_what_the_index_made_of_events_is_compared(operator: Operator, town: Town, statement: str, detail: str) -> None:
    change(town, statement, **({"zero": bytes(32)} if ":zero" in statement else {}))
    found = told(operator)
    assert {kind for kind, _ in found} <= {"indexOtherwise", "indexMissing"}
    assert any(detail in each for _, each in found), found
    # As the guide advises.
    change(town, "UPDATE ledger_syncs SET shown_ref = NULL, read_ref = NULL")
    town.read_history()
    assert differences(operator) == []


def test_a_state_of_another_time_is_found(operator: Operator, town: Town) -> None:
    """Heads, counts and keys of an issuer as they were before its last event."""
    with town.service.store.operator_reading() as connection:
        content = connection.exec_driver_sql("SELECT content FROM ledger_issuers WHERE issuer_id = 1").scalar_one()
    town.chain.anchor(9)
    town.read_history()
    assert differences(operator) == []
    change(town, "UPDATE ledger_issuers SET content = :content WHERE issuer_id = 1", content=bytes(content))
    ((kind, detail),) = told(operator)
    assert kind == "indexOtherwise"
    assert detail in {"of the issuer: head, counts, last at", "of the issuer: head, counts"}


def test_an_index_of_blocks_that_are_gone_is_behind_and_no_liar(operator: Operator, town: Town) -> None:
    before = town.chain.node.write("evm_snapshot", [])
    town.chain.anchor(9)
    town.read_history()
    assert town.chain.node.write("evm_revert", [before])
    town.chain.anchor(10)
    town.chain.mine(3)
    ((kind, detail),) = told(operator)
    assert (kind, detail.endswith("is not on the chain any more")) == ("indexBehind", True)
    town.read_history()
    assert differences(operator) == []


def test_what_the_service_reads_meanwhile_is_no_difference(
    operator: Operator, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, started = LedgerClient.logs, list[int]()
    town.chain.anchor(9)
    pass_time(town.chain, 30)

    def meanwhile(self: LedgerClient, *args: Any) -> Any:
        if not started:
            started.append(1)
            town.read_history()
        return logs(self, *args)

    monkeypatch.setattr(LedgerClient, "logs", meanwhile)
    assert differences(operator) == []
    assert started


def test_an_index_that_is_ahead_decides_nothing(operator: Operator, town: Town) -> None:
    change(town, "UPDATE ledger_copies SET block_number = block_number + 1000")
    code, _, error = operator.run("reconcile", "--institution", "borealis", "--home", town.folder)
    assert (code, "the service's node is ahead" in " ".join(error.split())) == (3, True)
