// Bundles: credentials, block headers and state proofs in one file. docs/spec/bundle.md.
//
// Read whole and consistent, or not at all: what is damaged is malformed, and never "not valid".

import { keccak_256 } from "@noble/hashes/sha3.js";

import { fromInteger, parseHex, toHex } from "./bytes.js";
import { type Credential, readCredential } from "./credential.js";
import { MalformedError, StateProofError } from "./errors.js";
import type { RegistryEvidence, StorageProof } from "./evidence.js";
import { type Block, parseHeader } from "./header.js";
import { checkMembers, isArray, isObject, type JsonObject, type JsonValue, parseJsonObject } from "./json.js";
import { isIncluded, leafHash } from "./merkle.js";
import { parseRegistry, type Registry } from "./registry.js";
import { provenAccount, provenSlot } from "./stateProof.js";
import { type StatusEntries, wordOf } from "./status.js";
import { batchSlot, didHashSlot, issuerSlot, keySlot, statusSlot, unpackBatch, unpackIssuer } from "./storage.js";
import { byHash, follow, MAX_NODE_BYTES, type Nodes } from "./trie.js";

const FORMAT = "credanchor/bundle@v1";
/** Largest bundle, 16 MiB. */
export const MAX_BUNDLE_BYTES = 16_777_216;

/** What a bundle proves of one registry: evidence, once something vouches for the block. */
export interface RegistryProof {
  readonly registry: Registry;
  readonly block: Block;
  readonly header: Uint8Array;
  readonly accountNodes: readonly Uint8Array[];
  readonly storage: readonly StorageProof[];
}

export interface Bundle {
  readonly credentials: readonly Credential[];
  readonly proofs: readonly RegistryProof[];
}

/** Read a bundle: steps 1 to 7. */
export function parseBundle(bytes: Uint8Array): Bundle {
  // 1
  const content = parseJsonObject(bytes, MAX_BUNDLE_BYTES);
  checkMembers(content, ["format", "credentials", "registries", "nodes"], "a bundle");
  if (content["format"] !== FORMAT) throw new MalformedError(`format of a bundle must be ${FORMAT}`);
  // 2
  const credentials = readObjects(content["credentials"], "credentials").map(readIncluded);
  if (credentials.length === 0) throw new MalformedError("a bundle has at least one credential");
  refuseDoubles(
    credentials.map(({ hash }) => toHex(hash)),
    "a credential",
  );
  // 3
  const registries = readObjects(content["registries"], "registries").map(readRegistry);
  refuseDoubles(
    registries.map(({ registry }) => registry.id),
    "a registry",
  );
  const named = new Set(credentials.flatMap(({ anchorProofs }) => anchorProofs.map(({ registry }) => registry.id)));
  if (registries.length !== named.size || !registries.every(({ registry }) => named.has(registry.id))) {
    throw new MalformedError("the registries must be those that the credentials name");
  }
  // 4
  const nodes = readNodes(content["nodes"]);
  // 5, 6
  const proofs = registries.map(({ registry, header }) => prove(registry, header, credentials, nodes));
  // 7
  const needed = new Set(
    proofs.flatMap((proof) => [...proof.accountNodes, ...proof.storage.flatMap((each) => each.nodes)]),
  );
  if (needed.size !== nodes.size) throw new MalformedError("nodes that no credential needs");
  return { credentials, proofs };
}

/** Name a block that the verifier knows as what vouches. */
export function knownBlock(hash: Uint8Array): string {
  return `known block ${toHex(hash)}`;
}

/** Give a bundle's proof as evidence: its block is one that the verifier knows. */
export function pinned({ registry, block, header, accountNodes, storage }: RegistryProof): RegistryEvidence {
  return {
    registry: registry.id,
    vouching: "pinnedHash",
    vouchedBy: [knownBlock(block.hash)],
    blockHash: block.hash,
    header,
    finalHash: null,
    finalHeader: null,
    accountNodes,
    storage,
  };
}

/** Read a credential, which must lead to the root of each of its anchor proofs. */
function readIncluded(document: JsonObject): Credential {
  const credential = readCredential(document);
  const { anchorProofs, hash } = credential;
  const entries = entriesOf(credential);
  for (const proof of anchorProofs) {
    if (!isIncluded(leafHash(proof.salt, entries, hash), proof, proof.root)) {
      throw new MalformedError("a credential does not lead to the root of its anchor proof");
    }
  }
  return credential;
}

function entriesOf({ statusEntries }: Credential): StatusEntries {
  if (statusEntries === null) throw new MalformedError("a credential has no anchor proof");
  return statusEntries;
}

function readRegistry(entry: JsonObject): { readonly registry: Registry; readonly header: Uint8Array } {
  checkMembers(entry, ["registry", "header"], "a registry of a bundle");
  return { registry: parseRegistry(readText(entry["registry"])), header: readBytes(entry["header"]) };
}

function readNodes(value: JsonValue | undefined): Nodes {
  if (!isArray(value)) throw new MalformedError("nodes must be an array");
  const nodes = value.map(readBytes);
  if (nodes.some((node) => node.length > MAX_NODE_BYTES)) throw new MalformedError("a node is too large");
  const found = byHash(nodes);
  if (found.size !== nodes.length) throw new MalformedError("a node twice");
  return found;
}

/** Prove of a registry what the credentials need, and note with which nodes. */
function prove(
  registry: Registry,
  header: Uint8Array,
  credentials: readonly Credential[],
  known: Nodes,
): RegistryProof {
  try {
    const block = parseHeader(header, keccak_256(header));
    const accountNodes = follow(block.stateRoot, keccak_256(registry.address), known).nodes;
    const account = provenAccount(block.stateRoot, registry.address, accountNodes);
    if (account === null) throw new MalformedError("no contract at the registry's address");
    const storage = new Map<bigint, StorageProof>();
    const read = (slot: bigint): bigint => {
      const { nodes } = storage.get(slot) ?? follow(account.storageRoot, keccak_256(fromInteger(slot, 32)), known);
      storage.set(slot, { slot, nodes });
      return provenSlot(account.storageRoot, slot, nodes);
    };
    for (const credential of credentials) {
      const { issuerId, list, index } = entriesOf(credential);
      for (const { root, size } of credential.anchorProofs.filter((proof) => proof.registry.id === registry.id)) {
        const { statusEpoch } = unpackIssuer(read(issuerSlot(issuerId)));
        const word = read(batchSlot(issuerId, root));
        const batch = unpackBatch(word);
        read(didHashSlot(issuerId));
        for (const purpose of ["revocation", "suspension"] as const) {
          read(statusSlot(purpose, issuerId, statusEpoch, list, wordOf(index)));
        }
        if (word !== 0n) read(keySlot(batch.key));
        if (batch.anchoredAt !== 0 && batch.size !== size) throw new MalformedError("a batch of another size");
      }
    }
    return { registry, block, header, accountNodes, storage: [...storage.values()] };
  } catch (error) {
    if (!(error instanceof StateProofError)) throw error;
    throw new MalformedError(`the bundle does not prove what its credentials need: ${error.message}`);
  }
}

function readObjects(value: JsonValue | undefined, name: string): readonly JsonObject[] {
  if (!isArray(value) || !value.every(isObject)) throw new MalformedError(`${name} must be an array of objects`);
  return value;
}

function readBytes(value: JsonValue | undefined): Uint8Array {
  return parseHex(readText(value));
}

function readText(value: JsonValue | undefined): string {
  if (typeof value !== "string") throw new MalformedError("registry, header and nodes must be text");
  return value;
}

function refuseDoubles(names: readonly string[], what: string): void {
  if (new Set(names).size !== names.length) throw new MalformedError(`${what} stands in the bundle twice`);
}
