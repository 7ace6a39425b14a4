// <ca-scanner>: reads a QR code by the camera or from a picture, and shows what is in it. Nothing is done with that until
// the user says so: then it tells `scanned` with the text.

import { css, html, nothing, type TemplateResult } from "lit";

import { type Frame, readQr, readQrCodes } from "../files/qr.js";
import { isLink } from "./dropped.js";
import { define, Part } from "./part.js";
import { plain } from "./stranger.js";
import { base } from "./styles.js";
import type { Key } from "./words.js";

/** Longer sides at which a picture is looked at, in turn: small ones lose noise, large ones keep small codes. */
const PICTURE_SIDES = [1_200, 600, 2_400] as const;
/** Of a camera's frame: reading one must not hold the page up. */
const FRAME_SIDE = 640;
const FRAME_EVERY_MS = 150;
const MAX_PICTURE_BYTES = 50_000_000;

type Camera = "off" | "starting" | "on";

export class Scanner extends Part {
  static override properties = {
    camera: { state: true },
    found: { state: true },
    complaint: { state: true },
  };
  declare protected camera: Camera;
  /** What is in the code. */
  declare protected found: string | null;
  declare protected complaint: Key | null;

  static override styles = [
    base,
    css`
      .scanner {
        border: 1px solid var(--line);
        border-radius: 0.9rem;
        padding: 1rem;
        margin-bottom: 1.1rem;
      }
      .scanner > :last-child {
        margin-bottom: 0;
      }
      video {
        display: block;
        width: 100%;
        max-height: 60vh;
        aspect-ratio: 4 / 3;
        object-fit: cover;
        border-radius: 0.5rem;
        background: #000;
        margin-bottom: 0.75rem;
      }
      .content {
        padding: 0.6rem 0.9rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--paper);
        overflow-wrap: anywhere;
      }
      .buttons {
        margin-bottom: 0.75rem;
      }
    `,
  ];

  #stream: MediaStream | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.camera = "off";
    this.found = null;
    this.complaint = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopCamera();
  }

  protected override render(): unknown {
    return html`<section class="scanner" aria-label=${this.say("qr.title")}>
      ${this.camera === "off" ? nothing : this.#view()}
      <div role="status">
        ${this.complaint === null ? nothing : html`<p class="wrong">${this.say(this.complaint)}</p>`}
        ${this.found === null ? nothing : this.#content(this.found)}
      </div>
      <div class="buttons">
        ${
          this.camera === "off"
            ? html`<button type="button" @click=${() => void this.#startCamera()}>${this.say("qr.camera")}</button>`
            : html`<button type="button" @click=${() => this.#stopCamera()}>${this.say("qr.stop")}</button>`
        }
        <button type="button" @click=${() => this.renderRoot.querySelector<HTMLInputElement>("#picture")?.click()}>
          ${this.say("qr.picture")}
        </button>
        <button type="button" class="link" @click=${() => this.tell("close", null)}>${this.say("qr.close")}</button>
      </div>
      <input id="picture" type="file" accept="image/*" hidden @change=${this.#chosen} />
      <p class="small">${this.say("qr.note")}</p>
    </section>`;
  }

  #view(): TemplateResult {
    return html`<video muted playsinline aria-hidden="true"></video>
      <p role="status">${this.say(this.camera === "starting" ? "qr.starting" : "qr.aim")}</p>`;
  }

  #content(text: string): TemplateResult {
    const host = hostOf(text);
    return html`<p>${this.say("qr.found")}</p>
      <p class="content"><bdi>${plain(text)}</bdi></p>
      ${host === null ? nothing : html`<p class="small">${this.say("qr.open.hint", { host })}</p>`}
      <div class="buttons">
        <button type="button" class="main" @click=${() => this.tell("scanned", text)}>
          ${this.say(host === null ? "qr.check" : "qr.open")}
        </button>
      </div>`;
  }

  async #startCamera(): Promise<void> {
    this.found = null;
    this.complaint = null;
    // Where pages get no camera, there is nothing to ask: its type says otherwise.
    const { mediaDevices } = navigator as Partial<Navigator>;
    if (mediaDevices === undefined) {
      this.complaint = "qr.insecure";
      return;
    }
    this.camera = "starting";
    try {
      const stream = await mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      // It may have been stopped, or closed, while the user was asked.
      if (this.camera !== "starting" || !this.isConnected) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      this.#stream = stream;
      await this.updateComplete;
      const video = this.renderRoot.querySelector("video");
      if (video === null) return;
      video.srcObject = stream;
      await video.play();
      this.camera = "on";
      this.#look(video);
    } catch {
      // Whatever it was, the way on is the same.
      this.#stopCamera();
      this.complaint = "qr.noCamera";
    }
  }

  #stopCamera(): void {
    clearTimeout(this.#timer);
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.camera = "off";
  }

  #look(video: HTMLVideoElement): void {
    if (this.camera !== "on") return;
    const frame = frameOf(video, video.videoWidth, video.videoHeight, FRAME_SIDE);
    const text = frame === null ? null : readQr(frame);
    if (text === null) {
      this.#timer = setTimeout(() => this.#look(video), FRAME_EVERY_MS);
      return;
    }
    this.#stopCamera();
    void this.#show(text);
  }

  async #chosen(event: Event): Promise<void> {
    const field = event.currentTarget;
    if (!(field instanceof HTMLInputElement)) return;
    const file = field.files?.[0];
    field.value = "";
    if (file === undefined) return;
    this.#stopCamera();
    this.found = null;
    this.complaint = null;
    const text = await readPicture(file);
    if (text === undefined) this.complaint = "qr.badPicture";
    else if (text === null) this.complaint = "qr.none";
    else await this.#show(text);
  }

  async #show(text: string): Promise<void> {
    this.found = text;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("button.main")?.focus();
  }
}

/** @returns Null where no code is seen; undefined where it is no picture. */
async function readPicture(file: Blob): Promise<string | null | undefined> {
  if (file.size > MAX_PICTURE_BYTES) return undefined;
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    // Not a picture, a damaged one, or one of a kind that the browser does not know.
    return undefined;
  }
  try {
    for (const side of PICTURE_SIDES) {
      const frame = frameOf(picture, picture.width, picture.height, side);
      const [text] = frame === null ? [] : await readQrCodes(frame);
      if (text !== undefined) return text;
    }
    return null;
  } finally {
    picture.close();
  }
}

function frameOf(source: CanvasImageSource, width: number, height: number, side: number): Frame | null {
  if (width === 0 || height === 0) return null;
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return null;
  // What is transparent is paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Whom a link would ask; null for what is none. */
function hostOf(text: string): string | null {
  if (!isLink(text)) return null;
  try {
    return new URL(text.trim()).host;
  } catch {
    return null;
  }
}

define("ca-scanner", Scanner);
