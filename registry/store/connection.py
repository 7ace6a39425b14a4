"""A database transaction on behalf of one institution: what every store function that touches its data is given.

So that none can leave the institution out: a plain SQLAlchemy connection, which is the operator's, is of another type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NewType

from sqlalchemy import Connection, CursorResult, Dialect, Executable, Row

InstitutionId = NewType("InstitutionId", int)
"""Number of an institution in this database."""

HOME: Final = InstitutionId(1)
"""The institution of a home folder: there in every database, and described by the home folder's settings."""


class InstitutionConnection:
    """Gives a connection's transaction, and whose it is.

    Args:
        connection: In a transaction.
        institution: Whose rows may be read and written.
    """

    __slots__ = ("_streams", "institution", "plain")

    def __init__(self, connection: Connection, institution: InstitutionId) -> None:
        self.plain: Final = connection
        self.institution: Final = institution
        self._streams: Final[list[CursorResult[*tuple[Any, ...]]]] = []

    @property
    def dialect(self) -> Dialect:
        """Which database it is."""
        return self.plain.dialect

    def execute(
        self,
        statement: Executable,
        parameters: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement.

        Args:
            statement: Names the institution, as far as it concerns rows of one.
            parameters: Of it.
        """
        return self.plain.execute(statement, parameters)

    def stream(self, statement: Executable, rows_a_fetch: int) -> Iterator[Row[*tuple[Any, ...]]]:
        """Execute a statement and give its rows as they come, so many at a time; ends with the transaction."""
        result = self.plain.execute(statement, execution_options={"yield_per": rows_a_fetch})
        self._streams.append(result)
        return iter(result)

    def end_streams(self) -> None:
        """Give up what was not read to its end: PostgreSQL keeps a cursor for it."""
        for result in self._streams:
            result.close()
