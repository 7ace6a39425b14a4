"""credanchor's verifier: check credentials, and audit issuers, against a ledger instead of a server.

    from anchor import verify

    verdict = verify("credential.json", policy="policy.json")
    verdict.require_valid()

The modules beside this one are pure: no I/O, no clock. `anchor.library` has what is above, `anchor.ledger` reads and
writes the ledger, `anchor.cli` is the program.
"""

from anchor.credential import Credential, parse_credential
from anchor.errors import CredanchorError, MalformedError, UndeterminedError, VerificationError
from anchor.evidence import Evidence
from anchor.library import verify, verify_all
from anchor.model import Outcome, Policy, RegistryId, TrustedRegistry, Verdict
from anchor.policy import parse_policy

__all__ = [
    "CredanchorError",
    "Credential",
    "Evidence",
    "MalformedError",
    "Outcome",
    "Policy",
    "RegistryId",
    "TrustedRegistry",
    "UndeterminedError",
    "Verdict",
    "VerificationError",
    "parse_credential",
    "parse_policy",
    "verify",
    "verify_all",
]
