"""Search in the explorer: tells what somebody may have meant by a text, and whether the registry has it."""

from __future__ import annotations

import re
from typing import Final

from eth_hash.auto import keccak

from anchor.model import MAX_UINT32, Address, Hash32, StatusPosition, to_hex
from anchor.status import LIST_SIZE
from registry.services.explorer.queries import Moment
from registry.services.explorer.rows import issuer_view
from registry.services.explorer.views import HitKind, SearchHit
from registry.store.ledger_issuers import IssuerRow, find_by_did, find_issuer, search_dids

MAX_TEXT: Final = 1_100
"""Characters: the longest DID has 1,024 bytes."""
MAX_HITS: Final = 20

_HEX: Final = re.compile(r"(?:0x)?([0-9a-f]+)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"#?([0-9]{1,10})")
_POSITION: Final = re.compile(r"([0-9]{1,10})\s*/\s*([0-9]{1,10})\s*/\s*([0-9]{1,6})")
_STATUS_URL: Final = re.compile(
    r"ethereum:(0x[0-9a-f]{40})@([0-9]{1,32})/is(?:Revoked|Suspended)\?uint32=([0-9]+)&uint32=([0-9]+)&uint256=([0-9]+)"
)
_METHOD: Final = re.compile(r"did:pkh:(eip155:[0-9]{1,32}:0x[0-9a-f]{40})#issuer-([0-9]{1,10})")
_NO_TEXT: Final = re.compile(r"[\ud800-\udfff]")
"""Half characters, which are in no text."""
_SHORTEST_PART: Final = 3
_ADDRESS_DIGITS: Final = 40
_HASH_DIGITS: Final = 64


def find(moment: Moment, text: str) -> tuple[SearchHit, ...]:
    """Find what a text may mean.

    A DID or a part of one, an issuer's number, a root, a transaction, an address; a status position, written as
    `issuer/list/index` or as a credential's status entry names it.

    Args:
        moment: Where.
        text: As somebody typed it; what is longer than `MAX_TEXT` is found nowhere.

    Returns:
        What the registry has of it, the likeliest first, `MAX_HITS` at most.
    """
    text = text.strip()
    if not text or len(text) > MAX_TEXT or _NO_TEXT.search(text):
        return ()
    hits = [*_positions(moment, text), *_of_hex(moment, text), *_issuers(moment, text)]
    return tuple(dict.fromkeys(hits))[:MAX_HITS]


def forms_of(text: str) -> tuple[HitKind, ...]:
    """Tell what a text may be by its form alone, whether or not the registry has it; nothing: a part of a DID at most.

    Args:
        text: As somebody typed it.
    """
    text = text.strip()
    digits = match[1] if (match := _HEX.fullmatch(text)) is not None else ""
    forms = {
        HitKind.POSITION: bool(_POSITION.fullmatch(text) or _STATUS_URL.fullmatch(text)),
        HitKind.BATCH: len(digits) == _HASH_DIGITS,
        HitKind.TRANSACTION: len(digits) == _HASH_DIGITS,
        HitKind.KEY: len(digits) == _ADDRESS_DIGITS,
        HitKind.ACCOUNT: len(digits) == _ADDRESS_DIGITS,
        HitKind.ISSUER: bool(_NUMBER.fullmatch(text)) or text.startswith("did:"),
    }
    return tuple(kind for kind, is_it in forms.items() if is_it)


def _positions(moment: Moment, text: str) -> list[SearchHit]:
    match = _POSITION.fullmatch(text)
    numbers = match.groups() if match is not None else ()
    url = _STATUS_URL.fullmatch(text)
    if url is not None and f"eip155:{url[2]}:{url[1]}" == moment.registry.to_text():
        numbers = url.groups()[2:]
    if not numbers:
        return []
    issuer_id, status_list, index = map(int, numbers)
    if status_list > MAX_UINT32 or index >= LIST_SIZE or _issuer(moment, issuer_id) is None:
        return []
    position = StatusPosition(status_list, index)
    return [
        SearchHit(
            kind=HitKind.POSITION,
            text=f"{issuer_id}/{status_list}/{index}",
            issuer_id=issuer_id,
            position=position,
        )
    ]


def _of_hex(moment: Moment, text: str) -> list[SearchHit]:
    match = _HEX.fullmatch(text)
    digits = match[1] if match is not None else ""
    if len(digits) == _ADDRESS_DIGITS:
        address = Address(bytes.fromhex(digits))
        return [
            SearchHit(
                kind=HitKind.KEY if each.key_of else HitKind.ACCOUNT,
                text=to_hex(address),
                issuer_id=each.key_of or None,
            )
            for each in moment.rows.accounts(address)
        ]
    if len(digits) != _HASH_DIGITS:
        return []
    value = Hash32(bytes.fromhex(digits))
    hits = []
    if moment.rows.has_root(value):
        hits.append(SearchHit(kind=HitKind.BATCH, text=to_hex(value), issuer_id=None))
    if moment.rows.has_transaction(value):
        hits.append(SearchHit(kind=HitKind.TRANSACTION, text=to_hex(value), issuer_id=None))
    row = find_by_did(moment.connection, moment.copy.id, value)
    return hits if row is None else [*hits, _hit(row)]


def _issuers(moment: Moment, text: str) -> list[SearchHit]:
    number = _NUMBER.fullmatch(text)
    method = _METHOD.fullmatch(text)
    found = None
    if number is not None:
        found = _issuer(moment, int(number[1]))
    elif method is not None and method[1] == moment.registry.to_text():
        found = _issuer(moment, int(method[2]))
    rows = [] if found is None else [found]
    exact = find_by_did(moment.connection, moment.copy.id, Hash32(keccak(text.encode())))
    if exact is not None:
        rows.append(exact)
    elif number is None and len(text) >= _SHORTEST_PART and "\0" not in text:
        rows += search_dids(moment.connection, moment.copy.id, text, limit=MAX_HITS)
    return [_hit(row) for row in rows]


def _issuer(moment: Moment, issuer_id: int) -> IssuerRow | None:
    return find_issuer(moment.connection, moment.copy.id, issuer_id)


def _hit(row: IssuerRow) -> SearchHit:
    return SearchHit(kind=HitKind.ISSUER, text=issuer_view(row).did, issuer_id=row.issuer_id)
