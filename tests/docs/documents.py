"""Reads the project's documents: which there are, their commands, links and headings."""

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
# The host of a package index, or of a mirror that is named after it.
_INDEX_ADDRESS = re.compile(r"\bhttps?://[^\s/\"'<>]*(?:npmjs|npmmirror|pypi|pythonhosted|yarnpkg)[^\s\"'<>]*")
_INDEX_SETTING = re.compile(
    r"""^\s*(?:@[\w-]+:)?(?:registry|index-url|extra-index-url|find-links) *= *["'[]*(?:https?:|file:|/).*$""",
    re.MULTILINE,
)


@cache
def committed_files() -> tuple[Path, ...]:
    """The files that git knows, relative to the root."""
    # The checkout may belong to somebody else than who runs the tests; git would refuse it.
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listing = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for path in map(Path, filter(None, listing.split("\0"))) if (ROOT / path).is_file())


def read(path: Path | str) -> str:
    """The text of one of the project's files, named relative to the root."""
    return (ROOT / path).read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The contents of the fenced blocks in one language."""
    return [body for found, body in _FENCE.findall(text) if found == language]


def commands(text: str) -> list[list[str]]:
    """The commands in the bash blocks, as words, without comments; a line is a command."""
    lines = [line.partition("#")[0].split() for block in blocks(text, "bash") for line in block.splitlines()]
    return [words for words in lines if words]


def fragments(text: str) -> set[str]:
    """What can follow `#` in a link to this document: its headings, spelt as addresses."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(_FENCE.sub("", text))
    }


def broken_links(document: Path) -> list[str]:
    """The links of a document (absolute path) that lead nowhere within the project."""
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", document.read_text("utf-8")))
    broken = []
    for link in _LINK.findall(prose):
        path, _, fragment = link.partition("#")
        target = document.parent / path if path else document
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        if not target.exists() or (fragment and fragment not in fragments(target.read_text("utf-8"))):
            broken.append(link)
    return broken


def index_addresses(text: str) -> list[str]:
    """Whatever in a text names a package index, or a mirror of one."""
    return _INDEX_ADDRESS.findall(text) + _INDEX_SETTING.findall(text)
