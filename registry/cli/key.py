"""`credanchor key new|import|list|consent`: key files in the home folder, and a key's consent to act for an issuer."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.errors import KeyUnavailableError
from anchor.model import to_hex
from registry.cli.common import HomeOption, ask_new_passphrase, ask_passphrase, is_interactive, read_input

if TYPE_CHECKING:
    from anchor.ledger.keys import StoredKey

FORMAT: Final = "credanchor/key@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_MAX_KEY_FILE_BYTES: Final = 4096
_SECRET: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")

app = typer.Typer(help="Keys that sign: encrypted files in the home folder.", no_args_is_help=True)

_WHENCE: Final = """All key files of a home folder have one passphrase. It comes from $CREDANCHOR_PASSPHRASE, from the
file that passphrase_file in settings.toml names, or is asked for; never from an argument."""

NEW_HELP: Final = f"""Make a new key, and keep it as an encrypted file: keys/NAME.json in the home folder.

{_WHENCE} Keep a copy of the file and the passphrase in different places: nobody can recover either.

Exit code: 0 made · 2 there is such a key already, or no passphrase.

Example:

  credanchor key new anchor
"""
IMPORT_HELP: Final = f"""Keep a key that exists: a private key, or another program's key file (Web3 Secret Storage).

The private key, 64 hex digits, is read from standard input, or asked for without showing it. With --file it is the
file's own passphrase that is read so. {_WHENCE}

Exit code: 0 kept · 2 it is no key, the passphrase does not open the file, or there is such a key already.

Examples:

  credanchor key import controller

  credanchor key import controller --file UTC--2026-01-01--f39f.json
"""
LIST_HELP: Final = """Show the key files of the home folder: names and addresses. Opens none.

Exit code: 0.

Example:

  credanchor key list
"""

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the key, such as anchor.")]


@app.command("new", help=NEW_HELP)
def new(name: NameArgument, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Make a new key."""
    from registry.wiring import Workplace

    place = Workplace(home, ask_new_passphrase)
    stored = place.keys.create(name, place.passphrase())
    _report(stored, place.home, "made", as_json=as_json)


@app.command("import", help=IMPORT_HELP)
def import_key(
    name: NameArgument,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="A key file of another program, to take it from.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep a key that exists."""
    from registry.wiring import Workplace

    place = Workplace(home, ask_new_passphrase)
    if file is None:
        secret = _SECRET.fullmatch(_read_secret("Private key"))
        if secret is None:
            raise KeyUnavailableError(
                "what was given is no private key", advice="Give 64 hex digits, on standard input or when asked."
            )
        stored = place.keys.import_key(name, bytes.fromhex(secret[1]), place.passphrase())
    else:
        content = read_input(file, "the key file", _MAX_KEY_FILE_BYTES)
        stored = place.keys.import_file(name, content, _read_secret("Passphrase of the file"), place.passphrase())
    _report(stored, place.home, "kept", as_json=as_json)


@app.command("list", help=LIST_HELP)
def show(home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Show the key files."""
    from registry.wiring import Workplace

    place = Workplace(home, ask_passphrase)
    keys = place.keys.list()
    if as_json:
        print_json({"format": FORMAT, "keys": [_content(each) for each in keys]})
    elif not keys:
        console.print(f"no keys in {printable(str(place.home))}: make one with `credanchor key new NAME`")
    for each in () if as_json else keys:
        console.print(f"{to_hex(each.address)}  {printable(each.name)}")


def _report(stored: StoredKey, home: Path, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"format": FORMAT, **_content(stored)})
        return
    console.print(f"[bold green]✔[/] {done}: the key {printable(stored.name)}, {to_hex(stored.address)}")
    error_console.print(
        f"  Keep a copy of {printable(str(home / 'keys' / stored.name))}.json, and of the passphrase in another place."
    )


def _content(stored: StoredKey) -> dict[str, Any]:
    return {"name": stored.name, "address": to_hex(stored.address)}


def _read_secret(what: str) -> str:
    """Read one line that nobody may see."""
    if is_interactive():
        answer: str = typer.prompt(what, hide_input=True, err=True)
        return answer.strip()
    return sys.stdin.readline().strip("\r\n")
