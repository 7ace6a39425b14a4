"""Examples in the OpenAPI document: each body's is put together from its members', so that none is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from registry.api.problems import MEDIA_TYPE

_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


class MissingExampleError(LookupError):
    """A member has none; says which."""


def complete(document: dict[str, Any]) -> None:
    """Mend what the framework says of problems, and give each body its example.

    A body that has one keeps it; one that none can be made for stays without.
    """
    schemas = document.get("components", {}).get("schemas", {})
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if method not in _METHODS:
                continue
            for answer in operation["responses"].values():
                if MEDIA_TYPE in answer.get("content", {}):
                    # It takes every answer that has a model for its usual kind.
                    answer["content"].pop("application/json", None)
            for content in bodies(operation).values():
                if "example" not in content and "examples" not in content and "schema" in content:
                    _add(content, schemas)


def bodies(operation: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Give the bodies of an operation, by `request` or the answer's status, and by media type; each with its schema."""
    parts = {"request": operation.get("requestBody", {}), **operation["responses"]}
    return {(name, kind): content for name, part in parts.items() for kind, content in part.get("content", {}).items()}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str = "$") -> Any:
    """Put together an example.

    Args:
        schema: JSON Schema, as pydantic writes it.
        schemas: What it may refer to, by name.
        where: Its place, for errors.

    Raises:
        MissingExampleError: Something in it has no example, and none that goes without saying.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, where)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for kind in ("anyOf", "oneOf"):
        if kind in schema:
            # What may be null is shown with a value.
            first, *_ = [each for each in schema[kind] if each.get("type") != "null"]
            return example_of(first, schemas, where)
    match schema.get("type"):
        case "object" if "properties" in schema:
            members = schema["properties"].items()
            return {name: example_of(each, schemas, f"{where}.{name}") for name, each in members}
        case "array":
            return [example_of(schema["items"], schemas, f"{where}[0]")]
        case "boolean":
            return schema.get("default", False)
    if schema.get("default") is not None:
        return schema["default"]
    if schema.get("type") == "integer":
        return schema.get("minimum", 1)
    if schema.get("format") == "uuid":
        return "6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b11"
    raise MissingExampleError(where)


def _add(content: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    try:
        content["example"] = example_of(content["schema"], schemas)
    except MissingExampleError:
        return
