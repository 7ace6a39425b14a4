"""What every command shares: text for people or JSON for programs, and errors in plain words."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from anchor.errors import CredanchorError

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

_WIDTH_OF_FILES: Final = 200
"""Columns when the output is no terminal: a file or a pipe wraps nothing."""

_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Not printable by Unicode's classes, but part of names in Persian, Hindi and others; they move nothing."""

_UNSAFE_IN_JSON: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON lets stand but a terminal obeys, or UTF-8 cannot hold."""

_is_terminal = sys.stdout is not None and sys.stdout.isatty()
# No emoji: `did:web:x:key:y` must not be shown as something else.
console: Final = Console(highlight=False, emoji=False, soft_wrap=True, width=None if _is_terminal else _WIDTH_OF_FILES)
error_console: Final = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def print_json(content: object) -> None:
    """Print one JSON document to standard output."""
    sys.stdout.write(json_text(content) + "\n")


def document_pieces(content: Mapping[str, object], name: str, items: Iterable[object]) -> Iterator[str]:
    """Write a JSON document whose last member is a list, item by item: memory for one of them, whatever their number.

    Args:
        content: The other members.
        name: Of the list.
        items: What is in it, gone through once.
    """
    start, end = json_text({**content, name: []}).rsplit("[]", 1)
    del content  # it may be large, and so may the list
    yield start
    opening = "[\n    "
    for each in items:
        yield opening + json_text(each).replace("\n", "\n    ")
        opening = ",\n    "
    yield ("[]" if opening.startswith("[") else "\n  ]") + end


def json_text(content: object) -> str:
    """Write a JSON document, indented, without what a terminal obeys or UTF-8 cannot hold."""
    try:
        text = orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        # A number of more than 64 bits, or half a character in a file's name; ten times as slow.
        text = json.dumps(content, ensure_ascii=False, indent=2)
    if text.isascii() and "\x7f" not in text:
        return text
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def error_content(error: CredanchorError) -> dict[str, str]:
    """Give an error as a member of a JSON document."""
    public = next(kind.__name__ for kind in type(error).__mro__ if not kind.__name__.startswith("_"))
    return {"type": public, "message": str(error), "advice": error.advice}


def report_error(error: CredanchorError, *, as_json: bool) -> None:
    """Tell what went wrong and what to do: as JSON on standard output, else as text on standard error."""
    if as_json:
        print_json({"error": error_content(error)})
        return
    error_console.print(f"[bold red]✘[/] {printable(str(error))}")
    if error.advice:
        error_console.print(f"  {printable(error.advice)}")


def printable(text: str) -> str:
    """Make text from a file or a node safe to print: no control or direction characters, which a terminal obeys."""
    return escape(plain(text))


def plain(text: str) -> str:
    """Replace control and direction characters; for output that knows no markup."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else "\N{REPLACEMENT CHARACTER}" for char in text)
