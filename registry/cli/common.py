"""What the registry part's commands share: options, files in, problems out, progress."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import error_console, error_content, print_json, printable, report_error
from anchor.cli.passphrases import is_interactive, prompt_hidden
from anchor.credential import parse_credential
from anchor.errors import LedgerError, MalformedError
from anchor.model import Address, address, parse_hex
from anchor.status import StatusReason
from registry.errors import InputFormatError, Problem, SettingsError

if TYPE_CHECKING:
    from anchor.history import History
    from anchor.model import Basis, RegistryId
    from registry.services.find import Found
    from registry.services.standing import CredentialState
    from registry.settings import DraftSettings
    from registry.store.engine import Store
    from registry.wiring import Institution

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder with settings, keys and database. Default: $CREDANCHOR_HOME or ./.credanchor."),
]

ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason",
        metavar="CODE",
        help="Reason, by name or number; see credanchor revoke --help.",
        autocompletion=lambda: [reason.label for reason in StatusReason],
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not ask the ledger how they stand.")]

PROBLEMS_SHOWN: Final = 20
"""On the screen; `--json` gives all that were found."""
_PROGRESS_FROM: Final = 5_000
"""Fewer credentials than that take less than a second."""


def ask_passphrase() -> str:
    """Ask the person at the keyboard for the passphrase of the keys.

    Raises:
        SettingsError: Nobody is at the keyboard.
    """
    _require_somebody()
    return prompt_hidden("Passphrase of the keys")


def ask_new_passphrase() -> str:
    """Ask the person at the keyboard for the passphrase of a key that is being made, twice.

    Raises:
        SettingsError: Nobody is at the keyboard.
    """
    _require_somebody()
    return prompt_hidden("Passphrase of the keys", twice=True)


def _require_somebody() -> None:
    if not is_interactive():
        raise SettingsError(
            "the passphrase of the keys is needed",
            advice="Give it in $CREDANCHOR_PASSPHRASE, or name a file with it: passphrase_file in settings.toml.",
        )


def prove_states(
    institution: Institution, found: Sequence[Found], *, offline: bool
) -> tuple[CredentialState | None, ...]:
    """Prove how credentials stand; None where that is not asked for, or they are another issuer's.

    Raises:
        LedgerError: The ledger was not read; the advice names --offline.
    """
    if offline:
        return (None,) * len(found)
    from registry.services.standing import states_of

    try:
        return states_of(institution.view, institution.settings.issuer_id, found)
    except LedgerError as error:
        error.advise("With --offline, what is in the database is shown all the same.")
        raise


def prove_history(
    registry: RegistryId, rpc_url: str, tell: Callable[[str], None], *, through: Path | None = None
) -> tuple[History, Basis]:
    """Prove a registry's whole history by the institution's own node, for what it does itself.

    At the newest block, of whatever age: what was done a minute ago shall be in it. Not what others should rely on.

    Args:
        registry: The registry.
        rpc_url: The node.
        tell: Says what is being done.
        through: An empty folder for the events; then none is in memory, and those of the history, not of each issuer,
            are read from there whenever they are gone through.

    Raises:
        HistoryError, LedgerError, UndeterminedError: As of the audit.
        MalformedError: The folder cannot be used.
    """
    from anchor.cli.auditing import audit_registry, audit_through
    from registry.services.setup import policy_for

    policy = dataclasses.replace(policy_for(registry, rpc_url), confirmations=0, max_age_seconds=None)
    if through is None:
        return audit_registry(policy.registries[0], policy, tell)
    audited = audit_through(through, policy.registries[0], policy, tell)
    return audited.history, audited.basis


def parse_account(text: str) -> Address:
    """Read an account's address that somebody typed.

    Raises:
        MalformedError: It is none.
    """
    try:
        return address(parse_hex(text))
    except MalformedError:
        raise MalformedError("an address has 0x and 40 hex digits") from None


def read_input(path: Path, what: str, max_bytes: int) -> bytes:
    """Read a file that was named on the command line, at most one byte more than it may have.

    Raises:
        InputFormatError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise InputFormatError(f"{what} {path} cannot be read: {error.strerror}") from error


def write_output(path: Path, text: str) -> None:
    """Write a file that was named on the command line, whole or not at all.

    Raises:
        SettingsError: It cannot be written.
    """
    from registry.settings import write_whole

    try:
        write_whole(path, text)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error


def id_of_file(text: str) -> str:
    """Give a credential file's id in its place; what names no file stays as it is.

    Raises:
        MalformedError: The file is no credential, or has no id.
    """
    path = Path(text)
    if not path.is_file():
        return text
    identifier = parse_credential(read_input(path, "the credential", MAX_DOCUMENT_BYTES)).id
    if not identifier:
        raise MalformedError(f"the credential {path} has no id", advice="Look for it by name or e-mail.")
    return identifier


@contextmanager
def open_home_store(home: Path | None) -> Iterator[tuple[DraftSettings, Store]]:
    """Open the database of a home folder, for what the operator does.

    Raises:
        SettingsError: It is not set up.
        StoreError: The database cannot be used.
    """
    from registry.settings import find_home, load_draft
    from registry.store.engine import open_store

    settings = load_draft(find_home(home))
    store = open_store(settings.store_url)
    try:
        yield settings, store
    finally:
        store.close()


@contextmanager
def problems_reported(*, as_json: bool) -> Iterator[None]:
    """Report an input file's problems one by one, and end the command."""
    try:
        yield
    except InputFormatError as error:
        if not error.problems:
            raise
        if as_json:
            problems = [problem_content(each) for each in error.problems]
            print_json({"error": {**error_content(error), "problems": problems}})
            raise typer.Exit(error.exit_code) from error
        report_error(error, as_json=False)
        print_problems(error.problems, len(error.problems))
        raise typer.Exit(error.exit_code) from error


def print_problems(problems: Sequence[Problem], count: int) -> None:
    """Say what is wrong with an input file, as far as somebody reads it.

    Args:
        problems: Those that are known.
        count: How many there are in all.
    """
    for problem in problems[:PROBLEMS_SHOWN]:
        error_console.print(f"[bold red]✘[/] {printable(problem_text(problem))}")
    if count > PROBLEMS_SHOWN:
        error_console.print(f"  … and {count - PROBLEMS_SHOWN:,} more (--json lists them)")


def problem_text(problem: Problem) -> str:
    """Say where, what and what to do."""
    text = f"{problem.where}: {problem.reason}" if problem.where else problem.reason
    return f"{text} ({problem.hint})" if problem.hint else text


def problem_content(problem: Problem) -> dict[str, str]:
    """Give a problem as JSON."""
    return {"where": problem.where, "reason": problem.reason, "hint": problem.hint}


@contextmanager
def progress_bar(what: str, count: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on the terminal for work that takes more than a second.

    Args:
        what: What is being done.
        count: How much there is to do.
        quiet: Show nothing.
    """
    if quiet or count < _PROGRESS_FROM or not error_console.is_terminal:
        yield lambda _done: None
        return
    from rich.progress import Progress

    with Progress(console=error_console, transient=True) as bars:
        task = bars.add_task(what, total=count)
        yield lambda done: bars.advance(task, done)
