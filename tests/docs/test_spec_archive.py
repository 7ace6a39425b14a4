"""The example of the page on archives is read as the page says."""

import json
import re

from anchor.event_archive import FORMAT, MAX_LINE_BYTES, ArchiveEnd, end_line, header_line, log_line, read_archive
from anchor.events import RawLog, RoleChanged
from anchor.logs import parse_log
from anchor.model import RegistryId
from tests.docs.documents import ROOT

PAGE = (ROOT / "docs" / "spec" / "event-archive.md").read_text()
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0].encode()
LOGS = json.loads((ROOT / "tests" / "vectors" / "history.json").read_text())["logs"]


def test_example_is_read_and_written_byte_for_byte() -> None:
    lines = EXAMPLE.splitlines(keepends=True)
    registry = RegistryId.parse(json.loads(lines[0])["registry"])
    log, end = read_archive(lines, registry)
    assert isinstance(log, RawLog)
    assert isinstance(end, ArchiveEnd)
    assert isinstance(parse_log(log), RoleChanged)
    written = [header_line(registry), log_line(log), end_line(end.block_number, end.block_hash)]
    assert b"".join(written) == EXAMPLE


def test_example_is_of_the_recorded_history() -> None:
    log = json.loads(EXAMPLE.splitlines()[1])
    assert (log["topics"], log["data"]) in [(each["topics"], each["data"]) for each in LOGS]


def test_limits_on_the_page_are_those_of_the_code() -> None:
    assert f"{MAX_LINE_BYTES:,} bytes" in PAGE
    assert FORMAT in PAGE
