"""The OpenAPI document is true: whatever is sent by it, answers are as it says, and none is a fault of the service."""

from __future__ import annotations

import json
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from schemathesis.python import asgi

from anchor.model import to_hex
from tests.api.test_tenancy import OPEN, scope_of
from tests.api.town import Town

EXAMPLES = 12
"""Tries of each operation; enough to have found all faults that there were when this was written."""


def seeded(town: Town, path: str) -> dict[str, Any]:
    """Values with which an operation must succeed."""
    here = town.here
    parameters: dict[str, Any] = {
        "code": "data-literacy" if "achievements" in path else here.code,
        "root": to_hex(here.anchored.root),
        "id": str(here.credentials()[0].uuid),
        "issuer_id": here.issuer_id,
        "status_list": here.credentials()[0].position.status_list,
        "purpose": "revocation",
        "job": here.job,
    }
    return {name: value for name, value in parameters.items() if f"{{{name}}}" in path}


def body_of(town: Town, path: str) -> dict[str, Any]:
    if path == "/v1/credentials/search":
        return {"body": {"query": town.here.credentials()[0].uuid.urn}, "media_type": "application/json"}
    if path == "/v1/status":
        body = {"action": "suspend", "reason": "other", "credentials": [str(town.here.credentials()[0].uuid)]}
        return {"body": body, "media_type": "application/json"}
    if path.startswith("/v1/verify"):
        what = "bundle" if path.endswith("bundle") else "document"
        document = town.get(f"/v1/credentials/{town.here.credentials()[0].uuid}/{what}").content
        return {"body": json.loads(document), "media_type": "application/json"}
    return {}


def test_every_operation_answers_as_documented_and_can_succeed(town: Town) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", town.app)
    town.here.add_job()
    # One for all tries: the application ends with it.
    with asgi.get_client(cast(Any, town.app)) as session:
        tried = [try_out(town, cast(Any, result).ok(), session) for result in schema.get_all_operations()]
    assert len(tried) > 20
    assert set(tried) >= OPEN


def try_out(town: Town, operation: Any, session: Any) -> str:
    """Try one operation out; give its path."""
    good = seeded(town, operation.path)
    scope = scope_of(operation.method.upper(), operation.path)
    how: dict[str, Any] = {"headers": {"Authorization": f"Bearer {town.here.keys[scope]}"}, "session": session}
    takes_roster = (operation.method.upper(), operation.path) == ("POST", "/v1/batches")
    rules = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @rules
    @given(case=operation.as_strategy(), is_seeded=booleans())
    def tries(case: Any, is_seeded: bool) -> None:
        if is_seeded:
            case.path_parameters = {**case.path_parameters, **good}
        case.call_and_validate(**how)

    tries()
    roster = {"body": "name\nAnn\n", "media_type": "text/csv", "query": {"achievement": "data-literacy"}}
    case = operation.Case(path_parameters=good, **(roster if takes_roster else body_of(town, operation.path)))
    answer = case.call_and_validate(**how)
    assert answer.status_code in {200, 202}, (operation.path, answer.text)
    return str(operation.path)
