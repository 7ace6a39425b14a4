import pytest
from eth_abi import abi
from eth_hash.auto import keccak

from anchor.errors import NodeRefusedError
from anchor.ledger.abi import contract_build
from anchor.ledger.reverts import ADVICE, decode_revert, revert_of


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def test_every_error_of_the_contract_has_advice_and_no_other() -> None:
    assert {entry["name"] for entry in contract_build().abi if entry["type"] == "error"} == ADVICE.keys()


def test_an_error_of_the_contract_is_named_with_its_arguments() -> None:
    data = selector("AlreadyAnchored(uint32,bytes32,uint40)")
    data += abi.encode(["uint32", "bytes32", "uint40"], [7, b"\x11" * 32, 1234])
    error = decode_revert(data, "anchor the batch")
    assert error.name == "AlreadyAnchored"
    assert error.arguments == {"issuer": 7, "root": b"\x11" * 32, "anchoredAt": 1234}
    assert str(error) == (
        f"the contract refused to anchor the batch: AlreadyAnchored (issuer 7, root 0x{'11' * 32}, anchoredAt 1234)"
    )
    assert error.advice == ADVICE["AlreadyAnchored"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no reason given"),
        (b"\x01\x02\x03\x04", "unknown error 0x01020304"),
        (b"\x01", "unknown error 0x01"),
        (selector("Error(string)") + abi.encode(["string"], ["out of\nluck"]), "out of luck"),
        (selector("Panic(uint256)") + abi.encode(["uint256"], [0x11]), "internal fault 0x11"),
        (selector("Error(string)") + b"\x00", "its reason cannot be read"),
        (selector("Error(string)") + abi.encode(["bytes"], [b"\xff"]), "its reason cannot be read"),
        (selector("UnknownIssuer(uint32)") + b"\x00" * 3, "its reason cannot be read"),
        (selector("UnknownIssuer(uint32)") + b"\xff" * 32, "its reason cannot be read"),
        (selector("AccessControlBadConfirmation()"), "AccessControlBadConfirmation"),
    ],
)
def test_whatever_a_contract_returns_becomes_words(data: bytes, words: str) -> None:
    assert str(decode_revert(data, "revoke")).endswith(words)


def test_a_refusal_that_is_not_the_contracts_is_not_taken_for_one() -> None:
    assert revert_of(NodeRefusedError("x", text="no funds"), "revoke") is None
    assert revert_of(NodeRefusedError("x", text="Execution REVERTED"), "revoke") is not None
    assert revert_of(NodeRefusedError("x", text="x", data=b"\x01"), "revoke") is not None
