"""What HTML reports share: how they look, and a head that lets them load nothing and run nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

from anchor.cli.markup import Markup, element

_STYLE: Final = """
:root { color-scheme: light; --ink: #1c2430; --faint: #56606e; --line: #d5dae1; --paper: #f5f6f8;
  --red: #a3161f; --yellow: #7a5200; --green: #14622f; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2.5rem 1.5rem 4rem; color: var(--ink); background: #fff;
  font: 1rem/1.5 system-ui, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 .25rem; font-size: 1.2rem; break-after: avoid; }
p { margin: .25rem 0; max-width: 62rem; }
.faint, caption { color: var(--faint); }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 0; padding: 0; list-style: none; }
.counts li { flex: 0 1 13rem; padding: .6rem .9rem; border: 1px solid var(--line); border-left: .4rem solid;
  border-radius: .3rem; }
.counts b { display: block; font-size: 1.6rem; line-height: 1.2; }
.counts span { color: var(--ink); }
.red { color: var(--red); } .yellow { color: var(--yellow); } .green { color: var(--green); }
table { width: 100%; margin: .75rem 0 0; border-collapse: collapse; font-size: .92rem; }
caption { padding: .25rem 0; text-align: left; }
th, td { padding: .45rem .75rem .1rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { padding-bottom: .45rem; border-bottom: 2px solid var(--ink); }
tbody { border-bottom: 1px solid var(--line); }
tbody th { font-weight: 600; }
small { display: block; font-weight: 400; font-size: .82rem; color: var(--faint); }
summary { width: max-content; cursor: pointer; font-size: .85rem; color: #1d4f91; }
.when { white-space: nowrap; }
code { font: .85em ui-monospace, "DejaVu Sans Mono", monospace; }
@media print {
  body { max-width: none; padding: 0; }
  h2 { margin-top: 1.2rem; }
  .counts li { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""


def head(title: str, style: str) -> Markup:
    """Make the head of a report.

    Its content security policy allows its own style sheet and pictures that are in the page, and no script, frame, form
    or request.

    Args:
        title: What the window is called.
        style: CSS beside what all reports share.
    """
    whole = _STYLE + style
    policy = (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(whole.encode()).digest()).decode()}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(whole)),
    )
