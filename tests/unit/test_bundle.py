"""Writing bundles: exactly what is needed, or words on why not. What is read and refused is in `bundle.json`."""

import json
from dataclasses import replace
from typing import Any

import pytest

from anchor.bundle import looks_like_bundle, parse_bundle, write_bundle
from anchor.canonical import MAX_DOCUMENT_BYTES
from anchor.errors import BundleFormatError, CredentialFormatError, NoEvidenceError, StateProofError
from anchor.evidence import Evidence, StorageProof, head_slot
from anchor.model import Hash32, KnownBlock, Outcome, RegistryId, Vouching, address, to_hex
from anchor.proof import anchor_proof_member
from anchor.status import StatusPurpose
from anchor.verify import verify
from tests.support.world import ISSUER_ID, NOW, REGISTRY, World, policy


def file_of(world: World, **members: Any) -> bytes:
    return json.dumps(world.document(**members), ensure_ascii=False).encode()


def test_what_is_written_is_read_and_is_evidence_once_something_vouches() -> None:
    world = World()
    bundle = parse_bundle(write_bundle([file_of(world)], world.evidence()))
    (proof,) = bundle.proofs
    assert (proof.block.number, proof.block.timestamp) == (world.block_number, world.block_at)
    assert json.loads(bundle.credentials[0]) == world.document()
    pinned = Evidence(registries=(proof.vouched(Vouching.PINNED_HASH, ("a file",)),))
    assert (pinned.registries[0].nodes_asked, pinned.registries[0].final_hash) == (0, None)
    known = frozenset({KnownBlock(chain_id=REGISTRY.chain_id, hash=proof.block.hash)})
    rules = policy(vouching=Vouching.PINNED_HASH, known_blocks=known)
    assert verify(bundle.parsed[0], pinned, rules, NOW).outcome is Outcome.VALID
    given = world.registry_evidence()
    by_nodes = proof.vouched(
        Vouching.K_OF_N, ("a", "b"), nodes_asked=3, final_hash=given.final_hash, final_header=given.final_header
    )
    assert (by_nodes.nodes_asked, by_nodes.final_hash, by_nodes.final_header) == (
        3,
        given.final_hash,
        given.final_header,
    )


def test_nothing_is_written_but_what_is_needed_and_not_who_vouches() -> None:
    world = World()
    given = world.registry_evidence()
    more = StorageProof(slot=head_slot(ISSUER_ID), nodes=(*given.storage[0].nodes, b"\x80", b"stray"))
    evidence = Evidence(registries=(replace(given, storage=(more, *given.storage), vouched_by=("secret.example",)),))
    written = write_bundle([file_of(world)], evidence)
    assert written == write_bundle([file_of(world)], world.evidence())
    assert written.endswith(b"\n")
    assert b"secret.example" not in written


def test_words_of_the_status_epoch_are_cut_not_those_guessed_first() -> None:
    world = World(status_epoch=2)
    for epoch in (0, 2):
        world.set_bit(StatusPurpose.SUSPENSION, epoch=epoch, position=world.position._replace(index=94_566))
    given = world.registry_evidence()
    guessed = replace(world, status_epoch=0).needed_slots()
    both = replace(world, extra_slots=world.extra_slots)
    both.needed_slots = lambda: [*dict.fromkeys([*world.needed_slots(), *guessed])]  # type: ignore[method-assign]
    assert len(both.registry_evidence().storage) > len(given.storage)
    assert write_bundle([file_of(world)], both.evidence()) == write_bundle([file_of(world)], world.evidence())


def test_evidence_that_lacks_or_breaks_something_is_no_bundle() -> None:
    world = World()
    given = world.registry_evidence()
    elsewhere = RegistryId(chain_id=1, address=address(b"\x01" * 20))
    with pytest.raises(NoEvidenceError, match="does not answer"):
        write_bundle([file_of(world)], Evidence(missing=((REGISTRY, "the node does not answer"),)))
    with pytest.raises(NoEvidenceError):
        write_bundle([file_of(world)], Evidence(registries=(replace(given, registry=elsewhere),)))
    with pytest.raises(StateProofError):
        write_bundle([file_of(world)], world.evidence(block_hash=Hash32(bytes(32))))
    with pytest.raises(StateProofError):
        write_bundle([file_of(world)], world.evidence(storage=given.storage[:1]))
    with pytest.raises(NoEvidenceError, match="no contract"):
        write_bundle([file_of(world)], replace(world, account_exists=False).evidence())


def test_credentials_that_no_bundle_can_hold_are_refused() -> None:
    world = World()
    whole, evidence = file_of(world), world.evidence()
    with pytest.raises(CredentialFormatError):
        write_bundle([b"{}"], evidence)
    with pytest.raises(BundleFormatError, match="at least one"):
        write_bundle([], evidence)
    with pytest.raises(BundleFormatError, match="none twice"):
        write_bundle([whole, whole], evidence)
    with pytest.raises(BundleFormatError, match="credential 2 of the bundle carries no anchor proof"):
        write_bundle([whole, file_of(world, proof=[])], evidence)
    with pytest.raises(BundleFormatError, match="something in it was changed"):
        write_bundle([file_of(world, name="Data literacy!")], evidence)
    other = replace(world.anchor_proof(), inclusion=replace(world.anchor_proof().inclusion, leaf_index=1))
    with pytest.raises(BundleFormatError, match="something in it was changed"):
        write_bundle([file_of(world, proof=[*world.document()["proof"], anchor_proof_member(other)])], evidence)


def test_credential_in_a_bundle_may_be_larger_than_a_file_of_its_own() -> None:
    world = World(content={"note": "a" * MAX_DOCUMENT_BYTES})
    given = world.registry_evidence()
    nodes = [*given.account_nodes, *(node for storage in given.storage for node in storage.nodes)]
    content = {
        "format": "credanchor/bundle@v1",
        "credentials": [world.document()],
        "registries": [{"registry": REGISTRY.to_text(), "header": to_hex(given.header)}],
        "nodes": [to_hex(node) for node in dict.fromkeys(nodes)],
    }
    (credential,) = parse_bundle(json.dumps(content).encode()).credentials
    assert len(credential) > MAX_DOCUMENT_BYTES


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"format":"credanchor/bundle@v1"', True),
        (b' \t\r\n{ "format" :\n"credanchor/bundle@v2', True),
        (b'{"format":"credanchor/policy@v1"}', False),
        (b'{"credentials":[],"format":"credanchor/bundle@v1"}', False),
        (b'\xef\xbb\xbf{"format":"credanchor/bundle@v1"}', False),
        (b'[{"format":"credanchor/bundle@v1"}]', False),
        (b"", False),
    ],
)
def test_bundles_are_told_by_how_they_begin(data: bytes, expected: bool) -> None:
    assert looks_like_bundle(data) is expected
