"""Signed trust lists: registries to trust and issuers to deny, kept by somebody for many (docs/spec/trust-list.md).

    {"format": "credanchor/trust-list@v1", "name": "Registrars of the north", "sequence": 7,
     "issuedAt": 1790000000, "expiresAt": 1800000000,
     "registries": [{"registry": "eip155:1:0x…", "codeHash": "0x…", "name": "…"}], "deniedIssuers": ["did:web:…"],
     "proof": {…}}

Upholds: a list counts only from the signer that the policy names, unexpired, and never an older one after a newer.
Leaves to others: where it comes from, and keeping the one accepted last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from anchor.batch_steps import MAX_CLOCK_SKEW_SECONDS
from anchor.canonical import JsonObject
from anchor.data_integrity import Signature, check_document, require_signer, sign_document
from anchor.did_key import Ed25519Key
from anchor.errors import MalformedError, RollbackError, SignedFormatError, TrustListError
from anchor.members import list_of, parse_members, text_of, texts_of, whole_of, whole_or_none_of
from anchor.model import Policy, TrustedRegistry, to_utc
from anchor.policy import parse_registry, registry_content

FORMAT: Final = "credanchor/trust-list@v1"
_DRAFT: Final = frozenset({"format", "name", "sequence", "expiresAt", "registries", "deniedIssuers"})
_MEMBERS: Final = _DRAFT | {"issuedAt", "proof"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList:
    """A trust list whose signature holds. Only `check_trust_list` builds one."""

    signature: Signature
    """When it was signed is when it was issued."""
    name: str
    """For people; trusted for nothing."""
    sequence: int
    """From 1; each new list of a signer has a higher one."""
    expires_at: int | None
    """First second at which it is no longer usable; None: no end."""
    registries: tuple[TrustedRegistry, ...]
    denied_issuers: frozenset[str]

    def require_usable(self, now: int) -> None:
        """Check that the list counts now.

        Raises:
            TrustListError: It has expired, or is from the future.
        """
        if self.expires_at is not None and self.expires_at <= now:
            raise TrustListError(
                f"the trust list {self.sequence} of {self.signature.signer} expired on {to_utc(self.expires_at)}",
                advice="Get a newer one: credanchor trust update. If there is none, ask its signer.",
            )
        if self.signature.signed_at > now + MAX_CLOCK_SKEW_SECONDS:
            raise TrustListError(
                f"the trust list {self.sequence} of {self.signature.signer} is from the future, "
                f"{to_utc(self.signature.signed_at)}",
                advice="Check this machine's clock.",
            )

    def require_successor_of(self, accepted: TrustList) -> None:
        """Check that this list may take the place of one that was accepted before.

        Raises:
            RollbackError: It is older, or another one of the same number.
        """
        if self.sequence < accepted.sequence:
            raise RollbackError(
                f"trust list {self.sequence} is older than {accepted.sequence}, which was accepted before",
                advice="Whoever gives it out may hide what was denied since. Ask its signer.",
            )
        if self.sequence == accepted.sequence and self != accepted:
            raise RollbackError(
                f"there are two different trust lists {self.sequence} of {self.signature.signer}",
                advice="Its signer, or a thief of the key, says different things to different people. Ask the signer.",
            )


def sign_trust_list(draft: bytes, key: Ed25519Key, issued_at: int) -> bytes:
    """Sign a draft: a list without `issuedAt` and `proof`.

    Args:
        draft: The file.
        key: Whose list it is.
        issued_at: When, Unix seconds.

    Returns:
        The list's file, which `check_trust_list` takes.

    Raises:
        SignedFormatError: The draft breaks the format.
    """
    content = parse_members(draft, FORMAT, _DRAFT).value
    signed = sign_document({**content, "issuedAt": issued_at}, key, issued_at)
    data = json.dumps(signed, ensure_ascii=False, indent=2).encode() + b"\n"
    check_trust_list(data)
    return data


def check_trust_list(data: bytes) -> TrustList:
    """Read a trust list and check its signature.

    Raises:
        SignedFormatError: It breaks the format.
        SignatureError: Its signature does not hold.
    """
    # 1
    document = parse_members(data, FORMAT, _MEMBERS)
    content = document.value
    # 2
    signature = check_document(document)
    # 3
    if whole_of(content, "issuedAt") != signature.signed_at:
        raise SignedFormatError("issuedAt is not the time at which the list was signed")
    entries = list_of(content, "registries")
    if not all(isinstance(each, dict) for each in entries):
        raise SignedFormatError("registries must be a list of objects")
    denied = texts_of(content, "deniedIssuers")
    try:
        # Through a policy, so that the same is refused in both.
        policy = Policy(registries=tuple(map(parse_registry, entries)), denied_issuers=frozenset(denied))
    except MalformedError as error:
        raise SignedFormatError(f"the trust list is not usable: {error}") from error
    return TrustList(
        signature=signature,
        name=text_of(content, "name"),
        sequence=whole_of(content, "sequence", least=1),
        expires_at=whole_or_none_of(content, "expiresAt"),
        registries=policy.registries,
        denied_issuers=policy.denied_issuers,
    )


def trust_list_content(trust_list: TrustList) -> JsonObject:
    """Give a list's content and signer, for programs."""
    return {
        "name": trust_list.name,
        "sequence": trust_list.sequence,
        "issuedAt": trust_list.signature.signed_at,
        "expiresAt": trust_list.expires_at,
        "signer": trust_list.signature.signer,
        "registries": [registry_content(pin) for pin in trust_list.registries],
        "deniedIssuers": sorted(trust_list.denied_issuers),
    }


def apply_trust_lists(policy: Policy, lists: Sequence[TrustList], now: int) -> Policy:
    """Put into a policy what its trust lists say.

    Args:
        policy: Names the lists.
        lists: One for each that the policy names, in the same order.
        now: The verifier's time, Unix seconds.

    Returns:
        A policy that names no lists any more, and has their registries and denied issuers beside its own.

    Raises:
        SignatureError: A list is not by the signer that the policy names.
        TrustListError: A list is missing or not usable now, or pins a registry to other code than another list or the
            policy does.
    """
    if len(lists) != len(policy.trust_lists):
        raise TrustListError(f"the policy names {len(policy.trust_lists)} trust lists, and {len(lists)} are there")
    pins = {pin.registry: pin for pin in policy.registries}
    denied = policy.denied_issuers
    for source, trust_list in zip(policy.trust_lists, lists, strict=True):
        require_signer(trust_list.signature, source.signer)
        trust_list.require_usable(now)
        for pin in trust_list.registries:
            if pins.setdefault(pin.registry, pin).code_hash != pin.code_hash:
                raise TrustListError(
                    f"two code hashes are said to be trusted for the registry {pin.registry.to_text()}",
                    advice="One of them is wrong: ask the signer of the trust list.",
                )
        denied |= trust_list.denied_issuers
    return replace(policy, registries=tuple(pins.values()), denied_issuers=denied, trust_lists=())
