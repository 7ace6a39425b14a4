"""Credential files: each credential of an anchored batch with its anchor proof, and an index for the institution.

    0001-3f0c….json           one credential; the number is its place in the batch, and says nothing about the roster
    emails/0001-3f0c….eml     an e-mail to its holder with the credential in it, ready to be sent, if asked for
    index-batch-7.csv         file, name, e-mail: for the institution alone

Upholds: writing again changes nothing. Names stay out of file names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anchor.cells import as_cell
from registry.errors import ConflictError
from registry.services.emails import EmailLanguage, email_to_holder
from registry.services.outlets import Outlet
from registry.services.stored import credential_files
from registry.store.batches import get_batch
from registry.store.engine import Store
from registry.store.records import BatchId, BatchRecord, BatchState, CredentialRecord

EMAILS_FOLDER: Final = "emails"


def write_batch(
    store: Store,
    batch_id: BatchId,
    outlet: Outlet,
    *,
    emails: tuple[EmailLanguage, ...] = (),
    progress: Callable[[int], None] = lambda _count: None,
) -> Path:
    """Write an anchored batch's files.

    Args:
        store: The registry's database.
        batch_id: The batch.
        outlet: Where; other files there are left alone.
        emails: Languages of e-mails to the holders, in order; none: no e-mails.
        progress: Told how many more files are done.

    Returns:
        Where the index is.

    Raises:
        ConflictError: The batch is not anchored, or another file has the name of one to be written.
        StoreError: A credential is not the one that was sealed.
    """
    index = io.StringIO(newline="")
    rows = csv.writer(index)
    rows.writerow(("file", "name", "email"))
    with outlet, store.reading() as connection:
        batch = get_batch(connection, batch_id)
        _require_anchored(batch)
        for credential, content in credential_files(connection, batch):
            name = file_name(credential, batch.size)
            outlet.write(name, content)
            email = credential.recipient_email
            if emails and email is not None:
                message = email_to_holder(content, name, credential.recipient_name, email, emails)
                outlet.write(f"{EMAILS_FOLDER}/{name.removesuffix('.json')}.eml", message)
            rows.writerow((name, as_cell(credential.recipient_name), as_cell(email or "")))
            progress(1)
        # The mark makes spreadsheets read it as UTF-8.
        return outlet.write(f"index-batch-{batch.id}.csv", index.getvalue().encode("utf-8-sig"))


def file_name(credential: CredentialRecord, size: int) -> str:
    """Name a credential's file: its place in the batch, from 1, and its UUID."""
    return f"{credential.leaf_index + 1:0{max(4, len(str(size)))}}-{credential.uuid}.json"


def _require_anchored(batch: BatchRecord) -> None:
    if batch.state is not BatchState.ANCHORED:
        raise ConflictError(
            f"batch {batch.id} is not anchored yet: its credentials would not verify",
            advice=f"Go on with `credanchor issue --resume {batch.id}`.",
        )
