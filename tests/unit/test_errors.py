"""What scripts and callers rely on: exit codes, reasons, and which error is a kind of which."""

import pytest

from anchor import errors
from anchor.errors import CredanchorError, NodeRefusedError, RevertedError, UndeterminedError, VerificationError

EXIT_CODES = {
    "CredanchorError": 3,
    "MalformedError": 2,
    "CredentialFormatError": 2,
    "ProofFormatError": 2,
    "EvidenceFormatError": 2,
    "BundleFormatError": 2,
    "PolicyFormatError": 2,
    "SignedFormatError": 2,
    "VerificationError": 1,
    "UndeterminedError": 3,
    "HistoryError": 1,
    "SignatureError": 1,
    "TrustListError": 3,
    "RollbackError": 1,
    "LedgerError": 3,
    "LedgerUnavailableError": 3,
    "NodeRefusedError": 3,
    "WrongLedgerError": 3,
    "RevertedError": 1,
    "ReplacedError": 3,
    "KeyUnavailableError": 2,
    "OutcomeUnknownError": 3,
}
"""Design section 9. Children that are not named here have their parent's."""

REASONS = {
    "VerificationError": "invalid",
    "TamperedError": "tampered",
    "InclusionError": "tampered",
    "NotAnchoredError": "notAnchored",
    "UntrustedIssuerError": "untrustedIssuer",
    "KeyNotValidError": "keyNotValid",
    "KeyCompromisedError": "keyCompromised",
    "BatchRevokedError": "batchRevoked",
    "RevokedError": "revoked",
    "SuspendedError": "suspended",
    "NotYetValidError": "notYetValid",
    "ExpiredError": "expired",
    "UndeterminedError": "unknown",
    "NoEvidenceError": "noEvidence",
    "UntrustedRegistryError": "untrustedRegistry",
    "UnconfirmedIssuerError": "unconfirmedIssuer",
    "UnvouchedBlockError": "unvouchedBlock",
    "StaleBlockError": "staleBlock",
    "StateProofError": "badStateProof",
    "WrongCodeError": "wrongCode",
    "PendingError": "pending",
    "RequiredProofError": "requiredProof",
}
"""Design section 7: what a verdict shows to programs."""

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CredanchorError)]


@pytest.mark.parametrize("kind", ALL)
def test_exit_codes_tell_scripts_what_happened(kind: type[CredanchorError]) -> None:
    assert kind.exit_code == next(EXIT_CODES[parent.__name__] for parent in kind.mro() if parent.__name__ in EXIT_CODES)


@pytest.mark.parametrize("kind", [kind for kind in ALL if issubclass(kind, VerificationError | UndeterminedError)])
def test_reasons_are_the_words_that_programs_know(kind: type[VerificationError | UndeterminedError]) -> None:
    assert kind.reason == REASONS[kind.__name__]


def test_malformed_is_a_value_error_and_nothing_else_is() -> None:
    assert {kind.__name__ for kind in ALL if issubclass(kind, ValueError)} == {
        name for name, code in EXIT_CODES.items() if name.endswith("FormatError") or name == "MalformedError"
    }


def test_unsettled_is_neither_invalid_nor_a_failure_of_the_ledger() -> None:
    for kind in ALL:
        assert sum(issubclass(kind, root) for root in (VerificationError, UndeterminedError, errors.LedgerError)) <= 1


def test_diagnostics_end_with_the_advice() -> None:
    error = RevertedError("refused", name="ZeroRoot", arguments={"root": 0}, advice="Do this.")
    assert error.diagnostics() == "refused\nDo this."
    assert (str(error), error.advice) == ("refused", "Do this.")
    assert (error.name, error.arguments) == ("ZeroRoot", {"root": 0})


def test_nothing_is_made_up_when_there_is_no_more_to_say() -> None:
    error = RevertedError("refused")
    assert error.diagnostics() == "refused"
    assert (error.advice, error.name, error.arguments) == ("", "", {})
    assert (CredanchorError("failed").advice, CredanchorError("failed").diagnostics()) == ("", "failed")


def test_a_nodes_refusal_keeps_its_own_words() -> None:
    error = NodeRefusedError("the node refused", text="header not found", data=b"\x01", advice="Ask another node.")
    assert (str(error), error.text, error.data, error.advice) == (
        "the node refused",
        "header not found",
        b"\x01",
        "Ask another node.",
    )
    assert NodeRefusedError("refused", text="x").data == b""
    assert NodeRefusedError("refused", text="x").advice == ""


def test_a_message_given_by_its_name_is_shown_too() -> None:
    assert str(CredanchorError(message="failed")) == "failed"


@pytest.mark.parametrize(
    ("advice", "expected"),
    [
        ("", "Try again."),
        ("send it some coin", "send it some coin. Try again."),
        ("Send it some coin.", "Send it some coin. Try again."),
        ("Was it you?", "Was it you? Try again."),
    ],
)
def test_advice_grows_by_sentences(advice: str, expected: str) -> None:
    error = CredanchorError("no", advice=advice)
    error.advise("Try again.")
    assert error.advice == expected
