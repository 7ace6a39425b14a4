"""How a verdict looks: the answer first, then what it rests on, then the thirteen checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from anchor.cli.output import console, printable
from anchor.credential import Credential
from anchor.errors import MalformedError
from anchor.model import Basis, CheckStatus, Outcome, Verdict, to_hex, to_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """One file and what came of it."""

    path: Path
    credential: Credential | None
    """None when the file is malformed."""
    answer: Verdict | MalformedError

    @property
    def outcome(self) -> str:
        """`valid`, `invalid`, `unknown` or `malformed`."""
        return "malformed" if isinstance(self.answer, MalformedError) else self.answer.outcome.value


_HEADLINES: Final = {
    "valid": "[bold green]✔ VALID[/]",
    "invalid": "[bold red]✘ NOT VALID[/]",
    "unknown": "[bold yellow]? COULD NOT BE DETERMINED[/]",
    "malformed": "[bold red]✘ MALFORMED[/]",
}
_MARKS: Final = {
    CheckStatus.PASSED: "[green]✔[/]",
    CheckStatus.FAILED: "[red]✘[/]",
    CheckStatus.UNKNOWN: "[yellow]?[/]",
    CheckStatus.NOT_APPLICABLE: "[dim]–[/]",
    CheckStatus.SKIPPED: "[dim]·[/]",
}
_LAST_OF_ORIGIN: Final = 8
"""The last of the steps that show where a credential comes from; those after it are about what became of it."""

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
    console.print(f"{_HEADLINES[checked.outcome]}  {printable(str(checked.path))}")
    if isinstance(checked.answer, MalformedError):
        console.print(f"  {printable(str(checked.answer))}")
        return
    verdict = checked.answer
    if verdict.error is not None:
        console.print(f"  {printable(str(verdict.error))} [dim]({verdict.reason})[/]")
    if checked.credential is not None:
        _print_facts(checked.credential, verdict)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for column in ("step", "mark", "name"):
        table.add_column(column, no_wrap=True)
    table.add_column("detail", overflow="fold")
    for check in verdict.checks:
        table.add_row(f"{check.step:>4}", _MARKS[check.status], STEP_LABELS[check.name], printable(check.detail))
    console.print(table)


def print_table(checked: list[CheckedFile]) -> None:
    """Print many files' answers, one line each, and how many there are of each kind."""
    for each in checked:
        why = str(each.answer) if isinstance(each.answer, MalformedError) else str(each.answer.error or "")
        console.print(f"{_HEADLINES[each.outcome]}  {printable(each.path.name)}  [dim]{printable(why)}[/]")
    counts = {outcome: sum(each.outcome == outcome for each in checked) for outcome in _HEADLINES}
    words = {"valid": "valid", "invalid": "not valid", "unknown": "could not be determined", "malformed": "malformed"}
    console.print(" · ".join(f"{count} {words[outcome]}" for outcome, count in counts.items() if count))
    basis = next(
        (each.answer.basis for each in checked if isinstance(each.answer, Verdict) and each.answer.basis), None
    )
    if basis is not None:
        console.print(f"rests on {printable(basis_words(basis))}")


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
    }


def _print_facts(credential: Credential, verdict: Verdict) -> None:
    # Until the ledger shows that this issuer anchored it, anybody can have written it: a tree is quickly made.
    confirmed = all(check.status is CheckStatus.PASSED for check in verdict.checks if check.step <= _LAST_OF_ORIGIN)
    if not confirmed:
        console.print("  [dim]What the file says of itself, none of it confirmed:[/]")
    facts = {"what": credential.name, "holder": credential.holder, "issuer": verdict.contact}
    if verdict.anchored_at is not None:
        facts["anchored"] = f"{to_utc(verdict.anchored_at)}, by the chain's clock"
    if verdict.basis is not None:
        facts["rests on"] = basis_words(verdict.basis)
    if confirmed and verdict.outcome is Outcome.INVALID:
        facts["ask"] = verdict.contact
    for label, fact in facts.items():
        if fact:
            console.print(f"  {label:<9} {printable(fact)}")
