import csv
import json
import os
from pathlib import Path

import pytest

from registry.errors import ConflictError
from registry.services.files import write_batch
from registry.services.outlets import prepare_outlet
from registry.services.recipient import Recipient
from registry.store.batches import move_batch
from registry.store.engine import Store
from registry.store.records import BatchRecord, BatchState
from tests.support.registry import frame_of, recipients_of, seal


def anchored(store: Store, recipients: list[Recipient]) -> BatchRecord:
    batch = seal(store, frame_of(), recipients)
    with store.writing() as connection:
        move_batch(connection, batch, BatchState.ANCHORED, anchored_at=9)
    return batch


def test_a_file_each_and_an_index(store: Store, tmp_path: Path) -> None:
    batch, out = anchored(store, recipients_of(12)), tmp_path / "a" / "out"
    seen: list[int] = []
    index = write_batch(store, batch.id, prepare_outlet(out), progress=seen.append)
    files = sorted(out.glob("*.json"))
    assert len(files) == len(seen) == 12
    assert index == out / f"index-batch-{batch.id}.csv"
    rows = list(csv.DictReader(index.read_text("utf-8-sig").splitlines()))
    assert [row["file"] for row in rows] == [file.name for file in files]
    for row in rows:
        content = json.loads((out / row["file"]).read_bytes())
        assert content["credentialSubject"]["identifier"][0]["identityHash"] == row["name"]
        assert row["file"].endswith(f"-{content['id'].removeprefix('urn:uuid:')}.json")
        assert row["name"].split()[0] not in row["file"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in [*files, index, out])
    assert not list(out.glob(".*"))


def test_writing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    batch = anchored(store, recipients_of(3))
    write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
    write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()} == before


def test_what_was_lost_is_written_again(store: Store, tmp_path: Path) -> None:
    batch = anchored(store, recipients_of(3))
    write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))
    lost = next((tmp_path / "out").glob("*.json"))
    content = lost.read_bytes()
    lost.unlink()
    write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))
    assert lost.read_bytes() == content


def test_other_files_are_never_written_over(store: Store, tmp_path: Path) -> None:
    batch, out = anchored(store, recipients_of(3)), tmp_path / "out"
    write_batch(store, batch.id, prepare_outlet(out))
    changed = next(out.glob("*.json"))
    changed.write_bytes(b"mine")
    with pytest.raises(ConflictError, match="another file"):
        write_batch(store, batch.id, prepare_outlet(out))
    assert changed.read_bytes() == b"mine"


def test_batches_may_share_a_folder(store: Store, tmp_path: Path) -> None:
    for count in (2, 3):
        write_batch(store, anchored(store, recipients_of(count)).id, prepare_outlet(tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.json"))) == 5
    assert len(list((tmp_path / "out").glob("*.csv"))) == 2


def test_no_files_before_the_batch_is_anchored(store: Store, tmp_path: Path) -> None:
    batch = seal(store, frame_of(), recipients_of(2))
    with pytest.raises(ConflictError, match="not anchored yet"):
        write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))


def test_cells_that_spreadsheets_would_execute(store: Store, tmp_path: Path) -> None:
    batch = anchored(store, [Recipient(name="-Ana", email="+a@example.org")])
    index = write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))
    assert "'-Ana,'+a@example.org" in index.read_text("utf-8-sig")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConflictError, match="no files can be written"):
        prepare_outlet(tmp_path / "file" / "out")


def test_a_disk_that_fails_leaves_no_draft(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Path, _target: Path) -> Path:
        raise OSError(28, os.strerror(28))

    batch = anchored(store, recipients_of(1))
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ConflictError, match="No space left"):
        write_batch(store, batch.id, prepare_outlet(tmp_path / "out"))
    assert list((tmp_path / "out").iterdir()) == []
