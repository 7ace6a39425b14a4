"""Lies about blocks: fields of headers, which block is the newest or final, which chain it is, and whole other chains.

Those that only what vouches for the block can tell (an old block, another chain) say what they make true: `Told`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.lies.about_facts import forged_proofs, values_that_make_it_valid
from tests.lies.forging import HEADER_FIELDS, QUANTITIES, to_hex, unhex, with_own_hash
from tests.lies.kinds import Scene, kind, on_blocks
from tests.lies.node import Json, Lie, Told
from tests.lies.story import (
    EXPIRED,
    MAX_ABSENCE_AGE,
    MAX_AGE,
    NOT_ANCHORED,
    PENDING,
    REVOKED,
    VALID,
    Truth,
)

_FUTURE_FIELDS: Final = {"blockAccessListHash": "0x" + "ab" * 32, "slotNumber": "0x7"}
"""Of the fork after the one that the chain has."""


# Fields of headers, under the hash that the block really has.


def _wrong_field(scene: Scene, name: str) -> Lie:
    value = _other_content(scene, name)
    only_final = scene.random.random() < 0.3
    newest = hex(scene.story.latest)

    def change(block: Json) -> Json:
        if only_final and block["number"] == newest:
            return block
        return {**block, name: value}

    return Lie(result=on_blocks(change), touches=frozenset({"final"}) if only_final else None)


def _other_content(scene: Scene, name: str) -> str:
    story, honest = scene.story, scene.block(scene.story.latest)[name]
    other: str = scene.block(scene.random.randrange(story.latest))[name]
    if name in QUANTITIES:
        number = int(honest, 16)
        choices = [number + 1, number + 10**6, max(number - 1, 0), 0, 2**64, 2**256 - 1, int(other, 16)]
        return hex(scene.random.choice([each for each in choices if each != number]))
    flipped = bytearray(unhex(honest) or b"\x00")
    flipped[scene.random.randrange(len(flipped))] ^= 1 << scene.random.randrange(8)
    return scene.random.choice([other, to_hex(bytes(flipped))]) if other != honest else to_hex(bytes(flipped))


@kind("header: state root")
def _state_root(scene: Scene) -> Lie:
    return _wrong_field(scene, "stateRoot")


@kind("header: number")
def _number(scene: Scene) -> Lie:
    return _wrong_field(scene, "number")


@kind("header: time")
def _time(scene: Scene) -> Lie:
    return _wrong_field(scene, "timestamp")


@kind("header: each other field")
def _field(scene: Scene) -> Lie:
    return _wrong_field(scene, scene.random.choice(sorted({*HEADER_FIELDS} - {"stateRoot", "number", "timestamp"})))


@kind("header: field left out")
def _left_out(scene: Scene) -> Lie:
    name, null = scene.random.choice(HEADER_FIELDS), scene.random.random() < 0.5

    def change(block: Json) -> Json:
        return {**block, name: None} if null else {key: value for key, value in block.items() if key != name}

    return Lie(result=on_blocks(change))


@kind("header: field of a fork to come")
def _later_fork(scene: Scene) -> Lie:
    """A header with one field more has another hash; so has one with a field that nobody here knows."""
    name = scene.random.choice(list(_FUTURE_FIELDS))
    return Lie(result=on_blocks(lambda block: {**block, name: _FUTURE_FIELDS[name]}))


@kind("header: members that are no fields")
def _no_fields(scene: Scene) -> Lie:
    """What is not hashed is not looked at."""
    names = ["size", "uncles", "transactions", "totalDifficulty", "withdrawals", "l1BlockNumber", "sendRoot", "fork"]
    oddities: list[Any] = [None, "0x0", [], {}, 7, "x" * 100, [[[]]]]
    lies = {name: scene.random.choice(oddities) for name in names}
    return Lie(result=on_blocks(lambda block: {**block, **lies}), touches=frozenset())


@kind("header: hash of another block")
def _hash_of_another(scene: Scene) -> Lie:
    number = scene.random.randrange(scene.story.latest)
    other = scene.random.choice([scene.block(number)["hash"], "0x" + "00" * 32, to_hex(scene.random.randbytes(32))])
    return Lie(result=on_blocks(lambda block: {**block, "hash": other}))


@kind("header: altered, with its own hash")
def _own_hash(scene: Scene) -> Lie:
    """A block of the liar's own. A single node named can do that; the state root is true, and what follows from it."""
    name = scene.random.choice(HEADER_FIELDS)
    if name == "stateRoot":
        name = "timestamp"
    # Who names the newest block's number names how many are on top of others.
    counted = name == "number" and scene.situation.truth == PENDING and scene.confirmations is not None
    told = Told(truths=frozenset({VALID})) if counted else None
    return _another_newest(scene, {name: _other_content(scene, name)}, told)


@kind("header: final one altered, with its own hash")
def _own_final(scene: Scene) -> Lie:
    """A final block of the liar's own, earlier or later than the true one."""
    newest, by = scene.story.latest, scene.random.choice([1, 12, 600, 1000, 10**5])
    name, sign = scene.random.choice(["timestamp", "number"]), scene.random.choice([1, -1])

    def change(block: Json) -> Json:
        if block["number"] == hex(newest):
            return block
        return with_own_hash({**block, name: hex(max(int(block[name], 16) + sign * by, 0))})

    told = Told(truths=frozenset({VALID})) if scene.situation.truth == PENDING else None
    return Lie(result=on_blocks(change), touches=frozenset({"final"}), told=told)


@kind("header: in the future, with its own hash")
def _in_the_future(scene: Scene) -> Lie:
    """A block of a time to come, to make valid today what is valid then."""
    ahead = scene.random.choice([61, 3600, 10**6, 10**8, 2**40, 2**63])
    return _another_newest(scene, {"timestamp": hex(scene.story.now + ahead)})


def _another_newest(scene: Scene, changes: Json, told: Told | None = None) -> Lie:
    """Change the newest block and give it the hash that it then has."""
    newest = scene.block(scene.story.latest)
    forged = with_own_hash({**newest, **changes})
    return Lie(
        result=on_blocks(lambda block: forged if block["hash"] == newest["hash"] else block),
        ask=_asking_about(forged["hash"], newest["hash"]),
        told=told,
    )


def _asking_about(forged_hash: str, real_hash: str) -> Callable[[str, list[Any]], list[Any]]:
    """Ask the real node about a block that it has."""

    def ask(method: str, params: list[Any]) -> list[Any]:
        if method == "eth_getBlockByHash":
            return [real_hash if params[0] == forged_hash else params[0], *params[1:]]
        return [*params[:-1], {"blockHash": real_hash}] if params[-1:] == [{"blockHash": forged_hash}] else params

    return ask


# Which block.


def _instead_of_newest(scene: Scene, number: int) -> Lie:
    """Give an old block, authentic in all, for the newest; and now and then for the final one as well."""
    story, situation = scene.story, scene.situation
    final_too = scene.random.random() < 0.5
    age = story.now - int(scene.block(number)["timestamp"], 16)

    def ask(method: str, params: list[Any]) -> list[Any]:
        if method != "eth_getBlockByNumber":
            return params
        is_final = params[0] == "finalized"
        return [hex(number), *params[1:]] if params[0] == "latest" or (is_final and final_too) else params

    then: set[Truth] = {situation.truth_at(number)}
    if PENDING in then:
        then.add(VALID)
    if situation.truth == EXPIRED:
        then.add(EXPIRED)
    # What is lacking in a block of minutes ago may have come since.
    if age > MAX_ABSENCE_AGE:
        then.discard(NOT_ANCHORED)
    told = Told(truths=frozenset(then), block=number) if age <= MAX_AGE else None
    return Lie(ask=ask, told=told)


@kind("block tag: another block for the newest")
def _another_block(scene: Scene) -> Lie:
    story = scene.story
    near = scene.random.randrange(story.marks["lately suspended"], story.latest)
    return _instead_of_newest(scene, scene.random.choice([near, near, scene.random.randrange(story.latest)]))


def _just_before(scene: Scene) -> Lie:
    """Give the last block before what is true now, or one of the blocks before it."""
    first, _ = scene.situation.truths[-1]
    back = scene.random.choice([1, 1, 1, 2, 3])
    return _instead_of_newest(scene, max(first - back, 0))


@kind(
    "old block: before the anchoring",
    "valid",
    "compromised after",
    "withdrawn after",
    "issued by another",
    "wrong size",
    "lately anchored",
    "pending",
)
def _before_the_anchoring(scene: Scene) -> Lie:
    return _just_before(scene)


@kind(
    "old block: before the revocation",
    "revoked",
    "suspended",
    "batch revoked",
    "justly revoked",
    "lately revoked",
    "compromised before",
)
def _before_the_revocation(scene: Scene) -> Lie:
    return _just_before(scene)


@kind("old block: during a suspension since lifted", "reinstated", "lately reinstated", "unjustly revoked")
def _during_the_suspension(scene: Scene) -> Lie:
    return _just_before(scene)


@kind("block tag: final too new")
def _final_too_new(scene: Scene) -> Lie:
    """Take the newest for final; for who asks by number, give a newer block than asked for."""
    newest, by_number = hex(scene.story.latest), scene.random.random() < 0.5

    def ask(method: str, params: list[Any]) -> list[Any]:
        if method != "eth_getBlockByNumber" or params[0] == "latest":
            return params
        return [newest, *params[1:]] if params[0] == "finalized" or by_number else params

    # What is final by number is counted, not told.
    told = scene.situation.truth == PENDING and scene.confirmations is None
    return Lie(ask=ask, touches=frozenset({"final"}), told=Told(truths=frozenset({VALID})) if told else None)


@kind("block tag: final too old")
def _final_too_old(scene: Scene) -> Lie:
    number = scene.random.choice([0, 0, scene.random.randrange(scene.story.latest - 70)])

    def ask(method: str, params: list[Any]) -> list[Any]:
        newest = method != "eth_getBlockByNumber" or params[0] in {"latest", hex(scene.story.latest)}
        return params if newest else [hex(number), *params[1:]]

    return Lie(ask=ask, touches=frozenset({"final"}))


@kind("block tag: final absent")
def _final_absent(scene: Scene) -> Lie:
    error = scene.random.choice([None, {"code": -39001, "message": "finalized block not found"}])
    newest = {"latest", hex(scene.story.latest)}

    def response(method: str, params: list[Any], response: Json) -> Any:
        if method != "eth_getBlockByNumber" or params[0] in newest:
            return response
        head = {"jsonrpc": "2.0", "id": response["id"]}
        return {**head, "result": None} if error is None else {**head, "error": error}

    return Lie(response=response, touches=frozenset({"final"}))


def lagging(scene: Scene, blocks: int) -> Lie:
    """No lie, but an honest node that has not heard of the newest blocks."""
    newest = scene.story.latest - blocks
    unknown = {scene.block(number)["hash"] for number in range(newest + 1, scene.story.latest + 1)}
    final = int(scene.real("eth_getBlockByNumber", "finalized", False)["number"], 16) - blocks

    def ask(method: str, params: list[Any]) -> list[Any]:
        tags = {"latest": hex(newest), "finalized": hex(final)}
        return [tags.get(params[0], params[0]), *params[1:]] if method == "eth_getBlockByNumber" else params

    def result(_method: str, _params: list[Any], result: Any) -> Any:
        is_new = isinstance(result, dict) and "stateRoot" in result and int(result["number"], 16) > newest
        return None if is_new else result

    def response(method: str, params: list[Any], response: Json) -> Any:
        if method != "eth_getProof" or params[-1]["blockHash"] not in unknown:
            return response
        return {"jsonrpc": "2.0", "id": response["id"], "error": {"code": -32000, "message": "header not found"}}

    return Lie(ask=ask, result=result, response=response)


# Which chain.


@kind("chain id")
def _chain_id(scene: Scene) -> Lie:
    others: list[Any] = ["0x1", "0x0", "0x7a6a", hex(2**256 - 1), "0x", "31337", 31337, None, [], {"id": 1}]
    told = scene.random.choice(others)
    return Lie(result=lambda method, _params, result: told if method == "eth_chainId" else result)


@kind("chain id: another chain with the same addresses", "valid", "forged", "revoked")
def _another_chain(scene: Scene) -> Lie:
    """Serve another chain, and say so: what is so there is not so here."""
    other = scene.random.choice(["0x1", "0x7a6a"])
    return Lie(real=scene.invented, result=lambda method, _params, result: other if method == "eth_chainId" else result)


_RECIPES: Final[dict[str, Truth]] = {
    "valid": REVOKED,
    "reinstated": NOT_ANCHORED,
    "unjustly revoked": REVOKED,
    "revoked": VALID,
    "suspended": VALID,
    "justly revoked": VALID,
    "batch revoked": VALID,
    "forged": VALID,
    "compromised before": VALID,
    "wrong size": VALID,
    "issued by another": VALID,
}
"""What the liar makes of each."""


@kind("invented: one block, all hashed anew", *_RECIPES)
def _invented_block(scene: Scene) -> Lie:
    """Forge the state and give the block the hash that follows: a block that only its inventor vouches for."""
    situation, newest = scene.situation, scene.block(scene.story.latest)
    wanted = _RECIPES[situation.name]
    values: dict[bytes, int]
    match wanted:
        case ("invalid", "revoked"):
            values = {situation.slots["revoked"]: 1 << situation.credential.requests[0].position.index}
        case ("invalid", _):
            values = {situation.slots["batch"]: 0}
        case _:
            values = values_that_make_it_valid(scene)
    state = scene.forged(values)
    block = state.block(newest)

    def blocks(method: str, params: list[Any], result: Any) -> Any:
        changed = block if isinstance(result, dict) and result.get("hash") == newest["hash"] else result
        return forged_proofs(state)(method, params, changed)

    return Lie(
        result=blocks,
        ask=_asking_about(block["hash"], newest["hash"]),
        told=Told(truths=frozenset({wanted}), block=scene.story.latest),
    )


INVENTED: Final[dict[str, Truth]] = {
    "valid": REVOKED,
    "revoked": VALID,
    "suspended": VALID,
    "forged": VALID,
    "compromised after": NOT_ANCHORED,
    "lately revoked": VALID,
}
"""What is so on the second chain (`tests.lies.conftest`)."""


@kind("invented: a whole chain", *INVENTED)
def _invented_chain(scene: Scene) -> Lie:
    """Answer everything from another chain with the same addresses."""
    told = Told(truths=frozenset({INVENTED[scene.situation.name]}), block=scene.invented_number)
    return Lie(real=scene.invented, told=told)
