"""What `credanchor verify` says of many credentials: a table, JSON, CSV and HTML that say the same."""

import base64
import csv
import hashlib
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from anchor.cli import progress, reports
from anchor.cli.output import console, error_console
from anchor.cli.progress import PatientProgress
from tests.cli.conftest import Desk
from tests.cli.test_verify import changed, set_status
from tests.ledger.chain import DID
from tests.support.employer import ELSEWHERE
from tests.support.issuing import make_batch
from tests.support.pages import Element, read_page
from tests.support.terminal import Terminal

HOSTILE = '=HYPERLINK("https://evil.example","x");<script>alert(1)</script>\x1b[2J\u202e]]>'


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    """A folder with an answer of each kind: two valid, one revoked, one forged, one malformed, one of elsewhere."""
    set_status(desk, "revoke", 0)
    desk.write("badges/1.json", changed(desk.files[1], name=HOSTILE))
    desk.write("badges/2.json", b"{")
    _, documents = make_batch(ELSEWHERE, 1, DID, ["Ana"])
    desk.write("badges/5.json", documents[0])
    return desk


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def table(desk: Desk) -> Path:
    return desk.folder / "badges"


# The table


def test_what_needs_attention_comes_first(mixed: Desk) -> None:
    code, out, _ = mixed.run("verify", table(mixed))
    assert code == 2
    heads = [line.split("  ")[0] for line in out.splitlines() if line and line[0] in "✘✔?"]
    assert heads == ["✘ NOT VALID"] * 2 + ["✘ MALFORMED", "? COULD NOT BE DETERMINED"] + ["✔ VALID"] * 2
    assert "2 valid · 2 not valid · 1 malformed · 1 could not be determined" in out
    (revoked,) = (line for line in out.splitlines() if "0.json" in line)
    assert "the issuer revoked this credential" in revoked
    for fact in ("Data literacy", "Zoë Tremblay", "Borealis College, did:web:college.example"):
        assert f"{fact}  " in revoked
    assert out.count("rests on block") == 1


def test_what_nothing_confirms_stands_in_brackets(mixed: Desk) -> None:
    _, out, _ = mixed.run("verify", table(mixed))
    (forged,) = (line for line in out.splitlines() if "1.json" in line)
    assert "(ᐊᓇ ᐃᓄᒃ)" in forged
    assert "(Borealis College, did:web:college.example)" in forged
    assert "in brackets: what the file says of itself" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    _, out, _ = mixed.run("verify", mixed.files[3], mixed.files[4])
    assert "in brackets" not in out


def test_every_registry_says_what_it_rests_on(desk: Desk) -> None:
    from anchor.events import BatchAnchored, IssuerAccredited
    from anchor.ledger.contract import KeyConsent, RegistryContract, deployed_registry, deployment, require_event
    from anchor.ledger.testnet import dev_signer
    from anchor.model import KeyScope
    from tests.ledger.chain import ADMIN, ANCHOR_KEY, CONTROLLER, FAR

    chain = desk.chain
    admin = dev_signer(ADMIN).address
    receipt = chain.execute(ADMIN, deployment(admin=admin, accreditor=admin, admin_delay_seconds=3600))
    second = deployed_registry(chain.client, chain.chain_id, receipt)
    contract = RegistryContract(second)
    accredited = chain.execute(ADMIN, contract.accredit(did=DID, controller=dev_signer(CONTROLLER).address))
    issuer_id = require_event(accredited, second, IssuerAccredited).issuer_id
    consent = KeyConsent(
        issuer_id=issuer_id,
        key=dev_signer(ANCHOR_KEY).address,
        scope=KeyScope.ANCHOR,
        status_epoch=0,
        valid_from=0,
        deadline=FAR,
    )
    chain.execute(CONTROLLER, contract.add_key(consent, dev_signer(ANCHOR_KEY).sign_key_consent(second, consent)))
    root, documents = make_batch(second, issuer_id, DID, ["Ana"])
    anchored = chain.execute(ANCHOR_KEY, contract.anchor(issuer_id=issuer_id, root=root, size=1))
    require_event(anchored, second, BatchAnchored)
    desk.write("badges/5.json", documents[0])
    policy = chain.policy(chain.registry, second, nodes=(chain.url,))
    from anchor.policy import policy_to_text

    desk.write("policy.json", policy_to_text(policy).encode())
    code, out, _ = desk.run("verify", table(desk))
    assert (code, "6 valid" in out) == (0, True)
    for registry in (chain.registry, second):
        assert any(line.startswith("rests on") and registry.to_text() in line for line in out.splitlines())
    _, content = desk.run_json("verify", table(desk))
    assert {each["registry"] for each in content["bases"]} == {chain.registry.to_text(), second.to_text()}


def test_on_a_terminal_what_is_good_does_not_push_the_rest_away(mixed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "VALID_ROWS_SHOWN", 1)
    assert mixed.run("verify", table(mixed))[1].count("✔ VALID") == 2
    monkeypatch.setattr(console, "_force_terminal", True)
    monkeypatch.setattr(console, "_width", 80)
    monkeypatch.setattr(console, "_color_system", None)
    _, out, _ = mixed.run("verify", table(mixed))
    assert out.count("✔ VALID") == 1
    assert "and 1 more that are valid; --format csv" in out
    assert "…0/badges/0.json" in out


# JSON, CSV, HTML


def test_all_reports_say_the_same(mixed: Desk) -> None:
    paths = {kind: mixed.folder / f"report.{kind}" for kind in ("json", "csv", "html")}
    for path in paths.values():
        code, out, _ = mixed.run("verify", table(mixed), "--out", path)
        assert (code, f"written to {path}" in out, "2 valid · 2 not valid" in out) == (2, True, True)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = json.loads(paths["json"].read_text())
    said = {each["file"]: each["outcome"] for each in content["results"]}
    rows = rows_of(paths["csv"].read_bytes().decode())
    assert {row["file"]: row["answer"] for row in rows} == said
    page = read_page(paths["html"].read_text())
    shown = {}
    for section in page.all("section"):
        for body in section.all("tbody"):
            (name, *_), (heading, *_) = body.all("th")[0].all("small"), section.all("h2")
            shown[name.text] = heading.text
    titles = {"✔ Valid": "valid", "✘ Not valid": "invalid", "✘ Malformed": "malformed"}
    assert {name: titles.get(heading, "unknown") for name, heading in shown.items()} == said
    assert content["counts"] == {"valid": 2, "invalid": 2, "unknown": 1, "malformed": 1}


def test_json_says_when_whose_and_from_where(mixed: Desk) -> None:
    _, content = mixed.run_json("verify", table(mixed))
    assert next(iter(content)) == "format"
    assert content["checkedAt"] >= content["results"][3]["basis"]["blockAt"]
    assert (content["holders"], content["contacted"], content["otherFiles"]) == (None, [], [])
    for result in content["results"]:
        assert result["source"] == {"path": result["file"], "member": None, "address": None}
        assert (result["holder"], result["contacted"]) == (None, [])


def test_cell_that_would_be_a_formula_stays_text(mixed: Desk) -> None:
    _, out, _ = mixed.run("verify", table(mixed), "--format", "csv")
    rows = rows_of(out)
    assert list(rows[0]) == list(reports.CSV_COLUMNS)
    (forged,) = (row for row in rows if row["file"].endswith("1.json"))
    assert forged["credential"].startswith("'=HYPERLINK")
    assert (forged["confirmed"], forged["reason"]) == ("no", "tampered")
    assert not {"\x1b", "\u202e"} & set(out)
    (good,) = (row for row in rows if row["file"].endswith("3.json"))
    assert (good["confirmed"], good["holderName"], good["vouchedBy"]) == ("yes", "O'Brien-Łukasz", mixed.chain.url)


def test_page_runs_and_fetches_nothing_and_is_escaped(mixed: Desk) -> None:
    _, out, _ = mixed.run("verify", table(mixed), "--format", "html")
    assert "<script" not in out
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in out
    page = read_page(out)
    assert {each.name for each in everything(page)} <= {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "section",
            "h1",
            "h2",
            "p",
            "ul",
            "li",
            "b",
            "span",
        ),
        *(
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "details",
            "summary",
            "dl",
            "dt",
            "dd",
            "bdi",
            "code",
        ),
        "small",
    }
    assert not {name for each in everything(page) for name in each.attributes} & {"src", "href", "style", "onclick"}
    (style,) = page.all("style")
    digest = base64.b64encode(hashlib.sha256("".join(style.texts).encode()).digest()).decode()
    (rule,) = (each.attributes["content"] for each in page.all("meta") if "http-equiv" in each.attributes)
    assert rule.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_page_can_be_read_aloud(mixed: Desk) -> None:
    page = read_page(mixed.run("verify", table(mixed), "--format", "html")[1])
    (html,), (title,) = page.all("html"), page.all("title")
    assert (html.attributes["lang"], title.text) == ("en", "Verification of credentials")
    assert [each.text for each in page.all("h1")] == ["Verification of 6 credentials"]
    for each in page.all("table"):
        assert each.all("caption")[0].text
        assert all(cell.attributes["scope"] == "col" for cell in each.all("thead")[0].all("th"))
        for body in each.all("tbody"):
            assert all(cell.attributes["scope"] == "row" for cell in body.all("th"))
    forged = next(each for each in page.all("tbody") if "1.json" in each.text)
    assert {each.attributes.get("class") for each in forged.all("th")[0].children} >= {"claimed"}
    steps = [each.text for each in forged.all("dt")]
    assert any("included in the batch" in each for each in steps)


def everything(element: Element) -> list[Element]:
    return [each for child in element.children for each in [child, *everything(child)]]


# Where to


def test_out_says_which_kind_of_report_it_wants(desk: Desk) -> None:
    code, _, err = desk.run("verify", table(desk), "--out", desk.folder / "report")
    assert (code, "add --format" in err) == (2, True)
    assert desk.run("verify", table(desk), "--out", desk.folder / "report", "--format", "csv")[0] == 0
    assert rows_of((desk.folder / "report").read_bytes().decode())
    for more in (["--format", "table", "--out", desk.folder / "r.html"], ["--format", "csv", "--json"]):
        assert desk.run("verify", table(desk), *more)[0] == 2


def test_report_that_cannot_be_written_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = desk.run("verify", table(desk), "--out", desk.folder / "absent" / "r.csv")
    assert (code, "cannot be written" in err) == (2, True)

    def fail(_report: object) -> Any:
        yield "half"
        raise KeyboardInterrupt

    monkeypatch.setattr("anchor.cli.verify.csv_pieces", fail)
    before = sorted(desk.folder.iterdir())
    desk.run("verify", table(desk), "--out", desk.folder / "r.csv")
    assert sorted(desk.folder.iterdir()) == before


def test_report_never_takes_the_place_of_a_credential(desk: Desk) -> None:
    before = desk.files[0].read_bytes()
    code, _, err = desk.run("verify", table(desk), "--out", desk.files[0])
    assert (code, "one of the files that were checked" in err) == (2, True)
    assert desk.files[0].read_bytes() == before
    # An earlier report of the same folder is written anew, and never taken for a credential.
    for _ in range(2):
        assert desk.run("verify", table(desk), "--out", table(desk) / "report.json")[0] == 0


# While it works


def test_progress_is_shown_once_the_work_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(error_console, "_force_terminal", True)
    monkeypatch.setattr(error_console, "_file", shown)
    with PatientProgress() as bars:
        assert list(bars.track(range(3), "reading")) == [0, 1, 2]
    assert shown.getvalue() == ""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", -1.0)
    monkeypatch.setattr(error_console, "_environ", {"TERM": "xterm"})
    monkeypatch.setattr(error_console, "is_interactive", True)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "reading" in shown.getvalue()
    # The cursor is there again.
    assert shown.getvalue().rindex("\x1b[?25h") > shown.getvalue().rindex("\x1b[?25l")


def interrupted() -> None:
    """Work until somebody presses Ctrl-C."""
    with PatientProgress() as bars:
        for number in bars.track(range(3), "reading", 3):
            if number == 2:
                raise KeyboardInterrupt


def test_ctrl_c_ends_it_without_noise(desk: Desk, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "never")
    with Terminal(desk.folder, ("verify", str(tmp_path / "never"))) as terminal:
        writer = os.open(tmp_path / "never", os.O_WRONLY)
        terminal.type("\x03")
        code = terminal.exit_code()
        os.close(writer)
    assert (code, "Traceback" in terminal.shown) == (130, False)
