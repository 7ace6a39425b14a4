"""Archives of events: our reader agrees with the vectors, whole files as they are given to the program."""

from pathlib import Path
from typing import Any

import pytest

from anchor.audit import check_complete
from anchor.cli.kept import GivenArchive
from anchor.errors import HistoryError, MalformedError
from anchor.event_archive import MAX_LINE_BYTES
from anchor.model import RegistryId, to_hex
from anchor.replay import replay
from tests.vectors.reading import data, read, vectors
from tests.vectors.test_history import proven

Json = dict[str, Any]

REGISTRY = RegistryId.parse(read("event-archives")["registry"])


def opened(vector: Json, folder: Path) -> GivenArchive:
    path = folder / "archive"
    path.write_bytes(vector["archive"].encode() if "archive" in vector else data(vector["bytes"]))
    return GivenArchive(path, REGISTRY)


@pytest.mark.parametrize("vector", vectors("event-archives", "valid"))
def test_archive_says_this(vector: Json, tmp_path: Path) -> None:
    archive = opened(vector, tmp_path)
    logs = list(archive.logs())
    assert len(logs) == vector["logs"]
    assert archive.end is not None
    assert (archive.end.block_number, to_hex(archive.end.block_hash)) == (vector["upTo"], vector["upToHash"])


@pytest.mark.parametrize("vector", vectors("event-archives", "valid"))
def test_archive_is_the_whole_history_or_not(vector: Json, tmp_path: Path) -> None:
    logs = list(opened(vector, tmp_path).logs())
    state = proven(read("history"))
    if vector["isWhole"]:
        check_complete(replay(logs, REGISTRY), state)
    else:
        with pytest.raises(HistoryError):
            check_complete(replay(logs, REGISTRY), state)


@pytest.mark.parametrize("vector", vectors("event-archives", "invalid"))
def test_archive_is_malformed(vector: Json, tmp_path: Path) -> None:
    with pytest.raises(MalformedError):
        list(opened(vector, tmp_path).logs())


def test_line_may_be_as_long_as_this_and_no_longer(tmp_path: Path) -> None:
    # Not in the file, which would be larger than all others.
    whole = next(each["archive"] for each in read("event-archives")["valid"] if each["name"] == "short")
    first, rest = whole.split("\n", 1)
    longest = first + " " * (MAX_LINE_BYTES - len(first) - 1)
    assert len(longest) + 1 == 1_048_576
    assert len(list(opened({"archive": f"{longest}\n{rest}"}, tmp_path).logs())) == 1
    with pytest.raises(MalformedError, match="line 1 of the archive: more than 1048576 bytes"):
        list(opened({"archive": f"{longest} \n{rest}"}, tmp_path).logs())
