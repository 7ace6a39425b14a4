"""The explorer's pages as they are given out: kept by their tag, in the reader's language, of what is proven alone."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from anchor.model import to_hex
from registry.api.limits import RateLimiter
from registry.web import explorer as web
from registry.web.verifier import NoPageError
from tests.ledger.chain import ANCHOR_KEY, DID, STATUS_KEY, Chain
from tests.ledger.whole_contract import account_of
from tests.support.databases import Database
from tests.support.explored import ODD_DID, Explored, build, root_of

FRENCH = {"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}
NOWHERE = (
    "/ledger/issuers/2",
    "/ledger/issuers/0",
    "/ledger/issuers/01",
    "/ledger/issuers/x",
    "/ledger/issuers/²",
    "/ledger/issuers/99999999999999999999",
    "/ledger/issuers/2/events",
    "/ledger/issuers/1/events?show=secrets",
    "/ledger/issuers/1/events?before=-1",
    "/ledger/issuers/2/batches",
    "/ledger/issuers/1/batches?before=x",
    "/ledger/issuers/1/status/0/131072",
    "/ledger/issuers/1/status/4294967296/0",
    "/ledger/issuers/1/status/0/x",
    "/ledger/issuers/2/status/0/0",
    "/ledger/issuers?after=x",
    "/ledger/events?before=1e3",
    "/ledger/batches/0x" + "5f" * 32,
    "/ledger/batches/0x5f",
    "/ledger/batches/" + "5F" * 32,
    "/ledger/transactions/0x" + "5f" * 32,
    "/ledger/transactions/5f",
    "/ledger/accounts/0x" + "5f" * 20,
    "/ledger/accounts/5f",
)


@pytest.fixture
def world(chain: Chain, tmp_path: Path, sqlite_database: Database) -> Iterator[Explored]:
    """One batch of three, of which one is revoked; not read yet."""
    found = build(chain, tmp_path / "home", sqlite_database)
    found.root = root_of(1)
    found.whole.send(ANCHOR_KEY, "anchor", chain.issuer_id, found.root, 3)
    found.whole.revoke(STATUS_KEY, 2)
    with found.client:
        yield found


@pytest.fixture
def read(world: Explored) -> Explored:
    """The same, read and proven."""
    world.catch_up()
    return world


def test_nothing_is_shown_before_it_is_proven(world: Explored) -> None:
    answer = world.get("/ledger", **FRENCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "Pas encore lu" in answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    world.catch_up()
    assert DID in world.get("/ledger").text


def test_a_page_is_sent_again_only_when_it_is_another(read: Explored) -> None:
    answer = read.get("/ledger/issuers/1", **FRENCH)
    tag = answer.headers["etag"]
    assert answer.headers["content-language"] == "fr"
    assert (answer.headers["cache-control"], answer.headers["vary"]) == (
        "public, no-cache",
        "Accept-Language, Accept-Encoding",
    )
    plain = read.get("/ledger/issuers/1", **FRENCH, **{"Accept-Encoding": "identity"})
    assert (answer.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert plain.text == answer.text
    assert plain.headers["etag"] != tag
    known = read.get("/ledger/issuers/1", **FRENCH, **{"If-None-Match": tag})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    # In another language, or after something happened, it is another page.
    assert read.get("/ledger/issuers/1", **{"If-None-Match": tag}).status_code == 200
    read.chain.mine()
    read.catch_up()
    assert read.get("/ledger/issuers/1", **FRENCH, **{"If-None-Match": tag}).status_code == 200


def test_pages_may_do_nothing_but_show(read: Explored) -> None:
    answer = read.get("/ledger")
    policy = answer.headers["content-security-policy"]
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'; frame-ancestors 'none'" in policy
    assert "<script" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    with_script = read.get("/ledger/file").headers["content-security-policy"]
    assert re.search(
        r"script-src 'sha256-[\w+/=]+'; require-trusted-types-for 'script'; trusted-types 'none'$", with_script
    )
    assert "connect-src" not in with_script


def test_what_there_is_not_is_said_in_words_with_the_search_at_hand(read: Explored) -> None:
    for path in NOWHERE:
        answer = read.get(path, **FRENCH)
        assert answer.status_code == 404, path
        assert "Ceci n’est pas inscrit" in answer.text, path
        assert 'role="search"' in answer.text, path
        assert "etag" not in answer.headers, path


def test_status_says_what_counts_and_that_it_is_no_verdict(read: Explored) -> None:
    revoked, untouched = (read.get(f"/ledger/issuers/1/status/0/{index}").text for index in (2, 3))
    assert '<h2 id="state">Revoked</h2>' in revoked
    assert "issued in error" in revoked
    assert '<h2 id="state">Neither revoked nor suspended</h2>' in untouched
    assert "Nothing ever happened" in untouched
    for html in (revoked, untouched):
        assert "This is no verdict" in html


def test_whatever_is_searched_for_is_answered_and_stays_text(read: Explored) -> None:
    nowhere = "1/0/131072", "0x" + "5f" * 20, "x" * 5000
    for asked in ("%00", "%ED%A0%80", "%25%5F", "%F0%9F%98%80", "%22%3E%3Cscript%3E", *nowhere):
        answer = read.get(f"/ledger/search?q={asked}&lang=en")
        assert answer.status_code == 200, asked
        assert "Nothing on this registry fits that." in answer.text, asked
        assert "<script" not in answer.text, asked


def test_an_account_is_shown_with_the_parts_it_plays(read: Explored) -> None:
    admin, controller, key = (read.get(f"/ledger/accounts/{account_of(each).lower()}").text for each in range(3))
    assert "<dt>accreditor</dt>" in admin
    assert "becomes admin" in admin
    assert "controlled by" in controller
    assert 'href="../../ledger/issuers/1"' in key
    assert "anchors" in key
    found = read.get(f"/ledger/search?q={account_of(1)}").text
    assert f'href="../ledger/accounts/{account_of(1).lower()}"' in found


def test_plots_are_kept_for_ever_and_drawn_of_the_present_alone(
    read: Explored, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = read.get("/ledger/issuers/1?lang=fr").text
    sources = [each.replace("&amp;", "&") for each in re.findall(r'<img src="\.\./([^"]+)"', html)]
    assert len(sources) == 2
    for source in sources:
        answer = read.get(f"/ledger/{source.removeprefix('../ledger/')}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.content.startswith(b"<?xml")
        assert b"<script" not in answer.content
    monkeypatch.setattr("registry.api.routes.explorer.draw_activity", lambda *_: b"drawn again")
    assert read.get(f"/ledger/{sources[0].removeprefix('../ledger/')}").content != b"drawn again"
    of = sources[0].partition("of=")[2].partition("&")[0]
    for wrong in (
        "activity.svg?issuer=1&of=x",
        f"other.svg?issuer=1&of={of}",
        f"keys.svg?of={of}",
        f"activity.svg?of={of}",
    ):
        assert read.get(f"/ledger/plots/{wrong}").status_code == 404
    # Without a language in the address it is the reader's, who alone may keep it.
    answer = read.get(f"/ledger/plots/activity.svg?issuer=1&of={of}")
    assert answer.headers["cache-control"] == "private, max-age=300"
    read.whole.revoke(STATUS_KEY, 5)
    read.catch_up()
    assert read.get(f"/ledger/plots/activity.svg?issuer=1&of={of}").status_code == 404


def test_a_did_that_would_look_like_another_is_spelt_out(read: Explored) -> None:
    read.whole.send(0, "accredit", ODD_DID, "0x" + "11" * 20)
    read.whole.send(0, "accredit", "did:x:<script>alert(1)</script>\0\n", "0x" + "11" * 20)
    read.catch_up()
    for path in ("/ledger", "/ledger/issuers", "/ledger/events", "/ledger/issuers/2", "/ledger/issuers/3"):
        html = read.get(path).text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\0]", html), path
        assert "<script" not in html, path
    assert "did:web:col\\u202elege.example" in read.get("/ledger/issuers/2").text
    assert "did:x:&lt;script&gt;alert(1)&lt;/script&gt;\\x00\\x0a" in read.get("/ledger/issuers/3").text


def test_many_institutions_and_events_come_in_pages(read: Explored) -> None:
    for number in range(2, 55):
        read.whole.send(0, "accredit", f"did:web:c{number}.example", "0x" + "11" * 20)
    read.catch_up()
    assert "All institutions (54)" in read.get("/ledger").text
    first = read.get("/ledger/issuers").text
    assert ("did:web:c50.example" in first, "did:web:c51.example" in first) == (True, False)
    (following,) = re.findall(r'rel="next" href="ledger/issuers\?after=(\d+)"', first.replace("../", ""))
    second = read.get(f"/ledger/issuers?after={following}").text
    assert ("did:web:c50.example" in second, "did:web:c51.example" in second) == (False, True)
    assert 'rel="next"' not in second
    events = read.get("/ledger/events").text
    (before,) = re.findall(r'rel="next" href="ledger/events\?before=(\d+)"', events.replace("../", ""))
    rest = read.get(f"/ledger/events?before={before}").text
    assert events.count('<li class="event') == 50
    assert rest.count('<li class="event') == 10
    assert 'rel="next"' not in rest


def test_what_is_in_the_way_of_newer_blocks_is_said(read: Explored) -> None:
    assert "Not up to date" not in read.get("/ledger").text
    tag = read.get("/ledger").headers["etag"]
    read.catch_up("http://127.0.0.1:9")
    answer = read.get("/ledger", **{"If-None-Match": tag})
    assert answer.status_code == 200
    assert "Not up to date" in answer.text
    assert "Pas à jour" in read.get("/ledger/issuers/1", **FRENCH).text


def test_what_is_asked_for_is_in_no_log(read: Explored, caplog: pytest.LogCaptureFixture) -> None:
    noted = io.BytesIO()
    read.app.state.context.log.open(noted)
    with caplog.at_level(logging.DEBUG):
        read.get("/ledger/search?q=Zo%C3%AB+Tremblay")
        read.get("/ledger/issuers/1/status/0/77777")
        counted = read.get("/metrics").text
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    lines = "\n".join([noted.getvalue().decode(), *ours, counted])
    assert '"route":"/ledger/search"' in lines
    assert "Tremblay" not in lines
    assert "77777" not in lines


def test_too_many_requests_are_refused_in_words(read: Explored) -> None:
    read.app.state.context = replace(read.app.state.context, anonymous=RateLimiter(1, lambda: 0.0))
    assert read.get("/ledger").status_code == 200
    answer = read.get("/ledger/search?q=x", **FRENCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Trop de demandes" in answer.text


def test_a_page_whose_script_was_not_built_says_so(
    read: Explored, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web._script.cache_clear()
    monkeypatch.setattr(web, "_SCRIPT", tmp_path / "explorer.js")
    with pytest.raises(NoPageError) as caught:
        web.file_policy()
    assert "scripts/build-page" in caught.value.advice
    assert read.get("/ledger/file").status_code == 503
    web._script.cache_clear()


def test_the_head_alone_can_be_asked_for(read: Explored) -> None:
    for path in ("/ledger", "/ledger/", f"/ledger/batches/{to_hex(read.root)}"):
        answer = read.client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_hex_is_found_however_it_is_written(read: Explored) -> None:
    """Wallets write addresses with capitals in them, others all hex so."""
    batch, account = to_hex(read.root), account_of(ANCHOR_KEY).lower()
    for path in (f"batches/{batch}", f"accounts/{account}"):
        where, digits = path.split("/0x")
        pages = [read.get(f"/ledger/{where}/{start}{digits.upper()}?lang=en") for start in ("0x", "0X")]
        for page in pages:
            assert page.status_code == 200, path
            assert digits in page.text


def test_any_other_address_below_is_said_to_be_none_in_words(read: Explored) -> None:
    for path in ("/ledger/nope", "/ledger/issuers/1/", "/ledger/batches", "/ledger/a/b/c/d", "/ledger//"):
        answer = read.get(path, **FRENCH)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8"), path
        assert "Ceci n’est pas inscrit" in answer.text


def test_an_empty_search_found_nothing_missing(read: Explored) -> None:
    for asked in ("", "+", "%20%20"):
        page = read.get(f"/ledger/search?q={asked}&lang=en").text
        assert "Nothing was searched for" in page
        assert "Nothing on this registry fits that" not in page
