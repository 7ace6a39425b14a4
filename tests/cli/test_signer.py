"""`credanchor signer`: keys that sign, in encrypted files that others' programs open, too."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from Crypto.PublicKey import ECC

from anchor.cli import signing_keys
from anchor.did_key import did_of
from tests.support.program import Program
from tests.support.terminal import Terminal

PASSPHRASE = "Ordinateur gelé №5"


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", PASSPHRASE)
    return Program(capsys=capsys)


def test_a_new_key_is_named_kept_private_and_never_overwritten(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "signer.pem"
    code, made = program.run_json("signer", "new", "--out", file)
    assert (code, made["format"], made["file"]) == (0, "credanchor/signer@v1", str(file))
    assert made["did"].startswith("did:key:z6Mk")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    code, _, err = program.run("signer", "new", "--out", file)
    assert (code, "already" in err, file.read_bytes() == before) == (2, True, True)
    assert list(tmp_path.iterdir()) == [file]
    assert program.run("signer", "show", file)[1] == f"{made['did']}\n"
    assert signing_keys.open_signer(file, None).did == made["did"]
    assert PASSPHRASE.encode() not in before


def node(script: str) -> str:
    return subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout


def test_another_program_opens_it(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "signer.pem"
    _, made = program.run_json("signer", "new", "--out", file)
    script = f"""
        const {{ createPrivateKey, createPublicKey }} = require("node:crypto");
        const key = require("node:fs").readFileSync({json.dumps(str(file))});
        const opened = createPrivateKey({{ key, passphrase: process.env.CREDANCHOR_PASSPHRASE }});
        console.log(createPublicKey(opened).export({{ format: "der", type: "spki" }}).subarray(-32).toString("hex"));
    """
    assert did_of(bytes.fromhex(node(script).strip())) == made["did"]


def test_another_programs_key_is_opened(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "other.pem"
    script = f"""
        const {{ generateKeyPairSync }} = require("node:crypto");
        const passphrase = process.env.CREDANCHOR_PASSPHRASE;
        const privateKeyEncoding = {{ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase }};
        const publicKeyEncoding = {{ format: "der", type: "spki" }};
        const {{ privateKey, publicKey }} = generateKeyPairSync("ed25519", {{ privateKeyEncoding, publicKeyEncoding }});
        require("node:fs").writeFileSync({json.dumps(str(file))}, privateKey);
        console.log(publicKey.subarray(-32).toString("hex"));
    """
    did = did_of(bytes.fromhex(node(script).strip()))
    assert program.run("signer", "show", file)[:2] == (0, f"{did}\n")


def test_a_wrong_passphrase_opens_nothing_and_is_not_repeated(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "signer.pem"
    program.run("signer", "new", "--out", file)
    file.write_text("\n".join(file.read_text().split("\n")[1:]))  # without the line that names it
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", "not it")
    code, out, err = program.run("signer", "show", file)
    assert (code, "does not open" in err, "not it" in out + err) == (2, True, False)


def test_a_file_that_names_another_key_is_refused(program: Program, tmp_path: Path) -> None:
    file, other = tmp_path / "signer.pem", tmp_path / "other.pem"
    program.run("signer", "new", "--out", file)
    program.run("signer", "new", "--out", other)
    name, _, _ = other.read_text().partition("\n")
    file.write_text(name + "\n" + file.read_text().partition("\n")[2])
    (tmp_path / "draft.json").write_text("{}")
    arguments = ("trust", "sign", tmp_path / "draft.json", "--sign-with", file, "--out", tmp_path / "list.json")
    code, _, err = program.run(*arguments)
    assert (code, "it was changed" in err) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"x" * 5000,
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ECC.generate(curve="Ed25519").export_key(format="PEM").encode(),
        ECC.generate(curve="Ed25519").public_key().export_key(format="PEM").encode(),
        ECC.generate(curve="p256")
        .export_key(format="PEM", passphrase=PASSPHRASE.encode().decode("latin-1"), protection="scryptAndAES256-CBC")
        .encode(),
    ],
    ids=["empty", "binary", "long", "no-key", "unencrypted", "public", "p256"],
)
def test_what_is_no_signers_key_file_is_refused(program: Program, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pem").write_bytes(content)
    assert program.run("signer", "show", tmp_path / "x.pem")[0] == 2
    assert program.run("signer", "show", tmp_path / "absent.pem")[0] == 2


def test_the_passphrase_comes_from_a_private_file(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE")
    monkeypatch.setattr(signing_keys, "is_interactive", lambda: False)
    file, secret = tmp_path / "signer.pem", tmp_path / "secret"
    code, _, err = program.run("signer", "new", "--out", file)
    assert (code, "--passphrase-file" in err, file.exists()) == (2, True, False)
    secret.write_text(f"{PASSPHRASE}\n")
    secret.chmod(0o644)
    code, _, err = program.run("signer", "new", "--out", file, "--passphrase-file", secret)
    assert (code, "chmod 600" in err) == (2, True)
    secret.chmod(0o600)
    assert program.run("signer", "new", "--out", file, "--passphrase-file", secret)[0] == 0
    assert signing_keys.open_signer(file, secret).did in file.read_text()
    secret.write_text("\n")
    assert program.run("signer", "new", "--out", tmp_path / "other.pem", "--passphrase-file", secret)[0] == 2


def test_a_file_that_cannot_be_written_is_said(program: Program, tmp_path: Path) -> None:
    code, _, err = program.run("signer", "new", "--out", tmp_path / "absent" / "signer.pem")
    assert (code, "cannot be written" in err) == (2, True)


def test_the_passphrase_is_asked_for_twice_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDANCHOR_PASSPHRASE", raising=False)
    with Terminal(tmp_path, ("signer", "new", "--out", "signer.pem")) as terminal:
        # The space comes when nothing is shown any more.
        for question in ("Passphrase of the signer's key: ", "Repeat for confirmation: "):
            terminal.until(question)
            terminal.type("quiet words\n")
        assert terminal.exit_code() == 0
        assert "quiet words" not in terminal.shown
    assert "did:key:z6Mk" in (tmp_path / "signer.pem").read_text()
