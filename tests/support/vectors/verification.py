"""`verification.json`: credential, policy, evidence and time, and the verdict."""

from tests.support.vectors import cases_anchoring, cases_status
from tests.support.vectors.common import Json, file_of
from tests.support.vectors.malformed import malformed
from tests.support.vectors.scenarios import evidences, policies


def build() -> Json:
    cases = [*cases_anchoring.cases(), *cases_status.cases()]
    assert len({case.name for case in cases}) == len(cases)
    named_policies, named_evidences = policies(), evidences()
    assert {case.policy for case in cases} == named_policies.keys()
    assert {case.evidence for case in cases} == named_evidences.keys()
    return file_of(
        "Credential, policy, evidence and time, and the verdict with its thirteen checks; malformed ones have none. "
        "docs/spec/verification.md.",
        policies=named_policies,
        evidences=named_evidences,
        cases=[case.to_json() for case in cases],
        malformed=malformed(),
    )
