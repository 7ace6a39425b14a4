"""`credanchor export` and `credanchor erase`: a person's right to see what is kept, and to have it taken out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from registry.cli.common import HomeOption, OfflineOption, ask_passphrase, prove_states
from registry.cli.writing import YesFlag, ask_yes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.services.find import Found

EXPORT_FORMAT: Final = "credanchor/export@v1"
ERASE_FORMAT: Final = "credanchor/erase@v1"
"""First members of the JSON outputs; a change that could break readers changes them."""

EXPORT_HELP: Final = """Hand over everything that is kept of a person: a ZIP file.

A person is an e-mail, with all of its credentials, or ids of credentials. The file has a page to read, the same as
JSON, and the credentials. It says what stands on the ledger, and how the credentials stand, proven; --offline leaves
the latter out.

Exit code: 0 written · 1 nobody found, or the file cannot be written · 2 usage · 3 the ledger could not be asked.

Examples:

  credanchor export zoe@example.org --out zoe.zip

  credanchor export urn:uuid:8d8a9c1e-0000-4000-8000-000000000001 --out one.zip --offline
"""
ERASE_HELP: Final = """Take a person out of the database: name, e-mail and salts.

A person is an e-mail, with all of its credentials, or ids of credentials. There is no way back: files cannot be made
for these any more. It does not revoke: do that first, or by the id afterwards, if it is meant. What stays on the ledger
and elsewhere is said.

Exit code: 0 erased · 1 refused, or nobody found · 2 usage · 3 erased, but the files still hold it: do it again.

Examples:

  credanchor erase zoe@example.org

  credanchor erase urn:uuid:8d8a9c1e-0000-4000-8000-000000000001 --yes
"""

Persons = Annotated[list[str], typer.Argument(metavar="PERSON…", help="An e-mail, or ids (urn:uuid:…).")]


def export(
    persons: Persons,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.zip", help="The file to write.")],
    offline: OfflineOption = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Hand over everything that is kept of a person."""
    from registry.services.export import write_export
    from registry.services.person import gather, look_up_person
    from registry.wiring import Institution, now

    institution = Institution(home, ask_passphrase)
    with error_console.status("gathering"):
        found = look_up_person(institution.store, persons)
        states = prove_states(institution, found, offline=offline)
        write_export(out, gather(institution.store, found), states, now=now())
    if as_json:
        print_json({"format": EXPORT_FORMAT, "file": str(out), "credentials": _ids(found), "statusProven": not offline})
    else:
        console.print(f"[bold green]✔[/] {_count(found)} written to {printable(str(out))}")
        console.print("  it holds personal data: hand it to that person alone, and delete it here")


def erase(persons: Persons, yes: YesFlag = False, home: HomeOption = None, as_json: JsonFlag = False) -> None:
    """Take a person out of the database."""
    from registry.services.person import (
        OUT_OF_REACH,
        STAYS_ELSEWHERE,
        STAYS_ON_THE_LEDGER,
        look_up_person,
    )
    from registry.services.person import erase as erase_person
    from registry.wiring import Institution, now

    institution = Institution(home, ask_passphrase)
    found = look_up_person(institution.store, persons)
    if not yes:
        _preview(found)
    ask_yes("Erase for good?", yes=yes, as_json=as_json)
    with error_console.status("erasing"):
        erase_person(institution.store, found, now=now())
    stays = {
        "onTheLedger": list(STAYS_ON_THE_LEDGER),
        "withOthers": list(STAYS_ELSEWHERE),
        "notInTheDatabase": list(OUT_OF_REACH),
    }
    if as_json:
        print_json({"format": ERASE_FORMAT, "erased": _ids(found), "stays": stays})
    else:
        _print_erased(found, stays)


def _preview(found: Sequence[Found]) -> None:
    error_console.print(f"erase the person of [bold]{_count(found)}[/]:")
    for each in found:
        name = f"{printable(each.credential.recipient_name)}, " if error_console.is_terminal else ""
        achievement = printable(each.batch.achievement_name)
        error_console.print(f"  {name}{each.credential.uuid.urn}, batch {each.batch.id}: {achievement}")
    error_console.print("  name, e-mail and salts are taken out for good; nothing is revoked by that")


def _print_erased(found: Sequence[Found], stays: dict[str, Any]) -> None:
    console.print(f"[bold green]✔[/] erased: name, e-mail and salts of {_count(found)}")
    for title, lines in (
        ("stays on the ledger, for ever", stays["onTheLedger"]),
        ("stays elsewhere", stays["withOthers"]),
        ("is for you to delete", stays["notInTheDatabase"]),
    ):
        console.print(f"  {title}:")
        for line in lines:
            console.print(f"    {line}")


def _ids(found: Sequence[Found]) -> list[str]:
    return [each.credential.uuid.urn for each in found]


def _count(found: Sequence[Found]) -> str:
    return "1 credential" if len(found) == 1 else f"{len(found):,} credentials"
