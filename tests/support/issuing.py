"""Credentials for tests that need a real ledger and no issuer's database."""

from __future__ import annotations

from typing import Any

from anchor.canonical import canonicalize, credential_hash, leaf_hash
from anchor.identity import email_identity, name_identity
from anchor.merkle import build_levels, prove_inclusion
from anchor.model import AnchorProof, Hash32, RegistryId, StatusPosition, hash32
from anchor.proof import anchor_proof_member
from anchor.status import CredentialStatus, status_entries


def make_batch(
    registry: RegistryId,
    issuer_id: int,
    did: str,
    names: list[str],
    *,
    status_list: int = 0,
    first_index: int = 0,
    issuer_name: str = "Borealis College",
    achievement: str = "Data literacy",
    emails: list[str] | None = None,
    **members: Any,
) -> tuple[Hash32, list[dict[str, Any]]]:
    """Make a batch of credentials, one for each name, status index by place; give its root and the credentials.

    Args:
        registry: Where it will be anchored.
        issuer_id: By whom.
        did: The issuer's DID.
        names: The holders'.
        status_list: Number of the status list.
        first_index: Status index of the first credential; the others follow.
        issuer_name: As the credentials state it.
        achievement: What they are for.
        emails: The holders' addresses, stated as salted hashes; default: none are stated.
        members: Added to each credential, or in the place of its own.
    """
    bodies, leaves = [], []
    for index, name in enumerate(names):
        position = StatusPosition(status_list=status_list, index=first_index + index)
        identities = [name_identity(name)]
        if emails is not None:
            identities.append(email_identity(emails[index], f"salt {index}"))
        status = CredentialStatus(registry=registry, issuer_id=issuer_id, position=position)
        body = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": f"urn:uuid:00000000-0000-4000-8000-{index:012}",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": achievement,
            "issuer": {"id": did, "type": ["Profile"], "name": issuer_name},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"type": ["AchievementSubject"], "identifier": identities},
            "credentialStatus": status_entries(status, "https://registry.example"),
            **members,
        }
        bodies.append(body)
        leaves.append(leaf_hash(credential_hash(canonicalize(body)), _salt(index), position))
    levels = build_levels(b"".join(leaves))
    root = Hash32(levels[-1])
    documents = []
    for index, body in enumerate(bodies):
        proof = AnchorProof(
            registry=registry,
            issuer_id=issuer_id,
            root=root,
            salt=_salt(index),
            inclusion=prove_inclusion(levels, index),
        )
        documents.append({**body, "proof": [anchor_proof_member(proof)]})
    return root, documents


def _salt(index: int) -> Hash32:
    return hash32(index.to_bytes(32, "big"))
