"""The page on events and heads: its example is recomputed from the page alone; its tables are the contract's."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_hash.auto import keccak

from anchor import evidence
from anchor.ledger.abi import contract_build
from anchor.model import hash32
from anchor.replay import MAX_DID_BYTES
from anchor.replay_issuer import MAX_CANCELLED_NONCES
from anchor.status import LIST_SIZE, StatusPurpose, StatusReason
from tests.docs.documents import ROOT
from tests.support.world import pack

PAGE = (ROOT / "docs" / "spec" / "history.md").read_text("utf-8")
HEADS = json.loads((ROOT / "tests" / "vectors" / "heads.json").read_text("utf-8"))
REGISTRY = re.findall(r"`eip155:31337:(0x[0-9a-f]{40})`", PAGE)[0]
EXAMPLE_EVENTS = 6


def value(name: str) -> bytes:
    rows = dict(re.findall(r"^\| ([^|`]+?) \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE))
    return bytes.fromhex(rows[name])


def parsed(kind: str, text: str) -> Any:
    if kind == "bytes32":
        return bytes.fromhex(text[2:])
    if kind == "bool":
        return {"true": True, "false": False}[text]
    return text if kind in {"address", "string"} else int(text)


@dataclass(frozen=True)
class Shown:
    """One event of the example, as far as the page says."""

    name: str
    types: tuple[str, ...]
    fields: dict[str, Any]
    encoded: bytes


@cache
def example() -> tuple[Shown, ...]:
    shown = PAGE[: PAGE.index("### Storage after")]
    sections = re.split(r"^### \d+\. ", shown, flags=re.MULTILINE)[1:]
    events = []
    for section in sections:
        name = re.findall(r"^\| `(\w+)` \| \|$", section, re.MULTILINE)[0]
        rows = re.findall(r"^\| `(\w+) (\w+)` \| `(.+)` \|$", section, re.MULTILINE)
        (words,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
        assert all(len(word) == 64 for word in words.split())
        events.append(
            Shown(
                name=name,
                types=tuple(kind for kind, _, _ in rows),
                fields={field: parsed(kind, text) for kind, field, text in rows},
                encoded=bytes.fromhex("".join(words.split())),
            )
        )
    return tuple(events)


def declarations() -> dict[str, str]:
    """The parameters of each event, as the page's table has them."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `([^`]+ registryHead|[^`]+ head)` \|$", PAGE, re.MULTILINE)
    return {name: declared for names, declared in rows for name in re.findall(r"`(\w+)`", names)}


def registry_head() -> bytes:
    return keccak(encode(["string", "uint256", "address"], ["credanchor/registry-head/v1", 31337, REGISTRY]))


def issuer_head() -> bytes:
    values = ["credanchor/head/v1", 31337, REGISTRY, 1]
    return keccak(encode(["string", "uint256", "address", "uint32"], values))


def test_example_of_events_hashes_by_hand_to_the_values_on_the_page() -> None:
    heads = {"registry": registry_head(), "issuer": issuer_head()}
    assert heads["registry"] == value("first registry-wide head")
    assert heads["issuer"] == value("first head of issuer 1")
    assert len(example()) == EXAMPLE_EVENTS
    for number, event in enumerate(example(), start=1):
        declared = declarations()[event.name]
        types = ",".join(each.split()[0] for each in declared.split(", "))
        topic = keccak(f"{event.name}({types})".encode())
        assert encode(["bytes32", *event.types], [topic, *event.fields.values()]) == event.encoded
        event_hash = keccak(event.encoded)
        assert event_hash == value(f"event hash {number}")
        if " head" in declared:
            heads["issuer"] = keccak(heads["issuer"] + event_hash)
            assert heads["issuer"] == value(f"head of issuer 1 after event {number}")
        if " registryHead" in declared:
            heads["registry"] = keccak(heads["registry"] + event_hash)
            assert heads["registry"] == value(f"registry-wide head after event {number}")


def test_example_is_the_beginning_of_the_recorded_history() -> None:
    told = HEADS["events"][:EXAMPLE_EVENTS]
    assert [(each["name"], bytes.fromhex(each["encoded"][2:])) for each in told] == [
        (event.name, event.encoded) for event in example()
    ]
    slots = {each["slot"][2:]: each["value"][2:] for each in HEADS["storage"]}
    assert slots == {slot: content for _, slot, content in storage_rows()}


def storage_rows() -> list[tuple[int, str, str]]:
    rows = re.findall(r"^\| (\d+): [^|]+ \| `([0-9a-f]{64})` \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE)
    return [(int(number), slot, content) for number, slot, content in rows]


def entry(slot: int | bytes, *keys: int | bytes | str) -> bytes:
    at = slot.to_bytes(32, "big") if isinstance(slot, int) else slot
    for key in keys:
        raw = bytes.fromhex(key[2:]) if isinstance(key, str) else key
        at = keccak((raw.to_bytes(32, "big") if isinstance(raw, int) else raw.rjust(32, b"\x00")) + at)
    return at


def after(slot: bytes, offset: int) -> bytes:
    return (int.from_bytes(slot, "big") + offset).to_bytes(32, "big")


def test_example_of_storage_follows_by_hand_from_its_events() -> None:
    admin, accreditor, accredited, key, batch, withdrawal = (event.fields for event in example())
    issuer = entry(4, 1)
    expected = {
        bytes(32): int.from_bytes(value("registry-wide head after event 6"), "big"),
        entry(entry(1, accreditor["role"]), accreditor["account"]): 1,
        (3).to_bytes(32, "big"): int(admin["account"], 16),
        issuer: pack(
            (int(accredited["controller"], 16), 160), (accredited["at"], 40), (withdrawal["withdrawnAt"], 40), (0, 16)
        ),
        after(issuer, 1): int.from_bytes(keccak(accredited["did"].encode()), "big"),
        after(issuer, 2): int.from_bytes(value("head of issuer 1 after event 6"), "big"),
        entry(5, accredited["didHash"]): 1,
        (6).to_bytes(32, "big"): 1,
        entry(7, 1): 0,
        entry(8, key["key"]): pack(
            (1, 32), (key["validFrom"], 40), (0, 40), (0, 40), (key["scope"], 8), (key["statusEpoch"], 16)
        ),
        entry(9, key["key"]): 0,
        entry(10, 1, batch["root"]): pack(
            (int(batch["actor"], 16), 160), (batch["at"], 40), (batch["size"], 32), (0, 8), (0, 16)
        ),
        entry(11, 1, 0, 0, 0): 0,
        entry(12, 1, 0, 0, 0): 0,
    }
    assert {bytes.fromhex(slot): int(content, 16) for _, slot, content in storage_rows()} == expected
    assert {number for number, _, _ in storage_rows()} == set(range(13)) - {2}


def test_example_of_a_relayed_call_is_signed_as_the_page_says() -> None:
    (section,) = re.findall(r"^\| `Anchor` \| \|\n\|---\|---\|\n((?:\| .* \|\n)+)", PAGE, re.MULTILINE)
    rows = re.findall(r"^\| `(\w+) (\w+)` \| `(.+)` \|$", section, re.MULTILINE)
    (struct,) = [line.strip() for line in PAGE.splitlines() if line.startswith("    Anchor(")]
    assert f"Anchor({','.join(f'{kind} {name}' for kind, name, _ in rows)})" == struct
    domain_type = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    domain = keccak(
        encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [keccak(domain_type), keccak(b"credanchor"), keccak(b"1"), 31337, REGISTRY],
        )
    )
    assert domain == value("domain separator")
    values = [parsed(kind, text) for kind, _, text in rows]
    struct_hash = keccak(encode(["bytes32", *(kind for kind, _, _ in rows)], [keccak(struct.encode()), *values]))
    assert struct_hash == value("struct hash")
    digest = keccak(b"\x19\x01" + domain + struct_hash)
    assert digest == value("digest")
    signature = value("signature: r, s, v")
    signer = Account._recover_hash(digest, signature=signature)
    assert signer.lower() == values[0]
    # And the registry took it: there is such an event.
    taken = [each["values"][:4] for each in HEADS["events"] if each["name"] == "BatchAnchored"]
    assert [str(values[1]), "0x" + values[2].hex(), str(values[3]), values[0]] in taken


@pytest.mark.parametrize("source", ["ICredentialRegistry", "IRegistryEvents"])
def test_interface_and_page_agree_on_what_is_signed_and_hashed(source: str) -> None:
    text = (ROOT / "contracts" / "src" / "interfaces" / f"{source}.sol").read_text("utf-8")
    tags = set(re.findall(r"credanchor/[\w/-]+/v\d", text))
    assert all(tag in PAGE for tag in tags)
    for struct in re.findall(r"///     ((?:Anchor|Revoke|RevokeBatch)\([^)…]*\))", text):
        assert f"    {struct}\n" in PAGE


def test_structs_on_the_page_are_those_of_the_contract() -> None:
    parts = "".join(path.read_text("utf-8") for path in sorted((ROOT / "contracts" / "src" / "parts").glob("*.sol")))
    hashed = set(re.findall(r'"(\w+\(address key,[^"]+\)|KeyConsent\([^"]+\))"', parts))
    told = {line.strip() for line in PAGE.splitlines() if re.match(r"    [A-Z]\w+\(\w+ \w+,", line)}
    assert told == hashed
    assert len(told) == 6


def test_storage_on_the_page_is_that_of_the_compiler() -> None:
    layout = json.loads((ROOT / "contracts" / "snapshots" / "storage-layout.json").read_text())
    told = {int(slot) for slot in re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)}
    assert told == {variable["slot"] for variable in layout["variables"].values()}


def test_slots_that_evidence_asks_for_are_those_of_the_compiler() -> None:
    layout = json.loads((ROOT / "contracts" / "snapshots" / "storage-layout.json").read_text())["variables"]

    def slot(name: str) -> int:
        return int(layout[name]["slot"])

    root, key = hash32(b"r" * 32), b"k" * 20
    issuer = entry(slot("issuers"), 7)
    assert evidence.issuer_slot(7) == issuer
    assert evidence.did_hash_slot(7) == after(issuer, 1)
    assert evidence.head_slot(7) == after(issuer, 2)
    assert evidence.key_slot(key) == entry(slot("keys"), key)
    assert evidence.batch_slot(7, root) == entry(slot("batches"), 7, root)
    assert slot("issuerCount").to_bytes(32, "big") == evidence.ISSUER_COUNT_SLOT
    assert slot("registryHead").to_bytes(32, "big") == evidence.REGISTRY_HEAD_SLOT
    for purpose, name in ((StatusPurpose.REVOCATION, "revoked"), (StatusPurpose.SUSPENSION, "suspended")):
        assert evidence.word_slot(purpose, 7, 1, 2, 3) == entry(slot(name), 7, 1, 2, 3)


def test_events_on_the_page_are_those_of_the_contract() -> None:
    written = {
        declared["name"]: ", ".join(
            f"{each['type']} {'indexed ' if each['indexed'] else ''}{each['name']}" for each in declared["inputs"]
        )
        for declared in contract_build().abi
        if declared["type"] == "event"
    }
    heads = {name: text for name, text in written.items() if text.endswith((" head", " registryHead"))}
    assert declarations() == heads


def test_every_event_has_its_rule() -> None:
    rules = PAGE[PAGE.index("## When each may occur") : PAGE.index("### Status epochs")]
    named = re.findall(r"^\d+\. \*\*(.+?)\.\*\*", rules, re.MULTILINE)
    assert {name for each in named for name in re.findall(r"`(\w+)`", each)} == set(declarations())


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (MAX_DID_BYTES, "at\n   most 1,024 bytes"),
        (MAX_CANCELLED_NONCES, "1 to 1,024 more"),
        (LIST_SIZE, "131,072\nentries"),
        (LIST_SIZE // 256, "1 to 512 words"),
        (max(StatusReason).value, "reason is 1 to 7"),
    ],
)
def test_limits_on_the_page_are_those_of_the_code(limit: int, text: str) -> None:
    assert text in PAGE
    assert f"{limit:,}" in text
