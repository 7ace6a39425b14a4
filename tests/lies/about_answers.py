"""Answers that are none: cut short, of other types, errors, for other questions, without end; and nodes that fail."""

from __future__ import annotations

import json
import random
from typing import Any, Final

from tests.lies.kinds import Scene, kind
from tests.lies.node import HONEST, Fault, Json, Lie, Told
from tests.lies.story import PENDING, VALID

MOST_BYTES: Final = 2**20
"""Of an answer that the clients of these tests read."""


@kind("none: the truth")
def _truth(_scene: Scene) -> Lie:
    """Told for the count: who never says anything but unknown is found out here."""
    return HONEST


@kind("answer: truncated at any byte")
def _truncated(scene: Scene) -> Lie:
    share = scene.random.random()
    return Lie(body=lambda data: data[: int(share * len(data))])


@kind("answer: wrong types")
def _wrong_types(scene: Scene) -> Lie:
    """Put something else in the place of any part of a result."""
    methods = ["eth_chainId", "eth_getBlockByNumber", "eth_getProof"]
    victim, seed = scene.random.choice(methods), scene.random.randrange(2**32)

    def change(method: str, _params: list[Any], result: Any) -> Any:
        return _spoil(result, random.Random(seed)) if method == victim else result

    return Lie(result=change)


_ODDITIES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 10**400, "", "0x", "0x0", "0xg", "0x" + "00" * 33, "0x-1", "\ud800", "\x00", [], {},
    [[]], ["0x"], {"": None}, "0X00", " 0x00", "0x" + "f" * 10_000, float("inf"), float("nan"), "0x\u0661",
)  # fmt: skip


def _spoil(value: Any, choose: random.Random) -> Any:
    """Replace a part at a random place."""
    if isinstance(value, dict) and value and choose.random() < 0.9:
        key = choose.choice(sorted(value))
        return {**value, key: _spoil(value[key], choose)}
    if isinstance(value, list) and value and choose.random() < 0.8:
        at = choose.randrange(len(value))
        return [*value[:at], _spoil(value[at], choose), *value[at + 1 :]]
    return choose.choice(_ODDITIES)


@kind("answer: error objects")
def _errors(scene: Scene) -> Lie:
    errors: list[Any] = [
        {"code": -32000, "message": "missing trie node"},
        {"code": -32601, "message": "no such method"},
        {"code": -32602, "message": "historical state is not available"},
        {"message": ["\x1b[2J"]},
        {"code": 3, "message": "reverted", "data": "0xzz"},
        {},
        [],
        "an error",
        7,
        False,
        {"code": -32005, "message": "limit exceeded", "data": {"rate": {"backoff_seconds": 30}}},
    ]
    error, keep = scene.random.choice(errors), scene.random.random() < 0.3
    victim = scene.random.choice(["eth_chainId", "eth_getBlockByNumber", "eth_getProof", ""])

    def response(method: str, _params: list[Any], response: Json) -> Any:
        if victim not in {"", method}:
            return response
        return {**response, "error": error} if keep else {"jsonrpc": "2.0", "id": response["id"], "error": error}

    return Lie(response=response, status=scene.random.choice([200, 200, 400]))


@kind("answer: other ids")
def _other_ids(scene: Scene) -> Lie:
    """Answer other questions than those asked: other ids, none, twice the same, in another order, one too many."""
    way, seed = scene.random.randrange(6), scene.random.randrange(2**32)

    def body(data: bytes) -> bytes:
        parsed, choose = json.loads(data), random.Random(seed)
        answers = parsed if isinstance(parsed, list) else [parsed]
        ids = [answer["id"] for answer in answers]
        match way:
            case 0:
                ids = choose.sample(ids, len(ids))
            case 1:
                ids = [choose.choice([None, "1", -1, 10**9, 1.5, [], {}, True]) for _ in ids]
            case 2:
                ids = [ids[0]] * len(ids)
            case 3:
                answers = choose.sample(answers, len(answers))
                ids = [answer["id"] for answer in answers]
            case 4:
                answers, ids = [*answers, answers[0]], [*ids, ids[0]]
            case _:
                answers, ids = answers[:-1], ids[:-1]
        answers = [{**answer, "id": number} for answer, number in zip(answers, ids, strict=True)]
        whole = answers if isinstance(parsed, list) or way in {4, 5} else answers[0]
        return json.dumps(whole).encode()

    return Lie(body=body)


@kind("answer: results for other questions")
def _results_exchanged(scene: Scene) -> Lie:
    """Give the result of one method for another's."""
    story = scene.story
    others: list[Any] = [
        scene.real("eth_chainId"),
        scene.block(story.latest),
        scene.block(0),
        scene.proof(story.latest, list(scene.situation.slots.values())),
        scene.proof(story.latest, []),
    ]
    wrong = scene.random.choice(others)
    victim = scene.random.choice(["eth_chainId", "eth_getBlockByNumber", "eth_getProof"])
    # The newest block is right for the newest block: what this is about then is what is final.
    final = scene.situation.truth == PENDING and scene.confirmations is None
    told = Told(truths=frozenset({VALID})) if final else None
    return Lie(result=lambda method, _params, result: wrong if method == victim else result, told=told)


@kind("answer: huge")
def _huge(scene: Scene) -> Lie:
    """Longer than is read: spaces, one long text, or nodes without number."""
    way = scene.random.randrange(3)

    def body(data: bytes) -> bytes:
        match way:
            case 0:
                return data + b" " * (MOST_BYTES + 1)
            case 1:
                return b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"0" * MOST_BYTES + b'"}'
            case _:
                return b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * MOST_BYTES

    return Lie(body=body)


@kind("answer: no JSON-RPC")
def _no_rpc(scene: Scene) -> Lie:
    bodies = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[[]]",
        b"<html>welcome to the hotel network</html>",
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x1","result":"0x2"}',
        b"[" * 5000,
        b"1" * 5000,
        b'[{"jsonrpc":"2.0","id":1,"result":null},null,7]',
    ]
    answer = scene.random.choice(bodies)
    return Lie(body=lambda _data: answer)


def _failing(scene: Scene, fault: Fault, *statuses: int) -> Lie:
    """Fail at one kind of question, or at all."""
    methods = scene.random.choice(
        [None, frozenset({"eth_chainId"}), frozenset({"eth_getBlockByNumber"}), frozenset({"eth_getProof"})]
    )
    return Lie(fault=fault, status=scene.random.choice(statuses or (200,)), methods=methods)


@kind("node: slow")
def _slow(scene: Scene) -> Lie:
    return _failing(scene, Fault.SLOW)


@kind("node: absent")
def _absent(scene: Scene) -> Lie:
    return Lie(fault=Fault.ABSENT)


@kind("node: limits the rate")
def _busy(scene: Scene) -> Lie:
    return _failing(scene, Fault.BUSY, 429)


@kind("node: HTTP 5xx")
def _broken(scene: Scene) -> Lie:
    return _failing(scene, Fault.BROKEN, 500, 502, 503, 504)


@kind("node: HTTP 4xx")
def _forbidden(scene: Scene) -> Lie:
    return _failing(scene, Fault.FORBIDDEN, 401, 403, 404)


@kind("node: sends elsewhere")
def _elsewhere(scene: Scene) -> Lie:
    """To a node of another chain: who asked this one did not ask that one."""
    status = scene.random.choice([301, 302, 307, 308])
    return Lie(fault=Fault.ELSEWHERE, status=status, location=scene.invented.url)


@kind("node: drops the connection")
def _dropped(scene: Scene) -> Lie:
    return _failing(scene, scene.random.choice([Fault.DROPPED, Fault.CUT]))
