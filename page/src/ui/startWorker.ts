// Starts the worker from the script that the page carries: so the page is one file, also on a disk.

import source from "credanchor:worker";

interface Trusting {
  createScriptURL(url: string): string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: Trusting): Trusting;
}

/** Undefined until it is needed: a site that embeds the element may forbid it, and have the worker's script elsewhere. */
let trusting: Trusting | null | undefined;

/**
 * @param address Of the worker's script, where a site's policy allows no `blob:`; by default the script that is carried.
 */
export function startWorker(address: string | null = null): Worker {
  if (address !== null) return new Worker(trusted(address));
  const carried = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return new Worker(trusted(carried));
  } finally {
    URL.revokeObjectURL(carried);
  }
}

/** A Content Security Policy may want it said where a script's address is made; other browsers do not ask. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  trusting ??= trustedTypes?.createPolicy("credanchor", { createScriptURL: (url) => url }) ?? null;
  return trusting?.createScriptURL(address) ?? address;
}
