"""Lies about what the registry stores: a status word, a record, the account itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import rlp
from eth_hash.auto import keccak

from anchor.ledger.testnet import dev_signer
from tests.ledger.chain import ANCHOR_KEY, DID
from tests.lies.forging import ACCOUNT_FIELDS, ForgedState, to_hex, unhex
from tests.lies.kinds import Scene, both, kind, on_blocks, on_entries, on_proofs, slot_of
from tests.lies.node import Json, Lie
from tests.lies.story import ALL_FACTS, FACTS_OF
from tests.support.world import pack

FAR: Final = 2**40 - 1


def _other_word(scene: Scene, word: int) -> int:
    """Flip the credential's bit, or more."""
    bit = 1 << (scene.situation.credential.requests[0].position.index & 255)
    return scene.random.choice([word ^ bit, word ^ bit, 0, 2**256 - 1, word ^ 1 << scene.random.randrange(256)])


def _other_batch(scene: Scene, _word: int) -> int:
    request = scene.situation.credential.requests[0]
    key = scene.random.choice([scene.situation.key, scene.situation.key, bytes(20), scene.random.randbytes(20)])
    anchored_at = scene.random.choice([scene.story.now - 100_000, scene.story.since, scene.story.now, 1, FAR])
    size = scene.random.choice([request.proof.inclusion.size, request.proof.inclusion.size, 1, 2**32 - 1])
    revoked = scene.random.choice([(0, 0), (0, 0), (1, 0), (1, 2**16 - 1)])
    word = pack((int.from_bytes(key, "big"), 160), (anchored_at, 40), (size, 32), (revoked[0], 8), (revoked[1], 16))
    return scene.random.choice([0, word, word, word])


def _other_key(scene: Scene, _word: int) -> int:
    choose = scene.random.choice
    issuer = choose([scene.situation.credential.requests[0].proof.issuer_id] * 3 + [0, 2, 3])
    times = ((choose([0, 1, FAR]), 40), (choose([0, 0, 1, FAR]), 40), (choose([0, 0, 1, FAR]), 40))
    return choose([0, pack((issuer, 32), *times, (choose([1, 1, 2, 0]), 8), (0, 16))])


def _other_issuer(scene: Scene, word: int) -> int:
    choose = scene.random.choice
    controller = word & (2**160 - 1)
    accredited = (word >> 160 & FAR) or 1
    times = ((choose([accredited, 0, FAR]), 40), (choose([0, 0, 1, accredited]), 40))
    return choose([0, pack((controller, 160), *times, (choose([0, 1, 1, 2, 2**16 - 1]), 16))])


def _other_did(scene: Scene, _word: int) -> int:
    dids = [scene.situation.credential.issuer_did, DID, "did:web:liar.example"]
    return scene.random.choice([0, *(int.from_bytes(keccak(did.encode()), "big") for did in dids)])


_OTHER: Final[dict[str, Callable[[Scene, int], int]]] = {
    "revoked": _other_word,
    "suspended": _other_word,
    "batch": _other_batch,
    "key": _other_key,
    "issuer": _other_issuer,
    "did": _other_did,
}


def other_value(scene: Scene, fact: str) -> int:
    """Think of another value for a fact, one that would serve somebody."""
    (entry,) = scene.proof(scene.story.latest, [scene.situation.slots[fact]])["storageProof"]
    return _OTHER[fact](scene, int(entry["value"], 16))


# Ways to give a slot another value. None knows how to make it hash to what is vouched for.


def only_stated(scene: Scene, fact: str, value: int) -> Lie:
    """Give the value beside its proof, which shows another."""
    slot = scene.situation.slots[fact]
    change = on_entries(lambda entry: {**entry, "value": hex(value)} if slot_of(entry) == slot else entry)
    return Lie(result=change, touches=frozenset())


def in_the_leaf(scene: Scene, fact: str, value: int) -> Lie:
    """Put the value into the leaf and leave the rest; where there is none, add one."""
    slot = scene.situation.slots[fact]

    def change(entry: Json) -> Json:
        if slot_of(entry) != slot:
            return entry
        last = rlp.decode(unhex(entry["proof"][-1]))
        if len(last) == 2:
            forged = [*entry["proof"][:-1], to_hex(rlp.encode([last[0], rlp.encode(value)]))]
        else:
            path = keccak(slot).hex()[len(entry["proof"]) :]
            packed = bytes.fromhex(f"3{path}" if len(path) % 2 else f"20{path}")
            forged = [*entry["proof"], to_hex(rlp.encode([packed, rlp.encode(value)]))]
        return {**entry, "value": hex(value), "proof": forged}

    return Lie(result=on_entries(change), touches=frozenset({fact}))


def up_to_the_storage_root(scene: Scene, fact: str, value: int) -> Lie:
    """Hash the slot's path anew; the account still names the old root."""
    slot = scene.situation.slots[fact]
    nodes = scene.forged({slot: value}).storage_nodes(slot)
    change = on_entries(lambda entry: {**entry, "proof": nodes} if slot_of(entry) == slot else entry)
    return Lie(result=change, touches=frozenset({fact}))


def forged_proofs(state: ForgedState) -> Callable[[str, list[Any], Any], Any]:
    """Answer with the proofs of a forged state, for the slots that it has."""

    def change(result: Json) -> Json:
        known = {slot_of(entry) for entry in result["storageProof"]} & state.slots
        forged = state.answer({**result, "storageProof": [e for e in result["storageProof"] if slot_of(e) in known]})
        by_key = {entry["key"]: entry for entry in forged["storageProof"]}
        return {**forged, "storageProof": [by_key.get(entry["key"], entry) for entry in result["storageProof"]]}

    return on_proofs(change)


def up_to_the_state_root(scene: Scene, fact: str, value: int) -> Lie:
    """Hash everything anew up to the account; the header still names the old root."""
    return Lie(result=forged_proofs(scene.forged({scene.situation.slots[fact]: value})))


def up_to_the_header(scene: Scene, fact: str, value: int) -> Lie:
    """Hash everything anew, and name the new root in the header, under the hash vouched for."""
    state = scene.forged({scene.situation.slots[fact]: value})
    return Lie(result=both(forged_proofs(state), state_root_under_the_same_hash(state)))


def state_root_under_the_same_hash(state: ForgedState) -> Callable[[str, list[Any], Any], Any]:
    """Let blocks name a forged state, and keep their hashes."""
    return on_blocks(lambda block: {**block, "stateRoot": to_hex(state.state_root)})


def as_absent(scene: Scene, fact: str, _value: int) -> Lie:
    """Claim that the slot was never written."""
    slot = scene.situation.slots[fact]
    cut = scene.random.randrange(3)
    nodes = scene.random.choice([None, [], ["0x80"], ["0x"], ["0xc0"], scene.forged({slot: 0}).storage_nodes(slot)])

    def change(entry: Json) -> Json:
        if slot_of(entry) != slot:
            return entry
        return {**entry, "value": "0x0", "proof": entry["proof"][: -1 - cut] if nodes is None else nodes}

    return Lie(result=on_entries(change), touches=frozenset({fact}))


def from_another_slot(scene: Scene, fact: str, _value: int) -> Lie:
    """Show another slot that holds the value wanted, or is absent."""
    slot = scene.situation.slots[fact]
    other = scene.random.choice(list(scene.story.situations.values()))
    others = [place for name, place in other.slots.items() if name != fact or other is not scene.situation]
    (entry,) = scene.proof(scene.story.latest, [scene.random.choice([*others, scene.random.randbytes(32)])])[
        "storageProof"
    ]
    shown = {"value": entry["value"], "proof": entry["proof"]}
    change = on_entries(lambda entry: {**entry, **shown} if slot_of(entry) == slot else entry)
    return Lie(result=change, touches=frozenset({fact}))


def from_an_older_block(scene: Scene, fact: str, _value: int) -> Lie:
    """Show the slot as it was, alone or with the account as it was."""
    slot, story = scene.situation.slots[fact], scene.story
    number = scene.random.choice(list(story.marks.values()))
    old = scene.proof(number, [slot])
    (old_entry,) = old["storageProof"]
    entries = on_entries(lambda entry: {**entry, **old_entry} if slot_of(entry) == slot else entry)
    if scene.random.random() < 0.5:
        return Lie(result=entries, touches=frozenset({fact}))
    return Lie(result=both(entries, on_proofs(lambda result: {**result, "accountProof": old["accountProof"]})))


def from_another_contract(scene: Scene, fact: str, _value: int) -> Lie:
    """Show the slot in the liar's own registry."""
    slot, story = scene.situation.slots[fact], scene.story
    other = scene.proof(story.latest, [slot], story.liars_registry)
    (other_entry,) = other["storageProof"]
    change = on_entries(lambda entry: {**entry, **other_entry} if slot_of(entry) == slot else entry)
    return Lie(result=change, touches=frozenset({fact}))


_WAYS: Final = (
    only_stated,
    in_the_leaf,
    up_to_the_storage_root,
    up_to_the_state_root,
    up_to_the_header,
    as_absent,
    from_another_slot,
    from_an_older_block,
    from_another_contract,
)


def _lie_about(scene: Scene, *facts: str) -> Lie:
    fact = scene.random.choice(facts)
    return scene.random.choice(_WAYS)(scene, fact, other_value(scene, fact))


@kind("status word")
def _status_word(scene: Scene) -> Lie:
    return _lie_about(scene, "revoked", "suspended")


@kind("batch record")
def _batch_record(scene: Scene) -> Lie:
    return _lie_about(scene, "batch")


@kind("key record")
def _key_record(scene: Scene) -> Lie:
    return _lie_about(scene, "key")


@kind("issuer record")
def _issuer_record(scene: Scene) -> Lie:
    return _lie_about(scene, "issuer")


@kind("DID hash")
def _did_hash(scene: Scene) -> Lie:
    return _lie_about(scene, "did")


@kind("facts that are not needed")
def _not_needed(scene: Scene) -> Lie:
    """Spoil all proofs that the verdict does not rest on: it must come all the same."""
    unneeded = ALL_FACTS - FACTS_OF[scene.situation.truth]
    rubbish = scene.random.choice([[], ["0x"], ["0x80"], [to_hex(scene.random.randbytes(40))] * 3])

    def change(entry: Json) -> Json:
        return {**entry, "proof": rubbish} if scene.fact_of(entry) in unneeded else entry

    stated: Json = {"balance": "0xffff", "nonce": "0x0", "storageHash": None, "codeHash": 7, "address": []}
    proofs = both(on_entries(change), on_proofs(lambda result: {**result, **stated}))
    return Lie(result=proofs, touches=frozenset(unneeded))


@kind("forged batch and key", "forged", "withdrawn before", "compromised before", "wrong size", "issued by another")
def _all_at_once(scene: Scene) -> Lie:
    """Forge all that would make it valid, everything hashed anew but for what is vouched for."""
    state = scene.forged(values_that_make_it_valid(scene))
    proofs = forged_proofs(state)
    return Lie(result=scene.random.choice([proofs, both(proofs, state_root_under_the_same_hash(state))]))


def values_that_make_it_valid(scene: Scene) -> dict[bytes, int]:
    """Write down what the ledger would have to say."""
    situation, request = scene.situation, scene.situation.credential.requests[0]
    slots, anchored_at = situation.slots, scene.story.now - 100_000
    key = dev_signer(ANCHOR_KEY).address if not situation.key else situation.key
    did = int.from_bytes(keccak(situation.credential.issuer_did.encode()), "big")
    controller = (int.from_bytes(b"\x22" * 20, "big"), 160)
    batch = ((int.from_bytes(key, "big"), 160), (anchored_at, 40), (request.proof.inclusion.size, 32))
    return {
        slots["batch"]: pack(*batch, (0, 24)),
        slots["key"]: pack((request.proof.issuer_id, 32), (1, 40), (0, 80), (1, 8), (0, 16)),
        slots["issuer"]: pack(controller, (1, 40), (0, 40), (situation.epoch, 16)),
        slots["did"]: did,
        slots["revoked"]: 0,
        slots["suspended"]: 0,
    }


def _account_lie(scene: Scene, field: str) -> Lie:
    """Give a field of the account another value: beside the proof, in its leaf, or with all hashes up to a header."""
    choose = scene.random.choice
    elsewhere = scene.proof(scene.story.latest, [], scene.story.liars_registry)
    content = choose([scene.random.randbytes(32), unhex(elsewhere[field]).lstrip(b"\x00") or b"\x07"])
    if field == "nonce":
        content = content[-8:].lstrip(b"\x00") or b"\x09"
    if field in {"storageHash", "codeHash"}:
        content = choose([content.rjust(32, b"\x01"), keccak(b""), keccak(b"\x80")])
    way = scene.random.randrange(4)
    if way == 0:
        return Lie(result=on_proofs(lambda result: {**result, field: to_hex(content)}), touches=frozenset())
    if way == 1:

        def inside(result: Json) -> Json:
            path, account = rlp.decode(unhex(result["accountProof"][-1]))
            fields = rlp.decode(account)
            fields[ACCOUNT_FIELDS.index(field)] = content
            leaf = rlp.encode([path, rlp.encode(fields)])
            return {**result, "accountProof": [*result["accountProof"][:-1], to_hex(leaf)]}

        return Lie(result=on_proofs(inside))
    state = scene.forged({})
    state.set_account(field, content)
    nodes = state.account_nodes()
    proofs = on_proofs(lambda result: {**result, "accountProof": nodes, field: to_hex(content)})
    return Lie(result=proofs if way == 2 else both(proofs, state_root_under_the_same_hash(state)))


@kind("account: nonce")
def _nonce(scene: Scene) -> Lie:
    return _account_lie(scene, "nonce")


@kind("account: balance")
def _balance(scene: Scene) -> Lie:
    return _account_lie(scene, "balance")


@kind("account: storage root")
def _storage_root(scene: Scene) -> Lie:
    return _account_lie(scene, "storageHash")


@kind("account: code hash")
def _code_hash(scene: Scene) -> Lie:
    return _account_lie(scene, "codeHash")
