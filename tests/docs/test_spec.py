"""The specification's worked example is recomputed from the page itself."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
import rfc8785

from anchor.credential import parse_credential
from anchor.errors import UndeterminedError, VerificationError
from anchor.merkle import check_inclusion
from anchor.steps import STEP_NAMES
from tests.docs.documents import ROOT

SPEC = ROOT / "docs" / "spec"
PAGE = (SPEC / "anchor-proof.md").read_text()
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]


def value(name: str) -> bytes:
    rows = dict(re.findall(r"^\| ([^|`]+?) \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE))
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


def test_steps_on_the_page_are_those_of_the_code() -> None:
    page = (SPEC / "verification.md").read_text()
    assert tuple(re.findall(r"^\d+\. \*\*(\w+)\.\*\*", page, re.MULTILINE)) == STEP_NAMES
    told = set(re.findall(r"\(`([a-zA-Z]+)`(?:, `([a-zA-Z]+)`)?\)", page))
    reasons = {each for pair in told for each in pair if each}
    known = {kind.reason for kind in subclasses(VerificationError) | subclasses(UndeterminedError)}
    assert reasons == known


def subclasses(root: type[Any]) -> set[type[Any]]:
    return {each for kind in root.__subclasses__() for each in {kind} | subclasses(kind)}
