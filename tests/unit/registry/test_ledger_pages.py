"""What the explorer's pages say of views made by hand: times of any year, keys and accreditations in every state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from anchor.activity import Timeline
from anchor.events import IssuerAccredited, KeyCompromised, RawLog
from anchor.history import ADMIN_ROLE, RoleTenure
from anchor.model import Basis, Issuer, Key, KeyScope, RegistryId, Vouching, address, hash32
from registry.services.explorer.views import Counts, EventView, IssuerView, KeyView, LedgerView, Tally
from registry.web.explorer import MAX_KEYS, Place, issuer_page, issuers_page, ledger_page
from registry.web.ledger_lines import lines_of, shown_did
from registry.web.ledger_plots import Kept, numbers_of, timeline

NOW = 1_800_000_000
NEVER_THAT_FAR = 2**40 - 1
DAY = 86_400
COUNTS = Counts(events=1, batches=0, credentials=0, void_batches=0, revoked_batches=0, revoked=0, suspended=0)
PLACE = Place(path="/ledger/issuers/1", language="en", asked_language=False)
NOTHING = numbers_of(timeline((), NOW))


def ledger(**changes: Any) -> LedgerView:
    values: dict[str, Any] = {
        "registry": RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"),
        "code_hash": hash32(bytes(32)),
        "basis": Basis(
            registry=RegistryId.parse("eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3"),
            block_number=21_034_567,
            block_hash=hash32(bytes(32)),
            block_at=NOW,
            vouching=Vouching.K_OF_N,
            vouched_by=("one.example", "two.example"),
            nodes_asked=3,
        ),
        "registry_head": hash32(bytes(32)),
        "issuers": 1,
        "counts": COUNTS,
        "first_at": NOW,
        "last_at": NOW,
        "tenures": (),
        "proven_at": NOW,
        "problem": None,
        "tag": "tag",
    }
    return LedgerView(**{**values, **changes})


def seen(kind: type[IssuerAccredited | KeyCompromised], **values: Any) -> EventView:
    common: dict[str, Any] = {"actor": address(bytes(20)), "at": NOW, "heads": {}, "event_hash": hash32(bytes(32))}
    log = RawLog(
        address=address(bytes(20)),
        topics=(),
        data=b"",
        block_number=1,
        block_hash=hash32(bytes(32)),
        transaction_hash=hash32(bytes(32)),
        log_index=0,
    )
    return EventView(number=1, event=kind(**common, log=log, issuer_id=1, **values), credentials=0)


def key(number: int = 1, **changes: int) -> KeyView:
    values = {
        "issuer_id": 1,
        "valid_from": NOW - DAY,
        "valid_until": 0,
        "compromised_at": 0,
        "scope": KeyScope.ANCHOR.value,
        "status_epoch": 0,
    }
    return KeyView(address=address(number.to_bytes(20, "big")), key=Key(**{**values, **changes}))


def issuer(*keys: KeyView, withdrawn_at: int = 0) -> IssuerView:
    record = Issuer(controller=address(bytes(20)), accredited_at=NOW, withdrawn_at=withdrawn_at, status_epoch=0)
    return IssuerView(
        issuer_id=1,
        did="did:web:college.example",
        did_hash=hash32(bytes(32)),
        record=record,
        head=hash32(bytes(32)),
        pending_controller=address(b"\x07" * 20),
        next_status_epoch=1,
        keys=keys,
        counts=COUNTS,
        last_at=NOW,
    )


def page_of(view: IssuerView) -> str:
    html = issuer_page(PLACE, ledger(), view, incidents=(), epoch_changes=(), batches=(), events=(), numbers=NOTHING)
    return re.sub(r"<[^>]+>", "", html).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "good"),
        ({"valid_from": NOW}, "good"),
        ({"valid_from": NOW + 1}, "from 15 January 2027, 08:00 UTC"),
        ({"valid_until": NOW}, "ended 15 January 2027, 08:00 UTC"),
        ({"valid_until": NOW + 1}, "ends 15 January 2027, 08:00 UTC"),
        ({"valid_until": NOW - 1, "compromised_at": NOW - DAY}, "compromised since 14 January 2027, 08:00 UTC"),
        ({"valid_until": NEVER_THAT_FAR}, f"ends second {NEVER_THAT_FAR}"),
    ],
)
def test_a_key_stands_as_it_does_at_the_proven_block(changes: dict[str, int], said: str) -> None:
    assert re.search(rf"\n\s*State {re.escape(said)}\n", page_of(issuer(key(**changes))))


@pytest.mark.parametrize(
    ("withdrawn_at", "said"),
    [
        (0, "since 15 January 2027"),
        (NOW, "ended 15 January 2027"),
        (NOW + DAY, "ends 16 January 2027"),
        (NEVER_THAT_FAR, f"ends second {NEVER_THAT_FAR}"),
    ],
)
def test_an_accreditation_stands_as_it_does_at_the_proven_block(withdrawn_at: int, said: str) -> None:
    assert f"Accredited{said}" in page_of(issuer(withdrawn_at=withdrawn_at)).replace("\n", "")


def test_an_institution_without_anything_is_said_to_have_nothing() -> None:
    said = page_of(issuer())
    for words in (
        "It has anchored nothing yet.",
        "It has no keys yet.",
        "None: no key was",
        "Nothing was anchored yet.",
    ):
        assert words in said
    assert "Control is offered to" in said


def test_of_very_many_keys_the_last_are_shown() -> None:
    keys = [key(number) for number in range(1, MAX_KEYS + 3)]
    said = page_of(issuer(*keys))
    assert f"Of {MAX_KEYS + 2} keys, these are the last {MAX_KEYS}" in said
    assert (keys[1].address.hex() in said, keys[2].address.hex() in said) == (False, True)


def test_a_registry_without_institutions_says_so_and_who_governs_it() -> None:
    tenure = RoleTenure(role=ADMIN_ROLE, account=address(b"\x05" * 20), since=NOW - DAY, until=NOW)
    place = replace(PLACE, path="/ledger")
    html = ledger_page(place, ledger(tenures=(tenure,)), issuers=(), has_more_issuers=False, events=(), numbers=NOTHING)
    assert "No institution was accredited yet." in html
    assert "2 of 3 nodes agree on the block." in html
    assert "0x" + "05" * 20 in html
    assert "14\xa0January\xa02027, 08:00\xa0UTC</time> to" in html


def test_addresses_are_relative_and_keep_a_language_that_was_chosen() -> None:
    chosen = replace(PLACE, asked_language=True, language="fr", query=(("q", "a&b"), ("before", "7")))
    assert PLACE.to() == "../../ledger"
    assert PLACE.to("issuers", after=3, before=None) == "../../ledger/issuers?after=3"
    assert chosen.to("events", show="status") == "../../ledger/events?show=status&lang=fr"
    assert chosen.in_language("en") == "?q=a%26b&before=7&lang=en"
    assert replace(chosen, path="/ledger").to("file") == "ledger/file?lang=fr"
    assert 'hreflang="en"' in issuers_page(chosen, ledger(), (), None)


@pytest.mark.parametrize(
    ("did", "shown"),
    [
        ("did:web:college.example", "did:web:college.example"),
        ("did:web:\N{CYRILLIC SMALL LETTER ES}ollege.example", "did:web:\\u0441ollege.example"),
        ("did:x:\N{RIGHT-TO-LEFT OVERRIDE}a\N{ZERO WIDTH SPACE}b", "did:x:\\u202ea\\u200bb"),
        ("did:x:a\0b\n\x7f", "did:x:a\\x00b\\x0a\\x7f"),
        ("did:x:\N{GRINNING FACE}", "did:x:\\U0001f600"),
    ],
)
def test_no_two_dids_look_alike(did: str, shown: str) -> None:
    assert shown_did(did) == shown


def test_numbers_beside_a_plot_are_those_drawn_by_days_at_the_finest() -> None:
    def tally(day: int, kind: str, credentials: int) -> Tally:
        return Tally(issuer_id=1, kind=kind, reason=0, day=day * DAY, events=1, credentials=credentials)

    shown = timeline(
        [tally(10, "batchAnchored", 5), tally(12, "credentialsRevoked", 2), tally(12, "keyAdded", 0)], 12 * DAY + 7
    )
    assert shown == Timeline(
        unit="day",
        starts=(10 * DAY, 11 * DAY, 12 * DAY),
        credentials={"batchAnchored": (5, 0, 0), "credentialsRevoked": (0, 0, 2)},
    )
    numbers = numbers_of(shown)
    assert numbers.kinds == ("batchAnchored", "credentialsRevoked")
    assert numbers.rows == (("1970-01-11", (5, 0)), ("1970-01-13", (0, 2)))
    assert (numbers.first, numbers.last, NOTHING.rows) == ("1970-01-11", "1970-01-13", ())


def test_only_so_many_are_kept_and_those_asked_for_last() -> None:
    kept: Kept[str] = Kept(most=2)
    for name in "abac":
        assert kept.get(name, f"made {name}".format) == f"made {name}"
    assert [kept.find(name) for name in "abc"] == ["made a", None, "made c"]
    assert kept.get("a", lambda: "made again") == "made a"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "declared compromised since 15 January 2027, 08:00 UTC"),
        ("fr", "déclarée compromise depuis le 15 janvier 2027 à 8 h 00 UTC"),
    ],
)
def test_times_within_a_line_are_in_the_readers_language(language: str, written: str) -> None:
    """The exact time stays beside it; what strangers wrote stays text."""
    (line,) = lines_of([seen(KeyCompromised, key=address(bytes(20)), since=NOW)], language)
    assert '<time datetime="2027-01-15T08:00:00+00:00">' in line.text
    assert written in line.text.striptags().replace("\N{NO-BREAK SPACE}", " "), line.text
    (line,) = lines_of([seen(KeyCompromised, key=address(bytes(20)), since=NEVER_THAT_FAR)], language)
    assert "second 1099511627775" in line.text
    named = {"did_hash": hash32(bytes(32)), "did_bytes": b"did:web:<b>&amp;", "controller": address(bytes(20))}
    (line,) = lines_of([seen(IssuerAccredited, **named)], language)
    assert "did:web:&lt;b&gt;&amp;amp;" in line.text
