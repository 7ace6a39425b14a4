"""Domain types check themselves."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from anchor.errors import MalformedError, RevokedError
from anchor.model import (
    MAX_UINT32,
    MAX_UINT256,
    ZERO_HASH,
    Basis,
    Check,
    CheckStatus,
    InclusionProof,
    KeyScope,
    Outcome,
    Policy,
    RegistryId,
    TrustedRegistry,
    Verdict,
    Vouching,
    address,
    hash32,
    parse_hex,
    to_hex,
    to_utc,
)

REGISTRY = RegistryId(chain_id=1, address=address(b"\xab" * 20))


def test_bytes_have_their_length() -> None:
    with pytest.raises(MalformedError, match="expected 32 bytes, got 31"):
        hash32(bytes(31))
    with pytest.raises(MalformedError, match="expected 20 bytes, got 21"):
        address(bytes(21))


def test_bytes_of_another_type_become_plain_ones() -> None:
    class Shown(bytes):
        """Such as libraries of the ledger give, which print themselves in a way of their own."""

    assert {type(hash32(Shown(32))), type(address(Shown(20)))} == {bytes}


@pytest.mark.parametrize("text", ["12", "0x1", "0X12", "0xzz", "0x12\n", "", "0x 12", "0x12 34", None, b"0x12"])
def test_hex_is_prefixed_and_whole(text: Any) -> None:
    with pytest.raises(MalformedError, match="0x-prefixed hex"):
        parse_hex(text)


def test_hex_survives_reading_and_writing() -> None:
    assert to_hex(parse_hex("0xAbCd")) == "0xabcd"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eip155:1",
        "eip155:1:0x" + "A" * 40,
        "eip155:01:0x" + "a" * 40,
        "0x" + "a" * 40,
        REGISTRY.to_text() + "0",
        REGISTRY.to_text() + "\n",
        " " + REGISTRY.to_text(),
    ],
)
def test_registry_is_caip_10_in_one_form(text: str) -> None:
    with pytest.raises(MalformedError, match="expected a registry as eip155"):
        RegistryId.parse(text)


def test_chain_ids_are_positive() -> None:
    with pytest.raises(MalformedError, match="chain id"):
        RegistryId(chain_id=0, address=address(bytes(20)))


def test_times_beyond_the_calendar_are_numbers() -> None:
    assert to_utc(1_767_225_600) == "2026-01-01 00:00:00 UTC"
    for beyond in (2**38, 2**56, 2**64):  # of years beyond 9999, beyond 2^31, and no time at all
        assert to_utc(beyond) == f"second {beyond}"


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC+5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_from_greenwich")
def test_times_are_those_of_utc_wherever_the_machine_is() -> None:
    to_utc.cache_clear()
    assert time.localtime(1_767_225_600).tm_hour == 19
    assert to_utc(1_767_225_600) == "2026-01-01 00:00:00 UTC"


def test_widths_are_those_of_the_contract() -> None:
    assert f"{MAX_UINT32:x}" == "f" * 8
    assert f"{MAX_UINT256:x}" == "f" * 64
    assert ZERO_HASH.hex() == "00" * 32
    assert [(scope.name, scope.value) for scope in KeyScope] == [("ANCHOR", 1), ("STATUS", 2)]


def test_words_that_programs_read_are_those_of_the_design() -> None:
    assert [each.value for each in Vouching] == ["pinnedHash", "kOfN", "ownNode", "oneNode"]
    assert [each.value for each in CheckStatus] == ["passed", "failed", "unknown", "notApplicable", "skipped"]
    assert [each.value for each in Outcome] == ["valid", "invalid", "unknown"]


def test_registry_survives_writing_and_reading() -> None:
    assert REGISTRY.to_text() == "eip155:1:0x" + "ab" * 20
    assert RegistryId.parse(REGISTRY.to_text()) == REGISTRY


def test_chain_ids_have_at_most_32_digits() -> None:
    largest = "eip155:" + "9" * 32 + ":0x" + "ab" * 20
    assert RegistryId.parse(largest).to_text() == largest
    with pytest.raises(MalformedError, match="expected a registry"):
        RegistryId.parse(largest.replace("999", "9999", 1))


def test_registry_needs_a_whole_address() -> None:
    with pytest.raises(MalformedError, match="expected 20 bytes, got 19"):
        RegistryId(chain_id=1, address=address(b"\x01" * 20)[:19])  # type: ignore[arg-type]  # a slice is bytes


@pytest.mark.parametrize(("leaf_index", "size"), [(0, 1), (0, 2**32 - 1), (2**32 - 2, 2**32 - 1)])
def test_positions_within_a_batch_of_any_size(leaf_index: int, size: int) -> None:
    proof = InclusionProof(leaf_index=leaf_index, size=size, siblings=())
    assert (proof.leaf_index, proof.size) == (leaf_index, size)


@pytest.mark.parametrize("size", [0, -1, 2**32])
def test_batches_of_no_size_are_malformed(size: int) -> None:
    with pytest.raises(MalformedError, match=f"batch size must be 1 to 4294967295, got {size}"):
        InclusionProof(leaf_index=0, size=size, siblings=())


@pytest.mark.parametrize(("leaf_index", "size"), [(-1, 1), (1, 1), (7, 5)])
def test_positions_beyond_the_batch_are_malformed(leaf_index: int, size: int) -> None:
    with pytest.raises(MalformedError, match=f"leaf index must be below the size {size}, got {leaf_index}"):
        InclusionProof(leaf_index=leaf_index, size=size, siblings=())


def test_policy_that_says_nothing_trusts_one_node_for_an_hour() -> None:
    policy = Policy(registries=())
    assert policy.vouching is Vouching.ONE_NODE
    assert policy.max_age_seconds == 3600
    assert policy.confirmations is None
    assert policy.denied_issuers == frozenset()
    assert policy.nodes == ()
    assert policy.pin_of(REGISTRY) is None


def test_policy_may_wait_for_no_block_and_for_a_second_only() -> None:
    policy = Policy(registries=(), confirmations=0, max_age_seconds=1)
    assert (policy.confirmations, policy.max_age_seconds) == (0, 1)


def test_pin_is_found_by_chain_and_address() -> None:
    pins = [
        TrustedRegistry(registry=RegistryId(chain_id=n, address=REGISTRY.address), code_hash=ZERO_HASH) for n in (1, 2)
    ]
    policy = Policy(registries=tuple(pins))
    assert policy.pin_of(REGISTRY) is pins[0]
    assert policy.pin_of(pins[1].registry) is pins[1]
    assert pins[0].name == ""


def test_what_a_verdict_does_not_know_is_empty() -> None:
    verdict = Verdict(outcome=Outcome.VALID, reason="", checks=())
    assert (verdict.basis, verdict.anchored_at, verdict.compromised_at, verdict.error) == (None, None, None, None)
    assert (verdict.credential_id, verdict.issuer_did, verdict.contact) == ("", "", "")
    assert Check(step=1, name="wellFormed", status=CheckStatus.PASSED, detail="").reason == ""
    basis = Basis(
        registry=REGISTRY,
        block_number=1,
        block_hash=ZERO_HASH,
        block_at=1,
        vouching=Vouching.OWN_NODE,
        vouched_by=(),
    )
    assert basis.registry_name == ""


def test_verdicts_that_say_the_same_are_equal_whoever_raised_the_error() -> None:
    verdict = Verdict(outcome=Outcome.INVALID, reason="revoked", checks=(), error=RevokedError("gone"))
    again = replace(verdict, error=RevokedError("gone"))
    assert again == verdict
    assert again.error is not verdict.error
    assert "RevokedError" not in repr(verdict)  # the deciding check has its words already
