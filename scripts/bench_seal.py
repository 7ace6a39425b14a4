"""The process that is measured: a roster becomes a sealed batch in a database, its tree stored, and nothing is sent.

bench_seal.py ROSTER DATABASE: prints JSON with the seconds that reading and sealing took, and those of processor time.
"""

import json
import resource
import sys
import time
from pathlib import Path


def main(roster: Path, database: Path) -> None:
    # Imported here: each helper, being spawned, imports this file, and shall load no more than the program's helpers.
    from bench_common import example_frame

    from registry.services.approvals import Approvals
    from registry.services.issue import seal_batch
    from registry.services.roster import open_roster
    from registry.store.engine import open_store

    # Its schema is made once, at the first command ever.
    store = open_store(f"sqlite:///{database}")
    frame, approvals = example_frame(), Approvals(b"an approval key of 32 bytes here")
    started, started_cpu = time.perf_counter(), processor_seconds()
    report = open_roster(roster).check()
    report.require_good()
    read = time.perf_counter()
    batch = seal_batch(store, frame, report.recipients, approvals=approvals)
    sealed, sealed_cpu = time.perf_counter(), processor_seconds()
    store.close()
    content = {"read": read - started, "seal": sealed - read, "cpu": sealed_cpu - started_cpu}
    print(json.dumps({**content, "batch": batch.id}))


def processor_seconds() -> float:
    """Give the seconds of processor time that this process and its helpers took; they have ended when it is asked."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
