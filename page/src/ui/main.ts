// What runs when the page is opened: <ca-verifier> with the policy that came with the page, checking in a worker.

import { WorkerChecker } from "../checking/client.js";
import { Verifier } from "./app.js";
import { startWorker } from "./startWorker.js";
import { languageOf, speak, words } from "./words.js";

/** The data block in which the operator's policy stands. */
const POLICY_ID = "credanchor-policy";

function shippedPolicy(): Uint8Array | null {
  const text = document.getElementById(POLICY_ID)?.textContent.trim() ?? "";
  return text === "" ? null : new TextEncoder().encode(text);
}

/** The link behind the #, which no server is told: shown, and opened only for who presses the button. */
function givenLink(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("link");
}

function showLanguage(): void {
  document.documentElement.lang = words().language;
  document.title = words().say("title");
}

const wanted = new URLSearchParams(location.search).get("lang");
speak(languageOf([...(wanted === null ? [] : [wanted]), ...navigator.languages]));
showLanguage();
const verifier = document.querySelector("ca-verifier");
if (verifier instanceof Verifier) {
  verifier.everywhere = true;
  verifier.policy = shippedPolicy();
  verifier.checker = new WorkerChecker(() => startWorker());
  verifier.link = givenLink();
  verifier.addEventListener("language", showLanguage);
  window.addEventListener("hashchange", () => (verifier.link = givenLink()));
}
