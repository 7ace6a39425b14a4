"""Canonical bytes by filling in: a batch's credentials are alike but for a few values (design section 10).

A sample credential with random markers where the values go is canonicalised once, by `anchor.canonicalize`; the text
between the markers never changes. JCS sorts by keys, which are all constant, so that the values stay in place.

Upholds: `fill` gives the bytes that `anchor.canonicalize` gives for the same credential; a property test holds it.
"""

from __future__ import annotations

import json
import secrets
from typing import Final

from anchor.canonical import canonicalize
from anchor.errors import CredentialFormatError
from anchor.identity import email_hash, email_identity, name_identity
from anchor.model import StatusPosition
from registry.services.credentials import CredentialFrame, CredentialValues, assemble_credential
from registry.services.text import FORBIDDEN_CHARACTER

_MARKER_BYTES: Final = 20
"""Random enough that a marker does not occur in an achievement, even one written to hold it."""

# JSON's strings are those of JCS (RFC 8785 section 3.2.2.2) as long as nothing beyond ASCII is escaped.
_JSON_STRING: Final = json.JSONEncoder(ensure_ascii=False).encode


class CredentialTemplate:
    """Canonical bytes of all credentials of one batch and one shape.

    Args:
        text: As made by `compile`, perhaps long ago: the database keeps it.
    """

    def __init__(self, text: bytes) -> None:
        self.text: Final = text

    @classmethod
    def compile(cls, frame: CredentialFrame, *, has_email: bool) -> CredentialTemplate:
        """Compile the canonical form of a batch's credentials.

        Args:
            frame: What they have in common.
            has_email: The shape: with an e-mail's hash, or without.
        """
        markers = {slot: secrets.token_hex(_MARKER_BYTES) for slot in ("id", "name", "email", "salt")}
        numbers = {slot: 10**48 + secrets.randbits(8 * _MARKER_BYTES) for slot in ("list", "index")}
        identities = [name_identity(markers["name"])]
        if has_email:
            identities.append({**email_identity("", markers["salt"]), "identityHash": markers["email"]})
        # Numbers far beyond any list and index serve as markers among digits.
        position = StatusPosition(status_list=numbers["list"], index=numbers["index"])
        text = canonicalize(assemble_credential(frame, markers["id"], identities, position)).replace(b"%", b"%%")
        # The name's quotation marks come with its value, the others' values need no escapes.
        markers["name"] = f'"{markers["name"]}"'
        for slot, marker in (markers | {slot: str(number) for slot, number in numbers.items()}).items():
            text = text.replace(marker.encode(), f"%({slot})b".encode())
        return cls(text)

    def fill(self, values: CredentialValues) -> bytes:
        """Give one credential's canonical bytes.

        Raises:
            CredentialFormatError: The name has a lone surrogate or a Unicode noncharacter.
        """
        name, position = values.name, values.position
        if not name.isascii() and FORBIDDEN_CHARACTER.search(name) is not None:
            raise CredentialFormatError("a name has a lone surrogate or a Unicode noncharacter")
        slots = {
            b"id": values.id.encode(),
            b"name": _JSON_STRING(name).encode(),
            b"list": b"%d" % position.status_list,
            b"index": b"%d" % position.index,
        }
        if values.email is not None:
            slots[b"email"] = email_hash(values.email, values.email_salt).encode()
            slots[b"salt"] = values.email_salt.encode()
        return self.text % slots
