"""`credanchor institution add|set|budget|list|show|close`: the institutions that a service is for. Asks, tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.errors import MalformedError
from anchor.model import MAX_UINT32, RegistryId, to_utc
from registry.cli.common import HomeOption, open_home_store

if TYPE_CHECKING:
    from registry.settings import DraftSettings
    from registry.store.engine import Store
    from registry.store.institutions import InstitutionRecord

FORMAT: Final = "credanchor/institution@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(
    help="""The institutions that a service is for. The home folder's own has the code home.

Exit code: 0 done · 1 refused, or there is none · 2 wrong usage or not set up · 3 the database cannot be used.

Examples:

  credanchor institution add borealis --name "Collège Boréalis" --did did:web:college.example --issuer-id 1

  credanchor institution set borealis --anchor-key keys/borealis-anchor.json --status-key keys/borealis-status.json

  credanchor institution budget borealis --coins 0.5

  credanchor institution list
""",
    no_args_is_help=True,
)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="Its code, such as borealis.")]
DidOption = Annotated[str | None, typer.Option("--did", help="Its DID, as it was accredited.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Its web site.")]
IssuerIdOption = Annotated[
    int | None, typer.Option("--issuer-id", min=1, max=MAX_UINT32, help="Its number in the registry.")
]
RegistryOption = Annotated[
    str | None, typer.Option("--registry", help="Registry that accredited it (CAIP-10). Default: the settings'.")
]
AnchorKeyOption = Annotated[
    str | None, typer.Option("--anchor-key", help="Key file or remote signer's key that anchors its batches.")
]
StatusKeyOption = Annotated[
    str | None, typer.Option("--status-key", help="Key file or remote signer's key that changes status.")
]
PublicUrlOption = Annotated[
    str | None, typer.Option("--public-url", help="Where status lists and pages are shown. Default: the settings'.")
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--monthly-gas-budget-wei",
        metavar="WEI",
        help="What its transactions may cost in a calendar month (UTC). Default: any amount.",
    ),
]
RelayedOption = Annotated[
    bool | None,
    typer.Option("--relayed/--direct", help="Its keys only sign, and relayer_key's account pays; or each pays itself."),
]
MAX_WEI_DIGITS: Final = 30
CLEARABLE: Final = ("url", "public-url", "monthly-gas-budget-wei", "anchor-key", "status-key")


@app.command("add")
def add(
    code: CodeArgument,
    name: Annotated[str, typer.Option("--name", help="Its name, as people know it.")],
    did: DidOption = None,
    url: UrlOption = None,
    issuer_id: IssuerIdOption = None,
    registry: RegistryOption = None,
    anchor_key: AnchorKeyOption = None,
    status_key: StatusKeyOption = None,
    public_url: PublicUrlOption = None,
    budget: BudgetOption = None,
    relayed: RelayedOption = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an institution; then make it an API key with `credanchor api-key new`."""
    from registry.services import operation
    from registry.store.institutions import InstitutionDetails
    from registry.wiring import now

    with open_home_store(home) as (settings, store):
        named = registry or (settings.registry if issuer_id is not None else None)
        details = InstitutionDetails(
            name=name,
            did=did,
            url=url,
            registry=None if named is None else RegistryId.parse(named),
            issuer_id=issuer_id,
            anchor_key=anchor_key,
            status_key=status_key,
            public_url=public_url,
            monthly_gas_budget_wei=_wei(budget),
            is_relayed=bool(relayed),
        )
        record = operation.add(store, code, details, now=now())
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record)})
        return
    console.print(f"[bold green]✔[/] institution {printable(code)} is added: {printable(name)}")
    console.print(f"  Make it an API key: credanchor api-key new --institution {printable(code)} --scope read")


SET_HELP: Final = """Change what is said of an institution. What you do not name stays; what was issued stays as it is.

The home folder's own, home, is what settings.toml says.

Exit code: 0 done · 1 refused, or there is none · 2 wrong usage or not set up · 3 the database cannot be used.

Examples:

  credanchor institution set borealis --anchor-key keys/borealis-anchor.json --issuer-id 7

  credanchor institution set borealis --name "Collège Boréalis" --clear url
"""


@app.command("set", help=SET_HELP)
def change(
    code: CodeArgument,
    name: Annotated[str | None, typer.Option("--name", help="Its name, as people know it.")] = None,
    did: DidOption = None,
    url: UrlOption = None,
    issuer_id: IssuerIdOption = None,
    registry: RegistryOption = None,
    anchor_key: AnchorKeyOption = None,
    status_key: StatusKeyOption = None,
    public_url: PublicUrlOption = None,
    budget: BudgetOption = None,
    relayed: RelayedOption = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", metavar="NAME", help=f"Say nothing of it: {', '.join(CLEARABLE)}.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Change what is said of an institution."""
    from registry.services import operation
    from registry.wiring import now

    given = {
        "name": name,
        "did": did,
        "url": url,
        "issuer_id": issuer_id,
        "registry": None if registry is None else RegistryId.parse(registry),
        "anchor_key": anchor_key,
        "status_key": status_key,
        "public_url": public_url,
        "monthly_gas_budget_wei": _wei(budget),
        "is_relayed": relayed,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for each in clear or ():
        member = each.replace("-", "_")
        if each not in CLEARABLE or member in changes:
            raise MalformedError(
                f"{each[:40]!r} cannot be cleared, or is given beside", advice=f"Clear {', '.join(CLEARABLE)}."
            )
        changes[member] = None
    if not changes:
        raise MalformedError("nothing is named that is to change", advice="See credanchor institution set --help.")
    with open_home_store(home) as (settings, store):
        if issuer_id is not None and registry is None and settings.registry is not None:
            record, _ = operation.show(store, code)
            if record.details.registry is None:
                changes["registry"] = RegistryId.parse(settings.registry)
        record = operation.change(store, code, changes, now=now())
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record)})
    else:
        console.print(f"[bold green]✔[/] institution {printable(code)} is changed: {', '.join(sorted(changes))}")


BUDGET_HELP: Final = """Show or set what an institution's transactions may cost in a calendar month (UTC).

What would exceed it is not signed: the institution's jobs wait, and go on when you allow more, or when the next month
begins. Transactions that are not mined yet count with the most that they may cost.

Exit code: 0 done · 1 there is none · 2 wrong usage or not set up · 3 the database cannot be used.

Examples:

  credanchor institution budget borealis

  credanchor institution budget borealis --coins 0.5

  credanchor institution budget borealis --unlimited
"""


@app.command("budget", help=BUDGET_HELP)
def budget(
    code: CodeArgument,
    coins: Annotated[
        str | None, typer.Option("--coins", metavar="COINS", help="In coins of the chain, such as 0.5.")
    ] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Any amount.")] = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show or set what an institution's transactions may cost in a calendar month."""
    from registry.services import operation
    from registry.services.budgets import coins_of, wei_of
    from registry.wiring import now

    if coins is not None and unlimited:
        raise MalformedError("a budget is an amount or none", advice="Give --coins or --unlimited, not both.")
    with open_home_store(home) as (settings, store):
        at = now()
        if coins is not None or unlimited:
            record = operation.set_budget(store, code, None if coins is None else wei_of(coins), now=at)
        else:
            record, _ = operation.show(store, code)
        spent = _spent(settings, store, record, at)
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record) | _spent_content(spent)})
        return
    allowed = record.details.monthly_gas_budget_wei
    limit = "any amount" if allowed is None else f"{coins_of(allowed)} coins"
    console.print(f"{printable(code)} may spend {limit} in a calendar month")
    if spent is not None:
        console.print(f"  spent this month: {coins_of(spent)} coins, with what is not mined yet")


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
    from registry.wiring import now

    with open_home_store(home) as (settings, store):
        record, keys = operation.show(store, code)
        content = content_of(record) | _spent_content(_spent(settings, store, record, now()))
    if as_json:
        print_json({"format": FORMAT, "institution": content, "keys": [key_content(each) for each in keys]})
        return
    for label, value in content.items():
        if value is not None:
            console.print(f"{label:<18} {printable(str(value))}")
    for each in keys:
        console.print(f"{'key':<18} {key_words(each)}")


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
        "anchorKey": details.anchor_key,
        "statusKey": details.status_key,
        "publicUrl": details.public_url,
        "isRelayed": details.is_relayed,
        "monthlyGasBudgetWei": None if details.monthly_gas_budget_wei is None else str(details.monthly_gas_budget_wei),
        "createdAt": record.created_at,
        "closedAt": record.closed_at,
    }


def _spent(settings: DraftSettings, store: Store, record: InstitutionRecord, at: int) -> int | None:
    """Tell what was spent this month; None: it has no registry yet, and so no chain."""
    from registry.services import operation

    named = settings.registry if record.details.registry is None else record.details.registry.to_text()
    return None if named is None else operation.spent_wei(store, record, RegistryId.parse(named).chain_id, now=at)


def _spent_content(spent: int | None) -> dict[str, Any]:
    return {"monthlyGasSpentWei": None if spent is None else str(spent)}


def _wei(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_WEI_DIGITS):
        raise MalformedError(
            "a budget is a whole number of wei", advice="Such as 50000000000000000 for 0.05 of a coin."
        )
    return int(text)
