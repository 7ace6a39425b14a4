"""Plays a case: one credential, one lie, the liar in one place among three nodes, and each policy's verdict.

What is asked goes by HTTP, from the program's own client to nodes of ours before a real anvil (`tests.lies.node`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from anchor.credential import Credential
from anchor.errors import MalformedError
from anchor.evidence import Evidence, RegistryEvidence
from anchor.ledger.answers import read_account_proof, read_object
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.model import KnownBlock, Policy, Verdict, Vouching, hash32
from anchor.state_proof import header_from_rpc
from anchor.verify import verify
from tests.lies.about_answers import MOST_BYTES
from tests.lies.about_blocks import lagging
from tests.lies.forging import to_hex, unhex
from tests.lies.judge import (
    K_OF_N,
    LAGGING,
    ONE_NODE,
    PINNED,
    STANDING_BY,
    Cell,
    Expectation,
    WrongVerdictError,
    expectation,
    judge,
)
from tests.lies.kinds import Bringing, Case, Scene
from tests.lies.node import HONEST, Fault, Lie, LyingNode, RealNode
from tests.lies.story import MAX_AGE, Story

NODES: Final = 3
PATIENCE_SECONDS: Final = 20.0
IMPATIENCE_SECONDS: Final = 0.05
"""For a node that is slow."""
NOBODY: Final = "http://127.0.0.1:1"
"""Nobody listens there."""

Verifier = Callable[[Credential, Evidence, Policy, int], Verdict]


class Theatre:
    """Three nodes before one chain, and another chain for who invents one."""

    def __init__(self, story: Story, invented: RealNode, invented_number: int) -> None:
        self.story: Final = story
        self._invented: Final = invented
        self._invented_number: Final = invented_number
        self._real: Final = RealNode(story.chain.url)
        self.nodes: Final = [LyingNode(self._real) for _ in range(NODES)]
        self._honest: Final = [self._client(node.url) for node in self.nodes]

    def close(self) -> None:
        for client in self._honest:
            client.close()
        for node in self.nodes:
            node.close()

    def play(self, case: Case, verifier: Verifier = verify) -> dict[str, Cell]:
        """Play a case under each policy; raise `WrongVerdictError` for a verdict that must not be."""
        situation = self.story.situations[case.situation]
        lie = case.kind.make(self.scene(case))
        cells = {}
        for policy, verdict in self.verdicts(case, lie, verifier):
            try:
                cells[policy] = judge(verdict, expectation(case, situation, lie, policy, self.story.latest - case.lag))
                if lie.fault is not None and policy == ONE_NODE and cells[policy] is Cell.UNKNOWN:
                    _check_reason(verdict, lie, self.name_of(case.position, lie))
            except WrongVerdictError as error:
                raise WrongVerdictError(f"{policy}, {case}: {error}") from None
        return cells

    def play_to_all(self, case: Case) -> int:
        """Ask about all credentials at once while one of three nodes lies; give how many verdicts were right."""
        lie, situations = case.kind.make(self.scene(case)), self.story.situations.values()
        rules = self.policy(confirmations=case.confirmations, vouching=Vouching.K_OF_N, agreeing=2)
        requests = [request for each in situations for request in each.credential.requests]
        with self._lying(lie, case.position) as liar:
            three = [*self._honest[: case.position], liar, *self._honest[case.position + 1 :]]
            evidence = collect_evidence(three, requests, rules)
        for situation in situations:
            verdict = verify(situation.credential, evidence, rules, self.story.now)
            judge(verdict, Expectation(truth=situation.truth, must_be_right=True))
        return len(situations)

    def scene(self, case: Case) -> Scene:
        """Set the scene for a liar."""
        return Scene(
            story=self.story,
            situation=self.story.situations[case.situation],
            confirmations=case.confirmations,
            random=random.Random(case.seed),
            real=self._real,
            invented=self._invented,
            invented_number=self._invented_number,
        )

    def verdicts(self, case: Case, lie: Lie, verifier: Verifier = verify) -> Iterator[tuple[str, Verdict]]:
        """Give the verdict of each policy while one node lies."""
        credential, now = self.story.situations[case.situation].credential, self.story.now
        position, confirmations = case.position, case.confirmations
        with self._lying(lie, position) as liar:
            rules = self.policy(confirmations=confirmations)
            alone = collect_evidence([liar], credential.requests, rules)
            yield ONE_NODE, verifier(credential, alone, rules, now)
            pinned = self.policy(vouching=Vouching.PINNED_HASH, known_blocks=frozenset({self.newest()}))
            if case.brings is Bringing.ASKED:
                brought = collect_evidence([liar], credential.requests, pinned)
            elif case.brings is Bringing.AS_IT_IS:
                brought = _for_a_known_hash(alone)
            else:
                brought = self._bundle(case, lie)
            yield PINNED, verifier(credential, brought, pinned, now)
            three = [*self._honest[:position], liar, *self._honest[position + 1 :]]
            if case.seed // 2 % 2:
                evidence = collect_evidence(three, credential.requests, rules)
                yield STANDING_BY, verifier(credential, evidence, rules, now)
            rules = self.policy(confirmations=confirmations, vouching=Vouching.K_OF_N, agreeing=2)
            evidence = collect_evidence(three, credential.requests, rules)
            yield K_OF_N, verifier(credential, evidence, rules, now)
            if not case.seed // 2 % 2:
                with self.lagging(case):
                    evidence = collect_evidence(three, credential.requests, rules)
                yield LAGGING, verifier(credential, evidence, rules, now)

    def verdict(self, case: Case, policy: str) -> Verdict:
        """Give the verdict of one policy."""
        return dict(self.verdicts(case, case.kind.make(self.scene(case))))[policy]

    @contextmanager
    def lying(self, case: Case) -> Iterator[None]:
        """Let a node lie to whoever asks."""
        with self._lying(case.kind.make(self.scene(case)), case.position):
            yield

    @contextmanager
    def lagging(self, case: Case) -> Iterator[None]:
        """Let an honest node lag."""
        node = self.nodes[(case.position + 1) % NODES]
        node.lie = lagging(self.scene(case), case.lag)
        try:
            yield
        finally:
            node.lie = HONEST

    def verdict_on_changed_evidence(
        self, case: Case, rules: Policy, change: Callable[[RegistryEvidence], RegistryEvidence]
    ) -> Verdict:
        """Judge what one node gave, after somebody changed it."""
        credential, lie = self.story.situations[case.situation].credential, case.kind.make(self.scene(case))
        with self._lying(lie, case.position) as node:
            given = collect_evidence([node], credential.requests, self.policy(confirmations=case.confirmations))
        return verify(credential, Evidence(registries=tuple(map(change, given.registries))), rules, self.story.now)

    def policy(self, **changes: Any) -> Policy:
        story = self.story
        return story.chain.policy(
            story.chain.registry, story.impostor, story.nowhere, max_age_seconds=MAX_AGE, **changes
        )

    def newest(self) -> KnownBlock:
        """Give the newest block of the true chain, as a policy may know it."""
        newest = self._real("eth_getBlockByNumber", hex(self.story.latest), False)
        return KnownBlock(chain_id=self.story.chain.chain_id, hash=hash32(unhex(newest["hash"])))

    def name_of(self, position: int, lie: Lie) -> str:
        """Name the node in a position, as verdicts do."""
        return NOBODY if lie.fault is Fault.ABSENT else self.nodes[position].url

    @contextmanager
    def _lying(self, lie: Lie, position: int) -> Iterator[LedgerClient]:
        """Let one node lie, and give a client of it."""
        node = self.nodes[position]
        node.release.clear()
        client = self._client(
            self.name_of(position, lie), IMPATIENCE_SECONDS if lie.fault is Fault.SLOW else PATIENCE_SECONDS
        )
        node.lie = lie
        try:
            yield client
        finally:
            node.release.set()
            node.lie = HONEST
            client.close()
        if node.errors:
            raise node.errors.pop()

    def _bundle(self, case: Case, lie: Lie) -> Evidence:
        """Let the liar write a bundle: what it says goes in as it is, under the hash that is known."""
        situation, node = self.story.situations[case.situation], self.nodes[case.position]
        registry, slots = situation.credential.requests[0].proof.registry, tuple(situation.slots.values())

        def said(method: str, *params: Any) -> Any:
            response = node.respond(lie, {"id": 1, "method": method, "params": list(params)})
            return response.get("result") if isinstance(response, dict) else None

        try:
            block = read_object(said("eth_getBlockByNumber", "latest", False))
            at = {"blockHash": block.get("hash")}
            proof = read_account_proof(
                said("eth_getProof", to_hex(registry.address), [to_hex(slot) for slot in slots], at), slots
            )
            found = RegistryEvidence(
                registry=registry,
                vouching=Vouching.PINNED_HASH,
                vouched_by=("pin",),
                block_hash=self.newest().hash,
                header=header_from_rpc(block),
                final_hash=None,
                final_header=None,
                account_nodes=proof.account_nodes,
                storage=proof.storage,
            )
        except MalformedError as error:
            return Evidence(missing=((registry, f"no bundle: {error}"),))
        return Evidence(registries=(found,))

    def _client(self, url: str, timeout_seconds: float = PATIENCE_SECONDS) -> LedgerClient:
        return LedgerClient(url, timeout_seconds=timeout_seconds, max_answer_bytes=MOST_BYTES)


def _for_a_known_hash(evidence: Evidence) -> Evidence:
    """Say of evidence that a known hash vouches for it."""
    changes: dict[str, Any] = {"vouching": Vouching.PINNED_HASH, "vouched_by": ("pin",)}
    found = tuple(replace(each, **changes) for each in evidence.registries)
    return Evidence(registries=found, missing=evidence.missing)


_WORDS: Final = {
    Fault.SLOW: ("did not answer in time",),
    Fault.ABSENT: ("cannot be reached",),
    Fault.BUSY: ("HTTP status 429",),
    Fault.BROKEN: ("HTTP status 50",),
    Fault.FORBIDDEN: ("HTTP status 40",),
    Fault.ELSEWHERE: ("HTTP status 30",),
    Fault.DROPPED: ("broke", "cannot be reached"),
    Fault.CUT: ("broke",),
}


def _check_reason(verdict: Verdict, lie: Lie, name: str) -> None:
    """Check that it says which node did what; unless only what is final was not told."""
    assert lie.fault is not None
    said = str(verdict.error)
    if lie.methods == frozenset({"eth_getBlockByNumber"}) and "final" in said:
        return
    if name not in said or not any(word in said for word in _WORDS[lie.fault]):
        raise WrongVerdictError(f"it does not say that {name} {lie.fault.value}: {said}")
