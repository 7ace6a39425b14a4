"""`credanchor verify` on a real chain: every outcome, its exit code, and words one can act on."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from anchor.cli.verdicts import STEP_LABELS
from anchor.ledger.testnet import dev_signer
from anchor.model import RegistryId, address
from anchor.steps import STEP_NAMES
from tests.cli.conftest import Desk
from tests.ledger.chain import CONTROLLER, DID, STATUS_KEY, drop
from tests.support.issuing import make_batch


def changed(path: Path, **members: Any) -> dict[str, Any]:
    return {**json.loads(path.read_text()), **members}


def set_status(desk: Desk, function: str, index: int) -> None:
    call = getattr(desk.chain.contract, function)
    mask = 1 << index
    desk.chain.execute(
        STATUS_KEY, call(issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[mask], reason=1)
    )


def test_valid_credential_shows_answer_facts_and_all_checks(desk: Desk) -> None:
    code, out, _ = desk.run("verify", desk.files[1])
    assert code == 0
    assert out.startswith("✔ VALID")
    assert "ᐊᓇ ᐃᓄᒃ" in out
    assert "Borealis College" in out
    assert f"(oneNode: {desk.chain.url})" in out
    for label in STEP_LABELS.values():
        assert label in out


def test_every_check_has_a_name_for_people() -> None:
    assert tuple(STEP_LABELS) == STEP_NAMES


def test_json_carries_verdict_checks_and_basis(desk: Desk) -> None:
    code, content = desk.run_json("verify", desk.files[0])
    assert code == 0
    assert content["format"] == "credanchor/verification@v1"
    assert content["counts"] == {"valid": 1, "invalid": 0, "unknown": 0, "malformed": 0}
    (result,) = content["results"]
    assert result["outcome"] == "valid"
    assert [check["step"] for check in result["checks"]] == list(range(1, 14))
    assert result["basis"]["registry"] == desk.chain.registry.to_text()
    assert result["basis"]["vouching"] == "oneNode"


def test_changed_letter_is_not_valid(desk: Desk) -> None:
    path = desk.write("changed.json", changed(desk.files[0], name="Data literacy!"))
    code, out, _ = desk.run("verify", path)
    assert code == 1
    assert "✘ NOT VALID" in out
    assert "something in it was changed (tampered)" in out
    assert "none of it confirmed" in out
    assert "  ask " not in out


def test_revoked_suspended_and_reinstated(desk: Desk) -> None:
    set_status(desk, "revoke", 0)
    set_status(desk, "suspend", 1)
    code, out, _ = desk.run("verify", desk.files[0])
    assert (code, "the issuer revoked this credential (revoked)" in out, "  ask " in out) == (1, True, True)
    code, out, _ = desk.run("verify", desk.files[1])
    assert (code, "the issuer suspended this credential" in out) == (1, True)
    assert desk.run("verify", desk.files[2])[0] == 0
    set_status(desk, "reinstate", 1)
    code, out, _ = desk.run("verify", desk.files[1])
    assert code == 0, out


def test_batch_that_was_never_anchored_is_not_valid(desk: Desk) -> None:
    _, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, DID, ["Nobody", "Else"])
    code, content = desk.run_json("verify", desk.write("never.json", documents[0]))
    assert (code, content["results"][0]["reason"]) == (1, "notAnchored")


def test_forgers_own_words_are_never_shown_as_facts(desk: Desk) -> None:
    _, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, DID, ["Eve"])
    forged = desk.write("forged.json", documents[0])
    _, out, _ = desk.run("verify", forged)
    assert "none of it confirmed" in out
    assert "  ask " not in out
    desk.write_policy(nodes=("http://127.0.0.1:1",))
    assert "none of it confirmed" in desk.run("verify", forged)[1]


def test_another_issuers_name_on_an_anchored_batch_is_not_valid(desk: Desk) -> None:
    root, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, "did:web:famous.example", ["Eve"])
    desk.chain.execute(2, desk.chain.contract.anchor(issuer_id=desk.chain.issuer_id, root=root, size=1))
    code, content = desk.run_json("verify", desk.write("cloned.json", documents[0]))
    assert (code, content["results"][0]["reason"]) == (1, "untrustedIssuer")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("not-json", b"garbage"),
        ("empty", b""),
        ("not-text", b"\x00\xff\xfe"),
        ("duplicate-keys", b'{"type":"VerifiableCredential","type":"VerifiableCredential"}'),
        ("huge", b'{"a":"' + b"x" * 50_000_000 + b'"}'),
        ("deep", b'{"a":' * 100_000),
        ("not-a-credential", b'{"type":"Achievement"}'),
        ("null", b"null"),
    ],
)
def test_garbage_is_malformed_in_plain_words(desk: Desk, name: str, content: bytes) -> None:
    code, out, err = desk.run("verify", desk.write(f"{name}.json", content))
    assert code == 2
    assert "✘ MALFORMED" in out
    assert len(out + err) < 600
    code, answer = desk.run_json("verify", desk.folder / f"{name}.json")
    assert (code, answer["results"][0]["outcome"]) == (2, "malformed")


def test_proof_that_breaks_its_format_is_malformed(desk: Desk) -> None:
    document = changed(desk.files[0])
    document["proof"][0]["proofValue"] += "A"
    assert desk.run("verify", desk.write("broken.json", document))[0] == 2


def test_file_that_is_not_there_is_malformed(desk: Desk) -> None:
    code, out, _ = desk.run("verify", desk.folder / "absent.json")
    assert (code, "cannot be read: No such file" in out) == (2, True)


def test_empty_folder_is_refused(desk: Desk) -> None:
    (desk.folder / "empty").mkdir()
    code, _, err = desk.run("verify", desk.folder / "empty")
    assert (code, "has no .json file" in err) == (2, True)


def test_folder_is_a_table_and_the_worst_file_counts(desk: Desk) -> None:
    folder = desk.files[0].parent
    code, out, _ = desk.run("verify", folder)
    assert (code, "5 valid" in out, "rests on block" in out) == (0, True, True)
    set_status(desk, "revoke", 3)
    code, out, _ = desk.run("verify", folder)
    assert (code, "4 valid · 1 not valid" in out) == (1, True)
    desk.write("badges/x.json", b"garbage")
    code, out, _ = desk.run("verify", folder)
    assert (code, "4 valid · 1 not valid · 1 malformed" in out) == (2, True)


def test_unknown_outweighs_valid_and_not_valid_outweighs_unknown(desk: Desk) -> None:
    elsewhere = RegistryId(chain_id=31337, address=address(b"\x01" * 20))
    _, documents = make_batch(elsewhere, 1, DID, ["Ana"])
    unknown = desk.write("unknown.json", documents[0])
    assert desk.run("verify", desk.files[0], unknown)[0] == 3
    set_status(desk, "revoke", 0)
    assert desk.run("verify", desk.files[0], unknown)[0] == 1


def test_registry_that_is_not_trusted_is_undetermined(desk: Desk) -> None:
    elsewhere = RegistryId(chain_id=1, address=address(b"\x01" * 20))
    _, documents = make_batch(elsewhere, 1, DID, ["Ana"])
    code, out, _ = desk.run("verify", desk.write("unknown.json", documents[0]))
    assert (code, "COULD NOT BE DETERMINED" in out, "(untrustedRegistry)" in out) == (3, True, True)


def test_node_that_does_not_answer_is_undetermined(desk: Desk) -> None:
    desk.write_policy(nodes=("http://127.0.0.1:1",))
    code, out, _ = desk.run("verify", desk.files[0])
    assert (code, "COULD NOT BE DETERMINED" in out, "127.0.0.1:1" in out) == (3, True, True)


def test_node_of_another_chain_is_undetermined(desk: Desk) -> None:
    registry = RegistryId(chain_id=1, address=desk.chain.registry.address)
    _, documents = make_batch(registry, desk.chain.issuer_id, DID, ["Ana"])
    desk.write("policy.json", (desk.folder / "policy.json").read_bytes().replace(b"eip155:31337", b"eip155:1"))
    code, content = desk.run_json("verify", desk.write("other-chain.json", documents[0]))
    (result,) = content["results"]
    assert (code, result["reason"], "31337" in result["message"]) == (3, "noEvidence", True)


def test_another_contract_at_the_address_is_undetermined(desk: Desk) -> None:
    other = RegistryId(chain_id=31337, address=dev_signer(CONTROLLER).address)
    _, documents = make_batch(other, desk.chain.issuer_id, DID, ["Ana"])
    document = desk.write("other-contract.json", documents[0])
    code, content = desk.run_json("verify", document, "--trust", other.to_text(), "--rpc", desk.chain.url)
    assert (code, content["results"][0]["reason"]) == (3, "wrongCode")


def test_anchoring_that_is_not_final_is_undetermined(desk: Desk) -> None:
    desk.write_policy(confirmations=3)
    code, content = desk.run_json("verify", desk.files[0])
    assert (code, content["results"][0]["reason"]) == (3, "pending")
    time.sleep(1)  # blocks of the anchoring's own second are no confirmation
    desk.chain.mine(4)
    assert desk.run("verify", desk.files[0])[0] == 0


def test_anchoring_that_is_not_mined_is_not_anchored_yet(desk: Desk) -> None:
    root, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, DID, ["Ana", "Bea"])
    path = desk.write("pending.json", documents[0])
    desk.chain.set_mining(automatic=False)
    desk.chain.sender(2).send(desk.chain.contract.anchor(issuer_id=desk.chain.issuer_id, root=root, size=2), drop)
    code, content = desk.run_json("verify", path)
    assert (code, content["results"][0]["reason"]) == (1, "notAnchored")
    desk.chain.mine()
    assert desk.run("verify", path)[0] == 0


def test_trust_and_rpc_flags_stand_for_a_policy(desk: Desk) -> None:
    (desk.folder / "policy.json").unlink()
    registry = desk.chain.registry.to_text()
    code, _, err = desk.run("verify", desk.files[0])
    assert (code, "there is no policy file" in err, "--trust" in err) == (2, True, True)
    code, _, err = desk.run("verify", desk.files[0], "--trust", registry)
    assert (code, "needs a node to ask" in err) == (2, True)
    code, _, err = desk.run("verify", desk.files[0], "--trust", "0x12", "--rpc", desk.chain.url)
    assert (code, "expected a registry as eip155" in err) == (2, True)
    code, content = desk.run_json("verify", desk.files[0], "--trust", registry, "--rpc", desk.chain.url)
    # --trust asks for the chain's own finality, and this chain has finalised its first block only.
    assert (code, content["results"][0]["reason"]) == (3, "pending")
    desk.chain.node.write("evm_increaseTime", [2])
    desk.chain.mine(70)
    code, content = desk.run_json("verify", desk.files[0], "--trust", registry, "--rpc", desk.chain.url)
    assert (code, content["results"][0]["reason"]) == (0, "")


def test_policy_that_cannot_be_used_is_refused(desk: Desk) -> None:
    desk.write("policy.json", b"{}")
    assert desk.run("verify", desk.files[0])[0] == 2
    desk.write_policy(nodes=())
    code, _, err = desk.run("verify", desk.files[0])
    assert (code, "Give --rpc URL" in err) == (2, True)
    code, _, err = desk.run("verify", desk.files[0], "--policy", "x", "--trust", "y")
    assert (code, "not both" in err) == (2, True)


def test_terminal_is_not_obeyed_to_what_a_file_says(desk: Desk) -> None:
    document = changed(desk.files[0], name="\x1b[2J[bold]fine[/bold]\u202edilav \u0645\u06cc\u200c\u0631")
    _, out, _ = desk.run("verify", desk.write("hostile.json", document))
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[bold]fine[/bold]" in out
    assert "\u0645\u06cc\u200c\u0631" in out


def test_program_exits_with_the_code_and_prints_no_traceback(desk: Desk) -> None:
    path = desk.write("garbage.json", b"garbage")
    command = [sys.executable, "-m", "anchor.cli.main", "verify", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=desk.folder)
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "MALFORMED" in ended.stdout


def test_block_of_a_time_beyond_all_calendars_is_undetermined_and_printed(desk: Desk) -> None:
    desk.chain.node.write("evm_setNextBlockTimestamp", [2**40])
    desk.chain.mine()
    code, out, _ = desk.run("verify", desk.files[0])
    assert (code, "(staleBlock)" in out, f"second {2**40}" in out) == (3, True, True)


def test_text_between_colons_stays_what_it_is(desk: Desk) -> None:
    document = changed(desk.files[0], name="did:web:x:key:y and \u009b")
    path = desk.write("colons.json", document)
    assert "did:web:x:key:y" in desk.run("verify", path)[1]
    assert "\u009b" not in desk.run("verify", desk.write("id.json", changed(desk.files[0], id="\u009b")), "--json")[1]


def test_name_that_no_file_can_have_is_malformed(desk: Desk) -> None:
    code, out, err = desk.run("verify", desk.folder / ("a" * 300 + ".json"))
    assert (code, "too long" in out + err) == (2, True)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_terminal_that_knows_few_letters_gets_escapes(desk: Desk, encoding: str) -> None:
    command = [sys.executable, "-m", "anchor.cli.main", "verify", str(desk.files[1])]
    environment = {"CREDANCHOR_HOME": str(desk.folder), "PYTHONIOENCODING": encoding, "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(command, capture_output=True, check=False, cwd=desk.folder, env=environment)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"VALID" in ended.stdout


def test_full_disk_is_not_read_as_not_valid(desk: Desk) -> None:
    command = [sys.executable, "-m", "anchor.cli.main", "verify", str(desk.files[1]), "--json"]
    with Path("/dev/full").open("w") as full:
        environment = {"CREDANCHOR_HOME": str(desk.folder), "PATH": "/usr/bin:/bin"}
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, env=environment)
    assert ended.returncode not in (0, 1)
