"""The service on a real database and a real chain, asked without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from anchor.policy import policy_to_text
from registry.api.app import create_app
from registry.api_wiring import ApiService, load_service
from registry.settings import settings_to_text
from tests.ledger.chain import ANCHOR_KEY, DID, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.databases import Database
from tests.support.issuing import make_batch

if TYPE_CHECKING:
    from tests.api.town import Town

__all__ = ["chain", "session_chain"]

PUBLIC_URL = "https://credentials.college.example"
NAMES = ["Zoë Tremblay", "ᐊᓇ ᐃᓄᒃ", "محمد"]


def write_home(folder: Path, chain: Chain, **options: str | float) -> Path:
    """Write settings and policy of a service; give its folder."""
    settings = {"rpc_url": chain.url, "public_url": PUBLIC_URL, "registry": chain.registry.to_text()}
    table = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
    folder.mkdir(exist_ok=True)
    (folder / "settings.toml").write_text(f"{settings_to_text(settings)}[service]\n{table}", "utf-8")
    (folder / "policy.json").write_text(policy_to_text(chain.policy(nodes=(chain.url,))), "utf-8")
    return folder


def nobody() -> str:
    """Give the passphrase of the keys: nothing here needs it."""
    raise AssertionError


@dataclass(kw_only=True)
class Served:
    """A service that is running, and one batch that is anchored."""

    service: ApiService
    app: FastAPI
    client: TestClient
    folder: Path
    documents: list[dict[str, Any]]


@pytest.fixture
def served(chain: Chain, tmp_path: Path) -> Iterator[Served]:
    folder = write_home(tmp_path / "home", chain, anonymous_per_minute=0)
    root, documents = make_batch(chain.registry, chain.issuer_id, DID, NAMES)
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=len(documents)))
    service = load_service(folder, nobody)
    app = create_app(service)
    with TestClient(app) as client:
        yield Served(service=service, app=app, client=client, folder=folder, documents=documents)


@pytest.fixture
def town(chain: Chain, tmp_path: Path, sqlite_database: Database) -> Iterator[Town]:
    """On SQLite."""
    yield from settled(chain, tmp_path, sqlite_database)


@pytest.fixture
def any_town(chain: Chain, tmp_path: Path, database: Database) -> Iterator[Town]:
    """On SQLite, and once more on PostgreSQL."""
    yield from settled(chain, tmp_path, database)


def settled(chain: Chain, folder: Path, database: Database) -> Iterator[Town]:
    from tests.api.town import build_town

    town = build_town(chain, folder / "town", database)
    with town.client:
        yield town
