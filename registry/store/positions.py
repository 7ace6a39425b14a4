"""Which status positions a batch has: as ranges, for it takes neighbouring ones."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from registry.errors import StoreError
from registry.store.records import BatchRecord
from registry.store.tables import credentials


def position_ranges(connection: Connection, batch: BatchRecord) -> tuple[tuple[int, range], ...]:
    """Give a batch's status positions, without reading each of a million.

    Returns:
        For each status list its number and the indices, all of them the batch's.

    Raises:
        StoreError: They are not those that were sealed: somebody altered the database.
    """
    index = credentials.c.status_index
    statement = (
        select(credentials.c.status_list, func.min(index), func.max(index), func.count())
        .where(credentials.c.batch_id == batch.id)
        .group_by(credentials.c.status_list)
        .order_by(credentials.c.status_list)
    )
    rows = connection.execute(statement).all()
    ranges = tuple((status_list, range(first, last + 1)) for status_list, first, last, _ in rows)
    # No index is there twice in a list: as many as the range is long are all of it.
    whole = all(len(indices) == row[3] for (_, indices), row in zip(ranges, rows, strict=True))
    if not whole or sum(len(indices) for _, indices in ranges) != batch.size:
        raise StoreError(
            f"the status positions of batch {batch.id} are not those that were sealed",
            advice="The database was altered: restore it from a backup.",
        )
    return ranges
