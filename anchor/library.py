"""Verification in three lines, for programs.

    from anchor import verify

    verdict = verify("credential.json", policy="policy.json")
    verdict.require_valid()

Reads files, the clock and, through `anchor.ledger`, the policy's nodes; the pure core beneath is `anchor.verify`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.credential import Credential, parse_credential
from anchor.errors import CredentialFormatError, MalformedError, PolicyFormatError
from anchor.evidence import Evidence
from anchor.ledger.trust_lists import resolve_policy
from anchor.model import Policy, Verdict
from anchor.policy import parse_policy
from anchor.verify import Verifier


def verify(
    credential: Credential | bytes | str | Path,
    policy: Policy | str | Path,
    *,
    evidence: Evidence | None = None,
    now: int | None = None,
) -> Verdict:
    """Judge one credential.

    Args:
        credential: A file's path or bytes, or what `parse_credential` made of it.
        policy: What you trust: a policy file's path (docs/spec/policy.md), or a `Policy`.
        evidence: State proofs at hand, such as a bundle's; None: the policy's nodes are asked.
        now: Unix seconds; None: this machine's clock.

    Returns:
        The verdict: ask its `outcome`, or call `require_valid()`. Nodes that do not answer make it unknown.

    Raises:
        MalformedError: The credential or the policy breaks its format, or cannot be read: there is no verdict.
        TrustListError: A trust list that the policy names is not kept beside it, or is not usable now.
    """
    (verdict,) = verify_all([credential], policy, evidence=evidence, now=now)
    if isinstance(verdict, MalformedError):
        raise verdict
    return verdict


def verify_all(
    credentials: Iterable[Credential | bytes | str | Path],
    policy: Policy | str | Path,
    *,
    evidence: Evidence | None = None,
    now: int | None = None,
) -> list[Verdict | MalformedError]:
    """Judge any number of credentials at one block and one time; evidence is fetched once for all.

    Args:
        credentials: As in `verify`.
        policy: As in `verify`.
        evidence: As in `verify`.
        now: As in `verify`.

    Returns:
        One for each, in order: its verdict, or what is malformed about it.

    Raises:
        PolicyFormatError: The policy breaks its format, or cannot be read.
        TrustListError: A trust list that the policy names is not kept beside it, or is not usable now.
    """
    now = int(time.time()) if now is None else now
    rules = policy if isinstance(policy, Policy) else _read_policy(Path(policy), now)
    parsed = [_parse(each) for each in credentials]
    if evidence is None:
        # What asks nodes takes a while to import, and whoever brings evidence does not need it.
        from anchor.ledger.gathering import gather_evidence

        evidence = gather_evidence((each for each in parsed if isinstance(each, Credential)), rules)
    verifier = Verifier(evidence, rules, now)
    return [verifier.verify(each) if isinstance(each, Credential) else each for each in parsed]


def _parse(credential: Credential | bytes | str | Path) -> Credential | MalformedError:
    if isinstance(credential, Credential):
        return credential
    try:
        return parse_credential(credential if isinstance(credential, bytes) else _read(Path(credential)))
    except MalformedError as error:
        return error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CredentialFormatError(f"{path} cannot be read: {_words(error)}") from error


def _read_policy(path: Path, now: int) -> Policy:
    try:
        with path.open("rb") as stream:
            policy = parse_policy(stream.read(MAX_DOCUMENT_BYTES + 1))
    except (OSError, ValueError) as error:
        if isinstance(error, MalformedError):
            raise
        raise PolicyFormatError(f"the policy file {path} cannot be read: {_words(error)}") from error
    return resolve_policy(policy, path, now)


def _words(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
