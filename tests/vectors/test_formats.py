"""Documents, leaves, trees, anchor proofs and status entries: our readers agree with the vectors."""

from typing import Any

import pytest

from anchor.canonical import MAX_DOCUMENT_BYTES, credential_hash, leaf_hash, parse_document
from anchor.errors import CredentialFormatError, InclusionError, MalformedError, ProofFormatError
from anchor.merkle import build_levels, check_inclusion, prove_inclusion
from anchor.model import AnchorProof, InclusionProof, RegistryId, StatusPosition, hash32
from anchor.proof import anchor_proof_member, parse_proofs
from anchor.status import CredentialStatus, parse_status
from tests.support.vectors.common import number
from tests.vectors.reading import data, vectors

Json = dict[str, Any]


@pytest.mark.parametrize("vector", vectors("canonical", "valid"))
def test_document_has_these_canonical_bytes(vector: Json) -> None:
    canonical = parse_document(data(vector["input"])).canonical_bytes()
    assert canonical == data(vector["canonical"])
    assert credential_hash(canonical) == data(vector["sha256"])


@pytest.mark.parametrize("vector", vectors("canonical", "invalid"))
def test_document_is_refused(vector: Json) -> None:
    with pytest.raises(CredentialFormatError):
        parse_document(data(vector["input"]))


def test_document_may_be_as_large_as_this_and_no_larger() -> None:
    # Not in the file, which would be four times as large as all others.
    largest = b'{"a":"' + b"x" * (MAX_DOCUMENT_BYTES - 8) + b'"}'
    assert len(largest) == 1_048_576
    assert parse_document(largest).canonical_bytes() == largest
    with pytest.raises(CredentialFormatError):
        parse_document(largest + b" ")


@pytest.mark.parametrize("vector", vectors("leaves", "valid"))
def test_leaf_is_the_hash_of_these_bytes(vector: Json) -> None:
    position = StatusPosition(status_list=vector["list"], index=vector["statusIndex"])
    leaf = leaf_hash(hash32(data(vector["credentialHash"])), hash32(data(vector["salt"])), position)
    assert leaf == data(vector["leaf"])
    assert credential_hash(data(vector["preimage"])) == data(vector["leaf"])


@pytest.mark.parametrize("vector", vectors("trees", "valid"))
def test_tree_has_this_root_and_these_proofs(vector: Json) -> None:
    leaves = [hash32(number(index)) for index in range(vector["size"])]
    levels = build_levels(b"".join(leaves))
    root = hash32(data(vector["root"]))
    assert levels[-1] == root
    for proof in vector["proofs"]:
        told = inclusion_of({**vector, **proof})
        assert prove_inclusion(levels, proof["leafIndex"]) == told
        check_inclusion(leaves[proof["leafIndex"]], told, root)


@pytest.mark.parametrize("vector", vectors("trees", "invalid"))
def test_leaf_is_not_included(vector: Json) -> None:
    with pytest.raises((InclusionError, MalformedError)):
        check_inclusion(hash32(data(vector["leaf"])), inclusion_of(vector), hash32(data(vector["root"])))


@pytest.mark.parametrize("vector", vectors("anchor-proofs", "valid"))
def test_anchor_proof_says_this(vector: Json) -> None:
    proof = AnchorProof(
        registry=RegistryId.parse(vector["registry"]),
        issuer_id=vector["issuerId"],
        root=hash32(data(vector["root"])),
        salt=hash32(data(vector["salt"])),
        inclusion=inclusion_of(vector),
    )
    assert parse_proofs({"proof": [vector["proof"]]}).anchors == (proof,)
    assert anchor_proof_member(proof) == vector["proof"]


@pytest.mark.parametrize("vector", vectors("anchor-proofs", "invalid"))
def test_anchor_proof_is_malformed(vector: Json) -> None:
    with pytest.raises(ProofFormatError):
        parse_proofs({"proof": [vector["proof"]]})


@pytest.mark.parametrize("vector", vectors("status-entries", "valid"))
def test_status_entries_say_this(vector: Json) -> None:
    assert parse_status({"credentialStatus": vector["entries"]}) == CredentialStatus(
        registry=RegistryId.parse(vector["registry"]),
        issuer_id=vector["issuerId"],
        position=StatusPosition(status_list=vector["list"], index=vector["index"]),
    )


@pytest.mark.parametrize("vector", vectors("status-entries", "invalid"))
def test_status_entries_are_malformed(vector: Json) -> None:
    with pytest.raises(CredentialFormatError):
        parse_status({"credentialStatus": vector["entries"]})


def inclusion_of(vector: Json) -> InclusionProof:
    return InclusionProof(
        leaf_index=vector["leafIndex"],
        size=vector["size"],
        siblings=tuple(hash32(data(each)) for each in vector["siblings"]),
    )
