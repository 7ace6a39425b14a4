"""Every function of the registry by its name, and signatures for relayed ones; by web3, not by our own code."""

from __future__ import annotations

import json
from typing import Any, Final

from eth_account import Account
from web3 import HTTPProvider, Web3

from anchor.audit import check_complete, read_heads, slots_of_heads
from anchor.credential import parse_credential
from anchor.evidence import LedgerState
from anchor.history import History
from anchor.ledger.abi import contract_build
from anchor.ledger.answers import Receipt
from anchor.ledger.client import Call, LedgerClient
from anchor.ledger.collect import collect_evidence, collect_slots
from anchor.ledger.testnet import dev_signer
from anchor.model import Hash32, Policy, Verdict, to_hex
from anchor.replay import replay
from anchor.verify import verify
from tests.ledger.chain import FAR, REASON, Chain

(SECOND_ANCHOR_KEY, STAGED_KEY, NEW_CONTROLLER, NEW_ADMIN, SECOND_ACCREDITOR) = range(5, 10)
"""Further accounts of the testnet, after those of `tests.ledger.chain`."""

ANCHOR, STATUS = 1, 2

_STATUS_MEMBERS = "address key,uint32 issuer,uint32 list,uint16[] words,uint256[] masks,uint8 reason"
STRUCTS: Final = {
    "KeyConsent": "uint32 issuer,address key,uint8 scope,uint16 statusEpoch,uint40 validFrom,uint40 deadline",
    "Anchor": "address key,uint32 issuer,bytes32 root,uint32 size,uint40 deadline",
    "Revoke": f"{_STATUS_MEMBERS},uint256 nonce,uint40 deadline",
    "Suspend": f"{_STATUS_MEMBERS},uint256 nonce,uint40 deadline",
    "Reinstate": f"{_STATUS_MEMBERS},uint256 nonce,uint40 deadline",
    "RevokeBatch": "address key,uint32 issuer,bytes32 root,uint8 reason,uint256 nonce,uint40 deadline",
}
"""What keys sign, as the interface's NatSpec has it."""


def account_of(account: int) -> str:
    """The address of one of the testnet's accounts, as web3 wants it."""
    return str(Web3.to_checksum_address(to_hex(dev_signer(account).address)))


class WholeContract:
    """The registry of a chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.issuer = chain.issuer_id
        self.called: set[str] = set()
        web3 = Web3(HTTPProvider(chain.url))
        self._address = Web3.to_checksum_address(to_hex(chain.registry.address))
        self._contract = web3.eth.contract(address=self._address, abi=list(contract_build().abi))

    def call(self, name: str, *values: Any) -> Call:
        self.called.add(name)
        data = bytes.fromhex(self._contract.encode_abi(name, list(values)).removeprefix("0x"))
        return Call(to=self.chain.registry.address, data=data, what=name)

    def send(self, account: int, name: str, *values: Any) -> Receipt:
        return self.chain.execute(account, self.call(name, *values))

    def send_root(self, account: int, root: bytes) -> Receipt:
        """Anchor by the bare root (`fallback`)."""
        self.called.add("fallback")
        return self.chain.execute(account, Call(to=self.chain.registry.address, data=root, what="anchor the root"))

    def view(self, name: str, *values: Any) -> Any:
        self.called.add(name)
        return self._contract.functions[name](*values).call()

    def sign(self, account: int, struct: str, *values: Any, chain_id: int | None = None) -> bytes:
        members = [dict(zip(("type", "name"), each.split(), strict=True)) for each in STRUCTS[struct].split(",")]
        signed = Account.sign_typed_data(
            dev_signer(account)._account.key,
            domain_data={
                "name": "credanchor",
                "version": "1",
                "chainId": chain_id or self.chain.registry.chain_id,
                "verifyingContract": self._address,
            },
            message_types={struct: members},
            message_data={each["name"]: value for each, value in zip(members, values, strict=True)},
        )
        return bytes(signed.signature)

    def add_key(self, controller: int, account: int, scope: int, *, epoch: int = 0, valid_from: int = 0) -> Receipt:
        consent = self.sign(account, "KeyConsent", self.issuer, account_of(account), scope, epoch, valid_from, FAR)
        return self.send(controller, "addKey", self.issuer, account_of(account), scope, epoch, valid_from, FAR, consent)

    def revoke(self, account: int, *indices: int) -> Receipt:
        """Revoke credentials of word 0 of list 0."""
        return self.send(account, "revoke", self.issuer, 0, [0], [sum(1 << index for index in indices)], REASON)

    @property
    def now(self) -> int:
        return self.chain.client.latest_block().header.timestamp

    def pass_time(self, seconds: int) -> None:
        self.chain.node.write("evm_increaseTime", [seconds])
        self.chain.mine()

    def audit(self) -> History:
        """The production audit, but for its look at the clock: raises unless the history is complete."""
        client, registry = self.chain.client, self.chain.registry
        history = replay(client.logs(registry.address, 0, client.latest_block().header.number), registry)
        check_complete(history, read_heads(self.state(*slots_of_heads(history)), history))
        return history

    def verdict(
        self, document: dict[str, Any], rules: Policy | None = None, client: LedgerClient | None = None
    ) -> Verdict:
        """What a verifier says of a credential now."""
        credential = parse_credential(json.dumps(document).encode())
        rules = rules or self.chain.policy()
        evidence = collect_evidence([client or self.chain.client], credential.requests, rules)
        return verify(credential, evidence, rules, self.now)

    def state(self, *slots: Hash32) -> LedgerState:
        """State proofs of these slots at the newest block."""
        return LedgerState(collect_slots([self.chain.client], self.chain.registry, slots, self.chain.policy()))
