"""Checks many credentials at once: each is parsed as it is read, evidence is fetched once for all, then all are judged.

Upholds: all are judged at the same blocks and the same time. Files are not kept, only what verification needs of them,
so that thousands fit into little memory.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from anchor.bundle import FORMAT as BUNDLE_FORMAT
from anchor.bundle import MAX_BUNDLE_BYTES, Bundle, parse_bundle
from anchor.canonical import canonicalize, parse_document
from anchor.cli.bundled import BlockVoucher
from anchor.cli.inputs import Found, Source
from anchor.cli.progress import PatientProgress
from anchor.credential import Credential, parse_credential
from anchor.errors import BundleFormatError, CredentialFormatError, FetchError, MalformedError
from anchor.evidence import Evidence
from anchor.identity import HolderMatch, match_holder
from anchor.model import Basis, CheckStatus, Hash32, Outcome, Policy, Verdict
from anchor.verify import Verifier

_LAST_OF_ORIGIN: Final = 8
"""The last of the steps that show where a credential comes from; those after it are about what became of it."""

# Our own formats say first what they are, so that also one that is too long to be a credential is told apart.
_OUR_FORMAT: Final = re.compile(rb'\s*\{\s*"format"\s*:\s*"credanchor/([a-z-]{1,30})@v[0-9]{1,4}"')
_ADVICE_BY_FORMAT: Final = {
    "policy": "A policy is given with --policy.",
    "receipt": "A receipt is checked with credanchor receipt check.",
    "trust-list": "A trust list is named in a policy; credanchor trust check shows it.",
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
    sha256: Hash32 | None = None
    """What a receipt knows it by, if one is wanted: of its bytes as they came, malformed or not, or of its canonical
    form if it was in a bundle. None when none came, or not all."""
    as_of_block: bool = False
    """It was asked what held at the block, not what holds now."""
    issuer_asked: tuple[str, ...] = ()
    """The host that was asked for the issuer's DID document, because the policy says so."""

    @property
    def outcome(self) -> str:
        """`valid`, `invalid`, `unknown` or `malformed`."""
        if isinstance(self.answer, MalformedError):
            return "malformed"
        return self.answer.outcome.value if isinstance(self.answer, Verdict) else Outcome.UNKNOWN.value

    @property
    def contacted(self) -> tuple[str, ...]:
        """Hosts that were asked beside the policy's nodes."""
        return tuple(dict.fromkeys((*self.source.contacted, *self.issuer_asked)))

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
    """A file of our own making that lay among the credentials: a policy, known blocks, an earlier report."""

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
    policy: Policy
    """By which: if it was asked what held at the blocks, with any age."""
    asks_holder: bool
    """Whether it was asked whose they are."""
    as_of_block: bool
    """Whether it was asked what held at the blocks, not what holds now."""

    @property
    def exit_code(self) -> int:
        """The worst one's."""
        codes = {each.exit_code for each in self.files}
        return next(code for code in _WORST_FIRST if code in codes)

    @property
    def bases(self) -> tuple[Basis, ...]:
        """What the verdicts rest on: one block of each registry, and those of bundles."""
        bases = [each.answer.basis for each in self.files if isinstance(each.answer, Verdict)]
        return tuple({(basis.registry, basis.block_hash): basis for basis in bases if basis is not None}.values())

    @property
    def fetched_from(self) -> tuple[str, ...]:
        """Hosts that were asked for credentials, because the user gave their addresses."""
        return tuple(dict.fromkeys(host for each in self.files for host in each.source.contacted))

    @property
    def issuers_asked(self) -> tuple[str, ...]:
        """Hosts that were asked for issuers' DID documents, because the policy says so."""
        return tuple(dict.fromkeys(host for each in self.files for host in each.issuer_asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    source: Source
    content: Credential | MalformedError | FetchError
    holder: HolderMatch | None
    sha256: Hash32 | None = None
    bundle: Bundle | None = None
    """What it was in, without the files; None where nodes have to be asked for proofs."""


def check(
    inputs: Iterable[Found],
    policy: Policy,
    *,
    holder_email: str | None = None,
    only_bundles: bool = False,
    as_of_block: bool = False,
    quiet: bool = False,
    with_hashes: bool = False,
) -> Report:
    """Judge whatever was found, all at one time, with evidence fetched once for all.

    Args:
        inputs: What to judge; read one by one.
        policy: What is trusted.
        holder_email: Whose they should be; it is compared and not kept.
        only_bundles: What is no bundle is malformed.
        as_of_block: It is asked what held at the blocks, for which the policy accepts any age.
        quiet: Show no progress on the terminal.
        with_hashes: Files shall be known by their hashes, for a receipt.

    Raises:
        MalformedError: There is no credential among them.
    """
    parsed: list[_Parsed] = []
    others: list[OtherFile] = []
    with PatientProgress(quiet=quiet) as progress:
        for found in progress.track(inputs, "reading"):
            what = our_format(found.content)
            if only_bundles or what == "bundle":
                parsed += _parse_bundle(found, holder_email, with_hashes=with_hashes)
                continue
            each = _parse(found, what, holder_email, with_hashes=with_hashes)
            if isinstance(each.content, MalformedError) and _is_bundle(found.content):
                parsed += _parse_bundle(found, holder_email, with_hashes=with_hashes)
                continue
            # A credential that says to be something else is still one: nothing hides behind a word.
            if what and not found.is_named and isinstance(each.content, MalformedError):
                others.append(OtherFile(source=found.source, what=what))
            else:
                parsed.append(each)
        if not parsed:
            raise CredentialFormatError("there is no credential among these files", advice="Name a file or a folder.")
        now = int(time.time())
        evidence = _collect(parsed, policy)
        verifier, voucher = Verifier(evidence, policy, now), BlockVoucher(policy)
        judged = (
            _judge(each, verifier if each.bundle is None else voucher.verifier_of(each.bundle, now))
            for each in progress.track(parsed, "checking", len(parsed))
        )
        hosts = _issuers_hosts(evidence)
        files = tuple(
            replace(each, as_of_block=as_of_block, issuer_asked=hosts.get(_issuer_of(each), ())) for each in judged
        )
    return Report(
        files=files,
        others=tuple(others),
        checked_at=now,
        policy=policy,
        asks_holder=holder_email is not None,
        as_of_block=as_of_block,
    )


def our_format(content: object) -> str:
    """Name the format of ours that a file says it has, such as `bundle`; empty if none."""
    match = _OUR_FORMAT.match(content) if isinstance(content, bytes) else None
    return match[1].decode() if match else ""


def _is_bundle(content: object) -> bool:
    """Tell a bundle all the same: one with its members in another order."""
    if not isinstance(content, bytes):
        return False
    try:
        return parse_document(content, max_bytes=MAX_BUNDLE_BYTES).value.get("format") == BUNDLE_FORMAT
    except CredentialFormatError:
        return False


def _parse(found: Found, what: str, holder_email: str | None, *, with_hashes: bool) -> _Parsed:
    content: Credential | MalformedError | FetchError
    holder = None
    if isinstance(found.content, bytes):
        try:
            content = parse_credential(found.content)
            holder = _match(found.content, holder_email)
        except MalformedError as error:
            content = error
            if what:
                content = CredentialFormatError(f"this is a {what}", advice=_ADVICE_BY_FORMAT.get(what, ""))
    else:
        content = found.content
    if not isinstance(content, Credential):
        _forget_where(content)
    digest = found.sha256 if with_hashes else None
    return _Parsed(source=found.source, content=content, holder=holder, sha256=digest)


def _parse_bundle(found: Found, holder_email: str | None, *, with_hashes: bool) -> list[_Parsed]:
    content = found.content
    if isinstance(content, bytes):
        try:
            bundle = parse_bundle(content)
        except BundleFormatError as error:
            content = error
        else:
            kept = replace(bundle, credentials=())
            return [
                _Parsed(
                    source=source,
                    content=credential,
                    holder=_match(data, holder_email),
                    bundle=kept,
                    sha256=hash_in_bundle(data) if with_hashes else None,
                )
                for source, data, credential in zip(
                    bundle_sources(found.source, len(bundle.parsed)), bundle.credentials, bundle.parsed, strict=True
                )
            ]
    _forget_where(content)
    digest = found.sha256 if with_hashes else None
    return [_Parsed(source=found.source, content=content, holder=None, sha256=digest)]


def hash_in_bundle(credential: bytes) -> Hash32:
    """Hash a credential of a bundle, its proof included, in its canonical form: how its file was, no bundle says.

    Args:
        credential: As `anchor.bundle.Bundle` gives it.
    """
    value = parse_document(credential, max_bytes=MAX_BUNDLE_BYTES).value
    return Hash32(sha256(canonicalize(value)).digest())


def bundle_sources(bundle: Source, count: int) -> list[Source]:
    """Name the credentials of a bundle by their number; if there is but one, by the bundle."""
    if count == 1:
        return [bundle]
    names = [f"credential {number}" for number in range(1, count + 1)]
    return [replace(bundle, member=f"{bundle.member}, {name}" if bundle.member else name) for name in names]


def _match(data: bytes, holder_email: str | None) -> HolderMatch | None:
    if holder_email is None:
        return None
    return match_holder(parse_document(data, max_bytes=MAX_BUNDLE_BYTES).value, holder_email)


def _judge(parsed: _Parsed, verifier: Verifier) -> CheckedFile:
    content = parsed.content
    if not isinstance(content, Credential):
        return CheckedFile(source=parsed.source, credential=None, answer=content, sha256=parsed.sha256)
    verdict = verifier.verify(content)
    if verdict.error is not None:
        _forget_where(verdict.error)
    return CheckedFile(
        source=parsed.source, credential=content, answer=verdict, holder=parsed.holder, sha256=parsed.sha256
    )


def _forget_where(error: BaseException) -> None:
    """Let go of where an error came from: that holds on to the whole file, and there may be thousands."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


def _collect(parsed: Sequence[_Parsed], policy: Policy) -> Evidence:
    asked = [each.content for each in parsed if isinstance(each.content, Credential) and each.bundle is None]
    if not asked:
        return Evidence()
    # What asks nodes takes a while to import, and is needed for nothing else here.
    from anchor.ledger.gathering import gather_evidence

    return gather_evidence(asked, policy)


def _issuers_hosts(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Tell by DID whom the program asked for an issuer's document."""
    return {each.did: (urlsplit(each.source).hostname or "",) for each in evidence.did_documents if each.source}


def _issuer_of(checked: CheckedFile) -> str:
    return "" if checked.credential is None else checked.credential.issuer_did
