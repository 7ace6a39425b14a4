"""The verifier page as `scripts/build-page` made it: with a policy put in, and the rules by which browsers run it."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from anchor.errors import CredanchorError
from anchor.model import Policy
from anchor.policy import policy_to_text

_FILE: Final = Path(__file__).parent / "verifier.html"
_PLACE: Final = '<script type="application/json" id="credanchor-policy"></script>'
_CSP: Final = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')
_ESCAPED: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""What could end the element or begin another; in JSON these stand in strings alone."""


class NoPageError(CredanchorError):
    """The page was not built, so that it cannot be shown."""


@dataclass(frozen=True)
class VerifierPage:
    """The page as it goes out."""

    html: bytes

    @cached_property
    def compressed(self) -> bytes:
        """It, with gzip: a third."""
        return gzip.compress(self.html, 9, mtime=0)

    @cached_property
    def tag(self) -> str:
        """Stands for its content."""
        return sha256(self.html).hexdigest()[:32]


# A service has one policy; a few, while it is changed.
@lru_cache(maxsize=4)
def verifier_page(policy: Policy) -> VerifierPage:
    """Give the page with what it trusts.

    Args:
        policy: What a user sees first, and may change.

    Raises:
        NoPageError: It was not built.
    """
    text = json.dumps(json.loads(policy_to_text(policy)), ensure_ascii=False).translate(_ESCAPED)
    return VerifierPage(_page().replace(_PLACE, _PLACE.replace("></", f">{text}</")).encode())


def content_security_policy() -> str:
    """Give the value of `Content-Security-Policy`: that in the page, and that nobody may frame it.

    Raises:
        NoPageError: It was not built.
    """
    found = _CSP.search(_page())
    if found is None:
        raise _not_built()
    return f"{found[1]}; frame-ancestors 'none'"


@cache
def _page() -> str:
    try:
        page = _FILE.read_text("utf-8")
    except OSError as error:
        raise _not_built() from error
    if page.count(_PLACE) != 1:
        raise _not_built()
    return page


def _not_built() -> NoPageError:
    return NoPageError(
        "the verifier page is not here",
        advice="It is part of the package; in a checkout, run scripts/build-page.",
    )
