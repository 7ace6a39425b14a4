"""Lies in the nodes of proofs: gone, altered, moved about, foreign, or written otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import rlp
from eth_hash.auto import keccak

from anchor.ledger.testnet import dev_signer
from tests.ledger.chain import ADMIN
from tests.lies.about_facts import other_value
from tests.lies.forging import to_hex, unhex
from tests.lies.kinds import Scene, kind, on_entries, on_proofs, slot_of
from tests.lies.node import Json, Lie

MOST_NODES: Final = 65

Nodes = list[str]


def _on_some_nodes(scene: Scene, change: Callable[[Nodes], Nodes]) -> Lie:
    """Change the nodes of the account, of one fact, or of all."""
    fact = scene.random.choice(["account", *scene.situation.slots, "all"])
    if fact == "account":
        return Lie(result=on_proofs(lambda result: {**result, "accountProof": change(result["accountProof"])}))

    def of_entry(entry: Json) -> Json:
        return {**entry, "proof": change(entry["proof"])} if fact in {"all", scene.fact_of(entry)} else entry

    return Lie(result=on_entries(of_entry), touches=None if fact == "all" else frozenset({fact}))


def _harmless(lie: Lie) -> Lie:
    return Lie(result=lie.result, touches=frozenset())


@kind("nodes dropped", only_proofs=True)
def _dropped(scene: Scene) -> Lie:
    place, more = scene.random.randrange(10), scene.random.random() < 0.2

    def change(nodes: Nodes) -> Nodes:
        at = place % max(len(nodes), 1)
        return [] if more else nodes[:at] + nodes[at + 1 :]

    return _on_some_nodes(scene, change)


@kind("nodes altered", only_proofs=True)
def _altered(scene: Scene) -> Lie:
    """Flip a bit, set a byte, or put in or take out one."""
    place, at, bit, way = (scene.random.randrange(10**6) for _ in range(4))

    def change(nodes: Nodes) -> Nodes:
        if not nodes:
            return nodes
        index = place % len(nodes)
        node = bytearray(unhex(nodes[index]))
        offset = at % len(node)
        match way % 4:
            case 0:
                node[offset] ^= 1 << bit % 8
            case 1:
                node[offset] = bit % 256
            case 2:
                node.insert(offset, bit % 256)
            case _:
                del node[offset]
        return [*nodes[:index], to_hex(bytes(node)), *nodes[index + 1 :]]

    return _on_some_nodes(scene, change)


@kind("nodes swapped", only_proofs=True)
def _swapped(scene: Scene) -> Lie:
    """Give the nodes of one slot for another's, and back; or the account's for a slot's."""
    first, second = scene.random.sample([*scene.situation.slots, "account"], 2)

    def change(result: Json) -> Json:
        nodes: dict[str, Nodes] = {scene.fact_of(entry): entry["proof"] for entry in result["storageProof"]}
        nodes["account"] = result["accountProof"]
        if first in nodes and second in nodes:
            nodes[first], nodes[second] = nodes[second], nodes[first]
        entries = [{**entry, "proof": nodes[scene.fact_of(entry)]} for entry in result["storageProof"]]
        return {**result, "accountProof": nodes["account"], "storageProof": entries}

    touches = frozenset({first, second})
    return Lie(result=on_proofs(change), touches=None if "account" in touches else touches)


@kind("nodes reordered", only_proofs=True)
def _reordered(scene: Scene) -> Lie:
    """Only hashes lead from node to node: order says nothing."""
    return _harmless(_on_some_nodes(scene, lambda nodes: scene.random.sample(nodes, len(nodes))))


@kind("nodes doubled", only_proofs=True)
def _doubled(scene: Scene) -> Lie:
    """As often as there is room for; or beyond, which is refused."""
    beyond = scene.random.random() < 0.2
    times = scene.random.randrange(2, 5)

    def change(nodes: Nodes) -> Nodes:
        return nodes * (MOST_NODES + 1) if beyond else (nodes * times)[:MOST_NODES]

    lie = _on_some_nodes(scene, change)
    return lie if beyond else _harmless(lie)


@kind("nodes truncated", only_proofs=True)
def _truncated(scene: Scene) -> Lie:
    place, at = scene.random.randrange(10), scene.random.randrange(10**6)

    def change(nodes: Nodes) -> Nodes:
        index = place % max(len(nodes), 1)
        return [
            to_hex(unhex(node)[: at % len(unhex(node))]) if number == index else node
            for number, node in enumerate(nodes)
        ]

    return _on_some_nodes(scene, change)


@kind("nodes of other tries beside them", only_proofs=True)
def _beside(scene: Scene) -> Lie:
    """Add authentic nodes of another contract, another block, another slot: found by hash, none of them leads on."""
    story = scene.story
    mark = scene.random.choice(list(story.marks.values()))
    slots = list(scene.situation.slots.values())
    other = scene.random.choice(
        [scene.proof(story.latest, slots, story.liars_registry), scene.proof(mark, slots), scene.proof(0, [])]
    )
    pool = [*other["accountProof"], *(node for entry in other["storageProof"] for node in entry["proof"])]
    some = scene.random.sample(pool, min(len(pool), 20))
    before = scene.random.random() < 0.5
    return _harmless(_on_some_nodes(scene, lambda nodes: [*some, *nodes] if before else [*nodes, *some]))


@kind("proof of another slot", only_proofs=True)
def _another_slot(scene: Scene) -> Lie:
    """All slots shown as another situation has them."""
    other = scene.random.choice(list(scene.story.situations.values()))
    facts = list(scene.situation.slots)
    proof = scene.proof(scene.story.latest, [other.slots[fact] for fact in facts])
    shown = dict(zip(facts, proof["storageProof"], strict=True))
    keep_key = scene.random.random() < 0.8

    def change(entry: Json) -> Json:
        other_entry = shown.get(scene.fact_of(entry), entry)
        return {**other_entry, "key": entry["key"]} if keep_key else other_entry

    return Lie(result=on_entries(change))


@kind("proof of another account", only_proofs=True)
def _another_account(scene: Scene) -> Lie:
    addresses = [dev_signer(ADMIN).address, bytes(20), scene.random.randbytes(20)]
    address = to_hex(scene.random.choice(addresses))
    whole = scene.random.random() < 0.5

    def ask(method: str, params: list[Any]) -> list[Any]:
        return [address, *params[1:]] if method == "eth_getProof" else params

    if whole:
        return Lie(ask=ask)
    newest = {"blockHash": scene.block(scene.story.latest)["hash"]}
    other = scene.real("eth_getProof", address, [], newest)
    return Lie(result=on_proofs(lambda result: {**result, "accountProof": other["accountProof"]}))


@kind("proof of another contract", only_proofs=True)
def _another_contract(scene: Scene) -> Lie:
    """Ask about the liar's own registry, which has the same code, the same issuer, and the forged batch."""
    liars = to_hex(scene.story.liars_registry.address)
    parts = scene.random.choice([("accountProof", "storageProof"), ("accountProof",), ("storageProof",)])
    forget = scene.random.random() < 0.5

    def change(method: str, params: list[Any], result: Any) -> Any:
        if method != "eth_getProof":
            return result
        other = scene.real(method, liars, *params[1:])
        name = {} if forget else {"address": result["address"]}
        return {**result, **name, **{part: other[part] for part in parts}}

    return Lie(result=change)


@kind("RLP written otherwise", only_proofs=True)
def _written_otherwise(scene: Scene) -> Lie:
    """Write what a node says in another form: longer lengths, bytes behind, a value with zeros before it."""
    way, place = scene.random.randrange(5), scene.random.randrange(10)

    def otherwise(node: bytes) -> bytes:
        items = rlp.decode(node)
        start = 1 if node[0] < 0xF8 else 1 + node[0] - 0xF7
        content = node[start:]
        match way:
            case 0:
                return bytes([0xF8, len(content)]) + content if len(content) < 256 else b"\xfa\x00" + node[1:]
            case 1:
                return b"\xf9" + len(content).to_bytes(2, "big") + content
            case 2:
                return node + scene.random.randbytes(1)
            case 3 if len(items) == 2:
                return bytes(rlp.encode([items[0], b"\x82\x00" + items[1]]))
            case _:
                return bytes(rlp.encode([*items, b""]))

    def change(nodes: Nodes) -> Nodes:
        at = place % max(len(nodes), 1)
        return [to_hex(otherwise(unhex(node))) if number == at else node for number, node in enumerate(nodes)]

    return _on_some_nodes(scene, change)


@kind("extensions and embedded nodes", only_proofs=True)
def _shortcuts(scene: Scene) -> Lie:
    """Lead to the wanted value, or away from it, by nodes that no honest trie has there."""
    fact = scene.random.choice(list(scene.situation.slots))
    slot, value = scene.situation.slots[fact], other_value(scene, fact)
    path = keccak(slot).hex()
    content = rlp.encode(value)
    at = scene.random.randrange(1, 63)
    other_path = f"{int(path[0], 16) ^ 1:x}{path[1:]}"
    small = [_packed(path[-1:], leaf=True), b"\x01"]
    crafted: list[list[bytes]] = [
        [rlp.encode([_packed(path, leaf=True), content])],
        [rlp.encode([_packed(other_path, leaf=True), content])],
        [rlp.encode([_packed(other_path[:at], leaf=False), keccak(b"nothing")])],
        [rlp.encode([_packed(path[:-1], leaf=False), small])],
        [
            rlp.encode([_packed(path[:at], leaf=False), keccak(rlp.encode([_packed(path[at:], leaf=True), content]))]),
            rlp.encode([_packed(path[at:], leaf=True), content]),
        ],
        [rlp.encode([*([b""] * int(path[0], 16)), small, *([b""] * (16 - int(path[0], 16)))])],
        [rlp.encode([b""] * 17)],
    ]
    nodes = [to_hex(node) for node in scene.random.choice(crafted)]
    place = scene.random.randrange(3)

    def change(entry: Json) -> Json:
        if slot_of(entry) != slot:
            return entry
        honest = entry["proof"]
        return {**entry, "proof": [nodes, [*nodes, *honest], [*honest[:1], *nodes]][place]}

    # Beside all that the honest path needs, they do not matter.
    return Lie(result=on_entries(change), touches=frozenset() if place == 1 else frozenset({fact}))


def _packed(path: str, *, leaf: bool) -> bytes:
    """Pack nibbles as tries do (Yellow Paper, appendix C)."""
    flag = (2 if leaf else 0) + len(path) % 2
    return bytes.fromhex(f"{flag}{path}" if len(path) % 2 else f"{flag}0{path}")
