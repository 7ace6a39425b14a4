"""Which files of vectors are generated, and how they are written: one vector a line, so that a change shows."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.vectors import (
    anchor_proofs,
    audit_statements,
    bundles,
    canonical,
    event_archives,
    receipts,
    status_entries,
    trees,
    tries,
    trust_lists,
    verification,
)
from tests.support.vectors.common import Json

FOLDER = Path(__file__).parents[2] / "vectors"
FILES: dict[str, Callable[[], Json]] = {
    "canonical.json": canonical.build,
    "leaves.json": trees.build_leaves,
    "trees.json": trees.build_trees,
    "anchor-proofs.json": anchor_proofs.build,
    "status-entries.json": status_entries.build,
    "tries.json": tries.build,
    "verification.json": verification.build,
    "receipts.json": receipts.build,
    "trust-lists.json": trust_lists.build,
    "audit-statements.json": audit_statements.build,
    "event-archives.json": event_archives.build,
    "bundle.json": bundles.build,
}


def text_of(content: Json) -> str:
    """Write a file: ASCII, each element of a top-level list or object on a line of its own."""
    members = [f" {json.dumps(name)}: {_member(member)}" for name, member in content.items()]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _member(member: object) -> str:
    if isinstance(member, list):
        return "[\n" + ",\n".join(f"  {_compact(each)}" for each in member) + "\n ]"
    if isinstance(member, dict):
        entries = [f"  {json.dumps(name)}: {_compact(each)}" for name, each in member.items()]
        return "{\n" + ",\n".join(entries) + "\n }"
    return _compact(member)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
