"""In what database, service and ledger can differ: each kind by name, with what it means and what to do.

Nobody is named: credentials are status positions here, as on the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anchor.model import Address, Hash32, StatusPosition, to_hex


class DifferenceKind(Enum):
    """In what database, or service, and ledger differ."""

    NEVER_ANCHORED = "neverAnchored"
    NOT_ON_LEDGER = "notOnLedger"
    NOT_NOTED = "notNoted"
    FOREIGN_BATCH = "foreignBatch"
    OTHER_SIZE = "otherSize"
    VOID = "void"
    FOREIGN_VOID = "foreignVoid"
    REVOKED_ELSEWHERE = "revokedElsewhere"
    SUSPENDED_ELSEWHERE = "suspendedElsewhere"
    REINSTATED_ELSEWHERE = "reinstatedElsewhere"
    REVOCATION_MISSING = "revocationMissing"
    BATCH_REVOKED_ELSEWHERE = "batchRevokedElsewhere"
    BATCH_REVOCATION_MISSING = "batchRevocationMissing"
    UNKNOWN_POSITION = "unknownPosition"
    OTHER_DID = "otherDid"
    WITHDRAWN = "withdrawn"
    NO_SUCH_KEY = "noSuchKey"
    KEY_ENDED = "keyEnded"
    WRONG_KEY = "wrongKey"
    OTHER_CONTROLLER = "otherController"
    CONTROL_OFFERED = "controlOffered"
    SERVED_OTHERWISE = "servedOtherwise"
    SERVED_BEHIND = "servedBehind"
    SERVED_NOTHING = "servedNothing"
    SERVED_PROOF = "servedProof"
    INDEX_MISSING = "indexMissing"
    INDEX_FOREIGN = "indexForeign"
    INDEX_OTHERWISE = "indexOtherwise"
    INDEX_BEHIND = "indexBehind"


MEANINGS: Mapping[DifferenceKind, tuple[str, str]] = {
    DifferenceKind.NEVER_ANCHORED: (
        "sealed here and never anchored: its credentials are not valid",
        "Anchor it: run credanchor issue for the same roster again, or the worker. Or tell the learners.",
    ),
    DifferenceKind.NOT_ON_LEDGER: (
        "anchored, says the database, and not on the ledger",
        "The chain was reorganised, or the database is another registry's. Check the settings, then anchor it again.",
    ),
    DifferenceKind.NOT_NOTED: (
        "on the ledger, and not noted here",
        "Nothing is lost: any command that issues, or the worker, notes it.",
    ),
    DifferenceKind.FOREIGN_BATCH: (
        "anchored in the institution's name, and not from this database",
        "If no other program of yours did it, the key is stolen: credanchor incident anchor-key.",
    ),
    DifferenceKind.OTHER_SIZE: (
        "anchored with another number of credentials than were sealed here",
        "Somebody else anchored this root. Compare the files; if nobody of yours did, the key is stolen.",
    ),
    DifferenceKind.VOID: (
        "void, for its key is declared compromised since before it was anchored",
        "Anchor it again with the new key: credanchor incident anchor-key does it.",
    ),
    DifferenceKind.FOREIGN_VOID: (
        "anchored in the institution's name, not from this database, and void by now",
        "A theft that was dealt with: nobody takes its credentials for valid. Nothing is left to do.",
    ),
    DifferenceKind.REVOKED_ELSEWHERE: (
        "revoked on the ledger, and nobody asked for it here",
        "If no other program of yours did it, the key is stolen: credanchor incident status-key.",
    ),
    DifferenceKind.SUSPENDED_ELSEWHERE: (
        "suspended on the ledger, and nobody asked for it here",
        "Reinstate it if that is wrong. If no other program of yours did it: credanchor incident status-key.",
    ),
    DifferenceKind.REINSTATED_ELSEWHERE: (
        "suspended, says the database, and not on the ledger",
        "Suspend it again if it still should be. If no other program of yours did it: credanchor incident status-key.",
    ),
    DifferenceKind.REVOCATION_MISSING: (
        "revoked, says the database, and not on the ledger: verifiers take it for valid",
        "Revoke it again. After a stolen status key was declared: credanchor incident status-key repeats all of them.",
    ),
    DifferenceKind.BATCH_REVOKED_ELSEWHERE: (
        "revoked as a whole on the ledger, and nobody asked for it here",
        "If no other program of yours did it, the key is stolen: credanchor incident status-key.",
    ),
    DifferenceKind.BATCH_REVOCATION_MISSING: (
        "revoked as a whole, says the database, and not on the ledger: verifiers take it for valid",
        "Revoke the batch again.",
    ),
    DifferenceKind.UNKNOWN_POSITION: (
        "its status was changed on the ledger, and no batch here has this position",
        "It is of a batch that is in another database, or of nothing: look at the transaction.",
    ),
    DifferenceKind.OTHER_DID: (
        "the ledger has another DID for this issuer than the settings",
        "Correct did or issuer_id in the settings: credentials issued like this are not valid.",
    ),
    DifferenceKind.WITHDRAWN: (
        "the accreditation has ended: what is anchored now is not valid",
        "Ask the accreditor. What was anchored before stays good.",
    ),
    DifferenceKind.NO_SUCH_KEY: (
        "a key of the settings is none of this issuer's on the ledger",
        "Add it with credanchor issuer key add, or correct the settings.",
    ),
    DifferenceKind.KEY_ENDED: (
        "a key of the settings was retired or declared compromised",
        "Put its successor into the settings: credanchor incident rotate makes one.",
    ),
    DifferenceKind.WRONG_KEY: (
        "a key of the settings may not do what it is there for",
        "Correct the settings: one key anchors, another one changes status, in the status epoch that counts.",
    ),
    DifferenceKind.OTHER_CONTROLLER: (
        "another account controls this issuer on the ledger than was settled",
        "If you handed it over, settle the new one (controller in settings.toml); else ask the accreditor to withdraw.",
    ),
    DifferenceKind.CONTROL_OFFERED: (
        "control of this issuer is offered to an account that has not taken it",
        "If it is not yours, the controller's key is stolen: credanchor incident controller --to an account of yours.",
    ),
    DifferenceKind.SERVED_OTHERWISE: (
        "the service says otherwise than the ledger, at a block that it has passed",
        "Restart the service; if it stays so, it, or its node, is not to be trusted.",
    ),
    DifferenceKind.SERVED_BEHIND: (
        "the service is behind the ledger",
        "Wait a minute and try again; if it stays so, look at its worker and its node.",
    ),
    DifferenceKind.SERVED_NOTHING: (
        "the service does not know a batch that is on the ledger and here, or a credential of one",
        "Its database is another one than this: see what was restored, or which service it is.",
    ),
    DifferenceKind.SERVED_PROOF: (
        "the service gives an anchor proof with which the credential does not verify",
        "Do not hand out what it gives: restore its database, and see who changed it.",
    ),
    DifferenceKind.INDEX_MISSING: (
        "the explorer does not show this event, though it shows the ledger at a later block",
        "Have the service read the history anew (docs/guides/reconcile.md), and see who changes its database.",
    ),
    DifferenceKind.INDEX_FOREIGN: (
        "the explorer shows an event that the ledger has not",
        "Have the service read the history anew (docs/guides/reconcile.md), and see who changes its database.",
    ),
    DifferenceKind.INDEX_OTHERWISE: (
        "the explorer shows something otherwise than it is on the ledger",
        "Have the service read the history anew (docs/guides/reconcile.md), and see who changes its database.",
    ),
    DifferenceKind.INDEX_BEHIND: (
        "the explorer is behind the ledger",
        "Wait a minute and try again; if it stays so, look at the service's log, its nodes and its policy.",
    ),
}
"""What each means, and what to do."""

SETTLED: Final = frozenset({DifferenceKind.FOREIGN_VOID})
"""What is told, and is no reason to do anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference; of what it is about, what there is."""

    kind: DifferenceKind
    root: Hash32 | None = None
    position: StatusPosition | None = None
    key: Address | None = None
    """Who did it, or which key it is about."""
    transaction: Hash32 | None = None
    detail: str = ""


def subject_of(difference: Difference) -> str:
    """Name what a difference is about."""
    if difference.root is not None:
        return f"batch {to_hex(difference.root)}"
    if difference.position is not None:
        return f"list {difference.position.status_list}, index {difference.position.index}"
    return f"key {to_hex(difference.key)}" if difference.key is not None else "issuer"
