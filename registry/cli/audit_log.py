"""`credanchor audit-log show|check`: who did what in the service, and whether the log of it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.model import to_hex, to_utc
from registry.cli.common import HomeOption, open_home_store

if TYPE_CHECKING:
    from registry.store.audit_log import AuditEntry

FORMAT: Final = "credanchor/audit-log@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(
    help="""The service's audit log: who did what, on what, when. (The ledger's history is `credanchor audit`.)

Each institution has its own; what the operator does for himself is in that of home. Entries are chained by hashes: one
that is changed, put in or taken out shows. Whoever can write to the database could make the whole log anew, so note its
head elsewhere now and then.

Exit code: 0 done, whole · 1 there is none · 2 wrong usage or not set up · 3 the database cannot be used, or the log
was altered.

Examples:

  credanchor audit-log show borealis

  credanchor audit-log check borealis --json
""",
    no_args_is_help=True,
)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="Of the institution; home is the home folder's own.")]


@app.command("show")
def show(
    code: CodeArgument,
    after: Annotated[int, typer.Option("--after", min=0, metavar="N", help="Only what came after entry N.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many entries at most.")] = 1000,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show an institution's log, the oldest entry first."""
    from registry.services import operation

    with open_home_store(home) as (_, store):
        entries, length, head = operation.read_log(store, code, after=after, limit=limit)
    if as_json:
        lines = [_content(each) for each in entries]
        print_json({"format": FORMAT, "entries": lines, "length": length, "head": to_hex(head)})
        return
    for each in entries:
        console.print(
            f"{each.number:>6}  {to_utc(each.at)}  {printable(each.actor)}  {printable(each.action)}  "
            f"{printable(each.subject)}"
        )
    last = entries[-1].number if entries else after
    if last < length:
        console.print(f"  … and {length - last:,} more: --after {last}")


@app.command("check")
def check(code: CodeArgument, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Check that nothing in an institution's log was changed, put in or taken out; show its head."""
    from registry.services import operation

    with open_home_store(home) as (_, store):
        length, head = operation.check_log(store, code)
    if as_json:
        print_json({"format": FORMAT, "isWhole": True, "length": length, "head": to_hex(head)})
        return
    console.print(f"[bold green]✔[/] the log is whole: {length:,} entries")
    console.print(f"  head {to_hex(head)}")


def _content(entry: AuditEntry) -> dict[str, str | int]:
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "hash": to_hex(entry.hash),
    }
