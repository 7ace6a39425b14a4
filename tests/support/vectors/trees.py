"""`leaves.json` and `trees.json`: leaf preimages, trees of many sizes, and what is no inclusion proof."""

from hashlib import sha256

from tests.support.vectors.common import Json, Tree, file_of, number, preimage_of, to_hex

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 1000, 1025)
MAX_UINT32 = 2**32 - 1
LAST_INDEX = 131_071

_LEAVES = [
    ("all-zero", bytes(32), 0, 0, bytes(32)),
    ("all-ones", b"\xff" * 32, MAX_UINT32, LAST_INDEX, b"\xff" * 32),
    ("bytes-in-order", bytes(range(32)), 1, 2, sha256(b"{}").digest()),
    ("list-and-index-big-endian", b"\x5a" * 32, 0x01020304, 0x00010203, sha256(b"a").digest()),
    ("index-zero-of-list-one", b"\x5a" * 32, 1, 0, sha256(b"a").digest()),
    ("index-one-of-list-zero", b"\x5a" * 32, 0, 1, sha256(b"a").digest()),
]


def build_leaves() -> Json:
    valid = []
    for name, salt, status_list, index, content in _LEAVES:
        preimage = preimage_of(salt, status_list, index, content)
        assert len(preimage) == 73
        valid.append(
            {
                "name": name,
                "salt": to_hex(salt),
                "list": status_list,
                "statusIndex": index,
                "credentialHash": to_hex(content),
                "preimage": to_hex(preimage),
                "leaf": to_hex(sha256(preimage).digest()),
            }
        )
    return file_of("The 73 bytes that are hashed into a leaf. docs/spec/anchor-proof.md, Leaf and tree.", valid=valid)


def tree_of(size: int) -> Tree:
    return Tree([number(index) for index in range(size)])


def edges(size: int) -> list[int]:
    """Name the leaves whose paths differ in form: first, last, around powers of two; all of a small tree."""
    if size <= 9:
        return list(range(size))
    around = {1 << power for power in range(1, size.bit_length())} | {size // 2, size - 1}
    near = {index + step for index in around for step in (-1, 0)}
    return sorted(index for index in near | {0} if index < size)


def build_trees() -> Json:
    valid = []
    for size in SIZES:
        tree = tree_of(size)
        proofs = [{"leafIndex": index, "siblings": _hex(tree.siblings(index))} for index in edges(size)]
        valid.append({"name": f"size-{size}", "size": size, "root": to_hex(tree.root), "proofs": proofs})
    return file_of(
        "Trees, and inclusion proofs that hold or do not. docs/spec/anchor-proof.md, Leaf and tree.",
        leaves="leaf i of every tree is SHA-256 of i as 4 bytes big-endian",
        valid=valid,
        invalid=_invalid(),
    )


def _invalid() -> list[Json]:
    five, eight, one = tree_of(5), tree_of(8), tree_of(1)
    found: list[Json] = []

    def refuse(name: str, reason: str, tree: Tree, index: int, **changes: object) -> None:
        vector: Json = {
            "name": name,
            "root": to_hex(tree.root),
            "size": tree.size,
            "leaf": to_hex(tree.leaves[index]),
            "leafIndex": index,
            "siblings": _hex(tree.siblings(index)),
            "reason": reason,
        }
        for member, value in changes.items():
            assert member in vector
            vector[member] = _hex(value) if isinstance(value, list) else value
        found.append(vector)

    path = five.siblings(2)
    node = sha256(five.leaves[0] + five.leaves[1]).digest()
    refuse("sibling-missing-at-the-top", "too few siblings", five, 2, siblings=path[:-1])
    refuse("sibling-missing-at-the-bottom", "too few siblings", five, 2, siblings=path[1:])
    refuse("no-siblings", "too few siblings", five, 2, siblings=[])
    refuse("sibling-too-many", "too many siblings", five, 2, siblings=[*path, bytes(32)])
    refuse("sibling-twice", "too many siblings", five, 2, siblings=[path[0], *path])
    refuse("siblings-swapped", "siblings in another order", five, 2, siblings=[path[1], path[0], path[2]])
    refuse("siblings-reversed", "siblings in another order", five, 2, siblings=path[::-1])
    refuse("sibling-altered", "one bit differs", five, 2, siblings=[bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:]])
    refuse("siblings-all-zero", "other siblings", five, 2, siblings=[bytes(32)] * 3)
    refuse("neighbours-proof", "the path of the leaf beside it", five, 2, siblings=five.siblings(3))
    refuse("neighbours-index", "the sibling would stand on the other side", five, 2, leafIndex=3)
    refuse("index-of-another-pair", "siblings would stand on other sides", five, 2, leafIndex=0)
    refuse("another-leaf", "the leaf is not the one at this place", five, 2, leaf=to_hex(five.leaves[3]))
    refuse("leaf-altered", "one bit differs", five, 2, leaf=to_hex(bytes([five.leaves[2][0] ^ 1]) + five.leaves[2][1:]))
    refuse("root-altered", "one bit differs", five, 2, root=to_hex(five.root[:-1] + bytes([five.root[-1] ^ 1])))
    refuse("root-of-another-tree", "another root", five, 2, root=to_hex(eight.root))
    refuse("size-0", "a batch has at least one leaf", one, 0, size=0)
    refuse("index-is-size", "the index is not below the size", five, 4, leafIndex=5)
    refuse("index-is-size-in-a-tree-of-one", "the index is not below the size", one, 0, leafIndex=1)
    refuse("index-far-beyond-size", "the index is not below the size", five, 2, leafIndex=MAX_UINT32)
    # 2 and 10 have the same lower bits, so a reader who only looks at these would accept it.
    refuse("index-with-a-higher-bit", "the index is not below the size", eight, 2, leafIndex=10)
    refuse(
        "node-as-leaf",
        "with the size stated a node stands at no leaf's depth",
        five,
        0,
        leaf=to_hex(node),
        siblings=five.siblings(0)[1:],
    )
    refuse("root-as-leaf", "the root is no leaf of a batch of five", five, 0, leaf=to_hex(five.root), siblings=[])
    refuse("last-odd-leaf-paired-with-itself", "it moves up unchanged", five, 4, siblings=[five.leaves[4]] * 3)
    refuse("last-odd-leaf-without-its-sibling", "too few siblings", five, 4, siblings=[])
    refuse("tree-of-one-with-a-sibling", "too many siblings", one, 0, siblings=[bytes(32)])
    refuse("tree-of-one-with-another-root", "the only leaf is the root", one, 0, root=to_hex(five.root))
    refuse("size-overstated", "the last leaf would have more siblings", five, 4, size=6)
    refuse("size-understated", "the last leaf would have more siblings", eight, 7, size=7, leafIndex=6)
    refuse("33-siblings", "no tree has so many levels", five, 2, siblings=[bytes(32)] * 33, size=MAX_UINT32)
    refuse("largest-size-31-siblings", "too few siblings", five, 2, siblings=[bytes(32)] * 31, size=MAX_UINT32)
    return found


def _hex(siblings: list[bytes]) -> list[str]:
    return [to_hex(sibling) for sibling in siblings]
