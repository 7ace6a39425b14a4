"""Our state proofs against @ethereumjs/mpt, another implementation in another language, both ways.

Tries and proofs that it makes are read by ours; proofs of tries that the `trie` package makes are read by both. Each
node of each proof is altered: both refuse, and neither ever gives another value. The page's core is held against the
same library in page/test/trie.test.ts.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import rlp
from hypothesis import settings
from trie.hexary import HexaryTrie

from anchor.errors import StateProofError
from anchor.model import hash32, parse_hex, to_hex
from anchor.state_proof import _walk

SCRIPT = Path(__file__).parents[1] / "support" / "ethereumjs.mjs"
TRIES = settings.default.max_examples if settings.default is not None else 50
REFUSED = "refused"


def run_node(*arguments: object, lines: list[str] | None = None) -> list[Any]:
    command = ["node", str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, input="\n".join(lines or []), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(root: str, key: str, nodes: list[str]) -> str | None:
    """What our walk says: a value, None for proven absent, or that it proves nothing."""
    try:
        value = _walk(hash32(parse_hex(root)), parse_hex(key), [parse_hex(node) for node in nodes])
    except StateProofError:
        return REFUSED
    return None if value is None else to_hex(value)


def test_proofs_that_it_makes_hold_and_altered_ones_do_not() -> None:
    tries = run_node("make", 2026, TRIES)
    assert len(tries) == TRIES
    refused = 0
    for made in tries:
        root = made["root"]
        # It builds the same tries as the package that our other tests build theirs with.
        trie = HexaryTrie({})
        for key, value in made["entries"]:
            trie[parse_hex(key)] = parse_hex(value)
        assert to_hex(trie.root_hash) == root
        for proof in made["proofs"]:
            key, value = proof["key"], proof["value"]
            assert ours(root, key, proof["nodes"]) == value
            for altered in proof["altered"]:
                says = ours(root, key, altered["nodes"])
                if says == REFUSED:
                    assert altered["said"] == REFUSED
                    refused += 1
                else:
                    # Only what lies inside another node, and stands there once more by itself, can be altered in vain.
                    assert says == value
                    assert any(len(parse_hex(node)) < 32 for node in proof["nodes"])
    assert refused > TRIES


def test_proofs_made_in_python_hold_for_both_and_altered_ones_for_neither() -> None:
    choose = random.Random(7)
    questions: list[dict[str, Any]] = []
    truths: list[str | None] = []
    for _ in range(TRIES):
        trie, content = HexaryTrie({}), {}
        stems = [choose.randbytes(32) for _ in range(choose.randrange(1, 4))]
        for _ in range(choose.randrange(1, 10)):
            content[_near(stems, choose)] = choose.randbytes(choose.choice([1, 2, 33, 40]))
        for key, value in content.items():
            trie[key] = value
        key = choose.choice([*content, _near(stems, choose)])
        nodes = [rlp.encode(node) for node in trie.get_proof(key) if node != b""]
        truth = content.get(key)
        for victim in (None, *range(len(nodes))):
            said = [*nodes]
            if victim is not None:
                altered = bytearray(said[victim])
                altered[choose.randrange(len(altered))] ^= 1 << choose.randrange(8)
                said[victim] = bytes(altered)
            in_vain = victim is not None and victim > 0 and len(nodes[victim]) < 32
            questions.append({"root": to_hex(trie.root_hash), "key": to_hex(key), "nodes": list(map(to_hex, said))})
            truths.append(REFUSED if victim is not None and not in_vain else None if truth is None else to_hex(truth))
    answers = run_node("check", lines=[json.dumps(question) for question in questions])
    assert len(answers) == len(truths)
    for question, expected, answer in zip(questions, truths, answers, strict=True):
        assert ours(**question) == expected
        # The library takes every node given for part of the path, also one that says again what another holds.
        assert answer in {expected, REFUSED}


def _near(stems: list[bytes], choose: random.Random) -> bytes:
    """A key that parts from others late, or early."""
    stem = choose.choice(stems)
    place = choose.randrange(33)
    return stem[:place] + choose.randbytes(32 - place) if choose.random() < 0.5 else stem[:31] + choose.randbytes(1)
