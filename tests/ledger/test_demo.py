"""Demo credentials: issued once, and gone on with where it broke off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from registry.services.demo import ACHIEVEMENT, ensure_demo
from registry.services.issue import seal_batch
from registry.services.spool import RecipientSpool
from registry.store.erasure import erase_credentials
from registry.store.pages import page_of_batches, page_of_credentials
from registry.store.records import BatchState
from tests.ledger.chain import DID, Chain
from tests.support.databases import Database
from tests.support.office import Office
from tests.support.registry import APPROVALS, NOW, frame_of, recipients_of


def test_demo_credentials_are_issued_once(chain: Chain, tmp_path: Path, sqlite_database: Database) -> None:
    office = Office(chain=chain, folder=tmp_path, database=sqlite_database, client=chain.client)
    frame = frame_of(ACHIEVEMENT, registry=chain.registry, issuer_id=chain.issuer_id)
    frame = replace(frame, issuer=replace(frame.issuer, did=DID))
    # It broke off after sealing.
    seal_batch(office.store, frame, RecipientSpool.of(recipients_of(2)), approvals=APPROVALS)
    first = ensure_demo(office.store, frame, APPROVALS, office.anchoring(), now=NOW)
    assert ensure_demo(office.store, frame, APPROVALS, office.anchoring(), now=NOW) == first
    with office.store.reading() as connection:
        (batch,) = page_of_batches(connection, before=None, limit=10)
        uuids = [each.uuid for each in page_of_credentials(connection, after=None, limit=10)]
    assert batch.state is BatchState.ANCHORED
    assert first in uuids
    with office.store.writing() as connection:
        erase_credentials(connection, uuids, now=NOW)
    assert ensure_demo(office.store, frame, APPROVALS, office.anchoring(), now=NOW) is None
