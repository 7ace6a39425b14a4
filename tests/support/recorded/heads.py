"""Events decoded from their logs, and the chains of hashes over them, by eth_abi alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_abi import abi
from eth_hash.auto import keccak

from anchor.ledger.abi import contract_build
from tests.support.recorded.story import CHAIN_ID

Json = dict[str, Any]

HEADS: Final = ("head", "registryHead")


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event, decoded from its log."""

    name: str
    declared: list[Json]
    values: list[object]
    """Without the heads."""
    logged: list[bytes]
    """The heads, as the contract says."""
    log: Json

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.declared if each["name"] not in HEADS]

    @property
    def heads(self) -> list[str]:
        return [each["name"] for each in self.declared if each["name"] in HEADS]

    @property
    def topic(self) -> bytes:
        return keccak(self.signature.encode())

    @property
    def signature(self) -> str:
        return f"{self.name}({','.join(each['type'] for each in self.declared)})"

    @property
    def issuer(self) -> int | None:
        return self.values[0] if self.declared[0]["name"] == "issuer" else None  # type: ignore[return-value]

    @property
    def encoded(self) -> bytes:
        return bytes(abi.encode(["bytes32", *self.types], [self.topic, *self.values]))

    def with_values(self, **changes: object) -> Told:
        """The same event, saying something else."""
        names = [each["name"] for each in self.declared]
        values = [changes.get(name, value) for name, value in zip(names, self.values, strict=False)]
        return replace(self, values=values)


def decode(logs: Sequence[Json]) -> list[Told]:
    """Decode those logs that extend a head."""
    forms = {}
    for entry in contract_build().abi:
        if entry["type"] == "event" and any(each["name"] in HEADS for each in entry["inputs"]):
            types = ",".join(each["type"] for each in entry["inputs"])
            forms["0x" + keccak(f"{entry['name']}({types})".encode()).hex()] = entry
    told = []
    for log in logs:
        form = forms.get(log["topics"][0])
        if form is None:
            continue
        indexed = [each["type"] for each in form["inputs"] if each["indexed"]]
        others = [each["type"] for each in form["inputs"] if not each["indexed"]]
        topics = b"".join(bytes.fromhex(topic[2:]) for topic in log["topics"][1:])
        values = [*abi.decode(indexed, topics), *abi.decode(others, bytes.fromhex(log["data"][2:]))]
        heads = sum(each["name"] in HEADS for each in form["inputs"])
        said, logged = values[: len(values) - heads], values[len(values) - heads :]
        told.append(Told(name=form["name"], declared=form["inputs"], values=said, logged=logged, log=log))
    return told


class Heads:
    """The chains of hashes over events, anew."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self.first_registry = self._first(["credanchor/registry-head/v1"], [])
        self.registry = self.first_registry
        self.issuers: dict[int, bytes] = {}

    def first(self, issuer: int) -> bytes:
        return self._first(["credanchor/head/v1"], [issuer])

    def _first(self, tag: list[object], issuer: list[object]) -> bytes:
        types = ["string", "uint256", "address", "uint32"][: 3 + len(issuer)]
        return keccak(abi.encode(types, [*tag, CHAIN_ID, self._registry, *issuer]))

    def take(self, event: Told) -> dict[str, tuple[bytes, bytes]]:
        """Extend the heads by an event; give those before and after."""
        event_hash, moved = keccak(event.encoded), {}
        if event.issuer is not None:
            before = self.issuers.get(event.issuer, self.first(event.issuer))
            self.issuers[event.issuer] = keccak(before + event_hash)
            moved["head"] = (before, self.issuers[event.issuer])
        if "registryHead" in event.heads:
            before, self.registry = self.registry, keccak(self.registry + event_hash)
            moved["registryHead"] = (before, self.registry)
        return moved

    def state(self) -> Json:
        heads = {str(issuer): to_hex(head) for issuer, head in sorted(self.issuers.items())}
        return {"issuerCount": len(heads), "registryHead": to_hex(self.registry), "heads": heads}


def to_hex(value: bytes) -> str:
    return "0x" + value.hex()
