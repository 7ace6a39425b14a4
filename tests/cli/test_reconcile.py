"""`credanchor reconcile`: the database and the service held against a real chain, each difference made for real."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.client import LedgerClient
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from registry.services.differences import MEANINGS, DifferenceKind
from registry.settings import complete_settings
from tests.cli.test_incident import chain, college, issue, office, registrar, session_chain, vault
from tests.cli.test_issuer import pass_time
from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, STRANGER, Chain, root_of
from tests.ledger.whole_contract import WholeContract, account_of
from tests.support.homes import Home

__all__ = ["chain", "college", "office", "registrar", "session_chain", "vault"]

Differences = list[dict[str, Any]]


@pytest.fixture
def files(office: Home, chain: Chain, tmp_path: Path) -> list[Path]:
    return list(issue(office, chain, tmp_path / "issued").values())


def reconcile(office: Home, *options: object, exits: int = 1) -> Differences:
    code, content = office.run_json("reconcile", *options)
    assert code == exits, content
    assert content["format"] == "credanchor/reconciliation@v1"
    found: Differences = content["differences"]
    return found


def kinds(differences: Differences) -> list[str]:
    return [each["kind"] for each in differences]


def position_of(file: Path) -> tuple[int, int]:
    entry = json.loads(file.read_bytes())["credentialStatus"][0]
    return int(entry["statusListCredential"].split("/")[-2]), int(entry["statusListIndex"])


def root_of_file(office: Home) -> bytes:
    with closing(sqlite3.connect(office.home / "registry.db")) as connection:
        ((root,),) = connection.execute("SELECT root FROM batches").fetchall()
    return bytes(root)


def change(office: Home, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(office.home / "registry.db")) as connection:
        connection.execute(statement, values)
        connection.commit()


def thief_changes(chain: Chain, name: str, file: Path) -> str:
    """Change a status with the stolen key; give the transaction."""
    status_list, index = position_of(file)
    call = getattr(chain.contract, name)(
        issuer_id=chain.issuer_id, status_list=status_list, words=[index // 256], masks=[1 << index % 256], reason=7
    )
    return to_hex(chain.execute(STATUS_KEY, call).transaction_hash)


def test_what_is_as_it_should_be_is_no_difference(office: Home, files: list[Path]) -> None:
    for command, file in (("revoke", files[0]), ("suspend", files[1]), ("suspend", files[2]), ("reinstate", files[2])):
        assert office.run(command, file, "--reason", "other", "--yes")[0] == 0
    assert reconcile(office, exits=0) == []
    code, out, _ = office.run("reconcile")
    assert (code, "✔ NO DIFFERENCE  1 batches" in out, "proven complete" in out) == (0, True, True)
    assert "not compared: who controls the issuer: settle it" in out


def test_a_batch_revoked_as_a_whole_is_no_difference(office: Home, files: list[Path]) -> None:
    assert office.run("revoke", "--batch", 1, "--reason", "other", "--yes")[0] == 0
    assert reconcile(office, exits=0) == []
    change(office, "DELETE FROM batch_revocations")
    # The transaction is known; that it revoked a batch is not, which says nothing about a thief.
    assert reconcile(office, exits=0) == []


def test_a_thiefs_batch_is_found(office: Home, files: list[Path], chain: Chain) -> None:
    sent = chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root_of(9), size=3))
    (found,) = reconcile(office)
    assert (found["kind"], found["root"]) == ("foreignBatch", to_hex(root_of(9)))
    assert found["key"] == to_hex(dev_signer(ANCHOR_KEY).address)
    assert found["transaction"] == to_hex(sent.transaction_hash)
    code, out, _ = office.run("reconcile")
    assert code == 1
    assert "✘ 1 × anchored in the institution's name, and not from this database" in out
    assert "credanchor incident anchor-key" in out


def test_a_thiefs_changes_of_status_are_found(office: Home, files: list[Path], chain: Chain) -> None:
    assert office.run("suspend", files[2], "--yes")[0] == 0
    sent = [
        thief_changes(chain, name, file)
        for name, file in (("revoke", files[0]), ("suspend", files[1]), ("reinstate", files[2]))
    ]
    found = {each["kind"]: each for each in reconcile(office)}
    assert found.keys() == {"revokedElsewhere", "suspendedElsewhere", "reinstatedElsewhere"}
    for kind, file, transaction in zip(
        ("revokedElsewhere", "suspendedElsewhere", "reinstatedElsewhere"), files, sent, strict=False
    ):
        each = found[kind]
        assert (each["list"], each["index"]) == position_of(file)
        assert (each["transaction"], each["key"]) == (transaction, to_hex(dev_signer(STATUS_KEY).address))


def test_a_thief_who_revokes_a_whole_batch_is_found(office: Home, files: list[Path], chain: Chain) -> None:
    root = root_of_file(office)
    call = chain.contract.revoke_batch(issuer_id=chain.issuer_id, root=root, reason=7)  # type: ignore[arg-type]
    chain.execute(STATUS_KEY, call)
    assert [(each["kind"], each["root"]) for each in reconcile(office)] == [("batchRevokedElsewhere", to_hex(root))]


def test_a_position_that_is_nobodys_is_found(office: Home, files: list[Path], chain: Chain) -> None:
    call = chain.contract.revoke(issuer_id=chain.issuer_id, status_list=77, words=[3], masks=[4], reason=7)
    chain.execute(STATUS_KEY, call)
    (found,) = reconcile(office)
    assert (found["kind"], found["list"], found["index"]) == ("unknownPosition", 77, 3 * 256 + 2)


def test_of_very_many_the_terminal_names_some_and_files_have_all(
    office: Home, files: list[Path], chain: Chain, tmp_path: Path
) -> None:
    call = chain.contract.revoke(
        issuer_id=chain.issuer_id, status_list=77, words=[0, 3], masks=[1, (1 << 30) - 1], reason=7
    )
    chain.execute(STATUS_KEY, call)
    table, indices = tmp_path / "all.csv", [0, *range(768, 798)]
    assert [each["index"] for each in reconcile(office, "--out", table)] == indices
    with table.open(encoding="utf-8", newline="") as file:
        assert [int(row["index"]) for row in csv.DictReader(file)] == indices
    code, out, _ = office.run("reconcile")
    assert (code, out.count("list 77, index "), "and 11 more: --out and --json have all" in out) == (1, 20, True)
    assert "✘ 31 × its status was changed on the ledger, and no batch here has this position" in out


def test_rows_that_are_gone_are_found(office: Home, files: list[Path]) -> None:
    assert office.run("revoke", files[0], "--yes", "--reason", "other")[0] == 0
    change(office, "DELETE FROM status_changes")
    assert kinds(reconcile(office)) == ["revokedElsewhere"]
    for statement in ("DELETE FROM credentials", "DELETE FROM templates", "DELETE FROM tree_chunks"):
        change(office, statement)
    change(office, "DELETE FROM batches")
    assert kinds(reconcile(office)) == ["foreignBatch", "unknownPosition"]


def test_a_chain_that_lost_what_was_done_is_found(office: Home, chain: Chain, tmp_path: Path) -> None:
    before = chain.node.write("evm_snapshot", [])
    files = list(issue(office, chain, tmp_path / "issued").values())
    middle = chain.node.write("evm_snapshot", [])
    assert office.run("revoke", files[0], "--yes", "--reason", "other")[0] == 0
    assert office.run("suspend", files[1], "--yes")[0] == 0
    assert chain.node.write("evm_revert", [middle])
    assert sorted(kinds(reconcile(office))) == ["reinstatedElsewhere", "revocationMissing"]
    assert chain.node.write("evm_revert", [before])
    assert sorted(kinds(reconcile(office))) == ["notOnLedger", "reinstatedElsewhere", "revocationMissing"]


def test_a_batch_that_was_never_anchored_is_found_and_one_on_its_way_is_not(
    office: Home, files: list[Path], chain: Chain
) -> None:
    change(office, "UPDATE batches SET state = 'sealed', transaction_id = NULL, anchored_at = NULL")
    assert kinds(reconcile(office)) == ["notNoted"]
    before = root_of_file(office)
    change(office, "UPDATE batches SET root = ?", bytes(32))
    # Sealed a moment ago, it may be about to be sent.
    assert kinds(reconcile(office)) == ["foreignBatch"]
    change(office, "UPDATE batches SET sealed_at = sealed_at - 3700")
    assert kinds(reconcile(office)) == ["neverAnchored", "foreignBatch"]
    change(office, "UPDATE batches SET state = 'sent'")
    assert kinds(reconcile(office)) == ["foreignBatch"]
    change(office, "UPDATE batches SET root = ?", before)
    assert kinds(reconcile(office)) == ["notNoted"]


def test_a_change_that_is_on_its_way_is_no_difference(office: Home, files: list[Path]) -> None:
    assert office.run("revoke", files[0], "--yes", "--reason", "other")[0] == 0
    change(office, "UPDATE transactions SET state = 'sent' WHERE id IN (SELECT transaction_id FROM status_changes)")
    assert reconcile(office, exits=0) == []


def test_another_size_is_found(office: Home, files: list[Path]) -> None:
    change(office, "UPDATE batches SET size = size - 1")
    (found,) = reconcile(office)
    assert (found["kind"], found["detail"]) == ("otherSize", "4 on the ledger, 3 here")


def test_a_root_that_was_anchored_alone_by_a_thief_is_found(office: Home, files: list[Path], chain: Chain) -> None:
    contract = WholeContract(chain)
    change(office, "UPDATE batches SET root = ?", root_of(77))
    contract.send_root(ANCHOR_KEY, root_of(77))
    found = {each["kind"]: each for each in reconcile(office)}
    assert found.keys() == {"otherSize", "foreignBatch"}
    assert found["otherSize"]["detail"] == "not stated on the ledger, 4 here"


def test_a_theft_that_was_dealt_with_is_told_and_raises_no_alarm(office: Home, files: list[Path], chain: Chain) -> None:
    pass_time(chain, 3)
    since = chain.client.latest_block().header.timestamp
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root_of(9), size=3))
    key = dev_signer(ANCHOR_KEY).address
    chain.execute(CONTROLLER, chain.contract.compromise_key(key=key, since=since))
    assert kinds(reconcile(office)) == ["keyEnded", "foreignVoid"]
    office.take("anchor-2", STRANGER)
    WholeContract(chain).add_key(CONTROLLER, STRANGER, 1)
    complete_settings(office.home, {"anchor_key": "keys/anchor-2.json"})
    assert kinds(reconcile(office, exits=0)) == ["foreignVoid"]


def test_what_is_done_while_the_ledger_is_read_is_no_difference(
    office: Home, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = LedgerClient.logs
    started: list[int] = []

    def meanwhile(self: LedgerClient, *args: Any) -> Any:
        if not started:
            started.append(1)
            with monkeypatch.context() as patch:
                patch.setattr(LedgerClient, "logs", logs)
                assert office.run("suspend", files[0], "--yes")[0] == 0
        return logs(self, *args)

    monkeypatch.setattr(LedgerClient, "logs", meanwhile)
    assert reconcile(office, exits=0) == []
    assert started


def test_void_batches_ended_keys_and_withdrawal_are_found(office: Home, files: list[Path], chain: Chain) -> None:
    now = chain.client.latest_block().header.timestamp
    key = dev_signer(ANCHOR_KEY).address
    since = WholeContract(chain).view("keyOf", account_of(ANCHOR_KEY))[1]
    chain.execute(CONTROLLER, chain.contract.compromise_key(key=key, since=since))
    chain.execute(ADMIN, chain.contract.withdraw(issuer_id=chain.issuer_id, at=now + 5, reason=7))
    assert kinds(reconcile(office)) == ["keyEnded", "void"]
    pass_time(chain, 6)
    assert kinds(reconcile(office)) == ["withdrawn", "keyEnded", "void"]


def test_a_void_batch_that_is_revoked_too_needs_nothing(office: Home, files: list[Path], chain: Chain) -> None:
    assert office.run("revoke", "--batch", 1, "--reason", "other", "--yes")[0] == 0
    since = WholeContract(chain).view("keyOf", account_of(ANCHOR_KEY))[1]
    key = dev_signer(ANCHOR_KEY).address
    chain.execute(CONTROLLER, chain.contract.compromise_key(key=key, since=since))
    assert kinds(reconcile(office)) == ["keyEnded"]


def test_settings_that_differ_are_found(office: Home, files: list[Path]) -> None:
    office.take("stranger", STRANGER)
    settings = office.settings_text()
    path = office.home / "settings.toml"
    complete_settings(office.home, {"anchor_key": "keys/stranger.json"})
    assert kinds(reconcile(office)) == ["noSuchKey"]
    path.write_text(settings.replace("keys/anchor.json", "keys/x.json").replace("keys/status.json", "keys/anchor.json"))
    path.write_text(path.read_text().replace("keys/x.json", "keys/status.json"))
    assert kinds(reconcile(office)) == ["wrongKey", "wrongKey"]
    path.write_text(settings.replace(DID, "did:web:other.example"))
    assert kinds(reconcile(office)) == ["otherDid"]


def test_who_changed_a_status_is_named_whatever_was_changed_since(
    office: Home, files: list[Path], chain: Chain
) -> None:
    """A suspension of one's own after a thief's revocation is no revocation."""
    theft = thief_changes(chain, "revoke", files[0])
    change(office, "DELETE FROM status_changes")
    status_list, index = position_of(files[0])
    call = chain.contract.suspend(
        issuer_id=1, status_list=status_list, words=[index // 256], masks=[1 << index % 256], reason=7
    )
    later = to_hex(chain.execute(STATUS_KEY, call).transaction_hash)
    found = {each["kind"]: each["transaction"] for each in reconcile(office)}
    assert found == {"revokedElsewhere": theft, "suspendedElsewhere": later}


def test_another_controller_and_an_offer_of_control_are_found(office: Home, files: list[Path], chain: Chain) -> None:
    account, whole = dev_signer(CONTROLLER).address, WholeContract(chain)
    settled, other = to_hex(account), account_of(STRANGER).lower()
    # What was not settled cannot differ; what was, and is so, does not.
    assert reconcile(office, exits=0) == []
    assert reconcile(office, "--controller", settled, exits=0) == []
    complete_settings(office.home, {"controller": settled})
    assert reconcile(office, exits=0) == []
    left = office.run_json("reconcile")[1]["notCompared"]
    assert [each.partition(":")[0] for each in left] == ["what the service shows"]
    (found,) = reconcile(office, "--controller", other)
    assert (found["kind"], found["key"], found["transaction"]) == ("otherController", settled, None)
    assert found["detail"] == "since the accreditation"

    offer = to_hex(whole.send(CONTROLLER, "transferController", 1, account_of(STRANGER)).transaction_hash)
    (found,) = reconcile(office)
    assert (found["kind"], found["key"], found["transaction"]) == ("controlOffered", other, offer)
    # Handed over as was settled: on its way is no difference, nor is it afterwards.
    assert reconcile(office, "--controller", other, exits=0) == []
    taken = to_hex(whole.send(STRANGER, "acceptController", 1).transaction_hash)
    assert reconcile(office, "--controller", other, exits=0) == []
    (found,) = reconcile(office)
    assert (found["kind"], found["key"], found["transaction"]) == ("otherController", other, taken)
    code, _, error = office.run("reconcile", "--controller", "0x12")
    assert (code, "an address has 0x and 40 hex digits" in error) == (2, True)


def test_all_are_written_to_a_file_without_names(office: Home, files: list[Path], chain: Chain, tmp_path: Path) -> None:
    for file in files:
        thief_changes(chain, "revoke", file)
    out = tmp_path / "differences.csv"
    assert len(reconcile(office, "--out", out)) == 4
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [row["kind"] for row in rows] == ["revokedElsewhere"] * 4
    for name in ("Zoé", "zoé@example.org", "Ana", "Léa"):
        assert name not in out.read_text("utf-8")


def test_a_node_that_keeps_something_back_decides_nothing(
    office: Home, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = LedgerClient.logs
    monkeypatch.setattr(LedgerClient, "logs", lambda *args: iter(list(logs(*args))[:-1]))
    code, _, error = office.run("reconcile")
    assert code == 3
    assert "gave no whole history" in error
    assert "does not end where the registry's does" in error


def test_every_kind_has_a_meaning_and_an_advice() -> None:
    assert MEANINGS.keys() == set(DifferenceKind)
