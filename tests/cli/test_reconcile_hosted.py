"""`credanchor reconcile --institution CODE`: two institutions in one database, each held against a real chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from anchor.events import KeyAdded
from anchor.ledger.contract import require_event
from anchor.ledger.testnet import dev_signer
from anchor.model import KeyScope, to_hex
from registry.services import operation
from registry.store.records import StatusKind
from tests.api.conftest import any_town
from tests.api.town import Resident, Town
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER, STATUS_KEY, STRANGER, root_of
from tests.ledger.conftest import chain, session_chain
from tests.ledger.whole_contract import SECOND_ANCHOR_KEY
from tests.support.program import Program
from tests.support.registry import NOW

__all__ = ["any_town", "chain", "session_chain"]


@dataclass(kw_only=True)
class Operator(Program):
    """Who runs the service, at his keyboard."""

    town: Town

    def reconcile(self, who: Resident) -> list[dict[str, Any]]:
        """Name an institution's differences; none of them may be the neighbour's."""
        code, out, error = self.run("reconcile", "--institution", who.code, "--home", self.town.folder, "--json")
        content = json.loads(out)
        found: list[dict[str, Any]] = content["differences"]
        assert (code, error) == (1 if found else 0, "")
        (neighbour,) = {id(each): each for each in (self.town.here, self.town.there) if each is not who}.values()
        shown = self.run("reconcile", "--institution", who.code, "--home", self.town.folder)[1]
        for secret in neighbour.secrets():
            assert secret not in out + shown
        return found


@pytest.fixture
def operator(any_town: Town, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(capsys=capsys, town=any_town)


def key_of(account: int) -> str:
    return to_hex(dev_signer(account).address)


def settle_there(town: Town) -> None:
    """Give the second institution a status key of its own, on the ledger and in its details."""
    consent = town.chain.consent(SECOND_ANCHOR_KEY, KeyScope.STATUS, issuer_id=town.there.issuer_id)
    signer = dev_signer(SECOND_ANCHOR_KEY)
    call = town.chain.contract.add_key(consent, signer.sign_key_consent(town.chain.registry, consent))
    require_event(town.chain.execute(CONTROLLER, call), town.chain.registry, KeyAdded)
    changes = {"status_key": f"http://127.0.0.1:9/#{key_of(SECOND_ANCHOR_KEY)}"}
    operation.change(town.service.store, town.there.code, changes, now=NOW)


def change(town: Town, statement: str, **values: object) -> None:
    with town.service.store.operator_writing() as connection:
        assert connection.execute(text(statement), values).rowcount


def revoke_first(who: Resident) -> tuple[int, int]:
    """Revoke an institution's first credential, as its office does; give its status position."""
    first = who.credentials()[0]
    who.office.change(who.office.targets.of_uuid(first.uuid), StatusKind.REVOKE)
    return first.position


def thief_revokes(town: Town, who: Resident, account: int, position: tuple[int, int]) -> str:
    status_list, index = position
    call = town.chain.contract.revoke(
        issuer_id=who.issuer_id, status_list=status_list, words=[index // 256], masks=[1 << index % 256], reason=7
    )
    return to_hex(town.chain.execute(account, call).transaction_hash)


def take_positions(town: Town) -> None:
    """Have both institutions' batches begin at one position."""
    change(
        town,
        "UPDATE batches SET first_position = :first WHERE id = :id",
        first=town.here.anchored.first_position,
        id=town.there.anchored.id,
    )


def of(differences: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in differences if each["kind"] == kind]


def test_each_institution_is_told_its_own_differences_alone(operator: Operator, any_town: Town) -> None:
    town = any_town
    # A status key of the neighbour's is none of one's own; what was sealed long ago was never anchored.
    assert [each["kind"] for each in operator.reconcile(town.here)] == ["neverAnchored"]
    there = operator.reconcile(town.there)
    assert [each["kind"] for each in there] == ["noSuchKey", "neverAnchored"]
    assert there[1]["root"] == to_hex(town.there.sealed.root)
    # Anchored by a thief with each one's key, under one root.
    for who, account in ((town.here, ANCHOR_KEY), (town.there, STRANGER)):
        call = town.chain.contract.anchor(issuer_id=who.issuer_id, root=root_of(9), size=account)
        sent = to_hex(town.chain.execute(account, call).transaction_hash)
        (found,) = of(operator.reconcile(who), "foreignBatch")
        assert (found["root"], found["key"], found["transaction"]) == (to_hex(root_of(9)), key_of(account), sent)


def test_a_position_is_each_institutions_own(operator: Operator, any_town: Town) -> None:
    town = any_town
    settle_there(town)
    take_positions(town)
    place = revoke_first(town.here)
    second = (place[0], place[1] + 1)
    assert [each["kind"] for each in operator.reconcile(town.here)] == ["neverAnchored"]
    # The neighbour has the same list and index, and asked for nothing.
    sent = thief_revokes(town, town.there, SECOND_ANCHOR_KEY, place)
    (found,) = of(operator.reconcile(town.there), "revokedElsewhere")
    assert ((found["list"], found["index"]), found["transaction"]) == (place, sent)
    assert [each["kind"] for each in operator.reconcile(town.here)] == ["neverAnchored"]
    thief_revokes(town, town.here, STATUS_KEY, second)
    (found,) = of(operator.reconcile(town.here), "revokedElsewhere")
    assert ((found["list"], found["index"]), found["key"]) == (second, key_of(STATUS_KEY))
    assert len(of(operator.reconcile(town.there), "revokedElsewhere")) == 1


def test_a_neighbours_transactions_excuse_nobody(operator: Operator, any_town: Town) -> None:
    town = any_town
    town.here.office.change((town.here.office.targets.of_batch(town.here.anchored.id),), StatusKind.REVOKE)
    change(town, "DELETE FROM batch_revocations")
    # The transaction is the institution's own: it knows of it, whatever it was for.
    assert of(operator.reconcile(town.here), "batchRevokedElsewhere") == []
    change(
        town,
        "UPDATE transactions SET institution_ref = :there WHERE institution_ref = :here",
        here=town.here.id,
        there=town.there.id,
    )
    (found,) = of(operator.reconcile(town.here), "batchRevokedElsewhere")
    assert found["root"] == to_hex(town.here.anchored.root)


def test_a_chain_that_lost_what_was_done_is_found_by_each(operator: Operator, any_town: Town) -> None:
    town = any_town
    before = town.chain.node.write("evm_snapshot", [])
    place = revoke_first(town.here)
    assert town.chain.node.write("evm_revert", [before])
    (found,) = of(operator.reconcile(town.here), "revocationMissing")
    assert (found["list"], found["index"]) == place
    assert of(operator.reconcile(town.there), "revocationMissing") == []


def test_rows_that_are_gone_are_found(operator: Operator, any_town: Town) -> None:
    town = any_town
    revoke_first(town.here)
    change(town, "DELETE FROM status_changes")
    assert len(of(operator.reconcile(town.here), "revokedElsewhere")) == 1
    change(town, "UPDATE batches SET state = 'sealed', transaction_id = NULL WHERE id = :id", id=town.here.anchored.id)
    assert [each["root"] for each in of(operator.reconcile(town.here), "notNoted")] == [to_hex(town.here.anchored.root)]
    assert of(operator.reconcile(town.there), "notNoted") == []


def test_what_is_on_its_way_is_no_difference(operator: Operator, any_town: Town) -> None:
    town = any_town
    revoke_first(town.here)
    change(town, "UPDATE transactions SET state = 'sent' WHERE institution_ref = :here", here=town.here.id)
    assert of(operator.reconcile(town.here), "revokedElsewhere") == []
    change(town, "UPDATE batches SET state = 'sent' WHERE id = :id", id=town.here.sealed.id)
    assert operator.reconcile(town.here) == []


def test_an_institution_that_is_not_there_or_not_set_up(operator: Operator, any_town: Town) -> None:
    code, _, error = operator.run("reconcile", "--institution", "nobody", "--home", any_town.folder)
    assert (code, "there is no institution nobody" in error) == (1, True)
    change(any_town, "UPDATE institutions SET issuer_id = NULL WHERE code = 'elsewhere'")
    code, _, error = operator.run("reconcile", "--institution", "elsewhere", "--home", any_town.folder)
    assert (code, "has no issuer_id" in error) == (2, True)
