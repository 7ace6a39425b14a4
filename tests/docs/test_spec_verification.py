"""The worked example of docs/spec/verification.md is recomputed from the page: by hand, by packages, by `verify`."""

import json
import re
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from anchor.batch_steps import MAX_CLOCK_SKEW_SECONDS
from anchor.credential import parse_credential
from anchor.evidence import Evidence, RegistryEvidence, StorageProof
from anchor.model import Outcome, RegistryId, Vouching, hash32, parse_hex
from anchor.policy import parse_policy
from anchor.state_proof import MAX_HEADER_SIZE, MAX_NODE_SIZE, MAX_PROOF_NODES
from anchor.steps import STEP_NAMES
from anchor.verify import verify
from tests.docs.documents import blocks, read

PAGE = read("docs/spec/verification.md")
POLICY, EVIDENCE = (json.loads(block) for block in blocks(PAGE, "json"))
CREDENTIAL = blocks(read("docs/spec/anchor-proof.md"), "json")[0]
ROWS = {
    name: re.findall(r"`([0-9a-f]+)`", cell)
    for name, cell in re.findall(r"^\| ([^|]+?) \| (`.+?) \|$", PAGE, re.MULTILINE)
}
NOW = 1_790_000_000
ISSUER = 7


def value(row: str, place: int = 0) -> bytes:
    return bytes.fromhex(ROWS[row][place])


def values(row: str) -> list[int]:
    return [int(text, 16) for text in ROWS[row]]


def told(row: str) -> list[int]:
    """The decimals that a row's name says beside its values."""
    return [int(text) for text in re.findall(r"\b\d+\b", row)]


def slot_of(base: int, *keys: bytes | int) -> bytes:
    at = base.to_bytes(32, "big")
    for key in keys:
        at = keccak((key.to_bytes(32, "big") if isinstance(key, int) else key.rjust(32, b"\x00")) + at)
    return at


def fields(word: bytes, *bits: int) -> list[int]:
    rest, found = int.from_bytes(word, "big"), []
    for width in bits:
        found.append(rest & ((1 << width) - 1))
        rest >>= width
    assert rest == 0
    return found


def look_up(root: bytes, key: bytes, nodes: list[str]) -> bytes:
    return bytes(HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(parse_hex(node)) for node in nodes]))


def word(row: str) -> bytes:
    """Look up the slot in a row, in the evidence on the page."""
    (nodes,) = [each["nodes"] for each in EVIDENCE["storage"] if parse_hex(each["slot"]) == value(row)]
    found = look_up(value("storage root"), value(row), nodes)
    return bytes(rlp.decode(found)).rjust(32, b"\x00") if found else bytes(32)


def root_of_credential() -> bytes:
    text = read("docs/spec/anchor-proof.md")
    (root,) = re.findall(r"^\| root \| `([0-9a-f]{64})` \|$", text, re.MULTILINE)
    return bytes.fromhex(root)


@pytest.mark.parametrize(
    ("hash_member", "header_member", "row"),
    [
        ("blockHash", "header", "block number 100, time 1789999995"),
        ("finalHash", "finalHeader", "final block: number 90, time 1789999500"),
    ],
)
def test_headers_hash_to_their_hashes_and_say_what_the_page_says(
    hash_member: str, header_member: str, row: str
) -> None:
    header = parse_hex(EVIDENCE[header_member])
    assert keccak(header) == parse_hex(EVIDENCE[hash_member])
    content = rlp.decode(header)
    assert [int.from_bytes(content[8], "big"), int.from_bytes(content[11], "big")] == values(row) == told(row)


def test_block_leads_to_the_account() -> None:
    header = parse_hex(EVIDENCE["header"])
    assert keccak(header) == value("block hash")
    assert rlp.decode(header)[3] == value("state root")
    address = parse_hex(EVIDENCE["registry"].split(":")[2])
    assert keccak(address) == value("path of the account, the hash of its address")
    account = rlp.decode(look_up(value("state root"), address, EVIDENCE["accountNodes"]))
    assert account[2:] == [value("storage root"), value("code hash")]
    assert parse_hex(POLICY["registries"][0]["codeHash"]) == value("code hash")


def test_slots_lie_where_the_page_says() -> None:
    issuer = value("slot of issuer 7")
    assert issuer == slot_of(4, ISSUER)
    assert keccak(issuer) == value("its path in the storage trie")
    assert value("slot of its didHash") == (int.from_bytes(issuer, "big") + 1).to_bytes(32, "big")
    assert value("slot of the batch") == slot_of(10, ISSUER, root_of_credential())
    assert value("slot of the key") == slot_of(8, value("batch's key"))
    index = int(json.loads(CREDENTIAL)["credentialStatus"][0]["statusListIndex"])
    assert (index >> 8, index & 255) == (369, 103)
    assert "bit 103 of word 369" in PAGE
    assert value("slot of word 369 of revocation list 0, epoch 0") == slot_of(11, ISSUER, 0, 0, index >> 8)
    assert value("slot of word 369 of suspension list 0, epoch 0") == slot_of(12, ISSUER, 0, 0, index >> 8)


def test_words_are_proven_and_say_what_the_page_says() -> None:
    words = re.findall(r"^\| its word(?:, the hash of the DID)? \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE)
    rows = ("slot of issuer 7", "slot of its didHash", "slot of the batch", "slot of the key")
    assert [word(row).hex() for row in rows] == words
    issuer, did, batch, key = (bytes.fromhex(text) for text in words)

    accredited = "issuer's accreditedAt, 1789990000"
    _, *rest = fields(issuer, 160, 40, 40, 16)
    assert rest == [*values(accredited), 0, 0]
    assert values(accredited) == told(accredited)
    assert did == keccak(json.loads(CREDENTIAL)["issuer"]["id"].encode())

    anchored = "batch's anchoredAt, 1789999000; size, 3"
    address, *rest = fields(batch, 160, 40, 32, 8, 16)
    assert address.to_bytes(20, "big") == value("batch's key")
    assert rest == [*values(anchored), 0, 0]
    assert values(anchored) == told(anchored)

    rights = "key's issuer, 7; validFrom, 1789991000; scope, 1"
    issuer_id, valid_from, *ends, scope, epoch = fields(key, 32, 40, 40, 40, 8, 16)
    assert [issuer_id, valid_from, scope] == values(rights) == told(rights)
    assert [*ends, epoch] == [0, 0, 0]

    for purpose in ("revocation", "suspension"):
        assert word(f"slot of word 369 of {purpose} list 0, epoch 0") == bytes(32)


def test_times_in_the_table_of_steps_follow_from_the_values() -> None:
    block, final, anchored = 1_789_999_995, 1_789_999_500, 1_789_999_000
    assert f"block 100, {NOW - block} s old" in PAGE
    assert f"{final - anchored} s before the final block, which is {100 - 90} below the block" in PAGE
    assert f"valid from {anchored - 1_789_991_000:,} s before the anchoring" in PAGE
    assert f"accredited {anchored - 1_789_990_000:,} s before the anchoring" in PAGE


def test_verify_says_of_each_step_what_the_page_says() -> None:
    verdict = verify(
        parse_credential(CREDENTIAL.encode()), evidence_of(), parse_policy(json.dumps(POLICY).encode()), NOW
    )
    rows = re.findall(r"^\| (\d+) (\w+) \| (\w+) \| ", PAGE, re.MULTILINE)
    assert rows == [(str(check.step), check.name, check.status.value) for check in verdict.checks]
    assert verdict.outcome is Outcome.VALID
    assert "The verdict is `valid`" in PAGE
    assert tuple(name for _, name, _ in rows) == STEP_NAMES


def test_example_is_not_valid_with_one_bit_changed() -> None:
    policy, credential = parse_policy(json.dumps(POLICY).encode()), parse_credential(CREDENTIAL.encode())
    changed = json.loads(json.dumps(EVIDENCE))
    changed["storage"][3]["nodes"][-1] = changed["storage"][3]["nodes"][-1][:-1] + "6"
    verdict = verify(credential, evidence_of(changed), policy, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "badStateProof")


def test_limits_on_the_page_are_those_of_the_code() -> None:
    assert f"At most {MAX_HEADER_SIZE:,} bytes" in PAGE
    assert f"more than {MAX_PROOF_NODES} in a\nproof, nor any of more than {MAX_NODE_SIZE} bytes" in PAGE
    assert f"not more than {MAX_CLOCK_SKEW_SECONDS} s in the future" in PAGE


def evidence_of(content: dict[str, Any] = EVIDENCE) -> Evidence:
    entry = RegistryEvidence(
        registry=RegistryId.parse(content["registry"]),
        vouching=Vouching(content["vouching"]),
        vouched_by=tuple(content["vouchedBy"]),
        block_hash=hash32(parse_hex(content["blockHash"])),
        header=parse_hex(content["header"]),
        final_hash=hash32(parse_hex(content["finalHash"])),
        final_header=parse_hex(content["finalHeader"]),
        account_nodes=tuple(map(parse_hex, content["accountNodes"])),
        storage=tuple(
            StorageProof(slot=hash32(parse_hex(each["slot"])), nodes=tuple(map(parse_hex, each["nodes"])))
            for each in content["storage"]
        ),
    )
    return Evidence(registries=(entry,))
