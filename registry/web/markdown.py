"""Markdown that strangers wrote (criteria, narratives), as HTML that does nothing but show text and links.

HTML in it is shown as text, images as their descriptions: a page asks nobody for anything. Links are those of
`safe_link`. Its headings have one level, below those of the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from registry.web.text import clean, safe_link

MAX_CHARACTERS: Final = 64 * 1024
MAX_SIGNS: Final = 8000
"""Of Markdown's signs. What is longer, or has more, is shown as plain text: 40 kB of brackets take seconds."""
LINK_RELATIONS: Final = "noopener noreferrer nofollow ugc"
_NESTING: Final = 20
_SIGN: Final = re.compile(r"[\[\]*_`<>!\\&]")


class _Renderer(RendererHTML):
    """Writes headings, images and links in its own way."""

    def heading_open(self, *_: Any) -> str:
        return "<h3>"

    def heading_close(self, *_: Any) -> str:
        return "</h3>\n"

    def image(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return str(escape(tokens[idx].content))

    def link_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f'<a href="{escape(tokens[idx].attrGet("href"))}" rel="{LINK_RELATIONS}">'


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING}, renderer_cls=_Renderer)
    parser.validateLink = lambda url: safe_link(url) is not None  # type: ignore[method-assign]
    return parser


_PARSER: Final = _parser()


def render_markdown(text: str) -> Markup:
    """Lay out Markdown."""
    shown = clean(text)
    if len(shown) > MAX_CHARACTERS or len(_SIGN.findall(shown)) > MAX_SIGNS:
        return Markup('<p class="plain">{}</p>').format(shown)
    return Markup(_PARSER.render(shown))  # noqa: S704 - the renderer escapes all that is not its own


@lru_cache(maxsize=64)
def render_shared(text: str) -> Markup:
    """Lay out Markdown that all credentials of an achievement have in common; for nothing that is about a person."""
    return render_markdown(text)
