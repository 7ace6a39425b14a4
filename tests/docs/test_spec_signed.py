"""Worked examples of receipts, trust lists and audit statements are recomputed from the pages: by hand, and read."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
import rfc8785

from anchor.audit_statement import MAX_STATEMENT_BYTES, Trouble, check_statement
from anchor.batch_steps import MAX_CLOCK_SKEW_SECONDS
from anchor.canonical import JsonObject
from anchor.receipt import MAX_RECEIPT_BYTES, check_receipt
from anchor.trust_list import check_trust_list
from tests.docs.documents import blocks, read
from tests.support.vectors import ed25519
from tests.support.vectors.signed import SEED

NAMES = ("receipt", "trust-list", "audit-statement")
RECEIPT, TRUST_LIST, STATEMENT = (read(f"docs/spec/{name}.md") for name in NAMES)
PAGES = pytest.mark.parametrize("page", [RECEIPT, TRUST_LIST, STATEMENT], ids=NAMES)


def example(page: str) -> JsonObject:
    content: JsonObject = json.loads(blocks(page, "json")[0])
    return content


def members(page: str, after: str) -> set[str]:
    """The names in the first column of the table that follows some words."""
    table = page.partition(after)[2].partition("\n\n|")[2].partition("\n\n")[0]
    rows = [row.split("|")[0 if place else 1] for place, row in enumerate(table.split("\n|"))]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def value(page: str, row: str) -> bytes:
    rows: dict[str, str] = dict(re.findall(r"^\| ([^|`]+?) \| `([0-9a-f]+)` \|$", page, re.MULTILINE))
    return bytes.fromhex(rows[row])


@PAGES
def test_example_is_signed_by_hand_as_the_page_says(page: str) -> None:
    document = example(page)
    proof: dict[str, Any] = document.pop("proof")
    written = proof.pop("proofValue")
    config, content = (sha256(rfc8785.dumps(each)).digest() for each in (proof, document))
    assert config == value(page, "SHA-256 of the canonical bytes of the proof config")
    assert content == value(page, "SHA-256 of the canonical bytes of the document")
    signature = ed25519.sign(SEED, config + content)
    assert signature == value(page, "signature, over these 64 bytes")
    assert written == ed25519.base58(signature)
    did = ed25519.did_key(value(page, "the signer's public key"))
    assert proof["verificationMethod"] == f"{did}#{did.removeprefix('did:key:')}"
    assert proof.keys() | {"proofValue"} == members(RECEIPT, "`proof` is one object, with exactly these members")


def test_example_receipt_is_read() -> None:
    document = example(RECEIPT)
    receipt = check_receipt(json.dumps(document).encode())
    assert [each.outcome for each in receipt.files] == ["valid", "malformed"]
    assert document.keys() == members(RECEIPT, "what is not said otherwise is text")
    assert document["blocks"][0].keys() == members(RECEIPT, "A block has exactly these members")
    assert document["files"][0].keys() == members(RECEIPT, "A file has exactly these members")
    assert f"{MAX_RECEIPT_BYTES:,} bytes" in RECEIPT


def test_example_trust_list_is_read() -> None:
    document = example(TRUST_LIST)
    assert check_trust_list(json.dumps(document).encode()).sequence == 7
    assert document.keys() == members(TRUST_LIST, "fraction or exponent")
    assert f"more than {MAX_CLOCK_SKEW_SECONDS} s in the future" in TRUST_LIST


def test_example_audit_statement_is_read() -> None:
    document = example(STATEMENT)
    statement = check_statement(json.dumps(document).encode())
    assert (statement.basis.block_number, len(statement.did_hashes)) == (9, 2)
    assert document.keys() == members(STATEMENT, "what is not said otherwise is text")
    assert f"at most {MAX_STATEMENT_BYTES:,} bytes" in STATEMENT
    named = set(re.findall(r"^\* `(\w+)`:", STATEMENT, re.MULTILINE))
    assert named == {each.value for each in Trouble}
