"""What a lie is made from, the list of all kinds of it, and what they share."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from anchor.model import RegistryId
from tests.lies.forging import ForgedState, to_hex, unhex
from tests.lies.node import Json, Lie, RealNode
from tests.lies.story import CONFIRMATIONS, Situation, Story


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the liar knows: everything. Its choices come from `random`."""

    story: Story
    situation: Situation
    confirmations: int | None
    """What the policy takes for final."""
    random: random.Random
    real: RealNode
    invented: RealNode
    """Another chain, on which other things are so."""
    invented_number: int
    """Its newest block."""

    @property
    def registry(self) -> RegistryId:
        """The registry that the credential names."""
        return self.situation.credential.requests[0].proof.registry

    def block(self, number: int) -> Json:
        """Give a block of the true chain."""
        found: Json = self.real("eth_getBlockByNumber", hex(number), False)
        return found

    def proof(self, number: int, slots: Sequence[bytes], registry: RegistryId | None = None) -> Json:
        """Give the true proof of slots at a block."""
        address = to_hex((registry or self.registry).address)
        at = {"blockHash": self.block(number)["hash"]}
        found: Json = self.real("eth_getProof", address, [to_hex(slot) for slot in slots], at)
        return found

    def forged(self, values: dict[bytes, int]) -> ForgedState:
        """Forge a state in which slots have other values."""
        slots = sorted({*self.situation.slots.values(), *values})
        state = ForgedState(self.proof(self.story.latest, slots), self.registry.address)
        for slot, value in values.items():
            state.set_slot(slot, value)
        return state

    def fact_of(self, entry: Json) -> str:
        """Name the fact that an entry of a proof is about."""
        slot = slot_of(entry)
        return next((fact for fact, place in self.situation.slots.items() if place == slot), "other")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of lie."""

    name: str
    make: Callable[[Scene], Lie]
    situations: tuple[str, ...] = ()
    """Those in which it can be told; none: in all."""
    only_proofs: bool = False
    """Only proofs are wrong, and another node has the right ones."""


class Bringing(Enum):
    """How evidence comes to who knows a block's hash beforehand."""

    ASKED = "the liar is asked for it"
    AS_IT_IS = "it comes in a bundle, of whatever block"
    FOR_THE_KNOWN_HASH = "the liar writes a bundle, as if it were of the block that is known"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One lie in one situation; the same seed tells the same lie."""

    kind: Kind
    situation: str
    seed: int
    position: int
    """Of the liar among three nodes."""

    @property
    def confirmations(self) -> int | None:
        """What the policy takes for final: that changes from case to case too."""
        return None if self.seed % 2 else CONFIRMATIONS

    @property
    def lag(self) -> int:
        """How many blocks an honest node may be behind."""
        return self.seed // 4 % 4

    @property
    def brings(self) -> Bringing:
        """How evidence comes to who knows the hash."""
        return list(Bringing)[self.seed % 3]


KINDS: Final[dict[str, Kind]] = {}


def kind(
    name: str, *situations: str, only_proofs: bool = False
) -> Callable[[Callable[[Scene], Lie]], Callable[[Scene], Lie]]:
    """Enter a function into the list of kinds."""

    def enter(make: Callable[[Scene], Lie]) -> Callable[[Scene], Lie]:
        assert name not in KINDS
        KINDS[name] = Kind(name=name, make=make, situations=situations, only_proofs=only_proofs)
        return make

    return enter


def slot_of(entry: Json) -> bytes:
    """Read the slot of an entry of `storageProof`."""
    return unhex(entry["key"]).rjust(32, b"\x00")


def on_proofs(change: Callable[[Json], Any]) -> Callable[[str, list[Any], Any], Any]:
    """Change answers to `eth_getProof`."""
    return lambda method, _params, result: change(result) if method == "eth_getProof" else result


def on_entries(change: Callable[[Json], Json]) -> Callable[[str, list[Any], Any], Any]:
    """Change each slot's part of answers to `eth_getProof`."""
    return on_proofs(lambda result: {**result, "storageProof": [change(entry) for entry in result["storageProof"]]})


def on_blocks(change: Callable[[Json], Any]) -> Callable[[str, list[Any], Any], Any]:
    """Change blocks."""
    return lambda method, _params, result: change(result) if method.startswith("eth_getBlockBy") and result else result


def both(
    first: Callable[[str, list[Any], Any], Any], second: Callable[[str, list[Any], Any], Any]
) -> Callable[[str, list[Any], Any], Any]:
    """Do one after the other."""
    return lambda method, params, result: second(method, params, first(method, params, result))
