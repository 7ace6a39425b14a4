"""`credanchor known-blocks add`: final blocks of a real chain into a file, as nodes vouch for them."""

import json
from pathlib import Path

from anchor.bundle import parse_bundle
from anchor.known_blocks import parse_known_blocks_file
from anchor.model import KnownBlock, Vouching, to_hex
from tests.cli.conftest import Desk
from tests.ledger.proxy import FaultProxy
from tests.support.offline import run_offline


def make(desk: Desk, name: str = "made.json") -> Path:
    code, printed, err = desk.run("bundle", desk.files[0], "--out", desk.folder / name)
    assert code == 0, printed + err
    return desk.folder / name


def block_of(bundle: Path) -> KnownBlock:
    (proof,) = parse_bundle(bundle.read_bytes()).proofs
    return KnownBlock(chain_id=proof.registry.chain_id, hash=proof.block.hash)


def known_in(path: Path) -> frozenset[KnownBlock]:
    return parse_known_blocks_file(path.read_bytes())


def test_blocks_of_bundles_are_added_and_serve_without_network(desk: Desk) -> None:
    file = desk.folder / "known.json"
    first = make(desk)
    code, out, err = desk.run("known-blocks", "add", first, "--to", file)
    assert (code, err) == (0, "")
    assert f"{to_hex(block_of(first).hash)}, of chain 31337 (oneNode: {desk.chain.url})" in out
    desk.chain.mine()
    second = make(desk, "second.json")
    code, content = desk.run_json("known-blocks", "add", first, second, "--to", file)
    assert (code, content["format"], content["count"]) == (0, "credanchor/known-blocks-added@v1", 2)
    assert {each["blockHash"] for each in content["added"]} == {to_hex(block_of(each).hash) for each in (first, second)}
    assert known_in(file) == {block_of(first), block_of(second)}
    for bundle in (first, second):
        assert run_offline(desk.folder, "verify", bundle, "--known-blocks", file).code == 0


def test_without_bundles_the_newest_final_block_is_added(desk: Desk) -> None:
    file = desk.folder / "known.json"
    desk.write_policy(confirmations=1)
    desk.chain.mine(2)
    newest = desk.chain.client.latest_block().header
    code, content = desk.run_json("known-blocks", "add", "--to", file)
    assert (code, [each["blockNumber"] for each in content["added"]]) == (0, [newest.number - 1])
    final = desk.chain.client.block(newest.number - 1)
    assert final is not None
    assert known_in(file) == {KnownBlock(chain_id=31337, hash=final.header.hash)}


def test_block_that_is_not_final_is_not_added_yet(desk: Desk) -> None:
    file, made = desk.folder / "known.json", make(desk)
    desk.write_policy(confirmations=2)
    code, _, err = desk.run("known-blocks", "add", made, "--to", file)
    assert (code, "is not final yet" in err, "in some minutes" in err, file.exists()) == (3, True, True, False)
    desk.chain.mine(2)
    assert desk.run("known-blocks", "add", made, "--to", file)[0] == 0
    desk.write_policy(confirmations=10_000)
    code, _, err = desk.run("known-blocks", "add", "--to", file)
    assert (code, "no block of chain 31337 is final yet" in err) == (3, True)


def test_block_that_was_replaced_is_not_added(desk: Desk) -> None:
    file, made = desk.folder / "known.json", make(desk)
    desk.chain.node.write("anvil_reorg", [1, []])
    code, _, err = desk.run("known-blocks", "add", made, "--to", file)
    assert (code, f"not {to_hex(block_of(made).hash)}" in err, file.exists()) == (3, True, False)


def test_as_many_nodes_must_agree_as_the_policy_says(desk: Desk) -> None:
    file, made = desk.folder / "known.json", make(desk)
    proxies = [FaultProxy(desk.chain.url) for _ in range(3)]
    try:
        desk.write_policy(vouching=Vouching.K_OF_N, nodes=tuple(proxy.url for proxy in proxies))
        code, content = desk.run_json("known-blocks", "add", made, "--to", file)
        (added,) = content["added"]
        assert (code, added["vouching"], len(added["vouchedBy"]) >= 2) == (0, "kOfN", True)
        file.unlink()
        for proxy in proxies[:2]:
            proxy.refuse = lambda _method, _params: "no"
        assert desk.run("known-blocks", "add", made, "--to", file)[0] == 3
        assert not file.exists()
    finally:
        for proxy in proxies:
            proxy.close()


def test_other_files_are_refused_and_left_alone(desk: Desk) -> None:
    file = desk.write("known.json", b'{"format": "credanchor/policy@v1"}')
    code, _, err = desk.run("known-blocks", "add", "--to", file)
    assert (code, "file of known blocks" in err, file.read_bytes()) == (2, True, b'{"format": "credanchor/policy@v1"}')
    assert desk.run("verify", desk.files[0], "--known-blocks", file)[0] == 2
    code, _, err = desk.run("verify", desk.files[0], "--known-blocks", desk.folder / "absent.json")
    assert (code, "cannot be read" in err) == (2, True)
    file.unlink()
    code, _, err = desk.run("known-blocks", "add", desk.files[0], "--to", file)
    assert (code, "0.json is malformed: the bundle's format" in err, file.exists()) == (2, True, False)
    code, _, err = desk.run("known-blocks", "add", desk.folder / "absent.json", "--to", file)
    assert (code, "absent.json cannot be read" in err) == (2, True)


def test_a_policy_that_only_knows_blocks_can_add_none(desk: Desk) -> None:
    desk.write_policy(vouching=Vouching.PINNED_HASH)
    code, _, err = desk.run("known-blocks", "add", "--to", desk.folder / "known.json")
    assert (code, "nothing vouches for another one" in err) == (2, True)


def test_known_blocks_and_agreeing_nodes_exclude_each_other(desk: Desk) -> None:
    made = make(desk)
    desk.run("known-blocks", "add", made, "--to", desk.folder / "known.json")
    known = ("--known-blocks", desk.folder / "known.json")
    for options in (("--agree", "2"), ("--own-node",)):
        code, _, err = desk.run("verify", made, *known, *options)
        assert (code, "nodes do not vouch for known blocks" in err) == (2, True)


def test_more_known_blocks_join_those_of_the_policy(desk: Desk) -> None:
    first = make(desk)
    desk.chain.mine()
    second = make(desk, "second.json")
    desk.run("known-blocks", "add", second, "--to", desk.folder / "known.json")
    desk.write_policy(vouching=Vouching.PINNED_HASH, known_blocks=frozenset({block_of(first)}))
    code, content = desk.run_json("verify", first, second, "--known-blocks", desk.folder / "known.json")
    assert (code, content["counts"]["valid"], len(content["bases"])) == (0, 2, 2)
    assert json.loads((desk.folder / "known.json").read_text())["blocks"].keys() == {"eip155:31337"}
