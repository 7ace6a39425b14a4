"""`credanchor dev up|down|institution|status`: a local testnet with a registry, demo issuers and their keys on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from registry.cli.common import HomeOption, open_home_store

if TYPE_CHECKING:
    from registry.services.devnet import DevnetStatus

FORMAT: Final = "credanchor/dev@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(
    help="A local testnet for trying things out: chain, registry, demo issuer, keys.", no_args_is_help=True
)

PortOption = Annotated[
    int | None,
    typer.Option("--port", min=0, max=65535, help="Port of the node; 0: any free one. Default: as last time, or 8545."),
]


@app.command("up")
def up(home: HomeOption = None, port: PortOption = None, as_json: JsonFlag = False) -> None:
    """Start the testnet, and set up on it what is missing. Doing it again changes nothing.

    Writes settings.toml and policy.json to the home folder, so that issue, verify and the other commands work at once.
    The chain survives `dev down` and a kill. Everybody knows the keys of its accounts: it is for trying things out.
    """
    with error_console.status("starting the local testnet") as line:
        from registry.services.devnet import Devnet
        from registry.settings import find_home
        from registry.wiring import now

        status = Devnet(find_home(home), line.update).up(now=now(), port=port)
    _report(status, as_json=as_json)


@app.command("down")
def down(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Save the chain and stop the testnet."""
    from registry.services.devnet import Devnet
    from registry.settings import find_home

    stopped = Devnet(find_home(home)).down()
    if as_json:
        print_json({"format": FORMAT, "running": False, "stopped": stopped})
    else:
        console.print(
            "[bold green]✔[/] the local testnet is stopped" if stopped else "the local testnet was not running"
        )


@app.command("institution")
def institution(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="What it is called here: small letters, digits, hyphens.")
    ],
    name: Annotated[str, typer.Option("--name", help="Its name, as people know it.")],
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add another institution to the service of this home folder, accredited on the testnet, with keys of its own.

    As `issuer accredit`, `issuer key add` and `institution add` do it for a real one. Its DID is did:web:CODE.example.
    """
    from registry.cli.institution import content_of
    from registry.errors import ConflictError
    from registry.services import operation
    from registry.services.devnet import Devnet
    from registry.settings import find_home
    from registry.store.institutions import InstitutionDetails
    from registry.wiring import now

    did = f"did:web:{code}.example"
    with open_home_store(home) as (_settings, store):
        if code in {each.code for each in operation.list_all(store)}:
            raise ConflictError(f"there is an institution {code}", advice="Choose another code.")
        with error_console.status("admitting it to the registry") as line:
            made = Devnet(find_home(home), line.update).admit(code, did, now=now())
        details = InstitutionDetails(
            name=name,
            did=did,
            registry=made.registry,
            issuer_id=made.issuer_id,
            anchor_key=made.anchor_key,
            status_key=made.status_key,
        )
        record = operation.add(store, code, details, now=now())
    if as_json:
        print_json({"format": FORMAT, "institution": content_of(record)})
        return
    console.print(f"[bold green]✔[/] institution {printable(code)} is issuer {made.issuer_id}: {printable(name)}")
    console.print(f"  Make it an API key: credanchor api-key new --institution {printable(code)} --scope read")


@app.command("status")
def show(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Tell whether the testnet runs, and what is on it. Exit code: 0 it runs · 1 it does not."""
    from registry.services.devnet import Devnet
    from registry.settings import find_home

    status = Devnet(find_home(home)).status()
    _report(status, as_json=as_json)
    raise typer.Exit(0 if status.testnet.running else 1)


def _report(status: DevnetStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(_content(status))
        return
    testnet, settings = status.testnet, status.settings
    for notice in testnet.notices:
        error_console.print(f"[yellow]![/] {printable(notice)}")
    if not testnet.running:
        console.print("the local testnet does not run: start it with `credanchor dev up`")
        return
    console.print(f"[bold green]✔[/] the local testnet runs at {testnet.url}, block {testnet.block_number}")
    if settings is not None:
        made = "deployed just now" if status.was_set_up else "as before"
        console.print(f"  registry  {settings.registry} ({made})")
        console.print(f"  issuer    {settings.issuer_id}: {printable(settings.issuer_name)}, {settings.issuer_did}")
        console.print(
            f"  home      {printable(str(settings.home))}: settings, policy, keys (for trying things out only)"
        )


def _content(status: DevnetStatus) -> dict[str, Any]:
    testnet, settings = status.testnet, status.settings
    return {
        "format": FORMAT,
        "running": testnet.running,
        "url": testnet.url,
        "blockNumber": testnet.block_number,
        "notices": list(testnet.notices),
        "registry": None if settings is None else settings.registry,
        "issuerId": None if settings is None else settings.issuer_id,
        "issuerDid": None if settings is None else settings.issuer_did,
        "setUpNow": status.was_set_up,
    }
