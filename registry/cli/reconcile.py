"""`credanchor reconcile`: the institution's database, and its service, held against the ledger."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Annotated, Final

import typer

from anchor.cli.files import write_pieces
from anchor.cli.output import JsonFlag, error_console
from anchor.errors import HistoryError, LedgerUnavailableError
from anchor.model import to_utc
from registry.cli.common import HomeOption, ask_passphrase, parse_account, prove_history

if TYPE_CHECKING:
    from anchor.history import History
    from anchor.model import Basis, Hash32
    from registry.cli.reconcile_output import Found
    from registry.services.reconciliation import Settled, Stored
    from registry.services.served_answers import ServedApi
    from registry.services.served_credentials import ServedAnswers
    from registry.services.served_status import ServedList
    from registry.wiring import AnyInstitution

API_KEY_VARIABLE: Final = "CREDANCHOR_API_KEY"
_LOOKED_AT: Final = 50
"""Credentials that the service is asked about, chosen by chance; as many again of those whose status was to change."""

_PAGES: Final = 10
"""Of these, learners' pages that are looked at."""

HELP: Final = """Hold the institution's database against the ledger, and name each difference.

The ledger's whole history is read and proven first, as credanchor audit does. Then: what was sealed and never anchored,
what is on the ledger and not in the database (another program of yours, or a thief), revocations that were asked for
and are not there, and those that nobody asked for; keys that ended, a DID or a controller that differs; what the
explorer shows. With --service, also the status lists that the running service shows; with an API key of scope read in
$CREDANCHOR_API_KEY, what its API answers, too: all batches, and proof and status of up to a hundred credentials,
chosen by chance, and the pages of ten of them. What is on its way is no difference.

Nobody is named: credentials are status positions; credanchor find tells whose they are.

Exit code: 0 no difference, or settled ones only · 1 differences · 2 malformed or usage · 3 could not be determined.

Examples:

  credanchor reconcile

  credanchor reconcile --service https://credentials.college.example --out differences.csv

  CREDANCHOR_API_KEY=$(cat key) credanchor reconcile --service https://credentials.college.example
"""


def command(
    home: HomeOption = None,
    institution: Annotated[
        str | None,
        typer.Option("--institution", metavar="CODE", help="Of a service: which institution. Default: the home's own."),
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", metavar="URL", help="Also compare what this service shows of status.")
    ] = None,
    controller: Annotated[
        str | None,
        typer.Option(
            "--controller",
            metavar="ADDRESS",
            help="Who is to control the issuer. Default: controller in settings.toml.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write all differences there, as CSV.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold the institution's database against the ledger."""
    from registry.cli.reconcile_output import Compared, Found, csv_pieces, json_pieces, show
    from registry.services.differences import SETTLED

    # What there is much of goes into files: events, and differences. Nothing is printed before all is compared.
    with (
        TemporaryDirectory(prefix="credanchor-") as folder,
        TemporaryFile("w+", encoding="utf-8") as file,
        _institution(home, institution) as place,
    ):
        found = Found(file)
        basis, batches = _compare(place, service, controller, Path(folder), found)
        compared = Compared(basis, batches, _not_compared(place, service, controller))
        if out is not None:
            write_pieces(out, csv_pieces(found))
        if as_json:
            sys.stdout.writelines(json_pieces(found, compared))
        else:
            show(found, compared, out)
    raise typer.Exit(1 if found.counts.keys() - SETTLED else 0)


def _compare(
    place: AnyInstitution, service: str | None, controller: str | None, folder: Path, found: Found
) -> tuple[Basis, int]:
    """Find all differences; tell what the history rests on, and how many batches there are."""
    from registry.services.doings import events_of
    from registry.services.explored_index import compare_index, read_index
    from registry.services.reconciliation import reconcile
    from registry.services.served_credentials import Comparison
    from registry.services.served_status import compare_served

    settled, registry, issuer_id = _settled(place, controller), place.settings.registry_id, place.settings.issuer_id
    with error_console.status("reading the database") as status:
        index = read_index(place.store, registry, issuer_id)
        # What is done while the ledger is read must look like no thief: it counts as it was before, and after.
        before = _stored(place)
        served, api, answers = _ask_service(place, service, before, status.update)
        history, basis = _history(place, folder, status.update)
        issuer, after = history.issuer(issuer_id), _stored(place)
        status.update("comparing the database")
        stored, knows = (before, after), partial(_own_transactions, place)
        found.take(reconcile(issuer, history.events, settled, stored, knows, now=basis.block_at))
        if served:
            status.update("comparing what the service shows")
            own = events_of(history.events, issuer_id)
            found.take(compare_served(own, after.batches, served, now=basis.block_at))
        if api is not None and answers is not None:
            status.update("comparing what the service answers")
            own, answered = events_of(history.events, issuer_id), _not_ahead(answers, basis)
            found.take(Comparison(issuer, own, api, after.batches, answered).differences())
        status.update("comparing what the explorer shows")
        found.take(compare_index(place.store, index, history, issuer_id, basis, place.view.has_block))
    return basis, len(after.batches)


def _not_compared(place: AnyInstitution, service: str | None, controller: str | None) -> list[str]:
    """Say what was left out, and how it would not be."""
    left = []
    if controller is None and place.settings.controller is None:
        left.append("who controls the issuer: settle it with controller in settings.toml, or --controller")
    if service is None:
        left.append("what the service shows: name it with --service")
    elif not os.environ.get(API_KEY_VARIABLE):
        left.append(f"what the service's API answers: it needs an API key of scope read in ${API_KEY_VARIABLE}")
    return left


@contextmanager
def _institution(home: Path | None, code: str | None) -> Iterator[AnyInstitution]:
    if code is None:
        from registry.wiring import Institution

        place: AnyInstitution = Institution(home, ask_passphrase)
        try:
            yield place
        finally:
            place.store.close()
        return
    from registry.service_wiring import Service
    from registry.store.institutions import find_institution

    service = Service(home, ask_passphrase)
    try:
        with service.store.operator_reading() as connection:
            number = find_institution(connection, code).id
        yield service.institution(number)
    finally:
        service.store.close()


def _settled(place: AnyInstitution, controller: str | None) -> Settled:
    """Give what the settings say."""
    from registry.services.reconciliation import Settled

    settings, account = place.settings, controller or place.settings.controller
    return Settled(
        did=settings.issuer_did,
        anchor_key=place.address_of(settings.anchor_key),
        status_key=place.address_of(settings.status_key),
        controller=None if account is None else parse_account(account),
    )


def _stored(place: AnyInstitution) -> Stored:
    """Read what the database has, at one moment of it."""
    from registry.services.reconciliation import Stored
    from registry.store.reconciliation import asked_revocations, asked_statuses, in_words, sealed_for

    registry, issuer_id = place.settings.registry_id, place.settings.issuer_id
    with place.store.reading() as connection:
        return Stored(
            batches={batch.root: batch for batch in sealed_for(connection, registry, issuer_id)},
            revocations=asked_revocations(connection, registry, issuer_id),
            statuses=in_words(asked_statuses(connection, registry, issuer_id)),
        )


def _own_transactions(place: AnyInstitution, hashes: Collection[Hash32]) -> Collection[Hash32]:
    from registry.store.transactions import own_transactions

    with place.store.reading() as connection:
        return own_transactions(connection, hashes)


def _ask_service(
    place: AnyInstitution, service: str | None, before: Stored, tell: Callable[[str], None]
) -> tuple[Sequence[ServedList], ServedApi | None, ServedAnswers | None]:
    """Ask the service; before the ledger is read, so that the history reaches as far.

    Returns:
        Its status lists; its API, None: there is no service, or no key to it; and what this answered.
    """
    from registry.services.served_status import fetch_lists, lists_of

    if service is None:
        return (), None, None
    tell("asking the service")
    issuer_id = place.settings.issuer_id
    served = list(fetch_lists(service, issuer_id, lists_of(before.batches.values())))
    api = _api(place, service)
    return served, api, _ask(place, api, before, served) if api is not None and served else None


def _api(place: AnyInstitution, service: str) -> ServedApi | None:
    """Give the service's API; None: there is no key to it."""
    from registry.services.served_answers import ServedApi

    key = os.environ.get(API_KEY_VARIABLE)
    if not key:
        return None
    api = ServedApi(service, key, place.settings.registry_id, place.settings.issuer_id)
    api.require_own_key()
    return api


def _ask(place: AnyInstitution, api: ServedApi, before: Stored, served: Sequence[ServedList]) -> ServedAnswers:
    from registry.services.served_credentials import ServedAnswers, choose
    from registry.services.served_status import fetch_lists

    batches = tuple(api.batches())
    # Of others it gives no proof, which is no fault of it.
    anchored = {each.root for each in batches if each.is_anchored}
    own = [batch for root, batch in before.batches.items() if root in anchored]
    with place.store.reading() as connection:
        looked = list(choose(connection, own, before.statuses, _LOOKED_AT))
    credentials = tuple(map(api.credential, looked))
    # Strangers, as whom pages are asked for, may ask less often.
    some = secrets.SystemRandom().sample(looked, min(_PAGES, len(looked)))
    pages = tuple(page for page in map(api.page, some) if page is not None)
    *_, last = fetch_lists(api.url, place.settings.issuer_id, [served[-1].status_list])
    since = min(each.at for each in served)
    return ServedAnswers(batches=batches, credentials=credentials, pages=pages, since=since, until=last.at)


def _not_ahead(answers: ServedAnswers, basis: Basis) -> ServedAnswers:
    if answers.until > basis.block_at or any(page.block > basis.block_number for page in answers.pages):
        raise LedgerUnavailableError(
            f"the service's nodes are ahead: the newest block here is of {to_utc(basis.block_at)}",
            advice="Try again once the node here has synced.",
        )
    return answers


def _history(place: AnyInstitution, folder: Path, tell: Callable[[str], None]) -> tuple[History, Basis]:
    from anchor.ledger.endpoints import node_name

    settings = place.settings
    try:
        return prove_history(settings.registry_id, settings.rpc_url, tell, through=folder)
    except HistoryError as error:
        # That is the node's fault, and no difference of the database.
        raise LedgerUnavailableError(
            f"the node {node_name(settings.rpc_url)} gave no whole history: {error}", advice="Ask another node."
        ) from error
