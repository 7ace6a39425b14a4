"""The process that is measured: replays a history of COUNT events, each made up just before it is read.

bench_audit_made_up.py COUNT: prints JSON with the seconds of processor time that the replay took, making up left out.
"""

import json
import sys
import time
from collections.abc import Iterator

from eth_hash.auto import keccak

from anchor import abi
from anchor.events import (
    BatchAnchored,
    CredentialsReinstated,
    CredentialsSuspended,
    IssuerAccredited,
    KeyAdded,
    RawLog,
    RoleChanged,
)
from anchor.history import ACCREDITOR_ROLE, ADMIN_ROLE
from anchor.logs import first_head, next_head
from anchor.model import Hash32, RegistryId, hash32
from anchor.replay import Replay

REGISTRY = RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3")
ADMIN, CONTROLLER, ANCHOR_KEY, STATUS_KEY = (bytes([number]) * 20 for number in range(1, 5))
ANCHORED_OF = 21
"""One event in so many is a batch, which the state keeps; the others are changes of status, whose bits it keeps."""

Kind = type[RoleChanged | IssuerAccredited | KeyAdded | BatchAnchored | CredentialsSuspended | CredentialsReinstated]


class Source:
    """Writes logs as the contract does."""

    def __init__(self) -> None:
        self._heads: dict[str, Hash32] = {
            "head": first_head(REGISTRY, 1),
            "registry_head": first_head(REGISTRY, None),
        }
        self._written = 0

    @property
    def heads(self) -> tuple[Hash32, Hash32]:
        """The registry-wide head and the issuer's, after the logs written so far."""
        return self._heads["registry_head"], self._heads["head"]

    def logs(self, count: int, anchored_of: int = ANCHORED_OF) -> Iterator[RawLog]:
        """Write so many logs, in the order of the chain."""
        did = b"did:web:college.example"
        yield self.log(RoleChanged, ADMIN_ROLE, ADMIN, True, ADMIN, 1)
        yield self.log(RoleChanged, ACCREDITOR_ROLE, ADMIN, True, ADMIN, 1)
        yield self.log(IssuerAccredited, 1, keccak(did), did, CONTROLLER, ADMIN, 1)
        yield self.log(KeyAdded, 1, ANCHOR_KEY, 1, 0, 1, CONTROLLER, 1)
        yield self.log(KeyAdded, 1, STATUS_KEY, 2, 0, 1, CONTROLLER, 1)
        for number in range(count - 5):
            turn, place = divmod(number, anchored_of)
            if not place:
                yield self.log(BatchAnchored, 1, (turn + 1).to_bytes(32, "big"), 500, ANCHOR_KEY, 1)
            else:
                kind = CredentialsSuspended if place % 2 else CredentialsReinstated
                words, masks = (turn % 512,), (1 << turn % 256,)
                yield self.log(kind, 1, turn // 512, 0, words, masks, 7, STATUS_KEY, 1)

    def log(self, kind: Kind, *values: object) -> RawLog:
        """Write the next one."""
        declared = [each.split() for each in kind.abi.split(", ")]
        types = [words[0] for words in declared]
        heads = [words[-1] for words in declared if words[-1] in self._heads]
        topic = keccak(f"{kind.__name__}({','.join(types)})".encode())
        event_hash = hash32(keccak(abi.encode(["bytes32", *types[: len(values)]], [topic, *values])))
        for name in heads:
            self._heads[name] = next_head(self._heads[name], event_hash)
        indexed = sum("indexed" in words for words in declared)
        topics = abi.encode(types[:indexed], values[:indexed])
        self._written += 1
        return RawLog(
            address=REGISTRY.address,
            topics=(hash32(topic), *(hash32(topics[at : at + 32]) for at in range(0, len(topics), 32))),
            data=abi.encode(types[indexed:], [*values[indexed:], *(self._heads[name] for name in heads)]),
            block_number=self._written,
            block_hash=hash32(self._written.to_bytes(32, "big")),
            transaction_hash=hash32(self._written.to_bytes(32, "big")),
            log_index=0,
        )


def main(count: int) -> None:
    run, seconds = Replay(REGISTRY, keep=False), 0.0
    for log in Source().logs(count):
        started = time.process_time()
        run.take(log)
        seconds += time.process_time() - started
    history = run.result()
    batches, words = len(history.issuers[0].batches), sum(map(len, history.issuers[0].bits.values()))
    print(json.dumps({"seconds": seconds, "events": run.count, "batches": batches, "words": words}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
