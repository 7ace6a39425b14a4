"""The explorer, for people: what the registry's proven history says, in English and French.

Every page can be kept by whoever asks again: its tag changes when the history, the block or the pages' own form does.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from anchor.activity import Timeline
from anchor.model import MAX_UINT32, Address, Hash32, StatusPosition
from anchor.status import LIST_SIZE
from registry.api.answers import is_known
from registry.api.context import Context, ContextDep
from registry.api.people import answer_people, html_of
from registry.api.routes.ledger_downloads import takes_gzip
from registry.errors import NotFoundError
from registry.services.explorer.queries import INCIDENTS, Moment
from registry.services.explorer.search import find
from registry.services.explorer.views import IssuerView, LedgerView
from registry.web import explorer as web
from registry.web.explorer import PATH, Place
from registry.web.languages import choose_language
from registry.web.ledger_plots import draw_activity, draw_keys, numbers_of, state_of, timeline
from registry.web.render import LEDGER_SHEET, content_security_policy, form_tag

# For people: the OpenAPI document, which is for programs, does not have them. docs/api/explorer.md does.
router = APIRouter(prefix=PATH, tags=["explorer"], include_in_schema=False)

FEW_ISSUERS: Final = 25
"""On the registry's own page."""
FEW: Final = 10
"""Events or batches on a page that shows other things too."""
MANY: Final = 50
"""On a page of its own."""
KINDS: Final = {
    "": (),
    "issued": ("batchAnchored", "batchRevoked"),
    "status": ("credentialsReinstated", "credentialsRevoked", "credentialsSuspended"),
    "keys": (
        "accreditationWithdrawn",
        "controllerTransferStarted",
        "controllerTransferred",
        "issuerAccredited",
        "keyAdded",
        "keyCompromised",
        "keyRetired",
        "noncesCancelled",
        "statusEpochChanged",
    ),
    "incidents": INCIDENTS,
}
"""What an issuer's events can be narrowed to, by name in addresses."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")
_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_GZIP_LEVEL: Final = 4
"""A fifth of the size, in a millisecond."""
_FOREVER: Final = "public, max-age=31536000, immutable"

Make = Callable[[Moment, Place, LedgerView], str]
"""Makes a page; reads what it needs."""


@router.api_route("", methods=["GET", "HEAD"])
@router.api_route("/", methods=["GET", "HEAD"])
async def ledger(request: Request, context: ContextDep, lang: str | None = None) -> Response:
    """The registry as a whole."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        issuers = moment.issuers(limit=FEW_ISSUERS + 1)
        return web.ledger_page(
            place,
            view,
            issuers=issuers[:FEW_ISSUERS],
            has_more_issuers=len(issuers) > FEW_ISSUERS,
            events=moment.events(limit=FEW),
            numbers=numbers_of(_timeline(context, moment, view, None)),
        )

    return await _answer(request, context, lang, make)


@router.api_route("/issuers", methods=["GET", "HEAD"])
async def issuers(request: Request, context: ContextDep, after: str = "0", lang: str | None = None) -> Response:
    """Issuers, a page at a time."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        found = moment.issuers(after=_number(after), limit=MANY + 1)
        next_after = found[MANY - 1].issuer_id if len(found) > MANY else None
        return web.issuers_page(place, view, found[:MANY], next_after)

    return await _answer(request, context, lang, make)


@router.api_route("/events", methods=["GET", "HEAD"])
async def events(request: Request, context: ContextDep, before: str | None = None, lang: str | None = None) -> Response:
    """All events of the registry, the newest first, a page at a time."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        found = moment.events(before=_before(before), limit=MANY + 1)
        next_before = found[MANY - 1].number if len(found) > MANY else None
        return web.events_page(place, view, None, found[:MANY], show="", next_before=next_before)

    return await _answer(request, context, lang, make)


@router.api_route("/search", methods=["GET", "HEAD"])
async def search(request: Request, context: ContextDep, q: str = "", lang: str | None = None) -> Response:
    """What a text may mean."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        return web.search_page(place, view, q, find(moment, q))

    return await _answer(request, context, lang, make)


@router.api_route("/file", methods=["GET", "HEAD"])
async def file(request: Request, context: ContextDep, lang: str | None = None) -> Response:
    """Finds a credential's file, in the browser."""

    def make(_moment: Moment, place: Place, view: LedgerView) -> str:
        return web.file_page(place, view)

    return await _answer(request, context, lang, make, policy=web.file_policy)


@router.api_route("/issuers/{number}", methods=["GET", "HEAD"])
async def issuer(request: Request, context: ContextDep, number: str, lang: str | None = None) -> Response:
    """One issuer."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        shown = moment.issuer(_number(number))
        one = shown.issuer_id
        return web.issuer_page(
            place,
            view,
            shown,
            incidents=moment.events(issuer_id=one, kinds=INCIDENTS, limit=FEW),
            epoch_changes=moment.epoch_changes(one),
            batches=moment.batches(one, limit=FEW).batches,
            events=moment.events(issuer_id=one, limit=FEW),
            numbers=numbers_of(_timeline(context, moment, view, shown)),
        )

    return await _answer(request, context, lang, make)


@router.api_route("/issuers/{number}/batches", methods=["GET", "HEAD"])
async def batches(
    request: Request, context: ContextDep, number: str, before: str | None = None, lang: str | None = None
) -> Response:
    """An issuer's batches, the newest first, a page at a time."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        shown = moment.issuer(_number(number))
        page = moment.batches(shown.issuer_id, before=_before(before), limit=MANY)
        return web.batches_page(place, view, shown, page)

    return await _answer(request, context, lang, make)


@router.api_route("/issuers/{number}/events", methods=["GET", "HEAD"])
async def events_of_issuer(
    request: Request,
    context: ContextDep,
    number: str,
    show: str = "",
    before: str | None = None,
    lang: str | None = None,
) -> Response:
    """An issuer's events, the newest first, of all kinds or of some, a page at a time."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        shown = moment.issuer(_number(number))
        if show not in KINDS:
            raise NotFoundError("there are no such kinds of events")
        found = moment.events(issuer_id=shown.issuer_id, kinds=KINDS[show], before=_before(before), limit=MANY + 1)
        next_before = found[MANY - 1].number if len(found) > MANY else None
        return web.events_page(place, view, shown, found[:MANY], show=show, next_before=next_before)

    return await _answer(request, context, lang, make)


@router.api_route("/issuers/{number}/status/{status_list}/{index}", methods=["GET", "HEAD"])
async def position(
    request: Request, context: ContextDep, number: str, status_list: str, index: str, lang: str | None = None
) -> Response:
    """One status position."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        named = StatusPosition(_number(status_list), _number(index))
        if named.status_list > MAX_UINT32 or named.index >= LIST_SIZE:
            raise NotFoundError("there is no such status position")
        return web.position_page(place, view, moment.position(_number(number), named))

    return await _answer(request, context, lang, make)


@router.api_route("/batches/{root}", methods=["GET", "HEAD"])
async def batch(request: Request, context: ContextDep, root: str, lang: str | None = None) -> Response:
    """One batch, of all issuers that anchored its root."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        return web.batch_page(place, view, moment.batch(_hash(root)))

    return await _answer(request, context, lang, make)


@router.api_route("/transactions/{transaction}", methods=["GET", "HEAD"])
async def transaction(request: Request, context: ContextDep, transaction: str, lang: str | None = None) -> Response:
    """One transaction."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        return web.transaction_page(place, view, moment.transaction(_hash(transaction)))

    return await _answer(request, context, lang, make)


@router.api_route("/accounts/{address}", methods=["GET", "HEAD"])
async def account(request: Request, context: ContextDep, address: str, lang: str | None = None) -> Response:
    """One account: the parts that it plays."""

    def make(moment: Moment, place: Place, view: LedgerView) -> str:
        # Other programs write addresses with capitals, as a check of themselves (EIP-55).
        digits = address.lower()
        if _ADDRESS.fullmatch(digits) is None:
            raise NotFoundError("there is no such account")
        return web.account_page(place, view, moment.account(Address(bytes.fromhex(digits[2:]))))

    return await _answer(request, context, lang, make)


@router.get("/plots/{name}.svg")
async def plot(
    request: Request, context: ContextDep, name: str, of: str, issuer: str | None = None, lang: str | None = None
) -> Response:
    """A plot of a registry's or an issuer's history; `of` names the state that it is of, so that it may be kept."""
    language = choose_language(lang, request.headers.get("accept-language"))

    async def give() -> Response:
        drawn = await run_in_threadpool(_plot, context, name, of, issuer, language)
        if not isinstance(drawn, bytes):
            drawn = await context.drawing.run(drawn)
        # Where the language is not in the address, the same address is another plot to others.
        cache = _FOREVER if lang == language else "private, max-age=300"
        return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": cache, "Vary": "Accept-Language"})

    return await answer_people(request, context, language, give)


@router.api_route("/{_rest:path}", methods=["GET", "HEAD"])
async def nowhere(request: Request, context: ContextDep, _rest: str, lang: str | None = None) -> Response:
    """Whatever else somebody types: there is none, said as a page with the search at hand."""

    def make(_moment: Moment, _place: Place, _view: LedgerView) -> str:
        raise NotFoundError("there is no such page")

    return await _answer(request, context, lang, make)


def _plot(context: Context, name: str, of: str, issuer: str | None, language: str) -> bytes | Callable[[], bytes]:
    """Give a plot that is kept, or what draws it."""
    with context.service.explorer.reading() as moment:
        view = moment.ledger()
        shown = None if issuer is None else moment.issuer(_number(issuer))
        # Of another state there is no plot any more: the page that asks for it was made before.
        if of != state_of(view, shown):
            raise NotFoundError("there is no plot of this state of history")
        kept = (name, of, issuer, language)
        if name == "activity":
            draw = partial(draw_activity, _timeline(context, moment, view, shown), language)
        elif name == "keys" and shown is not None and shown.keys:
            draw = partial(draw_keys, shown, view.last_at, language)
        else:
            raise NotFoundError("there is no such plot")
    return context.plots.find(kept) or partial(context.plots.get, kept, draw)


def _policy() -> str:
    return content_security_policy(sheet=LEDGER_SHEET, images="'self' data:", forms="'self'")


def _timeline(context: Context, moment: Moment, view: LedgerView, issuer: IssuerView | None) -> Timeline:
    number = None if issuer is None else issuer.issuer_id
    return context.timelines.get((number, state_of(view, issuer)), lambda: timeline(moment.days(number), view.last_at))


async def _answer(
    request: Request, context: Context, lang: str | None, make: Make, policy: Callable[[], str] = _policy
) -> Response:
    language = choose_language(lang, request.headers.get("accept-language"))
    query = tuple((name, value) for name, value in request.query_params.multi_items() if name != "lang")
    is_small = takes_gzip(request.headers.get("accept-encoding", ""))
    place = Place(path=request.scope["path"], language=language, asked_language=lang == language, query=query)

    def read() -> Response:
        with context.service.explorer.reading() as moment:
            view = moment.ledger()
            tag = f'"{view.block_tag}-{language}-{form_tag()}{"-gzip" if is_small else ""}"'
            headers = {
                "Cache-Control": "public, no-cache",
                "Content-Security-Policy": policy(),
                # One for each form: they are different bytes.
                "ETag": tag,
                "Vary": "Accept-Language, Accept-Encoding",
            }
            if is_known(request, tag):
                return html_of(b"", 304, language, headers)
            try:
                content = make(moment, place, view).encode()
            except NotFoundError:
                missing = {"Content-Security-Policy": _policy()}
                return html_of(web.missing_page(place, view), 404, language, missing)
        if is_small:
            headers["Content-Encoding"] = "gzip"
            content = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        return html_of(content, 200, language, headers)

    async def give() -> Response:
        return await run_in_threadpool(read)

    return await answer_people(request, context, language, give)


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise NotFoundError("there is nothing of this number")
    return int(text)


def _before(text: str | None) -> int | None:
    return None if text is None else _number(text)


def _hash(text: str) -> Hash32:
    digits = text.lower()
    if _HASH.fullmatch(digits) is None:
        raise NotFoundError("there is nothing of this hash")
    return Hash32(bytes.fromhex(digits[2:]))
