// <ca-policy .policy .shipped>: what is trusted, in words, and where that comes from; change it, load a file, put it back.
// Tells `policy-change` (the policy's file, or null: what came with the page).

import { css, html, nothing, type TemplateResult } from "lit";

import { CredanchorError } from "../core/errors.js";
import { parsePolicy, type Policy, type TrustedRegistry } from "../core/policy.js";
import { save } from "./download.js";
import { canKeep, forget, keep, kept } from "./kept.js";
import { define, Part } from "./part.js";
import { PolicyForm } from "./policyForm.js";
import { hostOf, readPolicy, without } from "./rules.js";
import { plain, quoted } from "./stranger.js";
import { base } from "./styles.js";
import { type Key, words } from "./words.js";

/** A policy's file is never so large. */
const MAX_FILE_BYTES = 1_048_576;

export class PolicyPanel extends Part {
  static override properties = {
    policy: { attribute: false },
    shipped: { attribute: false },
    said: { state: true },
    wrong: { state: true },
    isKept: { state: true },
  };
  /** In force; null: none is. */
  declare policy: Uint8Array | null;
  /** What came with the page. */
  declare shipped: Uint8Array | null;
  declare protected said: Key | null;
  /** Why the loaded file cannot be used, in English; null: nothing is wrong. */
  declare protected wrong: string | null;
  declare protected isKept: boolean;

  static override styles = [
    base,
    css`
      summary .small {
        font-weight: 400;
      }
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
        align-items: baseline;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .check {
        display: flex;
        gap: 0.6rem;
        align-items: flex-start;
        font-weight: 400;
        margin-block: 0.75rem 0;
      }
      .check input {
        flex: none;
        width: 1.35rem;
        height: 1.35rem;
        margin: 0.15rem 0 0;
        accent-color: var(--accent);
      }
      .file {
        position: relative;
        margin: 0;
      }
      .file input {
        position: absolute;
        inset: 0;
        opacity: 0;
        cursor: pointer;
        width: 100%;
      }
      .file:focus-within {
        outline: 0.19rem solid var(--accent);
        outline-offset: 0.19rem;
      }
    `,
  ];

  constructor() {
    super();
    this.policy = null;
    this.shipped = null;
    this.said = null;
    this.wrong = null;
    this.isKept = false;
  }

  protected override firstUpdated(): void {
    const own = kept();
    if (own === null) return;
    // What an older page has written, or somebody's hand: it counts only if it can be read.
    if (readPolicy(own) === null) forget();
    else {
      this.isKept = true;
      this.tell("policy-change", own);
    }
  }

  protected override render(): unknown {
    const policy = readPolicy(this.policy);
    return html`<details class="card no-print">
      <summary>${this.say("policy.title")} <span class="small">– ${this.#origin(policy)}</span></summary>
      <p>${this.say("policy.intro")}</p>
      ${policy === null ? nothing : this.#rules(policy)}
      <p role="status">${this.said === null ? nothing : this.say(this.said)}</p>
      <ca-policy-form
        .policy=${this.policy}
        @policy-made=${(event: CustomEvent<Uint8Array>) => this.#use(event.detail)}
      ></ca-policy-form>
      <h3>${this.say("policy.file")}</h3>
      ${this.#files()} ${this.#keeping()}
    </details>`;
  }

  #origin(policy: Policy | null): string {
    if (this.policy === null) return this.say("policy.origin.none");
    if (policy === null) return this.say("policy.origin.bad");
    if (this.policy === this.shipped) return this.say("policy.origin.shipped");
    return this.say(this.isKept ? "policy.origin.kept" : "policy.origin.own");
  }

  #rules(policy: Policy): TemplateResult {
    const { registries, vouching, nodes, agreeing, knownBlocks, deniedIssuers, trustLists, requiredProofs } = policy;
    const hosts = words().list(nodes.map((each) => quoted(hostOf(each))));
    const said = this.say(`policy.${vouching}` satisfies Key, { agreeing, count: nodes.length });
    const blocks = [...knownBlocks.values()].flat().length;
    return html`<dl class="facts">
      ${this.#fact(
        "policy.registries",
        registries.length === 0
          ? this.say("policy.registries.none")
          : html`<ul>
              ${registries.map((each) => this.#registry(each))}
            </ul>`,
      )}
      ${this.#fact("policy.vouching", said)}
      ${this.#fact("policy.nodes", nodes.length === 0 ? this.say("policy.nodes.none") : hosts)}
      ${blocks === 0 ? nothing : this.#fact("policy.blocks", words().number(blocks))}
      ${this.#fact("policy.final", this.#final(policy))} ${this.#fact("policy.age", this.#age(policy))}
      ${this.#texts("policy.denied", deniedIssuers)}
      ${this.#texts(
        "policy.lists",
        trustLists.map(({ source, signer }) => `${source} (${signer})`),
      )}
      ${this.#texts("policy.required", requiredProofs)}
      ${policy.requireDidDocument ? this.#fact("policy.did", this.say("policy.did.text")) : nothing}
    </dl>`;
  }

  #final({ vouching, confirmations }: Policy): string {
    if (vouching === "pinnedHash") return this.say("policy.final.pinned");
    if (confirmations === null) return this.say("policy.final.chain");
    return confirmations === 0 ? this.say("policy.final.newest") : this.count("policy.final.blocks", confirmations);
  }

  #age({ maxAgeSeconds }: Policy): string {
    if (maxAgeSeconds === null) return this.say("policy.age.any");
    return this.count("policy.age.minutes", Math.max(1, Math.round(maxAgeSeconds / 60)));
  }

  #fact(label: Key, value: unknown): TemplateResult {
    return html`<div>
      <dt>${this.say(label)}</dt>
      <dd>${value}</dd>
    </div>`;
  }

  #texts(label: Key, texts: readonly string[]): TemplateResult | typeof nothing {
    if (texts.length === 0) return nothing;
    return this.#fact(
      label,
      html`${texts.map(
        (each) =>
          html`<code><bdi>${plain(each)}</bdi></code
            ><br />`,
      )}`,
    );
  }

  #registry({ registry, codeHash, name }: TrustedRegistry): TemplateResult {
    const shown = plain(name);
    const code = Array.from(codeHash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return html`<li>
      <div class="row">
        <bdi>${shown === "" ? this.say("policy.registry.unnamed") : shown}</bdi>
        <button
          type="button"
          class="link"
          aria-label=${this.say("policy.registry.remove.which", { name: shown === "" ? registry.id : shown })}
          @click=${() => this.#remove(registry.id)}
        >
          ${this.say("policy.registry.remove")}
        </button>
      </div>
      <code>${registry.id}</code><br />
      <span class="small">${this.say("policy.registry.code")} <code>0x${code}</code></span>
    </li>`;
  }

  #files(): TemplateResult {
    const { policy, shipped } = this;
    return html`<div class="buttons">
        <label class="button file"
          >${this.say("policy.load")}
          <input
            type="file"
            accept=".json,application/json"
            aria-describedby="wrong"
            @change=${(event: Event) => void this.#load(event)}
        /></label>
        ${
          policy === null
            ? nothing
            : html`<button type="button" @click=${() => save(policy, "policy.json", "application/json")}>
                ${this.say("policy.save")}
              </button>`
        }
        ${
          policy === shipped
            ? nothing
            : html`<button type="button" @click=${() => this.#putBack()}>${this.say("policy.back")}</button>`
        }
      </div>
      <div id="wrong" role="alert">
        ${
          this.wrong === null
            ? nothing
            : html`<p class="wrong">${this.say("policy.wrong")}</p>
                <p class="small" lang="en">${plain(this.wrong)}</p>`
        }
      </div>`;
  }

  #keeping(): TemplateResult | typeof nothing {
    if (this.policy === this.shipped) return nothing;
    if (!canKeep()) return html`<p class="small">${this.say("policy.keep.not")}</p>`;
    return html`<label class="check">
        <input
          type="checkbox"
          .checked=${this.isKept}
          @change=${(event: Event) => this.#keep(event.target instanceof HTMLInputElement && event.target.checked)}
        />
        <span>${this.say("policy.keep")}</span>
      </label>
      <p class="small">${this.say("policy.keep.hint")}</p>`;
  }

  #use(policy: Uint8Array): void {
    this.wrong = null;
    this.said = "policy.changed";
    if (this.isKept) this.isKept = keep(policy);
    this.tell("policy-change", policy);
  }

  #remove(id: string): void {
    if (this.policy !== null) this.#use(without(this.policy, id));
  }

  async #load(event: Event): Promise<void> {
    const { target } = event;
    if (!(target instanceof HTMLInputElement)) return;
    const file = target.files?.[0];
    if (file === undefined) return;
    try {
      if (file.size > MAX_FILE_BYTES) throw new CredanchorError(`larger than ${MAX_FILE_BYTES} bytes`);
      const bytes = new Uint8Array(await file.arrayBuffer());
      parsePolicy(bytes);
      this.#use(bytes);
    } catch (error) {
      this.said = null;
      this.wrong = error instanceof Error ? error.message : String(error);
    }
    // The same file may be chosen again, after it was mended.
    target.value = "";
  }

  #putBack(): void {
    forget();
    this.isKept = false;
    this.wrong = null;
    this.said = "policy.back.done";
    this.renderRoot.querySelector<PolicyForm>(PolicyForm.NAME)?.forgetInput();
    this.tell("policy-change", null);
  }

  #keep(wanted: boolean): void {
    if (wanted && this.policy !== null) this.isKept = keep(this.policy);
    else {
      forget();
      this.isKept = false;
    }
  }
}

define("ca-policy", PolicyPanel);
