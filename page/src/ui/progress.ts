// <ca-progress .progress>: what is being done, how far it is, and who is being asked for it. Tells `stop`.

import { css, html, nothing } from "lit";

import { GROUPS, groupOf } from "../checking/groups.js";
import type { Answer, CheckEvent } from "../model/model.js";
import { define, Part } from "./part.js";
import { plain } from "./stranger.js";
import { base } from "./styles.js";
import { words } from "./words.js";

type Purpose = Extract<CheckEvent, { readonly kind: "contacting" }>["purpose"];

export interface Progress {
  /** Credentials read so far. */
  readonly read: number;
  readonly answers: readonly Answer[];
  /** Null until all have been read. */
  readonly total: number | null;
  /** Who was asked, each once for each purpose. */
  readonly asked: readonly { readonly host: string; readonly purpose: Purpose }[];
}

export const STARTED: Progress = { read: 0, answers: [], total: null, asked: [] };

/** Add what happened. */
export function noteContact(progress: Progress, event: CheckEvent): Progress {
  switch (event.kind) {
    case "reading":
      return { ...progress, read: event.count };
    case "contacting": {
      const { host, purpose } = event;
      const isKnown = progress.asked.some((each) => each.host === host && each.purpose === purpose);
      return isKnown ? progress : { ...progress, asked: [...progress.asked, { host, purpose }] };
    }
    case "answers":
      return { ...progress, answers: [...progress.answers, ...event.answers], total: event.total };
  }
}

/** After so long it is said that it takes longer than usual. */
const SLOW_AFTER_MS = 8_000;

export class Progressing extends Part {
  static override properties = { progress: { attribute: false }, isSlow: { state: true } };
  declare progress: Progress;
  declare protected isSlow: boolean;

  static override styles = [
    base,
    css`
      progress {
        width: 100%;
        height: 0.6rem;
        margin-bottom: 0.75rem;
        accent-color: var(--accent);
      }
      ul {
        margin: 0 0 0.75rem;
        padding-inline-start: 1.4rem;
      }
      .counts {
        font-variant-numeric: tabular-nums;
      }
      .top {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1rem;
        align-items: center;
        justify-content: space-between;
        margin-bottom: 0.9rem;
      }
      .so-far {
        min-height: 1.6em;
      }
      .top h2 {
        margin: 0;
      }
    `,
  ];

  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.progress = STARTED;
    this.isSlow = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setTimeout(() => (this.isSlow = true), SLOW_AFTER_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  protected override render(): unknown {
    const { read, answers, total, asked } = this.progress;
    const isReading = read === 0 && total === null;
    const title = this.say(isReading ? "working.reading" : "working.checking");
    return html`<section class="card" aria-labelledby="title">
      <div class="top">
        <h2 id="title">${`${title} …`}</h2>
        <button type="button" @click=${() => this.tell("stop", null)}>${this.say("working.stop")}</button>
      </div>
      <progress
        aria-label=${title}
        max=${total ?? nothing}
        value=${total === null ? nothing : answers.length}
      ></progress>
      <p class="counts">
        ${total === null ? this.count("working.read", read) : this.say("working.done", { done: answers.length, total })}
      </p>
      <p class="counts so-far">${total === null || total < 2 ? nothing : this.#soFar()}</p>
      ${
        asked.length === 0
          ? html`<p>${this.say("working.asked.none")}</p>`
          : html`<p>${this.say("working.asked")}</p>
              <ul>
                ${asked.map(
                  ({ host, purpose }) =>
                    html`<li>
                      <code><bdi>${plain(host)}</bdi></code>
                      <span class="small">(${this.say(`working.${purpose}`)})</span>
                    </li>`,
                )}
              </ul>`
      }
      ${this.isSlow ? html`<p class="small">${this.say("working.slow")}</p>` : nothing}
    </section>`;
  }

  /** How many there are of each kind, what needs attention first. */
  #soFar(): string {
    const counted = GROUPS.map((group) => {
      const number = this.progress.answers.filter((answer) => groupOf(answer) === group).length;
      return number === 0 ? "" : `${this.say(`answer.${group}`)}: ${words().number(number)}`;
    });
    return counted.filter((each) => each !== "").join(" · ");
  }
}

define("ca-progress", Progressing);
