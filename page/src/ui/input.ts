// <ca-input>: how a credential comes in: dropped, chosen, pasted, by a link, by a QR code; and whose it should be.
// Tells `give` with the inputs.

import { css, html, nothing, type PropertyValues } from "lit";

import type { Input } from "../model/model.js";
import { chosen, dropped, isLink, textOf, typed } from "./dropped.js";
import { define, Part } from "./part.js";
import "./scanner.js";
import { base } from "./styles.js";

export interface Gift {
  readonly inputs: readonly Input[];
  /** Null: nobody was asked for. */
  readonly email: string | null;
  /** Asked is what held at the block, whatever its age. */
  readonly asOfBlock: boolean;
}

export class Given extends Part {
  static override properties = {
    everywhere: { type: Boolean },
    another: { type: Boolean },
    link: { attribute: false },
    isOver: { state: true },
    isTextOpen: { state: true },
    isScanning: { state: true },
    complaint: { state: true },
  };
  /** Drops and pastes anywhere on the page are meant for it. */
  declare everywhere: boolean;
  /** There is an answer already. */
  declare another: boolean;
  /** A link that the user came with: shown, and opened only for who presses the button. */
  declare link: string | null;
  declare protected isOver: boolean;
  declare protected isTextOpen: boolean;
  declare protected isScanning: boolean;
  declare protected complaint: "email" | "text" | null;

  static override styles = [
    base,
    css`
      .drop {
        border: 0.15rem dashed var(--edge);
        border-radius: 0.9rem;
        padding: clamp(1.25rem, 5vw, 2.75rem) clamp(0.9rem, 4vw, 2rem);
        text-align: center;
        background: var(--paper);
        margin-bottom: 1.1rem;
      }
      .drop.over {
        border-style: solid;
        border-color: var(--accent);
      }
      .drop .big {
        font: 600 clamp(1.25rem, 1.1rem + 1vw, 1.6rem) / 1.25 var(--serif);
        margin: 0 0 0.35rem;
      }
      .drop .buttons {
        justify-content: center;
      }
      .drop svg {
        width: 2.75rem;
        height: 2.75rem;
        margin-bottom: 0.4rem;
        fill: none;
        stroke: var(--accent);
        stroke-width: 1.6;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .ways {
        margin-bottom: 1.1rem;
      }
      .text {
        margin-bottom: 1.1rem;
      }
      .text .buttons {
        margin-top: 0.6rem;
      }
      .compare {
        margin-top: 0.6rem;
      }
      .check {
        display: flex;
        gap: 0.6rem;
        align-items: flex-start;
        min-height: 2.75rem;
        margin: 0.9rem 0 0;
        font-weight: 400;
      }
      .check input {
        flex: none;
        width: 1.25rem;
        height: 1.25rem;
        margin: 0.2rem 0 0;
        accent-color: var(--accent);
      }
      .hint {
        margin: 0.35rem 0 0;
      }
    `,
  ];

  #forget: AbortController | null = null;

  constructor() {
    super();
    this.everywhere = false;
    this.another = false;
    this.link = null;
    this.isOver = false;
    this.isTextOpen = false;
    this.isScanning = false;
    this.complaint = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#forget = new AbortController();
    const { signal } = this.#forget;
    const where: EventTarget = this.everywhere ? window : this;
    const on = <E extends Event>(type: string, handle: (event: E) => void): void =>
      where.addEventListener(type, (event) => handle(event as E), { signal });
    on<DragEvent>("dragover", (event) => {
      event.preventDefault();
      this.isOver = true;
    });
    on<DragEvent>("dragleave", (event) => {
      if (event.relatedTarget === null || !this.everywhere) this.isOver = false;
    });
    on<DragEvent>("drop", (event) => void this.#drop(event));
    on<ClipboardEvent>("paste", (event) => this.#paste(event));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#forget?.abort();
  }

  focusTitle(): void {
    this.#field("title")?.focus();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("link") && this.link !== null) void this.#showText(this.link);
  }

  protected override render(): unknown {
    return html`<section class="card" aria-labelledby="title">
      <h2 id="title" tabindex="-1">${this.say(this.another ? "input.another" : "input.title")}</h2>
      <div class=${`drop ${this.isOver ? "over" : ""}`}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M6 3h8l4 4v14H6zM14 3v4h4M12 17v-6M9.4 13.4L12 10.8l2.6 2.6" />
        </svg>
        <p class="big">${this.say(this.isOver ? "input.drop.now" : "input.drop")}</p>
        <p class="small">${this.say("input.drop.hint")}</p>
        <div class="buttons">
          <button type="button" class="main" @click=${() => this.#pick("files")}>${this.say("input.files")}</button>
          <button type="button" @click=${() => this.#pick("folder")}>${this.say("input.folder")}</button>
        </div>
        <input id="files" type="file" multiple hidden @change=${this.#chosen} />
        <input id="folder" type="file" webkitdirectory hidden @change=${this.#chosen} />
      </div>
      <div class="buttons ways">
        <button
          type="button"
          class="link"
          aria-expanded=${this.isTextOpen}
          aria-controls="text-area"
          @click=${() => void this.#openText()}
        >
          ${this.say("input.text.open")}
        </button>
        <button
          type="button"
          class="link"
          aria-expanded=${this.isScanning}
          aria-controls="scanner"
          @click=${() => (this.isScanning = !this.isScanning)}
        >
          ${this.say("input.qr")}
        </button>
      </div>
      <div id="text-area" class="text" ?hidden=${!this.isTextOpen}>
        <label for="text">${this.say("input.text")}</label>
        <textarea
          id="text"
          spellcheck="false"
          autocapitalize="off"
          aria-describedby="text-hint text-wrong"
          aria-invalid=${this.complaint === "text"}
        ></textarea>
        <p id="text-wrong" class="wrong" ?hidden=${this.complaint !== "text"}>${this.say("input.text.empty")}</p>
        <p id="text-hint" class="small hint">${this.say("input.text.hint")}</p>
        <div class="buttons">
          <button type="button" class="main" @click=${this.#checkText}>${this.say("input.text.check")}</button>
        </div>
      </div>
      <div id="scanner" ?hidden=${!this.isScanning}>
        ${
          this.isScanning
            ? html`<ca-scanner @scanned=${this.#scanned} @close=${() => (this.isScanning = false)}></ca-scanner>`
            : nothing
        }
      </div>
      <div>
        <label for="email">${this.say("input.email")}</label>
        <input
          id="email"
          type="email"
          autocomplete="off"
          aria-describedby="email-hint email-wrong"
          aria-invalid=${this.complaint === "email"}
          @input=${() => (this.complaint = null)}
        />
        <p id="email-wrong" class="wrong" ?hidden=${this.complaint !== "email"}>${this.say("input.email.wrong")}</p>
        <p id="email-hint" class="small hint">${this.say("input.email.hint")}</p>
        ${
          this.another
            ? html`<div class="buttons compare">
                <button type="button" @click=${() => this.#compare()}>${this.say("input.email.compare")}</button>
              </div>`
            : nothing
        }
      </div>
      <label class="check"><input id="as-of" type="checkbox" /> <span>${this.say("input.asOf")}</span></label>
    </section>`;
  }

  #pick(id: "files" | "folder"): void {
    this.#field<HTMLInputElement>(id)?.click();
  }

  #chosen(event: Event): void {
    const field = event.currentTarget;
    if (!(field instanceof HTMLInputElement) || field.files === null) return;
    const inputs = chosen(field.files);
    // So that the same file, changed, can be chosen again.
    field.value = "";
    this.#give(inputs);
  }

  async #drop(event: DragEvent): Promise<void> {
    event.preventDefault();
    this.isOver = false;
    const data = event.dataTransfer;
    if (data === null) return;
    const text = textOf(data);
    const inputs = await dropped(data);
    if (inputs.length > 0) this.#give(inputs);
    else if (text !== "") await this.#showText(text);
  }

  #paste(event: ClipboardEvent): void {
    const data = event.clipboardData;
    const [target] = event.composedPath();
    if (data === null) return;
    if (data.files.length > 0) {
      event.preventDefault();
      this.#give(chosen(data.files));
    } else if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)) {
      const text = textOf(data);
      if (text !== "") void this.#pasted(text);
    }
  }

  /** A link is shown first: it is opened only for who presses the button. */
  async #pasted(text: string): Promise<void> {
    if (isLink(text)) await this.#showText(text);
    else this.#give([typed(text)]);
  }

  async #openText(): Promise<void> {
    this.isTextOpen = !this.isTextOpen;
    await this.updateComplete;
    if (this.isTextOpen) this.#field("text")?.focus();
  }

  async #showText(text: string): Promise<void> {
    this.isTextOpen = true;
    await this.updateComplete;
    const field = this.#field<HTMLTextAreaElement>("text");
    if (field === null) return;
    field.value = text;
    field.focus();
  }

  #checkText(): void {
    const field = this.#field<HTMLTextAreaElement>("text");
    if (field === null) return;
    if (field.value.trim() === "") {
      this.complaint = "text";
      field.focus();
      return;
    }
    this.#give([typed(field.value)]);
  }

  #scanned(event: CustomEvent<string>): void {
    this.isScanning = false;
    this.#give([typed(event.detail)]);
  }

  #give(inputs: readonly Input[]): void {
    if (inputs.length === 0) return;
    const email = this.#email();
    if (email === undefined) return;
    const asOfBlock = this.#field<HTMLInputElement>("as-of")?.checked === true;
    this.tell<Gift>("give", { inputs, email, asOfBlock });
  }

  /** What was given before, once more, for whom it should be. */
  #compare(): void {
    const email = this.#email();
    if (email !== undefined) this.tell<string | null>("compare", email);
  }

  /** Null where the field is empty; undefined where it holds no address, which is said there. */
  #email(): string | null | undefined {
    const field = this.#field<HTMLInputElement>("email");
    const email = field?.value.trim() ?? "";
    const isWrong = email !== "" && !/^[^\s@]+@[^\s@]+$/u.test(email);
    this.complaint = isWrong ? "email" : null;
    if (isWrong) field?.focus();
    return isWrong ? undefined : email === "" ? null : email;
  }

  #field<E extends HTMLElement = HTMLElement>(id: string): E | null {
    return this.renderRoot.querySelector<E>(`#${id}`);
  }
}

define("ca-input", Given);
