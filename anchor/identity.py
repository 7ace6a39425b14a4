"""The holder's name and e-mail as OB 3.0 `IdentityObject`s.

The name stands in clear, so that an employer can compare it; the e-mail only as a salted hash, so that somebody
who knows the address can confirm it and nobody can read it (OB 3.0 section B.5, `IdentityObject`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from hashlib import md5, sha256
from typing import Any, Final

EMAIL_HASH_PREFIX: Final = "sha256$"
"""OB 3.0 `IdentityHash`: the algorithm, a dollar sign, the hash in lower-case hex."""

_HASHES: Final[dict[str, Callable[[bytes], Any]]] = {"sha256": sha256, "md5": partial(md5, usedforsecurity=False)}
"""OB 3.0 knows these two. MD5 is broken for those who choose both texts; here nobody but the issuer chooses one."""
_MAILTO: Final = "mailto:"


def name_identity(name: str) -> dict[str, Any]:
    """State a name in clear (`identityType: name`)."""
    return {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}


def email_identity(email: str, salt: str) -> dict[str, Any]:
    """State an e-mail address as SHA-256 of the lower-case address followed by `salt`.

    Args:
        email: The address; surrounding white space and case do not matter.
        salt: Random text of this credential alone.
    """
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": email_hash(email, salt),
        "identityType": "emailAddress",
        "salt": salt,
    }


def email_hash(email: str, salt: str) -> str:
    """Hash an e-mail address as OB 3.0 wants it: `sha256$` and the hex of SHA-256(address ‖ salt)."""
    return EMAIL_HASH_PREFIX + sha256((normalize_email(email) + salt).encode()).hexdigest()


def normalize_email(email: str) -> str:
    """Bring an address to the one form that is hashed: no surrounding white space, lower case."""
    return email.strip().lower()


class HolderMatch(Enum):
    """Whether a credential is of the person with an e-mail address, in the credential's own words."""

    MATCHES = "matches"
    DIFFERS = "doesNotMatch"
    """It states one or more addresses, and none is this one."""
    NOT_STATED = "notStated"
    """It states no address, or none that can be compared."""


def match_holder(credential: dict[str, Any], email: str) -> HolderMatch:
    """Compare an e-mail address with those that a credential states of its holder or holders.

    Args:
        credential: The credential as parsed; worth as much as the verdict on it.
        email: The address; surrounding white space and case do not matter.
    """
    answers = [matches_email(identity, email) for identity in _emails_of(credential.get("credentialSubject"))]
    if True in answers:
        return HolderMatch.MATCHES
    return HolderMatch.DIFFERS if False in answers else HolderMatch.NOT_STATED


def matches_email(identity: dict[str, Any], email: str) -> bool | None:
    """Tell whether an e-mail `IdentityObject`, hashed or in clear, states this address; None if it cannot be compared.

    Other issuers may have hashed the address as it was written, so it is tried like that, too.
    """
    stated, salt = identity.get("identityHash"), identity.get("salt", "")
    if not isinstance(stated, str) or not isinstance(salt, str):
        return None
    if identity.get("hashed") is False:
        return normalize_email(stated) == normalize_email(email)
    algorithm, _, stated_hash = stated.partition("$")
    hasher = _HASHES.get(algorithm)
    if hasher is None:
        return None
    hashes = {hasher((each + salt).encode()).hexdigest() for each in (normalize_email(email), email.strip())}
    return any(hmac.compare_digest(stated_hash.lower().encode(), each.encode()) for each in hashes)


def _emails_of(subjects: object) -> Iterator[dict[str, Any]]:
    """Go through the `IdentityObject`s of e-mail addresses; an `id` that is a `mailto:` address is one in clear."""
    for subject in _objects(subjects):
        identifier = subject.get("id")
        if isinstance(identifier, str) and identifier.lower().startswith(_MAILTO):
            yield {"hashed": False, "identityHash": identifier[len(_MAILTO) :]}
        for identity in _objects(subject.get("identifier")):
            if identity.get("identityType") == "emailAddress":
                yield identity


def _objects(value: object) -> list[dict[str, Any]]:
    """Take an object for a list of one, as JSON-LD does."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
