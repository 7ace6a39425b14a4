"""`credanchor audit --statement` and `credanchor statement` on a real chain: what auditors sign, how lies come out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchor.audit_statement import check_statement
from anchor.cli.auditing import header_at
from anchor.data_integrity import sign_document
from anchor.did_key import Ed25519Key
from anchor.errors import LedgerUnavailableError, SignatureError, SignedFormatError
from anchor.ledger.client import LedgerClient
from anchor.model import BlockHeader, Policy, RegistryId
from tests.cli.conftest import Desk
from tests.cli.test_receipt import keys, passphrase
from tests.ledger.chain import STATUS_KEY

__all__ = ["keys", "passphrase"]

HOLDS = "✔ HOLDS  it is what a complete audit at its block had to say"


def revoke(desk: Desk, index: int) -> None:
    call = desk.chain.contract.revoke(
        issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
    )
    # On a later second than the block before, as on Ethereum.
    desk.chain.node.write("evm_increaseTime", [1])
    desk.chain.execute(STATUS_KEY, call)


def state(desk: Desk, keys: tuple[Path, str, str], name: str = "statement.json", *more: object) -> Path:
    path = desk.folder / name
    code, _, error = desk.run("audit", "--statement", path, "--sign-with", keys[0], *more)
    assert (code, f"signed by {keys[1]}; written to {path}" in error) == (0, True)
    return path


def changed(desk: Desk, statement: Path, change: Any) -> Path:
    content = json.loads(statement.read_text("utf-8"))
    change(content)
    return desk.write("changed.json", content)


def test_what_was_found_is_signed_and_shown_without_asking_anybody(desk: Desk, keys: tuple[Path, str, str]) -> None:
    statement = state(desk, keys, "a.json", "--organisation", "Auditor General")
    desk.write_policy(nodes=("http://127.0.0.1:9",))
    code, out, _ = desk.run("statement", "show", statement, "--signer", keys[1])
    assert code == 0
    assert out.startswith("✔ the signature holds")
    for words in (keys[1], "Auditor General", desk.chain.registry.to_text(), "the registry", "issuer 1"):
        assert words in out
    assert "--signer" not in out
    assert "--signer" in desk.run("statement", "show", statement)[1]


def test_two_auditors_of_one_state_agree(desk: Desk, keys: tuple[Path, str, str]) -> None:
    one, other = state(desk, keys, "one.json"), state(desk, keys, "other.json")
    code, out, _ = desk.run("statement", "compare", one, other)
    assert (code, "✔ THE SAME" in out) == (0, True)


def test_a_statement_holds_when_the_history_has_gone_on(desk: Desk, keys: tuple[Path, str, str]) -> None:
    one = state(desk, keys, "one.json")
    revoke(desk, 0)
    code, out, _ = desk.run("statement", "check", one, "--signer", keys[1])
    assert (code, HOLDS in out) == (0, True)
    code, content = desk.run_json("statement", "check", one)
    assert (code, content["format"], content["contradictions"]) == (0, "credanchor/statement-check@v1", [])
    assert content["against"]["blockNumber"] > content["basis"]["blockNumber"]
    code, out, _ = desk.run("statement", "compare", one, state(desk, keys, "two.json"))
    assert (code, "? OPEN  between them went on: issuer 1" in out) == (3, True)


def test_it_holds_against_an_archive_too(desk: Desk, keys: tuple[Path, str, str]) -> None:
    statement = state(desk, keys, "statement.json", "--keep", desk.folder / "kept")
    revoke(desk, 0)
    code, out, _ = desk.run("statement", "check", statement, "--from", desk.folder / "kept" / "events.jsonl")
    assert (code, HOLDS in out) == (0, True)


def test_an_audit_that_went_on_states_the_whole(desk: Desk, keys: tuple[Path, str, str]) -> None:
    keep = desk.folder / "kept"
    state(desk, keys, "first.json", "--keep", keep)
    revoke(desk, 0)
    second = state(desk, keys, "second.json", "--keep", keep)
    anew = state(desk, keys, "anew.json")
    heads = [json.loads(path.read_text("utf-8"))["issuers"] for path in (second, anew)]
    assert heads[0] == heads[1]


def test_an_auditor_on_a_fork_is_contradicted(desk: Desk, keys: tuple[Path, str, str]) -> None:
    before = desk.chain.node.write("evm_snapshot", [])
    revoke(desk, 0)
    forked = state(desk, keys, "forked.json")
    assert desk.chain.node.write("evm_revert", [before])
    revoke(desk, 1)
    revoke(desk, 2)
    code, out, _ = desk.run("statement", "check", forked)
    assert code == 1
    assert "✘ CONTRADICTED  the block: there are two blocks of this number" in out
    assert "✘ CONTRADICTED  issuer 1: " in out
    code, content = desk.run_json("statement", "check", forked)
    assert content["contradictions"][0] == {
        "issuer": None,
        "trouble": "otherBlock",
        "message": "there are two blocks of this number: the chains are not the same",
    }
    assert content["contradictions"][1]["issuer"] == 1


def test_every_byte_of_a_statement_counts(desk: Desk, keys: tuple[Path, str, str]) -> None:
    data = state(desk, keys).read_bytes()
    for at in range(0, len(data), 7):
        spoiled = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            statement = check_statement(spoiled)
        except (SignedFormatError, SignatureError):
            continue
        # White space between members says nothing.
        assert (statement, data[at : at + 1].isspace()) == (check_statement(data), True)


def test_whoever_changed_it_is_found_out(desk: Desk, keys: tuple[Path, str, str]) -> None:
    altered = changed(desk, state(desk, keys), lambda content: content["registryWide"].update(events=9))
    code, _, error = desk.run("statement", "show", altered)
    assert (code, "signature" in error) == (1, True)


def test_another_signer_is_refused(desk: Desk, keys: tuple[Path, str, str]) -> None:
    statement = state(desk, keys)
    for command in ("show", "check"):
        code, _, error = desk.run("statement", command, statement, "--signer", keys[2])
        assert (code, f"not by {keys[2]}" in error) == (1, True)


def test_a_node_that_is_behind_decides_nothing(
    desk: Desk, keys: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.chain.node.write("evm_snapshot", [])
    revoke(desk, 0)
    statement = state(desk, keys)
    desk.chain.node.write("evm_revert", [before])
    code, _, error = desk.run("statement", "check", statement)
    assert (code, "before that of the statement" in error) == (3, True)


def test_a_node_without_the_block_decides_nothing(
    desk: Desk, keys: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = state(desk, keys)
    number = json.loads(statement.read_text("utf-8"))["block"]["number"]
    revoke(desk, 0)
    blocks = LedgerClient.blocks
    monkeypatch.setattr(
        LedgerClient, "blocks", lambda self, *asked: [None] if asked[1] == [number] else blocks(self, *asked)
    )
    code, _, error = desk.run("statement", "check", statement)
    assert (code, f"has no block {number}" in error) == (3, True)


def test_a_registry_that_is_not_trusted_is_not_asked(desk: Desk, keys: tuple[Path, str, str]) -> None:
    statement = state(desk, keys)
    other = "eip155:1:0x" + "ab" * 20
    code, _, error = desk.run("statement", "check", statement, "--trust", other, "--rpc", desk.chain.url)
    assert (code, "does not trust the statement's registry" in error) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("audit", "--statement", "a.json"), "--statement and --sign-with belong together"),
        (("statement", "show", "nowhere.json"), "cannot be read"),
        (("statement", "compare", "policy.json", "policy.json"), "the file's format must be"),
    ],
)
def test_what_cannot_be_done_is_refused(
    desk: Desk, arguments: tuple[str, ...], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    code, _, error = desk.run(*arguments)
    assert (code, why in error) == (2, True)


def test_a_statement_is_never_written_over_another(desk: Desk, keys: tuple[Path, str, str]) -> None:
    statement = state(desk, keys)
    before = statement.read_bytes()
    code, _, error = desk.run("audit", "--statement", statement, "--sign-with", keys[0])
    assert (code, "already" in error) == (2, True)
    assert statement.read_bytes() == before


def test_nothing_is_stated_of_a_history_that_is_not_whole(
    desk: Desk, keys: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = LedgerClient.logs
    monkeypatch.setattr(LedgerClient, "logs", lambda *args: iter(list(logs(*args))[:-1]))
    path = desk.folder / "statement.json"
    assert desk.run("audit", "--statement", path, "--sign-with", keys[0])[0] == 1
    assert not path.exists()


def signed_anew(desk: Desk, statement: Path, change: Any, name: str) -> Path:
    """A statement by an auditor who lies: changed before it was signed."""
    content = json.loads(statement.read_text("utf-8"))
    signed_at = content["auditedAt"]
    del content["proof"]
    change(content)
    return desk.write(name, sign_document(content, Ed25519Key(bytes(32)), signed_at))


def test_two_statements_are_held_against_the_ledger_where_it_went_on(desk: Desk, keys: tuple[Path, str, str]) -> None:
    one = state(desk, keys, "one.json", "--keep", desk.folder / "kept")
    revoke(desk, 0)
    two = state(desk, keys, "two.json")
    revoke(desk, 1)
    more = ("--audit", "--from", desk.folder / "kept" / "events.jsonl")
    code, out, _ = desk.run("statement", "compare", two, one, *more)
    assert (code, out.count(HOLDS), "OPEN" in out) == (0, 2, False)
    code, content = desk.run_json("statement", "compare", one, two, *more)
    assert (code, content["wentOn"]) == (0, [1])
    assert content["held"] == [{"contradictions": [], "open": []}] * 2


def test_the_ledger_tells_which_of_two_auditors_was_lied_to(desk: Desk, keys: tuple[Path, str, str]) -> None:
    honest = state(desk, keys)

    def another_head(content: Any) -> None:
        content["issuers"][0]["head"] = "0x" + "11" * 32

    other = signed_anew(desk, honest, another_head, "other.json")
    assert desk.run("statement", "compare", honest, other)[0] == 1
    code, out, _ = desk.run("statement", "compare", honest, other, "--audit")
    first, second = out.split("the first against the ledger:")[1].split("the second against the ledger:")
    assert (code, HOLDS in first, HOLDS in second) == (1, True, False)
    assert "✘ CONTRADICTED  issuer 1: after as many events, the head is another" in second


def test_whoever_leaves_out_what_happened_cannot_do_so_by_an_earlier_time(
    desk: Desk, keys: tuple[Path, str, str]
) -> None:
    before = json.loads(state(desk, keys, "before.json").read_text("utf-8"))
    revoke(desk, 0)
    after = state(desk, keys, "after.json")

    def without_the_revocation(content: Any) -> None:
        content["issuers"] = before["issuers"]
        content["block"]["at"] = before["block"]["at"]

    lie = signed_anew(desk, after, without_the_revocation, "lie.json")
    for later in (1, 2):
        code, content = desk.run_json("statement", "check", lie)
        assert (code, [each["trouble"] for each in content["contradictions"]]) == (1, ["otherTime"])
        revoke(desk, later)


def test_other_code_than_that_of_the_contract_is_found(desk: Desk, keys: tuple[Path, str, str]) -> None:
    lie = signed_anew(desk, state(desk, keys), lambda each: each.update(codeHash="0x" + "11" * 32), "lie.json")
    code, out, _ = desk.run("statement", "check", lie)
    assert (code, "✘ CONTRADICTED  the contract: " in out) == (1, True)


def test_what_is_refuted_is_said_though_the_block_is_not_known(
    desk: Desk, keys: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def invented(content: Any) -> None:
        content["issuers"][0]["events"] += 100

    statement = state(desk, keys)
    lie = signed_anew(desk, statement, invented, "lie.json")
    number = json.loads(statement.read_text("utf-8"))["block"]["number"]
    revoke(desk, 0)
    blocks = LedgerClient.blocks
    monkeypatch.setattr(
        LedgerClient, "blocks", lambda self, *asked: [None] if asked[1] == [number] else blocks(self, *asked)
    )
    code, content = desk.run_json("statement", "check", lie)
    assert code == 1
    assert [each["trouble"] for each in content["contradictions"] if each["issuer"] == 1] == ["tooEarly"]
    assert desk.run("statement", "check", statement)[0] == 3
    assert desk.run("statement", "compare", statement, statement, "--audit")[0] == 3


def test_a_block_of_the_same_second_leaves_events_of_that_second_open(
    desk: Desk, keys: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke(desk, 0)
    statement = state(desk, keys)
    at = json.loads(statement.read_text("utf-8"))["block"]["at"]
    revoke(desk, 1)

    def of_one_second(policy: Policy, registry: RegistryId, number: int) -> BlockHeader:
        return replace(header_at(policy, registry, number), timestamp=at)

    monkeypatch.setattr("anchor.cli.statement.header_at", of_one_second)
    code, out, _ = desk.run("statement", "check", statement)
    assert (code, HOLDS in out) == (0, True), "a node that has the state of that block settles it"

    def no_state_any_more(*_asked: object) -> None:
        raise LedgerUnavailableError("the state of this block is not there any more")

    monkeypatch.setattr("anchor.cli.statement.heads_at", no_state_any_more)
    code, out, _ = desk.run("statement", "check", statement)
    assert (code, "? OPEN  the block after its own may be of the same second as events of: issuer 1" in out) == (
        3,
        True,
    )


def test_options_for_nodes_are_refused_where_nobody_is_asked(desk: Desk, keys: tuple[Path, str, str]) -> None:
    statement = state(desk, keys)
    code, _, error = desk.run("statement", "compare", statement, statement, "--rpc", desk.chain.url)
    assert (code, "Add --audit" in error) == (2, True)
