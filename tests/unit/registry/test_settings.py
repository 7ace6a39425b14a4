from pathlib import Path

import pytest
from sqlalchemy import make_url

from anchor.errors import KeyUnavailableError
from registry.errors import ConflictError, SettingsError
from registry.services.locks import ProcessLock
from registry.settings import (
    complete_settings,
    find_home,
    load_draft,
    load_settings,
    read_passphrase,
    settings_to_text,
)
from tests.support.registry import DID, REGISTRY

VALUES: dict[str, str | int] = {
    "public_url": "https://credentials.college.example",
    "rpc_url": "http://127.0.0.1:8545",
    "registry": REGISTRY.to_text(),
    "issuer_id": 3,
    "issuer_did": DID,
    "issuer_name": 'Collège "Boréalis" \\ ᐃᓄᒃ',
    "anchor_key": "keys/anchor.json",
    "status_key": "/elsewhere/status.json",
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "PASSPHRASE", "RPC_URL"):
        monkeypatch.delenv(f"CREDANCHOR_{name}", raising=False)


def write(folder: Path, **changes: str | int) -> Path:
    (folder / "settings.toml").write_text(settings_to_text({**VALUES, **changes}), "utf-8")
    return folder


def ask() -> str:
    return "asked"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path))
    assert {name: getattr(settings, name) for name in ("issuer_id", "issuer_did", "issuer_name")} == {
        name: VALUES[name] for name in ("issuer_id", "issuer_did", "issuer_name")
    }
    assert settings.registry_id == REGISTRY
    assert settings.store_url == f"sqlite:///{tmp_path / 'registry.db'}"
    odd = tmp_path / "q?x=1%20"
    odd.mkdir()
    assert make_url(load_settings(write(odd)).store_url).database == str(odd / "registry.db")
    assert settings.path(settings.anchor_key) == tmp_path / "keys" / "anchor.json"
    assert settings.path(settings.status_key) == Path("/elsewhere/status.json")
    assert settings.issuer_url is None


def test_another_database(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, database_url="sqlite:////srv/x.db")).store_url == "sqlite:////srv/x.db"


def test_the_environment_goes_before_the_file_but_not_for_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_RPC_URL", "https://node.example")
    monkeypatch.setenv("CREDANCHOR_HOME", "/elsewhere")
    settings = load_settings(write(tmp_path))
    assert (settings.rpc_url, settings.home) == ("https://node.example", tmp_path)


def test_which_folder_is_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_home(None) == tmp_path / ".credanchor"
    monkeypatch.setenv("CREDANCHOR_HOME", str(tmp_path / "b"))
    assert find_home(None) == tmp_path / "b"
    assert find_home(Path("c")) == tmp_path / "c"


def test_not_set_up(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not set up") as caught:
        load_settings(tmp_path)
    assert "credanchor dev up" in caught.value.advice


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"registry": "0x00"}, "registry"),
        ({"issuer_id": 0}, "issuer_id"),
        ({"issuer_did": "college.example"}, "issuer_did"),
        ({"rpc_url": "ftp://x"}, "rpc_url"),
        ({"public_url": "https://"}, "public_url"),
        ({"issuer_name": ""}, "issuer_name"),
        ({"wait_seconds": 0}, "wait_seconds"),
        ({"misspelt": "x"}, "misspelt"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, changes: dict[str, str | int], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_settings(write(tmp_path, **changes))


def test_wrong_values_are_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, rpc_url="ftp://user:secret@node.example"))
    assert "secret" not in caught.value.diagnostics()


@pytest.mark.parametrize("content", [b"not toml =", b"\xff"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.toml").write_bytes(content)
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


def test_the_passphrase_from_a_private_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, passphrase_file="secret"))
    (tmp_path / "secret").write_text("hunter2 é\r\n", "utf-8")
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(KeyUnavailableError, match="read by others"):
        read_passphrase(settings, ask)
    (tmp_path / "secret").chmod(0o600)
    assert read_passphrase(settings, ask) == "hunter2 é"
    (tmp_path / "secret").unlink()
    with pytest.raises(KeyUnavailableError, match="cannot be read"):
        read_passphrase(settings, ask)


def test_the_passphrase_asked_for_or_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(write(tmp_path))
    assert read_passphrase(settings, ask) == "asked"
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", "given")
    assert read_passphrase(settings, ask) == "given"


def test_a_lock_keeps_others_out_and_says_so(tmp_path: Path) -> None:
    def lock() -> ProcessLock:
        return ProcessLock(tmp_path / "locks" / "x.lock", what="sends for this account", timeout_seconds=0.05)

    with lock(), pytest.raises(ConflictError, match="another process sends for this account"):
        lock().__enter__()
    with lock():
        assert (tmp_path / "locks" / "x.lock").exists()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConflictError, match="cannot be made"):
        ProcessLock(tmp_path / "file" / "x.lock", what="x", timeout_seconds=0.05).__enter__()


def test_a_draft_is_enough_for_setting_up_but_not_for_issuing(tmp_path: Path) -> None:
    text = settings_to_text({"rpc_url": "http://127.0.0.1:8545", "chain_id": 31337, "issuer_did": DID})
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    draft = load_draft(tmp_path)
    assert (draft.chain_id, draft.issuer_did, draft.registry, draft.issuer_id) == (31337, DID, None, None)
    with pytest.raises(SettingsError, match="registry: Field required") as caught:
        load_settings(tmp_path)
    for command in ("registry deploy", "issuer show --save", "key new anchor", "key new status"):
        assert f"credanchor {command}" in caught.value.advice


def test_wrong_settings_are_to_be_mended_before_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('rpc_url = "ftp://x"\n', "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert caught.value.advice.startswith("Mend them.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"chain_id": 1}, "different chains"),
        ({"chain_id": 0}, "chain_id"),
        ({"anchor_key": "http://user:hunter2@signer.example:9000"}, "remote signer"),
    ],
)
def test_settings_that_contradict_each_other(tmp_path: Path, changes: dict[str, str | int], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_draft(write(tmp_path, **changes))
    assert "hunter2" not in caught.value.diagnostics()


def test_completing_leaves_what_somebody_wrote(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('# Ours.\nrpc_url = "http://127.0.0.1:1" # the node\nissuer_id = 1\nissuer_name = "é"\n', "utf-8")
    complete_settings(tmp_path, {"registry": REGISTRY.to_text(), "issuer_id": 2})
    lines = path.read_text("utf-8").splitlines()
    assert lines[:3] == ["# Ours.", 'rpc_url = "http://127.0.0.1:1" # the node', 'issuer_name = "é"']
    draft = load_draft(tmp_path)
    assert (draft.registry, draft.issuer_id, draft.issuer_name) == (REGISTRY.to_text(), 2, "é")
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text",
    [
        'rpc_url = "http://x"\nissuer_name = """\nissuer_id = 5"""\n',
        'rpc_url = "http://x"\nissuer_name = """\n[x]"""\n',
    ],
)
def test_what_a_program_cannot_complete_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="cannot be changed by a program") as caught:
        complete_settings(tmp_path, {"issuer_id": 2})
    assert "issuer_id = 2" in caught.value.advice
    assert (tmp_path / "settings.toml").read_text("utf-8") == text
