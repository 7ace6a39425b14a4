"""Webhooks as an institution's administrators see them: added, tried out, looked at, disabled, removed.

Every function that changes something leaves an entry in the audit log, in the transaction that it is given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from registry.errors import ConflictError
from registry.services.happenings import Event, message
from registry.services.webhook_address import parse_target
from registry.store import deliveries, webhooks
from registry.store.audit_log import append_entry
from registry.store.connection import InstitutionConnection
from registry.store.deliveries import DeliveryRecord, DeliveryState
from registry.store.webhooks import WebhookRecord

MAX_WEBHOOKS: Final = 20
"""Of one institution: everything that happens is told to each."""
PING: Final = "ping"
"""The event of a message that is sent to try a webhook out."""


class Webhooks:
    """An institution's webhooks, in one transaction.

    Args:
        connection: From `Store.writing`.
        actor: Who does it, for the audit log.
        now: Unix seconds.
    """

    def __init__(self, connection: InstitutionConnection, *, actor: str, now: int) -> None:
        self._connection: Final = connection
        self._actor: Final = actor
        self._now: Final = now

    def add(self, address: str, events: Collection[Event], *, is_anything_allowed: bool) -> WebhookRecord:
        """Have something told of events from now on.

        Args:
            address: Where messages are to be sent.
            events: Of which.
            is_anything_allowed: As in `parse_target`.

        Raises:
            MalformedError: Messages are not sent to such addresses.
            ConflictError: The institution has as many as it may have.
        """
        parse_target(address, is_anything_allowed=is_anything_allowed)
        if len(webhooks.list_webhooks(self._connection)) >= MAX_WEBHOOKS:
            raise ConflictError(f"there are {MAX_WEBHOOKS} webhooks already", advice="Remove one that nobody needs.")
        added = webhooks.add_webhook(
            self._connection, address=address, events=[each.value for each in events], created_at=self._now
        )
        self._note("add", added.public_id)
        return added

    def disable(self, webhook: UUID) -> WebhookRecord:
        """Tell it nothing more; doing it again changes nothing.

        Raises:
            NotFoundError: There is none of this id.
        """
        found = webhooks.get_webhook(self._connection, webhook)
        if found.disabled_at is None:
            found = webhooks.disable_webhook(self._connection, webhook, now=self._now)
            self._note("disable", webhook)
        return found

    def enable(self, webhook: UUID) -> WebhookRecord:
        """Tell it again what happens from now on; doing it again changes nothing.

        Raises:
            NotFoundError: There is none of this id.
        """
        found = webhooks.get_webhook(self._connection, webhook)
        if found.disabled_at is not None:
            found = webhooks.enable_webhook(self._connection, webhook)
            self._note("enable", webhook)
        return found

    def remove(self, webhook: UUID) -> WebhookRecord:
        """Remove it with the list of what it was told; give it as it was.

        Raises:
            NotFoundError: There is none of this id.
        """
        found = webhooks.get_webhook(self._connection, webhook)
        webhooks.remove_webhook(self._connection, webhook)
        self._note("remove", webhook)
        return found

    def rotate(self, webhook: UUID) -> WebhookRecord:
        """Give it another secret; for a day messages are signed with both.

        Raises:
            NotFoundError: There is none of this id.
        """
        rotated = webhooks.rotate_secret(self._connection, webhook, now=self._now)
        self._note("rotate", webhook)
        return rotated

    def ping(self, webhook: UUID) -> DeliveryRecord:
        """Send it a message that says nothing.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It is disabled.
        """
        payload = message(PING, {"webhook": str(webhook)}, now=self._now)
        sent = deliveries.send_one(self._connection, webhook, PING, payload, now=self._now)
        self._note("ping", webhook)
        return sent

    def redeliver(self, webhook: UUID, delivery: UUID) -> DeliveryRecord:
        """Send a message again, whatever became of it.

        Raises:
            NotFoundError: There is no such message to this webhook.
            ConflictError: It is being sent at this moment, or the webhook is disabled.
        """
        again = deliveries.redeliver(self._connection, webhook, delivery, now=self._now)
        append_entry(
            self._connection,
            at=self._now,
            actor=self._actor,
            action="webhook.redeliver",
            subject=f"webhook {webhook} delivery {delivery}",
        )
        return again

    def _note(self, what: str, webhook: UUID) -> None:
        append_entry(
            self._connection,
            at=self._now,
            actor=self._actor,
            action=f"webhook.{what}",
            subject=f"webhook {webhook}",
        )


def page_of_deliveries(
    connection: InstitutionConnection, webhook: UUID, *, state: DeliveryState | None, before: int | None, limit: int
) -> tuple[Sequence[DeliveryRecord], bool]:
    """List what a webhook was told, the newest first; tell whether there is more.

    Raises:
        NotFoundError: There is no webhook of this id.
    """
    webhooks.get_webhook(connection, webhook)
    found = deliveries.list_deliveries(connection, webhook, state=state, before=before, limit=limit + 1)
    return found[:limit], len(found) > limit
