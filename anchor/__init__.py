"""credanchor's verifier: check credentials, and audit issuers, against a ledger instead of a server.

    from anchor import parse_credential, parse_policy, verify
    from anchor.ledger import collect_evidence

    credential = parse_credential(Path("credential.json").read_bytes())
    policy = parse_policy(Path("policy.json").read_bytes())
    verdict = verify(credential, collect_evidence(credential.requests, policy), policy, int(time.time()))
    verdict.require_valid()

The package's root is pure: no I/O, no clock. `anchor.ledger` reads and writes the ledger, `anchor.cli` is the program.
"""

from anchor.credential import Credential, parse_credential
from anchor.errors import CredanchorError, MalformedError, UndeterminedError, VerificationError
from anchor.evidence import Evidence
from anchor.model import Outcome, Policy, RegistryId, TrustedRegistry, Verdict
from anchor.policy import parse_policy
from anchor.verify import verify

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
]
