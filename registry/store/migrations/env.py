"""Runs the migrations on the connection that `registry.store.engine` opened, inside its transaction."""

from alembic import context

from registry.store import ledger_tables as _ledger_tables  # noqa: F401 - adds its tables
from registry.store import service_tables as _service_tables  # noqa: F401 - adds its tables
from registry.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
