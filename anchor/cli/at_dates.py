"""How the state at a date looks: what held then as it was known, and what was declared later of that time."""

from __future__ import annotations

from typing import Any, Final

from anchor.at_date import CredentialAt, StateAt
from anchor.cli.histories import issuer_content, print_issuer, roles_content
from anchor.cli.occurrences import Occurrence
from anchor.cli.output import console, printable
from anchor.cli.verdicts import basis_content, basis_words
from anchor.history import ACCREDITOR_ROLE
from anchor.model import Basis, Key, to_hex, to_utc

FORMAT: Final = "credanchor/audit-at@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_WORDS: Final = {
    "": "[bold green]✔ VALID[/]",
    "notAnchored": "[bold red]✘ NOT ANCHORED[/]: its batch was not on the ledger",
    "keyCompromised": "[bold red]✘ VOID[/]: anchored with a key that is declared compromised since that time",
    "untrustedIssuer": "[bold red]✘ NOT TRUSTED[/]: its issuer did not anchor it, or the policy denies him",
    "batchRevoked": "[bold red]✘ REVOKED[/] with its whole batch",
    "revoked": "[bold red]✘ REVOKED[/]",
    "suspended": "[bold yellow]✘ SUSPENDED[/]",
    "notYetValid": "[bold red]✘ NOT YET VALID[/] by its own dates",
    "expired": "[bold red]✘ EXPIRED[/] by its own dates",
}


def print_state(state: StateAt, basis: Basis, did: str | None, credential: CredentialAt | None) -> None:
    """Print what held at a date, and what it rests on."""
    then = state.then
    console.print(f"at {to_utc(state.at)}, after {state.count} events:")
    for issuer in then.issuers:
        if did is None or issuer.did == did:
            print_issuer(issuer)
            for address, key in issuer.keys.items():
                console.print(f"  key {to_hex(address)}: {_key_words(key, state.at)}")
    accreditors = ", ".join(to_hex(account) for account in then.members(ACCREDITOR_ROLE))
    console.print(f"accreditors: {accreditors or 'nobody'}")
    for each in state.later:
        void = ", ".join(map(to_hex, each.void_batches)) or "none"
        console.print(
            f"[yellow]declared later[/]: key {to_hex(each.key)} of issuer {each.issuer_id} is compromised since "
            f"{to_utc(each.since)}; void for that, of the batches above: {void}"
        )
    if credential is not None:
        _print_credential(state, credential)
    console.print(f"  proven complete up to today; rests on {printable(basis_words(basis))}")


def _print_credential(state: StateAt, credential: CredentialAt) -> None:
    console.print(f"the credential, as it was known then: {_WORDS[credential.reason]}")
    if credential.reason_in_hindsight != credential.reason:
        console.print(f"  with what was declared later: {_WORDS[credential.reason_in_hindsight]}")
    if credential.is_undone_later:
        console.print("  that ended when other status epochs counted later: a key for status had been stolen")
    for event in credential.events:
        words = printable(Occurrence(state.then, event).words())
        console.print(f"  decided by block {event.log.block_number}, {to_utc(event.at)}: {event.kind}, {words}")


def state_content(state: StateAt, basis: Basis, did: str | None, credential: CredentialAt | None) -> dict[str, Any]:
    """Give the state at a date as a JSON document."""
    then = state.then
    return {
        "format": FORMAT,
        "complete": True,
        "at": state.at,
        "basis": basis_content(basis),
        "events": state.count,
        "roles": roles_content(then),
        "issuers": [issuer_content(each) for each in then.issuers if did is None or each.did == did],
        "declaredLater": [
            {
                "issuer": each.issuer_id,
                "key": to_hex(each.key),
                "since": each.since,
                "voidBatches": [to_hex(root) for root in each.void_batches],
            }
            for each in state.later
        ],
        "credential": None
        if credential is None
        else {
            "valid": not credential.reason,
            "reason": credential.reason,
            "validInHindsight": not credential.reason_in_hindsight,
            "reasonInHindsight": credential.reason_in_hindsight,
            "undoneLater": credential.is_undone_later,
            "events": [Occurrence(then, event).content() for event in credential.events],
        },
    }


def _key_words(key: Key, at: int) -> str:
    if key.valid_from > at:
        return f"valid only from {to_utc(key.valid_from)} on"
    if key.compromised_at:
        return f"[red]compromised[/] since {to_utc(key.compromised_at)}"
    if key.valid_until and key.valid_until <= at:
        return f"ended {to_utc(key.valid_until)}"
    return f"valid since {to_utc(key.valid_from)}"
