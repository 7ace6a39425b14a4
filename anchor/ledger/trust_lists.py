"""Trust lists that a policy names: fetched, and kept beside the policy so that none older is ever accepted again.

    policy.json
    trust-lists/<SHA-256 of source and signer>.json     the list accepted last, as it came

Verifying asks nobody for lists: it uses those kept here, each checked anew, and refuses when one is missing or expired.
"""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path
from typing import Final

from anchor.canonical import MAX_DOCUMENT_BYTES, canonicalize
from anchor.data_integrity import require_signer
from anchor.errors import MalformedError, SignatureError, SignedFormatError, TrustListError
from anchor.ledger.files import PUBLIC, write_over
from anchor.model import Policy, TrustListSource
from anchor.trust_list import TrustList, apply_trust_lists, check_trust_list

FOLDER: Final = "trust-lists"

_UPDATE: Final = "Run: credanchor trust update"


def resolve_policy(policy: Policy, policy_file: Path, now: int) -> Policy:
    """Put into a policy what the lists kept beside it say.

    Args:
        policy: The policy.
        policy_file: Where it was read from.
        now: Unix seconds.

    Raises:
        TrustListError: A list is not there, does not hold, or is not usable now: nothing may be determined without it.
    """
    if not policy.trust_lists:
        return policy
    kept = []
    for source in policy.trust_lists:
        try:
            trust_list = read_kept(policy_file, source)
        except (MalformedError, SignatureError) as error:
            raise TrustListError(
                f"the trust list kept of {source.source} cannot be used: {error}", advice=_UPDATE
            ) from error
        if trust_list is None:
            raise TrustListError(f"the trust list {source.source} was not fetched yet", advice=_UPDATE)
        kept.append(trust_list)
    return apply_trust_lists(policy, kept, now)


def update(policy_file: Path, source: TrustListSource) -> tuple[TrustList, bool]:
    """Get one list, and keep it if it may take the place of the one before.

    Args:
        policy_file: The policy that names it.
        source: Where it comes from, and who must have signed it.

    Returns:
        The list, and whether it is a newer one.

    Raises:
        SignedFormatError: It breaks the format, or cannot be read.
        SignatureError: Its signature does not hold, or is another signer's.
        RollbackError: It is older than the one kept, or another of the same number.
        TrustListError: It has expired, is from the future, or cannot be kept.
        FetchError: It did not come.
    """
    data = _get(policy_file, source.source)
    trust_list = check_trust_list(data)
    require_signer(trust_list.signature, source.signer)
    before = read_kept(policy_file, source)
    if before is not None:
        trust_list.require_successor_of(before)
    trust_list.require_usable(int(time.time()))
    if before == trust_list:
        return trust_list, False
    path = kept_path(policy_file, source)
    try:
        path.parent.mkdir(exist_ok=True)
        write_over(path, data, mode=PUBLIC)
    except OSError as error:
        raise TrustListError(f"the trust list cannot be kept in {path.parent}: {error.strerror}") from error
    return trust_list, True


def read_kept(policy_file: Path, source: TrustListSource) -> TrustList | None:
    """Read the list accepted last; None if there was none.

    Raises:
        SignedFormatError: What is kept is no trust list, or cannot be read.
        SignatureError: Its signature does not hold, or is another signer's.
    """
    path = kept_path(policy_file, source)
    if not path.exists():
        return None
    trust_list = check_trust_list(read_list(path))
    require_signer(trust_list.signature, source.signer)
    return trust_list


def kept_path(policy_file: Path, source: TrustListSource) -> Path:
    """Tell where the list accepted last is kept."""
    name = sha256(canonicalize({"source": source.source, "signer": source.signer})).hexdigest()
    return policy_file.parent / FOLDER / f"{name}.json"


def read_list(path: Path) -> bytes:
    """Read a list's file, at most one byte more than it may have.

    Raises:
        SignedFormatError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise SignedFormatError(f"the trust list {path} cannot be read: {error.strerror}") from error


def _get(policy_file: Path, source: str) -> bytes:
    if not source.startswith("https://"):
        return read_list(policy_file.parent / source)
    # Requests takes a while to import.
    from anchor.ledger.fetching import fetch

    return fetch(source, max_bytes=MAX_DOCUMENT_BYTES)
