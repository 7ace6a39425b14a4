"""The page and the program read the same files alike: what is found in them, and what is said of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anchor.cli.checking import check
from anchor.cli.inputs import read_inputs
from anchor.cli.report_json import json_pieces
from anchor.errors import MalformedError
from anchor.policy import parse_policy
from tests.support.odd_files import archives, json_files, pictures
from tests.support.page import reports_of

POLICY = {"format": "credanchor/policy@v1", "registries": []}
HOLDER = " Zoe@Example.org"
NOW = 1_790_000_000


def said(report: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What both say in the same words: all but how they put what is wrong."""
    if "trouble" in report:
        return {"trouble": True}
    start = f"{folder}/"
    results = []
    for each in report["results"]:
        kept = {key: value for key, value in each.items() if key not in ("message", "error", "problem", "basis")}
        kept["source"] = {key: value and value.removeprefix(start) for key, value in each["source"].items()}
        kept["file"] = each["file"].removeprefix(start)
        if "checks" in kept:
            kept["checks"] = [(check["step"], check["status"], check["reason"]) for check in kept["checks"]]
        results.append(kept)
    others = sorted((each["file"].removeprefix(start), each["what"]) for each in report["otherFiles"])
    return {"results": results, "counts": report["counts"], "holders": report["holders"], "others": others}


def by_program(path: Path) -> dict[str, Any]:
    def no_addresses(_addresses: list[str], _public_only: bool) -> Iterator[Any]:
        return iter(())

    policy = parse_policy(json.dumps(POLICY).encode())
    try:
        report = check(read_inputs([str(path)], no_addresses), policy, holder_email=HOLDER, quiet=True)
    except MalformedError as error:
        return {"trouble": str(error)}
    return dict(json.loads("".join(json_pieces(report))))


@pytest.mark.parametrize(("files", "suffix"), [(json_files, ".json"), (pictures, ""), (archives, ".zip")])
def test_files_are_read_alike(files: Callable[[], dict[str, bytes]], suffix: str, tmp_path: Path) -> None:
    paths = []
    for name, data in files().items():
        paths.append(tmp_path / f"{name}{suffix}")
        paths[-1].write_bytes(data)
    reports = reports_of([[(path.name, path)] for path in paths], POLICY, NOW, holder=HOLDER)
    differing = {}
    for path, report in zip(paths, reports, strict=True):
        page, program = said(report, tmp_path), said(by_program(path), tmp_path)
        if page != program:
            differing[path.name] = page, program
    assert differing == {}


def test_folder_is_read_alike(tmp_path: Path) -> None:
    hidden = dict.fromkeys((".hidden/a.json", ".a.json", "readme.txt", "list.csv"), b"x")
    files = {f"{index % 7}/{name}": data for index, (name, data) in enumerate(pictures().items())}
    for place, data in (files | hidden).items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(data)
    given = [(f"badges/{place}", tmp_path / place) for place in sorted(files | hidden)]
    (page,) = reports_of([given], POLICY, NOW, holder=HOLDER)
    assert said(page, Path("badges")) == said(by_program(tmp_path), tmp_path)
