"""What a person said of a kind of file, kept under a name: a readable TOML file in the home folder.

# profiles/moodle.toml
dates = "dmy"
[columns]
"Courriel étudiant" = "email"
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from anchor.errors import MalformedError
from registry.errors import ConflictError, NotFoundError, RosterFormatError
from registry.services.roster import RosterOptions
from registry.services.rosters.columns import Field
from registry.services.rosters.dates import DateOrder

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Profiles:
    """The profiles of one home folder.

    Args:
        folder: Where their files are; made when the first is saved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    def save(self, name: str, options: RosterOptions, *, replace: bool = False) -> Path:
        """Keep options under a name; give the file.

        Raises:
            MalformedError: The name cannot be a file's.
            ConflictError: There is one of this name.
        """
        path = self._path_of(name)
        if path.exists() and not replace:
            raise ConflictError(f"there is a profile {name} already", advice="Save it with --replace to change it.")
        lines = ["# How a roster's columns are read; see `credanchor roster check --help`."]
        if options.dates is not None:
            lines.append(f'dates = "{options.dates.value}"')
        lines.append("\n[columns]")
        # JSON's strings are TOML's.
        lines += [
            f'{json.dumps(heading, ensure_ascii=False)} = "{field.value}"' for heading, field in options.mapping.items()
        ]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    def load(self, name: str) -> RosterOptions:
        """Read a profile.

        Raises:
            NotFoundError: There is none of this name.
            RosterFormatError: Its file says something else than a profile may.
        """
        path = self._path_of(name)
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            known = ", ".join(self.names()) or "none yet"
            raise NotFoundError(f"there is no profile {name}", advice=f"There are: {known}.") from None
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RosterFormatError(f"the profile {path} cannot be read: {error}") from error
        unknown = sorted(content.keys() - {"dates", "columns"})
        if unknown or not isinstance(content.get("columns", {}), dict):
            raise RosterFormatError(f"the profile {path} has more than dates and [columns]: {', '.join(unknown)}")
        return RosterOptions(
            mapping={heading: parse_field(str(field)) for heading, field in content.get("columns", {}).items()},
            dates=parse_order(content.get("dates")),
        )

    def names(self) -> tuple[str, ...]:
        """Name all profiles, in order."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.toml")))

    def _path_of(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise MalformedError(
                "a profile's name has 1 to 64 letters, digits, - or _, and starts with a letter or digit"
            )
        return self._folder / f"{name}.toml"


def parse_mapping(texts: list[str]) -> Mapping[str, Field]:
    """Read `HEADING=field` texts.

    Raises:
        MalformedError: One is of another form, or names no field.
    """
    mapping = {}
    for text in texts:
        heading, sign, field = text.rpartition("=")
        if not sign or not heading.strip():
            raise MalformedError(f"--map wants 'HEADING=field', not {text[:60]!r}", advice=_FIELDS_ADVICE)
        mapping[heading.strip()] = parse_field(field.strip())
    return mapping


def parse_field(text: str) -> Field:
    """Read a field's name.

    Raises:
        MalformedError: There is no such field; the advice lists those there are.
    """
    try:
        return Field(text)
    except ValueError:
        raise MalformedError(f"a roster has no field {text[:60]!r}", advice=_FIELDS_ADVICE) from None


def parse_order(text: str | None) -> DateOrder | None:
    """Read an order of dates.

    Raises:
        MalformedError: It is neither `dmy` nor `mdy`.
    """
    if text is None:
        return None
    try:
        return DateOrder(text)
    except ValueError:
        raise MalformedError(f"dates are dmy (day first) or mdy (month first), not {str(text)[:20]!r}") from None


_FIELDS_ADVICE: Final = "The fields are: " + ", ".join(field.value for field in Field) + "."
