"""What a learner's page says of a credential's status: the verdict of `anchor.verify` under the operator's policy.

Evidence is remembered for a few seconds, so that a link that many people follow at once is one question to the nodes;
the policy, and the time, are new for each verdict.

Upholds: what could not be determined is unknown, whatever the reason; nothing here makes a verdict but the verifier.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from anchor.cli.policies import read_policy
from anchor.credential import Credential
from anchor.evidence import Evidence
from anchor.ledger.gathering import gather_evidence
from anchor.ledger.trust_lists import resolve_policy
from anchor.model import Policy, Verdict
from anchor.status import word_of
from anchor.verify import Verifier

REMEMBERED_SECONDS: Final = 5.0
REMEMBERED: Final = 256
"""Pieces of evidence, of some 10 kB: each for the 256 credentials of one batch that share their words."""

EvidenceKey = tuple[object, ...]


class _Remembered(NamedTuple):
    since: float
    policy: Policy
    evidence: Evidence


class PageVerdicts:
    """Judges credentials that are shown; may be used by several threads.

    Args:
        policy_file: The operator's policy; it, and the trust lists kept beside it, are read anew each time.
        clock: Seconds, never going back.
    """

    def __init__(self, policy_file: Path, clock: Callable[[], float]) -> None:
        self._policy_file: Final = policy_file
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._known: Final[OrderedDict[EvidenceKey, _Remembered]] = OrderedDict()

    def recall(self, credential: Credential, *, now: int) -> Verdict | None:
        """Judge a credential by evidence that is remembered; None if none is.

        Args:
            credential: The credential.
            now: Unix seconds.

        Raises:
            PolicyFormatError: The policy cannot be used.
            TrustListError: A trust list that it names cannot be used now.
        """
        with self._lock:
            known = self._known.get(key_of(credential))
        if known is None or self._clock() - known.since >= REMEMBERED_SECONDS:
            return None
        policy = self._policy(now)
        # What was collected for another policy may rest on what this one does not trust.
        return Verifier(known.evidence, policy, now).verify(credential) if policy == known.policy else None

    def ask(self, credential: Credential, *, now: int) -> Verdict:
        """Ask the policy's nodes, remember what they prove, and judge; what they did not answer is unknown.

        Raises:
            PolicyFormatError, TrustListError: As `recall`.
        """
        policy = self._policy(now)
        evidence = gather_evidence([credential], policy)
        if not evidence.missing:
            with self._lock:
                self._known.pop(key_of(credential), None)
                self._known[key_of(credential)] = _Remembered(self._clock(), policy, evidence)
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return Verifier(evidence, policy, now).verify(credential)

    def _policy(self, now: int) -> Policy:
        return resolve_policy(read_policy(self._policy_file), self._policy_file, now)


def key_of(credential: Credential) -> EvidenceKey:
    """Name the evidence that a credential needs: others of its batch may need the same."""
    places = (
        (each.proof.registry, each.proof.issuer_id, each.proof.root, each.position.status_list, each.position.index)
        for each in credential.requests
    )
    return credential.issuer_did, *((*place, word_of(index)) for *place, index in places)
