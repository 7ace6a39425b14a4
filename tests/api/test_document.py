"""The OpenAPI document as people and generators of clients read it: checked in, explained, with true examples."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from registry.api.examples import MissingExampleError, bodies, example_of

ROOT = Path(__file__).parents[2]
BINARY = {
    "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
}
"""Kinds whose examples nobody could read."""


@pytest.fixture(scope="module")
def text() -> str:
    """The document, made anew."""
    made: str = runpy.run_path(str(ROOT / "scripts" / "gen-openapi"))["document"]()
    return made


@pytest.fixture(scope="module")
def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_checked_in_document_is_that_of_the_api(text: str) -> None:
    """Where this fails the API changed: run scripts/gen-openapi, and look at whether clients can live with it."""
    assert (ROOT / "docs" / "api" / "openapi.json").read_text("utf-8") == text


def test_every_body_has_an_example_that_is_as_its_schema_says(document: dict[str, Any]) -> None:
    tried = 0
    for name, operation in operations(document):
        for (part, kind), content in bodies(operation).items():
            if kind in BINARY:
                continue
            assert "example" in content, (name, part, kind)
            schema = {**content.get("schema", {}), "components": document["components"]}
            errors = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
            assert errors == [], (name, part, kind)
            tried += 1
    assert tried > 100


def test_every_operation_is_named_and_explained(document: dict[str, Any]) -> None:
    names = []
    for name, operation in operations(document):
        names.append(operation["operationId"])
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        for each in operation.get("parameters", ()):
            assert each.get("description") or each["in"] == "path", (name, each["name"])
    assert len(set(names)) == len(names)


def test_problems_come_as_problems_and_as_nothing_else(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_examples_are_put_together_from_members() -> None:
    schemas = {"X": {"type": "object", "properties": {"a": {"type": "string", "examples": ["x"]}}}}
    made = {"type": "array", "items": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/X"}]}}
    assert example_of(made, schemas) == [{"a": "x"}]
    with pytest.raises(MissingExampleError, match=r"\$\.b"):
        example_of({"type": "object", "properties": {"b": {"type": "string"}}}, schemas)
