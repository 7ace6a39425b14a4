"""`credanchor bundle`: credentials in, one file out that verifies without network. Collects, judges, writes, tells."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.bundle import Bundle, looks_like_bundle, parse_bundle, write_bundle
from anchor.cli.addresses import fetch_all
from anchor.cli.checking import our_format
from anchor.cli.files import write_pieces
from anchor.cli.inputs import Found, read_inputs
from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.cli.policies import (
    AgreeOption,
    ConfirmationsOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.cli.progress import PatientProgress
from anchor.cli.verdicts import HEADLINES, basis_content, basis_words
from anchor.credential import Credential, parse_credential
from anchor.errors import (
    BundleFormatError,
    CredanchorError,
    MalformedError,
    NoEvidenceError,
    UndeterminedError,
    VerificationError,
)
from anchor.evidence import Evidence
from anchor.known_blocks import known_blocks_file
from anchor.model import KnownBlock, Outcome, Policy, Verdict, to_utc
from anchor.verify import Verifier

FORMAT: Final = "credanchor/bundling@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Put credentials and all that the ledger says of them into one file, which verifies without network.

The file holds the credentials, the header of a block, and state proofs of exactly what their verdicts need. It says
nothing of who vouches for that block: whoever verifies it knows the block, or asks nodes of his own for its hash.

FILE is what `credanchor verify` takes; a bundle is made anew, at a newer block. Nothing is written unless all
credentials are valid, or you ask for it whatever the verdict: to keep the proof of a revocation, for instance.

Exit code: 0 written · 1 not valid · 2 malformed, or wrong usage · 3 could not be determined. Of many the worst one
counts, in the order malformed, not valid, undetermined.

Examples:

  credanchor bundle badge.json --out badge.bundle.json

  credanchor bundle issued/ --out term.bundle.json

  credanchor bundle revoked.json --out proof.bundle.json --whatever-the-verdict
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A credential to be bundled."""

    name: str
    """Of its file."""
    data: bytes
    credential: Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """The same, and the verdict on it."""

    name: str
    data: bytes
    verdict: Verdict


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Credentials: files, folders, ZIP archives, lists, or -.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The bundle. A file that is there is refused.")],
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    confirmations: ConfirmationsOption = None,
    whatever: Annotated[
        bool, typer.Option("--whatever-the-verdict", help="Write it also if a credential is not, or not yet, valid.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put credentials and all that the ledger says of them into one file, which verifies without network."""
    if out.exists():
        raise MalformedError(f"{out} is there already", advice="Name another file with --out, or take it away first.")
    rules = load_policy(policy, trust, rpc, agree=agree, own_node=own_node, confirmations=confirmations)
    given = _read(files)
    evidence = _collect(given, rules)
    judged = _judge(given, evidence, rules)
    worst = _first(judged, Outcome.INVALID) or _first(judged, Outcome.UNKNOWN)
    if worst is not None and not whatever:
        raise _refusal(judged, worst)
    data = _put_together(judged, evidence)
    write_pieces(out, [data.decode()])
    _tell(out, data, judged, rules, as_json=as_json)


def _read(files: Sequence[str]) -> list[_Given]:
    """Read the credentials, those of bundles as well.

    Raises:
        CredanchorError: One could not be read, or is malformed; it is named.
    """
    with PatientProgress() as progress:
        inputs = progress.track(read_inputs(files, fetch_all), "reading")
        given = [each for found in inputs for each in _credentials_of(found)]
    if not given:
        raise MalformedError("there is no credential among these files", advice="Name a file or a folder.")
    return given


def _credentials_of(found: Found) -> Iterator[_Given]:
    name, content = found.source.name, found.content
    if not found.is_named and our_format(content) not in {"", "bundle"}:
        return
    try:
        if not isinstance(content, bytes):
            raise content
        files = parse_bundle(content).credentials if looks_like_bundle(content) else (content,)
        for data in files:
            yield _Given(name=name, data=data, credential=parse_credential(data))
    except MalformedError as error:
        raise BundleFormatError(f"{name} cannot be bundled: {error}", advice=error.advice) from error


def _collect(given: Sequence[_Given], policy: Policy) -> Evidence:
    # What asks nodes takes a while to import, and `--help` needs none of it.
    from anchor.ledger.gathering import gather_evidence

    return gather_evidence((each.credential for each in given), policy)


def _judge(given: Sequence[_Given], evidence: Evidence, policy: Policy) -> list[_Judged]:
    verifier = Verifier(evidence, policy, int(time.time()))
    return [_Judged(name=each.name, data=each.data, verdict=verifier.verify(each.credential)) for each in given]


def _first(judged: Sequence[_Judged], outcome: Outcome) -> _Judged | None:
    return next((each for each in judged if each.verdict.outcome is outcome), None)


def _refusal(judged: Sequence[_Judged], worst: _Judged) -> CredanchorError:
    error = worst.verdict.error
    others = sum(each.verdict.outcome is not Outcome.VALID for each in judged) - 1
    more = f" (and {others} more)" if others else ""
    if isinstance(error, VerificationError):
        return VerificationError(
            f"nothing was written: {worst.name} is not valid, for {error} ({error.reason}){more}",
            advice="To keep the proof of that, add --whatever-the-verdict.",
        )
    return UndeterminedError(
        f"nothing was written: whether {worst.name} is valid could not be determined, for {error}{more}",
        advice="Try again later; or, if proofs are there all the same, add --whatever-the-verdict.",
    )


def _put_together(judged: Sequence[_Judged], evidence: Evidence) -> bytes:
    try:
        return write_bundle([each.data for each in judged], evidence)
    except UndeterminedError as error:
        without = _first(judged, Outcome.UNKNOWN)
        if without is None:
            raise
        raise NoEvidenceError(
            f"nothing was written: the proofs for {without.name} are not there, for {without.verdict.error}"
        ) from error


def _tell(out: Path, data: bytes, judged: Sequence[_Judged], policy: Policy, *, as_json: bool) -> None:
    bundle = parse_bundle(data)
    bases = list({each.verdict.basis.registry: each.verdict.basis for each in judged if each.verdict.basis}.values())
    known = frozenset(KnownBlock(chain_id=proof.registry.chain_id, hash=proof.block.hash) for proof in bundle.proofs)
    fresh_until = _fresh_until(bundle, policy)
    if as_json:
        print_json(
            {
                "format": FORMAT,
                "file": str(out),
                "bytes": len(data),
                "credentials": [
                    {"file": each.name, "outcome": each.verdict.outcome.value, "reason": each.verdict.reason}
                    for each in judged
                ],
                "bases": [basis_content(basis) for basis in bases],
                "freshUntil": fresh_until,
                "knownBlocks": known_blocks_file(known),
            }
        )
        return
    count = len(judged)
    console.print(
        f"[bold green]✔ WRITTEN[/]  {printable(str(out))}: {count:,} credential{'s' if count > 1 else ''}, "
        f"{len(data):,} bytes"
    )
    for each in judged:
        if each.verdict.outcome is not Outcome.VALID:
            console.print(
                f"  {HEADLINES[each.verdict.outcome.value]}  {printable(each.name)}  "
                f"[dim]{printable(str(each.verdict.error))}[/]"
            )
    for basis in bases:
        console.print(f"  rests on  {printable(basis_words(basis))}")
    if fresh_until is None:
        console.print("  fresh     for as long as you like, says this policy")
    else:
        console.print(f"  fresh     until {to_utc(fresh_until)}, says this policy; later only with --as-of-block")
    console.print("  For whoever verifies it without network, and trusts you for the block, as --known-blocks FILE:")
    console.print(printable(json.dumps(known_blocks_file(known))))


def _fresh_until(bundle: Bundle, policy: Policy) -> int | None:
    """Tell until when the policy takes all of its blocks for new enough, Unix seconds; None: without end."""
    if policy.max_age_seconds is None:
        return None
    return min(proof.block.timestamp for proof in bundle.proofs) + policy.max_age_seconds
