"""Which policy the service's verifier page comes with: what the operator chose, without what browsers must not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from anchor.cli.policies import read_policy
from anchor.ledger.endpoints import is_loopback
from anchor.model import Policy, Vouching


def page_policy(policy_file: Path, page_policy_file: Path | None) -> Policy:
    """Read what the page shall trust.

    A node's address may have an access key in it, or lead into the operator's network. So of the policy by which the
    service itself verifies, the page gets nodes on this machine only, for trying things out; others have to be named in
    a file of the page's own.

    Args:
        policy_file: The policy by which the service verifies.
        page_policy_file: The page's own; None: there is none.

    Raises:
        PolicyFormatError: It cannot be used.
    """
    if page_policy_file is not None:
        return read_policy(page_policy_file)
    policy = read_policy(policy_file)
    nodes = tuple(node for node in policy.nodes if is_loopback(node))
    kept = policy if nodes == policy.nodes else replace(policy, nodes=nodes, vouching=Vouching.ONE_NODE, agreeing=None)
    # A list that is a file cannot be read by a page, which would then determine nothing.
    return replace(kept, trust_lists=tuple(each for each in kept.trust_lists if "://" in each.source))
