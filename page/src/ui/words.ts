// What the page says, in each language: typed by name, counted by Intl.PluralRules, dated by Intl.DateTimeFormat.

import en from "./words/en.json" with { type: "json" };
import fr from "./words/fr.json" with { type: "json" };
import manyEn from "./words/many.en.json" with { type: "json" };
import manyFr from "./words/many.fr.json" with { type: "json" };
import problemsEn from "./words/problems.en.json" with { type: "json" };
import problemsFr from "./words/problems.fr.json" with { type: "json" };

export const LANGUAGES = ["en", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];
/** What each language calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", fr: "Français" };

type Name = keyof typeof en | keyof typeof manyEn | keyof typeof problemsEn;
/** Words with no number in them. */
export type Key = Exclude<Name, `${string}#${string}`>;
/** Words for a number of things: `key#one`, `key#other`, … in the files. */
export type CountKey = Name extends infer Each ? (Each extends `${infer Key}#other` ? Key : never) : never;
export type Values = Readonly<Record<string, string | number>>;

const CATALOGUES: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  en: { ...en, ...manyEn, ...problemsEn },
  fr: { ...fr, ...manyFr, ...problemsFr },
};

/** One language's words, numbers and dates. */
export class Words {
  readonly #texts: Readonly<Record<string, string>>;
  readonly #plurals: Intl.PluralRules;
  readonly #numbers: Intl.NumberFormat;
  readonly #moments: Intl.DateTimeFormat;
  readonly #days: Intl.DateTimeFormat;
  readonly #lists: Intl.ListFormat;

  constructor(
    readonly language: Language,
    timeZone?: string,
  ) {
    this.#texts = CATALOGUES[language];
    const locale = `${language}-CA`;
    this.#plurals = new Intl.PluralRules(locale);
    this.#numbers = new Intl.NumberFormat(locale);
    const day = {
      day: "numeric",
      month: "long",
      year: "numeric",
      ...(timeZone === undefined ? {} : { timeZone }),
    } as const;
    this.#days = new Intl.DateTimeFormat(locale, day);
    const time = { hour: "numeric", minute: "2-digit", timeZoneName: "short" } as const;
    this.#moments = new Intl.DateTimeFormat(locale, { ...day, ...time });
    this.#lists = new Intl.ListFormat(locale, { type: "conjunction" });
  }

  say(key: Key, values: Values = {}): string {
    return this.#fill(this.#text(key), values);
  }

  /** Words of a name that is put together; null if there are none of it. */
  find(name: string, values: Values = {}): string | null {
    return Object.hasOwn(this.#texts, name) ? this.#fill(this.#text(name), values) : null;
  }

  /** Words for a number, which may stand in them as {count}. */
  count(key: CountKey, count: number, values: Values = {}): string {
    const form = `${key}#${this.#plurals.select(count)}`;
    return this.#fill(this.#texts[form] ?? this.#text(`${key}#other`), { ...values, count });
  }

  number(value: number): string {
    return this.#numbers.format(value);
  }

  /** @param at Unix seconds, shown in the reader's time zone, which is named. */
  moment(at: number): string {
    return formatted(this.#moments, at);
  }

  day(at: number): string {
    return formatted(this.#days, at);
  }

  list(items: readonly string[]): string {
    return this.#lists.format(items);
  }

  #text(name: string): string {
    const text = this.#texts[name];
    if (text === undefined) throw new Error(`no words in ${this.language}: ${name}`);
    return this.language === "fr" ? typeset(text) : text;
  }

  #fill(text: string, values: Values): string {
    return text.replace(/\{(\w+)\}/g, (_, place: string) => {
      const value = values[place];
      if (value === undefined) throw new Error(`no value for {${place}} in: ${text}`);
      return typeof value === "number" ? this.number(value) : value;
    });
  }
}

/** French signs that stand apart from their word must not begin or end a line without it. */
export function typeset(french: string): string {
  return french.replace(/ (?=[:;?!»])|(?<=«) /gu, "\u00a0");
}

/** What is beyond the dates that there are is shown as the number that it is. */
function formatted(format: Intl.DateTimeFormat, at: number): string {
  const date = new Date(at * 1000);
  return Number.isNaN(date.getTime()) ? String(at) : format.format(date);
}

const changes = new EventTarget();
let current = new Words("en");

/** The language that the page speaks now. */
export function words(): Words {
  return current;
}

/** Speak another language: whatever listens with `onLanguage` shows itself anew. */
export function speak(language: Language): void {
  if (language === current.language) return;
  current = new Words(language);
  changes.dispatchEvent(new Event("change"));
}

/** @returns What ends it. */
export function onLanguage(listen: () => void): () => void {
  changes.addEventListener("change", listen);
  return () => changes.removeEventListener("change", listen);
}

/** The first language of those wanted that there are words in; English without any. */
export function languageOf(wanted: readonly string[]): Language {
  for (const each of wanted) {
    const found = LANGUAGES.find((language) => language === each.toLowerCase().split("-")[0]);
    if (found !== undefined) return found;
  }
  return "en";
}
