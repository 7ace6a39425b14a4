// <ca-details .answer>: for experts. The way through the tree, drawn and as a list; what the proof says; the JSON itself.

import { css, html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";

import type { Anchor, Answer, Report } from "../model/model.js";
import { define, Part } from "./part.js";
import { plain } from "./stranger.js";
import { base } from "./styles.js";
import { type Step, type Way, wayOf } from "./tree.js";
import { type Key, words } from "./words.js";

const [BOX_WIDTH, BOX_HEIGHT, ROW] = [138, 26, 58];
const [WIDTH, MARGIN] = [320, 8];

export class Details extends Part {
  static override properties = {
    answer: { attribute: false },
    report: { attribute: false },
    said: { state: true },
  };
  declare answer: Answer | null;
  declare report: Report | null;
  /** What came of copying. */
  declare protected said: Key | null;

  static override styles = [
    base,
    css`
      h3:first-of-type {
        margin-top: 0.5rem;
      }
      svg.tree {
        display: block;
        width: 100%;
        max-width: 26rem;
        height: auto;
        margin: 0.5rem auto 1rem;
      }
      .tree rect {
        fill: var(--card);
        stroke: var(--edge);
      }
      .tree .own rect {
        stroke: var(--accent);
        stroke-width: 2;
      }
      .tree text {
        fill: var(--ink);
        font: 11px var(--mono);
        text-anchor: middle;
        dominant-baseline: central;
      }
      .tree path {
        fill: none;
        stroke: var(--edge);
      }
      .tree path.own {
        stroke: var(--accent);
        stroke-width: 2;
      }
      ol {
        margin: 0 0 0.75rem;
        padding-inline-start: 1.8rem;
      }
      ol li {
        margin-bottom: 0.6rem;
      }
      pre {
        max-height: 24rem;
        overflow: auto;
        margin: 0 0 0.75rem;
        padding: 0.75rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--paper);
        color: var(--ink);
        font: 0.85rem/1.5 var(--mono);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        direction: ltr;
        text-align: left;
      }
      @media (min-width: 36rem) {
        .facts > div {
          grid-template-columns: 13rem 1fr;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.answer = null;
    this.report = null;
    this.said = null;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("answer")) this.said = null;
  }

  protected override render(): unknown {
    const { answer } = this;
    if (answer === null) return nothing;
    const anchor = answer.facts?.anchor ?? null;
    return html`<details class="card no-print">
      <summary>${this.say("details.title")}</summary>
      ${this.#message(answer)} ${anchor === null ? nothing : this.#tree(anchor)}
      ${anchor === null ? nothing : this.#proof(anchor)} ${this.#raw(answer)}
      <p class="small">${this.say("details.again")} <code>credanchor verify FILE --policy POLICY</code></p>
    </details>`;
  }

  #message({ message, reason }: Answer): TemplateResult | typeof nothing {
    if (message === "") return nothing;
    return html`<h3>${this.say("details.message")}</h3>
      <p lang="en"><code>${reason}</code> <bdi>${plain(message)}</bdi></p>`;
  }

  #tree(anchor: Anchor): TemplateResult {
    const way = wayOf(anchor);
    const values = { place: anchor.leafIndex + 1, size: anchor.size, steps: way.steps.length };
    return html`<h3>${this.say("details.tree")}</h3>
      <p>${this.say("details.tree.text", values)}</p>
      <p>${this.say(way.leadsToRoot ? "details.tree.holds" : "details.tree.fails")}</p>
      ${way.steps.length === 0 ? nothing : this.#drawing(way)}
      ${
        way.steps.length === 0
          ? nothing
          : html`<details>
              <summary>${this.say("details.tree.list")}</summary>
              <ol>
                ${way.steps.map((step) => this.#step(step))}
              </ol>
            </details>`
      }`;
  }

  #step({ own, sibling, isRight, parent }: Step): TemplateResult {
    const [left, right] = isRight ? [sibling, own] : [own, sibling];
    return html`<li>
      ${this.say(isRight ? "details.step.right" : "details.step.left")}<br />
      <code>SHA-256(<br />${left} ‖<br />${right})<br />= ${parent}</code>
    </li>`;
  }

  /** From the leaf below to the root above; each node stands on the side on which it is. */
  #drawing({ steps, top }: Way): TemplateResult {
    const height = steps.length * ROW + BOX_HEIGHT + 2 * MARGIN;
    const rowOf = (place: number): number => height - MARGIN - BOX_HEIGHT / 2 - place * ROW;
    const middleOf = (isRight: boolean): number => (isRight ? WIDTH - MARGIN - BOX_WIDTH / 2 : MARGIN + BOX_WIDTH / 2);
    const parts = steps.map(({ own, sibling, isRight }, place): SVGTemplateResult => {
      const above = steps[place + 1];
      const [x, beside, y] = [middleOf(isRight), middleOf(!isRight), rowOf(place)];
      const [aboveX, aboveY] = [above === undefined ? WIDTH / 2 : middleOf(above.isRight), rowOf(place + 1)];
      return svg`${line(beside, y, aboveX, aboveY, "")}${line(x, y, aboveX, aboveY, "own")}
        ${box(beside, y, sibling, "")}${box(x, y, own, "own")}`;
    });
    return html`<svg
      class="tree"
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-label=${this.say("details.tree.alt")}
    >
      ${parts} ${box(WIDTH / 2, rowOf(steps.length), top, "own")}
    </svg>`;
  }

  #proof(anchor: Anchor): TemplateResult {
    const { registry, issuerId, root, size, leafIndex, leaf, salt, credentialHash, list, statusIndex } = anchor;
    const rows: readonly (readonly [Key, string])[] = [
      ["details.registry", registry],
      ["details.issuerId", String(issuerId)],
      ["details.root", root],
      ["details.size", words().number(size)],
      ["details.leafIndex", String(leafIndex)],
      ["details.leaf", leaf],
      ["details.salt", salt],
      ["details.credentialHash", credentialHash],
      ["details.position", `${list} / ${statusIndex}`],
    ];
    return html`<h3>${this.say("details.proof")}</h3>
      <dl class="facts">
        ${rows.map(
          ([key, value]) =>
            html`<div>
              <dt>${this.say(key)}</dt>
              <dd><code>${value}</code></dd>
            </div>`,
        )}
      </dl>`;
  }

  #raw({ raw }: Answer): TemplateResult | typeof nothing {
    if (raw === null) return html`<p class="small">${this.say("details.raw.none")}</p>`;
    return html`<h3 id="raw">${this.say("details.raw")}</h3>
      <pre tabindex="0" role="region" aria-labelledby="raw" dir="ltr">${raw}</pre>
      <div class="buttons">
        <button type="button" @click=${() => void this.#copy(raw)}>${this.say("details.copy")}</button>
        <span role="status">${this.said === null ? nothing : this.say(this.said)}</span>
      </div>`;
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.said = "details.copied";
    } catch {
      // Refused, or an old browser: the user copies what is marked.
      const shown = this.renderRoot.querySelector("pre");
      if (shown !== null) getSelection()?.selectAllChildren(shown);
      this.said = "details.marked";
    }
  }
}

function short(hash: string): string {
  return `${hash.slice(0, 8)}…${hash.slice(-4)}`;
}

function box(x: number, y: number, hash: string, name: string): SVGTemplateResult {
  return svg`<g class=${name}>
    <rect x=${x - BOX_WIDTH / 2} y=${y - BOX_HEIGHT / 2} width=${BOX_WIDTH} height=${BOX_HEIGHT} rx="5" />
    <text x=${x} y=${y}>${short(hash)}</text>
  </g>`;
}

function line(x: number, y: number, aboveX: number, aboveY: number, name: string): SVGTemplateResult {
  const middle = (y + aboveY) / 2;
  return svg`<path class=${name} d="M${x} ${y - BOX_HEIGHT / 2}V${middle}H${aboveX}V${aboveY + BOX_HEIGHT / 2}" />`;
}

define("ca-details", Details);
