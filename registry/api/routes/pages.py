"""Learners' pages, for whoever knows an address: the page, the credential's file, and its bundle.

The address is a secret in the path. It is in no log: the gate notes routes, never paths.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import partial
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from anchor.credential import parse_credential
from anchor.model import to_hex
from registry.api.context import Context, ContextDep
from registry.api.people import HEADERS, answer_people, html_of
from registry.api.routes.verifier import PATH as VERIFIER_PATH
from registry.services.learner_pages import PAGES_PATH, Shown, read_shown
from registry.store.records import BatchRecord
from registry.web.explorer import PATH as LEDGER_PATH
from registry.web.languages import choose_language
from registry.web.render import ShownCredential, credential_page
from registry.web.status import StatusView

# For people: the OpenAPI document, which is for programs, does not have them. docs/api/pages.md does.
router = APIRouter(prefix=PAGES_PATH, tags=["pages"], include_in_schema=False)

_NAME_CHARACTERS: Final = 60


@router.api_route("/{address}", methods=["GET", "HEAD"])
async def page(request: Request, context: ContextDep, address: str, lang: str | None = None) -> Response:
    """For people: one credential, in English or French, with its status as of now; also while it is being anchored."""
    language = choose_language(lang, request.headers.get("accept-language"))

    async def show() -> Response:
        shown, url = await run_in_threadpool(_read, context, address)
        status = await context.page_status.of(parse_credential(shown.file), request.state.request_id)
        content = await run_in_threadpool(_page, context, shown, url, status, language)
        return html_of(content, 200, language)

    return await answer_people(request, context, language, show)


@router.get("/{address}/credential.json")
async def file(request: Request, context: ContextDep, address: str, lang: str | None = None) -> Response:
    """The credential as its holder has it: Open Badges 3.0 with the anchor proof."""

    async def give() -> Response:
        shown, _ = await run_in_threadpool(_read, context, address)
        return _download(shown.file, shown, "application/vc", ".json")

    return await answer_people(request, context, choose_language(lang, request.headers.get("accept-language")), give)


@router.get("/{address}/bundle.json")
async def bundle(request: Request, context: ContextDep, address: str, lang: str | None = None) -> Response:
    """The credential and all that the ledger says of it now, to be verified without network."""

    async def give() -> Response:
        shown, _ = await run_in_threadpool(_read, context, address)
        content = await context.pool.run(partial(context.service.bundler.bundle, shown.file))
        return _download(content, shown, "application/json", ".bundle.json")

    return await answer_people(request, context, choose_language(lang, request.headers.get("accept-language")), give)


def _read(context: Context, address: str) -> tuple[Shown, str]:
    service = context.service
    shown = read_shown(service.store, service.secrets, address)
    public_url = service.public_url_of(service.store.of(shown.institution))
    return shown, f"{public_url}{PAGES_PATH}/{address}"


def _page(context: Context, shown: Shown, url: str, status: StatusView, language: str) -> str:
    batch = shown.batch
    return credential_page(
        ShownCredential(
            document=json.loads(shown.file),
            status=status,
            is_replaced=shown.is_replaced,
            anchored_at=status.anchored_at or batch.anchored_at,
            registry=batch.issuer.registry.to_text(),
            issuer_number=batch.issuer.issuer_id,
            root=to_hex(batch.root),
            url=url,
            verifier_url=_verifier_url(context, url),
            ledger_url=_ledger_url(context, batch),
        ),
        language,
    )


def _verifier_url(context: Context, url: str) -> str:
    """Give where the credential can be checked; what it is stands behind the #, which no server is told."""
    service = context.service
    verifier = service.options.verifier_url or service.public_url + VERIFIER_PATH
    return f"{verifier}#link={quote(f'{url}/credential.json', safe='')}"


def _ledger_url(context: Context, batch: BatchRecord) -> str:
    """Give the batch's address in the explorer, from the page; empty where that does not show it."""
    service = context.service
    is_shown = service.options.ledger_seconds and batch.issuer.registry == service.registry
    if not is_shown or batch.anchored_at is None:
        return ""
    return f"..{LEDGER_PATH}/batches/{to_hex(batch.root)}"


def _download(content: bytes, shown: Shown, media_type: str, ending: str) -> Response:
    # Named after what was achieved, not after who did: files lie around.
    plain = unicodedata.normalize("NFKD", shown.batch.achievement_name).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_NAME_CHARACTERS] or "credential"
    # Verifier pages of others may read it: whoever knows the address may.
    disposition = f'attachment; filename="{name}{ending}"'
    headers = {**HEADERS, "Content-Disposition": disposition, "Access-Control-Allow-Origin": "*"}
    return Response(content, media_type=media_type, headers=headers)
