"""How messages to webhooks are signed: Standard Webhooks 1.0.0, symmetric (https://www.standardwebhooks.com).

webhook-id: 5f0c…                     the same each time that a message is sent
webhook-timestamp: 1790000000         when it is sent
webhook-signature: v1,<base64 of HMAC-SHA-256 over id.timestamp.body>, several with a space between
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from registry.services.derived_secrets import DerivedSecrets

OLD_SECRET_SECONDS: Final = 86_400
"""So long after a secret was renewed, messages are signed with the old one as well."""


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


def keys_of(
    secrets: DerivedSecrets, webhook: UUID, generation: int, rotated_at: int | None, *, now: int
) -> tuple[bytes, ...]:
    """Give the secrets with which a message is signed at a time, the newest first."""
    is_old_one_known = rotated_at is not None and now < rotated_at + OLD_SECRET_SECONDS
    count = 2 if is_old_one_known else 1
    return tuple(secrets.webhook_secret(webhook, generation - each) for each in range(count))


def secret_text(key: bytes) -> str:
    """Write a secret as receivers configure it."""
    return f"whsec_{b64encode(key).decode()}"
