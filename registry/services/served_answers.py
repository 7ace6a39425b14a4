"""What the API of a running service says of batches and credentials: asked for before the history is read.

The API key is an institution's own; with another's key nothing is asked. Of credentials, a part is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from anchor.canonical import JsonObject, parse_document
from anchor.credential import parse_credential
from anchor.errors import CredentialFormatError, FetchError, InclusionError, MalformedError
from anchor.ledger.fetching import NotThereError, fetch
from anchor.merkle import check_inclusion
from anchor.model import Hash32, RegistryId, StatusPosition, hash32, parse_hex, to_hex
from registry.services.standing import CredentialState
from registry.store.records import BatchState

_MAX_BYTES: Final = 1 << 20
_MAX_PAGE_BYTES: Final = 1 << 22
_STATUS: Final = re.compile(r'data-status="(?P<status>[A-Za-z]{1,40})" data-block="(?P<block>[0-9]{0,18})"')
_A_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedBatch:
    """What the service says of a batch."""

    root: Hash32
    size: int
    is_anchored: bool
    anchored_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A credential of the institution's database that is looked at."""

    uuid: UUID
    position: StatusPosition
    root: Hash32
    file: bytes
    """With the anchor proof that is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPage:
    """What a learner's page says of status."""

    position: StatusPosition
    root: Hash32
    status: str
    """By the name of its words: valid, revoked, …"""
    block: int
    """Number of the block that it was checked against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCredential:
    """What the service says of a credential; each None: that it does not know it."""

    looked: Looked
    state: CredentialState | None
    wrong_proof: str | None
    """Why it is none; empty: it is good."""


class ServedApi:
    """A service's API, as one institution is answered.

    Args:
        url: The service's address.
        key: The API key, of scope `read`.
        registry: The registry.
        issuer_id: The institution's number there.
    """

    def __init__(self, url: str, key: str, registry: RegistryId, issuer_id: int) -> None:
        self.url: Final = url.rstrip("/")
        self._key: Final = key
        self._registry: Final = registry
        self._issuer_id: Final = issuer_id

    def require_own_key(self) -> None:
        """Check that the key is this institution's.

        Raises:
            FetchError: It is not, or the service did not answer.
        """
        with _usable(self.url):
            found = [(each["registry"], each["issuerId"]) for each in self._get("/v1/institutions")["institutions"]]
        if found != [(self._registry.to_text(), self._issuer_id)]:
            raise FetchError(
                "the API key is not this institution's at that service",
                advice="Give one of its own, of scope read, in $CREDANCHOR_API_KEY.",
            )

    def batches(self) -> Iterator[ServedBatch]:
        """List the institution's batches in this registry.

        Raises:
            FetchError: It did not answer, or with something else.
        """
        own = (self._registry.to_text(), self._issuer_id)
        cursor: int | None = None
        while True:
            page = self._get(f"/v1/batches?limit={_A_PAGE}" + ("" if cursor is None else f"&cursor={cursor}"))
            with _usable(self.url):
                yield from [_batch(each) for each in page["batches"] if (each["registry"], each["issuerId"]) == own]
                if page["next"] is None:
                    return
                before, cursor = cursor, int(page["next"])
                # Each page is of earlier batches: whoever goes round, or up, would never come to an end.
                if before is not None and not 0 < cursor < before:
                    raise ValueError

    def credential(self, looked: Looked) -> ServedCredential:
        """Give what the service says of a credential."""
        proof = self._find(f"/v1/credentials/{looked.uuid}/proof")
        with _usable(self.url):
            wrong = None if proof is None else _wrong_in(proof, looked)
        return ServedCredential(looked=looked, state=self.state(looked.uuid), wrong_proof=wrong)

    def state(self, uuid: UUID) -> CredentialState | None:
        """Tell how a credential stands, by the service; None: it does not know it."""
        answer = self._find(f"/v1/credentials/{uuid}/status")
        with _usable(self.url):
            return None if answer is None else CredentialState(answer["state"])

    def page(self, looked: Looked) -> ServedPage | None:
        """Give what a credential's page says; None: it has none, or says that it could not be determined."""
        answer = self._find(f"/v1/credentials/{looked.uuid}/page")
        if answer is None or answer.get("url") is None:
            return None
        # At the address that was named: the page's own may lead past it, to a proxy of the public's.
        address = f"{self.url}/c/{str(answer['url']).rpartition('/')[2]}"
        try:
            content = fetch(address, max_bytes=_MAX_PAGE_BYTES).decode()
        except NotThereError:
            return None  # renewed or withdrawn meanwhile
        except FetchError as error:
            # The address is the learner's secret.
            raise FetchError("a learner's page did not come from the service", advice=error.advice) from None
        except UnicodeDecodeError:
            content = ""
        found = _STATUS.search(content)
        if found is None:
            raise FetchError("what the service shows at a learner's page's address is no such page")
        if not found["block"]:
            return None
        return ServedPage(position=looked.position, root=looked.root, status=found["status"], block=int(found["block"]))

    def _find(self, path: str) -> JsonObject | None:
        try:
            return self._get(path)
        except NotThereError:
            return None

    def _get(self, path: str) -> JsonObject:
        address = self.url + path
        with _usable(address):
            return parse_document(fetch(address, max_bytes=_MAX_BYTES, bearer=self._key)).value


@contextmanager
def _usable(address: str) -> Iterator[None]:
    try:
        yield
    except (CredentialFormatError, MalformedError, LookupError, TypeError, ValueError) as error:
        raise FetchError(f"{address} is not what a service answers ({type(error).__name__})") from error


def _batch(content: JsonObject) -> ServedBatch:
    anchored_at = content["anchoredAt"]
    return ServedBatch(
        root=hash32(parse_hex(content["root"])),
        size=int(content["size"]),
        is_anchored=content["state"] == BatchState.ANCHORED.value,
        anchored_at=None if anchored_at is None else int(anchored_at),
    )


def _wrong_in(answer: JsonObject, looked: Looked) -> str:
    """Say why an anchor proof is none of a credential; empty: it is one."""
    document = {**json.loads(looked.file), "proof": [answer["proof"]]}
    try:
        credential = parse_credential(json.dumps(document, ensure_ascii=False).encode())
        for request in credential.requests:
            check_inclusion(credential.leaf(request), request.proof.inclusion, request.proof.root)
            if request.proof.root == looked.root and answer["root"] == to_hex(looked.root):
                return ""
    except (MalformedError, InclusionError) as error:
        return type(error).__name__
    return "it is of another batch"
