"""The report as a JSON document, `credanchor/verification@v1` (docs/spec/verification-report.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import indent
from typing import Any, Final

from anchor.cli.checking import CheckedFile, Report
from anchor.cli.output import error_content, json_text
from anchor.cli.verdicts import basis_content, verdict_content
from anchor.errors import FetchError
from anchor.identity import HolderMatch
from anchor.model import Outcome, Verdict

FORMAT: Final = "credanchor/verification@v1"
"""First member of the document; a change that could break readers changes it."""

_OUTCOMES: Final = (*(outcome.value for outcome in Outcome), "malformed")


def json_pieces(report: Report) -> Iterator[str]:
    """Give the document piece by piece, one for each credential: there may be a hundred thousand."""
    head = json_text(_head(report))
    yield head.removesuffix("\n}") + ',\n  "results": ['
    for number, checked in enumerate(report.files):
        yield ("," if number else "") + "\n" + indent(json_text(result_content(checked)), "    ")
    yield "\n  ]\n}\n"


def result_content(checked: CheckedFile) -> dict[str, Any]:
    """Give one answer as an object."""
    source, answer = checked.source, checked.answer
    content: dict[str, Any] = {
        "file": source.name,
        "source": {
            "path": source.path or None,
            "member": source.member or None,
            "address": source.address or None,
        },
        "contacted": list(checked.contacted),
        "outcome": checked.outcome,
        "holder": None if checked.holder is None else checked.holder.value,
    }
    if checked.credential is not None:
        content |= {"name": checked.credential.name, "holderName": checked.credential.holder}
    if isinstance(answer, Verdict):
        return content | {"confirmed": checked.is_confirmed} | verdict_content(answer)
    if isinstance(answer, FetchError):
        content |= {"reason": answer.reason, "message": str(answer)}
    return content | {"error": error_content(answer)}


def _head(report: Report) -> dict[str, Any]:
    outcomes = Counter(each.outcome for each in report.files)
    holders = Counter(each.holder for each in report.files)
    return {
        "format": FORMAT,
        "checkedAt": report.checked_at,
        "counts": {outcome: outcomes[outcome] for outcome in _OUTCOMES},
        "holders": {match.value: holders[match] for match in HolderMatch} if report.asks_holder else None,
        "contacted": list(dict.fromkeys((*report.fetched_from, *report.issuers_asked))),
        "asOfBlock": report.as_of_block,
        "bases": [basis_content(basis) for basis in report.bases],
        "otherFiles": [{"file": each.source.name, "what": each.what} for each in report.others],
    }
