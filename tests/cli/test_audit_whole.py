"""`credanchor audit` of a registry in which much happened: void batches, undone revocations, withdrawal, roles."""

import csv
import io
from typing import Any

import pytest

from tests.cli.conftest import Desk
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, FAR, REASON, STATUS_KEY, STRANGER, root_of
from tests.ledger.whole_contract import (
    ANCHOR,
    NEW_CONTROLLER,
    SECOND_ACCREDITOR,
    SECOND_ANCHOR_KEY,
    STAGED_KEY,
    STATUS,
    WholeContract,
    account_of,
)


@pytest.fixture
def contract(desk: Desk) -> WholeContract:
    """A registry whose issuer lost its keys: an anchoring key, and then a status key."""
    contract = WholeContract(desk.chain)
    send, issuer = contract.send, contract.issuer
    send(ADMIN, "grantRole", contract.view("ACCREDITOR_ROLE"), account_of(SECOND_ACCREDITOR))
    send(CONTROLLER, "transferController", issuer, account_of(STRANGER))
    send(CONTROLLER, "transferController", issuer, "0x" + "00" * 20)
    send(CONTROLLER, "transferController", issuer, account_of(NEW_CONTROLLER))
    send(NEW_CONTROLLER, "acceptController", issuer)
    contract.pass_time(1)
    send(ANCHOR_KEY, "anchor", issuer, root_of(7), 50)
    since = contract.now
    contract.send_root(ANCHOR_KEY, root_of(8))
    contract.revoke(STATUS_KEY, 0, 1, 2, 4)
    send(STATUS_KEY, "suspend", issuer, 1, [511], [1 << 255], REASON)
    send(STATUS_KEY, "revokeBatch", issuer, root_of(7), REASON)
    send(STATUS_KEY, "cancelNonces", account_of(STATUS_KEY), 9)
    contract.add_key(NEW_CONTROLLER, SECOND_ANCHOR_KEY, ANCHOR)
    send(NEW_CONTROLLER, "compromiseKey", account_of(ANCHOR_KEY), since)
    contract.add_key(NEW_CONTROLLER, STAGED_KEY, STATUS, epoch=1)
    contract.revoke(STAGED_KEY, 1)
    send(NEW_CONTROLLER, "compromiseKey", account_of(STATUS_KEY), contract.now)
    send(NEW_CONTROLLER, "retireKey", account_of(SECOND_ANCHOR_KEY))
    send(SECOND_ACCREDITOR, "withdraw", issuer, FAR, REASON)
    return contract


def test_audit_says_in_plain_words_what_happened(desk: Desk, contract: WholeContract) -> None:
    code, out, err = desk.run("audit")
    assert (code, err.strip()) == (0, "")
    void, bare = (f"0x{root_of(number).hex()}" for number in (7, 8))
    for words in (
        f"{account_of(SECOND_ACCREDITOR).lower()[:10]}… is accreditor",
        "control offered",
        "the offer is taken back",
        "control handed over",
        "key compromised",
        "its batches from then on are void",
        f"50 credentials, root {void[:10]}… (VOID: key compromised)",
        "size not stated",
        "batch revoked",
        "signatures cancelled",
        "with nonces below 9",
        "key retired",
        "accreditation withdrawn",
        "epoch 1 counts, 2 comes next; no longer so: 3 revoked, 1 suspended, 1 batches revoked",
        f"void, anchored with a compromised key: batch {void}",
        f"void, anchored with a compromised key: batch {bare}",
        "no longer revoked since status epoch 1 counts: list 0, index 0, 2, 4",
        "no longer suspended since status epoch 1 counts: list 1, index 131071",
        f"no longer revoked since status epoch 1 counts: batch {void}",
        f"{DID}: 5 credentials anchored in 1 batch, 1 revoked, 0 suspended now",
        "accreditors now: ",
        "✔ COMPLETE",
    ):
        assert words in out


def test_json_tells_every_state(desk: Desk, contract: WholeContract) -> None:
    code, content = desk.run_json("audit")
    assert code == 0
    assert [(each["role"], each["until"]) for each in content["roles"]] == [
        ("admin", None),
        ("accreditor", None),
        ("accreditor", None),
    ]
    (issuer,) = content["issuers"]
    assert issuer["controller"] == account_of(NEW_CONTROLLER).lower()
    assert (issuer["pendingController"], issuer["withdrawnAt"]) == (None, FAR)
    assert (issuer["statusEpoch"], issuer["nextStatusEpoch"]) == (1, 2)
    assert [each["void"] for each in issuer["anchored"]] == [False, True, True]
    assert [each["size"] for each in issuer["anchored"]] == [5, 50, 0]
    assert [each["revoked"] for each in issuer["anchored"]] == [None, None, None]
    keys = {each["key"]: each for each in issuer["keys"]}
    assert keys[account_of(ANCHOR_KEY).lower()]["compromisedAt"] > 0
    assert keys[account_of(SECOND_ANCHOR_KEY).lower()]["validUntil"] > 0
    assert keys[account_of(STAGED_KEY).lower()]["statusEpoch"] == 1
    (change,) = events(content, "statusEpochChanged")
    assert [each["index"] for each in change["unrevoked"]] == [0, 2, 4]
    assert change["unsuspended"] == [{"list": 1, "index": 131_071}]
    assert change["unrevokedBatches"] == [f"0x{root_of(7).hex()}"]
    assert [each["controller"] for each in events(content, "controllerTransferStarted")] == [
        account_of(STRANGER).lower(),
        None,
        account_of(NEW_CONTROLLER).lower(),
    ]
    assert all(each["issuer"] is None and "registryHead" in each for each in events(content, "roleChanged"))
    (withdrawal,) = events(content, "accreditationWithdrawn")
    assert (withdrawal["withdrawnAt"], withdrawal["reason"]) == (FAR, "issued-in-error")
    assert {"head", "registryHead"} <= withdrawal.keys()
    (cancelled,) = events(content, "noncesCancelled")
    assert cancelled["nonce"] == 9


def events(content: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in content["events"] if each["event"] == kind]


def test_csv_has_a_row_for_each_credential_that_is_no_longer_revoked(desk: Desk, contract: WholeContract) -> None:
    _, out, _ = desk.run("audit", "--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(out)) if row["event"] == "statusEpochChanged"]
    assert [(row["list"], row["index"], row["what"]) for row in rows[1:4]] == [
        ("0", index, "no longer revoked") for index in ("0", "2", "4")
    ]
    assert (rows[4]["index"], rows[4]["what"]) == ("131071", "no longer suspended")
    assert (rows[5]["subject"], rows[5]["what"]) == (f"0x{root_of(7).hex()}", "no longer revoked")


def test_roles_are_left_out_when_one_issuer_is_asked_for(desk: Desk, contract: WholeContract) -> None:
    _, content = desk.run_json("audit", "--issuer", DID)
    assert events(content, "roleChanged") == []
    assert len(events(content, "keyCompromised")) == 2
