"""Events of jobs, as streams carry them."""

from __future__ import annotations

from typing import Literal

from anchor.model import to_hex
from registry.api.schemas.base import Document, Hash, Seconds
from registry.store.job_progress import JobProgress


class JobEvent(Document):
    """How far a job is; what is to be mended in its roster, `/v1/jobs/{job}` says."""

    job: str
    kind: Literal["roster", "status"]
    state: str
    revision: int
    total: int | None
    done: int
    batch: Hash | None
    transaction: Hash | None
    failure: str | None
    changed_at: Seconds

    @classmethod
    def of(cls, progress: JobProgress) -> JobEvent:
        """Tell of a job."""
        return cls(
            job=str(progress.public_id),
            kind=progress.kind.value,
            state=progress.state.value,
            revision=progress.revision,
            total=progress.total,
            done=progress.done,
            batch=None if progress.root is None else to_hex(progress.root),
            transaction=None if progress.transaction is None else to_hex(progress.transaction),
            failure=progress.failure,
            changed_at=progress.changed_at,
        )
