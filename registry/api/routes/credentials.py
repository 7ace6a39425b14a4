"""Credentials: what is kept of them, their files, proofs and bundles, and how they stand."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from registry.api.answers import tagged
from registry.api.auth import Reader
from registry.api.documents import AUTHENTICATED, KNOWN, LEDGER, problems
from registry.api.lean import LeanRoute
from registry.api.problems import CONFLICT, MALFORMED, NOT_FOUND, UNAVAILABLE
from registry.api.routes.batches import Cursor, Limit, page_of, root_of
from registry.api.schemas.credentials import (
    Credential,
    Credentials,
    History,
    Proof,
    Search,
    SearchResult,
    Status,
    StatusChange,
)
from registry.api.schemas.samples import BUNDLE, CREDENTIAL
from registry.api.strict import StrictRoute
from registry.services.find import parse_query
from registry.services.reading import (
    read_credential,
    read_file,
    read_history,
    read_proof,
    search_credentials,
)
from registry.services.standing import states_of

router = APIRouter(prefix="/v1/credentials", tags=["credentials"], route_class=StrictRoute)

Id = Annotated[
    UUID,
    Path(
        description="The credential's UUID, or its id `urn:uuid:…`.", examples=["6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"]
    ),
]
_CREDENTIAL_TYPE: Final = "application/vc"


def _json(description: str, media_type: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    content = {"schema": {"type": "object", "additionalProperties": True}, "example": example}
    return {200: {"description": description, "content": {media_type: content}}, **KNOWN}


async def proof(caller: Reader, request: Request, id: Id) -> Response:  # noqa: A002
    """The path from its leaf to its batch's root, and the same as it stands in the credential."""
    proven = await caller.read_quickly(partial(read_proof, caller.store, caller.service.proofs, id))
    content = Proof.content(proven)
    return tagged(request, orjson.dumps(content), "application/json")


def add_often(router: APIRouter) -> None:
    """Add what is asked for very often to the application's own router: one within another looks twice."""
    router.add_api_route(
        "/v1/credentials/{id}/proof",
        proof,
        summary="Show a credential's anchor proof",
        tags=["credentials"],
        response_model=Proof,
        responses={**KNOWN, **problems(*AUTHENTICATED, NOT_FOUND, CONFLICT, UNAVAILABLE)},
        route_class_override=LeanRoute,
    )


@router.get("", summary="List credentials", responses=problems(*AUTHENTICATED))
def list_all(caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Credentials:
    """All of the institution's, in the order of batches and leaves."""
    return page_of(caller, None, limit, cursor)


@router.post("/search", summary="Look for credentials", responses=problems(*AUTHENTICATED, MALFORMED, NOT_FOUND))
def search(caller: Reader, wanted: Search) -> SearchResult:
    """By e-mail, by parts of the name, or by id. It reads every name, some seconds for a million."""
    root = None if wanted.batch is None else root_of(wanted.batch)
    found, has_more = search_credentials(caller.store, parse_query([wanted.query]), root=root, limit=wanted.limit)
    return SearchResult(credentials=[Credential.of(each) for each in found], has_more=has_more)


@router.get("/{id}", summary="Show what is kept of a credential", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(caller: Reader, id: Id) -> Credential:  # noqa: A002 - the name in the address
    """Recipient, batch, place; not how it stands on the ledger, which is asked for by `/status`."""
    return Credential.of(read_credential(caller.store, id))


@router.get(
    "/{id}/document",
    summary="Download a credential",
    response_class=Response,
    responses={
        **_json("The credential with its anchor proof", _CREDENTIAL_TYPE, CREDENTIAL),
        **problems(*AUTHENTICATED, NOT_FOUND, CONFLICT, UNAVAILABLE),
    },
)
def document(caller: Reader, request: Request, id: Id) -> Response:  # noqa: A002
    """The credential as its holder gets it: Open Badges 3.0 with the anchor proof."""
    return tagged(request, read_file(caller.store, id), _CREDENTIAL_TYPE)


@router.get(
    "/{id}/bundle",
    summary="Download a credential's bundle",
    response_class=Response,
    responses={
        **_json("`credanchor/bundle@v1`", "application/json", BUNDLE),
        **problems(*AUTHENTICATED, *LEDGER, NOT_FOUND, CONFLICT),
    },
)
async def bundle(caller: Reader, request: Request, id: Id) -> Response:  # noqa: A002
    """The credential and all that the ledger says of it at the newest block, to be verified without network.

    It is given whatever that is: the bundle of a revoked credential proves the revocation.
    """
    content = await caller.ask_ledger(lambda: caller.service.bundler.bundle(read_file(caller.store, id)))
    return tagged(request, content, "application/json")


@router.get(
    "/{id}/status",
    summary="Prove how a credential stands",
    responses=problems(*AUTHENTICATED, *LEDGER, NOT_FOUND),
)
async def status(caller: Reader, id: Id) -> Status:  # noqa: A002
    """Revoked, suspended or active: by state proofs at the newest block, which are checked here."""
    return await caller.ask_ledger(partial(_status, caller, id))


def _status(caller: Reader, uuid: UUID) -> Status:
    found = read_credential(caller.store, uuid)
    issuer = found.batch.issuer
    (state,) = states_of(caller.service.view_of(issuer.registry), issuer.issuer_id, [found])
    return Status(id=found.credential.uuid.urn, state="notAnchored" if state is None else state.value)


@router.get("/{id}/history", summary="List changes of status", responses=problems(*AUTHENTICATED, NOT_FOUND))
def history(caller: Reader, id: Id) -> History:  # noqa: A002
    """Of the credential or its whole batch, sent from here, in the order of signing.

    It is the service's own record, not the ledger's: what somebody did with the same key elsewhere is not in it. How
    the credential stands now, `/status` proves.
    """
    return History(id=id.urn, changes=[StatusChange.of(each) for each in read_history(caller.store, id)])
