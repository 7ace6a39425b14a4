"""Every verdict of `verification.json`, step by step; a step's code taken away breaks the vectors named after it."""

import json
from functools import cache
from typing import Any

import pytest

from anchor.credential import parse_credential
from anchor.errors import MalformedError
from anchor.evidence import DidDocument, Evidence, RegistryEvidence, StorageProof
from anchor.model import Policy, RegistryId, Vouching, hash32
from anchor.policy import parse_policy
from anchor.steps import STEP_NAMES
from anchor.verify import verify
from tests.vectors.reading import data, read, vectors

Json = dict[str, Any]


@pytest.mark.parametrize("case", vectors("verification", "cases"))
def test_verdict_is(case: Json) -> None:
    credential = parse_credential(data(case["credential"]))
    verdict = verify(credential, evidence_named(case["evidence"]), policy_named(case["policy"]), case["now"])
    found = [
        {"step": check.step, "name": check.name, "status": check.status.value, "reason": check.reason}
        for check in verdict.checks
    ]
    assert found == case["checks"]
    assert (verdict.outcome.value, verdict.reason) == (case["outcome"], case["reason"])


@pytest.mark.parametrize("vector", vectors("verification", "malformed"))
def test_credential_is_malformed(vector: Json) -> None:
    with pytest.raises(MalformedError):
        parse_credential(data(vector["credential"]))


def test_each_step_has_a_vector_that_only_it_fails_or_makes_unknown() -> None:
    # Steps 1 and 2 make a credential malformed, 4 and 5 are never failed, 3 and 12 never unknown, 13 never failed.
    content = read("verification")
    failing = {only_step(case["checks"], "failed") for case in content["cases"]} - {None}
    assert failing == {3, 6, 7, 8, 9, 10, 11, 12}
    unknown = {first_step(case["checks"], "unknown") for case in content["cases"] if case["outcome"] == "unknown"}
    assert unknown == {4, 5, 6, 7, 8, 10, 11, 13}
    assert {vector["name"][:7] for vector in content["malformed"]} == {"step-01", "step-02"}
    # Step 9 needs only slots that steps before it need too, so it is never the first one unknown.
    assert any(case["checks"][8]["status"] == "unknown" for case in content["cases"])


def test_names_of_steps_are_those_of_the_vectors() -> None:
    for case in read("verification")["cases"]:
        assert tuple(check["name"] for check in case["checks"]) == STEP_NAMES


def only_step(checks: list[Json], status: str) -> int | None:
    found = [check["step"] for check in checks if check["status"] in ("failed", "unknown")]
    return found[0] if len(found) == 1 and checks[found[0] - 1]["status"] == status else None


def first_step(checks: list[Json], status: str) -> int | None:
    return next((check["step"] for check in checks if check["status"] == status), None)


@cache
def policy_named(name: str) -> Policy:
    return parse_policy(json.dumps(read("verification")["policies"][name]).encode())


@cache
def evidence_named(name: str) -> Evidence:
    content = read("verification")["evidences"][name]
    return Evidence(
        registries=tuple(registry_evidence(each) for each in content["registries"]),
        missing=tuple((RegistryId.parse(each["registry"]), each["reason"]) for each in content["missing"]),
        did_documents=tuple(
            DidDocument(did=each["did"], content=data(each["document"])) for each in content.get("didDocuments", [])
        ),
    )


def registry_evidence(content: Json) -> RegistryEvidence:
    final_hash, final_header = content["finalHash"], content["finalHeader"]
    return RegistryEvidence(
        registry=RegistryId.parse(content["registry"]),
        vouching=Vouching(content["vouching"]),
        vouched_by=tuple(content["vouchedBy"]),
        block_hash=hash32(data(content["blockHash"])),
        header=data(content["header"]),
        final_hash=None if final_hash is None else hash32(data(final_hash)),
        final_header=None if final_header is None else data(final_header),
        account_nodes=tuple(data(node) for node in content["accountNodes"]),
        storage=tuple(
            StorageProof(slot=hash32(data(each["slot"])), nodes=tuple(data(node) for node in each["nodes"]))
            for each in content["storage"]
        ),
    )
