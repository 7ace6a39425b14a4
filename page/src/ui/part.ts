// What all parts of the page have in common: they share one language and one look.

import { type CSSResultGroup, LitElement } from "lit";

import { base } from "./styles.js";
import { type CountKey, type Key, onLanguage, type Values, words } from "./words.js";

export abstract class Part extends LitElement {
  static override styles: CSSResultGroup = base;

  #stopListening: (() => void) | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopListening = onLanguage(() => this.requestUpdate());
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopListening?.();
    this.#stopListening = null;
  }

  protected say(key: Key, values?: Values): string {
    return words().say(key, values);
  }

  protected count(key: CountKey, count: number, values?: Values): string {
    return words().count(key, count, values);
  }

  /** Tell those above; it leaves shadow trees. */
  protected tell<T>(type: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(type, { detail, bubbles: true, composed: true }));
  }
}

/** Register an element; a page may hold two copies of the script. */
export function define(name: string, element: CustomElementConstructor): void {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}
