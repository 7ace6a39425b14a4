"""`credanchor incident`: keys renewed and stolen on a real chain, thieves included; judged by audit and verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex, to_utc
from registry.settings import complete_settings, load_settings
from tests.cli.test_issuer import chain, college, pass_time, registrar, session_chain, vault
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, STRANGER, Chain
from tests.support.bureau import EXAMPLES
from tests.support.homes import Home
from tests.support.issuing import make_batch
from tests.support.program import Program

__all__ = ["chain", "college", "registrar", "session_chain", "vault"]

COIN = hex(10**18)
ROSTER = "name,email\n" + "".join(f"{name},{name.lower()}@example.org\n" for name in ("Zoé", "Ana", "Hoa", "Léa"))


@pytest.fixture
def office(college: Home, chain: Chain, tmp_path: Path) -> Home:
    """The institution with all its keys, ready to issue."""
    college.take("anchor", ANCHOR_KEY)
    college.take("status", STATUS_KEY)
    keys: dict[str, str | int] = {"issuer_id": 1, "anchor_key": "keys/anchor.json", "status_key": "keys/status.json"}
    complete_settings(college.home, keys)
    return college


def issue(office: Home, chain: Chain, folder: Path) -> dict[str, Path]:
    """Issue to four people; their files by name."""
    roster = folder.with_suffix(".csv")
    roster.write_text(ROSTER, "utf-8")
    files = ("--achievement", EXAMPLES / "achievement.json", "--recipients", roster, "--out", folder, "--again")
    code, content = office.run_json("issue", *files)
    assert code == 0, content
    paths = list(folder.glob("*.json"))
    return {json.loads(path.read_bytes())["credentialSubject"]["identifier"][0]["identityHash"]: path for path in paths}


def reasons(office: Home, *paths: Path) -> list[str]:
    # Its own folder is not told to it: it is anybody's.
    policy = ("--policy", office.home / "policy.json", "--json")
    return [each["reason"] for each in json.loads(Program.run(office, "verify", *paths, *policy)[1])["results"]]


def instant(chain: Chain) -> str:
    return to_utc(chain.client.latest_block().header.timestamp)


def fund(chain: Chain, office: Home, name: str) -> None:
    (key,) = (each for each in office.run_json("key", "list")[1]["keys"] if each["name"] == name)
    chain.node.write("anvil_setBalance", [key["address"], COIN])
    chain.mine()  # else the balance is in no block, and no proof holds


def incident(office: Home, *arguments: object, exits: int = 0) -> dict[str, Any]:
    code, content = office.run_json("incident", *arguments, "--key", "controller", "--yes")
    assert code == exits, content
    return content


def states(content: dict[str, Any]) -> list[str]:
    return [step["state"] for step in content["steps"]]


def history(office: Home) -> dict[str, Any]:
    content = json.loads(Program.run(office, "audit", "--policy", office.home / "policy.json", "--json")[1])
    assert content["complete"] is True
    (issuer,) = content["issuers"]
    return dict(issuer)


def test_a_key_is_renewed_and_what_it_did_stays_good(office: Home, chain: Chain, tmp_path: Path) -> None:
    files = issue(office, chain, tmp_path / "before")
    shown = incident(office, "rotate", "anchor", "--new", "anchor-2", "--dry-run")
    assert states(shown) == ["left"] * 4
    assert states(incident(office, "rotate", "anchor", "--new", "anchor-2")) == ["done"] * 4
    assert states(incident(office, "rotate", "anchor", "--new", "anchor-2")) == ["doneBefore"] * 4
    assert load_settings(office.home).anchor_key == "keys/anchor-2.json"
    fund(chain, office, "anchor-2")
    later = issue(office, chain, tmp_path / "after")
    assert reasons(office, *files.values(), *later.values()) == [""] * 8


def test_a_stolen_anchoring_key(office: Home, chain: Chain, tmp_path: Path) -> None:
    before = issue(office, chain, tmp_path / "before")
    pass_time(chain, 10)
    since = instant(chain)
    pass_time(chain, 10)
    honest = issue(office, chain, tmp_path / "honest")
    # The thief has the key, too.
    root, forged = make_batch(chain.registry, chain.issuer_id, DID, ["Nobody"])
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=1))
    (tmp_path / "forged.json").write_bytes(json.dumps(forged[0]).encode())
    everything = (*before.values(), *honest.values(), tmp_path / "forged.json")
    assert reasons(office, *everything) == [""] * 9

    theft = ("anchor-key", "anchor", "--since", since, "--new", "anchor-2")
    shown = incident(office, *theft, "--dry-run")
    assert (len(shown["goodBatches"]), len(shown["ownBatches"]), shown["foreignBatches"]) == (1, 1, [to_hex(root)])
    assert reasons(office, *everything) == [""] * 9

    # The new key has no coin yet: said, and nothing is lost.
    code, _, err = office.run("incident", *theft, "--key", "controller", "--yes")
    assert code == 3
    assert "The same command again does the rest." in " ".join(err.split())
    assert reasons(office, *everything) == ["", "", "", "", *["keyCompromised"] * 5]
    fund(chain, office, "anchor-2")
    assert states(incident(office, *theft)) == ["doneBefore"] * 4 + ["done"]
    assert reasons(office, *everything) == [""] * 8 + ["keyCompromised"]
    assert states(incident(office, *theft)) == ["doneBefore"] * 5
    assert (history(office)["batches"], history(office)["credentials"]) == (2, 8)  # the thief's is void


def test_a_stolen_status_key(office: Home, chain: Chain, tmp_path: Path) -> None:
    files = issue(office, chain, tmp_path / "files")
    office.run_json("revoke", files["Zoé"], "--reason", "issued-in-error")
    office.run_json("suspend", files["Ana"])
    pass_time(chain, 10)
    since = instant(chain)
    pass_time(chain, 10)
    office.run_json("revoke", files["Hoa"], "--reason", "holders-request")
    # The thief revokes Léa, and reinstates Ana.
    for name, call in (("Léa", chain.contract.revoke), ("Ana", chain.contract.reinstate)):
        status_list, index = position_of(files[name])
        words: dict[str, Any] = {"words": [index >> 8], "masks": [1 << (index & 255)]}
        chain.execute(STATUS_KEY, call(issuer_id=1, status_list=status_list, reason=1, **words))
    ordered = [files[name] for name in ("Zoé", "Ana", "Hoa", "Léa")]
    assert reasons(office, *ordered) == ["revoked", "", "revoked", "revoked"]

    theft = ("status-key", "status", "--since", since, "--new", "status-2")
    shown = incident(office, *theft, "--dry-run")
    assert shown["honest"] == {"revoked": 2, "suspended": 1, "batches": 0}
    assert shown["restored"] == [dict(zip(("list", "index"), position_of(files["Léa"]), strict=True))]
    assert shown["suspendedAgain"] == [dict(zip(("list", "index"), position_of(files["Ana"]), strict=True))]
    assert len(shown["doubtful"]) == 2

    code, _, _ = office.run("incident", *theft, "--key", "controller", "--yes")
    assert code == 3
    # Not declared compromised before all is staged: nothing has changed for verifiers.
    assert reasons(office, *ordered) == ["revoked", "", "revoked", "revoked"]
    fund(chain, office, "status-2")
    assert set(states(incident(office, *theft))) == {"doneBefore", "done"}
    assert reasons(office, *ordered) == ["revoked", "suspended", "revoked", ""]
    assert set(states(incident(office, *theft))) == {"doneBefore"}
    # The reasons are those of before.
    csv = Program.run(office, "audit", "--policy", office.home / "policy.json", "--format", "csv")[1]
    assert sum("holders-request" in line for line in csv.splitlines()) == 2
    assert load_settings(office.home).status_key == "keys/status-2.json"
    assert office.run_json("reinstate", files["Ana"])[0] == 0
    assert reasons(office, *ordered) == ["revoked", "", "revoked", ""]
    # And still: nothing is left to do, not even what was reinstated since.
    assert set(states(incident(office, *theft))) == {"doneBefore"}


def test_a_status_key_that_was_declared_compromised_in_haste(office: Home, chain: Chain, tmp_path: Path) -> None:
    files = issue(office, chain, tmp_path / "files")
    office.run_json("revoke", files["Zoé"], "--reason", "issued-in-error")
    pass_time(chain, 10)
    since = instant(chain)
    haste = ("issuer", "key", "compromise", "status", "--since", since, "--key", "controller", "--yes")
    code, _, err = office.run("incident", "status-key", "anchor", "--since", since, "--new", "x", "--yes")
    assert (code, "this is an anchoring key" in err) == (1, True), err
    assert office.run_json(*haste)[0] == 0
    assert reasons(office, files["Zoé"]) == [""]
    assert office.run_json("key", "new", "status-2")[0] == 0
    fund(chain, office, "status-2")
    incident(office, "status-key", "status", "--since", since, "--new", "status-2")
    assert reasons(office, files["Zoé"]) == ["revoked"]


def test_control_is_handed_over_in_two_steps(office: Home, chain: Chain) -> None:
    office.take("new-controller", STRANGER)
    new = to_hex(dev_signer(STRANGER).address)
    take_over = ("controller", "--accept", "--key", "new-controller", "--yes")
    code, _, err = office.run("incident", *take_over)
    assert (code, "nobody was offered control" in err) == (1, True)
    assert office.run("incident", "controller", "--key", "controller")[0] == 2
    for expected in ("done", "doneBefore"):
        assert states(incident(office, "controller", "--to", new)) == [expected]
    # Nothing has changed yet, and a stranger to the offer cannot take it.
    assert office.run("incident", "controller", "--accept", "--key", "anchor", "--yes")[0] == 1
    for expected in ("done", "doneBefore"):
        assert states(office.run_json("incident", *take_over)[1]) == [expected]
    assert office.run_json("issuer", "show")[1]["controller"] == new
    # A multisig sends by itself.
    call = office.run_json("incident", "controller", "--to", to_hex(dev_signer(ANCHOR_KEY).address), "--print-call")[1]
    assert call["call"]["to"] == to_hex(chain.registry.address)


def test_an_institution_closes_for_good(office: Home, chain: Chain, tmp_path: Path) -> None:
    files = issue(office, chain, tmp_path / "files")
    assert states(incident(office, "close", "--keep-status")) == ["done"]
    pass_time(chain, 2)  # a key ends with the next second
    roster = ("--achievement", EXAMPLES / "achievement.json", "--recipients", tmp_path / "files.csv", "--again")
    code, _, err = office.run("issue", *roster, "--out", tmp_path / "more")
    assert (code, "key" in err) == (1, True), err
    assert office.run_json("revoke", files["Zoé"], "--reason", "other")[0] == 0
    assert states(incident(office, "close")) == ["doneBefore", "done"]
    pass_time(chain, 2)
    assert office.run_json("revoke", files["Ana"], "--reason", "other")[0] == 1
    assert reasons(office, *(files[name] for name in ("Zoé", "Ana", "Hoa", "Léa"))) == ["revoked", "", "", ""]


def position_of(path: Path) -> tuple[int, int]:
    (entry, _) = json.loads(path.read_bytes())["credentialStatus"]
    numbers = [int(part.partition("=")[2]) for part in entry["id"].partition("?")[2].split("&")]
    return numbers[1], numbers[2]
