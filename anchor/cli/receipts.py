"""Receipts for people and programs: written after a verification, and how one looks when it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.cli.checking import Report
from anchor.cli.output import console, error_console, plain, printable
from anchor.cli.signed_files import key_for, write_signed
from anchor.did_key import Ed25519Key
from anchor.errors import FetchError
from anchor.model import Basis, to_hex, to_utc
from anchor.receipt import FileAnswer, Receipt, ReceiptFile, make_receipt
from anchor.steps import STEP_NAMES

ReceiptOption = Annotated[
    Path | None, typer.Option("--receipt", metavar="FILE", help="Write a signed receipt: what was checked, when, how.")
]
SignWithOption = Annotated[
    Path | None, typer.Option("--sign-with", metavar="KEYFILE", help="Key that signs it (credanchor signer new).")
]
OrganisationOption = Annotated[
    str, typer.Option("--organisation", metavar="NAME", help="For whom you sign; stands in the receipt.")
]
ReceiptNamesFlag = Annotated[
    bool, typer.Option("--receipt-names", help="Name the files in the receipt; else it knows them by their hashes.")
]

WORDS: Final = {
    "valid": "[green]✔ valid[/]",
    "invalid": "[red]✘ not valid[/]",
    "unknown": "[yellow]? could not be determined[/]",
    "malformed": "[red]✘ malformed[/]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptOrder:
    """A receipt that somebody wants, with the key unlocked: before anything is checked, so that no work is lost."""

    path: Path
    key: Ed25519Key
    organisation: str
    with_names: bool
    """File names stand in it."""


def order_receipt(
    path: Path | None, key_file: Path | None, passphrase_file: Path | None, *, organisation: str, with_names: bool
) -> ReceiptOrder | None:
    """Unlock the key for a receipt, if one is wanted; None if not.

    Raises:
        MalformedError: There is a receipt to be written without a key, or the other way round, or such a file already.
        KeyUnavailableError: The key cannot be used.
    """
    key = key_for(path, key_file, passphrase_file, "receipt")
    if path is None or key is None:
        return None
    return ReceiptOrder(path=path, key=key, organisation=plain(organisation), with_names=with_names)


def write_receipt(order: ReceiptOrder, report: Report) -> None:
    """Sign and write a receipt.

    Args:
        order: Where, and by whom.
        report: What was checked, with hashes.

    Raises:
        MalformedError: It cannot be written, or there is such a file.
        SignedFormatError: It would be too large.
    """
    files = [
        FileAnswer(
            sha256=each.sha256,
            answer=each.answer,
            credential=each.credential,
            name=plain(each.source.name) if order.with_names else "",
        )
        for each in report.files
        if each.sha256 is not None and not isinstance(each.answer, FetchError)
    ]
    data = make_receipt(
        files,
        report.policy,
        checked_at=report.checked_at,
        program=f"credanchor {version('credanchor')}",
        key=order.key,
        organisation=order.organisation,
    )
    write_signed(order.path, data, "receipt")
    if left_out := len(report.files) - len(files):
        error_console.print(f"  The receipt says nothing of {left_out} that did not come, or not whole.")


def print_receipt(receipt: Receipt) -> None:
    """Say what a receipt says, and what that is worth."""
    console.print("[bold green]✔[/] the signature holds")
    facts = {
        "signed by": receipt.signature.signer,
        "says to be": receipt.organisation,
        "checked": f"{to_utc(receipt.checked_at)}, by the signer's clock",
        "with": receipt.program,
        "policy": to_hex(receipt.policy_hash),
    }
    for label, fact in facts.items():
        if fact:
            console.print(f"  {label:<10} {printable(fact)}")
    for block in receipt.blocks:
        console.print(f"  {'block':<10} {printable(block_words(block))}")
    counts = ", ".join(f"{count} {words}" for outcome, words in WORDS.items() if (count := _count(receipt, outcome)))
    console.print(f"  {'files':<10} {counts or 'none'}")
    console.print("  It proves that this signer said so, not that it is so: verify the files yourself to know.")


def block_words(basis: Basis) -> str:
    """Say in one line what verdicts of a receipt rested on."""
    by = ", ".join(basis.vouched_by) or "the policy"
    vouched = f"{basis.vouching.value}: {by}; {basis.nodes_asked} asked"
    return (
        f"{basis.registry.to_text()} at block {basis.block_number} of {to_utc(basis.block_at)}, "
        f"{to_hex(basis.block_hash)} ({vouched})"
    )


def receipt_content(receipt: Receipt) -> dict[str, Any]:
    """Give a receipt's outer facts for programs."""
    return {
        "signer": receipt.signature.signer,
        "organisation": receipt.organisation,
        "signedAt": receipt.signature.signed_at,
        "checkedAt": receipt.checked_at,
        "program": receipt.program,
        "policyHash": to_hex(receipt.policy_hash),
        "counts": {outcome: _count(receipt, outcome) for outcome in WORDS},
    }


def file_content(said: ReceiptFile, blocks: Sequence[Basis]) -> dict[str, Any]:
    """Give what a receipt says of a file for programs."""
    block = None if said.block is None else blocks[said.block]
    return {
        "outcome": said.outcome,
        "reason": said.reason,
        "credentialId": said.credential_id,
        "issuer": said.issuer_did,
        "anchoredAt": said.anchored_at,
        "blockHash": None if block is None else to_hex(block.block_hash),
        "checks": dict(zip(STEP_NAMES, (each.value for each in said.checks), strict=False)),
    }


def _count(receipt: Receipt, outcome: str) -> int:
    return sum(each.outcome == outcome for each in receipt.files)
