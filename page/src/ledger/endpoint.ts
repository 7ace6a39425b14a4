// Addresses of nodes: what one is called before people, and whether two of them lead to the same machine.
// docs/spec/policy.md, "What vouches".

import { MalformedError } from "../core/errors.js";

/** Name a node without name, password, path and query, which may be secret. */
export function nodeName(address: string): string {
  const url = parseAddress(address);
  const hasMore = url.pathname.replaceAll("/", "") !== "" || url.search !== "";
  return `${url.protocol}//${url.host}${hasMore ? "/…" : ""}`;
}

/** Tell the host and port that an address leads to, in one spelling; this machine's names are one. */
export function endpointOf(address: string): string {
  const url = parseAddress(address);
  const host = isLoopback(address) ? "localhost" : url.hostname.replace(/\.+$/, "");
  return `${host}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}

/** Whether an address leads to this machine itself. */
export function isLoopback(address: string): boolean {
  // The browser writes every spelling of an IPv4 address as four decimals, and IPv6 in its short form.
  const host = parseAddress(address).hostname.replace(/\.+$/, "");
  const isName = host === "localhost" || host.endsWith(".localhost");
  return isName || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host) || /^\[::ffff:7f[0-9a-f]{2}:/.test(host);
}

/** @throws MalformedError It is no `http://` or `https://` address with a host. */
export function parseAddress(address: string): URL {
  const isOneLine = /^https?:\/\/[^\s\p{C}]+$/iu.test(address);
  if (!isOneLine || !URL.canParse(address)) {
    throw new MalformedError("an address must start with https:// or http:// and name a host");
  }
  return new URL(address);
}
