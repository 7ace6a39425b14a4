"""Domain types check themselves."""

import pytest

from anchor.errors import MalformedError, RevertedError
from anchor.model import RegistryId, address, hash32, parse_hex, to_hex, to_utc


def test_bytes_have_their_length() -> None:
    with pytest.raises(MalformedError, match="expected 32 bytes, got 31"):
        hash32(bytes(31))
    with pytest.raises(MalformedError, match="expected 20 bytes, got 21"):
        address(bytes(21))


@pytest.mark.parametrize("text", ["12", "0x1", "0X12", "0xzz", "0x12\n", ""])
def test_hex_is_prefixed_and_whole(text: str) -> None:
    with pytest.raises(MalformedError, match="0x-prefixed hex"):
        parse_hex(text)


def test_hex_survives_reading_and_writing() -> None:
    assert to_hex(parse_hex("0xAbCd")) == "0xabcd"


@pytest.mark.parametrize("text", ["", "eip155:1", "eip155:1:0x" + "A" * 40, "eip155:01:0x" + "a" * 40, "0x" + "a" * 40])
def test_registry_is_caip_10_in_one_form(text: str) -> None:
    with pytest.raises(MalformedError, match="expected a registry as eip155"):
        RegistryId.parse(text)


def test_chain_ids_are_positive() -> None:
    with pytest.raises(MalformedError, match="chain id"):
        RegistryId(chain_id=0, address=address(bytes(20)))


def test_times_beyond_the_calendar_are_numbers() -> None:
    assert to_utc(1_767_225_600) == "2026-01-01 00:00:00 UTC"
    assert to_utc(2**64) == f"second {2**64}"


def test_diagnostics_end_with_the_advice() -> None:
    error = RevertedError("refused", name="ZeroRoot", advice="Do this.")
    assert error.diagnostics() == "refused\nDo this."
    assert RevertedError("refused").diagnostics() == "refused"
