"""The real contract made to do what the model does: each act sent as a transaction, and attempts that must fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from eth_account import Account
from web3 import Web3

from anchor.history import ADMIN_ROLE, StatusWord
from anchor.ledger.abi import contract_build
from anchor.ledger.contract import deployment
from anchor.model import RegistryId, address, to_hex
from anchor.status import StatusPurpose
from tests.ledger.chain import FAR, Chain
from tests.ledger.whole_contract import STRUCTS
from tests.support.contract_model import Model
from tests.support.history import ADMIN, DEPLOYER, Call
from tests.support.stories import REINSTATED, REVOKED, SUSPENDED

STRANGER: Final = b"\x57" * 20
"""Sends what others signed, and tries what he may not."""

_GAS: Final = 1_000_000
_DEPLOYMENT_GAS: Final = 10_000_000
_FUNDS: Final = hex(10**20)
_DIRECT: Final = {REVOKED: "revoke", SUSPENDED: "suspend", REINSTATED: "reinstate", "BatchRevoked": "revokeBatch"}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A transaction, and whether the contract must take it."""

    what: str
    hash: str
    is_good: bool


@dataclass(kw_only=True)
class RandomContract(Model):
    """A registry of its own on a chain, of whose accounts all do as they are told.

    Args:
        chain: A chain without automatic mining, that sends for any account; its `registry` becomes this one.
    """

    chain: Chain
    sent: list[Sent] = field(default_factory=list)
    secrets: dict[bytes, bytes] = field(default_factory=dict)
    relayed: list[tuple[str, bytes]] = field(default_factory=list)
    """Calls with a signature that was used: name and data."""

    def __post_init__(self) -> None:
        self.at = self.chain.client.latest_block().header.timestamp + 1
        self._contract: Any = Web3().eth.contract(abi=list(contract_build().abi))
        self._domain: dict[str, Any] = {}
        self._funded: set[bytes] = set()
        self.set_time()
        super().__post_init__()

    def set_time(self) -> None:
        self.chain.node.write("evm_setNextBlockTimestamp", [self.at])

    # What the model asks for.

    def pass_time(self) -> None:
        self.chain.node.write("evm_mine", [])
        self.block += 1
        self.at += self.random.randint(1, 20)
        self.set_time()

    def new_key(self) -> bytes:
        secret = self.fresh()
        key = bytes.fromhex(Account.from_key(secret).address.removeprefix("0x"))
        self.secrets[key] = secret
        return key

    def do(self, *calls: Call, relayed: bool = False) -> None:
        super().do(*calls, relayed=relayed)
        first, *_ = calls
        said: list[Any] = list(first.values)
        *values, actor, _at = said
        sender = bytes.fromhex(actor.removeprefix("0x"))
        match first.event:
            case "RoleChanged" if not hasattr(self.chain, "registry"):
                self.deploy(calls)
            case "RoleChanged":
                self.change(sender, *values)
            case "IssuerAccredited":
                _, _, did, controller = values
                self.send(sender, "accredit", did, _checksum(controller))
            case "AccreditationWithdrawn":
                self.send(sender, "withdraw", *values)
            case "ControllerTransferStarted":
                self.send(sender, "transferController", values[0], _checksum(values[1]))
            case "ControllerTransferred":
                self.send(sender, "acceptController", values[0])
            case "KeyAdded":
                self.send(sender, "addKey", *self.consent(*values, at=self.at))
            case "KeyRetired":
                self.send(sender, "retireKey", _checksum(values[1]))
            case "KeyCompromised":
                self.send(sender, "compromiseKey", _checksum(values[1]), values[2])
            case "NoncesCancelled":
                self.send(sender, "cancelNonces", _checksum(values[1]), values[2])
            case "BatchAnchored":
                self.anchor_root(sender, *values, relayed=relayed)
            case name:
                self.write_status(_DIRECT[name], sender, values, relayed=relayed)

    def offer_admin(self, heir: bytes) -> None:
        assert self.admin is not None
        self.send(self.admin, "beginDefaultAdminTransfer", _checksum(heir))
        self.pass_time()

    # How it is sent.

    def deploy(self, calls: tuple[Call, ...]) -> None:
        accreditor = bytes.fromhex(str(calls[1].values[1]).removeprefix("0x"))
        call = deployment(admin=address(ADMIN), accreditor=address(accreditor), admin_delay_seconds=0)
        self.post(DEPLOYER, call.data, "deploy", to=None, gas=_DEPLOYMENT_GAS)
        self.chain.node.write("evm_mine", [])
        receipt = self.chain.node.read("eth_getTransactionReceipt", [self.sent[-1].hash])
        found = address(bytes.fromhex(receipt["contractAddress"].removeprefix("0x")))
        self.chain.registry = RegistryId(chain_id=self.chain.chain_id, address=found)
        self._domain = {
            "name": "credanchor",
            "version": "1",
            "chainId": self.chain.chain_id,
            "verifyingContract": _checksum(found),
        }
        self.at += 1
        self.set_time()

    def change(self, sender: bytes, role: bytes, account: str, granted: bool) -> None:
        is_own = sender == bytes.fromhex(account.removeprefix("0x"))
        if role == ADMIN_ROLE and self.calls[-1].values[2]:
            self.send(sender, "acceptDefaultAdminTransfer")
        elif granted:
            self.send(sender, "grantRole", role, _checksum(account))
        else:
            self.send(sender, "renounceRole" if is_own else "revokeRole", role, _checksum(account))

    def consent(self, issuer: int, key: str, scope: int, epoch: int, start: int, *, at: int) -> tuple[Any, ...]:
        # 0 means: from the block on in which it is added.
        agreed = (issuer, _checksum(key), scope, epoch, 0 if start == at else start, FAR)
        return (*agreed, self.sign(bytes.fromhex(key.removeprefix("0x")), "KeyConsent", *agreed))

    def anchor_root(self, key: bytes, issuer: int, root: bytes, size: int, *, relayed: bool) -> None:
        if size == 0:
            self.post(key, root, "fallback")
        elif relayed:
            signature = self.sign(key, "Anchor", _checksum(key), issuer, root, size, FAR)
            self.relay("anchorBySig", issuer, root, size, _checksum(key), FAR, signature)
        else:
            self.send(key, "anchor", issuer, root, size)

    def write_status(self, name: str, key: bytes, values: list[Any], *, relayed: bool) -> None:
        """Change status as an event says; what was so before is asked for, too, for the contract leaves it out."""
        issuer, place, epoch, *others = values
        if name != "revokeBatch":
            words, masks, reason = others
            others = [words, [self.asked(name, issuer, epoch, place, *each) for each in zip(words, masks, strict=True)]]
            others.append(reason)
        if not relayed:
            self.send(key, name, issuer, place, *others)
            return
        nonce = self.keys[key].nonce
        said = (_checksum(key), issuer, place, *others, nonce, FAR)
        signature = self.sign(key, name[0].upper() + name[1:], *said)
        self.relay(f"{name}BySig", issuer, place, *others, _checksum(key), nonce, FAR, signature)

    def asked(self, name: str, issuer: int, epoch: int, status_list: int, word: int, mask: int) -> int:
        """A mask that changes no other bits than this one, with bits that are so already."""
        purpose = StatusPurpose.REVOCATION if name == "revoke" else StatusPurpose.SUSPENSION
        now = self.bits[issuer, purpose, StatusWord(epoch, status_list, word)]
        idle = ~now if name == "reinstate" else now & ~mask
        return mask | idle & self.random.getrandbits(256)

    def sign(self, key: bytes, struct: str, *values: Any, chain_id: int | None = None) -> bytes:
        members = [dict(zip(("type", "name"), each.split(), strict=True)) for each in STRUCTS[struct].split(",")]
        signed = Account.sign_typed_data(
            self.secrets[key],
            domain_data=self._domain | ({"chainId": chain_id} if chain_id else {}),
            message_types={struct: members},
            message_data={each["name"]: value for each, value in zip(members, values, strict=True)},
        )
        return bytes(signed.signature)

    def relay(self, name: str, *values: Any) -> None:
        data = self.encode(name, *values)
        self.relayed.append((name, data))
        self.post(STRANGER, data, name)

    def send(self, sender: bytes, name: str, *values: Any, is_good: bool = True) -> None:
        self.post(sender, self.encode(name, *values), name, is_good=is_good)

    def encode(self, name: str, *values: Any) -> bytes:
        return bytes.fromhex(self._contract.encode_abi(name, list(values)).removeprefix("0x"))

    def post(
        self,
        sender: bytes,
        data: bytes,
        what: str,
        *,
        is_good: bool = True,
        to: bytes | None = b"",
        gas: int = _GAS,
    ) -> None:
        node = self.chain.node
        if sender not in self._funded:
            self._funded.add(sender)
            node.write("anvil_setBalance", [to_hex(sender), _FUNDS])
        message = {"from": to_hex(sender), "data": to_hex(data), "gas": hex(gas), "gasPrice": hex(2 * 10**9)}
        if to is not None:
            message["to"] = to_hex(to or self.chain.registry.address)
        self.sent.append(Sent(what=what, hash=node.write("eth_sendTransaction", [message]), is_good=is_good))

    # What must fail.

    def fail(self) -> None:
        issuer = self.random.choice(list(self.controllers))
        self.random.choice([self.fail_to_govern, self.fail_to_control, self.fail_with_key, self.fail_to_relay])(issuer)

    def refuse(self, sender: bytes, name: str, *values: Any) -> None:
        self.send(sender, name, *values, is_good=False)

    def fail_to_govern(self, issuer: int) -> None:
        role, nobody, taken = ADMIN_ROLE, _checksum(STRANGER), f"did:web:{issuer}.example"
        accreditor = self.random.choice(self.accreditors)
        acts: list[Callable[[], None]] = [
            lambda: self.refuse(STRANGER, "accredit", taken, nobody),
            lambda: self.refuse(self.controllers[issuer], "withdraw", issuer, 0, 1),
            lambda: self.refuse(accreditor, "withdraw", issuer, self.at, 1),
            lambda: self.refuse(accreditor, "withdraw", issuer, 0, 8),
            lambda: self.refuse(accreditor, "withdraw", len(self.controllers) + 1, 0, 1),
            lambda: self.refuse(accreditor, "accredit", "web:no-scheme.example", nobody),
            lambda: self.refuse(STRANGER, "grantRole", role, nobody),
            lambda: self.refuse(STRANGER, "acceptDefaultAdminTransfer"),
        ]
        self.random.choice(acts)()

    def fail_to_control(self, issuer: int) -> None:
        controller, key = self.controllers[issuer], self.new_key()
        good = self.consent(issuer, to_hex(key), 1, 0, 0, at=self.at)
        acts: list[Callable[[], None]] = [
            lambda: self.refuse(STRANGER, "addKey", *good),
            # The key agreed to another issuer, or to another scope.
            lambda: self.refuse(controller, "addKey", issuer, good[1], 2, *good[3:]),
            lambda: self.refuse(controller, "transferController", issuer, _checksum(controller)),
            lambda: self.refuse(STRANGER, "acceptController", issuer),
            lambda: self.refuse(controller, "retireKey", good[1]),
            lambda: self.refuse(controller, "compromiseKey", good[1], self.at),
        ]
        self.random.choice(acts)()

    def fail_with_key(self, issuer: int) -> None:
        if not self.keys:
            return
        key, record = self.random.choice(list(self.keys.items()))
        controller, is_over = self.controllers[record.issuer], record.cut_off is not None
        cancelled, root = record.nonce + 1025, self.fresh()
        acts: list[Callable[[], None]] = [
            lambda: self.refuse(STRANGER, "compromiseKey", _checksum(key), self.at),
            lambda: self.refuse(controller, "compromiseKey", _checksum(key), self.at + 1_000),
            lambda: self.refuse(controller, "compromiseKey", _checksum(key), record.valid_from - 1),
            lambda: self.refuse(controller, "cancelNonces", _checksum(key), cancelled),
            lambda: self.refuse(controller, "cancelNonces", _checksum(key), record.nonce),
            lambda: self.refuse(STRANGER, "cancelNonces", _checksum(key), record.nonce + 1),
            lambda: self.refuse(key, "anchor", record.issuer, root, 0),
            lambda: self.refuse(key, "anchor", record.issuer + 1, root, 1),
            lambda: self.refuse(key, "revoke", record.issuer, 0, [1, 0], [1, 1], 1),
            lambda: self.refuse(key, "suspend", record.issuer, 0, [0], [0], 1),
            lambda: self.refuse(key, "revokeBatch", record.issuer, root, 1),
            lambda: self.post(STRANGER, root, "fallback", is_good=False),
        ]
        if is_over:
            acts.append(lambda: self.refuse(controller, "retireKey", _checksum(key)))
        if record.scope == 1:
            acts.append(lambda: self.refuse(key, "revoke", record.issuer, 0, [0], [1], 1))
        else:
            acts.append(lambda: self.refuse(key, "anchor", record.issuer, root, 1))
        again = [root for (whose, root), batch in self.roots.items() if whose == issuer and not self.is_void(batch)]
        honest = [each for each, its in self.able(1) if its.issuer == issuer]
        if again and honest:
            acts.append(lambda: self.refuse(honest[0], "anchor", issuer, again[0], 1))
        self.random.choice(acts)()

    def fail_to_relay(self, issuer: int) -> None:
        keys = [key for key, record in self.keys.items() if record.issuer == issuer]
        if self.relayed and self.random.random() < 0.5:
            # A signature is good once: its nonce is used up; its root is anchored, or its key void.
            name, data = self.random.choice(self.relayed)
            self.post(STRANGER, data, f"{name} again", is_good=False)
        elif keys:
            key, root = self.random.choice(keys), self.fresh()
            said = (_checksum(key), issuer, root, 1)
            late, abroad = self.at - 1, self.chain.chain_id + 1
            end, signature = self.random.choice(
                [
                    (late, self.sign(key, "Anchor", *said, late)),
                    (FAR, self.sign(key, "Anchor", *said, FAR, chain_id=abroad)),
                    (FAR, self.sign(key, "Anchor", *said, FAR - 1)),
                ]
            )
            self.refuse(STRANGER, "anchorBySig", issuer, root, 1, _checksum(key), end, signature)


def _checksum(account: bytes | str) -> str:
    return str(Web3.to_checksum_address(account if isinstance(account, str) else to_hex(account)))
