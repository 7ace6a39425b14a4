"""Every error that credanchor raises, in one tree.

    CredanchorError
    ├─ MalformedError (ValueError)     the bytes break the format                        API 400 · exit 2
    │   ├─ CredentialFormatError         not the strict JSON, or not the credential, asked for
    │   ├─ ProofFormatError              an anchor proof that breaks its format
    │   ├─ EvidenceFormatError           a header or state proof that breaks its format
    │   ├─ BundleFormatError             a bundle that breaks its format, or contradicts itself
    │   ├─ PolicyFormatError             a policy that breaks its format
    │   └─ SignedFormatError             a receipt, trust list, signature or did:key that breaks its format
    ├─ VerificationError               well-formed, but the claim does not hold          API 422 · exit 1
    │   ├─ TamperedError  InclusionError  NotAnchoredError  UntrustedIssuerError
    │   ├─ KeyNotValidError  KeyCompromisedError  BatchRevokedError  RevokedError
    │   └─ SuspendedError  NotYetValidError  ExpiredError
    ├─ UndeterminedError               what is at hand does not settle it                API 200 · exit 3
    │   ├─ NoEvidenceError  UntrustedRegistryError  UnvouchedBlockError  StaleBlockError
    │   └─ StateProofError  WrongCodeError  PendingError  UnconfirmedIssuerError
    │       RequiredProofError
    ├─ HistoryError                    the events given are not the whole history        exit 1
    ├─ FetchError                      nothing usable came from an address given         exit 3
    ├─ SignatureError                  a signature does not hold, or is another signer's exit 1
    ├─ TrustListError                  a trust list that the policy names cannot be used exit 3
    │   └─ RollbackError                 an older list than the one accepted before        exit 1
    └─ LedgerError                     the ledger was not read or not written            exit 3
        ├─ LedgerUnavailableError        no answer; safe to retry                          API 503
        │   └─ NodeRefusedError            the node answered with an error of its own
        │       └─ TooLittleCoinError          the account cannot pay for the transaction
        ├─ FeesTooHighError              the chain asks for more than may be paid; wait
        ├─ WrongLedgerError              chain id or contract is not the configured one; fatal
        ├─ RevertedError                 the contract refused; carries the Solidity error  API 409
        ├─ ReplacedError                 another transaction took the nonce; prepare anew  API 409
        ├─ KeyUnavailableError           the signing key could not be used
        └─ OutcomeUnknownError           sent, fate unknown; reconcile, never resend blindly

Errors never carry personal data or secrets: names, e-mails and passphrases stay out of messages.
"""

from __future__ import annotations

from typing import ClassVar


class CredanchorError(Exception):
    """Root of all errors raised by credanchor.

    Attributes:
        advice: What the person at the keyboard can do about it; empty when there is nothing to add.
    """

    exit_code: ClassVar[int] = 3
    """What the program says to scripts (design section 9)."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def advise(self, more: str) -> None:
        """Add a sentence to the advice."""
        ends = not self.advice or self.advice.endswith((".", "?", "!"))
        self.advice = f"{self.advice}{'' if ends else '.'} {more}".strip()

    def diagnostics(self) -> str:
        """Give the message followed by the advice, for people."""
        return f"{self}\n{self.advice}" if self.advice else str(self)


class MalformedError(CredanchorError, ValueError):
    """The bytes break their format; the same bytes will never be accepted."""

    exit_code: ClassVar[int] = 2


class CredentialFormatError(MalformedError):
    """Not strict JSON (design section 4), or not a credential with the members required."""


class ProofFormatError(MalformedError):
    """An anchor proof breaks docs/spec/anchor-proof.md."""


class EvidenceFormatError(MalformedError):
    """A block header or state proof is not what its format says."""


class BundleFormatError(MalformedError):
    """A bundle breaks docs/spec/bundle.md: its form, or what it proves is not what its credentials need."""


class PolicyFormatError(MalformedError):
    """A verifier's policy is not what its format says."""


class SignedFormatError(MalformedError):
    """A signed document (receipt, trust list), its proof, or a signer's did:key is not what its format says."""


class VerificationError(CredanchorError):
    """Well-formed, but the claim does not hold: the verdict is `invalid`."""

    exit_code: ClassVar[int] = 1
    reason: ClassVar[str] = "invalid"
    """Machine-readable reason shown in the verdict."""


class TamperedError(VerificationError):
    """The credential's content, or what it says of itself, was changed after anchoring."""

    reason = "tampered"


class InclusionError(TamperedError):
    """The siblings do not lead from the leaf to the root."""


class NotAnchoredError(VerificationError):
    """The credential carries no anchor proof, or its batch is not on the ledger."""

    reason = "notAnchored"


class UntrustedIssuerError(VerificationError):
    """The issuer is not who the credential says, was not accredited, or is denied by the policy."""

    reason = "untrustedIssuer"


class KeyNotValidError(VerificationError):
    """The key that anchored was not valid for anchoring at that time."""

    reason = "keyNotValid"


class KeyCompromisedError(VerificationError):
    """The key that anchored had been declared compromised from a time at or before the anchoring."""

    reason = "keyCompromised"


class BatchRevokedError(VerificationError):
    """The whole batch was revoked."""

    reason = "batchRevoked"


class RevokedError(VerificationError):
    """The credential was revoked."""

    reason = "revoked"


class SuspendedError(VerificationError):
    """The credential is suspended."""

    reason = "suspended"


class NotYetValidError(VerificationError):
    """The credential's `validFrom` is in the future."""

    reason = "notYetValid"


class ExpiredError(VerificationError):
    """The credential's `validUntil` has passed."""

    reason = "expired"


class UndeterminedError(CredanchorError):
    """What is at hand does not settle the question: the verdict is `unknown`, never `valid` or `invalid`."""

    reason: ClassVar[str] = "unknown"
    """Machine-readable reason shown in the verdict."""


class NoEvidenceError(UndeterminedError):
    """No evidence was obtained: the node did not answer, or answered without what is needed."""

    reason = "noEvidence"


class UntrustedRegistryError(UndeterminedError):
    """The registry that the credential names is not one the policy trusts."""

    reason = "untrustedRegistry"


class UnvouchedBlockError(UndeterminedError):
    """Nothing that the policy accepts vouches for the block."""

    reason = "unvouchedBlock"


class StaleBlockError(UndeterminedError):
    """The block is older than the policy's maximal age, or from the future."""

    reason = "staleBlock"


class StateProofError(UndeterminedError):
    """A state proof does not lead from the block's state root to the value."""

    reason = "badStateProof"


class WrongCodeError(UndeterminedError):
    """The account at the registry's address is absent, or has other code than the policy pins."""

    reason = "wrongCode"


class PendingError(UndeterminedError):
    """The anchoring is on the ledger but not final yet."""

    reason = "pending"


class RequiredProofError(UndeterminedError):
    """The policy requires another proof, which the credential does not carry or which is not judged here."""

    reason = "requiredProof"


class UnconfirmedIssuerError(UndeterminedError):
    """The policy wants the issuer's DID document to confirm its keys, and it does not, or could not be had."""

    reason = "unconfirmedIssuer"


class HistoryError(CredanchorError):
    """The events given are not the whole, unaltered history that the registry's heads commit to."""

    exit_code: ClassVar[int] = 1


class FetchError(CredanchorError):
    """What somebody named by its address was not fetched: nothing is known of it, neither good nor bad."""

    reason: ClassVar[str] = "notFetched"
    """Machine-readable reason shown where a verdict would be."""


class SignatureError(CredanchorError):
    """A signature does not hold, or is not that of the signer who was asked for."""

    exit_code: ClassVar[int] = 1


class TrustListError(CredanchorError):
    """A trust list that the policy names is absent, unreadable or expired: without it nothing may be determined."""


class RollbackError(TrustListError):
    """A trust list is older than the one accepted before, or another of the same number."""

    exit_code: ClassVar[int] = 1


class LedgerError(CredanchorError):
    """The ledger was not read or not written."""


class LedgerUnavailableError(LedgerError):
    """The node gave no usable answer; nothing was changed, so it is safe to retry."""


class NodesDisagreeError(LedgerUnavailableError):
    """Enough nodes answered, and too few of them said the same: one lies, or some lag, which passes."""


class NodeRefusedError(LedgerUnavailableError):
    """The node answered with an error instead of a result; whether asking again helps depends on what it says.

    Attributes:
        text: The node's own words.
        data: What it added: revert data where a contract refused; else empty.
    """

    def __init__(self, message: str, *, text: str, data: bytes = b"", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.text = text
        self.data = data


class AnswerTooLargeError(LedgerUnavailableError):
    """The node's answer was too long, or took too long to come; asking for less may help."""


class TooLittleCoinError(NodeRefusedError):
    """The account has not enough coin to pay for the transaction; nothing was sent."""


class FeesTooHighError(LedgerError):
    """The chain asks for more now than may be paid; nothing was signed, and waiting mends it."""


class WrongLedgerError(LedgerError):
    """The node serves another chain, or the address holds another contract, than configured."""


class RevertedError(LedgerError):
    """The contract refused the call; nothing was changed on the ledger.

    Attributes:
        name: The Solidity error's name, such as `AlreadyAnchored`; empty when the node did not say.
        arguments: The Solidity error's arguments by name.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str, *, name: str = "", arguments: dict[str, object] | None = None, advice: str = ""
    ) -> None:
        super().__init__(message, advice=advice)
        self.name = name
        self.arguments = arguments or {}


class ReplacedError(LedgerError):
    """Another transaction took this one's nonce, so this one can never be mined; it is safe to prepare a new one."""


class KeyUnavailableError(LedgerError):
    """The key needed for signing is absent, or its passphrase does not open it."""

    exit_code: ClassVar[int] = 2


class OutcomeUnknownError(LedgerError):
    """A transaction was sent and its fate is unknown: reconcile with the ledger before sending anything else."""
