"""Settings: one readable file, `settings.toml`, in the home folder; environment variables go before it.

    public_url = "https://credentials.college.example"
    rpc_url = "http://127.0.0.1:8545"
    registry = "eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"
    issuer_id = 1
    issuer_did = "did:web:college.example"
    issuer_name = "Collège Boréalis"
    anchor_key = "keys/anchor.json"
    status_key = "keys/status.json"

The passphrase of the keys is in no setting, argument or log: it comes from $CREDANCHOR_PASSPHRASE, from the file that
`passphrase_file` names, or is asked for.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL

from anchor.errors import MalformedError
from anchor.model import MAX_UINT32, RegistryId
from registry.errors import SettingsError

HOME_VARIABLE: Final = "CREDANCHOR_HOME"
PASSPHRASE_VARIABLE: Final = "CREDANCHOR_PASSPHRASE"  # noqa: S105 - the name of the variable
DEFAULT_HOME: Final = ".credanchor"
SETTINGS_FILE: Final = "settings.toml"
DATABASE_FILE: Final = "registry.db"
POLICY_FILE: Final = "policy.json"
TESTNET_FOLDER: Final = "testnet"

_PREFIX: Final = "CREDANCHOR_"
_NOT_SET_UP_ADVICE: Final = "For a local testnet with a demo issuer, run `credanchor dev up`."


class Settings(BaseSettings):
    """What an institution's set-up consists of."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    home: Path
    """Where keys, locks and, unless set otherwise, the database are; paths in other settings are relative to it."""
    public_url: str
    """Where the service shows status lists; stands in every credential."""
    rpc_url: str
    """The node asked and sent to."""
    registry: str
    """CAIP-10."""
    issuer_id: int = Field(ge=1, le=MAX_UINT32)
    issuer_did: str = Field(pattern=r"^did:[a-z0-9]+:\S+$", max_length=1024)
    issuer_name: str = Field(min_length=1)
    issuer_url: str | None = None
    database_url: str | None = None
    """SQLAlchemy address; default: SQLite in the home folder."""
    anchor_key: Path
    status_key: Path
    passphrase_file: Path | None = None
    wait_seconds: float = Field(default=120.0, gt=0)
    """How long to wait for a transaction to be mined before saying that it is not known yet."""

    @field_validator("registry")
    @classmethod
    def _check_registry(cls, value: str) -> str:
        return RegistryId.parse(value).to_text()

    @field_validator("public_url", "rpc_url", "issuer_url")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise ValueError("must be an address that starts with http:// or https://")
        return value

    @property
    def registry_id(self) -> RegistryId:
        """The registry, parsed."""
        return RegistryId.parse(self.registry)

    @property
    def store_url(self) -> str:
        """The database's address."""
        if self.database_url:
            return self.database_url
        # Put together by SQLAlchemy: a folder's name may hold % or ?, which mean something in an address.
        return URL.create("sqlite", database=str(self.home / DATABASE_FILE)).render_as_string(hide_password=False)

    def path(self, value: Path) -> Path:
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


def find_home(given: Path | None) -> Path:
    """Tell which folder is home: the one given, $CREDANCHOR_HOME, or `.credanchor` in this folder."""
    return (given or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)).absolute()


def load_settings(home: Path) -> Settings:
    """Read the settings of a home folder.

    Raises:
        SettingsError: It is not set up, or a setting is missing, unknown or wrong; the message names each.
    """
    path = home / SETTINGS_FILE
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"credanchor is not set up: there is no {path}", advice=_NOT_SET_UP_ADVICE) from None
    except OSError as error:
        raise SettingsError(f"the settings {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings {path} are not TOML: {error}") from error
    try:
        # $CREDANCHOR_HOME is no setting: the folder that the file was read from is home.
        return Settings(**{**content, "home": home}).model_copy(update={"home": home})
    except (ValidationError, MalformedError) as error:
        raise SettingsError(
            f"the settings in {path} cannot be used: {_problems(error)}", advice=f"Mend them. {_NOT_SET_UP_ADVICE}"
        ) from None


def settings_to_text(values: dict[str, str | int]) -> str:
    """Write settings as TOML, one line each."""
    # JSON's strings and numbers are TOML's, but for one control character that no setting holds.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["# Settings of credanchor; see registry/settings.py for what they mean.", *lines, ""])


def read_passphrase(settings: Settings, ask: Callable[[], str]) -> str:
    """Get the passphrase of the keys.

    Args:
        settings: May name a file that holds it.
        ask: Asks the person at the keyboard.

    Raises:
        SettingsError: The file cannot be read, or others than its owner can read it.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    if settings.passphrase_file is None:
        return ask()
    path = settings.path(settings.passphrase_file)
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(
                f"the passphrase file {path} can be read by others", advice=f"Make it private: chmod 600 {path}"
            )
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingsError(f"the passphrase file {path} cannot be read: {error.strerror}") from error


def _problems(error: ValidationError | MalformedError) -> str:
    if isinstance(error, MalformedError):
        return str(error)
    # Never the value: somebody may have put a secret there.
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
