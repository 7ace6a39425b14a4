"""`verification.json`: credential, policy, evidence and time, and the verdict, each written down by hand.

A case's steps are thirteen letters: p passed, f failed, u unknown, s skipped, n not applicable.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.support.vectors.common import Json, file_of, number, status_pair, to_hex
from tests.support.vectors.credentials import ALONE, BATCH, FIRST_INDEX, SECOND, credential, data_of, document, proof
from tests.support.vectors.ledger import NOW
from tests.support.vectors.malformed import malformed
from tests.support.vectors.scenarios import evidences, inner_node, policies

STEPS = (
    "wellFormed",
    "statusEntries",
    "inclusion",
    "registryTrusted",
    "block",
    "anchored",
    "key",
    "issuer",
    "batchNotRevoked",
    "notRevoked",
    "notSuspended",
    "dates",
    "otherProofs",
)
_STATUSES = {"p": "passed", "f": "failed", "u": "unknown", "s": "skipped", "n": "notApplicable"}

PASSED = "ppp pp pppppp pn"
NOT_INCLUDED = "ppf ss ssssss pn"
NO_PROOF = "psf ss ssssss pn"
NO_REGISTRY = "ppp uu uuuuuu pn"
NO_BLOCK = "ppp pu uuuuuu pn"
NOT_ANCHORED = "ppp pp fsssss pn"


@dataclass(frozen=True)
class Case:
    name: str
    steps: str = PASSED
    reason: str = ""
    """Of the verdict, and of every step that failed or is unknown unless `reasons` says otherwise."""
    evidence: str = "plain"
    policy: str = "plain"
    data: bytes = field(default_factory=credential)
    now: int = NOW
    outcome: str = ""
    """Left empty, it is the one in the name: `step-07-failed-…` is invalid, `step-07-unknown-…` unknown."""
    reasons: dict[int, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        letters = self.steps.replace(" ", "")
        assert len(letters) == len(STEPS), self.name
        checks = [
            {
                "step": step,
                "name": STEPS[step - 1],
                "status": _STATUSES[letter],
                "reason": self.reasons.get(step, self.reason) if letter in "fu" else "",
            }
            for step, letter in enumerate(letters, 1)
        ]
        return {
            "name": self.name,
            "credential": to_hex(self.data),
            "policy": self.policy,
            "evidence": self.evidence,
            "now": self.now,
            "outcome": self.outcome or self._outcome(),
            "reason": self.reason,
            "checks": checks,
        }

    def _outcome(self) -> str:
        kind = self.name.split("-")[2] if self.name.startswith("step-") else self.name.split("-")[0]
        return {"failed": "invalid", "unknown": "unknown", "passed": "valid", "valid": "valid"}[kind]


def build() -> Json:
    cases = [*_content(), *_inclusion(), *_blocks(), *_anchoring(), *_issuers(), *_statuses(), *_dates(), *_several()]
    assert len({case.name for case in cases}) == len(cases)
    named_policies, named_evidences = policies(), evidences()
    assert {case.policy for case in cases} == named_policies.keys()
    assert {case.evidence for case in cases} == named_evidences.keys()
    return file_of(
        "Credential, policy, evidence and time, and the verdict with its thirteen checks; malformed ones have none. "
        "docs/spec/verification.md.",
        policies=named_policies,
        evidences=named_evidences,
        cases=[case.to_json() for case in cases],
        malformed=malformed(),
    )


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
    return [
        tampered("name-changed", name="Data literacy!"),
        tampered("id-changed", id="urn:uuid:6a4f0f4e-6c4e-4f0e-9d1b-0d3c5a0f9b12"),
        tampered("issuer-changed", issuer={"id": "did:web:other.example", "type": ["Profile"]}),
        tampered("date-changed", validFrom="2025-01-01T00:00:00Z"),
        tampered("date-spelt-otherwise", validFrom="2026-01-01T00:00:00.0Z"),
        tampered("member-added", added=1),
        tampered("member-removed", name=None),
        tampered("subject-changed", credentialSubject={"type": ["AchievementSubject"], "id": "did:web:x"}),
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
        tampered("size-of-other-depth", [proof(size=32)]),
        tampered("inner-node-as-root", [proof(root=inner_node())]),
        without("proof-empty", None),
        Case("step-03-failed-proof-absent", NO_PROOF, "notAnchored", data=data_of(no_member)),
        without("other-proof-only", [other]),
        Case("step-03-failed-other-proof-without-array", NO_PROOF, "notAnchored", data=data_of({**alone, "proof": other})),
        without("proof-absent-and-status-entries-too", None, credentialStatus=None),
        without("proof-absent-and-status-entries-malformed", None, credentialStatus=[{"type": "BitstringStatusListEntry"}]),
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
    inner = proof(root=inner_node(), size=2, siblings=path[:1])
    beside = "final-hash-of-another-block"
    return [
        Case("step-06-failed-not-anchored", NOT_ANCHORED, "notAnchored", "not-anchored"),
        Case("step-06-failed-inner-node-as-root", NOT_ANCHORED, "notAnchored", "inner-node-not-anchored", data=credential(proofs=[inner])),
        Case("step-06-failed-leaf-as-root", NOT_ANCHORED, "notAnchored", "inner-node-not-anchored", data=credential(proofs=[proof(tree=ALONE)])),
        Case("step-06-failed-size-understated", NOT_ANCHORED, "tampered", data=credential(proofs=[proof(size=33)])),
        Case("step-06-failed-size-overstated", NOT_ANCHORED, "tampered", data=credential(proofs=[proof(size=64)])),
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
        *_unproven(6, "batch", "ppp pp uuuupp pn"),
    ]


def _unproven(step: int, what: str, steps: str) -> list[Case]:
    """Take away, or break, the proof of one slot."""
    kinds = (("without", "noEvidence"), ("broken", "badStateProof"))
    return [Case(f"step-{step:02}-unknown-{kind}-{what}", steps, reason, f"{kind}-{what}") for kind, reason in kinds]


def _issuers() -> list[Case]:
    """Steps 7 and 8."""

    def key(name: str, reason: str, evidence: str) -> Case:
        return Case(f"step-07-failed-{name}", "ppp pp pfpppp pn", reason, evidence)

    def issuer(name: str, evidence: str = "plain", **more: Any) -> Case:
        return Case(f"step-08-failed-{name}", "ppp pp ppfppp pn", "untrustedIssuer", evidence, **more)

    denied: Json = {"reason": "untrustedIssuer", "policy": "denied", "outcome": "invalid"}
    no_evidence = dict.fromkeys((5, 6, 7, 9, 10, 11), "noEvidence")
    no_pin = dict.fromkeys((4, 5, 6, 7, 9, 10, 11), "untrustedRegistry")
    no_issuer = dict.fromkeys((9, 10, 11), "noEvidence")
    return [
        key("key-compromised", "keyCompromised", "key-compromised-at-anchoring"),
        key("key-compromised-second-before", "keyCompromised", "key-compromised-second-before"),
        Case("step-07-passed-key-compromised-second-after", evidence="key-compromised-second-after"),
        Case("step-07-passed-key-compromised-beyond-the-calendar", evidence="key-compromised-far-ahead"),
        Case("step-07-passed-key-valid-from-anchoring", evidence="key-from-anchoring"),
        key("key-valid-from-second-after", "keyNotValid", "key-from-second-after"),
        key("key-valid-until-anchoring", "keyNotValid", "key-until-anchoring"),
        Case("step-07-passed-key-valid-until-second-after", evidence="key-until-second-after"),
        *(
            key(name, "keyNotValid", name)
            for name in (
                "key-for-status",
                "key-without-scope",
                "key-of-both-scopes",
                "key-of-another-issuer",
                "key-unknown",
                "key-of-another-issuer-compromised",
            )
        ),
        key("key-expired-and-compromised", "keyCompromised", "key-expired-and-compromised"),
        *_unproven(7, "key", "ppp pp pupppp pn"),
        issuer("issuer-has-another-did", "issuer-of-another-did"),
        issuer("did-in-other-letters", data=credential("did-with-other-letters")),
        issuer("did-not-ascii-is-another", data=credential("did-not-ascii")),
        Case("step-08-passed-did-not-ascii", evidence="issuer-with-did-not-ascii", data=credential("did-not-ascii")),
        Case("step-08-passed-accredited-at-anchoring", evidence="issuer-accredited-at-anchoring"),
        issuer("accredited-second-after-anchoring", "issuer-accredited-second-after"),
        issuer("never-accredited", "issuer-never-accredited"),
        issuer("withdrawn-at-anchoring", "issuer-withdrawn-at-anchoring"),
        Case("step-08-passed-withdrawn-second-after-anchoring", evidence="issuer-withdrawn-second-after"),
        issuer("denied", policy="denied"),
        Case("step-08-passed-similar-dids-denied", policy="others-denied"),
        issuer("denied-needs-no-did-slot", "without-did", policy="denied"),
        Case("step-08-failed-denied-without-evidence", "ppp pu uufuuu pn", evidence="none", reasons=no_evidence, **denied),
        Case(
            "step-08-failed-denied-in-an-untrusted-registry",
            "ppp uu uufuuu pn",
            evidence="none",
            reasons=no_pin,
            **{**denied, "policy": "denied-no-registry"},
        ),
        Case("step-08-failed-denied-no-issuer", "ppp pp ppfuuu pn", evidence="without-issuer", reasons=no_issuer, **denied),
        Case("step-03-failed-denied-is-not-looked-at", NOT_INCLUDED, "tampered", policy="denied", data=credential(name="x")),
        Case("step-06-failed-denied-is-not-looked-at", NOT_ANCHORED, "notAnchored", "not-anchored", "denied"),
        issuer("another-did-and-withdrawn", "issuer-of-another-did-withdrawn"),
        *_unproven(8, "did", "ppp pp ppuppp pn"),
        *_unproven(8, "issuer", "ppp pp ppuuuu pn"),
        Case(
            "step-06-unknown-broken-batch-without-issuer",
            "ppp pp uuuuuu pn",
            "badStateProof",
            "without-issuer-broken-batch",
            reasons=dict.fromkeys((8, 10, 11), "noEvidence"),
        ),
    ]


def _statuses() -> list[Case]:
    def batch(name: str, evidence: str) -> Case:
        return Case(f"step-09-failed-{name}", "ppp pp pppfpp pn", "batchRevoked", evidence)

    def revoked(name: str, evidence: str, **more: Any) -> Case:
        return Case(f"step-10-failed-{name}", "ppp pp ppppfp pn", "revoked", evidence, **more)

    def suspended(name: str, evidence: str) -> Case:
        return Case(f"step-11-failed-{name}", "ppp pp pppppf pn", "suspended", evidence)

    also_suspended: Json = {"reason": "revoked", "reasons": {11: "suspended"}}
    return [
        batch("batch-revoked", "batch-revoked"),
        batch("batch-revoked-for-any-reason", "batch-revoked-reason-255"),
        batch("batch-revoked-in-this-epoch", "batch-revoked-in-this-epoch"),
        batch("batch-revoked-in-a-later-epoch", "batch-revoked-in-a-later-epoch"),
        Case("step-09-passed-batch-revoked-in-an-old-epoch", evidence="batch-revoked-in-an-old-epoch"),
        Case("step-09-passed-epoch-without-reason", evidence="batch-epoch-without-reason"),
        revoked("revoked", "revoked"),
        revoked("revoked-in-epoch-3", "revoked-in-epoch-3"),
        revoked("revoked-in-another-list", "other-list-revoked", data=credential("other-list")),
        *_unproven(10, "revocation-word", "ppp pp ppppup pn"),
        Case("step-10-passed-neighbours-bits", evidence="neighbours-bits"),
        Case("step-10-passed-bits-of-an-old-epoch", evidence="bits-of-an-old-epoch"),
        Case("step-10-unknown-words-of-an-old-epoch-only", "ppp pp ppppuu pn", "noEvidence", "words-of-an-old-epoch-only"),
        suspended("suspended", "suspended"),
        suspended("suspended-in-epoch-3", "suspended-in-epoch-3"),
        *_unproven(11, "suspension-word", "ppp pp pppppu pn"),
        Case("valid-broken-proof-of-a-slot-nobody-asks-for", evidence="broken-slot-nobody-asks-for"),
        Case("step-10-failed-and-11", "ppp pp ppppff pn", evidence="revoked-and-suspended", **also_suspended),
        Case("step-10-failed-all-bits-of-the-word", "ppp pp ppppff pn", evidence="all-bits-of-the-word", **also_suspended),
        Case(
            "step-07-failed-and-everything-after-it",
            "ppp pp pfffff fn",
            "keyCompromised",
            "everything-against-it",
            data=credential("until-past"),
            reasons={8: "untrustedIssuer", 9: "batchRevoked", 10: "revoked", 11: "suspended", 12: "expired"},
        ),
    ]


def _dates() -> list[Case]:
    def failed(name: str, reason: str, variant: str, steps: str = "ppp pp pppppp fn", **more: Any) -> Case:
        return Case(f"step-12-failed-{name}", steps, reason, data=credential(variant), **more)

    def passed(name: str, variant: str, **more: Any) -> Case:
        return Case(f"step-12-passed-{name}", data=credential(variant), **more)

    slow, very_slow = NOW - 60, NOW - 7_200
    early, late = "notYetValid", "expired"
    no_account = dict.fromkeys(range(5, 12), "badStateProof")
    no_pin = dict.fromkeys(range(4, 12), "untrustedRegistry")
    tampered = credential("from-block", name="x")
    return [
        passed("valid-from-now", "from-now"),
        failed("not-yet-valid", early, "from-next-second"),
        passed("second-later", "from-next-second", now=NOW + 1),
        failed("far-in-the-future", early, "from-far"),
        failed("expired", late, "until-now"),
        passed("valid-until-next-second", "until-next-second"),
        failed("expired-long-ago", late, "until-past"),
        failed("until-before-from", early, "until-before-from"),
        failed("until-before-from-later", late, "until-before-from", now=NOW + 1),
        failed("fraction-of-until-is-dropped", late, "until-with-fraction"),
        passed("fraction-of-from-is-dropped", "from-with-fraction"),
        passed("zone-of-until", "until-with-zone"),
        failed("zone-of-until-second-later", late, "until-with-zone", now=NOW + 1),
        passed("zone-of-from", "from-with-zone"),
        failed("zone-of-from-second-earlier", early, "from-with-zone", now=NOW - 1, evidence="block-3600-s-old"),
        passed("zone-minus-zero", "zone-minus-zero"),
        passed("first-and-last-year", "first-year"),
        passed("leap-day", "leap-day"),
        passed("slow-clock-block-time-counts", "from-block", now=slow),
        failed("second-after-slow-clock-and-block", early, "from-second-after-block", now=slow),
        passed("until-is-by-the-clock-alone", "until-before-block", now=slow),
        Case(
            "step-05-unknown-very-slow-clock-block-time-counts",
            NO_BLOCK,
            "staleBlock",
            data=credential("from-block"),
            now=very_slow,
        ),
        Case(
            "step-05-unknown-unvouched-block-time-counts",
            NO_BLOCK,
            "unvouchedBlock",
            "vouched-kOfN",
            data=credential("from-block"),
            now=slow,
        ),
        Case(
            "step-05-unknown-other-code-block-time-counts",
            NO_BLOCK,
            "wrongCode",
            "other-code",
            data=credential("from-block"),
            now=slow,
        ),
        Case("step-05-unknown-block-years-ahead", NO_BLOCK, "staleBlock", "block-years-ahead", data=credential("from-now")),
        failed(
            "block-without-account-does-not-count",
            early,
            "from-block",
            "ppp pu uuuuuu fn",
            evidence="account-nodes-missing",
            now=slow,
            reasons=no_account,
        ),
        failed(
            "block-of-an-untrusted-registry-does-not-count",
            early,
            "from-block",
            "ppp uu uuuuuu fn",
            policy="no-registry",
            now=slow,
            reasons=no_pin,
        ),
        Case("step-03-failed-and-12", "ppf ss ssssss fn", "tampered", data=tampered, now=slow, reasons={12: early}),
        Case(
            "step-03-failed-no-proof-and-12",
            "psf ss ssssss fn",
            "notAnchored",
            data=credential("until-past", []),
            reasons={12: late},
        ),
        failed("without-evidence", late, "until-past", "ppp pu uuuuuu fn", evidence="none",
               reasons=dict.fromkeys(range(5, 12), "noEvidence")),
    ]


def _several() -> list[Case]:
    """Several anchor proofs: the best verdict counts, of equal ones the first."""
    good, second, bad = proof(), proof(tree=SECOND), proof(salt=number(5))
    both, turned = credential(proofs=[good, second]), credential(proofs=[second, good])
    pending, compromised = "second-batch-not-final", "second-key-compromised"
    differently, unknown = "both-revoked-differently", "final-second-of-anchoring"
    revoked, cut_off = "ppp pp pppfpp pn", "ppp pp pfpppp pn"
    not_final, no_slots = "ppp pp uppppp pn", "ppp pp uuuupp pn"
    return [
        Case("valid-the-same-proof-twice", data=credential(proofs=[good, good])),
        Case("valid-second-proof-tampered", data=credential(proofs=[good, bad])),
        Case("valid-first-proof-tampered", data=credential(proofs=[bad, good])),
        Case("valid-last-of-16-proofs", data=credential(proofs=[*[bad] * 15, good])),
        Case("step-03-failed-both-proofs-tampered", NOT_INCLUDED, "tampered", data=credential(proofs=[bad, bad])),
        Case("step-05-unknown-outweighs-a-tampered-proof", NO_BLOCK, "noEvidence", "none", data=credential(proofs=[bad, good])),
        Case("valid-two-batches", evidence="three-batches", data=both),
        Case("valid-the-other-batch-revoked", evidence="second-batch-revoked"),
        Case("step-09-failed-this-batch-revoked", revoked, "batchRevoked", "first-batch-revoked"),
        Case("valid-first-of-two-batches-revoked", evidence="first-batch-revoked", data=both),
        Case("valid-second-of-two-batches-revoked", evidence="second-batch-revoked", data=both),
        Case("step-07-failed-re-anchored-by-a-stolen-key", cut_off, "keyCompromised", compromised, data=credential(proofs=[second])),
        Case("valid-one-of-two-by-a-stolen-key", evidence=compromised, data=turned),
        Case("step-06-unknown-second-batch-not-final", not_final, "pending", pending, data=credential(proofs=[second])),
        Case("valid-second-batch-not-final", evidence=pending, data=turned),
        Case("step-06-unknown-outweighs-a-revoked-batch", not_final, "pending", "second-not-final-first-revoked", data=both),
        Case("step-09-failed-and-the-second-by-a-stolen-key", revoked, "batchRevoked", differently, data=both),
        Case("step-07-failed-and-the-second-revoked", cut_off, "keyCompromised", differently, data=turned),
        Case("step-06-unknown-and-the-second-without-proof", not_final, "pending", unknown, data=both),
        Case("step-06-unknown-and-the-second-not-final", no_slots, "noEvidence", unknown, data=turned),
    ]
