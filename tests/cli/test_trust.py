"""`credanchor trust`: lists signed, fetched, kept; and what verifying does with them, on a real chain."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchor import verify
from anchor.cli.signing_keys import create_signer
from anchor.did_key import Ed25519Key
from anchor.errors import TrustListError
from anchor.ledger.trust_lists import kept_path
from anchor.model import TrustListSource
from anchor.policy import policy_to_text
from anchor.trust_list import sign_trust_list
from tests.cli.conftest import Desk
from tests.ledger.chain import DID
from tests.support.lists_host import ListsHost, lists_host

PASSPHRASE = "quiet words"
KEY = Ed25519Key(bytes(range(32)))
OTHER = Ed25519Key(bytes(range(1, 33)))
SOURCE = TrustListSource(source="list.json", signer=KEY.did)


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDANCHOR_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ListsHost]:
    with lists_host(monkeypatch) as host:
        yield host


def draft(**changes: Any) -> dict[str, Any]:
    content = {
        "format": "credanchor/trust-list@v1",
        "name": "Registrars of the north",
        "sequence": 5,
        "expiresAt": None,
        "registries": [],
        "deniedIssuers": [],
    }
    return {**content, **changes}


def signed(*, key: Ed25519Key = KEY, at: int | None = None, **changes: Any) -> bytes:
    return sign_trust_list(json.dumps(draft(**changes)).encode(), key, int(time.time()) if at is None else at)


def rely_on(desk: Desk, *sources: TrustListSource, **changes: Any) -> None:
    desk.write_policy(trust_lists=sources or (SOURCE,), **changes)


def pins(desk: Desk) -> list[Any]:
    entries: list[Any] = json.loads(policy_to_text(desk.chain.policy()))["registries"]
    return entries


def test_a_list_is_signed_shown_and_checked(desk: Desk) -> None:
    did = create_signer(desk.folder / "signer.pem", PASSPHRASE)
    file = desk.write("draft.json", draft(registries=pins(desk), deniedIssuers=["did:web:mill.example"]))
    out = desk.folder / "list.json"
    code, text, _ = desk.run("trust", "sign", file, "--sign-with", desk.folder / "signer.pem", "--out", out)
    assert (code, did in text) == (0, True)
    code, text, _ = desk.run("trust", "check", out, "--signer", did)
    assert code == 0
    for said in (did, "Registrars of the north", "5, of ", desk.chain.registry.to_text(), "did:web:mill.example"):
        assert said in text
    code, content = desk.run_json("trust", "check", out)
    assert (code, content["sequence"], content["signer"]) == (0, 5, did)
    code, _, err = desk.run("trust", "check", out, "--signer", OTHER.did)
    assert (code, f"not by {OTHER.did}" in err) == (1, True)
    code, _, err = desk.run("trust", "sign", file, "--sign-with", desk.folder / "signer.pem", "--out", out)
    assert (code, "already" in err) == (2, True)
    nowhere = desk.folder / "absent" / "list.json"
    assert desk.run("trust", "sign", file, "--sign-with", desk.folder / "signer.pem", "--out", nowhere)[0] == 3


def test_a_list_that_is_no_longer_usable_is_said_to_be_so(desk: Desk) -> None:
    file = desk.write("list.json", signed(at=1_700_000_000, expiresAt=1_700_000_001))
    code, out, err = desk.run("trust", "check", file)
    assert (code, "the signature holds" in out, "expired on 2023-11-14" in err) == (1, True, True)
    code, content = desk.run_json("trust", "check", file)
    assert (code, content["error"]["type"]) == (1, "TrustListError")


def test_every_byte_of_a_list_counts(desk: Desk) -> None:
    data = signed(registries=pins(desk), deniedIssuers=[DID])
    document = json.loads(data)
    for place in range(0, len(data), 40):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        code, _, _ = desk.run("trust", "check", desk.write("x.json", changed))
        if code == 0:
            # White space is no part of what is signed.
            assert json.loads(changed) == document


def test_verifying_waits_for_the_list_and_then_counts_what_it_says(desk: Desk) -> None:
    rely_on(desk)
    code, out, err = desk.run("verify", desk.files[0])
    assert (code, out, "credanchor trust update" in err) == (3, "", True)
    desk.write("list.json", signed())
    code, out, _ = desk.run("trust", "update")
    assert (code, "list 5 is new, and kept" in out) == (0, True)
    assert desk.run("verify", desk.files[0])[0] == 0
    desk.write("list.json", signed(sequence=6, deniedIssuers=[DID]))
    # What lies at the source counts once it was checked and kept.
    assert desk.run("verify", desk.files[0])[0] == 0
    assert desk.run("trust", "update", "--policy", desk.folder / "policy.json")[0] == 0
    code, content = desk.run_json("verify", desk.files[0])
    assert (code, content["results"][0]["reason"]) == (1, "untrustedIssuer")
    assert desk.run_json("trust", "update")[1]["lists"][0]["isNew"] is False


def test_a_registry_is_trusted_because_a_list_says_so(desk: Desk) -> None:
    rely_on(desk, registries=())
    desk.write("list.json", signed(registries=pins(desk)))
    assert desk.run("trust", "update")[0] == 0
    assert desk.run("verify", desk.files[0])[0] == 0
    assert desk.run("audit")[0] == 0
    desk.write("list.json", signed(sequence=6))
    assert desk.run("trust", "update")[0] == 0
    assert desk.run("verify", desk.files[0])[0] == 3


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (signed(sequence=4), 1, "is older than 5"),
        (signed(deniedIssuers=[DID]), 1, "two different trust lists 5"),
        (signed(key=OTHER, sequence=6), 1, f"signed by {OTHER.did}"),
        (signed(sequence=6).replace(b"north", b"south"), 1, "does not hold"),
        (signed(sequence=6, at=1_700_000_000, expiresAt=1_700_000_001), 3, "expired on"),
        (signed(sequence=6, at=4_000_000_000), 3, "from the future"),
        (b"{}", 2, "format must be"),
        (signed(sequence=6).replace(b'"name"', b'"note": 1, "name"'), 2, "exactly the members"),
        (b" " * (2**20 + 1), 2, "at most 1048576"),
    ],
    ids=["older", "another", "other-signer", "altered", "expired", "future", "malformed", "unknown-member", "oversize"],
)
def test_a_list_that_must_not_follow_is_refused_and_the_one_before_stays(
    desk: Desk, data: bytes, code: int, said: str
) -> None:
    rely_on(desk)
    desk.write("list.json", signed())
    assert desk.run("trust", "update")[0] == 0
    kept = kept_path(desk.folder / "policy.json", SOURCE)
    before = kept.read_bytes()
    desk.write("list.json", data)
    found, _, err = desk.run("trust", "update")
    assert (found, said in err) == (code, True)
    assert kept.read_bytes() == before
    assert desk.run("verify", desk.files[0])[0] == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (signed(at=1_700_000_000, expiresAt=1_700_000_001), "expired on"),
        (signed(key=OTHER), "cannot be used"),
        (signed(deniedIssuers=[DID]).replace(DID.encode(), b"did:web:nobody.example"), "cannot be used"),
        (b"", "cannot be used"),
    ],
    ids=["expired", "other-signer", "denial-taken-out", "empty"],
)
def test_a_kept_list_that_cannot_be_used_leaves_everything_undetermined(desk: Desk, data: bytes, said: str) -> None:
    rely_on(desk)
    kept = kept_path(desk.folder / "policy.json", SOURCE)
    kept.parent.mkdir()
    kept.write_bytes(data)
    for arguments in (("verify", desk.files[0]), ("audit",)):
        code, out, err = desk.run(*arguments)
        assert (code, out, said in err) == (3, "", True)


def test_a_list_pinning_other_code_leaves_everything_undetermined(desk: Desk) -> None:
    rely_on(desk)
    (pin,) = pins(desk)
    desk.write("list.json", signed(registries=[{**pin, "codeHash": "0x" + "11" * 32}]))
    assert desk.run("trust", "update")[0] == 0
    code, _, err = desk.run("verify", desk.files[0])
    assert (code, "two code hashes" in err) == (3, True)


def test_a_list_comes_over_https(desk: Desk, host: ListsHost) -> None:
    source = TrustListSource(source=host.url("/list.json"), signer=KEY.did)
    rely_on(desk, source)
    code, _, err = desk.run("trust", "update")
    assert (code, "404" in err) == (3, True)
    host.documents["/list.json"] = signed(deniedIssuers=[DID])
    assert desk.run("trust", "update")[0] == 0
    assert desk.run("verify", desk.files[0])[0] == 1
    host.documents["/list.json"] = b"x" * (2**20 + 1)
    code, _, err = desk.run("trust", "update")
    assert (code, "more than 1048576 bytes" in err) == (3, True)


def test_a_host_that_is_not_who_it_says_gives_no_list(
    desk: Desk, host: ListsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    host.documents["/list.json"] = signed()
    rely_on(desk, TrustListSource(source=host.url("/list.json"), signer=KEY.did))
    code, _, err = desk.run("trust", "update")
    assert (code, "not secure" in err) == (3, True)


def test_one_list_that_is_refused_does_not_keep_others_from_coming(desk: Desk) -> None:
    other = TrustListSource(source="other.json", signer=OTHER.did)
    rely_on(desk, SOURCE, other)
    desk.write("other.json", signed(key=OTHER))
    code, content = desk.run_json("trust", "update")
    assert code == 2
    assert [("error" in each, each.get("sequence")) for each in content["lists"]] == [(True, None), (False, 5)]
    code, out, err = desk.run("trust", "update")
    assert (code, "✔ other.json: list 5 is the one kept" in out, "cannot be read" in err) == (2, True, True)


def test_a_policy_without_lists_has_nothing_to_update(desk: Desk) -> None:
    code, _, err = desk.run("trust", "update")
    assert (code, "names no trust lists" in err) == (2, True)
    assert desk.run("trust", "update", "--policy", desk.folder / "absent.json")[0] == 2


def test_a_folder_that_cannot_be_made_is_said(desk: Desk) -> None:
    rely_on(desk)
    desk.write("list.json", signed())
    kept_path(desk.folder / "policy.json", SOURCE).parent.write_text("in the way")
    code, _, err = desk.run("trust", "update")
    assert (code, "cannot be kept" in err) == (3, True)


def test_a_draft_that_cannot_be_read_is_malformed(desk: Desk) -> None:
    create_signer(desk.folder / "signer.pem", PASSPHRASE)
    arguments = ("--sign-with", desk.folder / "signer.pem", "--out", desk.folder / "list.json")
    assert desk.run("trust", "sign", desk.folder / "absent.json", *arguments)[0] == 2
    assert desk.run("trust", "sign", desk.write("draft.json", draft(sequence=0)), *arguments)[0] == 2
    assert not (desk.folder / "list.json").exists()


def test_terminal_is_not_obeyed_to_what_a_list_says(desk: Desk) -> None:
    _, out, _ = desk.run("trust", "check", desk.write("list.json", signed(name="\x1b[2J[bold]x[/bold]")))
    assert "\x1b" not in out
    assert "[bold]x[/bold]" in out


def test_where_a_kept_list_lies_depends_on_source_and_signer(tmp_path: Path) -> None:
    sources = [SOURCE, SOURCE._replace(source="b.json"), SOURCE._replace(signer=OTHER.did)]
    assert len({kept_path(tmp_path / "policy.json", each) for each in sources}) == 3


def test_the_library_counts_what_the_kept_lists_say(desk: Desk) -> None:
    rely_on(desk)
    policy = desk.folder / "policy.json"
    with pytest.raises(TrustListError, match="not fetched yet"):
        verify(desk.files[0], policy)
    desk.write("list.json", signed(deniedIssuers=[DID]))
    assert desk.run("trust", "update")[0] == 0
    assert verify(desk.files[0], policy).reason == "untrustedIssuer"
