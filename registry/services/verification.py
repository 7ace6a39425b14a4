"""Verifying what somebody sent: one credential, a list, lines, an archive, or a bundle; under one policy.

Upholds: however they come, each credential is read by the strict rules of its format from the bytes that were sent, and
one that is malformed does not spoil the others. All are judged at the same blocks and the same time.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final

from anchor.cli.checking import Report, check
from anchor.cli.inputs import Found, Source, read_archive
from anchor.cli.policies import read_policy
from anchor.errors import MalformedError
from anchor.ledger.trust_lists import resolve_policy
from registry.errors import TooMuchError

MAX_UNPACKED_BYTES: Final = 1 << 26
"""Of all files of an archive together, unpacked."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
"""What tells where the elements of a list end: strings whole, and brackets and commas."""
_SPACE: Final = b" \t\r\n"
_NO_LIST: Final = "the list does not begin or end as JSON does"


class Form(Enum):
    """How credentials come."""

    JSON = "json"
    """One credential or bundle, or a list of them."""
    LINES = "lines"
    """One a line."""
    ARCHIVE = "archive"
    """A ZIP archive."""
    BUNDLE = "bundle"
    """One bundle, and nothing else will do."""


def verify_body(body: bytes, form: Form, policy_file: Path, max_credentials: int, *, now: int) -> Report:
    """Judge what was sent.

    Args:
        body: All of it.
        form: How credentials come in it.
        policy_file: The policy; it, and the trust lists kept beside it, are read anew each time.
        max_credentials: How many may be in it.
        now: Unix seconds: trust lists expire.

    Returns:
        The verdicts, in order; those that nodes did not answer for are unknown.

    Raises:
        MalformedError: It is no list, or has nothing in it.
        TooMuchError: There is more in it.
        PolicyFormatError: The policy cannot be used.
        TrustListError: A trust list that it names cannot be used now.
    """
    policy = resolve_policy(read_policy(policy_file), policy_file, now)
    found = _limited(_found(body, form), max_credentials)
    report = check(found, policy, only_bundles=form is Form.BUNDLE, quiet=True)
    if len(report.files) > max_credentials:  # a bundle has many
        raise _too_many(max_credentials)
    return report


def _found(body: bytes, form: Form) -> Iterator[Found]:
    if form is Form.ARCHIVE:
        yield from read_archive(Source(path="archive"), io.BytesIO(body))
    elif form is Form.LINES:
        lines = (line for line in body.split(b"\n") if line.strip(_SPACE))
        for number, line in enumerate(lines, start=1):
            yield _one(f"credential {number}", line)
    elif form is Form.JSON and body.lstrip(_SPACE)[:1] == b"[":
        for number, element in enumerate(split_list(body), start=1):
            yield _one(f"credential {number}", element)
    else:
        yield _one(form.value if form is Form.BUNDLE else "credential", body)


def _one(name: str, content: bytes) -> Found:
    return Found(source=Source(path=name), content=content, is_named=True)


def _limited(found: Iterator[Found], max_credentials: int) -> Iterator[Found]:
    unpacked = 0
    for number, each in enumerate(found, start=1):
        unpacked += len(each.content) if isinstance(each.content, bytes) else 0
        if number > max_credentials:
            raise _too_many(max_credentials)
        if unpacked > MAX_UNPACKED_BYTES:
            raise TooMuchError(f"the files in an archive may have {MAX_UNPACKED_BYTES:,} bytes together")
        yield each


def _too_many(max_credentials: int) -> TooMuchError:
    return TooMuchError(
        f"one request may have {max_credentials:,} credentials", advice="Send them in several requests."
    )


def split_list(body: bytes) -> Iterator[bytes]:
    """Cut a JSON list into its elements, as the bytes that stand there.

    Whether an element is JSON is for its reader to say: so duplicate names and the ways in which numbers are written
    are not lost, as they would be if the list were parsed and written again.

    Raises:
        MalformedError: The list does not begin or end as one, or lacks an element between two commas.
    """
    depth, start, end, was_cut = 0, 0, None, False
    for token in _TOKEN.finditer(body):
        sign = token[0]
        if end is not None or sign == b'"':
            raise MalformedError(_NO_LIST)
        if sign in b"[{":
            depth += 1
            start = token.end() if depth == 1 else start
        elif sign in b"]}":
            depth -= 1
            if depth == 0:
                if sign != b"]":
                    raise MalformedError(_NO_LIST)
                end = token.end()
                last = body[start : token.start()].strip(_SPACE)
                if last or was_cut:
                    yield _element(last)
        elif sign == b"," and depth == 1:
            yield _element(body[start : token.start()].strip(_SPACE))
            start, was_cut = token.end(), True
    if end is None or body[end:].strip(_SPACE):
        raise MalformedError(_NO_LIST)


def _element(text: bytes) -> bytes:
    if not text:
        raise MalformedError("an element of the list is missing")
    return text
