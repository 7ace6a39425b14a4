"""Status entries: one normal form, everything else malformed (design section 5)."""

from copy import deepcopy
from typing import Any

import pytest

from anchor.errors import CredentialFormatError, MalformedError
from anchor.model import RegistryId, StatusPosition, address
from anchor.status import (
    LIST_SIZE,
    CredentialStatus,
    StatusPurpose,
    StatusReason,
    group_positions,
    mask_of,
    parse_reason,
    parse_status,
    positions_of,
    status_entries,
    status_url,
    word_of,
)

STATUS = CredentialStatus(
    registry=RegistryId(chain_id=31337, address=address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3"))),
    issuer_id=7,
    position=StatusPosition(status_list=0, index=94_567),
)
ENTRIES = status_entries(STATUS, "https://registry.example/")


def test_entries_are_as_designed() -> None:
    assert ENTRIES[0] == {
        "id": "ethereum:0x5fbdb2315678afecb367f032d93f642f64180aa3@31337/isRevoked?uint32=7&uint32=0&uint256=94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://registry.example/status/7/0/revocation",
    }
    assert ENTRIES[1]["id"] == status_url(STATUS, StatusPurpose.SUSPENSION)
    assert parse_status({"credentialStatus": ENTRIES}) == STATUS
    assert parse_status({"credentialStatus": ENTRIES[::-1]}) == STATUS


def test_entries_of_other_kinds_are_left_alone() -> None:
    others = [{"type": "1EdTechRevocationList", "id": "https://x.example"}, {"type": ["Other"]}, "text", 7]
    assert parse_status({"credentialStatus": [*others, *ENTRIES]}) == STATUS


def changed(number: int, **members: Any) -> list[dict[str, Any]]:
    entries = deepcopy(ENTRIES)
    entries[number].update(members)
    return entries


def edited(number: int, old: str, new: str) -> list[dict[str, Any]]:
    assert old in ENTRIES[number]["id"]
    return changed(number, id=ENTRIES[number]["id"].replace(old, new))


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (None, "no BitstringStatusListEntry for revocation"),
        ([], "no BitstringStatusListEntry for revocation"),
        (ENTRIES[0], "no BitstringStatusListEntry for suspension"),
        (ENTRIES[1:], "no BitstringStatusListEntry for revocation"),
        ([*ENTRIES, ENTRIES[0]], "more than one entry for revocation"),
        ([*ENTRIES, {**ENTRIES[0], "statusPurpose": "message"}], "revocation or suspension only"),
        ([*ENTRIES, {"type": ["BitstringStatusListEntry"]}], "exactly the text members"),
        (changed(0, type=["BitstringStatusListEntry"]), "exactly the text members"),
        (changed(0, extra="x"), "exactly the text members"),
        (changed(0, statusListIndex=94_567), "exactly the text members"),
        (changed(0, statusListIndex="94568"), "differ"),
        (changed(0, statusListIndex="094567"), "differ"),
        (edited(0, "isRevoked", "isSuspended"), "names the function isSuspended"),
        (edited(0, "isRevoked", "isRevokedd"), "must be ethereum:"),
        (edited(0, "uint32=7", "uint32=8"), "different positions"),
        (edited(0, "uint32=7", "uint32=07"), "must be ethereum:"),
        (edited(0, "uint32=7", "uint32=0"), "must be ethereum:"),
        (edited(0, "uint32=7", "uint32=4294967296"), "beyond"),
        (edited(0, "uint32=0", "uint32=1"), "different positions"),
        (edited(0, "uint32=0", "uint32=4294967296"), "beyond"),
        (edited(0, "5fbdb", "5FBDB"), "must be ethereum:"),
        (edited(0, "5fbdb", "6fbdb"), "different positions"),
        (edited(0, "@31337", "@1"), "different positions"),
        (edited(0, "@31337", ""), "must be ethereum:"),
        (edited(0, "uint256", "uint32"), "must be ethereum:"),
        (edited(0, "ethereum:", "ETHEREUM:"), "must be ethereum:"),
        (changed(0, id=ENTRIES[0]["id"] + "\n"), "must be ethereum:"),
        (changed(0, id=ENTRIES[0]["id"] + "&value=0"), "must be ethereum:"),
        (changed(0, id=ENTRIES[0]["id"].replace("94567", "131072"), statusListIndex="131072"), "beyond"),
    ],
)
def test_any_other_form_is_malformed(entries: object, said: str) -> None:
    with pytest.raises(CredentialFormatError, match=said):
        parse_status({"credentialStatus": entries})


def test_missing_member_is_malformed() -> None:
    with pytest.raises(CredentialFormatError, match="no BitstringStatusListEntry"):
        parse_status({})


def test_least_significant_bit_comes_first() -> None:
    assert (word_of(0), mask_of(0)) == (0, 1)
    assert (word_of(255), mask_of(255)) == (0, 1 << 255)
    assert (word_of(256), mask_of(256)) == (1, 1)
    assert word_of(LIST_SIZE - 1) == 511


def test_positions_gather_into_words_and_come_apart_again() -> None:
    positions = [StatusPosition(status_list=1, index=300), StatusPosition(status_list=0, index=0)]
    positions += [StatusPosition(status_list=0, index=index) for index in (511, 256, 3, 256)]
    grouped = group_positions(positions)
    assert grouped == {0: {0: 0b1001, 1: 1 | 1 << 255}, 1: {1: 1 << 44}}
    apart = {
        each
        for number, words in grouped.items()
        for word, mask in words.items()
        for each in positions_of(number, word, mask)
    }
    assert apart == set(positions)


def test_reasons_are_read_by_label_and_number() -> None:
    assert parse_reason("issued-in-error") is parse_reason("1") is StatusReason.ISSUED_IN_ERROR
    with pytest.raises(MalformedError, match="no reason 'misconduct'") as caught:
        parse_reason("misconduct")
    assert "holders-request (4)" in caught.value.advice
