"""`credanchor key new|import|list|consent`: key files in the home folder, and a key's consent to act for an issuer."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.passphrases import is_interactive, prompt_hidden
from anchor.errors import KeyUnavailableError
from anchor.model import parse_hex, to_hex, to_utc
from registry.cli.common import HomeOption, ask_new_passphrase, ask_passphrase, read_input, write_output
from registry.cli.parties import terms_facts
from registry.cli.writing import YesFlag, ask_yes, read_address, show_facts, unlock
from registry.errors import ConflictError

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

CONSENT_HELP: Final = """Let a key consent to act for an institution: shows what it signs, asks, signs, writes a file.

Takes the file that the controller's machine wrote (credanchor issuer key request), and gives it another one back, for
credanchor issuer key add. Needs no node and no settings. A key belongs to one institution for ever.

A multisig is a key by its address: --print-message gives the EIP-712 message for its owners to sign, and --signature
takes what they signed.

Exit code: 0 signed · 1 you said no, or it is too late · 2 malformed or usage · 3 the signer does not answer.

Example:

  credanchor key consent request.json --key anchor --out consent.json
"""

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the key, such as anchor.")]


@app.command("new", help=NEW_HELP)
def new(name: NameArgument, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Make a new key."""
    from registry.workplace import Workplace

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
    from registry.workplace import Workplace

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
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    keys = place.keys.list()
    if as_json:
        print_json({"format": FORMAT, "keys": [_content(each) for each in keys]})
    elif not keys:
        console.print(f"no keys in {printable(str(place.home))}: make one with `credanchor key new NAME`")
    for each in () if as_json else keys:
        console.print(f"{to_hex(each.address)}  {printable(each.name)}")


@app.command("consent", help=CONSENT_HELP)
def consent(
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="File from credanchor issuer key request.")],
    key: Annotated[
        str,
        typer.Option("--key", metavar="KEY", help="Name of the key here, a remote signer's, or a multisig's address."),
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="File to write.")] = None,
    only_message: Annotated[
        bool, typer.Option("--print-message", help="Sign nothing: print the message for a multisig to sign, as JSON.")
    ] = False,
    signature: Annotated[
        str | None, typer.Option("--signature", metavar="HEX", help="What a multisig signed. It is no secret.")
    ] = None,
    yes: YesFlag = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a key consent to act for an institution."""
    from anchor.ledger.signers import key_consent_message
    from registry.services.key_requests import MAX_FILE_BYTES, SignedConsent, parse_request
    from registry.wiring import now
    from registry.workplace import Workplace

    place = Workplace(home, ask_passphrase)
    asked = parse_request(read_input(request, "the request", MAX_FILE_BYTES))
    if asked.deadline < now():
        raise ConflictError(
            f"the consent could be used until {to_utc(asked.deadline)} only", advice="Ask the controller for a new one."
        )
    account = read_address(key, place)
    if only_message:
        print_json(key_consent_message(asked.registry, asked.consent_of(account)))
        return
    if out is None:
        raise typer.BadParameter("give --out FILE, or --print-message")
    if not as_json:
        show_facts("consent", [("key", to_hex(account)), *terms_facts(asked)])
    ask_yes("Sign it?", yes=yes, as_json=as_json)
    if signature is not None:
        signed = parse_hex(signature)
    else:
        own = place.key(key)
        unlock(own)
        signed = own.sign_key_consent(asked.registry, asked.consent_of(account))
    write_output(out, SignedConsent(request=asked, key=account, signature=signed).to_text())
    if as_json:
        print_json({"format": FORMAT, "key": to_hex(account), "file": str(out)})
        return
    console.print(f"[bold green]✔[/] signed: {printable(str(out))}. Where the controller's key is, now run:")
    console.print(f"  credanchor issuer key add {printable(out.name)} --key NAME")


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
        return prompt_hidden(what).strip()
    return sys.stdin.readline().strip("\r\n")
