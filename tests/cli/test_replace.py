"""`credanchor replace`: a typo is corrected; whatever interrupts it, once issued and once revoked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from anchor.cli.auditing import audit_registry
from anchor.errors import LedgerUnavailableError
from anchor.history import IssuerHistory
from anchor.ledger.transactions import TransactionSender
from anchor.policy import parse_policy
from anchor.status import StatusPurpose
from registry.services import replace
from registry.services.anchoring import Anchoring
from registry.services.issue import seal_batch
from registry.services.status import StatusService
from tests.cli.test_issue import bureau, home, issue
from tests.cli.test_status import reason_of
from tests.ledger.test_issuing import Killed
from tests.support.bureau import Bureau
from tests.support.terminal import Terminal

__all__ = ["bureau", "home"]

ROSTER = (
    "name,email,awarded,narrative\nZoe Trembly,zoe@example.org,2026-05-29,Read the river\nAna Roy,ana@example.org,,\n"
)
RIGHT = "Zoé Tremblay"


@pytest.fixture
def issued(bureau: Bureau) -> Bureau:
    Path("roster.csv").write_text(ROSTER, "utf-8")
    assert issue(bureau, "roster.csv", "--out", "out")[0] == 0
    return bureau


def id_of(bureau: Bureau, text: str = "trembly") -> str:
    (each,) = bureau.run_json("find", text, "--offline")[1]["found"]
    return str(each["id"])


def file_of(identifier: str, folder: str = "out") -> Path:
    (path,) = Path(folder).glob(f"*-{identifier.removeprefix('urn:uuid:')}.json")
    return path


def history(bureau: Bureau) -> IssuerHistory:
    policy = parse_policy((bureau.home / "policy.json").read_bytes())
    whole, _ = audit_registry(policy.registries[0], policy, lambda _words: None)
    return whole.issuer(1)


def counts(bureau: Bureau) -> tuple[int, int]:
    """How many batches there are on the ledger, and revocations."""
    found = history(bureau)
    return len(found.batches), len(found.positions(StatusPurpose.REVOCATION))


def value_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def test_a_name_is_corrected_and_all_else_stays(issued: Bureau) -> None:
    old = id_of(issued)
    code, content = issued.run_json("replace", file_of(old), "--name", RIGHT, "--out", "right", "--yes")
    assert (code, content["old"], content["reason"], len(content["revocations"])) == (0, old, "superseded", 1)
    new = content["new"]
    assert reason_of(issued, file_of(old)) == (1, "revoked")
    assert reason_of(issued, file_of(new, "right")) == (0, "")
    before, after = value_of(file_of(old)), value_of(file_of(new, "right"))
    assert after["credentialSubject"]["identifier"][0]["identityHash"] == RIGHT
    for credential in (before, after):
        for member in ("id", "credentialStatus", "proof"):
            del credential[member]
        del credential["credentialSubject"]["identifier"]
    assert before == after


def test_both_are_linked_and_said(issued: Bureau) -> None:
    old = id_of(issued)
    new = issued.run_json("replace", old, "--name", RIGHT, "--yes")[1]["new"]
    links = {
        each["id"]: (each["replaces"], each["replacedBy"])
        for each in issued.run_json("find", "zoe@example.org")[1]["found"]
    }
    assert links == {old: (None, new), new: (old, None)}
    assert f"replaced by {new}" in issued.run("find", old)[1]
    assert f"replaces  {old}" in issued.run("find", new)[1]
    issued.run("erase", old, "--yes")
    assert issued.run_json("find", new)[1]["found"][0]["replaces"] is None


def test_an_email_then_means_the_one_that_took_the_place(issued: Bureau) -> None:
    old = id_of(issued)
    new = issued.run_json("replace", old, "--name", RIGHT, "--yes")[1]["new"]
    Path("list.csv").write_text("email\nzoe@example.org\n", "utf-8")
    code, content = issued.run_json("suspend", "--list", "list.csv")
    assert (code, content["changed"]) == (0, [new])
    assert issued.run_json("reinstate", "zoe@example.org")[1]["changed"] == [new]


def test_an_email_means_both_until_the_old_one_is_revoked(issued: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(StatusService, "carry_out", _fail)
        assert issued.run("replace", id_of(issued), "--name", RIGHT, "--yes")[0] == 3
    code, content = issued.run_json("suspend", "zoe@example.org")
    assert (code, content["error"]["message"]) == (1, "this e-mail has 2 credentials")


def _fail(*_arguments: object, **_options: object) -> None:
    raise LedgerUnavailableError("the node does not answer")


def test_an_email_is_corrected(issued: Bureau) -> None:
    old = id_of(issued)
    code, out, error = issued.run("replace", old, "--email", "Zoe.T@Example.org", "--yes")
    assert (code, error) == (0, "")
    assert "replaced by urn:uuid:" in out
    assert "--resume 2 --out DIR" in out
    (each,) = issued.run_json("find", "zoe.t@example.org")[1]["found"]
    assert (each["name"], each["email"], each["status"]) == ("Zoe Trembly", "Zoe.T@Example.org", "active")


def test_the_replacement_may_be_replaced(issued: Bureau) -> None:
    first = id_of(issued)
    second = issued.run_json("replace", first, "--name", "Zoé Trembley", "--yes")[1]["new"]
    code, _, error = issued.run("replace", first, "--name", RIGHT, "--yes")
    assert code == 1
    assert f"credanchor replace {second}" in error
    third = issued.run_json("replace", second, "--name", RIGHT, "--yes")[1]["new"]
    # And back again, should that have been the mistake.
    fourth = issued.run_json("replace", third, "--name", "Zoé Trembley", "--yes")[1]["new"]
    states = {each["id"]: each["status"] for each in issued.run_json("find", "zoe@example.org")[1]["found"]}
    assert states == {first: "revoked", second: "revoked", third: "revoked", fourth: "active"}


def kill(owner: object, name: str, *, after: bool = False, nth: int = 1) -> Callable[[pytest.MonkeyPatch], None]:
    def arm(patch: pytest.MonkeyPatch) -> None:
        real, calls = getattr(owner, name), []

        def killing(*args: Any, **kwargs: Any) -> object:
            calls.append(1)
            if len(calls) < nth:
                return real(*args, **kwargs)
            if after:
                real(*args, **kwargs)
            raise Killed

        patch.setattr(owner, name, killing)

    return arm


@pytest.mark.parametrize(
    "arm",
    [
        pytest.param(kill(replace, "keep_replacement"), id="before it is sealed"),
        pytest.param(kill(replace, "seal_batch", after=True), id="sealed"),
        pytest.param(kill(TransactionSender, "broadcast"), id="anchoring signed"),
        pytest.param(kill(TransactionSender, "broadcast", after=True), id="anchoring sent"),
        pytest.param(kill(Anchoring, "anchor", after=True), id="anchored"),
        pytest.param(kill(TransactionSender, "broadcast", nth=2), id="revocation signed"),
        pytest.param(kill(TransactionSender, "broadcast", after=True, nth=2), id="revocation sent"),
        pytest.param(kill(StatusService, "carry_out", after=True), id="revoked"),
    ],
)
def test_killed_anywhere_the_same_again_goes_on(
    issued: Bureau, arm: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, (batches, revocations) = id_of(issued), counts(issued)
    command = ("replace", old, "--name", RIGHT, "--out", "right", "--yes")
    with monkeypatch.context() as patch:
        arm(patch)
        with pytest.raises(Killed):
            issued.run(*command)
    # At no time had the learner nothing.
    states = [each["status"] for each in issued.run_json("find", "zoe@example.org")[1]["found"]]
    assert "active" in states
    code, content = issued.run_json(*command)
    assert code == 0
    assert counts(issued) == (batches + 1, revocations + 1)
    assert reason_of(issued, file_of(old)) == (1, "revoked")
    assert reason_of(issued, file_of(content["new"], "right")) == (0, "")
    # And once more: nothing is left to do.
    again, same = issued.run_json(*command)
    assert (again, same["new"], same["revocations"]) == (0, content["new"], [])
    assert counts(issued) == (batches + 1, revocations + 1)


def test_two_do_not_replace_the_same(issued: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one was faster, after this one had looked."""
    old = id_of(issued)
    real = seal_batch

    def outrun(*args: Any, **kwargs: Any) -> object:
        monkeypatch.setattr(replace, "seal_batch", real)
        assert issued.run("replace", old, "--name", "Zoé T.", "--yes")[0] == 0
        return real(*args, **kwargs)

    monkeypatch.setattr(replace, "seal_batch", outrun)
    batches, _ = counts(issued)
    assert issued.run("replace", old, "--name", RIGHT, "--yes")[0] == 1
    assert counts(issued)[0] == batches + 1


def test_what_it_costs_is_said_and_confirmed(issued: Bureau) -> None:
    old, before = id_of(issued), counts(issued)
    code, _, error = issued.run("replace", old, "--name", RIGHT)
    assert code == 2
    assert "gas in 2 transactions" in error
    assert "nobody is there to say yes" in error
    assert RIGHT not in error
    with Terminal(Path.cwd(), ("replace", old, "--name", RIGHT)) as terminal:
        terminal.until(f"Zoe Trembly → {RIGHT}")
        terminal.until("gas in 2 transactions")
        terminal.until("Go on?")
        terminal.type("n\n")
        assert terminal.exit_code() == 1
    assert counts(issued) == before
    with Terminal(Path.cwd(), ("replace", old, "--name", RIGHT)) as terminal:
        terminal.until("Go on?")
        terminal.type("y\n")
        terminal.until("replaced by urn:uuid:")
        assert terminal.exit_code() == 0


def test_the_passphrase_of_both_keys_is_asked_for_once(issued: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, old, asked = issued.home / "settings.toml", id_of(issued), []
    text = settings.read_text("utf-8")
    named = re.search(r'^passphrase_file = "(.+)"$', text, re.MULTILINE)
    assert named is not None
    passphrase = (issued.home / named[1]).read_text("utf-8").strip()

    def prompt(*_: object, **__: object) -> str:
        asked.append(1)
        return passphrase

    settings.write_text(text.replace(named[0], ""), "utf-8")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    try:
        assert issued.run("replace", old, "--name", RIGHT, "--yes")[0] == 0
    finally:
        settings.write_text(text, "utf-8")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--name", "Zoe Trembly"], 1, "nothing would be corrected"),
        ([], 2, "nothing is to be corrected"),
        (["--name", " "], 2, "the name is empty"),
        (["--name", "Zoé\nT"], 2, "control character"),
        (["--email", "nonsense"], 2, "not an e-mail address"),
        (["--name", RIGHT, "--reason", "typo"], 2, "no reason"),
        (["--name", RIGHT, "--out", "roster.csv"], 1, "no files can be written"),
    ],
)
def test_corrections_that_cannot_be_made(issued: Bureau, arguments: list[str], code: int, words: str) -> None:
    before = counts(issued)
    found, _, error = issued.run("replace", id_of(issued), *arguments, "--yes")
    assert found == code
    assert words in error
    assert counts(issued) == before


def test_credentials_that_cannot_be_replaced(issued: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    zoe, ana = id_of(issued), id_of(issued, "ana")

    def refused(identifier: object) -> str:
        code, _, error = issued.run("replace", identifier, "--name", RIGHT, "--yes")
        assert code in (1, 2)
        return error

    issued.run("suspend", zoe)
    assert "is not active (suspended)" in refused(zoe)
    issued.run("revoke", zoe, "--reason", "other")
    assert "is not active (revoked)" in refused(zoe)
    issued.run("erase", ana, "--yes")
    assert "was erased" in refused(ana)
    assert "given by its file or id" in refused("zoe@example.org")
    assert "no credential" in refused("8d8a9c1e-0000-4000-8000-000000000001")
    monkeypatch.setenv("CREDANCHOR_ISSUER_ID", "2")
    assert "another issuer" in refused(zoe)


@pytest.mark.parametrize("key", ["ANCHOR_KEY", "STATUS_KEY"])
def test_a_key_that_may_not_is_found_out_before_anything_is_sealed(
    issued: Bureau, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"ANCHOR_KEY": "keys/status.json", "STATUS_KEY": "keys/anchor.json"}[key]
    with monkeypatch.context() as patch:
        patch.setenv(f"CREDANCHOR_{key}", other)
        code, _, error = issued.run("replace", id_of(issued), "--name", RIGHT, "--yes")
    assert code == 1
    assert "WrongScope" in error
    assert len(issued.run_json("find", "zoe@example.org")[1]["found"]) == 1


def test_the_same_roster_again_is_still_refused(issued: Bureau) -> None:
    issued.run("replace", id_of(issued), "--name", RIGHT, "--yes")
    assert issue(issued, "roster.csv")[0] == 2
