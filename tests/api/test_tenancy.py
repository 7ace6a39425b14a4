"""No institution sees or touches another's: every operation of the OpenAPI document, with every kind of key."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from anchor.model import to_hex
from tests.api.town import Resident, Town
from tests.support.registry import ACHIEVEMENT

OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/verify",
    "/v1/verify/bundle",
    "/status/{issuer_id}/{status_list}/{purpose}",
    "/v1/ledger",
    "/v1/ledger/batches/{root}",
    "/v1/ledger/events.csv",
    "/v1/ledger/events.jsonl",
    "/v1/ledger/issuers",
    "/v1/ledger/issuers/{issuer_id}",
    "/v1/ledger/issuers/{issuer_id}/batches",
    "/v1/ledger/issuers/{issuer_id}/events",
    "/v1/ledger/issuers/{issuer_id}/status/{status_list}/{index}",
    "/v1/ledger/search",
    "/v1/ledger/transactions/{transaction}",
}
"""Those that need no key; a new one has to be added here on purpose."""
OWN_ONLY = {
    "/v1/achievements",
    "/v1/api-keys",
    "/v1/audit",
    "/v1/batches",
    "/v1/credentials",
    "/v1/history",
    "/v1/institutions",
    "/v1/jobs",
    "/v1/jobs/events",
    "/v1/keys",
    "/v1/webhooks",
}
"""Lists, which give what is the asker's own whoever he is."""

SCOPES = {
    ("DELETE", "/v1/credentials/{id}/page"): "issue",
    ("GET", "/v1/api-keys"): "admin",
    ("GET", "/v1/api-keys/{prefix}"): "admin",
    ("GET", "/v1/audit"): "admin",
    ("PATCH", "/v1/institutions/{code}"): "admin",
    ("POST", "/v1/achievements"): "admin",
    ("POST", "/v1/achievements/{code}/versions"): "admin",
    ("POST", "/v1/api-keys"): "admin",
    ("POST", "/v1/api-keys/{prefix}/revoke"): "admin",
    ("POST", "/v1/batches"): "issue",
    ("POST", "/v1/credentials/{id}/page"): "issue",
    ("POST", "/v1/institutions"): "admin",
    ("POST", "/v1/institutions/{code}/close"): "admin",
    ("POST", "/v1/jobs/{job}/cancel"): "issue",
    ("POST", "/v1/status"): "status",
    ("DELETE", "/v1/webhooks/{webhook}"): "admin",
    ("GET", "/v1/webhooks"): "admin",
    ("GET", "/v1/webhooks/{webhook}"): "admin",
    ("GET", "/v1/webhooks/{webhook}/deliveries"): "admin",
    ("GET", "/v1/webhooks/{webhook}/deliveries/{delivery}"): "admin",
    ("GET", "/v1/webhooks/{webhook}/secret"): "admin",
    ("POST", "/v1/webhooks"): "admin",
    ("POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver"): "admin",
    ("POST", "/v1/webhooks/{webhook}/disable"): "admin",
    ("POST", "/v1/webhooks/{webhook}/enable"): "admin",
    ("POST", "/v1/webhooks/{webhook}/ping"): "admin",
    ("POST", "/v1/webhooks/{webhook}/rotate-secret"): "admin",
}
"""Of those for which `read` does not do."""
OPERATORS = {("POST", "/v1/institutions"), ("POST", "/v1/institutions/{code}/close")}
"""Those that the operator's key opens, and no institution's."""
ANYBODYS = {
    ("GET", "/v1/institutions"),
    ("GET", "/v1/institutions/{code}"),
    ("PATCH", "/v1/institutions/{code}"),
}
"""Those that both open."""

_numbers = count()


def scope_of(method: str, path: str) -> str:
    return SCOPES.get((method, path), "read")


def sent(method: str, path: str, of: Resident) -> dict[str, Any]:
    """What is sent with it."""
    if (method, path) == ("POST", "/v1/batches"):
        roster = {"content": b"name\nAnn\n", "headers": {"Content-Type": "text/csv"}}
        return {"params": {"achievement": "data-literacy"}, **roster}
    return {"json": body_of(method, path, of)}


def ask(town: Town, method: str, path: str, of: Resident, authorization: str | None) -> Any:
    how = sent(method, path, of)
    given = {} if authorization is None else {"Authorization": authorization}
    headers = {**how.pop("headers", {}), **given}
    return town.client.request(method, filled(path, of), headers=headers, **how)


def operations(town: Town) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in town.app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def values_of(path: str, of: Resident) -> dict[str, str]:
    """What stands in addresses, as far as each institution has its own."""
    credential = of.credentials()[0]
    webhook, delivery = of.hook(is_enabled=not path.endswith("/enable")) if "{webhook}" in path else ("", "")
    return {
        "code": "data-literacy" if path.startswith("/v1/achievements") else of.code,
        "version": "1",
        "root": to_hex(of.anchored.root),
        "id": str(credential.uuid),
        "job": of.job,
        "prefix": of.keys["spare"].split("_")[1],
        "issuer_id": str(of.issuer_id),
        "status_list": str(credential.position.status_list),
        "index": str(credential.position.index),
        "purpose": "revocation",
        "transaction": to_hex(of.transaction),
        "webhook": webhook,
        "delivery": delivery,
    }


def filled(path: str, of: Resident) -> str:
    return path.format(**values_of(path, of))


def body_of(method: str, path: str, of: Resident) -> dict[str, Any] | None:
    """A good one; of what may be there once only, another each time."""
    number = next(_numbers)
    match method, path:
        case "POST", "/v1/credentials/search":
            return {"query": of.credentials()[0].uuid.urn}
        case "POST", "/v1/achievements" | "/v1/achievements/check":
            return {"achievement": {**ACHIEVEMENT, "id": f"urn:x:{number}", "name": f"Made {number}"}}
        case "POST", "/v1/achievements/{code}/versions":
            return {"achievement": {**ACHIEVEMENT, "id": of.achievement_id, "name": f"Made {number}"}}
        case "POST", "/v1/api-keys":
            return {"scopes": ["read"], "label": f"made {number}"}
        case "POST", "/v1/institutions":
            return {"code": f"made-{number}", "name": f"Made {number}"}
        case "POST", "/v1/webhooks":
            return {"address": "https://lms.college.example/hook", "events": ["batch.final"]}
        case "PATCH", "/v1/institutions/{code}":
            return {"url": f"https://{number}.example/"}
        case "POST", "/v1/status":
            return {"action": "suspend", "reason": "other", "credentials": [str(of.credentials()[0].uuid)]}
    return None


def test_every_operation_that_is_not_open_says_that_it_needs_a_key(town: Town) -> None:
    for _, path, operation in operations(town):
        assert (path in OPEN) == ("security" not in operation), path
        assert (path in OPEN) == ("401" not in operation["responses"]), path


def test_no_key_that_is_not_good_for_it_opens_an_operation(town: Town) -> None:
    bad = {
        "none": (None, {401}),
        "nonsense": ("Bearer x", {401}),
        "another scheme": (f"Basic {town.here.keys['read']}", {401}),
        "altered": (f"Bearer {town.here.keys['read'][:-1]}!", {401}),
        "of another secret": (f"Bearer {town.here.keys['read'][:28]}{town.there.keys['read'][28:]}", {401}),
        "expired": (f"Bearer {town.here.keys['expired']}", {401}),
        "revoked": (f"Bearer {town.here.keys['revoked']}", {401}),
    }
    town.here.add_job()
    tried = 0
    for method, path, _ in operations(town):
        if path in OPEN:
            continue
        # What is the operator's alone, no scope of an institution's key opens.
        right = set() if (method, path) in OPERATORS else {scope_of(method, path)}
        others = {"read", "issue", "status", "admin"} - right
        scopes = {f"scope {each}": (f"Bearer {town.here.keys[each]}", {403}) for each in others}
        if (method, path) not in OPERATORS | ANYBODYS:
            scopes["operator"] = (f"Bearer {town.operator}", {403})
        for kind, (authorization, wanted) in {**bad, **scopes}.items():
            answer = ask(town, method, path, town.here, authorization)
            assert answer.status_code in wanted, (method, path, kind, answer.text)
            assert not any(secret in answer.text for secret in town.here.secrets()), (method, path, kind)
            assert (answer.status_code == 401) == ("www-authenticate" in answer.headers)
            tried += 1
    assert tried >= 10 * 10


def test_key_of_another_institution_gets_nothing(any_town: Town) -> None:
    town = any_town
    for each in (town.here, town.there):
        each.add_job()
    tried = 0
    for method, path, _ in operations(town):
        if path in OPEN or (method, path) in OPERATORS:
            continue
        stranger = f"Bearer {town.there.keys[scope_of(method, path)]}"
        answer = ask(town, method, path, town.here, stranger)
        if path in OWN_ONLY or path.startswith("/v1/achievements") or path == "/v1/credentials/search":
            # An achievement's id is its own: a new version of another's is none.
            refused = {409} if path == "/v1/achievements/{code}/versions" else set()
            assert answer.status_code in {200, 201, 202} | refused, (method, path)
        else:
            assert answer.status_code in {403, 404}, (method, path, answer.text)
        assert not any(secret in answer.text for secret in town.here.secrets()), (method, path)
        # The same with his own: the matrix would prove nothing if nobody got anything.
        own = ask(town, method, path, town.there, stranger)
        assert own.status_code in {200, 201, 202}, (method, path, own.text)
        tried += 1
    assert tried >= 15


def test_place_in_anothers_list_leads_nowhere(town: Town) -> None:
    stranger = {"Authorization": f"Bearer {town.there.keys['read']}"}
    cursor = town.get("/v1/credentials?limit=1").json()["next"]
    answer = town.client.get(f"/v1/credentials?cursor={cursor}", headers=stranger)
    assert not any(secret in answer.text for secret in town.here.secrets())


def test_keys_of_an_institution_that_was_closed_open_nothing(town: Town) -> None:
    from registry.services import operation

    operation.close(town.service.store, "borealis", now=town.service.now())
    assert town.get("/v1/batches").status_code == 401
