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
_PAGE_MASK: Final = b"credanchor/page-mask/v1"
ADDRESS_BYTES: Final = 32
_TAG_BYTES: Final = 16


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
        """Give the 32 bytes of a learner's page's address: a tag of 128 bits, and the credential's UUID under a mask.

        As in SIV (RFC 5297), the mask is derived from the tag, and the tag from all that the address is for. So an
        address leads to its credential without being kept anywhere, and nobody without the key makes one, or tells
        from two addresses whether they have anything in common.

        Args:
            credential: The credential.
            nonce: Of a renewed address; empty for the first one.
        """
        tag = hmac.digest(self._key, _PAGE + credential.bytes + nonce, "sha256")[:_TAG_BYTES]
        return tag + self._masked(tag, credential.bytes)

    def credential_at(self, address: bytes) -> UUID:
        """Tell for which credential an address would be: it is good only if `page_address` gives it for that one.

        Args:
            address: 32 bytes.
        """
        tag = address[:_TAG_BYTES]
        return UUID(bytes=self._masked(tag, address[_TAG_BYTES:]))

    def _masked(self, tag: bytes, uuid: bytes) -> bytes:
        mask = hmac.digest(self._key, _PAGE_MASK + tag, "sha256")[: len(uuid)]
        return (int.from_bytes(uuid) ^ int.from_bytes(mask)).to_bytes(len(uuid))


def load_derived_secrets(home: Path) -> DerivedSecrets:
    """Read the key of a service's home folder, making one at the first time.

    Raises:
        SettingsError: It can be neither read nor made.
    """
    return DerivedSecrets(load_secret(home / KEY_FILE, "service key"))
