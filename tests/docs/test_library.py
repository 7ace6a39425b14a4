"""The examples of docs/library.md run, one after the other, and print what the page shows."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Desk, chain, desk, session_chain
from tests.docs.documents import read

__all__ = ["chain", "desk", "session_chain"]

FENCE = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_examples_print_what_the_page_shows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = FENCE.findall(read("docs/library.md"))
    assert [language for language, _ in found] == ["python", "text"] * (len(found) // 2)
    assert len(found) >= 10
    monkeypatch.chdir(desk.folder)
    Path("credential.json").write_bytes(desk.files[0].read_bytes())
    names: dict[str, object] = {}
    for (_, code), (_, shown) in zip(found[::2], found[1::2], strict=True):
        printed = StringIO()
        with redirect_stdout(printed):
            exec(code, names)  # noqa: S102 - the page is ours
        assert printed.getvalue() == shown, code
