// What runs in the explorer's page for credential files: shows where each leads. Words and markup are the page's own
// templates, in its language; nothing is asked for until the user follows a link.

import problemsEn from "../ui/words/problems.en.json" with { type: "json" };
import problemsFr from "../ui/words/problems.fr.json" with { type: "json" };
import { plain } from "../ui/stranger.js";
import { type Finding, findIn, type Trace } from "./finding.js";

/** More would be an accident. */
const MAX_SHOWN = 200;
const PROBLEMS: Readonly<Record<string, Readonly<Record<string, string>>>> = { en: problemsEn, fr: problemsFr };

function within<E extends Element>(root: ParentNode, selector: string, kind: new () => E): E {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

const finder = within(document, "#finder", HTMLElement);
const picker = within(finder, "input[type=file]", HTMLInputElement);
const findings = within(document, "#findings", HTMLElement);
const list = within(findings, "ol", HTMLOListElement);
const registry = finder.dataset["registry"] ?? "";
const problems = PROBLEMS[document.documentElement.lang] ?? problemsEn;
let round = 0;

/** Copy a template of the page, and fill in what is marked in it. */
function filled(name: string, values: Readonly<Record<string, string>>): DocumentFragment {
  const copy = within(document, `template#${name}`, HTMLTemplateElement).content.cloneNode(true);
  if (!(copy instanceof DocumentFragment)) throw new Error("a template's content is a fragment");
  for (const each of copy.querySelectorAll<HTMLElement>("[data-fill]")) {
    each.textContent = values[each.dataset["fill"] ?? ""] ?? "";
  }
  for (const each of copy.querySelectorAll("a[data-to]")) {
    // Places are hex and decimals, written by us; the pattern is the page's.
    const pattern = each.getAttribute("data-to") ?? "";
    each.setAttribute(
      "href",
      pattern.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? ""),
    );
  }
  return copy;
}

function show(finding: Finding): void {
  const name = plain(finding.name);
  const item = document.createElement("li");
  item.className = `finding ${finding.kind}`;
  item.append(filled(finding.kind, { name, ...detailsOf(finding) }));
  if (finding.kind === "found") {
    const traces = within(item, "ul", HTMLUListElement);
    for (const trace of finding.traces) traces.append(filled("trace", textsOf(trace)));
  }
  list.append(item);
}

function detailsOf(finding: Finding): Readonly<Record<string, string>> {
  if (finding.kind === "problem") return { why: problems[`problem.${finding.problem}.why`] ?? "" };
  return finding.kind === "elsewhere" ? { registries: finding.registries.join(", ") } : {};
}

function textsOf(trace: Trace): Readonly<Record<string, string>> {
  return {
    issuer: String(trace.issuerId),
    root: trace.root,
    list: String(trace.list),
    index: String(trace.index),
    leaf: String(trace.leafIndex + 1),
    size: String(trace.size),
  };
}

async function find(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const mine = (round += 1);
  list.replaceChildren();
  findings.hidden = false;
  findings.setAttribute("aria-busy", "true");
  let count = 0;
  for await (const finding of findIn(files, registry)) {
    // Others were chosen meanwhile.
    if (mine !== round) return;
    count += 1;
    if (count > MAX_SHOWN) {
      list.append(filled("many", {}));
      break;
    }
    show(finding);
  }
  findings.removeAttribute("aria-busy");
  within(findings, "h2", HTMLElement).focus();
}

picker.addEventListener("change", () => {
  const files = Array.from(picker.files ?? []);
  // So that the same file, changed, can be chosen again.
  picker.value = "";
  void find(files);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  finder.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) finder.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  finder.classList.remove("over");
  void find(Array.from(event.dataTransfer?.files ?? []));
});
finder.hidden = false;
