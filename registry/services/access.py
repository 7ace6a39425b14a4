"""Who asks: an API key, whose it is, and what it is good for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from registry.store.api_keys import ApiKeyRecord, Scope, authenticate, note_use
from registry.store.connection import InstitutionId
from registry.store.engine import Store

NOTED_EVERY_SECONDS: Final = 60
"""A key's last use is noted to the minute."""
REMEMBERED_SECONDS: Final = 1.0
REMEMBERED: Final = 1000
"""Keys."""


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


class Door:
    """Tells whose API keys are shown. What it found out it remembers for a second, for systems that ask often.

    So a key that is revoked opens nothing any more a second later. May be used by several threads.

    Args:
        store: The registry's database.
        clock: Seconds, never going back.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store: Final = store
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        # By hash: the keys themselves are kept nowhere.
        self._known: Final[OrderedDict[bytes, tuple[float, Access]]] = OrderedDict()

    def recall(self, text: str) -> Access | None:
        """Give what was found out a moment ago, without asking the database; None: nothing."""
        with self._lock:
            known = self._known.get(sha256(text.encode()).digest())
        return None if known is None or self._clock() > known[0] + REMEMBERED_SECONDS else known[1]

    def open(self, text: str, *, now: int) -> Access:
        """Find out whose key somebody shows.

        Raises:
            NotPermittedError: It is no key, or not any more, or its institution is closed; which, is not said.
        """
        since = self._clock()
        with self._store.operator_reading() as connection:
            access = Access(key=authenticate(connection, text, now=now))
        with self._lock:
            self._known[sha256(text.encode()).digest()] = since, access
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return access


def note_access(store: Store, access: Access, *, now: int) -> None:
    """Note that a key was used."""
    with store.operator_writing() as connection:
        note_use(connection, access.key, now=now)
