"""Composition root of the API: what is done for institutions, and what reading, verifying and watching need beside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anchor.model import RegistryId
from registry.errors import SettingsError
from registry.service_wiring import Service
from registry.settings import ServiceSettings
from registry.store.connection import HOME
from registry.store.institutions import InstitutionDetails, InstitutionRecord

if TYPE_CHECKING:
    from anchor.ledger.client import LedgerClient
    from registry.services.access import Door
    from registry.services.balances import Balances
    from registry.services.bundles import Bundler
    from registry.services.explorer.queries import Explorer
    from registry.services.learner_pages import LearnerPages
    from registry.services.ledger_state import LedgerView
    from registry.services.page_verdicts import PageVerdicts
    from registry.services.published_lists import PublishedLists
    from registry.services.readiness import Readiness
    from registry.store.engine import Store
    from registry.store.proofs import ProofReader


class ApiService(Service):
    """Everything that requests are answered with; may be used by several threads.

    Args:
        home: The operator's home folder.
        ask_passphrase: Asks the person at the keyboard for the passphrase of the keys.
        is_for_trying_out: As in `Service`.

    Raises:
        SettingsError: The settings lack what the API needs.
    """

    def __init__(
        self, home: Path | None, ask_passphrase: Callable[[], str], *, is_for_trying_out: bool = False
    ) -> None:
        super().__init__(home, ask_passphrase, is_for_trying_out=is_for_trying_out)
        self.public_url: Final = _needed(
            self.settings.public_url, "public_url", '"https://credentials.college.example"'
        )
        self.registry: Final = RegistryId.parse(_needed(self.settings.registry, "registry", '"eip155:…"'))

    @property
    def options(self) -> ServiceSettings:
        """The table `[service]`."""
        return self.settings.service

    @property
    def policy_file(self) -> Path:
        """Under which it verifies."""
        return self.settings.path(self.options.policy)

    @property
    def page_policy_file(self) -> Path | None:
        """The policy that the verifier page comes with; None: it has none of its own."""
        own = self.options.verifier_policy
        return self.settings.path(own) if own else None

    @cached_property
    def client(self) -> LedgerClient:
        """The configured node."""
        from anchor.ledger.client import LedgerClient

        return LedgerClient(self.settings.rpc_url)

    def view_of(self, registry: RegistryId) -> LedgerView:
        """Give a registry on the ledger."""
        from registry.services.ledger_state import LedgerView

        return LedgerView(self.client, registry)

    @cached_property
    def readiness(self) -> Readiness:
        """Tells whether all that is needed answers."""
        from registry.services.readiness import Readiness

        return Readiness(self.store, self.client, self.registry, time.monotonic)

    @cached_property
    def balances(self) -> Balances:
        """Tells what the accounts that send have left."""
        from registry.services.balances import Balances

        return Balances(self.store, self.client, self.registry.chain_id, time.monotonic)

    @cached_property
    def proofs(self) -> ProofReader:
        """Reads inclusion proofs."""
        from registry.store.proofs import ProofReader

        return ProofReader()

    @cached_property
    def explorer(self) -> Explorer:
        """Reads the registry's history, as far as it is proven."""
        from registry.services.explorer.queries import Explorer

        return Explorer(self.store, self.registry)

    @cached_property
    def door(self) -> Door:
        """Tells whose API keys are shown."""
        from registry.services.access import Door

        return Door(self.store, time.monotonic)

    @cached_property
    def bundler(self) -> Bundler:
        """Makes bundles."""
        from registry.services.bundles import Bundler

        return Bundler(self.client)

    @cached_property
    def lists(self) -> PublishedLists:
        """Makes status lists for verifiers that know nothing of ledgers."""
        from registry.services.published_lists import PublishedLists

        return PublishedLists(self.client)

    @cached_property
    def page_verdicts(self) -> PageVerdicts:
        """Judges what learners' pages show."""
        from registry.services.page_verdicts import PageVerdicts

        return PageVerdicts(self.policy_file, time.monotonic)

    def pages_of(self, store: Store) -> LearnerPages:
        """Give the addresses of an institution's credentials.

        Args:
            store: The institution's.
        """
        from registry.services.learner_pages import LearnerPages

        return LearnerPages(store, self.secrets, self.public_url_of(store))

    def public_url_of(self, store: Store) -> str:
        """Tell where an institution's part of the service is reached, without a slash at the end.

        Args:
            store: The institution's.
        """
        from registry.store.institutions import own_institution

        with store.reading() as connection:
            profile = self.profile(own_institution(connection))
        return (profile.public_url or self.public_url).rstrip("/")

    def profile(self, record: InstitutionRecord) -> InstitutionDetails:
        """Tell what is known of an institution: of the home folder's, its settings say it."""
        details, settings = record.details, self.settings
        if record.id == HOME:
            details = InstitutionDetails(
                name=settings.issuer_name or details.name,
                did=settings.issuer_did,
                url=settings.issuer_url,
                registry=self.registry,
                issuer_id=settings.issuer_id,
                anchor_key=settings.anchor_key,
                status_key=settings.status_key,
                monthly_gas_budget_wei=details.monthly_gas_budget_wei,
                is_relayed=settings.relayed,
            )
        return replace(
            details, registry=details.registry or self.registry, public_url=details.public_url or self.public_url
        )

    def now(self) -> int:
        """Read the clock, in Unix seconds."""
        return int(time.time())

    def close(self) -> None:
        """Give up connections."""
        self.store.close()
        self.client.close()


def load_service(home: Path, ask_passphrase: Callable[[], str], *, is_for_trying_out: bool = False) -> ApiService:
    """Build the API's service of a home folder; opens its database.

    Args:
        home: The operator's home folder.
        ask_passphrase: Asks the person at the keyboard for the passphrase of the keys.
        is_for_trying_out: As in `Service`.

    Raises:
        SettingsError: It is not set up, or a setting that the API needs is missing.
        StoreError: The database cannot be used.
    """
    service = ApiService(home, ask_passphrase, is_for_trying_out=is_for_trying_out)
    # Built here, by one thread: a schema that has to be brought up to date is, before anything is asked.
    _ = (
        service.secrets,
        service.store,
        service.client,
        service.readiness,
        service.balances,
        service.bundler,
        service.lists,
        service.proofs,
        service.door,
        service.page_verdicts,
    )
    return service


def _needed(value: str | None, name: str, example: str) -> str:
    if value is None:
        raise SettingsError(
            f"the service needs the setting {name}", advice=f"Add it to settings.toml: {name} = {example}"
        )
    return value
