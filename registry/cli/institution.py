"""`credanchor institution add|list|show|close`: the institutions that a service is for. Asks, tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.errors import MalformedError
from anchor.model import MAX_UINT32, RegistryId, to_utc
from registry.cli.common import HomeOption, open_home_store

if TYPE_CHECKING:
    from registry.store.institutions import InstitutionRecord

FORMAT: Final = "credanchor/institution@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(
    help="""The institutions that a service is for. The home folder's own has the code home.

Exit code: 0 done · 1 refused, or there is none · 2 wrong usage or not set up · 3 the database cannot be used.

Examples:

  credanchor institution add borealis --name "Collège Boréalis" --did did:web:college.example --issuer-id 1

  credanchor institution list
""",
    no_args_is_help=True,
)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="Its code, such as borealis.")]


@app.command("add")
def add(
    code: CodeArgument,
    name: Annotated[str, typer.Option("--name", help="Its name, as people know it.")],
    did: Annotated[str | None, typer.Option("--did", help="Its DID, as it was accredited.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="Its web site.")] = None,
    issuer_id: Annotated[
        int | None, typer.Option("--issuer-id", min=1, max=MAX_UINT32, help="Its number in the registry.")
    ] = None,
    registry: Annotated[
        str | None, typer.Option("--registry", help="Registry that accredited it (CAIP-10). Default: the settings'.")
    ] = None,
    anchor_key: Annotated[
        str | None, typer.Option("--anchor-key", help="Key file or remote signer's key that anchors its batches.")
    ] = None,
    status_key: Annotated[
        str | None, typer.Option("--status-key", help="Key file or remote signer's key that changes status.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an institution; then make it an API key with `credanchor api-key new`."""
    from registry.services import operation
    from registry.settings import check_settings
    from registry.store.institutions import InstitutionDetails
    from registry.wiring import now

    if not name.strip() or not name.isprintable():
        raise MalformedError("an institution has a name, all of it visible")
    with open_home_store(home) as (settings, store):
        values = {
            "issuer_did": did,
            "issuer_url": url,
            "registry": registry or settings.registry,
            "anchor_key": anchor_key,
            "status_key": status_key,
        }
        check_settings({"rpc_url": settings.rpc_url, **{key: value for key, value in values.items() if value}})
        named = registry or (settings.registry if issuer_id is not None else None)
        details = InstitutionDetails(
            name=name,
            did=did,
            url=url,
            registry=None if named is None else RegistryId.parse(named),
            issuer_id=issuer_id,
            anchor_key=anchor_key,
            status_key=status_key,
        )
        record = operation.add(store, code, details, now=now())
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record)})
        return
    console.print(f"[bold green]✔[/] institution {printable(code)} is added: {printable(name)}")
    console.print(f"  Make it an API key: credanchor api-key new --institution {printable(code)} --scope read")


@app.command("list")
def list_all(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """List all institutions."""
    from registry.services import operation

    with open_home_store(home) as (_, store):
        records = operation.list_all(store)
    if as_json:
        print_json({"format": FORMAT, "institutions": [content_of(each) for each in records]})
        return
    for each in records:
        closed = "" if each.closed_at is None else f" [dim](closed {to_utc(each.closed_at)})[/]"
        console.print(f"{printable(each.code):<24} {printable(each.details.name)}{closed}")


@app.command("show")
def show(code: CodeArgument, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Show an institution and its API keys."""
    from registry.cli.api_key import key_content, key_words
    from registry.services import operation

    with open_home_store(home) as (_, store):
        record, keys = operation.show(store, code)
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record), "keys": [key_content(each) for each in keys]})
        return
    for label, value in content_of(record).items():
        if value is not None:
            console.print(f"{label:<12} {printable(str(value))}")
    for each in keys:
        console.print(f"{'key':<12} {key_words(each)}")


@app.command("close")
def close(code: CodeArgument, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Close an institution: its API keys open nothing any more. What it issued still verifies."""
    from registry.services import operation
    from registry.wiring import now

    with open_home_store(home) as (_, store):
        record = operation.close(store, code, now=now())
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record)})
    else:
        console.print(f"[bold green]✔[/] institution {printable(code)} is closed")


def content_of(record: InstitutionRecord) -> dict[str, Any]:
    """Give an institution as JSON."""
    details = record.details
    return {
        "code": record.code,
        "name": details.name,
        "did": details.did,
        "url": details.url,
        "registry": None if details.registry is None else details.registry.to_text(),
        "issuerId": details.issuer_id,
        "createdAt": record.created_at,
        "closedAt": record.closed_at,
    }
