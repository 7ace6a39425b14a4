"""`from anchor import verify`: files in, verdicts out, for programs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anchor import MalformedError, Outcome, Verdict, parse_credential, verify, verify_all
from anchor.errors import CredentialFormatError, PolicyFormatError
from anchor.evidence import Evidence
from anchor.ledger.gathering import gather_evidence
from tests.cli.conftest import Desk
from tests.support.world import NOW, World, policy


def test_file_bytes_and_parsed_credential_get_the_same_verdict(desk: Desk) -> None:
    path = desk.files[0]
    rules = desk.chain.policy(nodes=(desk.chain.url,))
    forms = (path, str(path), path.read_bytes(), parse_credential(path.read_bytes()))
    verdicts = [verify(form, rules) for form in forms]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.VALID] * 4
    assert verify(path, desk.folder / "policy.json").outcome is Outcome.VALID


def test_each_of_many_gets_its_answer_in_order(desk: Desk) -> None:
    forged = desk.files[1].read_bytes().replace(b"Data literacy", b"Data mastery")
    answers = verify_all([desk.files[0], forged, b"{}", "absent.json", "a\0b"], desk.folder / "policy.json")
    assert [getattr(each, "reason", type(each)) for each in answers] == [
        "",
        "tampered",
        CredentialFormatError,
        CredentialFormatError,
        CredentialFormatError,
    ]
    assert "absent.json cannot be read: No such file" in str(answers[3])


def test_evidence_and_time_may_be_brought_along() -> None:
    world = World()
    credential = world.credential()
    assert verify(credential, policy(), evidence=world.evidence(), now=NOW).outcome is Outcome.VALID
    assert verify(credential, policy(), evidence=world.evidence(), now=NOW + 4_000).reason == "staleBlock"
    # A policy that names no node asks nobody.
    verdict = verify(credential, policy(), now=NOW)
    assert verdict.reason == "noEvidence"


def test_what_is_malformed_is_raised() -> None:
    with pytest.raises(MalformedError, match="not JSON"):
        verify(b"{", policy())
    with pytest.raises(PolicyFormatError, match=r"policy file absent\.json cannot be read"):
        verify(b"{", "absent.json")
    with pytest.raises(PolicyFormatError, match="cannot be read"):
        verify(b"{", "a\0b")


def test_policy_that_is_none_is_said(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"format": "credanchor/policy@v9"}))
    with pytest.raises(PolicyFormatError, match="format must be"):
        verify(b"{", file)


def test_issuer_is_asked_only_where_the_policy_wants_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(url: str, **_options: object) -> bytes:
        asked.append(url)
        return b"{}"

    monkeypatch.setattr("anchor.ledger.documents.fetch", note)
    rules = desk.chain.policy(nodes=(desk.chain.url,))
    assert verify(desk.files[0], rules).outcome is Outcome.VALID
    assert asked == []
    wanted = replace(rules, require_did_document=True)
    answers = verify_all(desk.files, wanted)
    assert {each.reason for each in answers if isinstance(each, Verdict)} == {"unconfirmedIssuer"}
    assert asked == ["https://college.example/.well-known/did.json"]
    denied = replace(wanted, denied_issuers=frozenset({"did:web:college.example"}))
    assert verify(desk.files[0], denied).reason == "untrustedIssuer"
    assert len(asked) == 1


def test_nobody_is_asked_about_registries_that_are_not_trusted() -> None:
    evidence = gather_evidence([World().credential()], policy(registries=(), nodes=("http://127.0.0.1:1",)))
    assert evidence == Evidence()
