"""Reads the vectors for the tests beside it: one parameter a vector, named as the vector is."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent


def read(name: str) -> Any:
    """Read a file of vectors, `canonical` for `canonical.json`."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def vectors(name: str, kind: str) -> list[Any]:
    """Give the vectors of one kind, such as `valid`, as parameters named after them."""
    return [pytest.param(each, id=each["name"]) for each in read(name)[kind]]


def data(text: str) -> bytes:
    """Read `0x` hex."""
    assert text.startswith("0x")
    return bytes.fromhex(text[2:])
