"""A small IT team's first day on a chain of its own: from an empty folder to a credential that verifies.

Three machines, by the program alone: the registrar's, the institution's, and the one that holds the keys, which knows
neither a node nor the settings. One key is a remote signer's.
"""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account

from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import Testnet
from tests.support.homes import PASSPHRASE, Home, at_work
from tests.support.program import Program
from tests.support.remote_signer import stand_in

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DID = "did:web:college.example"
COIN = hex(10**18)
REMOTE_SECRET = b"\x44" * 32


@dataclass(kw_only=True)
class Machine(Home):
    """One home folder. Commands run in this process, for most of each one's time is the import of web3 and scrypt."""

    def does(self, *arguments: object, exits: int = 0) -> str:
        """Run the program; give what it printed to standard output."""
        code, out, err = self.run(*arguments)
        assert code == exits, out + err
        assert PASSPHRASE not in out + err
        return out

    def makes(self, name: str) -> str:
        """Make a key; give its address."""
        return str(json.loads(self.does("key", "new", name, "--json"))["address"])


def verify(machine: Machine, folder: Path, exits: int = 0) -> str:
    """Verify as anybody would, by the policy that was written."""
    code, out, err = Program.run(machine, "verify", folder, "--policy", machine.home / "policy.json")
    assert code == exits, out + err
    return out


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    testnet = Testnet(tmp_path / "testnet")
    yield testnet.up(port=0).url
    testnet.down()


def test_from_an_empty_folder_to_a_credential_that_verifies(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(monkeypatch)
    places = ("registrar", "college", "vault")
    registrar, college, vault = (Machine(home=tmp_path / name, capsys=capsys) for name in places)

    # The registrar deploys a registry, and has his key from elsewhere.
    registrar.does("init", "--rpc", url, "--chain", "31337")
    account = Account.create()
    monkeypatch.setattr(sys, "stdin", io.StringIO(account.key.hex() + "\n"))
    registrar.does("key", "import", "registrar")
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
        assert "5 valid" in verify(college, tmp_path / "issued")

        # The remote signer's key revokes.
        first = sorted((tmp_path / "issued").glob("*.json"))[0]
        college.does("revoke", first, "--reason", "issued-in-error")
        assert "4 valid" in verify(college, tmp_path / "issued", exits=1)
        assert remote.asked == ["eth_signTypedData", "eth_signTransaction"]

    # Its signer down, nothing is signed, and nothing claimed.
    second = sorted((tmp_path / "issued").glob("*.json"))[1]
    college.does("suspend", second, exits=3)

    # The anchoring key turns out to be stolen from the start.
    compromised = ("issuer", "key", "compromise", anchor, "--since", "start", "--key", "controller", "--yes")
    content = json.loads(college.does(*compromised, "--json"))
    assert content["effect"].startswith("1 batch with 5 credentials")
    assert "5 not valid" in verify(college, tmp_path / "issued", exits=1)
    assert (
        json.loads(Program.run(college, "audit", "--policy", college.home / "policy.json", "--json")[1])["complete"]
        is True
    )
