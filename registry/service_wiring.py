"""Composition root of the service: one database, one node, many institutions, each as `Institution` gives a home's own.

    service = Service(home, ask_passphrase)
    service.institution(number).anchoring.anchor(batch, now=now())

The operator's home folder holds settings (`rpc_url`, `database_url`, `public_url`, `passphrase_file`), key files and
secrets; what differs from one institution to the other is in the database.
"""

from __future__ import annotations

import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from anchor.model import RegistryId
from registry.errors import SettingsError
from registry.settings import DraftSettings, Settings, find_home, load_draft, load_settings
from registry.store.connection import HOME, InstitutionId
from registry.wiring import AnyInstitution, now

if TYPE_CHECKING:
    # What these need is slow to import: they are loaded when they are used.
    from registry.services.anchoring import Anchoring
    from registry.services.deliverer import Deliverer
    from registry.services.derived_secrets import DerivedSecrets
    from registry.services.explorer.sync import HistorySync
    from registry.services.housekeeping import Housekeeper
    from registry.services.ledger_state import LedgerView
    from registry.services.roster_job import RosterJob
    from registry.services.status import StatusService
    from registry.services.status_job import StatusJob
    from registry.services.work import Work
    from registry.services.worker import Worker
    from registry.store.engine import Store
    from registry.store.institutions import InstitutionRecord
    from registry.store.jobs import JobKind

_DAY_SECONDS: Final = 86_400


LOCK_SECONDS: Final = 5
"""How long a worker waits for another that sends for the same account, before it does something else."""
RECURSION_LIMIT: Final = 1000
"""Python's own."""


class HostedSettings(Settings):
    """An institution's settings as the database has them: the environment, which is the operator's, changes nothing."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take nothing but what is given."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class Service:
    """Everything that API and workers work with, built when it is first asked for.

    Args:
        home: The operator's home folder; default: $CREDANCHOR_HOME, else `.credanchor`.
        ask_passphrase: Asks the person at the keyboard for the passphrase of the keys.
        is_for_trying_out: Whether messages to webhooks may go to this machine, whatever the settings say.

    Raises:
        SettingsError: The home folder has no settings, or wrong ones.
    """

    def __init__(
        self, home: Path | None, ask_passphrase: Callable[[], str], *, is_for_trying_out: bool = False
    ) -> None:
        _limit_recursion()
        self.settings: Final[DraftSettings] = load_draft(find_home(home))
        self.allows_any_webhook: Final = is_for_trying_out or self.settings.service.private_webhooks
        self._ask_passphrase: Final = ask_passphrase
        self._building: Final = threading.Lock()
        self._unlocking: Final = threading.Lock()
        self._institutions: Final[dict[InstitutionId, tuple[Settings, AnyInstitution]]] = {}

    @cached_property
    def store(self) -> Store:
        """The database; `Store.of` gives it as an institution has it."""
        from registry.store.engine import open_store

        return open_store(self.settings.store_url)

    @cached_property
    def secrets(self) -> DerivedSecrets:
        """What addresses of pages and secrets of webhooks are derived from."""
        from registry.services.derived_secrets import load_derived_secrets

        return load_derived_secrets(self.settings.home)

    def institution(self, number: InstitutionId) -> AnyInstitution:
        """Give what is done for an institution; kept, with its unlocked keys, until its settings change.

        Raises:
            NotFoundError: There is none of this number.
            SettingsError: Something is not settled yet that issuing needs.
        """
        settings = self._settings_of(number)
        with self._building:
            kept = self._institutions.get(number)
            if kept is None or kept[0] != settings:
                kept = (
                    settings,
                    AnyInstitution(
                        settings,
                        lambda: self.store.of(number),
                        self._ask_passphrase,
                        lock_seconds=LOCK_SECONDS,
                    ),
                )
                self._institutions[number] = kept
                # Built here, for all threads.
                _ = kept[1].store, kept[1].client, kept[1].approvals
            return kept[1]

    def _settings_of(self, number: InstitutionId) -> Settings:
        from registry.store.institutions import get_institution

        if number == HOME:
            # What is settled for the home folder stands in its file.
            settings = load_settings(self.settings.home)
        else:
            with self.store.operator_reading() as connection:
                settings = institution_settings(self.settings, get_institution(connection, number))
        # Workers do not wait for transactions: they look again later.
        return settings.model_copy(update={"wait_seconds": 0.0})

    def work_of(self, number: InstitutionId, kind: JobKind) -> Work:
        """Give what carries out an institution's jobs of a kind.

        Raises:
            NotFoundError: There is none of this number.
            SettingsError: Something is not settled yet that issuing needs.
            PolicyFormatError: The operator's policy, which says what counts as final, cannot be used.
        """
        from registry.store.jobs import JobKind

        match kind:
            case JobKind.ROSTER:
                return self._roster_job(number)
            case JobKind.STATUS:
                return self._status_job(number)

    def _roster_job(self, number: InstitutionId) -> RosterJob:
        from registry.services.roster_job import RosterJob
        from registry.services.roster_sealing import RosterSealing

        institution = self.institution(number)

        def anchoring() -> Anchoring:
            # Its key is unlocked once, whichever thread is the first.
            with self._unlocking:
                return institution.anchoring

        sealing = RosterSealing(
            institution.store,
            anchoring,
            institution.approvals,
            lambda achievement, valid_from: institution.frame(achievement, valid_from=valid_from),
            institution.cost_of_anchoring,
            time.monotonic,
        )
        return RosterJob(institution.store, sealing, anchoring, self._final_view(institution))

    def _status_job(self, number: InstitutionId) -> StatusJob:
        from registry.services.status_job import StatusJob
        from registry.services.status_plan import StatusPlanner

        institution = self.institution(number)
        planner = StatusPlanner(self._final_view(institution), institution.settings.issuer_id)

        def status() -> StatusService:
            with self._unlocking:
                return institution.status

        return StatusJob(institution.store, status, institution.targets, planner)

    def _final_view(self, institution: AnyInstitution) -> LedgerView:
        """Give the registry on the ledger, with what the operator's policy counts as final."""
        from anchor.cli.policies import read_policy
        from registry.services.ledger_state import LedgerView

        policy = read_policy(self.settings.path(self.settings.service.policy))
        return LedgerView(institution.client, institution.settings.registry_id, confirmations=policy.confirmations)

    def workers(self) -> Sequence[Worker]:
        """Give workers, which do the institutions' jobs: as many as the settings say."""
        from registry.services.worker import Worker, lanes_of

        name = _process_name()
        return [
            Worker(self.store, self.work_of, name=f"{name}-{number}", clock=now, lane=lane)
            for number, lane in enumerate(lanes_of(self.settings.service.workers))
        ]

    def deliverer(self) -> Deliverer:
        """Give what sends messages to webhooks."""
        from registry.services.courier import Courier
        from registry.services.deliverer import Deliverer

        options = self.settings.service
        is_anything_allowed = self.allows_any_webhook
        return Deliverer(
            self.store,
            self.secrets,
            Courier(seconds=options.webhook_seconds, is_anything_allowed=is_anything_allowed),
            name=_process_name(),
            clock=now,
            threads=options.webhook_threads,
            is_anything_allowed=is_anything_allowed,
        )

    def housekeeper(self) -> Housekeeper:
        """Give what removes what was kept long enough."""
        from registry.services.housekeeping import Housekeeper

        options = self.settings.service
        return Housekeeper(
            self.store,
            clock=now,
            keep_deliveries_seconds=options.keep_deliveries_days * _DAY_SECONDS,
            keep_answers_seconds=options.keep_answers_days * _DAY_SECONDS,
        )

    def history_sync(self, registry: RegistryId) -> HistorySync:
        """Give what keeps the registry's history up to date in the database."""
        from anchor.cli.policies import read_policy
        from anchor.ledger.trust_lists import resolve_policy
        from registry.services.explorer.sync import HistorySync

        file = self.settings.path(self.settings.service.policy)
        return HistorySync(
            self.store,
            registry,
            lambda: resolve_policy(read_policy(file), file, now()),
            name=_process_name(),
            clock=now,
            seconds=self.settings.service.ledger_seconds,
        )

    def background(self) -> dict[str, Callable[[threading.Event], None]]:
        """Give all that goes on beside the answering of requests, by name."""
        workers = {f"worker {number}": each.run for number, each in enumerate(self.workers())}
        parts: dict[str, Callable[[threading.Event], None]] = {
            **workers,
            "deliverer": self.deliverer().run,
            "housekeeper": self.housekeeper().run,
        }
        registry = self.settings.registry
        if registry is not None and self.settings.service.ledger_seconds:
            parts["history"] = self.history_sync(RegistryId.parse(registry)).run
        return parts


def _process_name() -> str:
    return f"{socket.gethostname()[:32]}-{secrets.token_hex(8)}"


def _limit_recursion() -> None:
    """Have nesting refused before the stack is used up: what strangers send as JSON may nest as deep as it is long.

    A library beneath web3 lets functions call each other a hundred times as often as Python does, which ends the
    process. It does so when it is loaded, so that is done first.
    """
    import_module("py_ecc")
    sys.setrecursionlimit(RECURSION_LIMIT)


def institution_settings(operator: DraftSettings, record: InstitutionRecord) -> Settings:
    """Put together what is the operator's and what is the institution's.

    Raises:
        SettingsError: Something is missing; the message names it.
    """
    details = record.details
    own = {
        "registry": None if details.registry is None else details.registry.to_text(),
        "issuer_id": details.issuer_id,
        "issuer_did": details.did,
        "issuer_name": details.name,
        "issuer_url": details.url,
        "anchor_key": details.anchor_key,
        "status_key": details.status_key,
        "relayed": details.is_relayed,
        "public_url": details.public_url or operator.public_url,
    }
    missing = sorted(name for name, value in own.items() if value is None and name != "issuer_url")
    if missing:
        raise SettingsError(
            f"institution {record.code} is not set up yet: it has no {', no '.join(missing)}",
            advice="Complete the institution's details.",
        )
    try:
        # Validated as a whole: a key reference or an address that somebody wrote into the database is judged here.
        return HostedSettings(**{**operator.model_dump(), "chain_id": None, "controller": None, **own})
    except ValidationError as error:
        names = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise SettingsError(f"the details of institution {record.code} cannot be used: {names}") from None
