"""Cases of `verification.json` for steps 7 to 12: key, issuer, status, dates; and several anchor proofs."""

from typing import Any

from tests.support.vectors.case import NO_BLOCK, NOT_ANCHORED, NOT_INCLUDED, Case, unproven
from tests.support.vectors.common import Json, number
from tests.support.vectors.credentials import ALONE, SECOND, credential, proof
from tests.support.vectors.ledger import NOW


def cases() -> list[Case]:
    return [*_keys_and_issuers(), *_statuses(), *_dates(), *_several()]


def _keys_and_issuers() -> list[Case]:
    """Steps 7 and 8."""

    def key(name: str, reason: str, evidence: str) -> Case:
        return Case(f"step-07-failed-{name}", "ppp pp pfpppp pn", reason, evidence)

    def issuer(name: str, evidence: str = "plain", **more: Any) -> Case:
        return Case(f"step-08-failed-{name}", "ppp pp ppfppp pn", "untrustedIssuer", evidence, **more)

    denied: Json = {"reason": "untrustedIssuer", "policy": "denied", "outcome": "invalid"}
    no_evidence = dict.fromkeys((5, 6, 7, 9, 10, 11), "noEvidence")
    no_pin = dict.fromkeys((4, 5, 6, 7, 9, 10, 11), "untrustedRegistry")
    no_issuer: Json = {"evidence": "without-issuer", "reasons": dict.fromkeys((9, 10, 11), "noEvidence")}
    other = credential(name="x")
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
        *unproven(7, "key", "ppp pp pupppp pn"),
        issuer("issuer-has-another-did", "issuer-of-another-did"),
        issuer("did-in-other-letters", data=credential("did-with-other-letters")),
        issuer("did-not-ascii-is-another", data=credential("did-not-ascii")),
        Case(
            "step-08-failed-another-did-needs-no-issuer",
            "ppp pp ppfuuu pn",
            "untrustedIssuer",
            data=credential("did-with-other-letters"),
            **no_issuer,
        ),
        Case("step-08-passed-did-not-ascii", evidence="issuer-with-did-not-ascii", data=credential("did-not-ascii")),
        Case("step-08-passed-accredited-at-anchoring", evidence="issuer-accredited-at-anchoring"),
        issuer("accredited-second-after-anchoring", "issuer-accredited-second-after"),
        issuer("never-accredited", "issuer-never-accredited"),
        issuer("withdrawn-at-anchoring", "issuer-withdrawn-at-anchoring"),
        Case("step-08-passed-withdrawn-second-after-anchoring", evidence="issuer-withdrawn-second-after"),
        issuer("denied", policy="denied"),
        Case("step-08-passed-similar-dids-denied", policy="others-denied"),
        issuer("denied-needs-no-did-slot", "without-did", policy="denied"),
        Case(
            "step-08-failed-denied-without-evidence", "ppp pu uufuuu pn", evidence="none", reasons=no_evidence, **denied
        ),
        Case(
            "step-08-failed-denied-in-an-untrusted-registry",
            "ppp uu uufuuu pn",
            evidence="none",
            reasons=no_pin,
            **{**denied, "policy": "denied-no-registry"},
        ),
        Case("step-08-failed-denied-no-issuer", "ppp pp ppfuuu pn", **denied, **no_issuer),
        Case(
            "step-03-failed-denied-is-not-looked-at",
            NOT_INCLUDED,
            "tampered",
            policy="denied",
            data=other,
        ),
        Case("step-06-failed-denied-is-not-looked-at", NOT_ANCHORED, "notAnchored", "not-anchored", "denied"),
        issuer("another-did-and-withdrawn", "issuer-of-another-did-withdrawn"),
        *(
            Case(f"step-08-passed-{name}", evidence=name, policy="did-document")
            for name in (
                "did-confirms-controller",
                "did-confirms-key",
                "did-confirms-in-capitals",
            )
        ),
        *(
            Case(f"step-08-unknown-{name}", "ppp pp ppuppp pn", "unconfirmedIssuer", name, "did-document")
            for name in (
                "did-names-another-account",
                "did-names-another-chain",
                "did-names-account-in-another-form",
                "did-names-account-elsewhere",
                "did-names-nothing",
                "did-methods-are-no-list",
                "did-document-of-another-did",
                "did-document-of-another-issuer",
                "did-document-with-a-key-twice",
                "did-document-is-no-object",
            )
        ),
        Case("step-08-unknown-no-did-document", "ppp pp ppuppp pn", "unconfirmedIssuer", policy="did-document"),
        Case("step-08-passed-did-document-that-nobody-wants", evidence="did-names-another-account"),
        *unproven(8, "did", "ppp pp ppuppp pn"),
        *unproven(8, "issuer", "ppp pp ppuuuu pn"),
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

    old = "words-of-an-old-epoch-only"
    both = "ppp pp ppppff pn"
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
        *unproven(10, "revocation-word", "ppp pp ppppup pn"),
        Case("step-10-passed-neighbours-bits", evidence="neighbours-bits"),
        Case("step-10-passed-bits-of-an-old-epoch", evidence="bits-of-an-old-epoch"),
        Case("step-10-unknown-words-of-an-old-epoch-only", "ppp pp ppppuu pn", "noEvidence", old),
        suspended("suspended", "suspended"),
        suspended("suspended-in-epoch-3", "suspended-in-epoch-3"),
        *unproven(11, "suspension-word", "ppp pp pppppu pn"),
        Case("valid-broken-proof-of-a-slot-nobody-asks-for", evidence="broken-slot-nobody-asks-for"),
        Case("step-10-failed-and-11", both, evidence="revoked-and-suspended", **also_suspended),
        Case("step-10-failed-all-bits-of-the-word", both, evidence="all-bits-of-the-word", **also_suspended),
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
    far = credential("from-far")
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
        Case("step-05-unknown-block-years-ahead", NO_BLOCK, "staleBlock", "block-years-ahead", data=far),
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
        failed(
            "without-evidence",
            late,
            "until-past",
            "ppp pu uuuuuu fn",
            evidence="none",
            reasons=dict.fromkeys(range(5, 12), "noEvidence"),
        ),
    ]


def _several() -> list[Case]:
    """Several anchor proofs: the best verdict counts, of equal ones the first."""
    good, second, bad = proof(), proof(tree=SECOND), proof(salt=number(5))
    small = proof(tree=ALONE, salt=number(5))
    both, turned = credential(proofs=[good, second]), credential(proofs=[second, good])
    second_only, bad_good = credential(proofs=[second]), credential(proofs=[bad, good])
    pending, compromised = "second-batch-not-final", "second-key-compromised"
    differently, unknown = "both-revoked-differently", "final-second-of-anchoring"
    outweighs = "second-not-final-first-revoked"
    revoked, cut_off = "ppp pp pppfpp pn", "ppp pp pfpppp pn"
    not_final, no_slots = "ppp pp uppppp pn", "ppp pp uuuupp pn"
    return [
        Case("valid-the-same-proof-twice", data=credential(proofs=[good, good])),
        Case("valid-second-proof-tampered", data=credential(proofs=[good, bad])),
        Case("valid-first-proof-tampered", data=bad_good),
        Case("valid-last-of-16-proofs", data=credential(proofs=[*[small] * 15, good])),
        Case("step-03-failed-both-proofs-tampered", NOT_INCLUDED, "tampered", data=credential(proofs=[bad, bad])),
        Case(
            "step-05-unknown-outweighs-a-tampered-proof",
            NO_BLOCK,
            "noEvidence",
            "none",
            data=bad_good,
        ),
        Case("valid-two-batches", evidence="three-batches", data=both),
        Case("valid-the-other-batch-revoked", evidence="second-batch-revoked"),
        Case("step-09-failed-this-batch-revoked", revoked, "batchRevoked", "first-batch-revoked"),
        Case("valid-first-of-two-batches-revoked", evidence="first-batch-revoked", data=both),
        Case("valid-second-of-two-batches-revoked", evidence="second-batch-revoked", data=both),
        Case(
            "step-07-failed-re-anchored-by-a-stolen-key",
            cut_off,
            "keyCompromised",
            compromised,
            data=second_only,
        ),
        Case("valid-one-of-two-by-a-stolen-key", evidence=compromised, data=turned),
        Case("step-06-unknown-second-batch-not-final", not_final, "pending", pending, data=second_only),
        Case("valid-second-batch-not-final", evidence=pending, data=turned),
        Case(
            "step-06-unknown-outweighs-a-revoked-batch",
            not_final,
            "pending",
            outweighs,
            data=both,
        ),
        Case("step-09-failed-and-the-second-by-a-stolen-key", revoked, "batchRevoked", differently, data=both),
        Case("step-07-failed-and-the-second-revoked", cut_off, "keyCompromised", differently, data=turned),
        Case("step-06-unknown-and-the-second-without-proof", not_final, "pending", unknown, data=both),
        Case("step-06-unknown-and-the-second-not-final", no_slots, "noEvidence", unknown, data=turned),
    ]
