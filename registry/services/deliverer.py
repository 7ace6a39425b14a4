"""Sends what webhooks are to be told: claims messages of all institutions, several at once, until they arrive.

Any number of these, in any number of processes, share one database. What one that died was sending is sent again by
another, under the same id. Messages may come in any order, and more than once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from email.utils import parsedate_to_datetime
from typing import Final

from anchor.errors import MalformedError
from anchor.webhook_signature import signed_headers
from registry.errors import ConflictError, StoreError
from registry.services.courier import Courier, Outcome
from registry.services.derived_secrets import DerivedSecrets
from registry.services.error_log import log_error
from registry.services.webhook_address import REFUSED, parse_target
from registry.services.webhook_signing import keys_of
from registry.store.audit_log import append_entry
from registry.store.connection import InstitutionConnection
from registry.store.deliveries import (
    DeliveryRecord,
    are_deliveries_due,
    claim_deliveries,
    has_anything_arrived,
    settle_delivery,
)
from registry.store.engine import Store
from registry.store.webhooks import disable_webhook, get_webhook

ACTOR: Final = "worker"
PAUSES: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between one attempt and the next; after the last there is none. Three days together, as Standard Webhooks
advises."""
JITTER: Final = 0.2
"""A pause is up to so much of it longer: what failed together is not tried again together."""
LONGEST_RETRY_AFTER: Final = 86_400
LEASE_SECONDS: Final = 180
"""How long others leave a message alone: longer than an attempt takes, with the time until its name is found."""
IDLE_SECONDS: Final = 1.0
_GONE: Final = 410
_BUSY_STATUSES: Final = (429, 503)
_NOTHING_ARRIVED: Final = "nothing arrived for three days"
_IS_GONE: Final = "it answered 410: it is gone"


class Deliverer:
    """Sends messages.

    Args:
        store: The database.
        secrets: What they are signed with is derived from these.
        courier: Sends one.
        name: Of this one, unlike any other's.
        clock: Unix seconds.
        threads: How many are sent at once; of one institution at most a quarter of them.
        is_anything_allowed: As in `parse_target`.
    """

    def __init__(
        self,
        store: Store,
        secrets: DerivedSecrets,
        courier: Courier,
        *,
        name: str,
        clock: Callable[[], int],
        threads: int,
        is_anything_allowed: bool,
    ) -> None:
        self._store: Final = store
        self._secrets: Final = secrets
        self._courier: Final = courier
        self._name: Final = name
        self._clock: Final = clock
        self._threads: Final = threads
        self._is_anything_allowed: Final = is_anything_allowed

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; what is being sent then is sent to its end."""
        under_way: set[Future[None]] = set()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="webhooks") as pool:
            while not stop.is_set():
                under_way = {each for each in under_way if not each.done()}
                try:
                    claimed = self.claim(self._threads - len(under_way))
                except StoreError as error:
                    log_error(error, worker=self._name)
                    claimed = ()
                under_way |= {pool.submit(self.deliver, each) for each in claimed}
                if not claimed and under_way:
                    wait(under_way, timeout=IDLE_SECONDS, return_when=FIRST_COMPLETED)
                elif not claimed:
                    stop.wait(IDLE_SECONDS)

    def claim(self, limit: int) -> Sequence[DeliveryRecord]:
        """Take messages that are to be sent now.

        Raises:
            StoreError: The database cannot be used.
        """
        now = self._clock()
        if limit <= 0:
            return ()
        with self._store.operator_reading() as connection:
            if not are_deliveries_due(connection, now=now):
                return ()
        with self._store.operator_writing() as connection:
            return claim_deliveries(
                connection,
                self._name,
                now=now,
                lease_seconds=LEASE_SECONDS,
                limit=limit,
                per_institution=max(1, self._threads // 4),
            )

    def deliver(self, delivery: DeliveryRecord) -> None:
        """Send a message that was claimed, once, and note what came of it."""
        try:
            self._settle(delivery, self._send(delivery))
        except ConflictError:
            return  # it took so long that another one sends it again, or the webhook was removed
        except Exception as error:  # noqa: BLE001 - no verdict comes of it: when the lease ends, it is sent again
            log_error(error, worker=self._name, delivery=str(delivery.public_id))

    def _send(self, delivery: DeliveryRecord) -> Outcome:
        try:
            target = parse_target(delivery.address, is_anything_allowed=self._is_anything_allowed)
        except MalformedError:
            # It was allowed when it was kept; the operator has changed that since.
            return Outcome(error=REFUSED)
        now = self._clock()
        keys = keys_of(self._secrets, delivery.webhook, delivery.generation, delivery.rotated_at, now=now)
        headers = signed_headers(delivery.public_id, delivery.payload, keys, now=now)
        return self._courier.post(
            target, delivery.payload, {"Content-Type": "application/json", "User-Agent": "credanchor", **headers}
        )

    def _settle(self, delivery: DeliveryRecord, outcome: Outcome) -> None:
        now = self._clock()
        again_at = None if outcome.error is None else next_attempt(delivery.attempts, outcome, now=now)
        with self._store.of(delivery.institution).writing() as connection:
            settle_delivery(
                connection,
                delivery,
                self._name,
                now=now,
                status=outcome.status,
                error=outcome.error,
                again_at=again_at,
            )
            if outcome.status == _GONE:
                _disable(connection, delivery, _IS_GONE, now)
            elif outcome.error is not None and again_at is None:
                since = delivery.created_at
                if not has_anything_arrived(connection, delivery.webhook, since=since):
                    _disable(connection, delivery, _NOTHING_ARRIVED, now)


def next_attempt(attempts: int, outcome: Outcome, *, now: int) -> int | None:
    """Tell when to try again, in Unix seconds; None: it is given up.

    Args:
        attempts: How many there were before this one.
        outcome: What came of this one.
        now: Unix seconds.
    """
    if attempts >= len(PAUSES) or outcome.status == _GONE:
        return None
    pause = round(PAUSES[attempts] * (1 + random.uniform(0, JITTER)))  # noqa: S311 - nothing secret
    return now + max(pause, _wanted_pause(outcome, now))


def _wanted_pause(outcome: Outcome, now: int) -> int:
    """Read `Retry-After` (RFC 9110 section 10.2.3), where it means something."""
    given = outcome.retry_after
    if given is None or outcome.status not in _BUSY_STATUSES:
        return 0
    if given.isascii() and given.isdigit():
        # So many digits are too long in any case, and Python refuses to read numbers of any length.
        return LONGEST_RETRY_AFTER if len(given) > 9 else min(int(given), LONGEST_RETRY_AFTER)
    try:
        return min(round(parsedate_to_datetime(given).timestamp()) - now, LONGEST_RETRY_AFTER)
    except (ValueError, OverflowError):
        return 0


def _disable(connection: InstitutionConnection, delivery: DeliveryRecord, why: str, now: int) -> None:
    if get_webhook(connection, delivery.webhook).disabled_at is None:
        disable_webhook(connection, delivery.webhook, now=now, why=why)
        append_entry(connection, at=now, actor=ACTOR, action="webhook.disable", subject=f"webhook {delivery.webhook}")
