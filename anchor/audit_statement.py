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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from anchor.canonical import JsonObject
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
from anchor.model import ZERO_HASH, Basis, BlockHeader, Hash32, to_hex

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
    """Number and hash of the block do not go together."""
    OTHER_TIME = "otherTime"
    """The block has another time."""
    OTHER_CODE = "otherCode"
    """The contract has other code, and none can be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One of them."""

    trouble: Trouble
    issuer_id: int | None
    """Whose head; None: the registry-wide one, or the statement as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of holding a statement against a history, or against another statement."""

    contradictions: tuple[Contradiction, ...]
    """What cannot be true on both sides."""
    open: tuple[int | None, ...]
    """Heads, by issuer, of which this tells nothing. None: the registry-wide one."""


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
    heads: dict[int | None, StatedHead] = {None: _head_of(content["registryWide"], _FIRST_EVENTS + len(issuers))}
    heads |= {number: _head_of(each, 1) for number, each in enumerate(issuers, start=1)}
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


def _head_of(content: JsonObject, least: int) -> StatedHead:
    return StatedHead(events=whole_of(content, "events", least=least), head=hash_of(content, "head"))


def hold_against(
    statement: AuditStatement, history: History, *, code_hash: Hash32, next_block_at: int | None
) -> Comparison:
    """Hold a statement against a history of its registry that is proven complete, and does not end before its block.

    Args:
        statement: What was said.
        history: Its events are gone through once.
        code_hash: Keccak-256 of the code that the contract is proven to have.
        next_block_at: Time of the block after the statement's, Unix seconds; None: the history ends with the
            statement's block. Where both blocks have one time, of which of them events of that time are is open.

    Returns:
        What contradicts, for each head the first contradiction. Nothing, and nothing open: the statement is what a
        complete audit at its block had to say, if the block is one of the chain (`hold_block`).

    Raises:
        HistoryError: The history is of another registry.
    """
    if history.registry != statement.basis.registry:
        raise HistoryError(
            f"the history is of {history.registry.to_text()}, the statement of {statement.basis.registry.to_text()}"
        )
    block_at = statement.basis.block_at
    ambiguous = block_at if next_block_at == block_at else None
    dids = dict(enumerate(statement.did_hashes, start=1))
    counts: Counter[int | None] = Counter()
    found: dict[int | None, Trouble] = {}
    unclear: set[int | None] = set()
    for event in history.events:
        if isinstance(event, IssuerAccredited) and event.issuer_id in dids and dids[event.issuer_id] != event.did_hash:
            found.setdefault(event.issuer_id, Trouble.OTHER_ISSUER)
        for chain, head in event.heads.items():
            counts[chain] += 1
            stated = statement.heads.get(chain)
            if event.at == ambiguous:
                unclear.add(chain)
            if stated is None or counts[chain] > stated.events:
                if event.at <= block_at and event.at != ambiguous:
                    found.setdefault(chain, Trouble.LEFT_OUT)
            elif event.at > block_at:
                found.setdefault(chain, Trouble.TOO_EARLY)
            elif counts[chain] == stated.events and head != stated.head:
                found.setdefault(chain, Trouble.OTHER_HEAD)
    for chain, stated in statement.heads.items():
        if counts[chain] < stated.events:
            found.setdefault(chain, Trouble.MISSING_HERE)
    of_all = _of_all([Trouble.OTHER_CODE] if code_hash != statement.code_hash else [])
    return Comparison(
        contradictions=(*of_all, *_in_order(found)), open=tuple(sorted(unclear - found.keys(), key=_place))
    )


def settle(statement: AuditStatement, held: Comparison, heads: Mapping[int | None, Hash32]) -> Comparison:
    """Settle what `hold_against` left open by heads that are proven at the statement's own block.

    Args:
        statement: What was said.
        held: What came of holding it against a history.
        heads: Of all that is open, zero for an issuer that was not accredited yet.
    """
    found = {
        chain: Trouble.OTHER_HEAD if chain in statement.heads else Trouble.LEFT_OUT
        for chain in held.open
        if heads[chain] != (statement.heads[chain].head if chain in statement.heads else ZERO_HASH)
    }
    return Comparison(contradictions=(*held.contradictions, *_in_order(found)), open=())


def hold_block(statement: AuditStatement, header: BlockHeader) -> tuple[Contradiction, ...]:
    """Hold a statement's block against the one of its number that is vouched for."""
    basis = statement.basis
    if basis.block_hash != header.hash:
        return _of_all([Trouble.OTHER_BLOCK])
    return _of_all([Trouble.OTHER_TIME] if basis.block_at != header.timestamp else [])


def compare_statements(one: AuditStatement, other: AuditStatement) -> Comparison:
    """Compare two statements about one registry.

    Whatever the history is, one of two that contradict each other is wrong. Heads that went on from the one to the
    other are open: only the events between can tell.

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
    return Comparison(
        contradictions=(*_of_all(_blocks_and_code(earlier, later)), *_in_order(found)),
        open=tuple(chain for chain in went_on if chain not in found),
    )


def _blocks_and_code(earlier: AuditStatement, later: AuditStatement) -> list[Trouble]:
    before, after = earlier.basis, later.basis
    is_same_block = before.block_number == after.block_number
    found = []
    if is_same_block != (before.block_hash == after.block_hash):
        found.append(Trouble.OTHER_BLOCK)
    elif before.block_at != after.block_at if is_same_block else before.block_at > after.block_at:
        found.append(Trouble.OTHER_TIME)
    if earlier.code_hash != later.code_hash:
        found.append(Trouble.OTHER_CODE)
    return found


def _of_all(troubles: Iterable[Trouble]) -> tuple[Contradiction, ...]:
    return tuple(Contradiction(trouble=trouble, issuer_id=None) for trouble in troubles)


def _in_order(found: Mapping[int | None, Trouble]) -> Iterator[Contradiction]:
    for chain in sorted(found, key=_place):
        yield Contradiction(trouble=found[chain], issuer_id=chain)


def _place(chain: int | None) -> int:
    """The registry-wide head comes first."""
    return chain or 0
