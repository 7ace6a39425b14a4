// A policy of the user's own, kept in this browser because he asked for it.

const NAME = "credanchor-policy";

/**
 * Whether it can be kept so that nobody else can change it. Of pages opened from the disk many browsers make one origin, so
 * that any saved page could put its own rules there; over http anybody on the way could.
 */
export function canKeep(): boolean {
  const { protocol, hostname } = location;
  const isHere = hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "127.0.0.1";
  return (protocol === "https:" || (protocol === "http:" && isHere)) && storage() !== null;
}

export function kept(): Uint8Array | null {
  if (!canKeep()) return null;
  const text = storage()?.getItem(NAME) ?? null;
  return text === null ? null : new TextEncoder().encode(text);
}

/** @returns Whether it is kept now. */
export function keep(policy: Uint8Array): boolean {
  if (!canKeep()) return false;
  try {
    storage()?.setItem(NAME, new TextDecoder().decode(policy));
    return true;
  } catch {
    // The browser gives no room.
    return false;
  }
}

export function forget(): void {
  storage()?.removeItem(NAME);
}

/** Null where the browser forbids it: to ask is an error there. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
