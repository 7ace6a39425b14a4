"""Audit statements: which heads an auditor found proven at which block, signed (docs/spec/audit-statement.md).

A statement proves that its signer said so. Whoever audits the registry later holds it against a history that is proven
complete: the heads must have been passed on the way, after just as many events, and no event that had happened by then
may come after them. Places of events on the chain do not matter for that, for no head binds them; their times do.

Upholds: what a statement says hangs together, or it is refused. Leaves to others: which signer to believe, whether the
history it is held against is complete (`anchor.audit`), and whether the block is one of the chain.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from anchor.data_integrity import Signature, check_document, sign_document
from anchor.did_key import Ed25519Key
from anchor.errors import HistoryError, SignedFormatError
from anchor.events import IssuerAccredited
from anchor.history import History
from anchor.members import (
    block_content,
    block_of,
    check_members,
    hash_of,
    list_of,
    parse_members,
    text_of,
    whole_of,
)
from anchor.model import Basis, Hash32, to_hex

FORMAT: Final = "credanchor/audit-statement@v1"
MAX_STATEMENT_BYTES: Final = 64 * 2**20
"""About 250,000 issuers."""

_MEMBERS: Final = frozenset({"format", "program", "auditedAt", "block", "codeHash", "registryWide", "issuers", "proof"})
_OPTIONAL: Final = frozenset({"organisation"})
_REGISTRY_MEMBERS: Final = frozenset({"events", "head"})
_ISSUER_MEMBERS: Final = frozenset({"didHash", "events", "head"})
_FIRST_EVENTS: Final = 2
"""Roles that are given when a registry is deployed; each accreditation follows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedHead:
    """A head, and after how many events."""

    events: int
    head: Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatement:
    """A statement whose signature holds. Only `check_statement` builds one."""

    signature: Signature
    organisation: str
    """For whom the signer says to sign; worth as much as he is."""
    program: str
    audited_at: int
    basis: Basis
    code_hash: Hash32
    heads: Mapping[int | None, StatedHead]
    """By issuer, numbered from 1; None: the registry-wide one."""
    did_hashes: tuple[Hash32, ...]
    """Of issuer 1 first."""


class Trouble(Enum):
    """In what a statement, and what it is held against, contradict each other."""

    OTHER_HEAD = "otherHead"
    """After as many events, the head is another."""
    MISSING_HERE = "missingHere"
    """The statement counts more events than there are."""
    LEFT_OUT = "leftOut"
    """Something that had happened by the statement's block is not in it."""
    TOO_EARLY = "tooEarly"
    """Something that the statement counts happened after its block only."""
    OTHER_ISSUER = "otherIssuer"
    """An issuer has another DID."""
    OTHER_BLOCK = "otherBlock"
    """Of one number, there are two block hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One of them."""

    trouble: Trouble
    issuer_id: int | None
    """Whose head; None: the registry-wide one, or the block."""


def make_statement(
    history: History,
    basis: Basis,
    *,
    code_hash: Hash32,
    audited_at: int,
    program: str,
    key: Ed25519Key,
    organisation: str = "",
) -> bytes:
    """Write a statement and sign it.

    Args:
        history: Proven complete at the block; all its events, which are gone through once.
        basis: The block, and what vouched for it.
        code_hash: Keccak-256 of the contract's code that was required.
        audited_at: When, Unix seconds; by which clock, the signer answers for.
        program: Name and version of what audited.
        key: Who says so.
        organisation: For whom; empty: not stated.

    Returns:
        The statement's file.

    Raises:
        SignedFormatError: It would be larger than anybody takes.
    """
    counts = Counter(chain for event in history.events for chain in event.heads)
    content: dict[str, Any] = {"format": FORMAT, "program": program, "auditedAt": audited_at}
    if organisation:
        content["organisation"] = organisation
    content |= {
        "block": block_content(basis),
        "codeHash": to_hex(code_hash),
        "registryWide": {"events": counts[None], "head": to_hex(history.registry_head)},
        "issuers": [
            {"didHash": to_hex(each.did_hash), "events": counts[each.issuer_id], "head": to_hex(each.head)}
            for each in history.issuers
        ],
    }
    data = json.dumps(sign_document(content, key, audited_at), ensure_ascii=False, indent=1).encode() + b"\n"
    if len(data) > MAX_STATEMENT_BYTES:
        raise SignedFormatError(f"the statement would have {len(data)} bytes, more than {MAX_STATEMENT_BYTES}")
    return data


def check_statement(data: bytes) -> AuditStatement:
    """Read a statement and check its signature, as docs/spec/audit-statement.md says.

    Raises:
        SignedFormatError: It breaks the format, or contradicts itself.
        SignatureError: Its signature does not hold.
    """
    # 1
    document = parse_members(data, FORMAT, _MEMBERS, optional=_OPTIONAL, max_bytes=MAX_STATEMENT_BYTES)
    content = document.value
    # 2
    signature = check_document(document)
    # 3
    basis, issuers = block_of(content["block"]), list_of(content, "issuers")
    check_members(content["registryWide"], _REGISTRY_MEMBERS, "registryWide")
    for each in issuers:
        check_members(each, _ISSUER_MEMBERS, "an issuer")
    least = {None: _FIRST_EVENTS + len(issuers)} | dict.fromkeys(range(1, len(issuers) + 1), 1)
    heads = {
        number: StatedHead(events=whole_of(each, "events", least=least[number]), head=hash_of(each, "head"))
        for number, each in [(None, content["registryWide"]), *enumerate(issuers, start=1)]
    }
    audited_at = whole_of(content, "auditedAt")
    if signature.signed_at < audited_at:
        raise SignedFormatError("the statement was signed before the audit that it tells of")
    return AuditStatement(
        signature=signature,
        organisation=text_of(content, "organisation"),
        program=text_of(content, "program"),
        audited_at=audited_at,
        basis=basis,
        code_hash=hash_of(content, "codeHash"),
        heads=heads,
        did_hashes=tuple(hash_of(each, "didHash") for each in issuers),
    )


def hold_against(statement: AuditStatement, history: History) -> tuple[Contradiction, ...]:
    """Hold a statement against a history of its registry that is proven complete, and goes at least as far in time.

    Args:
        statement: What was said.
        history: Its events are gone through once.

    Returns:
        What contradicts; empty: the statement is what a complete audit at its block had to say. For each head the
        first contradiction.

    Raises:
        HistoryError: The history is of another registry.
    """
    if history.registry != statement.basis.registry:
        raise HistoryError(
            f"the history is of {history.registry.to_text()}, the statement of {statement.basis.registry.to_text()}"
        )
    dids = dict(enumerate(statement.did_hashes, start=1))
    counts: Counter[int | None] = Counter()
    found: dict[int | None, Trouble] = {}
    for event in history.events:
        if isinstance(event, IssuerAccredited) and event.issuer_id in dids and dids[event.issuer_id] != event.did_hash:
            found.setdefault(event.issuer_id, Trouble.OTHER_ISSUER)
        had_happened = event.at <= statement.basis.block_at
        for chain, head in event.heads.items():
            counts[chain] += 1
            stated = statement.heads.get(chain)
            if stated is None or counts[chain] > stated.events:
                if had_happened:
                    found.setdefault(chain, Trouble.LEFT_OUT)
            elif not had_happened:
                found.setdefault(chain, Trouble.TOO_EARLY)
            elif counts[chain] == stated.events and head != stated.head:
                found.setdefault(chain, Trouble.OTHER_HEAD)
    for chain, stated in statement.heads.items():
        if counts[chain] < stated.events:
            found.setdefault(chain, Trouble.MISSING_HERE)
    return _in_order(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two statements say of each other, without the history."""

    contradictions: tuple[Contradiction, ...]
    """Whatever the history is, one of the two is wrong."""
    open: tuple[int | None, ...]
    """Heads that went on from the one to the other: only the events between can tell."""


def compare_statements(one: AuditStatement, other: AuditStatement) -> Comparison:
    """Compare two statements about one registry.

    Raises:
        HistoryError: They are about different registries.
    """
    if one.basis.registry != other.basis.registry:
        raise HistoryError(
            f"one statement is of {one.basis.registry.to_text()}, the other of {other.basis.registry.to_text()}"
        )
    earlier, later = sorted((one, other), key=lambda each: each.basis.block_number)
    is_same_block = earlier.basis.block_number == later.basis.block_number
    found: dict[int | None, Trouble] = {}
    went_on: list[int | None] = []
    for chain in dict.fromkeys((*earlier.heads, *later.heads)):
        before, after = earlier.heads.get(chain), later.heads.get(chain)
        if before is not None and after is not None and before.events == after.events:
            if before.head != after.head:
                found[chain] = Trouble.OTHER_HEAD
        elif after is None or (before is not None and before.events > after.events) or is_same_block:
            found[chain] = Trouble.MISSING_HERE
        else:
            went_on.append(chain)
    for number, (before_did, after_did) in enumerate(zip(earlier.did_hashes, later.did_hashes, strict=False), 1):
        if before_did != after_did:
            found[number] = Trouble.OTHER_ISSUER
    contradictions = _in_order(found)
    if is_same_block and earlier.basis.block_hash != later.basis.block_hash:
        contradictions = (Contradiction(trouble=Trouble.OTHER_BLOCK, issuer_id=None), *contradictions)
    return Comparison(contradictions=contradictions, open=tuple(went_on))


def _in_order(found: Mapping[int | None, Trouble]) -> tuple[Contradiction, ...]:
    chains = sorted(found, key=lambda chain: chain or 0)
    return tuple(Contradiction(trouble=found[chain], issuer_id=chain) for chain in chains)
