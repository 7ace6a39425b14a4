"""Partitions of recipients into rows and leaves: what takes most of the time of issuing."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Final, NamedTuple

import orjson

from anchor.canonical import credential_hash, leaf_hash
from anchor.merkle import HASH_BYTES
from anchor.model import Hash32, StatusPosition
from anchor.status import LIST_SIZE
from registry.services.credentials import CredentialFrame, CredentialValues
from registry.services.recipient import Recipient, details_to_text
from registry.services.spool import Partition, in_order
from registry.services.template import EMAIL_ONLY, CredentialTemplate, shape_of

EMAIL_SALT_BYTES: Final = 16
"""Enough that hashes of one address cannot be matched, nor a table of them be made beforehand."""


class FilledPartition(NamedTuple):
    """A partition's credentials."""

    rows: list[tuple[object, ...]]
    """As `registry.store.batches.add_credentials` takes them."""
    leaves: bytes
    """The leaf hashes, concatenated in order."""
    shapes: frozenset[int]
    digest: int
    """Sum of hashes of the recipients: the same in any order."""


class Filler:
    """Fills the partitions of one batch.

    Args:
        frame: What the batch's credentials have in common.
    """

    def __init__(self, frame: CredentialFrame) -> None:
        self._frame: Final = frame
        self._templates: Final[dict[int, CredentialTemplate]] = {}

    def template(self, shape: int) -> CredentialTemplate:
        """Give a shape's template, compiled when it is first asked for."""
        if shape not in self._templates:
            self._templates[shape] = CredentialTemplate.compile(self._frame, shape)
        return self._templates[shape]

    def fill(self, partition: Partition, start: int, first_position: int) -> FilledPartition:
        """Make a partition's credentials.

        Args:
            partition: Of a spool.
            start: Leaf index of its first recipient.
            first_position: The batch's first status position, list * LIST_SIZE + index.
        """
        size = partition.size
        uuids = _random_uuids(size)
        salts = os.urandom(HASH_BYTES * size)
        email_salts = os.urandom(EMAIL_SALT_BYTES * size)
        uuid_digits, email_salt_digits = uuids.hex(), email_salts.hex()
        rows: list[tuple[object, ...]] = []
        leaves: list[bytes] = []
        templates = self._templates
        digest = 0
        shapes: set[int] = set()
        status_list, index = divmod(first_position + start, LIST_SIZE)
        for number, entry in enumerate(in_order(partition)):
            recipient = Recipient(*entry[2:])
            shape = shape_of(recipient)
            if shape not in shapes:
                shapes.add(shape)
                self.template(shape)
            at = number * 32
            digits, salt = uuid_digits[at : at + 32], Hash32(salts[at : at + 32])
            email_salt = email_salt_digits[at : at + 32]
            position = StatusPosition(status_list, index)
            identifier = f"urn:uuid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            canonical = templates[shape].fill(CredentialValues(identifier, recipient, email_salt, position))
            leaves.append(leaf_hash(credential_hash(canonical), salt, position))
            # As JSON, so that no two recipients are written alike.
            digest += int.from_bytes(sha256(orjson.dumps(entry[2:])).digest(), "big")
            at = number * 16
            email = recipient.email
            kept_salt = None if email is None else email_salts[at : at + 16]
            details = None if shape <= EMAIL_ONLY else details_to_text(recipient)
            rows.append((start + number, uuids[at : at + 16], salt, recipient.name, email, kept_salt, details))
            index += 1
            if index == LIST_SIZE:
                status_list, index = status_list + 1, 0
        return FilledPartition(rows, b"".join(leaves), frozenset(shapes), digest)


def _random_uuids(count: int) -> bytes:
    """Make UUIDs of version 4 (RFC 9562 section 5.4), concatenated."""
    uuids = bytearray(os.urandom(16 * count))
    uuids[6::16] = uuids[6::16].translate(_VERSION_4)
    uuids[8::16] = uuids[8::16].translate(_VARIANT)
    return bytes(uuids)


_VERSION_4: Final = bytes(value & 0x0F | 0x40 for value in range(256))
_VARIANT: Final = bytes(value & 0x3F | 0x80 for value in range(256))
