"""A key's consent to act for an issuer, carried between two machines as files.

    request   the controller's machine writes what it asks for          {"format": "credanchor/key-request@v1", …}
    consent   the key's machine shows that, signs it, and writes        {"format": "credanchor/key-consent@v1", …}
    add       the controller's machine sends it

Both are strict JSON with exactly the members below; times are Unix seconds. Neither is secret. The issuer's DID is in
the request for whoever reads it; the signature covers the issuer's number, on one registry of one chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from anchor.canonical import JsonObject, parse_document
from anchor.errors import CredentialFormatError, MalformedError
from anchor.ledger.contract import KeyConsent
from anchor.model import MAX_UINT32, Address, KeyScope, RegistryId, address, parse_hex, to_hex

REQUEST_FORMAT: Final = "credanchor/key-request@v1"
CONSENT_FORMAT: Final = "credanchor/key-consent@v1"
MAX_FILE_BYTES: Final = 65_536
"""A request has some 500 bytes; a multisig's signature, part of a consent, a few thousand."""

_MAX_UINT16: Final = 2**16 - 1
_MAX_UINT40: Final = 2**40 - 1
_TERMS: Final = frozenset(
    {"format", "registry", "issuer", "issuerDid", "scope", "statusEpoch", "validFrom", "deadline"}
)
_SIGNED: Final = frozenset({"key", "signature"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """What a key is asked to consent to."""

    registry: RegistryId
    issuer_id: int
    issuer_did: str
    """For people; not signed."""
    scope: KeyScope
    status_epoch: int
    """0 for an anchoring key."""
    valid_from: int
    """Unix seconds; 0: from the block in which the key is added."""
    deadline: int
    """Last second, Unix, at which the consent can be used."""

    def consent_of(self, key: Address) -> KeyConsent:
        """Give the consent of one key to it."""
        return KeyConsent(
            issuer_id=self.issuer_id,
            key=key,
            scope=self.scope,
            status_epoch=self.status_epoch,
            valid_from=self.valid_from,
            deadline=self.deadline,
        )

    def to_text(self) -> str:
        """Write it as a file."""
        return _text(REQUEST_FORMAT, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedConsent:
    """What a key has consented to, with its signature."""

    request: KeyRequest
    key: Address
    signature: bytes

    def to_text(self) -> str:
        """Write it as a file."""
        return _text(CONSENT_FORMAT, self.request, key=to_hex(self.key), signature=to_hex(self.signature))


def parse_request(data: bytes) -> KeyRequest:
    """Read a request.

    Raises:
        MalformedError: It is not strict JSON, or a member is missing, unknown or wrong.
    """
    return _request_in(_members(data, REQUEST_FORMAT, _TERMS))


def parse_consent(data: bytes) -> SignedConsent:
    """Read a signed consent; whether the signature is the key's, the contract says.

    Raises:
        MalformedError: As for `parse_request`.
    """
    content = _members(data, CONSENT_FORMAT, _TERMS | _SIGNED)
    return SignedConsent(
        request=_request_in(content),
        key=address(parse_hex(content["key"])),
        signature=parse_hex(content["signature"]),
    )


def _text(name: str, request: KeyRequest, **more: str) -> str:
    content = {
        "format": name,
        "registry": request.registry.to_text(),
        "issuer": request.issuer_id,
        "issuerDid": request.issuer_did,
        "scope": request.scope.name.lower(),
        "statusEpoch": request.status_epoch,
        "validFrom": request.valid_from,
        "deadline": request.deadline,
        **more,
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _members(data: bytes, name: str, expected: frozenset[str]) -> JsonObject:
    what = f"the file of format {name}"
    try:
        content = parse_document(data).value
    except CredentialFormatError as error:
        raise MalformedError(f"{what} is not strict JSON: {error}") from error
    if content.get("format") != name:
        raise MalformedError(f"the file's format must be {name}", advice=_ADVICE[name])
    if content.keys() != expected:
        raise MalformedError(f"{what} must have exactly the members {', '.join(sorted(expected))}")
    return content


_ADVICE: Final = {
    REQUEST_FORMAT: "The controller's machine writes one: `credanchor issuer key request`.",
    CONSENT_FORMAT: "The key's machine writes one from a request: `credanchor key consent`.",
}


def _request_in(content: JsonObject) -> KeyRequest:
    scopes = {scope.name.lower(): scope for scope in KeyScope}
    if content["scope"] not in ("anchor", "status") or not isinstance(content["issuerDid"], str):
        raise MalformedError("scope must be anchor or status, and issuerDid a text")
    return KeyRequest(
        registry=RegistryId.parse(_text_in(content, "registry")),
        issuer_id=_number_in(content, "issuer", 1, MAX_UINT32),
        issuer_did=content["issuerDid"],
        scope=scopes[content["scope"]],
        status_epoch=_number_in(content, "statusEpoch", 0, _MAX_UINT16),
        valid_from=_number_in(content, "validFrom", 0, _MAX_UINT40),
        deadline=_number_in(content, "deadline", 1, _MAX_UINT40),
    )


def _text_in(content: JsonObject, name: str) -> str:
    value: Any = content[name]
    if not isinstance(value, str):
        raise MalformedError(f"{name} must be a text")
    return value


def _number_in(content: JsonObject, name: str, least: int, most: int) -> int:
    value: Any = content[name]
    if type(value) is not int or not least <= value <= most:
        raise MalformedError(f"{name} must be a whole number from {least} to {most}")
    return value
