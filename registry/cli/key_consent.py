"""A key of this home folder consents to act for the institution: what it is asked, and its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from anchor.cli.output import error_console
from anchor.model import KeyScope
from registry.cli.parties import find_issuer
from registry.cli.writing import unlock

if TYPE_CHECKING:
    from registry.services.key_requests import KeyRequest, SignedConsent
    from registry.workplace import Workplace

_DAY_SECONDS: Final = 86_400


def key_request(
    place: Workplace, scope: KeyScope, *, next_epoch: bool, starts_at: int = 0, days: int = 1
) -> KeyRequest:
    """Write down what a key shall consent to.

    Args:
        place: The workplace; its settings name the issuer.
        scope: What the key may do.
        next_epoch: Of a status key: for the next status epoch.
        starts_at: Unix seconds from which on it is valid; 0: from the block in which it is added.
        days: How long the consent can be used.
    """
    from registry.services.key_requests import KeyRequest
    from registry.wiring import now

    if next_epoch and scope is KeyScope.ANCHOR:
        raise typer.BadParameter("--next-epoch is for status keys")
    with error_console.status("asking the node"):
        found = find_issuer(place, None)
        # The ledger's clock may be ahead of ours.
        clock = max(now(), place.client.latest_block().header.timestamp)
    did = place.settings.issuer_did
    epoch = found.next_status_epoch if next_epoch else found.record.status_epoch
    return KeyRequest(
        registry=place.registry,
        issuer_id=found.issuer_id,
        issuer_did=did if did is not None and found.is_called(did) else "",
        scope=scope,
        status_epoch=0 if scope is KeyScope.ANCHOR else epoch,
        valid_from=starts_at,
        deadline=clock + days * _DAY_SECONDS,
    )


def own_consent(place: Workplace, name: str, asked: KeyRequest) -> SignedConsent:
    """Let a key of this home folder, or a remote signer's, consent."""
    from registry.services.key_requests import SignedConsent

    own = place.key(name)
    unlock(own)
    signature = own.sign_key_consent(asked.registry, asked.consent_of(own.address))
    return SignedConsent(request=asked, key=own.address, signature=signature)
