"""`credanchor verify`: credentials in, verdicts out. What is read, judged and shown is in the modules beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.cli.addresses import fetch_all
from anchor.cli.bundled import AsOfBlockFlag, BundleFlag, accept_any_age
from anchor.cli.checking import Report, check
from anchor.cli.files import write_pieces
from anchor.cli.inputs import read_inputs
from anchor.cli.output import JsonFlag, console, printable
from anchor.cli.policies import (
    AgreeOption,
    ConfirmationsOption,
    DenyOption,
    KnownBlocksOption,
    MaxAgeOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.cli.receipts import (
    OrganisationOption,
    ReceiptNamesFlag,
    ReceiptOption,
    SignWithOption,
    order_receipt,
    write_receipt,
)
from anchor.cli.report_html import html_pieces
from anchor.cli.report_json import json_pieces
from anchor.cli.reports import counts_of, csv_pieces, print_table, sorted_rows, summary
from anchor.cli.signing_keys import PassphraseFileOption
from anchor.cli.verdicts import print_one
from anchor.errors import MalformedError
from anchor.identity import normalize_email

HELP: Final = """Check credentials against the ledger, without asking the issuer.

FILE is a credential, a badge that is a picture (PNG, SVG), a ZIP archive, a folder, a list (.csv, .txt) of addresses or
paths, an https address, or - for standard input; any number, in any mixture. An address is fetched because you gave it,
from that host alone, and the answer says so.

Every fact comes as a state proof and is checked on this machine: a node can withhold an answer, not change it. A node
is believed for one thing, which block is the newest; name several, and more than half of them must agree on it.

With --receipt and --sign-with, what was found is signed, for those who shall know later that it was checked; people and
files are not named in it.

With --holder, each answer also says whether the credential is that person's: matches, does not match, or not stated.

Exit code: 0 valid · 1 not valid, or not that person's · 2 malformed · 3 could not be determined, or whose it is. Of
many files the worst one counts, in the order malformed, not valid, undetermined.

Examples:

  credanchor verify credential.json

  credanchor verify downloads/ badges.zip list.csv --out report.html

  credanchor verify badge.json --holder zoe@example.org

  credanchor verify downloads/ --receipt receipt.json --sign-with signer.pem

  credanchor verify badge.json --trust eip155:<chain id>:<registry address> --rpc <node> --rpc <node> --rpc <node>
"""


class Format(Enum):
    """How the answers are shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


_FORMATS_BY_SUFFIX: Final = {f".{each.value}": each for each in (Format.JSON, Format.CSV, Format.HTML)}


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Files, folders, ZIP archives, lists, https addresses, or -.")
    ],
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    max_age: MaxAgeOption = None,
    confirmations: ConfirmationsOption = None,
    deny: DenyOption = None,
    known_blocks: KnownBlocksOption = None,
    only_bundles: BundleFlag = False,
    as_of_block: AsOfBlockFlag = False,
    holder: Annotated[
        str | None, typer.Option("--holder", metavar="EMAIL", help="Whose the credentials should be, by e-mail.")
    ] = None,
    output: Annotated[
        Format | None, typer.Option("--format", help="How to show the answers. Default: as --out ends, else a table.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a report: .json, .csv or .html.")
    ] = None,
    receipt: ReceiptOption = None,
    sign_with: SignWithOption = None,
    passphrase_file: PassphraseFileOption = None,
    organisation: OrganisationOption = "",
    receipt_names: ReceiptNamesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Check credentials against the ledger, without asking the issuer."""
    shown = _format(output, out, as_json=as_json)
    if holder is not None and "@" not in normalize_email(holder).strip("@"):
        raise MalformedError("--holder wants an e-mail address", advice="Names are shown in the answer, to compare.")
    rules = load_policy(
        policy,
        trust,
        rpc,
        agree=agree,
        own_node=own_node,
        max_age=max_age,
        confirmations=confirmations,
        deny=deny,
        known_blocks=known_blocks,
    )
    if as_of_block:
        rules = accept_any_age(rules)
    if receipt is not None and out is not None and receipt.resolve() == out.resolve():
        raise MalformedError("the report would be written over the receipt", advice="Give each a name of its own.")
    order = order_receipt(receipt, sign_with, passphrase_file, organisation=organisation, with_names=receipt_names)
    report = check(
        read_inputs(files, fetch_all),
        rules,
        holder_email=holder,
        only_bundles=only_bundles,
        as_of_block=as_of_block,
        with_hashes=order is not None,
    )
    if order is not None:
        write_receipt(order, report)
    if out is not None:
        _require_other_file(out, report)
        write_pieces(out, _pieces(report, shown))
        _print_summary(report, out)
    elif shown is Format.TABLE:
        _print(report)
    else:
        sys.stdout.writelines(_pieces(report, shown))
    raise typer.Exit(report.exit_code)


def _format(output: Format | None, out: Path | None, *, as_json: bool) -> Format:
    """Tell how to show the answers.

    Raises:
        MalformedError: The options contradict each other, or a table is to be written into a file.
    """
    if as_json and output not in (None, Format.JSON):
        raise MalformedError("--json and --format say different things", advice="Leave one of them out.")
    shown = Format.JSON if as_json else output
    if out is None:
        return shown or Format.TABLE
    shown = shown or _FORMATS_BY_SUFFIX.get(out.suffix.lower())
    if shown in (None, Format.TABLE):
        raise MalformedError(
            f"{out} does not say which kind of report it is",
            advice="Let it end in .html, .csv or .json, or add --format.",
        )
    return shown


def _require_other_file(out: Path, report: Report) -> None:
    """Refuse to write the report over what was checked."""
    if out.exists() and any(Path(each.source.path).resolve() == out.resolve() for each in report.files):
        raise MalformedError(f"{out} is one of the files that were checked", advice="Name another file with --out.")


def _pieces(report: Report, shown: Format) -> Iterator[str]:
    return {Format.JSON: json_pieces, Format.CSV: csv_pieces, Format.HTML: html_pieces}[shown](report)


def _print(report: Report) -> None:
    if len(report.files) == 1:
        print_one(report.files[0])
    else:
        print_table(report)


def _print_summary(report: Report, out: Path) -> None:
    for line in summary(report, counts_of(sorted_rows(report))):
        console.print(printable(line))
    console.print(f"written to {printable(str(out))}")
