"""What happens in the recorded history, on an anvil that is the same every time."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, Final

from eth_account import Account
from eth_hash.auto import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from anchor.ledger.abi import contract_build
from anchor.ledger.testnet import find_anvil

Json = dict[str, Any]

CHAIN_ID: Final = 31337
START: Final = 1_790_000_000
STEP_SECONDS: Final = 10
ACCREDITOR_ROLE: Final = keccak(b"credanchor/role/accreditor")
FAR: Final = 2**40 - 1
REASON: Final = 5
ADMIN_DELAY_SECONDS: Final = 5

(DEPLOYER, CONTROLLER, ANCHOR_KEY, STATUS_KEY, SECOND_CONTROLLER) = range(5)
(SECOND_ISSUERS_KEY, SECOND_ANCHOR_KEY, HEIR, ADMIN, ACCREDITOR) = range(5, 10)
STAGED_KEY, SKIPPED_KEY = DEPLOYER, SECOND_CONTROLLER
"""An account may have several parts."""

_MNEMONIC: Final = "test test test test test test test test test test test junk"
_STATUS_MEMBERS: Final = "address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason"
_STRUCTS: Final = {
    "KeyConsent": "uint32 issuer,address key,uint8 scope,uint16 statusEpoch,uint40 validFrom,uint40 deadline",
    "Anchor": "address key,uint32 issuer,bytes32 root,uint32 size,uint40 deadline",
    "Revoke": f"{_STATUS_MEMBERS},uint256 nonce,uint40 deadline",
}


def root_of(number: int) -> bytes:
    return keccak(b"batch %d" % number)


class Recorder:
    """The chain, and the calls made on it: one block each, ten seconds apart."""

    def __init__(self, url: str) -> None:
        Account.enable_unaudited_hdwallet_features()
        self.accounts = [
            Account.from_mnemonic(_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}") for index in range(10)
        ]
        self.web3 = Web3(HTTPProvider(url))
        self._nonces = [0] * len(self.accounts)
        build = contract_build()
        deployment = self.web3.eth.contract(abi=list(build.abi), bytecode=build.bytecode).constructor(
            self.address(ADMIN), self.address(ACCREDITOR), ADMIN_DELAY_SECONDS
        )
        self._send(DEPLOYER, None, deployment.data_in_transaction)
        self.mine()
        receipt = self.web3.eth.get_transaction_receipt(self._last)
        assert receipt["contractAddress"] is not None
        self.registry = receipt["contractAddress"]
        self._contract = self.web3.eth.contract(address=self.registry, abi=list(build.abi))

    def address(self, account: int) -> str:
        return str(self.accounts[account].address)

    @property
    def now(self) -> int:
        """Time of the next block."""
        return START + STEP_SECONDS * (int(self.web3.eth.block_number) + 1)

    def send(self, account: int, name: str, *values: object, mine: bool = True) -> None:
        self._send(account, self.registry, self._contract.encode_abi(name, list(values)))
        if mine:
            self.mine()

    def send_root(self, account: int, root: bytes) -> None:
        self._send(account, self.registry, "0x" + root.hex())
        self.mine()

    def mine(self) -> None:
        self.request("evm_setNextBlockTimestamp", self.now)
        self.request("evm_mine")
        for transaction in self.web3.eth.get_block("latest")["transactions"]:
            assert self.web3.eth.get_transaction_receipt(transaction)["status"] == 1  # type: ignore[arg-type]

    def request(self, method: str, *params: object) -> Any:
        answer = self.web3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def sign(self, account: int, struct: str, *values: object) -> bytes:
        members = [dict(zip(("type", "name"), each.split(), strict=True)) for each in _STRUCTS[struct].split(",")]
        signed = Account.sign_typed_data(
            self.accounts[account].key,
            domain_data={
                "name": "credanchor",
                "version": "1",
                "chainId": CHAIN_ID,
                "verifyingContract": self.registry,
            },
            message_types={struct: members},
            message_data={each["name"]: value for each, value in zip(members, values, strict=True)},
        )
        return bytes(signed.signature)

    def add_key(
        self, controller: int, issuer: int, account: int, scope: int, *, epoch: int = 0, valid_from: int = 0
    ) -> None:
        values = (issuer, self.address(account), scope, epoch, valid_from, FAR)
        self.send(controller, "addKey", *values, self.sign(account, "KeyConsent", *values))

    def storage(self, slot: bytes, block: int) -> str:
        value = self.web3.eth.get_storage_at(self.registry, int.from_bytes(slot, "big"), block)
        return "0x" + bytes(value).rjust(32, b"\x00").hex()

    def _send(self, account: int, to: str | None, data: object) -> None:
        transaction: Json = {
            "chainId": CHAIN_ID,
            "nonce": self._nonces[account],
            "value": 0,
            "data": data,
            "gas": 6_000_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
        }
        if to is not None:
            transaction["to"] = to
        signed = self.accounts[account].sign_transaction(transaction)
        self._last = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        self._nonces[account] += 1


def play(chain: Recorder) -> None:
    """Make every event occur. The first six are the worked example of docs/spec/history.md."""
    send = chain.send
    send(ACCREDITOR, "accredit", "did:web:college.example", chain.address(CONTROLLER))
    chain.add_key(CONTROLLER, 1, ANCHOR_KEY, 1)
    send(ANCHOR_KEY, "anchor", 1, root_of(1), 5)
    send(ACCREDITOR, "withdraw", 1, 1_890_000_000, 6)

    send(ADMIN, "grantRole", ACCREDITOR_ROLE, chain.address(DEPLOYER))
    send(DEPLOYER, "accredit", "did:web:collège.example", chain.address(SECOND_CONTROLLER))
    send(ADMIN, "revokeRole", ACCREDITOR_ROLE, chain.address(DEPLOYER))
    chain.add_key(SECOND_CONTROLLER, 2, SECOND_ISSUERS_KEY, 1, valid_from=START + 1000)
    chain.add_key(CONTROLLER, 1, STATUS_KEY, 2)
    send(STATUS_KEY, "revoke", 1, 0, [0, 3, 511], [0b11, 2**256 - 1, 1 << 255], 1)
    send(STATUS_KEY, "suspend", 1, 0, [3], [0b110], REASON)
    # Two events in one block. From that second on, the key is declared compromised later.
    since = chain.now
    send(STATUS_KEY, "reinstate", 1, 0, [3], [0b010], 7, mine=False)
    send(ANCHOR_KEY, "anchor", 1, root_of(2), 1000)
    chain.send_root(ANCHOR_KEY, root_of(3))
    key = chain.address(ANCHOR_KEY)
    signature = chain.sign(ANCHOR_KEY, "Anchor", key, 1, root_of(4), 2**32 - 1, FAR)
    send(SECOND_CONTROLLER, "anchorBySig", 1, root_of(4), 2**32 - 1, key, FAR, signature)
    send(STATUS_KEY, "revokeBatch", 1, root_of(4), 2)
    values = (1, 2**32 - 1, [256], [1 << 17], 3)
    signature = chain.sign(STATUS_KEY, "Revoke", chain.address(STATUS_KEY), *values, 2, FAR)
    send(SECOND_CONTROLLER, "revokeBySig", *values, chain.address(STATUS_KEY), 2, FAR, signature)
    send(CONTROLLER, "cancelNonces", chain.address(STATUS_KEY), 1027)

    send(CONTROLLER, "transferController", 1, chain.address(SECOND_CONTROLLER))
    send(CONTROLLER, "transferController", 1, chain.address(HEIR))
    send(HEIR, "acceptController", 1)
    send(HEIR, "transferController", 1, chain.address(CONTROLLER))
    send(HEIR, "transferController", 1, "0x" + "00" * 20)
    chain.add_key(HEIR, 1, SECOND_ANCHOR_KEY, 1)
    # The batches 2 to 4 become void, and 2 is anchored again.
    send(HEIR, "compromiseKey", chain.address(ANCHOR_KEY), since)
    send(SECOND_ANCHOR_KEY, "anchor", 1, root_of(2), 1000)
    # Another status epoch, in which some of what was revoked is so no more.
    chain.add_key(HEIR, 1, STAGED_KEY, 2, epoch=1)
    send(STAGED_KEY, "revoke", 1, 0, [0, 511], [0b01, 1 << 255], 1)
    send(STAGED_KEY, "suspend", 1, 7, [1], [1], 4)
    send(HEIR, "compromiseKey", chain.address(STATUS_KEY), chain.now - 1)
    # A key for the epoch after that is stolen in its turn: its epoch is skipped.
    chain.add_key(HEIR, 1, SKIPPED_KEY, 2, epoch=2)
    send(HEIR, "compromiseKey", chain.address(SKIPPED_KEY), chain.now - STEP_SECONDS)
    send(HEIR, "retireKey", chain.address(SECOND_ANCHOR_KEY))
    send(ACCREDITOR, "withdraw", 1, 0, 1)
    send(STAGED_KEY, "revokeBatch", 1, root_of(1), 6)

    send(ADMIN, "beginDefaultAdminTransfer", chain.address(HEIR))
    send(HEIR, "acceptDefaultAdminTransfer")
    send(ACCREDITOR, "renounceRole", ACCREDITOR_ROLE, chain.address(ACCREDITOR))


@contextmanager
def anvil() -> Iterator[str]:
    """Run a chain that is the same every time; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--hardfork", "prague", "--timestamp", str(START), "--chain-id", str(CHAIN_ID), "--no-mining"]
    with TemporaryDirectory() as cache:
        command = [str(find_anvil()), "--port", str(port), "--mnemonic", _MNEMONIC, "--silent", "--cache-path", cache]
        with subprocess.Popen([*command, *options]) as process:
            url = f"http://127.0.0.1:{port}"
            try:
                _wait(lambda: Web3(HTTPProvider(url)).eth.block_number)
                yield url
            finally:
                process.terminate()


def _wait(ask: Callable[[], object]) -> None:
    for _ in range(200):
        try:
            ask()
        except (OSError, Web3Exception):
            time.sleep(0.05)
        else:
            return
    raise AssertionError("anvil does not answer")
