"""Reads what lies in tests/vectors."""

import json
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from anchor.model import Hash32, hash32, parse_hex

VECTORS = Path(__file__).parents[1] / "vectors"


def read_vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def read_nodes(texts: list[str]) -> list[bytes]:
    return [parse_hex(text) for text in texts]


def hash_of(data: bytes) -> Hash32:
    return hash32(keccak(data))
