"""Which secrets sign messages to an institution's webhook (`anchor.webhook_signature`): old ones, too, for a while."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.services.derived_secrets import DerivedSecrets

OLD_SECRET_SECONDS: Final = 86_400
"""So long after a secret was renewed, messages are signed with the old one as well."""


def keys_of(
    secrets: DerivedSecrets, webhook: UUID, generation: int, rotated_at: int | None, *, now: int
) -> tuple[bytes, ...]:
    """Give the secrets with which a message is signed at a time, the newest first."""
    is_old_one_known = rotated_at is not None and now < rotated_at + OLD_SECRET_SECONDS
    count = 2 if is_old_one_known else 1
    return tuple(secrets.webhook_secret(webhook, generation - each) for each in range(count))
