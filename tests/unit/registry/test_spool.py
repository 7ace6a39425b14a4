from collections import Counter
from itertools import pairwise, permutations

import pytest

from registry.services import spool as module
from registry.services.recipient import Recipient
from registry.services.spool import RecipientSpool, in_order
from tests.support.registry import recipients_of


def test_what_goes_in_comes_out_with_its_number() -> None:
    recipients = recipients_of(3000)
    recipients[7] = Recipient("Zoé", None, "did:key:z6Mk", 1, 2, 3, 4, 5, "A", "https://x.example", "did it", "L-1")
    spool = RecipientSpool.of(recipients)
    assert spool.count() == 3000
    assert sorted(spool.numbered()) == list(enumerate(recipients, start=1))
    # Reading changes nothing: it can be read again, and added to.
    spool.add(9999, Recipient("Ana"))
    assert sorted(spool.numbered())[-1] == (9999, Recipient("Ana"))
    assert spool.count() == 3001


def test_rows_left_out() -> None:
    spool = RecipientSpool.of(recipients_of(2000))
    without = frozenset(range(500, 700))
    kept = [entry[1] for partition in spool.partitions(without) for entry in in_order(partition)]
    assert sorted(kept) == [number for number in range(1, 2001) if number not in without]
    assert spool.count(without) == len(kept) == sum(partition.size for partition in spool.partitions(without))


def test_keys_grow_over_all_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTITION_SIZE", 50)
    partitions = list(RecipientSpool.of(recipients_of(1000)).partitions())
    assert len(partitions) > 5
    assert all(partition.size >= 50 for partition in partitions[:-1])
    keys = [entry[0] for partition in partitions for entry in in_order(partition)]
    assert len(keys) == 1000
    assert all(before < after for before, after in pairwise(keys))


def test_many_recipients_are_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BYTES_IN_MEMORY", 1000)
    spool = RecipientSpool.of(recipients_of(5000))
    assert sorted(each.name for _, each in spool.numbered()) == sorted(each.name for each in recipients_of(5000))
    assert isinstance(spool._file.fileno(), int)


def test_all_orders_are_as_likely() -> None:
    """Chi-squared of 24 orders in 4,800 tries: over 60 once in 30,000 runs."""
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(4800):
        seen[tuple(number for number, _ in RecipientSpool.of(recipients_of(4)).numbered())] += 1
    assert set(seen) == set(permutations(range(1, 5)))
    assert sum((count - 200) ** 2 / 200 for count in seen.values()) < 60
