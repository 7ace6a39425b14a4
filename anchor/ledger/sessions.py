"""Sessions for asking one host over HTTP, which give away nothing that its address does not hold.

Upholds: no cookies; no password but one in the address itself, never one from `~/.netrc`; neither version nor system is
told; a proxy set for the outside world does not come between us and this machine.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.utils import get_auth_from_url

from anchor.ledger.endpoints import is_loopback


def open_session(url: str) -> requests.Session:
    """Open a session for the host of an address; the caller closes it.

    Args:
        url: `http://` or `https://` address; a name and password in it are sent to that host (RFC 7617).
    """
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "credanchor"
    session.trust_env = not is_loopback(url)
    name, password = get_auth_from_url(url)
    # Without one of ours, requests would look for a password of its own.
    session.auth = (name, password) if name or password else _no_password
    return session


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
