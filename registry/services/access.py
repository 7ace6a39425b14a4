"""Who asks: an API key, whose it is, and what it is good for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry.store.api_keys import ApiKeyRecord, Scope, authenticate, note_use
from registry.store.connection import InstitutionId
from registry.store.engine import Store

NOTED_EVERY_SECONDS: Final = 60
"""A key's last use is noted to the minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one request may do."""

    key: ApiKeyRecord

    @property
    def institution(self) -> InstitutionId | None:
        """Whose data it may touch; None: the operator's key, which touches none."""
        return self.key.institution

    def has(self, scope: Scope) -> bool:
        """Tell whether the key is good for something."""
        return scope in self.key.scopes

    def is_use_to_be_noted(self, now: int) -> bool:
        """Tell whether its last use was noted long ago."""
        return self.key.last_used_at is None or now >= self.key.last_used_at + NOTED_EVERY_SECONDS


def open_access(store: Store, text: str, *, now: int) -> Access:
    """Find out whose key somebody shows.

    Raises:
        NotPermittedError: It is no key, or not any more, or its institution is closed; which, is not said.
    """
    with store.operator_reading() as connection:
        return Access(key=authenticate(connection, text, now=now))


def note_access(store: Store, access: Access, *, now: int) -> None:
    """Note that a key was used."""
    with store.operator_writing() as connection:
        note_use(connection, access.key, now=now)
