"""Status lists: where a credential's two bits are, and how the credential says so (design section 5).

The only module that knows bit order. In contract words the least significant bit comes first: index 0 is bit 0 of
word 0. (The W3C bitstring, which this module also writes, puts index 0 at the most significant bit.)

Upholds: a credential has exactly one `BitstringStatusListEntry` for revocation and one for suspension, with the same
list and index; anything else is malformed and never "nothing to check".
"""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from anchor.canonical import JsonObject
from anchor.errors import CredentialFormatError, MalformedError
from anchor.model import MAX_UINT32, RegistryId, StatusPosition, to_hex

LIST_SIZE: Final = 131_072
"""Entries of one list: the minimum of Bitstring Status List v1.0 section 6.1, 16 KiB of bits, 512 words."""
WORD_BITS: Final = 256
"""Credentials that share one storage slot."""

ENTRY_TYPE: Final = "BitstringStatusListEntry"
_ENTRY_MEMBERS = frozenset({"id", "type", "statusPurpose", "statusListIndex", "statusListCredential"})
_LIST_URL = re.compile(
    r"ethereum:(0x[0-9a-f]{40})@([1-9][0-9]{0,31})/(isRevoked|isSuspended)"
    r"\?uint32=([1-9][0-9]{0,9})&uint32=(0|[1-9][0-9]{0,9})"
)
_INDEX_PARAMETER = "&uint256="
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_ID_FORM: Final = (
    f"the id of a {ENTRY_TYPE} must be ethereum:<registry>@<chain>/isRevoked or isSuspended, "
    "with uint32 issuer, uint32 list and uint256 index in plain decimals"
)


_BITS_TURNED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""For each byte, the one with its bits in the other order."""
_GZIP: Final = 31
"""What zlib calls a window of 32 KiB in a gzip file."""


class StatusPurpose(Enum):
    """What a status bit says; the value is the `statusPurpose` of Bitstring Status List v1.0."""

    REVOCATION = "revocation"
    SUSPENSION = "suspension"

    @property
    def view(self) -> str:
        """The contract's view function that answers for it."""
        return "isRevoked" if self is StatusPurpose.REVOCATION else "isSuspended"


class StatusReason(IntEnum):
    """Why a status was changed; neutral on purpose, for the chain never forgets (design section 6)."""

    ISSUED_IN_ERROR = 1
    SUPERSEDED = 2
    KEY_COMPROMISE = 3
    HOLDERS_REQUEST = 4
    WITHDRAWN_BY_ISSUER = 5
    AFFILIATION_ENDED = 6
    OTHER = 7

    @property
    def label(self) -> str:
        """Its name in commands and reports, such as `issued-in-error`."""
        return self.name.lower().replace("_", "-")


_VIEWS: Final = {purpose.value: purpose.view for purpose in StatusPurpose}
"""By the purposes' names, as entries have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStatus:
    """What a credential's status entries say."""

    registry: RegistryId
    issuer_id: int
    position: StatusPosition


def word_of(index: int) -> int:
    """Give the word that holds a status index."""
    return index >> 8


def mask_of(index: int) -> int:
    """Give the word with only this index's bit set."""
    return 1 << (index & 0xFF)


def positions_of(status_list: int, word: int, mask: int) -> tuple[StatusPosition, ...]:
    """List the positions whose bits are set in one word, in order of index."""
    return tuple(
        StatusPosition(status_list=status_list, index=(word << 8) | bit) for bit in range(WORD_BITS) if mask >> bit & 1
    )


def group_positions(positions: Iterable[StatusPosition]) -> dict[int, dict[int, int]]:
    """Gather positions into the words and masks of contract calls.

    Returns:
        For each list, its words in increasing order, each with the mask of its bits.
    """
    grouped: dict[int, dict[int, int]] = {}
    for position in sorted(positions):
        words = grouped.setdefault(position.status_list, {})
        word = word_of(position.index)
        words[word] = words.get(word, 0) | mask_of(position.index)
    return grouped


def encoded_list(words: Mapping[int, int]) -> str:
    """Write a status list as `encodedList` of Bitstring Status List v1.0: multibase base64url of gzip of the bits.

    Args:
        words: By number, 0 to 511, the words of the list as the contract has them; those left out are 0.
    """
    bits = bytearray(LIST_SIZE // 8)
    size = WORD_BITS // 8
    for word, mask in words.items():
        bits[word * size : (word + 1) * size] = mask.to_bytes(size, "little").translate(_BITS_TURNED)
    # The same list makes the same text: zlib puts no time into it.
    packer = zlib.compressobj(level=9, wbits=_GZIP)
    packed = packer.compress(bits) + packer.flush()
    return "u" + urlsafe_b64encode(packed).rstrip(b"=").decode()


def words_of_list(encoded: str) -> dict[int, int]:
    """Read `encodedList` of Bitstring Status List v1.0: what `encoded_list` writes.

    Returns:
        By number, the words of the list that are not 0, as the contract has them.

    Raises:
        MalformedError: It is not multibase base64url of gzip of as many bits as a list has.
    """
    size, text = LIST_SIZE // 8, encoded[1:]
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        bits = unpacker.decompress(urlsafe_b64decode(text + "=" * (-len(text) % 4)), size + 1)
    except (ValueError, zlib.error) as error:
        raise MalformedError(f"a status list is not base64url of gzip ({type(error).__name__})") from error
    if not encoded.startswith("u") or len(bits) != size or not unpacker.eof:
        raise MalformedError(f"a status list is u, for base64url, and {size:,} bytes, packed")
    step, turned = WORD_BITS // 8, bits.translate(_BITS_TURNED)
    words = (int.from_bytes(turned[start : start + step], "little") for start in range(0, size, step))
    return {number: word for number, word in enumerate(words) if word}


def status_url(status: CredentialStatus, purpose: StatusPurpose) -> str:
    """Write the ERC-681 URL of the view function that tells a credential's status."""
    registry, position = status.registry, status.position
    return (
        f"ethereum:{to_hex(registry.address)}@{registry.chain_id}/{purpose.view}"
        f"?uint32={status.issuer_id}&uint32={position.status_list}&uint256={position.index}"
    )


def status_list_url(public_url: str, issuer_id: int, status_list: int, purpose: StatusPurpose) -> str:
    """Write the address where the service shows a status list as a W3C Bitstring credential."""
    return f"{public_url.rstrip('/')}/status/{issuer_id}/{status_list}/{purpose.value}"


def status_entries(status: CredentialStatus, public_url: str) -> list[JsonObject]:
    """Build a credential's `credentialStatus`: the entry for revocation, then the one for suspension."""
    return [
        {
            "id": status_url(status, purpose),
            "type": ENTRY_TYPE,
            "statusPurpose": purpose.value,
            "statusListIndex": str(status.position.index),
            "statusListCredential": status_list_url(public_url, status.issuer_id, status.position.status_list, purpose),
        }
        for purpose in StatusPurpose
    ]


def parse_status(credential: JsonObject) -> CredentialStatus:
    """Read and cross-check a credential's status entries.

    Entries of other types are left alone: they are not ours to judge.

    Raises:
        CredentialFormatError: An entry of ours is missing, doubled, extra, not in its one normal form, or the two
            differ in registry, issuer, list or index.
    """
    stated = credential.get("credentialStatus")
    entries = stated if isinstance(stated, list) else [stated]
    found: dict[str, tuple[_StatusList, str]] = {}
    for entry in entries:
        if isinstance(entry, dict) and _is_ours(entry):
            purpose, status_list, index = _parse_entry(entry)
            if purpose in found:
                raise CredentialFormatError(f"credentialStatus has more than one entry for {purpose}")
            found[purpose] = (status_list, index)
    for purpose in _VIEWS:
        if purpose not in found:
            raise CredentialFormatError(f"credentialStatus has no {ENTRY_TYPE} for {purpose}")
    revoked_at, suspended_at = [found[purpose] for purpose in _VIEWS]
    if revoked_at != suspended_at:
        raise CredentialFormatError("the status entries for revocation and suspension name different positions")
    status_list, index = revoked_at
    return CredentialStatus(
        registry=status_list.registry,
        issuer_id=status_list.issuer_id,
        position=StatusPosition(status_list=status_list.number, index=int(index)),
    )


def _is_ours(entry: JsonObject) -> bool:
    kind = entry.get("type")
    return kind == ENTRY_TYPE or (isinstance(kind, list) and ENTRY_TYPE in kind)


class _StatusList(NamedTuple):
    registry: RegistryId
    issuer_id: int
    number: int


def _parse_entry(entry: JsonObject) -> tuple[str, _StatusList, str]:
    """Give an entry's purpose, list, and index as it is written, in which an index has one form."""
    if entry.keys() != _ENTRY_MEMBERS or set(map(type, entry.values())) != {str}:
        raise CredentialFormatError(f"a {ENTRY_TYPE} has exactly the text members {', '.join(sorted(_ENTRY_MEMBERS))}")
    list_url, _, index = entry["id"].rpartition(_INDEX_PARAMETER)
    if not _INDEX.fullmatch(index):
        raise CredentialFormatError(_ID_FORM)
    view, status_list = _read_list_url(list_url)
    purpose = entry["statusPurpose"]
    if purpose not in _VIEWS:
        raise CredentialFormatError(f"a {ENTRY_TYPE} is for revocation or suspension only")
    if view != _VIEWS[purpose]:
        raise CredentialFormatError(f"the status entry for {purpose} names the function {view}")
    if entry["statusListIndex"] != index:
        raise CredentialFormatError(f"statusListIndex and id of the status entry for {purpose} differ")
    if status_list.issuer_id > MAX_UINT32 or status_list.number > MAX_UINT32 or int(index) >= LIST_SIZE:
        raise CredentialFormatError(f"the status entry for {purpose} is beyond issuer, list or index limits")
    return purpose, status_list, index


@lru_cache(maxsize=1024)
def _read_list_url(url: str) -> tuple[str, _StatusList]:
    """Read an entry's id up to its index: view function and list.

    Thousands of credentials share few lists, so each is read once. What has not this form is never kept.
    """
    match = _LIST_URL.fullmatch(url)
    if match is None:
        raise CredentialFormatError(_ID_FORM)
    address, chain_id, view, issuer_id, number = match.groups()
    registry = RegistryId.parse(f"eip155:{chain_id}:{address}")
    return view, _StatusList(registry=registry, issuer_id=int(issuer_id), number=int(number))


def parse_reason(text: str) -> StatusReason:
    """Read a reason given as its label or its number.

    Raises:
        MalformedError: There is no such reason; the message lists those there are.
    """
    for reason in StatusReason:
        if text in (reason.label, str(reason.value)):
            return reason
    known = ", ".join(f"{reason.label} ({reason.value})" for reason in StatusReason)
    raise MalformedError(f"there is no reason {text[:40]!r}", advice=f"Give one of: {known}.")
