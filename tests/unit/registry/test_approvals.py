from pathlib import Path

import pytest
from sqlalchemy import Executable, LargeBinary, cast, delete, update

from anchor.model import ZERO_HASH
from registry.errors import NotPermittedError, SettingsError, StoreError
from registry.services.approvals import Approvals, load_approvals
from registry.store.batches import get_batch
from registry.store.engine import Store
from registry.store.records import BatchRecord
from registry.store.tables import batches, credentials, templates, tree_chunks
from tests.support.registry import APPROVALS, frame_of, recipients_of, seal


def later() -> Approvals:
    """The same key in another process."""
    return Approvals(APPROVALS._key)


def changed(store: Store, batch: BatchRecord, statement: Executable) -> BatchRecord:
    with store.writing() as connection:
        connection.execute(statement)
        return get_batch(connection, batch.id)


def test_what_was_sealed_is_approved(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(9))
    APPROVALS.require(store, batch)
    later().require(store, batch)


def test_another_key_has_not_approved_it(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(3))
    with pytest.raises(NotPermittedError, match="not approved on this machine"):
        Approvals(bytes(32)).require(store, batch)


@pytest.mark.parametrize(
    "values", [{"root": bytes(range(32))}, {"size": 4}, {"approval": bytes(32)}, {"approval": None}], ids=str
)
def test_a_batch_that_was_altered_is_not_approved(store: Store, values: dict[str, object]) -> None:
    batch = changed(store, seal(store, frame_of(), recipients_of(3)), update(batches).values(**values))
    with pytest.raises(NotPermittedError):
        later().require(store, batch)


def test_a_batch_moved_to_another_issuer_is_not_approved(store: Store) -> None:
    batch = seal(store, frame_of(), recipients_of(3))
    other = seal(store, frame_of(issuer_id=2), recipients_of(4))
    moved = changed(store, batch, update(batches).where(batches.c.id == batch.id).values(issuer_ref=other.issuer.id))
    with pytest.raises(NotPermittedError):
        later().require(store, moved)


@pytest.mark.parametrize(
    "statement",
    [
        update(credentials).where(credentials.c.leaf_index == 1).values(recipient_name="Mallory"),
        update(credentials).where(credentials.c.leaf_index == 1).values(salt=bytes(32)),
        update(credentials).where(credentials.c.leaf_index == 1).values(details='["did:x"]'),
        delete(credentials).where(credentials.c.leaf_index == 2),
        update(templates).values(text=b"{}"),
        update(templates).values(text=cast(templates.c.text.op("||")(b"%d"), LargeBinary)),
        update(templates).values(text=cast(templates.c.text.op("||")(b"%(license_number)b"), LargeBinary)),
        update(templates).values(text=cast(templates.c.text.op("||")(b" "), LargeBinary)),
        update(tree_chunks).where(tree_chunks.c.level == 1).values(nodes=ZERO_HASH * 2),
        update(batches).values(first_position=0),
    ],
    ids=["name", "salt", "shape", "row", "no template", "format", "slot", "template", "tree", "positions"],
)
def test_what_was_slipped_in_is_found_before_anything_is_signed(store: Store, statement: Executable) -> None:
    batch = changed(store, seal(store, frame_of(), recipients_of(4)), statement)
    with pytest.raises(StoreError, match=r"does not lead to its root|members that nothing|not made for"):
        later().require(store, batch)


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    load_approvals(tmp_path)
    path = tmp_path / "approval.key"
    key = path.read_bytes()
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    load_approvals(tmp_path)
    assert path.read_bytes() == key
    assert [each.name for each in tmp_path.iterdir()] == ["approval.key"]


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "approval.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match="is damaged"):
        load_approvals(tmp_path)
    with pytest.raises(SettingsError, match="cannot be used: No such file"):
        load_approvals(tmp_path / "absent")
