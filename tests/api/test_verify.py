"""`POST /v1/verify`: every outcome is an answer, however credentials come."""

import io
import json
import zipfile
from typing import Any

import pytest

from anchor.errors import MalformedError
from registry.services.verification import split_list
from tests.api.conftest import Served


def post(served: Served, body: bytes, kind: str = "application/json") -> dict[str, Any]:
    answer = served.client.post("/v1/verify", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    assert content["format"] == "credanchor/verification@v1"
    return content


def text(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def outcomes(report: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in report["results"]]


def test_one_credential_each_outcome(served: Served) -> None:
    good = served.documents[0]
    valid = post(served, text(good))
    assert outcomes(valid) == ["valid"]
    assert len(valid["results"][0]["checks"]) == 13
    assert outcomes(post(served, text({**good, "name": "Medicine"}))) == ["invalid"]
    assert post(served, text({**good, "name": "Medicine"}))["results"][0]["reason"] == "tampered"
    assert outcomes(post(served, b'{"a": 1, "a": 2}')) == ["malformed"]
    (served.folder / "policy.json").write_text(
        (served.folder / "policy.json").read_text().replace('"nodes": ["http', '"nodes": ["http://127.0.0.1:1/", "http')
    )


def test_node_that_does_not_answer_makes_it_unknown(served: Served) -> None:
    policy = json.loads((served.folder / "policy.json").read_text())
    (served.folder / "policy.json").write_text(json.dumps({**policy, "nodes": ["http://127.0.0.1:1"]}))
    assert outcomes(post(served, text(served.documents[0]))) == ["unknown"]


def test_many_come_as_list_lines_or_archive(served: Served) -> None:
    documents = [served.documents[0], {**served.documents[1], "name": "x"}, served.documents[2]]
    wanted = ["valid", "invalid", "valid"]
    assert outcomes(post(served, text(documents))) == wanted
    lines = b"\n".join([*map(text, documents), b""])
    assert outcomes(post(served, lines, "application/x-ndjson; charset=utf-8")) == wanted
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, document in enumerate(documents):
            archive.writestr(f"{number}.json", text(document))
    report = post(served, packed.getvalue(), "application/zip")
    assert outcomes(report) == wanted
    assert report["counts"] == {"valid": 2, "invalid": 1, "unknown": 0, "malformed": 0}


def test_one_bad_element_does_not_spoil_the_others(served: Served) -> None:
    body = b'[%b, {"a":1,"a":1}, 1e400, %b]' % (text(served.documents[0]), text(served.documents[1]))
    assert outcomes(post(served, body)) == ["valid", "malformed", "malformed", "valid"]


@pytest.mark.parametrize("body", [b"[", b"[]", b"[{},]", b"[{}] 1", b"[,{}]", b'["]', b"[{}}", b"[{},,{}]"])
def test_list_that_is_none_is_a_problem(served: Served, body: bytes) -> None:
    answer = served.client.post("/v1/verify", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["type"] == "https://credentials.college.example/problems#malformed"


def test_elements_are_the_bytes_that_were_sent() -> None:
    body = rb'[ {"a":"]\"[,","b":[1,{}]} , 1e3,"x" ]'
    assert list(split_list(body)) == [rb'{"a":"]\"[,","b":[1,{}]}', b"1e3", b'"x"']
    with pytest.raises(MalformedError):
        list(split_list(b'["x]'))


def test_too_many_and_too_long(served: Served) -> None:
    answer = served.client.post(
        "/v1/verify", content=b"[" + b"{}," * 1000 + b"{}]", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert "1,000 credentials" in answer.json()["detail"]
    answer = served.client.post(
        "/v1/verify", content=b" " * ((1 << 24) + 1), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    # Not said beforehand how long it is.
    answer = served.client.post(
        "/v1/verify", content=iter([b" " * (1 << 22)] * 5), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


def test_bundle_and_what_is_none(served: Served) -> None:
    answer = served.client.post("/v1/verify/bundle", json=served.documents[0])
    assert outcomes(answer.json()) == ["malformed"]


def test_other_kinds_of_content_are_refused(served: Served) -> None:
    for path in ("/v1/verify", "/v1/verify/bundle"):
        answer = served.client.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
        assert (answer.status_code, answer.json()["title"]) == (415, "This kind of content is not taken here")


def test_policy_that_cannot_be_used_determines_nothing_and_is_not_the_clients_fault(served: Served) -> None:
    (served.folder / "policy.json").write_text("{}")
    answer = served.client.post("/v1/verify", json=served.documents[0])
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("#undetermined")
    assert str(served.folder) not in answer.text
