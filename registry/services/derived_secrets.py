"""Secrets that need not be kept: derived (HMAC-SHA-256, RFC 2104) from a key outside the database and what is in it.

So the database, or a backup of it, gives away neither a learner's page nor how to sign for a webhook; and both can be
told again when somebody asks. All processes of a service need the same key file.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final
from uuid import UUID

from registry.services.secret_files import load_secret

KEY_FILE: Final = "service.key"
_WEBHOOK: Final = b"credanchor/webhook/v1"
_PAGE: Final = b"credanchor/page/v1"


class DerivedSecrets:
    """Derives secrets.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key: Final = key

    def webhook_secret(self, webhook: UUID, generation: int) -> bytes:
        """Give the 32 bytes with which messages to a webhook are signed; each generation has others."""
        return hmac.digest(self._key, _WEBHOOK + webhook.bytes + generation.to_bytes(4, "big"), "sha256")

    def page_address(self, credential: UUID, nonce: bytes) -> bytes:
        """Give the 32 bytes of a learner's page's address: a `registry.store.learner_pages.Derive`."""
        return hmac.digest(self._key, _PAGE + credential.bytes + nonce, "sha256")


def load_derived_secrets(home: Path) -> DerivedSecrets:
    """Read the key of a service's home folder, making one at the first time.

    Raises:
        SettingsError: It can be neither read nor made.
    """
    return DerivedSecrets(load_secret(home / KEY_FILE, "service key"))
