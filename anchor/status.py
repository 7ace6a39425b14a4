"""Status lists: where a credential's two bits are, and how the credential says so (design section 5).

The only module that knows bit order. In contract words the least significant bit comes first: index 0 is bit 0 of
word 0. (The W3C bitstring, which this module will also write, puts index 0 at the most significant bit.)

Upholds: a credential has exactly one `BitstringStatusListEntry` for revocation and one for suspension, with the same
list and index; anything else is malformed and never "nothing to check".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from anchor.canonical import JsonObject
from anchor.errors import CredentialFormatError, MalformedError
from anchor.model import MAX_UINT32, RegistryId, StatusPosition, to_hex

LIST_SIZE: Final = 131_072
"""Entries of one list: the minimum of Bitstring Status List v1.0 section 6.1, 16 KiB of bits, 512 words."""
WORD_BITS: Final = 256
"""Credentials that share one storage slot."""

ENTRY_TYPE: Final = "BitstringStatusListEntry"
_ENTRY_MEMBERS = frozenset({"id", "type", "statusPurpose", "statusListIndex", "statusListCredential"})
_STATUS_URL = re.compile(
    r"ethereum:(0x[0-9a-f]{40})@([1-9][0-9]{0,31})/(isRevoked|isSuspended)"
    r"\?uint32=([1-9][0-9]{0,9})&uint32=(0|[1-9][0-9]{0,9})&uint256=(0|[1-9][0-9]{0,5})"
)


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
    found: dict[StatusPurpose, CredentialStatus] = {}
    for entry in entries:
        if isinstance(entry, dict) and _is_ours(entry):
            purpose, status = _parse_entry(entry)
            if purpose in found:
                raise CredentialFormatError(f"credentialStatus has more than one entry for {purpose.value}")
            found[purpose] = status
    for purpose in StatusPurpose:
        if purpose not in found:
            raise CredentialFormatError(f"credentialStatus has no {ENTRY_TYPE} for {purpose.value}")
    if found[StatusPurpose.REVOCATION] != found[StatusPurpose.SUSPENSION]:
        raise CredentialFormatError("the status entries for revocation and suspension name different positions")
    return found[StatusPurpose.REVOCATION]


def _is_ours(entry: JsonObject) -> bool:
    kind = entry.get("type")
    return kind == ENTRY_TYPE or (isinstance(kind, list) and ENTRY_TYPE in kind)


def _parse_entry(entry: JsonObject) -> tuple[StatusPurpose, CredentialStatus]:
    if entry.keys() != _ENTRY_MEMBERS or any(not isinstance(member, str) for member in entry.values()):
        raise CredentialFormatError(f"a {ENTRY_TYPE} has exactly the text members {', '.join(sorted(_ENTRY_MEMBERS))}")
    match = _STATUS_URL.fullmatch(entry["id"])
    if match is None:
        raise CredentialFormatError(
            f"the id of a {ENTRY_TYPE} must be ethereum:<registry>@<chain>/isRevoked or isSuspended, "
            "with uint32 issuer, uint32 list and uint256 index in plain decimals"
        )
    try:
        purpose = StatusPurpose(entry["statusPurpose"])
    except ValueError as error:
        raise CredentialFormatError(f"a {ENTRY_TYPE} is for revocation or suspension only") from error
    address, chain_id, view, issuer_id, status_list, index = match.groups()
    if view != purpose.view:
        raise CredentialFormatError(f"the status entry for {purpose.value} names the function {view}")
    if entry["statusListIndex"] != index:
        raise CredentialFormatError(f"statusListIndex and id of the status entry for {purpose.value} differ")
    if int(issuer_id) > MAX_UINT32 or int(status_list) > MAX_UINT32 or int(index) >= LIST_SIZE:
        raise CredentialFormatError(f"the status entry for {purpose.value} is beyond issuer, list or index limits")
    return purpose, CredentialStatus(
        registry=RegistryId.parse(f"eip155:{chain_id}:{address}"),
        issuer_id=int(issuer_id),
        position=StatusPosition(status_list=int(status_list), index=int(index)),
    )


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
