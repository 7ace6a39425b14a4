"""The specification's worked example is recomputed from the page itself."""

import json
import re
from hashlib import sha256

import pytest
import rfc8785

from anchor.credential import parse_credential
from anchor.merkle import check_inclusion
from tests.docs.documents import ROOT

PAGE = (ROOT / "docs" / "spec" / "anchor-proof.md").read_text()
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
ROWS = {row[0]: row[1] for row in re.findall(r"^\| ([^|`]+?) \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE)}


def value(name: str) -> bytes:
    return bytes.fromhex(ROWS[name])


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
