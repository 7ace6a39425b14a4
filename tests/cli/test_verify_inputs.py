"""What `credanchor verify` is given: folders, archives, pictures, lists and addresses, good and hostile ones."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from anchor.cli import archives, lists
from anchor.errors import CredentialFormatError
from anchor.ledger import fetching
from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex
from tests.cli.conftest import Desk
from tests.support.archives import encrypted, png_of, svg_of, zip_of, zip_with_link
from tests.support.employer import accredit
from tests.support.host import DocumentHost


def answers(content: dict[str, Any]) -> dict[str, str]:
    """Outcomes by the last part of the file's name."""
    return {each["file"].replace(": ", "/").rpartition("/")[2]: each["outcome"] for each in content["results"]}


def type_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes onto standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# Folders


def test_folder_is_read_to_its_bottom_without_what_is_hidden_or_no_credential(desk: Desk) -> None:
    folder = desk.folder / "badges"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "5.JSON").write_bytes(desk.files[0].read_bytes())
    for hidden in (".credanchor", ".git"):
        (folder / hidden).mkdir()
        (folder / hidden / "6.json").write_bytes(b"garbage")
    (folder / ".7.json").write_bytes(b"garbage")
    (folder / "index-batch-1.csv").write_text("file,name\n0.json,Zoë\n")
    (folder / "logo.png").write_bytes(png_of())
    (folder / "logo.svg").write_bytes(svg_of())
    (folder / "broken.png").write_bytes(png_of()[:-6])
    code, content = desk.run_json("verify", folder)
    assert (code, content["counts"]["valid"], len(content["results"])) == (0, 6, 6)


def test_files_of_our_own_making_are_left_aside_and_named(desk: Desk) -> None:
    folder = desk.files[0].parent
    (folder / "policy.json").write_bytes((desk.folder / "policy.json").read_bytes())
    (folder / "receipt.json").write_text('{"format": "credanchor/receipt@v1", "pad": "' + "x" * 2_000_000 + '"}')
    code, out, _ = desk.run("verify", folder)
    assert code == 0
    assert "5 valid" in out
    assert f"left aside: {folder / 'policy.json'} (a policy)" in out
    _, content = desk.run_json("verify", folder)
    assert [each["what"] for each in content["otherFiles"]] == ["policy", "receipt"]


def test_file_of_our_own_making_that_was_named_is_malformed_and_advised(desk: Desk) -> None:
    code, out, _ = desk.run("verify", desk.folder / "policy.json")
    assert (code, "this is a policy" in out, "--policy" in out) == (2, True, True)


def test_credential_that_says_to_be_a_policy_is_a_credential(desk: Desk) -> None:
    document = {"format": "credanchor/policy@v1", **json.loads(desk.files[0].read_text())}
    desk.write("badges/0.json", document)
    code, content = desk.run_json("verify", desk.files[0])
    assert (code, content["results"][0]["reason"]) == (1, "tampered")
    code, content = desk.run_json("verify", desk.files[0].parent)
    assert (code, content["counts"]["invalid"], content["otherFiles"]) == (1, 1, [])


def test_pipe_in_a_folder_is_not_waited_for(desk: Desk) -> None:
    import os

    os.mkfifo(desk.files[0].parent / "pipe.json")
    assert desk.run("verify", desk.files[0].parent)[0] == 0


# Archives


def test_archive_is_read_like_the_folder(desk: Desk) -> None:
    members = [(f"a/b/{path.name}", path.read_bytes()) for path in desk.files]
    ignored = [
        ("a/b/readme.txt", b"x"),
        ("__MACOSX/a/._0.json", b"\x00"),
        ("a/.x/1.json", b"x"),
        ("a/logo.png", png_of()),
    ]
    path = desk.write("badges.zip", zip_of([*members, *ignored]))
    code, content = desk.run_json("verify", path)
    assert (code, content["counts"]["valid"], len(content["results"])) == (0, 5, 5)
    assert content["results"][0]["source"] == {"path": str(path), "member": "a/b/0.json", "address": None}
    desk.write("badges/all.zip", path.read_bytes())
    _, content = desk.run_json("verify", desk.files[0].parent)
    assert content["counts"]["valid"] == 10


def test_members_that_two_programs_could_read_differently_are_malformed(desk: Desk) -> None:
    good = desk.files[0].read_bytes()
    members = [
        ("ok.json", good),
        ("../out.json", good),
        ("/etc/abs.json", good),
        ("C:\\x.json", good),
        ("t.json", good),
    ]
    path = desk.write("odd.zip", zip_of([*members, ("t.json", desk.files[1].read_bytes())]))
    code, content = desk.run_json("verify", path)
    assert code == 2
    assert content["counts"] == {"valid": 1, "invalid": 0, "unknown": 0, "malformed": 5}
    messages = [each["error"]["message"] for each in content["results"] if each["outcome"] == "malformed"]
    assert sum("leads out of the archive" in each for each in messages) == 3
    assert sum("stands twice" in each for each in messages) == 2


def test_links_encrypted_and_nested_archives_are_malformed(desk: Desk) -> None:
    good = desk.files[0].read_bytes()
    for content, words in (
        (zip_with_link("a.json", "/etc/passwd"), "it is a link"),
        (encrypted(zip_of([("a.json", good)])), "it is encrypted"),
        (zip_of([("a.zip", zip_of([("a.json", good)]))], stored=True), "archive within an archive"),
    ):
        code, out, _ = desk.run("verify", desk.write("odd.zip", content))
        assert (code, words in out) == (2, True), out


def test_bomb_is_not_unpacked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zip_of([("a.json", b" " * 50_000_000)])
    code, out, _ = desk.run("verify", desk.write("bomb.zip", bomb))
    assert (code, "as only files made for that do" in out) == (2, True)
    many = desk.write("many.zip", zip_of([(f"{number}.json", desk.files[0].read_bytes()) for number in range(4)]))
    for limit, value, words in (
        ("MAX_MEMBERS", 3, "at most 3 are read"),
        ("MAX_TOTAL_BYTES", 6_000, "unpacks to more than 6000 bytes"),
        ("MAX_DIRECTORY_BYTES", 100, "table of contents is too long"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(archives, limit, value)
            code, out, _ = desk.run("verify", many)
            assert (code, words in out) == (2, True), out


@pytest.mark.parametrize("cut", [10, 200, -30])
def test_archive_that_is_damaged_is_malformed(desk: Desk, cut: int) -> None:
    path = desk.write("cut.zip", zip_of([("a.json", desk.files[0].read_bytes())])[:cut])
    code, out, _ = desk.run("verify", path)
    assert (code, "damaged" in out) == (2, True)


def test_member_that_is_damaged_spoils_no_other(desk: Desk) -> None:
    archive = bytearray(zip_of([("a.json", b"{}" * 50), ("b.json", desk.files[0].read_bytes())], stored=True))
    archive[40] ^= 1
    code, content = desk.run_json("verify", desk.write("spoilt.zip", bytes(archive)))
    assert (code, content["counts"]) == (2, {"valid": 1, "invalid": 0, "unknown": 0, "malformed": 1})


def test_archive_without_credentials_is_malformed(desk: Desk) -> None:
    code, out, _ = desk.run("verify", desk.write("empty.zip", zip_of([("readme.txt", b"x")])))
    assert (code, "has no .json file" in out) == (2, True)


# Pictures


@pytest.mark.parametrize("bake", [png_of, svg_of])
def test_baked_badge_is_the_credential_in_it(desk: Desk, bake: Any) -> None:
    good = desk.files[0].read_bytes()
    name = "badge.png" if bake is png_of else "badge.svg"
    desk.write(f"badges/{name}", bake(good))
    assert desk.run("verify", desk.files[0].parent / name)[0] == 0
    assert desk.run_json("verify", desk.files[0].parent)[1]["counts"]["valid"] == 6
    assert desk.run("verify", desk.write(name, bake(good.replace(b"literacy", b"litercay"))))[0] == 1


@pytest.mark.parametrize(
    ("name", "picture", "words"),
    [
        ("none.png", png_of(), "has no credential in it"),
        ("two.png", png_of(b"{}", b"{}"), "more than one credential"),
        ("packed.png", png_of(b"{}", compressed=True), "compressed or damaged"),
        ("cut.png", png_of(b"{}" * 100)[:90], "ends too early"),
        ("two.svg", svg_of(b"{}", b"{}"), "more than one credential"),
        ("signed.svg", svg_of(b"", attributes=' verify="ey.J.x"'), "signed token"),
        ("page.svg", b"<html><p>Sign in", "neither a credential nor a PNG or SVG"),
        ("laughs.svg", b'<!DOCTYPE svg [<!ENTITY a "ha">]><svg>&a;</svg>', "declares entities"),
    ],
)
def test_picture_without_one_clear_credential_is_malformed(desk: Desk, name: str, picture: bytes, words: str) -> None:
    code, out, _ = desk.run("verify", desk.write(name, picture))
    assert (code, words in out) == (2, True), out


def test_baked_picture_that_is_damaged_is_not_passed_over(desk: Desk) -> None:
    desk.write("badges/two.png", png_of(b"{}", b"{}"))
    code, content = desk.run_json("verify", desk.files[0].parent)
    assert (code, answers(content)["two.png"]) == (2, "malformed")


# Lists and standard input


def test_list_of_paths_is_relative_to_itself(desk: Desk) -> None:
    desk.write("badges/index.csv", "file,name\n0.json,Zoë\n1.json,Ana\n0.json,again\n".encode("utf-8-sig"))
    desk.write("list.txt", b"# of two\nbadges/2.json\n\nbadges/absent.json\nbadges\n")
    code, content = desk.run_json("verify", desk.folder / "badges" / "index.csv")
    assert (code, content["counts"]["valid"]) == (0, 2)
    code, content = desk.run_json("verify", desk.folder / "list.txt")
    assert (code, content["counts"]["valid"], content["counts"]["malformed"]) == (2, 1, 2)


@pytest.mark.parametrize("kind", ["credential", "archive", "list", "picture"])
def test_standard_input_is_told_by_what_it_is(desk: Desk, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = desk.files[0].read_bytes()
    monkeypatch.chdir(desk.folder)
    data = {"archive": zip_of([("a.json", good)]), "list": b"badges/0.json\n", "picture": png_of(good)}.get(kind, good)
    type_in(monkeypatch, data)
    code, out, _ = desk.run("verify", "-")
    assert (code, "✔ VALID" in out) == (0, True), out


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        (b"https://a.example/1,2.json\nhttps://a.example/3\n", ["https://a.example/1,2.json", "https://a.example/3"]),
        (b"Name;Link\nZo\xeb;https://a.example/1\n", ["https://a.example/1"]),
        (b"name,mail\nZoe,https://a.example/1\n", ["https://a.example/1"]),
        ("address\nbadge é.json\n".encode("utf-16"), ["badge é.json"]),
        (b'"address"\n"a.json"\n', ["a.json"]),
        (b"one.json\ntwo.json", ["one.json", "two.json"]),
    ],
)
def test_list_is_read_as_people_write_it(data: bytes, entries: list[str]) -> None:
    assert lists.read_list(data) == entries


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"# nothing\n", "empty"),
        (b"address\n", "nothing under it"),
        (b"a.json,b.json\nc.json,d.json\n", "which of its columns"),
        (b"url,link\nhttps://a.example,https://b.example\n", "which of its columns"),
        (b"a\x00b", "neither a credential nor a list"),
        (b'file,name\n"a', "no CSV"),
    ],
)
def test_list_that_leaves_something_open_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(CredentialFormatError, match=words):
        lists.read_list(data)


def test_list_without_end_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_ENTRIES", 2)
    with pytest.raises(CredentialFormatError, match="at most 2"):
        lists.read_list(b"a\nb\nc\n")
    monkeypatch.setattr(lists, "MAX_LIST_BYTES", 2)
    with pytest.raises(CredentialFormatError, match="more than 2 bytes"):
        lists.read_list(b"a\nb\nc\n")
    code, _, err = desk.run("verify", desk.folder / "absent.csv")
    assert (code, "cannot be read" in err) == (2, True)


# Addresses


def test_address_that_was_typed_is_fetched_and_the_answer_says_so(desk: Desk) -> None:
    with DocumentHost(documents={"/0.json": desk.files[0].read_bytes()}) as host:
        host.documents["/0.json?key=secret"] = desk.files[0].read_bytes()
        code, out, _ = desk.run("verify", host.url("/0.json?key=secret"))
        assert (code, "fetched from 127.0.0.1, as you asked" in out, "secret" in out) == (0, True, False)
        code, content = desk.run_json("verify", host.url("/0.json"), desk.files[1])
        assert (code, content["contacted"]) == (0, ["127.0.0.1"])
        assert [each["contacted"] for each in content["results"]] == [["127.0.0.1"], []]


def test_address_that_gives_nothing_is_undetermined_and_never_malformed(desk: Desk) -> None:
    with DocumentHost() as host:
        code, out, _ = desk.run("verify", host.url("/none.json"))
        assert (code, "COULD NOT BE DETERMINED" in out, "HTTP status 404" in out) == (3, True, True)
        _, content = desk.run_json("verify", host.url("/none.json"))
        (result,) = content["results"]
        assert (result["outcome"], result["reason"], result["contacted"]) == ("unknown", "notFetched", ["127.0.0.1"])
    code, content = desk.run_json("verify", "http://college.example/1.json")
    assert (code, content["results"][0]["contacted"]) == (3, [])


def test_page_in_the_place_of_a_credential_is_malformed(desk: Desk) -> None:
    with DocumentHost(documents={"/": b"<!DOCTYPE html><p>Sign in", "/z": zip_of([("a.json", b"{}")])}) as host:
        code, out, _ = desk.run("verify", host.url("/"))
        assert (code, "neither a credential nor" in out) == (2, True)
        assert desk.run_json("verify", host.url("/z"))[1]["results"][0]["source"]["member"] == "a.json"


def test_list_of_addresses_does_not_reach_this_machine(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = {f"/{number}.json": path.read_bytes() for number, path in enumerate(desk.files)}
    with DocumentHost(documents=documents) as host:
        addresses = "\n".join(host.url(path) for path in [*documents, "/gone.json"])
        path = desk.write("list.csv", f"address\n{addresses}\n{desk.files[0]}\n".encode())
        code, content = desk.run_json("verify", path)
        assert (code, host.asked) == (3, [])
        assert [each["outcome"] for each in content["results"]] == ["unknown"] * 6 + ["valid"]
        assert "within your network" in content["results"][0]["message"]
        # As if this machine were elsewhere: the answers come in the order of the list.
        monkeypatch.setattr(fetching, "_is_inside", lambda _host: False)
        code, content = desk.run_json("verify", path)
        assert [each["outcome"] for each in content["results"]] == ["valid"] * 5 + ["unknown", "valid"]
        assert [each["source"]["address"] for each in content["results"]][:5] == [host.url(each) for each in documents]
        assert len(host.asked) == 6


def test_many_addresses_are_fetched_a_few_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_is_inside", lambda _host: False)
    names = [f"/{number}.json" for number in range(40)]
    with DocumentHost(documents=dict.fromkeys(names, desk.files[0].read_bytes())) as host:
        path = desk.write("list.txt", "\n".join(map(host.url, names)).encode())
        _, content = desk.run_json("verify", path)
        assert content["counts"]["valid"] == 40
        assert [each["file"] for each in content["results"]] == [host.url(name) for name in names]


def test_nothing_to_check_is_said(desk: Desk) -> None:
    (desk.folder / "only").mkdir()
    (desk.folder / "only" / "policy.json").write_bytes((desk.folder / "policy.json").read_bytes())
    code, _, err = desk.run("verify", desk.folder / "only")
    assert (code, "no credential among these files" in err) == (2, True)
    assert desk.run("verify", Path("\x00"))[0] == 2


# Issuers


def test_issuer_that_is_asked_because_the_policy_says_so_is_named(desk: Desk) -> None:
    with DocumentHost() as host:
        did = f"did:web:localhost%3A{host.port}"
        issuer = accredit(desk.chain, did, "Northern Institute", "First aid", 5, 6)
        account = f"eip155:31337:{to_hex(dev_signer(5).address)}"
        method = {"id": f"{did}#key", "type": "EcdsaSecp256k1RecoveryMethod2020", "blockchainAccountId": account}
        document = {"id": did, "verificationMethod": [{**method, "controller": did}]}
        host.documents["/.well-known/did.json"] = json.dumps(document).encode()
        _, (credential, _) = issuer.issue(2)
        path = desk.write("institute.json", credential)
        code, out, _ = desk.run("verify", path)
        assert (code, "asked for" in out, host.asked) == (0, False, [])
        desk.write_policy(require_did_document=True)
        code, out, _ = desk.run("verify", path)
        assert (code, "localhost asked for the issuer's DID document, as the policy says" in out) == (0, True), out
        host.documents["/a.json"] = path.read_bytes()
        code, content = desk.run_json("verify", host.url("/a.json"), path)
        assert [each["contacted"] for each in content["results"]] == [["127.0.0.1", "localhost"], ["localhost"]]
        assert content["contacted"] == ["127.0.0.1", "localhost"]
        _, out, _ = desk.run("verify", host.url("/a.json"), path)
        assert "nobody else of the issuer's" not in out
