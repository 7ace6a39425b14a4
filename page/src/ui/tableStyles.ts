// How the table of many answers looks: rows on wide screens and paper, cards on narrow ones.

import { css } from "lit";

export const tableStyles = css`
  .groups {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    margin-bottom: 1rem;
  }
  .groups button {
    border-color: var(--edge);
    padding-inline: 0.8rem;
    gap: 0.5rem;
    font-weight: 400;
    color: var(--ink);
  }
  .groups button[aria-pressed="true"] {
    border-color: var(--accent);
    outline: 0.1rem solid var(--accent);
    background: var(--paper);
  }
  .groups .notValid b,
  .groups .otherPerson b {
    color: var(--bad);
  }
  .groups .valid b {
    color: var(--good);
  }
  .tools {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
    gap: 0.75rem 1rem;
    margin-bottom: 0.75rem;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    table-layout: fixed;
    font-size: 0.95rem;
    line-height: 1.4;
  }
  th {
    text-align: start;
    color: var(--quiet);
    font-weight: 600;
    font-size: 0.88rem;
    border-bottom: 1px solid var(--edge);
  }
  th,
  td {
    padding: 0.55rem 0.6rem;
    vertical-align: top;
    overflow-wrap: anywhere;
  }
  th:first-child {
    width: 27%;
  }
  th:nth-child(4) {
    width: 24%;
  }
  td {
    border-top: 1px solid var(--line);
  }
  td .small {
    line-height: 1.35;
  }
  td p {
    margin: 0.1rem 0 0;
  }
  .said {
    display: flex;
    gap: 0.6rem;
  }
  .result b {
    color: var(--tone);
  }
  .result p {
    font-size: 0.9rem;
  }
  .result .sign {
    width: 1.5rem;
    height: 1.5rem;
  }
  td .link {
    display: inline;
    min-height: 1.5rem;
    padding: 0;
    border: 0;
    text-align: start;
    font-weight: 600;
  }
  .unconfirmed td:not(.result) {
    color: var(--quiet);
  }
  .label {
    display: none;
  }
  .pager {
    margin-top: 1rem;
  }
  @media screen and (max-width: 47.99rem) {
    table,
    tbody,
    tr,
    td {
      display: block;
    }
    thead {
      position: absolute;
      clip-path: inset(50%);
      width: 1px;
      height: 1px;
      overflow: hidden;
    }
    tr {
      padding-block: 0.75rem;
      border-top: 1px solid var(--edge);
    }
    td {
      border: 0;
      padding: 0.2rem 0;
    }
    td.empty {
      display: none;
    }
    td .link {
      min-height: 2.75rem;
    }
    .label {
      display: block;
      color: var(--quiet);
      font-size: 0.85rem;
    }
  }
  @media print {
    .groups button {
      display: inline-flex !important;
      min-height: 0;
      padding: 0.5mm 2mm;
    }
    td .link {
      display: inline !important;
      color: inherit;
      text-decoration: none;
    }
    table,
    .result p,
    td .small {
      font-size: 8pt;
      line-height: 1.25;
    }
    th,
    td {
      padding: 0.8mm 1.5mm;
    }
    .result .sign {
      width: 4mm;
      height: 4mm;
    }
    thead {
      display: table-header-group;
    }
    tr {
      break-inside: avoid;
    }
  }
`;
