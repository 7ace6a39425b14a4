// <ca-table .report>: many answers. How many of each kind; find, filter and sort; a row opens its answer.
// In pages, so that a thousand rows cost nothing; all of them are there for printing, and for who asks for them.

import { html, nothing, type TemplateResult } from "lit";

import type { Group } from "../checking/groups.js";
import { nameOf } from "../checking/output.js";
import type { Answer, Report } from "../model/model.js";
import { type Choice, chosen, countsOf, type Order, ORDERS } from "./many.js";
import { define, Part } from "./part.js";
import { sign } from "./signs.js";
import { headlineOf, toneOf, whyOf } from "./standing.js";
import { plain } from "./stranger.js";
import { tableStyles } from "./tableStyles.js";
import { base } from "./styles.js";
import { type Key, words } from "./words.js";

const PAGE_SIZE = 50;
const COLUMNS = ["answer", "name", "holder", "issuer", "file"] as const;
const ALL: Choice = { group: null, search: "", order: "attention" };

export class Table extends Part {
  static override properties = {
    report: { attribute: false },
    choice: { state: true },
    page: { state: true },
    isWhole: { state: true },
    isPrinting: { state: true },
  };
  declare report: Report | null;
  declare protected choice: Choice;
  /** From 0. */
  declare protected page: number;
  /** All rows were asked for at once. */
  declare protected isWhole: boolean;
  declare protected isPrinting: boolean;

  static override styles = [base, tableStyles];

  #rows: readonly Answer[] = [];
  #forget: AbortController | null = null;

  constructor() {
    super();
    this.report = null;
    this.choice = ALL;
    this.page = 0;
    this.isWhole = false;
    this.isPrinting = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#forget = new AbortController();
    const { signal } = this.#forget;
    const print = (isPrinting: boolean): void => {
      this.isPrinting = isPrinting;
      // The browser prints what is there when the event ends: it does not wait.
      this.performUpdate();
    };
    window.addEventListener("beforeprint", () => print(true), { signal });
    window.addEventListener("afterprint", () => print(false), { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget?.abort();
  }

  /** Put the focus on how many there are, so that it is what a screen reader reads first. */
  override focus(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector("h2")?.focus());
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("report")) {
      this.choice = ALL;
      this.page = 0;
      this.isWhole = false;
    }
    this.#rows = chosen(this.report?.answers ?? [], this.choice, words().language);
  }

  protected override render(): unknown {
    const { report } = this;
    if (report === null) return nothing;
    return html`<section class="card" aria-labelledby="title">
      <h2 id="title" tabindex="-1">${this.count("table.title", report.answers.length)}</h2>
      ${this.#counts(report)} ${this.#tools(report)} ${this.#table()} ${this.#pager()} ${this.#others(report)}
    </section>`;
  }

  /** What needs attention first; each is a filter. */
  #counts({ answers }: Report): TemplateResult {
    const button = (group: Group | null, count: number): TemplateResult => {
      const name = group === null ? this.say("table.all") : this.say(`table.group.${group}` satisfies Key);
      return html`<button
        type="button"
        class=${group ?? "all"}
        aria-pressed=${this.choice.group === group}
        @click=${() => this.#choose({ group })}
      >
        ${name} <b>${words().number(count)}</b>
      </button>`;
    };
    return html`<div class="groups" role="group" aria-label=${this.say("table.groups")}>
      ${button(null, answers.length)} ${countsOf(answers).map(([group, count]) => button(group, count))}
    </div>`;
  }

  #tools({ answers }: Report): TemplateResult {
    const { search, order } = this.choice;
    return html`<div class="tools no-print">
        <div>
          <label for="search">${this.say("table.search")}</label>
          <input
            id="search"
            type="search"
            autocomplete="off"
            spellcheck="false"
            .value=${search}
            @input=${(event: Event) => this.#choose({ search: valueOf(event) })}
          />
        </div>
        <div>
          <label for="order">${this.say("table.order")}</label>
          <select id="order" @change=${(event: Event) => this.#choose({ order: orderOf(valueOf(event)) })}>
            ${ORDERS.map(
              (each) =>
                html`<option value=${each} ?selected=${each === order}>
                  ${this.say(`table.order.${each}` satisfies Key)}
                </option>`,
            )}
          </select>
        </div>
      </div>
      <p class="small" role="status">${this.count("table.shown", this.#rows.length, { total: answers.length })}</p>`;
  }

  #table(): TemplateResult | typeof nothing {
    const rows = this.#shown();
    if (rows.length === 0) return nothing;
    // Narrow screens show rows as cards, which takes the table's meaning away in some browsers: the roles put it back.
    return html`<table role="table" aria-labelledby="title">
      <thead role="rowgroup">
        <tr role="row">
          ${COLUMNS.map((column) => html`<th role="columnheader" scope="col">${this.say(`table.${column}`)}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((answer) => this.#row(answer))}
      </tbody>
    </table>`;
  }

  #shown(): readonly Answer[] {
    if (this.isPrinting || this.isWhole) return this.#rows;
    return this.#rows.slice(this.page * PAGE_SIZE, (this.page + 1) * PAGE_SIZE);
  }

  #row(answer: Answer): TemplateResult {
    const { facts, source, confirmed } = answer;
    const file = plain(nameOf(source));
    const name = plain(facts?.name ?? "");
    const cell = (key: Key, text: string, more = ""): TemplateResult =>
      html`<td role="cell" class=${text + more === "" ? "empty" : ""}>
        <span class="label" aria-hidden="true">${this.say(key)}</span><bdi>${text}</bdi>
        ${more === "" ? nothing : html`<p class="small"><bdi>${more}</bdi></p>`}
      </td>`;
    return html`<tr role="row" class=${confirmed ? "" : "unconfirmed"}>
      <td role="cell" class="result ${toneOf(answer)}">
        <div class="said">
          ${sign(toneOf(answer))}
          <div>
            <b>${headlineOf(answer, words())}</b>
            ${answer.outcome === "valid" && answer.holder === null ? nothing : html`<p>${whyOf(answer, words())}</p>`}
          </div>
        </div>
      </td>
      <td role="cell">
        <button type="button" class="link" @click=${() => this.tell("open-answer", answer)}>
          <bdi>${name === "" ? file || this.say("facts.unnamed") : name}</bdi>
        </button>
        ${confirmed || facts === null ? nothing : html`<p class="small">${this.say("table.unconfirmed")}</p>`}
      </td>
      ${cell("table.holder", plain(facts?.holderName ?? ""))}
      ${cell("table.issuer", plain(facts?.issuerName ?? ""), plain(facts?.issuerDid ?? ""))} ${cell("table.file", file)}
    </tr>`;
  }

  #pager(): TemplateResult | typeof nothing {
    const pages = Math.ceil(this.#rows.length / PAGE_SIZE);
    if (pages < 2) return nothing;
    const whole = html`<button type="button" @click=${() => this.#showWhole(!this.isWhole)}>
      ${this.isWhole ? this.say("table.paged") : this.count("table.whole", this.#rows.length)}
    </button>`;
    if (this.isWhole) return html`<div class="buttons pager no-print">${whole}</div>`;
    const place = this.say("table.page", { page: this.page + 1, pages });
    return html`<nav class="buttons pager no-print" aria-label=${this.say("table.pages")}>
      <button type="button" ?disabled=${this.page === 0} @click=${() => this.#turn(-1)}>
        ${this.say("table.previous")}
      </button>
      <span role="status">${place}</span>
      <button type="button" ?disabled=${this.page + 1 >= pages} @click=${() => this.#turn(1)}>
        ${this.say("table.next")}
      </button>
      ${whole}
    </nav>`;
  }

  /** What lay among the credentials and is none is not passed over in silence. */
  #others({ otherFiles }: Report): TemplateResult | typeof nothing {
    if (otherFiles.length === 0) return nothing;
    return html`<details>
      <summary>${this.count("table.others", otherFiles.length)}</summary>
      <ul>
        ${otherFiles.map(({ source }) => html`<li><bdi>${plain(nameOf(source))}</bdi></li>`)}
      </ul>
    </details>`;
  }

  #choose(change: Partial<Choice>): void {
    this.choice = { ...this.choice, ...change };
    this.page = 0;
  }

  #showWhole(isWhole: boolean): void {
    this.isWhole = isWhole;
    this.page = 0;
  }

  #turn(by: number): void {
    this.page += by;
    this.renderRoot.querySelector("h2")?.scrollIntoView({ block: "start" });
  }
}

function valueOf(event: Event): string {
  const { target } = event;
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target.value : "";
}

function orderOf(text: string): Order {
  return ORDERS.find((each) => each === text) ?? "attention";
}

define("ca-table", Table);
