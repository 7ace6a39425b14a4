"""Status entries: one normal form, everything else malformed (design section 5)."""

import base64
import gzip
from copy import deepcopy
from typing import Any

import pytest

from anchor.errors import CredentialFormatError, MalformedError
from anchor.model import RegistryId, StatusPosition, address
from anchor.status import (
    LIST_SIZE,
    WORD_BITS,
    CredentialStatus,
    StatusPurpose,
    StatusReason,
    encoded_list,
    group_positions,
    mask_of,
    parse_reason,
    parse_status,
    positions_of,
    status_entries,
    status_url,
    word_of,
    words_of_list,
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


def test_list_has_the_size_of_the_specification() -> None:
    assert LIST_SIZE == 16 * 1024 * 8
    assert WORD_BITS * 512 == LIST_SIZE


def test_largest_numbers_are_accepted() -> None:
    largest = CredentialStatus(
        registry=RegistryId(chain_id=10**32 - 1, address=STATUS.registry.address),
        issuer_id=2**32 - 1,
        position=StatusPosition(status_list=2**32 - 1, index=131_071),
    )
    assert parse_status({"credentialStatus": status_entries(largest, "https://x.example")}) == largest
    smallest = CredentialStatus(
        registry=RegistryId(chain_id=1, address=STATUS.registry.address),
        issuer_id=1,
        position=StatusPosition(status_list=0, index=0),
    )
    assert parse_status({"credentialStatus": status_entries(smallest, "https://x.example")}) == smallest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@31337", "@" + "1" * 33),
        ("uint32=7", "uint32=" + "1" * 11),
        ("uint32=0", "uint32=" + "1" * 11),
        ("uint256=94567", "uint256=1310710"),
        ("0x5fbdb", "0x05fbdb"),
        ("0x5fbdb", "0xfbdb"),
        ("uint32=0", "uint32=00"),
        ("?uint32", "uint32"),
    ],
)
def test_numbers_too_long_to_be_meant_are_no_url_of_ours(old: str, new: str) -> None:
    with pytest.raises(CredentialFormatError, match="must be ethereum:"):
        parse_status({"credentialStatus": edited(0, old, new)})


def test_addresses_of_lists_are_those_of_their_purpose() -> None:
    assert [entry["statusListCredential"] for entry in ENTRIES] == [
        "https://registry.example/status/7/0/revocation",
        "https://registry.example/status/7/0/suspension",
    ]
    assert [entry["statusPurpose"] for entry in ENTRIES] == ["revocation", "suspension"]
    assert "/isSuspended?" in ENTRIES[1]["id"]


def test_only_the_slash_is_taken_off_the_services_address() -> None:
    for public_url in ("https://registry.example/INDEX", "https://registry.example/INDEX/"):
        entries = status_entries(STATUS, public_url)
        assert entries[0]["statusListCredential"] == "https://registry.example/INDEX/status/7/0/revocation"


def test_entry_of_ours_among_several_types_is_ours() -> None:
    several = {**ENTRIES[0], "type": ["Other", "BitstringStatusListEntry"]}
    with pytest.raises(CredentialFormatError, match="exactly the text members"):
        parse_status({"credentialStatus": [*ENTRIES, several]})


def test_bits_come_apart_in_order_up_to_the_last() -> None:
    positions = positions_of(3, 2, 1 | 1 << 7 | 1 << 255)
    assert positions == tuple(StatusPosition(status_list=3, index=index) for index in (512, 519, 767))
    assert positions_of(3, 2, 0) == ()


def test_words_of_a_list_are_in_order() -> None:
    # The contract refuses words that do not increase.
    positions = [StatusPosition(status_list=number, index=index) for number in (1, 0) for index in (900, 300, 600)]
    assert [(number, list(words)) for number, words in group_positions(positions).items()] == [
        (0, [1, 2, 3]),
        (1, [1, 2, 3]),
    ]


def test_reasons_have_the_numbers_of_the_contract() -> None:
    assert [(reason.value, reason.label) for reason in StatusReason] == [
        (1, "issued-in-error"),
        (2, "superseded"),
        (3, "key-compromise"),
        (4, "holders-request"),
        (5, "withdrawn-by-issuer"),
        (6, "affiliation-ended"),
        (7, "other"),
    ]
    for reason in StatusReason:
        assert parse_reason(reason.label) is parse_reason(str(reason.value)) is reason


@pytest.mark.parametrize("indices", [set(), {0}, {7}, {8, 255}, {256}, {LIST_SIZE - 1}, set(range(500, 2000, 7))])
def test_encoded_list_is_read_back_as_the_w3c_says(indices: set[int]) -> None:
    positions = [StatusPosition(3, index) for index in indices]
    text = encoded_list(group_positions(positions).get(3, {}))
    # Section 3.2 of Bitstring Status List v1.0, by other means: multibase, gzip, the first bit the leftmost.
    assert text[0] == "u"
    assert "=" not in text
    bits = gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
    assert len(bits) == LIST_SIZE // 8
    number = int.from_bytes(bits, "big")
    assert {index for index in range(LIST_SIZE) if number >> (LIST_SIZE - 1 - index) & 1} == indices


def test_same_list_makes_the_same_text() -> None:
    assert encoded_list({511: 1 << 255, 0: 1}) == encoded_list({0: 1, 511: 1 << 255, 7: 0})


@pytest.mark.parametrize("words", [{}, {0: 1}, {0: 1 << 255, 511: 1}, {3: (1 << 256) - 1, 4: 6, 511: 1 << 255}])
def test_an_encoded_list_is_read_as_it_was_written(words: dict[int, int]) -> None:
    assert words_of_list(encoded_list({**words, 9: 0})) == words


PACKED = gzip.compress(bytes(LIST_SIZE // 8))


@pytest.mark.parametrize(
    ("data", "letter"),
    [
        (PACKED, ""),
        (PACKED, "z"),
        (PACKED[:-1], "u"),
        (gzip.compress(bytes(LIST_SIZE // 8 - 1)), "u"),
        (gzip.compress(bytes(LIST_SIZE // 8 + 1)), "u"),
        (gzip.compress(bytes(2**24)), "u"),
        (bytes(LIST_SIZE // 8), "u"),
        (b"", "u"),
        (b"", ""),
    ],
    ids=["no-letter", "other-letter", "cut-off", "short", "long", "bomb", "not-packed", "nothing", "empty"],
)
def test_what_is_no_encoded_list_is_refused(data: bytes, letter: str) -> None:
    with pytest.raises(MalformedError, match="a status list is"):
        words_of_list(letter + base64.urlsafe_b64encode(data).rstrip(b"=").decode())
    assert words_of_list("u" + base64.urlsafe_b64encode(PACKED).rstrip(b"=").decode()) == {}


def test_an_encoded_list_that_is_no_base64_is_refused() -> None:
    for text in ("uA", "u\u00e9"):
        with pytest.raises(MalformedError, match="not base64url of gzip"):
            words_of_list(text)
