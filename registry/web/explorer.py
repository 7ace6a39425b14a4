"""The explorer's pages: a registry's proven history for people, in their language, without script.

Addresses in pages are relative, so that it does not matter behind which proxy they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from anchor.cli.audit_words import scope_name
from anchor.cli.wording import wording_of
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE, RoleTenure
from anchor.model import Key, to_hex
from anchor.status import StatusPurpose, StatusReason
from registry.services.explorer.views import (
    AccountView,
    BatchPage,
    BatchView,
    EpochChangeView,
    EventView,
    HitKind,
    IssuerView,
    LedgerView,
    PositionView,
    SearchHit,
    TransactionView,
)
from registry.web.formats import format_date, time_element
from registry.web.ledger_lines import MANY_POSITIONS, lines_of, shown_did
from registry.web.ledger_plots import Numbers, state_of
from registry.web.render import LEDGER_SHEET, content_security_policy, csp_hash, render
from registry.web.verifier import NoPageError
from registry.web.words import load_words

PATH: Final = "/ledger"
MAX_KEYS: Final = 100
"""Shown of one issuer, and roles of a registry: those added last."""
_SHORT_DIGITS: Final = 10
_SCRIPT: Final = Path(__file__).parent / "explorer.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page is, and in which language."""

    path: str
    """Of the address: `PATH`, or what is below it."""
    language: str
    """A code of `LANGUAGES`."""
    asked_language: bool
    """The language stands in the address, so it stays in those that the page leads to."""
    query: tuple[tuple[str, str], ...] = ()
    """Of the address, but for the language."""

    @property
    def root(self) -> str:
        """How to get from here to the service's root."""
        return "../" * (self.path.count("/") - 1)

    def to(self, below: str = "", **query: object) -> str:
        """Give the address of another page.

        Args:
            below: Its path below `PATH`.
            query: What it is to show; None is left out.
        """
        given = {name: str(value) for name, value in query.items() if value is not None}
        if self.asked_language:
            given["lang"] = self.language
        path = f"{self.root}{PATH[1:]}{'/' if below else ''}{below}"
        return f"{path}?{urlencode(given)}" if given else path

    def in_language(self, code: str) -> str:
        """Give this page's address in another language."""
        return f"?{urlencode([*self.query, ('lang', code)])}"


def ledger_page(
    place: Place,
    ledger: LedgerView,
    *,
    issuers: Sequence[IssuerView],
    has_more_issuers: bool,
    events: Sequence[EventView],
    numbers: Numbers,
) -> str:
    """Make the page of a registry as a whole."""
    roles = [each for each in ledger.tenures if each.role in (ADMIN_ROLE, ACCREDITOR_ROLE)]
    return _page(
        "ledger.html",
        place,
        ledger,
        issuers=issuers,
        has_more_issuers=has_more_issuers,
        lines=lines_of(events, place.language),
        numbers=numbers,
        roles=sorted(roles[-MAX_KEYS:], key=lambda each: (each.until is not None, each.since)),
        role_name=_role_name,
    )


def issuers_page(place: Place, ledger: LedgerView, issuers: Sequence[IssuerView], next_after: int | None) -> str:
    """Make a page of a registry's issuers."""
    return _page("ledger_issuers.html", place, ledger, issuers=issuers, next_after=next_after)


def issuer_page(
    place: Place,
    ledger: LedgerView,
    issuer: IssuerView,
    *,
    incidents: Sequence[EventView],
    epoch_changes: Sequence[EpochChangeView],
    batches: Sequence[BatchView],
    events: Sequence[EventView],
    numbers: Numbers,
) -> str:
    """Make the page of an issuer."""
    return _page(
        "ledger_issuer.html",
        place,
        ledger,
        issuer=issuer,
        incidents=lines_of(incidents, place.language),
        epoch_changes=epoch_changes,
        batches=batches,
        lines=lines_of(events, place.language),
        numbers=numbers,
        most_keys=MAX_KEYS,
    )


def batches_page(place: Place, ledger: LedgerView, issuer: IssuerView, page: BatchPage) -> str:
    """Make a page of an issuer's batches."""
    return _page("ledger_batches.html", place, ledger, issuer=issuer, batches=page.batches, next_before=page.next)


def events_page(
    place: Place,
    ledger: LedgerView,
    issuer: IssuerView | None,
    events: Sequence[EventView],
    *,
    show: str,
    next_before: int | None,
) -> str:
    """Make a page of events, of one issuer or of all.

    Args:
        place: Where it is.
        ledger: As of when.
        issuer: Whose; None: all events of the registry.
        events: The newest first.
        show: Which kinds of events: a name of the routes' own; empty: all.
        next_before: For the next page; None: there is none.
    """
    return _page(
        "ledger_events.html",
        place,
        ledger,
        issuer=issuer,
        lines=lines_of(events, place.language),
        show=show,
        next_before=next_before,
    )


def batch_page(place: Place, ledger: LedgerView, batches: Sequence[BatchView]) -> str:
    """Make the page of a batch: of all issuers that anchored its root."""
    shown = [(batch, lines_of(batch.events, place.language)) for batch in batches]
    return _page("ledger_batch.html", place, ledger, shown=shown, root=batches[0].root)


def transaction_page(place: Place, ledger: LedgerView, transaction: TransactionView) -> str:
    """Make the page of a transaction."""
    lines = lines_of(transaction.events, place.language, most_positions=MANY_POSITIONS)
    first = transaction.events[0].event.log
    return _page(
        "ledger_transaction.html",
        place,
        ledger,
        hash=transaction.hash,
        block=first.block_number,
        block_hash=first.block_hash,
        lines=lines,
    )


def account_page(place: Place, ledger: LedgerView, account: AccountView) -> str:
    """Make the page of an account."""
    keys = () if account.key_of is None else account.key_of.keys
    return _page(
        "ledger_account.html",
        place,
        ledger,
        account=account,
        key=next((each.key for each in keys if each.address == account.address), None),
        lines=lines_of(account.first, place.language),
        role_name=_role_name,
    )


def position_page(place: Place, ledger: LedgerView, view: PositionView) -> str:
    """Make the page of a status position."""
    state = "revoked" if view.is_revoked else "suspended" if view.is_suspended else "untouched"
    deciding = view.counting.get(StatusPurpose.REVOCATION) or view.counting.get(StatusPurpose.SUSPENSION)
    return _page(
        "ledger_position.html",
        place,
        ledger,
        view=view,
        issuer=view.issuer,
        state=state,
        tone={"revoked": "bad", "suspended": "paused", "untouched": "unsure"}[state],
        decided=lines_of((deciding,), place.language)[0] if deciding else None,
        lines=[
            (line, each.event) for line, each in zip(lines_of(view.changes, place.language), view.changes, strict=True)
        ],
    )


def search_page(place: Place, ledger: LedgerView, asked: str, hits: Sequence[SearchHit]) -> str:
    """Make the page of what was found."""
    return _page(
        "ledger_search.html", place, ledger, asked=asked, found=[(each, _leads_to(place, each)) for each in hits]
    )


def file_page(place: Place, ledger: LedgerView) -> str:
    """Make the page that finds a credential's file, by a script in it.

    Raises:
        NoPageError: The script was not built.
    """
    return _page(
        "ledger_file.html",
        place,
        ledger,
        script=Markup(_script()),  # noqa: S704 - our own file
        slot=Markup('<b data-fill="{}"></b>').format,
    )


def file_policy() -> str:
    """Give the value of `Content-Security-Policy` of that page: its script may load and send nothing.

    Raises:
        NoPageError: The script was not built.
    """
    rest = content_security_policy(sheet=LEDGER_SHEET, forms="'self'")
    return f"{rest}; script-src {csp_hash(_script())}; require-trusted-types-for 'script'; trusted-types 'none'"


@cache
def _script() -> str:
    try:
        return _SCRIPT.read_text("utf-8")
    except OSError as error:
        raise NoPageError(
            "the explorer's script is not here",
            advice="It is part of the package; in a checkout, run scripts/build-page.",
        ) from error


def missing_page(place: Place, ledger: LedgerView) -> str:
    """Make the page of what there is not."""
    return _page("ledger_missing.html", place, ledger)


def _page(template: str, place: Place, ledger: LedgerView, **values: Any) -> str:
    wording, language = wording_of(place.language), place.language
    return render(
        template,
        language,
        sheet=LEDGER_SHEET,
        place=place,
        to=place.to,
        in_language=place.in_language,
        ledger=ledger,
        basis=ledger.basis,
        worded=wording.say,
        moment=partial(time_element, language=language),
        day=partial(time_element, language=language, write=format_date),
        hexed=to_hex,
        short=_short,
        code=Markup("<code>{}</code>").format,
        did=shown_did,
        state_of=state_of,
        key_state=partial(_key_state, at=ledger.basis.block_at, language=language),
        key_scope=lambda key: wording.say(scope_name(key.scope)),
        reason_name=lambda reason: wording.say(f"reason_{StatusReason(reason).label}"),
        **values,
    )


def _short(value: bytes) -> str:
    return f"{to_hex(value)[:_SHORT_DIGITS]}…"


def _key_state(key: Key, *, at: int, language: str) -> tuple[str, Markup]:
    """Say how a key stands: a tone, and words."""
    say, moment = load_words()[language].say, partial(time_element, language=language)
    if key.compromised_at:
        return "bad", say("ledger.key_compromised", moment=moment(key.compromised_at))
    if key.valid_until:
        name = "ledger.key_ended" if key.valid_until <= at else "ledger.key_ends"
        return "none", say(name, moment=moment(key.valid_until))
    if key.valid_from > at:
        return "none", say("ledger.key_from", moment=moment(key.valid_from))
    return "good", say("ledger.key_good")


def _role_name(tenure: RoleTenure) -> str:
    return "admin" if tenure.role == ADMIN_ROLE else "accreditor"


def _leads_to(place: Place, hit: SearchHit) -> str:
    match hit.kind:
        case HitKind.POSITION if hit.position is not None:
            return place.to(f"issuers/{hit.issuer_id}/status/{hit.position.status_list}/{hit.position.index}")
        case HitKind.BATCH:
            return place.to(f"batches/{hit.text}")
        case HitKind.TRANSACTION:
            return place.to(f"transactions/{hit.text}")
        case HitKind.ISSUER:
            return place.to(f"issuers/{hit.issuer_id}")
        case _:
            return place.to(f"accounts/{hit.text}")
