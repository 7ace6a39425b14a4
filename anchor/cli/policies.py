"""Where a verifier's policy comes from: a file, flags, or what `credanchor dev up` wrote."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.trust_lists import resolve_policy
from anchor.errors import PolicyFormatError
from anchor.ledger.abi import runtime_code_hash
from anchor.model import Policy, RegistryId, TrustedRegistry
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
    typer.Option("--rpc", metavar="URL", help="Ask this node; it is believed for the block hash and nothing else."),
]


def load_policy(policy_file: Path | None, trust: list[str] | None, rpc: list[str] | None) -> Policy:
    """Build the policy that the flags and files name.

    With `--trust`, the code expected at the address is that of this version's contract, which is the same for every
    deployment; the chain's own finality and a maximal age of one hour apply. Without it, the policy file decides, and
    `--rpc` only replaces its nodes.

    Raises:
        PolicyFormatError: There is no policy, or it is not usable; the advice says what to give.
        TrustListError: A trust list that it names is not there, or not usable now.
    """
    nodes = tuple(rpc or ())
    if trust:
        if policy_file is not None:
            raise PolicyFormatError("give --policy or --trust, not both: a policy file already names its registries")
        if not nodes:
            raise PolicyFormatError("--trust needs a node to ask", advice="Add --rpc URL.")
        code_hash = runtime_code_hash()
        pins = tuple(TrustedRegistry(registry=RegistryId.parse(text), code_hash=code_hash) for text in trust)
        return _usable(Policy(registries=pins, nodes=nodes))
    path = policy_path(policy_file)
    policy = resolve_policy(read_policy(path), path)
    return _usable(replace(policy, nodes=nodes) if nodes else policy)


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


def _usable(policy: Policy) -> Policy:
    if len(policy.nodes) != 1:
        raise PolicyFormatError(
            f"the policy names {len(policy.nodes)} nodes; this version asks exactly one", advice="Give one --rpc URL."
        )
    return policy
