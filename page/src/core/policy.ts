// What a verifier trusts. docs/spec/policy.md.

import { parseHex } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { checkMembers, isArray, isObject, type JsonValue, parseJsonObject } from "./json.js";
import { parseRegistry, type Registry } from "./registry.js";

const FORMAT = "credanchor/policy@v1";
const VOUCHING = ["oneNode", "pinnedHash", "kOfN", "ownNode"] as const;

/** What vouches for the block hash. */
export type Vouching = (typeof VOUCHING)[number];

export interface TrustedRegistry {
  readonly registry: Registry;
  /** Keccak-256 of the runtime code. */
  readonly codeHash: Uint8Array;
  readonly name: string;
}

export interface Policy {
  readonly registries: readonly TrustedRegistry[];
  readonly vouching: Vouching;
  readonly nodes: readonly string[];
  /** Blocks on top that make an anchoring final; null: the chain's own finality. */
  readonly confirmations: number | null;
  /** Oldest block accepted; null: any age. */
  readonly maxAgeSeconds: number | null;
  readonly deniedIssuers: readonly string[];
}

/** Read a policy's file: exactly its members, for a misspelt rule would be a rule that nobody applies. */
export function parsePolicy(bytes: Uint8Array): Policy {
  const content = parseJsonObject(bytes);
  const { format, registries, vouching, nodes, confirmations, maxAgeSeconds, deniedIssuers } = content;
  const names = ["format", "registries", "vouching", "nodes", "confirmations", "maxAgeSeconds", "deniedIssuers"];
  checkMembers(content, names, "a policy");
  if (format !== FORMAT) throw new MalformedError(`format of a policy must be ${FORMAT}`);
  if (!isArray(registries)) throw new MalformedError("registries must be an array");
  const policy = {
    registries: registries.map(readRegistry),
    vouching: readVouching(vouching),
    nodes: readTexts(nodes, "nodes"),
    confirmations: readCount(confirmations, "confirmations"),
    maxAgeSeconds: readCount(maxAgeSeconds, "maxAgeSeconds"),
    deniedIssuers: readTexts(deniedIssuers, "deniedIssuers"),
  };
  if (policy.nodes.length !== 1) throw new MalformedError("nodes must hold exactly one address");
  if (new Set(policy.registries.map(({ registry }) => registry.id)).size !== policy.registries.length) {
    throw new MalformedError("a registry stands in the policy twice");
  }
  return policy;
}

function readRegistry(value: JsonValue): TrustedRegistry {
  if (!isObject(value)) throw new MalformedError("a registry of a policy must be an object");
  checkMembers(value, ["registry", "codeHash", "name"], "a registry of a policy");
  const { registry, codeHash, name } = value;
  if (typeof registry !== "string" || typeof codeHash !== "string" || typeof name !== "string") {
    throw new MalformedError("the members of a registry must be text");
  }
  return { registry: parseRegistry(registry), codeHash: parseHex(codeHash, 32), name };
}

function readVouching(value: JsonValue | undefined): Vouching {
  const vouching = VOUCHING.find((each) => each === value);
  if (vouching === undefined) throw new MalformedError(`vouching must be one of ${VOUCHING.join(", ")}`);
  return vouching;
}

function readTexts(value: JsonValue | undefined, name: string): readonly string[] {
  if (!isArray(value) || !value.every((each) => typeof each === "string")) {
    throw new MalformedError(`${name} must be an array of text`);
  }
  return value;
}

function readCount(value: JsonValue | undefined, name: string): number | null {
  if (value === null || (typeof value === "number" && Number.isInteger(value) && value >= 0)) return value;
  throw new MalformedError(`${name} must be null or a whole number from 0`);
}
