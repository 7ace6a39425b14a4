"""What the scope admin decides: achievements, API keys, the institution's web site; what the operator does; the log."""

from __future__ import annotations

from typing import Any

from anchor.model import to_hex
from registry.services import operation
from registry.services.hosting import MAX_KEYS
from registry.store.api_keys import Scope
from registry.store.audit_log import check_chain, end_of_chain
from tests.api.test_tenancy import OPEN, OPERATORS, ask, operations, scope_of
from tests.api.town import LATER, Town
from tests.support.registry import ACHIEVEMENT, NOW

GOOD = {**ACHIEVEMENT, "id": "urn:x:1", "name": "Data literacy"}
NO_WRITES = {
    "/v1/verify",
    "/v1/verify/bundle",
    "/v1/credentials/search",
    "/v1/achievements/check",
}
"""They are posted, because what they are asked about is in the body; nothing is kept of it."""


def test_every_write_leaves_one_entry_in_the_log(town: Town) -> None:
    tried = 0
    town.here.add_job()

    def length() -> int:
        with town.service.store.operator_reading() as connection:
            return int(connection.exec_driver_sql("SELECT sum(length) FROM audit_chains").scalar_one())

    for method, path, _ in operations(town):
        if method == "GET" or path in OPEN:
            continue
        key = town.operator if (method, path) in OPERATORS else town.here.keys[scope_of(method, path)]
        of = town.there if (method, path) in OPERATORS else town.here
        before = length()
        answer = ask(town, method, path, of, f"Bearer {key}")
        assert answer.status_code < 300, (method, path, answer.text)
        assert length() == before + (path not in NO_WRITES), (method, path)
        tried += 1
    assert tried > len(NO_WRITES - OPEN)
    for each in (town.here, town.there):
        with each.store.reading() as connection:
            check_chain(connection)


def test_code_is_made_from_the_name_or_given_and_is_one_achievements(town: Town) -> None:
    other = {**GOOD, "name": "Other things"}
    made = town.post("/v1/achievements", {"achievement": other}, "admin")
    assert (made.status_code, made.json()["code"], made.json()["version"]) == (201, "other-things", 1), made.text
    assert made.headers["location"] == "/v1/achievements/other-things/versions/1"
    assert "$.image" in [each["where"] for each in made.json()["warnings"]]
    again = town.post("/v1/achievements", {"achievement": other, "code": "another"}, "admin")
    assert (again.status_code, "kept already" in again.json()["detail"]) == (409, True)
    taken = town.post("/v1/achievements", {"achievement": {**other, "id": "urn:x:2"}, "code": "other-things"}, "admin")
    assert taken.status_code == 409
    bad = town.post("/v1/achievements", {"achievement": {**other, "id": "urn:x:2"}, "code": "Not A Code"}, "admin")
    assert bad.status_code == 422


def test_versions_are_added_and_read_and_known_by_their_tags(town: Town) -> None:
    assert town.post("/v1/achievements", {"achievement": GOOD, "code": "data"}, "admin").status_code == 201
    better = {**GOOD, "name": "Better"}
    made = town.post("/v1/achievements/data/versions", {"achievement": better}, "admin")
    assert (made.status_code, made.json()["version"]) == (201, 2)
    assert made.headers["location"] == "/v1/achievements/data/versions/2"
    assert town.post("/v1/achievements/data/versions", {"achievement": better}, "admin").status_code == 409
    assert town.post("/v1/achievements/none/versions", {"achievement": better}, "admin").status_code == 404
    first = town.get("/v1/achievements/data/versions/1")
    assert first.json()["achievement"] == GOOD
    assert town.get("/v1/achievements/data").json()["achievement"] == better
    assert town.get("/v1/achievements/data/versions/3").status_code == 404
    tag = {"If-None-Match": first.headers["etag"]}
    assert town.get("/v1/achievements/data/versions/1", **tag).status_code == 304
    assert town.get("/v1/achievements/data", **tag).status_code == 200


def test_achievement_that_is_not_good_enough_is_refused_by_place(town: Town) -> None:
    bad = {**GOOD, "inLanguage": "zz", "criteria": None}
    for path in ("/v1/achievements", "/v1/achievements/data-literacy/versions"):
        answer = town.post(path, {"achievement": bad}, "admin")
        assert answer.status_code == 400
        assert {each["where"] for each in answer.json()["problems"]} == {"$.criteria", "$.inLanguage"}
    checked = town.post("/v1/achievements/check", {"achievement": bad})
    assert {each["where"] for each in checked.json()["problems"]} == {"$.criteria", "$.inLanguage"}
    assert town.post("/v1/achievements/check", {"achievement": GOOD}).json()["problems"] == []
    assert len(town.get("/v1/achievements").json()["achievements"]) == 1


def test_repeated_request_keeps_one_achievement(town: Town) -> None:
    key = {"Idempotency-Key": "a"}
    answers = [town.post("/v1/achievements", {"achievement": GOOD, "code": "data"}, "admin", **key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert "idempotent-replayed" not in answers[0].headers
    assert answers[1].headers["idempotent-replayed"] == "true"
    other = town.post("/v1/achievements", {"achievement": GOOD, "code": "data-2"}, "admin", **key)
    assert other.status_code == 409


def make(town: Town, key: str = "admin", **asked: Any) -> Any:
    return town.post("/v1/api-keys", {"scopes": ["read"], **asked}, key)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_key_that_was_made_opens_what_it_was_made_for_until_it_is_revoked(any_town: Town) -> None:
    town = any_town
    made = make(town, scopes=["read", "issue"], label="campus LMS")
    assert made.status_code == 201, made.text
    key, secret = made.json()["key"], made.json()["secret"]
    assert (key["scopes"], key["label"], key["expiresAt"]) == (["issue", "read"], "campus LMS", None)
    assert town.client.get("/v1/batches", headers=bearer(secret)).status_code == 200
    assert town.client.get("/v1/audit", headers=bearer(secret)).status_code == 403
    shown = town.get(made.headers["location"], "admin")
    assert shown.json()["prefix"] == key["prefix"]
    listed = town.get("/v1/api-keys?limit=100", "admin")
    assert key["prefix"] in [each["prefix"] for each in listed.json()["keys"]]
    for answer in (shown, listed):
        assert secret not in answer.text
        assert secret.split("_", 2)[2] not in answer.text
    town.service.door.__dict__["_clock"] = lambda: float("inf")
    for _ in range(2):
        revoked = town.post(f"/v1/api-keys/{key['prefix']}/revoke", None, "admin")
        assert (revoked.status_code, revoked.json()["isOwn"], revoked.json()["adminKeysLeft"]) == (200, False, 1)
    assert town.client.get("/v1/batches", headers=bearer(secret)).status_code == 401


def test_secret_is_in_the_first_answer_only(any_town: Town) -> None:
    town, once = any_town, {"Idempotency-Key": "k"}
    first, second = (town.post("/v1/api-keys", {"scopes": ["read"]}, "admin", **once) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["key"] == second.json()["key"]
    assert (first.json()["secret"] is None, second.json()["secret"]) == (False, None)
    with town.service.store.operator_reading() as connection:
        kept = connection.exec_driver_sql("SELECT answer FROM idempotency_keys").scalars().all()
    assert kept
    assert not any(first.json()["secret"].split("_", 2)[2].encode() in bytes(each) for each in kept)
    assert first.headers["cache-control"] == "no-store"


def test_key_that_cannot_be_is_refused(town: Town) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"scopes": []},
        {"scopes": ["operator"]},
        {"label": "a\nb"},
        {"label": "x" * 101},
        {"expiresAt": 1},
        {"expiresAt": -1},
        {"institution": "elsewhere"},
    )
    for asked in wrong:
        assert make(town, **asked).status_code in {400, 422}, asked


def test_no_key_outlives_the_one_that_made_it(town: Town) -> None:
    end = town.service.now() + 3600
    town.here.keys["ending"] = operation.make_key(
        town.service.store, "borealis", {Scope.ADMIN}, label="", expires_at=end, now=NOW
    )[1]
    wanted = {None: end, end - 1: end - 1, end + 1: end, LATER: end}
    asked: dict[str, Any]
    for expires_at, expected in wanted.items():
        asked = {} if expires_at is None else {"expiresAt": expires_at}
        assert make(town, "ending", **asked).json()["key"]["expiresAt"] == expected
    assert make(town, expiresAt=LATER).json()["key"]["expiresAt"] == LATER


def test_last_admin_key_may_revoke_itself_and_is_told(town: Town) -> None:
    prefix = town.here.keys["admin"].split("_")[1]
    answer = town.post(f"/v1/api-keys/{prefix}/revoke", None, "admin").json()
    assert (answer["isOwn"], answer["adminKeysLeft"]) == (True, 0)
    town.service.door.__dict__["_clock"] = lambda: float("inf")
    assert town.get("/v1/api-keys", "admin").status_code == 401


def test_there_are_so_many_keys_and_no_more(town: Town) -> None:
    count = 0
    while (answer := make(town)).status_code == 201:
        count += 1
        assert count <= MAX_KEYS
    assert (answer.status_code, count) == (413, MAX_KEYS - 5)
    page = town.get("/v1/api-keys?limit=60", "admin").json()
    rest = town.get(f"/v1/api-keys?limit=60&cursor={page['next']}", "admin").json()
    prefixes = [each["prefix"] for each in page["keys"] + rest["keys"]]
    assert (len(set(prefixes)), len(prefixes), rest["next"]) == (MAX_KEYS + 2, MAX_KEYS + 2, None)
    # Room is made by revoking.
    assert town.post(f"/v1/api-keys/{prefixes[-1]}/revoke", None, "admin").status_code == 200
    assert make(town).status_code == 201


def test_log_is_read_page_by_page_and_ends_at_its_head(town: Town) -> None:
    numbers, page = [], town.get("/v1/audit?limit=3", "admin").json()
    while True:
        numbers += page["entries"]
        if page["next"] is None:
            break
        page = town.get(f"/v1/audit?limit=3&cursor={page['next']}", "admin").json()
    with town.here.store.reading() as connection:
        length, head = end_of_chain(connection)
    assert [each["number"] for each in numbers] == list(range(1, length + 1))
    assert (page["length"], page["head"], numbers[-1]["hash"]) == (length, to_hex(head), to_hex(head))
    # Who has read all of it goes on from the last one.
    assert town.get(f"/v1/audit?cursor={length}", "admin").json()["entries"] == []
    town.post("/v1/achievements", {"achievement": GOOD, "code": "data"}, "admin")
    (entry,) = town.get(f"/v1/audit?cursor={length}", "admin").json()["entries"]
    prefix = town.here.keys["admin"].split("_")[1]
    assert (entry["actor"], entry["action"]) == (f"key {prefix}", "achievement.add")
    assert entry["subject"] == "achievement data version 1"


def test_institution_changes_its_web_site_and_nothing_else(town: Town) -> None:

    def change(**said: Any) -> Any:
        return town.client.patch("/v1/institutions/borealis", json=said, headers=bearer(town.here.keys["admin"]))

    assert change(url="https://new.example/").json()["url"] == "https://new.example/"
    assert change(url=None).json()["url"] is None
    others = {"name": "Another", "did": "did:web:x", "issuerId": 9, "registry": town.chain.registry.to_text()}
    others |= {"publicUrl": "https://evil.example", "monthlyGasBudgetWei": None}
    for name, value in others.items():
        assert change(**{name: value, "url": "https://x.example/"}).status_code == 403
    assert change(anchorKey="keys/another.json").status_code == 422
    assert town.get("/v1/institutions/borealis").json()["url"] is None


def test_operator_adds_changes_and_closes_institutions(any_town: Town) -> None:
    town = any_town
    asked = {
        "code": "third",
        "name": "Third",
        "did": "did:web:third.example",
        "monthlyGasBudgetWei": "123456789012345678901",
    }
    made = town.operate("POST", "/v1/institutions", asked)
    assert (made.status_code, made.headers["location"]) == (201, "/v1/institutions/third"), made.text
    assert made.json()["missing"] == ["issuerId", "anchorKey", "statusKey"]
    assert made.json()["monthlyGasBudgetWei"] == asked["monthlyGasBudgetWei"]
    assert town.operate("POST", "/v1/institutions", asked).status_code == 409
    assert town.operate("PATCH", "/v1/institutions/third", {"issuerId": 77}).json()["issuerId"] == 77
    taken = {"issuerId": town.here.issuer_id, "registry": town.chain.registry.to_text()}
    assert town.operate("PATCH", "/v1/institutions/third", taken).status_code == 409
    for wrong in ({"name": None}, {"name": " "}, {"did": "did:x:"}, {"url": "http://["}, {"registry": "eip155:0:0x"}):
        assert town.operate("PATCH", "/v1/institutions/third", wrong).status_code in {400, 422}, wrong
    assert town.operate("PATCH", "/v1/institutions/home", {"name": "x"}).status_code == 409
    first = town.operate("GET", "/v1/institutions?limit=3").json()
    second = town.operate("GET", f"/v1/institutions?limit=3&cursor={first['next']}").json()
    pages = [each["code"] for page in (first, second) for each in page["institutions"]]
    assert pages == ["home", "borealis", "elsewhere", "third"]
    for _ in range(2):
        assert town.operate("POST", "/v1/institutions/third/close").json()["closedAt"] is not None
    assert town.operate("PATCH", "/v1/institutions/third", {"name": "x"}).status_code == 409
    assert town.operate("GET", "/v1/institutions/none").status_code == 404
    log = operation.read_log(town.service.store, "third", after=0, limit=10)[0]
    prefix = town.operator.split("_")[1]
    assert [(each.actor, each.action) for each in log] == [
        (f"operator's key {prefix}", f"institution.{what}") for what in ("add", "change", "close")
    ]


def test_operators_writes_come_once_and_are_not_the_home_institutions(town: Town) -> None:
    same = {"Idempotency-Key": "same"}
    asked = {"code": "third", "name": "Third"}
    first, second = (town.operate("POST", "/v1/institutions", asked, **same) for _ in range(2))
    assert (first.status_code, first.content) == (201, second.content)
    assert second.headers["idempotent-replayed"] == "true"
    # What was left out is not what was given as null.
    own = {"Idempotency-Key": "own"}
    assert town.operate("PATCH", "/v1/institutions/third", {"url": None}, **own).status_code == 200
    assert town.operate("PATCH", "/v1/institutions/third", {}, **own).status_code == 409
