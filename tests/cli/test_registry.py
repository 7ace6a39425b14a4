"""`credanchor registry`: a registry deployed after a question, and what is proven of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from eth_abi.abi import decode

from anchor.errors import LedgerUnavailableError, NodeRefusedError
from anchor.ledger.abi import contract_build
from anchor.ledger.answers import Receipt
from anchor.ledger.client import LedgerClient
from anchor.ledger.testnet import dev_signer
from anchor.model import RegistryId, parse_hex, to_hex
from anchor.policy import parse_policy
from registry.cli import writing
from registry.errors import ConflictError
from registry.services import deploy as deploy_service
from registry.services.ledger_state import LedgerView
from registry.services.setup_sending import SetupSender
from registry.settings import load_draft
from tests.ledger.chain import ADMIN, DID, STRANGER, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.homes import PASSPHRASE, Home, at_work, home_in

__all__ = ["chain", "session_chain"]

PAYER = 5


@pytest.fixture
def office(chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Home:
    """A folder after `init` and `key import`, before there is a registry."""
    at_work(monkeypatch)
    office = home_in(tmp_path / "home", capsys)
    assert office.run("init", "--rpc", chain.url)[0] == 0
    office.take("payer", PAYER)
    return office


def answering(monkeypatch: pytest.MonkeyPatch, answer: bool) -> list[str]:
    asked: list[str] = []

    def confirm(question: str, *, err: bool) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(writing, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    return asked


def sent_count(chain: Chain, account: int = PAYER) -> int:
    return chain.client.mined_count(dev_signer(account).address)


def test_it_shows_the_cost_asks_and_deploys(office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, True)
    code, out, err = office.run("registry", "deploy", "--key", "payer")
    assert code == 0
    assert asked == ["Send it?"]
    shown = " ".join(err.split())
    assert "chain 31337 (a local testnet)" in shown
    assert "gas in 1 transaction, about" in shown
    assert f"sent by {to_hex(dev_signer(PAYER).address)}, which has" in shown
    assert PASSPHRASE not in out + err
    registry = RegistryId.parse(load_draft(office.home).registry or "")
    assert registry.to_text() in out
    LedgerView(chain.client, registry).state([])  # its code is proven to be right
    policy = parse_policy((office.home / "policy.json").read_bytes())
    assert [pin.registry for pin in policy.registries] == [registry]
    assert list((office.home / "sent").iterdir()) == []


def test_admin_accreditor_and_delay_are_as_said(office: Home, chain: Chain) -> None:
    admin, accreditor = to_hex(dev_signer(ADMIN).address), to_hex(dev_signer(STRANGER).address)
    options = ("--admin", admin, "--accreditor", accreditor, "--admin-delay", 3)
    code, content = office.run_json("registry", "deploy", "--key", "payer", "--yes", *options)
    assert code == 0
    assert content["format"] == "credanchor/deployment@v1"
    office.take("registrar", STRANGER)
    code, shown = office.run_json("registry", "show")
    assert code == 0
    assert (shown["registry"], shown["issuerCount"], shown["issuers"]) == (content["registry"], 0, [])
    assert (shown["admin"], shown["adminDelaySeconds"], shown["accreditorKeys"]) == (admin, 3 * 3600, ["registrar"])


def test_what_explorers_ask_for_is_written(office: Home, chain: Chain) -> None:
    _, content = office.run_json("registry", "deploy", "--key", "payer", "--yes")
    verification = content["verification"]
    assert json.loads((office.home / "verification" / "deployment.json").read_bytes()) == content
    payer = to_hex(dev_signer(PAYER).address)
    arguments = bytes.fromhex(verification["constructorArguments"])
    assert decode(["address", "address", "uint48"], arguments) == (payer, payer, 48 * 3600)
    given = json.loads(Path(verification["standardJsonInput"]).read_bytes())
    assert verification["contract"] == "src/CredentialRegistry.sol:CredentialRegistry"
    assert "src/CredentialRegistry.sol" in given["sources"]
    # The transaction that made the contract is the code that is packaged, then these arguments.
    made = chain.node.read("eth_getTransactionByHash", [content["transaction"]])
    assert parse_hex(made["input"]) == contract_build().bytecode + arguments


def test_no_means_no(office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, False)
    before = sent_count(chain)
    code, _, err = office.run("registry", "deploy", "--key", "payer")
    assert code == 1
    assert "nothing was done" in err
    assert sent_count(chain) == before
    assert load_draft(office.home).registry is None


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_without_anybody_to_ask_it_wants_a_yes_beforehand(office: Home, chain: Chain, more: list[str]) -> None:
    before = sent_count(chain)
    code, out, err = office.run("registry", "deploy", "--key", "payer", *more)
    assert code == 2
    assert "--yes" in out + err
    assert sent_count(chain) == before


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "no key is named"),
        (["--key", "absent"], 2, "there is no key absent"),
        (["--key", "payer", "--admin", "0x12"], 2, "40 hex digits"),
        (["--key", "payer", "--admin", "0x" + "00" * 20], 1, "refused to deploy"),
        (["--key", "poor"], 3, "not enough coin"),
    ],
)
def test_what_cannot_be(office: Home, chain: Chain, options: list[str], code: int, words: str) -> None:
    office.run("key", "new", "poor")
    found, _, err = office.run("registry", "deploy", "--yes", *options)
    assert found == code
    assert words in err
    assert load_draft(office.home).registry is None


def test_one_folder_has_one_registry(office: Home, chain: Chain) -> None:
    assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 0
    before = sent_count(chain)
    code, _, err = office.run("registry", "deploy", "--key", "payer", "--yes")
    assert code == 1
    assert "name a registry already" in err
    assert sent_count(chain) == before


def test_killed_before_it_was_written_down_nothing_is_deployed_twice(
    office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sent_count(chain)

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deploy_service, "deployed_registry", killed)
        office.run("registry", "deploy", "--key", "payer", "--yes")
    assert load_draft(office.home).registry is None
    code, out, err = office.run("registry", "deploy", "--key", "payer", "--yes")
    assert code == 0
    assert "had been sent before" in err
    assert "deployed: eip155:31337:0x" in out
    assert sent_count(chain) == before + 1


def test_its_answer_lost_it_is_not_sent_again(office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sent_count(chain)

    def no_receipt(_client: LedgerClient, _hash: bytes) -> Receipt | None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "receipt", no_receipt)
        patch.setattr(LedgerClient, "knows_transaction", lambda *_arguments: True)
        patch.setenv("CREDANCHOR_WAIT_SECONDS", "0.1")
        code, _, err = office.run("registry", "deploy", "--key", "payer", "--yes")
    assert code == 3
    assert "not mined" in err
    assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 0
    assert sent_count(chain) == before + 1


def test_what_no_node_has_is_dropped_for_something_else(
    office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_client: LedgerClient, _raw: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "send_raw", lost)
        office.run("registry", "deploy", "--key", "payer", "--yes", "--admin-delay", 1)
    assert len(list((office.home / "sent").iterdir())) == 1
    code, _, err = office.run("registry", "deploy", "--key", "payer", "--yes", "--admin-delay", 2)
    assert code == 0
    assert "had been sent before" not in err
    assert office.run_json("registry", "show")[1]["adminDelaySeconds"] == 2 * 3600


def test_what_a_node_will_not_take_is_signed_anew(office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_client: LedgerClient, _raw: bytes) -> None:
        raise NodeRefusedError("no", text="max fee per gas less than block base fee")

    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "send_raw", refuse)
        assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 3
    assert list((office.home / "sent").iterdir()) == []
    assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 0

    # And so when the bytes were kept, for nobody knew, and only later no node takes them.
    (office.home / "settings.toml").unlink()
    office.run("init", "--force", "--rpc", chain.url)
    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "send_raw", _unavailable)
        assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 3
        assert len(list((office.home / "sent").iterdir())) == 1
        patch.setattr(LedgerClient, "send_raw", refuse)
        assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 3
    assert list((office.home / "sent").iterdir()) == []


def test_a_node_that_will_not_say_is_no_reason_to_send_anew(
    office: Home, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sent_count(chain)

    def refuse(_client: LedgerClient, _hash: bytes) -> Receipt | None:
        raise NodeRefusedError("no", text="too many requests")

    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "receipt", refuse)
        patch.setenv("CREDANCHOR_WAIT_SECONDS", "0.1")
        for _ in range(2):
            assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 3
            assert len(list((office.home / "sent").iterdir())) == 1
    assert office.run("registry", "deploy", "--key", "payer", "--yes")[0] == 0
    assert sent_count(chain) == before + 1


def test_two_processes_of_one_account_take_turns(office: Home, chain: Chain) -> None:
    # As if another process had just kept what it is about to send: nothing of it is touched.
    account = dev_signer(ADMIN).address
    path = office.home / "sent" / f"31337-{to_hex(account)}.json"
    path.parent.mkdir()
    sender = SetupSender(chain.sender(ADMIN), office.home / "sent", wait_seconds=1)
    path.write_text("{")
    with pytest.raises(ConflictError, match="another process"):
        sender.execute(chain.contract.accredit(did="did:web:x", controller=account), lambda receipt: receipt)
    assert path.read_text() == "{"


def _unavailable(_client: LedgerClient, _raw: bytes) -> None:
    raise LedgerUnavailableError("the node cannot be reached")


def test_it_costs_no_more_than_allowed(office: Home, chain: Chain) -> None:
    options = ("--key", "payer", "--yes", "--max-cost", "0.0001")
    code, _, err = office.run("registry", "deploy", *options)
    assert code == 3
    assert "more than the 100000000000000 allowed" in err
    assert list(office.home.glob("sent/*")) == []


@pytest.mark.parametrize("content", ["", "{}", '{"raw": "x"}'])
def test_a_damaged_file_of_what_was_sent(office: Home, chain: Chain, content: str) -> None:
    path = office.home / "sent" / f"31337-{to_hex(dev_signer(PAYER).address)}.json"
    path.parent.mkdir()
    path.write_text(content)
    code, _, err = office.run("registry", "deploy", "--key", "payer", "--yes")
    assert code == 3
    assert "is damaged" in err
    assert path.read_text() == content


def test_show_proves_the_issuers(office: Home, chain: Chain) -> None:
    settings: dict[str, Any] = {"registry": chain.registry.to_text(), "issuer_did": DID}
    (office.home / "settings.toml").write_text(
        office.settings_text() + "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    )
    office.take("admin", ADMIN)
    code, shown = office.run_json("registry", "show")
    assert code == 0
    (issuer,) = shown["issuers"]
    assert (issuer["issuer"], issuer["did"], issuer["withdrawnAt"]) == (chain.issuer_id, DID, None)
    assert shown["accreditorKeys"] == ["admin"]
    code, out, _ = office.run("registry", "show")
    assert f"{DID}, accredited" in out
    assert f"admin        {to_hex(dev_signer(ADMIN).address)}" in out


def test_show_without_a_registry_or_with_another_contract(office: Home, chain: Chain) -> None:
    code, _, err = office.run("registry", "show")
    assert code == 2
    assert "credanchor registry deploy" in err
    text = office.settings_text()
    (office.home / "settings.toml").write_text(text + f'registry = "eip155:31337:0x{"ab" * 20}"\n')
    code, _, err = office.run("registry", "show")
    assert code == 3
    assert "no contract" in err
