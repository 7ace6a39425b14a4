"""Files of known blocks: read strictly, and read back as they were written."""

import json

import pytest

from anchor.errors import PolicyFormatError
from anchor.known_blocks import known_blocks_to_text, parse_known_blocks_file
from anchor.model import KnownBlock, hash32

FIRST, SECOND = hash32(b"\x01" * 32), hash32(b"\x02" * 32)
HEX = "0x" + "01" * 32


def test_what_is_written_is_read_in_order_and_once() -> None:
    blocks = [KnownBlock(chain_id=10, hash=SECOND), KnownBlock(chain_id=1, hash=SECOND), KnownBlock(1, FIRST)]
    text = known_blocks_to_text([*blocks, blocks[0]])
    assert parse_known_blocks_file(text.encode()) == set(blocks)
    content = json.loads(text)
    assert list(content) == ["format", "blocks"]
    assert content["blocks"] == {"eip155:1": [HEX, "0x" + "02" * 32], "eip155:10": ["0x" + "02" * 32]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("not JSON", "{"),
        ("a key twice", '{"format":"credanchor/known-blocks@v1","blocks":{},"blocks":{}}'),
        ("another format", '{"format":"credanchor/policy@v1","blocks":{}}'),
        ("no format", '{"blocks":{}}'),
        ("no blocks", '{"format":"credanchor/known-blocks@v1"}'),
        ("another member", '{"format":"credanchor/known-blocks@v1","blocks":{},"final":true}'),
        ("a list", '{"format":"credanchor/known-blocks@v1","blocks":[]}'),
        ("another kind of chain", '{"format":"credanchor/known-blocks@v1","blocks":{"bip122:1":[]}}'),
        ("a hash of 31 bytes", f'{{"format":"credanchor/known-blocks@v1","blocks":{{"eip155:1":["{HEX[:-2]}"]}}}}'),
        ("one hash", f'{{"format":"credanchor/known-blocks@v1","blocks":{{"eip155:1":"{HEX}"}}}}'),
    ],
)
def test_other_files_are_refused(name: str, text: str) -> None:
    with pytest.raises(PolicyFormatError, match="known blocks"):
        parse_known_blocks_file(text.encode())
