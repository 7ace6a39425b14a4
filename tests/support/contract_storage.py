"""The contract's storage as docs/spec/history.md lays it out, from what a history led to; not by `anchor.evidence`."""

from __future__ import annotations

from eth_hash.auto import keccak

from anchor.history import ADMIN_ROLE, History, IssuerHistory
from anchor.model import Hash32, hash32
from anchor.status import StatusPurpose
from tests.support.world import pack

ADMIN_SLOT = hash32((3).to_bytes(32, "big"))
"""With the admin in its lower 20 bytes; above them, and in slot 2, is what OpenZeppelin's events tell."""
PENDING_ADMIN_SLOT = hash32((2).to_bytes(32, "big"))


def entry(slot: int | bytes, *keys: int | bytes) -> Hash32:
    """Slot of a mapping's entry."""
    at = slot.to_bytes(32, "big") if isinstance(slot, int) else slot
    for key in keys:
        at = keccak((key.to_bytes(32, "big") if isinstance(key, int) else key.rjust(32, b"\x00")) + at)
    return hash32(at)


def role_entry(role: bytes, account: bytes) -> Hash32:
    return entry(entry(1, role), account)


def nonce_entry(key: bytes) -> Hash32:
    return entry(9, key)


def after(slot: Hash32, offset: int) -> Hash32:
    return hash32((int.from_bytes(slot, "big") + offset).to_bytes(32, "big"))


def number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big")


def storage_of(history: History) -> dict[Hash32, int]:
    """Every slot that a history says something of, but for nonces and the admin's, and what must be in it."""
    slots = {hash32(bytes(32)): number(history.registry_head), hash32((6).to_bytes(32, "big")): len(history.issuers)}
    for tenure in history.tenures:
        slots[role_entry(tenure.role, tenure.account)] = int(tenure.account in history.members(tenure.role))
    for issuer in history.issuers:
        slots |= _of_issuer(issuer)
    return slots


def admin_of(history: History) -> int:
    """Who must be in the lower 20 bytes of `ADMIN_SLOT`."""
    (admin,) = history.members(ADMIN_ROLE) or (None,)
    return number(admin)


def _of_issuer(issuer: IssuerHistory) -> dict[Hash32, int]:
    at, record = issuer.issuer_id, issuer.record
    # 0 stands for 1, so that nothing has to be written when an issuer is accredited.
    next_epoch = 0 if issuer.next_status_epoch == 1 else issuer.next_status_epoch
    slots = {
        entry(4, at): pack(
            (number(record.controller), 160),
            (record.accredited_at, 40),
            (record.withdrawn_at, 40),
            (record.status_epoch, 16),
        ),
        after(entry(4, at), 1): number(issuer.did_hash),
        after(entry(4, at), 2): number(issuer.head),
        entry(5, issuer.did_hash): at,
        entry(7, at): pack((number(issuer.pending_controller), 160), (next_epoch, 16)),
    }
    for address, key in issuer.keys.items():
        slots[entry(8, address)] = pack(
            (key.issuer_id, 32),
            (key.valid_from, 40),
            (key.valid_until, 40),
            (key.compromised_at, 40),
            (key.scope, 8),
            (key.status_epoch, 16),
        )
    for root, batch in issuer.batches.items():
        slots[entry(10, at, root)] = pack(
            (number(batch.key), 160),
            (batch.anchored_at, 40),
            (batch.size, 32),
            (batch.revoked_reason, 8),
            (batch.revoked_epoch, 16),
        )
    for slot, purpose in ((11, StatusPurpose.REVOCATION), (12, StatusPurpose.SUSPENSION)):
        for place, mask in issuer.bits[purpose].items():
            slots[entry(slot, at, place.epoch, place.status_list, place.word)] = mask
    return slots
