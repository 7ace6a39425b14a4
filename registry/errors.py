"""Errors that only an institution's side can have; they hang in the tree of `anchor.errors`.

    MalformedError
    ├─ SettingsError                   not set up, or settings that cannot be used         exit 2
    └─ InputFormatError                a file given to issue from breaks its format        API 400 · exit 2
        ├─ RosterFormatError             rows or columns of a roster
        ├─ AchievementFormatError        an achievement that is not OB 3.0
        └─ TargetsError                  a change of status names what cannot be changed   API 409
            └─ UnknownTargetsError         … or what the institution has not               API 404
    RegistryError                      the registry refuses                                exit 1
    ├─ NotFoundError                     there is no such batch, credential …            API 404
    ├─ ConflictError                     what is asked for contradicts what is there       API 409
    │   ├─ UnfinishedError                 an earlier batch has to be finished first
    │   └─ IssuedBeforeError               the same roster was issued already
    ├─ QueueFullError                    so many of the institution's jobs wait already    API 429
    ├─ NotPermittedError                 not this issuer's, or not verifiable as such      API 403
    └─ TooMuchError                      more than is taken at once                      API 413
    NotReadyError                      what is asked for is not read and proven yet        API 503 · exit 3
    BusyError                          this is as much as the service does now             API 503 · exit 3
    └─ BudgetError                       the institution may not spend more this month        API 503 · exit 3
    StoreError                         the database cannot be used                         API 503 · exit 3

Errors never carry personal data: a roster's problems name line, column and reason, never the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from anchor.errors import CredanchorError, MalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in an input file."""

    where: str
    """`line 3, email`, or a JSON path such as `$.criteria`."""
    reason: str
    hint: str = ""
    """How to mend it, where that can be said."""


class SettingsError(MalformedError):
    """The home folder is not set up, or its settings cannot be used."""


class InputFormatError(MalformedError):
    """A file given to issue from breaks its format; nothing was issued.

    Attributes:
        problems: Everything found, in the order of the file.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = (), *, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.problems = problems


class RosterFormatError(InputFormatError):
    """A roster has rows or columns that cannot be used."""


class AchievementFormatError(InputFormatError):
    """An achievement is not strict JSON, or not an Open Badges 3.0 `Achievement`."""


class TargetsError(InputFormatError):
    """A change of status names credentials or batches that cannot be changed; nothing was done."""


class UnknownTargetsError(TargetsError):
    """A change of status names credentials or batches that the institution has not; nothing was done."""


class RegistryError(CredanchorError):
    """The registry refuses what was asked for."""

    exit_code: ClassVar[int] = 1


class NotFoundError(RegistryError):
    """There is no such batch, credential or achievement."""


class ConflictError(RegistryError):
    """What is asked for contradicts what is there already."""


class UnfinishedError(ConflictError):
    """A batch for some of the same people is not anchored yet: it has to be finished first."""


class IssuedBeforeError(ConflictError):
    """The same roster was issued already, and is not meant to be issued again."""


class QueueFullError(RegistryError):
    """So many jobs of the institution wait that no more are taken; later there is room again."""


class NotPermittedError(RegistryError):
    """The credential is not this issuer's, or cannot be shown to be."""


class TooMuchError(RegistryError):
    """More was given than is taken at once."""


class NotReadyError(CredanchorError):
    """What is asked for is not read and proven yet; the same may be asked again later."""


class BusyError(CredanchorError):
    """The service does as much as it can, or took too long; the same may be asked again later."""


class BudgetError(BusyError):
    """The institution's transactions would cost more than the operator allows in a month; waiting mends it."""


class StoreError(CredanchorError):
    """The database cannot be opened, read or written."""
