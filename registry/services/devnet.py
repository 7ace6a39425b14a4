"""The local testnet with everything on it: a registry, an accredited demo issuer, its keys, settings and a policy.

    1  anvil            started, or found running
    2  keys             made once, under a passphrase that is made once too and lies beside them: for trying things out
    3  registry         deployed by a key that everybody knows
    4  issuer, keys     accredited and added, with the keys' consent
    5  settings.toml, policy.json

Killed at any point, `up` does again what is missing; files come last, so that where they are, everything is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anchor.errors import UndeterminedError, WrongLedgerError
from anchor.events import IssuerAccredited, KeyAdded
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.contract import KeyConsent, RegistryContract, deployed_registry, deployment, require_event
from anchor.ledger.keys import KeyStore, Signer
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import CHAIN_ID, Testnet, TestnetStatus, dev_signer
from anchor.ledger.transactions import SignedTransaction, TransactionSender
from anchor.model import KeyScope, RegistryId, to_hex
from anchor.policy import policy_to_text
from registry.errors import ConflictError, SettingsError
from registry.services.ledger_state import LedgerView
from registry.services.locks import ProcessLock
from registry.services.setup import policy_for
from registry.settings import (
    KEYS_FOLDER,
    POLICY_FILE,
    SETTINGS_FILE,
    TESTNET_FOLDER,
    Settings,
    load_draft,
    load_settings,
    settings_to_text,
    write_whole,
)

ISSUER_DID: Final = "did:web:college.example"
ISSUER_NAME: Final = "Collège Boréalis / Borealis College"
ISSUER_URL: Final = "https://college.example"
PUBLIC_URL: Final = "http://127.0.0.1:8000"
REGISTRY_NAME: Final = "Local testnet"

PASSPHRASE_FILE: Final = "dev-passphrase"  # noqa: S105 - the name of the file
_SCOPES: Final = (KeyScope.ANCHOR, KeyScope.STATUS)

_ACCREDITOR, _CONTROLLER = 0, 1
"""Which of the testnet's accounts plays which part."""
_BALANCE_WEI: Final = 100 * 10**18
_ADMIN_DELAY_SECONDS: Final = 3600
_CONSENT_SECONDS: Final = 3600
_WAIT_SECONDS: Final = 30.0
_LOCK_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DevnetStatus:
    """How the local testnet and what is on it are."""

    testnet: TestnetStatus
    settings: Settings | None
    """None before the first `up`."""
    was_set_up: bool = False
    """A new registry was deployed just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoInstitution:
    """What settings say of an institution that was admitted on the local testnet."""

    registry: RegistryId
    issuer_id: int
    anchor_key: str
    status_key: str


class Devnet:
    """The local testnet of one home folder.

    Args:
        home: The folder.
        report: Told what is being done, in a few words.
    """

    def __init__(self, home: Path, report: Callable[[str], None] = lambda _step: None) -> None:
        self._home: Final = home
        self._report: Final = report
        self._testnet: Final = Testnet(home / TESTNET_FOLDER)
        self._lock: Final = ProcessLock(
            home / "dev.lock", what="sets up this local testnet", timeout_seconds=_LOCK_SECONDS
        )

    def up(self, *, now: int, port: int | None = None) -> DevnetStatus:
        """Start what does not run, and set up what is missing.

        Args:
            now: Unix seconds.
            port: Port of the node; default: that of the last time.

        Raises:
            ConflictError: The home folder belongs to another set-up than the local testnet.
            LedgerError: anvil is not installed, or does not start.
        """
        with self._lock:
            settings = self._own_settings()
            self._report("starting the node")
            testnet = self._testnet.up(port=port)
            client = LedgerClient(testnet.url)
            if settings is not None and self._is_on(client, settings):
                # What somebody has edited stays, unless the node has moved.
                if settings.rpc_url != testnet.url or not (self._home / POLICY_FILE).exists():
                    self._write_files(settings.registry_id, settings.issuer_id, testnet.url)
                return DevnetStatus(testnet=testnet, settings=load_settings(self._home))
            registry, issuer_id = self._set_up(client, testnet.url, now)
            self._write_files(registry, issuer_id, testnet.url)
        notices = (*testnet.notices, *([] if settings is None else [_replaced(settings)]))
        return DevnetStatus(testnet=self._testnet_now(notices), settings=load_settings(self._home), was_set_up=True)

    def down(self) -> bool:
        """Save the chain and stop the node; tell whether it was running."""
        return (self._home / TESTNET_FOLDER).exists() and self._testnet.down()

    def status(self) -> DevnetStatus:
        """Look how things are, changing nothing."""
        return DevnetStatus(testnet=self._testnet.status(), settings=self._own_settings())

    def _own_settings(self) -> Settings | None:
        """Read the settings, if they are there and those of a local testnet."""
        if not (self._home / SETTINGS_FILE).exists():
            return None
        draft = load_draft(self._home)
        registry = draft.registry or ""
        if draft.passphrase_file != Path(PASSPHRASE_FILE) or not registry.startswith(f"eip155:{CHAIN_ID}:"):
            raise ConflictError(
                f"{self._home / SETTINGS_FILE} belongs to another set-up than the local testnet's",
                advice="Choose another folder for the testnet with --home.",
            )
        return load_settings(self._home)

    def _is_on(self, client: LedgerClient, settings: Settings) -> bool:
        """Tell whether the chain has the registry and issuer of the settings.

        A chain started anew has not, nor one with the contract of another version.
        """
        try:
            LedgerView(client, settings.registry_id).check_issuer(settings.issuer_id, settings.issuer_did)
        except (UndeterminedError, WrongLedgerError):
            return False
        return True

    def _set_up(self, client: LedgerClient, url: str, now: int) -> tuple[RegistryId, int]:
        # 3
        self._report("deploying the registry")
        admin = dev_signer(_ACCREDITOR).address
        call = deployment(admin=admin, accreditor=admin, admin_delay_seconds=_ADMIN_DELAY_SECONDS)
        registry = deployed_registry(client, CHAIN_ID, self._execute(client, _ACCREDITOR, call))
        issuer_id = self._admit(url, registry, ISSUER_DID, {scope: _key_name(scope) for scope in _SCOPES}, now)
        self._testnet.save()
        return registry, issuer_id

    def admit(self, code: str, did: str, *, now: int) -> DemoInstitution:
        """Accredit another institution, with keys of its own; the testnet runs.

        Args:
            code: Its keys are named after it.
            did: Its DID.
            now: Unix seconds.

        Raises:
            ConflictError: The testnet does not run.
            LedgerError: The testnet refuses.
        """
        with self._lock:
            settings, url = self._own_settings(), self._testnet.status().url
            if settings is None or url is None:
                raise ConflictError("the local testnet does not run", advice="Start it with `credanchor dev up`.")
            names = {scope: f"{code}-{_key_name(scope)}" for scope in _SCOPES}
            issuer_id = self._admit(url, settings.registry_id, did, names, now)
            self._testnet.save()
        return DemoInstitution(
            registry=settings.registry_id,
            issuer_id=issuer_id,
            anchor_key=f"{KEYS_FOLDER}/{names[KeyScope.ANCHOR]}.json",
            status_key=f"{KEYS_FOLDER}/{names[KeyScope.STATUS]}.json",
        )

    def _admit(self, url: str, registry: RegistryId, did: str, names: Mapping[KeyScope, str], now: int) -> int:
        client = LedgerClient(url)
        # 2
        self._report("making the issuer's keys")
        signers = self._open_keys(names)
        for signer in signers.values():
            RpcNode(url).write("anvil_setBalance", [to_hex(signer.address), hex(_BALANCE_WEI)])
        # 4
        self._report("accrediting the issuer")
        contract = RegistryContract(registry)
        call = contract.accredit(did=did, controller=dev_signer(_CONTROLLER).address)
        issuer_id = require_event(self._execute(client, _ACCREDITOR, call), registry, IssuerAccredited).issuer_id
        # The chain's clock may be ahead of ours.
        deadline = max(now, client.latest_block().header.timestamp) + _CONSENT_SECONDS
        for scope, signer in signers.items():
            consent = KeyConsent(
                issuer_id=issuer_id,
                key=signer.address,
                scope=scope,
                status_epoch=0,
                valid_from=0,
                deadline=deadline,
            )
            call = contract.add_key(consent, signer.sign_key_consent(registry, consent))
            require_event(self._execute(client, _CONTROLLER, call), registry, KeyAdded)
        return issuer_id

    def _execute(self, client: LedgerClient, account: int, call: Call) -> Receipt:
        # What is half done when this is killed is done again on a new registry: nothing needs to be kept.
        sender = TransactionSender(client, chain_id=CHAIN_ID, signer=dev_signer(account), lock=self._lock)
        return sender.wait_for_receipt(sender.send(call, _keep_nothing), _WAIT_SECONDS)

    def _open_keys(self, names: Mapping[KeyScope, str]) -> dict[KeyScope, Signer]:
        keys, passphrase = KeyStore(self._home / KEYS_FOLDER), self._passphrase()
        known = {key.name for key in keys.list()}
        for name in names.values():
            if name not in known:
                keys.create(name, passphrase)
        return {scope: keys.open(name, passphrase) for scope, name in names.items()}

    def _passphrase(self) -> str:
        path = self._home / PASSPHRASE_FILE
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - the descriptor carries the permissions
                file.write(secrets.token_urlsafe(24) + "\n")
        passphrase = path.read_text("utf-8").strip()
        if not passphrase:
            raise SettingsError(f"{path} is empty", advice=f"Delete it and {self._home / KEYS_FOLDER}; then try again.")
        return passphrase

    def _write_files(self, registry: RegistryId, issuer_id: int, url: str) -> None:
        policy = policy_for(registry, url, REGISTRY_NAME)
        write_whole(self._home / POLICY_FILE, policy_to_text(policy))
        settings: dict[str, str | int] = {
            "public_url": PUBLIC_URL,
            "rpc_url": url,
            "registry": registry.to_text(),
            "issuer_id": issuer_id,
            "issuer_did": ISSUER_DID,
            "issuer_name": ISSUER_NAME,
            "issuer_url": ISSUER_URL,
            "anchor_key": f"{KEYS_FOLDER}/{_key_name(KeyScope.ANCHOR)}.json",
            "status_key": f"{KEYS_FOLDER}/{_key_name(KeyScope.STATUS)}.json",
            "passphrase_file": PASSPHRASE_FILE,
        }
        write_whole(self._home / SETTINGS_FILE, settings_to_text(settings))

    def _testnet_now(self, notices: tuple[str, ...]) -> TestnetStatus:
        status = self._testnet.status()
        return TestnetStatus(
            running=status.running,
            url=status.url,
            pid=status.pid,
            block_number=status.block_number,
            notices=notices,
        )


def _replaced(settings: Settings) -> str:
    return (
        f"the registry of the last time, {settings.registry}, is not there any more, or is of another version of "
        "credanchor: a new one was deployed. What was issued on the old one cannot be verified or changed here: "
        "issue it anew with `credanchor issue`"
    )


def _key_name(scope: KeyScope) -> str:
    return scope.name.lower()


def _keep_nothing(_signed: SignedTransaction) -> None:
    """Keep no signed bytes."""
