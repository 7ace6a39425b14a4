// <ca-answer .answer>: the one answer. First what came of it, why, and what to do; then who, what, by whom, when; whom to
// ask; the checks in plain words; what it rests on.

import { css, html, nothing, type TemplateResult } from "lit";

import { groupOf } from "../checking/groups.js";
import type { Answer, Basis, Facts, Report } from "../model/model.js";
import type { Check, Finding } from "../core/verdict.js";
import { define, Part } from "./part.js";
import { type Sign, sign } from "./signs.js";
import { adviceOf, findingOf, headlineOf, toneOf, whyOf } from "./standing.js";
import { mailLink, plain, quoted, safeLink } from "./stranger.js";
import { base } from "./styles.js";
import { type Key, words } from "./words.js";

const CHECK_SIGNS: Readonly<Record<Finding["status"], Sign>> = {
  passed: "good",
  failed: "bad",
  unknown: "unsure",
  notApplicable: "none",
  skipped: "none",
};

export class Answered extends Part {
  static override properties = { answer: { attribute: false }, report: { attribute: false }, stale: { type: Boolean } };
  declare answer: Answer | null;
  /** The report that it is in: when it was checked, and what was asked. */
  declare report: Report | null;
  /** It is older than the policy allows: nothing in it is said as of now. */
  declare stale: boolean;

  static override styles = [
    base,
    css`
      .headline {
        display: flex;
        gap: 1rem;
        align-items: flex-start;
        border-inline-start: 0.4rem solid var(--tone);
        background: var(--tint);
      }
      .headline > div {
        min-width: 0;
        flex: 1;
      }
      .headline h2 {
        margin: 0 0 0.35rem;
        color: var(--tone);
        font: 600 clamp(1.5rem, 1.25rem + 1.2vw, 2rem) / 1.2 var(--serif);
      }
      .headline p:last-child {
        margin-bottom: 0;
      }
      .why {
        font-size: 1.1rem;
      }
      .headline .sign {
        width: clamp(2.5rem, 2rem + 2vw, 3.25rem);
        height: clamp(2.5rem, 2rem + 2vw, 3.25rem);
      }
      .award {
        text-align: center;
        margin-bottom: 1.25rem;
      }
      .award .name {
        font: 600 clamp(1.35rem, 1.1rem + 1.6vw, 1.9rem) / 1.25 var(--serif);
        margin: 0 0 0.4rem;
        overflow-wrap: anywhere;
        text-wrap: balance;
      }
      .award .holder {
        font: 500 clamp(1.15rem, 1rem + 0.9vw, 1.5rem) / 1.3 var(--serif);
        margin: 0;
        overflow-wrap: anywhere;
      }
      .unconfirmed {
        border-style: dashed;
        border-color: var(--edge);
      }
      .unconfirmed .award .name,
      .unconfirmed .award .holder {
        font-family: inherit;
        font-weight: 500;
      }
      .checks {
        list-style: none;
        margin: 0.5rem 0 0;
        padding: 0;
      }
      .checks li {
        display: grid;
        grid-template-columns: 1.6rem 1fr;
        gap: 0 0.75rem;
        padding-block: 0.6rem;
        border-top: 1px solid var(--line);
      }
      .checks li:first-child {
        border-top: 0;
      }
      .checks .sign {
        width: 1.5rem;
        height: 1.5rem;
      }
      .checks p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .none {
        --tone: var(--edge);
        --tint: var(--card);
      }
      .what {
        font-weight: 600;
      }
      .result {
        font-weight: 400;
        color: var(--quiet);
        font-size: 0.92rem;
      }
      @media (max-width: 22rem) {
        .headline {
          display: block;
        }
        .headline .sign {
          margin-bottom: 0.6rem;
        }
      }
      @media print {
        .headline {
          border-inline-start-width: 1.5mm;
          break-inside: avoid;
        }
        .checks .sign {
          width: 4mm;
          height: 4mm;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.answer = null;
    this.report = null;
    this.stale = false;
  }

  #forget: AbortController | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#forget = new AbortController();
    // On paper, nothing can be opened.
    window.addEventListener("beforeprint", () => this.#openAll(), { signal: this.#forget.signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget?.abort();
  }

  #openAll(): void {
    this.renderRoot.querySelectorAll("details").forEach((details) => (details.open = true));
  }

  /** Put the focus on the headline, so that it is what a screen reader reads first. */
  focusHeadline(): void {
    this.renderRoot.querySelector<HTMLElement>("h2")?.focus();
  }

  protected override render(): unknown {
    const { answer } = this;
    if (answer === null) return nothing;
    const { facts, confirmed, basis } = answer;
    return html`${this.#headline(answer)} ${facts === null ? nothing : this.#facts(answer, facts)}
      ${confirmed && facts !== null ? this.#whomToAsk(facts) : nothing} ${this.#checks(answer)}
      ${this.#basis(answer, basis)} <ca-details .answer=${answer} .report=${this.report}></ca-details>`;
  }

  #headline(answer: Answer): TemplateResult {
    const isOldNews = this.stale && answer.outcome === "valid";
    const tone = isOldNews ? "unsure" : toneOf(answer);
    return html`<section class="headline card ${tone}" aria-labelledby="headline">
      ${sign(tone)}
      <div>
        <h2 id="headline" tabindex="-1">
          ${isOldNews && groupOf(answer) === "valid" ? this.say("stale.headline") : headlineOf(answer, words())}
        </h2>
        <p class="why">${isOldNews && groupOf(answer) === "valid" ? this.say("stale.why") : whyOf(answer, words())}</p>
        <p>${adviceOf(answer, words())}</p>
      </div>
    </section>`;
  }

  #facts(answer: Answer, facts: Facts): TemplateResult {
    const { confirmed, source, basis } = answer;
    const name = plain(facts.name);
    return html`<section class="card ${confirmed ? "" : "unconfirmed"}" aria-labelledby="facts">
      <h2 id="facts">${this.say(confirmed ? "facts.title" : "facts.unconfirmed.title")}</h2>
      ${confirmed ? nothing : html`<p>${this.say("facts.unconfirmed")}</p>`}
      <div class="award">
        <p class="name">${name === "" ? this.say("facts.unnamed") : html`<bdi>${name}</bdi>`}</p>
        <p class="holder">
          <span class="unseen">${this.say("facts.holder.is")}</span>${
            plain(facts.holderName) === ""
              ? html`<span class="small">${this.say("facts.holder.none")}</span>`
              : html`<bdi>${plain(facts.holderName)}</bdi>`
          }
        </p>
      </div>
      <dl class="facts">
        ${this.#fact("facts.issuer", plain(facts.issuerName))}
        <div>
          <dt>${this.say("facts.issuer.did")}</dt>
          <dd>
            <code><bdi>${plain(facts.issuerDid)}</bdi></code>
          </dd>
        </div>
        ${this.#moment("facts.anchored", facts.anchoredAt)} ${this.#validity(facts)}
        ${
          basis === null
            ? nothing
            : html`<div>
                <dt>${this.say("facts.status")}</dt>
                <dd>
                  ${this.say("facts.block", { moment: words().moment(basis.blockAt), number: String(basis.blockNumber) })}
                </dd>
              </div>`
        }
        ${this.#fact("facts.file", fileOf(source))}
      </dl>
      ${facts.issuerDid === "" ? nothing : html`<p class="small">${this.say("facts.issuer.note")}</p>`}
    </section>`;
  }

  #fact(label: Key, text: string): TemplateResult | typeof nothing {
    if (text === "") return nothing;
    return html`<div>
      <dt>${this.say(label)}</dt>
      <dd><bdi>${text}</bdi></dd>
    </div>`;
  }

  #moment(label: Key, at: number | null): TemplateResult | typeof nothing {
    return at === null ? nothing : this.#fact(label, words().moment(at));
  }

  #validity({ validFrom, validUntil }: Facts): TemplateResult | typeof nothing {
    const from = validFrom === null ? "" : words().day(validFrom);
    const until = validUntil === null ? "" : words().day(validUntil);
    if (from === "" && until === "") return nothing;
    const key = from === "" ? "facts.valid.until" : until === "" ? "facts.valid.from" : "facts.valid.both";
    return this.#fact("facts.valid", this.say(key, { from, until }));
  }

  /** Only what the ledger confirmed: who forged a credential must not be the one who is asked about it. */
  #whomToAsk({ issuerName, issuerUrl, issuerEmail }: Facts): TemplateResult | typeof nothing {
    const name = plain(issuerName);
    if (issuerUrl === "" && issuerEmail === "" && name === "") return nothing;
    const link = safeLink(issuerUrl);
    const mail = mailLink(issuerEmail);
    return html`<section class="card" aria-labelledby="ask">
      <h2 id="ask">${this.say("facts.ask")}</h2>
      ${name === "" ? nothing : html`<p><bdi>${name}</bdi></p>`}
      ${
        issuerEmail === ""
          ? nothing
          : html`<p>
              ${mail === null ? html`<bdi>${plain(issuerEmail)}</bdi>` : html`<a href=${mail}>${plain(issuerEmail)}</a>`}
            </p>`
      }
      ${
        issuerUrl === ""
          ? nothing
          : html`<p>
              ${
                link === null
                  ? html`<bdi>${plain(issuerUrl)}</bdi>`
                  : html`<a href=${link} target="_blank" rel="noopener noreferrer">${plain(issuerUrl)}</a>`
              }
            </p>`
      }
      <p class="small">${this.say("facts.ask.note")}</p>
    </section>`;
  }

  #checks({ checks }: Answer): TemplateResult | typeof nothing {
    if (checks.length === 0) return nothing;
    const counted = (status: Finding["status"]): number => checks.filter((check) => check.status === status).length;
    const [passed, failed, open] = [counted("passed"), counted("failed"), counted("unknown")];
    const said = [this.count("checks.passed", passed)];
    if (failed > 0) said.push(this.count("checks.failed", failed));
    if (open > 0) said.push(this.count("checks.unknown", open));
    return html`<details class="card">
      <summary>${this.say("checks.summary", { title: this.say("checks.title"), counts: said.join(" · ") })}</summary>
      <ol class="checks" role="list">
        ${checks.map((check) => this.#check(check))}
      </ol>
    </details>`;
  }

  #check(check: Check): TemplateResult {
    const { name, status, detail } = check;
    return html`<li class=${CHECK_SIGNS[status]}>
      ${sign(CHECK_SIGNS[status])}
      <div>
        <p class="what">
          ${this.say(`check.${name}` satisfies Key)}
          <span class="result">– ${this.say(`status.${status}` satisfies Key)}</span>
        </p>
        <p>${findingOf(check, words())}</p>
        <p class="small" lang="en"><bdi>${plain(detail)}</bdi></p>
      </div>
    </li>`;
  }

  #basis(answer: Answer, basis: Basis | null): TemplateResult | typeof nothing {
    if (answer.checks.length === 0) return nothing;
    const { contacted } = answer;
    const asked =
      contacted.length === 0
        ? this.say("basis.contacted.none")
        : this.say("basis.contacted", { hosts: words().list(contacted.map(quoted)) });
    const report = this.report;
    return html`<section class="card" aria-labelledby="basis">
      <h2 id="basis">${this.say("basis.title")}</h2>
      ${basis === null ? html`<p>${this.say("basis.none")}</p>` : this.#block(basis)}
      <p>${asked}</p>
      ${report === null ? nothing : html`<p>${this.say("basis.clock", { moment: words().moment(report.checkedAt) })}</p>`}
    </section>`;
  }

  #block(basis: Basis): TemplateResult {
    const nodes = words().list(basis.vouchedBy.map(quoted));
    const { vouching } = basis;
    const said =
      words().find(`basis.${vouching}`, { nodes, count: basis.vouchedBy.length, asked: basis.nodesAsked }) ??
      this.say("basis.other", { nodes });
    return html`<p>${this.say("basis.proven")} ${said}</p>
      ${this.report?.asOfBlock === true ? html`<p>${this.say("basis.asOf")}</p>` : nothing}
      <dl class="facts">
        <div>
          <dt>${this.say("basis.registry")}</dt>
          <dd>
            ${basis.registryName === "" ? nothing : html`<bdi>${plain(basis.registryName)}</bdi><br />`}
            <code>${basis.registry}</code>
          </dd>
        </div>
        <div>
          <dt>${this.say("basis.block")}</dt>
          <dd>
            ${this.say("facts.block", { moment: words().moment(basis.blockAt), number: String(basis.blockNumber) })}<br />
            <code>${basis.blockHash}</code>
          </dd>
        </div>
      </dl>`;
  }
}

/** Where it came from, in the user's own words: his file's name, or his link's address. */
function fileOf({ path, member, address }: Answer["source"]): string {
  const of = plain(path ?? address ?? "");
  if (member === null) return of;
  return of === "" ? plain(member) : words().say("facts.member", { member: quoted(member), archive: quoted(of) });
}

define("ca-answer", Answered);
