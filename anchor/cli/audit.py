"""`credanchor audit`: the registry's whole history, replayed and proven complete by state proofs at one block."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Final

import typer

from anchor.audit import check_complete, read_heads, slots_of_heads
from anchor.batch_steps import basis_of, check_ledger
from anchor.cli.histories import csv_text, history_content, print_history
from anchor.cli.output import JsonFlag, error_console, print_json
from anchor.cli.policies import PolicyOption, RpcOption, TrustOption, load_policy
from anchor.errors import HistoryError, LedgerUnavailableError, MalformedError, PolicyFormatError
from anchor.evidence import ISSUER_COUNT_SLOT, LedgerState
from anchor.history import History
from anchor.model import Basis, Policy, TrustedRegistry
from anchor.replay import replay

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
    as_json: JsonFlag = False,
) -> None:
    """Show the whole history, and prove that nothing is left out."""
    rules = load_policy(policy, trust, rpc)
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
    """Fetch, replay and prove a registry's history at the newest block.

    Raises:
        HistoryError: The events given are not the whole history.
        LedgerError: The node did not answer.
        UndeterminedError: Its state proofs do not hold, or the block is not one that the policy accepts.
    """
    # web3 takes a second to import; `--help` needs none of it.
    from anchor.ledger.client import LedgerClient
    from anchor.ledger.collect import collect_slots

    client = LedgerClient(policy.nodes[0])
    client.require_chain(pin.registry.chain_id)
    block = client.latest_block()
    # Before anything long: is this a fresh block, and is the contract there?
    state = LedgerState(collect_slots(client, pin.registry, [ISSUER_COUNT_SLOT], policy, block=block))
    check_ledger(state, pin, policy, int(time.time()))
    tell(f"reading events up to block {block.header.number}")
    try:
        history = replay(client.logs(pin.registry.address, 0, block.header.number), pin.registry)
        tell(f"proving that {len(history.events)} events are all there are")
        state = LedgerState(collect_slots(client, pin.registry, slots_of_heads(history), policy, block=block))
        check_complete(history, read_heads(state, history))
    except HistoryError as error:
        # Events are named by block number, the proof by block hash: after a reorganisation they are of two chains.
        again = client.block(block.header.number)
        if again is None or again.header.hash != block.header.hash:
            raise LedgerUnavailableError(
                "the chain was reorganised during the audit", advice="Run it again."
            ) from error
        raise
    return history, basis_of(state, pin)
