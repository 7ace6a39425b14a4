"""`credanchor audit --at`: what held at a date, of a real chain."""

from typing import Any

import pytest

from anchor.ledger.testnet import dev_signer
from anchor.model import to_hex, to_utc
from tests.cli.conftest import Desk
from tests.cli.test_issuer import pass_time
from tests.ledger.chain import ANCHOR_KEY, CONTROLLER, DID, STATUS_KEY, Chain


def now(chain: Chain) -> int:
    return chain.client.latest_block().header.timestamp


@pytest.fixture
def times(desk: Desk) -> dict[str, int]:
    """One credential is suspended, then the anchoring key declared stolen since before its batch."""
    chain, times = desk.chain, {"anchored": now(desk.chain)}
    suspend = chain.contract.suspend(issuer_id=chain.issuer_id, status_list=0, words=[0], masks=[2], reason=7)
    pass_time(chain, 5)
    chain.execute(STATUS_KEY, suspend)
    times["suspended"] = now(chain)
    key = dev_signer(ANCHOR_KEY).address
    pass_time(chain, 5)
    chain.execute(CONTROLLER, chain.contract.compromise_key(key, since=times["anchored"]))
    times["compromised"] = now(chain)
    assert times["anchored"] < times["suspended"] < times["compromised"]
    return times


def test_credential_is_told_as_it_was_known_and_in_hindsight(desk: Desk, times: dict[str, int]) -> None:
    def asked(at: int, file: int) -> tuple[int, str, str, list[str]]:
        code, content = desk.run_json("audit", "--at", to_utc(at), "--credential", str(desk.files[file]))
        told = content["credential"]
        assert (told["valid"], told["validInHindsight"]) == (not told["reason"], not told["reasonInHindsight"])
        return code, told["reason"], told["reasonInHindsight"], [event["event"] for event in told["events"]]

    assert asked(times["anchored"] - 1, 1)[:3] == (1, "notAnchored", "notAnchored")
    assert asked(times["anchored"], 1) == (1, "", "keyCompromised", ["keyAdded", "batchAnchored"])
    assert asked(times["suspended"], 1)[1:3] == ("suspended", "keyCompromised")
    assert asked(times["suspended"], 0)[1:3] == ("", "keyCompromised")
    assert asked(times["compromised"], 0)[1:3] == ("keyCompromised", "keyCompromised")


def test_state_is_told_in_words(desk: Desk, times: dict[str, int]) -> None:
    code, out, _ = desk.run("audit", "--at", to_utc(times["suspended"]), "--credential", str(desk.files[1]))
    assert code == 1
    for words in (
        f"{DID}: 5 credentials anchored in 1 batch, 0 revoked, 1 suspended now",
        f"declared later: key {to_hex(dev_signer(ANCHOR_KEY).address)}",
        "as it was known then: ✘ SUSPENDED",
        "with what was declared later: ✘ VOID",
        "batchAnchored",
        "proven complete",
    ):
        assert words in out
    code, content = desk.run_json("audit", "--at", to_utc(times["suspended"]))
    assert (code, content["format"], content["credential"]) == (0, "credanchor/audit-at@v1", None)
    (later,) = content["declaredLater"]
    assert (later["since"], len(later["voidBatches"])) == (times["anchored"], 1)
    assert [each["did"] for each in content["issuers"]] == [DID]


def test_good_credential_was_valid(desk: Desk) -> None:
    code, out, _ = desk.run("audit", "--at", to_utc(now(desk.chain)), "--credential", str(desk.files[0]))
    assert (code, "as it was known then: ✔ VALID" in out) == (0, True)


def test_issuer_that_the_policy_denies_was_not_to_be_trusted(desk: Desk) -> None:
    asked = ("audit", "--at", to_utc(now(desk.chain)), "--credential", str(desk.files[0]))
    desk.write_policy(denied_issuers=frozenset({DID}))
    code, out, _ = desk.run(*asked)
    assert (code, "as it was known then: ✘ NOT TRUSTED" in out) == (1, True)
    desk.write_policy(denied_issuers=frozenset({"did:web:other.example"}))
    assert desk.run(*asked)[0] == 0


@pytest.mark.parametrize("more", [{"required_proofs": frozenset({"eddsa-rdfc-2022"})}, {"require_did_document": True}])
def test_what_cannot_be_judged_of_a_date_is_not_passed_over(desk: Desk, more: dict[str, Any]) -> None:
    desk.write_policy(**more)
    code, out, error = desk.run("audit", "--at", to_utc(now(desk.chain)), "--credential", str(desk.files[0]))
    assert (code, "VALID" in out, "of a date the ledger alone tells" in error) == (2, False, True)
    assert desk.run("audit", "--at", to_utc(now(desk.chain)))[0] == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--at", "yesterday"), "no date"),
        (("--at", "2199-01-01"), "after the newest block"),
        (("--at", "2026-01-01", "--format", "csv"), "no CSV form"),
        (("--credential", "badge.json"), "asks about a date"),
        (("--at", "2026-01-01", "--credential", "no-such-file.json"), "cannot be read"),
    ],
)
def test_wrong_usage_is_told(desk: Desk, words: tuple[str, ...], why: str) -> None:
    code, _, err = desk.run("audit", *words)
    assert (code, why in err) == (2, True)
