// Which JSON numbers mean the same to every reader. docs/spec/anchor-proof.md, "Input".

interface Decimal {
  readonly negative: boolean;
  /** Without zeros at either end; empty for zero. */
  readonly digits: string;
  /** Power of ten of the last digit. */
  readonly exponent: number;
}

/** More digits than this in an exponent name a number outside every double, unless it is zero: inputs hold a million digits. */
const MAX_EXPONENT_DIGITS = 8;

/**
 * Whether the number written as `source` is `value` in all its decimals, finite, and no whole number beyond 2^53 − 1.
 *
 * What JavaScript writes for `value` is what RFC 8785 writes.
 */
export function isExact(source: string, value: number): boolean {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) return false;
  const written = decimal(source);
  const canonical = decimal(String(value));
  if (written === null || canonical === null) return false;
  if (written.digits === "" && canonical.digits === "") return true;
  return (
    written.negative === canonical.negative &&
    written.digits === canonical.digits &&
    written.exponent === canonical.exponent
  );
}

/** Take a JSON number apart; null where its exponent is out of all bounds. */
function decimal(text: string): Decimal | null {
  const [mantissa = "", power = "0"] = text.toLowerCase().split("e");
  const negative = mantissa.startsWith("-");
  const [whole = "", fraction = ""] = mantissa.slice(negative ? 1 : 0).split(".");
  const all = whole + fraction;
  // Loops, for a regular expression that looks for zeros at the end takes quadratic time.
  let end = all.length;
  while (end > 0 && all[end - 1] === "0") end -= 1;
  let start = 0;
  while (start < end && all[start] === "0") start += 1;
  if (start === end) return { negative: false, digits: "", exponent: 0 };
  const magnitude = power.replace(/^[+-]?0*/, "");
  if (magnitude.length > MAX_EXPONENT_DIGITS) return null;
  const exponent = (power.startsWith("-") ? -1 : 1) * Number(magnitude) - fraction.length + (all.length - end);
  return { negative, digits: all.slice(start, end), exponent };
}
