"""Cases of `verification.json` for steps 3 to 6: content, inclusion, what the block rests on, anchoring."""

from typing import Any

from tests.support.vectors.case import NO_BLOCK, NO_PROOF, NO_REGISTRY, NOT_ANCHORED, NOT_INCLUDED, Case, unproven
from tests.support.vectors.common import Json, number, status_pair
from tests.support.vectors.credentials import ALONE, BATCH, FIRST_INDEX, SECOND, credential, data_of, document, proof
from tests.support.vectors.ledger import NOW
from tests.support.vectors.scenarios import inner_node


def cases() -> list[Case]:
    return [*_content(), *_required_proofs(), *_inclusion(), *_blocks(), *_anchoring()]


def _content() -> list[Case]:
    whole = document()
    reversed_members = dict(reversed(whole.items()))
    indented = data_of(reversed_members).replace(b",", b" ,\n\t")
    other_proof = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofValue": "z1"}
    many = [other_proof] * 15
    names = ("issuer-as-text", "type-as-text", "without-id", "without-dates", "unknown-members", "letters")
    return [
        Case("valid-plain"),
        *(Case(f"valid-{name}", data=credential(name)) for name in names),
        Case("valid-reordered-and-indented", data=indented),
        Case("valid-last-leaf-of-an-odd-batch", data=credential("other-list"), evidence="other-list"),
        Case("valid-batch-of-one", data=credential(proofs=[proof(tree=ALONE)]), evidence="three-batches"),
        Case("step-13-passed-other-proof-before", data=credential(proofs=[other_proof, proof()])),
        Case("step-13-passed-other-proofs-behind", data=credential(proofs=[proof(), {"type": "X"}, {}])),
        Case("step-13-passed-16-proofs", data=credential(proofs=[*many, proof()])),
        Case("step-13-passed-cryptosuite-in-an-array", data=credential(proofs=[{"cryptosuite": ["x"]}, proof()])),
    ]


def _required_proofs() -> list[Case]:
    """Proofs that the policy requires: carried or not, they are not judged."""
    carried = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofValue": "z1"}
    both = [proof(), {**carried, "cryptosuite": "eddsa-jcs-2022"}, {"type": "X"}]
    reason, steps = "requiredProof", "ppp pp pppppp pu"

    def unknown(name: str, policy: str, data: bytes) -> Case:
        return Case(f"step-13-unknown-{name}", steps, reason, policy=policy, data=data)

    tampered, absent = credential(name="Data literacy!"), credential(proofs=[carried])
    return [
        unknown("required-proof-absent", "required-proof", credential()),
        unknown("required-proof-carried", "required-proof", credential(proofs=[carried, proof()])),
        unknown("one-of-two-required-proofs-carried", "required-proofs", credential(proofs=both[:2])),
        unknown("both-required-proofs-carried", "required-proofs", credential(proofs=both)),
        unknown("anchor-proof-required-as-another", "required-proof-of-ours", credential()),
        Case(
            "step-03-failed-tampered-and-a-proof-required",
            NOT_INCLUDED[:-1] + "u",
            "tampered",
            policy="required-proof",
            data=tampered,
            reasons={13: reason},
        ),
        Case(
            "step-03-failed-only-the-required-proof",
            NO_PROOF[:-1] + "u",
            "notAnchored",
            policy="required-proof",
            data=absent,
            reasons={13: reason},
        ),
    ]


def _inclusion() -> list[Case]:
    def tampered(name: str, proofs: list[Any] | None = None, /, **changes: Any) -> Case:
        return Case(f"step-03-failed-{name}", NOT_INCLUDED, "tampered", data=credential("plain", proofs, **changes))

    def without(name: str, proofs: list[Any] | None, **changes: Any) -> Case:
        data = credential("plain", [] if proofs is None else proofs, **changes)
        return Case(f"step-03-failed-{name}", NO_PROOF, "notAnchored", data=data)

    path = BATCH.siblings(0)
    no_member = {name: member for name, member in document().items() if name != "proof"}
    alone = {key: member for key, member in document(proofs=[]).items() if key != "proof"}
    other = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}
    lone = data_of({**alone, "proof": other})
    entry = {"type": "BitstringStatusListEntry"}
    return [
        tampered("name-changed", name="Data literacy!"),
        tampered("id-changed", id="urn:example:2"),
        tampered("issuer-changed", issuer={"id": "did:web:other.example", "name": "Borealis College"}),
        tampered("date-changed", validFrom="2025-01-01T00:00:00Z"),
        tampered("date-spelt-otherwise", validFrom="2026-01-01T00:00:00.0Z"),
        tampered("member-added", added=1),
        tampered("member-removed", name=None),
        tampered("subject-changed", credentialSubject={"name": "Zoe\u0308"}),
        tampered("status-moved-to-the-next-index", credentialStatus=status_pair(FIRST_INDEX + 1)),
        tampered("status-moved-to-another-list", credentialStatus=status_pair(FIRST_INDEX, status_list=1)),
        tampered("status-entry-added", credentialStatus=[*status_pair(FIRST_INDEX), {"type": "Other"}]),
        tampered("status-entries-swapped", credentialStatus=status_pair(FIRST_INDEX)[::-1]),
        tampered("salt-changed", [proof(salt=number(5))]),
        tampered("salt-of-another-credential", [proof("letters")]),
        tampered("leaf-index-changed", [proof(leaf_index=1)]),
        tampered("sibling-missing", [proof(siblings=path[:-1])]),
        tampered("sibling-too-many", [proof(siblings=[*path, path[0]])]),
        tampered("siblings-swapped", [proof(siblings=[path[1], path[0], *path[2:]])]),
        tampered("no-siblings", [proof(siblings=[])]),
        tampered("root-of-another-batch", [proof(root=SECOND.root)]),
        tampered("size-of-other-depth", [proof(size=16)]),
        tampered("inner-node-as-root", [proof(root=inner_node())]),
        without("proof-empty", None),
        Case("step-03-failed-proof-absent", NO_PROOF, "notAnchored", data=data_of(no_member)),
        without("other-proof-only", [other]),
        Case("step-03-failed-other-proof-without-array", NO_PROOF, "notAnchored", data=lone),
        without("proof-absent-and-status-entries-too", None, credentialStatus=None),
        without("proof-absent-and-status-entries-malformed", None, credentialStatus=[entry]),
    ]


def _blocks() -> list[Case]:
    def no_block(name: str, reason: str, evidence: str = "plain", **more: Any) -> Case:
        return Case(f"step-05-unknown-{name}", NO_BLOCK, reason, evidence, **more)

    kinds = ("pinnedHash", "kOfN", "ownNode")
    untrusted = "untrustedRegistry"
    return [
        Case("step-04-unknown-no-registry-trusted", NO_REGISTRY, untrusted, policy="no-registry"),
        Case("step-04-unknown-other-registries-trusted", NO_REGISTRY, untrusted, policy="other-registries"),
        Case("step-04-unknown-and-no-evidence", NO_REGISTRY, untrusted, "none", policy="no-registry"),
        Case("step-04-passed-one-of-three", policy="three-registries"),
        no_block("no-evidence", "noEvidence", "none"),
        no_block("node-does-not-answer", "noEvidence", "missing"),
        no_block("evidence-of-another-registry", "noEvidence", "of-another-registry"),
        no_block("evidence-of-another-chain", "noEvidence", "of-another-chain"),
        Case("step-05-passed-reason-for-missing-does-not-count", evidence="missing-and-there"),
        Case("step-05-passed-broken-evidence-of-another-registry", evidence="another-registry-before"),
        *(
            no_block(f"{name}", "badStateProof", name)
            for name in (
                "block-hash-of-another-block",
                "header-altered",
                "header-with-a-byte-behind",
                "header-of-14-fields",
                "account-nodes-missing",
                "account-node-altered",
                "account-of-another-state",
            )
        ),
        *(no_block(f"vouched-for-by-{kind}", "unvouchedBlock", f"vouched-{kind}") for kind in kinds),
        *(no_block(f"policy-wants-{kind}", "unvouchedBlock", policy=kind) for kind in kinds),
        Case("step-05-passed-vouched-for-as-wanted", evidence="vouched-ownNode", policy="ownNode"),
        Case("step-05-passed-agreed-on-by-two-of-three-nodes", evidence="vouched-kOfN-two", policy="kOfN"),
        Case("step-05-passed-agreed-on-by-all-nodes", evidence="vouched-kOfN-three", policy="kOfN-all"),
        no_block("agreed-on-by-one-node", "unvouchedBlock", "vouched-kOfN", policy="kOfN"),
        no_block("agreed-on-by-one-node-twice", "unvouchedBlock", "vouched-kOfN-one-twice", policy="kOfN"),
        no_block("agreed-on-by-two-of-three-and-all-must", "unvouchedBlock", "vouched-kOfN-two", policy="kOfN-all"),
        Case("step-05-passed-block-known", evidence="vouched-pinnedHash", policy="pinnedHash"),
        no_block("no-block-known", "unvouchedBlock", "vouched-pinnedHash", policy="pinnedHash-no-block"),
        no_block("another-block-known", "unvouchedBlock", "vouched-pinnedHash", policy="pinnedHash-other-block"),
        no_block(
            "block-known-of-another-chain", "unvouchedBlock", "vouched-pinnedHash", policy="pinnedHash-other-chain"
        ),
        no_block("known-block-too-old", "staleBlock", "vouched-pinnedHash", policy="pinnedHash", now=NOW + 10_000),
        Case("step-05-passed-policy-of-the-needed-members", policy="needed-members-only"),
        Case("step-05-passed-exactly-the-maximal-age", evidence="block-3600-s-old"),
        no_block("second-older-than-the-maximal-age", "staleBlock", "block-3601-s-old"),
        Case("step-05-passed-old-block-any-age", evidence="block-3601-s-old", policy="any-age", now=NOW + 100_000_000),
        Case("step-05-passed-block-of-now", evidence="block-of-now"),
        Case("step-05-passed-60-s-in-the-future", evidence="block-60-s-ahead"),
        no_block("61-s-in-the-future", "staleBlock", "block-61-s-ahead"),
        no_block("61-s-in-the-future-any-age", "staleBlock", "block-61-s-ahead", policy="any-age"),
        no_block("time-beyond-2-to-the-53", "staleBlock", "block-time-of-64-bits"),
        no_block("account-absent", "wrongCode", "no-account"),
        no_block("code-is-another", "wrongCode", "other-code"),
        no_block("policy-pins-another-code", "wrongCode", policy="other-code"),
        no_block("unvouched-comes-before-stale", "unvouchedBlock", policy="ownNode", now=NOW + 10_000),
        no_block("stale-comes-before-code", "staleBlock", "other-code", now=NOW + 10_000),
    ]


def _anchoring() -> list[Case]:
    def final(name: str, reason: str, evidence: str, policy: str = "plain") -> Case:
        return Case(f"step-06-unknown-{name}", "ppp pp uppppp pn", reason, evidence, policy)

    path = BATCH.siblings(0)
    inner = credential(proofs=[proof(root=inner_node(), size=2, siblings=path[:1])])
    meanwhile = "ppp pp uuuuuu pn"
    absent: Json = {"reason": "notAnchored", "evidence": "inner-node-not-anchored"}
    beside = "final-hash-of-another-block"
    return [
        Case("step-06-failed-not-anchored", NOT_ANCHORED, "notAnchored", "not-anchored"),
        Case("step-06-failed-not-anchored-two-minutes-ago", NOT_ANCHORED, "notAnchored", "not-anchored-120-s-ago"),
        Case("step-06-unknown-not-anchored-a-second-earlier", meanwhile, "staleBlock", "not-anchored-121-s-ago"),
        Case(
            "step-06-failed-not-anchored-any-age",
            NOT_ANCHORED,
            "notAnchored",
            "not-anchored-121-s-ago",
            policy="any-age",
        ),
        Case(
            "step-08-failed-denied-not-anchored-a-while-ago",
            "ppp pp uufuuu pn",
            "untrustedIssuer",
            "not-anchored-121-s-ago",
            policy="denied",
            reasons=dict.fromkeys((6, 7, 9, 10, 11), "staleBlock"),
        ),
        Case("step-06-passed-anchored-a-while-ago", evidence="block-121-s-old"),
        Case(
            "step-06-passed-known-block-needs-no-final-one",
            evidence="vouched-pinnedHash-no-final-block",
            policy="pinnedHash-confirmations-11",
        ),
        Case("step-06-failed-inner-node-as-root", NOT_ANCHORED, data=inner, **absent),
        Case("step-06-failed-leaf-as-root", NOT_ANCHORED, data=credential(proofs=[proof(tree=ALONE)]), **absent),
        Case("step-06-failed-size-understated", NOT_ANCHORED, "tampered", data=credential(proofs=[proof(size=28)])),
        Case("step-06-failed-size-overstated", NOT_ANCHORED, "tampered", data=credential(proofs=[proof(size=32)])),
        *(
            Case(f"step-06-failed-anchored-with-{name}", NOT_ANCHORED, "tampered", name)
            for name in ("size-plus-one", "size-minus-one", "size-not-stated")
        ),
        Case("step-06-passed-final-a-second-after-anchoring", evidence="final-second-after-anchoring"),
        final("final-block-of-the-same-second", "pending", "final-second-of-anchoring"),
        final("final-block-before-anchoring", "pending", "final-before-anchoring"),
        Case("step-06-passed-the-block-itself-is-final", evidence="final-is-the-block"),
        final("final-block-above-the-block", "noEvidence", "final-above-the-block"),
        final("final-block-later-than-the-block", "noEvidence", "final-later-than-the-block"),
        final("no-final-block", "noEvidence", "no-final-block"),
        final("final-header-missing", "noEvidence", "final-header-missing"),
        final("final-hash-of-another-block", "badStateProof", "final-hash-of-another-block"),
        Case("step-06-passed-10-confirmations", policy="confirmations-10"),
        final("one-confirmation-too-few", "noEvidence", "plain", "confirmations-11"),
        Case("step-06-passed-no-confirmations-wanted", evidence="no-final-block", policy="confirmations-0"),
        Case("step-06-passed-no-confirmations-wanted-final-block-wrong", evidence=beside, policy="confirmations-0"),
        *unproven(6, "batch", "ppp pp uuuupp pn"),
    ]
