"""How messages to webhooks are signed: Standard Webhooks 1.0.0, symmetric (https://www.standardwebhooks.com).

webhook-id: 5f0c…                     the same each time that a message is sent
webhook-timestamp: 1790000000         when it is sent
webhook-signature: v1,<base64 of HMAC-SHA-256 over id.timestamp.body>, several with a space between

>>> secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
>>> signed_headers(UUID(int=1), b"{}", [secret], now=1790000000)["webhook-signature"]
'v1,N9U8L4O2XOUZv31nIHkmfBxIZNn2lRm8XooobDkBGYw='
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from anchor.errors import MalformedError

PREFIX: Final = "whsec_"
"""What a secret starts with where people configure it."""


def signed_headers(message: UUID, body: bytes, keys: Sequence[bytes], *, now: int) -> dict[str, str]:
    """Give the headers that say which message it is and whose.

    Args:
        message: Its id.
        body: As it is sent.
        keys: Of the webhook; any one of the signatures will do for the receiver.
        now: Unix seconds.
    """
    signed = b".".join((str(message).encode(), str(now).encode(), body))
    signatures = (b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": str(message),
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def secret_text(key: bytes) -> str:
    """Write a secret as receivers configure it."""
    return f"{PREFIX}{b64encode(key).decode()}"


def secret_of(text: str) -> bytes:
    """Read what `secret_text` wrote.

    Raises:
        MalformedError: It is none; the message does not repeat it.
    """
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(PREFIX) or not key:
        raise MalformedError(f"a webhook's secret is {PREFIX} and base64")
    return key
