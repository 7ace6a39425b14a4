"""The program `credanchor`: gathers the commands, runs one, turns errors into words and exit codes.

Commands of the registry part come through the entry point group `credanchor.commands`, so that this package never
imports that one. Where it is not installed, the program says how to get it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.traceback import Traceback

from anchor.cli import audit, bundle, known_blocks, receipt, signer, statement, trust, verify
from anchor.cli.output import error_console, printable, report_error
from anchor.errors import CredanchorError, MalformedError, UndeterminedError

COMMANDS_GROUP: Final = "credanchor.commands"
EXIT_MALFORMED: Final = 2

_USAGE_ERROR: Final[Any] = typer.BadParameter.__base__
"""What all of Typer's complaints about arguments are; it exports this one alone."""

_OWN_PACKAGES: Final = frozenset({"anchor", "registry"})
"""A module of ours that is missing is a fault of the installation, not a part that was left out."""

REGISTRY_HINT: Final = (
    "Commands for institutions (issue, revoke, dev …) need the registry part: pip install 'credanchor[registry]'"
)


def main() -> None:
    """Run the program with the process's arguments and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit code: 0 valid or done, 1 not valid or refused, 2 malformed input or usage, 3 could not be determined,
        or nobody was told: standard output was closed or full.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no ✔ or no ᐃᓄᒃ gets an escape instead of an end of the program.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = _run(arguments)
    return code if _is_told(reported=code == UndeterminedError.exit_code) else UndeterminedError.exit_code


def _run(arguments: Sequence[str]) -> int:
    app, complete = build_app()
    as_json = "--json" in arguments
    try:
        code = app(args=list(arguments), prog_name="credanchor", standalone_mode=not as_json)
    except CredanchorError as error:
        report_error(error, as_json=as_json)
        if "--verbose" in arguments:
            error_console.print(Traceback())
        return error.exit_code
    except _USAGE_ERROR as error:
        report_error(_usage_error(error, complete=complete), as_json=True)
        return EXIT_MALFORMED
    except typer.Abort:
        error_console.print("Aborted.")
        return 1
    except OSError as error:
        # Standard output is full, most likely: whatever was found out, nobody was told.
        error_console.print(f"[bold red]✘[/] the operating system refused: {printable(error.strerror or str(error))}")
        return UndeterminedError.exit_code
    except Exception as error:  # noqa: BLE001 - a fault of ours must never read as exit code 1, "not valid"
        name = type(error).__name__
        error_console.print(f"[bold red]✘[/] a fault in credanchor itself, nothing was determined: {name}")
        error_console.print(Traceback() if "--verbose" in arguments else "  Run it again with --verbose to report it.")
        return UndeterminedError.exit_code
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            # Who read the output, such as `head`, has enough. Typer and Rich say 1, which is "not valid" here.
            return UndeterminedError.exit_code
        # Typer reports its own usage errors and ends the process; only the hint is ours to add.
        if end.code == EXIT_MALFORMED and not complete:
            error_console.print(REGISTRY_HINT, markup=False)
        return end.code if isinstance(end.code, int) else 0
    return code if isinstance(code, int) else 0


def _usage_error(error: Any, *, complete: bool) -> MalformedError:
    """Give Typer's error, which it would print for people, as one of ours."""
    command = error.ctx.command_path if error.ctx is not None else "credanchor"
    advice = f"See `{command} --help`." if complete else f"See `{command} --help`. {REGISTRY_HINT}"
    return MalformedError(error.format_message(), advice=advice)


def _is_told(*, reported: bool) -> bool:
    """Hand over what is still kept back for standard output, and tell whether somebody took it."""
    if sys.stdout is None:
        return True
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and not reported:
            error_console.print(f"[bold red]✘[/] the output cannot be written: {printable(str(error.strerror))}")
        # Else Python tries once more at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def build_app() -> tuple[typer.Typer, bool]:
    """Gather all commands; the second value tells whether the registry part is among them."""
    app = typer.Typer(
        name="credanchor",
        help="Issue, anchor, verify, revoke and audit credentials without having to trust a server.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_options)
    app.command("verify", help=verify.HELP)(verify.command)
    app.command("bundle", help=bundle.HELP)(bundle.command)
    app.command("audit", help=audit.HELP)(audit.command)
    for name, group in (
        ("receipt", receipt.app),
        ("statement", statement.app),
        ("signer", signer.app),
        ("trust", trust.app),
        ("known-blocks", known_blocks.app),
    ):
        app.add_typer(group, name=name)
    complete = True
    for point in entry_points(group=COMMANDS_GROUP):
        try:
            register = point.load()
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.split(".")[0] in _OWN_PACKAGES:
                raise
            complete = False
            continue
        register(app)
    if not complete:
        app.info.epilog = escape(REGISTRY_HINT)
    return app, complete


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"credanchor {version('credanchor')}")
        raise typer.Exit


def _options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the full traceback of an error.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    # `run` looks for --verbose itself, for an error may come before options are parsed; --version has its callback.
    del verbose, show_version


if __name__ == "__main__":
    main()
