// Status entries, and where a credential's bits are. docs/spec/anchor-proof.md, "Status entries"; history.md, "Storage".

import { MalformedError } from "./errors.js";
import { checkMembers, isArray, isObject, type JsonObject, type JsonValue } from "./json.js";
import { ADDRESS, CHAIN_ID, parseRegistry, type Registry } from "./registry.js";

/** Entries of a status list. */
export const LIST_LENGTH = 131_072;
const ENTRY_TYPE = "BitstringStatusListEntry";
const MEMBERS = ["id", "type", "statusPurpose", "statusListIndex", "statusListCredential"];
const FUNCTIONS = { revocation: "isRevoked", suspension: "isSuspended" } as const;
/** Without sign or leading zeros. */
const DECIMAL = "(0|[1-9][0-9]*)";
const ID = new RegExp(
  `^ethereum:${ADDRESS}@${CHAIN_ID}/(isRevoked|isSuspended)\\?uint32=${DECIMAL}&uint32=${DECIMAL}&uint256=${DECIMAL}$`,
);

/** A credential's place among its issuer's status lists. */
export interface StatusPosition {
  /** Below 2^32. */
  readonly list: number;
  /** Below 131,072. */
  readonly index: number;
}

export interface StatusEntries extends StatusPosition {
  readonly registry: Registry;
  readonly issuerId: number;
}

/** Read the value of `credentialStatus`: one entry for revocation and one for suspension, which agree. */
export function parseStatusEntries(value: JsonValue | undefined): StatusEntries {
  if (!isArray(value)) throw new MalformedError("credentialStatus must be an array");
  const entries = value.filter(isObject).filter(isStatusEntry);
  const [first, second] = [onlyEntry(entries, "revocation"), onlyEntry(entries, "suspension")];
  if (entries.length !== 2) throw new MalformedError(`expected two entries of type ${ENTRY_TYPE}`);
  const [revocation, suspension] = [parseEntry(first, "revocation"), parseEntry(second, "suspension")];
  const agree =
    revocation.registry.id === suspension.registry.id &&
    revocation.issuerId === suspension.issuerId &&
    revocation.list === suspension.list &&
    revocation.index === suspension.index;
  if (!agree) throw new MalformedError("the entries for revocation and suspension name different places");
  return revocation;
}

/** Give the word of a list that holds `index`. */
export function wordOf(index: number): number {
  return Math.floor(index / 256);
}

/** Whether the bit of `index` is set in its word, the least significant bit first. */
export function isSet(word: bigint, index: number): boolean {
  return ((word >> BigInt(index % 256)) & 1n) === 1n;
}

/** Whether an entry is of the kind judged here. A type inside an array counts, so that no entry hides there. */
function isStatusEntry(entry: JsonObject): boolean {
  const type = entry["type"];
  return type === ENTRY_TYPE || (isArray(type) && type.includes(ENTRY_TYPE));
}

function onlyEntry(entries: readonly JsonObject[], purpose: string): JsonObject {
  const [entry, ...others] = entries.filter((each) => each["statusPurpose"] === purpose);
  if (entry === undefined || others.length > 0) throw new MalformedError(`expected exactly one entry for ${purpose}`);
  return entry;
}

function parseEntry(entry: JsonObject, purpose: keyof typeof FUNCTIONS): StatusEntries {
  checkMembers(entry, MEMBERS, "a status entry");
  const { id, type, statusListIndex, statusListCredential } = entry;
  if (typeof id !== "string" || type !== ENTRY_TYPE || typeof statusListCredential !== "string") {
    throw new MalformedError("the members of a status entry must be text");
  }
  const [, address = "", chainId = "", called, ...numbers] = ID.exec(id) ?? [];
  const [issuerId = 0, list = 0, index = 0] = numbers.map(Number);
  if (called !== FUNCTIONS[purpose]) throw new MalformedError(`the id must be an ERC-681 URL of ${FUNCTIONS[purpose]}`);
  if (issuerId < 1 || issuerId >= 2 ** 32 || list >= 2 ** 32 || index >= LIST_LENGTH) {
    throw new MalformedError("issuer, list or index of a status entry out of range");
  }
  if (statusListIndex !== numbers[2]) throw new MalformedError("statusListIndex must repeat the index");
  return { registry: parseRegistry(`eip155:${chainId}:${address}`), issuerId, list, index };
}
