// <ca-verifier .checker .policy>: the page. It holds what state the checking is in, and shows the part for it:
//
//   <ca-input>                                   tells `give` (Gift), and `compare` (an e-mail address, or null)
//   <ca-progress .progress>                      tells `stop`
//   <ca-answer .answer .report ?stale>           one answer; shows <ca-details .answer .report> at its end
//   <ca-table .report>                           many answers; tells `open-answer` (Answer)
//   <ca-policy .policy .shipped>                 what is trusted; tells `policy-change` (Uint8Array)
//   <ca-receipt .report .policy>                 what can be kept of a report

import { html, nothing, type TemplateResult } from "lit";
import { html as anyTag, literal, type StaticValue } from "lit/static-html.js";

import type { Answer, Checker, CheckEvent, Checking, CheckRequest, Report } from "../model/model.js";
import { Answered } from "./answer.js";
import { appStyles } from "./appStyles.js";
import "./details.js";
import { type Gift, Given } from "./input.js";
import { define, Part } from "./part.js";
import "./policy.js";
import { noteContact, type Progress, STARTED } from "./progress.js";
import "./receipt.js";
import { plain } from "./stranger.js";
import { base, tokens } from "./styles.js";
import "./table.js";
import { NoPolicyError, troubleOf } from "./trouble.js";
import { type Language, LANGUAGE_NAMES, LANGUAGES, speak, words } from "./words.js";

type State =
  | { readonly kind: "empty" }
  | { readonly kind: "working"; readonly checking: Checking; readonly progress: Progress }
  | { readonly kind: "answered"; readonly report: Report; readonly policy: Uint8Array }
  | { readonly kind: "trouble"; readonly error: unknown };

/** Landmarks where the page is ours; within the page of another, that one has its own. */
const [HEADER, MAIN, FOOTER, DIV] = [literal`header`, literal`main`, literal`footer`, literal`div`];
const [H1, H2] = [literal`h1`, literal`h2`];

/** Timers take no more than 2³¹ − 1 milliseconds. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class Verifier extends Part {
  static override properties = {
    checker: { attribute: false },
    policy: { attribute: false },
    everywhere: { type: Boolean, reflect: true },
    link: { attribute: false },
    state: { state: true },
    opened: { state: true },
    isStale: { state: true },
    isOnline: { state: true },
    ownPolicy: { state: true },
  };
  declare checker: Checker | null;
  /** The policy that came with the page; null: none did. */
  declare policy: Uint8Array | null;
  /** The page is ours: what is dropped or pasted anywhere is meant for it. */
  declare everywhere: boolean;
  /** A link that the user came with: shown, not opened. */
  declare link: string | null;
  declare protected state: State;
  /** Of many answers, the one that is looked at. */
  declare protected opened: Answer | null;
  declare protected isStale: boolean;
  declare protected isOnline: boolean;
  /** What the user trusts instead; null: what came with the page. */
  declare protected ownPolicy: Uint8Array | null;

  static override styles = [tokens, base, appStyles];

  #given: Gift | null = null;
  #staleTimer: ReturnType<typeof setTimeout> | undefined;
  #forget: AbortController | null = null;

  constructor() {
    super();
    this.checker = null;
    this.policy = null;
    this.everywhere = false;
    this.link = null;
    this.state = { kind: "empty" };
    this.opened = null;
    this.isStale = false;
    this.isOnline = navigator.onLine;
    this.ownPolicy = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#forget = new AbortController();
    const { signal } = this.#forget;
    window.addEventListener("online", () => (this.isOnline = true), { signal });
    window.addEventListener("offline", () => (this.isOnline = false), { signal });
    // Timers sleep in tabs that are not seen, and with the machine.
    document.addEventListener("visibilitychange", () => this.#watchAge(), { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget?.abort();
    clearTimeout(this.#staleTimer);
    if (this.state.kind === "working") this.state.checking.stop();
  }

  /** Check something, as if the user had given it. */
  check(gift: Gift): Promise<void> {
    this.#given = gift;
    return this.#check(gift);
  }

  protected override render(): unknown {
    const { state } = this;
    const tag = (name: StaticValue): StaticValue => (this.everywhere ? name : DIV);
    const [header, main, footer] = [tag(HEADER), tag(MAIN), tag(FOOTER)];
    const heading = this.everywhere ? H1 : H2;
    return anyTag`<${header} class="header">
        <div class="top">
          <${heading} class="title">${this.say("title")}</${heading}>
          ${this.#languages()}
        </div>
        <div class="under">${this.#under(state)}</div>
      </${header}>
      <${main} class="main">
        <p class="unseen said" role="status">${this.#announcement()}</p>
        ${
          this.isOnline
            ? nothing
            : html`<div class="no-print">
                <section class="card note">
                  <h2>${this.say("offline.title")}</h2>
                  <p>${this.say("offline.text")}</p>
                </section>
              </div>`
        }
        ${this.#now()}
        <ca-input
          class="no-print"
          ?hidden=${state.kind === "working"}
          ?everywhere=${this.everywhere}
          .link=${this.link}
          ?another=${state.kind !== "empty"}
          @give=${(event: CustomEvent<Gift>) => void this.check(event.detail)}
          @compare=${(event: CustomEvent<string | null>) => void this.#again(event.detail)}
        ></ca-input>
        <ca-policy
          ?hidden=${state.kind === "working"}
          .policy=${this.#policy}
          .shipped=${this.policy}
          @policy-change=${(event: CustomEvent<Uint8Array | null>) => (this.ownPolicy = event.detail)}
        ></ca-policy>
      </${main}>
      <${footer} class="footer" ?hidden=${state.kind === "working"}>
        <p>${this.say("footer")}</p>
        <p>${this.say("footer.credanchor")}</p>
      </${footer}>`;
  }

  /** Under the title: what the page is; later, the way to the next one, which is far below on a phone. */
  #under({ kind }: State): TemplateResult | typeof nothing {
    if (kind === "empty") return html`<p class="lead">${this.say("lead")}</p>`;
    if (kind === "working") return nothing;
    return html`<button type="button" class="link no-print" @click=${() => this.#toInput()}>
      ${this.say("input.another")} <span aria-hidden="true">&nbsp;↓</span>
    </button>`;
  }

  #toInput(): void {
    const input = this.renderRoot.querySelector("ca-input");
    if (!(input instanceof Given)) return;
    input.scrollIntoView();
    input.focusTitle();
  }

  get #policy(): Uint8Array | null {
    return this.ownPolicy ?? this.policy;
  }

  #languages(): TemplateResult {
    const choose = (language: Language): void => {
      speak(language);
      this.tell("language", language);
    };
    return html`<nav class="languages no-print" aria-label=${this.say("language")}>
      ${LANGUAGES.map(
        (language) =>
          html`<button
            type="button"
            lang=${language}
            aria-pressed=${language === words().language}
            @click=${() => choose(language)}
          >
            ${LANGUAGE_NAMES[language]}
          </button>`,
      )}
    </nav>`;
  }

  /** What a screen reader is told when the state changes; answers are read because the focus goes to them. */
  #announcement(): string {
    return this.state.kind === "working" ? this.say("working.checking") : "";
  }

  #now(): TemplateResult | typeof nothing {
    const { state } = this;
    switch (state.kind) {
      case "empty":
        return nothing;
      case "working":
        return html`<ca-progress .progress=${state.progress} @stop=${() => state.checking.stop()}></ca-progress>`;
      case "trouble":
        return html`<div>${this.#trouble(state.error)}</div>`;
      case "answered":
        return this.#report(state.report, state.policy);
    }
  }

  #report(report: Report, policy: Uint8Array): TemplateResult {
    const [first] = report.answers;
    const one = this.opened ?? (report.answers.length === 1 ? first : undefined);
    return html`<div>${this.#notes(report, policy)}</div>
      ${
        this.opened === null
          ? nothing
          : html`<div class="buttons after no-print">
              <button type="button" @click=${() => void this.#close()}>← ${this.say("answer.back")}</button>
            </div>`
      }
      ${
        one === undefined
          ? nothing
          : html`<ca-answer .answer=${one} .report=${report} ?stale=${this.isStale}></ca-answer>`
      }
      ${
        report.answers.length < 2
          ? nothing
          : html`<ca-table
              tabindex="-1"
              ?hidden=${this.opened !== null}
              .answers=${report.answers}
              .report=${report}
              @open-answer=${(event: CustomEvent<Answer>) => void this.#open(event.detail)}
            ></ca-table>`
      }
      ${
        report.answers.length === 0
          ? nothing
          : html`<ca-receipt .report=${report} .answer=${one ?? null} .policy=${policy}></ca-receipt>
              <div class="buttons after no-print">
                <button type="button" @click=${() => void this.#again()}>${this.say("stale.again")}</button>
              </div>`
      }`;
  }

  /** What makes an answer less than it seems stands above it. */
  #notes(report: Report, policy: Uint8Array): TemplateResult {
    const again = html`<div class="buttons">
      <button type="button" class="main" @click=${() => void this.#again()}>${this.say("stale.again")}</button>
    </div>`;
    const [basis] = report.bases;
    const moment = words().moment(basis?.blockAt ?? report.checkedAt);
    return html`${
      report.stopped
        ? html`<section class="card note">
            <p>${this.say(report.answers.length > 0 ? "stopped" : "stopped.nothing")}</p>
          </section>`
        : nothing
    }
    ${
      this.isStale
        ? html`<section class="card note" id="stale">
            <h2>${this.say("stale.title")}</h2>
            <p>${this.say("stale.text", { moment })}</p>
            ${again}
          </section>`
        : nothing
    }
    ${
      policy === this.#policy
        ? policy === this.policy
          ? nothing
          : html`<section class="card note"><p>${this.say("rules.changed")}</p></section>`
        : html`<section class="card note">
            <p>${this.say("rules.since")}</p>
            ${again}
          </section>`
    }`;
  }

  #trouble(error: unknown): TemplateResult {
    const { key, detail } = troubleOf(error);
    return html`<section class="card note" aria-labelledby="trouble">
      <h2 id="trouble" tabindex="-1">${this.say("error.title")}</h2>
      <p>${this.say(key)}</p>
      ${
        detail === ""
          ? nothing
          : html`<details>
              <summary>${this.say("error.details")}</summary>
              <p lang="en"><code>${plain(detail)}</code></p>
            </details>`
      }
      ${
        this.#given === null
          ? nothing
          : html`<div class="buttons">
              <button type="button" class="main" @click=${() => void this.#again()}>${this.say("error.again")}</button>
            </div>`
      }
    </section>`;
  }

  /** Check the same once more; perhaps for somebody else. */
  async #again(email = this.#given?.email): Promise<void> {
    if (this.#given !== null) await this.check({ ...this.#given, email: email ?? null });
  }

  async #check({ inputs, email, asOfBlock }: Gift): Promise<void> {
    if (this.state.kind === "working") this.state.checking.stop();
    clearTimeout(this.#staleTimer);
    this.opened = null;
    this.isStale = false;
    const policy = this.#policy;
    let checking: Checking | null = null;
    try {
      const request = { inputs, policy: requirePolicy(policy), holderEmail: email, asOfBlock } satisfies CheckRequest;
      if (this.checker === null) throw new Error("the page has no checker");
      const started = this.checker.check(request, (event) => this.#hear(started, event));
      checking = started;
      this.state = { kind: "working", checking: started, progress: STARTED };
      const report = await started.report;
      if (this.#isCurrent(checking)) this.state = { kind: "answered", report, policy: request.policy };
      else return;
      this.#watchAge();
    } catch (error) {
      if (checking !== null && !this.#isCurrent(checking)) return;
      this.state = { kind: "trouble", error };
    }
    await this.#showResult();
  }

  /** Another one may have been started meanwhile: what comes of this one is nobody's answer then. */
  #isCurrent(checking: Checking): boolean {
    return this.state.kind === "working" && this.state.checking === checking;
  }

  #hear(checking: Checking, event: CheckEvent): void {
    const { state } = this;
    if (state.kind !== "working" || state.checking !== checking) return;
    this.state = { ...state, progress: noteContact(state.progress, event) };
  }

  async #showResult(): Promise<void> {
    await this.updateComplete;
    if (this.everywhere) window.scrollTo({ top: 0, behavior: "instant" });
    else this.scrollIntoView({ block: "start", behavior: "instant" });
    const answer = this.renderRoot.querySelector("ca-answer");
    if (answer instanceof Answered) {
      await answer.updateComplete;
      answer.focusHeadline();
    } else {
      this.renderRoot.querySelector<HTMLElement>("#trouble, ca-table")?.focus();
    }
  }

  async #open(answer: Answer): Promise<void> {
    this.opened = answer;
    await this.#showResult();
  }

  async #close(): Promise<void> {
    this.opened = null;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("ca-table")?.focus();
  }

  /** Note when the answers become old, now or later. */
  #watchAge(): void {
    clearTimeout(this.#staleTimer);
    if (this.state.kind !== "answered" || this.state.report.asOfBlock || this.state.report.staleAt === null) return;
    const left = this.state.report.staleAt * 1000 - Date.now();
    this.isStale = left <= 0;
    if (left > 0) this.#staleTimer = setTimeout(() => this.#watchAge(), Math.min(left, LONGEST_WAIT_MS));
  }
}

function requirePolicy(policy: Uint8Array | null): Uint8Array {
  if (policy === null) throw new NoPolicyError();
  return policy;
}

define("ca-verifier", Verifier);
