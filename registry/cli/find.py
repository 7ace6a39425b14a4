"""`credanchor find`: whose credential is it, where is it, and how does it stand?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import MalformedError
from registry.cli.common import HomeOption, OfflineOption, ask_passphrase, id_of_file, prove_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.services.find import Found
    from registry.services.standing import CredentialState

FORMAT: Final = "credanchor/find@v1"
"""First member of the JSON output; a change that could break readers changes it."""

DEFAULT_LIMIT: Final = 50
"""A screen or two; whoever gets more looks for something else."""

HELP: Final = """Find credentials in the database: by name, e-mail, id, or by a copy of the file.

Words without an @ are parts of one name, all of which must occur; neither case nor accents matter. E-mails and ids must
be whole. How each stands is proven from the ledger; --offline leaves that out.

Exit code: 0 found · 1 nothing found · 2 malformed · 3 the ledger could not be asked (see --offline).

Examples:

  credanchor find levesque zoe

  credanchor find zoe@example.org --batch 12

  credanchor find urn:uuid:8d8a9c1e-0000-4000-8000-000000000001 --json
"""

STATUS_WORDS: Final = {
    "notAnchored": "not on the ledger",
    "batchRevoked": "revoked, with its whole batch",
    "revoked": "revoked",
    "suspended": "suspended",
    "active": "neither revoked nor suspended",
}
"""What a `CredentialState` means, for people."""


def command(
    texts: Annotated[
        list[str], typer.Argument(metavar="TEXT…", help="Parts of a name, an e-mail, an id, or a credential file.")
    ],
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", help="Only in this batch.")] = None,
    offline: OfflineOption = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="Most to show.")] = (
        DEFAULT_LIMIT
    ),
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Find credentials in the database: by name, e-mail, id, or by a copy of the file."""
    from registry.services.find import find, parse_query
    from registry.store.records import BatchId
    from registry.wiring import Institution

    if not any(text.strip() for text in texts):
        raise MalformedError("there is nothing to look for", advice="Give a part of a name, an e-mail or an id.")
    institution = Institution(home, ask_passphrase)
    query = parse_query(map(id_of_file, texts), None if batch is None else BatchId(batch))
    with error_console.status("looking"):
        found, has_more = find(institution.store, query, limit)
        states = prove_states(institution, found, offline=offline)
    if as_json:
        content = [_content(each, state) for each, state in zip(found, states, strict=True)]
        print_json({"format": FORMAT, "found": content, "hasMore": has_more, "statusProven": not offline})
    else:
        _print(found, states, has_more=has_more)
    raise typer.Exit(0 if found else 1)


def _content(found: Found, state: CredentialState | None) -> dict[str, Any]:
    credential, batch = found.credential, found.batch
    return {
        "name": None if credential.is_erased else credential.recipient_name,
        "email": credential.recipient_email,
        "id": credential.uuid.urn,
        "batch": batch.id,
        "achievement": batch.achievement_name,
        "anchoredAt": batch.anchored_at,
        "status": None if state is None else state.value,
        "replaces": None if found.replaces is None else found.replaces.urn,
        "replacedBy": None if found.replaced_by is None else found.replaced_by.urn,
    }


def _print(found: Sequence[Found], states: Sequence[CredentialState | None], *, has_more: bool) -> None:
    for each, state in zip(found, states, strict=True):
        credential, batch = each.credential, each.batch
        email = "no e-mail" if credential.recipient_email is None else printable(credential.recipient_email)
        name = "(erased)" if credential.is_erased else printable(credential.recipient_name)
        console.print(f"[bold]{name}[/] · {email}")
        console.print(f"  id        {credential.uuid.urn}")
        console.print(f"  batch     {batch.id}: {printable(batch.achievement_name)}, {_when(batch.anchored_at)}")
        console.print(f"  status    {'not asked for' if state is None else STATUS_WORDS[state.value]}")
        if each.replaces is not None:
            console.print(f"  replaces  {each.replaces.urn}")
        if each.replaced_by is not None:
            console.print(f"  replaced by {each.replaced_by.urn}")
    if has_more:
        console.print(f"there are more than these {len(found)}: add to the name, or say --batch or --limit")
    if not found:
        error_console.print("[bold red]✘[/] nothing is found in this database")


def _when(anchored_at: int | None) -> str:
    if anchored_at is None:
        return "not anchored yet"
    return f"anchored {datetime.fromtimestamp(anchored_at, UTC):%Y-%m-%d %H:%M} UTC"
