"""Receipts: what is put in, what comes out, and what never gets in."""

import json
from pathlib import Path
from typing import Any

import pytest

from anchor import receipt as module
from anchor.credential import Credential
from anchor.data_integrity import sign_document
from anchor.did_key import Ed25519Key
from anchor.errors import CredentialFormatError, SignedFormatError
from anchor.model import CheckStatus, Hash32, Verdict, hash32
from anchor.policy import parse_policy, policy_to_text
from anchor.receipt import FileAnswer, check_receipt, make_receipt, policy_hash
from tests.support.verdicts import judge
from tests.support.world import NOW, World, policy

KEY = Ed25519Key(bytes(range(32)))
RULES = policy(nodes=("https://node.example/secret-key",), denied_issuers=frozenset({"did:web:no.example"}))


def digest(number: int) -> Hash32:
    return hash32(number.to_bytes(32, "big"))


def answer(number: int, world: World, **changes: Any) -> FileAnswer:
    fields: dict[str, Any] = {"sha256": digest(number), "answer": judge(world), "credential": world.credential()}
    return FileAnswer(**(fields | changes))


def make(*files: FileAnswer, **changes: Any) -> bytes:
    return make_receipt(files, RULES, **{"checked_at": NOW, "program": "credanchor 1", "key": KEY, **changes})


def test_a_receipt_says_what_came_of_each_file() -> None:
    world, revoked = World(), World(extra_slots={})
    malformed = FileAnswer(sha256=digest(3), answer=CredentialFormatError("x"), credential=None)
    unasked = answer(4, world, answer=judge(world, rules=policy(registries=())))
    receipt = check_receipt(make(answer(1, world), answer(2, revoked), malformed, unasked, organisation="Example"))
    assert receipt.signature.signer == KEY.did
    assert (receipt.signature.signed_at, receipt.checked_at) == (NOW, NOW)
    assert (receipt.organisation, receipt.program) == ("Example", "credanchor 1")
    first = receipt.by_hash().get(digest(1))
    verdict = judge(world)
    assert first is not None
    assert (first.outcome, first.reason, first.name) == ("valid", "", "")
    assert first.credential_id == verdict.credential_id
    assert first.credential_hash == world.credential().content_hash
    assert first.issuer_did == verdict.issuer_did
    assert first.anchored_at == world.anchored_at
    assert first.checks == tuple(check.status for check in verdict.checks)
    assert first.block == 0
    assert verdict.basis is not None
    assert receipt.blocks[0].block_hash == verdict.basis.block_hash
    assert receipt.blocks[0].nodes_asked == verdict.basis.nodes_asked
    assert len(receipt.blocks) == 1
    last = receipt.by_hash().get(digest(4))
    assert last is not None
    assert (last.outcome, last.reason, last.block) == ("unknown", "untrustedRegistry", None)
    assert CheckStatus.UNKNOWN in last.checks
    said = receipt.by_hash().get(digest(3))
    assert said is not None
    assert (said.outcome, said.checks, said.credential_hash) == ("malformed", (), None)
    assert receipt.by_hash().get(digest(9)) is None


def test_a_receipt_has_the_policy_without_its_nodes() -> None:
    receipt = check_receipt(make(answer(1, World())))
    assert parse_policy(json.dumps(receipt.policy).encode()).denied_issuers == RULES.denied_issuers
    assert receipt.policy_hash == policy_hash(RULES)
    assert receipt.policy_hash == policy_hash(parse_policy(policy_to_text(RULES).encode()))
    assert receipt.policy_hash != policy_hash(policy(denied_issuers=frozenset()))


def test_a_receipt_names_nobody_and_no_secret() -> None:
    world = World()
    credential = world.credential()
    named = Credential(
        **{
            **{name: getattr(credential, name) for name in credential.__slots__},
            "holder": "Zoë Tremblay",
            "contact": "registrar@college.example",
            "name": "Data literacy",
        }
    )
    data = make(answer(1, world, credential=named), answer(2, world))
    for secret in ("Zoë", "Tremblay", "registrar@", "literacy", "secret-key", "node.example"):
        assert secret.encode() not in data


def test_names_of_files_stand_in_it_when_asked_for() -> None:
    receipt = check_receipt(make(answer(1, World(), name="badge.json")))
    assert receipt.files[0].name == "badge.json"


def test_equal_files_are_spoken_of_once() -> None:
    receipt = check_receipt(make(answer(1, World()), answer(1, World())))
    assert len(receipt.files) == 1


def test_a_receipt_that_nobody_would_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(make(answer(1, World())))
    monkeypatch.setattr(module, "MAX_RECEIPT_BYTES", size)
    assert len(make(answer(1, World()))) == size
    monkeypatch.setattr(module, "MAX_RECEIPT_BYTES", 1000)
    with pytest.raises(SignedFormatError, match="more than 1000") as raised:
        make(answer(1, World()))
    assert "fewer files" in raised.value.advice


@pytest.mark.parametrize(("data", "said"), [(b"", "strict JSON"), (b"[]", "strict JSON"), (b"{}", "format must be")])
def test_what_is_no_receipt_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(SignedFormatError, match=said):
        check_receipt(data)


def test_a_verdict_without_a_credential_is_not_believed() -> None:
    verdict = judge(World())
    assert isinstance(verdict, Verdict)
    receipt = check_receipt(make(FileAnswer(sha256=digest(1), answer=verdict, credential=None)))
    assert receipt.files[0].outcome == "malformed"


def test_a_malformed_file_is_malformed_whatever_is_said_beside() -> None:
    receipt = check_receipt(make(answer(1, World(), answer=CredentialFormatError("x"))))
    (said,) = receipt.files
    assert (said.outcome, said.name, said.reason, said.credential_id) == ("malformed", "", "", "")
    assert (said.issuer_did, said.credential_hash) == ("", None)


def test_what_is_not_stated_is_not_there() -> None:
    content = json.loads(make(answer(1, World())))
    assert "organisation" not in content
    assert set(content["files"][0]) == module._FILE_MEMBERS
    assert check_receipt(make(answer(1, World()))).organisation == ""
    assert json.loads(make(organisation="Université", program="x"))["organisation"] == "Université"


def test_it_is_written_for_people() -> None:
    text = make(answer(1, World()), organisation="Université").decode()
    assert text.startswith('{\n "format": "credanchor/')
    assert text.endswith("}\n")
    assert "Université" in text


def test_its_limit_is_that_of_the_specification() -> None:
    spec = (Path(__file__).parents[2] / "docs" / "spec" / "receipt.md").read_text("utf-8")
    assert f"at most {module.MAX_RECEIPT_BYTES:,} bytes" in spec
    # Larger than any other document may be.
    assert len(check_receipt(make(program="x" * 2**20)).program) == 2**20


@pytest.mark.parametrize("reason", ["x", "untrustedRegistry", "x" * 64])
def test_reasons_are_words_of_letters(reason: str) -> None:
    assert check_receipt(signed_anew(reason)).files[0].reason == reason


@pytest.mark.parametrize("reason", ["", "x" * 65, "not known", "x1", "é", "x\n"])
def test_what_is_no_reason_is_refused(reason: str) -> None:
    with pytest.raises(SignedFormatError, match="a reason exactly when it is not valid"):
        check_receipt(signed_anew(reason))


def signed_anew(reason: str) -> bytes:
    """A receipt about one file of which nothing is known, for a reason of the signer's own."""
    content = json.loads(make(answer(1, World(), answer=judge(World(), rules=policy(registries=())))))
    del content["proof"]
    content["files"][0]["reason"] = reason
    return json.dumps(sign_document(content, KEY, NOW)).encode()
