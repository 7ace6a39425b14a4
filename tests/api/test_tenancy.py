"""No institution sees or touches another's: every operation of the OpenAPI document, with every kind of key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anchor.model import to_hex
from tests.api.town import Resident, Town

OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/verify",
    "/v1/verify/bundle",
    "/status/{issuer_id}/{status_list}/{purpose}",
}
"""Those that need no key; a new one has to be added here on purpose."""
OWN_ONLY = {"/v1/institutions", "/v1/keys", "/v1/achievements", "/v1/batches", "/v1/credentials", "/v1/jobs"}
"""Lists, which give what is the asker's own whoever he is."""

SCOPES = {
    ("POST", "/v1/batches"): "issue",
    ("POST", "/v1/jobs/{job}/cancel"): "issue",
    ("POST", "/v1/status"): "status",
}
"""Of those for which `read` does not do."""


def scope_of(method: str, path: str) -> str:
    return SCOPES.get((method, path), "read")


def sent(method: str, path: str, of: Resident) -> dict[str, Any]:
    """What is sent with it."""
    if (method, path) == ("POST", "/v1/batches"):
        roster = {"content": b"name\nAnn\n", "headers": {"Content-Type": "text/csv"}}
        return {"params": {"achievement": "data-literacy"}, **roster}
    return {"json": body_of(path, of)}


def ask(town: Town, method: str, path: str, of: Resident, authorization: str | None) -> Any:
    how = sent(method, path, of)
    given = {} if authorization is None else {"Authorization": authorization}
    headers = {**how.pop("headers", {}), **given}
    return town.client.request(method, filled(path, of), headers=headers, **how)


def operations(town: Town) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in town.app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def filled(path: str, of: Resident) -> str:
    credential = of.credentials()[0]
    values = {"code": of.code, "root": to_hex(of.anchored.root), "id": str(credential.uuid), "job": of.job}
    if path.startswith("/v1/achievements"):
        values["code"] = "data-literacy"
    return path.format(**values)


def body_of(path: str, of: Resident) -> dict[str, Any] | None:
    if path == "/v1/credentials/search":
        return {"query": of.credentials()[0].uuid.urn}
    if path == "/v1/status":
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
        others = {"read", "issue", "status", "admin"} - {scope_of(method, path)}
        scopes = {f"scope {each}": (f"Bearer {town.here.keys[each]}", {403}) for each in others}
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
        if path in OPEN:
            continue
        stranger = f"Bearer {town.there.keys[scope_of(method, path)]}"
        answer = ask(town, method, path, town.here, stranger)
        if path in OWN_ONLY or path.startswith("/v1/achievements") or path == "/v1/credentials/search":
            assert answer.status_code in {200, 202}, (method, path)
        else:
            assert answer.status_code in {403, 404}, (method, path, answer.text)
        assert not any(secret in answer.text for secret in town.here.secrets()), (method, path)
        # The same with his own: the matrix would prove nothing if nobody got anything.
        own = ask(town, method, path, town.there, stranger)
        assert own.status_code in {200, 202}, (method, path, own.text)
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
