"""`credanchor dev`: a testnet with everything on it, in one command, that survives what happens to it."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from anchor.ledger.keys import KeyStore
from anchor.ledger.rpc import RpcNode
from anchor.policy import parse_policy
from registry.settings import load_settings
from tests.support.bureau import Bureau


@pytest.fixture
def bureau(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    bureau = Bureau(home=tmp_path / "home", capsys=capsys)
    monkeypatch.setenv("CREDANCHOR_HOME", str(bureau.home))
    yield bureau
    bureau.run("dev", "down")


def test_the_life_of_a_testnet(bureau: Bureau) -> None:
    # Nothing there: nothing runs, and nothing is made by asking.
    assert bureau.run("dev", "status") == (1, "the local testnet does not run: start it with `credanchor dev up`\n", "")
    assert bureau.run("dev", "down")[:2] == (0, "the local testnet was not running\n")
    assert not bureau.home.exists()

    # Up: all that the other commands need.
    code, out, _ = bureau.run("dev", "up", "--port", "0")
    assert code == 0
    assert "deployed just now" in out
    settings = load_settings(bureau.home)
    policy = parse_policy((bureau.home / "policy.json").read_bytes())
    assert policy.registries[0].registry == settings.registry_id
    assert (policy.confirmations, policy.max_age_seconds, policy.nodes) == (0, None, (settings.rpc_url,))
    for path in (bureau.home, *bureau.home.glob("keys/*"), bureau.home / "dev-passphrase"):
        assert path.stat().st_mode & 0o077 == 0

    # Again: nothing changes.
    code, first = bureau.run_json("dev", "up")
    assert (code, first["setUpNow"], first["registry"]) == (0, False, settings.registry)

    # What somebody has edited stays.
    policy_file = bureau.home / "policy.json"
    policy_file.write_text(
        policy_file.read_text().replace('"deniedIssuers": []', '"deniedIssuers": ["did:web:no.example"]')
    )
    assert bureau.run("dev", "up")[0] == 0
    assert "did:web:no.example" in policy_file.read_text()

    # Killed: it comes back with its chain.
    os.kill(bureau.pid(), signal.SIGKILL)
    assert bureau.run("dev", "status")[0] == 1
    code, again = bureau.run_json("dev", "up")
    assert (code, again["setUpNow"], again["registry"], again["issuerId"]) == (0, False, settings.registry, 1)
    assert "not stopped with `down`" in again["notices"][0]

    # Down, and up once more.
    assert bureau.run_json("dev", "down") == (0, {"format": "credanchor/dev@v1", "running": False, "stopped": True})
    code, once_more = bureau.run_json("dev", "up")
    assert (code, once_more["setUpNow"], once_more["blockNumber"]) == (0, False, first["blockNumber"])

    # The chain lost: a new registry, with the same keys.
    bureau.run("dev", "down")
    for path in (bureau.home / "testnet").glob("*state*"):
        path.unlink()
    keys = KeyStore(bureau.home / "keys").list()
    code, anew = bureau.run_json("dev", "up")
    assert (code, anew["setUpNow"]) == (0, True)
    assert "a new one was deployed" in anew["notices"][-1]
    assert KeyStore(bureau.home / "keys").list() == keys
    assert bureau.run("dev", "status")[0] == 0


def test_registry_of_another_version_is_replaced_and_that_is_said(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = bureau.run_json("dev", "up", "--port", "0")
    assert first["notices"] == []
    # As if the contract had been compiled anew since: at the registry's address there is other code.
    node = RpcNode(load_settings(bureau.home).rpc_url)
    node.write("anvil_setCode", [first["registry"].rpartition(":")[2], "0x00"])
    code, out, err = bureau.run("dev", "up")
    assert code == 0
    assert "deployed just now" in out
    assert first["registry"] in err
    assert "issue it anew" in err
    assert bureau.run("audit")[0] == 0
    assert bureau.run_json("dev", "up")[1]["notices"] == []


def test_settings_of_another_set_up_are_never_overwritten(bureau: Bureau) -> None:
    bureau.home.mkdir()
    text = (
        'public_url = "https://x.example"\nrpc_url = "https://node.example"\nissuer_id = 1\nissuer_did = "did:web:x"\n'
        f'registry = "eip155:1:0x{"ab" * 20}"\nissuer_name = "X"\nanchor_key = "a.json"\nstatus_key = "b.json"\n'
    )
    (bureau.home / "settings.toml").write_text(text)
    code, _, error = bureau.run("dev", "up", "--port", "0")
    assert code == 1
    assert "another set-up" in error
    assert (bureau.home / "settings.toml").read_text() == text


def test_a_folder_that_init_has_begun_is_another_set_up_too(bureau: Bureau) -> None:
    bureau.home.mkdir()
    (bureau.home / "settings.toml").write_text('rpc_url = "http://127.0.0.1:1"\nchain_id = 31337\n')
    code, _, error = bureau.run("dev", "up", "--port", "0")
    assert code == 1
    assert "another set-up" in error


def test_killed_half_way_it_is_set_up_by_the_next_up(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.services import devnet

    def fail(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(devnet, "write_whole", fail)
        bureau.run("dev", "up", "--port", "0")
    assert not (bureau.home / "settings.toml").exists()
    code, content = bureau.run_json("dev", "up")
    assert (code, content["setUpNow"]) == (0, True)


def test_a_port_that_is_taken(bureau: Bureau) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, _ = bureau.run("dev", "up", "--port", taken.getsockname()[1], "--json")
    assert code == 3
    assert "taken" in json.loads(out)["error"]["message"]
