"""What is kept of a proven history beside its events: where they led the registry and each issuer (CBOR).

Written by `sync`, in the transaction in which events become shown, and read by `queries`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from hashlib import sha256
from typing import Any, Final, NamedTuple

import cbor2

from anchor.history import History, IssuerHistory, RoleTenure
from anchor.model import Address, Basis, Hash32, Issuer, Key, RegistryId, StatusPosition, TrustedRegistry, Vouching
from anchor.status import StatusPurpose, mask_of, word_of
from registry.services.explorer.views import Counts, IssuerView, KeyView, LedgerView

_KEY_FIELDS: Final = tuple(field.name for field in fields(Key))
_COUNT_FIELDS: Final = tuple(field.name for field in fields(Counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What one change of status epochs undid: status words with the bits that count no more, and roots of batches."""

    unrevoked: tuple[Word, ...]
    unsuspended: tuple[Word, ...]
    unrevoked_batches: tuple[Hash32, ...]


class Word(NamedTuple):
    """Some credentials of one status word."""

    status_list: int
    word: int
    mask: int


def count(issuer: IssuerHistory, events: int) -> Counts:
    """Count what there is of an issuer; the number of its events is not in its history."""
    epoch, keys = issuer.record.status_epoch, issuer.keys
    cut_offs = {address: key.cut_off for address, key in keys.items()}
    batches = credentials = void = revoked_batches = 0
    for batch in issuer.batches.values():
        cut_off = cut_offs[batch.key]
        revoked_batches += batch.is_revoked_in(epoch)
        if cut_off is not None and cut_off <= batch.anchored_at:
            void += 1
        else:
            batches += 1
            credentials += batch.size
    bits = {
        purpose: sum(mask.bit_count() for place, mask in words.items() if place.epoch == epoch)
        for purpose, words in issuer.bits.items()
    }
    return Counts(
        events=events,
        batches=batches,
        credentials=credentials,
        void_batches=void,
        revoked_batches=revoked_batches,
        revoked=bits[StatusPurpose.REVOCATION],
        suspended=bits[StatusPurpose.SUSPENSION],
    )


def total(each: Iterable[Counts], events: int) -> Counts:
    """Add up the counts of issuers; events of the registry itself are in their number alone."""
    columns = zip(*map(astuple, each), strict=True)
    sums = dict(zip(_COUNT_FIELDS, map(sum, columns), strict=False))
    return Counts(**{**dict.fromkeys(_COUNT_FIELDS, 0), **sums, "events": events})


def tag_of(copy: int, history: History) -> str:
    """Name a state of history: by its heads, which stand for all events, and by the copy, for where these are."""
    heads = b"".join(issuer.head for issuer in history.issuers)
    return sha256(copy.to_bytes(8, "big") + history.registry_head + heads).hexdigest()[:32]


def undone_by(issuer: IssuerHistory) -> list[list[Any]]:
    """Give what each change of an issuer's status epochs undid, as `issuer_bytes` writes it."""
    return [
        [_words(each.unrevoked), _words(each.unsuspended), list(each.unrevoked_batches)]
        for each in issuer.epoch_changes
    ]


def issuer_bytes(issuer: IssuerHistory, counts: Counts, last_at: int, earlier: Sequence[list[Any]] = ()) -> bytes:
    """Write where events led an issuer.

    Args:
        issuer: As replayed.
        counts: What there is of it.
        last_at: When its last event happened.
        earlier: What changes of its status epochs undid that happened before the replay went on from a checkpoint.
    """
    return cbor2.dumps(
        {
            "did": issuer.did,
            "record": astuple(issuer.record),
            "head": issuer.head,
            "pendingController": issuer.pending_controller,
            "nextEpoch": issuer.next_status_epoch,
            "keys": [[address, *astuple(key)] for address, key in issuer.keys.items()],
            "counts": astuple(counts),
            "lastAt": last_at,
            "undone": [*earlier, *undone_by(issuer)],
        }
    )


def read_issuer(issuer_id: int, did_hash: bytes, content: bytes) -> IssuerView:
    """Read what `issuer_bytes` wrote."""
    read = cbor2.loads(content)
    controller, accredited_at, withdrawn_at, status_epoch = read["record"]
    pending = read["pendingController"]
    return IssuerView(
        issuer_id=issuer_id,
        did=read["did"],
        did_hash=Hash32(did_hash),
        record=Issuer(
            controller=Address(controller),
            accredited_at=accredited_at,
            withdrawn_at=withdrawn_at,
            status_epoch=status_epoch,
        ),
        head=Hash32(read["head"]),
        pending_controller=None if pending is None else Address(pending),
        next_status_epoch=read["nextEpoch"],
        keys=tuple(
            KeyView(address=Address(address), key=Key(**dict(zip(_KEY_FIELDS, values, strict=True))))
            for address, *values in read["keys"]
        ),
        counts=read_counts(read["counts"]),
        last_at=read["lastAt"],
    )


def read_undone(content: bytes) -> tuple[Undone, ...]:
    """Read what each change of an issuer's status epochs undid, in order."""
    return tuple(
        Undone(
            unrevoked=tuple(Word(*each) for each in revoked),
            unsuspended=tuple(Word(*each) for each in suspended),
            unrevoked_batches=tuple(map(Hash32, batches)),
        )
        for revoked, suspended, batches in cbor2.loads(content)["undone"]
    )


def _words(positions: Iterable[StatusPosition]) -> list[Word]:
    masks: dict[tuple[int, int], int] = {}
    for position in positions:
        place = (position.status_list, word_of(position.index))
        masks[place] = masks.get(place, 0) | mask_of(position.index)
    return [Word(*place, mask) for place, mask in sorted(masks.items())]


def ledger_bytes(
    history: History, pin: TrustedRegistry, basis: Basis, counts: Counts, *, first_at: int, last_at: int, tag: str
) -> bytes:
    """Write where events led a registry, and what the proof rests on."""
    return cbor2.dumps(
        {
            "codeHash": pin.code_hash,
            "name": basis.registry_name,
            "block": [basis.block_number, basis.block_hash, basis.block_at],
            "vouching": [basis.vouching.value, list(basis.vouched_by), basis.nodes_asked],
            "registryHead": history.registry_head,
            "issuers": len(history.issuers),
            "counts": astuple(counts),
            "firstAt": first_at,
            "lastAt": last_at,
            "tenures": [[each.role, each.account, each.since, each.until] for each in history.tenures],
            "tag": tag,
        }
    )


def read_ledger(registry: RegistryId, content: bytes, proven_at: int, problem: str | None) -> LedgerView:
    """Read what `ledger_bytes` wrote."""
    read = cbor2.loads(content)
    number, block_hash, at = read["block"]
    vouching, vouched_by, asked = read["vouching"]
    return LedgerView(
        registry=registry,
        code_hash=Hash32(read["codeHash"]),
        basis=Basis(
            registry=registry,
            block_number=number,
            block_hash=Hash32(block_hash),
            block_at=at,
            vouching=Vouching(vouching),
            vouched_by=tuple(vouched_by),
            nodes_asked=asked,
            registry_name=read["name"],
        ),
        registry_head=Hash32(read["registryHead"]),
        issuers=read["issuers"],
        counts=read_counts(read["counts"]),
        first_at=read["firstAt"],
        last_at=read["lastAt"],
        tenures=tuple(
            RoleTenure(role=Hash32(role), account=Address(account), since=since, until=until)
            for role, account, since, until in read["tenures"]
        ),
        proven_at=proven_at,
        problem=problem,
        tag=read["tag"],
    )


def read_tag(content: bytes) -> str:
    """Read which state of history `ledger_bytes` wrote of."""
    tag: str = cbor2.loads(content)["tag"]
    return tag


def read_block_hash(content: bytes) -> Hash32:
    """Read the hash of the block at which `ledger_bytes` wrote that it was proven."""
    return Hash32(cbor2.loads(content)["block"][1])


def read_counts(values: Iterable[int]) -> Counts:
    """Read counts that were written in the order of their fields."""
    return Counts(**dict(zip(_COUNT_FIELDS, values, strict=True)))
