"""Deploying a registry, and what is kept of it: settings, policy, and what explorers need to verify its code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anchor.ledger.abi import compiler_input, contract_build
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.contract import deployed_registry
from anchor.model import Hash32, RegistryId, to_hex
from anchor.policy import policy_to_text
from registry.errors import SettingsError
from registry.services.setup import policy_for
from registry.settings import POLICY_FILE, complete_settings, write_whole

VERIFICATION_FOLDER: Final = "verification"
INPUT_FILE: Final = "CredentialRegistry.input.json"
DEPLOYMENT_FILE: Final = "deployment.json"
FORMAT: Final = "credanchor/deployment@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A registry that was deployed, with what an explorer asks for."""

    registry: RegistryId
    transaction_hash: Hash32
    block_number: int
    gas_used: int
    cost_wei: int
    constructor_arguments: bytes
    folder: Path
    """Where `INPUT_FILE` and `DEPLOYMENT_FILE` are."""

    def content(self) -> dict[str, object]:
        """Give it as a JSON document."""
        return {
            "format": FORMAT,
            "registry": self.registry.to_text(),
            "transaction": to_hex(self.transaction_hash),
            "blockNumber": self.block_number,
            "gasUsed": self.gas_used,
            "costWei": str(self.cost_wei),
            "verification": {
                "contract": contract_build().full_name,
                "compilerVersion": f"v{contract_build().compiler_version}",
                "standardJsonInput": str(self.folder / INPUT_FILE),
                "constructorArguments": self.constructor_arguments.hex(),
            },
        }


def keep_deployment(
    home: Path, client: LedgerClient, chain_id: int, rpc_url: str, call: Call, receipt: Receipt
) -> Deployment:
    """Check what was deployed, and write it down: the files for explorers, a policy if there is none, the settings.

    Raises:
        WrongLedgerError: It is not the contract of this version.
        SettingsError: The files cannot be written; asking for the same deployment again writes them.
    """
    deployment = Deployment(
        registry=deployed_registry(client, chain_id, receipt),
        transaction_hash=receipt.transaction_hash,
        block_number=receipt.block_number,
        gas_used=receipt.gas_used,
        cost_wei=receipt.gas_used * receipt.gas_price_wei,
        constructor_arguments=call.data.removeprefix(contract_build().bytecode),
        folder=home / VERIFICATION_FOLDER,
    )
    try:
        deployment.folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(deployment.folder / INPUT_FILE, compiler_input())
        write_whole(deployment.folder / DEPLOYMENT_FILE, json.dumps(deployment.content(), indent=2) + "\n")
        if not (home / POLICY_FILE).exists():
            write_whole(home / POLICY_FILE, policy_to_text(policy_for(deployment.registry, rpc_url)))
    except OSError as error:
        raise SettingsError(f"the home folder {home} cannot be written: {error.strerror}") from error
    complete_settings(home, {"registry": deployment.registry.to_text()})
    return deployment
