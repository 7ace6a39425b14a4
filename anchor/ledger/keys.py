"""Signing keys: encrypted files (Web3 Secret Storage, scrypt at full strength), and what they sign.

Upholds: a secret is in no message, representation or file but the encrypted one; files are 0600, their folder 0700; an
existing key is never overwritten. A passphrase is not normalised: other tools would not open the file with it.

Leaves to others: what is signed and why (`anchor.ledger.contract`, `anchor.ledger.transactions`).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anchor.errors import KeyUnavailableError, MalformedError
from anchor.ledger.contract import KeyConsent
from anchor.ledger.files import PRIVATE, write_new
from anchor.ledger.signers import key_consent_message, require_own_authorisation, require_own_consent
from anchor.model import Address, Hash32, RegistryId, address, parse_hex, to_hex

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from anchor.ledger.relayed import Authorisation

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MAX_FILE_BYTES: Final = 4096
"""A key file has about 500 bytes. Too few to nest so deeply that reading them overflows the stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key file, unopened."""

    name: str
    address: Address
    """As the file says; checked when it is opened."""


class Signer:
    """An unlocked key file, as a `SigningKey`. Only this class and `KeyStore` touch the secret."""

    def __init__(self, account: LocalAccount) -> None:
        self._account: Final = account
        self.address: Final = address(parse_hex(account.address))

    def __repr__(self) -> str:
        return f"Signer({to_hex(self.address)})"

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, Hash32]:
        """Sign a transaction; give its raw bytes and its hash."""
        signed = self._account.sign_transaction(dict(fields))
        return bytes(signed.raw_transaction), Hash32(bytes(signed.hash))

    def sign_key_consent(self, registry: RegistryId, consent: KeyConsent) -> bytes:
        """Sign, by EIP-712, that this key shall act for an issuer.

        Raises:
            KeyUnavailableError: The consent is that of another key.
        """
        require_own_consent(self.address, consent)
        signed = self._account.sign_typed_data(full_message=key_consent_message(registry, consent))
        return bytes(signed.signature)

    def sign_authorisation(self, authorisation: Authorisation) -> bytes:
        """Sign, by EIP-712, what somebody else shall send for this key.

        Raises:
            KeyUnavailableError: It is another key's to sign.
        """
        require_own_authorisation(self.address, authorisation)
        signed = self._account.sign_typed_data(full_message=authorisation.message)
        return bytes(signed.signature)


class KeyStore:
    """A folder with one encrypted file a key, `<name>.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    def create(self, name: str, passphrase: str) -> StoredKey:
        """Make a new key and keep it.

        Raises:
            KeyUnavailableError: There is a key of this name, the passphrase is empty, or the folder is not writable.
            MalformedError: The name cannot be a file's.
        """
        return self.import_key(name, secrets.token_bytes(32), passphrase)

    def import_key(self, name: str, secret: bytes, passphrase: str) -> StoredKey:
        """Keep a key that exists.

        Raises:
            KeyUnavailableError: As for `create`, or the secret is no private key.
            MalformedError: The name cannot be a file's.
        """
        from eth_account import Account
        from eth_utils.exceptions import ValidationError

        if not passphrase:
            raise KeyUnavailableError("a key needs a passphrase", advice="choose a passphrase")
        path = self._path_of(name)
        if path.exists():
            raise _exists(name)
        try:
            account: LocalAccount = Account.from_key(secret)
        except (ValueError, ValidationError):
            # Not chained: the cause may quote the secret.
            raise KeyUnavailableError("the secret given is no private key") from None
        # Named, for otherwise a variable of the environment could choose a weaker function.
        content = Account.encrypt(account.key, passphrase, kdf="scrypt")
        try:
            self._write_new(path, json.dumps(content).encode())
        except OSError as error:
            raise KeyUnavailableError(f"the key {name} cannot be written: {error.strerror}") from error
        return StoredKey(name=name, address=address(parse_hex(account.address)))

    def import_file(self, name: str, content: bytes, file_passphrase: str, passphrase: str) -> StoredKey:
        """Keep a key from another program's key file (Web3 Secret Storage), under this store's passphrase.

        Raises:
            KeyUnavailableError: As for `create`, the file's passphrase does not open it, or it is no key file.
            MalformedError: The name cannot be a file's.
        """
        if len(content) > _MAX_FILE_BYTES:
            raise _damaged(name)
        secret = _decrypt(_parse(content, name), file_passphrase, name)
        return self.import_key(name, secret, passphrase)

    def open(self, name: str, passphrase: str) -> Signer:
        """Unlock a key; takes about a second, on purpose.

        Raises:
            KeyUnavailableError: There is no such key, the passphrase is wrong, or the file is damaged.
            MalformedError: The name cannot be a file's.
        """
        from eth_account import Account

        content = self._read(name)
        signer = Signer(Account.from_key(_decrypt(content, passphrase, name)))
        if signer.address != _address_of(content, name):
            raise _damaged(name)
        return signer

    def find(self, name: str) -> StoredKey:
        """Look a key up without opening it.

        Raises:
            KeyUnavailableError: There is no such key, or its file is damaged.
            MalformedError: The name cannot be a file's.
        """
        return StoredKey(name=name, address=_address_of(self._read(name), name))

    def has(self, name: str) -> bool:
        """Tell whether a key of this name is kept here.

        Raises:
            KeyUnavailableError: Its file is damaged.
            MalformedError: The name cannot be a file's.
        """
        if not self._path_of(name).exists():
            return False
        self.find(name)  # raises if it is damaged
        return True

    def list(self) -> tuple[StoredKey, ...]:
        """Name the keys kept here, in order of their names; files that are none are passed over."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(self.find(path.stem))
            except (KeyUnavailableError, MalformedError):
                continue
        return tuple(found)

    def _path_of(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise MalformedError("a key's name has 1 to 64 letters, digits, - or _, and starts with a letter or digit")
        return self._folder / f"{name}.json"

    def _read(self, name: str) -> dict[str, Any]:
        path = self._path_of(name)
        try:
            with path.open("rb") as file:
                return _parse(file.read(_MAX_FILE_BYTES), name)
        except FileNotFoundError as error:
            raise KeyUnavailableError(
                f"there is no key {name}",
                advice="make it with `credanchor key new`, or check its name: `credanchor key list` shows those there "
                "are, and anchor_key and status_key in settings.toml name them",
            ) from error
        except OSError as error:
            raise KeyUnavailableError(f"the key {name} cannot be read: {error.strerror}") from error

    def _write_new(self, path: Path, content: bytes) -> None:
        """Write whole or not at all, and never over another file."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        try:
            write_new(path, content, mode=PRIVATE)
        except FileExistsError as error:
            raise _exists(path.stem) from error


def _parse(data: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged(name) from error
    if not isinstance(content, dict):
        raise _damaged(name)
    return content


def _decrypt(content: dict[str, Any], passphrase: str, name: str) -> bytes:
    from eth_account import Account

    try:
        return bytes(Account.decrypt(content, passphrase))
    except ValueError as error:
        if "MAC" not in str(error):
            raise _damaged(name) from error
        raise KeyUnavailableError(
            f"the passphrase does not open the key {name}", advice="try again; nobody can recover a lost passphrase"
        ) from None
    except (KeyError, TypeError, NotImplementedError) as error:
        raise _damaged(name) from error


def _address_of(content: Mapping[str, object], name: str) -> Address:
    try:
        return address(parse_hex(f"0x{str(content.get('address')).removeprefix('0x')}"))
    except MalformedError as error:
        raise _damaged(name) from error


def _exists(name: str) -> KeyUnavailableError:
    return KeyUnavailableError(f"there is a key {name} already", advice="choose another name")


def _damaged(name: str) -> KeyUnavailableError:
    return KeyUnavailableError(f"the file of the key {name} is damaged", advice="restore it from a backup")
