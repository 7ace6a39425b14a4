"""`credanchor statement`: audit statements shown, held against the ledger, and compared with each other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.audit_statement import (
    MAX_STATEMENT_BYTES,
    AuditStatement,
    Contradiction,
    Trouble,
    check_statement,
    compare_statements,
    hold_against,
)
from anchor.cli.auditing import audit_through, block_hash_at
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.policies import (
    AgreeOption,
    MaxAgeOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.cli.receipts import block_words
from anchor.cli.verdicts import basis_content, basis_words
from anchor.data_integrity import require_signer
from anchor.errors import LedgerUnavailableError, PolicyFormatError, SignedFormatError
from anchor.model import to_hex, to_utc

FORMAT: Final = "credanchor/statement-check@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_SHOW_HELP: Final = """Show who signed a statement and what it says. Asks nobody.

That the signature holds proves that the signer said so. Whether it is so: credanchor statement check.

Exit code: 0 signed · 1 the signature does not hold, or another's · 2 malformed.

Example:

  credanchor statement show statement.json --signer did:key:z6Mk…
"""
_CHECK_HELP: Final = """Audit the registry anew, and hold a statement against it.

The statement's heads must have been passed on the way to those of today, after as many events; nothing that had
happened by its block may be missing from it; and its block must be one of the chain.

Exit code: 0 it is what a complete audit had to say · 1 it is not, or not signed so · 2 malformed · 3 could not be
determined.

Example:

  credanchor statement check statement.json --trust eip155:1:0x… --rpc https://node.example
"""
_COMPARE_HELP: Final = """Compare two auditors' statements. Asks nobody.

If they contradict each other, one of the auditors was lied to, or lies. Where the history went on between them,
only the ledger can tell: credanchor statement check.

Exit code: 0 they say the same · 1 they contradict each other, or a signature does not hold · 2 malformed · 3 the
history went on between them.

Example:

  credanchor statement compare ours.json theirs.json
"""

_WORDS: Final = {
    Trouble.OTHER_HEAD: "after as many events, the head is another: the events are not the same",
    Trouble.MISSING_HERE: "the statement counts more events than there are: some were invented, or are missing here",
    Trouble.LEFT_OUT: "something had happened by the statement's block, and is not in it",
    Trouble.TOO_EARLY: "it counts something that happened only after its block",
    Trouble.OTHER_ISSUER: "it is the number of another institution",
    Trouble.OTHER_BLOCK: "there are two blocks of this number: the chains are not the same",
}

SignerOption = Annotated[
    str | None, typer.Option("--signer", metavar="DID", help="did:key of who must have signed it.")
]
StatementArgument = Annotated[Path, typer.Argument(metavar="STATEMENT", help="The statement.")]

app = typer.Typer(
    help="Audit statements: what an auditor found proven, signed, to be checked by others.", no_args_is_help=True
)


@app.command("show", help=_SHOW_HELP)
def show(statement_file: StatementArgument, signer: SignerOption = None, as_json: JsonFlag = False) -> None:
    """Show who signed a statement and what it says. Asks nobody."""
    statement = _read(statement_file, signer)
    if as_json:
        print_json({"format": FORMAT, **_content(statement)})
        return
    _print(statement, signer)
    for chain, stated in statement.heads.items():
        console.print(f"  {_chain_words(chain):<12} {stated.events:>7} events, head {to_hex(stated.head)}")


@app.command("check", help=_CHECK_HELP)
def check(
    statement_file: StatementArgument,
    signer: SignerOption = None,
    archive: Annotated[
        Path | None,
        typer.Option("--from", metavar="ARCHIVE", help="Read the events of this archive before asking a node."),
    ] = None,
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    max_age: MaxAgeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Audit the registry anew, and hold a statement against it."""
    statement = _read(statement_file, signer)
    rules = load_policy(policy, trust, rpc, agree=agree, own_node=own_node, max_age=max_age)
    pin = rules.pin_of(statement.basis.registry)
    if pin is None:
        raise PolicyFormatError(
            f"the policy does not trust the statement's registry, {statement.basis.registry.to_text()}",
            advice="If you do, name it with --trust.",
        )
    with (
        tempfile.TemporaryDirectory(prefix="credanchor-audit-") as spare,
        error_console.status("asking the node") as status,
    ):
        audited = audit_through(Path(spare), pin, rules, status.update, archive=archive)
        if audited.block.number < statement.basis.block_number:
            raise LedgerUnavailableError(
                f"the newest block that is vouched for, {audited.block.number}, is before that of the statement, "
                f"{statement.basis.block_number}",
                advice="Wait until the node has synced.",
            )
        found = hold_against(statement, replace(audited.history, events=audited.all_events))
        if block_hash_at(rules, statement.basis.block_number) != statement.basis.block_hash:
            found = (Contradiction(trouble=Trouble.OTHER_BLOCK, issuer_id=None), *found)
        if pin.code_hash != statement.code_hash:
            error_console.print("[yellow]note[/]: the statement required other code of the contract than your policy")
    if as_json:
        against = {"against": basis_content(audited.basis)}
        print_json({"format": FORMAT, **_content(statement), **against, "contradictions": _found_content(found)})
    else:
        _print(statement, signer)
        _print_found(found)
        if not found:
            console.print("[bold green]✔ HOLDS[/]  it is what a complete audit at its block had to say")
        console.print(f"  rests on {printable(basis_words(audited.basis))}")
    raise typer.Exit(1 if found else 0)


@app.command("compare", help=_COMPARE_HELP)
def compare(
    one_file: Annotated[Path, typer.Argument(metavar="STATEMENT", help="One statement.")],
    other_file: Annotated[Path, typer.Argument(metavar="OTHER", help="Another one, about the same registry.")],
    as_json: JsonFlag = False,
) -> None:
    """Compare two auditors' statements. Asks nobody."""
    one, other = _read(one_file, None), _read(other_file, None)
    compared = compare_statements(one, other)
    if as_json:
        print_json(
            {
                "format": FORMAT,
                "statements": [_content(one), _content(other)],
                "contradictions": _found_content(compared.contradictions),
                "wentOn": list(compared.open),
            }
        )
    else:
        for each in (one, other):
            _print(each, None)
        _print_found(compared.contradictions)
        if compared.open and not compared.contradictions:
            went_on = ", ".join(map(_chain_words, compared.open))
            console.print(f"[bold yellow]? OPEN[/]  between them went on: {went_on}")
            console.print("  Check each with credanchor statement check: it reads the events between.")
        elif not compared.contradictions:
            console.print("[bold green]✔ THE SAME[/]  both found the same heads")
    raise typer.Exit(1 if compared.contradictions else 3 if compared.open else 0)


def _read(path: Path, signer: str | None) -> AuditStatement:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_STATEMENT_BYTES + 1)
    except OSError as error:
        raise SignedFormatError(f"the statement {path} cannot be read: {error.strerror}") from error
    statement = check_statement(data)
    if signer is not None:
        require_signer(statement.signature, signer)
    return statement


def _print(statement: AuditStatement, signer: str | None) -> None:
    console.print("[bold green]✔[/] the signature holds")
    facts = {
        "signed by": statement.signature.signer,
        "says to be": statement.organisation,
        "audited": f"{to_utc(statement.audited_at)}, by the signer's clock",
        "with": statement.program,
        "covers": block_words(statement.basis),
        "heads": f"of the registry and {len(statement.did_hashes)} institutions",
    }
    for label, fact in facts.items():
        if fact:
            console.print(f"  {label:<10} {printable(fact)}")
    if signer is None:
        console.print(
            "  Is that the did:key which the signer gave you? credanchor statement show --signer compares it."
        )


def _print_found(found: Sequence[Contradiction]) -> None:
    for each in found:
        whose = "the block" if each.trouble is Trouble.OTHER_BLOCK else _chain_words(each.issuer_id)
        console.print(f"[bold red]✘ CONTRADICTED[/]  {whose}: {_WORDS[each.trouble]}")


def _chain_words(chain: int | None) -> str:
    return "the registry" if chain is None else f"issuer {chain}"


def _content(statement: AuditStatement) -> dict[str, Any]:
    return {
        "signer": statement.signature.signer,
        "organisation": statement.organisation,
        "signedAt": statement.signature.signed_at,
        "auditedAt": statement.audited_at,
        "program": statement.program,
        "codeHash": to_hex(statement.code_hash),
        "basis": basis_content(statement.basis),
        "heads": [
            {"issuer": chain, "events": stated.events, "head": to_hex(stated.head)}
            for chain, stated in statement.heads.items()
        ],
    }


def _found_content(found: Sequence[Contradiction]) -> list[dict[str, Any]]:
    return [
        {"issuer": each.issuer_id, "trouble": each.trouble.value, "message": _WORDS[each.trouble]} for each in found
    ]
