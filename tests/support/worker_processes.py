"""Workers as processes of their own, with a service of their own, killed or suspended at a point of their work."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from eth_account import Account

from anchor.ledger import contract, keys, transactions
from anchor.ledger.rpc import RpcNode
from anchor.ledger.testnet import dev_signer
from registry.service_wiring import Service
from registry.services import issue as sealing
from registry.services import roster, roster_sealing, spool, worker
from registry.services.worker import Worker
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import JobRecord, JobState, list_jobs
from tests.support.mining import mining_first

_CONTEXT = multiprocessing.get_context("forkserver")
# Imported once, before it forks: seconds for each process otherwise.
_CONTEXT.set_forkserver_preload([__name__])
_LOADED = (contract, keys, transactions)

PASSPHRASE = "for tests"
LEASE_SECONDS = 30
NOW = 1_900_000_000

POINTS = {
    "claimed": "received",
    "validated": "validated",
    "filling": "validated",
    "keeping": "validated",
    "sealed": "sealed",
    "signed": "signed",
    "sent": "sent",
    "mined": "mined",
}
"""Where a worker can be stopped, and in which state its job is then: after each is kept, and within long steps."""


def write_key(folder: Path, account: int) -> str:
    """Write a testnet key as a key file that is opened in no time; give its reference."""
    name = f"account-{account}"
    secret = dev_signer(account)._account.key
    content = Account.encrypt(secret, PASSPHRASE, kdf="pbkdf2", iterations=1)
    (folder / "keys").mkdir(exist_ok=True, mode=0o700)
    file = folder / "keys" / f"{name}.json"
    file.write_text(json.dumps(content))
    file.chmod(0o600)
    return f"keys/{name}.json"


def start(home: Path, *, now: int = NOW, stop_at: str | None = None, how: int = signal.SIGKILL) -> Running:
    """Start a worker process, which works until nothing is due.

    Args:
        home: The service's home folder.
        now: What its clock says.
        stop_at: One of `POINTS`; None: it is not stopped.
        how: Signal that it gets there.
    """
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(str(home), now, stop_at, how, theirs))
    process.start()
    theirs.close()
    return Running(process, ours)


def run(home: Path, *, now: int = NOW, stop_at: str | None = None) -> int:
    """Run a worker process to its end; give its exit code."""
    return start(home, now=now, stop_at=stop_at).wait()


class Running:
    """A worker process."""

    def __init__(self, process: BaseProcess, told: Connection) -> None:
        self._process = process
        self._told = told

    def wait_until_stopped(self) -> None:
        """Wait until it is where it was to be suspended."""
        assert self._told.recv() == "here"

    def go_on(self) -> None:
        """Let a suspended one go on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def wait(self) -> int:
        """Wait for its end; give its exit code."""
        self._process.join(60)
        code = self._process.exitcode
        assert code is not None
        return code


def _work(home: str, now: int, stop_at: str | None, how: int, told: Connection) -> None:
    logging.disable()
    os.environ["CREDANCHOR_PASSPHRASE"] = PASSPHRASE
    # Small pieces, each of them noted.
    roster.ROWS_BETWEEN = 2  # type: ignore[misc]
    spool.PARTITION_SIZE = 1  # type: ignore[misc]
    roster_sealing.NOTED_SECONDS = 0  # type: ignore[misc]

    def stop() -> None:
        told.send("here")
        os.kill(os.getpid(), how)

    if stop_at is not None:
        _prepare_to_stop(stop_at, stop)
    service = Service(Path(home), str)
    one = Worker(
        service.store,
        service.work_of,
        name=f"process {os.getpid()}",
        clock=lambda: now,
        lease_seconds=LEASE_SECONDS,
    )
    with mining_first(RpcNode(service.settings.rpc_url)):
        while one.work_once():
            pass
    service.store.close()


def _prepare_to_stop(point: str, stop: object) -> None:
    assert callable(stop)
    really_writing, really_working = Store.writing, Worker._work
    really_adding = sealing.add_credentials  # type: ignore[attr-defined]  # where it is called
    done = False

    def is_there(job: JobRecord) -> bool:
        if point == "filling":
            return job.state is JobState.VALIDATED and job.done > 0
        return job.state.value == point

    @contextmanager
    def writing(store: Store) -> Iterator[InstitutionConnection]:
        nonlocal done
        with really_writing(store) as connection:
            yield connection
            reached = any(is_there(job) for job in list_jobs(connection) if job.leased_by is not None)
        if reached and not done:
            done = True
            stop()

    def add_credentials(connection: InstitutionConnection, batch: object, rows: object) -> None:
        really_adding(connection, batch, rows)  # type: ignore[arg-type]
        stop()

    def work(self: Worker, job: JobRecord) -> None:
        stop()
        really_working(self, job)

    if point == "claimed":
        worker.Worker._work = work  # type: ignore[method-assign]
    elif point == "keeping":
        sealing.add_credentials = add_credentials  # type: ignore[attr-defined]
    else:
        Store.writing = writing  # type: ignore[method-assign, assignment]
