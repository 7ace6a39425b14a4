"""`credanchor audit` on a real chain: the whole history, and what is said when it is not whole."""

import csv
import io
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from anchor.errors import LedgerUnavailableError
from anchor.events import RawLog
from anchor.ledger.client import LedgerClient
from anchor.model import Address
from tests.cli.conftest import Desk
from tests.ledger.chain import DID, STATUS_KEY, Chain


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A desk whose issuer has revoked one credential, suspended two and reinstated one of them."""
    contract, issuer_id = desk.chain.contract, desk.chain.issuer_id
    for change, mask, reason in ((contract.revoke, 1, 1), (contract.suspend, 6, 7), (contract.reinstate, 4, 7)):
        call = change(issuer_id=issuer_id, status_list=0, words=[0], masks=[mask], reason=reason)
        desk.chain.execute(STATUS_KEY, call)
    return desk


def test_audit_tells_all_that_happened_and_that_it_is_complete(busy: Desk) -> None:
    code, out, _ = busy.run("audit")
    assert code == 0
    for words in ("issuer accredited", "key added", "batch anchored", "revoked", "issued-in-error", "index 1, 2"):
        assert words in out
    assert f"{DID}: 5 credentials anchored in 1 batch, 1 revoked, 1 suspended now" in out
    assert "✔ COMPLETE" in out
    assert f"(oneNode: {busy.chain.url})" in out


def test_json_names_every_credential_and_head(busy: Desk) -> None:
    code, content = busy.run_json("audit")
    assert (code, content["format"], content["complete"]) == (0, "credanchor/audit@v1", True)
    assert [event["event"] for event in content["events"]] == [
        "roleChanged",
        "roleChanged",
        "issuerAccredited",
        "keyAdded",
        "keyAdded",
        "batchAnchored",
        "credentialsRevoked",
        "credentialsSuspended",
        "credentialsReinstated",
    ]
    assert [event.get("indices") for event in content["events"][6:]] == [[0], [1, 2], [2]]
    assert content["events"][6]["reason"] == "issued-in-error"
    assert content["events"][-1]["head"] == content["issuers"][0]["head"]
    assert busy.run("audit", "--format", "json")[1] == busy.run("audit", "--json")[1]


def test_csv_has_a_row_for_each_credential(busy: Desk) -> None:
    code, out, _ = busy.run("audit", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    changes = [(row["event"], row["index"], row["reason"]) for row in rows if row["index"]]
    assert changes == [
        ("credentialsRevoked", "0", "issued-in-error"),
        ("credentialsSuspended", "1", "other"),
        ("credentialsSuspended", "2", "other"),
        ("credentialsReinstated", "2", "other"),
    ]


def test_did_that_a_spreadsheet_would_run_stays_text(desk: Desk) -> None:
    # Excel in French parts cells by semicolons.
    did = "did:web:x;=HYPERLINK(1)"
    desk.chain.execute(0, desk.chain.contract.accredit(did=did, controller=desk.chain.registry.address))
    _, out, _ = desk.run("audit", "--format", "csv")
    last = list(csv.DictReader(io.StringIO(out)))[-1]
    assert last["subject"] == "did:web:x;'=HYPERLINK(1)"
    assert ";=" not in last["what"]


def test_one_issuer_is_shown_and_a_stranger_refused(busy: Desk) -> None:
    call = busy.chain.contract.accredit(did="did:web:other.example", controller=busy.chain.registry.address)
    busy.chain.execute(0, call)
    _, content = busy.run_json("audit", "--issuer", "did:web:other.example")
    assert [event["event"] for event in content["events"]] == ["issuerAccredited"]
    code, _, err = busy.run("audit", "--issuer", "did:web:nobody.example")
    assert (code, "has never accredited" in err) == (2, True)


# Not those of OpenZeppelin that go with changes of roles: nothing is concluded from them.
@pytest.mark.parametrize("place", [-10, *range(-8, 0)])
def test_node_that_withholds_an_event_is_found_out(busy: Desk, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    honest = LedgerClient.logs

    def withhold(client: LedgerClient, contract: Address, first_block: int, last_block: int) -> Iterator[RawLog]:
        logs = list(honest(client, contract, first_block, last_block))
        del logs[place]
        return iter(logs)

    monkeypatch.setattr(LedgerClient, "logs", withhold)
    code, out, err = busy.run("audit")
    assert code == 1
    assert "COMPLETE" not in out
    assert "✘" in err


def test_node_that_does_not_answer_is_undetermined(busy: Desk) -> None:
    busy.write_policy(nodes=("http://127.0.0.1:1",))
    code, _, err = busy.run("audit")
    assert (code, "127.0.0.1:1" in err) == (3, True)


def test_block_too_old_for_the_policy_is_undetermined(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    busy.write_policy(max_age_seconds=60)
    later = busy.chain.client.latest_block().header.timestamp + 61
    monkeypatch.setattr("anchor.cli.auditing.time", SimpleNamespace(time=lambda: later))
    code, _, err = busy.run("audit")
    assert (code, "the policy accepts 60 s" in err) == (3, True)


def test_two_registries_are_not_one_audit(busy: Desk) -> None:
    busy.write_policy(registries=())
    code, _, err = busy.run("audit")
    assert (code, "trusts 0 registries" in err) == (2, True)


def test_reorganisation_while_events_are_read_is_undetermined(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = LedgerClient.logs

    def reorganise(client: LedgerClient, contract: Address, first_block: int, last_block: int) -> Iterator[RawLog]:
        logs = list(honest(client, contract, first_block, last_block))
        busy.chain.node.write("anvil_reorg", [3, []])
        return iter(logs[:-2] + logs[-1:])

    monkeypatch.setattr(LedgerClient, "logs", reorganise)
    code, _, err = busy.run("audit")
    assert (code, "reorganised" in err) == (3, True)


def test_node_that_speaks_of_endless_blocks_is_given_up(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchor.ledger.client.MAX_LOG_QUESTIONS", 3)
    with pytest.raises(LedgerUnavailableError, match="too many blocks"):
        list(chain.client.logs(chain.registry.address, 0, 2**63))
