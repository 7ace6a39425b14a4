"""The verifier in other sites' pages: the npm package, its types, its element, and the example of the guide."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from anchor.policy import policy_to_text
from tests.ledger.chain import ANCHOR_KEY, DID, Chain
from tests.ledger.conftest import chain, session_chain
from tests.support.browser import Visit
from tests.support.host import DocumentHost
from tests.support.issuing import make_batch

__all__ = ["chain", "session_chain"]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "embedding"
TSC = ROOT / "node_modules" / ".bin" / "tsc"
OPTIONS = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noEmit": True,
    "module": "nodenext",
    "target": "es2022",
    "lib": ["es2022", "dom"],
    "types": [],
}
MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript", ".json": "application/json"}

CONSUMER = """
import { CheckingError, createChecker, CredanchorVerify, csvOf, type Input, type Report } from "credanchor-verify";

const element: CredanchorVerify = document.createElement("credanchor-verify");
element.policy = JSON.stringify({ format: "credanchor/policy@v1", registries: [] });
element.addEventListener("credanchor-report", ({ detail }) => show(detail));
const inputs: readonly Input[] = [{ kind: "text", text: "{}" }];
await element.check({ inputs, email: "zoe@example.org" });

function show(report: Report): void {
  const [answer] = report.answers;
  if (answer?.outcome === "valid" && answer.holder !== "doesNotMatch") document.title = answer.facts?.holderName ?? "";
  console.log(csvOf(report));
}

const request = { inputs, policy: new Uint8Array(), holderEmail: null, asOfBlock: false };
const { report } = createChecker({ workerSrc: "/worker.js" }).check(request, ({ kind }) => console.log(kind));
report.then(show, (error: unknown) => console.log(error instanceof CheckingError && error.trouble));
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `npm install` would put into node_modules."""
    folder = tmp_path_factory.mktemp("package")
    subprocess.run([str(ROOT / "scripts" / "build-element"), str(folder / "built")], check=True, capture_output=True)
    pack = ["npm", "pack", str(folder / "built"), "--pack-destination", str(folder), "--offline", "--loglevel=error"]
    subprocess.run(pack, check=True, capture_output=True, cwd=folder)
    (file,) = folder.glob("*.tgz")
    subprocess.run(["tar", "-xzf", str(file), "-C", str(folder)], check=True)
    return folder / "package"


def compiled(folder: Path, package: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Compile a program that uses the package, as strictly as there is."""
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    (modules / "credanchor-verify").symlink_to(package)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "program.ts").write_text(source)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": ["program.ts"]}))
    return subprocess.run([TSC], capture_output=True, text=True, check=False, cwd=folder)


def test_the_package_has_its_types(package: Path, tmp_path: Path) -> None:
    done = compiled(tmp_path / "right", package, CONSUMER)
    assert (done.returncode, done.stdout) == (0, "")
    done = compiled(tmp_path / "wrong", package, CONSUMER.replace('outcome === "valid"', 'outcome === "vaild"'))
    assert "TS2367" in done.stdout


def test_the_package_needs_nothing_else_and_passes_licences_on(package: Path) -> None:
    manifest = json.loads((package / "package.json").read_text())
    assert manifest["version"] == json.loads((ROOT / "package.json").read_text())["version"]
    assert not {"dependencies", "peerDependencies", "scripts"} & manifest.keys()
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {"LICENSE", "README.md", "credanchor-verify.js", "worker.js"} <= files
    licences = (package / "LIBRARIES.txt").read_text()
    for name in ("lit", "@zip.js/zip.js", "@noble/curves", "qr"):
        assert f"\n{name} " in f"\n{licences}"
    assert str(ROOT) not in (package / "credanchor-verify.js").read_text()


@pytest.mark.parametrize("there", ["a file of somebody", "package.json"])
def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text('{"name": "other"}')
    command = ["node", str(ROOT / "page" / "package.mjs"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, (tmp_path / there).exists()) == (2, True)
    assert "usage:" in done.stderr


@dataclass(kw_only=True)
class Site:
    """A career site that embeds the element."""

    host: DocumentHost
    chain: Chain
    document: dict[str, Any]
    policy: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def put(self, name: str, content: str | bytes) -> None:
        path = f"/{name}"
        self.host.documents[path] = content.encode() if isinstance(content, str) else content
        self.host.headers[path] = {"Content-Type": MEDIA_TYPES[Path(name).suffix]}

    @contextmanager
    def visited(self, browser: Browser, **options: Any) -> Iterator[Page]:
        context = browser.new_context(**{"locale": "en-CA", **options})
        try:
            page = context.new_page()
            context.on("request", lambda request: self.requests.append(request.url))
            page.on("console", lambda message: self.complaints.append(message.text))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.goto(self.host.url("/index.html"))
            yield page
        finally:
            context.close()


@pytest.fixture
def site(chain: Chain, package: Path) -> Iterator[Site]:
    root, (document, *_) = make_batch(chain.registry, chain.issuer_id, DID, ["Zoë Tremblay", "Ana"])
    chain.execute(ANCHOR_KEY, chain.contract.anchor(issuer_id=chain.issuer_id, root=root, size=2))
    with DocumentHost() as host:
        policy = policy_to_text(chain.policy(nodes=(chain.url,)))
        site = Site(host=host, chain=chain, document=document, policy=policy)
        for file in (*EXAMPLE.iterdir(), package / "credanchor-verify.js", package / "worker.js"):
            site.put(file.name, file.read_bytes())
        site.put("policy.json", policy)
        yield site


def drop(page: Page, document: object) -> None:
    content = json.dumps(document).encode()
    page.locator("#files").set_input_files({"name": "badge.json", "mimeType": "application/json", "buffer": content})


def heading(page: Page, text: str) -> Any:
    return expect(page.get_by_role("heading", name=text, exact=True))


def test_the_example_checks_a_credential_under_a_strict_policy(browser: Browser, site: Site) -> None:
    with site.visited(browser) as page:
        drop(page, site.document)
        heading(page, "Valid").to_be_visible()
        expect(page.locator("#checked")).to_have_text("1 of 1 valid")
        assert Visit(page=page).violations() == []
        drop(page, {**site.document, "name": "Astrophysics"})
        heading(page, "Not valid").to_be_visible()
        expect(page.locator("#checked")).to_have_text("0 of 1 valid")
        # The page keeps its own: one main part, one first heading.
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("heading", level=1).all_inner_texts() == ["Your application"]
    assert site.complaints == []
    asked = {each.rstrip("/") for each in site.requests if not each.startswith("blob:")}
    files = ("/index.html", "/apply.js", "/credanchor-verify.js", "/policy.json")
    assert asked == {site.chain.url, *map(site.host.url, files)}


def test_the_worker_may_come_from_the_site_where_no_blob_may_run(browser: Browser, site: Site) -> None:
    html = (EXAMPLE / "index.html").read_text("utf-8").replace("worker-src blob:", "worker-src 'self'")
    site.put("index.html", html)
    with site.visited(browser) as page:
        drop(page, site.document)
        expect(page.locator("#checked")).to_have_text("nothing could be checked (crashed)")
    site.put("index.html", html.replace("<credanchor-verify ", '<credanchor-verify worker-src="worker.js" '))
    with site.visited(browser) as page:
        drop(page, site.document)
        heading(page, "Valid").to_be_visible()


def test_it_speaks_the_language_around_it(browser: Browser, site: Site) -> None:
    site.put("index.html", (EXAMPLE / "index.html").read_text("utf-8").replace('lang="en"', 'lang="fr-CA"'))
    with site.visited(browser) as page:
        drop(page, site.document)
        heading(page, "Valide").to_be_visible()
        page.locator("credanchor-verify").evaluate("element => element.lang = 'en'")
        heading(page, "Valid").to_be_visible()


@pytest.mark.parametrize("policy", [None, "<p>not found", "x" * 1_100_000])
def test_without_a_policy_nothing_is_checked(browser: Browser, site: Site, policy: str | None) -> None:
    if policy is None:
        del site.host.documents["/policy.json"]
    else:
        site.put("policy.json", policy)
    with site.visited(browser) as page:
        drop(page, site.document)
        heading(page, "It could not be checked").to_be_visible()
        expect(page.locator("#checked")).to_have_text("nothing could be checked (badPolicy)")
    assert not any(each.startswith(site.chain.url) for each in site.requests)


def test_a_program_gives_policy_and_credential(browser: Browser, site: Site) -> None:
    """Set before the module came, and by its functions without a face."""
    html = (EXAMPLE / "index.html").read_text("utf-8").replace(' policy-src="policy.json"', "")
    early = '<script type="module" src="early.js"></script>\n    <script type="module" src="credanchor-verify.js">'
    site.put("index.html", html.replace('<script type="module" src="credanchor-verify.js">', early))
    site.put("early.js", f"document.querySelector('credanchor-verify').policy = {json.dumps(site.policy)};")
    inputs = [{"kind": "text", "text": json.dumps(site.document)}]
    with site.visited(browser) as page:
        page.locator("credanchor-verify").evaluate("(element, inputs) => element.check({ inputs })", inputs)
        heading(page, "Valid").to_be_visible()
        outcomes = page.evaluate(
            """async ([inputs, policy]) => {
                const { createChecker, jsonOf } = await import("/credanchor-verify.js");
                const bytes = new TextEncoder().encode(policy);
                const request = { inputs, policy: bytes, holderEmail: null, asOfBlock: false };
                const report = await createChecker().check(request, () => {}).report;
                return JSON.parse(jsonOf(report)).counts;
            }""",
            [inputs, site.policy],
        )
        assert outcomes == {"valid": 1, "invalid": 0, "unknown": 0, "malformed": 0}
    assert site.complaints == []


def test_a_new_policy_takes_the_place_of_the_one_before(browser: Browser, site: Site) -> None:
    other = json.loads(site.policy)
    other["registries"][0]["registry"] = f"eip155:31337:0x{'ab' * 20}"
    site.put("other.json", json.dumps(other))
    with site.visited(browser) as page:
        drop(page, site.document)
        heading(page, "Valid").to_be_visible()
        element = page.locator("credanchor-verify")
        element.evaluate("element => element.setAttribute('policy-src', 'other.json')")
        inputs = [{"kind": "text", "text": json.dumps(site.document)}]
        element.evaluate("(element, inputs) => element.check({ inputs })", inputs)
        expect(page.locator("#checked")).to_have_text("0 of 1 valid")
        # One that does not come leaves none, and not the one before.
        element.evaluate("element => element.setAttribute('policy-src', 'none.json')")
        element.evaluate("(element, inputs) => element.check({ inputs })", inputs)
        heading(page, "It could not be checked").to_be_visible()
