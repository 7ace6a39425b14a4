// <credanchor-verify policy-src="policy.json" lang="fr">: the verifier within the page of another site.
//
// Its events bubble: `credanchor-report` (detail: Report) whenever something was checked, `credanchor-trouble` (detail:
// Trouble) where nothing could be.

import { CheckingError } from "../checking/check.js";
import { toUtf8 } from "../core/bytes.js";
import { fetchBytes } from "../ledger/fetching.js";
import type { Checker, Checking, CheckRequest, CheckEvent, Input, Report, Trouble as Reason } from "../model/model.js";
import { Verifier } from "../ui/app.js";
import { languageOf, speak } from "../ui/words.js";
import { createChecker } from "./createChecker.js";

const NAME = "credanchor-verify";
/** Of a policy, as the program has it. */
const MAX_POLICY_BYTES = 1_048_576;

/** Why nothing was checked. */
export interface Trouble {
  readonly trouble: Reason;
  /** In English, for experts. */
  readonly message: string;
}

/** What is to be checked, as if the user had given it. */
export interface Given {
  readonly inputs: readonly Input[];
  /** Whose it should be; by default nobody is asked for. */
  readonly email?: string | null;
  /** Asked is what held at the block of a bundle, whatever its age. */
  readonly asOfBlock?: boolean;
}

export class CredanchorVerify extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ["policy-src", "lang"];

  readonly #verifier = new Verifier();
  #loading: AbortController | null = null;
  /** Ends when the policy is there, or will not come; until then nothing is shown that could be used without one. */
  #settled: Promise<void> = Promise.resolve();

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":host { display: block; }");
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.#verifier.checker = this.#telling(() => createChecker({ workerSrc: this.getAttribute("worker-src") }));
  }

  /** The policy's file, docs/spec/policy.md; text is taken for its JSON. Null: there is none yet. */
  get policy(): Uint8Array | null {
    return this.#verifier.policy;
  }

  set policy(policy: Uint8Array | string | null) {
    this.#loading?.abort();
    this.#loading = null;
    this.#verifier.policy = typeof policy === "string" ? toUtf8(policy) : policy;
  }

  connectedCallback(): void {
    // Set before the module came.
    if (Object.hasOwn(this, "policy")) {
      const early = this.policy;
      Reflect.deleteProperty(this, "policy");
      this.policy = early;
    }
    this.#speak();
    void this.#show();
  }

  attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
    if (name === "lang") this.#speak();
    else if (value !== null) this.#settled = this.#load(value);
  }

  /** Check something, and show what comes of it. */
  async check({ inputs, email = null, asOfBlock = false }: Given): Promise<void> {
    await this.#ready();
    await this.#verifier.check({ inputs, email, asOfBlock });
  }

  async #show(): Promise<void> {
    await this.#ready();
    if (this.isConnected) this.shadowRoot?.append(this.#verifier);
  }

  /** Another address may be set while the policy of one is being fetched. */
  async #ready(): Promise<void> {
    for (let settled: Promise<void> | null = null; settled !== this.#settled; await settled) settled = this.#settled;
  }

  #speak(): void {
    const around = this.closest<HTMLElement>("[lang]")?.lang;
    speak(languageOf([...(around === undefined ? [] : [around]), ...navigator.languages]));
  }

  async #load(source: string): Promise<void> {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    const asking = {
      fetch: (...given: Parameters<typeof fetch>) => fetch(...given),
      signal: loading.signal,
      onRequest: () => undefined,
    };
    try {
      const address = new URL(source, this.baseURI).href;
      const policy = await fetchBytes(address, MAX_POLICY_BYTES, asking);
      if (!loading.signal.aborted) this.#verifier.policy = policy;
    } catch (error) {
      if (loading.signal.aborted) return;
      // Not that of another address: it would be trusted in the place of this one.
      this.#verifier.policy = null;
      this.#tellTrouble(new CheckingError("badPolicy", error instanceof Error ? error.message : String(error)));
    }
  }

  /** Tells the page around what comes of each checking. */
  #telling(create: () => Checker): Checker {
    let checker: Checker | null = null;
    return {
      check: (request: CheckRequest, listen: (event: CheckEvent) => void): Checking => {
        checker ??= create();
        const checking = checker.check(request, listen);
        checking.report.then(
          (report) => this.#tell<Report>("credanchor-report", report),
          (error: unknown) => this.#tellTrouble(error),
        );
        return checking;
      },
    };
  }

  #tellTrouble(error: unknown): void {
    const trouble = error instanceof CheckingError ? error.trouble : "crashed";
    const message = error instanceof Error ? error.message : String(error);
    this.#tell<Trouble>("credanchor-trouble", { trouble, message });
  }

  #tell<T>(type: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(type, { detail, bubbles: true, composed: true }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "credanchor-verify": CredanchorVerify;
  }
  interface HTMLElementEventMap {
    "credanchor-report": CustomEvent<Report>;
    "credanchor-trouble": CustomEvent<Trouble>;
  }
}

if (customElements.get(NAME) === undefined) customElements.define(NAME, CredanchorVerify);
