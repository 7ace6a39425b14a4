"""Verification receipts: who checked what, when, by which policy, and what came of it, signed (docs/spec/receipt.md).

A receipt proves that its signer said so, not that it is so. It names no person: no holder, no e-mail, and no file
unless asked for; a credential is known by its id and its hashes.

Upholds: what a receipt says of a file hangs together, or it is refused. Leaves to others: which signer to believe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from anchor.canonical import JsonObject, canonicalize
from anchor.credential import Credential
from anchor.data_integrity import Signature, check_document, sign_document
from anchor.did_key import Ed25519Key
from anchor.errors import MalformedError, SignedFormatError
from anchor.members import (
    block_content,
    block_of,
    check_members,
    hash_of,
    list_of,
    parse_members,
    text_of,
    whole_of,
    whole_or_none_of,
)
from anchor.model import (
    Basis,
    CheckStatus,
    Hash32,
    Outcome,
    Policy,
    Verdict,
    to_hex,
)
from anchor.policy import policy_to_text
from anchor.steps import STEP_NAMES

FORMAT: Final = "credanchor/receipt@v1"
MAX_RECEIPT_BYTES: Final = 64 * 2**20
"""About 60,000 files. Larger ones are many receipts."""
MALFORMED: Final = "malformed"
"""What a receipt says of a file that has no verdict."""

_MEMBERS: Final = frozenset({"format", "program", "checkedAt", "policy", "policyHash", "blocks", "files", "proof"})
_FILE_MEMBERS: Final = frozenset(
    {"sha256", "outcome", "reason", "credentialId", "credentialHash", "issuer", "anchoredAt", "block", "checks"}
)
_MALFORMED_MEMBERS: Final = frozenset({"sha256", "outcome"})
_OPTIONAL: Final = frozenset({"organisation"})
_FILE_OPTIONAL: Final = frozenset({"name"})
_REASON: Final = re.compile(r"[A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer:
    """What came of one file, to be put into a receipt."""

    sha256: Hash32
    """Of the file's bytes."""
    answer: Verdict | MalformedError
    credential: Credential | None
    """None when the file is malformed."""
    name: str = ""
    """Of the file, where a receipt shall name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFile:
    """What a receipt says of one file."""

    sha256: Hash32
    name: str
    outcome: str
    """That of a verdict, or `MALFORMED`; then nothing is said below."""
    reason: str = ""
    credential_id: str = ""
    credential_hash: Hash32 | None = None
    issuer_did: str = ""
    anchored_at: int | None = None
    block: int | None = None
    """Place among the receipt's blocks; None when none was reached."""
    checks: tuple[CheckStatus, ...] = ()
    """Thirteen, in the order of the steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt whose signature holds. Only `check_receipt` builds one."""

    signature: Signature
    organisation: str
    """Whom the signer says to sign for; worth as much as he is."""
    program: str
    checked_at: int
    policy: JsonObject
    """As in a policy file, without the nodes."""
    policy_hash: Hash32
    blocks: tuple[Basis, ...]
    files: tuple[ReceiptFile, ...]

    def by_hash(self) -> dict[Hash32, ReceiptFile]:
        """Give what is said of each file by the SHA-256 of its bytes."""
        return {each.sha256: each for each in self.files}


def make_receipt(
    files: Sequence[FileAnswer],
    policy: Policy,
    *,
    checked_at: int,
    program: str,
    key: Ed25519Key,
    organisation: str = "",
) -> bytes:
    """Write a receipt and sign it.

    Args:
        files: What came of each. Of equal files the first counts.
        policy: By which they were judged.
        checked_at: When, Unix seconds; by which clock, the signer answers for.
        program: Name and version of what judged them.
        key: Who says so.
        organisation: For whom; empty: not stated.

    Returns:
        The receipt's file.

    Raises:
        SignedFormatError: It would be larger than anybody takes.
    """
    blocks: dict[Basis, int] = {}
    entries: dict[Hash32, JsonObject] = {}
    for each in files:
        entries.setdefault(each.sha256, _file_content(each, blocks))
    content: JsonObject = {"format": FORMAT, "program": program, "checkedAt": checked_at}
    if organisation:
        content["organisation"] = organisation
    content |= {
        "policy": _policy_content(policy),
        "policyHash": to_hex(policy_hash(policy)),
        "blocks": [block_content(each) for each in blocks],
        "files": list(entries.values()),
    }
    signed = sign_document(content, key, checked_at)
    data = json.dumps(signed, ensure_ascii=False, indent=1).encode() + b"\n"
    if len(data) > MAX_RECEIPT_BYTES:
        raise SignedFormatError(
            f"the receipt would have {len(data)} bytes, more than {MAX_RECEIPT_BYTES}",
            advice="Check fewer files at once, with a receipt for each part.",
        )
    return data


def check_receipt(data: bytes) -> Receipt:
    """Read a receipt and check its signature, as docs/spec/receipt.md says.

    Raises:
        SignedFormatError: It breaks the format, or contradicts itself.
        SignatureError: Its signature does not hold.
    """
    # 1
    document = parse_members(data, FORMAT, _MEMBERS, optional=_OPTIONAL, max_bytes=MAX_RECEIPT_BYTES)
    content = document.value
    # 2
    signature = check_document(document)
    # 3
    blocks = tuple(block_of(each) for each in list_of(content, "blocks"))
    files = tuple(_parse_file(each, len(blocks)) for each in list_of(content, "files"))
    if len({each.sha256 for each in files}) != len(files):
        raise SignedFormatError("the receipt speaks of a file twice")
    checked_at = whole_of(content, "checkedAt")
    if signature.signed_at < checked_at:
        raise SignedFormatError("the receipt was signed before what it tells of")
    policy = content["policy"]
    if not isinstance(policy, dict) or "nodes" in policy:
        raise SignedFormatError("the receipt's policy must be an object without nodes")
    return Receipt(
        signature=signature,
        organisation=text_of(content, "organisation"),
        program=text_of(content, "program"),
        checked_at=checked_at,
        policy=policy,
        policy_hash=hash_of(content, "policyHash"),
        blocks=blocks,
        files=files,
    )


def policy_hash(policy: Policy) -> Hash32:
    """Hash a policy: SHA-256 of the canonical bytes of its file with every member stated."""
    return Hash32(sha256(canonicalize(json.loads(policy_to_text(policy)))).digest())


def _policy_content(policy: Policy) -> JsonObject:
    """Give the policy without its nodes: an address may hold an access key, and who answered stands with the blocks."""
    content: JsonObject = json.loads(policy_to_text(policy))
    return {name: member for name, member in content.items() if name != "nodes"}


def _file_content(file: FileAnswer, blocks: dict[Basis, int]) -> JsonObject:
    content: JsonObject = {"sha256": to_hex(file.sha256)}
    if file.name:
        content["name"] = file.name
    verdict, credential = file.answer, file.credential
    if isinstance(verdict, MalformedError) or credential is None:
        return {**content, "outcome": MALFORMED}
    basis = verdict.basis
    return {
        **content,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "credentialId": verdict.credential_id,
        "credentialHash": to_hex(credential.content_hash),
        "issuer": verdict.issuer_did,
        "anchoredAt": verdict.anchored_at,
        "block": None if basis is None else blocks.setdefault(basis, len(blocks)),
        "checks": [check.status.value for check in verdict.checks],
    }


def _parse_file(content: Any, block_count: int) -> ReceiptFile:
    is_malformed = isinstance(content, dict) and content.get("outcome") == MALFORMED
    check_members(content, _MALFORMED_MEMBERS if is_malformed else _FILE_MEMBERS, "a file", optional=_FILE_OPTIONAL)
    digest, name = hash_of(content, "sha256"), text_of(content, "name")
    if is_malformed:
        return ReceiptFile(sha256=digest, name=name, outcome=MALFORMED)
    file = ReceiptFile(
        sha256=digest,
        name=name,
        outcome=text_of(content, "outcome"),
        reason=text_of(content, "reason"),
        credential_id=text_of(content, "credentialId"),
        credential_hash=hash_of(content, "credentialHash"),
        issuer_did=text_of(content, "issuer"),
        anchored_at=whole_or_none_of(content, "anchoredAt"),
        block=whole_or_none_of(content, "block"),
        checks=tuple(_status(each) for each in list_of(content, "checks")),
    )
    _check_agreement(file, block_count)
    return file


def _check_agreement(file: ReceiptFile, block_count: int) -> None:
    """Check that what is said of a file hangs together."""
    if len(file.checks) != len(STEP_NAMES):
        raise SignedFormatError(f"a file has {len(file.checks)} checks, not {len(STEP_NAMES)}")
    if CheckStatus.FAILED in file.checks:
        follows = Outcome.INVALID
    else:
        follows = Outcome.UNKNOWN if CheckStatus.UNKNOWN in file.checks else Outcome.VALID
    if file.outcome != follows.value:
        raise SignedFormatError(f"a file is said to be {file.outcome[:20]}, and its checks say {follows.value}")
    if (_REASON.fullmatch(file.reason) is None) if follows is not Outcome.VALID else bool(file.reason):
        raise SignedFormatError("a file has a reason exactly when it is not valid")
    if file.block is None:
        if follows is Outcome.VALID:
            raise SignedFormatError("a file is said to be valid without a block")
    elif file.block >= block_count:
        raise SignedFormatError("a file names a block that the receipt does not have")


def _status(value: Any) -> CheckStatus:
    try:
        return CheckStatus(value)
    except ValueError as error:
        raise SignedFormatError("a check of the receipt has no such status") from error
