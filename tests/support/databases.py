"""The two databases, as tests have them: a file, or a fresh database of the tests' own PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from registry.store.engine import Store, open_store


@dataclass(kw_only=True)
class Database:
    """One database of a test; `open` gives it as often as processes would open it."""

    url: str
    empty: Callable[[], None]
    """Takes everything away, tables too; nobody may have it open."""
    _stores: list[Store] = field(default_factory=list)

    @property
    def is_postgresql(self) -> bool:
        return self.url.startswith("postgresql")

    def open(self) -> Store:
        store = open_store(self.url)
        self._stores.append(store)
        return store

    def close(self) -> None:
        for store in self._stores:
            store.close()


def remove_files(path: Path) -> None:
    """Remove an SQLite database."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
