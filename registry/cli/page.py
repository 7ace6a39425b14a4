"""`credanchor page`: the verifier page as one file, with what it shall trust, for any web server or a disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from anchor.cli.output import JsonFlag, console, print_json, printable
from anchor.cli.policies import read_policy
from anchor.errors import PolicyFormatError
from anchor.ledger.endpoints import node_name
from registry.cli.common import HomeOption, write_output

FORMAT: Final = "credanchor/page@v1"
"""First member of the JSON output; a change that could break readers changes it."""

HELP: Final = """Write the verifier page: one HTML file that checks credentials in the browser, and sends them nowhere.

It works from any web server, and opened from a disk. What it trusts is the policy put into it, which its users see and
can change; nodes in it must let web pages ask them (CORS), and an access key in a node's address is everybody's who has
the page. Whoever can change the file can make it say anything: give it out as you would a program.

Exit code: 0 written · 2 malformed policy, wrong usage, or it cannot be written · 3 this installation lacks the page.

Examples:

  credanchor page --out verify.html

  credanchor page --policy policy.json --out /var/www/verify.html
"""


def command(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")],
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="What it trusts. Default: that of the home folder.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the verifier page as one file."""
    from registry.settings import POLICY_FILE, find_home
    from registry.web.verifier import verifier_page

    rules = read_policy(find_home(home) / POLICY_FILE if policy is None else policy)
    unread = [each.source for each in rules.trust_lists if "://" not in each.source]
    if unread:
        raise PolicyFormatError(
            f"the policy names a trust list that is a file, which a web page cannot read: {unread[0]}",
            advice="Name it by the https:// address at which it is published.",
        )
    html = verifier_page(rules).html
    write_output(out, html.decode())
    # It is to be given out; what is written here is otherwise its owner's alone.
    out.chmod(0o644)
    if as_json:
        print_json({"format": FORMAT, "file": str(out), "bytes": len(html)})
        return
    count = len(rules.registries)
    console.print(f"[bold green]✔[/] the verifier page: {printable(str(out))}, {len(html) / 1000:,.0f} kB")
    console.print(f"  trusts  {count} registr{'y' if count == 1 else 'ies'}")
    console.print(f"  asks    {printable(', '.join(map(node_name, rules.nodes))) or 'nobody: its users name a node'}")
