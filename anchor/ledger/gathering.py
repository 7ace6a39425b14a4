"""Gather everything that a policy wants to know of credentials: state proofs from nodes, DID documents from issuers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from anchor.credential import Credential
from anchor.evidence import Evidence
from anchor.ledger.client import clients_of
from anchor.ledger.collect import collect_evidence
from anchor.ledger.documents import collect_documents
from anchor.model import Policy


def gather_evidence(credentials: Iterable[Credential], policy: Policy) -> Evidence:
    """Ask the policy's nodes, once for all credentials, and issuers' servers only if the policy says so.

    Nobody is asked about a registry that the policy does not trust, nor about an issuer whom it denies.

    Args:
        credentials: Any number; those of one batch and list share their proofs.
        policy: Names the nodes and the registries trusted.

    Returns:
        What was had, and why the rest was not; nothing that a node or server does is raised.

    Raises:
        PolicyFormatError: The policy's nodes cannot be asked: an address is none, or two of them are the same.
    """
    asked = [each for each in credentials if any(policy.pin_of(request.proof.registry) for request in each.requests)]
    if not asked:
        return Evidence()
    requests = [request for each in asked for request in each.requests]
    evidence = collect_evidence(clients_of(policy), requests, policy)
    if not policy.require_did_document:
        return evidence
    issuers = {each.issuer_did for each in asked} - policy.denied_issuers
    return replace(evidence, did_documents=collect_documents(issuers))
