"""The quick reader: what it reads, what it leaves to the strict one, and that both say the same."""

import pytest

from anchor import canonical
from anchor.canonical import parse_document
from anchor.errors import CredentialFormatError

DEEPEST = 64
COMMON = (
    '{"a":"x"}',
    '{"a":"x"}\n',
    '{"é":"ᐊᓇ ®","ü":[{}]}',
    '{"a":"1,000 [1] {2} :3 -4"}',
    '{"a":"\\n\\b\\u0001"}',
    '{"a":"\\\\","b":1.5}',
    '{"a":"\\"","b":1.5}',
    '{"a":"\\"quoted\\" and \\\\","b":1.5}',
    '{"a":"\\"[1.0","b":"2.0\\"","c":[3]}',
    '{"a":[true,false,null,0,1,12.5,0.0001,999999999,123456789.1234]}',
    '{"a":"' + "[" * 65 + '"}',
    '{"a":[' + "1," * 2044 + "123]}",  # 4,096 bytes outside of strings
)
RARE = (
    '{"a": "x"}',
    '{"a":"x"}\n\n',
    '{"a":"x","a":"x"}',
    '{"a":"\\u00e9"}',
    '{"a":"\\u000a"}',
    '{"a":"\\/"}',
    '{"a":"😀"}',
    '{"😀":1,"\ue000":2}',
    '{"a":"\ufdd0"}',
    '{"a":"\U0010ffff"}',
    '{"a":-1}',
    '{"a":-0}',
    '{"a":1.0}',
    '{"a":1234567890}',
    '{"a":0.00001}',
    '{"a":0.00011}',
    '{"a":1.50}',
    '{"a":[[],1e2]}',
    '{"a":"\\"","b":1.0}',
    '{"a":"\\"\\"","b":1.0}',
    '{"a":"\\"","b":1.0,"c":"\\""}',
    '{"a":"\\\\","b":1.0}',
    '{"a":["b",1e400]}',
    '{"a":9007199254740993}',
    '{"a":[' + "1," * 2044 + "1234]}",
    "[]",
    '"a"',
    "1",
    "{",
    "",
    "\ufeff{}",
)


def read(reader: object, data: bytes) -> tuple[str, bytes] | str:
    """Give what is read, as text, for 1, 1.0 and true are equal in Python; or the words of refusal."""
    assert callable(reader)
    try:
        document = reader(data)
    except CredentialFormatError as error:
        return str(error)
    return repr(document.value), document.canonical_bytes()


@pytest.mark.parametrize("text", COMMON)
def test_common_files_are_read_quickly_and_as_the_strict_reader_does(text: str) -> None:
    data = text.encode()
    assert canonical._read_quickly(data) is not None
    assert read(canonical._read_quickly, data) == read(canonical._read_strictly, data)


@pytest.mark.parametrize("text", RARE)
def test_any_other_is_left_to_the_strict_reader(text: str) -> None:
    data = text.encode()
    assert canonical._read_quickly(data) is None
    if not text.startswith("\ufeff"):
        assert read(parse_document, data) == read(canonical._read_strictly, data)


@pytest.mark.parametrize("byte", [0xFF, 0xC0, 0x80])
def test_what_is_no_utf8_is_left_to_the_strict_reader(byte: int) -> None:
    assert canonical._read_quickly(b'{"a":"' + bytes([byte]) + b'"}') is None


@pytest.mark.parametrize("depth", [1, DEEPEST - 1, DEEPEST, DEEPEST + 1, 255, 1025])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_the_same_to_both(depth: int, opening: str, closing: str) -> None:
    inner = depth - 1
    data = f'{{"a":{opening * inner}1{closing * inner}}}'.encode()
    assert (canonical._read_quickly(data) is not None) == (depth <= DEEPEST)
    assert read(parse_document, data) == read(canonical._read_strictly, data)
