"""`credanchor verify --holder`: whose the credentials are, beside whether they are good."""

import json

import pytest

from tests.cli.conftest import NAMES, Desk
from tests.cli.test_verify import changed, set_status
from tests.cli.test_verify_reports import rows_of
from tests.ledger.chain import ANCHOR_KEY, DID
from tests.support.issuing import make_batch

EMAIL = "zoe@example.org"


@pytest.fixture
def stated(desk: Desk) -> Desk:
    """Two credentials more, with the addresses of two people."""
    root, documents = make_batch(
        desk.chain.registry, desk.chain.issuer_id, DID, NAMES[:2], first_index=300, emails=[EMAIL, "ana@example.org"]
    )
    desk.chain.execute(
        ANCHOR_KEY, desk.chain.contract.anchor(issuer_id=desk.chain.issuer_id, root=root, size=len(documents))
    )
    desk.files = [
        *(
            desk.write(f"badges/of-{name}.json", document)
            for name, document in zip(("zoe", "ana"), documents, strict=True)
        ),
        desk.files[2],
    ]
    return desk


def test_answer_says_whose_it_is_right_after_the_verdict(stated: Desk) -> None:
    for path, code, words in zip(
        stated.files, (0, 1, 3), ("matches: it", "does not match: it", "not stated: it"), strict=True
    ):
        got, out, _ = stated.run("verify", path, "--holder", f" {EMAIL.upper()}")
        lines = out.splitlines()
        assert (got, lines[0].startswith("✔ VALID"), lines[1].strip().startswith(words)) == (code, True, True), out


def test_whose_it_is_never_changes_the_verdict(stated: Desk) -> None:
    folder = stated.files[0].parent
    code, content = stated.run_json("verify", folder, "--holder", EMAIL)
    assert code == 1
    assert content["counts"]["valid"] == 7
    assert content["holders"] == {"matches": 1, "doesNotMatch": 1, "notStated": 5}
    assert {each["reason"] for each in content["results"]} == {""}
    _, out, _ = stated.run("verify", folder, "--holder", EMAIL)
    assert "1 valid · 1 valid, but another person's · 5 valid, but without an e-mail to compare" in out


def test_verdict_that_is_not_valid_outweighs_whose_it_is(stated: Desk) -> None:
    set_status(stated, "revoke", 2)
    code, content = stated.run_json("verify", stated.files[2], "--holder", EMAIL)
    assert (code, content["results"][0]["outcome"], content["results"][0]["holder"]) == (1, "invalid", "notStated")
    stated.write_policy(nodes=("http://127.0.0.1:1",))
    code, content = stated.run_json("verify", stated.files[1], "--holder", EMAIL)
    assert (code, content["results"][0]["outcome"], content["results"][0]["holder"]) == (3, "unknown", "doesNotMatch")


def test_address_written_into_a_copy_helps_nobody(stated: Desk) -> None:
    document = changed(stated.files[1])
    document["credentialSubject"] = json.loads(stated.files[0].read_text())["credentialSubject"]
    code, content = stated.run_json("verify", stated.write("stolen.json", document), "--holder", EMAIL)
    assert (code, content["results"][0]["reason"], content["results"][0]["holder"]) == (1, "tampered", "matches")


def test_address_asked_for_is_never_repeated(stated: Desk) -> None:
    printed = ""
    for kind in ("table", "json", "csv", "html"):
        _, out, err = stated.run("verify", stated.files[0].parent, "--holder", EMAIL, "--format", kind)
        printed += out + err
    assert EMAIL not in printed
    assert "matches the e-mail asked for" in printed
    _, out, _ = stated.run("verify", stated.files[0].parent, "--holder", EMAIL, "--format", "csv")
    assert sorted(row["holder"] for row in rows_of(out)) == ["doesNotMatch", "matches", *["notStated"] * 5]
    code, _, err = stated.run("verify", stated.files[0], "--holder", "zoe.example.org")
    assert (code, "wants an e-mail address" in err, "zoe" in err) == (2, True, False)
