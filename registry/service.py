"""Composition root of the service: store, ledger and settings that all institutions share."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.model import RegistryId
from registry.errors import SettingsError
from registry.settings import DraftSettings, ServiceSettings, load_draft

if TYPE_CHECKING:
    from anchor.ledger.client import LedgerClient
    from registry.services.ledger_state import LedgerView
    from registry.services.readiness import Readiness
    from registry.store.engine import Store


class Service:
    """Everything that requests are answered with; may be used by several threads.

    Args:
        settings: Of the home folder.

    Raises:
        SettingsError: The settings lack what the service needs.
    """

    def __init__(self, settings: DraftSettings) -> None:
        self.settings: Final = settings
        self.public_url: Final = _needed(settings.public_url, "public_url", '"https://credentials.college.example"')
        self.registry: Final = RegistryId.parse(_needed(settings.registry, "registry", '"eip155:…"'))

    @property
    def options(self) -> ServiceSettings:
        """The table `[service]`."""
        return self.settings.service

    @property
    def policy_file(self) -> Path:
        """Under which it verifies."""
        return self.settings.path(self.options.policy)

    @cached_property
    def store(self) -> Store:
        """The database, its schema brought up to date."""
        from registry.store.engine import open_store

        return open_store(self.settings.store_url)

    @cached_property
    def client(self) -> LedgerClient:
        """The configured node."""
        from anchor.ledger.client import LedgerClient

        return LedgerClient(self.settings.rpc_url)

    @cached_property
    def view(self) -> LedgerView:
        """The registry on the ledger."""
        from registry.services.ledger_state import LedgerView

        return LedgerView(self.client, self.registry)

    @cached_property
    def readiness(self) -> Readiness:
        """Tells whether all that is needed answers."""
        from registry.services.readiness import Readiness

        return Readiness(self.store, self.client, self.registry, time.monotonic)

    def now(self) -> int:
        """Read the clock, in Unix seconds."""
        return int(time.time())

    def close(self) -> None:
        """Give up connections."""
        self.store.close()
        self.client.close()


def load_service(home: Path) -> Service:
    """Build the service of a home folder; opens its database.

    Raises:
        SettingsError: It is not set up, or a setting that the service needs is missing.
        StoreError: The database cannot be used.
    """
    service = Service(load_draft(home))
    # Built here, by one thread: a schema that has to be brought up to date is, before anything is asked.
    _ = service.store, service.client, service.view, service.readiness
    return service


def _needed(value: str | None, name: str, example: str) -> str:
    if value is None:
        raise SettingsError(
            f"the service needs the setting {name}", advice=f"Add it to settings.toml: {name} = {example}"
        )
    return value
