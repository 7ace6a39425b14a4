"""The holder's name and e-mail as OB 3.0 `IdentityObject`s.

The name stands in clear, so that an employer can compare it; the e-mail only as a salted hash, so that somebody
who knows the address can confirm it and nobody can read it (OB 3.0 section B.5, `IdentityObject`).
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, Final

EMAIL_HASH_PREFIX: Final = "sha256$"
"""OB 3.0 `IdentityHash`: the algorithm, a dollar sign, the hash in lower-case hex."""


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


def matches_email(identity: dict[str, Any], email: str) -> bool:
    """Tell whether a hashed e-mail `IdentityObject` states this address."""
    stated, salt = identity.get("identityHash"), identity.get("salt", "")
    if not isinstance(stated, str) or not isinstance(salt, str):
        return False
    return hmac.compare_digest(stated.encode(), email_hash(email, salt).encode())
