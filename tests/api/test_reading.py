"""What an institution issued, read by HTTP: on SQLite and PostgreSQL, against a real chain."""

import io
import zipfile
from base64 import urlsafe_b64decode
from gzip import decompress
from typing import Any

from anchor.bundle import parse_bundle
from anchor.canonical import parse_document
from anchor.credential import parse_credential
from anchor.merkle import check_inclusion
from anchor.model import Hash32, InclusionProof, Outcome, to_hex
from anchor.status import LIST_SIZE, StatusReason
from registry.store.records import StatusKind
from tests.api.town import Town


def revoke(town: Town, uuid: Any, kind: StatusKind = StatusKind.REVOKE) -> None:
    office = town.here.office
    office.change(office.targets.of_uuid(uuid), kind, StatusReason.ISSUED_IN_ERROR)


def bits_of(document: dict[str, Any]) -> set[int]:
    """Read a status list as a W3C verifier does: index 0 is the first, most significant bit."""
    encoded = document["credentialSubject"]["encodedList"]
    assert encoded[0] == "u"
    bits = decompress(urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)))
    assert len(bits) * 8 == LIST_SIZE
    return {index for index in range(LIST_SIZE) if bits[index // 8] & (0x80 >> index % 8)}


def test_credential_by_credential(any_town: Town) -> None:
    town = any_town
    record = town.here.credentials()[2]
    path = f"/v1/credentials/{record.uuid}"

    shown = town.get(path).json()
    assert shown["id"] == record.uuid.urn
    assert shown["recipientName"] == record.recipient_name
    assert shown["batch"] == to_hex(town.here.anchored.root)
    assert town.get(f"/v1/credentials/{record.uuid.urn}").json() == shown

    document = town.get(f"{path}/document")
    assert document.headers["content-type"] == "application/vc"
    assert town.here.office.verdict(document.content).outcome is Outcome.VALID

    proof = town.get(f"{path}/proof").json()
    assert proof["proof"] == document.json()["proof"][0]
    credential = parse_credential(document.content)
    siblings = tuple(Hash32(bytes.fromhex(each[2:])) for each in proof["siblings"])
    inclusion = InclusionProof(leaf_index=proof["leafIndex"], size=proof["size"], siblings=siblings)
    check_inclusion(credential.leaf(credential.requests[0]), inclusion, town.here.anchored.root)

    bundle = parse_bundle(town.get(f"{path}/bundle").content)
    assert parse_document(bundle.credentials[0]).value == document.json()
    verified = town.client.post("/v1/verify/bundle", json=town.get(f"{path}/bundle").json())
    assert [each["outcome"] for each in verified.json()["results"]] == ["valid"]

    assert town.get(f"{path}/status").json() == {"id": record.uuid.urn, "state": "active"}
    assert town.get(f"{path}/history").json() == {"id": record.uuid.urn, "changes": []}
    revoke(town, record.uuid)
    assert town.get(f"{path}/status").json()["state"] == "revoked"
    (change,) = town.get(f"{path}/history").json()["changes"]
    assert (change["change"], change["reason"], change["state"]) == ("revoke", "issued-in-error", "mined")
    # At the newer block, the bundle proves the revocation: nothing of the block before is given.
    verified = town.client.post("/v1/verify/bundle", json=town.get(f"{path}/bundle").json())
    assert [each["reason"] for each in verified.json()["results"]] == ["revoked"]


def test_what_is_not_anchored_is_not_given_away(town: Town) -> None:
    record = town.here.credentials(town.here.sealed)[0]
    for what in ("document", "proof", "bundle"):
        assert town.get(f"/v1/credentials/{record.uuid}/{what}").status_code == 409
    assert town.get(f"/v1/credentials/{record.uuid}/status").json()["state"] == "notAnchored"
    assert town.get(f"/v1/batches/{to_hex(town.here.sealed.root)}/archive").status_code == 409


def test_pages_go_through_everything_once(any_town: Town) -> None:
    town = any_town
    ids: list[str] = []
    cursor, path = None, "/v1/credentials?limit=4"
    while True:
        page = town.get(path + (f"&cursor={cursor}" if cursor else "")).json()
        ids += [each["id"] for each in page["credentials"]]
        cursor = page["next"]
        if cursor is None:
            break
        assert len(page["credentials"]) == 4
    wanted = [
        each.uuid.urn for batch in (town.here.anchored, town.here.sealed) for each in town.here.credentials(batch)
    ]
    assert ids == wanted

    first = town.get("/v1/batches?limit=1").json()
    assert [each["state"] for each in first["batches"]] == ["sealed"]
    second = town.get(f"/v1/batches?limit=1&cursor={first['next']}").json()
    assert [each["root"] for each in second["batches"]] == [to_hex(town.here.anchored.root)]
    assert second["next"] is None
    assert len(town.get("/v1/batches?state=anchored").json()["batches"]) == 1
    root = to_hex(town.here.sealed.root)
    assert len(town.get(f"/v1/batches/{root}/credentials").json()["credentials"]) == 2
    assert town.get(f"/v1/batches/{root}").json()["size"] == 2


def test_cursor_that_was_never_given_out_is_refused(town: Town) -> None:
    for cursor in ("x", "1", "", "1.2.3", "-1.0", "1.9999999999999999999", "1.2%0A"):
        assert town.get(f"/v1/credentials?cursor={cursor}").status_code == 422


def test_search_by_name_email_and_id_in_a_body(any_town: Town) -> None:
    town = any_town
    record = town.here.credentials()[0]

    def search(query: str, **more: Any) -> list[str]:
        answer = town.post("/v1/credentials/search", {"query": query, **more})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["credentials"]]

    assert record.uuid.urn in search(record.recipient_name.upper())
    assert search(record.uuid.urn) == [record.uuid.urn]
    named = next(each for each in town.here.credentials() if each.recipient_email)
    assert named.uuid.urn in search(named.recipient_email or "", batch=to_hex(town.here.anchored.root))
    assert search("nobody at all") == []
    for control in ("a\x00@b.example", "a\nb"):
        assert town.post("/v1/credentials/search", {"query": control}).status_code in {400, 422}
    assert town.get("/v1/achievements/%00").status_code == 422
    assert town.post("/v1/credentials/search", {"query": "zoe", "limit": 1}).json()["hasMore"] is True


def test_batch_as_archive(any_town: Town) -> None:
    town = any_town
    answer = town.get(f"/v1/batches/{to_hex(town.here.anchored.root)}/archive")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{each.uuid}.json" for each in town.here.credentials()]
        for name in archive.namelist():
            assert town.here.office.verdict(archive.read(name)).outcome is Outcome.VALID


def test_who_has_it_is_not_sent_it_again(town: Town) -> None:
    record = town.here.credentials()[0]
    for path in (f"/v1/credentials/{record.uuid}/document", f"/v1/credentials/{record.uuid}/proof"):
        tag = town.get(path).headers["etag"]
        again = town.get(path, **{"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert town.get(path, **{"If-None-Match": '"other"'}).status_code == 200


def test_institution_keys_and_achievements(town: Town) -> None:
    (own,) = town.get("/v1/institutions").json()["institutions"]
    assert (own["code"], own["did"], own["issuerId"]) == ("borealis", town.here.did, town.here.issuer_id)
    assert town.get("/v1/institutions/borealis").json() == own
    keys = town.get("/v1/keys").json()
    assert keys["accreditedAt"] > 0
    added = [(each["purpose"], each["isAdded"]) for each in keys["keys"]]
    assert added == [("anchor", True), ("status", True)]
    (achievement,) = town.get("/v1/achievements").json()["achievements"]
    assert (achievement["code"], achievement["version"], achievement["name"]) == ("data-literacy", 2, "Better")
    first = town.get("/v1/achievements/data-literacy?version=1").json()
    assert first["achievement"]["name"] == first["name"] == "Littératie des données"
    versions = town.get("/v1/achievements/data-literacy/versions").json()["versions"]
    assert [each["version"] for each in versions] == [1, 2]
    for path in ("data-literacy?version=3", "none", "none/versions"):
        assert town.get(f"/v1/achievements/{path}").status_code == 404


def test_status_lists_say_what_the_ledger_says(any_town: Town) -> None:
    town = any_town
    records = town.here.credentials()
    document = town.get(f"/v1/credentials/{records[0].uuid}/document").json()
    addresses = {each["statusPurpose"]: each["statusListCredential"] for each in document["credentialStatus"]}
    path = {name: address.removeprefix("https://credentials.college.example") for name, address in addresses.items()}
    first = town.client.get(path["revocation"])
    assert bits_of(first.json()) == set()
    assert first.json()["id"] == addresses["revocation"]
    assert first.json()["issuer"] == town.here.did
    known = town.client.get(path["revocation"], headers={"If-None-Match": first.headers["etag"]})
    assert known.status_code == 304

    revoke(town, records[0].uuid)
    revoke(town, records[1].uuid, StatusKind.SUSPEND)
    assert bits_of(town.client.get(path["revocation"]).json()) == {records[0].position.index}
    assert bits_of(town.client.get(path["suspension"]).json()) == {records[1].position.index}

    # A batch that was revoked as a whole has no bits on the ledger; here each of its credentials has.
    office = town.here.office
    office.change((office.targets.of_batch(town.here.anchored.id),), StatusKind.REVOKE)
    assert {each.position.index for each in records} <= bits_of(town.client.get(path["revocation"]).json())

    assert town.client.get("/status/999/0/revocation").status_code == 404
    assert town.client.get(f"/status/{town.here.issuer_id}/4294967295/revocation").status_code == 404
