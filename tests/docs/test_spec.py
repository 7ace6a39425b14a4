"""The specification's worked example is recomputed from the page itself."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from eth_abi.abi import encode
from eth_hash.auto import keccak

from anchor import evidence
from anchor.credential import parse_credential
from anchor.errors import UndeterminedError, VerificationError
from anchor.ledger.abi import contract_build
from anchor.merkle import check_inclusion
from anchor.model import hash32
from anchor.status import StatusPurpose
from anchor.verify import STEP_NAMES
from tests.docs.documents import ROOT

SPEC = ROOT / "docs" / "spec"
PAGE = (SPEC / "anchor-proof.md").read_text()
HISTORY = (SPEC / "history.md").read_text()
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]


def value(name: str, page: str = PAGE) -> bytes:
    rows = dict(re.findall(r"^\| ([^|`]+?) \| `([0-9a-f]+)` \|$", page, re.MULTILINE))
    return bytes.fromhex(rows[name])


def test_example_hashes_by_hand_to_the_values_on_the_page() -> None:
    content = {name: member for name, member in json.loads(EXAMPLE).items() if name != "proof"}
    assert sha256(rfc8785.dumps(content)).digest() == value("SHA-256 of the canonical bytes")
    index = int(content["credentialStatus"][0]["statusListIndex"]).to_bytes(4, "big")
    preimage = b"\x00" + value("salt") + bytes(4) + index + value("SHA-256 of the canonical bytes")
    assert len(preimage) == 73
    assert sha256(preimage).digest() == value("leaf")
    node = sha256(value("sibling 0, on the left") + value("leaf")).digest()
    assert sha256(node + value("sibling 1, on the right")).digest() == value("root")


def test_example_verifies_as_far_as_the_page_goes() -> None:
    credential = parse_credential(EXAMPLE.encode())
    (request,) = credential.requests
    check_inclusion(credential.leaf(request), request.proof.inclusion, request.proof.root)
    assert request.proof.root == value("root")


@pytest.mark.parametrize("number", ["1,048,576", "64 deep", "131,072", "2,048"])
def test_limits_on_the_page_are_those_of_the_code(number: str) -> None:
    from anchor.canonical import MAX_DEPTH, MAX_DOCUMENT_BYTES
    from anchor.proof import MAX_PROOF_VALUE_CHARACTERS
    from anchor.status import LIST_SIZE

    limits = {MAX_DOCUMENT_BYTES, MAX_DEPTH, LIST_SIZE, MAX_PROOF_VALUE_CHARACTERS}
    assert int(number.replace(",", "").split()[0]) in limits
    assert number in PAGE


def test_example_of_heads_hashes_by_hand_to_the_values_on_the_page() -> None:
    registry = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
    first = keccak(encode(["string", "uint256", "address", "uint32"], ["credanchor/head/v1", 31337, registry, 1]))
    assert first == value("first head of issuer 1", HISTORY)
    tag = "credanchor/registry-head/v1"
    first_of_all = keccak(encode(["string", "uint256", "address"], [tag, 31337, registry]))
    assert first_of_all == value("first registry-wide head", HISTORY)
    did = "did:web:college.example"
    assert keccak(did.encode()) == value("didHash of did:web:college.example", HISTORY)
    event_hash = keccak(
        encode(
            ["bytes32", "uint32", "bytes32", "string", "address", "address", "uint40"],
            [
                value("topic0 of IssuerAccredited", HISTORY),
                1,
                keccak(did.encode()),
                did,
                "0x" + value("controller", HISTORY).hex(),
                "0x" + value("actor", HISTORY).hex(),
                int.from_bytes(value("at, 1790000020", HISTORY), "big"),
            ],
        )
    )
    assert event_hash == value("event hash", HISTORY)
    assert keccak(first + event_hash) == value("head of issuer 1 after it", HISTORY)
    assert keccak(first_of_all + event_hash) == value("registry-wide head after it", HISTORY)


def test_storage_on_the_page_is_that_of_the_compiler() -> None:
    layout = json.loads((ROOT / "contracts" / "snapshots" / "storage-layout.json").read_text())
    told = {int(slot) for slot in re.findall(r"^\| (\d+)(?:–\d+)? \| ", HISTORY, re.MULTILINE)} | {1, 2, 3}
    assert told == {variable["slot"] for variable in layout["variables"].values()}


def test_slots_that_evidence_asks_for_are_those_of_the_compiler() -> None:
    layout = json.loads((ROOT / "contracts" / "snapshots" / "storage-layout.json").read_text())["variables"]

    def entry(base: bytes, key: int | bytes) -> bytes:
        return keccak((key.to_bytes(32, "big") if isinstance(key, int) else key.rjust(32, b"\x00")) + base)

    def slot(name: str) -> bytes:
        return int(layout[name]["slot"]).to_bytes(32, "big")

    root, key = hash32(b"r" * 32), b"k" * 20
    issuer = entry(slot("issuers"), 7)
    assert evidence.issuer_slot(7) == issuer
    assert evidence.did_hash_slot(7) == (int.from_bytes(issuer, "big") + 1).to_bytes(32, "big")
    assert evidence.head_slot(7) == (int.from_bytes(issuer, "big") + 2).to_bytes(32, "big")
    assert evidence.key_slot(key) == entry(slot("keys"), key)
    assert evidence.batch_slot(7, root) == entry(entry(slot("batches"), 7), root)
    assert slot("issuerCount") == evidence.ISSUER_COUNT_SLOT
    assert slot("registryHead") == evidence.REGISTRY_HEAD_SLOT
    for purpose, name in ((StatusPurpose.REVOCATION, "revoked"), (StatusPurpose.SUSPENSION, "suspended")):
        word = entry(entry(entry(entry(slot(name), 7), 1), 2), 3)
        assert evidence.word_slot(purpose, 7, 1, 2, 3) == word


def test_events_on_the_page_are_those_of_the_contract() -> None:
    heads = {"CredentialsRevoked", "IssuerAccredited", "KeyAdded", "BatchAnchored"}
    heads |= {"CredentialsSuspended", "CredentialsReinstated"}
    declared = {entry["name"]: entry["inputs"] for entry in contract_build().abi if entry["type"] == "event"}
    assert heads == {name for name, inputs in declared.items() if any(each["name"] == "head" for each in inputs)}
    for name in heads:
        (line,) = [line for line in HISTORY.splitlines() if line.startswith("| `") and f"`{name}`" in line]
        written = ", ".join(
            f"{each['type']} {'indexed ' if each['indexed'] else ''}{each['name']}" for each in declared[name]
        )
        assert f"| `{written}` |" in line


def test_steps_on_the_page_are_those_of_the_code() -> None:
    page = (SPEC / "verification.md").read_text()
    assert tuple(re.findall(r"^\d+\. \*\*(\w+)\.\*\*", page, re.MULTILINE)) == STEP_NAMES
    told = set(re.findall(r"\(`([a-zA-Z]+)`(?:, `([a-zA-Z]+)`)?\)", page))
    reasons = {each for pair in told for each in pair if each}
    known = {kind.reason for kind in subclasses(VerificationError) | subclasses(UndeterminedError)}
    assert reasons == known


def subclasses(root: type[Any]) -> set[type[Any]]:
    return {each for kind in root.__subclasses__() for each in {kind} | subclasses(kind)}
