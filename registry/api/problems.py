"""What can go wrong, as RFC 9457 has it: one table of kinds, and which error is of which kind.

    {"type": "https://credentials.college.example/problems#conflict", "title": "It contradicts what is there",
     "status": 409, "detail": "the batch is not anchored yet", "advice": "Look at the batch …", "requestId": "5f0c…"}

Upholds: a client's mistake is explained; of what fails on our side only the kind is said, for an error's words may name
nodes, files and tables. What is not found is not named: whether it is another's, or nobody's, makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from anchor.errors import (
    CredanchorError,
    LedgerError,
    MalformedError,
    PolicyFormatError,
    ReplacedError,
    RevertedError,
    TrustListError,
    UndeterminedError,
    VerificationError,
    WrongLedgerError,
)
from registry.errors import (
    BusyError,
    ConflictError,
    InputFormatError,
    NotFoundError,
    NotPermittedError,
    NotReadyError,
    QueueFullError,
    SettingsError,
    StoreError,
    TargetsError,
    TooMuchError,
    UnknownTargetsError,
)

MEDIA_TYPE: Final = "application/problem+json"
PROBLEMS_PATH: Final = "/problems"
"""Where the service explains the kinds; the type of each is this page with its name behind #."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of problem."""

    name: str
    status: int
    title: str
    explanation: str
    """What it means, and what to do: for the page, and in answers as `advice` where there is no better."""

    @property
    def is_ours(self) -> bool:
        """Whether it is the service that failed, not the client."""
        return self.status >= 500


MALFORMED: Final = Kind(
    name="malformed",
    status=400,
    title="The request breaks its format",
    explanation="What was sent can never be accepted as it is; the detail says what is wrong. Mend it, and send that.",
)
UNAUTHENTICATED: Final = Kind(
    name="unauthenticated",
    status=401,
    title="A valid API key is needed",
    explanation="Send `Authorization: Bearer credanchor_…` with a key that is neither expired nor revoked. "
    "The operator makes keys with `credanchor api-key new`.",
)
FORBIDDEN: Final = Kind(
    name="forbidden",
    status=403,
    title="This is not permitted",
    explanation="The API key has not the scope that this needs, or what is named is another issuer's.",
)
NOT_FOUND: Final = Kind(
    name="not-found",
    status=404,
    title="There is no such thing",
    explanation="Nothing of this name or number belongs to the institution of the API key, or the address is none.",
)
METHOD_NOT_ALLOWED: Final = Kind(
    name="method-not-allowed",
    status=405,
    title="This cannot be done here",
    explanation="The address exists, but not for this method; the header `Allow` lists those that there are.",
)
CONFLICT: Final = Kind(
    name="conflict",
    status=409,
    title="It contradicts what is there",
    explanation="What is asked for contradicts what is there already. Look at that first.",
)
TOO_LARGE: Final = Kind(
    name="too-large",
    status=413,
    title="It is more than is taken at once",
    explanation="Send less at a time: the detail says how much is taken.",
)
UNSUPPORTED_MEDIA_TYPE: Final = Kind(
    name="unsupported-media-type",
    status=415,
    title="This kind of content is not taken here",
    explanation="Send one of the kinds that the OpenAPI document lists, and name it in `Content-Type`.",
)
INVALID_PARAMETERS: Final = Kind(
    name="invalid-parameters",
    status=422,
    title="Some parameters cannot be used",
    explanation="`problems` lists them, each with its place and what is wrong with it.",
)
TOO_MANY_REQUESTS: Final = Kind(
    name="too-many-requests",
    status=429,
    title="There were too many requests",
    explanation="Wait as many seconds as the header `Retry-After` says, then go on more slowly.",
)
INTERNAL: Final = Kind(
    name="internal-error",
    status=500,
    title="The service failed",
    explanation="This is a fault of the service, or of how it is set up. Tell the operator the `requestId`.",
)
UNAVAILABLE: Final = Kind(
    name="unavailable",
    status=503,
    title="The service cannot do this now",
    explanation="A part of it does not answer: its database or its node. Try again later.",
)
UNDETERMINED: Final = Kind(
    name="undetermined",
    status=503,
    title="It could not be determined",
    explanation="What the ledger says could not be proven just now, or the operator's policy cannot be used. "
    "That says nothing for or against a credential. Try again later.",
)
BUSY: Final = Kind(
    name="busy",
    status=503,
    title="The service is busy",
    explanation="It does as much as it can, or this took too long. Wait as many seconds as `Retry-After` says.",
)
NOT_READY: Final = Kind(
    name="not-ready",
    status=503,
    title="It is not read yet",
    explanation="The service has not read the registry's whole history yet, or could not prove that it is whole. "
    "Try again in a while. Meanwhile `credanchor audit` does both by itself.",
)
KINDS: Final = (
    MALFORMED,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    CONFLICT,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_PARAMETERS,
    TOO_MANY_REQUESTS,
    INTERNAL,
    UNAVAILABLE,
    UNDETERMINED,
    BUSY,
    NOT_READY,
)
"""All there are."""

RETRY_SECONDS: Final = {BUSY: "5", NOT_READY: "30", TOO_MANY_REQUESTS: "60"}
"""When the same may be asked again, where no more is known."""

KIND_OF_STATUS: Final[Mapping[int, Kind]] = {each.status: each for each in reversed(KINDS)}
"""For answers that the web framework makes."""

_KIND_OF_ERROR: Final[tuple[tuple[type[CredanchorError], Kind], ...]] = (
    # What is the operator's to mend is malformed, too, but not by the client.
    (SettingsError, INTERNAL),
    (PolicyFormatError, UNDETERMINED),
    (TrustListError, UNDETERMINED),
    (UnknownTargetsError, NOT_FOUND),
    (TargetsError, CONFLICT),
    (MalformedError, MALFORMED),
    (NotFoundError, NOT_FOUND),
    (ConflictError, CONFLICT),
    (QueueFullError, TOO_MANY_REQUESTS),
    (NotPermittedError, FORBIDDEN),
    (TooMuchError, TOO_LARGE),
    (BusyError, BUSY),
    (NotReadyError, NOT_READY),
    (StoreError, UNAVAILABLE),
    (RevertedError, CONFLICT),
    (ReplacedError, CONFLICT),
    (WrongLedgerError, INTERNAL),
    (LedgerError, UNAVAILABLE),
    (UndeterminedError, UNDETERMINED),
    (VerificationError, CONFLICT),
    (CredanchorError, INTERNAL),
)
"""The first that fits counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that went wrong with one request."""

    kind: Kind
    detail: str = ""
    advice: str = ""
    problems: Sequence[Mapping[str, str]] = ()
    """Each with `where`, `reason` and `hint`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members."""

    def content(self, public_url: str, request_id: str) -> dict[str, Any]:
        """Give it as a JSON object.

        Args:
            public_url: The service's address.
            request_id: By which the operator finds it in the log.
        """
        return {
            "type": f"{public_url.rstrip('/')}{PROBLEMS_PATH}#{self.kind.name}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "advice": self.advice or self.kind.explanation,
            **({"problems": [dict(each) for each in self.problems]} if self.problems else {}),
            "requestId": request_id,
            **self.more,
        }


class ProblemError(Exception):
    """Carries a problem out of a route; for what is of the API and nothing beneath it.

    Attributes:
        problem: What to answer.
    """

    def __init__(self, kind: Kind, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind.name)
        self.problem: Final = Problem(kind=kind, detail=detail, headers=headers or {})


def kind_of(error: CredanchorError) -> Kind:
    """Tell of which kind an error is."""
    return next(kind for type_, kind in _KIND_OF_ERROR if isinstance(error, type_))


def problem_of(error: CredanchorError) -> Problem:
    """Make a problem of an error; of one on our side, and of what is not found, only the kind is told."""
    kind = kind_of(error)
    headers = {"Retry-After": RETRY_SECONDS[kind]} if kind in RETRY_SECONDS else {}
    if kind.is_ours or (kind is NOT_FOUND and not isinstance(error, UnknownTargetsError)):
        return Problem(kind=kind, headers=headers)
    problems: Sequence[Mapping[str, str]] = ()
    if isinstance(error, InputFormatError):
        problems = [{"where": each.where, "reason": each.reason, "hint": each.hint} for each in error.problems]
    return Problem(kind=kind, detail=str(error), advice=error.advice, problems=problems, headers=headers)
