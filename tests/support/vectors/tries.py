"""`tries.json`: paths in a Merkle-Patricia trie to a storage word or to its absence; `trie` builds, hands break."""

from collections.abc import Sequence
from typing import Any

import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from tests.support.vectors.common import Json, file_of, number, to_hex

EMPTY_ROOT = keccak(b"\x80")
WORD = bytes(rlp.encode(0x1234))
LONG = bytes(rlp.encode(2**256 - 1))

Path = str  # nibbles as hex digits


def key_of(start: Path, fill: str = "0") -> bytes:
    """Make a key that starts with these nibbles."""
    return bytes.fromhex(start.ljust(64, fill))


def packed(path: Path, *, leaf: bool) -> bytes:
    """Encode a path as the tries do: flag, parity, nibbles (Yellow Paper, appendix C)."""
    flag = (2 if leaf else 0) + len(path) % 2
    return bytes.fromhex(f"{flag}{path}" if len(path) % 2 else f"{flag}0{path}")


def branch(children: dict[int, Any], value: bytes = b"") -> list[Any]:
    return [*(children.get(index, b"") for index in range(16)), value]


def vector(name: str, nodes: Sequence[bytes], key: bytes, root: bytes | None = None) -> Json:
    """Put a vector together; its root is the hash of the first node where none is given."""
    start = keccak(nodes[0]) if root is None else root
    return {"name": name, "root": to_hex(start), "key": to_hex(key), "nodes": [to_hex(node) for node in nodes]}


def proven(entries: dict[bytes, bytes], key: bytes) -> tuple[bytes, list[bytes]]:
    """Build a trie and cut the proof for a key from it; embedded nodes stand in their parents only."""
    trie = HexaryTrie({})
    for each, value in entries.items():
        trie[each] = value
    nodes = [bytes(rlp.encode(node)) for node in trie.get_proof(key) if node != b""]
    return trie.root_hash, [node for place, node in enumerate(nodes) if place == 0 or len(node) >= 32]


# Four tries: one leaf; a root branch; a root extension; leaves so short that their parents hold them.
ONE = {key_of("12"): WORD}
WIDE = {number(index): bytes(rlp.encode(index + 1)) for index in range(40)}
SHARED = {key_of("abcdef1"): WORD, key_of("abcdef2"): LONG, key_of("abcdef2", "1"): WORD}
SHORT = {key_of("77", "5")[:31] + bytes([last]): b"\x01" for last in (0x51, 0x52)}


def build() -> Json:
    return file_of(
        "Paths through a Merkle-Patricia trie to a storage word. The key is hashed already; value is the RLP that the "
        "leaf holds, null where the word is proven absent. docs/spec/verification.md, State proofs.",
        valid=_valid(),
        invalid=[*_paths(), *_nodes(), *_encodings(), *_values()],
    )


def _valid() -> list[Json]:
    def accept(name: str, entries: dict[bytes, bytes], key: bytes, *extra: bytes) -> Json:
        root, nodes = proven(entries, key)
        value = entries.get(key)
        found = vector(name, [*nodes, *extra], key, root)
        return found | {"value": None if value is None else to_hex(value)}

    in_wide = next(iter(WIDE))
    short = next(iter(SHORT))
    first_nibbles = {key.hex()[0] for key in list(WIDE)[:5]}
    gap = next(digit for digit in "0123456789abcdef" if digit not in first_nibbles)
    few = dict(list(WIDE.items())[:5])
    root, nodes = proven(WIDE, in_wide)
    mixed = vector("nodes-in-reverse-order", nodes[::-1], in_wide, root) | {"value": to_hex(WIDE[in_wide])}
    zero = bytes(rlp.encode([packed(key_of("12").hex(), leaf=True), b"\x80"]))
    return [
        accept("leaf-as-root", ONE, key_of("12")),
        accept("below-branches", WIDE, in_wide),
        accept("below-an-extension", SHARED, key_of("abcdef1")),
        accept("largest-word", SHARED, key_of("abcdef2")),
        accept("embedded-leaf", SHORT, short),
        accept("embedded-leaf-repeated-on-its-own", SHORT, short, bytes(rlp.encode([packed("", leaf=True), b"\x01"]))),
        accept("nodes-beside-the-path-do-not-matter", WIDE, in_wide, b"", b"\x80", b"\xff", b"junk"),
        accept("node-twice", ONE, key_of("12"), *proven(ONE, key_of("12"))[1]),
        mixed,
        vector("zero-as-empty-text", [zero], key_of("12")) | {"value": "0x80"},
        vector("absent-empty-trie-no-node", [], key_of("12"), EMPTY_ROOT) | {"value": None},
        vector("absent-empty-trie-one-byte", [b"\x80"], key_of("12")) | {"value": None},
        accept("absent-diverging-leaf-as-root", ONE, key_of("13")),
        accept("absent-diverging-leaf-at-the-last-nibble", ONE, key_of("12")[:31] + b"\x01"),
        accept("absent-diverging-leaf-below-a-branch", WIDE, in_wide[:8] + bytes(24)),
        accept("absent-diverging-extension-at-its-first-nibble", SHARED, key_of("0")),
        accept("absent-diverging-extension-at-its-last-nibble", SHARED, key_of("abcdee1")),
        accept("absent-empty-slot-of-the-root", few, key_of(gap)),
        accept("absent-empty-slot-below-an-extension", SHARED, key_of("abcdef9")),
        accept("absent-empty-slot-of-an-embedded-branch", SHORT, short[:31] + b"\x57"),
        accept("absent-diverging-before-an-embedded-node", SHORT, b"\x00" + short[1:]),
    ]


def _refused(name: str, reason: str, nodes: Sequence[Any], key: bytes, root: bytes | None = None) -> Json:
    """Put an invalid vector together; nodes that are not bytes are encoded as RLP."""
    encoded = [node if isinstance(node, bytes) else bytes(rlp.encode(node)) for node in nodes]
    return vector(name, encoded, key, root) | {"reason": reason}


def _paths() -> list[Json]:
    """Refuse proofs that stop, or were altered, on the way."""
    key = next(iter(WIDE))
    root, nodes = proven(WIDE, key)
    altered = [*nodes[:-1], nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1])]
    other = proven(WIDE | {b"\x01" * 32: WORD}, key)[1]
    far_root, far = proven(SHARED, key_of("abcdef2"))
    assert len(far) == 4
    alone = proven(ONE, key_of("12"))[1]
    return [
        _refused("no-nodes", "the root's node is missing", [], key, root),
        _refused("root-node-missing", "the root's node is missing", nodes[1:], key, root),
        _refused("last-node-missing", "a node on the way is missing", nodes[:-1], key, root),
        _refused(
            "middle-node-missing", "a node on the way is missing", [far[0], *far[2:]], key_of("abcdef2"), far_root
        ),
        _refused("leaf-altered", "its hash is not the one in its parent", altered, key, root),
        _refused("root-altered", "no node has this hash", nodes, key, root[:-1] + bytes([root[-1] ^ 1])),
        _refused("root-of-another-trie", "no node has this hash", other, key, root),
        _refused("root-zero", "no node has this hash", nodes, key, bytes(32)),
        _refused("empty-node-for-a-trie-that-is-not-empty", "no node has this hash", [b"\x80"], key, root),
        _refused("66-nodes", "a path has at most 65 nodes", [*alone, *([b"\x80"] * 65)], key_of("12")),
        _refused("node-of-533-bytes", "a node has at most 532 bytes", [*alone, bytes(533)], key_of("12")),
    ]


def _nodes() -> list[Json]:
    """Refuse nodes that no trie of hashed keys has, though the hashes hold."""
    key = key_of("12")
    rest = key.hex()
    leaf = rlp.encode([packed(rest[1:], leaf=True), WORD])
    down = keccak(leaf)
    found = []

    def refuse(name: str, reason: str, *nodes: Any) -> None:
        found.append(_refused(name, reason, nodes, key))

    refuse("three-items", "a node has 17 or 2 items", [b"\x20", WORD, b""])
    refuse("one-item", "a node has 17 or 2 items", [packed(rest, leaf=True)])
    refuse("no-items", "a node has 17 or 2 items", [])
    refuse("16-items", "a node has 17 or 2 items", branch({1: down})[:16], leaf)
    refuse("18-items", "a node has 17 or 2 items", [*branch({1: down}), b""], leaf)
    refuse("branch-with-a-value", "no key ends at a branch", branch({1: down}, WORD), leaf)
    refuse("branch-with-a-value-beside-an-empty-slot", "no key ends at a branch", branch({2: down}, WORD), leaf)
    deep = rlp.encode(branch({}))
    last = rlp.encode(branch({int(rest[-1], 16): keccak(deep)}))
    to_last = [packed(rest[:-1], leaf=False), keccak(last)]
    refuse("branch-below-the-last-nibble", "no key ends at a branch", to_last, last, deep)
    to_end = [packed(rest, leaf=False), keccak(deep)]
    refuse("extension-to-the-end-of-the-key", "something must be left of the key", to_end, deep)
    refuse("leaf-path-too-short", "the leaf ends before the key", [packed(rest[:-2], leaf=True), WORD])
    refuse("leaf-path-too-long", "the leaf goes on after the key", [packed(rest + "00", leaf=True), WORD])
    refuse("leaf-path-empty-at-the-root", "the leaf ends before the key", [packed("", leaf=True), WORD])
    refuse("leaf-of-another-key-too-short", "a leaf at the wrong depth proves nothing", [packed("34", leaf=True), WORD])
    refuse("extension-without-nibbles", "an extension has at least one", [packed("", leaf=False), keccak(deep)], deep)
    refuse("extension-too-long", "it goes on after the key", [packed(rest + "00", leaf=False), keccak(deep)], deep)
    refuse("extension-of-another-key-too-long", "it proves nothing", [packed("f" * 66, leaf=False), keccak(deep)], deep)
    refuse("extension-with-a-value", "a hash has 32 bytes", [packed(rest[:2], leaf=False), WORD])
    refuse("extension-with-an-empty-child", "a hash has 32 bytes", [packed(rest[:2], leaf=False), b""])
    refuse("flag-even-on-an-odd-path", "the nibble after an even flag is 0", [bytes.fromhex("21" + rest), WORD])
    refuse("flag-odd-on-an-even-path", "the path is one nibble too long", [bytes.fromhex("30" + rest), WORD])
    refuse("flag-of-an-extension-on-a-leaf", "it goes on to the key's end", [packed(rest, leaf=False), WORD])
    refuse("flag-4", "flags are 0 to 3", [bytes.fromhex("40" + rest), WORD])
    refuse("flag-ff", "flags are 0 to 3", [bytes.fromhex("ff" + rest), WORD])
    refuse("path-of-no-bytes", "a path has a flag", [b"", WORD])
    refuse("path-a-list", "a path is a string", [[packed(rest, leaf=True)], WORD])
    refuse("child-of-31-bytes", "a hash has 32 bytes", branch({1: down[:31]}), leaf)
    refuse("child-of-33-bytes", "a hash has 32 bytes", branch({1: down + b"\x00"}), leaf)
    refuse("child-a-node-as-a-string", "a hash has 32 bytes", branch({1: rlp.encode([b"\x20", b"\x01"])}), leaf)
    refuse("child-an-embedded-list-of-three", "a node has 17 or 2 items", branch({1: [b"\x20", b"\x01", b""]}))
    refuse("leaf-value-a-list", "a value is a string", [packed(rest, leaf=True), [WORD]])
    return found


def _encodings() -> list[Json]:
    """Refuse RLP that is not, or not in its one form."""
    key = key_of("12")
    path = bytes(rlp.encode(packed(key.hex(), leaf=True)))
    good = bytes(rlp.encode([packed(key.hex(), leaf=True), WORD]))
    assert good == bytes([0xC0 + len(good) - 1]) + path + b"\x83" + WORD
    body = good[1:]
    found = []

    def refuse(name: str, reason: str, node: bytes) -> None:
        found.append(_refused(name, reason, [node], key))

    refuse("node-empty", "no RLP", b"")
    refuse("node-a-string", "a node is a list", b"\x83abc")
    refuse("node-truncated", "longer than the data", good[:-1])
    refuse("byte-behind-the-node", "bytes behind the list", good + b"\x00")
    refuse("item-longer-than-the-list", "longer than the list", bytes([good[0] - 1]) + body[:-1])
    refuse("list-length-in-a-byte", "not its shortest form", bytes([0xF8, len(body)]) + body)
    refuse("list-length-with-a-leading-zero", "not its shortest form", bytes([0xF9, 0, len(body)]) + body)
    refuse("list-length-missing", "the length is missing", b"\xf8")
    refuse("list-length-truncated", "the length is truncated", b"\xf9\x01")
    refuse("list-length-beyond-the-data", "longer than the data", b"\xff" + b"\xff" * 8 + body)
    long_path = bytes([0xB8, 33]) + path[1:]
    refuse("string-length-in-a-byte", "not its shortest form", bytes([0xC0 + len(body) + 1]) + long_path + body[34:])
    one = bytes([0xC0 + len(path) + 2]) + path + b"\x81\x01"
    refuse("byte-with-a-length", "a byte below 128 stands for itself", one)
    refuse("string-length-beyond-the-data", "longer than the list", b"\xc2\xbf\xff")
    return found


def _values() -> list[Json]:
    """Refuse leaves that hold no storage word."""
    key = key_of("12")
    values = [
        ("value-empty", b"", "no RLP"),
        ("value-a-list", b"\xc1\x01", "a word is a string"),
        ("value-of-two-items", b"\x01\x02", "bytes behind the string"),
        ("value-with-a-leading-zero", b"\x82\x00\x01", "a number has no leading zeros"),
        ("value-zero-as-a-byte", b"\x00", "zero is the empty string"),
        ("value-of-33-bytes", b"\xa1\x01" + bytes(32), "a word has 32 bytes"),
        ("value-not-in-shortest-form", b"\x81\x7f", "a byte below 128 stands for itself"),
        ("value-truncated", b"\x83\x01\x02", "longer than the data"),
    ]
    return [_refused(name, reason, [[packed(key.hex(), leaf=True), value]], key) for name, value, reason in values]
