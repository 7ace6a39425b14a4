"""`credanchor audit`: the registry's whole history, replayed and proven complete by state proofs at one block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from anchor.audit import check_complete, read_heads, slots_of_heads
from anchor.batch_steps import basis_of, check_ledger
from anchor.cli.histories import csv_text, history_content, print_history
from anchor.cli.output import JsonFlag, error_console, print_json
from anchor.cli.policies import (
    AgreeOption,
    MaxAgeOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
)
from anchor.errors import HistoryError, LedgerError, LedgerUnavailableError, MalformedError, PolicyFormatError
from anchor.evidence import ISSUER_COUNT_SLOT, LedgerState
from anchor.history import History
from anchor.model import Basis, BlockHeader, Hash32, Policy, TrustedRegistry
from anchor.replay import replay

if TYPE_CHECKING:
    from anchor.ledger.client import LedgerClient

HELP: Final = """Show what every issuer anchored, revoked and suspended, and prove that nothing is left out.

Also who was accredited and withdrawn, by whom; which keys ended; which batches are void because their key was stolen;
and what is no longer revoked because a new status epoch counts.

Events come from the node and are believed only together: replayed in order they must lead to the heads that stand in
the contract's state, which are read by state proofs. An event that is missing, altered or invented is found.

Exit code: 0 complete · 1 not the whole history · 2 malformed usage · 3 could not be determined.

Examples:

  credanchor audit

  credanchor audit --issuer did:web:college.example --format csv > history.csv
"""


class Format(Enum):
    """How the history is shown."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def command(
    issuer: Annotated[str | None, typer.Option("--issuer", metavar="DID", help="Show only this issuer.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to show it.")] = Format.TABLE,
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    max_age: MaxAgeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the whole history, and prove that nothing is left out."""
    rules = load_policy(policy, trust, rpc, agree=agree, own_node=own_node, max_age=max_age)
    if len(rules.registries) != 1:
        raise PolicyFormatError(
            f"the policy trusts {len(rules.registries)} registries; an audit is of one", advice="Name it with --trust."
        )
    with error_console.status("asking the node") as status:
        history, basis = audit_registry(rules.registries[0], rules, status.update)
    if issuer is not None and all(each.did != issuer for each in history.issuers):
        raise MalformedError("the registry has never accredited an issuer with this DID")
    if as_json or output is Format.JSON:
        print_json(history_content(history, basis, issuer))
    elif output is Format.CSV:
        typer.echo(csv_text(history, issuer), nl=False)
    else:
        print_history(history, basis, issuer)


def audit_registry(pin: TrustedRegistry, policy: Policy, tell: Callable[[str], None]) -> tuple[History, Basis]:
    """Fetch, replay and prove a registry's history at the newest block that is vouched for.

    Raises:
        HistoryError: The events given are not the whole history.
        LedgerError: No node answered, or those that did gave no whole history.
        UndeterminedError: Their state proofs do not hold, or the block is not one that the policy accepts.
    """
    # What asks nodes takes a while to import; `--help` needs none of it.
    from anchor.ledger.client import clients_of
    from anchor.ledger.collect import collect_slots
    from anchor.ledger.vouching import combined, vouch_newest

    nodes = clients_of(policy)
    vouched = vouch_newest(nodes, pin.registry.chain_id, policy)

    def prove(slots: Iterable[Hash32]) -> LedgerState:
        return LedgerState(collect_slots(nodes, pin.registry, slots, policy, vouched=vouched))

    # Before anything long: is this a fresh block, and is the contract there?
    state = prove([ISSUER_COUNT_SLOT])
    check_ledger(state, pin, policy, int(time.time()))
    failures: list[LedgerError] = []
    refuted: HistoryError | None = None
    for node in sorted(nodes, key=lambda node: node.node not in vouched.vouched_by):
        try:
            return _history_from(node, pin, state.block, prove, tell), basis_of(state, pin)
        except LedgerError as error:
            failures.append(error)
        except HistoryError as error:
            # Whatever one node gives is no proof against what another may give.
            refuted = error
            failures.append(LedgerUnavailableError(f"the events that the node {node.node} gave are not all: {error}"))
    raise refuted if refuted is not None and len(nodes) == 1 else combined(failures)


def _history_from(
    node: LedgerClient,
    pin: TrustedRegistry,
    block: BlockHeader,
    prove: Callable[[Iterable[Hash32]], LedgerState],
    tell: Callable[[str], None],
) -> History:
    """Read the events that one node gives up to a block, and prove that they are all."""
    node.require_chain(pin.registry.chain_id)
    tell(f"reading events up to block {block.number}")
    try:
        history = replay(node.logs(pin.registry.address, 0, block.number), pin.registry)
        tell(f"proving that {len(history.events)} events are all there are")
        check_complete(history, read_heads(prove(slots_of_heads(history)), history))
    except HistoryError as error:
        # Events are named by block number, the proof by block hash: after a reorganisation they are of two chains.
        again = node.block(block.number)
        if again is None or again.header.hash != block.hash:
            raise LedgerUnavailableError(
                "the chain was reorganised during the audit", advice="Run it again."
            ) from error
        raise
    return history
