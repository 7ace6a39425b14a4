"""`credanchor receipt check`: a receipt's signature, and what it says of files."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.cli.receipts import WORDS, file_content, print_receipt, receipt_content
from anchor.data_integrity import require_signer
from anchor.errors import MalformedError, SignedFormatError, UndeterminedError
from anchor.model import Hash32, Outcome, to_hex, to_utc
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
_PIECE_BYTES: Final = 1 << 20

app = typer.Typer(help="Verification receipts: what somebody says that he has checked.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Verification receipts: what somebody says that he has checked."""


@app.command("check", help=HELP)
def check(
    receipt_file: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The receipt.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="Files that it should speak of.")] = None,
    signer: Annotated[
        str | None, typer.Option("--signer", metavar="DID", help="did:key of who must have signed it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a receipt."""
    receipt = check_receipt(_read_receipt(receipt_file))
    if signer is not None:
        require_signer(receipt.signature, signer)
    digests = [(path, _digest(path)) for path in files or ()]
    said = [(path, digest, receipt.file(digest)) for path, digest in digests]
    if as_json:
        results = [{"file": str(path), **file_content(digest, each, receipt.blocks)} for path, digest, each in said]
        print_json({"format": FORMAT, **receipt_content(receipt), "files": results})
    else:
        print_receipt(receipt)
        if signer is None:
            console.print("  Is that the did:key which the signer gave you? With --signer it is compared.")
        for path, digest, each in said:
            _print_file(path, digest, each, receipt)
    raise typer.Exit(_exit_code([each for _, _, each in said]))


def _print_file(path: Path, digest: Hash32, said: ReceiptFile | None, receipt: Receipt) -> None:
    if said is None:
        console.print(f"[bold red]✘ not in the receipt[/]  {printable(str(path))}  {to_hex(digest)}")
        return
    reason = f" ({said.reason})" if said.reason else ""
    block = "" if said.block is None else f" as of {to_utc(receipt.blocks[said.block].block_at)}"
    console.print(f"{WORDS[said.outcome]}{printable(reason)}{block}, says the receipt  {printable(str(path))}")


def _exit_code(said: Sequence[ReceiptFile | None]) -> int:
    codes = {_NOT_IN_RECEIPT if each is None else _EXIT_CODES[each.outcome] for each in said} | {0}
    return next(code for code in _WORST_FIRST if code in codes)


def _read_receipt(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise SignedFormatError(f"the receipt {path} cannot be read: {error.strerror}") from error


def _digest(path: Path) -> Hash32:
    digest = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise SignedFormatError(f"the file {path} cannot be read: {error.strerror}") from error
    return Hash32(digest.digest())
