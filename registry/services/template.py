"""Canonical bytes by filling in: a batch's credentials are alike but for a few values (design section 10).

A sample credential with random markers where the values go is canonicalised once, by `anchor.canonicalize`; the text
between the markers never changes. JCS sorts by keys, which are all constant, so that the values stay in place. Which
members there are depends on what a recipient's row holds: each such shape has a template of its own.

Upholds: `fill` gives the bytes that `anchor.canonicalize` gives for the same credential; a property test holds it.
"""

from __future__ import annotations

import json
import re
import secrets
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Final

import orjson

from anchor.canonical import JsonObject, canonicalize
from anchor.errors import CredentialFormatError
from anchor.identity import email_hash, email_identity, name_identity
from anchor.model import StatusPosition
from registry.errors import StoreError
from registry.services.credentials import (
    CredentialFrame,
    CredentialParts,
    CredentialValues,
    assemble_credential,
    iso_time,
)
from registry.services.recipient import NOTHING_MORE, Recipient
from registry.services.results import result_rule
from registry.services.text import has_forbidden_character

_MARKER_BYTES: Final = 20
"""Random enough that a marker does not occur in an achievement, even one written to hold it."""

_OPTIONAL: Final = Recipient._fields[1:]
"""What a recipient may lack; bit n of a shape stands for the nth of them."""

EMAIL_ONLY: Final = 1
"""Shape of recipients with name and e-mail alone; 0: with a name alone."""
_SLOT: Final = re.compile(rb"%(?:%|\((\w+)\)b)")
"""A slot, or a per cent sign that is meant as such."""
_ALWAYS: Final = frozenset({"id", "name", "list", "index"})
"""Slots of every template."""
_TIMES: Final = {
    "valid_from": "valid_from",
    "valid_until": "valid_until",
    "awarded": "awarded_at",
    "activity_start": "activity_start_at",
    "activity_end": "activity_end_at",
}
"""Parts of a credential and fields of a recipient that are times."""
_TEXTS: Final = ("did", "evidence_url", "narrative", "license_number")
"""Parts, and fields of the same name, that are texts."""


def shape_of(recipient: Recipient) -> int:
    """Tell which members a recipient's credential has: recipients of one shape share a template."""
    if recipient[2:] == NOTHING_MORE:
        return EMAIL_ONLY if recipient.email is not None else 0
    return sum(1 << bit for bit, value in enumerate(recipient[1:]) if value is not None)


class CredentialTemplate:
    """Canonical bytes of all credentials of one batch and one shape.

    Args:
        text: As made by `compile`, perhaps long ago: the database keeps it.

    Raises:
        StoreError: It was not made by `compile`.
    """

    def __init__(self, text: bytes) -> None:
        self.text: Final = text
        # Formatting a tuple takes half the time of formatting a dictionary.
        self._form: Final = _SLOT.sub(lambda found: b"%b" if found[1] else b"%%", text)
        slots = [slot.decode() for slot in _SLOT.findall(text) if slot]
        if not _ALWAYS.issubset(slots):
            raise _not_ours()
        self._in_order: Final = itemgetter(*slots)
        self._results: Final = lru_cache(maxsize=1024)(self._make_results)

    @cached_property
    def achievement(self) -> JsonObject:
        """What the batch is about: it stands in the text."""
        achievement: JsonObject = json.loads(self.text % _Anything())["credentialSubject"]["achievement"]
        return achievement

    @classmethod
    def compile(cls, frame: CredentialFrame, shape: int) -> CredentialTemplate:
        """Compile the canonical form of a batch's credentials.

        Args:
            frame: What they have in common.
            shape: As told by `shape_of`.
        """
        has = {name for bit, name in enumerate(_OPTIONAL) if shape >> bit & 1}
        texts, quoted = _Markers(), _Markers()
        identities = [name_identity(quoted["name"])]
        if "email" in has:
            identities.append({**email_identity("", texts["salt"]), "identityHash": texts["email"]})
        # Numbers far beyond any list and index serve as markers among digits.
        position = StatusPosition(*(10**48 + secrets.randbits(8 * _MARKER_BYTES) for _ in range(2)))
        optional: dict[str, Any] = {part: texts[part] for part, field in _TIMES.items() if field in has}
        optional |= {part: quoted[part] for part in _TEXTS if part in has}
        if "result" in has:
            optional["results"] = quoted["results"]
        optional.setdefault("valid_from", iso_time(frame.valid_from))
        parts = CredentialParts(id=texts["id"], identities=identities, position=position, **optional)
        text = canonicalize(assemble_credential(frame, parts)).replace(b"%", b"%%")
        # Quotation marks come with the value where it may need escapes, or is no text.
        markers = {f'"{marker}"': slot for slot, marker in quoted.items()}
        markers |= {marker: slot for slot, marker in texts.items()}
        markers |= {str(number): slot for slot, number in zip(("list", "index"), position, strict=True)}
        for marker, slot in markers.items():
            text = text.replace(marker.encode(), f"%({slot})b".encode())
        return cls(text)

    def fill(self, values: CredentialValues) -> bytes:
        """Give one credential's canonical bytes.

        Raises:
            CredentialFormatError: A text has a lone surrogate or a Unicode noncharacter.
            StoreError: The template is not one for this shape: somebody altered it.
        """
        identifier, recipient, email_salt, position = values
        slots = {
            "id": identifier.encode(),
            "name": _quoted(recipient.name),
            "list": b"%d" % position.status_list,
            "index": b"%d" % position.index,
        }
        if recipient.email is not None:
            slots["email"] = email_hash(recipient.email, email_salt).encode()
            slots["salt"] = email_salt.encode()
        if recipient[2:] != NOTHING_MORE:
            self._add_more(slots, recipient)
        try:
            canonical: bytes = self._form % self._in_order(slots)
        except (KeyError, TypeError, ValueError) as error:
            raise _not_ours() from error
        return canonical

    def _add_more(self, slots: dict[str, bytes], recipient: Recipient) -> None:
        for part, field in _TIMES.items():
            seconds = getattr(recipient, field)
            if seconds is not None:
                slots[part] = iso_time(seconds).encode()
        for part in _TEXTS:
            text = getattr(recipient, part)
            if text is not None:
                slots[part] = _quoted(text)
        if recipient.result is not None:
            slots["results"] = self._results(recipient.result)

    def _make_results(self, text: str) -> bytes:
        _check_characters(text)
        # Only objects are canonicalised: the list without the object around it.
        return canonicalize({"": result_rule(self.achievement).to_result(text)})[len('{"":') : -len("}")]


def _not_ours() -> StoreError:
    return StoreError(
        "the database holds a template that was not made for its credentials",
        advice="The database was altered: restore it from a backup.",
    )


class _Anything(dict[bytes, bytes]):
    """Fills every slot with what is good as a text's part and as a value."""

    def __missing__(self, slot: bytes) -> bytes:
        return b"0"


class _Markers(dict[str, str]):
    """Slots and their markers, each made when it is first asked for."""

    def __missing__(self, slot: str) -> str:
        self[slot] = secrets.token_hex(_MARKER_BYTES)
        return self[slot]


def _quoted(text: str) -> bytes:
    # orjson escapes strings as RFC 8785 section 3.2.2.2 wants it.
    _check_characters(text)
    return orjson.dumps(text)


def _check_characters(text: str) -> None:
    if has_forbidden_character(text):
        raise CredentialFormatError("a text has a lone surrogate or a Unicode noncharacter")
