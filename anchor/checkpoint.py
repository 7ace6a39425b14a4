"""Checkpoints: where an audit stopped, so that the next goes on from there.

A checkpoint is the auditor's own: heads that go on from it are proven again, what it says of keys, batches and bits is
taken as it stands. Its hash at the end finds damage, not malice: never take a stranger's, take his archive.

    SHA-256 of the rest (32 bytes) ‖ CBOR of {format, registry, block, blockHash, state}
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import cbor2

from anchor.errors import MalformedError
from anchor.model import Hash32, RegistryId
from anchor.replay import Replay

_FORMAT: Final = "credanchor/audit-checkpoint@v1"
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A replay's state at the end of a block at which it was proven complete."""

    registry: RegistryId
    block_number: int
    block_hash: Hash32
    state: dict[str, Any]
    """What `Replay.content` gave."""

    def replay(self, *, keep: bool) -> Replay:
        """Go on with the replay."""
        return Replay.restored(self.registry, self.state, self.block_number, keep=keep)


def checkpoint_to_bytes(checkpoint: Checkpoint) -> bytes:
    """Write a checkpoint."""
    content = cbor2.dumps(
        {
            "format": _FORMAT,
            "registry": checkpoint.registry.to_text(),
            "block": checkpoint.block_number,
            "blockHash": checkpoint.block_hash,
            "state": checkpoint.state,
        }
    )
    return sha256(content).digest() + content


def parse_checkpoint(data: bytes, registry: RegistryId) -> Checkpoint:
    """Read what `checkpoint_to_bytes` wrote for this registry.

    Raises:
        MalformedError: It is damaged, of another version, or of another registry.
    """
    digest, content = data[:_HASH_BYTES], data[_HASH_BYTES:]
    if sha256(content).digest() != digest:
        raise MalformedError("the checkpoint is damaged, or no checkpoint")
    read = cbor2.loads(content)
    if read["format"] != _FORMAT:
        raise MalformedError("the checkpoint is one of another version of this program")
    if read["registry"] != registry.to_text():
        raise MalformedError(f"the checkpoint is not one of the registry {registry.to_text()}")
    return Checkpoint(
        registry=registry, block_number=read["block"], block_hash=Hash32(read["blockHash"]), state=read["state"]
    )
