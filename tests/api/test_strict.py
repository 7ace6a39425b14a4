"""Bodies, parameters and headers that somebody wrote to break something: refused or harmless, never our fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from registry.api.strict import StrictRoute
from tests.api.test_tenancy import ANYBODYS, OPEN, OPERATORS, ask, operations, scope_of, values_of
from tests.api.town import Town

BODIES = {
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b"[" * 500_000,
    "doubled key": b'{"query": "a", "query": "b"}',
    "huge number": b'{"query": "a", "limit": 1e999}',
    "huge integer": b'{"query": "a", "limit": 9' + b"9" * 5000 + b"}",
    "not a number": b'{"query": "a", "limit": NaN}',
    "lone surrogate": rb'{"query": "\ud800"}',
    "noncharacter": rb'{"query": "\uffff"}',
    "NUL": rb'{"query": "a\u0000b"}',
    "NUL in a key": rb'{"query": "a", "b\u0000": 1}',
    "NUL far within": rb'{"query": "a", "limit": [{"x": ["\u0000"]}]}',
    "no UTF-8": b'{"query": "\xff"}',
    "byte order mark": b'\xef\xbb\xbf{"query": "a"}',
    "list": b'["a"]',
    "nothing": b" ",
    "unknown member": b'{"query": "a", "limits": 3}',
}


def test_body_that_two_readers_could_read_differently_is_refused(town: Town) -> None:
    headers = {"Authorization": f"Bearer {town.here.keys['read']}", "Content-Type": "application/json"}
    for kind, content in BODIES.items():
        answer = town.client.post("/v1/credentials/search", content=content, headers=headers)
        assert answer.status_code in ({422} if kind == "unknown member" else {400}), (kind, answer.text)
    answer = town.client.post("/v1/credentials/search", content=rb'{"query": "\\u0000"}', headers=headers)
    assert answer.status_code == 200


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if "$ref" in schema:
                yield method.upper(), path, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def routes(found: list[BaseRoute]) -> Iterator[APIRoute]:
    for each in found:
        if isinstance(each, APIRoute):
            yield each
        yield from routes(getattr(getattr(each, "original_router", None), "routes", []))


def test_all_bodies_are_read_strictly_and_take_no_unknown_members(town: Town) -> None:
    found = [each for each in routes(town.app.routes) if each.body_field is not None]
    assert [each.path for each in found if not isinstance(each, StrictRoute)] == []
    named = list(bodies(town.app.openapi()))
    assert len(named) == len(found) > 4
    for method, path, schema in named:
        assert schema.get("additionalProperties") is False, (method, path)


def key_for(town: Town, method: str, path: str) -> str:
    return town.operator if (method, path) in OPERATORS | ANYBODYS else town.here.keys[scope_of(method, path)]


NUISANCES = ["\x00", "a\x00b", "%00", "￿", "9" * 400, "'; --", "../../etc/passwd", "a" * 5000]


def test_no_parameter_breaks_anything(any_town: Town) -> None:
    """On PostgreSQL above all, which takes neither NUL in texts nor numbers of more than 64 bits."""
    town = any_town
    town.here.add_job()
    town.read_history()
    tried = 0
    for method, path, operation in operations(town):
        key = key_for(town, method, path)
        good = values_of(path, town.here)
        for parameter in operation.get("parameters", ()):
            for nuisance in NUISANCES:
                name, place = parameter["name"], parameter["in"]
                values = {**good, name: quote(nuisance, safe="")} if place == "path" else good
                headers = {"Authorization": f"Bearer {key}".encode()}
                query: dict[str, str] = {}
                if place == "query":
                    query[name] = nuisance
                if place == "header":
                    headers[name] = nuisance.encode()
                pairs = [(key.encode(), value) for key, value in headers.items()]
                answer = town.client.request(method, path.format(**values), params=query, headers=pairs)
                assert answer.status_code < 500, (method, path, name, nuisance, answer.text)
                tried += 1
    assert tried > 100


def test_every_answer_has_safe_headers(town: Town) -> None:
    town.here.add_job()
    tried = 0
    for method, path, _ in operations(town):
        right = None if path in OPEN else f"Bearer {key_for(town, method, path)}"
        of = town.there if (method, path) in OPERATORS else town.here
        for authorization in {None, "Bearer x", right}:
            headers = ask(town, method, path, of, authorization).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["content-security-policy"].startswith("default-src 'none'"), path
            assert headers["x-frame-options"] == "DENY", path
            assert headers["referrer-policy"] == "no-referrer", path
            assert headers["x-request-id"], path
            # What is about people is kept by nobody but who asked.
            assert headers["cache-control"] in {"no-store", "private, no-cache"} or path in OPEN, path
            tried += 1
    assert tried > 60


def test_key_for_repetition_puts_nothing_into_answers(town: Town) -> None:
    given = {"Authorization": f"Bearer {town.here.keys['admin']}".encode(), "Content-Type": b"application/json"}
    for nuisance in (b"a\r\nX-Evil: 1", b"a\x00", "é".encode(), b"", b"a" * 256, b"a b"):
        headers = [(name.encode(), value) for name, value in {**given, "Idempotency-Key": nuisance}.items()]
        answer = town.client.post("/v1/api-keys", content=b'{"scopes": ["read"]}', headers=headers)
        assert answer.status_code == 422, nuisance
        assert "x-evil" not in answer.headers
