"""`credanchor init`: asks, or takes flags, and writes a home folder's settings and policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.cli.output import JsonFlag, console, error_console, print_json, printable
from anchor.cli.passphrases import is_interactive
from anchor.ledger.signers import parse_remote_key
from anchor.model import RegistryId
from anchor.policy import parse_policy
from registry.cli.common import HomeOption, read_input
from registry.errors import SettingsError

if TYPE_CHECKING:
    from registry.services.setup import Answers

FORMAT: Final = "credanchor/init@v1"
"""First member of the JSON output; a change that could break readers changes it."""

_DEFAULT_NODE: Final = "http://127.0.0.1:8545"

HELP: Final = """Set up a home folder: write settings.toml and policy.json. Asks for what no option says, at a terminal.

Checks that the node serves the chain, and that the registry, if one is named, is a credanchor registry of this version.
An accreditor needs no DID; an institution gives its DID, its name and the address of its service. What is not known
yet, later commands fill in: registry deploy the registry, issuer accredit or issuer show --save the issuer's number.

An address of a node that holds an access key does not belong among the arguments: give it in $CREDANCHOR_RPC_URL, or
when asked. settings.toml can be read by its owner alone.

Exit code: 0 written · 1 there are settings already · 2 malformed · 3 the node does not answer, or serves another chain.

Examples:

  credanchor init

  credanchor init --rpc https://node.example --chain 11155111

  credanchor init --rpc http://127.0.0.1:8545 --did did:web:college.example --name 'Collège Boréalis'
  --public-url https://credentials.college.example
"""


def command(
    rpc: Annotated[
        str | None,
        typer.Option("--rpc", metavar="URL", envvar="CREDANCHOR_RPC_URL", help="The node to ask and to send to."),
    ] = None,
    chain: Annotated[
        int | None, typer.Option("--chain", metavar="NUMBER", help="The chain it must serve. Default: the one it does.")
    ] = None,
    registry: Annotated[
        str | None, typer.Option("--registry", metavar="REGISTRY", help="eip155:<chain>:<0x address>, if there is one.")
    ] = None,
    did: Annotated[str | None, typer.Option("--did", metavar="DID", help="The institution's DID.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The institution's name.")] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="The institution's website.")] = None,
    public_url: Annotated[
        str | None, typer.Option("--public-url", metavar="URL", help="Where the service shows status lists.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="A policy of your own. Default: trusts the registry and the node."
        ),
    ] = None,
    anchor_key: Annotated[
        str | None, typer.Option("--anchor-key", metavar="KEY", help="Name of the anchoring key, or a remote signer's.")
    ] = None,
    status_key: Annotated[
        str | None, typer.Option("--status-key", metavar="KEY", help="Name of the status key, or a remote signer's.")
    ] = None,
    passphrase_file: Annotated[
        str | None, typer.Option("--passphrase-file", metavar="FILE", help="Private file with the keys' passphrase.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace settings and policy that are there.")] = False,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Set up a home folder."""
    from registry.services.setup import Answers, check_answers, require_unused, write_home
    from registry.settings import find_home

    folder = find_home(home)
    if not force:
        require_unused(folder)
    ask = _Asker(at_terminal=is_interactive() and not as_json)
    own_policy = None if policy is None else parse_policy(read_input(policy, "the policy", MAX_DOCUMENT_BYTES))
    rpc = ask.text(rpc, "Address of the node", default=_DEFAULT_NODE)
    if not rpc:
        raise SettingsError("the node is not named", advice="Give --rpc URL, or $CREDANCHOR_RPC_URL.")

    from anchor.ledger.client import LedgerClient

    client = LedgerClient(rpc)
    chain_id = ask.chain(chain, client.chain_id())
    registry = ask.text(registry, "Registry, eip155:…; nothing: deployed or named later")
    did = ask.text(did, "The institution's DID; nothing: this is no issuer's folder")
    if did:
        name = ask.required(name, "The institution's name", "--name")
        url = ask.text(url, "Its website; nothing: left out")
        public_url = ask.required(public_url, "Address at which its service shows status lists", "--public-url")
    answers = Answers(
        rpc_url=rpc,
        chain_id=chain_id,
        registry=RegistryId.parse(registry) if registry else None,
        issuer_did=did or None,
        issuer_name=name,
        issuer_url=url or None,
        public_url=public_url,
        anchor_key=_key_setting(anchor_key or "anchor") if did or anchor_key else None,
        status_key=_key_setting(status_key or "status") if did or status_key else None,
        passphrase_file=passphrase_file,
    )
    with error_console.status("asking the node"):
        answers = check_answers(client, answers)
    write_home(folder, answers, own_policy)
    _report(folder, answers, as_json=as_json)


class _Asker:
    """Asks for what no option says, if somebody is there."""

    def __init__(self, *, at_terminal: bool) -> None:
        self._at_terminal: Final = at_terminal

    def text(self, given: str | None, question: str, default: str = "") -> str:
        if given is not None or not self._at_terminal:
            return given or ""
        answer: str = typer.prompt(question, default=default, show_default=bool(default), err=True)
        return answer.strip()

    def required(self, given: str | None, question: str, option: str) -> str:
        answer = self.text(given, question)
        if not answer:
            raise SettingsError(f"an institution's folder needs {option}", advice=f"Give {option}.")
        return answer

    def chain(self, given: int | None, served: int) -> int:
        from registry.services.chains import chain_text

        if given is not None or not self._at_terminal:
            return served if given is None else given
        if not typer.confirm(f"The node serves {chain_text(served)}. Is that the one you mean?", err=True):
            raise typer.Exit(1)
        return served


def _key_setting(key: str) -> str:
    return key if parse_remote_key(key) is not None else f"keys/{key}.json"


def _report(home: Path, answers: Answers, *, as_json: bool) -> None:
    from registry.services.chains import chain_text

    following = _next_steps(answers)
    if as_json:
        content: dict[str, Any] = {"format": FORMAT, "home": str(home), "chainId": answers.chain_id}
        content |= {
            "registry": None if answers.registry is None else answers.registry.to_text(),
            "issuerId": answers.issuer_id,
            "issuerDid": answers.issuer_did,
            "next": following,
        }
        print_json(content)
        return
    console.print(f"[bold green]✔[/] set up: {printable(str(home))}, {chain_text(answers.chain_id)}")
    if following:
        console.print("  next:")
    for step in following:
        console.print(f"    {printable(step)}")


def _next_steps(answers: Answers) -> list[str]:
    """List the commands that are left to run before anything can be issued."""
    steps = []
    for name, key in (("anchor", answers.anchor_key), ("status", answers.status_key)):
        if key == f"keys/{name}.json":
            steps.append(f"credanchor key new {name}")
    if answers.registry is None:
        steps.append("credanchor registry deploy --key NAME")
    if answers.issuer_did is not None and answers.issuer_id is None:
        steps.append(f"credanchor issuer accredit {answers.issuer_did} --controller ADDRESS --key NAME")
    return steps
