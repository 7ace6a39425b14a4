"""Account and storage proofs: real ones, published tries, and nodes that no state has."""

from contextlib import suppress
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from anchor.errors import StateProofError
from anchor.model import Address, Hash32, address, hash32, parse_hex, to_hex
from anchor.state_proof import (
    EMPTY_TRIE_ROOT,
    MAX_NODE_SIZE,
    MAX_PROOF_NODES,
    Account,
    _walk,
    check_account,
    check_header,
    check_storage,
)
from tests.support.published import hash_of, read_nodes, read_vectors

PROOFS = read_vectors("state-proofs.json")
OURS = PROOFS["valid"]["accounts"][0]


# Accounts and storage: real ones


@pytest.mark.parametrize("name", ["contractWithStorage", "nonexistentAccount", "validAccount"])
def test_proofs_of_mainnet_accounts(name: str) -> None:
    answer = read_vectors(f"eth/eip1186_{name}.json")
    nodes = read_nodes(answer["accountProof"])
    account = check_account(hash_of(nodes[0]), address(parse_hex(answer["address"])), nodes)
    if name == "nonexistentAccount":
        assert account is None
        return
    assert account == Account(
        nonce=int(answer["nonce"], 16),
        balance=int(answer["balance"], 16),
        storage_root=hash32(parse_hex(answer["storageHash"])),
        code_hash=hash32(parse_hex(answer["codeHash"])),
    )
    for entry in answer["storageProof"]:
        value = check_storage(account.storage_root, hash32(parse_hex(entry["key"])), read_nodes(entry["proof"]))
        assert value == int(entry["value"], 16)


def state_root() -> Hash32:
    return check_header(parse_hex(PROOFS["header"]), hash32(parse_hex(PROOFS["blockHash"]))).state_root


@pytest.mark.parametrize("vector", PROOFS["valid"]["accounts"], ids=lambda vector: vector["name"])
def test_proofs_of_accounts_on_a_local_chain(vector: Any) -> None:
    account = check_account(state_root(), address(parse_hex(vector["address"])), read_nodes(vector["proof"]))
    if vector["account"] is None:
        assert account is None
    else:
        assert account is not None
        assert (account.nonce, str(account.balance)) == (vector["account"]["nonce"], vector["account"]["balance"])
        assert to_hex(account.storage_root) == vector["account"]["storageRoot"]
        assert to_hex(account.code_hash) == vector["account"]["codeHash"]


@pytest.mark.parametrize("vector", PROOFS["valid"]["storage"], ids=lambda vector: vector["name"])
def test_proofs_of_a_registry_s_storage(vector: Any) -> None:
    root = hash32(parse_hex(OURS["account"]["storageRoot"]))
    value = check_storage(root, hash32(parse_hex(vector["slot"])), read_nodes(vector["proof"]))
    assert to_hex(value.to_bytes(32, "big")) == vector["value"]


@pytest.mark.parametrize("vector", PROOFS["invalid"]["storage"], ids=lambda vector: vector["name"])
def test_proofs_that_prove_nothing(vector: Any) -> None:
    root = hash32(parse_hex(OURS["account"]["storageRoot"]))
    with pytest.raises(StateProofError):
        check_storage(root, hash32(parse_hex(vector["slot"])), read_nodes(vector["proof"]))


def test_proof_of_another_account_is_refused() -> None:
    other = PROOFS["valid"]["accounts"][1]
    with pytest.raises(StateProofError, match="lacks a node"):
        check_account(state_root(), address(parse_hex(OURS["address"])), read_nodes(other["proof"]))


@pytest.mark.parametrize("nodes", [[], [b"\x80"], [b""], [b"\xff" * 100]])
def test_empty_trie_proves_absence_whatever_is_sent_with_it(nodes: list[bytes]) -> None:
    assert check_storage(EMPTY_TRIE_ROOT, hash_of(b"slot"), nodes) == 0
    assert check_account(EMPTY_TRIE_ROOT, address(b"\x01" * 20), nodes) is None


# Tries of ethereum/tests


def secure_tries() -> list[Any]:
    tries = []
    for name in ("trietest_secureTrie", "trieanyorder_secureTrie", "hex_encoded_securetrie_test"):
        for test, content in read_vectors(f"eth/{name}.json").items():
            pairs = content["in"].items() if isinstance(content["in"], dict) else content["in"]
            tries.append(pytest.param(list(pairs), content["root"], id=f"{name}-{test}"))
    return tries


def as_bytes(text: str) -> bytes:
    return parse_hex(text) if text.startswith("0x") else text.encode()


@pytest.mark.parametrize(("pairs", "root"), secure_tries())
def test_every_entry_of_the_published_tries_is_proven(pairs: list[tuple[str, str | None]], root: str) -> None:
    trie = HexaryTrie({})
    entries: dict[bytes, bytes | None] = {keccak(b"not in it"): None}
    for key, value in pairs:
        hashed = keccak(as_bytes(key))
        entries[hashed] = as_bytes(value) if value is not None else None
        trie[hashed] = entries[hashed] or b""
    assert to_hex(trie.root_hash) == root
    for hashed, expected in entries.items():
        assert _walk(hash32(trie.root_hash), hashed, prove(trie, hashed)) == expected


def prove(trie: HexaryTrie, key: bytes) -> list[bytes]:
    return [rlp.encode(node) for node in trie.get_proof(key)]


def any_tries() -> list[Any]:
    """Tries whose keys are not hashed, and of any length."""
    tries = []
    for name in ("trietest", "trieanyorder"):
        for test, content in read_vectors(f"eth/{name}.json").items():
            pairs = content["in"].items() if isinstance(content["in"], dict) else content["in"]
            tries.append(pytest.param(list(pairs), content["root"], id=f"{name}-{test}"))
    return tries


@pytest.mark.parametrize(("pairs", "root"), any_tries())
def test_published_tries_with_keys_of_any_length_give_no_other_value(
    pairs: list[tuple[str, str | None]], root: str
) -> None:
    trie, entries = HexaryTrie({}), dict[bytes, bytes | None]()
    for key, value in pairs:
        entries[as_bytes(key)] = as_bytes(value) if value is not None else None
        trie[as_bytes(key)] = as_bytes(value) if value is not None else b""
    assert to_hex(trie.root_hash) == root
    present = [key for key, value in entries.items() if value is not None]
    for wanted, expected in entries.items():
        # In Ethereum's state no key is the beginning of another: there our walk gives nothing.
        near = [each for each in present if each != wanted and (each.startswith(wanted) or wanted.startswith(each))]
        if near:
            with suppress(StateProofError):
                assert _walk(hash32(trie.root_hash), wanted, prove(trie, wanted)) == expected
        else:
            assert _walk(hash32(trie.root_hash), wanted, prove(trie, wanted)) == expected


def test_neighbours_of_keys_in_a_published_trie_are_not_taken_for_them() -> None:
    for content in read_vectors("eth/trietestnextprev.json").values():
        trie = HexaryTrie({})
        for key in content["in"]:
            trie[as_bytes(key)] = b"value of " + as_bytes(key)
        for key in {each for test in content["tests"] for each in test if each}:
            if key in content["in"]:
                assert _walk(hash32(trie.root_hash), as_bytes(key), prove(trie, as_bytes(key))) == (
                    b"value of " + as_bytes(key)
                )
            else:
                with suppress(StateProofError):
                    assert _walk(hash32(trie.root_hash), as_bytes(key), prove(trie, as_bytes(key))) is None


# Nodes that no Ethereum state has, each under its own hash


KEY = bytes.fromhex("ab" + "cd" * 31)
LEAF = [b"\x20" + KEY, b"value"]
"""As the root: the whole key, even number of nibbles, leaf."""


def branch(**children: Any) -> list[Any]:
    items: list[Any] = [b""] * 17
    for place, child in children.items():
        items[int(place[1:], 16)] = child
    return items


def walk(root: Any, *others: Any) -> bytes | None:
    nodes = [rlp.encode(node) for node in (root, *others)]
    return _walk(hash_of(nodes[0]), KEY, nodes)


def test_leaf_at_the_root() -> None:
    assert walk(LEAF) == b"value"


def test_another_leaf_at_the_root_proves_absence() -> None:
    assert walk([b"\x20" + KEY[:-1] + b"\x00", b"value"]) is None


def test_branch_extension_and_embedded_leaf() -> None:
    # a -> branch -> extension bcd…cd (61 nibbles) -> embedded branch -> c -> embedded leaf with the last nibble
    leaf = [b"\x3d", b"v"]
    inner = rlp.encode(branch(_c=leaf))
    assert len(inner) < 32
    extension = [b"\x1b" + KEY[1:31], rlp.decode(inner)]
    assert walk(branch(_a=keccak(rlp.encode(extension))), extension) == b"v"
    assert walk(branch(_a=keccak(rlp.encode(extension))), extension, branch(_c=leaf), leaf) == b"v"


def test_extension_by_one_nibble() -> None:
    below = branch(_b=[b"\x20" + KEY[1:], b"value"])
    assert walk([b"\x1a", keccak(rlp.encode(below))], below) == b"value"


def test_extension_to_elsewhere_proves_absence() -> None:
    assert walk([b"\x00" + b"\xaa", b"\x01" * 32]) is None


def test_empty_place_in_a_branch_proves_absence() -> None:
    assert walk(branch(_b=b"\x01" * 32)) is None


def test_longest_way_there_is() -> None:
    node: Any = [b"\x20", b"value"]
    nodes = [rlp.encode(node)]
    for nibble in reversed(KEY.hex()):
        # The empty leaf is short enough to be embedded, and so are the next branches up.
        child = rlp.decode(nodes[0]) if len(nodes[0]) < 32 else keccak(nodes[0])
        nodes.insert(0, rlp.encode(branch(**{f"_{nibble}": child})))
    assert len(nodes) == MAX_PROOF_NODES
    assert _walk(hash_of(nodes[0]), KEY, nodes) == b"value"
    with pytest.raises(StateProofError, match="66 nodes, more than 65"):
        _walk(hash_of(nodes[0]), KEY, [*nodes, b""])


def test_largest_node_there_is() -> None:
    full = branch(**{f"_{place:x}": b"\x01" * 32 for place in range(16)})
    assert len(rlp.encode(full)) == MAX_NODE_SIZE


@pytest.mark.parametrize(
    ("root", "why"),
    [
        pytest.param([b"\x00", b"\x01" * 32], "wrong depth", id="extension by nothing"),
        pytest.param([b"\x00" + KEY, b"\x01" * 32], "wrong depth", id="extension to the end of the key"),
        pytest.param([b"\x00" + KEY + b"\x01", b"\x01" * 32], "wrong depth", id="extension beyond the key"),
        pytest.param([b"\x20" + KEY[:-1], b"v"], "wrong depth", id="leaf before the end of the key"),
        pytest.param([b"\x20" + KEY + b"\x01", b"v"], "wrong depth", id="leaf beyond the key"),
        pytest.param([b"\x40" + KEY, b"v"], "malformed prefix", id="unknown flag"),
        pytest.param([b"\x21" + KEY, b"v"], "malformed prefix", id="flag's padding is not zero"),
        pytest.param([b"", b"v"], "malformed prefix", id="no flag"),
        pytest.param([[b"\x20"], b"v"], "expected a string", id="path is a list"),
        pytest.param([b"\x20" + KEY, [b"v"]], "expected a string", id="value is a list"),
        pytest.param([b"\x20" + KEY, b"v", b""], "got 3", id="three items"),
        pytest.param([], "got 0", id="no items"),
        pytest.param(branch(_a=b"\x01" * 31), "32 bytes, got 31", id="short hash"),
        pytest.param(branch(_a=b"\x01" * 32), "lacks a node", id="missing node"),
        pytest.param(branch(_a=[]), "got 0", id="embedded node without items"),
        pytest.param([*branch(_a=[b"\x20", b"v"])[:16], b"v"], "where a key ends", id="value in a branch"),
        pytest.param(b"a string", "expected a list", id="no list"),
    ],
)
def test_node_that_no_state_has_is_refused(root: Any, why: str) -> None:
    with pytest.raises(StateProofError, match=why):
        walk(root)


def test_branch_below_the_end_of_the_key_is_refused() -> None:
    last = rlp.encode(branch(_0=[b"\x20", b"v"]))
    upper = rlp.encode(branch(_d=rlp.decode(last)))
    with pytest.raises(StateProofError, match="where a key ends"):
        walk([b"\x1a" + KEY[:0] + bytes.fromhex(KEY.hex()[1:63]), keccak(upper)], rlp.decode(upper))


def test_node_of_a_byte_too_many_is_refused() -> None:
    with pytest.raises(StateProofError, match="more than 532 bytes"):
        _walk(hash_of(b""), KEY, [bytes(MAX_NODE_SIZE + 1)])


def only_leaf(key: bytes, value: bytes) -> tuple[Hash32, list[bytes]]:
    node = rlp.encode([b"\x20" + keccak(key), value])
    return hash_of(node), [node]


SLOT = hash32(b"\x05" * 32)


def test_whole_word() -> None:
    assert check_storage(*values(rlp.encode(2**256 - 1))) == 2**256 - 1


def test_zero_that_anvil_keeps_for_a_cleared_slot_is_zero() -> None:
    assert check_storage(*values(b"\x80")) == 0


def values(value: bytes) -> tuple[Hash32, Hash32, list[bytes]]:
    root, nodes = only_leaf(SLOT, value)
    return root, SLOT, nodes


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "expected a string"),
        (b"\x00", "leading zeros"),
        (rlp.encode(b"\x00\x01"), "leading zeros"),
        (rlp.encode(b"\x01" * 33), "at most 32 bytes"),
        (b"\x05\x05", "bytes after the string"),
        (b"\x81\x05", "shortest form"),
        (b"\xb8\x37" + b"\x05" * 55, "shortest form"),
        (b"\x82\x05", "longer than what holds it"),
        (b"\xc1\x05", "expected a string"),
    ],
)
def test_storage_value_that_no_state_has_is_refused(value: bytes, why: str) -> None:
    with pytest.raises(StateProofError, match=why):
        check_storage(*values(value))


NOBODY = Address(b"\x07" * 20)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([b"", b"", b"\x01" * 32], "4 fields, got 3"),
        ([b"", b"", b"\x01" * 32, b"\x01" * 32, b""], "4 fields, got 5"),
        ([b"\x01" * 9, b"", b"\x01" * 32, b"\x01" * 32], "at most 8 bytes"),
        ([b"\x00", b"", b"\x01" * 32, b"\x01" * 32], "leading zeros"),
        ([b"", b"\x01" * 33, b"\x01" * 32, b"\x01" * 32], "at most 32 bytes"),
        ([b"", b"", b"\x01" * 31, b"\x01" * 32], "32 bytes, got 31"),
        ([b"", b"", b"\x01" * 32, b"\x01" * 33], "32 bytes, got 33"),
        ([b"", [], b"\x01" * 32, b"\x01" * 32], "expected a string"),
    ],
)
def test_account_that_no_state_has_is_refused(fields: list[Any], why: str) -> None:
    with pytest.raises(StateProofError, match=why):
        check_account(*accounts(rlp.encode(fields)))


def accounts(value: bytes) -> tuple[Hash32, Address, list[bytes]]:
    root, nodes = only_leaf(NOBODY, value)
    return root, NOBODY, nodes


def test_storage_leaf_is_no_account() -> None:
    with pytest.raises(StateProofError, match="expected a list"):
        check_account(*accounts(rlp.encode(5)))


@pytest.mark.parametrize("number", [0, 1, 0x7F, 0x80, 2**64 - 1])
def test_account_of_any_size_is_read(number: int) -> None:
    balance = number**4
    account = check_account(*accounts(rlp.encode([number, balance, b"\x01" * 32, b"\x02" * 32])))
    assert account == Account(
        nonce=number, balance=balance, storage_root=hash32(b"\x01" * 32), code_hash=hash32(b"\x02" * 32)
    )


@pytest.mark.parametrize("value", [1, 0x7F, 0x80, 0xFF, 0x100, 2**255])
def test_storage_value_of_any_size_is_read(value: int) -> None:
    assert check_storage(*values(rlp.encode(value))) == value


def test_largest_node_is_accepted() -> None:
    full = branch(**{f"_{place:x}": b"\x01" * 32 for place in range(16)})
    with pytest.raises(StateProofError, match="lacks a node"):
        walk(full)


@pytest.mark.parametrize("nibbles", [1, 2, 3, 62])
def test_extensions_and_leaves_of_any_length(nibbles: int) -> None:
    digits = KEY.hex()
    rest = digits[nibbles + 1 :]
    leaf = [bytes.fromhex(("3" if len(rest) % 2 else "20") + rest), b"value of 32 bytes, so not embedded"]
    below = branch(**{f"_{digits[nibbles]}": keccak(rlp.encode(leaf))})
    flag = "1" if nibbles % 2 else "00"
    extension = [bytes.fromhex(flag + digits[:nibbles]), keccak(rlp.encode(below))]
    assert walk(extension, below, leaf) == b"value of 32 bytes, so not embedded"
