"""`credanchor bundle` on a real chain, and what `verify` makes of bundles: offline, or with nodes for a hash alone."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from anchor.bundle import parse_bundle
from anchor.errors import BundleFormatError
from anchor.evidence import Evidence
from anchor.known_blocks import known_blocks_to_text
from anchor.model import KnownBlock, Outcome, Vouching, to_hex
from anchor.verify import verify
from tests.cli.conftest import Desk
from tests.ledger.chain import DID, STATUS_KEY
from tests.ledger.proxy import FaultProxy
from tests.support.issuing import make_batch
from tests.support.offline import SOCKET_WAS_MADE, namespace, run_offline


def bundle_of(desk: Desk, *files: Path, options: tuple[str, ...] = (), name: str = "made.json") -> Path:
    out = desk.folder / name
    out.unlink(missing_ok=True)
    code, printed, err = desk.run("bundle", *files, "--out", out, *options)
    assert code == 0, printed + err
    return out


def known_in(desk: Desk, *bundles: Path, chain_id: int = 31337) -> Path:
    """Write a file of the blocks that bundles rest on."""
    blocks = [
        KnownBlock(chain_id=chain_id, hash=proof.block.hash)
        for path in bundles
        for proof in parse_bundle(path.read_bytes()).proofs
    ]
    return desk.write("known.json", known_blocks_to_text(blocks).encode())


def revoke(desk: Desk, index: int) -> None:
    call = desk.chain.contract.revoke(
        issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
    )
    desk.chain.execute(STATUS_KEY, call)


def suspend(desk: Desk, index: int) -> None:
    call = desk.chain.contract.suspend(
        issuer_id=desk.chain.issuer_id, status_list=0, words=[0], masks=[1 << index], reason=1
    )
    desk.chain.execute(STATUS_KEY, call)


# Without network.


def test_there_is_no_network_where_these_tests_say_so(desk: Desk) -> None:
    ended = run_offline(desk.folder, "verify", desk.files[0])
    assert ended.code == SOCKET_WAS_MADE, ended.err
    # Where namespaces are allowed, they are used.
    if namespace():
        probe = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
        ended_probe = subprocess.run([*namespace(), sys.executable, "-c", probe], capture_output=True, check=False)
        assert b"unreachable" in ended_probe.stderr


def test_bundle_of_a_credential_verifies_without_network(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[1])
    known = known_in(desk, made)
    ended = run_offline(desk.folder, "verify", "--bundle", made, "--known-blocks", known)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("✔ VALID")
    assert "ᐊᓇ ᐃᓄᒃ" in ended.out
    assert "(pinnedHash: known block)" in ended.out
    assert "its hash known to the policy" in ended.out


def test_bundle_of_a_batch_shares_its_proofs_and_verifies_without_network(desk: Desk) -> None:
    made, one = bundle_of(desk, *desk.files), bundle_of(desk, desk.files[0], name="one.json")
    credentials = sum(len(path.read_bytes()) for path in desk.files)
    assert made.stat().st_size < credentials + one.stat().st_size
    known = known_in(desk, made)
    desk.write_policy(nodes=())
    ended = run_offline(desk.folder, "verify", made, "--known-blocks", known, "--json")
    content = json.loads(ended.out)
    assert (ended.code, content["counts"]["valid"]) == (0, 5)
    assert [each["source"]["member"] for each in content["results"]] == [f"credential {n}" for n in range(1, 6)]
    assert {each["basis"]["vouching"] for each in content["results"]} == {"pinnedHash"}
    assert len(content["bases"]) == 1


def test_policy_that_knows_the_block_needs_no_flags(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    known = frozenset(
        KnownBlock(chain_id=31337, hash=each.block.hash) for each in parse_bundle(made.read_bytes()).proofs
    )
    desk.write_policy(nodes=(), vouching=Vouching.PINNED_HASH, known_blocks=known)
    assert run_offline(desk.folder, "verify", made).code == 0


def test_flags_stand_for_a_policy_without_a_node(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    known = known_in(desk, made)
    (desk.folder / "policy.json").unlink()
    registry = desk.chain.registry.to_text()
    ended = run_offline(desk.folder, "verify", made, "--known-blocks", known, "--trust", registry, "--as-of-block")
    assert ended.code == 0, ended.out + ended.err


def test_revocation_is_proven_without_network(desk: Desk) -> None:
    before = bundle_of(desk, desk.files[0], name="before.json")
    revoke(desk, 0)
    out = desk.folder / "after.json"
    code, _, err = desk.run("bundle", desk.files[0], "--out", out)
    assert (code, "is not valid" in err, "(revoked)" in err, "--whatever-the-verdict" in err) == (1, True, True, True)
    assert not out.exists()
    after = bundle_of(desk, desk.files[0], options=("--whatever-the-verdict",), name="after.json")
    known = known_in(desk, before, after)
    ended = run_offline(desk.folder, "verify", "--bundle", after, "--known-blocks", known)
    assert (ended.code, "the issuer revoked this credential (revoked)" in ended.out) == (1, True)
    # The proof from before is as good as it was, as of its block: that is what an age is for.
    ended = run_offline(desk.folder, "verify", before, "--known-blocks", known, "--as-of-block")
    assert (ended.code, "as of block" in ended.out, "has happened since is not in it" in ended.out) == (0, True, True)


def test_suspension_of_one_in_a_bundle_is_its_own(desk: Desk) -> None:
    suspend(desk, 2)
    made = bundle_of(desk, *desk.files, options=("--whatever-the-verdict",))
    ended = run_offline(desk.folder, "verify", made, "--known-blocks", known_in(desk, made), "--json")
    content = json.loads(ended.out)
    assert (ended.code, content["counts"]) == (1, {"valid": 4, "invalid": 1, "unknown": 0, "malformed": 0})
    assert content["results"][2]["reason"] == "suspended"


def test_block_that_is_not_known_is_undetermined_and_nobody_is_asked(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    desk.chain.mine()
    other = bundle_of(desk, desk.files[0], name="other.json")
    known = known_in(desk, other)
    ended = run_offline(desk.folder, "verify", "--bundle", made, "--known-blocks", known)
    assert (ended.code, "(unvouchedBlock)" in ended.out) == (3, True), ended.err
    assert "is not one that the policy knows" in ended.out


def test_same_hash_known_of_another_chain_is_undetermined(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    ended = run_offline(desk.folder, "verify", made, "--known-blocks", known_in(desk, made, chain_id=1), "--json")
    (result,) = json.loads(ended.out)["results"]
    assert (ended.code, result["outcome"], result["reason"]) == (3, "unknown", "unvouchedBlock")


def test_altered_bundle_is_never_valid_and_never_not_valid(desk: Desk) -> None:
    data = bundle_of(desk, desk.files[0]).read_bytes()
    (proof,) = parse_bundle(data).proofs
    known = frozenset({KnownBlock(chain_id=31337, hash=proof.block.hash)})
    rules = desk.chain.policy(vouching=Vouching.PINNED_HASH, known_blocks=known)
    now = proof.block.timestamp

    def outcome(content: bytes) -> Outcome | None:
        try:
            bundle = parse_bundle(content)
        except BundleFormatError:
            return None
        evidence = Evidence(registries=tuple(each.vouched(Vouching.PINNED_HASH, ("test",)) for each in bundle.proofs))
        return verify(bundle.parsed[0], evidence, rules, now).outcome

    assert outcome(data) is Outcome.VALID
    chance = random.Random(5)
    for _ in range(1000):
        place = chance.randrange(len(data))
        changed = data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
        assert outcome(changed) in (None, Outcome.UNKNOWN), place


def test_altered_bundle_is_malformed_in_plain_words(desk: Desk) -> None:
    text = bundle_of(desk, desk.files[0]).read_text()
    known = known_in(desk, desk.folder / "made.json")
    altered = {
        "another-name": text.replace("Data literacy", "Data illiteracy"),
        "a-node-less": json.dumps({**json.loads(text), "nodes": json.loads(text)["nodes"][:-1]}),
        "cut-off": text[: len(text) // 2],
        "version-2": text.replace("bundle@v1", "bundle@v2"),
    }
    for name, content in altered.items():
        path = desk.write(f"{name}.json", content.encode())
        code, out, err = desk.run("verify", path, "--known-blocks", known)
        assert (code, "✘ MALFORMED" in out, err) == (2, True, ""), name
        assert len(out) < 500
        assert "Zoë" not in out


# With nodes.


def test_nodes_are_asked_for_the_block_alone(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    proxy = FaultProxy(desk.chain.url)
    asked: list[tuple[str, Any]] = []

    def listen(method: str, params: list[Any], result: Any) -> Any:
        asked.append((method, params))
        return result

    proxy.answer = listen
    desk.write_policy(nodes=(proxy.url,))
    code, out, err = desk.run("verify", made)
    proxy.close()
    assert (code, f"(oneNode: {proxy.url})" in out) == (0, True), out + err
    number = parse_bundle(made.read_bytes()).proofs[0].block.number
    assert {method for method, _ in asked} <= {"eth_chainId", "eth_getBlockByNumber"}
    assert {params[0] for method, params in asked if method == "eth_getBlockByNumber"} <= {hex(number), "finalized"}
    assert desk.chain.registry.to_text().split(":")[2][2:] not in json.dumps(asked)


def test_block_that_was_replaced_is_undetermined(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    desk.chain.node.write("anvil_reorg", [1, []])
    code, content = desk.run_json("verify", made)
    (result,) = content["results"]
    assert (code, result["outcome"], result["reason"]) == (3, "unknown", "noEvidence")
    assert "not " + to_hex(parse_bundle(made.read_bytes()).proofs[0].block.hash) in result["message"]


def test_node_that_does_not_answer_is_undetermined(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    desk.write_policy(nodes=("http://127.0.0.1:1",))
    code, out, _ = desk.run("verify", made)
    assert (code, "COULD NOT BE DETERMINED" in out, "127.0.0.1:1" in out) == (3, True, True)


def test_registry_that_is_not_trusted_is_undetermined_and_nobody_is_asked(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    desk.write_policy(registries=())
    ended = run_offline(desk.folder, "verify", made)
    assert (ended.code, "(untrustedRegistry)" in ended.out) == (3, True), ended.err


# Age.


def later(monkeypatch: pytest.MonkeyPatch, bundle: Path, seconds: int) -> None:
    """Let verification happen so long after a bundle's block."""
    now = parse_bundle(bundle.read_bytes()).proofs[0].block.timestamp + seconds
    monkeypatch.setattr("anchor.cli.checking.time.time", lambda: float(now))


def test_bundle_grows_old_and_holds_as_of_its_block(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bundle_of(desk, desk.files[0])
    desk.write_policy(max_age_seconds=3600)
    later(monkeypatch, made, 3600)
    assert desk.run("verify", made)[0] == 0
    later(monkeypatch, made, 3601)
    code, out, _ = desk.run("verify", made)
    assert (code, "(staleBlock)" in out) == (3, True)
    code, out, _ = desk.run("verify", made, "--as-of-block")
    number = parse_bundle(made.read_bytes()).proofs[0].block.number
    assert (code, f"as of block {number} of 20" in out) == (0, True)
    code, content = desk.run_json("verify", made, "--as-of-block")
    assert (code, content["asOfBlock"]) == (0, True)
    code, out, _ = desk.run("verify", made, desk.files[1].parent / "none", "--as-of-block")
    assert (code, f"as of block {number} of 20" in out) == (2, True)


def test_silence_of_an_old_block_says_nothing_even_as_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    root, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, DID, ["Ana", "Bea"])
    path = desk.write("early.json", documents[0])
    early = bundle_of(desk, path, options=("--whatever-the-verdict",))
    desk.chain.execute(2, desk.chain.contract.anchor(issuer_id=desk.chain.issuer_id, root=root, size=2))
    later(monkeypatch, early, 121)
    code, content = desk.run_json("verify", early, "--as-of-block")
    assert (code, content["results"][0]["reason"]) == (3, "staleBlock")


# What is read, and what is written.


def test_bundles_are_recognised_among_other_files(desk: Desk) -> None:
    made = bundle_of(desk, *desk.files[:2], name="badges/bundle.json")
    code, content = desk.run_json("verify", made.parent)
    assert (code, content["counts"]["valid"], content["otherFiles"]) == (0, 7, [])
    with ZipFile(desk.folder / "all.zip", "w") as archive:
        archive.write(made, "inner/bundle.json")
        archive.write(desk.files[4], "4.json")
    code, content = desk.run_json("verify", desk.folder / "all.zip")
    members = {each["source"]["member"] for each in content["results"]}
    assert (code, members) == (0, {"inner/bundle.json, credential 1", "inner/bundle.json, credential 2", "4.json"})


def test_large_bundle_is_read_whole(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    large = desk.write("large.json", made.read_bytes().rstrip().ljust(1 << 21))
    assert desk.run("verify", large)[0] == 0
    too_large = desk.write("too-large.json", made.read_bytes().rstrip().ljust((1 << 24) + 1))
    code, out, _ = desk.run("verify", too_large)
    assert (code, "at most 16777216" in out) == (2, True)


def test_what_is_no_bundle_is_refused_where_one_is_asked_for(desk: Desk) -> None:
    code, out, _ = desk.run("verify", "--bundle", desk.files[0])
    assert (code, "the bundle's format must be credanchor/bundle@v1" in out) == (2, True)
    assert desk.run("verify", "--bundle", desk.folder / "none.json")[0] == 2


def test_holder_is_compared_in_bundles_too(desk: Desk) -> None:
    made = bundle_of(desk, desk.files[0])
    code, content = desk.run_json("verify", made, "--holder", "zoe@example.org")
    assert (code, content["results"][0]["holder"]) == (3, "notStated")


def test_bundle_is_made_anew_from_a_bundle(desk: Desk) -> None:
    made = bundle_of(desk, *desk.files[:2])
    desk.chain.mine()
    again = bundle_of(desk, made, name="again.json")
    first, second = json.loads(made.read_text()), json.loads(again.read_text())
    assert second["credentials"] == first["credentials"]
    assert second["registries"] != first["registries"]


def test_what_was_written_is_told(desk: Desk) -> None:
    out = desk.folder / "told.json"
    desk.write_policy(max_age_seconds=3600)
    code, content = desk.run_json("bundle", *desk.files[:2], "--out", out)
    (proof,) = parse_bundle(out.read_bytes()).proofs
    assert code == 0
    assert content["format"] == "credanchor/bundling@v1"
    assert (content["file"], content["bytes"]) == (str(out), out.stat().st_size)
    assert [each["outcome"] for each in content["credentials"]] == ["valid", "valid"]
    assert content["freshUntil"] == proof.block.timestamp + 3600
    assert content["bases"][0]["blockHash"] == to_hex(proof.block.hash)
    assert content["knownBlocks"] == json.loads(known_in(desk, out).read_text())
    out.unlink()
    code, text, _ = desk.run("bundle", *desk.files[:2], "--out", out)
    assert (code, "2 credentials" in text, f"{out.stat().st_size:,} bytes" in text) == (0, True, True)
    assert "UTC, says this policy; later only with --as-of-block" in text
    # The last line is the file that an offline verifier needs.
    assert json.loads(text.splitlines()[-1]) == json.loads(known_in(desk, out).read_text())
    desk.write_policy()
    out.unlink()
    assert "for as long as you like" in desk.run("bundle", desk.files[0], "--out", out)[1]


def test_folder_is_bundled_without_what_is_no_credential_of_it(desk: Desk) -> None:
    made = bundle_of(desk, desk.folder)
    assert len(parse_bundle(made.read_bytes()).credentials) == len(desk.files)
    code, _, err = desk.run("bundle", desk.folder / "policy.json", "--out", desk.folder / "none.json")
    assert (code, "policy.json cannot be bundled" in err) == (2, True)


def test_nothing_is_written_over_what_is_there(desk: Desk) -> None:
    code, _, err = desk.run("bundle", desk.files[0], "--out", desk.files[1])
    assert (code, "is there already" in err) == (2, True)
    assert json.loads(desk.files[1].read_text())["type"]
    code, _, err = desk.run("bundle", desk.files[0], "--out", desk.folder / "no" / "folder.json")
    assert (code, "cannot be written" in err) == (2, True)


def test_what_cannot_be_bundled_is_named(desk: Desk) -> None:
    def refused(*arguments: object) -> tuple[int, str]:
        code, _, err = desk.run("bundle", *arguments, "--out", desk.folder / "none.json")
        assert not (desk.folder / "none.json").exists()
        return code, err

    garbage = desk.write("garbage.json", b"garbage")
    code, err = refused(desk.files[0], garbage)
    assert (code, "garbage.json cannot be bundled" in err) == (2, True)
    code, err = refused(desk.folder / "absent.json")
    assert (code, "cannot be read" in err) == (2, True)
    code, err = refused(desk.files[0], desk.files[0])
    assert (code, "none twice" in err) == (2, True)
    changed = desk.write("changed.json", {**json.loads(desk.files[0].read_text()), "name": "Data illiteracy"})
    code, err = refused(changed)
    assert (code, "(tampered)" in err) == (1, True)
    code, err = refused(changed, "--whatever-the-verdict")
    assert (code, "something in it was changed" in err) == (2, True)
    _, documents = make_batch(desk.chain.registry, desk.chain.issuer_id, DID, ["Ana", "Bea"])
    never = [desk.write(f"never-{number}.json", each) for number, each in enumerate(documents)]
    code, err = refused(desk.files[0], *never)
    assert (code, "(notAnchored) (and 1 more)" in err) == (1, True)


def test_what_could_not_be_determined_is_not_bundled(desk: Desk) -> None:
    out = desk.folder / "none.json"
    desk.write_policy(confirmations=3)
    code, _, err = desk.run("bundle", desk.files[0], "--out", out)
    assert (code, "could not be determined" in err, out.exists()) == (3, True, False)
    code, text, _ = desk.run("bundle", desk.files[0], "--out", out, "--whatever-the-verdict")
    assert (code, "COULD NOT BE DETERMINED" in text, "not final yet" in text) == (0, True, True)
    desk.write_policy(nodes=("http://127.0.0.1:1",))
    out.unlink()
    for options in ((), ("--whatever-the-verdict",)):
        code, _, err = desk.run("bundle", desk.files[0], "--out", out, *options)
        assert (code, "127.0.0.1:1" in err, out.exists()) == (3, True, False)
    desk.write_policy(registries=())
    code, _, err = desk.run("bundle", desk.files[0], "--out", out, "--whatever-the-verdict")
    assert (code, "does not trust the registry" in err) == (3, True)


def test_policy_that_wants_the_issuers_document_has_it_fetched_for_bundles_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bundle_of(desk, *desk.files[:2])
    asked: list[set[str]] = []

    def collect(issuers: set[str]) -> tuple[()]:
        asked.append(issuers)
        return ()

    monkeypatch.setattr("anchor.ledger.documents.collect_documents", collect)
    desk.write_policy(require_did_document=True)
    code, content = desk.run_json("verify", made)
    assert (code, {each["outcome"] for each in content["results"]}) == (3, {"unknown"})
    assert asked == [{DID}]
