// Starts the worker from the script that the page carries: so the page is one file, also on a disk.

import source from "credanchor:worker";

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

/** The page's Content Security Policy wants it said where a script's address is made; other browsers do not ask. */
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const trusting = trustedTypes?.createPolicy("credanchor", { createScriptURL: (url) => url });

export function startWorker(): Worker {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return new Worker(trusting?.createScriptURL(address) ?? address);
  } finally {
    URL.revokeObjectURL(address);
  }
}
