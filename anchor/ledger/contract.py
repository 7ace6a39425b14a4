"""The registry contract's functions as calls, its deployment, and its events as read from receipts.

    >>> contract = RegistryContract(RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"))
    >>> sent = sender.send(contract.anchor(issuer_id=1, root=root, size=1000), persist=store.keep)
    >>> require_event(sender.wait_for_receipt(sent), contract.registry, BatchAnchored).at

Calls are encoded by web3, which refuses what does not fit the contract's ABI. It has no views: what is in the registry
is proven, not told (`anchor.ledger.collect`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from anchor.errors import LedgerError, WrongLedgerError
from anchor.events import Event
from anchor.ledger.abi import contract_build
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call, LedgerClient
from anchor.logs import parse_log
from anchor.model import Address, Hash32, KeyScope, RegistryId, parse_hex, to_hex

if TYPE_CHECKING:
    from web3.contract import Contract

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyConsent:
    """What a key agrees to by its signature, so that nobody binds another's address (design section 6)."""

    issuer_id: int
    key: Address
    scope: KeyScope
    status_epoch: int
    """0 for an anchoring key; the issuer's current or next one for a status key."""
    valid_from: int
    """Unix seconds; 0: from the block in which the key is added."""
    deadline: int
    """Last second, Unix, at which the consent is good."""


class RegistryContract:
    """Encodes calls to one registry."""

    def __init__(self, registry: RegistryId) -> None:
        self.registry: Final = registry

    def accredit(self, *, did: str, controller: Address) -> Call:
        """Admit an issuer: for an account with the accreditor's role."""
        return self._call("accredit", [did, to_checksum_address(controller)], "accredit the issuer")

    def withdraw(self, *, issuer_id: int, at: int, reason: int) -> Call:
        """End an issuer's accreditation: for an account with the accreditor's role.

        Args:
            issuer_id: The issuer.
            at: First second, Unix, at which it is no longer accredited, in the future; 0: from the next second on.
            reason: Its code.
        """
        return self._call("withdraw", [issuer_id, at, reason], "withdraw the accreditation")

    def transfer_controller(self, *, issuer_id: int, controller: Address) -> Call:
        """Offer control of an issuer: for its controller. Nothing changes before the other accepts."""
        return self._call("transferController", [issuer_id, to_checksum_address(controller)], "offer control")

    def accept_controller(self, *, issuer_id: int) -> Call:
        """Take over control of an issuer: for whoever was offered it."""
        return self._call("acceptController", [issuer_id], "take over control")

    def add_key(self, consent: KeyConsent, signature: bytes) -> Call:
        """Bind a key to an issuer: for the issuer's controller."""
        values = [
            consent.issuer_id,
            to_checksum_address(consent.key),
            consent.scope.value,
            consent.status_epoch,
            consent.valid_from,
            consent.deadline,
            signature,
        ]
        return self._call("addKey", values, "add the key")

    def retire_key(self, key: Address) -> Call:
        """End a key's validity from the next second on: for its issuer's controller. What it did stays good."""
        return self._call("retireKey", [to_checksum_address(key)], "retire the key")

    def compromise_key(self, key: Address, *, since: int) -> Call:
        """Declare a key compromised: for its issuer's controller.

        Args:
            key: The key.
            since: Second, Unix, from which on what it did is void; not before it was valid, and not in the future.
        """
        return self._call("compromiseKey", [to_checksum_address(key), since], "declare the key compromised")

    def anchor(self, *, issuer_id: int, root: Hash32, size: int) -> Call:
        """Anchor a batch: for an anchoring key."""
        return self._call("anchor", [issuer_id, root, size], "anchor the batch")

    def revoke(
        self, *, issuer_id: int, status_list: int, words: Sequence[int], masks: Sequence[int], reason: int
    ) -> Call:
        """Revoke credentials: for a status key. Words strictly increasing, with the bits to set in each."""
        return self._call("revoke", [issuer_id, status_list, words, masks, reason], "revoke")

    def revoke_batch(self, *, issuer_id: int, root: Hash32, reason: int) -> Call:
        """Revoke all credentials of a batch: for a status key."""
        return self._call("revokeBatch", [issuer_id, root, reason], "revoke the batch")

    def suspend(
        self, *, issuer_id: int, status_list: int, words: Sequence[int], masks: Sequence[int], reason: int
    ) -> Call:
        """Suspend credentials: as `revoke`."""
        return self._call("suspend", [issuer_id, status_list, words, masks, reason], "suspend")

    def reinstate(
        self, *, issuer_id: int, status_list: int, words: Sequence[int], masks: Sequence[int], reason: int
    ) -> Call:
        """Lift suspensions: as `revoke`, with the bits to clear."""
        return self._call("reinstate", [issuer_id, status_list, words, masks, reason], "reinstate")

    def _call(self, name: str, values: Sequence[object], what: str) -> Call:
        return Call(
            to=self.registry.address,
            data=parse_hex(abi_contract().encode_abi(name, args=values)),
            what=what,
            code_hash=contract_build().runtime_code_hash,
        )


def deployment(*, admin: Address, accreditor: Address, admin_delay_seconds: int) -> Call:
    """Deploy a registry: for any account; who sends it has no part in the registry.

    Args:
        admin: Grants and takes roles.
        accreditor: First account that may accredit issuers; may be the admin.
        admin_delay_seconds: From the offer of the admin's role to its acceptance.
    """
    constructor = abi_contract().constructor(
        to_checksum_address(admin), to_checksum_address(accreditor), admin_delay_seconds
    )
    return Call(
        to=None, data=bytes.fromhex(str(constructor.data_in_transaction).removeprefix("0x")), what="deploy the registry"
    )


def deployed_registry(client: LedgerClient, chain_id: int, receipt: Receipt) -> RegistryId:
    """Read which registry was deployed, and check that its code is what verifiers expect.

    Raises:
        WrongLedgerError: It is not: the package's ABI and code do not belong together, or the node lies.
    """
    if receipt.contract is None:
        raise WrongLedgerError("the transaction deployed no contract")
    check_code(client, receipt.contract, contract_build().runtime_code_hash)
    return RegistryId(chain_id=chain_id, address=receipt.contract)


def check_code(client: LedgerClient, contract: Address, code_hash: Hash32) -> None:
    """Check, as far as the node is to be believed, that a contract is the one meant, before sending to it.

    Raises:
        WrongLedgerError: There is no contract, or another one.
    """
    code = client.code(contract)
    if keccak(code) == code_hash:
        return
    found = "there is another contract" if code else "there is no contract"
    raise WrongLedgerError(
        f"{found} at {to_hex(contract)} on the chain of the node {client.node}",
        advice="check the registry's address; if the local testnet was reset, set it up anew with `credanchor dev up`",
    )


def require_event(receipt: Receipt, registry: RegistryId, kind: type[EventT]) -> EventT:
    """Give the event of this kind that a transaction must have caused.

    Raises:
        LedgerError: It caused none: what was sent did something else than meant.
        HistoryError: The log is not what the contract would emit.
    """
    for log in receipt.logs:
        if log.address == registry.address:
            event = parse_log(log)
            if isinstance(event, kind):
                return event
    raise LedgerError(f"transaction {to_hex(receipt.transaction_hash)} was mined without the event {kind.__name__}")


@cache
def abi_contract() -> type[Contract]:
    """Give the registry contract as web3 encodes and decodes calls to it."""
    # web3 takes a second to import, and whoever only reads needs none of it.
    from web3 import Web3

    build = contract_build()
    return Web3().eth.contract(abi=list(build.abi), bytecode=build.bytecode)
