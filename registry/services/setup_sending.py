"""Sending for those who set up, and may have no database: accreditors, controllers, whoever deploys a registry.

As in `registry.services.sending`, a signed transaction is on disk before a node has it: here in a file for each
account, for as long as it is not known what became of the transaction, or what came of it is not kept. Whoever asks for
the same again gets that transaction's result. Whoever asks for something else waits for it first, unless no node has
it: then it is dropped, and the next one takes its nonce.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from eth_hash.auto import keccak

from anchor.errors import NodeRefusedError, ReplacedError, RevertedError
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call
from anchor.ledger.contract import KeyConsent
from anchor.ledger.relayed import Authorisation
from anchor.ledger.signers import SigningKey
from anchor.ledger.transactions import Fate, SignedTransaction, TransactionSender
from anchor.model import Address, Hash32, RegistryId, hash32, parse_hex, to_hex
from registry.errors import ConflictError, StoreError

T = TypeVar("T")


class DeferredKey:
    """A key whose address is known, and which is opened only when it has to sign.

    Args:
        key_address: The key's account.
        open_key: Opens it.
        ask: Asks for what opening it needs, such as a passphrase; called before anything else is on the screen.
    """

    def __init__(
        self, key_address: Address, open_key: Callable[[], SigningKey], ask: Callable[[], object] = lambda: None
    ) -> None:
        self.address: Final = key_address
        self._open_key: Final = open_key
        self.ask: Final = ask
        self._opened: SigningKey | None = None

    def open(self) -> SigningKey:
        """Open it, if it is not open already."""
        if self._opened is None:
            self._opened = self._open_key()
        return self._opened

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, Hash32]:
        """Sign a transaction, as `SigningKey` has it."""
        return self.open().sign_transaction(fields)

    def sign_key_consent(self, registry: RegistryId, consent: KeyConsent) -> bytes:
        """Sign a consent, as `SigningKey` has it."""
        return self.open().sign_key_consent(registry, consent)

    def sign_authorisation(self, authorisation: Authorisation) -> bytes:
        """Sign what somebody else sends, as `SigningKey` has it."""
        return self.open().sign_authorisation(authorisation)


class SetupSender:
    """Sends for one account, one transaction after the other.

    Args:
        sender: Signs and sends.
        folder: Where the file of what was sent last is.
        wait_seconds: How long to wait for a transaction to be mined.
    """

    def __init__(self, sender: TransactionSender, folder: Path, *, wait_seconds: float) -> None:
        self._sender: Final = sender
        self._wait_seconds: Final = wait_seconds
        self._path: Final = folder / f"{sender.chain_id}-{to_hex(sender.address)}.json"

    def finish_earlier(self, call: Call, record: Callable[[Receipt], T]) -> T | None:
        """Find out what became of the last transaction, if that is not known or not kept.

        Args:
            call: What is to be sent now.
            record: Keeps what came of it.

        Returns:
            What `record` gave, if the earlier transaction says the same as `call`: then nothing is left to send.

        Raises:
            LedgerUnavailableError: The node did not say.
            OutcomeUnknownError: It is not mined yet.
        """
        kept = self._read()
        if kept is None:
            return None
        signed, call_hash = kept
        is_same = call_hash == _hash_of(call)
        if self._sender.reconcile(signed).fate is Fate.NEVER_SEEN and not (is_same and self._is_taken(signed)):
            self._path.unlink()
            return None
        try:
            receipt = self._sender.wait_for_receipt(signed, self._wait_seconds)
        except (ReplacedError, RevertedError):
            self._path.unlink()
            return None
        result = record(receipt) if is_same else None
        self._path.unlink()
        return result

    def execute(self, call: Call, record: Callable[[Receipt], T]) -> T:
        """Send, wait, and keep what came of it; call `finish_earlier` before.

        Raises:
            ConflictError: Another process sends for this account.
            LedgerError: As of `TransactionSender.send` and `wait_for_receipt`; `finish_earlier` then finds out.
        """
        kept: list[SignedTransaction] = []

        def keep(signed: SignedTransaction) -> None:
            self._keep(signed, call)
            kept.append(signed)

        try:
            receipt = self._sender.wait_for_receipt(self._sender.send(call, keep), self._wait_seconds)
        except (NodeRefusedError, ReplacedError, RevertedError):
            # It will never be mined, or had no effect. Without `kept`, a file that is there is another process's.
            if kept:
                self._path.unlink()
            raise
        result = record(receipt)
        self._path.unlink()
        return result

    def _is_taken(self, signed: SignedTransaction) -> bool:
        """Broadcast again what no node has; False: none will take it, fees having risen for instance."""
        try:
            self._sender.broadcast(signed)
        except (NodeRefusedError, ReplacedError):
            return False
        return True

    def _keep(self, signed: SignedTransaction, call: Call) -> None:
        content = {
            "raw": to_hex(signed.raw),
            "hash": to_hex(signed.hash),
            "sender": to_hex(signed.sender),
            "nonce": signed.nonce,
            "callHash": to_hex(_hash_of(call)),
        }
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(json.dumps(content))
                    file.flush()
                    os.fsync(file.fileno())
                os.link(draft, self._path)  # whole or not at all, and never over another one
            finally:
                draft.unlink()
        except FileExistsError:
            raise ConflictError(
                "another process sends transactions for this account", advice="Wait until it has ended, then try again."
            ) from None
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}; nothing was sent") from error

    def _read(self) -> tuple[SignedTransaction, Hash32] | None:
        try:
            content = json.loads(self._path.read_text("utf-8"))
            signed = SignedTransaction(
                raw=parse_hex(content["raw"]),
                hash=hash32(parse_hex(content["hash"])),
                sender=Address(parse_hex(content["sender"])),
                nonce=content["nonce"],
            )
            return signed, hash32(parse_hex(content["callHash"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self._path} is damaged", advice="Look on the ledger what the account has sent; then delete the file."
            ) from error


def _hash_of(call: Call) -> Hash32:
    return Hash32(keccak((call.to or b"") + call.data))
