// The trust lists that a policy names: fetched, or given with the page, and kept so that none older is ever accepted again.
// docs/spec/trust-list.md, "Use".

import { CredanchorError, TrustListError } from "../core/errors.js";
import type { Policy, TrustListSource } from "../core/policy.js";
import { applyTrustLists, checkTrustList, requireSuccessor, requireUsable, type TrustList } from "../core/trustList.js";
import type { Asking } from "./asking.js";
import { fetchBytes } from "./fetching.js";

const MAX_LIST_BYTES = 1_048_576;

/** Where the list accepted last is kept, by source and signer. */
export interface ListStore {
  read(key: string): Promise<Uint8Array | null>;
  write(key: string, list: Uint8Array): Promise<void>;
}

export interface Listing {
  readonly asking: Asking;
  /** Unix seconds. */
  readonly now: number;
  readonly kept: ListStore;
  /** Lists that came with the page, by their source: what a policy names by a file's name can only be had so. */
  readonly given?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Put into a policy what its trust lists say.
 *
 * A list that does not come, or is refused, leaves the one accepted before in its place, as long as that can be used.
 *
 * @throws TrustListError One cannot be had, does not hold, or is not usable now: nothing may be determined without it.
 */
export async function resolvePolicy(policy: Policy, listing: Listing): Promise<Policy> {
  const lists = await Promise.all(policy.trustLists.map((source) => current(source, listing)));
  return applyTrustLists(policy, lists, listing.now);
}

async function current(source: TrustListSource, listing: Listing): Promise<TrustList> {
  const key = JSON.stringify([source.source, source.signer]);
  const before = await accepted(key, source, listing);
  try {
    const content = await get(source, listing);
    const list = signed(content, source);
    if (before !== null) requireSuccessor(list, before);
    requireUsable(list, source.source, listing.now);
    await listing.kept.write(key, content);
    return list;
  } catch (error) {
    if (!(error instanceof CredanchorError)) throw error;
    if (before === null) throw new TrustListError(`the trust list ${source.source} cannot be used: ${error.message}`);
    return before;
  }
}

/** Give the list accepted last; null if there was none. What is kept and does not hold any more was never accepted. */
async function accepted(key: string, source: TrustListSource, { kept }: Listing): Promise<TrustList | null> {
  const content = await kept.read(key);
  if (content === null) return null;
  try {
    return signed(content, source);
  } catch (error) {
    if (error instanceof CredanchorError) return null;
    throw error;
  }
}

async function get({ source }: TrustListSource, { asking, given }: Listing): Promise<Uint8Array> {
  const content = given?.get(source);
  if (content !== undefined) return content;
  if (source.startsWith("https://")) return fetchBytes(source, MAX_LIST_BYTES, asking);
  throw new TrustListError("it is a file, which a page cannot read");
}

function signed(content: Uint8Array, { signer }: TrustListSource): TrustList {
  const list = checkTrustList(content);
  if (list.signer !== signer) throw new TrustListError(`it is not signed by ${signer}`);
  return list;
}
