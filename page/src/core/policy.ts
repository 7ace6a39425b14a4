// What a verifier trusts. docs/spec/policy.md.

import { parseHex } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { checkMembers, isArray, isObject, type JsonValue, parseWholeNumbers } from "./json.js";
import { parseRegistry, type Registry } from "./registry.js";

const FORMAT = "credanchor/policy@v1";
export const VOUCHING = ["oneNode", "pinnedHash", "kOfN", "ownNode"] as const;

/** What vouches for the block hash. */
export type Vouching = (typeof VOUCHING)[number];

export interface TrustedRegistry {
  readonly registry: Registry;
  /** Keccak-256 of the runtime code. */
  readonly codeHash: Uint8Array;
  readonly name: string;
}

/** Where a trust list comes from, and whose signature it must have. */
export interface TrustListSource {
  readonly source: string;
  /** did:key of an Ed25519 key. */
  readonly signer: string;
}

export interface Policy {
  readonly registries: readonly TrustedRegistry[];
  readonly vouching: Vouching;
  readonly nodes: readonly string[];
  /** How many nodes must agree (`kOfN`). */
  readonly agreeing: number;
  /** Hashes of the blocks that are known (`pinnedHash`), by chain id. */
  readonly knownBlocks: ReadonlyMap<string, readonly Uint8Array[]>;
  /** Blocks on top that make an anchoring final; null: the chain's own finality. */
  readonly confirmations: number | null;
  /** Oldest block accepted; null: any age. */
  readonly maxAgeSeconds: number | null;
  readonly deniedIssuers: readonly string[];
  /** Other proofs that a credential must carry. */
  readonly requiredProofs: readonly string[];
  /** The issuer's DID document must confirm its keys. */
  readonly requireDidDocument: boolean;
  /** Lists whose registries and denied issuers count too. While there is one, nothing is determined. */
  readonly trustLists: readonly TrustListSource[];
}

const NEEDED = ["format", "registries"];
const DEFAULTS: { readonly [member: string]: JsonValue } = {
  vouching: "oneNode",
  nodes: [],
  agreeing: null,
  knownBlocks: {},
  confirmations: null,
  maxAgeSeconds: 3600,
  deniedIssuers: [],
  requiredProofs: [],
  requireDidDocument: false,
  trustLists: [],
};

/** Read a policy's file. Unknown members are refused, for a misspelt rule would be a rule that nobody applies. */
export function parsePolicy(bytes: Uint8Array): Policy {
  const given = parseWholeNumbers(bytes);
  const left = Object.keys(DEFAULTS).filter((name) => !Object.hasOwn(given, name));
  checkMembers(given, [...NEEDED, ...Object.keys(DEFAULTS).filter((name) => !left.includes(name))], "a policy");
  const { format, registries, vouching, nodes, agreeing, knownBlocks, confirmations, maxAgeSeconds, ...lists } = {
    ...DEFAULTS,
    ...given,
  };
  if (format !== FORMAT) throw new MalformedError(`format of a policy must be ${FORMAT}`);
  if (!isArray(registries)) throw new MalformedError("registries must be an array");
  const named = readTexts(nodes, "nodes");
  const policy = {
    registries: registries.map(readRegistry),
    vouching: readVouching(vouching),
    nodes: named,
    agreeing: readAgreeing(agreeing, named.length),
    knownBlocks: readKnownBlocks(knownBlocks),
    confirmations: readCount(confirmations, "confirmations"),
    maxAgeSeconds: readCount(maxAgeSeconds, "maxAgeSeconds", 1),
    deniedIssuers: readDids(lists["deniedIssuers"]),
    requiredProofs: readTexts(lists["requiredProofs"], "requiredProofs"),
    requireDidDocument: readFlag(lists["requireDidDocument"], "requireDidDocument"),
    trustLists: readTrustLists(lists["trustLists"]),
  };
  if (new Set(named).size !== named.length) throw new MalformedError("a node stands in the policy twice");
  if (policy.vouching === "kOfN" && named.length > 0 && policy.agreeing > named.length) {
    throw new MalformedError(`${policy.agreeing} nodes must agree, and the policy names ${named.length}`);
  }
  if (new Set(policy.registries.map(({ registry }) => registry.id)).size !== policy.registries.length) {
    throw new MalformedError("a registry stands in the policy twice");
  }
  return policy;
}

function readDids(value: JsonValue | undefined): readonly string[] {
  const dids = readTexts(value, "deniedIssuers");
  if (!dids.every((did) => /^did:[^\s\p{C}]+$/u.test(did))) throw new MalformedError("a denied issuer must be a DID");
  return dids;
}

function readAgreeing(value: JsonValue | undefined, nodes: number): number {
  const agreeing = readCount(value, "agreeing") ?? Math.max(2, Math.floor(nodes / 2) + 1);
  if (agreeing < 2) throw new MalformedError("at least two nodes must agree: one alone is oneNode");
  return agreeing;
}

function readKnownBlocks(value: JsonValue | undefined): ReadonlyMap<string, readonly Uint8Array[]> {
  if (value === undefined || !isObject(value)) throw new MalformedError("knownBlocks must be an object");
  return new Map(
    Object.entries(value).map(([chain, hashes]) => {
      const chainId = /^eip155:([1-9][0-9]{0,31})$/.exec(chain)?.[1];
      if (chainId === undefined) throw new MalformedError("a chain of knownBlocks must be eip155:<chain id>");
      return [chainId, readTexts(hashes, "the hashes of a chain").map((hash) => parseHex(hash, 32))];
    }),
  );
}

function readFlag(value: JsonValue | undefined, name: string): boolean {
  if (typeof value !== "boolean") throw new MalformedError(`${name} must be true or false`);
  return value;
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

function readTrustLists(value: JsonValue | undefined): readonly TrustListSource[] {
  if (!isArray(value)) throw new MalformedError("trustLists must be an array");
  const lists = value.map((each) => {
    if (!isObject(each)) throw new MalformedError("a trust list must be an object");
    checkMembers(each, ["source", "signer"], "a trust list");
    const { source, signer } = each;
    if (typeof source !== "string" || source === "" || /^(?!https:)[^:/]*:\/\//.test(source)) {
      throw new MalformedError("the source of a trust list must be a file or an https:// address");
    }
    if (typeof signer !== "string" || !/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/.test(signer)) {
      throw new MalformedError("the signer of a trust list must be the did:key of an Ed25519 key");
    }
    return { source, signer };
  });
  if (new Set(lists.map(({ source, signer }) => `${signer} ${source}`)).size !== lists.length) {
    throw new MalformedError("a trust list stands in the policy twice");
  }
  return lists;
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

function readCount(value: JsonValue | undefined, name: string, least = 0): number | null {
  if (value === null || (typeof value === "number" && Number.isInteger(value) && value >= least)) return value;
  throw new MalformedError(`${name} must be null or a whole number from ${least}`);
}
