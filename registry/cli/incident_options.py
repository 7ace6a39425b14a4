"""Options that the commands of `credanchor incident` share."""

from __future__ import annotations

from typing import Annotated

import typer

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key: its 0x address, or its name if it is here.")]
NewOption = Annotated[
    str, typer.Option("--new", metavar="NAME", help="The key that takes over; made if there is none of that name.")
]
SinceOption = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="ISO 8601: the last moment at which nobody else had it; or “start”: ever."
    ),
]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
