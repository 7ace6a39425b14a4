"""Status lists, at the address that stands in each credential as `statusListCredential`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from anchor.model import MAX_UINT32
from anchor.status import StatusPurpose
from registry.api.answers import tagged
from registry.api.context import ContextDep, limited_by_address
from registry.api.documents import LEDGER, problems
from registry.api.problems import INVALID_PARAMETERS, NOT_FOUND, TOO_MANY_REQUESTS
from registry.api.schemas.samples import STATUS_LIST
from registry.api_wiring import ApiService
from registry.errors import NotFoundError
from registry.services.published_lists import ListIssuer
from registry.store.connection import InstitutionId
from registry.store.institutions import get_institution
from registry.store.pages import owner_of_issuer

router = APIRouter(prefix="/status", tags=["status lists"], dependencies=[Depends(limited_by_address)])

_TYPE: Final = "application/vc"
_SCHEMA: Final = {"type": "object", "additionalProperties": True}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`BitstringStatusListCredential`, unsigned",
        "content": {_TYPE: {"schema": _SCHEMA, "example": STATUS_LIST}},
    },
    304: {"description": "The client has it: `If-None-Match` names it"},
    **problems(TOO_MANY_REQUESTS, NOT_FOUND, INVALID_PARAMETERS, *LEDGER),
}


@router.get(
    "/{issuer_id}/{status_list}/{purpose}",
    summary="Show a status list",
    response_class=Response,
    responses=_ANSWERS,
)
async def status_list(
    request: Request,
    context: ContextDep,
    issuer_id: Annotated[int, Path(ge=1, le=MAX_UINT32)],
    status_list: Annotated[int, Path(ge=0, le=MAX_UINT32)],
    purpose: StatusPurpose,
) -> Response:
    """For verifiers that know nothing of ledgers: W3C Bitstring Status List v1.0, made from the ledger's newest block.

    It is unsigned, and so as good as the connection to this service; who wants to be sure asks the ledger.
    """
    content = await context.pool.run(partial(_read, context.service, issuer_id, status_list, purpose))
    return tagged(request, content, _TYPE, cache="public, no-cache")


def _read(service: ApiService, issuer_id: int, status_list: int, purpose: StatusPurpose) -> bytes:
    issuer, institution = _issuer(service, issuer_id)
    return service.lists.read(service.store.of(institution), issuer, status_list, purpose)


def _issuer(service: ApiService, issuer_id: int) -> tuple[ListIssuer, InstitutionId]:
    with service.store.operator_reading() as connection:
        institution = owner_of_issuer(connection, service.registry, issuer_id)
        details = service.profile(get_institution(connection, institution))
    if details.did is None:
        raise NotFoundError("the institution is not accredited as an issuer yet")
    issuer = ListIssuer(
        registry=service.registry,
        issuer_id=issuer_id,
        did=details.did,
        public_url=details.public_url or service.public_url,
    )
    return issuer, institution
