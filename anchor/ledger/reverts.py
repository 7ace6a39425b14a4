"""Why the contract refused: revert data into a `RevertedError` with the Solidity error's name, arguments and advice."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from eth_abi import abi
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from anchor.errors import NodeRefusedError, RevertedError
from anchor.ledger.abi import contract_build

_SELECTOR_BYTES: Final = 4
_TEXT_SELECTOR: Final = keccak(b"Error(string)")[:_SELECTOR_BYTES]
_PANIC_SELECTOR: Final = keccak(b"Panic(uint256)")[:_SELECTOR_BYTES]

ADVICE: Final = {
    "AccessControlBadConfirmation": "a role can be renounced only by its holder",
    "AccessControlEnforcedDefaultAdminDelay": "the admin role moves only after a delay: wait until it has passed",
    "AccessControlEnforcedDefaultAdminRules": "the admin role moves in two steps: offer it, then accept it",
    "AccessControlInvalidDefaultAdmin": "only the account that the admin role was offered to may accept it",
    "AccessControlUnauthorizedAccount": "use an account that has this role, or ask the registry's admin to grant it",
    "AlreadyAnchored": (
        "the batch is on the ledger since then: nothing is left to do; if it was revoked, issue its credentials anew"
    ),
    "AlreadyController": "name another account than the one that is the controller already",
    "BatchAlreadyRevoked": "the ledger says so already: nothing is left to do",
    "BatchIsRevoked": "the issuer revoked the whole batch: ask the issuer",
    "CompromisedBeforeValid": (
        "give a time at which the key was valid already; what it did before counts for nothing anyway"
    ),
    "CompromisedInFuture": "give a time that has passed, or retire the key instead",
    "ConsentExpired": "let the key sign a new consent, and add the key before it expires",
    "ControllerOfferUnchanged": "the ledger says so already: nothing is left to do",
    "CredentialRevoked": "the issuer revoked this credential: ask the issuer",
    "CredentialSuspended": "the issuer suspended this credential, and may reinstate it: ask the issuer",
    "CutOffNotEarlier": "the key is cut off at that time already: only an earlier one changes anything",
    "DidAlreadyAccredited": "the institution has an issuer number already: use it",
    "DidTooLong": "use a shorter DID",
    "ERC5267ExtensionsNotSupported": "this is a fault in credanchor: please report it",
    "InvalidAccreditor": "name the account that shall accredit issuers",
    "InvalidConsent": "let the key itself sign the consent, for this registry and chain and with exactly these values",
    "InvalidController": "name the account that shall manage the issuer's keys",
    "InvalidDid": "give the issuer's DID, which starts with did:",
    "InvalidNonce": (
        "ask the ledger for the key's next nonce and let the key sign anew: this signature was used, "
        "cancelled, or overtaken"
    ),
    "InvalidReason": "give one of the reason codes",
    "InvalidScope": "a key anchors (1) or changes status (2)",
    "InvalidSignature": "let the key itself sign, for this registry and chain and with exactly these values",
    "InvalidStatusEpoch": "use epoch 0 for an anchoring key, the issuer's current or next epoch for a status key",
    "IssuerWithdrawn": "a withdrawn issuer can neither anchor nor add anchoring keys; ask the accreditor",
    "KeyAlreadyBound": "a key belongs to one issuer for ever: make a new one",
    "KeyCutOff": "use another key: this one is retired or declared compromised",
    "KeyNotOfIssuer": "use a key of this issuer, or let the issuer's controller add this one",
    "KeyNotYetValid": "wait until the key is valid",
    "NonceOutOfRange": "cancel 1 to 1,024 nonces a call, from the key's next one on",
    "NotAnchored": "check the batch's root and the issuer: nothing was anchored under them",
    "NotController": "only the issuer's controller may do this: use its account",
    "NotIncluded": "the credential is not of this batch, or was changed: check the credential and its proof",
    "NotPendingController": "let the controller offer control to this account first",
    "NothingChanges": "the ledger says so already: nothing is left to do",
    "SafeCastOverflowedUintDowncast": "use a smaller number",
    "SignatureExpired": "let the key sign anew with a later deadline",
    "StatusEpochOver": "let the controller add a key for the issuer's current status epoch, or for the next one",
    "StatusEpochsExhausted": "retire the key instead",
    "StatusIndexOutOfRange": "a status list has 131,072 entries, counted from 0",
    "UnknownCall": "check that what was sent is a call of this registry, or the 32 bytes of a root",
    "UnknownIssuer": "check the issuer's number and the registry's address",
    "UnknownKey": "check the key's address: it is the key of no issuer",
    "ValidFromInPast": "let the key be valid from now, or from a later time",
    "WithdrawalInPast": "let the accreditation end after now: what was anchored under it stays good",
    "WithdrawalNotEarlier": "the accreditation ends then already: only an earlier time changes anything",
    "WordCountOutOfRange": "change 1 to 512 words a call",
    "WordMaskMismatch": "give one mask for each word",
    "WordOutOfRange": "a status list has 512 words, counted from 0",
    "WordsNotIncreasing": "sort the words, each once",
    "WrongScope": "anchoring and changing status need a key each: use the other one",
    "ZeroRoot": "anchor the root of a batch",
    "ZeroSize": "anchor a batch with at least one credential",
}
"""What to do next, by the Solidity error's name; a test holds this table to the ABI."""


def decode_revert(data: bytes, what: str) -> RevertedError:
    """Turn revert data into an error.

    Args:
        data: As the contract returned it; empty if it, or the node, gave none.
        what: What was attempted, for the message: "anchor the batch".
    """
    selector, arguments = data[:_SELECTOR_BYTES], data[_SELECTOR_BYTES:]
    try:
        if selector == _TEXT_SELECTOR:
            (text,) = abi.decode(["string"], arguments)
            return RevertedError(f"the contract refused to {what}: {_shown(text)}")
        if selector == _PANIC_SELECTOR:
            (code,) = abi.decode(["uint256"], arguments)
            return RevertedError(f"the contract refused to {what}: internal fault {code:#x}")
        if selector in _errors():
            return _custom(_errors()[selector], arguments, what)
    except (DecodingError, UnicodeDecodeError):
        return RevertedError(f"the contract refused to {what}, and its reason cannot be read")
    reason = f"unknown error 0x{selector.hex()}" if selector else "no reason given"
    return RevertedError(
        f"the contract refused to {what}: {reason}", advice="check that the registry is of the version expected"
    )


def revert_of(error: NodeRefusedError, what: str) -> RevertedError | None:
    """Turn a node's refusal to execute a call into the contract's error; None if the contract was not the reason."""
    if error.data or "revert" in error.text.lower():
        return decode_revert(error.data, what)
    return None


def _custom(entry: dict[str, Any], arguments: bytes, what: str) -> RevertedError:
    values = abi.decode([item["type"] for item in entry["inputs"]], arguments)
    named = {item["name"]: value for item, value in zip(entry["inputs"], values, strict=True)}
    said = ", ".join(f"{name} {_shown(value)}" for name, value in named.items())
    name = entry["name"]
    return RevertedError(
        f"the contract refused to {what}: {name}{f' ({said})' if said else ''}",
        name=name,
        arguments=named,
        advice=ADVICE.get(name, ""),
    )


@cache
def _errors() -> dict[bytes, dict[str, Any]]:
    errors = [entry for entry in contract_build().abi if entry["type"] == "error"]
    return {_selector(entry): entry for entry in errors}


def _selector(entry: dict[str, Any]) -> bytes:
    types = ",".join(item["type"] for item in entry["inputs"])
    return keccak(f"{entry['name']}({types})".encode())[:_SELECTOR_BYTES]


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return "".join(char if char.isprintable() else " " for char in str(value)[:200])
