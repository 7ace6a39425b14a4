"""The HTTP server around the application: sockets, signals, logs."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import Callable
from typing import Final

import uvicorn
from fastapi import FastAPI

from registry.api.access_log import AccessLog
from registry.settings import ServiceSettings

_MAX_HEADER_BYTES: Final = 32 * 1024
_KEEP_ALIVE_SECONDS: Final = 30
_SWITCH_SECONDS: Final = 0.0005
_BACKLOG: Final = 512
_MAX_CONNECTIONS: Final = 1000


class _Server(uvicorn.Server):
    """Says where it listens, once it does: with port 0 nobody knows before; and that it is about to end."""

    def __init__(self, config: uvicorn.Config, say: Callable[[str], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._say: Final = say
        self._ending: Final = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # What would go on for hours ends by itself: else it would be waited for, and then broken off.
        self._ending()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays: looking through it for garbage, again and again, would hold up requests each time.
        gc.collect()
        gc.freeze()
        for server in self.servers if self.started else ():
            for each in server.sockets:
                host, port = each.getsockname()[:2]
                self._say(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def run(
    app: FastAPI,
    options: ServiceSettings,
    log: AccessLog,
    *,
    host: str,
    port: int,
    say: Callable[[str], None],
    ending: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM; requests that are under way are answered first.

    Args:
        app: The application.
        options: How long they may take, and whose word on a client's address is taken.
        log: Is written to standard output.
        host: Address to listen on.
        port: Port; 0: any free one.
        say: Told the address, once it listens.
        ending: Called in the event loop when it begins to end.

    Raises:
        SystemExit: It cannot listen there.
    """
    _log_to_standard_output()
    log.open(sys.stdout.buffer)
    # Requests are short: the thread that takes them in shall not wait long for one that works.
    sys.setswitchinterval(_SWITCH_SECONDS)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # the gate writes one, without addresses
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=options.trusted_proxies or None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=options.shutdown_seconds,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        limit_concurrency=_MAX_CONNECTIONS,
        backlog=_BACKLOG,
    )
    _Server(config, say, ending).run()


def _log_to_standard_output() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    service = logging.getLogger("credanchor.service")
    service.handlers[:] = [handler]
    service.setLevel(logging.INFO)
    service.propagate = False
    errors = logging.getLogger("uvicorn.error")
    errors.handlers[:] = [logging.StreamHandler(sys.stderr)]
    errors.setLevel(logging.WARNING)
    errors.propagate = False
