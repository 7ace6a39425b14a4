"""Raw logs into events, strictly, and the hash chains (heads) over events (docs/spec/history.md).

Upholds: a log that is read as an event is byte for byte what the contract's `emit` would write, and its `event_hash` is
what the contract would hash into the heads that it extends (design section 6):

    head of an issuer:   head_0 = keccak256(abi.encode("credanchor/head/v1", chain id, registry, issuer))
    registry-wide head:  head_0 = keccak256(abi.encode("credanchor/registry-head/v1", chain id, registry))
    event hash:          keccak256(abi.encode(topic0, all parameters in declared order, but for the heads at the end))
    next head:           keccak256(abi.encode(head, event hash))
"""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from anchor import abi
from anchor.errors import HistoryError, MalformedError
from anchor.events import (
    AccreditationWithdrawn,
    AnyEvent,
    BatchAnchored,
    BatchRevoked,
    ControllerTransferred,
    ControllerTransferStarted,
    CredentialsReinstated,
    CredentialsRevoked,
    CredentialsSuspended,
    IssuerAccredited,
    KeyAdded,
    KeyCompromised,
    KeyRetired,
    NoncesCancelled,
    RawLog,
    RoleChanged,
    StatusEpochChanged,
)
from anchor.model import Hash32, RegistryId

_WORD: Final = 32
_ISSUER_HEAD_TAG: Final = b"credanchor/head/v1"
_REGISTRY_HEAD_TAG: Final = b"credanchor/registry-head/v1"


def first_head(registry: RegistryId, issuer_id: int | None) -> Hash32:
    """Give an issuer's head, or with None the registry-wide one, before its first event."""
    if issuer_id is None:
        types, number = ["string", "uint256", "address"], []
        tag = _REGISTRY_HEAD_TAG
    else:
        types, number = ["string", "uint256", "address", "uint32"], [issuer_id]
        tag = _ISSUER_HEAD_TAG
    return Hash32(keccak(abi.encode(types, [tag, registry.chain_id, registry.address, *number])))


def next_head(head: Hash32, event_hash: Hash32) -> Hash32:
    """Give the head after one more event."""
    return Hash32(keccak(head + event_hash))


def parse_log(log: RawLog) -> AnyEvent | None:
    """Read one log of the registry.

    Returns:
        The event; None for a log of another kind, such as OpenZeppelin's for roles. Passing over those is safe: nothing
        is concluded from them, and an event that does extend a head, of a contract newer than this code, is missed by
        the head of the next event or in the end by the one proven.

    Raises:
        HistoryError: The log claims to be one of the events above and is not what the contract would emit.
    """
    form = _FORMS.get(log.topics[0]) if log.topics else None
    return form.parse(log) if form is not None else None


class _Form:
    """How one kind of event is encoded."""

    def __init__(self, event: type[AnyEvent]) -> None:
        self._event = event
        declared = [each.split() for each in event.abi.split(", ")]
        types = [words[0] for words in declared]
        names = [words[-1] for words in declared]
        self.topic: Final[Hash32] = Hash32(keccak(f"{event.__name__}({','.join(types)})".encode()))
        indexed_count = sum("indexed" in words for words in declared)
        self._indexed, self._unindexed = types[:indexed_count], types[indexed_count:]
        self._heads = [name for name in names if name in {"head", "registry_head"}]
        # A head cannot hash itself.
        self._parameters = names[: len(names) - len(self._heads)]
        self._heads_start = _WORD * (len(self._parameters) - indexed_count)
        # Where the log points to tails, which are hashed as they are, but after other words: topics, and no heads.
        self._pointers = tuple(_WORD * place for place, each in enumerate(self._unindexed) if abi.is_dynamic(each))
        self._moved = _WORD * (1 + indexed_count - len(self._heads))

    def parse(self, log: RawLog) -> AnyEvent:
        try:
            values = [
                *abi.decode(self._indexed, b"".join(log.topics[1:])),
                *abi.decode(self._unindexed, log.data),
            ]
        except MalformedError as error:
            raise HistoryError(
                f"{log.place}: a {self._event.__name__} log is not encoded as the contract encodes it: {error}"
            ) from error
        hashed, heads = values[: len(self._parameters)], values[len(self._parameters) :]
        fields = dict(zip(self._parameters, hashed, strict=True))
        return self._event(
            **fields,
            heads={
                fields["issuer_id"] if name == "head" else None: head
                for name, head in zip(self._heads, heads, strict=True)
            },
            event_hash=Hash32(keccak(self._preimage(log))),
            log=log,
        )

    def _preimage(self, log: RawLog) -> bytes:
        """Give what is hashed: what stands in the log, once that is decoded strictly, with its tails where they go."""
        head = bytearray(log.data[: self._heads_start])
        for at in self._pointers:
            moved = int.from_bytes(head[at : at + _WORD], "big") + self._moved
            head[at : at + _WORD] = moved.to_bytes(_WORD, "big")
        tails = log.data[self._heads_start + _WORD * len(self._heads) :]
        return b"".join(log.topics) + head + tails


_FORMS: Final = {
    form.topic: form
    for form in (
        _Form(RoleChanged),
        _Form(IssuerAccredited),
        _Form(AccreditationWithdrawn),
        _Form(ControllerTransferStarted),
        _Form(ControllerTransferred),
        _Form(KeyAdded),
        _Form(KeyRetired),
        _Form(KeyCompromised),
        _Form(StatusEpochChanged),
        _Form(NoncesCancelled),
        _Form(BatchAnchored),
        _Form(BatchRevoked),
        _Form(CredentialsRevoked),
        _Form(CredentialsSuspended),
        _Form(CredentialsReinstated),
    )
}
