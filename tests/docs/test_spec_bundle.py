"""The worked example of docs/spec/bundle.md is recomputed from the page itself."""

import json
import re
from typing import Any

import rlp
from eth_hash.auto import keccak

from anchor.batch_steps import MAX_ABSENCE_AGE_SECONDS
from anchor.bundle import MAX_BUNDLE_BYTES, looks_like_bundle, parse_bundle
from anchor.canonical import MAX_DEPTH, MAX_DOCUMENT_BYTES
from anchor.evidence import Evidence
from anchor.known_blocks import parse_known_blocks_file
from anchor.model import Outcome, Vouching, parse_hex
from anchor.policy import parse_policy
from anchor.state_proof import MAX_NODE_SIZE
from anchor.verify import verify
from tests.docs.documents import blocks, read

PAGE = read("docs/spec/bundle.md")
EXAMPLE, KNOWN_BLOCKS = blocks(PAGE, "json")
CONTENT: dict[str, Any] = json.loads(EXAMPLE)
VALUES = dict(re.findall(r"^\| ([a-z0-9 ]+?)[,;:][^|]* \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE))
NOW = 1_790_000_000


def test_credential_header_and_nodes_are_those_of_the_other_pages() -> None:
    assert CONTENT["credentials"] == [json.loads(blocks(read("docs/spec/anchor-proof.md"), "json")[0])]
    evidence = json.loads(blocks(read("docs/spec/verification.md"), "json")[1])
    assert CONTENT["registries"] == [{"registry": evidence["registry"], "header": evidence["header"]}]
    storage = [node for each in evidence["storage"] for node in each["nodes"]]
    assert CONTENT["nodes"] == list(dict.fromkeys([*evidence["accountNodes"], *storage]))


def test_hashes_are_those_on_the_page() -> None:
    assert keccak(parse_hex(CONTENT["registries"][0]["header"])).hex() == VALUES["block hash"]
    nodes = [parse_hex(node) for node in CONTENT["nodes"]]
    assert [keccak(node).hex() for node in nodes] == [VALUES[f"node {place}"] for place in range(len(nodes))]
    assert rlp.decode(parse_hex(CONTENT["registries"][0]["header"]))[3].hex() == VALUES["node 0"]
    account = rlp.decode(rlp.decode(nodes[1])[1])
    assert account[2].hex() == VALUES["node 2"]


def test_each_node_proves_what_the_page_says() -> None:
    (proof,) = parse_bundle(EXAMPLE.encode()).proofs
    places = {parse_hex(node): place for place, node in enumerate(CONTENT["nodes"])}
    assert [places[node] for node in proof.account_nodes] == [0, 1]
    page = read("docs/spec/verification.md")
    slots = dict(re.findall(r"^\| (slot of [^|]+?|slot of its didHash) \| `([0-9a-f]{64})` \|$", page, re.MULTILINE))
    expected = {
        "slot of issuer 7": 3,
        "slot of its didHash": 4,
        "slot of the batch": 5,
        "slot of the key": 6,
        "slot of word 369 of revocation list 0, epoch 0": 5,
        "slot of word 369 of suspension list 0, epoch 0": 2,
    }
    last = {each.slot.hex(): places[each.nodes[-1]] for each in proof.storage}
    assert last == {slots[name]: place for name, place in expected.items()}


def test_example_is_valid_with_its_block_known_and_unknown_without() -> None:
    content = json.loads(blocks(read("docs/spec/verification.md"), "json")[0]) | {"vouching": "pinnedHash"}
    bundle = parse_bundle(EXAMPLE.encode())
    evidence = Evidence(registries=tuple(each.vouched(Vouching.PINNED_HASH, ("page",)) for each in bundle.proofs))
    for known, outcome in ((json.loads(KNOWN_BLOCKS)["blocks"], Outcome.VALID), ({}, Outcome.UNKNOWN)):
        policy = parse_policy(json.dumps(content | {"knownBlocks": known}).encode())
        assert verify(bundle.parsed[0], evidence, policy, NOW).outcome is outcome
    assert looks_like_bundle(EXAMPLE.encode())


def test_file_of_known_blocks_names_the_block_of_the_example() -> None:
    (known,) = parse_known_blocks_file(KNOWN_BLOCKS.encode())
    assert (known.chain_id, known.hash.hex()) == (31337, VALUES["block hash"])


def test_limits_on_the_page_are_those_of_the_code() -> None:
    for words in (
        f"at most {MAX_BUNDLE_BYTES:,} bytes",
        f"at most {MAX_DOCUMENT_BYTES:,} bytes",
        f"nesting limit of {MAX_DEPTH}",
        f"at most {MAX_NODE_SIZE} bytes",
        f"more than {MAX_ABSENCE_AGE_SECONDS} s old",
    ):
        assert words in PAGE.replace("\n", " ")


def test_steps_are_those_that_the_vectors_are_named_after() -> None:
    section = PAGE.partition("## Reading")[2].partition("## ")[0]
    steps = re.findall(r"^(\d)\. ", section, re.MULTILINE)
    vectors = json.loads(read("tests/vectors/bundle.json"))["invalid"]
    assert steps == sorted({vector["name"].split("-")[1] for vector in vectors})
