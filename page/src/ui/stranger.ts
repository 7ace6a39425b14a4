// What strangers wrote, made fit to be shown: one line of bearable length that cannot turn the text around it.

/** Characters that are shown; a file may say a megabyte. */
export const MAX_SHOWN = 300;

/** Control characters, halves of characters, and what turns the text's direction (UAX 9) or is not seen at all. */
const HIDDEN =
  /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Make what a stranger wrote one line. Show it in `<bdi>`, or `quoted` inside a sentence. */
export function plain(text: string): string {
  const line = text
    .slice(0, MAX_SHOWN * 4)
    .replace(/\s+/gu, " ")
    .replace(HIDDEN, "")
    .trim();
  const characters = Array.from(line);
  return characters.length <= MAX_SHOWN ? line : `${characters.slice(0, MAX_SHOWN).join("")}…`;
}

/** The same for inside a sentence: its direction does not reach beyond it (U+2068, U+2069). */
export function quoted(text: string): string {
  return `\u2068${plain(text)}\u2069`;
}

/** The address as one that may be a link: https only, without user or password; else null. */
export function safeLink(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "https:" && url.username === "" && url.password === "" ? url.href : null;
  } catch {
    return null;
  }
}

/** The e-mail address as a link; null where it could be anything more than an address, such as one with a subject. */
export function mailLink(text: string): string | null {
  return /^[\w.+-]{1,64}@[a-z0-9.-]{1,190}$/iu.test(text) ? `mailto:${text}` : null;
}
