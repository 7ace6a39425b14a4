"""Status lists as W3C Bitstring Status List credentials, for verifiers that know nothing of ledgers.

What they say is proven to the service, but not to whoever reads them: they are unsigned (docs/adr/0027). Upholds: a
list is what the ledger says at its newest block, or there is none. A batch that was revoked as a whole counts for each
of its credentials.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from anchor.canonical import JsonObject
from anchor.evidence import LedgerState, batch_slot, issuer_slot, word_slot
from anchor.ledger.client import LedgerClient
from anchor.model import Hash32, RegistryId, StatusPosition
from anchor.status import LIST_SIZE, WORD_BITS, StatusPurpose, encoded_list, group_positions, status_list_url
from registry.errors import NotFoundError
from registry.services.credentials import VC_CONTEXT, iso_time
from registry.services.ledger_state import LedgerView
from registry.store.engine import Store
from registry.store.pages import batches_of_list
from registry.store.records import BatchRecord

REMEMBERED: Final = 64
"""Lists, of some 20 kB at most."""
_WORDS: Final = LIST_SIZE // WORD_BITS

_Key = tuple[RegistryId, int, int, StatusPurpose]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListIssuer:
    """Whose list it is."""

    registry: RegistryId
    issuer_id: int
    did: str
    public_url: str


class PublishedLists:
    """Makes them; remembers each until the next block. May be used by several threads.

    Args:
        client: The node; believed for the block hash and nothing else.
    """

    def __init__(self, client: LedgerClient) -> None:
        self._client: Final = client
        self._lock: Final = threading.Lock()
        self._known: Final[OrderedDict[_Key, tuple[Hash32, bytes]]] = OrderedDict()

    def read(self, store: Store, issuer: ListIssuer, status_list: int, purpose: StatusPurpose) -> bytes:
        """Give a list as JSON.

        Args:
            store: Of the institution whose issuer it is.
            issuer: The issuer.
            status_list: The list's number.
            purpose: What its bits say.

        Raises:
            NotFoundError: No credential has a position in it.
            LedgerUnavailableError, WrongLedgerError, UndeterminedError: As `LedgerView.state`.
        """
        with store.reading() as connection:
            batches = batches_of_list(connection, issuer.issuer_id, status_list)
        if not batches:
            raise NotFoundError("no credential has a position in this status list")
        block = self._client.latest_block().header.hash
        key = issuer.registry, issuer.issuer_id, status_list, purpose
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] == block:
            return known[1]
        at, content = self._make(issuer, status_list, purpose, batches)
        with self._lock:
            self._known[key] = at, content
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return content

    def _make(
        self, issuer: ListIssuer, status_list: int, purpose: StatusPurpose, batches: Iterable[BatchRecord]
    ) -> tuple[Hash32, bytes]:
        view, number = LedgerView(self._client, issuer.registry), issuer.issuer_id
        roots = {each.root: each for each in batches}
        epoch = view.state([issuer_slot(number)]).issuer(number).status_epoch
        slots = {word: word_slot(purpose, number, epoch, status_list, word) for word in range(_WORDS)}
        state = view.state([issuer_slot(number), *slots.values(), *(batch_slot(number, root) for root in roots)])
        # Between the two questions the epoch may have moved on; the words would be those of the one before.
        if state.issuer(number).status_epoch != epoch:
            return self._make(issuer, status_list, purpose, roots.values())
        words = {word: state.value(slot) for word, slot in slots.items()}
        if purpose is StatusPurpose.REVOCATION:
            for root, batch in roots.items():
                if state.batch(number, root).is_revoked_in(epoch):
                    _set_all(words, batch, status_list)
        return state.block.hash, _document(issuer, status_list, purpose, words, state)


def _set_all(words: dict[int, int], batch: BatchRecord, status_list: int) -> None:
    first = status_list * LIST_SIZE
    start, end = max(batch.first_position, first), min(batch.first_position + batch.size, first + LIST_SIZE)
    positions = (StatusPosition(status_list, place - first) for place in range(start, end))
    for word, mask in group_positions(positions).get(status_list, {}).items():
        words[word] |= mask


def _document(
    issuer: ListIssuer, status_list: int, purpose: StatusPurpose, words: Mapping[int, int], state: LedgerState
) -> bytes:
    address = status_list_url(issuer.public_url, issuer.issuer_id, status_list, purpose)
    content: JsonObject = {
        "@context": [VC_CONTEXT],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.did,
        "validFrom": iso_time(state.block.timestamp),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose.value,
            "encodedList": encoded_list({word: mask for word, mask in words.items() if mask}),
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
