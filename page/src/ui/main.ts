// The page's script: shows <ca-verifier> with the policy that came with the page, and checks in a worker made from a Blob,
// which works from disk, too.

import script from "credanchor:worker";

import { WorkerChecker } from "../checking/client.js";
import { Verifier } from "./app.js";
import { page } from "./styles.js";
import { languageOf, speak, words } from "./words.js";

/** The data block in which the operator's policy stands. */
const POLICY_ID = "credanchor-policy";

/** Kept for as long as the page: a worker that was stopped is started anew. */
const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));

function shippedPolicy(): Uint8Array | null {
  const text = document.getElementById(POLICY_ID)?.textContent.trim() ?? "";
  return text === "" ? null : new TextEncoder().encode(text);
}

function showLanguage(): void {
  document.documentElement.lang = words().language;
  document.title = words().say("title");
}

const wanted = new URLSearchParams(location.search).get("lang");
speak(languageOf([...(wanted === null ? [] : [wanted]), ...navigator.languages]));
showLanguage();
const { styleSheet } = page;
if (styleSheet !== undefined) document.adoptedStyleSheets.push(styleSheet);
const verifier = new Verifier();
verifier.everywhere = true;
verifier.policy = shippedPolicy();
verifier.checker = new WorkerChecker(() => new Worker(address));
verifier.addEventListener("language", showLanguage);
document.body.append(verifier);
