import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anchor.errors import CredentialFormatError
from registry.errors import StoreError
from registry.services import helpers, spool
from registry.services.helpers import Helpers, fill_all, start_helpers
from registry.services.recipient import Recipient
from registry.services.spool import RecipientSpool
from registry.services.stored import credential_files
from registry.store.batches import move_batch
from registry.store.engine import Store
from registry.store.records import BatchState
from tests.support.registry import NOW, frame_of, recipients_of, seal


def test_helpers_do_what_is_otherwise_done_here(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "HELPERS_FROM", 1)
    monkeypatch.setattr(spool, "PARTITION_SIZE", 20)
    recipients = recipients_of(300)
    recipients[5] = recipients[5]._replace(result="92 %", valid_until=NOW + 9)
    batch = seal(store, frame_of(), recipients)
    with store.writing() as connection:
        move_batch(connection, batch, BatchState.ANCHORED, anchored_at=9)
        # Each file is checked against the root when it is made.
        files = list(credential_files(connection, batch))
    assert sorted(each.recipient_name for each, _ in files) == sorted(each.name for each in recipients)
    assert [each.leaf_index for each, _ in files] == list(range(300))


@pytest.mark.parametrize("module", ["no.such.module", "this"], ids=["no such program", "noise instead of an answer"])
def test_a_helper_that_dies_is_said(store: Store, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setattr(helpers, "HELPERS_FROM", 1)
    monkeypatch.setattr(helpers, "_COMMAND", (sys.executable, "-m", module))
    with pytest.raises(StoreError, match="was ended; nothing was kept"):
        seal(store, frame_of(), recipients_of(10))
    with store.reading() as connection:
        assert connection.plain.exec_driver_sql("SELECT count(*) FROM batches").scalar() == 0


def test_what_a_helper_refuses_is_what_is_said() -> None:
    with Helpers(frame_of()) as crew, pytest.raises(CredentialFormatError, match="noncharacter"):
        list(crew.fill(RecipientSpool.of([Recipient("Zoé \ufdd0")]).partitions(), 0))


def test_helpers_that_were_started_before_are_taken(store: Store) -> None:
    with start_helpers(frame_of(), 10**9) as crew:
        assert crew is not None
        assert seal(store, frame_of(), recipients_of(30), helpers=crew).size == 30
    with start_helpers(frame_of(), 1000) as none:
        assert none is None


def test_partitions_are_read_only_as_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PARTITION_SIZE", 1)
    read: list[int] = []
    partitions = RecipientSpool.of(recipients_of(200)).partitions()
    watched = (read.append(each.size) or each for each in partitions)  # type: ignore[func-returns-value]
    filled = fill_all(frame_of(), watched, 200, 0)
    next(filled)
    assert len(read) == 1


STEPWISE = """
import sys
from registry.services import helpers
from registry.services.helpers import fill_all
from registry.services.spool import RecipientSpool
from tests.support.registry import frame_of, recipients_of

if __name__ == "__main__":
    helpers.HELPERS_FROM = 1
    filled = fill_all(frame_of(), RecipientSpool.of(recipients_of(90_000)).partitions(), 90_000, 0)
    done = len(next(filled).rows)
    print("started", flush=True)
    sys.stdin.readline()
    print(done + sum(len(partition.rows) for partition in filled), flush=True)
"""


@contextmanager
def stepwise(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A process that has begun to fill, and waits for a line before it goes on; and its helpers."""
    (tmp_path / "stepwise.py").write_text(STEPWISE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, str(tmp_path / "stepwise.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        helpers = _children_of(process.pid)
        assert helpers
        yield process, helpers


def test_helpers_end_with_a_killed_process(tmp_path: Path) -> None:
    with stepwise(tmp_path) as (process, helpers):
        process.kill()
    until = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in helpers):
        assert time.monotonic() < until, "helpers are still there"
        time.sleep(0.05)


def test_an_interrupt_of_the_terminal_is_for_the_process_alone(tmp_path: Path) -> None:
    """Ctrl-C goes to the process group in the foreground."""
    with stepwise(tmp_path) as (process, helpers):
        assert os.getpgid(process.pid) not in {os.getpgid(pid) for pid in helpers}
        assert process.communicate(b"\n", timeout=60)[0] == b"90000\n"


def _children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found
