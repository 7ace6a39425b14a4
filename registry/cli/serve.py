"""`credanchor serve`: the service, until it is told to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.cli.output import error_console, printable
from registry.cli.common import HomeOption, ask_passphrase
from registry.cli.threads import beside

HELP: Final = """Run the service: the HTTP API for institutions, and verification for everybody.

Settings stand in settings.toml, most of them in its table [service]; docs/api/settings.md explains them. The database
is SQLite in the home folder, or whatever database_url names. Several of these may run on one PostgreSQL.

One line of JSON a request goes to standard output: no names, e-mails, addresses or query strings are in it. On SIGTERM
or Ctrl-C, requests that are under way are answered first.

A worker that does the institutions' jobs and tells their webhooks runs within, unless --no-worker: `credanchor worker`
is the same by itself.

--dev is for trying things out: it starts the local testnet, sets up a registry with a demo institution and a few
credentials, and serves that; it prints the address of a learner's page to open. Not for real credentials.

Exit code: 0 it was told to end · 2 not set up, or wrong usage · 3 the database or the node cannot be used.

Examples:

  credanchor serve --dev

  credanchor serve --host 0.0.0.0 --port 8000
"""


def command(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on. Default: the setting.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port; 0: any free one. Default: the setting.")
    ] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="Start the local testnet with a demo institution, and serve that.")
    ] = False,
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Do the institutions' jobs as well.")
    ] = True,
    home: HomeOption = None,
) -> None:
    """Run the service: the HTTP API for institutions, and verification for everybody."""
    from registry.api.app import create_app
    from registry.api.server import run
    from registry.api_wiring import load_service
    from registry.settings import find_home

    folder = find_home(home)
    demo = _start_testnet(folder) if dev else None
    service = load_service(folder, ask_passphrase, is_for_trying_out=dev)
    app = create_app(service)
    with beside(service.background() if with_worker else {}, seconds=service.options.shutdown_seconds):
        run(
            app,
            service.options,
            app.state.context.log,
            host=service.options.host if host is None else host,
            port=service.options.port if port is None else port,
            say=lambda url: _say_where(url, demo),
            ending=app.state.context.streams.end,
        )


def _say_where(url: str, demo: str | None) -> None:
    if demo is not None:
        error_console.print(f"[bold green]✔[/] a learner's page: {printable(url + demo)}", soft_wrap=True)
    error_console.print(
        f"[bold green]✔[/] checking credentials in the browser: {printable(url)}/verify", soft_wrap=True
    )
    error_console.print(f"[bold green]✔[/] the registry's history: {printable(url)}/ledger", soft_wrap=True)
    error_console.print(f"[bold green]✔[/] serving at {printable(url)}; Ctrl-C ends it")


def _start_testnet(home: Path) -> str | None:
    """Start it, with demo credentials on it; give the path of a learner's page, if there is one."""
    from registry.services.demo import ACHIEVEMENT, ensure_demo
    from registry.services.derived_secrets import load_derived_secrets
    from registry.services.devnet import Devnet
    from registry.services.learner_pages import LearnerPages
    from registry.wiring import Institution, now

    with error_console.status("starting the local testnet") as line:
        status = Devnet(home, line.update).up(now=now())
        line.update("issuing demo credentials")
        institution = Institution(home, ask_passphrase)
        store, frame = institution.store, institution.frame(ACHIEVEMENT, valid_from=now())
        try:
            credential = ensure_demo(store, frame, institution.approvals, institution.anchoring, now=now())
            path = None
            if credential is not None:
                path = LearnerPages(store, load_derived_secrets(home), "").read(credential).url
        finally:
            store.close()
    error_console.print(f"[bold green]✔[/] the local testnet runs at {printable(status.testnet.url)}")
    return path
