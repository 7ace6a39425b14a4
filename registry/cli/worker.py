"""`credanchor worker`: does the jobs of all institutions, until it is told to end."""

from __future__ import annotations

import signal
import threading
from typing import Final

from anchor.cli.output import error_console
from registry.cli.common import HomeOption, ask_passphrase
from registry.cli.threads import beside

HELP: Final = """Do what institutions gave the service to do: issue to rosters, change status, tell webhooks.

`credanchor serve` does it as well, unless it is told not to: --no-worker. Any number of workers may share one database;
each needs the same home folder, with keys, approval.key and service.key. One that is killed does no harm: another one
goes on.

On SIGTERM or Ctrl-C, what is being done is done to its end first.

Exit code: 0 it was told to end · 2 not set up, or wrong usage · 3 the database cannot be used.

Examples:

  credanchor worker
"""


def command(home: HomeOption = None) -> None:
    """Do what institutions gave the service to do."""
    from registry.service_wiring import Service

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service = Service(home, ask_passphrase)
    try:
        with beside(service.background(), seconds=None):
            error_console.print("[bold green]✔[/] working; Ctrl-C ends it")
            stop.wait()
    finally:
        service.store.close()
