"""The verifier's policy as a file: what is trusted, and what is not (docs/spec/policy.md).

    {"format": "credanchor/policy@v1",
     "registries": [{"registry": "eip155:31337:0x…", "codeHash": "0x…", "name": "Local testnet"}],
     "vouching": "oneNode", "nodes": ["http://127.0.0.1:8545"],
     "confirmations": 0, "maxAgeSeconds": null, "deniedIssuers": []}

Upholds: an unknown member is refused, for a misspelt rule would otherwise be a rule that nobody applies.
"""

from __future__ import annotations

import json
from typing import Any, Final

from anchor.canonical import JsonObject, parse_document
from anchor.errors import CredentialFormatError, MalformedError, PolicyFormatError
from anchor.model import Policy, RegistryId, TrustedRegistry, Vouching, hash32, parse_hex, to_hex

FORMAT: Final = "credanchor/policy@v1"
_MEMBERS = frozenset({"format", "registries", "vouching", "nodes", "confirmations", "maxAgeSeconds", "deniedIssuers"})
_REGISTRY_MEMBERS = frozenset({"registry", "codeHash", "name"})


def parse_policy(data: bytes) -> Policy:
    """Read a policy file.

    Raises:
        PolicyFormatError: It is not strict JSON, of another format or version, or has a member wrong, missing or
            unknown.
    """
    try:
        content = parse_document(data).value
    except CredentialFormatError as error:
        raise PolicyFormatError(f"the policy is not strict JSON: {error}") from error
    if content.get("format") != FORMAT:
        raise PolicyFormatError(f"the policy's format must be {FORMAT}")
    _check_members(content, _MEMBERS, "the policy")
    try:
        return Policy(
            registries=tuple(_parse_registry(entry) for entry in _list_of(content, "registries", dict)),
            vouching=_parse_vouching(content["vouching"]),
            nodes=tuple(_list_of(content, "nodes", str)),
            confirmations=_whole_or_none(content, "confirmations"),
            max_age_seconds=_whole_or_none(content, "maxAgeSeconds"),
            denied_issuers=frozenset(_list_of(content, "deniedIssuers", str)),
        )
    except PolicyFormatError:
        raise
    except MalformedError as error:
        raise PolicyFormatError(f"the policy is not usable: {error}") from error


def policy_to_text(policy: Policy) -> str:
    """Write a policy file; `parse_policy` reads the same policy back."""
    content = {
        "format": FORMAT,
        "registries": [
            {"registry": pin.registry.to_text(), "codeHash": to_hex(pin.code_hash), "name": pin.name}
            for pin in policy.registries
        ],
        "vouching": policy.vouching.value,
        "nodes": list(policy.nodes),
        "confirmations": policy.confirmations,
        "maxAgeSeconds": policy.max_age_seconds,
        "deniedIssuers": sorted(policy.denied_issuers),
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _parse_registry(entry: JsonObject) -> TrustedRegistry:
    _check_members(entry, _REGISTRY_MEMBERS, "a trusted registry")
    if not all(isinstance(member, str) for member in entry.values()):
        raise PolicyFormatError("a trusted registry's members must be text")
    return TrustedRegistry(
        registry=RegistryId.parse(entry["registry"]),
        code_hash=hash32(parse_hex(entry["codeHash"])),
        name=entry["name"],
    )


def _parse_vouching(value: object) -> Vouching:
    try:
        return Vouching(value)
    except ValueError as error:
        known = ", ".join(kind.value for kind in Vouching)
        raise PolicyFormatError(f"vouching must be one of {known}") from error


def _check_members(content: JsonObject, expected: frozenset[str], what: str) -> None:
    missing, unknown = sorted(expected - content.keys()), sorted(content.keys() - expected)
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"has unknown members: {', '.join(unknown)[:200]}"
        raise PolicyFormatError(f"{what} {problem}")


def _list_of(content: JsonObject, name: str, kind: type[Any]) -> list[Any]:
    value = content[name]
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise PolicyFormatError(f"the policy's {name} must be a list of {'objects' if kind is dict else 'texts'}")
    return value


def _whole_or_none(content: JsonObject, name: str) -> int | None:
    value = content[name]
    if value is not None and type(value) is not int:
        raise PolicyFormatError(f"the policy's {name} must be a whole number or null")
    return value
