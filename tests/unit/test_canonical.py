"""Strict JSON and canonical bytes (design section 4)."""

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from anchor.canonical import MAX_DEPTH, MAX_DOCUMENT_BYTES, canonicalize, credential_hash, leaf_hash, parse_document
from anchor.errors import CredentialFormatError
from anchor.model import StatusPosition, hash32

JCS = Path(__file__).parents[1] / "vectors" / "jcs"


@pytest.mark.parametrize("name", ["french", "structures", "unicode", "values", "weird"])
def test_jcs_vectors_canonicalize_to_the_published_bytes(name: str) -> None:
    # The vectors' numbers (1E30, 333333333.33333329) are beyond the strict input, so they go round the parser.
    value = json.loads((JCS / "input" / f"{name}.json").read_bytes())
    expected = bytes.fromhex((JCS / "outhex" / f"{name}.txt").read_text())
    assert canonicalize(value) == expected


def test_jcs_weird_vector_goes_through_the_parser() -> None:
    # Keys beyond ASCII must sort by UTF-16 unit, which the fast encoder does not do.
    document = parse_document((JCS / "input" / "weird.json").read_bytes())
    assert not document.is_plain
    assert document.canonical_bytes() == bytes.fromhex((JCS / "outhex" / "weird.txt").read_text())


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('{"b":1,"a":2}', '{"a":2,"b":1}'),
        ('{"a":1.0}', '{"a":1}'),
        ('{"a":-0}', '{"a":0}'),
        ('{"a":-0.0}', '{"a":0}'),
        ('{"a":1e3}', '{"a":1000}'),
        ('{"a":0.10}', '{"a":0.1}'),
        ('{"a":1e-7}', '{"a":1e-7}'),
        ('{"a":9007199254740991}', '{"a":9007199254740991}'),
        ('{"a":-9007199254740991}', '{"a":-9007199254740991}'),
        ('{"a":"\\u00e9\\u000b\\/"}', '{"a":"é\\u000b/"}'),
        ('{"a":"\\ud83d\\ude00"}', '{"a":"😀"}'),
        ('{"a":"\u007f"}', '{"a":"\u007f"}'),
        ('{"a":[{"proof":1}],"proof":[2]}', '{"a":[{"proof":1}]}'),
        (' \t\r\n{"a":null,"b":true,"c":false} ', '{"a":null,"b":true,"c":false}'),
    ],
)
def test_document_has_one_canonical_form(text: str, canonical: str) -> None:
    assert parse_document(text.encode()).canonical_bytes() == canonical.encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"garbage", "not JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b"[]", "expected a JSON object"),
        (b'"text"', "expected a JSON object"),
        (b'{"a":1,"a":1}', "same key twice"),
        (b'{"a":1,"\\u0061":2}', "same key twice"),
        (b'{"x":[{"a":1,"a":2}]}', "same key twice"),
        (b'{"a":1}{}', "not JSON: Extra data"),
        (b'{"a":1,}', "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":01}', "not JSON"),
        (b'{"a":"\n"}', "not JSON"),
        (b'{"a":NaN}', "NaN is not a JSON number"),
        (b'{"a":-Infinity}', "-Infinity is not a JSON number"),
        (b'{"a":1e20}', "whole number is beyond"),
        (b'{"a":1e400}', "too large"),
        (b'{"a":1e-400}', "more digits than a double keeps"),
        (b'{"a":1e-99999999999999999999}', "more digits than a double keeps"),
        (b'{"a":9007199254740992}', "whole number is beyond"),
        (b'{"a":-9007199254740992}', "whole number is beyond"),
        (b'{"a":9007199254740993.0}', "whole number is beyond"),
        (b'{"a":' + b"9" * 5000 + b"}", "whole number is beyond"),
        (b'{"a":0.1000000000000000000001}', "more digits than a double keeps"),
        (b'{"a":"\\ud800"}', "lone surrogate"),
        (b'{"a":"\\udc00\\ud800"}', "lone surrogate"),
        (b'{"\\ud800":1}', "lone surrogate"),
        (b'{"proof":"\\ud800"}', "lone surrogate"),
        (b'{"a":"\xef\xbf\xbf"}', "noncharacter"),
        (b'{"a":"\xef\xb7\x90"}', "noncharacter"),
        (b'{"a":"\\ufffe"}', "noncharacter"),
        (b'{"a":"\xf0\x9f\xbf\xbf"}', "noncharacter"),
        (b'{"a":"\xf4\x8f\xbf\xbe"}', "noncharacter"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper than 64"),
        (b"[" * 1_000_000, "nested deeper than 64"),
        (b'{"a":"' + b"x" * MAX_DOCUMENT_BYTES + b'"}', "at most 1048576"),
    ],
)
def test_document_that_readers_could_differ_on_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(CredentialFormatError, match=said):
        parse_document(data)


def test_error_carries_nothing_of_the_content() -> None:
    with pytest.raises(CredentialFormatError) as caught:
        parse_document('{"name":"Zoë Tremblay","name":"Zoë"}'.encode())
    assert "Zoë" not in str(caught.value)


def test_depth_counts_nesting_and_not_brackets_in_strings() -> None:
    deepest = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert parse_document(deepest).value
    wide = json.dumps({"brackets": "[{" * 200, "many": [[] for _ in range(200)]}).encode()
    assert parse_document(wide).value


def test_unterminated_string_of_escaped_quotes_is_refused_in_linear_time() -> None:
    # A backtracking scan would take hours for this one; the suite's own time limit is the assertion.
    for end in (b"", b"\\"):
        with pytest.raises(CredentialFormatError, match="not JSON"):
            parse_document(b'{"a":[' + b"[]," * 65 + b'"' + b'\\"[' * 300_000 + end)


def test_brackets_in_a_string_with_an_escaped_line_end_are_not_nesting() -> None:
    # No JSON, and said to be that, for `\\` takes any character with it.
    with pytest.raises(CredentialFormatError, match="not JSON"):
        parse_document(b'{"a":"\\\n' + b"[" * 70 + b'"}')


def test_depth_is_that_of_the_deepest_place_only() -> None:
    side = ",".join(["[]"] * 100)
    for inner, accepted in (("[" * 63 + "]" * 63, True), ("[" * 64 + "]" * 64, False)):
        document = f'{{"a":[{side}],"b":{inner}}}'.encode()
        if accepted:
            assert parse_document(document).value["a"] == [[]] * 100
        else:
            with pytest.raises(CredentialFormatError, match="nested deeper than 64"):
                parse_document(document)


@pytest.mark.parametrize("text", ["", "\\\\", '\\"', "[", "]]]]", '\\\\\\"'])
def test_brackets_count_behind_any_string_and_not_within(text: str) -> None:
    nested = "[" * 64 + "]" * 64
    with pytest.raises(CredentialFormatError, match="nested deeper than 64"):
        parse_document(f'{{"a":"{text}","b":{nested}}}'.encode())
    within = "[" * 70
    assert parse_document(f'{{"a":"{text}","b":"{within}","c":[{nested[2:-2]}]}}'.encode()).value["b"] == within


def test_plain_documents_get_the_bytes_that_rfc8785_gives() -> None:
    value: dict[str, Any] = {"z": [1, "é\u2028\x0b\x7f\\", {"b": None, "a": True}], "a": {"k": "𐐷"}}
    document = parse_document(json.dumps(value).encode())
    assert document.is_plain
    assert document.canonical_bytes() == rfc8785.dumps(value)


@pytest.mark.parametrize("sign", ["", "-"])
def test_largest_whole_number_is_accepted_in_each_writing(sign: str) -> None:
    for text in (f"{sign}9007199254740991", f"{sign}9007199254740991.0"):
        assert parse_document(f'{{"a":{text}}}'.encode()).value == {"a": float(text)}
    for text in (f"{sign}9007199254740992", f"{sign}9007199254740992.0", f"{sign}{'9' * 5000}"):
        with pytest.raises(CredentialFormatError, match="beyond 9007199254740991"):
            parse_document(f'{{"a":{text}}}'.encode())


def test_canonicalize_refuses_what_has_no_form() -> None:
    for value in ({"a": 2**53}, {"a": float("nan")}, {"a": "\ud800"}, {"a": object()}):
        with pytest.raises(CredentialFormatError, match="no canonical form"):
            canonicalize(value)


def test_leaf_preimage_is_laid_out_as_specified() -> None:
    content = credential_hash(b"{}")
    assert content.hex() == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    leaf = leaf_hash(content, hash32(bytes(range(32))), StatusPosition(status_list=1, index=2))
    # SHA-256 of 00 ‖ 00 01 … 1f ‖ 00000001 ‖ 00000002 ‖ SHA-256("{}"), by sha256sum
    assert leaf.hex() == "79e422b0eebafc8c6498e0aa3efe8396b88dc30c9729cf8731eb9d305905cfaf"


def test_largest_document_is_accepted() -> None:
    assert MAX_DOCUMENT_BYTES == 1024 * 1024
    largest = b'{"a":"' + b"x" * (MAX_DOCUMENT_BYTES - 8) + b'"}'
    assert len(largest) == MAX_DOCUMENT_BYTES
    assert parse_document(largest).canonical_bytes() == largest


def test_error_says_where_the_fault_is() -> None:
    with pytest.raises(CredentialFormatError, match=r"line 2, column 5"):
        parse_document(b'{\n"a":}')


@pytest.mark.parametrize(
    "text",
    [
        '{"é": 1}',
        '{"😀":1}',
        '{"a":1,"𐐷":1}',
        '{"a":{"😀":1}}',
        '{"a":9.9e-5}',
        '{"a":-0.00001}',
        '{"a":1e2}',
        '{"a":[2.0]}',
    ],
)
def test_what_the_fast_encoder_might_write_differently_goes_the_slow_way(text: str) -> None:
    document = parse_document(text.encode())
    assert document.is_plain is False
    assert document.canonical_bytes() == rfc8785.dumps(json.loads(text))


@pytest.mark.parametrize("text", ["1.5", "-2.25", "0.0001", "0.000123", "99999999999999.98", "-4503599627370495.5"])
def test_fractions_of_common_size_go_the_fast_way(text: str) -> None:
    document = parse_document(f'{{"a":{text}}}'.encode())
    assert document.is_plain is True
    assert document.canonical_bytes() == rfc8785.dumps({"a": float(text)}) == f'{{"a":{text}}}'.encode()


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("\ufdcf", True),
        ("\ufdd0", False),
        ("\ufdef", False),
        ("\ufdf0", True),
        ("\ufffd", True),
        ("\U0001fffd", True),
        ("\U0001fffe", False),
        ("\U00020000", True),
        ("\U0010fffd", True),
        ("\ud7ff", True),
        ("\ue000", True),
        *((chr(plane + 0xFFFF), False) for plane in range(0, 0x110000, 0x10000)),
    ],
)
def test_characters_that_no_text_has_are_refused_in_clear_and_escaped(text: str, accepted: bool) -> None:
    for ascii_only in (False, True):
        data = json.dumps({"a": text}, ensure_ascii=ascii_only).encode()
        if accepted:
            assert parse_document(data).value == {"a": text}
        else:
            with pytest.raises(CredentialFormatError, match="noncharacter"):
                parse_document(data)


def test_noncharacter_is_found_among_characters_of_all_planes() -> None:
    text = "".join(chr(first) for first in (0xFFFD, 0x1F600, 0x40000, 0x80000, 0xC0000, 0x100000))
    assert {character.encode()[0] for character in text} == {0xEF, *range(0xF0, 0xF5)}
    assert parse_document(json.dumps({"a": text}, ensure_ascii=False).encode()).value == {"a": text}
    with pytest.raises(CredentialFormatError, match="noncharacter"):
        parse_document(json.dumps({"a": text + "\ufdd0"}, ensure_ascii=False).encode())
