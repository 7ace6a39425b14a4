"""`credanchor verify --receipt` and `credanchor receipt check`, on a real chain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from anchor.cli.signing_keys import create_signer
from anchor.did_key import Ed25519Key
from anchor.errors import SignatureError, SignedFormatError
from anchor.receipt import check_receipt, make_receipt
from tests.cli.conftest import NAMES, Desk
from tests.ledger.chain import DID, STATUS_KEY
from tests.support.issuing import make_batch

PASSPHRASE = "quiet words"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A signer's file, its did:key, and that of somebody else."""
    folder = tmp_path_factory.mktemp("signers")
    did, other = (create_signer(folder / name, PASSPHRASE) for name in ("signer.pem", "other.pem"))
    return folder / "signer.pem", did, other


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", PASSPHRASE)


def write(desk: Desk, keys: tuple[Path, str, str], *files: object, **options: Any) -> Path:
    receipt = desk.folder / "receipt.json"
    receipt.unlink(missing_ok=True)
    more = [
        word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", *([value] if value else []))
    ]
    desk.run("verify", *files, "--receipt", receipt, "--sign-with", keys[0], *more)
    assert receipt.exists()
    return receipt


def revoke(desk: Desk, index: int) -> None:
    call = desk.chain.contract.revoke(
        issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
    )
    desk.chain.execute(STATUS_KEY, call)


def test_what_was_checked_is_signed_and_checked_by_others(desk: Desk, keys: tuple[Path, str, str]) -> None:
    revoke(desk, 1)
    malformed = desk.write("broken.json", b"{}")
    receipt = desk.folder / "receipt.json"
    code, out, _ = desk.run(
        "verify", desk.files[0].parent, malformed, "--receipt", receipt, "--sign-with", keys[0],
        "--organisation", "Example Hiring",
    )  # fmt: skip
    assert (code, "4 valid" in out) == (2, True)
    code, out, _ = desk.run("receipt", "check", receipt, desk.files[0], "--signer", keys[1])
    assert code == 0, out
    assert "✔ the signature holds" in out
    assert "Example Hiring" in out
    assert f"oneNode: {desk.chain.url}" in out
    assert "4 ✔ valid, 1 ✘ not valid, 1 ✘ malformed" in out
    assert "✔ valid as of" in out
    assert "not that it is so" in out
    code, out, _ = desk.run("receipt", "check", receipt, desk.files[0], desk.files[1])
    assert (code, "✘ not valid (revoked)" in out, "--signer" in out) == (1, True, True)
    assert desk.run("receipt", "check", receipt, malformed)[0] == 2


def test_the_receipt_is_for_programs_too(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, *desk.files[:2])
    code, content = desk.run_json("receipt", "check", receipt, desk.files[0], desk.files[3])
    assert (code, content["format"], content["signer"]) == (1, "credanchor/receipt-check@v1", keys[1])
    assert content["counts"] == {"valid": 2, "invalid": 0, "unknown": 0, "malformed": 0}
    first, second = content["files"]
    assert first["sha256"] == "0x" + sha256(desk.files[0].read_bytes()).hexdigest()
    assert (first["inReceipt"], first["outcome"], first["issuer"]) == (True, "valid", DID)
    assert first["checks"]["anchored"] == "passed"
    assert second == {"file": str(desk.files[3]), "sha256": second["sha256"], "inReceipt": False}


def test_nobody_is_named_in_it(desk: Desk, keys: tuple[Path, str, str]) -> None:
    text = write(desk, keys, desk.files[0].parent).read_text()
    for name in (*NAMES, "Borealis", "0.json", str(desk.folder), "@"):
        assert name not in text.replace("@v1", "")
    named = write(desk, keys, desk.files[0], receipt_names="").read_text()
    assert "0.json" in named


def test_another_signer_is_refused(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, desk.files[0])
    code, _, err = desk.run("receipt", "check", receipt, "--signer", keys[2])
    assert (code, f"not by {keys[2]}" in err) == (1, True)
    code, content = desk.run_json("receipt", "check", receipt, "--signer", keys[2])
    assert (code, content["error"]["type"]) == (1, "SignatureError")


def test_every_byte_of_a_receipt_counts(desk: Desk, keys: tuple[Path, str, str]) -> None:
    data = write(desk, keys, desk.files[0]).read_bytes()
    document = json.loads(data)
    for place in range(0, len(data), 3):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            found = check_receipt(changed)
        except (SignedFormatError, SignatureError):
            continue
        # White space is no part of what is signed.
        assert json.loads(changed) == document, found
    code, _, err = desk.run("receipt", "check", desk.write("changed.json", data.replace(b'"valid"', b'"invalid"')))
    assert (code, "does not hold" in err) == (1, True)


def test_an_altered_file_is_another_file(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, desk.files[0])
    altered = desk.write("altered.json", desk.files[0].read_bytes() + b"\n")
    code, out, _ = desk.run("receipt", "check", receipt, altered)
    assert (code, "✘ not in the receipt" in out) == (1, True)


def test_again_says_what_is_different_now(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, *desk.files[:2])
    code, out, _ = desk.run("receipt", "check", receipt, *desk.files[:2], "--again")
    assert (code, out.count("now: ✔ valid"), "different" in out) == (0, 2, False)
    revoke(desk, 1)
    code, out, _ = desk.run(
        "receipt", "check", receipt, *desk.files[:2], "--again", "--policy", desk.folder / "policy.json"
    )
    assert code == 1
    assert "✔ valid as of" in out
    assert "now: ✘ not valid: the issuer revoked this credential" in out
    assert "different: 10 not revoked: passed → failed" in out
    code, content = desk.run_json("receipt", "check", receipt, desk.files[1], "--again")
    (given,) = content["files"]
    assert (code, given["outcome"], given["now"]) == (1, "valid", {"outcome": "invalid", "reason": "revoked"})
    assert given["differences"] == ["10 not revoked: passed → failed"]


def test_a_receipt_of_another_chain_says_nothing_of_this_one(desk: Desk, keys: tuple[Path, str, str]) -> None:
    """Somebody verified on a chain of his own; his receipt holds, and --again finds out."""
    root, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, DID, ["Eve"])
    snapshot = desk.chain.node.write("evm_snapshot", [])
    desk.chain.execute(2, desk.chain.contract.anchor(issuer_id=desk.chain.issuer_id, root=root, size=1))
    forged = desk.write("forged.json", documents[0])
    receipt = write(desk, keys, forged)
    assert desk.run("receipt", "check", receipt, forged)[0] == 0
    assert desk.chain.node.write("evm_revert", [snapshot])
    code, out, _ = desk.run("receipt", "check", receipt, forged, "--again")
    assert (code, "different: 6 batch anchored: passed → failed" in out) == (1, True)


def test_undetermined_is_neither_valid_nor_invalid_in_a_receipt(desk: Desk, keys: tuple[Path, str, str]) -> None:
    desk.write_policy(nodes=("http://127.0.0.1:1",))
    receipt = write(desk, keys, desk.files[0])
    code, out, _ = desk.run("receipt", "check", receipt, desk.files[0])
    assert (code, "? could not be determined (noEvidence), says the receipt" in out) == (3, True)


def test_what_does_not_come_is_not_in_it(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = desk.folder / "receipt.json"
    absent = desk.folder / "absent.json"
    code, _, err = desk.run("verify", desk.files[0], absent, "--receipt", receipt, "--sign-with", keys[0])
    assert (code, "says nothing of 1 that did not come" in err) == (2, True)
    assert len(check_receipt(receipt.read_bytes()).files) == 1
    code, out, _ = desk.run("receipt", "check", receipt, absent)
    assert (code, "✘ not read" in out) == (2, True)


def test_of_a_bundle_each_credential_is_spoken_of(desk: Desk, keys: tuple[Path, str, str]) -> None:
    bundle = desk.folder / "two.bundle.json"
    assert desk.run("bundle", *desk.files[:2], "--out", bundle)[0] == 0
    receipt = write(desk, keys, bundle, as_of_block="")
    told = check_receipt(receipt.read_bytes())
    assert [each.outcome for each in told.files] == ["valid", "valid"]
    # By its canonical form with the proof: whoever has the bundle can make it.
    credentials = json.loads(bundle.read_bytes())["credentials"]
    assert [each.sha256 for each in told.files] == [sha256(rfc8785.dumps(each)).digest() for each in credentials]
    # It was asked what held at the block: that is another policy than the one in the file.
    assert json.loads((desk.folder / "policy.json").read_bytes())["maxAgeSeconds"] is None
    assert told.policy["maxAgeSeconds"] > 10**12
    code, out, _ = desk.run("receipt", "check", receipt, bundle)
    assert (code, out.count("✔ valid as of")) == (0, 2)
    code, out, _ = desk.run("receipt", "check", receipt, bundle, "--again")
    assert (code, out.count("now: ✔ valid")) == (0, 2)
    desk.write("two.bundle.json", bundle.read_bytes()[:-40])
    code, out, _ = desk.run("receipt", "check", receipt, bundle)
    assert (code, "not in the receipt" in out) == (1, True)


def test_a_malformed_bundle_is_known_again(desk: Desk, keys: tuple[Path, str, str]) -> None:
    bundle = desk.write("x.bundle.json", b'{"format":"credanchor/bundle@v1"}')
    receipt = write(desk, keys, desk.files[0], bundle)
    code, content = desk.run_json("receipt", "check", receipt, bundle)
    assert (code, content["files"][0]["outcome"]) == (2, "malformed")


def test_a_receipt_is_never_written_over_another(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, desk.files[0])
    before = receipt.read_bytes()
    code, _, err = desk.run("verify", desk.files[1], "--receipt", receipt, "--sign-with", keys[0])
    assert (code, "Choose another name" in err, receipt.read_bytes() == before) == (2, True, True)


@pytest.mark.parametrize("option", ["--receipt", "--sign-with"])
def test_a_receipt_needs_a_key_and_a_key_a_receipt(desk: Desk, keys: tuple[Path, str, str], option: str) -> None:
    code, out, err = desk.run("verify", desk.files[0], option, keys[0].with_name("x"))
    assert (code, "belong together" in err, out) == (2, True, "")


def test_without_the_passphrase_nothing_is_verified(
    desk: Desk, keys: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", "wrong")
    receipt = desk.folder / "receipt.json"
    code, out, _ = desk.run("verify", desk.files[0], "--receipt", receipt, "--sign-with", keys[0])
    assert (code, out, receipt.exists()) == (2, "", False)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{}", b'{"format":"credanchor/receipt@v1"}', b'{"a":' * 9999]
)
def test_what_is_no_receipt_is_malformed(desk: Desk, content: bytes) -> None:
    code, out, err = desk.run("receipt", "check", desk.write("x.json", content))
    assert (code, out) == (2, "")
    assert len(err) < 600
    assert desk.run("receipt", "check", desk.folder / "absent.json")[0] == 2


def test_a_receipt_with_an_unknown_member_is_malformed(desk: Desk, keys: tuple[Path, str, str]) -> None:
    content = json.loads(write(desk, keys, desk.files[0]).read_bytes())
    assert desk.run("receipt", "check", desk.write("x.json", {**content, "note": "x"}))[0] == 2


def test_an_oversize_receipt_is_malformed_before_it_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchor.cli.receipt.MAX_RECEIPT_BYTES", 64)
    monkeypatch.setattr("anchor.receipt.MAX_RECEIPT_BYTES", 64)
    code, _, err = desk.run("receipt", "check", desk.write("x.json", b"{" + b" " * 10_000 + b"}"))
    assert (code, "at most 64" in err) == (2, True)


def test_again_wants_files(desk: Desk, keys: tuple[Path, str, str]) -> None:
    code, _, err = desk.run("receipt", "check", write(desk, keys, desk.files[0]), "--again")
    assert (code, "wants the files" in err) == (2, True)


def test_terminal_is_not_obeyed_to_what_a_receipt_says(desk: Desk) -> None:
    hostile = "\x1b[2J[bold]x[/bold]"
    key = Ed25519Key(bytes(32))
    data = make_receipt([], desk.chain.policy(), checked_at=1, program=hostile, key=key, organisation=hostile)
    code, out, _ = desk.run("receipt", "check", desk.write("hostile.json", data))
    assert (code, "\x1b" in out, out.count("[bold]x[/bold]")) == (0, False, 2)


def test_a_file_of_a_name_that_no_text_holds_is_named_all_the_same(desk: Desk, keys: tuple[Path, str, str]) -> None:
    odd = desk.folder / os.fsdecode(b"badge-\xff\x1b.json")
    odd.write_bytes(desk.files[0].read_bytes())
    receipt = write(desk, keys, odd, receipt_names="", organisation="\udcff\ufffe")
    (told,) = check_receipt(receipt.read_bytes()).files
    assert told.name.endswith("badge-\ufffd\ufffd.json")


def test_a_report_is_not_written_over_the_receipt(desk: Desk, keys: tuple[Path, str, str]) -> None:
    path = desk.folder / "both.json"
    arguments = ("--receipt", path, "--sign-with", keys[0], "--out", desk.folder / "badges" / ".." / "both.json")
    code, _, err = desk.run("verify", desk.files[0], *arguments)
    assert (code, "over the receipt" in err, path.exists()) == (2, True, False)


def test_a_receipt_among_credentials_is_told_apart(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, desk.files[0])
    code, out, _ = desk.run("verify", receipt)
    assert (code, "this is a receipt" in out) == (2, True)


def test_the_program_by_itself(desk: Desk, keys: tuple[Path, str, str]) -> None:
    receipt = write(desk, keys, desk.files[0])
    command = [sys.executable, "-m", "anchor.cli.main", "receipt", "check", str(receipt), str(desk.files[0])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=desk.folder)
    assert (ended.returncode, ended.stderr) == (0, "")
