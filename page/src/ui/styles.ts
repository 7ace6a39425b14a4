// How the page looks: the colours and type of a learner's page (registry/web/page.css), in style sheets that parts share.

import { css } from "lit";

/** Colours and type; inherited by every part inside the element that has them. */
export const tokens = css`
  :host {
    color-scheme: light dark;
    --paper: #f3f0e9;
    --card: #fffdf9;
    --ink: #1c2833;
    --quiet: #52606b;
    --line: #ddd6c8;
    --edge: #8a8577;
    --accent: #0b5a6b;
    --on-accent: #fff;
    --good: #1c6b3c;
    --good-tint: #eaf4ec;
    --bad: #a3211f;
    --bad-tint: #fbebe8;
    --paused: #7a4d00;
    --paused-tint: #fbf1dc;
    --unsure: #47525c;
    --unsure-tint: #eceff1;
    --gold: #a77f35;
    --serif: "Iowan Old Style", "Palatino Linotype", Palatino, P052, "Book Antiqua", Georgia, serif;
    --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
    --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --paper: #11181d;
      --card: #19232a;
      --ink: #e9eef0;
      --quiet: #a9b6be;
      --line: #33424c;
      --edge: #71828d;
      --accent: #86cfdf;
      --on-accent: #06262e;
      --good: #7fd6a0;
      --good-tint: #16302a;
      --bad: #ff9c92;
      --bad-tint: #3a2020;
      --paused: #f0c270;
      --paused-tint: #352b17;
      --unsure: #c2ccd3;
      --unsure-tint: #25313a;
      --gold: #d3ae67;
    }
  }
  @media (prefers-contrast: more) {
    :host {
      --line: currentcolor;
      --edge: currentcolor;
      --quiet: var(--ink);
    }
  }
  @media print {
    :host {
      color-scheme: light;
      --paper: #fff;
      --card: #fff;
      --ink: #000;
      --quiet: #333;
      --line: #bbb;
      --edge: #777;
      --accent: #0b5a6b;
      --good: #1c6b3c;
      --good-tint: #fff;
      --bad: #a3211f;
      --bad-tint: #fff;
      --paused: #7a4d00;
      --paused-tint: #fff;
      --unsure: #333;
      --unsure-tint: #fff;
      --gold: #a77f35;
    }
  }
`;

/** What every part needs: text, links, cards, buttons, lists of facts. */
export const base = css`
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.18em;
    text-decoration-thickness: 0.07em;
  }
  a:hover {
    text-decoration-thickness: 0.14em;
  }
  :focus-visible {
    outline: 0.19rem solid var(--accent);
    outline-offset: 0.19rem;
    border-radius: 0.2rem;
  }
  h2:focus,
  h3:focus,
  section:focus {
    outline: none;
  }
  p {
    margin: 0 0 0.75rem;
  }
  h1,
  h2,
  h3 {
    line-height: 1.25;
    text-wrap: balance;
  }
  h2 {
    font-size: 1.1rem;
    margin: 0 0 0.6rem;
    color: var(--accent);
    letter-spacing: 0.005em;
  }
  h3 {
    font-size: 1rem;
    margin: 1.1rem 0 0.35rem;
  }
  code {
    font: 0.92em/1.5 var(--mono);
    overflow-wrap: anywhere;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: 0.9rem;
    margin-bottom: 1.1rem;
    padding: clamp(1.15rem, 4.5vw, 2.1rem);
  }
  .card > :last-child {
    margin-bottom: 0;
  }
  details.card {
    padding-block: 0.6rem;
  }
  details.card[open] {
    padding-bottom: 1rem;
  }
  .small {
    font-size: 0.92rem;
    color: var(--quiet);
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.6rem;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4em;
    min-height: 2.75rem;
    padding: 0.45rem 1.1rem;
    border: 0.1rem solid var(--accent);
    border-radius: 0.6rem;
    background: transparent;
    color: var(--accent);
    font: inherit;
    font-weight: 600;
    text-align: center;
    text-decoration: none;
    cursor: pointer;
  }
  button:hover,
  .button:hover {
    text-decoration: underline;
    text-underline-offset: 0.18em;
  }
  button.main,
  .button.main {
    background: var(--accent);
    color: var(--on-accent);
  }
  button.link {
    min-height: 2.75rem;
    padding-inline: 0.3rem;
    border-color: transparent;
    text-decoration: underline;
    text-underline-offset: 0.18em;
  }
  button[disabled] {
    opacity: 0.55;
    cursor: default;
  }
  label,
  .label {
    display: block;
    font-weight: 600;
    margin-bottom: 0.3rem;
  }
  input[type="text"],
  input[type="email"],
  input[type="url"],
  input[type="search"],
  textarea,
  select {
    width: 100%;
    min-height: 2.75rem;
    padding: 0.5rem 0.75rem;
    border: 1px solid var(--edge);
    border-radius: 0.5rem;
    background: var(--paper);
    color: var(--ink);
    font: inherit;
  }
  textarea {
    min-height: 7rem;
    font: 0.95rem/1.5 var(--mono);
    resize: vertical;
  }
  [aria-invalid="true"] {
    border-color: var(--bad) !important;
  }
  .wrong {
    color: var(--bad);
    font-weight: 600;
    margin: 0.4rem 0 0;
  }
  summary {
    min-height: 2.75rem;
    padding-block: 0.55rem;
    cursor: pointer;
    font-weight: 600;
    color: var(--accent);
  }
  dl {
    margin: 0 0 0.75rem;
  }
  dl > div {
    padding-block: 0.5rem;
    border-top: 1px solid var(--line);
  }
  dl > div:first-child {
    border-top: 0;
  }
  dt {
    color: var(--quiet);
    font-size: 0.92rem;
  }
  dd {
    margin: 0;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .good {
    --tone: var(--good);
    --tint: var(--good-tint);
  }
  .bad {
    --tone: var(--bad);
    --tint: var(--bad-tint);
  }
  .paused {
    --tone: var(--paused);
    --tint: var(--paused-tint);
  }
  .unsure {
    --tone: var(--unsure);
    --tint: var(--unsure-tint);
  }
  .sign {
    flex: none;
    width: 2.5rem;
    height: 2.5rem;
  }
  .disc {
    fill: var(--tone);
  }
  .stroke {
    fill: none;
    stroke: var(--tint);
    stroke-width: 2.2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  @media (min-width: 36rem) {
    .facts > div {
      display: grid;
      grid-template-columns: 11rem 1fr;
      gap: 1rem;
      align-items: baseline;
    }
  }
  @media (forced-colors: active) {
    .disc {
      fill: CanvasText;
    }
    .stroke {
      stroke: Canvas;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
  @media print {
    .no-print,
    button {
      display: none !important;
    }
    .card {
      border-radius: 0;
      border-inline-width: 0;
      padding: 4mm 5mm;
      margin-bottom: 3mm;
    }
    .disc {
      print-color-adjust: exact;
      -webkit-print-color-adjust: exact;
    }
    dl > div,
    li {
      break-inside: avoid;
    }
    h2,
    h3 {
      break-after: avoid;
    }
  }
`;
