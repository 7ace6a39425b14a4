"""Bundles for credentials that are kept here: evidence comes from the node, and is remembered until the next block."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from anchor.bundle import write_bundle
from anchor.credential import Credential, parse_credential
from anchor.errors import LedgerUnavailableError
from anchor.evidence import Evidence
from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.client import LedgerClient
from anchor.ledger.collect import collect_evidence
from anchor.model import Hash32, Policy, TrustedRegistry
from anchor.status import word_of

REMEMBERED: Final = 256
"""Pieces of evidence, of some 10 kB: each for the 256 credentials of one batch that share their words."""

_Key = tuple[object, ...]


class Bundler:
    """Makes bundles; may be used by several threads.

    Args:
        client: The node. It is believed for nothing: whoever reads a bundle decides who vouches for its block.
    """

    def __init__(self, client: LedgerClient) -> None:
        self._client: Final = client
        self._lock: Final = threading.Lock()
        self._block: Hash32 | None = None
        self._known: Final[OrderedDict[_Key, Evidence]] = OrderedDict()

    def bundle(self, file: bytes) -> bytes:
        """Make a bundle of one credential, at the newest block, whatever it says of the credential's status.

        Args:
            file: The credential with its anchor proof.

        Raises:
            LedgerUnavailableError: The node did not answer.
            UndeterminedError: Its proofs do not hold.
        """
        return write_bundle([file], self._evidence(parse_credential(file)))

    def _evidence(self, credential: Credential) -> Evidence:
        (request,) = credential.requests
        proof, position = request.proof, request.position
        key = proof.registry, proof.issuer_id, proof.root, position.status_list, word_of(position.index)
        block = self._client.latest_block().header.hash
        with self._lock:
            if block != self._block:
                self._block = block
                self._known.clear()
            known = self._known.get(key)
        if known is not None:
            return known
        pin = TrustedRegistry(registry=proof.registry, code_hash=runtime_code_hash())
        policy = Policy(registries=(pin,), confirmations=0, max_age_seconds=None, nodes=(self._client.node,))
        evidence = collect_evidence([self._client], [request], policy)
        for _, reason in evidence.missing:
            raise LedgerUnavailableError(reason)
        with self._lock:
            # Only if there was no newer block meanwhile: what is remembered is of one.
            if evidence.registries[0].block_hash == self._block:
                self._known[key] = evidence
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return evidence
