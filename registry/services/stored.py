"""A batch as it is stored: canonical bytes again, files with anchor proofs, and whether all of it leads to the root.

Upholds: what comes out is what was sealed, to the byte, or an error: whoever can write to the database cannot change
what is given to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from anchor.canonical import credential_hash, leaf_hash
from anchor.errors import InclusionError
from anchor.merkle import HASH_BYTES, build_levels, check_inclusion, prove_inclusion
from anchor.model import AnchorProof, InclusionProof
from anchor.proof import anchor_proof_member
from registry.errors import StoreError
from registry.services.credentials import CredentialValues
from registry.services.recipient import recipient_from
from registry.services.template import CredentialTemplate, shape_of
from registry.store.batches import iterate_credentials, prove, read_levels, read_templates
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.records import BatchId, BatchRecord, CredentialRecord

_PROVEN_ONE_BY_ONE: Final = 50
"""Reading the tree's chunks for as many takes as long as reading all of a batch of a million."""

_RESTORE_ADVICE: Final = "The database was altered: restore it from a backup."


def credential_files(connection: InstitutionConnection, batch: BatchRecord) -> Iterator[tuple[CredentialRecord, bytes]]:
    """Give a batch's credentials as files, in leaf order: canonical bytes with the anchor proof put in.

    Those of people who were erased are left out: nothing can be made for them any more.

    Raises:
        StoreError: A credential is not the one that was sealed: somebody altered the database.
    """
    levels = read_levels(connection, batch.id)
    for credential, canonical in _canonical_credentials(connection, batch.id):
        yield credential, _file(batch, credential, canonical, prove_inclusion(levels, credential.leaf_index))


def credential_file(connection: InstitutionConnection, batch: BatchRecord, credential: CredentialRecord) -> bytes:
    """Give one credential as a file, without reading all of its batch.

    Args:
        connection: From `Store.reading`.
        batch: Its batch.
        credential: Not erased.

    Raises:
        StoreError: It is not the one that was sealed: somebody altered the database.
    """
    canonical = _canonical(_templates(connection, batch.id), credential)
    return _file(batch, credential, canonical, prove(connection, batch, credential.leaf_index))


def check_credentials(
    connection: InstitutionConnection, batch: BatchRecord, credentials: Sequence[CredentialRecord]
) -> None:
    """Check that credentials of a batch are what was sealed, where it was sealed, but for those erased.

    Raises:
        StoreError: One is not: somebody altered the database.
    """
    templates = _templates(connection, batch.id)
    # For a few, some chunks of the tree; for many, all of it at once.
    levels = read_levels(connection, batch.id) if len(credentials) > _PROVEN_ONE_BY_ONE else None
    for credential in credentials:
        if not credential.is_erased:
            index = credential.leaf_index
            inclusion = prove(connection, batch, index) if levels is None else prove_inclusion(levels, index)
            _check_included(batch, credential, _canonical(templates, credential), inclusion)


def anchor_proof(batch: BatchRecord, credential: CredentialRecord, proof: InclusionProof) -> AnchorProof:
    """Build a credential's anchor proof."""
    return AnchorProof(
        registry=batch.issuer.registry,
        issuer_id=batch.issuer.issuer_id,
        root=batch.root,
        salt=credential.salt,
        inclusion=proof,
    )


def check_derived(store: Store, batch: BatchRecord) -> None:
    """Derive a batch's root anew from the stored rows and templates, and compare.

    Raises:
        StoreError: They do not lead to the root: somebody altered the database.
    """
    with store.reading() as connection:
        leaves = bytearray()
        for credential, canonical in _canonical_credentials(connection, batch.id):
            leaves += leaf_hash(credential_hash(canonical), credential.salt, credential.position)
        levels = read_levels(connection, batch.id)
    if len(leaves) != batch.size * HASH_BYTES or build_levels(bytes(leaves)) != levels or levels[-1] != batch.root:
        raise StoreError(
            f"what the database holds of batch {batch.id} does not lead to its root", advice=_RESTORE_ADVICE
        )


def _canonical_credentials(
    connection: InstitutionConnection, batch: BatchId
) -> Iterator[tuple[CredentialRecord, bytes]]:
    """Give a batch's credentials with their canonical bytes, in leaf order, but for those erased."""
    templates = _templates(connection, batch)
    for credential in iterate_credentials(connection, batch):
        if not credential.is_erased:
            yield credential, _canonical(templates, credential)


def _templates(connection: InstitutionConnection, batch: BatchId) -> dict[int, CredentialTemplate]:
    return {shape: CredentialTemplate(text) for shape, text in read_templates(connection, batch).items()}


def _canonical(templates: Mapping[int, CredentialTemplate], credential: CredentialRecord) -> bytes:
    recipient = recipient_from(credential.recipient_name, credential.recipient_email, credential.details)
    template = templates.get(shape_of(recipient))
    if template is None:
        raise StoreError(
            f"credential {credential.uuid} in the database has members that nothing of batch {credential.batch} has",
            advice=_RESTORE_ADVICE,
        )
    email_salt = "" if credential.email_salt is None else credential.email_salt.hex()
    return template.fill(CredentialValues(credential.uuid.urn, recipient, email_salt, credential.position))


def _file(batch: BatchRecord, credential: CredentialRecord, canonical: bytes, inclusion: InclusionProof) -> bytes:
    _check_included(batch, credential, canonical, inclusion)
    member = anchor_proof_member(anchor_proof(batch, credential, inclusion))
    # The canonical bytes are an object with members; whether `proof` stands last matters to nobody.
    return b'%b,"proof":[%b]}\n' % (canonical[:-1], json.dumps(member, separators=(",", ":")).encode())


def _check_included(
    batch: BatchRecord, credential: CredentialRecord, canonical: bytes, inclusion: InclusionProof
) -> None:
    leaf = leaf_hash(credential_hash(canonical), credential.salt, credential.position)
    try:
        check_inclusion(leaf, inclusion, batch.root)
    except InclusionError as error:
        raise StoreError(
            f"credential {credential.uuid} in the database is not the one that was sealed in batch {batch.id}",
            advice=_RESTORE_ADVICE,
        ) from error
