"""What is an institution's own among batches, credentials and issuers, as parts of queries.

A batch names its issuer, and an issuer its institution: here alone it is said how that is asked for.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, ScalarSelect, Select, select

from registry.store.connection import InstitutionConnection
from registry.store.records import BatchId, IssuerRef
from registry.store.tables import batches, issuers


def of_institution(connection: InstitutionConnection) -> ColumnElement[bool]:
    """Say that an issuer, which the query has joined, is the institution's."""
    return issuers.c.institution_ref == connection.institution


def own_batches(connection: InstitutionConnection) -> Select[int]:
    """Give the numbers of all batches of the institution."""
    joined = select(batches.c.id).join(issuers, issuers.c.id == batches.c.issuer_ref)
    return joined.where(of_institution(connection))


def is_in_own_batch(connection: InstitutionConnection, batch: ColumnElement[int]) -> ColumnElement[bool]:
    """Say of a column with a batch's number that the batch is the institution's; looked up row by row, by key."""
    return own_batches(connection).where(batches.c.id == batch).correlate_except(batches, issuers).exists()


def own_batch(connection: InstitutionConnection, batch: BatchId) -> ScalarSelect[int]:
    """Give a batch's number, if the batch is the institution's; otherwise nothing equals it."""
    return own_batches(connection).where(batches.c.id == batch).scalar_subquery()


def own_issuer(connection: InstitutionConnection, issuer: IssuerRef) -> ScalarSelect[int]:
    """Give an issuer's number, if the issuer is the institution's; otherwise nothing equals it."""
    return select(issuers.c.id).where(issuers.c.id == issuer.id, of_institution(connection)).scalar_subquery()
