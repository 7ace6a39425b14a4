"""Several nodes of which so many must agree: asked all at once, until they do (docs/adr/0021).

    1  everybody     newest block, newest final block
    2  everybody     which block is at the heights that enough of them have reached; only if 1 did not settle it
    3  everybody     which is at heights somewhat below; only if their newest blocks are of different forks

Once enough agree on the best there can be, nobody is waited for. If they agree on something, the others get a moment to
agree on something newer: else whoever is quick would choose the block. If they agree on nothing, each is waited for
until its own time is up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Final

from anchor.errors import LedgerError, LedgerUnavailableError, NodesDisagreeError, WrongLedgerError
from anchor.ledger.agreement import Agreement, heights_to_ask, highest_agreed
from anchor.ledger.answers import Block
from anchor.ledger.client import BlockTag, LedgerClient
from anchor.ledger.endpoints import require_distinct
from anchor.model import Hash32, to_hex

_PATIENCE_SECONDS: Final = 2.0
"""How long others are waited for when enough nodes agree on something, and more may agree on something newer."""

Answer = Block | LedgerUnavailableError | None
Goal = tuple[Agreement | None, int]
"""What is agreed on, and up to which height more could be."""


class _State(Enum):
    """How far the nodes have come to agree."""

    NOTHING = "each is worth waiting for"
    SOMETHING = "the others may better it"
    SETTLED = "nothing can better it"


class Panel:
    """What nodes say of one chain, and what enough of them agree on.

    Args:
        nodes: The nodes.
        chain_id: EIP-155 number of the chain.
        needed: How many must agree.

    Raises:
        PolicyFormatError: Two of the nodes are the same.
    """

    def __init__(self, nodes: Sequence[LedgerClient], chain_id: int, needed: int) -> None:
        require_distinct(node.endpoint for node in nodes)
        self._nodes: Final = {node.node: node for node in nodes}
        self._chain_id: Final = chain_id
        self._needed: Final = needed
        # Of a majority's votes there are enough for one block only. Else everybody is heard, or chance would choose.
        self._is_majority: Final = 2 * needed > len(nodes)
        self._failures: Final[dict[str, LedgerError]] = {}
        self._said: Final[dict[str, dict[int, Hash32]]] = {name: {} for name in self._nodes}
        self._blocks: Final[dict[Hash32, Block]] = {}
        self._reached: Final[dict[str, int]] = {}
        self._final_at: Final[dict[str, int]] = {}
        """Up to which height each node calls blocks final."""

    def newest(self, *, with_final: bool) -> tuple[Agreement, Block, Block | None]:
        """Find the highest block that enough agree on; and, if wanted, the highest that enough call final.

        Raises:
            NodesDisagreeError: They agree on none; the words say what each did.
            LedgerUnavailableError: Too few answered; so do they.
            WrongLedgerError: All of them serve another chain.
            UnvouchedBlockError: They are of two minds.
        """

        def state() -> _State:
            return self._state((self._head(), self._common(self._reached)), *self._final_goals(with_final))

        self._ask(["latest", "finalized"] if with_final else ["latest"], state)
        first, below = heights_to_ask(self._reached.values(), self._needed)
        final_heights, _ = heights_to_ask(self._final_at.values(), self._needed)
        if state() is not _State.SETTLED:
            self._ask(sorted(first | final_heights), state)
        agreed = self._head()
        if agreed is None:
            heights = first | below
            self._ask(sorted(below), lambda: self._state((self._agreed(heights), max(heights, default=0))))
            agreed = self._agreed(heights)
        if agreed is None:
            raise self._no_agreement("the newest block")
        return agreed, self._blocks[agreed.hash], self._final(agreed.number)

    def given(self, number: int, *, with_final: bool) -> tuple[Agreement, Block, Block | None]:
        """Find the block with this number that enough agree on; and, if wanted, the highest up to it called final.

        Raises:
            NodesDisagreeError: They agree on none; the words say what each did.
            LedgerUnavailableError: Too few answered; so do they.
            WrongLedgerError: All of them serve another chain.
            UnvouchedBlockError: They are of two minds.
        """

        def state() -> _State:
            return self._state((self._agreed({number}), number), *self._final_goals(with_final))

        self._ask([number, "finalized"] if with_final else [number], state)
        if state() is not _State.SETTLED:
            final_heights, _ = heights_to_ask(self._final_at.values(), self._needed)
            self._ask(sorted(final_heights), state)
        agreed = self._agreed({number})
        if agreed is None:
            raise self._no_agreement(f"block {number}")
        return agreed, self._blocks[agreed.hash], self._final(number)

    def up_to(self, number: int) -> Block | None:
        """Find the highest block up to a height that enough agree on; None if there is none.

        At that height, or where a node that lags has got to: else a liar and such a node could leave nothing final.
        """
        heights = {number}

        def state() -> _State:
            return self._state((self._agreed(heights), number))

        # Who was not waited for before says now how far it has got.
        self._ask([number, "latest"], state)
        if state() is not _State.SETTLED:
            heights |= {height for height in self._reached.values() if height <= number}
            self._ask(sorted(heights), state)
        agreed = self._agreed(heights)
        return None if agreed is None else self._blocks[agreed.hash]

    # What is agreed on.

    def _head(self) -> Agreement | None:
        return self._agreed(self._reached.values())

    def _agreed(self, heights: Collection[int]) -> Agreement | None:
        wanted = set(heights)
        votes = {
            name: {number: block_hash for number, block_hash in said.items() if number in wanted}
            for name, said in self._said.items()
        }
        return highest_agreed(votes, self._needed)

    def _agreed_final(self) -> Agreement | None:
        heights = set(self._final_at.values())
        votes = {
            name: {
                number: said for number, said in self._said[name].items() if number in heights and number <= final_at
            }
            for name, final_at in self._final_at.items()
        }
        return highest_agreed(votes, self._needed)

    def _final_goals(self, with_final: bool) -> list[Goal]:
        return [(self._agreed_final(), self._common(self._final_at))] if with_final else []

    def _final(self, up_to: int) -> Block | None:
        """Give the newest final block up to a height: those below a final block are final too."""
        agreed = self._agreed_final()
        if agreed is None:
            return None
        at_most = self._agreed({min(agreed.number, up_to)})
        return None if at_most is None else self._blocks[at_most.hash]

    def _common(self, reached: dict[str, int]) -> int:
        """Give the height that enough nodes have reached."""
        first, _ = heights_to_ask(reached.values(), self._needed)
        return max(first, default=0)

    def _state(self, *goals: Goal) -> _State:
        if not self._is_majority or goals[0][0] is None:
            return _State.NOTHING
        settled = all(agreed is not None and agreed.number >= highest for agreed, highest in goals)
        return _State.SETTLED if settled else _State.SOMETHING

    # Asking.

    def _ask(self, which: Sequence[BlockTag | int], state: Callable[[], _State]) -> None:
        """Ask all nodes that have not failed for these blocks, at once; stop listening as the state allows."""
        if not which:
            return
        heard: SimpleQueue[tuple[str, list[Answer] | LedgerError]] = SimpleQueue()
        waiting = self._nodes.keys() - self._failures.keys()
        for name in waiting:
            # Not a pool: the program need not wait for its threads when it ends.
            threading.Thread(target=self._tell, args=(self._nodes[name], which, heard), daemon=True).start()
        deadline: float | None = None
        while waiting:
            try:
                name, answers = heard.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
            except Empty:
                break
            waiting.discard(name)
            self._hear(name, which, answers)
            now = state()
            if now is _State.SETTLED:
                break
            if now is _State.SOMETHING and deadline is None:
                deadline = time.monotonic() + _PATIENCE_SECONDS

    def _tell(
        self,
        node: LedgerClient,
        which: Sequence[BlockTag | int],
        heard: SimpleQueue[tuple[str, list[Answer] | LedgerError]],
    ) -> None:
        answers: list[Answer] | LedgerError = LedgerUnavailableError(f"the node {node.node} could not be asked")
        try:
            answers = node.blocks(self._chain_id, which)
        except LedgerError as error:
            answers = error
        finally:
            heard.put((node.node, answers))

    def _hear(self, name: str, which: Sequence[BlockTag | int], answers: list[Answer] | LedgerError) -> None:
        if isinstance(answers, LedgerError):
            self._failures[name] = answers
            return
        for asked, answer in zip(which, answers, strict=True):
            if isinstance(answer, Block):
                number = answer.header.number
                self._said[name][number] = answer.header.hash
                self._blocks[answer.header.hash] = answer
                if asked == "latest":
                    self._reached[name] = number
                elif asked == "finalized":
                    self._final_at[name] = number
            elif asked == which[0] and isinstance(answer, LedgerUnavailableError):
                self._failures[name] = answer

    # Words.

    def _no_agreement(self, what: str) -> LedgerError:
        if all(isinstance(self._failures.get(name), WrongLedgerError) for name in self._nodes):
            words = "; ".join(map(self._words, self._nodes))
            return WrongLedgerError(words, advice="give the addresses of nodes of the right chain")
        told = sum(name not in self._failures and bool(self._said[name]) for name in self._nodes)
        kind = NodesDisagreeError if told >= self._needed else LedgerUnavailableError
        return kind(
            f"of {len(self._nodes)} nodes {self._needed} must agree on {what}, and do not: "
            + "; ".join(map(self._words, self._nodes)),
            advice="Try again in a minute; if they still do not, ask other nodes.",
        )

    def _words(self, name: str) -> str:
        if name in self._failures:
            return str(self._failures[name])
        said = self._said[name]
        if not said:
            return f"the node {name} has no such block, or had not answered"
        newest = self._reached.get(name, max(said))
        return f"the node {name} says that block {newest} is {to_hex(said[newest])}"
