// How <ca-verifier> lays the page out.

import { css } from "lit";

export const appStyles = css`
  :host {
    background: var(--paper);
    color: var(--ink);
    font: 1.0625rem/1.6 var(--sans);
    overflow-wrap: anywhere;
    hyphens: manual;
  }
  :host([everywhere]) {
    min-height: 100vh;
  }
  .header,
  .main > *,
  .footer {
    max-width: 46rem;
    margin-inline: auto;
    padding-inline: clamp(0.9rem, 4vw, 1.5rem);
  }
  .main > ca-table {
    max-width: 72rem;
  }
  /* It has no box: one that moved would count as movement, though all that is in it is new. */
  .main {
    display: contents;
  }
  .said {
    position: fixed;
    top: 0;
  }
  .header {
    padding-block: 1rem 0.75rem;
  }
  .top {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1.5rem;
    align-items: center;
    justify-content: space-between;
  }
  .title {
    font: 600 clamp(1.65rem, 1.2rem + 2.2vw, 2.3rem) / 1.18 var(--serif);
    margin: 0;
    color: inherit;
    letter-spacing: normal;
  }
  .lead {
    margin: 0.4rem 0 0.6rem;
    max-width: 38rem;
  }
  .under {
    min-height: 2.75rem;
  }
  .languages {
    display: flex;
    gap: 0.25rem;
    margin-inline-start: auto;
  }
  .languages button {
    border-color: transparent;
    border-radius: 0;
    padding-inline: 0.6rem;
    font-weight: 400;
    text-decoration: underline;
    text-underline-offset: 0.18em;
  }
  .languages button[aria-pressed="true"] {
    font-weight: 600;
    text-decoration: none;
    border-bottom: 0.15rem solid var(--accent);
  }
  .note {
    border-inline-start: 0.4rem solid var(--paused);
    background: var(--paused-tint);
    padding-block: 1rem;
  }
  .note h2 {
    color: var(--paused);
    margin-bottom: 0.25rem;
  }
  .note .buttons {
    margin-top: 0.6rem;
  }
  .after {
    margin-bottom: 1.1rem;
  }
  .footer {
    padding-block: 0.5rem 2.5rem;
    color: var(--quiet);
    font-size: 0.92rem;
    text-align: center;
  }
  .footer p {
    margin: 0;
  }
  @media print {
    :host([everywhere]) {
      min-height: 0;
    }
    .header,
    .main > *,
    .main > ca-table,
    .footer {
      max-width: none;
      padding-inline: 0;
    }
    .lead,
    .footer {
      display: none;
    }
  }
`;
