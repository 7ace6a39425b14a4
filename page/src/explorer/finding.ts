// From a credential's file to its place in the registry: read and hashed here, sent nowhere. docs/spec/anchor-proof.md.
//
// Tells where to look, never whether a credential is valid.

import { toHex } from "../core/bytes.js";
import type { Credential } from "../core/credential.js";
import { isIncluded, leafHash } from "../core/merkle.js";
import type { AnchorProof } from "../core/proof.js";
import type { StatusEntries } from "../core/status.js";
import { type Found, InputError } from "../files/found.js";
import { readFile } from "../files/opened.js";
import { isBundle, ourFormat, parseBundleFile, parseFile } from "../files/parse.js";
import type { Problem } from "../model/model.js";

/** Where one anchor proof of a credential leads. */
export interface Trace {
  readonly issuerId: number;
  readonly root: string;
  readonly list: number;
  readonly index: number;
  readonly leafIndex: number;
  readonly size: number;
}

/** What came of one credential, or of what was none. */
export type Finding = { readonly name: string } & (
  | { readonly kind: "found"; readonly traces: readonly [Trace, ...Trace[]] }
  /** It names a batch of this registry, and does not lead to it: it is not what the institution anchored. */
  | { readonly kind: "altered" }
  /** It is recorded in other registries. */
  | { readonly kind: "elsewhere"; readonly registries: readonly string[] }
  /** It is recorded in none. */
  | { readonly kind: "unrecorded" }
  | { readonly kind: "problem"; readonly problem: Problem }
);

/**
 * Find what is in files, one after the other.
 *
 * @param files What the user chose.
 * @param registry Whose places are looked for: its CAIP-10 identifier.
 */
export async function* findIn(files: Iterable<File>, registry: string): AsyncGenerator<Finding> {
  for (const file of files) {
    const source = { path: file.name, member: null, address: null };
    for await (const found of readFile(file, { source, isNamed: true, contacted: [] })) {
      yield* findingsOf(found, registry);
    }
  }
}

function* findingsOf({ content, source }: Found, registry: string): Generator<Finding> {
  const name = source.member ?? source.path ?? "";
  try {
    if (content instanceof InputError) throw content;
    const credentials = credentialsOf(content);
    for (const credential of credentials) yield { name, ...findingOf(credential, registry) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    yield { name, kind: "problem", problem: error.problem };
  }
}

function credentialsOf(bytes: Uint8Array): readonly Credential[] {
  if (ourFormat(bytes) === "bundle") return parseBundleFile(bytes).credentials;
  try {
    return [parseFile(bytes)];
  } catch (error) {
    // With its members in another order a bundle does not say at once that it is one.
    if (error instanceof InputError && isBundle(bytes)) return parseBundleFile(bytes).credentials;
    throw error;
  }
}

type Kinds<T> = T extends unknown ? Omit<T, "name"> : never;

function findingOf({ anchorProofs, statusEntries, hash }: Credential, registry: string): Kinds<Finding> {
  if (statusEntries === null) return { kind: "unrecorded" };
  const here = anchorProofs.filter((proof) => proof.registry.id === registry);
  if (here.length === 0) {
    return { kind: "elsewhere", registries: [...new Set(anchorProofs.map((proof) => proof.registry.id))] };
  }
  const [first, ...others] = here
    .filter((proof) => isIncluded(leafHash(proof.salt, statusEntries, hash), proof, proof.root))
    .map((proof) => traceOf(proof, statusEntries));
  return first === undefined ? { kind: "altered" } : { kind: "found", traces: [first, ...others] };
}

function traceOf({ issuerId, root, leafIndex, size }: AnchorProof, { list, index }: StatusEntries): Trace {
  return { issuerId, root: toHex(root), list, index, leafIndex, size };
}
