"""What all commands of `credanchor incident` share: they show every step, ask once, and do what is not done yet.

Whether a step is done is proven by the ledger, or seen in the settings: never noted by the program itself. So the same
command again, after whatever went wrong, does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from anchor.cli.output import console, error_console, print_json, printable
from anchor.errors import LedgerError, RevertedError
from anchor.model import KeyScope, to_hex
from registry.cli.key_consent import key_request, own_consent
from registry.cli.writing import Facts, ask_yes, carry_out, print_call, require_key, show_facts, unlock
from registry.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from anchor.events import AnyEvent
    from anchor.ledger.answers import Receipt
    from anchor.ledger.client import Call
    from anchor.model import Address, Key
    from registry.workplace import Workplace

FORMAT: Final = "credanchor/incident@v1"
"""First member of the JSON output; a change that could break readers changes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to be done."""

    what: str
    """In the infinitive, for people."""
    is_done: bool
    do: Callable[[], object]
    call: Callable[[], Call] | None = None
    """What a controller that is a multisig has to send for it; None: it is not the controller's."""
    is_first: bool = False
    """Nothing after it may be sent before it is done, not even by a multisig."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whose account the contract wants for the controller's calls, and with which key somebody means to send them."""

    key: str | None
    account: Address | None
    """None: nobody's."""
    role: str = "the institution's controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Leads through an incident.

    Args:
        name: The incident, as the command calls it.
        sender: Who sends what is the controller's.
        title: What the steps come to, in the infinitive.
        facts: What was found out, and what will change.
        details: The same for programs.
    """

    name: str
    sender: Sender
    title: str
    facts: Facts
    details: dict[str, Any]

    def through(
        self,
        place: Workplace,
        steps: Sequence[Step],
        *,
        yes: bool,
        dry_run: bool,
        only_print: bool,
        as_json: bool,
    ) -> None:
        """Show the steps, ask, and take those that are not done.

        Args:
            place: The workplace.
            steps: All of them, in order.
            yes: Do not ask.
            dry_run: Change nothing.
            only_print: Print the controller's calls that are left, and change nothing.
            as_json: Show nothing but the result.

        Raises:
            SettingsError: Nobody is there to say yes, or no key is named.
            ConflictError: The key is not the one that the contract wants; nothing was done.
            CredanchorError: A step failed; those before it are done.
        """
        left = [step for step in steps if not step.is_done]
        if not only_print:
            self._require_sender(place, left, dry_run=dry_run)
        if not as_json:
            show_facts(self.title, [*self.facts, *((_numbered(number), _line(step)) for number, step in _count(steps))])
        if only_print:
            _print_calls(place, left, as_json=as_json)
            return
        done = {id(step) for step in steps if step.is_done}
        if left and not dry_run:
            ask_yes("Do it?", yes=yes, as_json=as_json)
            for number, step in _count(steps):
                if not step.is_done:
                    self._take(number, step, len(steps), as_json=as_json)
                    done.add(id(step))
        if as_json:
            states = ["doneBefore" if step.is_done else "done" if id(step) in done else "left" for step in steps]
            shown = [{"what": step.what, "state": state} for step, state in zip(steps, states, strict=True)]
            print_json({"format": FORMAT, "incident": self.name, **self.details, "steps": shown})
        elif dry_run:
            console.print("nothing was changed" if left else "nothing is left to do")
        else:
            console.print(f"[bold green]✔[/] {'all was done before' if not left else 'done'}: {printable(self.title)}")

    def _take(self, number: int, step: Step, count: int, *, as_json: bool) -> None:
        if not as_json:
            error_console.print(f"[bold]{number} of {count}[/]  {printable(step.what)}")
        try:
            step.do()
        except LedgerError as error:
            # What the contract refuses now it refuses again.
            if not isinstance(error, RevertedError):
                error.advise("The same command again does the rest.")
            raise
        except KeyboardInterrupt:
            error_console.print(f"[yellow]![/] interrupted at step {number}: the same command again does the rest")
            raise

    def _require_sender(self, place: Workplace, left: Sequence[Step], *, dry_run: bool) -> None:
        """Find out before anything is done that the key cannot do it."""
        sender = self.sender
        first = next((step for step in left if step.call is not None or step.is_first), None)
        # Where a multisig is the controller, there is no key, and something to do all the same.
        if first is None or (sender.key is None and (dry_run or first.is_first)):
            return
        own = place.key(require_key(sender.key)).address
        if own != sender.account:
            wanted = "nobody" if sender.account is None else to_hex(sender.account)
            raise ConflictError(
                f"{to_hex(own)} cannot do this: {sender.role} is {wanted}",
                advice="Name that account's key with --key. If it is a multisig, --print-call gives it what to send.",
            )


def _print_calls(place: Workplace, left: Sequence[Step], *, as_json: bool) -> None:
    """Print the calls that may be sent by now, in order."""
    for step in left:
        if step.is_first and step.call is None:
            if not as_json:
                error_console.print("[yellow]![/] no more may be sent before this is done, by the same command without")
                error_console.print(f"  --print-call: {printable(step.what)}")
            return
        if step.call is not None:
            print_call(place, step.call(), FORMAT, [("step", step.what)], as_json=as_json)
    if not as_json and any(step.call is None for step in left):
        error_console.print("[bold]When these are mined[/], the same command without --print-call does the rest.")


def key_steps(
    place: Workplace, old: Address, new: str, scope: KeyScope, controller: str | None, *, next_epoch: bool = False
) -> tuple[Step, Step]:
    """Make a key, if there is none of that name, and add it to the institution, in the place of an old one.

    Raises:
        MalformedError: No key can have that name.
        ConflictError: It is the old one, or one that cannot take over.
    """
    from anchor.ledger.contract import RegistryContract

    exists = _exists(place, new)
    if exists and place.key(new).address == old:
        raise ConflictError(
            "the new key is the old one",
            advice="Name another one with --new: it is made if there is none of that name.",
        )
    record = place.governance.keys([place.key(new).address]).get(place.key(new).address) if exists else None
    if record is not None:
        _require_good(place, record, scope, next_epoch=next_epoch)

    def call() -> Call:
        if not _exists(place, new):
            raise NotFoundError(f"there is no key {new} yet", advice=f"Make it: credanchor key new {new}")
        signed = own_consent(place, new, key_request(place, scope, next_epoch=next_epoch))
        return RegistryContract(place.registry).add_key(signed.request.consent_of(signed.key), signed.signature)

    kind = "anchoring key" if scope is KeyScope.ANCHOR else "status key"
    later = " for the next status epoch" if next_epoch else ""
    made = Step(what=f"make the key {new}", is_done=exists, do=lambda: _make(place, new, controller), call=None)
    added = Step(
        what=f"add it to the institution as {kind}{later}",
        is_done=record is not None,
        do=lambda: send(place, call(), controller),
        call=call,
    )
    return made, added


def _make(place: Workplace, new: str, controller: str | None) -> None:
    if controller is not None:
        # A passphrase mistyped would lock the new key for ever: the controller's tells whether it is right.
        unlock(place.key(controller))
    place.keys.create(new, place.passphrase())


def _require_good(place: Workplace, record: Key, scope: KeyScope, *, next_epoch: bool) -> None:
    """Refuse a key that is bound already, and to something else: that is for ever."""
    issuer = place.governance.issuer(record.issuer_id)
    epochs = {issuer.next_status_epoch} if next_epoch else {issuer.record.status_epoch, issuer.next_status_epoch}
    is_right_epoch = scope is KeyScope.ANCHOR or record.status_epoch in epochs
    is_own = record.issuer_id == place.settings.issuer_id
    if not is_own or record.scope != scope.value or record.cut_off is not None or not is_right_epoch:
        raise ConflictError(
            "the new key is one already, and not one that can take over",
            advice="Name another one with --new: it is made here if there is none of that name.",
        )


def _exists(place: Workplace, new: str) -> bool:
    from anchor.ledger.signers import parse_remote_key

    return parse_remote_key(new) is not None or place.keys.has(new)


def key_reference(name: str) -> str:
    """Name a key as settings do: a remote signer's as it is, else the file of that name among the keys."""
    from anchor.ledger.signers import parse_remote_key
    from registry.settings import KEYS_FOLDER

    return name if parse_remote_key(name) is not None else f"{KEYS_FOLDER}/{name}.json"


def settings_step(place: Workplace, name: str, new: str) -> Step:
    """Write a key into the settings."""
    from registry.settings import complete_settings

    value = key_reference(new)
    return Step(
        what=f'set {name} = "{value}" in settings.toml',
        is_done=getattr(place.settings, name) == value,
        do=lambda: complete_settings(place.home, {name: value}),
    )


def compromise_step(place: Workplace, key: Address, record: Key, since: int, controller: str | None) -> Step:
    """Declare a key compromised."""
    from anchor.ledger.contract import RegistryContract
    from anchor.model import to_utc

    def call() -> Call:
        return RegistryContract(place.registry).compromise_key(key, since=since)

    return Step(
        what=f"declare the key compromised since {to_utc(since)}, for good",
        is_done=record.compromised_at != 0 and record.compromised_at <= since,
        do=lambda: send(place, call(), controller),
        call=call,
    )


def retire_step(place: Workplace, key: Address, record: Key, what: str, controller: str | None) -> Step:
    """End a key's validity; what it did stays good."""
    from anchor.ledger.contract import RegistryContract

    def call() -> Call:
        return RegistryContract(place.registry).retire_key(key)

    return Step(
        what=what,
        is_done=record.cut_off is not None,
        do=lambda: send(place, call(), controller),
        call=call,
    )


def send(place: Workplace, call: Call, controller: str | None) -> AnyEvent:
    """Send one of the controller's calls, that was agreed to before, and wait until it is mined."""
    from anchor.logs import parse_log

    def record(receipt: Receipt) -> AnyEvent:
        events = [parse_log(log) for log in receipt.logs if log.address == place.registry.address]
        found = next((event for event in events if event is not None), None)
        if found is None:
            raise LedgerError(f"the transaction to {call.what} was mined, and changed nothing")
        return found

    return carry_out(place, call, controller, record, facts=(), yes=True, as_json=True)


def _count(steps: Sequence[Step]) -> Sequence[tuple[int, Step]]:
    return tuple(enumerate(steps, 1))


def _numbered(number: int) -> str:
    return f"step {number}"


def _line(step: Step) -> str:
    return f"{step.what} (is done)" if step.is_done else step.what
