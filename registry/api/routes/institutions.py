"""The institution that asks, and what the ledger says of it."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from anchor.model import KeyScope
from registry.api.auth import Reader
from registry.api.documents import AUTHENTICATED, LEDGER, problems
from registry.api.problems import NOT_FOUND
from registry.api.schemas.institutions import Institution, Institutions, Keys
from registry.errors import NotFoundError
from registry.services.governance import Governance
from registry.services.issuer_keys import read_issuer
from registry.store.institutions import own_institution

router = APIRouter(prefix="/v1", tags=["institutions"])


@router.get("/institutions", summary="List the institutions that the key may see", responses=problems(*AUTHENTICATED))
def list_own(caller: Reader) -> Institutions:
    """The key's own institution."""
    return Institutions(institutions=[_own(caller)])


@router.get("/institutions/{code}", summary="Show an institution", responses=problems(*AUTHENTICATED, NOT_FOUND))
def show(caller: Reader, code: str) -> Institution:
    """The key's own institution, by its code; of others nothing is told, not even whether they exist."""
    institution = _own(caller)
    if institution.code != code:
        raise NotFoundError("the API key is for another institution, or there is none of this code")
    return institution


@router.get(
    "/keys",
    summary="Show the institution's keys on the ledger",
    responses=problems(*AUTHENTICATED, *LEDGER, NOT_FOUND),
)
async def keys(caller: Reader) -> Keys:
    """The institution as an issuer, and the keys that it signs with: proven at the newest block."""
    return await caller.ask_ledger(partial(_keys, caller))


def _keys(caller: Reader) -> Keys:
    with caller.store.reading() as connection:
        details = caller.service.profile(own_institution(connection))
    view = caller.service.view_of(details.registry or caller.service.registry)
    references = [(KeyScope.ANCHOR, details.anchor_key), (KeyScope.STATUS, details.status_key)]
    return Keys.of(read_issuer(Governance(view), details.issuer_id, references, caller.service.settings.home))


def _own(caller: Reader) -> Institution:
    with caller.store.reading() as connection:
        record = own_institution(connection)
    return Institution.of(record, caller.service.profile(record))
