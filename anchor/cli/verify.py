"""`credanchor verify`: files in, verdicts out. Reads files, fetches evidence once for all, judges, renders."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import JsonFlag, error_content, print_json
from anchor.cli.policies import (
    AgreeOption,
    ConfirmationsOption,
    DenyOption,
    MaxAgeOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.cli.verdicts import CheckedFile, print_one, print_table, verdict_content
from anchor.credential import Credential, parse_credential
from anchor.errors import CredentialFormatError, MalformedError
from anchor.evidence import Evidence
from anchor.model import Outcome, Policy, Verdict
from anchor.verify import Verifier

FORMAT: Final = "credanchor/verification@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Check credentials against the ledger, without asking the issuer.

Every fact comes as a state proof and is checked on this machine: a node can withhold an answer, not change it. A node
is believed for one thing, which block is the newest; name several, and more than half of them must agree on it.

Exit code: 0 valid · 1 not valid · 2 malformed · 3 could not be determined. Of many files the worst one counts, in the
order malformed, not valid, undetermined.

Examples:

  credanchor verify credential.json

  credanchor verify downloads/ --json

  credanchor verify badge.json --trust eip155:<chain id>:<registry address> --rpc <node> --rpc <node> --rpc <node>
"""

_EXIT_CODES: Final = {Outcome.VALID: 0, Outcome.INVALID: 1, Outcome.UNKNOWN: 3}
_WORST_FIRST: Final = (MalformedError.exit_code, 1, 3, 0)
"""Of many files (design section 9)."""


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Credential files, or folders of them.")],
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    max_age: MaxAgeOption = None,
    confirmations: ConfirmationsOption = None,
    deny: DenyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check credentials against the ledger, without asking the issuer."""
    rules = load_policy(
        policy,
        trust,
        rpc,
        agree=agree,
        own_node=own_node,
        max_age=max_age,
        confirmations=confirmations,
        deny=deny,
    )
    checked = check_files(list(_expand(files)), rules)
    if as_json:
        print_json(_content(checked))
    elif len(checked) == 1:
        print_one(checked[0])
    else:
        print_table(checked)
    raise typer.Exit(exit_code_of(each.answer for each in checked))


def check_files(paths: Sequence[Path], policy: Policy) -> list[CheckedFile]:
    """Judge files, all at one block and one time, fetching evidence once for all of them."""
    parsed = [(path, _read(path)) for path in paths]
    evidence = _collect([each for _, each in parsed if isinstance(each, Credential)], policy)
    verifier = Verifier(evidence, policy, int(time.time()))
    return [
        CheckedFile(path=path, credential=each, answer=verifier.verify(each))
        if isinstance(each, Credential)
        else CheckedFile(path=path, credential=None, answer=each)
        for path, each in parsed
    ]


def exit_code_of(answers: Iterable[Verdict | MalformedError]) -> int:
    """Give the exit code for many answers: the worst one's."""
    codes = {each.exit_code if isinstance(each, MalformedError) else _EXIT_CODES[each.outcome] for each in answers}
    return next(code for code in _WORST_FIRST if code in codes)


def _expand(files: Sequence[Path]) -> Iterator[Path]:
    for file in files:
        try:
            found = sorted(path for path in file.rglob("*.json") if path.is_file()) if file.is_dir() else None
        except OSError as error:
            raise CredentialFormatError(f"{file} cannot be read: {error.strerror}") from error
        if found is None:
            yield file
            continue
        if not found:
            raise CredentialFormatError(f"the folder {file} has no .json file")
        yield from found


def _read(path: Path) -> Credential | MalformedError:
    try:
        with path.open("rb") as stream:
            return parse_credential(stream.read(MAX_DOCUMENT_BYTES + 1))
    except OSError as error:
        return CredentialFormatError(f"the file cannot be read: {error.strerror}")
    except MalformedError as error:
        return error


def _collect(credentials: Sequence[Credential], policy: Policy) -> Evidence:
    requests = [
        request
        for credential in credentials
        for request in credential.requests
        if policy.pin_of(request.proof.registry) is not None
    ]
    if not requests:
        return Evidence()
    # What asks nodes takes a while to import, and is needed for nothing else here.
    from anchor.ledger.client import clients_of
    from anchor.ledger.collect import collect_evidence

    return collect_evidence(clients_of(policy), requests, policy)


def _content(checked: Sequence[CheckedFile]) -> dict[str, Any]:
    results = []
    counts = dict.fromkeys((*(outcome.value for outcome in Outcome), "malformed"), 0)
    for each in checked:
        counts[each.outcome] += 1
        answer = (
            {"error": error_content(each.answer)}
            if isinstance(each.answer, MalformedError)
            else verdict_content(each.answer)
        )
        results.append({"file": str(each.path), "outcome": each.outcome, **answer})
    return {"format": FORMAT, "counts": counts, "results": results}
