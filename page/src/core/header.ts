// Block headers: what a vouched hash says of a block. docs/spec/verification.md, "State proofs".

import { keccak_256 } from "@noble/hashes/sha3.js";

import { equalBytes, parseHex } from "./bytes.js";
import { StateProofError } from "./errors.js";
import { asBytes, asInteger, asList, decodeRlp, encodeRlp } from "./rlp.js";

export interface Block {
  readonly hash: Uint8Array;
  readonly number: number;
  /** Unix seconds. */
  readonly time: number;
  readonly stateRoot: Uint8Array;
}

/** A block as nodes send it (JSON-RPC). */
export type RpcBlock = { readonly [field: string]: unknown };

const MAX_BYTES = 32_768;
const MAX_INTEGER_BYTES = 8;
const [STATE_ROOT, NUMBER, TIME] = [3, 8, 11];

/** Fields that every header has; those after them came with later forks. */
const FRONTIER_FIELDS = 15;

/** Fields of the first fork in their order, then what each later fork appended; `true` for quantities. */
const FIELDS: readonly (readonly [name: string, isQuantity: boolean])[] = [
  ["parentHash", false],
  ["sha3Uncles", false],
  ["miner", false],
  ["stateRoot", false],
  ["transactionsRoot", false],
  ["receiptsRoot", false],
  ["logsBloom", false],
  ["difficulty", true],
  ["number", true],
  ["gasLimit", true],
  ["gasUsed", true],
  ["timestamp", true],
  ["extraData", false],
  ["mixHash", false],
  ["nonce", false],
  ["baseFeePerGas", true],
  ["withdrawalsRoot", false],
  ["blobGasUsed", true],
  ["excessBlobGas", true],
  ["parentBeaconBlockRoot", false],
  ["requestsHash", false],
  ["blockAccessListHash", false],
  ["slotNumber", true],
];

/** Read a header that hashes to `hash`. */
export function parseHeader(header: Uint8Array, hash: Uint8Array): Block {
  if (header.length > MAX_BYTES) throw new StateProofError(`the header has more than ${MAX_BYTES} bytes`);
  if (!equalBytes(keccak_256(header), hash)) throw new StateProofError("the header does not hash to the block hash");
  const fields = asList(decodeRlp(header));
  if (fields.length < FRONTIER_FIELDS) throw new StateProofError("the header has fewer fields than any has");
  return {
    hash,
    number: Number(asInteger(fields[NUMBER], MAX_INTEGER_BYTES)),
    time: Number(asInteger(fields[TIME], MAX_INTEGER_BYTES)),
    stateRoot: asBytes(fields[STATE_ROOT], 32),
  };
}

/**
 * Rebuild a header from the block that a node sent.
 *
 * What it gives is worth nothing before `parseHeader` has held it against a vouched hash; a fork with fields unknown here
 * fails there.
 */
export function encodeHeader(block: RpcBlock): Uint8Array {
  const isPresent = ([name]: readonly [string, boolean]): boolean => block[name] !== undefined && block[name] !== null;
  const count = Math.max(FRONTIER_FIELDS, FIELDS.map(isPresent).lastIndexOf(true) + 1);
  return encodeRlp(
    FIELDS.slice(0, count).map((field, index) =>
      // A chain that skipped a fork: go-ethereum, whose headers such chains have, writes an empty string.
      index >= FRONTIER_FIELDS && !isPresent(field) ? new Uint8Array() : readField(block[field[0]], field[1]),
    ),
  );
}

function readField(value: unknown, isQuantity: boolean): Uint8Array {
  if (typeof value !== "string") throw new StateProofError("a block's field is not text");
  const hex = value.slice(2).toLowerCase();
  const digits = isQuantity ? hex.replace(/^0+/, "") : hex;
  return parseHex(`0x${digits.length % 2 === 1 ? "0" : ""}${digits}`);
}
