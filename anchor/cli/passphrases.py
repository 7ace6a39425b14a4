"""Passphrases: from the keyboard without showing them, or from a private file; never from an argument."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from anchor.errors import KeyUnavailableError

PASSPHRASE_VARIABLE: Final = "CREDANCHOR_PASSPHRASE"  # noqa: S105 - the name of the variable


def is_interactive() -> bool:
    """Tell whether somebody is at the keyboard."""
    return sys.stdin is not None and sys.stdin.isatty()


def prompt_hidden(what: str, *, twice: bool = False) -> str:
    """Ask the person at the keyboard for something that nobody may see.

    Args:
        what: What is asked for.
        twice: Ask again, for it is new, and a slip would lose it.
    """
    import typer  # settings are read where there is no command line, too

    if twice:
        answer: str = typer.prompt(what, hide_input=True, confirmation_prompt=True, err=True)
    else:
        answer = typer.prompt(what, hide_input=True, err=True)
    return answer


def read_passphrase_file(path: Path) -> str:
    """Read the passphrase that a file holds, in its only line.

    Raises:
        KeyUnavailableError: It cannot be read, or others than its owner can read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise KeyUnavailableError(
                f"the passphrase file {path} can be read by others", advice=f"Make it private: chmod 600 {path}"
            )
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise KeyUnavailableError(f"the passphrase file {path} cannot be read: {reason}") from error
