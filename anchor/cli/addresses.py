"""Documents fetched from many addresses, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final

from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.errors import FetchError

AT_A_TIME: Final = 4
"""More would be faster, and rude: a list is often of one host."""
_AHEAD: Final = 16
"""Documents that may be there before somebody takes them: each has up to a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of one address."""

    name: str
    """The address, without what may be secret in it."""
    content: bytes | FetchError
    contacted: tuple[str, ...]
    """The host, if it was asked."""


def fetch_all(addresses: list[str], public_only: bool) -> Iterator[Fetched]:
    """Fetch documents, each of at most `MAX_DOCUMENT_BYTES`, and give them in order.

    Args:
        addresses: Where from.
        public_only: From public hosts only.
    """
    if not addresses:
        return
    # Requests takes a while to import.
    from anchor.ledger import fetching

    def fetch(address: str) -> Fetched:
        name = fetching.address_name(address)
        contacted: tuple[str, ...] = ()
        try:
            contacted = (fetching.check_address(address, public_only=public_only),)
            content = fetching.fetch(address, max_bytes=MAX_DOCUMENT_BYTES, public_only=public_only)
        except FetchError as error:
            return Fetched(name=name, content=error, contacted=contacted)
        return Fetched(name=name, content=content, contacted=contacted)

    answers: list[SimpleQueue[Fetched | BaseException]] = [SimpleQueue() for _ in addresses]
    tasks: SimpleQueue[int | None] = SimpleQueue()
    stopped = Event()

    def work() -> None:
        while (task := tasks.get()) is not None and not stopped.is_set():
            try:
                answers[task].put(fetch(addresses[task]))
            except BaseException as error:  # noqa: BLE001 - raised again where the answers are taken
                answers[task].put(error)

    # Daemons, so that Ctrl-C need not wait for the slowest host.
    workers = [Thread(target=work, daemon=True) for _ in range(min(AT_A_TIME, len(addresses)))]
    for worker in workers:
        worker.start()
    try:
        for task in range(min(_AHEAD, len(addresses))):
            tasks.put(task)
        for task, answer in enumerate(answers):
            found = answer.get()
            if isinstance(found, BaseException):
                raise found
            if task + _AHEAD < len(addresses):
                tasks.put(task + _AHEAD)
            yield found
    finally:
        stopped.set()
        for _ in workers:
            tasks.put(None)
