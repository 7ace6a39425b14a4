// Which registry contract: CAIP-10 `eip155:<chain id>:<address>`. docs/spec/anchor-proof.md, conventions.

import { parseHex } from "./bytes.js";
import { MalformedError } from "./errors.js";

/** A chain id, to build patterns from. */
export const CHAIN_ID = "([1-9][0-9]*)";
/** An address in its one form. */
export const ADDRESS = "(0x[0-9a-f]{40})";

const REGISTRY = new RegExp(`^eip155:${CHAIN_ID}:${ADDRESS}$`);

export interface Registry {
  /** The whole identifier; two registries are the same if these are. */
  readonly id: string;
  readonly chainId: string;
  /** 20 bytes. */
  readonly address: Uint8Array;
}

/** Read a registry's CAIP-10 identifier. */
export function parseRegistry(id: string): Registry {
  const [, chainId = "", address = ""] = REGISTRY.exec(id) ?? [];
  // CAIP-2 gives a chain's reference 32 characters.
  if (chainId === "" || chainId.length > 32) {
    throw new MalformedError("a registry must be eip155:<chain id>:<address>, in decimal and lower-case hex");
  }
  return { id, chainId, address: parseHex(address, 20) };
}
