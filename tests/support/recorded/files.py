"""The files: their contents, as recorded, and how to tell whether those kept are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from tests.support.recorded.false_histories import false_histories
from tests.support.recorded.heads import HEADS, Heads, Told, decode, to_hex
from tests.support.recorded.story import (
    ACCREDITOR,
    ACCREDITOR_ROLE,
    ANCHOR_KEY,
    CHAIN_ID,
    Recorder,
    anvil,
    play,
    root_of,
)

Json = dict[str, Any]

FOLDER: Final = Path(__file__).parents[2] / "vectors"

EXAMPLE_EVENTS: Final = 6
"""How many events, from the first, make up the worked example of docs/spec/history.md."""


def record() -> dict[str, Json]:
    """Play the history and give the files' contents by their names."""
    with anvil() as url:
        chain = Recorder(url)
        play(chain)
        logs = [_plain(log) for log in chain.request("eth_getLogs", {"address": chain.registry, "fromBlock": "0x0"})]
        told = decode(logs)
        heads = Heads(chain.registry)
        events = [_event(event, heads.take(event)) for event in told]
        state = heads.state()
        assert state["registryHead"] == chain.storage(bytes(32), chain.web3.eth.block_number)
        registry = f"eip155:{CHAIN_ID}:{chain.registry.lower()}"
        block = chain.web3.eth.get_block("latest")
        history = {
            "comment": "A registry's complete history: all its logs (JSON-RPC) up to a block, and its state there.",
            "source": "see SOURCES.md",
            "registry": registry,
            "logs": logs,
            "blockHash": to_hex(bytes(block["hash"])),
            **state,
        }
        example_block = int(told[EXAMPLE_EVENTS - 1].log["blockNumber"], 16)
        content = {
            "comment": "The history of history.json event by event, what the first six led to, and false histories.",
            "source": "see SOURCES.md",
            "registry": registry,
            "firstRegistryHead": to_hex(heads.first_registry),
            "firstHeads": [{"issuer": issuer, "head": to_hex(heads.first(issuer))} for issuer in sorted(heads.issuers)],
            "events": events,
            "storage": [
                {"name": name, "slot": to_hex(slot), "value": chain.storage(slot, example_block)}
                for name, slot in example_slots(chain).items()
            ],
            "invalid": false_histories(told, chain.registry),
        }
    return {"history.json": history, "heads.json": content}


def entry(slot: int | bytes, *keys: int | bytes | str) -> bytes:
    """Slot of a mapping's entry."""
    at = slot.to_bytes(32, "big") if isinstance(slot, int) else slot
    for key in keys:
        if isinstance(key, int):
            raw = key.to_bytes(32, "big")
        else:
            raw = (bytes.fromhex(key[2:]) if isinstance(key, str) else key).rjust(32, b"\x00")
        at = keccak(raw + at)
    return at


def after(slot: bytes, count: int) -> bytes:
    return (int.from_bytes(slot, "big") + count).to_bytes(32, "big")


def example_slots(chain: Recorder) -> dict[str, bytes]:
    """The slots that the worked example shows, after its last event."""
    issuer = entry(4, 1)
    return {
        "registry-wide head": bytes(32),
        "accreditor has its role": entry(entry(1, ACCREDITOR_ROLE), chain.address(ACCREDITOR)),
        "admin": (3).to_bytes(32, "big"),
        "issuer 1": issuer,
        "its DID's hash": after(issuer, 1),
        "its head": after(issuer, 2),
        "issuer of the DID": entry(5, keccak(b"did:web:college.example")),
        "issuer count": (6).to_bytes(32, "big"),
        "what comes next for issuer 1": entry(7, 1),
        "key": entry(8, chain.address(ANCHOR_KEY)),
        "nonce of the key": entry(9, chain.address(ANCHOR_KEY)),
        "batch": entry(10, 1, root_of(1)),
        "revoked, word 0 of list 0": entry(11, 1, 0, 0, 0),
        "suspended, word 0 of list 0": entry(12, 1, 0, 0, 0),
    }


def _event(event: Told, moved: dict[str, tuple[bytes, bytes]]) -> Json:
    indexed = [each["type"] for each in event.declared if each["indexed"]]
    content: Json = {
        "name": event.name,
        "signature": event.signature,
        "topic0": to_hex(event.topic),
        "indexed": indexed,
        "data": event.types[len(indexed) :],
        "values": [_text(value) for value in event.values],
        "encoded": to_hex(event.encoded),
        "eventHash": to_hex(keccak(event.encoded)),
        "issuer": event.issuer,
    }
    for name in HEADS:
        before, behind = moved.get(name, (None, None))
        content[f"{name}Before"] = None if before is None else to_hex(before)
        content[f"{name}After"] = None if behind is None else to_hex(behind)
    assert event.logged == [behind for _, behind in moved.values()], "the contract's heads are others"
    return content


def _text(value: object) -> Any:
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, tuple | list):
        return [_text(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(log: Any) -> Json:
    members = ("address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex")
    return {name: log[name] for name in members}


def same_but_for_hashes(one: Json, other: Json) -> bool:
    """Compare two recordings. Hashes of blocks and transactions depend on the compiled code, heads do not."""
    return bool(_without_hashes(one) == _without_hashes(other))


def _without_hashes(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = {"blockHash", "transactionHash"}
        return {name: _without_hashes(member) for name, member in value.items() if name not in dropped}
    return [_without_hashes(each) for each in value] if isinstance(value, list) else value


def read(name: str) -> Json:
    content: Json = json.loads((FOLDER / name).read_text("utf-8"))
    return content


def text_of(content: Json) -> str:
    """Write a file: ASCII, each element of a top-level list on a line of its own."""
    members = []
    for name, member in content.items():
        if isinstance(member, list):
            lines = ",\n".join(f"  {json.dumps(each, separators=(',', ':'))}" for each in member)
            members.append(f" {json.dumps(name)}: [\n{lines}\n ]")
        else:
            members.append(f" {json.dumps(name)}: {json.dumps(member)}")
    return "{\n" + ",\n".join(members) + "\n}\n"
