"""A small IT team's first day on a chain of its own: from an empty folder to a credential that verifies.

Three machines, by the program alone: the registrar's, the institution's, and the one that holds the keys, which knows
neither a node nor the settings. One key is a remote signer's.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account

from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import Testnet
from tests.support.remote_signer import stand_in

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DID = "did:web:college.example"
PASSPHRASE = "hunter2 é"
COIN = hex(10**18)
REMOTE_SECRET = b"\x44" * 32


@dataclass(kw_only=True)
class Machine:
    home: Path

    def does(self, *arguments: object, exits: int = 0, typed: str = "") -> str:
        """Run the program as installed; give what it printed."""
        command = [str(Path(sys.executable).with_name("credanchor")), *(str(each) for each in arguments)]
        environment = {**os.environ, "CREDANCHOR_HOME": str(self.home), "CREDANCHOR_PASSPHRASE": PASSPHRASE}
        ended = subprocess.run(
            command,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home.parent,
            env=environment,
            timeout=120,
        )
        printed = ended.stdout + ended.stderr
        assert ended.returncode == exits, printed
        assert "Traceback" not in printed
        assert PASSPHRASE not in printed
        return ended.stdout

    def makes(self, name: str) -> str:
        """Make a key; give its address."""
        return str(json.loads(self.does("key", "new", name, "--json"))["address"])


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    testnet = Testnet(tmp_path / "testnet")
    yield testnet.up(port=0).url
    testnet.down()


def test_from_an_empty_folder_to_a_credential_that_verifies(url: str, tmp_path: Path) -> None:
    registrar, college, vault = (Machine(home=tmp_path / name) for name in ("registrar", "college", "vault"))

    # The registrar deploys a registry, and has his key from elsewhere.
    registrar.does("init", "--rpc", url, "--chain", "31337")
    account = Account.create()
    registrar.does("key", "import", "registrar", typed=account.key.hex() + "\n")
    RpcNode(url).write("anvil_setBalance", [account.address, COIN])
    deployed = json.loads(registrar.does("registry", "deploy", "--key", "registrar", "--yes", "--json"))

    # The institution sets up, and says who its controller is; the registrar admits it.
    with stand_in(REMOTE_SECRET) as remote:
        (signer,) = remote.accounts.values()
        issuer = ("--did", DID, "--name", "Collège Boréalis", "--public-url", "https://credentials.college.example")
        college.does(
            "init", "--rpc", url, "--registry", deployed["registry"], *issuer, "--status-key", remote.reference(signer)
        )
        controller = college.makes("controller")
        registrar.does("issuer", "accredit", DID, "--controller", controller, "--key", "registrar", "--yes")
        college.does("issuer", "show", "--save")

        # Its anchoring key is made on another machine, which consents.
        anchor = vault.makes("anchor")
        college.does("issuer", "key", "request", "--scope", "anchor", "--out", tmp_path / "request.json")
        vault.does(
            "key", "consent", tmp_path / "request.json", "--key", "anchor", "--out", tmp_path / "consent.json", "--yes"
        )
        for each in (controller, anchor, signer.address):
            RpcNode(url).write("anvil_setBalance", [each, COIN])
        college.does("issuer", "key", "add", tmp_path / "consent.json", "--key", "controller", "--yes")
        options = ("--name", remote.reference(signer), "--scope", "status", "--key", "controller", "--yes")
        college.does("issuer", "key", "add", *options)

        # From the machine with the anchoring key, by the institution's settings, it issues.
        (vault.home / "settings.toml").write_bytes((college.home / "settings.toml").read_bytes())
        files = ("--achievement", EXAMPLES / "achievement.json", "--recipients", EXAMPLES / "roster-5.csv")
        vault.does("issue", *files, "--out", tmp_path / "issued")
        assert "5 valid" in college.does("verify", tmp_path / "issued")

        # The remote signer's key revokes.
        first = sorted((tmp_path / "issued").glob("*.json"))[0]
        college.does("revoke", first, "--reason", "issued-in-error")
        assert "4 valid" in college.does("verify", tmp_path / "issued", exits=1)
        assert remote.asked == ["eth_signTypedData", "eth_signTransaction"]

    # The anchoring key turns out to be stolen from the start.
    compromised = ("issuer", "key", "compromise", anchor, "--since", "start", "--key", "controller", "--yes")
    content = json.loads(college.does(*compromised, "--json"))
    assert content["effect"].startswith("1 batches with 5 credentials become void")
    assert "5 not valid" in college.does("verify", tmp_path / "issued", exits=1)
    assert json.loads(college.does("audit", "--json"))["complete"] is True
