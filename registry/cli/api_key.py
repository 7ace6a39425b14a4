"""`credanchor api-key new|list|revoke`: who may use the service's API, for which institution, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.times import parse_time
from anchor.errors import MalformedError
from anchor.model import to_utc
from registry.cli.common import HomeOption, open_home_store

if TYPE_CHECKING:
    from registry.store.api_keys import ApiKeyRecord

FORMAT: Final = "credanchor/api-key@v1"
"""First member of the JSON output; a change that could break readers changes it."""
SCOPES: Final = ("read", "issue", "status", "admin")

app = typer.Typer(
    help="""API keys: who may use the service's API, for which institution, and for what.

A key is shown once, when it is made; only a hash of it is kept. Scopes do not contain each other: give each one that is
needed.

Exit code: 0 done · 1 refused, or there is none · 2 wrong usage or not set up · 3 the database cannot be used.

Examples:

  credanchor api-key new --institution borealis --scope read --scope issue --expires 2027-09-01 --label "campus LMS"

  credanchor api-key new --operator --scope read --scope admin --label "onboarding"

  credanchor api-key revoke --institution borealis 0f3c5a0f9b11aa02
""",
    no_args_is_help=True,
)

InstitutionOption = Annotated[
    str | None, typer.Option("--institution", metavar="CODE", help="Whose; home is the home folder's own.")
]
OperatorFlag = Annotated[
    bool, typer.Option("--operator", help="The operator's own: opens institutions as such, and none of their data.")
]


@app.command("new")
def new(
    scope: Annotated[list[str], typer.Option("--scope", help=f"What it is good for: {', '.join(SCOPES)}.")],
    institution: InstitutionOption = None,
    is_operator: OperatorFlag = False,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="Until when, such as 2027-09-01. Default: no end.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="What it is for, to tell keys apart; nobody's name.")] = "",
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key. It is printed to standard output once, and never to be had again."""
    from registry.services import operation
    from registry.store.api_keys import Scope
    from registry.wiring import now

    _require_one(institution, is_operator)
    unknown = [each for each in scope if each not in SCOPES]
    if unknown:
        raise MalformedError(f"there is no scope {unknown[0][:40]!r}", advice=f"Scopes are {', '.join(SCOPES)}.")
    expires_at = None if expires is None else parse_time(expires)
    with open_home_store(home) as (_, store):
        key, text = operation.make_key(
            store, institution, set(map(Scope, scope)), label=label, expires_at=expires_at, now=now()
        )
    if as_json:
        print_json({"format": FORMAT, "key": key_content(key), "secret": text})
        return
    error_console.print(f"[bold green]✔[/] key {key_words(key)}")
    error_console.print("  Keep it where secrets are kept: it is shown now, and never again.")
    console.print(text)


@app.command("list")
def list_all(
    institution: InstitutionOption = None,
    is_operator: OperatorFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List an institution's API keys, or the operator's own, without their secrets."""
    from registry.services import operation

    _require_one(institution, is_operator)
    with open_home_store(home) as (_, store):
        keys = operation.list_keys(store, institution)
    if as_json:
        print_json({"format": FORMAT, "keys": [key_content(each) for each in keys]})
        return
    for each in keys:
        console.print(key_words(each))


@app.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The key's first part, as the list shows it.")],
    institution: InstitutionOption = None,
    is_operator: OperatorFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke an API key: from now on it opens nothing."""
    from registry.services import operation
    from registry.wiring import now

    _require_one(institution, is_operator)
    with open_home_store(home) as (_, store):
        operation.revoke_key(store, institution, prefix, now=now())
    if as_json:
        print_json({"format": FORMAT, "revoked": prefix})
    else:
        console.print(f"[bold green]✔[/] key {printable(prefix)} is revoked")


def _require_one(institution: str | None, is_operator: bool) -> None:
    if (institution is None) != is_operator:
        raise MalformedError("whose key is meant?", advice="Give --institution CODE, or --operator.")


def key_content(key: ApiKeyRecord) -> dict[str, Any]:
    """Give a key as JSON, without its secret."""
    return {
        "prefix": key.prefix,
        "label": key.label,
        "scopes": sorted(scope.value for scope in key.scopes),
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
        "lastUsedAt": key.last_used_at,
    }


def key_words(key: ApiKeyRecord) -> str:
    """Say in one line what a key is."""
    scopes = ", ".join(sorted(scope.value for scope in key.scopes))
    until = "no end" if key.expires_at is None else f"until {to_utc(key.expires_at)}"
    used = "not used yet" if key.last_used_at is None else f"last used {to_utc(key.last_used_at)}"
    revoked = "" if key.revoked_at is None else f" · revoked {to_utc(key.revoked_at)}"
    label = f" · {printable(key.label)}" if key.label else ""
    return f"{key.prefix} · {scopes} · {until} · {used}{revoked}{label}"
