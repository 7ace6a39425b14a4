"""`credanchor reconcile`: the institution's database, and its service, held against the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from anchor.cli.files import write_pieces
from anchor.cli.output import JsonFlag, error_console, print_json
from anchor.errors import HistoryError, LedgerUnavailableError
from anchor.model import to_utc
from registry.cli.common import HomeOption, ask_passphrase, parse_account, prove_history

if TYPE_CHECKING:
    from anchor.history import History
    from anchor.model import Address, Basis
    from registry.services.differences import Difference
    from registry.services.reconciliation import Own
    from registry.services.served_answers import ServedApi
    from registry.services.served_credentials import ServedAnswers
    from registry.services.served_status import ServedList
    from registry.store.reconciliation import AskedStatus
    from registry.wiring import AnyInstitution

API_KEY_VARIABLE: Final = "CREDANCHOR_API_KEY"
_LOOKED_AT: Final = 50
"""Credentials that the service is asked about, chosen by chance; as many again of those whose status was to change."""

HELP: Final = """Hold the institution's database against the ledger, and name each difference.

The ledger's whole history is read and proven first, as credanchor audit does. Then: what was sealed and never anchored,
what is on the ledger and not in the database (another program of yours, or a thief), revocations that were asked for
and are not there, and those that nobody asked for; keys that ended, a DID or a controller that differs; what the
explorer shows. With --service, also the status lists that the running service shows; with an API key of scope read in
$CREDANCHOR_API_KEY, what its API answers, too: all batches, and proof and status of up to a hundred credentials,
chosen by chance. What is on its way is no difference.

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
    from registry.cli.reconcile_output import content_of, csv_of, show
    from registry.services.differences import SETTLED

    with _institution(home, institution) as place:
        differences, basis, batches = _compare(place, service, controller)
        left = _not_compared(place, service, controller)
    if out is not None:
        write_pieces(out, [csv_of(differences)])
    if as_json:
        print_json(content_of(differences, basis, batches, left))
    else:
        show(differences, basis, batches, left, out)
    raise typer.Exit(1 if any(each.kind not in SETTLED for each in differences) else 0)


def _compare(place: AnyInstitution, service: str | None, controller: str | None) -> tuple[list[Difference], Basis, int]:
    """Name all differences; tell what the history rests on, and how many batches there are."""
    from registry.services.explored_index import compare_index, read_index
    from registry.services.reconciliation import reconcile
    from registry.services.served_credentials import Comparison
    from registry.services.served_status import compare_served

    settled = _controller(place, controller)
    served = _served(place, service)
    registry, issuer_id = place.settings.registry_id, place.settings.issuer_id
    index = read_index(place.store, registry, issuer_id)
    api = _api(place, service)
    # What is done while the ledger is read must look like no thief: the database counts as it was before, and after.
    before = _snapshot(place, settled)
    answers = None if api is None else _ask(place, api, before, served)
    history, basis = _history(place)
    issuer = history.issuer(issuer_id)
    after = _snapshot(place, settled)
    own = after.own
    again = set(reconcile(issuer, before.own, before.statuses, now=basis.block_at))
    differences = [each for each in reconcile(issuer, own, after.statuses, now=basis.block_at) if each in again]
    differences += compare_served(issuer, own.batches, served, now=basis.block_at)
    if api is not None and answers is not None:
        differences += Comparison(issuer, api, own.batches).differences(_not_ahead(answers, basis))
    differences += compare_index(place.store, index, history, issuer_id, basis, place.view.has_block)
    return differences, basis, len(own.batches)


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


class _Snapshot(NamedTuple):
    own: Own
    statuses: list[AskedStatus]


def _controller(place: AnyInstitution, given: str | None) -> Address | None:
    text = given or place.settings.controller
    return None if text is None else parse_account(text)


def _snapshot(place: AnyInstitution, controller: Address | None) -> _Snapshot:
    """Read what the database has, at one moment of it."""
    from registry.services.reconciliation import Own
    from registry.store.reconciliation import asked_revocations, asked_statuses
    from registry.store.transactions import all_transaction_hashes
    from registry.store.voided import sealed_batches

    settings = place.settings
    registry, issuer_id = settings.registry_id, settings.issuer_id
    with place.store.reading() as connection:
        own = Own(
            did=settings.issuer_did,
            anchor_key=place.address_of(settings.anchor_key),
            status_key=place.address_of(settings.status_key),
            controller=controller,
            batches=sealed_batches(connection, registry, issuer_id),
            revocations=asked_revocations(connection, registry, issuer_id),
            transactions=all_transaction_hashes(connection),
        )
        return _Snapshot(own, list(asked_statuses(connection, registry, issuer_id)))


def _served(place: AnyInstitution, service: str | None) -> list[ServedList]:
    """Fetch the service's lists; before the ledger is read, so that the history reaches as far."""
    from registry.services.served_status import fetch_lists, lists_of
    from registry.store.voided import sealed_batches

    if service is None:
        return []
    settings = place.settings
    with place.store.reading() as connection:
        lists = lists_of(sealed_batches(connection, settings.registry_id, settings.issuer_id))
    with error_console.status("asking the service"):
        return list(fetch_lists(service, settings.issuer_id, lists))


def _api(place: AnyInstitution, service: str | None) -> ServedApi | None:
    """Give the service's API; None: there is no service, or no key to it."""
    from registry.services.served_answers import ServedApi

    key = os.environ.get(API_KEY_VARIABLE)
    if service is None or not key:
        return None
    api = ServedApi(service, key, place.settings.registry_id, place.settings.issuer_id)
    api.require_own_key()
    return api


def _ask(
    place: AnyInstitution, api: ServedApi, before: _Snapshot, served: Sequence[ServedList]
) -> ServedAnswers | None:
    """Ask the API; before the ledger is read, so that the history reaches as far. None: there is nothing to ask."""
    from registry.services.served_credentials import ServedAnswers, choose
    from registry.services.served_status import fetch_lists

    if not served:
        return None
    with error_console.status("asking the service"):
        batches = tuple(api.batches())
        # Of others it gives no proof, which is no fault of it.
        anchored = {each.root for each in batches if each.is_anchored}
        own = [each for each in before.own.batches if each.root in anchored]
        with place.store.reading() as connection:
            looked = list(choose(connection, own, before.statuses, _LOOKED_AT))
        credentials = tuple(map(api.credential, looked))
        *_, last = fetch_lists(api.url, place.settings.issuer_id, [served[-1].status_list])
    since = min(each.at for each in served)
    return ServedAnswers(batches=batches, credentials=credentials, since=since, until=last.at)


def _not_ahead(answers: ServedAnswers, basis: Basis) -> ServedAnswers:
    if answers.until > basis.block_at:
        raise LedgerUnavailableError(
            f"the service's node is ahead: it is at {to_utc(answers.until)}, the newest block here is of "
            f"{to_utc(basis.block_at)}",
            advice="Try again once the node here has synced.",
        )
    return answers


def _history(place: AnyInstitution) -> tuple[History, Basis]:
    from anchor.ledger.endpoints import node_name

    settings = place.settings
    try:
        with error_console.status("asking the node") as status:
            history, basis = prove_history(settings.registry_id, settings.rpc_url, status.update)
    except HistoryError as error:
        # That is the node's fault, and no difference of the database.
        raise LedgerUnavailableError(
            f"the node {node_name(settings.rpc_url)} gave no whole history: {error}", advice="Ask another node."
        ) from error
    return history, basis
