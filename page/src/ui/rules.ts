// A policy as people change it: the file stays what it is, members are replaced in it. docs/spec/policy.md.

import { isArray, isObject, type JsonObject, type JsonValue, parseJsonObject } from "../core/json.js";
import { toUtf8 } from "../core/bytes.js";
import { type Policy, parsePolicy, type Vouching } from "../core/policy.js";

export const VOUCHINGS = ["oneNode", "ownNode", "kOfN", "pinnedHash"] as const satisfies readonly Vouching[];

/** What the form states. */
export interface Change {
  readonly vouching: Vouching;
  readonly nodes: readonly string[];
  /** Null: more than half. */
  readonly agreeing: number | null;
  readonly knownBlock: { readonly chain: string; readonly hash: string } | null;
  readonly registry: { readonly registry: string; readonly codeHash: string; readonly name: string } | null;
}

/** Read a policy; null where there is none, or one that cannot be used. */
export function readPolicy(bytes: Uint8Array | null): Policy | null {
  if (bytes === null) return null;
  try {
    return parsePolicy(bytes);
  } catch {
    return null;
  }
}

/**
 * Give the file with the changes in it.
 *
 * @throws MalformedError They make no policy.
 */
export function changed(bytes: Uint8Array | null, change: Change): Uint8Array {
  const { vouching, nodes, agreeing, knownBlock, registry } = change;
  const before = documentOf(bytes);
  const registries = listOf(before["registries"]);
  return written({
    ...before,
    vouching,
    nodes,
    agreeing: vouching === "kOfN" ? agreeing : null,
    registries: registry === null ? registries : [...registries, { ...registry }],
    ...(knownBlock === null ? {} : { knownBlocks: withBlock(before["knownBlocks"], knownBlock) }),
  });
}

/** Give the file without one registry. */
export function without(bytes: Uint8Array, id: string): Uint8Array {
  const before = documentOf(bytes);
  const isOther = (each: JsonValue): boolean => !isObject(each) || each["registry"] !== id;
  return written({ ...before, registries: listOf(before["registries"]).filter(isOther) });
}

/** Nodes that a page can reach: encrypted, or on this machine. */
export function isNodeAddress(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text);
    const isHere = hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "127.0.0.1";
    return protocol === "https:" || (protocol === "http:" && isHere);
  } catch {
    return false;
  }
}

/** The node's host: what else is in its address may be a secret. */
export function hostOf(address: string): string {
  try {
    return new URL(address).host;
  } catch {
    return address;
  }
}

function documentOf(bytes: Uint8Array | null): JsonObject {
  return bytes === null || readPolicy(bytes) === null
    ? { format: "credanchor/policy@v1", registries: [] }
    : parseJsonObject(bytes);
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isArray(value) ? value : [];
}

function withBlock(value: JsonValue | undefined, { chain, hash }: { chain: string; hash: string }): JsonObject {
  const known = value !== undefined && isObject(value) ? value : {};
  return { ...known, [chain]: [...listOf(known[chain]).filter((each) => each !== hash), hash] };
}

function written(document: JsonObject): Uint8Array {
  const bytes = toUtf8(`${JSON.stringify(document, null, 2)}\n`);
  parsePolicy(bytes);
  return bytes;
}
