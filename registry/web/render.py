"""HTML of pages: what to show, put into templates that escape everything; and the policy that lets browsers do no more.

A page has no script, and all that it consists of is in it: its style, allowed by its hash, and images as `data:`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from anchor.canonical import JsonObject
from registry.web.credential import CredentialView, Result, view_of
from registry.web.formats import format_date, format_moment, format_number, format_percent
from registry.web.languages import LANGUAGES
from registry.web.markdown import LINK_RELATIONS, render_markdown, render_shared
from registry.web.status import StatusView
from registry.web.words import load_words

LINKEDIN: Final = "https://www.linkedin.com/profile/add"
_LOCALES: Final = {"en": "en_CA", "fr": "fr_CA"}
_HERE: Final = Path(__file__).parent
PAGE_SHEET: Final = "page"
LEDGER_SHEET: Final = "ledger"
_SHEETS: Final = {PAGE_SHEET: ("page",), LEDGER_SHEET: ("page", "ledger")}
"""Style sheets, and the files that each is put together from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCredential:
    """All that a credential's page shows."""

    document: JsonObject
    status: StatusView
    is_replaced: bool
    anchored_at: int | None
    """Unix seconds."""
    registry: str
    """CAIP-10."""
    issuer_number: int
    root: str
    """0x and hex."""
    url: str
    """The page's own address."""
    verifier_url: str
    """Of a verifier page; empty: none is known."""
    ledger_url: str
    """Of the batch in the explorer; empty: it does not show it."""


def credential_page(shown: ShownCredential, language: str) -> str:
    """Make the page of a credential.

    Args:
        shown: What it shows.
        language: A code of `LANGUAGES`.
    """
    view, words = view_of(shown.document), load_words()[language]
    title = words.say("title", name=view.name or words.say("without_name"), issuer=view.issuer.name)
    anchored_at = None if shown.anchored_at is None else datetime.fromtimestamp(shown.anchored_at, UTC)
    return render(
        "credential.html",
        language,
        view=view,
        title=title,
        locale=_LOCALES[language],
        status=shown.status,
        is_replaced=shown.is_replaced,
        criteria=render_shared(view.criteria),
        narrative=render_markdown(view.narrative),
        markdown=render_markdown,
        relations=LINK_RELATIONS,
        anchored_at=anchored_at,
        registry=shown.registry,
        issuer_number=shown.issuer_number,
        root=shown.root,
        url=shown.url,
        # Relative to the page, so that it does not matter behind which proxy it is.
        address=shown.url.rpartition("/")[2],
        verifier_url=shown.verifier_url,
        ledger_url=shown.ledger_url,
        linkedin=_linkedin(view, shown.url),
        result=partial(_result, language=language, say=words.say),
        host=_host,
        bdi=Markup("<bdi>{}</bdi>").format,
        code=Markup("<code>{}</code>").format,
    )


def message_page(name: str, language: str) -> str:
    """Make a page that says one thing: not_found, not_ready, too_many, unavailable."""
    return render("message.html", language, name=name)


@cache
def content_security_policy(*, sheet: str = PAGE_SHEET, images: str = "data:", forms: str = "'none'") -> str:
    """Give the value of `Content-Security-Policy` for pages without script.

    Args:
        sheet: Name of their style sheet.
        images: Where their images may come from.
        forms: Where their forms may be sent.
    """
    return (
        f"default-src 'none'; style-src {csp_hash(_style(sheet))}; img-src {images}; "
        f"base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )


@cache
def form_tag() -> str:
    """Stand for the form of pages, whatever they show: it changes with templates, words and styles."""
    files = [each for each in sorted(_HERE.rglob("*")) if each.suffix in {".html", ".json", ".css", ".js"}]
    return sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:12]


def csp_hash(text: str) -> str:
    """Give what allows an inline script or style by its content."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def render(template: str, language: str, *, sheet: str = PAGE_SHEET, **values: Any) -> str:
    """Put values into a template, with words, dates and numbers of its language.

    Args:
        template: Its file's name.
        language: A code of `LANGUAGES`.
        sheet: Name of a style sheet.
        values: What it shows.
    """
    words = load_words()[language]
    return (
        _environment()
        .get_template(template)
        .render(
            words=words,
            say=words.say,
            languages=LANGUAGES,
            style=Markup(_style(sheet)),  # noqa: S704 - our own file
            date=partial(format_date, language=language),
            time=partial(format_moment, language=language),
            number=lambda number: format_number(Decimal(number), language),
            in_language=values.pop("in_language", "?lang={}".format),
            **values,
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("registry.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _style(sheet: str) -> str:
    return "".join((_HERE / f"{name}.css").read_text("utf-8") for name in _SHEETS[sheet])


def _result(result: Result, *, language: str, say: Callable[..., Markup]) -> str:
    if result.number is None:
        return result.value
    if result.is_percent:
        return format_percent(result.number, language)
    value = format_number(result.number, language)
    return (
        value
        if result.highest is None
        else say("result_of", value=value, highest=format_number(result.highest, language))
    )


def _host(link: str) -> str:
    # What is shown is where it leads, as browsers write it: letters of other scripts stay as ASCII.
    host = urlsplit(link).hostname or ""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


def _linkedin(view: CredentialView, url: str) -> str:
    """Give LinkedIn's address for adding a certification; nobody is told anything before the link is followed."""
    values = {
        "startTask": "CERTIFICATION_NAME",
        "name": view.name,
        "organizationName": view.issuer.name,
        "certUrl": url,
        "certId": view.id,
    }
    if view.day:
        values |= {"issueYear": str(view.day.year), "issueMonth": str(view.day.month)}
    if view.valid_until:
        values |= {"expirationYear": str(view.valid_until.year), "expirationMonth": str(view.valid_until.month)}
    return f"{LINKEDIN}?{urlencode(values)}"
