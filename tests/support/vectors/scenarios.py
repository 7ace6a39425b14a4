"""Policies and evidences of `verification.json`, by name; cases choose among them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import rlp
from eth_hash.auto import keccak

from tests.support.vectors.common import CHAIN_ID, DID, REGISTRY, Json, from_hex, number, to_hex
from tests.support.vectors.credentials import ALONE, BATCH, FIRST_INDEX, LAST_INDEX, OTHER_LIST, SECOND, position_of
from tests.support.vectors.ledger import (
    ANCHORED_AT,
    BLOCK_AT,
    CODE_HASH,
    CONTROLLER,
    KEY,
    NODE,
    NOW,
    OTHER_KEY,
    REVOKED,
    SUSPENDED,
    Batch,
    Bit,
    Facts,
    Key,
    batch_slot,
    did_slot,
    evidence_of,
    header,
    issuer_slot,
    key_slot,
    word_slot,
)

OTHER_REGISTRY = f"eip155:{CHAIN_ID}:0x{'11' * 20}"
OTHER_CHAIN = REGISTRY.replace(str(CHAIN_ID), "1")
NODES = [NODE, "http://127.0.0.1:8546", "http://127.0.0.1:8547"]


def policies() -> dict[str, Json]:
    def pin(registry: str = REGISTRY, code_hash: bytes = CODE_HASH) -> Json:
        return {"registry": registry, "codeHash": to_hex(code_hash), "name": "Test registry"}

    plain: Json = {
        "format": "credanchor/policy@v1",
        "registries": [pin()],
        "vouching": "oneNode",
        "nodes": [NODE],
        "confirmations": None,
        "maxAgeSeconds": 3600,
        "deniedIssuers": [],
    }

    def pinned(blocks: dict[str, list[str]]) -> Json:
        return {**plain, "vouching": "pinnedHash", "knownBlocks": blocks}

    return {
        "plain": plain,
        "needed-members-only": {"format": plain["format"], "registries": plain["registries"], "nodes": [NODE]},
        "no-registry": {**plain, "registries": []},
        "other-registries": {**plain, "registries": [pin(OTHER_REGISTRY), pin(OTHER_CHAIN)]},
        "three-registries": {**plain, "registries": [pin(OTHER_REGISTRY, number(1)), pin(), pin(OTHER_CHAIN)]},
        "other-code": {**plain, "registries": [pin(code_hash=keccak(b"other code"))]},
        "confirmations-0": {**plain, "confirmations": 0},
        "confirmations-10": {**plain, "confirmations": 10},
        "confirmations-11": {**plain, "confirmations": 11},
        "any-age": {**plain, "maxAgeSeconds": None},
        "did-document": {**plain, "requireDidDocument": True},
        "denied": {**plain, "deniedIssuers": ["did:web:other.example", DID]},
        "others-denied": {**plain, "deniedIssuers": [DID + ":law", "did:web:College.example", DID[:-1]]},
        "denied-no-registry": {**plain, "registries": [], "deniedIssuers": [DID]},
        "required-proof": {**plain, "requiredProofs": ["eddsa-rdfc-2022"]},
        "required-proofs": {**plain, "requiredProofs": ["X", "eddsa-jcs-2022"]},
        "required-proof-of-ours": {**plain, "requiredProofs": ["merkle-eip155-jcs-2026"]},
        "ownNode": {**plain, "vouching": "ownNode"},
        "kOfN": {**plain, "vouching": "kOfN", "nodes": NODES},
        "kOfN-all": {**plain, "vouching": "kOfN", "nodes": NODES, "agreeing": 3},
        "pinnedHash": pinned({f"eip155:{CHAIN_ID}": [to_hex(number(1)), _block_hash()], "eip155:1": []}),
        "pinnedHash-confirmations-11": {
            **pinned({f"eip155:{CHAIN_ID}": [_block_hash()]}),
            "confirmations": 11,
            "maxAgeSeconds": None,
        },
        "pinnedHash-no-block": pinned({}),
        "pinnedHash-other-block": pinned({f"eip155:{CHAIN_ID}": [to_hex(number(1))]}),
        "pinnedHash-other-chain": pinned({"eip155:1": [_block_hash()]}),
    }


def _block_hash() -> str:
    """The hash of the block of the evidence `plain`."""
    return str(evidence_of(FACTS, [])["blockHash"])


MAIN = Batch(root=BATCH.root, size=BATCH.size)
FACTS = Facts(batches=(MAIN,))
WORDS = [word_slot(base, FIRST_INDEX) for base in (REVOKED, SUSPENDED)]
SLOTS = {
    "issuer": issuer_slot(),
    "did": did_slot(),
    "batch": batch_slot(BATCH.root),
    "key": key_slot(),
    "revocation-word": WORDS[0],
    "suspension-word": WORDS[1],
}


def given(*registries: Json, missing: Iterable[Json] = ()) -> Json:
    return {"registries": list(registries), "missing": list(missing)}


def facts(slots: Iterable[bytes] | None = None, **changes: Any) -> Json:
    return given(evidence_of(replace(FACTS, **changes), SLOTS.values() if slots is None else slots))


def batch(**changes: Any) -> Json:
    return facts(batches=(replace(MAIN, **changes),))


def key(**changes: Any) -> Json:
    return facts(keys={KEY: replace(Key(), **changes)})


def evidences() -> dict[str, Json]:
    return {**_blocks(), **_broken(), **_ledgers(), **_statuses(), **_several(), **_did_documents()}


def _did_documents() -> dict[str, Json]:
    """What an issuer says of itself, where the policy wants it."""
    account = f"eip155:{CHAIN_ID}:{to_hex(CONTROLLER)}"
    key = account.replace(to_hex(CONTROLLER), to_hex(KEY))

    def stated(*methods: Any, did: str = DID, **members: Any) -> Json:
        document = {"id": DID, "verificationMethod": list(methods), **members}
        return entry(json.dumps(document).encode(), did)

    def entry(document: bytes, did: str = DID) -> Json:
        return {**facts(), "didDocuments": [{"did": did, "document": to_hex(document)}]}

    def method(of: object) -> Json:
        return {"id": f"{DID}#1", "type": "EcdsaSecp256k1RecoveryMethod2020", "blockchainAccountId": of}

    twice = f'{{"id": "{DID}", "id": "{DID}", "verificationMethod": [{json.dumps(method(account))}]}}'
    return {
        "did-confirms-controller": stated(method(account)),
        "did-confirms-key": stated({"id": "#a"}, "#b", 7, method(None), method(key)),
        "did-confirms-in-capitals": stated(method(f"eip155:{CHAIN_ID}:0x{CONTROLLER.hex().upper()}")),
        "did-names-another-account": stated(method(f"eip155:{CHAIN_ID}:{to_hex(OTHER_KEY)}")),
        "did-names-another-chain": stated(method(account.replace(str(CHAIN_ID), "1"))),
        "did-names-account-in-another-form": stated(method(f"{to_hex(CONTROLLER)}@eip155:{CHAIN_ID}")),
        "did-names-account-elsewhere": stated(assertionMethod=[method(account)]),
        "did-names-nothing": stated(),
        "did-methods-are-no-list": stated(verificationMethod=method(account)),
        "did-document-of-another-did": stated(method(account), id=DID + ":law"),
        "did-document-of-another-issuer": stated(method(account), did=DID + ":law"),
        "did-document-with-a-key-twice": entry(twice.encode()),
        "did-document-is-no-object": entry(b"[]"),
    }


def _blocks() -> dict[str, Json]:
    """What step 5 looks at, and finality."""
    plain = evidence_of(FACTS, SLOTS.values())
    no_answer = {"registry": REGISTRY, "reason": "the node does not answer"}
    future: Json = {"block_at": NOW + 200_000_000, "final_at": NOW - 500}
    return {
        "plain": given(plain),
        "none": given(),
        "missing": given(missing=[no_answer]),
        "missing-and-there": given(plain, missing=[no_answer]),
        "of-another-registry": given({**plain, "registry": OTHER_REGISTRY}),
        "of-another-chain": given({**plain, "registry": OTHER_CHAIN}),
        "another-registry-before": given({**plain, "registry": OTHER_REGISTRY, "accountNodes": []}, plain),
        **{f"vouched-{kind}": given({**plain, "vouching": kind}) for kind in ("pinnedHash", "kOfN", "ownNode")},
        "vouched-kOfN-one-twice": given({**plain, "vouching": "kOfN", "vouchedBy": NODES[:1] * 2}),
        "vouched-kOfN-two": given({**plain, "vouching": "kOfN", "vouchedBy": NODES[1:]}),
        "vouched-kOfN-three": given({**plain, "vouching": "kOfN", "vouchedBy": NODES}),
        "vouched-pinnedHash-no-final-block": given(
            {**plain, "vouching": "pinnedHash", "vouchedBy": [], "finalHash": None, "finalHeader": None}
        ),
        "block-3600-s-old": facts(block_at=NOW - 3_600, final_at=NOW - 3_600, batches=(_earlier(),)),
        "block-3601-s-old": facts(block_at=NOW - 3_601, final_at=NOW - 3_601, batches=(_earlier(),)),
        "block-of-now": facts(block_at=NOW),
        "block-60-s-ahead": facts(block_at=NOW + 60),
        "block-61-s-ahead": facts(block_at=NOW + 61),
        "block-years-ahead": facts(**future),
        "block-time-of-64-bits": facts(block_at=2**64 - 1),
        "no-account": facts(account_exists=False),
        "other-code": facts(code_hash=keccak(b"other code")),
        "final-second-after-anchoring": facts(final_at=ANCHORED_AT + 1),
        "final-second-of-anchoring": facts(final_at=ANCHORED_AT),
        "final-before-anchoring": facts(final_at=ANCHORED_AT - 1),
        "final-is-the-block": facts(final_number=100, final_at=BLOCK_AT),
        "final-above-the-block": facts(final_number=101),
        "final-later-than-the-block": facts(final_at=BLOCK_AT + 1),
        "no-final-block": given({**plain, "finalHash": None, "finalHeader": None}),
        "final-hash-of-another-block": given({**plain, "finalHash": to_hex(number(1))}),
        "final-header-missing": given({**plain, "finalHeader": None}),
    }


def _earlier() -> Batch:
    return replace(MAIN, anchored_at=NOW - 4_000)


def _broken() -> dict[str, Json]:
    """What does not hold, or is not there."""
    plain = evidence_of(FACTS, SLOTS.values())
    block, nodes = from_hex(plain["header"]), plain["accountNodes"]
    # With the right state root, so that only the number of fields is wrong.
    short = header(100, BLOCK_AT, rlp.decode(block)[3], fields=14)
    altered = plain["header"][:-2] + "08"
    elsewhere = evidence_of(replace(FACTS, account_exists=False), [])

    def storage(slot: bytes, proof: list[str] | None) -> Json:
        kept = [each for each in plain["storage"] if each["slot"] != to_hex(slot)]
        return given({**plain, "storage": kept if proof is None else [*kept, {"slot": to_hex(slot), "nodes": proof}]})

    stray = {"slot": to_hex(number(1)), "nodes": ["0x00"]}
    return {
        "block-hash-of-another-block": given({**plain, "blockHash": to_hex(number(1))}),
        "header-altered": given({**plain, "header": altered}),
        "header-with-a-byte-behind": given(_with_header(plain, block + b"\x00")),
        "header-of-14-fields": given(_with_header(plain, short)),
        "account-nodes-missing": given({**plain, "accountNodes": []}),
        "account-node-altered": given({**plain, "accountNodes": [*nodes[:-1], nodes[-1][:-2] + "00"]}),
        "account-of-another-state": given({**plain, "accountNodes": elsewhere["accountNodes"]}),
        **{f"without-{name}": storage(slot, None) for name, slot in SLOTS.items()},
        **{f"broken-{name}": storage(slot, []) for name, slot in SLOTS.items()},
        "broken-slot-nobody-asks-for": given({**plain, "storage": [stray, *plain["storage"]]}),
        "without-issuer-broken-batch": given(
            {
                **plain,
                "storage": [
                    {**each, "nodes": []} if each["slot"] == to_hex(SLOTS["batch"]) else each
                    for each in plain["storage"]
                    if each["slot"] != to_hex(SLOTS["issuer"])
                ],
            }
        ),
    }


def _with_header(evidence: Json, block: bytes) -> Json:
    return {**evidence, "header": to_hex(block), "blockHash": to_hex(keccak(block))}


def _ledgers() -> dict[str, Json]:
    """What steps 6 to 8 look at."""
    return {
        "not-anchored": facts(batches=()),
        "not-anchored-120-s-ago": facts(batches=(), block_at=NOW - 120),
        "not-anchored-121-s-ago": facts(batches=(), block_at=NOW - 121),
        "block-121-s-old": facts(block_at=NOW - 121),
        "size-plus-one": batch(size=BATCH.size + 1),
        "size-minus-one": batch(size=BATCH.size - 1),
        "size-not-stated": batch(size=0),
        "key-compromised-second-before": key(compromised_at=ANCHORED_AT - 1),
        "key-compromised-at-anchoring": key(compromised_at=ANCHORED_AT),
        "key-compromised-second-after": key(compromised_at=ANCHORED_AT + 1),
        "key-compromised-far-ahead": key(compromised_at=2**40 - 1),
        "key-from-anchoring": key(valid_from=ANCHORED_AT),
        "key-from-second-after": key(valid_from=ANCHORED_AT + 1),
        "key-until-anchoring": key(valid_until=ANCHORED_AT),
        "key-until-second-after": key(valid_until=ANCHORED_AT + 1),
        "key-for-status": key(scope=2),
        "key-without-scope": key(scope=0),
        "key-of-both-scopes": key(scope=3),
        "key-of-another-issuer": key(issuer=8),
        "key-unknown": facts(keys={}),
        "key-expired-and-compromised": key(valid_until=ANCHORED_AT, compromised_at=ANCHORED_AT),
        "key-of-another-issuer-compromised": key(issuer=8, compromised_at=ANCHORED_AT),
        "issuer-of-another-did": facts(did="did:web:other.example"),
        "issuer-with-did-not-ascii": facts(did="did:web:coll\u00e8ge.example"),
        "issuer-accredited-at-anchoring": facts(accredited_at=ANCHORED_AT),
        "issuer-accredited-second-after": facts(accredited_at=ANCHORED_AT + 1),
        "issuer-never-accredited": facts(accredited_at=0),
        "issuer-withdrawn-at-anchoring": facts(withdrawn_at=ANCHORED_AT),
        "issuer-withdrawn-second-after": facts(withdrawn_at=ANCHORED_AT + 1),
        "issuer-of-another-did-withdrawn": facts(did="did:web:other.example", withdrawn_at=ANCHORED_AT),
    }


def _statuses() -> dict[str, Json]:
    """What steps 9 to 11 look at. Each epoch has words of its own, so evidence names those of the current one."""

    def bits(*set_bits: Bit, epoch: int = 0, more: Iterable[bytes] = (), **changes: Any) -> Json:
        words = [word_slot(base, FIRST_INDEX, epoch=epoch) for base in (REVOKED, SUSPENDED)]
        named = [SLOTS[name] for name in ("issuer", "did", "batch", "key")]
        return facts([*named, *words, *more], bits=set_bits, status_epoch=epoch, **changes)

    def both(index: int, **place: int) -> list[Bit]:
        return [Bit(base=base, index=index, **place) for base in (REVOKED, SUSPENDED)]

    mine = both(FIRST_INDEX)
    around = [FIRST_INDEX + step for step in (-256, -1, 1, 256)]
    neighbours = [bit for index in around for bit in both(index)]
    elsewhere = [*both(FIRST_INDEX, status_list=1), *both(FIRST_INDEX, epoch=1)]
    last = [word_slot(base, LAST_INDEX, status_list=OTHER_LIST) for base in (REVOKED, SUSPENDED)]
    first_list = both(LAST_INDEX, status_list=0)
    start = FIRST_INDEX & ~255
    others = [*first_list, *both(LAST_INDEX - 1, status_list=OTHER_LIST)]
    return {
        "batch-revoked": batch(revoked_reason=1),
        "batch-revoked-reason-255": batch(revoked_reason=255),
        "batch-revoked-in-this-epoch": bits(epoch=2, batches=(replace(MAIN, revoked_reason=1, revoked_epoch=2),)),
        "batch-revoked-in-a-later-epoch": bits(epoch=2, batches=(replace(MAIN, revoked_reason=1, revoked_epoch=3),)),
        "batch-revoked-in-an-old-epoch": bits(epoch=2, batches=(replace(MAIN, revoked_reason=1, revoked_epoch=1),)),
        "batch-epoch-without-reason": batch(revoked_epoch=1),
        "revoked": bits(mine[0]),
        "suspended": bits(mine[1]),
        "revoked-and-suspended": bits(*mine),
        "neighbours-bits": bits(*neighbours, *elsewhere),
        "revoked-in-epoch-3": bits(*both(FIRST_INDEX, epoch=3)[:1], epoch=3),
        "suspended-in-epoch-3": bits(*both(FIRST_INDEX, epoch=3)[1:], epoch=3),
        "bits-of-an-old-epoch": bits(*mine, *both(FIRST_INDEX, epoch=2), epoch=3, more=WORDS),
        "words-of-an-old-epoch-only": facts(status_epoch=3),
        "other-list": bits(*others, more=last),
        "other-list-revoked": bits(Bit(base=REVOKED, index=LAST_INDEX, status_list=OTHER_LIST), more=last),
        "everything-against-it": bits(
            *both(position_of("until-past")[1]),
            batches=(replace(MAIN, revoked_reason=1),),
            keys={KEY: Key(compromised_at=ANCHORED_AT)},
            withdrawn_at=ANCHORED_AT,
        ),
        "all-bits-of-the-word": bits(
            *(bit for index in range(start, start + 256) for bit in both(index)),
        ),
    }


def _several() -> dict[str, Json]:
    """Ledgers that know more batches with the plain credential in them."""
    slots = [*SLOTS.values(), batch_slot(SECOND.root), batch_slot(ALONE.root), key_slot(OTHER_KEY)]
    second = Batch(root=SECOND.root, size=SECOND.size, key=OTHER_KEY, anchored_at=ANCHORED_AT + 100)
    alone = Batch(root=ALONE.root, size=1)

    def several(main: Batch = MAIN, other: Batch = second, other_key: Key | None = None, **changes: Any) -> Json:
        keys = {KEY: Key(), OTHER_KEY: other_key or Key()}
        return facts(slots, batches=(main, other, alone), keys=keys, **changes)

    return {
        "three-batches": several(),
        "first-batch-revoked": several(main=replace(MAIN, revoked_reason=1)),
        "second-batch-revoked": several(other=replace(second, revoked_reason=1)),
        "second-key-compromised": several(other_key=Key(compromised_at=ANCHORED_AT)),
        "second-batch-not-final": several(other=replace(second, anchored_at=NOW - 400)),
        "second-not-final-first-revoked": several(
            main=replace(MAIN, revoked_reason=1), other=replace(second, anchored_at=NOW - 400)
        ),
        "both-revoked-differently": several(
            main=replace(MAIN, revoked_reason=1), other_key=Key(compromised_at=ANCHORED_AT)
        ),
        "inner-node-not-anchored": facts([*SLOTS.values(), batch_slot(ALONE.root), batch_slot(inner_node())]),
    }


def inner_node() -> bytes:
    """The node above the batch's first two leaves."""
    return sha256(BATCH.leaves[0] + BATCH.leaves[1]).digest()
