"""Rosters by API in every format, good and bad: what is taken, what is refused and why, and what a dry run says."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import xlsxwriter

from registry.services import roster, roster_sealing, spool
from registry.services.rosters import spreadsheets
from registry.store.connection import InstitutionConnection
from registry.store.engine import Store
from registry.store.jobs import list_jobs
from registry.store.pages import page_of_batches
from tests.api.test_jobs import work, worker_of
from tests.api.town import Town
from tests.support.messy_roster import as_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
CSV, JSON, NDJSON = "text/csv", "application/json", "application/x-ndjson"
SECRET = "secret-person"
GOOD: list[list[object]] = [["name", "email"], ["Zoë Tremblay", "zoe@example.org"], ["ᐊᓇ ᐃᓄᒃ", "ana@example.org"]]
BAD: list[list[object]] = [*GOOD, ["Bo", SECRET], ["=Hidden", "bo@example.org"]]


def upload(town: Town, content: bytes, media_type: str = CSV, query: str = "", **headers: str) -> Any:
    given = {"Authorization": f"Bearer {town.here.keys['issue']}", "Content-Type": media_type}
    address = f"/v1/batches?achievement=data-literacy{query}"
    return town.client.post(address, content=content, headers=given | headers)


def job_of(town: Town, answer: Any) -> dict[str, Any]:
    """The job, after workers did all they can."""
    assert answer.status_code == 202, answer.text
    work(worker_of(town))
    job: dict[str, Any] = town.get(answer.headers["location"]).json()
    return job


def as_csv(rows: list[list[object]], delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\r\n" for row in rows)


def as_objects(rows: list[list[object]]) -> list[dict[str, object]]:
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


def as_ods(rows: list[list[object]]) -> bytes:
    """As small as OpenDocument gets."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    cells = [
        "".join(
            f'<table:table-cell office:value-type="string"><text:p>{each}</text:p></table:table-cell>' for each in row
        )
        for row in rows
    ]
    lines = "".join(f"<table:table-row>{each}</table:table-row>" for each in cells)
    table = f'<table:table table:name="One">{lines}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", f"<office:document-content {names}>{body}</office:document-content>")
    return file.getvalue()


def in_all_formats(rows: list[list[object]]) -> Iterator[tuple[str, str, bytes]]:
    text = as_csv(rows)
    lines = "\n".join(json.dumps(each, ensure_ascii=False) for each in as_objects(rows))
    yield "csv", CSV, text.encode()
    yield "csv, marked", f"{CSV}; charset=utf-8", b"\xef\xbb\xbf" + as_csv(rows, ";").encode()
    yield "csv, utf-16", CSV, as_csv(rows, "\t").encode("utf-16")
    yield "xlsx", XLSX, as_xlsx(rows)
    yield "ods", ODS, as_ods(rows)
    yield "json", JSON, json.dumps(as_objects(rows)).encode()
    yield "ndjson", NDJSON, lines.encode()


def test_every_format_is_read(town: Town) -> None:
    answers = {name: upload(town, content, media, "&dryRun=true") for name, media, content in in_all_formats(GOOD)}
    for name, answer in answers.items():
        job = job_of(town, answer)
        assert (job["state"], job["total"], job["withEmail"], job["problemCount"]) == ("tried", 2, 2, 0), (name, job)
    old = "name;email\nZoé;zoe@example.org\n".encode("cp1252")
    job = job_of(town, upload(town, old, CSV, "&dryRun=true"))
    assert (job["state"], job["readAs"]) == ("tried", "CSV, Windows-1252, delimited by ;")
    assert "accents" in job["notes"][0]


def test_what_is_wrong_is_told_by_place_in_every_format_and_never_what_stands_there(town: Town) -> None:
    answers = {name: upload(town, content, media) for name, media, content in in_all_formats(BAD)}
    for name, answer in answers.items():
        job = job_of(town, answer)
        assert (job["state"], job["failureKind"], job["problemCount"]) == ("failed", "rosterUnusable", 2), (name, job)
        assert (job["leftOut"], job["total"], job["batch"]) == (2, None, None)
        shown = town.get(f"/v1/jobs/{job['id']}/problems").json()
        assert [each["reason"] for each in shown["problems"]] == [
            "is not an e-mail address",
            "starts with a sign that spreadsheets take for a formula",
        ], name
        assert all("email" in shown["problems"][0]["where"] and each["hint"] is not None for each in shown["problems"])
        assert SECRET not in json.dumps([job, shown])
        assert "Hidden" not in json.dumps([job, shown])


@pytest.mark.parametrize(
    ("content", "media", "status", "words"),
    [
        (as_csv(GOOD).encode(), "application/pdf", 415, "a roster is one of"),
        (as_csv(GOOD).encode(), XLSX, 400, "said to be a spreadsheet, but begins like delimited text"),
        (as_xlsx(GOOD), CSV, 400, "said to be delimited text, but begins like a spreadsheet"),
        (json.dumps(as_objects(GOOD)).encode(), NDJSON, 400, "begins like a JSON array"),
        (b'{"name": "Ann"}', JSON, 400, "begins like a JSON object on each line"),
        (gzip.compress(as_csv(GOOD).encode()), CSV, 400, "compressed with gzip"),
        (b"", CSV, 400, "the roster is empty"),
    ],
    # Files have times in them.
    ids=["type", "no-spreadsheet", "spreadsheet", "no-lines", "no-array", "gzip", "nothing"],
)
def test_what_cannot_be_a_roster_is_refused_at_once(
    town: Town, content: bytes, media: str, status: int, words: str
) -> None:
    answer = upload(town, content, media)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert town.get("/v1/jobs").json()["jobs"] == []


def test_compressed_body_is_refused(town: Town) -> None:
    answer = upload(town, gzip.compress(as_csv(GOOD).encode()), CSV, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, "without Content-Encoding" in answer.json()["detail"]) == (415, True)


def far_apart() -> bytes:
    """A spreadsheet of five kilobytes, whose cells would take a terabyte in between."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for row, column in ((0, 0), (1_048_575, 0), (0, 16_383)):
            sheet.write(row, column, "name")
    return file.getvalue()


def bomb(stated_bytes: int | None = None) -> bytes:
    """A spreadsheet that unpacks to a hundred times as much, and perhaps lies about it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 3_000_000)
        size = archive.infolist()[0].file_size
    if stated_bytes is None:
        return file.getvalue()
    return file.getvalue().replace(size.to_bytes(4, "little"), stated_bytes.to_bytes(4, "little"))


def test_what_turns_out_to_be_no_roster_ends_its_job_and_nothing_else(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_SHEET_BYTES", 1_000_000)
    cases: list[tuple[str, bytes, str]] = [
        (XLSX, far_apart(), "more in it than can be read"),
        (XLSX, bomb(), "unpacks to 3000000 bytes"),
        (XLSX, bomb(stated_bytes=1000), "unpacks to "),
        (XLSX, b"PK\x03\x04 is all there is", "cannot be opened"),
        (XLSX, as_xlsx(GOOD)[:2000], "cannot be opened"),
        (JSON, b'[{"name": "Ann"}, 7]', "not a JSON object"),
        (JSON, b'[{"name": "Ann"}, {"name": ', "is not JSON, or not within"),
        (JSON, b'[{"name": "Ann"}] more', "is not JSON, or not within"),
        (JSON, b'[{"name": "\xff"}]', "not in UTF-8"),
        (JSON, b"[" * 100_000, "not a JSON object"),
        (JSON, b'[{"name":' + b"[" * 100_000, "is not JSON, or not within"),
        (NDJSON, b'{"name": "Ann"}\n{"name"\n', "is not JSON"),
        (NDJSON, b'{"name": "' + b"x" * 1_100_000 + b'"}', "has more than 1,048,576 bytes"),
        (CSV, b"\x81\x8d\x8f", "neither in UTF-8 nor in Windows-1252"),
        (CSV, b"name\nAnn\x00\n", "bytes that no text has"),
        (CSV, b"email\nann@example.org\n", "no column for names"),
        (CSV, b'name\n"Ann\n', "not CSV"),
    ]
    answers = [(words, upload(town, content, media)) for media, content, words in cases]
    for words, answer in answers:
        job = job_of(town, answer)
        assert (job["state"], job["failureKind"]) == ("failed", "rosterUnusable"), (words, job)
        said = " ".join(f"{each['where']} {each['reason']} {each['hint']}" for each in job["problems"])
        assert words in said, said
        assert "Ann" not in answer.text
        assert "--" not in said
    nobody = job_of(town, upload(town, b"name,email\n\n"))
    assert (nobody["state"], nobody["failureKind"]) == ("failed", "nobody")
    assert len(town.here.office.audit().batches) == 1  # the one that the town had


def test_dry_run_says_what_it_would_cost_and_issues_nothing(any_town: Town) -> None:
    town = any_town
    job = job_of(town, upload(town, as_csv(GOOD).encode(), CSV, "&dryRun=true"))
    assert (job["state"], job["dryRun"], job["done"], job["batch"]) == ("tried", True, 2, None)
    cost = job["cost"]
    assert 40_000 < cost["gas"] < 80_000
    assert 0 < int(cost["likelyWei"]) <= int(cost["maxWei"])
    assert cost["transactions"] == 1
    with town.here.store.reading() as connection:
        assert len(page_of_batches(connection, before=None, limit=10, state=None)) == 2
    # It ends: nobody may cancel it, and no worker sees it again.
    assert town.post(f"/v1/jobs/{job['id']}/cancel", None, "issue").status_code == 409


def test_bad_rows_are_passed_over_if_it_is_said(town: Town) -> None:
    job = job_of(town, upload(town, as_csv(BAD).encode(), CSV, "&badRows=passOver"))
    assert (job["state"], job["total"], job["leftOut"], job["problemCount"]) == ("final", 2, 2, 2)
    assert town.get(f"/v1/batches/{job['batch']}").json()["size"] == 2
    # The rest of a file that cannot be told into rows is no bad row.
    job = job_of(town, upload(town, as_csv(GOOD).encode() + b'"Cy\n', CSV, "&badRows=passOver&again=true"))
    assert (job["state"], job["failureKind"]) == ("failed", "rosterUnusable")
    job = job_of(town, upload(town, b"name,email\nAnn,nothing\n", CSV, "&badRows=passOver"))
    assert (job["state"], job["failureKind"]) == ("failed", "nobody")


def test_who_has_the_achievement_is_told_and_issued_to_if_it_is_meant(town: Town) -> None:
    assert job_of(town, upload(town, as_csv(GOOD).encode()))["state"] == "final"
    job = job_of(town, upload(town, as_csv([*GOOD, ["Cy", "cy@example.org"]]).encode()))
    assert (job["state"], job["problemCount"]) == ("failed", 2)
    assert "again=true" in job["problems"][0]["hint"]
    names = b"name\nNobody Known\n"
    assert job_of(town, upload(town, names))["state"] == "final"
    job = job_of(town, upload(town, names))
    assert (job["state"], job["failureKind"]) == ("failed", "issuedBefore")
    assert job_of(town, upload(town, names, CSV, "&again=true"))["state"] == "final"


def test_many_problems_are_counted_and_paged(town: Town) -> None:
    job = job_of(town, upload(town, b"name,email\n" + b"Ann,nothing\n" * 1_200))
    assert (job["problemCount"], len(job["problems"])) == (1_200, 20)
    found, path = [], f"/v1/jobs/{job['id']}/problems?limit=100"
    cursor: str | None = ""
    while cursor is not None:
        page = town.get(f"{path}&cursor={cursor}" if cursor else path).json()
        found += page["problems"]
        cursor = page["next"]
    assert len(found) == 1_000
    assert [found[0]["where"], found[-1]["where"]] == ["line 2, email", "line 1001, email"]


def test_no_more_than_so_many_rosters_wait(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    options = town.service.settings.service
    for limits, words in (
        ({"max_waiting_jobs": 2, "max_waiting_bytes": 1 << 20}, "2 jobs wait already"),
        ({"max_waiting_jobs": 9, "max_waiting_bytes": 1 << 10}, "and no more than 1,024 may"),
    ):
        settings = town.service.settings.model_copy(update={"service": options.model_copy(update=limits)})
        monkeypatch.setattr(town.service, "settings", settings)
        content = b"name\nAnn\n" + b"\n" * 600
        accepted = [upload(town, content) for _ in range(2)]
        answer = upload(town, content)
        assert answer.status_code == 429, answer.text
        assert answer.headers["retry-after"] == "60"
        assert words in answer.json()["detail"]
        for each in accepted:
            town.post(f"/v1/jobs/{each.json()['id']}/cancel", None, "issue")
        # There is room again.
        again = upload(town, content)
        assert again.status_code == 202
        town.post(f"/v1/jobs/{again.json()['id']}/cancel", None, "issue")


def seen_while_working(town: Town, monkeypatch: pytest.MonkeyPatch, cancel_at: str | None = None) -> list[Any]:
    """Work with small pieces, and look at the job after each transaction; cancel it when it is seen in a state."""
    monkeypatch.setattr(roster, "ROWS_BETWEEN", 10)
    monkeypatch.setattr(spool, "PARTITION_SIZE", 8)
    monkeypatch.setattr(roster_sealing, "NOTED_SECONDS", 0)
    seen: list[Any] = []
    really_writing = Store.writing

    @contextmanager
    def writing(store: Store) -> Iterator[InstitutionConnection]:
        with really_writing(store) as connection:
            yield connection
            (job,) = list_jobs(connection)
        seen.append((job.state.value, job.done, job.total))
        if job.state.value == cancel_at and job.done:
            with monkeypatch.context() as patch:
                patch.setattr(Store, "writing", really_writing)
                answer = town.post(f"/v1/jobs/{job.public_id}/cancel", None, "issue")
            assert answer.status_code == 200, answer.text

    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", writing)
        assert worker_of(town).work_once()
    return seen


def many(count: int = 100) -> bytes:
    return b"name,email\n" + b"".join(b"Ann,ann.%d@example.org\n" % number for number in range(count))


def test_progress_is_seen_while_a_roster_is_checked_and_filled_in(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(town, many())
    seen = seen_while_working(town, monkeypatch)
    checked = [done for state, done, total in seen if state == "received" and total is None]
    assert checked == list(range(10, 101, 10))
    filled = [done for state, done, total in seen if state == "validated" and total == 100]
    assert filled[0] == 0
    assert filled[-1] == 100
    assert filled == sorted(filled)
    assert len(filled) > 4
    assert seen[-1][0] in {"sealed", "validated"}


@pytest.mark.parametrize("state", ["received", "validated"])
def test_cancelling_stops_the_work_and_leaves_nothing(
    any_town: Town, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = any_town
    job = upload(town, many()).json()["id"]
    seen = seen_while_working(town, monkeypatch, cancel_at=state)
    assert [each for each in seen if each[0] == "sealed"] == []
    assert max(done for name, done, _ in seen if name == state) < 100
    found = town.get(f"/v1/jobs/{job}").json()
    assert (found["state"], found["batch"]) == ("cancelled", None)
    with town.here.store.reading() as connection:
        assert connection.plain.exec_driver_sql("SELECT count(*) FROM job_chunks").scalar() == 0
        assert len(page_of_batches(connection, before=None, limit=10, state=None)) == 2
    assert not worker_of(town).work_once()
