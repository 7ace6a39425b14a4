"""Bundles as `verify` takes them: what vouches for the blocks that they rest on, and the options that say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from anchor.bundle import Bundle, RegistryProof
from anchor.canonical import MAX_INTEGER
from anchor.errors import LedgerError, UndeterminedError
from anchor.evidence import Evidence, RegistryEvidence
from anchor.model import Policy, Vouching
from anchor.verify import Verifier

if TYPE_CHECKING:
    from anchor.ledger.vouching import Vouched

PIN: Final = "known block"
"""Who vouches for a block that the policy knows, to show in verdicts; which block stands beside it."""

_ANY_AGE_SECONDS: Final = MAX_INTEGER
"""No block is as old, and a policy file can hold it. Not "no limit", which policies of testnets have, and under which
what an old block lacks counts: here it must not, for it may have come since."""

BundleFlag = Annotated[
    bool, typer.Option("--bundle", help="Each FILE must be a bundle. Without it, bundles are recognised, too.")
]
AsOfBlockFlag = Annotated[
    bool,
    typer.Option(
        "--as-of-block",
        help="Accept a block of any age: say what was so at that block, not what is so now.",
    ),
]


def accept_any_age(policy: Policy) -> Policy:
    """Give the policy with which it is asked what held at a block (docs/spec/bundle.md, "As of the block")."""
    return replace(policy, max_age_seconds=_ANY_AGE_SECONDS)


class BlockVoucher:
    """Finds out what vouches for the blocks of bundles; each block is asked about once.

    Nodes are asked for the hash of a block by its number, and for the final block: they do not learn which credential
    is checked. Under a policy that pins blocks none is asked at all. Only a policy that requires DID documents has
    issuers' servers asked for these.

    Args:
        policy: Says what must vouch; names the nodes.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy: Final = policy
        self._answers: Final[dict[tuple[int, bytes], Vouched | LedgerError | UndeterminedError]] = {}
        self._verifiers: Final[dict[int, tuple[Bundle, Verifier]]] = {}

    def verifier_of(self, bundle: Bundle, now: int) -> Verifier:
        """Give what judges the credentials of one bundle, the same for all of them."""
        if id(bundle) not in self._verifiers:
            # The bundle is kept beside it, so that no other takes its place in memory.
            self._verifiers[id(bundle)] = bundle, Verifier(self._evidence_of(bundle), self._policy, now)
        return self._verifiers[id(bundle)][1]

    def _evidence_of(self, bundle: Bundle) -> Evidence:
        """Give a bundle's proofs as evidence, as far as something vouches for their blocks."""
        found: list[RegistryEvidence] = []
        missing = []
        for proof in bundle.proofs:
            if self._policy.pin_of(proof.registry) is None:
                missing.append((proof.registry, "not asked about, for the policy does not trust this registry"))
            elif self._policy.vouching is Vouching.PINNED_HASH:
                # Whether it is one of them is for `anchor.verify` to check.
                found.append(proof.vouched(Vouching.PINNED_HASH, (PIN,)))
            else:
                answer = self._ask(proof)
                if isinstance(answer, LedgerError | UndeterminedError):
                    missing.append((proof.registry, str(answer)))
                else:
                    found.append(_vouched(proof, answer))
        evidence = Evidence(registries=tuple(found), missing=tuple(missing))
        if not found or not self._policy.require_did_document:
            return evidence
        # No bundle has these, for they are what the issuer's server says now.
        from anchor.ledger.documents import collect_documents

        issuers = {credential.issuer_did for credential in bundle.parsed} - self._policy.denied_issuers
        return replace(evidence, did_documents=collect_documents(issuers))

    def _ask(self, proof: RegistryProof) -> Vouched | LedgerError | UndeterminedError:
        # What asks nodes takes a while to import, and is not needed for known blocks.
        from anchor.ledger.client import clients_of
        from anchor.ledger.vouching import vouch_for

        chain_id = proof.registry.chain_id
        key = (chain_id, proof.block.hash)
        if key not in self._answers:
            try:
                self._answers[key] = vouch_for(clients_of(self._policy), chain_id, self._policy, proof.block)
            except (LedgerError, UndeterminedError) as error:
                self._answers[key] = error
        return self._answers[key]


def _vouched(proof: RegistryProof, by: Vouched) -> RegistryEvidence:
    return proof.vouched(
        by.vouching,
        by.vouched_by,
        nodes_asked=by.nodes_asked,
        final_hash=None if by.final is None else by.final.header.hash,
        final_header=None if by.final is None else by.final.header_rlp,
    )
