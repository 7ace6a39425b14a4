// <ca-policy-form .policy>: change nodes, what vouches, pin a block, add a registry. Tells `policy-made` (the new file); what
// cannot be used is said at its field.

import { css, html, nothing, type TemplateResult } from "lit";

import type { Policy } from "../core/policy.js";
import { define, Part } from "./part.js";
import { changed, isNodeAddress, readPolicy, VOUCHINGS } from "./rules.js";
import { plain } from "./stranger.js";
import { base } from "./styles.js";
import type { Key } from "./words.js";

type Field = "nodes" | "agreeing" | "block" | "registry" | "code" | "form";
interface Wrong {
  readonly field: Field;
  readonly key: Key;
  /** For experts, in English. */
  readonly detail: string;
}

const HASH = /^0x[0-9a-f]{64}$/;
const REGISTRY = /^eip155:[1-9][0-9]{0,31}:0x[0-9a-f]{40}$/;
const CHAIN = /^[1-9][0-9]{0,31}$/;

export class PolicyForm extends Part {
  static readonly NAME = "ca-policy-form";
  static override properties = {
    policy: { attribute: false },
    vouching: { state: true },
    wrong: { state: true },
  };
  declare policy: Uint8Array | null;
  /** What is chosen, before it is applied. */
  declare protected vouching: Policy["vouching"];
  declare protected wrong: Wrong | null;

  static override styles = [
    base,
    css`
      form > div,
      fieldset > div {
        margin-bottom: 0.9rem;
      }
      fieldset {
        margin: 0 0 0.9rem;
        padding: 0.75rem 1rem 0;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        min-width: 0;
      }
      legend {
        font-weight: 600;
        padding-inline: 0.3rem;
      }
      .small {
        margin: 0.25rem 0 0;
      }
      textarea {
        min-height: 5.5rem;
      }
    `,
  ];

  constructor() {
    super();
    this.policy = null;
    this.vouching = "oneNode";
    this.wrong = null;
  }

  /** What was typed and not applied is dropped. */
  forgetInput(): void {
    this.renderRoot.querySelector("form")?.reset();
    this.wrong = null;
  }

  protected override willUpdate(changes: Map<PropertyKey, unknown>): void {
    if (!changes.has("policy")) return;
    this.vouching = readPolicy(this.policy)?.vouching ?? "oneNode";
    this.wrong = null;
  }

  protected override render(): unknown {
    const policy = readPolicy(this.policy);
    return html`<details>
      <summary>${this.say("policy.change")}</summary>
      <form
        novalidate
        @submit=${(event: Event) => {
          event.preventDefault();
          this.#apply();
        }}
      >
        ${this.#vouching()}
        <div>
          <label for="nodes">${this.say("policy.nodes.label")}</label>
          <textarea
            id="nodes"
            spellcheck="false"
            autocomplete="off"
            aria-invalid=${this.#isWrong("nodes")}
            aria-describedby="nodes-hint nodes-wrong"
            .value=${(policy?.nodes ?? []).join("\n")}
          ></textarea>
          <p class="small" id="nodes-hint">${this.say("policy.nodes.hint")}</p>
          ${this.#complaint("nodes")}
        </div>
        ${this.vouching === "kOfN" ? this.#agreeing(policy) : nothing}
        ${this.vouching === "pinnedHash" ? this.#block(policy) : nothing} ${this.#registry()} ${this.#complaint("form")}
        <div class="buttons"><button type="submit" class="main">${this.say("policy.apply")}</button></div>
      </form>
    </details>`;
  }

  #vouching(): TemplateResult {
    const choose = (event: Event): void => {
      const { target } = event;
      if (!(target instanceof HTMLSelectElement)) return;
      this.vouching = VOUCHINGS.find((each) => each === target.value) ?? "oneNode";
    };
    return html`<div>
      <label for="vouching">${this.say("policy.vouching.label")}</label>
      <select id="vouching" @change=${choose}>
        ${VOUCHINGS.map(
          (each) =>
            html`<option value=${each} .selected=${each === this.vouching}>
              ${this.say(`policy.${each}.option` satisfies Key)}
            </option>`,
        )}
      </select>
    </div>`;
  }

  #agreeing(policy: Policy | null): TemplateResult {
    const now = policy?.vouching === "kOfN" ? String(policy.agreeing) : "";
    return html`<div>
      ${this.#field("agreeing", "policy.agreeing.label", now, "numeric")}
      <p class="small" id="agreeing-hint">${this.say("policy.agreeing.hint")}</p>
      ${this.#complaint("agreeing")}
    </div>`;
  }

  #block(policy: Policy | null): TemplateResult {
    const chain = policy?.registries[0]?.registry.chainId ?? "";
    return html`<fieldset>
      <legend>${this.say("policy.block")}</legend>
      <div>${this.#field("chain", "policy.block.chain", chain, "numeric")}</div>
      <div>
        ${this.#field("block", "policy.block.hash", "")}
        <p class="small" id="block-hint">${this.say("policy.block.hint")}</p>
        ${this.#complaint("block")}
      </div>
    </fieldset>`;
  }

  #registry(): TemplateResult {
    return html`<fieldset>
      <legend>${this.say("policy.registry.add")}</legend>
      <div>
        ${this.#field("registry", "policy.registry.id", "")}
        <p class="small" id="registry-hint">${this.say("policy.registry.hint")}</p>
        ${this.#complaint("registry")}
      </div>
      <div>${this.#field("code", "policy.registry.code", "")} ${this.#complaint("code")}</div>
      <div>${this.#field("name", "policy.registry.name", "")}</div>
    </fieldset>`;
  }

  #field(id: Field | "chain" | "name", label: Key, value: string, mode = "text"): TemplateResult {
    return html`<label for=${id}>${this.say(label)}</label>
      <input
        id=${id}
        type="text"
        inputmode=${mode}
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
        aria-invalid=${this.#isWrong(id)}
        aria-describedby="${id}-hint ${id}-wrong"
        .value=${value}
      />`;
  }

  #isWrong(field: string): "true" | "false" {
    return this.wrong?.field === field ? "true" : "false";
  }

  #complaint(field: Field): TemplateResult {
    const { wrong } = this;
    return html`<div id="${field}-wrong" role="alert">
      ${
        wrong?.field === field
          ? html`<p class="wrong">${this.say(wrong.key)}</p>
              ${wrong.detail === "" ? nothing : html`<p class="small" lang="en">${plain(wrong.detail)}</p>`}`
          : nothing
      }
    </div>`;
  }

  #typed(id: string): string {
    const field = this.renderRoot.querySelector(`#${id}`);
    return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field.value.trim() : "";
  }

  #apply(): void {
    const nodes = [...new Set(this.#typed("nodes").split(/\s+/u).filter(Boolean))];
    const [agreeing, chain, block] = [this.#typed("agreeing"), this.#typed("chain"), this.#typed("block")];
    const [registry, code] = [this.#typed("registry").toLowerCase(), this.#typed("code").toLowerCase()];
    const isPinned = this.vouching === "pinnedHash" && block !== "";
    if (!nodes.every(isNodeAddress)) return this.#complain("nodes", "policy.wrong.nodes");
    if (agreeing !== "" && !/^[1-9][0-9]{0,2}$/.test(agreeing))
      return this.#complain("agreeing", "policy.wrong.agreeing");
    if (isPinned && !(HASH.test(block.toLowerCase()) && CHAIN.test(chain)))
      return this.#complain("block", "policy.wrong.block");
    const isAdding = registry !== "" || code !== "";
    if (isAdding && !REGISTRY.test(registry)) return this.#complain("registry", "policy.wrong.registry");
    if (isAdding && !HASH.test(code)) return this.#complain("code", "policy.wrong.code");
    try {
      const made = changed(this.policy, {
        vouching: this.vouching,
        nodes,
        agreeing: agreeing === "" ? null : Number(agreeing),
        knownBlock: isPinned ? { chain: `eip155:${chain}`, hash: block.toLowerCase() } : null,
        registry: isAdding ? { registry, codeHash: code, name: this.#typed("name") } : null,
      });
      this.wrong = null;
      for (const id of ["block", "registry", "code", "name"]) this.#empty(id);
      this.tell("policy-made", made);
    } catch (error) {
      this.#complain("form", "policy.wrong", error instanceof Error ? error.message : String(error));
    }
  }

  #empty(id: string): void {
    const field = this.renderRoot.querySelector(`#${id}`);
    if (field instanceof HTMLInputElement) field.value = "";
  }

  #complain(field: Field, key: Key, detail = ""): void {
    this.wrong = { field, key, detail };
    this.renderRoot.querySelector<HTMLElement>(`#${field}`)?.focus();
  }
}

define(PolicyForm.NAME, PolicyForm);
