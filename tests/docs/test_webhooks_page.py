"""The page about webhooks: its receiver checks what the service signs, and it names every event and pause."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from uuid import uuid4

from anchor.webhook_signature import secret_text, signed_headers
from registry.services.deliverer import PAUSES
from registry.services.happenings import Event
from registry.services.webhooks import PING
from registry.settings import ServiceSettings
from tests.docs.documents import read

PAGE = read("docs/api/webhooks.md")


def receiver() -> Callable[[str, dict[str, str], bytes], bool]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.split("def ")[1].strip().splitlines()) <= 10
    made: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(code, made)  # noqa: S102 - the project's own page
    return made["is_genuine"]


def test_its_receiver_knows_genuine_messages_from_others() -> None:
    is_genuine, body, now = receiver(), b'{"type":"ping"}', int(time.time())
    old, new = b"o" * 32, b"n" * 32
    headers = signed_headers(uuid4(), body, [new, old], now=now)
    assert is_genuine(secret_text(new), headers, body)
    assert is_genuine(secret_text(old), headers, body)
    assert not is_genuine(secret_text(b"x" * 32), headers, body)
    assert not is_genuine(secret_text(new), headers, body + b" ")
    for name, wrong in (
        ("webhook-id", str(uuid4())),
        ("webhook-timestamp", str(now - 1)),
        ("webhook-signature", headers["webhook-signature"].replace("v1,", "v2,")),
    ):
        assert not is_genuine(secret_text(new), {**headers, name: wrong}, body)
    assert not is_genuine(secret_text(new), signed_headers(uuid4(), body, [new], now=now - 400), body)


def test_it_names_every_event_and_every_pause() -> None:
    named = re.findall(r"^\| `([a-z.]+)` \|", PAGE, re.MULTILINE)
    assert sorted(named) == sorted([*(each.value for each in Event), PING])
    hours = [each // 3600 for each in PAUSES if each >= 3600]
    (said,) = re.findall(r"after 5 seconds, 5 minutes, 30 minutes, ([0-9, \sand]+) hours", PAGE)
    assert list(map(int, re.findall(r"\d+", said))) == hours
    assert PAUSES[:3] == (5, 300, 1800)
    options = ServiceSettings()
    assert (options.webhook_seconds, options.max_streams_per_key, options.max_streams) == (15, 10, 200)
    assert (options.stream_seconds, options.keep_deliveries_days) == (3600, 30)
