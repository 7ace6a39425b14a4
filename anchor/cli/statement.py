"""`credanchor statement`: audit statements shown, held against the ledger, and compared with each other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from anchor.audit_statement import (
    MAX_STATEMENT_BYTES,
    AuditStatement,
    Comparison,
    Contradiction,
    Trouble,
    check_statement,
    compare_statements,
    hold_against,
    hold_block,
    settle,
)
from anchor.cli.auditing import Audited, audit_through, header_at, heads_at
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
from anchor.errors import (
    CredanchorError,
    LedgerError,
    LedgerUnavailableError,
    MalformedError,
    PolicyFormatError,
    SignedFormatError,
    UndeterminedError,
)
from anchor.history import History
from anchor.model import BlockHeader, Policy, TrustedRegistry, to_hex, to_utc

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
happened by its block may be missing from it; and its block must be one of the chain, with the time that it says.

Exit code: 0 it is what a complete audit had to say · 1 it is not, or not signed so · 2 malformed · 3 could not be
determined.

Example:

  credanchor statement check statement.json --trust eip155:1:0x… --rpc https://node.example
"""
_COMPARE_HELP: Final = """Compare two auditors' statements. Asks nobody but with --audit.

If they contradict each other, one of the auditors was lied to, or lies. Where the history went on between them,
only the ledger can tell: --audit audits the registry, and holds both against it. So it says which of two is wrong.

Exit code: 0 they say the same, or with --audit both hold · 1 they contradict each other or the ledger, or a signature
does not hold · 2 malformed · 3 the history went on between them, or could not be determined.

Examples:

  credanchor statement compare ours.json theirs.json

  credanchor statement compare ours.json theirs.json --audit --rpc https://node.example
"""

_WORDS: Final = {
    Trouble.OTHER_HEAD: "after as many events, the head is another: the events are not the same",
    Trouble.MISSING_HERE: "the statement counts more events than there are: some were invented, or are missing here",
    Trouble.LEFT_OUT: "something had happened by the statement's block, and is not in it",
    Trouble.TOO_EARLY: "it counts something that happened only after its block",
    Trouble.OTHER_ISSUER: "it is the number of another institution",
    Trouble.OTHER_BLOCK: "there are two blocks of this number: the chains are not the same",
    Trouble.OTHER_TIME: "the block is of another time",
    Trouble.OTHER_CODE: "the contract has other code than it says, and none can be changed",
}

_WHOLE: Final = {
    Trouble.OTHER_BLOCK: "the block",
    Trouble.OTHER_TIME: "the block",
    Trouble.OTHER_CODE: "the contract",
}

SignerOption = Annotated[
    str | None, typer.Option("--signer", metavar="DID", help="did:key of who must have signed it.")
]
ArchiveOption = Annotated[
    Path | None,
    typer.Option("--from", metavar="ARCHIVE", help="Read the events of this archive before asking a node."),
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
    archive: ArchiveOption = None,
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
    audited, (held,) = _audit(rules, archive, [statement])
    if held.problem is not None and not held.contradictions:
        raise held.problem
    if as_json:
        print_json(
            {
                "format": FORMAT,
                **_content(statement),
                "against": basis_content(audited.basis),
                "contradictions": _found_content(held.contradictions),
                "open": list(held.open),
            }
        )
    else:
        _print(statement, signer)
        _print_found(held.contradictions)
        _print_held(held)
        console.print(f"  rests on {printable(basis_words(audited.basis))}")
    raise typer.Exit(held.exit_code)


@app.command("compare", help=_COMPARE_HELP)
def compare(
    one_file: Annotated[Path, typer.Argument(metavar="STATEMENT", help="One statement.")],
    other_file: Annotated[Path, typer.Argument(metavar="OTHER", help="Another one, about the same registry.")],
    with_audit: Annotated[
        bool, typer.Option("--audit", help="Audit the registry, and hold both against it, whatever they say.")
    ] = False,
    archive: ArchiveOption = None,
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    max_age: MaxAgeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare two auditors' statements."""
    if not with_audit and any((archive, policy, trust, rpc, agree, own_node, max_age)):
        raise MalformedError("statements are compared without asking anybody", advice="Add --audit to ask nodes.")
    statements = [_read(one_file, None), _read(other_file, None)]
    compared = compare_statements(*statements)
    held: list[_Held] = []
    if with_audit:
        rules = load_policy(policy, trust, rpc, agree=agree, own_node=own_node, max_age=max_age)
        _, held = _audit(rules, archive, statements)
        problem = next((each.problem for each in held if each.problem is not None), None)
        if problem is not None and not compared.contradictions and not any(each.contradictions for each in held):
            raise problem
    if as_json:
        content = {
            "format": FORMAT,
            "statements": [_content(each) for each in statements],
            "contradictions": _found_content(compared.contradictions),
            "wentOn": list(compared.open),
        }
        if held:
            content["held"] = [
                {"contradictions": _found_content(each.contradictions), "open": list(each.open)} for each in held
            ]
        print_json(content)
    else:
        _print_compared(statements, compared, held)
    codes = {each.exit_code for each in held} or {3 if compared.open else 0}
    raise typer.Exit(1 if compared.contradictions or 1 in codes else max(codes))


class _Held(NamedTuple):
    """What came of holding a statement against the ledger."""

    contradictions: tuple[Contradiction, ...]
    open: tuple[int | None, ...]
    problem: CredanchorError | None
    """Why the rest is not known."""

    @property
    def exit_code(self) -> int:
        return 1 if self.contradictions else 3 if self.open or self.problem else 0


def _audit(rules: Policy, archive: Path | None, statements: Sequence[AuditStatement]) -> tuple[Audited, list[_Held]]:
    """Audit the registry of some statements, and hold each against it."""
    registry = statements[0].basis.registry
    newest = max(each.basis.block_number for each in statements)
    pin = rules.pin_of(registry)
    if pin is None:
        raise PolicyFormatError(
            f"the policy does not trust the statement's registry, {registry.to_text()}",
            advice="If you do, name it with --trust.",
        )
    with (
        tempfile.TemporaryDirectory(prefix="credanchor-audit-") as spare,
        error_console.status("asking the node") as status,
    ):
        audited = audit_through(Path(spare), pin, rules, status.update, archive=archive)
        if audited.block.number < newest:
            raise LedgerUnavailableError(
                f"the newest block that is vouched for, {audited.block.number}, is before that of the statement, "
                f"{newest}",
                advice="Wait until the node has synced.",
            )
        history = replace(audited.history, events=audited.all_events)
        return audited, [_hold(each, history, audited.block, rules, pin) for each in statements]


def _hold(
    statement: AuditStatement, history: History, newest: BlockHeader, rules: Policy, pin: TrustedRegistry
) -> _Held:
    registry, number = pin.registry, statement.basis.block_number
    problem: CredanchorError | None = None
    block: tuple[Contradiction, ...] = ()
    next_at: int | None = None
    try:
        block = hold_block(statement, newest if number == newest.number else header_at(rules, registry, number))
    except (LedgerError, UndeterminedError) as error:
        problem = error
    if number < newest.number:
        try:
            next_at = header_at(rules, registry, number + 1).timestamp
        except (LedgerError, UndeterminedError):
            # It might have the same time: what that leaves open is said to be so.
            next_at = statement.basis.block_at
    held = hold_against(statement, history, code_hash=pin.code_hash, next_block_at=next_at)
    if held.open and not block and problem is None:
        # What stays open where no node has the state of that block any more is said to be so.
        with suppress(LedgerError, UndeterminedError):
            held = settle(statement, held, heads_at(rules, registry, number, held.open))
    return _Held((*block, *held.contradictions), held.open, problem)


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
        whose = _WHOLE.get(each.trouble) or _chain_words(each.issuer_id)
        console.print(f"[bold red]✘ CONTRADICTED[/]  {whose}: {_WORDS[each.trouble]}")


def _print_held(held: _Held) -> None:
    if held.problem is not None and not held.contradictions:
        console.print(f"[bold yellow]? OPEN[/]  {printable(str(held.problem))}")
    elif held.open and not held.contradictions:
        chains = ", ".join(map(_chain_words, held.open))
        console.print(
            f"[bold yellow]? OPEN[/]  the block after its own may be of the same second as events of: {chains}"
        )
        console.print("  Ask for a statement of a later block.")
    elif not held.contradictions:
        console.print("[bold green]✔ HOLDS[/]  it is what a complete audit at its block had to say")


def _print_compared(statements: Sequence[AuditStatement], compared: Comparison, held: Sequence[_Held]) -> None:
    for each in statements:
        _print(each, None)
    _print_found(compared.contradictions)
    for name, against in zip(("first", "second"), held, strict=False):
        console.print(f"the {name} against the ledger:")
        _print_found(against.contradictions)
        _print_held(against)
    if compared.contradictions or held:
        return
    if compared.open:
        went_on = ", ".join(map(_chain_words, compared.open))
        console.print(f"[bold yellow]? OPEN[/]  between them went on: {went_on}")
        console.print("  With --audit both are held against the ledger, which has the events between.")
    else:
        console.print("[bold green]✔ THE SAME[/]  both found the same heads")


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
