"""The process that answers: bench_api_server.py HOME serves a home folder; without HOME, one empty FastAPI route."""

import sys
from pathlib import Path

from fastapi import FastAPI

from registry.api.access_log import AccessLog
from registry.api.server import run
from registry.settings import ServiceSettings


def bare() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def empty() -> dict[str, str]:
        return {}

    return app


def served(home: Path) -> FastAPI:
    from registry.api.app import create_app
    from registry.api_wiring import load_service

    def nobody() -> str:
        raise AssertionError  # reading needs no key

    return create_app(load_service(home, nobody))


options = ServiceSettings()
home = Path(sys.argv[1]) if len(sys.argv) > 1 else None
app = bare() if home is None else served(home)
# The log goes where it goes in service: standard output; here, to nobody. Where it listens is told beside.
run(
    app,
    options,
    AccessLog() if home is None else app.state.context.log,
    host="127.0.0.1",
    port=0,
    say=lambda address: print(address, file=sys.stderr, flush=True),
    ending=lambda: None if home is None else app.state.context.streams.end(),
)
