"""Random plays on the real contract: governors, institutions, relayers and thieves, by the hundred, rightly or not.

To the contract, a thief is whoever has the key: half of what keys do here nobody may have wanted. What the contract
refuses is mined as well, and must leave no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from anchor.history import ACCREDITOR_ROLE
from anchor.model import to_hex
from tests.ledger.chain import ADMIN, FAR, Chain
from tests.ledger.whole_contract import ANCHOR, STATUS, STRUCTS, WholeContract, account_of

GAS: Final = hex(1_000_000)
NOBODY: Final = "0x" + "00" * 20
WORDS: Final = (0, 1, 255, 511)
"""Few, so that calls meet in them."""


@dataclass
class PlayedKey:
    account: LocalAccount
    issuer: int
    scope: int
    epoch: int


@dataclass
class Play:
    """One play; the accounts are its own, so that several can follow each other on one chain."""

    chain: Chain
    random: Random
    names: Counter[str] = field(default_factory=Counter)
    """What was done, by the contract's function."""
    refused: Counter[str] = field(default_factory=Counter)
    controllers: dict[int, str] = field(default_factory=dict)
    offers: dict[int, str] = field(default_factory=dict)
    accreditors: list[str] = field(default_factory=list)
    keys: list[PlayedKey] = field(default_factory=list)
    roots: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contract = WholeContract(self.chain)
        self.admin = account_of(ADMIN)
        self.chain.node.write("anvil_autoImpersonateAccount", [True])

    def run(self, steps: int) -> None:
        """Do so many things, whatever comes of them."""
        self._accreditor()
        for _ in range(2):
            self._accredit()
        for _ in range(steps):
            weights = [weight for _, weight in self._moves]
            move = self.random.choices([each for each, _ in self._moves], weights)[0]
            if self.random.random() < 0.2:
                self.contract.pass_time(self.random.randint(1, 5000))
            move()

    @property
    def _moves(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self._accreditor, 1),
            (self._accredit, 2),
            (self._withdraw, 1),
            (self._offer_control, 2),
            (self._accept_control, 2),
            (self._add_key, 8),
            (self._retire_key, 1),
            (self._compromise_key, 3),
            (self._cancel_nonces, 1),
            (self._anchor, 16),
            (self._anchor_root, 4),
            (self._anchor_again, 6),
            (self._anchor_by_signature, 4),
            (self._change_status, 30),
            (self._change_status_by_signature, 12),
            (self._revoke_batch, 6),
            (self._stranger, 3),
        ]

    # Who does something, and to whom.

    def _fresh(self) -> LocalAccount:
        account: LocalAccount = Account.from_key(self.random.randbytes(32))
        self.chain.node.write("anvil_setBalance", [account.address, hex(10**20)])
        return account

    def _send(self, sender: str, name: str, *values: Any) -> bool:
        return self._transact(sender, name, self.contract.call(name, *values).data)

    def _transact(self, sender: str, name: str, data: bytes) -> bool:
        transaction = {"from": sender, "to": to_hex(self.chain.registry.address), "data": to_hex(data), "gas": GAS}
        sent = self.chain.node.write("eth_sendTransaction", [transaction])
        # It is mined at once, but beside the answer.
        receipts = (self.chain.node.read("eth_getTransactionReceipt", [sent]) for _ in range(10_000))
        done = bool(next(filter(None, receipts))["status"] == "0x1")
        (self.names if done else self.refused)[name] += 1
        return done

    def _issuer(self) -> int:
        return self.random.choice(list(self.controllers))

    def _key(self, scope: int) -> PlayedKey | None:
        """Mostly one of a kind that fits."""
        fitting = [key for key in self.keys if key.scope == scope]
        return self.random.choice(fitting if fitting and self.random.random() < 0.97 else self.keys or [None])

    def _sign(self, key: LocalAccount, struct: str, *values: Any) -> bytes:
        members = [dict(zip(("type", "name"), each.split(), strict=True)) for each in STRUCTS[struct].split(",")]
        registry = self.chain.registry
        signed = Account.sign_typed_data(
            key.key,
            domain_data={
                "name": "credanchor",
                "version": "1",
                "chainId": registry.chain_id,
                "verifyingContract": Web3.to_checksum_address(to_hex(registry.address)),
            },
            message_types={struct: members},
            message_data={each["name"]: value for each, value in zip(members, values, strict=True)},
        )
        return bytes(signed.signature)

    # What they do.

    def _accreditor(self) -> None:
        if self.accreditors and self.random.random() < 0.3:
            gone = self.random.choice(self.accreditors)
            if self._send(self.admin, "revokeRole", ACCREDITOR_ROLE, gone):
                self.accreditors.remove(gone)
        else:
            account = self._fresh().address
            if self._send(self.admin, "grantRole", ACCREDITOR_ROLE, account):
                self.accreditors.append(account)

    def _governor(self) -> str:
        return self.random.choice([*self.accreditors, self.admin])

    def _accredit(self) -> None:
        controller = self._fresh().address
        before = self.contract.view("issuerCount")
        if self._send(self._governor(), "accredit", f"did:web:{self.random.randbytes(4).hex()}.example", controller):
            self.controllers[before + 1] = controller

    def _withdraw(self) -> None:
        at = self.random.choice([0, self.contract.now + self.random.randint(-100, 10**6), FAR])
        self._send(self._governor(), "withdraw", self._issuer(), at, self.random.randint(1, 7))

    def _offer_control(self) -> None:
        issuer = self._issuer()
        to = self.random.choice([self._fresh().address, NOBODY])
        if self._send(self.controllers[issuer], "transferController", issuer, to):
            self.offers[issuer] = to
            if to == NOBODY:  # which only a testnet lets send anything
                del self.offers[issuer]

    def _accept_control(self) -> None:
        if not self.offers:
            return
        issuer, to = self.random.choice(list(self.offers.items()))
        if self._send(to, "acceptController", issuer):
            self.controllers[issuer] = to
            del self.offers[issuer]

    def _add_key(self) -> None:
        issuer, account = self._issuer(), self._fresh()
        scope = self.random.choice([ANCHOR, STATUS, STATUS])
        current = self.contract.view("issuerOf", issuer)[3]
        epoch = 0 if scope == ANCHOR else self.random.choice([current, self.contract.view("nextStatusEpochOf", issuer)])
        start = self.random.choice([0, 0, 0, self.contract.now + self.random.randint(1, 2000)])
        consent = self._sign(account, "KeyConsent", issuer, account.address, scope, epoch, start, FAR)
        values = (issuer, account.address, scope, epoch, start, FAR, consent)
        if self._send(self.controllers[issuer], "addKey", *values):
            self.keys.append(PlayedKey(account, issuer, scope, epoch))

    def _retire_key(self) -> None:
        if self.keys:
            key = self.random.choice(self.keys)
            self._send(self.controllers[key.issuer], "retireKey", key.account.address)

    def _compromise_key(self) -> None:
        if self.keys:
            key = self.random.choice(self.keys)
            since = max(1, self.contract.now - self.random.choice([0, 10, 1000, 20_000, -5]))
            self._send(self.controllers[key.issuer], "compromiseKey", key.account.address, since)

    def _cancel_nonces(self) -> None:
        if self.keys:
            key = self.random.choice(self.keys)
            by = self.random.choice([key.account.address, self.controllers[key.issuer]])
            nonce = self.contract.view("nonceOf", key.account.address) + self.random.randint(0, 3)
            self._send(by, "cancelNonces", key.account.address, nonce)

    def _anchor(self) -> None:
        key = self._key(ANCHOR)
        if key is not None:
            root = self.random.randbytes(32)
            if self._send(key.account.address, "anchor", key.issuer, root, self.random.randint(0, 1000)):
                self.roots.append((key.issuer, root))

    def _anchor_root(self) -> None:
        key = self._key(ANCHOR)
        if key is not None:
            root = self.random.randbytes(32)
            if self._transact(key.account.address, "fallback", root):
                self.roots.append((key.issuer, root))

    def _anchor_again(self) -> None:
        key = self._key(ANCHOR)
        if key is not None and self.roots:
            issuer, root = self.random.choice([each for each in self.roots if each[0] == key.issuer] or self.roots)
            self._send(key.account.address, "anchor", issuer, root, 7)

    def _anchor_by_signature(self) -> None:
        key = self._key(ANCHOR)
        if key is not None:
            root, address = self.random.randbytes(32), key.account.address
            signature = self._sign(key.account, "Anchor", address, key.issuer, root, 5, FAR)
            if self._send(self._fresh().address, "anchorBySig", key.issuer, root, 5, address, FAR, signature):
                self.roots.append((key.issuer, root))

    def _change(self, key: PlayedKey) -> tuple[str, tuple[Any, ...]]:
        name = self.random.choice(["revoke", "suspend", "reinstate"])
        words = sorted(self.random.sample(WORDS, self.random.randint(1, 3)))
        masks = [1 << self.random.randint(0, 5) | 1 << self.random.choice([0, 255]) for _ in words]
        return name, (key.issuer, self.random.randint(0, 1), words, masks, self.random.randint(1, 7))

    def _change_status(self) -> None:
        key = self._key(STATUS)
        if key is not None:
            name, values = self._change(key)
            self._send(key.account.address, name, *values)

    def _change_status_by_signature(self) -> None:
        key = self._key(STATUS)
        if key is not None:
            (name, values), address = self._change(key), key.account.address
            nonce = self.contract.view("nonceOf", address) + self.random.choice([0, 0, 0, 1])
            signature = self._sign(key.account, name.capitalize(), address, *values, nonce, FAR)
            self._send(self._fresh().address, f"{name}BySig", *values, address, nonce, FAR, signature)

    def _revoke_batch(self) -> None:
        key = self._key(STATUS)
        if key is not None and self.roots:
            issuer, root = self.random.choice([each for each in self.roots if each[0] == key.issuer] or self.roots)
            self._send(key.account.address, "revokeBatch", issuer, root, self.random.randint(1, 7))

    def _stranger(self) -> None:
        """Somebody without any right tries it."""
        name, values = self.random.choice(
            [
                ("anchor", (self._issuer(), self.random.randbytes(32), 1)),
                ("revoke", (self._issuer(), 0, [0], [1], 1)),
                ("grantRole", (ACCREDITOR_ROLE, self.admin)),
                ("transferController", (self._issuer(), self.admin)),
            ]
        )
        self._send(self._fresh().address, name, *values)
