"""What an institution is told when its job cannot go on: one of a short list, in plain words.

The words of an error may name the operator's files, nodes and tables, or be a stranger's: they go to the operator's log
(`registry.services.error_log`), as far as no person is in them, and never to an institution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from anchor.errors import (
    CredanchorError,
    FeesTooHighError,
    KeyUnavailableError,
    LedgerError,
    MalformedError,
    NotAnchoredError,
    OutcomeUnknownError,
    PolicyFormatError,
    ReplacedError,
    RevertedError,
    TooLittleCoinError,
    TrustListError,
    UndeterminedError,
    WrongLedgerError,
)
from registry.errors import (
    AchievementFormatError,
    BudgetError,
    BusyError,
    ConflictError,
    IssuedBeforeError,
    NotFoundError,
    NotPermittedError,
    RosterFormatError,
    SettingsError,
    StoreError,
    TooMuchError,
    UnfinishedError,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that is in the way."""

    name: str
    """For programs."""
    words: str
    """For people."""
    is_lasting: bool
    """Whether waiting does not mend it: a job of which nothing is sealed or signed ends."""


ROSTER_UNUSABLE: Final = Failure("rosterUnusable", "the roster cannot be used: see what is to be mended", True)
NOBODY: Final = Failure("nobody", "the roster has nobody to issue to", True)
SERVICE_FAILED: Final = Failure("serviceFailed", "the service failed; the operator's log says where", False)

_NOT_SET_UP: Final = Failure(
    "notSetUp", "the institution, or the service, is not set up for it; the operator has to complete that", False
)
_UNUSABLE: Final = Failure("requestUnusable", "what was asked for cannot be used", True)
_NO_KEY: Final = Failure(
    "keyUnavailable", "the institution's key cannot be used now; the operator has to see to it", False
)
_WRONG_LEDGER: Final = Failure(
    "wrongLedger", "the ledger is not the one that the service is set up for; the operator has to see to it", False
)

FAILURES: Final[tuple[tuple[type[CredanchorError], Failure], ...]] = (
    (RosterFormatError, ROSTER_UNUSABLE),
    (AchievementFormatError, Failure("achievementUnusable", "the achievement cannot be used", True)),
    (SettingsError, _NOT_SET_UP),
    (PolicyFormatError, _NOT_SET_UP),
    (TrustListError, _NOT_SET_UP),
    (MalformedError, _UNUSABLE),
    (NotFoundError, Failure("notFound", "something that was named is not there any more", True)),
    (
        UnfinishedError,
        Failure("earlierUnfinished", "an earlier batch with some of the same people is not anchored yet", False),
    ),
    (
        IssuedBeforeError,
        Failure("issuedBefore", "the same roster was issued before; again=true issues it a second time", True),
    ),
    (ConflictError, Failure("conflict", "it contradicts what is there", True)),
    (NotPermittedError, Failure("notPermitted", "it is not what was approved, or not this institution's", True)),
    (TooMuchError, Failure("tooMuch", "it is more than is done at once", True)),
    (
        BudgetError,
        Failure(
            "budgetUsedUp",
            "what the institution may spend on the ledger this month is used up; it goes on when the operator allows "
            "more, or next month",
            False,
        ),
    ),
    (BusyError, Failure("busy", "the service does as much as it can now", False)),
    (StoreError, Failure("databaseUnavailable", "the service's database cannot be used now", False)),
    (KeyUnavailableError, _NO_KEY),
    (
        RevertedError,
        Failure(
            "ledgerRefuses",
            "the registry on the ledger refuses it: the institution's accreditation, or its key, is not good for it",
            True,
        ),
    ),
    (WrongLedgerError, _WRONG_LEDGER),
    (OutcomeUnknownError, Failure("notMinedYet", "it was sent to the ledger, and is not mined yet", False)),
    (ReplacedError, Failure("replaced", "another transaction took the place of this one; it is sent anew", False)),
    (NotAnchoredError, Failure("notAnchored", "a batch that is named is not on the ledger now", False)),
    (
        TooLittleCoinError,
        Failure("tooLittleCoin", "the paying account has too little; the operator has to see to it", False),
    ),
    (
        FeesTooHighError,
        Failure(
            "feesTooHigh",
            "the ledger asks for more now than the operator allows; it goes on when it asks for less",
            False,
        ),
    ),
    (LedgerError, Failure("ledgerUnavailable", "the ledger cannot be reached now", False)),
    (UndeterminedError, Failure("undetermined", "what the ledger says could not be proven just now", False)),
    (CredanchorError, SERVICE_FAILED),
)
"""The first that fits counts."""

_NAMES: Final = {each.words: each.name for each in (NOBODY, SERVICE_FAILED, *(failure for _, failure in FAILURES))}


def failure_of(error: Exception) -> Failure:
    """Tell what is in the way."""
    if not isinstance(error, CredanchorError):
        return SERVICE_FAILED
    return next(failure for kind, failure in FAILURES if isinstance(error, kind))


def name_of(words: str) -> str | None:
    """Give the name of a failure that a job keeps as words; None for one of an older version."""
    return _NAMES.get(words)
