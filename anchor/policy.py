"""The verifier's policy as a file: what is trusted, and what is not (docs/spec/policy.md).

    {"format": "credanchor/policy@v1",
     "registries": [{"registry": "eip155:31337:0x…", "codeHash": "0x…", "name": "Local testnet"}],
     "vouching": "oneNode", "nodes": ["http://127.0.0.1:8545"],
     "confirmations": 0, "maxAgeSeconds": null}

Upholds: an unknown member is refused, for a misspelt rule would otherwise be a rule that nobody applies. Of those left
out, the default is the stricter choice, or the one that asks nobody.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from anchor.canonical import JsonObject, parse_document
from anchor.did_key import check_did
from anchor.errors import CredentialFormatError, MalformedError, PolicyFormatError
from anchor.model import (
    KnownBlock,
    Policy,
    RegistryId,
    TrustedRegistry,
    TrustListSource,
    Vouching,
    hash32,
    parse_hex,
    to_hex,
)

FORMAT: Final = "credanchor/policy@v1"
_DEFAULTS: Final[JsonObject] = {
    "vouching": "oneNode",
    "nodes": [],
    "agreeing": None,
    "knownBlocks": {},
    "confirmations": None,
    "maxAgeSeconds": 3600,
    "deniedIssuers": [],
    "requiredProofs": [],
    "requireDidDocument": False,
    "trustLists": [],
}
_NEEDED: Final = frozenset({"format", "registries"})
_REGISTRY_MEMBERS = frozenset({"registry", "codeHash", "name"})
_TRUST_LIST_MEMBERS = frozenset({"source", "signer"})
_CHAIN = re.compile(r"eip155:([1-9][0-9]{0,31})")  # CAIP-2


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
    _check_members(content, "the policy", needed=_NEEDED, known=_NEEDED | _DEFAULTS.keys())
    content = {**_DEFAULTS, **content}
    try:
        return Policy(
            registries=tuple(parse_registry(entry) for entry in _list_of(content, "registries", dict)),
            vouching=_parse_vouching(content["vouching"]),
            nodes=tuple(_list_of(content, "nodes", str)),
            agreeing=_whole_or_none(content, "agreeing"),
            known_blocks=parse_known_blocks(content["knownBlocks"]),
            confirmations=_whole_or_none(content, "confirmations"),
            max_age_seconds=_whole_or_none(content, "maxAgeSeconds"),
            denied_issuers=frozenset(_list_of(content, "deniedIssuers", str)),
            required_proofs=frozenset(_list_of(content, "requiredProofs", str)),
            require_did_document=_yes_or_no(content, "requireDidDocument"),
            trust_lists=tuple(_parse_trust_list(entry) for entry in _list_of(content, "trustLists", dict)),
        )
    except PolicyFormatError:
        raise
    except MalformedError as error:
        raise PolicyFormatError(f"the policy is not usable: {error}") from error


def policy_to_text(policy: Policy) -> str:
    """Write a policy file, every member of it; `parse_policy` reads the same policy back."""
    content = {
        "format": FORMAT,
        "registries": [registry_content(pin) for pin in policy.registries],
        "vouching": policy.vouching.value,
        "nodes": list(policy.nodes),
        "agreeing": policy.agreeing,
        "knownBlocks": known_blocks_content(policy.known_blocks),
        "confirmations": policy.confirmations,
        "maxAgeSeconds": policy.max_age_seconds,
        "deniedIssuers": sorted(policy.denied_issuers),
        "requiredProofs": sorted(policy.required_proofs),
        "requireDidDocument": policy.require_did_document,
        "trustLists": [{"source": each.source, "signer": each.signer} for each in policy.trust_lists],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def parse_known_blocks(value: object) -> frozenset[KnownBlock]:
    """Read known blocks: for each chain (CAIP-2) the hashes of its blocks.

    Raises:
        PolicyFormatError: A chain is not `eip155:<chain id>`, or something is no list of hashes.
        MalformedError: A hash is not 32 bytes in hex.
    """
    if not isinstance(value, dict):
        raise PolicyFormatError("known blocks are an object: for each chain, such as eip155:1, a list of block hashes")
    blocks = set()
    for chain in value:
        match = _CHAIN.fullmatch(chain)
        if match is None:
            raise PolicyFormatError(f"known blocks: expected a chain as eip155:<chain id>, got {chain[:100]!r}")
        blocks |= {
            KnownBlock(chain_id=int(match[1]), hash=hash32(parse_hex(text))) for text in _list_of(value, chain, str)
        }
    return frozenset(blocks)


def known_blocks_content(blocks: frozenset[KnownBlock]) -> JsonObject:
    """Write known blocks as `parse_known_blocks` reads them, in order."""
    content: dict[str, list[str]] = {}
    for block in sorted(blocks):
        content.setdefault(f"eip155:{block.chain_id}", []).append(to_hex(block.hash))
    return content


def parse_registry(entry: JsonObject) -> TrustedRegistry:
    """Read a trusted registry, as a policy and a trust list have it.

    Raises:
        PolicyFormatError: A member is missing, unknown or no text.
        MalformedError: A member is not in its form.
    """
    _check_members(entry, "a trusted registry", needed=_REGISTRY_MEMBERS, known=_REGISTRY_MEMBERS)
    if not all(isinstance(member, str) for member in entry.values()):
        raise PolicyFormatError("a trusted registry's members must be text")
    return TrustedRegistry(
        registry=RegistryId.parse(entry["registry"]),
        code_hash=hash32(parse_hex(entry["codeHash"])),
        name=entry["name"],
    )


def registry_content(pin: TrustedRegistry) -> JsonObject:
    """Write a trusted registry as `parse_registry` reads it."""
    return {"registry": pin.registry.to_text(), "codeHash": to_hex(pin.code_hash), "name": pin.name}


def _parse_trust_list(entry: JsonObject) -> TrustListSource:
    _check_members(entry, "a trust list", needed=_TRUST_LIST_MEMBERS, known=_TRUST_LIST_MEMBERS)
    source, signer = entry["source"], entry["signer"]
    if not isinstance(source, str) or not source.isprintable() or not source or not isinstance(signer, str):
        raise PolicyFormatError("a trust list has a source, a file or an https:// address, and a signer")
    if "://" in source and not source.startswith("https://"):
        raise PolicyFormatError("a trust list is a file, or comes over https://")
    check_did(signer)
    return TrustListSource(source=source, signer=signer)


def _parse_vouching(value: object) -> Vouching:
    try:
        return Vouching(value)
    except ValueError as error:
        known = ", ".join(kind.value for kind in Vouching)
        raise PolicyFormatError(f"vouching must be one of {known}") from error


def _check_members(content: JsonObject, what: str, *, needed: frozenset[str], known: frozenset[str]) -> None:
    missing, unknown = sorted(needed - content.keys()), sorted(content.keys() - known)
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


def _yes_or_no(content: JsonObject, name: str) -> bool:
    value = content[name]
    if not isinstance(value, bool):
        raise PolicyFormatError(f"the policy's {name} must be true or false")
    return value
