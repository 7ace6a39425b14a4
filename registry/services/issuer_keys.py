"""The keys with which an institution signs, and what the ledger says of them and of the institution as an issuer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anchor.ledger.keys import KeyStore
from anchor.ledger.signers import parse_remote_key
from anchor.model import Address, Key, KeyScope
from registry.errors import NotFoundError
from registry.services.governance import Governance, IssuerFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerKey:
    """One of the keys of an institution's set-up."""

    scope: KeyScope
    """What it is set up for."""
    address: Address
    record: Key | None
    """What is proven of it; None: it is the key of no issuer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerStanding:
    """What is proven of an institution as an issuer."""

    facts: IssuerFacts
    keys: Sequence[IssuerKey]


def read_issuer(
    governance: Governance, issuer_id: int | None, references: Sequence[tuple[KeyScope, str | None]], home: Path
) -> IssuerStanding:
    """Prove how an institution stands as an issuer, and its keys.

    Args:
        governance: Of its registry.
        issuer_id: Its number there, if it has one.
        references: Key files or remote signers' keys, and what they are for.
        home: What paths of key files are relative to.

    Raises:
        NotFoundError: It is no issuer yet.
        LedgerUnavailableError, WrongLedgerError, UndeterminedError: As `LedgerView.state`.
    """
    if issuer_id is None:
        raise NotFoundError("the institution is not accredited as an issuer yet")
    facts = governance.issuer(issuer_id)
    named = [(scope, address_of_key(reference, home)) for scope, reference in references if reference is not None]
    records = governance.keys(address for _, address in named)
    keys = [IssuerKey(scope=scope, address=address, record=records.get(address)) for scope, address in named]
    return IssuerStanding(facts=facts, keys=keys)


def address_of_key(reference: str, home: Path) -> Address:
    """Tell the address of a key, which need not be opened for it.

    Args:
        reference: A key file, relative to the home folder, or a remote signer's key.
        home: The folder.
    """
    remote = parse_remote_key(reference)
    if remote is not None:
        return remote.address
    path = home / reference
    return KeyStore(path.parent).find(path.stem).address
