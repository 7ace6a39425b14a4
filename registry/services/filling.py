"""Partitions of recipients into rows and leaves, here or on all cores: what takes most of the time of issuing."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from multiprocessing import get_context, parent_process
from typing import Any, Final, NamedTuple

import orjson

from anchor.canonical import credential_hash, leaf_hash
from anchor.merkle import HASH_BYTES
from anchor.model import Hash32, StatusPosition
from anchor.status import LIST_SIZE
from registry.errors import StoreError
from registry.services.credentials import CredentialFrame, CredentialValues
from registry.services.recipient import Recipient, details_to_text
from registry.services.spool import Partition, in_order
from registry.services.template import EMAIL_ONLY, CredentialTemplate, shape_of

EMAIL_SALT_BYTES: Final = 16
"""Enough that hashes of one address cannot be matched, nor a table of them be made beforehand."""

HELPERS_FROM: Final = 20_000
"""Fewer credentials are done before other processes have started."""

_WAITING_FOR_EACH: Final = 2
"""Partitions that are sent out before their turn, for each helper."""


class FilledPartition(NamedTuple):
    """A partition's credentials."""

    rows: list[tuple[object, ...]]
    """As `registry.store.batches.add_credentials` takes them."""
    leaves: bytes
    """The leaf hashes, concatenated in order."""
    shapes: frozenset[int]
    digest: int
    """Sum of hashes of the recipients: the same in any order."""


class Filler:
    """Fills the partitions of one batch.

    Args:
        frame: What the batch's credentials have in common.
        first_position: The batch's first status position, list * LIST_SIZE + index.
    """

    def __init__(self, frame: CredentialFrame, first_position: int) -> None:
        self._frame: Final = frame
        self._first: Final = first_position
        self._templates: Final[dict[int, CredentialTemplate]] = {}

    def template(self, shape: int) -> CredentialTemplate:
        """Give a shape's template, compiled when it is first asked for."""
        if shape not in self._templates:
            self._templates[shape] = CredentialTemplate.compile(self._frame, shape)
        return self._templates[shape]

    def fill(self, partition: Partition, start: int) -> FilledPartition:
        """Make a partition's credentials.

        Args:
            partition: Of a spool.
            start: Leaf index of its first recipient.
        """
        size = partition.size
        uuids = _random_uuids(size)
        salts = os.urandom(HASH_BYTES * size)
        email_salts = os.urandom(EMAIL_SALT_BYTES * size)
        uuid_digits, email_salt_digits = uuids.hex(), email_salts.hex()
        rows: list[tuple[object, ...]] = []
        leaves: list[bytes] = []
        templates = self._templates
        digest = 0
        shapes: set[int] = set()
        status_list, index = divmod(self._first + start, LIST_SIZE)
        for number, entry in enumerate(in_order(partition)):
            recipient = Recipient(*entry[2:])
            shape = shape_of(recipient)
            if shape not in shapes:
                shapes.add(shape)
                self.template(shape)
            at = number * 32
            digits, salt = uuid_digits[at : at + 32], Hash32(salts[at : at + 32])
            email_salt = email_salt_digits[at : at + 32]
            position = StatusPosition(status_list, index)
            identifier = f"urn:uuid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            canonical = templates[shape].fill(CredentialValues(identifier, recipient, email_salt, position))
            leaves.append(leaf_hash(credential_hash(canonical), salt, position))
            digest += _recipient_digest(recipient)
            at = number * 16
            email = recipient.email
            kept_salt = None if email is None else email_salts[at : at + 16]
            details = None if shape <= EMAIL_ONLY else details_to_text(recipient)
            rows.append((start + number, uuids[at : at + 16], salt, recipient.name, email, kept_salt, details))
            index += 1
            if index == LIST_SIZE:
                status_list, index = status_list + 1, 0
        return FilledPartition(rows, b"".join(leaves), frozenset(shapes), digest)


def _random_uuids(count: int) -> bytes:
    """Make UUIDs of version 4 (RFC 9562 section 5.4), concatenated."""
    uuids = bytearray(os.urandom(16 * count))
    uuids[6::16] = uuids[6::16].translate(_VERSION_4)
    uuids[8::16] = uuids[8::16].translate(_VARIANT)
    return bytes(uuids)


_VERSION_4: Final = bytes(value & 0x0F | 0x40 for value in range(256))
_VARIANT: Final = bytes(value & 0x3F | 0x80 for value in range(256))


def _recipient_digest(recipient: Recipient) -> int:
    # As JSON, so that no two recipients are written alike.
    return int.from_bytes(sha256(orjson.dumps(tuple(recipient))).digest(), "big")


def fill_all(filler: Filler, partitions: Iterable[Partition], count: int) -> Iterator[FilledPartition]:
    """Fill a batch's partitions, one after the other or, if there are many credentials, on all cores.

    Args:
        filler: The batch's.
        partitions: All of them, in order.
        count: Recipients in all.

    Raises:
        StoreError: A helping process died.
    """
    helpers = os.cpu_count() or 1
    if count < HELPERS_FROM or helpers == 1:
        start = 0
        for partition in partitions:
            yield filler.fill(partition, start)
            start += partition.size
        return
    with _Helpers(helpers, filler) as pool:
        yield from pool.fill(partitions)


class _Helpers:
    """Processes that fill partitions."""

    def __init__(self, count: int, filler: Filler) -> None:
        # Started anew rather than forked: threads of this process may hold locks, such as that of a key being unlocked.
        self._pool: Final = ProcessPoolExecutor(
            count, mp_context=get_context("spawn"), initializer=_start, initargs=(filler,)
        )
        self._window: Final = count * (1 + _WAITING_FOR_EACH)

    def __enter__(self) -> _Helpers:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def fill(self, partitions: Iterable[Partition]) -> Iterator[FilledPartition]:
        """Fill partitions in order, no more of them at a time than are soon wanted."""
        waiting: deque[Future[FilledPartition]] = deque()
        start = 0
        try:
            for partition in partitions:
                waiting.append(self._pool.submit(_fill, partition, start))
                start += partition.size
                if len(waiting) == self._window:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise StoreError(
                "a process that helps with issuing was ended; nothing was kept",
                advice="Perhaps the machine is short of memory. Try again.",
            ) from error


# In a helper

_filler: list[Filler] = []
"""Set once, when the helper starts."""


def _start(filler: Filler) -> None:
    # Ctrl-C goes to all processes of a terminal; this one ends when the one that asked for it does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _filler.append(filler)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        # The other threads wait for work that will never come.
        os._exit(1)


def _fill(partition: Partition, start: int) -> FilledPartition:
    return _filler[0].fill(partition, start)


Progress = Callable[[int], Any]
"""Told now and then how many more are done."""
