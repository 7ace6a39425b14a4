"""Institutions: the operator's functions on a plain connection, an institution's own on an `InstitutionConnection`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from anchor.model import RegistryId
from registry.errors import ConflictError, NotFoundError
from registry.store.bulk import insert_if_new
from registry.store.connection import HOME, InstitutionConnection, InstitutionId
from registry.store.service_tables import audit_chains
from registry.store.tables import institutions

NO_HASH: Final = bytes(32)
"""Where an audit chain begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionDetails:
    """What is said of an institution; None where it is not settled yet."""

    name: str
    did: str | None = None
    url: str | None = None
    registry: RegistryId | None = None
    issuer_id: int | None = None
    anchor_key: str | None = None
    """A key file or a remote signer's key, as in the settings; never a key itself."""
    status_key: str | None = None
    public_url: str | None = None
    monthly_gas_budget_wei: int | None = None
    """What its transactions may cost in a calendar month (UTC); None: no limit."""
    is_relayed: bool = False
    """Whether its keys only sign, and the operator's account sends and pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionRecord:
    """An institution of this database."""

    id: InstitutionId
    code: str
    details: InstitutionDetails
    created_at: int
    closed_at: int | None
    """Since when it issues nothing and changes nothing more; what it issued is still shown."""


def add_institution(
    connection: Connection, *, code: str, details: InstitutionDetails, created_at: int
) -> InstitutionRecord:
    """Keep a new institution.

    Raises:
        ConflictError: The code is taken, or the issuer of that registry is another institution's.
    """
    _require_free_issuer(connection, None, details)
    row = insert_if_new(connection, institutions, {"code": code, "created_at": created_at, **_values(details)})
    if row is None:
        raise ConflictError(
            f"there is an institution {code} already, or another one has its issuer", advice="Choose another code."
        )
    connection.execute(insert(audit_chains).values(institution_ref=row.id, length=0, head=NO_HASH))
    return _record(row)


def change_institution(connection: Connection, institution: InstitutionId, details: InstitutionDetails) -> None:
    """Say something else of an institution.

    Raises:
        NotFoundError: There is none of this number.
        ConflictError: The issuer is another institution's.
    """
    _require_free_issuer(connection, institution, details)
    row = update(institutions).where(institutions.c.id == institution).values(_values(details))
    _require_one(connection.execute(row).rowcount, institution)


def close_institution(connection: Connection, institution: InstitutionId, *, now: int) -> None:
    """Note that an institution issues and changes nothing more.

    Raises:
        NotFoundError: There is none of this number, or it is closed already.
    """
    row = update(institutions).where(institutions.c.id == institution, institutions.c.closed_at.is_(None))
    _require_one(connection.execute(row.values(closed_at=now)).rowcount, institution)


def get_institution(connection: Connection, institution: InstitutionId) -> InstitutionRecord:
    """Look up an institution by its number.

    Raises:
        NotFoundError: There is none of this number.
    """
    row = connection.execute(select(institutions).where(institutions.c.id == institution)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no institution {institution}")
    return _record(row)


def find_institution(connection: Connection, code: str) -> InstitutionRecord:
    """Look up an institution by its code.

    Raises:
        NotFoundError: There is none of this code.
    """
    row = connection.execute(select(institutions).where(institutions.c.code == code)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no institution {code}")
    return _record(row)


def list_institutions(connection: Connection) -> tuple[InstitutionRecord, ...]:
    """List the institutions that the operator added, by code; the home folder's is not among them."""
    rows = connection.execute(select(institutions).where(institutions.c.id != HOME))
    # Not the database's order, which depends on its language.
    return tuple(sorted(map(_record, rows), key=lambda record: record.code))


def page_of_institutions(connection: Connection, *, after: int, limit: int) -> tuple[InstitutionRecord, ...]:
    """List all institutions, the home folder's too, in the order in which they were added, after a number."""
    statement = select(institutions).where(institutions.c.id > after).order_by(institutions.c.id).limit(limit)
    return tuple(map(_record, connection.execute(statement)))


def own_institution(connection: InstitutionConnection) -> InstitutionRecord:
    """Look up the institution that the connection is for."""
    return get_institution(connection.plain, connection.institution)


def lock_institution(connection: InstitutionConnection) -> None:
    """Wait until nobody else does for this institution what is done under this lock; held until the transaction ends.

    (In SQLite whoever writes is alone anyway.)
    """
    row = select(institutions.c.id).where(institutions.c.id == connection.institution)
    connection.execute(row.with_for_update(key_share=True))


def _require_free_issuer(
    connection: Connection, institution: InstitutionId | None, details: InstitutionDetails
) -> None:
    if details.registry is None or details.issuer_id is None:
        return
    statement = select(institutions.c.id).where(
        institutions.c.registry == details.registry.to_text(), institutions.c.issuer_id == details.issuer_id
    )
    taken = connection.execute(statement).scalar()
    if taken not in {None, institution}:
        raise ConflictError(f"issuer {details.issuer_id} of this registry is another institution's")


def _require_one(count: int, institution: InstitutionId) -> None:
    if count != 1:
        raise NotFoundError(f"there is no institution {institution}, or it is closed")


def _values(details: InstitutionDetails) -> dict[str, Any]:
    budget = details.monthly_gas_budget_wei
    return {
        "name": details.name,
        "did": details.did,
        "url": details.url,
        "registry": None if details.registry is None else details.registry.to_text(),
        "issuer_id": details.issuer_id,
        "anchor_key": details.anchor_key,
        "status_key": details.status_key,
        "public_url": details.public_url,
        "monthly_gas_budget_wei": None if budget is None else str(budget),
        "is_relayed": details.is_relayed,
    }


def _record(row: Row[Any]) -> InstitutionRecord:
    return InstitutionRecord(
        id=InstitutionId(row.id),
        code=row.code,
        details=InstitutionDetails(
            name=row.name,
            did=row.did,
            url=row.url,
            registry=None if row.registry is None else RegistryId.parse(row.registry),
            issuer_id=row.issuer_id,
            anchor_key=row.anchor_key,
            status_key=row.status_key,
            public_url=row.public_url,
            monthly_gas_budget_wei=None if row.monthly_gas_budget_wei is None else int(row.monthly_gas_budget_wei),
            is_relayed=row.is_relayed,
        ),
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
