"""How a verdict looks: the answer first, then what it rests on, then the thirteen checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table

from anchor.cli.checking import CheckedFile
from anchor.cli.output import console, printable
from anchor.credential import Credential
from anchor.identity import HolderMatch
from anchor.model import Basis, CheckStatus, Outcome, Verdict, Vouching, to_hex, to_utc

HEADLINES: Final = {
    "valid": "[bold green]✔ VALID[/]",
    "invalid": "[bold red]✘ NOT VALID[/]",
    "unknown": "[bold yellow]? COULD NOT BE DETERMINED[/]",
    "malformed": "[bold red]✘ MALFORMED[/]",
}
HOLDER_WORDS: Final = {
    HolderMatch.MATCHES: "[green]matches[/]: it states the e-mail that you gave",
    HolderMatch.DIFFERS: "[bold red]does not match[/]: it states another e-mail than the one that you gave",
    HolderMatch.NOT_STATED: "[yellow]not stated[/]: it states no e-mail that could be compared; look at the name",
}
_MARKS: Final = {
    CheckStatus.PASSED: "[green]✔[/]",
    CheckStatus.FAILED: "[red]✘[/]",
    CheckStatus.UNKNOWN: "[yellow]?[/]",
    CheckStatus.NOT_APPLICABLE: "[dim]–[/]",
    CheckStatus.SKIPPED: "[dim]·[/]",
}
STEP_LABELS: Final = {
    "wellFormed": "well-formed",
    "statusEntries": "status entries, leaf",
    "inclusion": "included in the batch",
    "registryTrusted": "registry trusted",
    "block": "block vouched for, fresh",
    "anchored": "batch anchored",
    "key": "key valid then",
    "issuer": "issuer accredited",
    "batchNotRevoked": "batch not revoked",
    "notRevoked": "not revoked",
    "notSuspended": "not suspended",
    "dates": "dates",
    "otherProofs": "other proofs",
}
"""What each check is called for people, by its name in the verdict."""


def print_one(checked: CheckedFile) -> None:
    """Print one file's answer in full."""
    console.print(f"{HEADLINES[checked.outcome]}  {printable(checked.source.name)}")
    if checked.why:
        console.print(f"  {printable(checked.why)} [dim]({checked.reason})[/]")
    if checked.holder is not None:
        console.print(f"  {HOLDER_WORDS[checked.holder]}")
    if checked.as_of_block and isinstance(checked.answer, Verdict) and checked.answer.basis is not None:
        console.print(f"  [bold]{as_of_words(checked.answer.basis)}[/]")
    if checked.contacted:
        console.print(f"  {printable(contacted_words(checked.source.contacted, checked.issuer_asked))}")
    if not isinstance(checked.answer, Verdict):
        if checked.answer.advice:
            console.print(f"  {printable(checked.answer.advice)}")
        return
    verdict = checked.answer
    if checked.credential is not None:
        _print_facts(checked, checked.credential, verdict)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for column in ("step", "mark", "name"):
        table.add_column(column, no_wrap=True)
    table.add_column("detail", overflow="fold")
    for check in verdict.checks:
        table.add_row(f"{check.step:>4}", _MARKS[check.status], STEP_LABELS[check.name], printable(check.detail))
    console.print(table)


def as_of_words(basis: Basis) -> str:
    """Say that it was asked what held at a block."""
    day = to_utc(basis.block_at)
    return f"as of block {basis.block_number} of {day}: what has happened since is not in it"


def contacted_words(fetched_from: Sequence[str], issuers_asked: Sequence[str]) -> str:
    """Say whom the program asked beside the policy's nodes: the user's addresses, and what the policy wants."""
    said = []
    if fetched_from:
        said.append(f"fetched from {', '.join(fetched_from)}, as you asked")
    if issuers_asked:
        said.append(f"{', '.join(issuers_asked)} asked for the issuer's DID document, as the policy says")
    else:
        said.append("nobody else of the issuer's was contacted")
    return "; ".join(said)


def verdict_content(verdict: Verdict) -> dict[str, Any]:
    """Give a verdict as members of a JSON document."""
    return {
        "reason": verdict.reason,
        "message": str(verdict.error or ""),
        "credentialId": verdict.credential_id,
        "issuer": verdict.issuer_did,
        "contact": verdict.contact,
        "anchoredAt": verdict.anchored_at,
        "keyCompromisedAt": verdict.compromised_at,
        "basis": basis_content(verdict.basis) if verdict.basis is not None else None,
        "checks": [
            {
                "step": check.step,
                "name": check.name,
                "status": check.status.value,
                "reason": check.reason,
                "detail": check.detail,
            }
            for check in verdict.checks
        ],
    }


def basis_words(basis: Basis) -> str:
    """Say in one line what a verdict rests on."""
    by = ", ".join(basis.vouched_by)
    block = f"block {basis.block_number} of {to_utc(basis.block_at)}, {to_hex(basis.block_hash)}"
    if basis.vouching is Vouching.K_OF_N:
        by = f"{len(basis.vouched_by)} of {basis.nodes_asked} nodes agree, {by}"
    return f"{block} ({basis.vouching.value}: {by})"


def basis_content(basis: Basis) -> dict[str, Any]:
    """Give what a verdict rests on as members of a JSON document."""
    return {
        "registry": basis.registry.to_text(),
        "registryName": basis.registry_name,
        "blockNumber": basis.block_number,
        "blockHash": to_hex(basis.block_hash),
        "blockAt": basis.block_at,
        "vouching": basis.vouching.value,
        "vouchedBy": list(basis.vouched_by),
        "nodesAsked": basis.nodes_asked,
    }


def _print_facts(checked: CheckedFile, credential: Credential, verdict: Verdict) -> None:
    if not checked.is_confirmed:
        console.print("  [dim]What the file says of itself, none of it confirmed:[/]")
    facts = {"what": credential.name, "holder": credential.holder, "issuer": verdict.contact}
    if verdict.anchored_at is not None:
        facts["anchored"] = f"{to_utc(verdict.anchored_at)}, by the chain's clock"
    if verdict.basis is not None:
        facts["rests on"] = basis_words(verdict.basis)
    if checked.is_confirmed and verdict.outcome is Outcome.INVALID:
        facts["ask"] = verdict.contact
    for label, fact in facts.items():
        if fact:
            console.print(f"  {label:<9} {printable(fact)}")
