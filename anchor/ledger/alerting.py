"""Alerts to a webhook: JSON posted over https, or to this machine; signed, if there is a secret (Standard Webhooks)."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

import requests

from anchor.errors import FetchError, MalformedError
from anchor.ledger.endpoints import is_loopback, node_name
from anchor.ledger.sessions import open_session
from anchor.webhook_signature import signed_headers

TIMEOUT_SECONDS: Final = 10
"""For connecting, and again for the answer."""
ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 2
"""Before the second attempt; twice as long before each further one."""


def check_webhook(url: str) -> None:
    """Check that alerts may go to an address.

    Raises:
        MalformedError: It is none, or neither over https nor on this machine.
    """
    name = node_name(url)
    if not url.startswith("https://") and not is_loopback(url):
        raise MalformedError(f"alerts go over https only, not to {name}", advice="Name a webhook that starts https://.")


def post_alert(url: str, message: UUID, body: bytes, key: bytes | None) -> None:
    """Send an alert; a few times, if nobody takes it.

    Args:
        url: The webhook.
        message: Its id, the same each time, so that the receiver can tell.
        body: JSON.
        key: What it is signed with; None: it is not.

    Raises:
        FetchError: The webhook did not take it; what it answered is not repeated, for it may say anything.
    """
    name, why = node_name(url), ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        headers = {"content-type": "application/json"}
        if key is not None:
            headers |= signed_headers(message, body, [key], now=int(time.time()))
        try:
            status = _post(url, body, headers)
        except requests.RequestException as error:
            why = f"it cannot be reached ({type(error).__name__})"
            continue
        if 200 <= status < 300:
            return
        why = f"it answered {status}"
    raise FetchError(f"the webhook {name} did not take an alert: {why}")


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    with open_session(url) as session:
        answer = session.post(
            url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
        )
        return answer.status_code
