"""Issuers and keys as commands name and show them: by DID, number, address or file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchor.errors import MalformedError
from anchor.ledger.signers import parse_remote_key
from anchor.model import MAX_UINT32, Address, KeyScope, to_utc
from registry.errors import SettingsError

if TYPE_CHECKING:
    from registry.cli.writing import Facts
    from registry.services.governance import IssuerFacts
    from registry.services.key_requests import KeyRequest
    from registry.workplace import Workplace


def find_issuer(place: Workplace, text: str | None) -> IssuerFacts:
    """Find an issuer by DID or number; by default that of the settings.

    Raises:
        SettingsError: The settings name none.
        NotFoundError: There is none.
    """
    if text is None and place.settings.issuer_id is not None:
        return place.governance.issuer(place.settings.issuer_id)
    wanted = text or place.settings.issuer_did
    if wanted is None:
        raise SettingsError("no issuer is named", advice="Give its DID, or set issuer_did in settings.toml.")
    if wanted.isascii() and wanted.isdigit():
        return place.governance.issuer(_issuer_number(wanted))
    return place.governance.issuer_called(wanted)


def issuer_text(found: IssuerFacts, named: str | None) -> str:
    """Name an issuer: its number, and its DID if that is how it was named."""
    return f"{found.issuer_id}: {named}" if found.is_called(named) else str(found.issuer_id)


def known_keys(place: Workplace) -> dict[str, Address]:
    """Give the keys that this home knows: its files, and remote signers' keys in the settings."""
    names = {stored.name: stored.address for stored in place.keys.list()}
    for reference in (place.settings.anchor_key, place.settings.status_key):
        remote = None if reference is None else parse_remote_key(reference)
        if remote is not None:
            names["remote signer"] = remote.address
    return names


def terms_facts(asked: KeyRequest) -> Facts:
    """Say what a key is asked to consent to, or has consented to, line by line."""
    scope = "anchor batches" if asked.scope is KeyScope.ANCHOR else f"change status, in epoch {asked.status_epoch}"
    called = f", which the request calls {asked.issuer_did}" if asked.issuer_did else ""
    return [
        ("may", scope),
        ("issuer", f"{asked.issuer_id}{called}"),
        ("registry", asked.registry.to_text()),
        ("valid from", to_utc(asked.valid_from) if asked.valid_from else "when it is added"),
        ("add before", to_utc(asked.deadline)),
    ]


def _issuer_number(text: str) -> int:
    if len(text) > len(str(MAX_UINT32)) or not 1 <= int(text) <= MAX_UINT32:
        raise MalformedError("an issuer's number is from 1 to 4,294,967,295")
    return int(text)
