"""Setting up a home folder: what was answered is checked against the node, then written to settings and policy.

1  check      the node serves the chain; if a registry is named, its code is this version's; the issuer's number
2  policy     policy.json, unless no registry is known yet: whoever deploys one writes it then
3  settings   settings.toml, last, so that where it is, the rest is
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.client import LedgerClient
from anchor.ledger.contract import check_code
from anchor.ledger.testnet import CHAIN_ID
from anchor.model import Policy, RegistryId, TrustedRegistry, Vouching
from anchor.policy import policy_to_text
from registry.errors import ConflictError, NotFoundError, SettingsError
from registry.services.governance import Governance
from registry.services.ledger_state import LedgerView
from registry.settings import POLICY_FILE, SETTINGS_FILE, check_settings, settings_to_text, write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What whoever sets up has said."""

    rpc_url: str
    chain_id: int
    registry: RegistryId | None = None
    issuer_did: str | None = None
    issuer_name: str | None = None
    issuer_url: str | None = None
    public_url: str | None = None
    anchor_key: str | None = None
    status_key: str | None = None
    passphrase_file: str | None = None
    issuer_id: int | None = None
    """Found on the ledger by `check_answers`."""

    def settings(self) -> dict[str, str | int]:
        """Give the settings that follow, those that are missing left out."""
        values: dict[str, str | int | None] = {
            "rpc_url": self.rpc_url,
            "chain_id": self.chain_id,
            "registry": None if self.registry is None else self.registry.to_text(),
            "public_url": self.public_url,
            "issuer_id": self.issuer_id,
            "issuer_did": self.issuer_did,
            "issuer_name": self.issuer_name,
            "issuer_url": self.issuer_url,
            "anchor_key": self.anchor_key,
            "status_key": self.status_key,
            "passphrase_file": self.passphrase_file,
        }
        return {name: value for name, value in values.items() if value is not None}


def check_answers(client: LedgerClient, answers: Answers) -> Answers:
    """Take step 1.

    Returns:
        The answers, with the issuer's number if the registry has accredited the DID.

    Raises:
        SettingsError: An answer breaks its format, or the registry is on another chain.
        WrongLedgerError: The node serves another chain, or has another contract at the registry's address.
        LedgerUnavailableError: The node did not answer.
        UndeterminedError: Its proofs do not hold.
    """
    check_settings(answers.settings())
    client.require_chain(answers.chain_id)
    if answers.registry is None:
        return answers
    check_code(client, answers.registry.address, runtime_code_hash())
    if answers.issuer_did is None:
        return answers
    try:
        facts = Governance(LedgerView(client, answers.registry)).issuer_called(answers.issuer_did)
    except NotFoundError:
        return answers
    return replace(answers, issuer_id=facts.issuer_id)


def require_unused(home: Path) -> None:
    """Check that a home folder has no settings or policy yet.

    Raises:
        ConflictError: It has.
    """
    for name in (SETTINGS_FILE, POLICY_FILE):
        if (home / name).exists():
            raise ConflictError(
                f"there is {home / name} already",
                advice="Edit it; or choose another folder with --home; or replace settings and policy with --force.",
            )


def write_home(home: Path, answers: Answers, policy: Policy | None) -> None:
    """Take steps 2 and 3.

    Args:
        home: The folder; it is made.
        answers: As `check_answers` gave them.
        policy: What this home's verifier trusts; default: the registry, once it is known.

    Raises:
        SettingsError: The files cannot be written.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if policy is None and answers.registry is not None:
            policy = policy_for(answers.registry, answers.rpc_url)
        if policy is not None:
            write_whole(home / POLICY_FILE, policy_to_text(policy))
        else:
            # One of an earlier set-up would trust a registry that is not the one to come.
            (home / POLICY_FILE).unlink(missing_ok=True)
        write_whole(home / SETTINGS_FILE, settings_to_text(answers.settings()))
    except OSError as error:
        raise SettingsError(f"the home folder {home} cannot be written: {error.strerror}") from error


def policy_for(registry: RegistryId, rpc_url: str, name: str = "") -> Policy:
    """Trust one registry, with the code of this version, and the node for the block hash.

    A local testnet makes blocks only with transactions, and finalises late: there any age will do, and the newest
    block. Elsewhere the chain's own finality counts, and blocks of the last hour.
    """
    policy = Policy(
        registries=(TrustedRegistry(registry=registry, code_hash=runtime_code_hash(), name=name),),
        vouching=Vouching.ONE_NODE,
        nodes=(rpc_url,),
    )
    return replace(policy, confirmations=0, max_age_seconds=None) if registry.chain_id == CHAIN_ID else policy
