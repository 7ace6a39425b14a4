// <ca-receipt .report .policy>: what can be kept of a checking, and what that is worth. On paper it says by which rules, and
// when, it was checked.

import { css, html, nothing } from "lit";
import { sha256 } from "@noble/hashes/sha2.js";

import { toHex } from "../core/bytes.js";
import { csvOf, jsonOf } from "../checking/output.js";
import type { Answer, Report } from "../model/model.js";
import { save } from "./download.js";
import { define, Part } from "./part.js";
import { base } from "./styles.js";
import { words } from "./words.js";

export class Receipt extends Part {
  static override properties = {
    report: { attribute: false },
    answer: { attribute: false },
    policy: { attribute: false },
  };
  declare report: Report | null;
  /** The one that is looked at, if it is one. */
  declare answer: Answer | null;
  /** The policy's file by which it was checked. */
  declare policy: Uint8Array | null;

  static override styles = [
    base,
    css`
      .buttons {
        margin-bottom: 0.75rem;
      }
      @media print {
        section {
          break-inside: avoid;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.report = null;
    this.answer = null;
    this.policy = null;
  }

  protected override render(): unknown {
    const { report, policy } = this;
    if (report === null) return nothing;
    const isMany = report.answers.length > 1;
    const day = dayOf(report.checkedAt);
    const json = (): void => save(jsonOf(report), `credanchor-${day}.json`, "application/json");
    const csv = (): void => save(csvOf(report), `credanchor-${day}.csv`, "text/csv;charset=utf-8");
    return html`<section class="card" aria-labelledby="title">
      <h2 id="title">${this.say("receipt.title")}</h2>
      <div class="buttons no-print">
        ${isMany ? html`<button type="button" class="main" @click=${csv}>${this.say("receipt.csv")}</button>` : nothing}
        <button type="button" @click=${json}>${this.say("receipt.json")}</button>
        <button type="button" @click=${() => window.print()}>${this.say("receipt.print")}</button>
      </div>
      <p>${this.say("receipt.worth")}</p>
      <p class="small no-print">${this.say("receipt.signed")} <code>credanchor verify --receipt</code></p>
      <dl class="facts">
        <div>
          <dt>${this.say("receipt.checked")}</dt>
          <dd>${words().moment(report.checkedAt)}</dd>
        </div>
        ${
          policy === null
            ? nothing
            : html`<div>
                <dt>${this.say("receipt.policy")}</dt>
                <dd><code>${toHex(sha256(policy))}</code></dd>
              </div>`
        }
      </dl>
    </section>`;
  }
}

/** For file names: in UTC, so that they sort. */
function dayOf(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 16).replace(/[T:]/g, "-");
}

define("ca-receipt", Receipt);
