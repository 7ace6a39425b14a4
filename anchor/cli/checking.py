"""Checks many credentials at once: each is parsed as it is read, evidence is fetched once for all, then all are judged.

Upholds: all are judged at the same blocks and the same time. Files are not kept, only what verification needs of them,
so that thousands fit into little memory.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from anchor.canonical import parse_document
from anchor.cli.inputs import Found, Source
from anchor.cli.progress import PatientProgress
from anchor.credential import Credential, parse_credential
from anchor.errors import CredentialFormatError, FetchError, MalformedError
from anchor.evidence import Evidence
from anchor.identity import HolderMatch, match_holder
from anchor.model import Basis, CheckStatus, Outcome, Policy, Verdict
from anchor.verify import Verifier

_LAST_OF_ORIGIN: Final = 8
"""The last of the steps that show where a credential comes from; those after it are about what became of it."""

# Our own formats say first what they are, so that also one that is too long to be a credential is told apart.
_OUR_FORMAT: Final = re.compile(rb'\s*\{\s*"format"\s*:\s*"credanchor/([a-z-]{1,30})@v[0-9]{1,4}"')
_ADVICE_BY_FORMAT: Final = {
    "policy": "A policy is given with --policy.",
    "bundle": "A bundle is given with --bundle.",
}
_EXIT_CODES: Final = {Outcome.VALID: 0, Outcome.INVALID: 1, Outcome.UNKNOWN: 3}
_EXIT_CODES_BY_HOLDER: Final = {HolderMatch.MATCHES: 0, HolderMatch.DIFFERS: 1, HolderMatch.NOT_STATED: 3}
_WORST_FIRST: Final = (MalformedError.exit_code, 1, 3, 0)
"""Of many files (design section 9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """One credential and what came of it."""

    source: Source
    credential: Credential | None
    """None when it is malformed or did not come."""
    answer: Verdict | MalformedError | FetchError
    holder: HolderMatch | None = None
    """Whether it is of the person asked for; None when nobody was, or there is no credential."""

    @property
    def outcome(self) -> str:
        """`valid`, `invalid`, `unknown` or `malformed`."""
        if isinstance(self.answer, MalformedError):
            return "malformed"
        return self.answer.outcome.value if isinstance(self.answer, Verdict) else Outcome.UNKNOWN.value

    @property
    def why(self) -> str:
        """What speaks against it, in words; empty when it is valid."""
        return str(self.answer.error or "") if isinstance(self.answer, Verdict) else str(self.answer)

    @property
    def reason(self) -> str:
        """The same in one word, for programs."""
        return "malformed" if isinstance(self.answer, MalformedError) else self.answer.reason

    @property
    def is_confirmed(self) -> bool:
        """Whether the ledger shows that the issuer named has issued it.

        Until then anybody can have written what is in it: a tree is quickly made.
        """
        return isinstance(self.answer, Verdict) and all(
            check.status is CheckStatus.PASSED for check in self.answer.checks if check.step <= _LAST_OF_ORIGIN
        )

    @property
    def exit_code(self) -> int:
        """What the program says to scripts: 0 only if it is valid and, where that was asked, this person's."""
        if not isinstance(self.answer, Verdict):
            return self.answer.exit_code
        code = _EXIT_CODES[self.answer.outcome]
        return code if code or self.holder is None else _EXIT_CODES_BY_HOLDER[self.holder]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """A file of our own making that lay among the credentials: a policy, a bundle, an earlier report."""

    source: Source
    what: str
    """Its format, such as `policy`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was checked, at one time."""

    files: tuple[CheckedFile, ...]
    """In the order in which they were named."""
    others: tuple[OtherFile, ...]
    checked_at: int
    """Unix seconds, by this machine's clock."""
    asks_holder: bool
    """Whether it was asked whose they are."""

    @property
    def exit_code(self) -> int:
        """The worst one's."""
        codes = {each.exit_code for each in self.files}
        return next(code for code in _WORST_FIRST if code in codes)

    @property
    def bases(self) -> tuple[Basis, ...]:
        """What the verdicts rest on: one block of each registry."""
        bases = [each.answer.basis for each in self.files if isinstance(each.answer, Verdict)]
        return tuple({basis.registry: basis for basis in bases if basis is not None}.values())

    @property
    def contacted(self) -> tuple[str, ...]:
        """Hosts that were asked for documents, because the user gave their addresses."""
        return tuple(dict.fromkeys(host for each in self.files for host in each.source.contacted))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    source: Source
    content: Credential | MalformedError | FetchError
    holder: HolderMatch | None


def check(inputs: Iterable[Found], policy: Policy, *, holder_email: str | None = None) -> Report:
    """Judge whatever was found, all at one time, with evidence fetched once for all.

    Args:
        inputs: What to judge; read one by one.
        policy: What is trusted.
        holder_email: Whose they should be; it is compared and not kept.

    Raises:
        MalformedError: There is no credential among them.
    """
    parsed: list[_Parsed] = []
    others: list[OtherFile] = []
    with PatientProgress() as progress:
        for found in progress.track(inputs, "reading"):
            what = _our_format(found.content)
            if what and not found.is_named:
                others.append(OtherFile(source=found.source, what=what))
            else:
                parsed.append(_parse(found, what, holder_email))
        if not parsed:
            raise CredentialFormatError("there is no credential among these files", advice="Name a file or a folder.")
        now = int(time.time())
        verifier = Verifier(_collect(parsed, policy), policy, now)
        files = tuple(_judge(each, verifier) for each in progress.track(parsed, "checking", len(parsed)))
    return Report(files=files, others=tuple(others), checked_at=now, asks_holder=holder_email is not None)


def _our_format(content: object) -> str:
    match = _OUR_FORMAT.match(content) if isinstance(content, bytes) else None
    return match[1].decode() if match else ""


def _parse(found: Found, what: str, holder_email: str | None) -> _Parsed:
    content: Credential | MalformedError | FetchError
    holder = None
    if isinstance(found.content, bytes):
        try:
            content = parse_credential(found.content)
            if holder_email is not None:
                holder = match_holder(parse_document(found.content).value, holder_email)
        except MalformedError as error:
            content = error
            if what:
                content = CredentialFormatError(f"this is a {what}", advice=_ADVICE_BY_FORMAT.get(what, ""))
    else:
        content = found.content
    if not isinstance(content, Credential):
        _forget_where(content)
    return _Parsed(source=found.source, content=content, holder=holder)


def _judge(parsed: _Parsed, verifier: Verifier) -> CheckedFile:
    content = parsed.content
    if not isinstance(content, Credential):
        return CheckedFile(source=parsed.source, credential=None, answer=content)
    verdict = verifier.verify(content)
    if verdict.error is not None:
        _forget_where(verdict.error)
    return CheckedFile(source=parsed.source, credential=content, answer=verdict, holder=parsed.holder)


def _forget_where(error: BaseException) -> None:
    """Let go of where an error came from: that holds on to the whole file, and there may be thousands."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


def _collect(parsed: Sequence[_Parsed], policy: Policy) -> Evidence:
    requests = [
        request
        for each in parsed
        if isinstance(each.content, Credential)
        for request in each.content.requests
        if policy.pin_of(request.proof.registry) is not None
    ]
    if not requests:
        return Evidence()
    # What asks nodes takes a while to import, and is needed for nothing else here.
    from anchor.ledger.client import clients_of
    from anchor.ledger.collect import collect_evidence

    return collect_evidence(clients_of(policy), requests, policy)
