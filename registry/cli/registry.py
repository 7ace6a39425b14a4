"""`credanchor registry deploy|show`: a registry of one's own on any EVM chain, and what is proven of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.model import to_hex, to_utc
from registry.cli.common import HomeOption, ask_passphrase
from registry.cli.writing import EXIT_HELP, KeyOption, YesFlag, carry_out, read_address
from registry.errors import ConflictError, SettingsError

if TYPE_CHECKING:
    from registry.services.deploy import Deployment
    from registry.services.governance import IssuerFacts, RegistryFacts
    from registry.workplace import Workplace

FORMAT: Final = "credanchor/registry@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(help="The registry contract: deploy one, show what is proven of it.", no_args_is_help=True)

DEPLOY_HELP: Final = f"""Deploy a registry to the chain of the settings. Shows what it costs, and asks.

The admin grants and takes the accreditor's role; the accreditor admits issuers. Both may be multisigs, and should be
for anything real. Who pays has no part in the registry, unless it is named. Nobody can change the contract afterwards.

Writes the registry into settings.toml, a policy that trusts it if there is none, and to verification/ what a block
explorer wants to show the source: solc's standard JSON input, and the constructor's arguments.

{EXIT_HELP}

Examples:

  credanchor registry deploy --key payer --admin 0x… --accreditor 0x…

  credanchor registry deploy --key payer --yes
"""
SHOW_HELP: Final = """Show what is proven of the registry: its code, admin and issuers; which keys here may accredit.

Everything comes by state proofs. Names of issuers are no part of the contract's state: credanchor audit shows them, and
everyone who ever had a role.

Exit code: 0 shown · 2 no registry in the settings · 3 the node does not answer, or it is another contract.

Example:

  credanchor registry show
"""


@app.command("deploy", help=DEPLOY_HELP)
def deploy(
    key: KeyOption = None,
    admin: Annotated[
        str | None, typer.Option("--admin", metavar="ADDRESS", help="Who grants roles. Default: the account of --key.")
    ] = None,
    accreditor: Annotated[
        str | None, typer.Option("--accreditor", metavar="ADDRESS", help="Who admits issuers. Default: the admin.")
    ] = None,
    admin_delay: Annotated[
        int,
        typer.Option(
            "--admin-delay", metavar="HOURS", min=0, max=24 * 365, help="From offer to acceptance of the admin's role."
        ),
    ] = 48,
    max_cost: Annotated[
        float, typer.Option("--max-cost", metavar="COINS", min=0, help="Most that it may cost, whatever the node says.")
    ] = 1.0,
    yes: YesFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Deploy a registry."""
    from anchor.ledger.contract import deployment
    from anchor.ledger.testnet import CHAIN_ID
    from registry.services.costs import WEI_PER_COIN
    from registry.services.deploy import keep_deployment
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    if place.settings.registry is not None:
        raise ConflictError(
            f"the settings name a registry already: {place.settings.registry}",
            advice="Deploy another one from another home folder (--home), or take this one out of settings.toml.",
        )
    if key is None:
        raise SettingsError("no key is named to pay with", advice="Give --key; make one with `credanchor key new`.")
    admin_address = read_address(admin or key, place)
    accreditor_address = read_address(accreditor, place) if accreditor else admin_address
    call = deployment(admin=admin_address, accreditor=accreditor_address, admin_delay_seconds=admin_delay * 3600)
    facts = [
        ("admin", f"{to_hex(admin_address)}, whose role is handed over after {admin_delay} hours"),
        ("accreditor", to_hex(accreditor_address)),
    ]
    if admin is None and place.chain_id != CHAIN_ID:
        facts.append(("note", "this one key governs the registry; for anything real name multisigs: --admin"))
    client, chain_id, rpc_url = place.client, place.chain_id, place.settings.rpc_url
    deployed = carry_out(
        place,
        call,
        key,
        lambda receipt: keep_deployment(place.home, client, chain_id, rpc_url, call, receipt),
        facts=facts,
        yes=yes,
        as_json=as_json,
        max_cost_wei=int(max_cost * WEI_PER_COIN),
    )
    if as_json:
        print_json(deployed.content())
    else:
        _print_deployment(deployed, place)


@app.command("show", help=SHOW_HELP)
def show(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Show what is proven of the registry."""
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    keys = place.keys.list()
    with error_console.status("asking the node"):
        facts = place.governance.registry_facts([each.address for each in keys])
    own = [each.name for each in keys if each.address in facts.accreditors]
    did = place.settings.issuer_did
    if as_json:
        print_json(_content(place, facts, own, did))
        return
    console.print(f"[bold green]✔[/] {place.registry.to_text()} has the code of this version of credanchor")
    console.print(f"  admin        {to_hex(facts.admin)}, handed over after {facts.admin_delay_seconds // 3600} hours")
    console.print(f"  accreditors  of the keys here: {printable(', '.join(own)) or 'none'} (all: credanchor audit)")
    console.print(f"  issuers      {facts.issuer_count}")
    for issuer in facts.issuers:
        console.print(f"    {issuer.issuer_id}  {_issuer_words(issuer, did)}")
    if len(facts.issuers) < facts.issuer_count:
        console.print(f"    … and {facts.issuer_count - len(facts.issuers)} more (credanchor audit)")
    console.print(f"  proven at block {facts.block_number}")


def _issuer_words(issuer: IssuerFacts, did: str | None) -> str:
    record = issuer.record
    name = printable(did or "") if issuer.is_called(did) else f"DID with hash {to_hex(issuer.did_hash)[:10]}…"
    ended = f", [red]accreditation ends or ended {to_utc(record.withdrawn_at)}[/]" if record.withdrawn_at else ""
    return f"{name}, accredited {to_utc(record.accredited_at)}{ended}"


def _content(place: Workplace, facts: RegistryFacts, own: list[str], did: str | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "registry": place.registry.to_text(),
        "blockNumber": facts.block_number,
        "admin": to_hex(facts.admin),
        "adminDelaySeconds": facts.admin_delay_seconds,
        "accreditorKeys": own,
        "issuerCount": facts.issuer_count,
        "issuers": [
            {
                "issuer": each.issuer_id,
                "did": did if each.is_called(did) else None,
                "didHash": to_hex(each.did_hash),
                "controller": to_hex(each.record.controller),
                "accreditedAt": each.record.accredited_at,
                "withdrawnAt": each.record.withdrawn_at or None,
            }
            for each in facts.issuers
        ],
    }


def _print_deployment(deployed: Deployment, place: Workplace) -> None:
    from anchor.ledger.abi import contract_build
    from registry.services.costs import coins_to_text
    from registry.services.deploy import INPUT_FILE

    build = contract_build()
    console.print(f"[bold green]✔[/] deployed: {deployed.registry.to_text()}")
    spent = f"{deployed.gas_used:,} gas, {coins_to_text(deployed.cost_wei)} coins"
    console.print(f"  sent       {to_hex(deployed.transaction_hash)}, block {deployed.block_number}, {spent}")
    console.print(f"  written    {printable(str(place.home))}: settings.toml, policy.json, verification/")
    console.print("  To have a block explorer show the source, choose “Standard JSON input” there, and give:")
    console.print(f"    contract   {build.full_name}")
    console.print(f"    compiler   v{build.compiler_version}")
    console.print(f"    input      {printable(str(deployed.folder / INPUT_FILE))}")
    console.print(f"    arguments  {deployed.constructor_arguments.hex()}")
