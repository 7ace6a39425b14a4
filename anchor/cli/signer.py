"""`credanchor signer new|show`: keys of those who sign receipts and trust lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.signing_keys import PassphraseFileOption, create_signer, did_of_file, get_passphrase

FORMAT: Final = "credanchor/signer@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(help="Keys that sign verification receipts and trust lists.", no_args_is_help=True)

_WHENCE: Final = """The passphrase comes from --passphrase-file, from $CREDANCHOR_PASSPHRASE, or is asked for; never
from
an argument."""

NEW_HELP: Final = f"""Make a new Ed25519 key, and keep it as an encrypted file. Prints its name, a did:key.

{_WHENCE} Give the did:key to those who shall check what you sign, by a way that they trust. Keep a copy of the file and
the passphrase in different places: nobody can recover either.

Exit code: 0 made · 2 there is such a file already, or no passphrase.

Example:

  credanchor signer new --out signer.pem
"""
SHOW_HELP: Final = f"""Show the did:key of a key file.

A file of this program says it without being opened. Another program's PEM file is opened. {_WHENCE}

Exit code: 0 shown · 2 it is no such file, or the passphrase does not open it.

Example:

  credanchor signer show signer.pem
"""


@app.command("new", help=NEW_HELP)
def new(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write; never one that is there.")],
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a new key."""
    did = create_signer(out, get_passphrase(passphrase_file, new=True))
    if as_json:
        print_json({"format": FORMAT, "file": str(out), "did": did})
        return
    console.print(f"[bold green]✔[/] made: {printable(str(out))}")
    console.print(did, markup=False)
    error_console.print("  Keep a copy of the file, and of the passphrase in another place.")


@app.command("show", help=SHOW_HELP)
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Key file.")],
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a key's did:key."""
    did = did_of_file(file, passphrase_file)
    if as_json:
        print_json({"format": FORMAT, "file": str(file), "did": did})
        return
    console.print(did, markup=False)
