"""Institutions of a service's database, for tests that need two of them."""

from __future__ import annotations

from registry.store.connection import InstitutionId
from registry.store.engine import Store
from registry.store.institutions import InstitutionDetails, add_institution
from tests.support.registry import NOW, REGISTRY


def add(store: Store, code: str, *, issuer_id: int | None = None) -> InstitutionId:
    """Keep an institution, with an issuer's number or none so far."""
    details = InstitutionDetails(
        name=f"College {code}", registry=None if issuer_id is None else REGISTRY, issuer_id=issuer_id
    )
    with store.operator_writing() as connection:
        return add_institution(connection, code=code, details=details, created_at=NOW).id
