"""`credanchor trust sign|check|update`: signed lists of registries to trust and issuers to deny."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.cli.output import JsonFlag, console, error_content, print_json, printable, report_error
from anchor.cli.policies import PolicyOption, policy_path, read_policy
from anchor.cli.signing_keys import PassphraseFileOption, open_signer
from anchor.data_integrity import require_signer
from anchor.errors import CredanchorError, PolicyFormatError, TrustListError
from anchor.ledger.files import PUBLIC, write_new
from anchor.ledger.trust_lists import read_list, update
from anchor.model import to_hex, to_utc
from anchor.trust_list import TrustList, check_trust_list, sign_trust_list, trust_list_content

FORMAT: Final = "credanchor/trust@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(
    help="Trust lists: registries to trust and issuers to deny, signed by somebody.", no_args_is_help=True
)

SIGN_HELP: Final = """Sign a trust list.

The draft is a JSON file with format, name, sequence, expiresAt, registries and deniedIssuers; the time and the
signature are added. Raise the sequence by one for every new list: those who have a higher one refuse it. An end date
(Unix seconds, or null) makes sure that nobody goes on with an old list unknowingly.

Exit code: 0 signed · 2 the draft is malformed, the key cannot be used, or there is such a file already.

Example:

  credanchor trust sign draft.json --sign-with signer.pem --out trust-list.json
"""
CHECK_HELP: Final = """Check a trust list, and show it.

Exit code: 0 it may be used · 1 its signature does not hold, it is another signer's, or it has expired · 2 malformed.

Example:

  credanchor trust check trust-list.json --signer DID
"""
UPDATE_HELP: Final = """Get the trust lists that the policy names, check them, and keep them beside the policy.

A list counts only from the signer that the policy names, and never an older one after a newer. Verifying uses what is
kept, and asks nobody. What is kept is in the folder trust-lists beside the policy; whoever deletes it forgets what was
the newest list.

Exit code: 0 all are there · 1 one is not its signer's, or is older than the one kept · 2 malformed · 3 one did not
come, or has expired. What was kept before stays.

Example:

  credanchor trust update --policy policy.json
"""


@app.command("sign", help=SIGN_HELP)
def sign(
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="The list, without issuedAt and proof.")],
    key_file: Annotated[Path, typer.Option("--sign-with", metavar="KEYFILE", help="Key file (credanchor signer new).")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write; never one that is there.")],
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Sign a trust list."""
    content = read_list(draft)
    data = sign_trust_list(content, open_signer(key_file, passphrase_file), int(time.time()))
    trust_list = check_trust_list(data)
    try:
        write_new(out, data, mode=PUBLIC)
    except FileExistsError as error:
        raise PolicyFormatError(f"there is a file {out} already", advice="Choose another name.") from error
    except OSError as error:
        raise TrustListError(f"{out} cannot be written: {error.strerror}") from error
    if as_json:
        print_json({"format": FORMAT, "file": str(out), **trust_list_content(trust_list)})
        return
    console.print(f"[bold green]✔[/] signed: {printable(str(out))}, list {trust_list.sequence}")
    console.print(f"  {trust_list.signature.signer}", markup=False)


@app.command("check", help=CHECK_HELP)
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The trust list.")],
    signer: Annotated[
        str | None, typer.Option("--signer", metavar="DID", help="did:key of who must have signed it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a trust list."""
    trust_list = check_trust_list(read_list(file))
    if signer is not None:
        require_signer(trust_list.signature, signer)
    unusable = _unusable(trust_list)
    if as_json:
        problem = {} if unusable is None else {"error": error_content(unusable)}
        print_json({"format": FORMAT, **trust_list_content(trust_list), **problem})
    else:
        _print(trust_list)
        if unusable is not None:
            report_error(unusable, as_json=False)
    raise typer.Exit(0 if unusable is None else 1)


@app.command("update", help=UPDATE_HELP)
def update_all(policy: PolicyOption = None, as_json: JsonFlag = False) -> None:
    """Get the trust lists that the policy names."""
    path = policy_path(policy)
    rules = read_policy(path)
    if not rules.trust_lists:
        raise PolicyFormatError(
            f"the policy {path} names no trust lists", advice="Add them: see trustLists in docs/spec/policy.md."
        )
    results: list[dict[str, Any]] = []
    codes = {0}
    for source in rules.trust_lists:
        entry: dict[str, Any] = {"source": source.source}
        try:
            trust_list, is_new = update(path, source)
        except CredanchorError as error:
            codes.add(error.exit_code)
            results.append({**entry, "error": error_content(error)})
            if not as_json:
                console.print(f"[bold red]✘[/] {printable(source.source)}")
                report_error(error, as_json=False)
            continue
        results.append({**entry, "isNew": is_new, **trust_list_content(trust_list)})
        if not as_json:
            state = "is new, and kept" if is_new else "is the one kept"
            console.print(f"[bold green]✔[/] {printable(source.source)}: list {trust_list.sequence} {state}")
    if as_json:
        print_json({"format": FORMAT, "lists": results})
    raise typer.Exit(next(code for code in (2, 1, 3, 0) if code in codes))


def _unusable(trust_list: TrustList) -> TrustListError | None:
    try:
        trust_list.require_usable(int(time.time()))
    except TrustListError as error:
        return error
    return None


def _print(trust_list: TrustList) -> None:
    console.print("[bold green]✔[/] the signature holds")
    end = "without end" if trust_list.expires_at is None else f"until {to_utc(trust_list.expires_at)}"
    facts = {
        "signed by": trust_list.signature.signer,
        "name": trust_list.name,
        "list": f"{trust_list.sequence}, of {to_utc(trust_list.signature.signed_at)}, {end}",
    }
    for label, fact in facts.items():
        console.print(f"  {label:<9} {printable(fact)}")
    for pin in trust_list.registries:
        console.print(f"  trust     {pin.registry.to_text()}, code {to_hex(pin.code_hash)}  {printable(pin.name)}")
    for did in sorted(trust_list.denied_issuers):
        console.print(f"  deny      {printable(did)}")
