"""What the commands that change the registry share: the cost and a question first, then one transaction.

1  an earlier transaction whose fate is not known is found out about
2  the contract would accept the call; what it would cost, shown before anybody is asked
3  yes
4  the key is opened, signs; the transaction is sent and waited for
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from anchor.cli.output import console, error_console, print_json, printable
from anchor.cli.passphrases import is_interactive
from anchor.errors import LedgerError
from anchor.model import Address, to_hex
from registry.cli.common import parse_account
from registry.errors import SettingsError

if TYPE_CHECKING:
    from anchor.ledger.answers import Receipt
    from anchor.ledger.client import Call
    from registry.services.setup_sending import DeferredKey
    from registry.workplace import Workplace

KEY_HELP: Final = "Key that sends and pays: its name (credanchor key list), or a remote signer's http://…#0x…."
KeyOption = Annotated[str | None, typer.Option("--key", metavar="KEY", help=KEY_HELP)]
YesFlag = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
PrintCallFlag = Annotated[
    bool, typer.Option("--print-call", help="Send nothing: print the call, for a multisig to send. Needs no --key.")
]

EXIT_HELP: Final = "Exit code: 0 done · 1 refused, or you said no · 2 malformed or usage · 3 not finished, try again."

T = TypeVar("T")
Facts = Sequence[tuple[str, str]]
"""What is about to be done, line by line: a word, and what it says."""


def carry_out(
    place: Workplace,
    call: Call,
    key: str | None,
    record: Callable[[Receipt], T],
    *,
    facts: Facts,
    yes: bool,
    as_json: bool,
    max_cost_wei: int | None = None,
) -> T:
    """Take the steps above for one call.

    Args:
        place: The workplace.
        call: What to send.
        key: Which key sends it.
        record: Keeps what came of it; called once it is mined.
        facts: What to show before asking.
        yes: Do not ask.
        as_json: Show nothing but the result.
        max_cost_wei: Most that it may cost; default: one coin.

    Raises:
        SettingsError: No key is named, or nobody is there to say yes.
        RevertedError: The contract would refuse it.
        LedgerError: It could not be sent.
    """
    from registry.services.chains import chain_text
    from registry.services.costs import coins_to_text, preview_cost

    deferred = place.key(require_key(key))
    sender = place.sender(deferred, max_cost_wei=max_cost_wei)
    with error_console.status("asking the node"):
        place.client.require_chain(place.chain_id)
        earlier = sender.finish_earlier(call, record)
    if earlier is not None:
        error_console.print("[yellow]![/] this had been sent before, and was only waited for now")
        return earlier
    with error_console.status("asking the node"):
        cost = preview_cost(place.client, deferred.address, [call])
        balance = place.client.balance(deferred.address)
    account = f"{to_hex(deferred.address)}, which has {coins_to_text(balance)} coins"
    lines = [*facts, ("on", chain_text(place.chain_id)), ("sent by", account), ("cost", cost.to_text())]
    _confirm(call.what, lines, yes=yes, as_json=as_json)
    if balance < cost.likely_wei:
        raise LedgerError(
            f"the account {to_hex(deferred.address)} has not enough coin to pay for the transaction",
            advice="send it some coin, then try again",
        )
    unlock(deferred)
    with error_console.status("waiting for the ledger"):
        return sender.execute(call, record)


def require_key(key: str | None) -> str:
    """Give the key that sends.

    Raises:
        SettingsError: None is named.
    """
    if key is None:
        raise SettingsError("no key is named to send with", advice="Give --key, or --print-call for a multisig.")
    return key


def print_call(place: Workplace, call: Call, output_format: str, facts: Facts, *, as_json: bool) -> None:
    """Print a call for somebody else to send, such as a multisig."""
    to = to_hex(call.to or b"")
    if as_json:
        content = {"chainId": place.chain_id, "to": to, "value": "0", "data": to_hex(call.data)}
        print_json({"format": output_format, "call": content})
        return
    show_facts(call.what, facts)
    console.print(f"chain  {place.chain_id}\nto     {to}\nvalue  0\ndata   {to_hex(call.data)}")


def ask_yes(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask, unless that was answered beforehand; end the command if the answer is no.

    Raises:
        SettingsError: Nobody is there to answer.
    """
    if yes:
        return
    if as_json or not is_interactive():
        raise SettingsError("nobody is there to say yes", advice="Add --yes to do it without being asked.")
    if not typer.confirm(question, err=True):
        error_console.print("nothing was done")
        raise typer.Exit(1)


def unlock(key: DeferredKey) -> None:
    """Open a key, which takes a second; the passphrase is asked for before anything moves on the screen."""
    key.ask()
    with error_console.status("unlocking the key"):
        key.open()


def show_facts(what: str, facts: Facts) -> None:
    """Show what is about to be done."""
    error_console.print(f"[bold]To {printable(what)}:[/]")
    width = max((len(word) for word, _ in facts), default=0)
    for word, text in facts:
        error_console.print(f"  {word:<{width}}  {printable(text)}")


def read_address(text: str, place: Workplace) -> Address:
    """Read an account: its 0x address, or that of a key, by its name here or as a remote signer's.

    Raises:
        MalformedError: It is neither.
    """
    return parse_account(text) if text.startswith("0x") else place.key(text).address


def _confirm(what: str, lines: Facts, *, yes: bool, as_json: bool) -> None:
    if not as_json:
        show_facts(what, lines)
    ask_yes("Send it?", yes=yes, as_json=as_json)
