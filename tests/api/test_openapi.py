"""The OpenAPI document is true: whatever is sent by it, answers are as it says, and none is a fault of the service."""

from __future__ import annotations

import json
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.test_tenancy import OPEN, OPERATORS, body_of, scope_of, values_of
from tests.api.town import Town

BEYOND_SCHEMA = {
    ("POST", "/v1/achievements"),  # Open Badges 3.0
    ("POST", "/v1/achievements/{code}/versions"),
    ("POST", "/v1/achievements/check"),  # numbers that doubles hold
    ("POST", "/v1/api-keys"),  # expires in the future; what is written is visible
    ("POST", "/v1/institutions"),
    ("PATCH", "/v1/institutions/{code}"),
    ("POST", "/v1/webhooks"),  # an address that messages are sent to
}
"""Those whose bodies must be what no JSON Schema says."""
DOOMED = "doomed"
"""Code of an institution that nobody needs."""
EXAMPLES = 12
"""Tries of each operation; enough to have found all faults that there were when this was written."""


def seeded(town: Town, path: str) -> dict[str, Any]:
    """Values with which an operation must succeed."""
    parameters: dict[str, Any] = values_of(path, town.here)
    if path == "/v1/institutions/{code}/close":
        parameters["code"] = DOOMED
    return {name: value for name, value in parameters.items() if f"{{{name}}}" in path}


def sent(town: Town, method: str, path: str) -> dict[str, Any]:
    """What an operation must succeed with, beside what stands in the address."""
    if (method, path) == ("POST", "/v1/batches"):
        return {"body": "name\nAnn\n", "media_type": "text/csv", "query": {"achievement": "data-literacy"}}
    if path == "/v1/ledger/search":
        return {"query": {"q": town.here.did}}
    if path.startswith("/v1/verify"):
        what = "bundle" if path.endswith("bundle") else "document"
        document = town.get(f"/v1/credentials/{town.here.credentials()[0].uuid}/{what}").content
        return {"body": json.loads(document), "media_type": "application/json"}
    body = body_of(method, path, town.here)
    return {} if body is None else {"body": body, "media_type": "application/json"}


def test_every_operation_answers_as_documented_and_can_succeed(town: Town) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", town.app)
    town.here.add_job()
    town.read_history()
    town.operate("POST", "/v1/institutions", {"code": DOOMED, "name": "Doomed"})
    # One for all tries: the application ends with it.
    with asgi.get_client(cast(Any, town.app)) as session:
        tried = [try_out(town, cast(Any, result).ok(), session) for result in schema.get_all_operations()]
    assert len(tried) > 20
    assert set(tried) >= OPEN


def try_out(town: Town, operation: Any, session: Any) -> str:
    """Try one operation out; give its path."""
    method, path = operation.method.upper(), operation.path
    good = seeded(town, path)
    key = town.operator if (method, path) in OPERATORS else town.here.keys[scope_of(method, path)]
    how: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}"}, "session": session}
    unchecked = [positive_data_acceptance] if (method, path) in BEYOND_SCHEMA else []
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
        case.call_and_validate(**how, excluded_checks=unchecked)

    tries()
    # What it was tried out on may be gone.
    good = seeded(town, path)
    case = operation.Case(path_parameters=good, **sent(town, method, path))
    answer = case.call_and_validate(**how)
    assert answer.status_code in {200, 201, 202}, (path, answer.text)
    return str(path)
