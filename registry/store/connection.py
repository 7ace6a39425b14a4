"""A database transaction on behalf of one institution: what every store function that touches its data is given.

So that none can leave the institution out: a plain SQLAlchemy connection, which is the operator's, is of another type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NewType

from sqlalchemy import Connection, CursorResult, Dialect, Executable

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

    __slots__ = ("institution", "plain")

    def __init__(self, connection: Connection, institution: InstitutionId) -> None:
        self.plain: Final = connection
        self.institution: Final = institution

    @property
    def dialect(self) -> Dialect:
        """Which database it is."""
        return self.plain.dialect

    def execute(
        self,
        statement: Executable,
        parameters: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
        *,
        yield_per: int | None = None,
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement.

        Args:
            statement: Names the institution, as far as it concerns rows of one.
            parameters: Of it.
            yield_per: Fetch so many rows at a time, instead of all at once.
        """
        options = {} if yield_per is None else {"yield_per": yield_per}
        return self.plain.execute(statement, parameters, execution_options=options)
