"""Fetch issuers' DID documents, where a policy wants them. The only thing that ever asks an issuer's server.

Nothing is judged here (`anchor.did_document`): a document that could not be had comes as one that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from anchor.did_document import MAX_DOCUMENT_BYTES, document_url
from anchor.errors import FetchError, UnconfirmedIssuerError
from anchor.evidence import DidDocument
from anchor.ledger.fetching import fetch

_AT_ONCE: Final = 4
"""Few issuers are asked, each once; more at a time would help nobody."""


def fetch_document(url: str) -> bytes:
    """Fetch one DID document.

    A credential comes from anybody, so its issuer's DID must not make this machine ask others within its network.

    Raises:
        FetchError: Nothing usable came.
    """
    is_of_this_machine = url.startswith("http:")  # `document_url` gives that for localhost alone
    return fetch(url, max_bytes=MAX_DOCUMENT_BYTES, public_only=not is_of_this_machine)


def collect_documents(
    dids: Iterable[str], fetch_from: Callable[[str], bytes] = fetch_document
) -> tuple[DidDocument, ...]:
    """Fetch the documents of issuers, each once; never raises for what their servers do.

    Args:
        dids: The issuers' DIDs.
        fetch_from: Fetches from an address; raises `FetchError`.

    Returns:
        One for each DID that has a document: its content, or why there is none.
    """

    def one(did: str) -> DidDocument | None:
        try:
            url = document_url(did)
        except UnconfirmedIssuerError as error:
            return DidDocument(did=did, content=None, problem=str(error))
        if url is None:
            return None
        try:
            return DidDocument(did=did, content=fetch_from(url), source=url)
        except FetchError as error:
            return DidDocument(did=did, content=None, source=url, problem=str(error))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(each for each in pool.map(one, sorted(set(dids))) if each is not None)
