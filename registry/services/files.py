"""Credential files: each credential of an anchored batch with its anchor proof, and an index for the institution.

    out/0001-3f0c….json       one credential; the number is its place in the batch, and says nothing about the roster
    out/index-batch-7.csv     file, name, e-mail: for the institution alone

Upholds: a file is there whole or not at all; none of somebody else's is written over; writing again changes nothing.
Names stay out of file names; files are readable by their owner alone, for they hold names and the index e-mails.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from anchor.canonical import credential_hash, leaf_hash
from anchor.errors import InclusionError
from anchor.merkle import check_inclusion, prove_inclusion
from anchor.model import AnchorProof, InclusionProof
from anchor.proof import anchor_proof_member
from registry.errors import ConflictError, StoreError
from registry.services.credentials import CredentialValues
from registry.services.template import CredentialTemplate
from registry.store.batches import get_batch, iterate_credentials, read_levels, read_templates
from registry.store.engine import Store
from registry.store.records import BatchId, BatchRecord, BatchState, CredentialRecord

_FORMULA_STARTS: Final = ("=", "+", "-", "@")
"""What spreadsheets take for a formula; in the index such a cell gets an apostrophe before it."""


def write_batch(
    store: Store, batch_id: BatchId, folder: Path, *, progress: Callable[[int], None] = lambda _count: None
) -> Path:
    """Write an anchored batch's files into a folder, which is made if need be.

    Args:
        store: The registry's database.
        batch_id: The batch.
        folder: Where; other files in it are left alone.
        progress: Told how many more files are done.

    Returns:
        The index.

    Raises:
        ConflictError: The batch is not anchored, or another file has the name of one to be written.
    """
    prepare_folder(folder)
    index = io.StringIO(newline="")
    rows = csv.writer(index)
    rows.writerow(("file", "name", "email"))
    with store.reading() as connection:
        batch = get_batch(connection, batch_id)
        _require_anchored(batch)
        for credential, content in credential_files(connection, batch):
            path = folder / file_name(credential, batch.size)
            _write_file(path, content)
            email = credential.recipient_email or ""
            rows.writerow((path.name, _as_cell(credential.recipient_name), _as_cell(email)))
            progress(1)
    index_path = folder / f"index-batch-{batch.id}.csv"
    # The mark makes spreadsheets read it as UTF-8.
    _write_file(index_path, index.getvalue().encode("utf-8-sig"))
    return index_path


def prepare_folder(folder: Path) -> None:
    """Make a folder for files, and see that files can be written there, before anything is issued.

    Raises:
        ConflictError: They cannot.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".credanchor-{secrets.token_hex(8)}"
        probe.touch(mode=0o600, exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ConflictError(f"no files can be written to {folder}: {error.strerror}") from error


def file_name(credential: CredentialRecord, size: int) -> str:
    """Name a credential's file: its place in the batch, from 1, and its UUID."""
    return f"{credential.leaf_index + 1:0{max(4, len(str(size)))}}-{credential.uuid}.json"


def credential_files(connection: Connection, batch: BatchRecord) -> Iterator[tuple[CredentialRecord, bytes]]:
    """Give a batch's credentials as files, in leaf order: canonical bytes with the anchor proof put in.

    Raises:
        StoreError: A credential is not the one that was sealed: somebody altered the database.
    """
    levels = read_levels(connection, batch.id)
    shapes = {has_email: CredentialTemplate(text) for has_email, text in read_templates(connection, batch.id).items()}
    for credential in iterate_credentials(connection, batch.id):
        canonical = shapes[credential.recipient_email is not None].fill(_values(credential))
        inclusion = prove_inclusion(levels, credential.leaf_index)
        leaf = leaf_hash(credential_hash(canonical), credential.salt, credential.position)
        try:
            check_inclusion(leaf, inclusion, batch.root)
        except InclusionError as error:
            raise StoreError(
                f"credential {credential.uuid} in the database is not the one that was sealed in batch {batch.id}",
                advice="The database was altered: restore it from a backup.",
            ) from error
        member = anchor_proof_member(anchor_proof(batch, credential, inclusion))
        # The canonical bytes are an object with members; whether `proof` stands last matters to nobody.
        yield credential, b'%b,"proof":[%b]}\n' % (canonical[:-1], json.dumps(member, separators=(",", ":")).encode())


def anchor_proof(batch: BatchRecord, credential: CredentialRecord, proof: InclusionProof) -> AnchorProof:
    """Build a credential's anchor proof."""
    return AnchorProof(
        registry=batch.issuer.registry,
        issuer_id=batch.issuer.issuer_id,
        root=batch.root,
        salt=credential.salt,
        inclusion=proof,
    )


def _values(credential: CredentialRecord) -> CredentialValues:
    return CredentialValues(
        id=credential.uuid.urn,
        name=credential.recipient_name,
        email=credential.recipient_email,
        email_salt="" if credential.email_salt is None else credential.email_salt.hex(),
        position=credential.position,
    )


def _require_anchored(batch: BatchRecord) -> None:
    if batch.state is not BatchState.ANCHORED:
        raise ConflictError(
            f"batch {batch.id} is not anchored yet: its credentials would not verify",
            advice=f"Go on with `credanchor issue --resume {batch.id}`.",
        )


def _write_file(path: Path, content: bytes) -> None:
    """Write whole or not at all, and never over other content."""
    try:
        if path.exists():
            if path.read_bytes() == content:
                return
            raise ConflictError(f"there is another file {path}", advice="Choose another folder with --out.")
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor carries the permissions
                file.write(content)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConflictError(f"the file {path} cannot be written: {error.strerror}") from error


def _as_cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
