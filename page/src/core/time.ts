// Dates and times as a credential writes them. docs/spec/verification.md, step 1.

import { MalformedError } from "./errors.js";

const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Give the Unix seconds of a date and time with a time zone; fractions of a second are dropped. */
export function parseDateTime(text: string): number {
  const found = DATE_TIME.exec(text);
  if (found === null) throw new MalformedError("expected a date and time with a time zone");
  const part = (index: number): number => Number(found[index] ?? 0);
  const [year, month, day] = [part(1), part(2), part(3)];
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [zoneHour, zoneMinute] = [part(8), part(9)];
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  const exists = year > 0 && midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) {
    throw new MalformedError("no such date, time or time zone");
  }
  const offset = (found[7] === "-" ? -1 : 1) * (zoneHour * 3600 + zoneMinute * 60);
  return midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
}
