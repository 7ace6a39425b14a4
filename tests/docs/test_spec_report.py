"""The example of docs/spec/verification-report.md is what the program writes; its tables name what there is."""

import json
import re

from anchor.cli.checking import CheckedFile, Report
from anchor.cli.inputs import Source
from anchor.cli.report_json import FORMAT, json_pieces
from anchor.cli.reports import CSV_COLUMNS
from anchor.credential import parse_credential
from anchor.errors import CredentialFormatError, FetchError
from anchor.identity import HolderMatch, match_holder
from anchor.policy import parse_policy
from anchor.steps import STEP_NAMES
from anchor.verify import verify
from tests.docs.documents import blocks, read
from tests.docs.test_spec_verification import CREDENTIAL, NOW, POLICY, evidence_of

PAGE = read("docs/spec/verification-report.md")
(EXAMPLE,) = (json.loads(block) for block in blocks(PAGE, "json"))


def report() -> Report:
    """What the page tells of: the credential of the other pages, a file cut short, an address that is gone."""
    credential, policy = parse_credential(CREDENTIAL.encode()), parse_policy(json.dumps(POLICY).encode())
    files = (
        CheckedFile(
            source=Source(path="badges.zip", member="data-literacy.json"),
            credential=credential,
            answer=verify(credential, evidence_of(), policy, NOW),
            holder=match_holder(json.loads(CREDENTIAL), "zoe@example.org"),
        ),
        CheckedFile(
            source=Source(path="cut-short.json"),
            credential=None,
            answer=CredentialFormatError("not JSON: unexpected end of data at line 1, column 700"),
        ),
        CheckedFile(
            source=Source(path="list.csv", address="https://college.example/1.json", contacted=("college.example",)),
            credential=None,
            answer=FetchError(
                "https://college.example/1.json was answered with HTTP status 404", advice="Check the address."
            ),
        ),
    )
    return Report(files=files, others=(), checked_at=NOW, policy=policy, asks_holder=True, as_of_block=False)


def test_example_is_what_the_program_writes() -> None:
    written = json.loads("".join(json_pieces(report())))
    # The page shows three of the thirteen checks.
    checks = written["results"][0]["checks"]
    assert [check["name"] for check in checks] == list(STEP_NAMES)
    written["results"][0]["checks"] = [checks[0], checks[2], checks[8]]
    assert written == EXAMPLE
    assert list(written)[:2] == ["format", "checkedAt"]
    assert written["format"] == FORMAT


def members_told(heading: str) -> list[str]:
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        name for names in re.findall(r"^\| (`[^|]+`) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", names)
    ]


def test_every_member_is_told() -> None:
    written = json.loads("".join(json_pieces(report())))
    assert members_told("Document") == list(written)
    told = members_told("Result")
    for result in written["results"]:
        assert result.keys() <= {*told}
    assert {name for result in written["results"] for name in result} == {*told}
    assert set(members_told("Basis")) == written["bases"][0].keys()


def test_every_column_is_told_in_order() -> None:
    assert members_told("CSV") == list(CSV_COLUMNS)


def test_holder_words_are_told() -> None:
    for match in HolderMatch:
        assert f"`{match.value}`" in PAGE
