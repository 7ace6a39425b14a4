"""The registry part's commands, as `anchor.cli.main` finds them through the entry point group `credanchor.commands`.

Loading this is quick and needs none of the registry part's dependencies; each command imports what it uses.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import typer

from registry.cli import (
    achievement,
    api_key,
    audit_log,
    dev,
    find,
    incident,
    init,
    institution,
    issue,
    issuer,
    key,
    page,
    person,
    reconcile,
    registry,
    replace,
    roster,
    serve,
    status,
    worker,
)

_NEEDED: Final = (
    "alembic",
    "fastapi",
    "filelock",
    "jinja2",
    "jsonschema",
    "langcodes",
    "pydantic_settings",
    "python_calamine",
    "sqlalchemy",
    "uvicorn",
)

# Where the part's dependencies are not installed, the program says how to get them instead of offering its commands.
for _name in _NEEDED:
    if find_spec(_name) is None:
        raise ModuleNotFoundError(f"the registry part needs {_name}", name=_name)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("init", help=init.HELP)(init.command)
    app.command("issue", help=issue.HELP)(issue.command)
    app.command("find", help=find.HELP)(find.command)
    app.command("revoke", help=status.REVOKE_HELP)(status.revoke)
    app.command("suspend", help=status.SUSPEND_HELP)(status.suspend)
    app.command("reinstate", help=status.REINSTATE_HELP)(status.reinstate)
    app.command("replace", help=replace.HELP)(replace.command)
    app.command("export", help=person.EXPORT_HELP)(person.export)
    app.command("erase", help=person.ERASE_HELP)(person.erase)
    app.command("reconcile", help=reconcile.HELP)(reconcile.command)
    app.add_typer(issuer.app, name="issuer")
    app.add_typer(key.app, name="key")
    app.add_typer(incident.app, name="incident")
    app.add_typer(registry.app, name="registry")
    app.add_typer(achievement.app, name="achievement")
    app.add_typer(roster.app, name="roster")
    app.command("serve", help=serve.HELP)(serve.command)
    app.command("page", help=page.HELP)(page.command)
    app.command("worker", help=worker.HELP)(worker.command)
    app.add_typer(institution.app, name="institution")
    app.add_typer(api_key.app, name="api-key")
    app.add_typer(audit_log.app, name="audit-log")
    app.add_typer(dev.app, name="dev")
