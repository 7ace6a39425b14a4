"""The quick reader reads what the strict reader reads, or leaves it alone: the same value, the same canonical bytes."""

import json
import math
from typing import Any

import orjson
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from anchor import canonical
from anchor.canonical import Document, parse_document
from anchor.errors import CredentialFormatError

# Pieces of JSON at which readers are known to differ, and ordinary ones between which they stand.
COMMON_NUMBERS = ("0", "1", "1.5", "0.1", "0.0001", "0.0012", "123456789.1234", "999999999")
RARE_NUMBERS = (
    *("-1", "-0", "0.0", "-0.0", "1.0", "1.50", "-1.5", "0.00001", "1e2", "1E2", "1e-7", "1e400", "1e-400", "5e-324"),
    *("0.1000000000000000000001", "1234567890", "9007199254740991", "9007199254740992", "9007199254740993.0", "1e20"),
    *("18446744073709551615", "18446744073709551616", "01", "+1", ".5", "1.", "NaN", "Infinity", "-Infinity", "0x1"),
)
COMMON_TEXTS = (
    *(
        "",
        "a",
        "b",
        "é",
        "proof",
        ":1",
        "[1",
        ",1",
        ",-0,",
        "}",
        "{[" * 40,
        "http://a/1",
        "€",
        "\ud7ff",
        "\ue000",
        "\x7f",
    ),
    *("\x85", "\u2028", '\\"', "\\\\", '\\\\\\"', '\\",1,\\"', '\\":1.0,\\"', "\\b", "\\n", "\\u0001"),
)
RARE_TEXTS = (
    *(
        "\ufdd0",
        "\uffff",
        "\ufffe",
        "\ufffd",
        "😀",
        "\U0001ffff",
        "\U0010fffd",
        "\ufeff",
        "𐐷",
        "\\/",
        "\\u000a",
        "\\u001F",
    ),
    *("\\u00e9", "\\u0061", "\\ud83d\\ude00", "\\ud800", "\\udc00\\ud800", "\\ufffe", "\\x", "\\", "\n", '"', '":"'),
)
TEXTS = st.sampled_from(COMMON_TEXTS * 8 + RARE_TEXTS)
STRINGS = st.lists(TEXTS, max_size=3).map(lambda parts: f'"{"".join(parts)}"')
SCALARS = STRINGS | st.sampled_from(
    (*(COMMON_NUMBERS * 16), *RARE_NUMBERS, *(("true", "false", "null") * 8), "tru", "")
)
BETWEEN = st.sampled_from(("",) * 40 + (" ", "\n", "\t", "\r", "\x0b", "\ufeff"))


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects whose keys come often twice."""
    members = st.tuples(BETWEEN, STRINGS, st.sampled_from((":",) * 40 + (": ", "")), values).map("".join)
    return st.lists(members, max_size=4).map(lambda each: f"{{{','.join(each)}}}")


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.lists(values, max_size=4), st.sampled_from((",",) * 20 + (", ",))).map(
        lambda drawn: f"[{drawn[1].join(drawn[0])}]"
    )


VALUES = st.recursive(SCALARS, lambda inner: objects(inner) | arrays(inner), max_leaves=12)
ENDS = st.sampled_from(("",) * 20 + ("\n",) * 10 + ("\n\n", " ", "\r\n", "}", "{}", "\x00", "\ufeff"))
FILES = st.tuples(BETWEEN, objects(VALUES) | VALUES, ENDS).map("".join)


def outcome(read: Any, data: bytes) -> tuple[Any, bytes] | str:
    """Give what a reader makes of a file: value and canonical bytes, or its words of refusal."""
    try:
        document: Document = read(data)
    except CredentialFormatError as error:
        return str(error)
    # As text, for 1 and 1.0, 0.0 and -0.0, 1 and true are equal in Python.
    return repr(document.value), document.canonical_bytes()


def check_alike(data: bytes) -> None:
    quick = canonical._read_quickly(data)
    if quick is None:
        return
    strict = canonical._read_strictly(data)
    assert repr(quick.value) == repr(strict.value)
    assert quick.canonical_bytes() == strict.canonical_bytes() == canonical_by_rfc8785(strict.value)


def canonical_by_rfc8785(value: dict[str, Any]) -> bytes:
    return rfc8785.dumps({key: member for key, member in value.items() if key != "proof"})


@given(text=FILES)
@example('{"a":1,"a":1}')
@example('{"a":1,"\\u0061":1}')
@example('{"a":"\\"","b":"\\",1.0,\\""}')
@example('{"a\\\\":1.0}')
@example('{"a":"\\\\","b":1.0}')
def test_quick_reader_says_the_same_or_nothing(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    check_alike(data)
    if not data.startswith(b"\xef\xbb\xbf"):
        assert outcome(parse_document, data) == outcome(canonical._read_strictly, data)


@given(text=FILES, place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_nor_does_one_wrong_byte_part_them(text: str, place: int, byte: int) -> None:
    damaged = bytearray(text.encode("utf-8", "surrogatepass"))
    if damaged:
        damaged[place % len(damaged)] = byte
    check_alike(bytes(damaged))


@given(number=st.decimals(allow_nan=False, allow_infinity=False) | st.floats() | st.integers())
def test_numbers_are_the_same_to_both(number: Any) -> None:
    for text in (str(number), repr(number), f"{number:f}" if math.isfinite(number) else "0"):
        for file in (f'{{"a":{text}}}', f'{{"a":[{text},{text}]}}', f'{{"a":[1,{text}],"b":{text}}}'):
            check_alike(file.encode())


@given(value=st.dictionaries(st.text(max_size=4), st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3))))
def test_whatever_is_written_on_one_line_is_read_alike(value: Any) -> None:
    try:
        check_alike(orjson.dumps(value))
    except orjson.JSONEncodeError:
        check_alike(json.dumps(value, separators=(",", ":")).encode())
