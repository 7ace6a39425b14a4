// Addresses of nodes: what one is called before people, and whether two of them lead to the same machine.
// docs/spec/policy.md, "What vouches".

import { toUtf8 } from "../core/bytes.js";
import { MalformedError } from "../core/errors.js";
import { shownNode } from "../core/evidence.js";
import type { Policy } from "../core/policy.js";

/** Name a node without name, password, path and query, which may be secret. */
export function nodeName(address: string): string {
  return shownNode(parseAddress(address).href);
}

/** Split off name and password, which browsers take in no address: they go into a header (RFC 7617). */
export function withoutPassword(address: string): { url: string; authorization: { Authorization?: string } } {
  const url = parseAddress(address);
  if (url.username === "" && url.password === "") return { url: url.href, authorization: {} };
  const words = toUtf8(`${decoded(url.username)}:${decoded(url.password)}`);
  [url.username, url.password] = ["", ""];
  const Authorization = `Basic ${btoa(String.fromCharCode(...words))}`;
  return { url: url.href, authorization: { Authorization } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}

/**
 * Require that nodes can be asked, and that no two of those that must agree are the same: it would be counted twice.
 *
 * @throws MalformedError They cannot.
 */
export function requireUsableNodes({ nodes, vouching }: Policy): void {
  const endpoints = new Set(nodes.map(endpointOf));
  if (vouching === "kOfN" && endpoints.size !== nodes.length) {
    throw new MalformedError("two of the nodes are the same, which can agree with itself only");
  }
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
