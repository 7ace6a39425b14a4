"""What the ledger proves of a registry, its issuers and their keys, for those who govern them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from anchor.evidence import (
    ADMIN_DELAY_SLOT,
    ADMIN_SLOT,
    ISSUER_COUNT_SLOT,
    LedgerState,
    did_hash_slot,
    issuer_of_did_slot,
    issuer_slot,
    key_slot,
    next_slot,
    role_slot,
)
from anchor.history import ACCREDITOR_ROLE
from anchor.model import MAX_UINT32, Address, Hash32, Issuer, Key, RegistryId, address
from registry.errors import NotFoundError
from registry.services.ledger_state import LedgerView

_ADDRESS_MASK: Final = 2**160 - 1
_DELAY_SHIFT: Final = 208
"""Of the delay behind the address and the time of an offered handover."""
_DELAY_MASK: Final = 2**48 - 1
_EPOCH_MASK: Final = 2**16 - 1
_FIRST_NEXT_EPOCH: Final = 1
"""As long as no epoch has changed it is not stored."""

MAX_ISSUERS_SHOWN: Final = 300
"""Three slots each: as many as nodes prove at once."""

_CHECK_NUMBER: Final = "Check issuer_id and registry in settings.toml."


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerFacts:
    """What is proven of one issuer."""

    issuer_id: int
    record: Issuer
    did_hash: Hash32
    pending_controller: Address | None
    """Who was offered control and has not accepted."""
    next_status_epoch: int

    def is_called(self, did: str | None) -> bool:
        """Tell whether this is the issuer with a DID; the ledger holds its hash."""
        return did is not None and keccak(did.encode()) == self.did_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFacts:
    """What is proven of a registry."""

    block_number: int
    admin: Address
    admin_delay_seconds: int
    accreditors: frozenset[Address]
    """Of the accounts asked about, those that may accredit and withdraw."""
    issuer_count: int
    issuers: tuple[IssuerFacts, ...]
    """The first `MAX_ISSUERS_SHOWN`."""


class Governance:
    """One registry's facts, each read by a state proof at the newest block.

    Every method raises what `LedgerView.state` raises.
    """

    def __init__(self, view: LedgerView) -> None:
        self._view: Final = view

    @property
    def registry(self) -> RegistryId:
        """The registry."""
        return self._view.registry

    def registry_facts(self, accounts: Iterable[Address]) -> RegistryFacts:
        """Prove who governs the registry, and which issuers it has.

        Args:
            accounts: Which may be accreditors: the ledger can prove it of an account, but not list all.
        """
        slots = {each: role_slot(ACCREDITOR_ROLE, each) for each in accounts}
        state = self._view.state([ISSUER_COUNT_SLOT, ADMIN_SLOT, ADMIN_DELAY_SLOT, *slots.values()])
        count = state.value(ISSUER_COUNT_SLOT) & MAX_UINT32
        return RegistryFacts(
            block_number=state.block.number,
            admin=_address_in(state.value(ADMIN_SLOT)),
            admin_delay_seconds=state.value(ADMIN_DELAY_SLOT) >> _DELAY_SHIFT & _DELAY_MASK,
            accreditors=frozenset(account for account, slot in slots.items() if state.value(slot)),
            issuer_count=count,
            issuers=self._issuers(range(1, min(count, MAX_ISSUERS_SHOWN) + 1)),
        )

    def issuer(self, issuer_id: int) -> IssuerFacts:
        """Prove an issuer's record.

        Raises:
            NotFoundError: The registry has no issuer of this number.
        """
        (facts,) = self._issuers([issuer_id])
        if facts.record.accredited_at == 0:
            raise NotFoundError(
                f"the registry {self.registry.to_text()} has no issuer {issuer_id}", advice=_CHECK_NUMBER
            )
        return facts

    def issuer_called(self, did: str) -> IssuerFacts:
        """Prove the record of the issuer with this DID.

        Raises:
            NotFoundError: The registry has accredited nobody under it.
        """
        slot = issuer_of_did_slot(Hash32(keccak(did.encode())))
        issuer_id = self._view.state([slot]).value(slot)
        if issuer_id == 0:
            raise NotFoundError(
                f"the registry {self.registry.to_text()} has accredited nobody as {did}",
                advice="Ask the accreditor, who runs `credanchor issuer accredit`.",
            )
        return self.issuer(issuer_id)

    def keys(self, keys: Iterable[Address]) -> dict[Address, Key]:
        """Prove the records of keys; those that no issuer has are left out."""
        wanted = tuple(keys)
        if not wanted:
            return {}
        state = self._view.state(map(key_slot, wanted))
        found = {each: state.key(each) for each in wanted}
        return {each: record for each, record in found.items() if record.issuer_id}

    def key(self, key: Address) -> Key:
        """Prove a key's record.

        Raises:
            NotFoundError: It is the key of no issuer.
        """
        found = self.keys([key])
        if key not in found:
            raise NotFoundError(
                f"0x{key.hex()} is the key of no issuer of the registry {self.registry.to_text()}",
                advice="credanchor issuer show has the institution's keys.",
            )
        return found[key]

    def _issuers(self, numbers: Iterable[int]) -> tuple[IssuerFacts, ...]:
        wanted = tuple(numbers)
        if not wanted:
            return ()
        slots = (slot(number) for number in wanted for slot in (issuer_slot, did_hash_slot, next_slot))
        state = self._view.state(slots)
        return tuple(_issuer_facts(state, number) for number in wanted)


def _issuer_facts(state: LedgerState, issuer_id: int) -> IssuerFacts:
    following = state.value(next_slot(issuer_id))
    pending = following & _ADDRESS_MASK
    return IssuerFacts(
        issuer_id=issuer_id,
        record=state.issuer(issuer_id),
        did_hash=state.did_hash(issuer_id),
        pending_controller=_address_in(following) if pending else None,
        next_status_epoch=following >> 160 & _EPOCH_MASK or _FIRST_NEXT_EPOCH,
    )


def _address_in(word: int) -> Address:
    return address((word & _ADDRESS_MASK).to_bytes(20, "big"))
