"""`credanchor known-blocks add|show`: files of blocks that verifiers without network may know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from anchor.bundle import MAX_BUNDLE_BYTES, Bundle, parse_bundle
from anchor.cli.files import write_pieces
from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.cli.policies import (
    AgreeOption,
    ConfirmationsOption,
    OwnNodeOption,
    PolicyOption,
    RpcOption,
    TrustOption,
    load_policy,
    read_known_blocks,
)
from anchor.errors import BundleFormatError, PendingError, PolicyFormatError
from anchor.known_blocks import known_blocks_to_text
from anchor.model import BlockHeader, KnownBlock, Policy, Vouching, to_hex, to_utc

FORMAT: Final = "credanchor/known-blocks-added@v1"
"""First member of the JSON output; a change that could break readers changes it."""

app = typer.Typer(help="Blocks that verifiers without network may know: a file to keep and publish.")

ADD_HELP: Final = """Add final blocks to a file of known blocks, as nodes vouch for them under your policy.

Without a BUNDLE: the newest final block of each chain that the policy trusts a registry on. With them: the blocks that
these bundles rest on, once they are final; the nodes learn their numbers, and nothing of the credentials.

Whoever verifies with this file (credanchor verify --known-blocks FILE) trusts you for these blocks, as you trust what
vouches for them now. An institution may publish it; an employer may carry it to a machine without network.

Exit code: 0 added · 2 malformed, or wrong usage · 3 no answer, no agreement, or a block that is not final yet.

Examples:

  credanchor known-blocks add --to known.json

  credanchor known-blocks add badge.bundle.json --to known.json --policy careful.json
"""


@app.command("add", help=ADD_HELP)
def add(
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file; made if it is not there.")],
    bundles: Annotated[
        list[Path] | None, typer.Argument(metavar="[BUNDLE]…", help="Bundles whose blocks are meant.")
    ] = None,
    policy: PolicyOption = None,
    trust: TrustOption = None,
    rpc: RpcOption = None,
    agree: AgreeOption = None,
    own_node: OwnNodeOption = False,
    confirmations: ConfirmationsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add final blocks to a file of known blocks, as nodes vouch for them under your policy."""
    rules = load_policy(policy, trust, rpc, agree=agree, own_node=own_node, confirmations=confirmations)
    if rules.vouching is Vouching.PINNED_HASH:
        raise PolicyFormatError(
            "the policy wants blocks that are known already, so nothing vouches for another one",
            advice="Use a policy under which nodes vouch, or --trust REGISTRY --rpc URL.",
        )
    before = read_known_blocks(to) if to.exists() else frozenset()
    added = list(_vouched_blocks([_read(path) for path in bundles or ()], rules))
    known = {KnownBlock(chain_id=each.chain_id, hash=each.header.hash) for each in added}
    write_pieces(to, [known_blocks_to_text(before | known)])
    if as_json:
        print_json(
            {"format": FORMAT, "file": str(to), "count": len(before | known), "added": list(map(_content, added))}
        )
        return
    for each in added:
        by = printable(", ".join(each.vouched_by))
        console.print(
            f"[bold green]✔ KNOWN[/]  block {each.header.number} of {to_utc(each.header.timestamp)}, "
            f"{to_hex(each.header.hash)}, of chain {each.chain_id} ({each.vouching.value}: {by})"
        )
    count = len(before | known)
    console.print(f"{printable(str(to))} names {count:,} block{'s' if count > 1 else ''}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FinalBlock:
    """A block that is final, and who says so."""

    chain_id: int
    header: BlockHeader
    vouching: Vouching
    vouched_by: tuple[str, ...]


def _read(path: Path) -> Bundle:
    try:
        with path.open("rb") as stream:
            return parse_bundle(stream.read(MAX_BUNDLE_BYTES + 1))
    except OSError as error:
        raise BundleFormatError(f"{path} cannot be read: {error.strerror}") from error
    except BundleFormatError as error:
        raise BundleFormatError(f"{path} is malformed: {error}") from error


def _vouched_blocks(bundles: Sequence[Bundle], policy: Policy) -> Iterator[_FinalBlock]:
    """Let nodes vouch for the blocks of bundles; without bundles for the newest final one of each chain.

    Raises:
        LedgerError: They do not answer, or do not agree.
        PendingError: A block is not final yet.
        UnvouchedBlockError: They know another block of that number.
    """
    from anchor.ledger.client import clients_of
    from anchor.ledger.vouching import vouch_for, vouch_newest

    nodes = clients_of(policy)
    wanted = {(proof.registry.chain_id, proof.block) for bundle in bundles for proof in bundle.proofs}
    chains = {chain for chain, _ in wanted} if bundles else {pin.registry.chain_id for pin in policy.registries}
    for chain in sorted(chains):
        newest = vouch_newest(nodes, chain, policy)
        if newest.final is None:
            raise PendingError(f"no block of chain {chain} is final yet", advice="Try again in some minutes.")
        final = newest.final.header
        headers = sorted((block for of, block in wanted if of == chain), key=lambda block: block.number) or [final]
        for header in headers:
            if header.number > final.number:
                raise PendingError(
                    f"block {header.number} of chain {chain} is not final yet; the newest final one is {final.number}",
                    advice="Try again in some minutes.",
                )
            vouched = newest if header == final else vouch_for(nodes, chain, policy, header)
            yield _FinalBlock(chain_id=chain, header=header, vouching=vouched.vouching, vouched_by=vouched.vouched_by)


def _content(block: _FinalBlock) -> dict[str, Any]:
    return {
        "chain": f"eip155:{block.chain_id}",
        "blockNumber": block.header.number,
        "blockHash": to_hex(block.header.hash),
        "blockAt": block.header.timestamp,
        "vouching": block.vouching.value,
        "vouchedBy": list(block.vouched_by),
    }
