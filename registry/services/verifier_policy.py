"""Which policy the service's verifier page comes with: what the operator chose, without what browsers must not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from anchor.cli.policies import read_policy
from anchor.ledger.endpoints import is_loopback
from anchor.ledger.trust_lists import resolve_policy
from anchor.model import Policy, Vouching


def page_policy(policy_file: Path, page_policy_file: Path | None, *, now: int) -> Policy:
    """Read what the page shall trust: never more than the operator does.

    A node's address may have an access key in it, or lead into the operator's network. So of the policy by which the
    service itself verifies, the page gets nodes on this machine only, for trying things out; others have to be named in
    a file of the page's own.

    Args:
        policy_file: The policy by which the service verifies.
        page_policy_file: The page's own; None: there is none.
        now: Unix seconds.

    Raises:
        PolicyFormatError: It cannot be used.
        TrustListError: It names a list that is a file, and that one is not there or not usable now.
    """
    if page_policy_file is not None:
        return _readable_by_pages(page_policy_file, now)
    policy = _readable_by_pages(policy_file, now)
    nodes = tuple(node for node in policy.nodes if is_loopback(node))
    if nodes == policy.nodes:
        return policy
    # What vouches stays what it was: of nodes that must agree, those that are left would be too few.
    return replace(policy, nodes=() if policy.vouching is Vouching.K_OF_N else nodes)


def _readable_by_pages(path: Path, now: int) -> Policy:
    """Read a policy; a page fetches lists from addresses itself, but cannot read files, so what those say is put in."""
    policy = read_policy(path)
    fetched = tuple(each for each in policy.trust_lists if "://" in each.source)
    files = tuple(each for each in policy.trust_lists if each not in fetched)
    return replace(resolve_policy(replace(policy, trust_lists=files), path, now), trust_lists=fetched)
