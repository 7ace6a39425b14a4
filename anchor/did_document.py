"""DID documents: which accounts an issuer itself calls its own (docs/spec/verification.md, "DID documents").

Where a policy wants it, the issuer must confirm on its own web site (did:web) what the registry says of it. Nothing
here fetches: the document comes as bytes, from whomever was asked, and is worth as much as the issuer's web server.
"""

from __future__ import annotations

import re
from typing import Final

from anchor.canonical import JsonObject, parse_document
from anchor.errors import CredentialFormatError, UnconfirmedIssuerError
from anchor.model import Address, address

MAX_DOCUMENT_BYTES: Final = 262_144
"""Longest DID document read; usual ones have a few kilobytes."""

_WEB: Final = "did:web:"
_WEB_HOST: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?(?:%3A[1-9][0-9]{0,4})?"
)
"""A domain name and perhaps a port; never an IP address (did:web, "Target System")."""
_WEB_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")
_ACCOUNT: Final = re.compile(r"eip155:([1-9][0-9]{0,31}):0x([0-9a-fA-F]{40})")  # CAIP-10, in either case (EIP-55)
_PKH: Final = re.compile(r"did:pkh:" + _ACCOUNT.pattern)


def document_url(did: str) -> str | None:
    """Give the address of a DID's document: did:web has one, did:pkh needs none.

    Raises:
        UnconfirmedIssuerError: The DID is of another method, or names no usable address.
    """
    if _PKH.fullmatch(did):
        return None
    if not did.startswith(_WEB):
        raise UnconfirmedIssuerError("the issuer's DID cannot be looked up here; those of did:web and did:pkh can")
    host, *path = did.removeprefix(_WEB).split(":")
    if not _WEB_HOST.fullmatch(host) or not all(map(_WEB_SEGMENT.fullmatch, path)):
        raise UnconfirmedIssuerError("the issuer's did:web does not name a web address")
    host = host.replace("%3A", ":")
    # Of this machine, for trials; everything else is fetched over https.
    scheme = "http" if host.partition(":")[0] == "localhost" else "https"
    return f"{scheme}://{host}/{'/'.join(path) or '.well-known'}/did.json"


def accounts_of(did: str, document: bytes | None, chain_id: int) -> frozenset[Address]:
    """List the accounts on a chain that a DID calls its own.

    Args:
        did: The issuer's DID.
        document: Its document; None for did:pkh, which needs none.
        chain_id: EIP-155 number of the chain.

    Raises:
        UnconfirmedIssuerError: The document is not strict JSON, or another DID's.
    """
    match = _PKH.fullmatch(did)
    if match is not None:
        return _on_chain([match], chain_id)
    if document is not None and len(document) > MAX_DOCUMENT_BYTES:
        raise UnconfirmedIssuerError(f"the issuer's DID document has more than {MAX_DOCUMENT_BYTES} bytes")
    try:
        content = parse_document(document or b"").value
    except CredentialFormatError as error:
        raise UnconfirmedIssuerError(f"the issuer's DID document is not strict JSON: {error}") from error
    if content.get("id") != did:
        raise UnconfirmedIssuerError("the DID document at the issuer's address is of another DID")
    stated = (_ACCOUNT.fullmatch(_account_id(method)) for method in _methods(content))
    return _on_chain([each for each in stated if each is not None], chain_id)


def _on_chain(accounts: list[re.Match[str]], chain_id: int) -> frozenset[Address]:
    return frozenset(address(bytes.fromhex(each[2])) for each in accounts if int(each[1]) == chain_id)


def _methods(content: JsonObject) -> list[object]:
    methods = content.get("verificationMethod")
    return methods if isinstance(methods, list) else []


def _account_id(method: object) -> str:
    account = method.get("blockchainAccountId") if isinstance(method, dict) else None
    return account if isinstance(account, str) else ""
