"""Every bundle of `bundle.json`: what is read, and the verdict on each credential; or the step that refuses it."""

import json
from typing import Any

import pytest
from eth_hash.auto import keccak

from anchor.bundle import MAX_BUNDLE_BYTES, looks_like_bundle, parse_bundle, write_bundle
from anchor.errors import BundleFormatError
from anchor.evidence import Evidence
from anchor.model import Vouching
from anchor.policy import parse_policy
from anchor.verify import verify
from tests.vectors.reading import data, read, vectors

Json = dict[str, Any]


def evidence_of(content: bytes) -> Evidence:
    """Read a bundle's proofs as evidence, vouched for by a pin."""
    proofs = parse_bundle(content).proofs
    return Evidence(registries=tuple(proof.vouched(Vouching.PINNED_HASH, ("the test",)) for proof in proofs))


@pytest.mark.parametrize("vector", vectors("bundle", "valid"))
def test_bundle_is_read_and_judged(vector: Json) -> None:
    bundle = parse_bundle(data(vector["bundle"]))
    blocks = {
        proof.registry.to_text(): (proof.block.hash, proof.block.number, proof.block.timestamp)
        for proof in bundle.proofs
    }
    stated = {each["registry"]: (data(each["blockHash"]), each["number"], each["time"]) for each in vector["blocks"]}
    assert blocks == stated
    evidence, policy = evidence_of(data(vector["bundle"])), parse_policy(json.dumps(vector["policy"]).encode())
    verdicts = [verify(each, evidence, policy, vector["now"]) for each in bundle.parsed]
    found = [{"outcome": verdict.outcome.value, "reason": verdict.reason} for verdict in verdicts]
    assert found == vector["verdicts"]


@pytest.mark.parametrize("vector", vectors("bundle", "invalid"))
def test_bundle_is_malformed(vector: Json) -> None:
    with pytest.raises(BundleFormatError):
        parse_bundle(data(vector["bundle"]))


@pytest.mark.parametrize("vector", vectors("bundle", "valid"))
def test_what_is_read_is_written_again(vector: Json) -> None:
    content = data(vector["bundle"])
    written = write_bundle(parse_bundle(content).credentials, evidence_of(content))
    assert looks_like_bundle(written)
    once, again = json.loads(content), json.loads(written)
    assert again["credentials"] == once["credentials"]
    for name, key in (("nodes", str), ("registries", lambda each: each["registry"])):
        assert sorted(again[name], key=key) == sorted(once[name], key=key)


def test_each_step_has_a_vector_that_it_refuses() -> None:
    names = [vector["name"] for vector in read("bundle")["invalid"]]
    assert {name[:7] for name in names} == {f"step-{step}-" for step in range(1, 8)}


def test_bundle_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    (vector,) = [each for each in read("bundle")["valid"] if each["name"] == "one-credential"]
    padded = data(vector["bundle"]).ljust(MAX_BUNDLE_BYTES, b" ")
    assert keccak(parse_bundle(padded).proofs[0].header) == data(vector["blocks"][0]["blockHash"])
    with pytest.raises(BundleFormatError, match="at most 16777216"):
        parse_bundle(padded + b" ")
