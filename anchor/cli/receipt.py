"""`credanchor receipt check`: a receipt's signature, and what it says of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.bundle import parse_bundle
from anchor.cli.addresses import fetch_all
from anchor.cli.checking import CheckedFile, bundle_sources, hash_in_bundle, our_format
from anchor.cli.checking import check as verify_all
from anchor.cli.inputs import Found, Source, read_inputs
from anchor.cli.output import JsonFlag, console, error_content, print_json, printable
from anchor.cli.policies import PolicyOption, RpcOption, TrustOption, load_policy
from anchor.cli.receipts import WORDS, file_content, print_receipt, receipt_content
from anchor.cli.verdicts import STEP_LABELS
from anchor.data_integrity import require_signer
from anchor.errors import BundleFormatError, FetchError, MalformedError, SignedFormatError, UndeterminedError
from anchor.model import Hash32, Outcome, Verdict, to_hex, to_utc
from anchor.receipt import MALFORMED, MAX_RECEIPT_BYTES, Receipt, ReceiptFile, check_receipt

FORMAT: Final = "credanchor/receipt-check@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Check a verification receipt: who signed it, and what it says of files.

Without --signer anybody's signature will do: compare the did:key shown with the one that the signer gave you. Files
are known by their SHA-256; one changed letter makes another file. A receipt proves that its signer said so, at a time
that he states; whether it is so, and still is, --again finds out: it verifies the files anew, and says what is
different now.

Exit code: 0 the signature holds, and the receipt calls every file given valid · 1 it does not hold, or is another
signer's, a file is not in it, or was not valid · 2 malformed, or wrong usage · 3 the receipt says of a file that it
could not be determined. With --again: as credanchor verify, of what is so now.

Examples:

  credanchor receipt check receipt.json

  credanchor receipt check receipt.json badge.json --signer DID

  credanchor receipt check receipt.json badge.json --again --policy policy.json
"""

_EXIT_CODES: Final = {
    Outcome.VALID.value: 0,
    Outcome.INVALID.value: 1,
    Outcome.UNKNOWN.value: UndeterminedError.exit_code,
    MALFORMED: MalformedError.exit_code,
}
_NOT_IN_RECEIPT: Final = 1
_WORST_FIRST: Final = (2, 1, 3, 0)
"""Of many files (design section 9)."""

app = typer.Typer(help="Verification receipts: what somebody says that he has checked.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Verification receipts: what somebody says that he has checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """A file that was given beside the receipt, and what is said of it."""

    name: str
    sha256: Hash32 | None
    problem: MalformedError | FetchError | None
    """Why there is no hash: its bytes did not come, or not whole."""
    said: ReceiptFile | None
    """By the receipt."""
    now: CheckedFile | None = None
    """By this machine, if that was asked for."""

    @property
    def differences(self) -> list[str]:
        """What is otherwise now, check by check."""
        if self.said is None or self.now is None:
            return []
        if not isinstance(self.now.answer, Verdict) or not self.said.checks:
            return [] if self.said.outcome == self.now.outcome else [f"{self.said.outcome} → {self.now.outcome}"]
        before = (each.value for each in self.said.checks)
        checks = zip(self.now.answer.checks, before, strict=True)
        return [
            f"{check.step} {STEP_LABELS[check.name]}: {then} → {check.status.value}"
            for check, then in checks
            if check.status.value != then
        ]


@app.command("check", help=HELP)
def check(
    receipt_file: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The receipt.")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE…", help="What it should speak of: as for credanchor verify.")
    ] = None,
    signer: Annotated[
        str | None, typer.Option("--signer", metavar="DID", help="did:key of who must have signed it.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Verify the files anew, and say what is different now.")
    ] = False,
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a receipt."""
    receipt = check_receipt(_read_receipt(receipt_file))
    if signer is not None:
        require_signer(receipt.signature, signer)
    told = receipt.by_hash()
    inputs = read_inputs(files or (), fetch_all)
    if again:
        if not files:
            raise MalformedError("--again wants the files", advice="Name those that shall be verified anew.")
        report = verify_all(inputs, load_policy(policy, trust, rpc), with_hashes=True)
        given = [_of(told, each.source, each.sha256, each.answer, each) for each in report.files]
    else:
        given = [_of(told, *each, None) for found in inputs for each in _hashed(found)]
    if as_json:
        print_json({"format": FORMAT, **receipt_content(receipt), "files": [_content(each, receipt) for each in given]})
    else:
        print_receipt(receipt)
        if signer is None:
            console.print("  Is that the did:key which the signer gave you? With --signer it is compared.")
        for each in given:
            _print_file(each, receipt)
    codes = {_exit_code(each) for each in given} | {0}
    raise typer.Exit(next(code for code in _WORST_FIRST if code in codes))


def _hashed(found: Found) -> Iterator[tuple[Source, Hash32 | None, object]]:
    """Hash what was given as the receipt does: of a bundle each credential."""
    if isinstance(found.content, bytes) and our_format(found.content) == "bundle":
        with suppress(BundleFormatError):
            credentials = parse_bundle(found.content).credentials
            for source, credential in zip(bundle_sources(found.source, len(credentials)), credentials, strict=True):
                yield source, hash_in_bundle(credential), credential
            return
    yield found.source, found.sha256, found.content


def _of(
    told: dict[Hash32, ReceiptFile], source: Source, digest: Hash32 | None, answer: object, now: CheckedFile | None
) -> _Given:
    if digest is not None:
        return _Given(name=source.name, sha256=digest, problem=None, said=told.get(digest), now=now)
    problem = answer if isinstance(answer, MalformedError | FetchError) else MalformedError("the file is too long")
    return _Given(name=source.name, sha256=None, problem=problem, said=None, now=now)


def _exit_code(given: _Given) -> int:
    if given.now is not None:
        return given.now.exit_code
    if given.problem is not None:
        return given.problem.exit_code
    return _NOT_IN_RECEIPT if given.said is None else _EXIT_CODES[given.said.outcome]


def _print_file(given: _Given, receipt: Receipt) -> None:
    name, said, now = printable(given.name), given.said, given.now
    if given.problem is not None:
        console.print(f"[bold red]✘ not read[/]  {name}  {printable(str(given.problem))}")
    elif said is None:
        console.print(f"[bold red]✘ not in the receipt[/]  {name}  {to_hex(given.sha256 or b'')}")
    else:
        reason = f" ({said.reason})" if said.reason else ""
        block = "" if said.block is None else f" as of {to_utc(receipt.blocks[said.block].block_at)}"
        console.print(f"{WORDS[said.outcome]}{printable(reason)}{block}, says the receipt  {name}")
    if now is not None:
        why = f": {now.why}" if now.why else ""
        console.print(f"  now: {WORDS[now.outcome]}{printable(why)}")
        for difference in given.differences:
            console.print(f"  different: {printable(difference)}")


def _content(given: _Given, receipt: Receipt) -> dict[str, Any]:
    content: dict[str, Any] = {
        "file": given.name,
        "sha256": None if given.sha256 is None else to_hex(given.sha256),
        "inReceipt": given.said is not None,
    }
    if given.problem is not None:
        content["error"] = error_content(given.problem)
    if given.said is not None:
        content |= file_content(given.said, receipt.blocks)
    if given.now is None:
        return content
    now = {"outcome": given.now.outcome, "reason": "" if given.now.outcome == "valid" else given.now.reason}
    return {**content, "now": now, "differences": given.differences}


def _read_receipt(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise SignedFormatError(f"the receipt {path} cannot be read: {error.strerror}") from error
