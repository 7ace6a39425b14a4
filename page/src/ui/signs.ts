// The signs beside answers and checks. They say nothing that the words do not: shapes differ, not only colours.

import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

import type { Tone } from "./standing.js";

export type Sign = Tone | "none";

const STROKES: Readonly<Record<Sign, SVGTemplateResult>> = {
  good: svg`<path d="M7 12.5l3.4 3.4L17 9" />`,
  bad: svg`<path d="M8 8l8 8M16 8l-8 8" />`,
  paused: svg`<path d="M9.5 8v8M14.5 8v8" />`,
  unsure: svg`<path d="M9.2 9.4a2.9 2.9 0 1 1 4.3 2.5c-1 .6-1.5 1.1-1.5 2.1M12 17v.01" />`,
  none: svg`<path d="M8 12h8" />`,
};

export function sign(tone: Sign): TemplateResult {
  return html`<svg class="sign" viewBox="0 0 24 24" aria-hidden="true">
    <circle class="disc" cx="12" cy="12" r="11" />
    <g class="stroke">${STROKES[tone]}</g>
  </svg>`;
}
