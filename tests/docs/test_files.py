"""What holds for all committed files: links lead somewhere, and no package index is named."""

from pathlib import Path

import pytest

from tests.docs.documents import ROOT, broken_links, committed_files, index_addresses, read

DOCUMENTS = [path for path in committed_files() if path.suffix == ".md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    assert not broken_links(ROOT / document)


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, of sorts\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[a](there.md) [b](there.md#a-heading-of-sorts) [c](#page) [d](https://example.org/x) `[e](no.md)`\n"
        "[f](absent.md) [g](there.md#elsewhere) [h](#nowhere)\n```text\n[i](no.md)\n```\n"
    )
    assert broken_links(page) == ["absent.md", "there.md#elsewhere", "#nowhere"]


def test_no_file_names_a_package_index() -> None:
    named = {}
    for path in committed_files():
        try:
            found = index_addresses(read(path))
        except UnicodeDecodeError:  # an image has nothing to say
            continue
        if found:
            named[str(path)] = found
    assert not named


# Put together here, so that this file names none either.
@pytest.mark.parametrize(
    "text",
    [
        f"https://{'pypi'}.org/simple",
        f"see http://files.{'pythonhosted'}.org/packages/x.whl",
        f'"resolved": "https://registry.{"npmjs"}.org/x/-/x.tgz"',
        f"{'registry'}=https://mirror.example.org/",
        f"{'index-url'} = https://mirror.example.org/simple",
    ],
)
def test_package_indexes_are_recognised(text: str) -> None:
    assert index_addresses(text)


@pytest.mark.parametrize("text", ["registry = load()", "https://example.org/pypi-like", "the PyPI package merkletools"])
def test_other_text_is_no_package_index(text: str) -> None:
    assert not index_addresses(text)
