"""Runs the migrations on the connection that `registry.store.engine` opened, inside its transaction."""

from alembic import context

from registry.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
