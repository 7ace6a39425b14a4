"""The local testnet: anvil as a background process whose chain survives a restart and a kill.

anvil writes its state once a second, into the file itself: a kill may lose the last second, or find the file half
written. So `save` keeps a second copy, written whole or not at all, and is called whenever a transaction was mined
(`TransactionSender(on_mined=…)`): what a command has reported as done is on disk. `up` starts from the newer of the
two that is whole and whose state proves, and says so when the last run was not ended by `down`.

Chain and keys are for trying things out: everybody knows the private keys of its accounts.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from anchor.errors import LedgerError, LedgerUnavailableError, UndeterminedError
from anchor.ledger.client import LedgerClient, ask_proofs
from anchor.ledger.keys import Signer
from anchor.ledger.rpc import RpcNode
from anchor.model import Address
from anchor.state_proof import check_account

CHAIN_ID: Final = 31337
DEFAULT_PORT: Final = 8545
DEV_ACCOUNT_COUNT: Final = 10

_HOST: Final = "127.0.0.1"
_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""anvil's own, known to everybody."""

_PROC: Final = Path("/proc")
"""Linux; elsewhere `ps` is asked."""
_PACKAGES: Final = "node_modules/@foundry-rs"
_READY_SECONDS: Final = 20.0
"""anvil starts in 0.1 s; a large state on a busy machine takes longer."""
_STOP_SECONDS: Final = 10.0
_PORT_SECONDS: Final = 0.5
"""A process that was killed keeps its port until the last of its threads has gone."""
_POLL_SECONDS: Final = 0.02
_DUMP_SECONDS: Final = 60.0
"""For saving a large chain: 20,000 transactions have some 80 MB of state."""
_SAVE_SECONDS: Final = 10.0
"""For a moment between two blocks, while somebody sends thousands of transactions."""
_LOG_SHOWN: Final = 300
"""Characters of anvil's own words that are repeated to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestnetStatus:
    """How the local testnet is."""

    __test__ = False  # for pytest: not a test, whatever its name

    running: bool
    url: str
    """Where it answers, or last did."""
    pid: int | None
    block_number: int | None
    """Newest block; None when it does not run."""
    notices: tuple[str, ...] = ()
    """What `up` found out about the last run, in plain words."""


class Testnet:
    """One local testnet in one folder: process, chain and log.

    Args:
        folder: Where its files are: `state.json`, `anvil-state.json`, `anvil.json`, `anvil.log`.
        binary: anvil itself (not npm's wrapper, which would leave it running); default: found by `find_anvil`.
    """

    __test__ = False

    def __init__(self, folder: Path, *, binary: Path | None = None) -> None:
        self._folder: Final = folder.absolute()
        self._binary: Final = binary
        self._saved: Final = self._folder / "state.json"
        self._dumped: Final = self._folder / "anvil-state.json"
        self._last_dumped: Final = self._folder / "anvil-state.last.json"
        self._record: Final = self._folder / "anvil.json"
        self._log: Final = self._folder / "anvil.log"

    def up(self, *, port: int | None = None) -> TestnetStatus:
        """Start it, or do nothing if it runs.

        Args:
            port: Port to listen on; 0: any free one; default: that of the last run, else `DEFAULT_PORT`.

        Raises:
            LedgerError: anvil is not installed, the port is taken, or the chain kept here cannot be loaded.
        """
        with self._alone():
            status = self.status()
            return status if status.running else self._up(port)

    def down(self) -> bool:
        """Save the chain and stop; tell whether it was running.

        Raises:
            LedgerError: It does not stop.
        """
        with self._alone():
            pid = self._pid()
            if pid is None:
                return False
            self._down(pid)
            return True

    def status(self) -> TestnetStatus:
        """Look whether it runs, and how far its chain is."""
        url, pid = self._url(), self._pid()
        number = _block_number(url) if pid is not None else None
        return TestnetStatus(running=pid is not None, url=url, pid=pid, block_number=number)

    def save(self) -> None:
        """Keep the chain on disk as it is now, whole or not at all.

        Raises:
            LedgerError: It does not run, or its state could not be read.
        """
        node = RpcNode(self._url(), timeout_seconds=_DUMP_SECONDS)
        deadline = time.monotonic() + _SAVE_SECONDS
        while True:
            before = node.read("eth_blockNumber", [])
            state = node.read("anvil_dumpState", [])
            # A block mined while anvil collected its state would leave a state that is not that of its newest block.
            if node.read("eth_blockNumber", []) == before:
                _write_whole(self._saved, _unpack_dump(state))
                return
            if time.monotonic() > deadline:
                raise LedgerUnavailableError(
                    "the local testnet mines too fast for its chain to be saved", advice="let it rest, and try again"
                )
            time.sleep(_POLL_SECONDS)

    def _up(self, port: int | None) -> TestnetStatus:
        binary = self._binary or find_anvil()
        url = _url(self._choose_port(port))
        was_killed = "pid" in self._read_record()
        states = self._whole_states()
        pid = self._start_from_first_good(binary, url, states)
        self.save()
        number = _block_number(url)
        return TestnetStatus(
            running=True, url=url, pid=pid, block_number=number, notices=_notices(was_killed, bool(states), number)
        )

    def _down(self, pid: int) -> None:
        with suppress(LedgerError, OSError):  # a full disk must not keep it running; anvil writes its own copy too
            self.save()
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._pid() is not None:
            if time.monotonic() > deadline:
                raise LedgerError(f"the local testnet, process {pid}, does not stop", advice=f"stop it: kill -9 {pid}")
            time.sleep(_POLL_SECONDS)
        with suppress(OSError):  # the next `up` takes a record of a process that is gone for what it is
            self._write_record({"url": self._url()})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from starting or stopping it meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, also by a crash
            yield

    def _choose_port(self, port: int | None) -> int:
        if port is None:
            port = urlsplit(self._url()).port
        if not port:
            return _free_port()
        deadline = time.monotonic() + _PORT_SECONDS
        while not _is_free(port):
            if time.monotonic() > deadline:
                raise LedgerError(
                    f"port {port} is taken by another program",
                    advice="stop that program, or choose another port with --port",
                )
            time.sleep(_POLL_SECONDS)
        return port

    def _whole_states(self) -> list[Path]:
        """Name the copies of the chain that are whole, the newest first; anvil's own is moved out of its way."""
        if self._dumped.exists():
            self._dumped.replace(self._last_dumped)
        blocks = {path: _newest_block_in(path) for path in (self._saved, self._last_dumped)}
        whole = [(number, path) for path, number in blocks.items() if number is not None]
        return [path for _, path in sorted(whole, key=lambda each: each[0], reverse=True)]

    def _start_from_first_good(self, binary: Path, url: str, states: list[Path]) -> int:
        for state in states[:-1]:
            with suppress(_DamagedStateError):
                return self._start(binary, url, state)
        return self._start(binary, url, states[-1] if states else None)

    def _start(self, binary: Path, url: str, state: Path | None) -> int:
        cache = self._folder / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        command = [str(binary), "--host", _HOST, "--port", str(urlsplit(url).port), "--chain-id", str(CHAIN_ID)]
        command += ["--mnemonic", _MNEMONIC, "--accounts", str(DEV_ACCOUNT_COUNT), "--cache-path", str(cache)]
        command += ["--dump-state", str(self._dumped), "--state-interval", "1", "--quiet"]
        if state is not None:
            command += ["--load-state", str(state)]
        pid = _spawn(command, self._log)
        try:
            self._write_record({"pid": pid, "started": _start_time(pid), "url": url})
            self._wait_until_ready(pid, url)
            self._check_state(url)
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._write_record({"url": url})
            raise
        return pid

    def _wait_until_ready(self, pid: int, url: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while _start_time(pid) is not None:
            if _block_number(url) is not None:
                return
            if time.monotonic() > deadline:
                raise LedgerError(
                    f"the local testnet is not ready after {_READY_SECONDS:g} s", advice=f"see {self._log}"
                )
            time.sleep(_POLL_SECONDS)
        said = " ".join(self._log.read_text(errors="replace").split())[:_LOG_SHOWN]
        failed = _DamagedStateError if "load" in said else LedgerError
        raise failed(f"the local testnet did not start: {said or 'no reason given'}", advice=f"see {self._log}")

    def _check_state(self, url: str) -> None:
        """Check that the state loaded is that of the newest block, for nothing could be proven otherwise."""
        client = LedgerClient(url)
        header, account = client.latest_block().header, Address(bytes(20))
        proof = client.ask_one(*ask_proofs(account, (), header.hash))
        try:
            check_account(header.state_root, account, proof.account_nodes)
        except UndeterminedError as error:
            raise _DamagedStateError(
                "the chain kept for the local testnet is damaged",
                advice=f"start anew: delete {self._folder} (everything on the local chain is lost)",
            ) from error

    def _url(self) -> str:
        return str(self._read_record().get("url", _url(DEFAULT_PORT)))

    def _pid(self) -> int | None:
        """Give the process started by `up`, if it still runs; a stale record, or a reused number, is none."""
        record = self._read_record()
        pid, started = record.get("pid"), record.get("started")
        return pid if isinstance(pid, int) and started is not None and _start_time(pid) == started else None

    def _read_record(self) -> dict[str, Any]:
        try:
            record = json.loads(self._record.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _write_record(self, record: dict[str, Any]) -> None:
        _write_whole(self._record, json.dumps(record).encode())


class _DamagedStateError(LedgerError):
    """A copy of the chain cannot be loaded."""


def dev_signer(index: int) -> Signer:
    """Give the key of one of the testnet's funded accounts, 0 to 9; everybody knows it."""
    from eth_account import Account

    if not 0 <= index < DEV_ACCOUNT_COUNT:
        raise ValueError(f"the local testnet has {DEV_ACCOUNT_COUNT} accounts, got index {index}")
    Account.enable_unaudited_hdwallet_features()
    return Signer(Account.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}"))


def find_anvil() -> Path:
    """Find anvil: on the PATH, or as installed by npm in a folder above this one or above the package.

    Raises:
        LedgerError: It is not installed.
    """
    for start in (Path.cwd(), Path(__file__).parent):
        for folder in (start, *start.parents):
            # The command of npm's package is a wrapper; the binary is in the package of the platform.
            for binary in sorted((folder / _PACKAGES).glob("anvil-*/bin/anvil")):
                if os.access(binary, os.X_OK):
                    return binary
    found = shutil.which("anvil")
    if found is None:
        raise LedgerError(
            "anvil, the program for the local testnet, is not installed",
            advice="install it with `npm ci` in the project's folder, or from getfoundry.sh",
        )
    return Path(found)


def _url(port: int) -> str:
    return f"http://{_HOST}:{port}"


def _block_number(url: str) -> int | None:
    try:
        return LedgerClient(url).latest_block().header.number
    except LedgerError:
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _spawn(command: list[str], log: Path) -> int:
    """Start a process of its own session, which outlives this one."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        return os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)
    except OSError as error:
        raise LedgerError(f"{command[0]} cannot be run: {error.strerror}", advice="reinstall it: npm ci") from error


def _start_time(pid: int) -> str | None:
    """Tell processes of the same number apart by when they started; None if there is no such process."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # if it ended and is ours, let it go
    if not _PROC.exists():
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
        return asked.stdout.strip() or None
    try:
        # After the name, which is in parentheses and may hold anything: state, then 18 fields, then the start time.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _notices(was_killed: bool, has_state: bool, number: int | None) -> tuple[str, ...]:
    if not was_killed:
        return ()
    kept = f"the chain goes on from block {number}" if has_state else "nothing was saved, so the chain starts anew"
    return (f"the local testnet was not stopped with `down`; {kept}. What no command had reported as done may be lost",)


def _unpack_dump(dump: object) -> bytes:
    try:
        return gzip.decompress(bytes.fromhex(str(dump).removeprefix("0x")))
    except (ValueError, OSError, EOFError) as error:
        raise LedgerUnavailableError("the local testnet's state cannot be read") from error


def _newest_block_in(path: Path) -> int | None:
    """Give the newest block's number in a state file; None if it is absent or not whole."""
    try:
        number = json.loads(path.read_bytes())["best_block_number"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else int(str(number), 16)


def _write_whole(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
