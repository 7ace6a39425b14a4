"""One node's view of the ledger, as typed questions; nothing here is proven, `anchor.ledger.collect` fetches proofs.

>>> client = LedgerClient("http://127.0.0.1:8545")
>>> client.block("latest").header.number
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Literal, TypeVar

from anchor.errors import (
    AnswerTooLargeError,
    LedgerUnavailableError,
    MalformedError,
    NodeRefusedError,
    WrongLedgerError,
)
from anchor.events import RawLog
from anchor.ledger.answers import (
    AccountProof,
    Block,
    Receipt,
    read_account_proof,
    read_block,
    read_bytes,
    read_list,
    read_log,
    read_quantity,
    read_receipt,
)
from anchor.ledger.endpoints import Endpoint, endpoint_of
from anchor.ledger.rpc import DEFAULT_TIMEOUT_SECONDS, MAX_ANSWER_BYTES, RpcNode
from anchor.model import Address, Hash32, Policy, to_hex

MAX_SLOTS_PER_PROOF: Final = 1000
"""Slots in one `eth_getProof`: Erigon refuses more than 1,000, go-ethereum more than 1,024."""

FIRST_LOG_BLOCKS: Final = 10_000
"""Blocks in one `eth_getLogs` at first; public nodes allow 500 to 10,000, and the span is halved when one refuses."""

MAX_LOG_BLOCKS: Final = 1_000_000
"""Blocks in one `eth_getLogs` at most, of a node that refuses nothing."""

AIMED_LOGS: Final = 5_000
"""Logs in one answer, more or less: some 6 MB, so that memory stays bounded whatever the length of a history."""

_GROW_AGAIN_AFTER: Final = 16
"""Answers in a row after which a node that refused once is asked for more again: perhaps it had too many logs there."""

_SLOW_ANSWERS: Final = 4
"""In a row, each to a question half as large; then it is the node that is slow."""

MAX_LOG_QUESTIONS: Final = 1_000_000
"""For one history. The longest chains today have some 500 million blocks; a block number can be any lie."""

_FALLBACK_TIP_WEI: Final = 10**9
"""Tip a unit of gas where a node does not suggest one: 1 gwei, enough everywhere but in a rush."""

T = TypeVar("T")
BlockTag = Literal["latest", "finalized"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """EIP-1559 fees, in wei a unit of gas."""

    max_fee_wei: int
    max_tip_wei: int
    base_fee_wei: int = 0
    """Of the newest block, where known; what is offered above it is a reserve and the tip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A message to a contract, or the deployment of one."""

    to: Address | None
    """None: deploys the contract whose creation code `data` is."""
    data: bytes
    what: str
    """What it does, for messages: "anchor the batch"."""
    code_hash: Hash32 | None = None
    """Hash of the code that must be at `to`, where known: a call to an address without code would succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[T]):
    """Something to ask a node, and how to read the answer."""

    method: str
    params: list[object]
    parse: Callable[[Any], T]
    """Raises `MalformedError` for what is no answer to this question."""


def ask_chain_id() -> Question[int]:
    """Ask for the EIP-155 number of the chain that the node serves."""
    return Question(method="eth_chainId", params=[], parse=read_quantity)


def ask_block(which: BlockTag | int) -> Question[Block | None]:
    """Ask for a block by tag or number; None if there is none. Its hash is recomputed from its header."""
    name = hex(which) if isinstance(which, int) else which
    number = which if isinstance(which, int) else None
    return Question(method="eth_getBlockByNumber", params=[name, False], parse=partial(_read_that_block, number=number))


def ask_block_by_hash(block_hash: Hash32) -> Question[Block | None]:
    """Ask for the block with this hash; None if the node does not know it."""
    parse = partial(_read_that_block, block_hash=block_hash)
    return Question(method="eth_getBlockByHash", params=[to_hex(block_hash), False], parse=parse)


def ask_balance(account: Address) -> Question[int]:
    """Ask for an account's balance in wei."""
    return Question(method="eth_getBalance", params=[to_hex(account), "latest"], parse=read_quantity)


def ask_proofs(account: Address, slots: Sequence[Hash32], block_hash: Hash32) -> list[Question[AccountProof]]:
    """Ask for the proofs of an account and of storage slots of it at one block, as many at once as nodes allow."""
    questions = []
    for start in range(0, max(len(slots), 1), MAX_SLOTS_PER_PROOF):
        some = tuple(slots[start : start + MAX_SLOTS_PER_PROOF])
        # By hash (EIP-1898): what a number means may change meanwhile.
        params: list[object] = [to_hex(account), [to_hex(slot) for slot in some], {"blockHash": to_hex(block_hash)}]
        questions.append(Question(method="eth_getProof", params=params, parse=partial(read_account_proof, slots=some)))
    return questions


class LedgerClient:
    """Asks one node; may be shared by threads.

    Every method raises `LedgerUnavailableError` when the node gives no usable answer, and `NodeRefusedError`, a kind of
    it, when it answers with an error. Both name the node.

    Args:
        url: The node's `http://` or `https://` address.
        timeout_seconds: Longest time for one request, its answer included.
        max_answer_bytes: Longest answer read.

    Raises:
        MalformedError: The address is not one.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, max_answer_bytes: int = MAX_ANSWER_BYTES
    ) -> None:
        self._rpc: Final = RpcNode(url, timeout_seconds=timeout_seconds, max_answer_bytes=max_answer_bytes)
        self.node: Final[str] = self._rpc.name
        """The node's address for people, without what may be secret in it."""
        self.endpoint: Final[Endpoint] = endpoint_of(url)

    def close(self) -> None:
        """Give up idle connections; the client may still be used."""
        self._rpc.close()

    def ask(self, questions: Sequence[Question[T]]) -> list[T | LedgerUnavailableError]:
        """Ask several questions at once; give each one's answer, or why there is none. Raises nothing."""
        calls = [(question.method, question.params) for question in questions]
        answers: list[T | LedgerUnavailableError] = []
        for question, answer in zip(questions, self._rpc.read_many(calls), strict=True):
            try:
                answers.append(answer if isinstance(answer, LedgerUnavailableError) else self._parsed(question, answer))
            except LedgerUnavailableError as error:
                answers.append(error)
        return answers

    def ask_one(self, question: Question[T]) -> T:
        """Ask one question."""
        return self._parsed(question, self._rpc.read(question.method, question.params))

    def chain_id(self) -> int:
        """Fetch the EIP-155 number of the chain that the node serves."""
        return self.ask_one(ask_chain_id())

    def require_chain(self, chain_id: int) -> None:
        """Check that the node serves this chain.

        Raises:
            WrongLedgerError: It serves another one.
        """
        self._check_chain(self.chain_id(), chain_id)

    def blocks(self, chain_id: int, which: Sequence[BlockTag | int]) -> list[Block | LedgerUnavailableError | None]:
        """Fetch blocks of a chain by tags or numbers, all at once.

        Returns:
            For each, in order, the block; None if there is none; or why the node did not say.

        Raises:
            WrongLedgerError: The node serves another chain.
        """
        questions: list[Question[Any]] = [ask_chain_id(), *map(ask_block, which)]
        served, *blocks = self.ask(questions)
        if isinstance(served, LedgerUnavailableError):
            raise served
        self._check_chain(served, chain_id)
        return blocks

    def block(self, which: BlockTag | int) -> Block | None:
        """Fetch a block by tag or number; None if there is none. Its hash is recomputed from its header."""
        return self.ask_one(ask_block(which))

    def latest_block(self) -> Block:
        """Fetch the newest block."""
        block = self.block("latest")
        if block is None:
            raise LedgerUnavailableError(f"the node {self.node} has no block yet", advice="wait until it has synced")
        return block

    def code(self, account: Address) -> bytes:
        """Fetch the code at an address, empty if it is no contract."""
        return self._read("eth_getCode", [to_hex(account), "latest"], read_bytes)

    def logs(self, contract: Address, first_block: int, last_block: int) -> Iterator[RawLog]:
        """Fetch a contract's logs of these blocks, both included, in order.

        Asks for more blocks at a time while answers are short, and for half as many when the node refuses, sends too
        much or takes too long. What is held at once is one answer.
        """
        span, limit, start, asked, since_refusal, slow = FIRST_LOG_BLOCKS, MAX_LOG_BLOCKS, first_block, 0, 0, 0
        while start <= last_block:
            asked += 1
            if asked > MAX_LOG_QUESTIONS:
                raise LedgerUnavailableError(
                    f"the node {self.node} speaks of too many blocks: events up to block {last_block} cannot be read"
                )
            end = min(start + span - 1, last_block)
            query = {"address": to_hex(contract), "fromBlock": hex(start), "toBlock": hex(end)}
            try:
                found = self._read("eth_getLogs", [query], _read_logs)
            except (NodeRefusedError, AnswerTooLargeError) as error:
                slow = 0 if isinstance(error, NodeRefusedError) else slow + 1
                if start == end or slow == _SLOW_ANSWERS:
                    raise
                span = limit = (end - start + 1) // 2
                since_refusal = 0
                continue
            if any(log.address != contract or not start <= log.block_number <= end for log in found):
                raise LedgerUnavailableError(f"the node {self.node} sent logs that were not asked for")
            yield from found
            start, slow, since_refusal = end + 1, 0, since_refusal + 1
            if since_refusal % _GROW_AGAIN_AFTER == 0:
                limit = min(limit * 2, MAX_LOG_BLOCKS)
            # Twice as many, or as many as would have had the logs aimed at.
            span = max(1, min(span * 2, span * AIMED_LOGS // max(len(found), 1), limit))

    def receipt(self, transaction_hash: Hash32) -> Receipt | None:
        """Fetch a transaction's receipt; None if it is not mined, as far as the node knows."""
        receipt = self._read("eth_getTransactionReceipt", [to_hex(transaction_hash)], read_receipt)
        if receipt is not None and receipt.transaction_hash != transaction_hash:
            raise LedgerUnavailableError(f"the node {self.node} answered with the receipt of another transaction")
        return receipt

    def knows_transaction(self, transaction_hash: Hash32) -> bool:
        """Tell whether the node has a transaction, waiting or mined."""
        return self._read("eth_getTransactionByHash", [to_hex(transaction_hash)], lambda answer: answer is not None)

    def mined_count(self, account: Address) -> int:
        """Fetch how many transactions of an account were mined: its next nonce, if none is waiting."""
        return self._read("eth_getTransactionCount", [to_hex(account), "latest"], read_quantity)

    def pending_count(self, account: Address) -> int:
        """Fetch an account's next nonce, those waiting counted."""
        return self._read("eth_getTransactionCount", [to_hex(account), "pending"], read_quantity)

    def balance(self, account: Address) -> int:
        """Fetch an account's balance in wei."""
        return self.ask_one(ask_balance(account))

    def fees(self) -> Fees:
        """Work out fees with which a transaction is mined soon, even if the base fee doubles meanwhile."""
        base_fee = self.latest_block().base_fee_wei
        if base_fee is None:
            raise LedgerUnavailableError(f"the chain of the node {self.node} has no EIP-1559 fees")
        try:
            tip = self._read("eth_maxPriorityFeePerGas", [], read_quantity)
        except NodeRefusedError:
            tip = _FALLBACK_TIP_WEI
        return Fees(max_fee_wei=2 * base_fee + tip, max_tip_wei=tip, base_fee_wei=base_fee)

    def estimate_gas(self, sender: Address, call: Call) -> int:
        """Let the node work out what gas a call takes; a refusal by the contract is a `NodeRefusedError` with data."""
        return self._read("eth_estimateGas", [_message(sender, call)], read_quantity)

    def replay(self, sender: Address, call: Call, block_number: int) -> bytes:
        """Execute a call on the state after a block, changing nothing; a refusal is a `NodeRefusedError` with data."""
        return self._read("eth_call", [_message(sender, call), hex(block_number)], read_bytes)

    def send_raw(self, raw: bytes) -> None:
        """Send a signed transaction, once.

        Raises:
            NodeRefusedError: The node refused it, or has it already: its words tell.
            LedgerUnavailableError: It was not sent.
            OutcomeUnknownError: It may have been sent.
        """
        self._rpc.write("eth_sendRawTransaction", [to_hex(raw)])

    def _read(self, method: str, params: list[object], parse: Callable[[Any], T]) -> T:
        return self.ask_one(Question(method=method, params=params, parse=parse))

    def _parsed(self, question: Question[T], answer: object) -> T:
        try:
            return question.parse(answer)
        except MalformedError as error:
            raise LedgerUnavailableError(
                f"the node {self.node} gave a malformed answer to {question.method}: {error}",
                advice="use another node, or tell us if this one follows the Ethereum specification",
            ) from error

    def _check_chain(self, served: int, chain_id: int) -> None:
        if served != chain_id:
            raise WrongLedgerError(
                f"the node {self.node} serves chain {served}, not chain {chain_id}",
                advice="give the address of a node of the right chain",
            )


def clients_of(policy: Policy) -> tuple[LedgerClient, ...]:
    """Make a client for each node of a policy, in its order."""
    return tuple(map(LedgerClient, policy.nodes))


def _read_that_block(value: object, *, number: int | None = None, block_hash: Hash32 | None = None) -> Block | None:
    block = read_block(value)
    if block is not None and (
        (number is not None and block.header.number != number)
        or (block_hash is not None and block.header.hash != block_hash)
    ):
        raise MalformedError("another block than asked for")
    return block


def _read_logs(answer: object) -> list[RawLog]:
    logs = [read_log(log) for log in read_list(answer)]
    return sorted(logs, key=lambda log: (log.block_number, log.log_index))


def _message(sender: Address, call: Call) -> dict[str, object]:
    message: dict[str, object] = {"from": to_hex(sender), "data": to_hex(call.data)}
    if call.to is not None:
        message["to"] = to_hex(call.to)
    return message
