"""Where a verifier's policy comes from: a file, flags, or what `credanchor dev up` wrote."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.errors import MalformedError, PolicyFormatError
from anchor.known_blocks import parse_known_blocks_file
from anchor.ledger.abi import runtime_code_hash
from anchor.ledger.endpoints import endpoint_of, require_distinct
from anchor.ledger.trust_lists import resolve_policy
from anchor.model import KnownBlock, Policy, RegistryId, TrustedRegistry, Vouching
from anchor.policy import parse_policy

HOME_VARIABLE: Final = "CREDANCHOR_HOME"
DEFAULT_HOME: Final = ".credanchor"
POLICY_FILE: Final = "policy.json"

PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", help="Policy file. Default: policy.json in $CREDANCHOR_HOME, else in ./.credanchor."),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option("--trust", metavar="REGISTRY", help="Trust this registry, eip155:<chain id>:<0x address>."),
]
RpcOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc",
        metavar="URL",
        help="Ask this node. One is believed for the block hash and nothing else; of several, given with --trust, more "
        "than half must agree on it.",
    ),
]
AgreeOption = Annotated[
    int | None, typer.Option("--agree", metavar="K", help="So many of the nodes must agree on the block hash.")
]
OwnNodeOption = Annotated[
    bool, typer.Option("--own-node", help="The first node is yours: the verdict says that it rests on your own node.")
]
MaxAgeOption = Annotated[
    str | None,
    typer.Option("--max-age", metavar="SECONDS|any", help="Oldest block accepted. Default with --trust: 3600."),
]
ConfirmationsOption = Annotated[
    int | None,
    typer.Option(
        "--confirmations",
        metavar="N",
        help="Blocks on top that make an anchoring final. Default with --trust: the chain's own finality decides.",
    ),
]
DenyOption = Annotated[
    list[str] | None, typer.Option("--deny", metavar="DID", help="Accept no credential of this issuer.")
]
KnownBlocksOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--known-blocks",
        metavar="FILE",
        help="File of blocks that you know (credanchor known-blocks): nothing else vouches then.",
    ),
]


def load_policy(
    policy_file: Path | None,
    trust: list[str] | None,
    rpc: list[str] | None,
    *,
    agree: int | None = None,
    own_node: bool = False,
    max_age: str | None = None,
    confirmations: int | None = None,
    deny: list[str] | None = None,
    known_blocks: Sequence[Path] | None = None,
    needs_nodes: bool = True,
) -> Policy:
    """Build the policy that the flags and files name.

    With `--trust`, the code expected at the address is that of this version's contract, which is the same for every
    deployment; the chain's own finality and a maximal age of one hour apply; of several nodes more than half must
    agree. Without it, the policy file decides. The other flags then replace what it says.

    Args:
        policy_file: `--policy`.
        trust: `--trust`.
        rpc: `--rpc`.
        agree: `--agree`.
        own_node: `--own-node`.
        max_age: `--max-age`.
        confirmations: `--confirmations`.
        deny: `--deny`, beside those whom the policy file denies.
        known_blocks: `--known-blocks`, beside those that the policy knows: with them it pins blocks.
        needs_nodes: A policy that names no node is of no use, unless it pins blocks.

    Raises:
        PolicyFormatError: There is no policy, or it is not usable; the advice says what to give.
        TrustListError: A trust list that it names is not there, or not usable now.
    """
    if trust:
        policy = _trusting(policy_file, trust, rpc or [], needs_nodes=not known_blocks)
    else:
        policy = _resolved(policy_path(policy_file))
    changes: dict[str, Any] = {"nodes": tuple(rpc)} if rpc else {}
    if agree is not None or own_node:
        if agree is not None and own_node:
            raise PolicyFormatError("give --agree or --own-node, not both: your own node need not agree with others")
        changes |= {"vouching": Vouching.OWN_NODE if own_node else Vouching.K_OF_N, "agreeing": agree}
    if known_blocks:
        if agree is not None or own_node:
            raise PolicyFormatError(
                "give --known-blocks, or --agree or --own-node: nodes do not vouch for known blocks"
            )
        known = policy.known_blocks.union(*map(read_known_blocks, known_blocks))
        changes |= {"vouching": Vouching.PINNED_HASH, "known_blocks": known}
    if max_age is not None:
        changes["max_age_seconds"] = _seconds(max_age)
    if confirmations is not None:
        changes["confirmations"] = confirmations
    if deny:
        changes["denied_issuers"] = policy.denied_issuers | frozenset(deny)
    try:
        policy = replace(policy, **changes)
    except PolicyFormatError:
        raise
    except MalformedError as error:
        raise PolicyFormatError(f"the policy is not usable: {error}") from error
    if needs_nodes and policy.vouching is not Vouching.PINNED_HASH:
        _require_usable_nodes(policy)
    return policy


def _trusting(policy_file: Path | None, trust: list[str], rpc: list[str], *, needs_nodes: bool) -> Policy:
    if policy_file is not None:
        raise PolicyFormatError("give --policy or --trust, not both: a policy file already names its registries")
    if needs_nodes and not rpc:
        raise PolicyFormatError("--trust needs a node to ask", advice="Add --rpc URL.")
    code_hash = runtime_code_hash()
    pins = tuple(TrustedRegistry(registry=RegistryId.parse(text), code_hash=code_hash) for text in trust)
    return Policy(registries=pins, vouching=Vouching.K_OF_N if len(rpc) > 1 else Vouching.ONE_NODE)


def read_known_blocks(path: Path) -> frozenset[KnownBlock]:
    """Read a file of known blocks.

    Raises:
        PolicyFormatError: It cannot be read, or is none.
    """
    try:
        with path.open("rb") as stream:
            return parse_known_blocks_file(stream.read(MAX_DOCUMENT_BYTES + 1))
    except OSError as error:
        raise PolicyFormatError(f"the file of known blocks {path} cannot be read: {error.strerror}") from error


def policy_path(policy_file: Path | None) -> Path:
    """Tell which policy file is meant: the one given, else the one in the home folder."""
    return policy_file or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME) / POLICY_FILE


def read_policy(path: Path) -> Policy:
    """Read a policy file; what its trust lists say is not in it.

    Raises:
        PolicyFormatError: There is none, or it is not usable.
    """
    try:
        with path.open("rb") as stream:
            return parse_policy(stream.read(MAX_DOCUMENT_BYTES + 1))
    except FileNotFoundError as error:
        raise PolicyFormatError(
            f"there is no policy file {path}",
            advice="Name what you trust: --trust eip155:<chain id>:<registry address> --rpc <node>, or --policy FILE.",
        ) from error
    except OSError as error:
        raise PolicyFormatError(f"the policy file {path} cannot be read: {error.strerror}") from error


def _seconds(text: str) -> int | None:
    if text == "any":
        return None
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise PolicyFormatError("--max-age is a number of seconds, or any", advice="For instance --max-age 3600.")
    return int(text)


def _require_usable_nodes(policy: Policy) -> None:
    if not policy.nodes:
        raise PolicyFormatError("the policy names no node to ask", advice="Give --rpc URL, once for each node.")
    endpoints = [endpoint_of(url) for url in policy.nodes]
    if policy.vouching is Vouching.K_OF_N:
        require_distinct(endpoints)


def _resolved(path: Path) -> Policy:
    return resolve_policy(read_policy(path), path, int(time.time()))
