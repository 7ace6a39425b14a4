"""`credanchor reconcile`: a database of many credentials held against a testnet that has what was done with them.

Rows and transactions are written directly: a fifth of the credentials are revoked or suspended, eight a transaction.
Credentials themselves are left out, for reconciling reads none of them.
"""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench_audit import GAS_PER_EVENT, quick_node, send_many
from bench_common import PROGRAM, credanchor, line
from bench_run import Run, run
from sqlalchemy import delete, insert

from anchor.ledger.contract import RegistryContract
from anchor.model import Hash32, RegistryId, hash32, parse_hex
from anchor.status import LIST_SIZE, WORD_BITS
from registry.service_wiring import Service
from registry.store.batches import issuer_ref
from registry.store.engine import Store
from registry.store.records import BatchState, StatusKind, TransactionState
from registry.store.tables import batches, status_changes, transactions
from registry.wiring import Institution

CREDENTIALS = 1_000_000
IN_A_BATCH = 2_500
WORDS_IN_A_CALL = 8
CHANGED_OF = 5
"""One credential in so many changes its status."""
GAS_PER_CALL = 320_000
ROWS_AT_ONCE = 10_000
MAX_GROWTH = 10.0
"""Times as long for ten times as many credentials, as a rule of three has it; a busy machine is no excuse."""
MAX_MEGABYTES = 300


class Call(NamedTuple):
    """One transaction for eight changes of status, one in each of neighbouring words."""

    kind: StatusKind
    status_list: int
    word: int
    bit: int

    @property
    def words(self) -> range:
        """Give the words, in each of which it changes one bit."""
        return range(self.word, self.word + WORDS_IN_A_CALL)


def measure_reconcile(count: int) -> None:
    """Reconcile a hundredth, a tenth, and all of them: as it should be, and with all that was asked for forgotten."""
    seconds: list[float] = []
    for part in (count // 100, count // 10, count):
        print(
            f"\ncredanchor reconcile, {part:,} credentials, {sum(1 for _ in calls(part)) * WORDS_IN_A_CALL:,} changes:"
        )
        with tempfile.TemporaryDirectory(prefix="credanchor-bench-") as name:
            home = Path(name)
            node = credanchor(home, "dev", "up", "--port", "0")
            credanchor(home, "dev", "down")
            with quick_node(home, node["url"]):
                prepare(home, node, part)
                good = reconcile(home, "no difference", 0)
                seconds.append(good.cpu)
                forget(home)
                bad = reconcile(home, "nothing of it in the database", 1)
                line("  differences", f"{len(bad.content['differences']):,}")
    if seconds[0]:
        line("processor time, for ten times as many", f"× {seconds[2] / seconds[1]:.1f}")


def reconcile(home: Path, what: str, code: int) -> Run:
    done = run([PROGRAM, "reconcile", "--home", home, "--json", "--out", home / "differences.csv"], code=code)
    line(what, f"{done.wall:.1f} s")
    line("  of it processor time", f"{done.cpu:.1f} s")
    if done.megabytes is not None:
        line("  memory", f"{done.megabytes:.0f} MB", done.megabytes <= MAX_MEGABYTES, f"≤ {MAX_MEGABYTES} MB")
    return done


def calls(count: int) -> Iterator[Call]:
    """Change about a fifth of the credentials, each once: all words of the first bit first."""
    groups = count // WORD_BITS // WORDS_IN_A_CALL
    for bit in range(0, WORD_BITS, CHANGED_OF):
        for group in range(groups):
            status_list, word = divmod(group * WORDS_IN_A_CALL, LIST_SIZE // WORD_BITS)
            kind = StatusKind.REVOKE if group % 3 else StatusKind.SUSPEND
            yield Call(kind, status_list, word, bit)


def prepare(home: Path, node: dict[str, Any], count: int) -> None:
    """Send and store what was done with so many credentials, and have the explorer's index read it."""
    registry, issuer_id = RegistryId.parse(node["registry"]), int(node["issuerId"])
    contract = RegistryContract(registry)
    roots = [hash32(number.to_bytes(32, "big")) for number in range(1, max(1, count // IN_A_BATCH) + 1)]
    anchored = (contract.anchor(issuer_id=issuer_id, root=root, size=IN_A_BATCH).data for root in roots)
    anchors = send_many(home, node, "anchor", anchored, GAS_PER_EVENT)
    functions = {StatusKind.REVOKE: contract.revoke, StatusKind.SUSPEND: contract.suspend}
    changed = (
        functions[call.kind](
            issuer_id=issuer_id,
            status_list=call.status_list,
            words=call.words,
            masks=[1 << call.bit] * WORDS_IN_A_CALL,
            reason=7,
        ).data
        for call in calls(count)
    )
    changes = send_many(home, node, "status", changed, GAS_PER_CALL)
    place = Institution(home, str)
    fill(place.store, registry, issuer_id, roots, anchors, changes, count)
    place.store.close()
    read_history(home, registry)


def fill(
    store: Store,
    registry: RegistryId,
    issuer_id: int,
    roots: list[Hash32],
    anchors: list[str],
    changes: list[str],
    count: int,
) -> None:
    with store.writing() as connection:
        issuer = issuer_ref(connection, registry, issuer_id).id
        owner = {"institution_ref": connection.institution, "chain_id": registry.chain_id, "sender": bytes(20)}
        rows = [
            {
                **owner,
                "id": number,
                "nonce": number,
                "hash": parse_hex(each),
                "raw": bytes(200),
                "state": TransactionState.MINED.value,
                "signed_at": 0,
            }
            for number, each in enumerate((*anchors, *changes), start=1)
        ]
        connection.execute(insert(transactions), rows)
        connection.execute(
            insert(batches),
            [
                {
                    "issuer_ref": issuer,
                    "root": root,
                    "size": IN_A_BATCH,
                    "achievement_name": "Diploma",
                    "roster_hash": root,
                    "first_position": number * IN_A_BATCH,
                    "state": BatchState.ANCHORED.value,
                    "sealed_at": 0,
                    "anchored_at": 0,
                    "transaction_id": number + 1,
                }
                for number, root in enumerate(roots)
            ],
        )
        for number, call in enumerate(calls(count), start=len(anchors) + 1):
            connection.execute(
                insert(status_changes),
                [
                    {
                        "transaction_id": number,
                        "issuer_ref": issuer,
                        "status_list": call.status_list,
                        "status_index": word * WORD_BITS + call.bit,
                        "kind": call.kind.value,
                        "reason": 7,
                    }
                    for word in call.words
                ],
            )


def read_history(home: Path, registry: RegistryId) -> None:
    """Have the explorer's index read all, in the steps that the worker takes."""
    service = Service(home, str)
    sync, stop = service.history_sync(registry), threading.Event()
    while sync.step(stop):
        pass
    service.store.close()


def forget(home: Path) -> None:
    """Lose what the database says that it asked for."""
    place = Institution(home, str)
    with place.store.writing() as connection:
        connection.execute(delete(status_changes))
        connection.execute(delete(batches))
    place.store.close()
