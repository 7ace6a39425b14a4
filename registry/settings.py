"""Settings: one readable file, `settings.toml`, in the home folder; environment variables go before it.

    public_url = "https://credentials.college.example"
    rpc_url = "http://127.0.0.1:8545"
    registry = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"
    issuer_id = 1
    issuer_did = "did:web:college.example"
    issuer_name = "Collège Boréalis"
    anchor_key = "keys/anchor.json"
    status_key = "keys/status.json"

A key is a key file, or a key that a remote signer holds: `http://127.0.0.1:9000#0x<address>`. `credanchor init` writes
the file before there is a registry or an issuer's number: `load_draft` reads it as far as it goes, for the commands
that set up; `load_settings` wants all that issuing needs.

The passphrase of the keys is in no setting, argument or log: it comes from $CREDANCHOR_PASSPHRASE, from the file that
`passphrase_file` names, or is asked for.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL

from anchor.cli.passphrases import PASSPHRASE_VARIABLE, read_passphrase_file
from anchor.errors import MalformedError
from anchor.ledger.signers import parse_remote_key
from anchor.model import MAX_UINT32, RegistryId
from registry.errors import SettingsError

HOME_VARIABLE: Final = "CREDANCHOR_HOME"
DEFAULT_HOME: Final = ".credanchor"
SETTINGS_FILE: Final = "settings.toml"
DATABASE_FILE: Final = "registry.db"
POLICY_FILE: Final = "policy.json"
TESTNET_FOLDER: Final = "testnet"
KEYS_FOLDER: Final = "keys"

ADDRESS_PATTERN: Final = "^0x[0-9a-fA-F]{40}$"
DID_PATTERN: Final = r"^did:[a-z0-9]+:\S+$"
_PREFIX: Final = "CREDANCHOR_"
_NOT_SET_UP_ADVICE: Final = "Run `credanchor init`; for a local testnet with a demo issuer, `credanchor dev up`."
_HOW_TO_GET: Final = {
    "registry": 'Deploy a registry with `credanchor registry deploy`, or name one: `registry = "eip155:…"`.',
    "issuer_id": "When the issuer is accredited (`credanchor issuer accredit`), run `credanchor issuer show --save`.",
    "issuer_did": 'Add the institution\'s DID: `issuer_did = "did:web:…"`.',
    "issuer_name": 'Add the institution\'s name: `issuer_name = "…"`.',
    "public_url": 'Add the address at which status lists are shown: `public_url = "https://…"`.',
    "anchor_key": 'Make an anchoring key with `credanchor key new anchor`, and add `anchor_key = "keys/anchor.json"`.',
    "status_key": 'Make a status key with `credanchor key new status`, and add `status_key = "keys/status.json"`.',
}
"""Which command gives what is missing, in the order in which things are done."""

SettingsT = TypeVar("SettingsT", bound="DraftSettings")


class ServiceSettings(BaseModel):
    """How the service is run (docs/api/settings.md says the same; a test holds the two equal)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address that it listens on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port that it listens on; 0: any free one."""
    policy: str = POLICY_FILE
    """File of the policy under which it verifies."""
    trusted_proxies: str = ""
    """Addresses of proxies, with commas between them, whose word on the client's address is taken."""
    hsts_seconds: int = Field(default=0, ge=0)
    """How long browsers shall insist on HTTPS; 0: it is not said."""
    max_body_bytes: int = Field(default=1 << 20, ge=1024)
    """Longest body of an ordinary request."""
    max_verify_bytes: int = Field(default=1 << 24, ge=1024)
    """Longest body of a request to verify."""
    max_roster_bytes: int = Field(default=1 << 26, ge=1024)
    """Longest roster that is uploaded."""
    max_waiting_jobs: int = Field(default=1000, ge=1)
    """Most rosters of one institution that wait to be sealed; more are refused until then."""
    max_waiting_bytes: int = Field(default=1 << 30, ge=1024)
    """Most bytes of these together."""
    workers: int = Field(default=2, ge=1, le=64)
    """How many jobs one process works on at once."""
    max_verify_credentials: int = Field(default=1000, ge=1)
    """Most credentials in one request to verify."""
    verifier_url: str = ""
    """Address of a verifier page that learners' pages link to; empty: the service's own, `/verify`."""
    verifier_policy: str = ""
    """File of the policy that the page `/verify` comes with; empty: `policy`, without nodes of other machines."""
    node_threads: int = Field(default=8, ge=1, le=256)
    """How many requests that ask nodes are worked on at once; as many again wait, the rest is told to come later."""
    request_seconds: float = Field(default=60.0, gt=0)
    """Longest time until an answer begins."""
    anonymous_per_minute: int = Field(default=120, ge=0)
    """Requests a minute from one address without a key; 0: any number."""
    key_per_minute: int = Field(default=6000, ge=0)
    """Requests a minute with one API key; 0: any number."""
    max_streams: int = Field(default=200, ge=1)
    """How many streams of events are open at once."""
    max_streams_per_key: int = Field(default=10, ge=1)
    """How many of them with one API key."""
    stream_seconds: float = Field(default=3600.0, gt=0)
    """Longest time that a stream of events goes on; its client asks for the rest again."""
    webhook_threads: int = Field(default=16, ge=1, le=256)
    """How many messages to webhooks are sent at once; of one institution at most a quarter of them."""
    webhook_seconds: float = Field(default=15.0, gt=0, le=60)
    """How long the receiver of a message may take to answer."""
    private_webhooks: bool = False
    """Whether messages may go anywhere, without TLS and within your own network, too; for trying things out."""
    keep_deliveries_days: int = Field(default=30, ge=7)
    """How long messages to webhooks stay in the list once they arrived or were given up."""
    keep_answers_days: int = Field(default=7, ge=1)
    """How long a write that comes again under its `Idempotency-Key` is answered as the first time."""
    relayer_key: str = ""
    """Key of the account that sends and pays for institutions whose keys only sign; a key file or a remote signer's."""
    ledger_seconds: float = Field(default=10.0, ge=0)
    """How often the registry's history, which the explorer shows, is brought up to date; 0: it is not kept."""
    shutdown_seconds: int = Field(default=30, ge=1)
    """How long requests that are under way may take when the service ends."""

    @field_validator("verifier_url")
    @classmethod
    def _check_verifier(cls, value: str) -> str:
        return _address(value) if value else value


class DraftSettings(BaseSettings):
    """What is settled so far: enough for setting up, perhaps not for issuing."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Path
    """Where keys, locks and, unless set otherwise, the database are; paths in other settings are relative to it."""
    rpc_url: str
    """The node asked and sent to."""
    chain_id: int | None = Field(default=None, ge=1)
    """EIP-155 number of the chain; needed as long as no registry says it."""
    public_url: str | None = None
    """Where the service shows status lists; stands in every credential."""
    registry: str | None = None
    """CAIP-10."""
    issuer_id: int | None = Field(default=None, ge=1, le=MAX_UINT32)
    issuer_did: str | None = Field(default=None, pattern=DID_PATTERN, max_length=1024)
    issuer_name: str | None = Field(default=None, min_length=1)
    issuer_url: str | None = None
    controller: str | None = Field(default=None, pattern=ADDRESS_PATTERN)
    """The account that is to control the issuer, as it was settled; only `credanchor reconcile` goes by it."""
    database_url: str | None = None
    """SQLAlchemy address; default: SQLite in the home folder."""
    anchor_key: str | None = None
    status_key: str | None = None
    """A key file, or a remote signer's key."""
    passphrase_file: Path | None = None
    wait_seconds: float = Field(default=120.0, gt=0)
    """How long to wait for a transaction to be mined before saying that it is not known yet."""
    max_fee_gwei: float = Field(default=500.0, gt=0)
    """Most to offer for a unit of gas, in billionths of a coin; a transaction that needs more waits."""
    raise_fees_seconds: int = Field(default=180, ge=0)
    """How long a transaction may wait before it is sent again with higher fees; 0: for ever."""
    relayed: bool = False
    """Whether the keys only sign, and the account of the service's `relayer_key` sends and pays."""
    service: ServiceSettings = ServiceSettings()
    """The table `[service]`: what `credanchor serve` goes by."""

    @field_validator("registry")
    @classmethod
    def _check_registry(cls, value: str | None) -> str | None:
        return None if value is None else RegistryId.parse(value).to_text()

    @field_validator("public_url", "rpc_url", "issuer_url")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        return None if value is None else _address(value)

    @field_validator("anchor_key", "status_key")
    @classmethod
    def _check_key(cls, value: str | None) -> str | None:
        if value is not None:
            parse_remote_key(value)
        return value

    @model_validator(mode="after")
    def _check_chain(self) -> Self:
        if self.registry is not None and self.chain_id not in {None, RegistryId.parse(self.registry).chain_id}:
            raise MalformedError("registry and chain_id name different chains")
        return self

    @property
    def store_url(self) -> str:
        """The database's address."""
        if self.database_url:
            return self.database_url
        # Put together by SQLAlchemy: a folder's name may hold % or ?, which mean something in an address.
        return URL.create("sqlite", database=str(self.home / DATABASE_FILE)).render_as_string(hide_password=False)

    def path(self, value: Path | str) -> Path:
        """Take a path of a setting as relative to the home folder."""
        return self.home / value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment go before the file, whose content comes as constructor arguments."""
        del dotenv_settings, file_secret_settings, settings_cls
        return env_settings, init_settings


class Settings(DraftSettings):
    """What an institution's set-up consists of when it can issue."""

    public_url: str
    registry: str
    issuer_id: int = Field(ge=1, le=MAX_UINT32)
    issuer_did: str = Field(pattern=DID_PATTERN, max_length=1024)
    issuer_name: str = Field(min_length=1)
    anchor_key: str
    status_key: str

    @property
    def registry_id(self) -> RegistryId:
        """The registry, parsed."""
        return RegistryId.parse(self.registry)


def find_home(given: Path | None) -> Path:
    """Tell which folder is home: the one given, $CREDANCHOR_HOME, or `.credanchor` in this folder."""
    return (given or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)).absolute()


def load_settings(home: Path) -> Settings:
    """Read the settings of a home folder that is set up for issuing.

    Raises:
        SettingsError: It is not set up, or a setting is missing, unknown or wrong; the message names each, and the
            advice the command that gives what is missing.
    """
    return _load(home, Settings)


def load_draft(home: Path) -> DraftSettings:
    """Read the settings of a home folder as far as they go.

    Raises:
        SettingsError: There are none, or one is unknown or wrong.
    """
    return _load(home, DraftSettings)


def check_settings(values: Mapping[str, str | int]) -> None:
    """Check settings before they are written; none need be there but `rpc_url`.

    Raises:
        SettingsError: One is unknown or wrong.
    """
    try:
        DraftSettings(**{**values, "home": Path()})  # type: ignore[arg-type]  # pydantic judges them
    except ValidationError as error:
        raise SettingsError(f"these settings cannot be used: {_problems(error)}", advice="Mend them.") from None


def complete_settings(home: Path, values: Mapping[str, str | int]) -> None:
    """Set some settings in the file, leaving every other line of it as somebody wrote it.

    Raises:
        SettingsError: The file cannot be read, or is written in such a way that only a person can change it.
    """
    path = home / SETTINGS_FILE
    content, lines = _read_toml(path), path.read_text("utf-8").splitlines()
    for name, value in values.items():
        lines = [line for line in lines if re.match(rf"\s*{name}\s*=", line) is None]
        # Before the first table: what stands after its head belongs to it.
        place = next((number for number, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
        lines.insert(place, _line(name, value))
    text = "\n".join([*lines, ""])
    try:
        is_right = tomllib.loads(text) == {**content, **values}
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        wanted = ", ".join(_line(name, value) for name, value in values.items())
        raise SettingsError(f"the settings {path} cannot be changed by a program", advice=f"Set in them: {wanted}")
    write_whole(path, text)


def settings_to_text(values: Mapping[str, str | int]) -> str:
    """Write settings as TOML, one line each."""
    lines = [_line(name, value) for name, value in values.items()]
    return "\n".join(["# Settings of credanchor; see registry/settings.py for what they mean.", *lines, ""])


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, "utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def read_passphrase(settings: DraftSettings | None, ask: Callable[[], str]) -> str:
    """Get the passphrase of the keys.

    Args:
        settings: May name a file that holds it; None: there are none yet.
        ask: Asks the person at the keyboard.

    Raises:
        KeyUnavailableError: The file cannot be read, or others than its owner can read it.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    if settings is None or settings.passphrase_file is None:
        return ask()
    return read_passphrase_file(settings.path(settings.passphrase_file))


def _load(home: Path, kind: type[SettingsT]) -> SettingsT:
    path = home / SETTINGS_FILE
    content = _read_toml(path)
    try:
        # $CREDANCHOR_HOME is no setting: the folder that the file was read from is home.
        return kind(**{**content, "home": home}).model_copy(update={"home": home})
    except (ValidationError, MalformedError) as error:
        raise SettingsError(
            f"the settings in {path} cannot be used: {_problems(error)}", advice=_advice_for(error)
        ) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"credanchor is not set up: there is no {path}", advice=_NOT_SET_UP_ADVICE) from None
    except OSError as error:
        raise SettingsError(f"the settings {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings {path} are not TOML: {error}") from error


def _address(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc:
        raise ValueError("must be an address that starts with http:// or https://")
    return value


def _line(name: str, value: str | int) -> str:
    # JSON's strings and numbers are TOML's, but for one control character that no setting holds.
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _advice_for(error: ValidationError | MalformedError) -> str:
    problems = [] if isinstance(error, MalformedError) else error.errors()
    missing = {str(each["loc"][0]) for each in problems if each["type"] == "missing"}
    if not missing or len(missing) < len(problems):
        return f"Mend them. {_NOT_SET_UP_ADVICE}"
    return " ".join(advice for name, advice in _HOW_TO_GET.items() if name in missing) or _NOT_SET_UP_ADVICE


def _problems(error: ValidationError | MalformedError) -> str:
    if isinstance(error, MalformedError):
        return str(error)
    # Never the value: somebody may have put a secret there.
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
