"""The explorer in a real Chromium, on a service that has read the history of a real chain: for everybody, and asking
nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FilePayload, Page

from anchor.model import to_hex
from tests.ledger.chain import Chain
from tests.ledger.conftest import session_chain
from tests.ledger.whole_contract import account_of
from tests.support.browser import Visit, keep_picture
from tests.support.databases import Database, remove_files
from tests.support.explored import OTHER_DID, Explored, build, live, root_of
from tests.support.serving import serving

__all__ = ["session_chain"]

DOUBLE = "document.documentElement.style.fontSize = '200%'"
PAGES = {
    "registry": "",
    "institution": "/issuers/1",
    "events": "/events",
    "account": "/accounts/{account}",
    "void": "/batches/{void}",
    "transaction": "/transactions/{transaction}",
    "position": "/issuers/1/status/0/0",
    "found": "/search?q=did:web",
    "file": "/file",
}


@pytest.fixture(scope="module")
def world(session_chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explored]:
    """A registry with a past, read once for all tests here."""
    folder = tmp_path_factory.mktemp("explored")
    path = folder / "registry.db"
    database = Database(url=f"sqlite:///{path}", empty=lambda: remove_files(path))
    with session_chain.put_back():
        found = build(session_chain, folder / "home", database)
        live(found)
        found.catch_up()
        yield found


@pytest.fixture(scope="module")
def origin(world: Explored) -> Iterator[str]:
    with serving(world.app) as url:
        yield url


def path_of(name: str, world: Explored) -> str:
    with world.service.explorer.reading() as moment:
        transaction = moment.events(limit=1)[0].event.log.transaction_hash
    roots = {"void": to_hex(world.void), "transaction": to_hex(transaction), "account": account_of(1).lower()}
    return f"/ledger{PAGES[name]}".format(**roots)


@contextmanager
def open_page(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """Open a page of the service; all that is asked for is noted, and what is not of the service is refused."""
    context = browser.new_context(**options)
    try:
        found = Visit(page=context.new_page())
        origin = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("console", lambda message: found.complaints.append(message.text))
        context.route(re.compile(f"^(?!{re.escape(origin)}).*"), lambda route: route.abort())
        found.page.goto(url)
        yield found
    finally:
        context.close()


@pytest.mark.parametrize(
    ("name", "language", "scheme"),
    [
        *((name, "fr", "dark") for name in PAGES),
        *((name, "en", "light") for name in ("registry", "institution", "void", "position", "file")),
    ],
)
def test_everybody_can_use_every_page(
    browser: Browser, world: Explored, origin: str, name: str, language: str, scheme: Literal["light", "dark"]
) -> None:
    path = path_of(name, world)
    url = f"{origin}{path}{'&' if '?' in path else '?'}lang={language}"
    # Where a page has a script, its policy would keep axe from looking.
    options: dict[str, Any] = {"color_scheme": scheme, "bypass_csp": name == "file"}
    with open_page(browser, url, viewport={"width": 320, "height": 800}, **options) as found:
        assert found.page.locator("html").get_attribute("lang") == language
        assert found.violations() == []
        for width in (320, 1280):
            found.page.set_viewport_size({"width": width, "height": 800})
            assert found.overflow() == 0, width
        found.page.evaluate(DOUBLE)
        assert found.overflow() == 0
        # The page and its plots; nothing from elsewhere.
        assert all(each.startswith(f"{origin}/ledger") for each in found.requests)
        assert found.complaints == []


def test_pages_work_as_their_policy_wants_it(browser: Browser, world: Explored, origin: str) -> None:
    with open_page(browser, f"{origin}/ledger/issuers/1?lang=en", viewport={"width": 1060, "height": 1280}) as found:
        page = found.page
        for image in page.locator("figure img").all():
            assert image.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
        keep_picture(page, "explorer-institution")
        assert page.locator("script").count() == 0
        page.evaluate(
            """async () => {
                const add = (tag, values) => document.body.append(Object.assign(document.createElement(tag), values));
                add('script', {textContent: 'window.ran = true'});
                add('img', {src: 'https://evil.example/x.png'});
                await fetch('/v1/ledger').catch(() => null);
            }"""
        )
        assert not page.evaluate("'ran' in window")
        assert [urlsplit(each).path for each in found.requests if each.startswith(origin)] == [
            "/ledger/issuers/1",
            "/ledger/plots/activity.svg",
            "/ledger/plots/keys.svg",
        ]
        assert len(found.complaints) >= 3


def test_an_auditor_gets_from_the_registry_to_what_was_done_and_by_whom(
    browser: Browser, world: Explored, origin: str
) -> None:
    with open_page(browser, f"{origin}/ledger?lang=fr", locale="en") as found:
        page = found.page
        assert "complet" in page.locator("#complete").inner_text()
        for image in page.locator("figure img").all():
            assert image.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
        page.get_by_role("link", name="did:web:college.example").click()
        # The language that was chosen stays.
        assert page.locator("html").get_attribute("lang") == "fr"
        page.get_by_role("link", name="Tous les incidents").click()
        assert page.locator(".event").count() == 4
        page.get_by_role("link", name=re.compile("déclarée? compromise")).first.click()
        assert page.locator("dd .bad").inner_text().startswith("compromise depuis")
        page.get_by_role("link", name="did:web:college.example").click()
        page.get_by_role("link", name="English").click()
        page.get_by_role("link", name="All batches").click()
        row = page.get_by_role("row").filter(has_text="void")
        assert row.count() == 1
        row.get_by_role("link").click()
        assert page.locator(".status h2").inner_text() == "Void"
        page.get_by_role("link", name=re.compile("^event ")).click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("0x")
        page.get_by_role("link", name="Check it yourself").click()
        assert world.chain.registry.to_text() in page.locator(".command").nth(1).inner_text()
        assert all(each.startswith(origin) for each in found.requests)


def test_the_search_takes_what_people_have_in_hand(browser: Browser, world: Explored, origin: str) -> None:
    with open_page(browser, f"{origin}/ledger", locale="en") as found:
        page = found.page

        def find(text: str) -> list[str]:
            page.get_by_role("searchbox").fill(text)
            page.get_by_role("searchbox").press("Enter")
            return page.locator("main .items a").all_inner_texts()

        assert find(to_hex(world.root)) == [to_hex(world.root)]
        assert find("polytechnic") == [OTHER_DID]
        assert page.get_by_role("searchbox").input_value() == "polytechnic"
        entry = world.documents[1]["credentialStatus"][0]["id"]
        assert find(entry) == ["1/0/1"]
        page.locator("main .items a").click()
        assert page.locator(".status h2").inner_text() == "Suspended"
        assert find("Zoë Tremblay") == []
        assert "Names of people are found nowhere" in page.locator("main").inner_text()
        # What turns the text's direction shows.
        find("3")
        assert page.locator("main .items a").inner_text() == "did:web:col\\u202elege.example"


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    given: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files
    ]
    page.locator("#files").set_input_files(given)
    page.locator("#findings h2:focus").wait_for()


def test_a_credential_leads_to_its_batch_and_is_sent_nowhere(browser: Browser, world: Explored, origin: str) -> None:
    document = world.documents[1]
    altered = {**document, "name": "Doctor of everything"}
    elsewhere = json.loads(
        json.dumps(document).replace(str(document["proof"][0]["proofValue"]), "u" + "A" * 20), parse_int=int
    )
    with open_page(browser, f"{origin}/ledger/file?lang=en") as found:
        page = found.page
        choose(
            page,
            ("Ana.json", json.dumps(document, ensure_ascii=False).encode()),
            ("altered.json", json.dumps(altered).encode()),
            ("damaged.json", json.dumps(elsewhere).encode()),
            ("<img src=x onerror=alert(1)>.pdf", b"%PDF-1.7 \xff"),
            ("plain.json", b'{"type": "VerifiableCredential", "issuer": "did:web:x.example"}'),
        )
        told = page.locator(".finding").all_inner_texts()
        assert ["leads to a batch" in told[0], "not what was anchored" in told[1]] == [True, True]
        assert "proof is damaged" in told[2]
        assert "<img src=x onerror=alert(1)>.pdf" in told[3]
        assert "PDF" in told[3]
        assert "on no ledger" in told[4]
        links = [
            urlsplit(each.get_attribute("href") or "").path
            for each in page.locator(".finding").nth(0).locator("a").all()
        ]
        assert [each.removeprefix("../") for each in links] == [
            f"ledger/batches/{to_hex(world.root)}",
            "ledger/issuers/1/status/0/1",
            "ledger/issuers/1",
            "verify",
        ]
        # Nothing was asked for since the page itself, and nothing of the credential is in what is asked for next.
        assert found.requests == [f"{origin}/ledger/file?lang=en"]
        page.get_by_role("link", name=re.compile("whether it was revoked")).click()
        assert page.locator(".status h2").inner_text() == "Suspended"
        asked = "".join(found.requests)
        assert found.requests[-1] == f"{origin}/ledger/issuers/1/status/0/1?lang=en"
        assert not [secret for secret in ("Ana", "Zo", document["id"], document["name"]) if secret in asked]
        assert found.complaints == []


def test_the_script_can_send_nothing_even_if_it_wanted(browser: Browser, origin: str) -> None:
    with open_page(browser, f"{origin}/ledger/file") as found:
        tried = found.page.evaluate(
            """async () => {
                const image = new Image();
                image.src = '/ledger?secret';
                const frame = document.createElement('iframe');
                frame.src = '/ledger?secret';
                document.body.append(image, frame);
                try { new WebSocket(location.origin.replace('http', 'ws')); } catch { /* as it should */ }
                navigator.sendBeacon('/ledger?secret', 'x');
                return fetch('/ledger?secret').then(() => 'sent', () => 'refused');
            }"""
        )
        assert tried == "refused"
        assert len(found.complaints) >= 3


def test_the_page_for_files_says_what_to_do_without_script(browser: Browser, origin: str) -> None:
    with open_page(browser, f"{origin}/ledger/file?lang=fr", java_script_enabled=False) as found:
        assert found.page.locator("noscript").count() == 1
        assert not found.page.locator("#finder").is_visible()
        assert "JavaScript" in found.page.content()


def test_a_page_prints_whole_and_without_what_is_for_the_screen(browser: Browser, world: Explored, origin: str) -> None:
    with open_page(browser, f"{origin}/ledger/issuers/1?lang=fr", color_scheme="dark") as found:
        page = found.page
        page.emulate_media(media="print", color_scheme="light")
        assert page.locator(".languages, .search, .trail").locator("visible=true").count() == 0
        assert page.locator("#rests").is_visible()
        assert page.pdf(format="Letter").startswith(b"%PDF-")


def test_one_root_of_two_institutions_is_two_batches(browser: Browser, world: Explored, origin: str) -> None:
    with open_page(browser, f"{origin}/ledger/batches/{to_hex(root_of(100))}?lang=en") as found:
        assert found.page.locator(".status").count() == 2
        assert OTHER_DID in found.page.locator("main").inner_text()
