"""Approval: what the institution's machine derived from a checked roster, and nothing else, is signed for anchoring.

The database may be on another machine, and others may write to it. So the root that a roster led to is authenticated
with a key that is not in the database (HMAC-SHA-256, RFC 2104), in the very process that read the roster. Before a
batch is signed for, its approval is checked; in a later process, everything is also derived again from what is stored:
a row that was slipped in, changed or taken out keeps the batch from being anchored.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from anchor.model import Hash32
from registry.errors import NotPermittedError
from registry.services.secret_files import load_secret
from registry.services.stored import check_derived
from registry.store.engine import Store
from registry.store.records import BatchRecord, IssuerRef

KEY_FILE: Final = "approval.key"
_PURPOSE: Final = b"credanchor/approval/v1"


class Approvals:
    """Gives and checks approvals.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key: Final = key
        self._derived_here: Final[set[Hash32]] = set()

    def approve(self, issuer: IssuerRef, root: Hash32, size: int) -> bytes:
        """Approve what was derived from a checked roster just now."""
        self._derived_here.add(root)
        return self._tag(issuer, root, size)

    def require(self, store: Store, batch: BatchRecord) -> None:
        """Check that a batch is what was derived from an approved roster.

        Raises:
            NotPermittedError: It is not: the database was altered, or this is not the machine that sealed it.
            StoreError: What is stored does not lead to the root.
        """
        stated = b"" if batch.approval is None else batch.approval
        if not hmac.compare_digest(stated, self._tag(batch.issuer, batch.root, batch.size)):
            raise NotPermittedError(
                f"batch {batch.id} was not approved on this machine",
                advice="It was sealed with another home folder, or the database was altered. Issue from the roster anew"
                f" where {KEY_FILE} is, or restore the database.",
            )
        if batch.root not in self._derived_here:
            check_derived(store, batch)

    def _tag(self, issuer: IssuerRef, root: Hash32, size: int) -> bytes:
        text = f"{issuer.registry.to_text()} {issuer.issuer_id} {root.hex()} {size}".encode()
        return hmac.digest(self._key, _PURPOSE + b" " + text, "sha256")


def load_approvals(home: Path) -> Approvals:
    """Read the approval key of a home folder, making one at the first time.

    Raises:
        SettingsError: It can be neither read nor made.
    """
    return Approvals(load_secret(home / KEY_FILE, "approval key"))
