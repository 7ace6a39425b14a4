// Checks many credentials at once: each is parsed as it is read, evidence is collected once for all, then all are judged at
// the same blocks and the same time.

import { type Bundle, pinned } from "../core/bundle.js";
import { CredanchorError, MalformedError } from "../core/errors.js";
import type { Evidence } from "../core/evidence.js";
import { parsePolicy, type Policy } from "../core/policy.js";
import { Verifier } from "../core/verify.js";
import {
  type Found,
  InputError,
  isBundle,
  matchHolder,
  ourFormat,
  parseBundleFile,
  parseFile,
  readInputs,
} from "../files/index.js";
import {
  type Asking,
  type Collected,
  collectDocuments,
  collectEvidence,
  keptInMemory,
  type ListStore,
  nodeName,
  nodesOf,
  requireUsableNodes,
  resolvePolicy,
  vouchFor,
} from "../ledger/index.js";
import type { Answer, CheckEvent, CheckRequest, Report, Source, Trouble } from "../model/model.js";
import { answerOf, type Judged, type Parsed } from "./answer.js";
import { type Frame, reportOf } from "./report.js";

/** Answers are handed over in pieces, so that a page with many has something to show, and time to draw it. */
const PIECE = 50;
/** Of more than that, nobody looks at the raw JSON of each. */
const MOST_RAW = 20;
/** No block is as old. Not "no limit", under which what an old block lacks would count: it may have come since. */
const ANY_AGE_SECONDS = Number.MAX_SAFE_INTEGER;

/** Nothing could be checked. */
export class CheckingError extends CredanchorError {
  override name = "CheckingError";

  constructor(
    readonly trouble: Trouble,
    message: string,
  ) {
    super(message);
  }
}

/** What the surroundings give: the clock and the network. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  /** Unix seconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Where trust lists are kept; left out: nowhere. */
  readonly lists?: ListStore;
}

/** Beside what the page shows: what is known of the report once all is read and asked, for when it is stopped. */
export type WorkEvent = CheckEvent | { readonly kind: "judging"; readonly frame: Frame };

/**
 * Check whatever was given. Once the signal is given, what was answered so far is the report.
 *
 * @throws CheckingError There is no credential in it, or no policy to go by.
 */
export async function check(
  request: CheckRequest,
  { fetch, now, signal, lists = keptInMemory() }: Surroundings,
  emit: (event: WorkEvent) => void,
): Promise<Report> {
  const contacted = new Set<string>();
  const asking = (purpose: "node" | "link" | "didDocument" | "trustList"): Asking => ({
    fetch,
    signal,
    onRequest: (address) => {
      const host = purpose === "node" ? nodeName(address) : new URL(address).host;
      if (purpose !== "node") contacted.add(host);
      emit({ kind: "contacting", host, purpose });
    },
  });
  const answers: Answer[] = [];
  let frame: Frame | null = null;
  try {
    const policy = await policyOf(request, asking("trustList"), now(), lists);
    const { parsed, others } = await parseAll(request, asking("link"), emit);
    if (parsed.length === 0) throw new CheckingError("nothingFound", "there is no credential in what was given");
    const collected = await collect(parsed, policy, asking);
    frame = {
      checkedAt: now(),
      otherFiles: others,
      contacted: [...contacted],
      maxAgeSeconds: request.asOfBlock ? null : policy.maxAgeSeconds,
      total: parsed.length,
    };
    emit({ kind: "judging", frame });
    const judge = judging(collected, policy, frame.checkedAt, asking("node"));
    for await (const piece of judgeAll(parsed, judge, collected)) {
      answers.push(...piece);
      emit({ kind: "answers", answers: piece, total: parsed.length });
      signal.throwIfAborted();
    }
    return reportOf(request, frame, answers);
  } catch (error) {
    if (!signal.aborted || error instanceof CheckingError) throw error;
    return reportOf(request, frame ?? stoppedFrame(now(), contacted), answers);
  }
}

/** What is known where it was stopped before all was read and asked. */
export function stoppedFrame(now: number, contacted: Iterable<string>): Frame {
  return { checkedAt: now, otherFiles: [], contacted: [...contacted], maxAgeSeconds: null, total: Infinity };
}

/** Judge in pieces; between them whatever else there is to do has its turn. */
async function* judgeAll(
  parsed: readonly Parsed[],
  judge: (parsed: Parsed) => Promise<Judged | null>,
  collected: Collected,
): AsyncGenerator<Answer[]> {
  for (let start = 0; start < parsed.length; start += PIECE) {
    const piece: Answer[] = [];
    for (const [place, each] of parsed.slice(start, start + PIECE).entries()) {
      piece.push(answerOf(start + place, each, await judge(each), parsed.length <= MOST_RAW, collected));
    }
    yield piece;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

async function policyOf(request: CheckRequest, asking: Asking, now: number, kept: ListStore): Promise<Policy> {
  let policy: Policy;
  try {
    policy = parsePolicy(request.policy);
    // An address that is none would otherwise be noticed in the middle.
    requireUsableNodes(policy);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new CheckingError("badPolicy", error.message);
  }
  try {
    const given = new Map(request.trustLists?.map(({ source, content }) => [source, content]));
    policy = await resolvePolicy(policy, { asking, now, kept, given });
  } catch (error) {
    if (!(error instanceof CredanchorError)) throw error;
    throw new CheckingError("trustList", error.message);
  }
  return request.asOfBlock ? { ...policy, maxAgeSeconds: ANY_AGE_SECONDS } : policy;
}

async function parseAll(
  request: CheckRequest,
  asking: Asking,
  emit: (event: CheckEvent) => void,
): Promise<{ parsed: Parsed[]; others: { source: Source; what: string }[] }> {
  const parsed: Parsed[] = [];
  const others: { source: Source; what: string }[] = [];
  for await (const found of readInputs(request.inputs, asking)) {
    const { content, source, isNamed } = found;
    const what = content instanceof Uint8Array ? ourFormat(content) : "";
    if (what === "bundle") parsed.push(...parseBundled(found, request.holderEmail));
    else {
      const each = parseOne(found, request.holderEmail);
      // A credential that says to be something else is still one: nothing hides behind a word.
      const isNone = each.content instanceof InputError;
      if (isNone && content instanceof Uint8Array && isBundle(content))
        parsed.push(...parseBundled(found, request.holderEmail));
      else if (what !== "" && !isNamed && isNone) others.push({ source, what });
      else parsed.push(each);
    }
    if (parsed.length % PIECE === 0) emit({ kind: "reading", count: parsed.length });
  }
  emit({ kind: "reading", count: parsed.length });
  return { parsed, others };
}

function parseOne({ source, content, contacted }: Found, email: string | null): Parsed {
  const read = content instanceof InputError ? content : attempt(() => parseFile(content));
  const holder = read instanceof InputError || email === null ? null : matchHolder(read.document, email);
  return { source, content: read, holder, bundle: null, contacted };
}

function parseBundled({ source, content, contacted }: Found, email: string | null): Parsed[] {
  const bundle = content instanceof InputError ? content : attempt(() => parseBundleFile(content));
  if (bundle instanceof InputError) return [{ source, content: bundle, holder: null, bundle: null, contacted }];
  return bundle.credentials.map((credential, index, { length }) => ({
    source:
      length === 1
        ? source
        : { ...source, member: [source.member, `credential ${index + 1}`].filter(Boolean).join(", ") },
    content: credential,
    holder: email === null ? null : matchHolder(credential.document, email),
    bundle,
    contacted,
  }));
}

function attempt<T>(parse: () => T): T | InputError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Ask the policy's nodes, once for all that is in no bundle, and issuers' servers only if the policy says so. */
async function collect(
  parsed: readonly Parsed[],
  policy: Policy,
  asking: (purpose: "node" | "didDocument") => Asking,
): Promise<Collected> {
  const credentials = parsed.flatMap(({ content }) => (content instanceof InputError ? [] : [content]));
  const asked = parsed.flatMap(({ content, bundle }) =>
    content instanceof InputError || bundle !== null ? [] : [content],
  );
  const nothing: Collected = { evidence: { registries: [], missing: [] }, nodesAsked: new Map() };
  const collected = asked.length === 0 ? nothing : await collectEvidence(asked, policy, asking("node"));
  if (!policy.requireDidDocument) return collected;
  const trusted = new Set(policy.registries.map(({ registry }) => registry.id));
  const issuers = credentials
    .filter(({ anchorProofs }) => anchorProofs.some(({ registry }) => trusted.has(registry.id)))
    .map(({ issuer }) => issuer)
    .filter((did) => !policy.deniedIssuers.includes(did));
  const didDocuments = await collectDocuments(issuers, asking("didDocument"));
  return { ...collected, evidence: { ...collected.evidence, didDocuments } };
}

/** Give what judges: by the nodes' evidence, or by a bundle's, whose block is vouched for once. */
function judging(
  { evidence, nodesAsked }: Collected,
  policy: Policy,
  now: number,
  asking: Asking,
): (parsed: Parsed) => Promise<Judged | null> {
  const verifier = new Verifier(evidence, policy, now);
  const bundles = new Map<Bundle, Promise<{ verifier: Verifier; nodesAsked: number }>>();
  const ofBundle = (bundle: Bundle): Promise<{ verifier: Verifier; nodesAsked: number }> => {
    const known = bundles.get(bundle) ?? bundled(bundle, evidence, policy, now, asking);
    bundles.set(bundle, known);
    return known;
  };
  return async ({ content, bundle }) => {
    if (content instanceof InputError) return null;
    if (bundle !== null) {
      const its = await ofBundle(bundle);
      return { judgement: its.verifier.judge(content), nodesAsked: its.nodesAsked };
    }
    const judgement = verifier.judge(content);
    return { judgement, nodesAsked: nodesAsked.get(judgement.proof?.registry.id ?? "") ?? 0 };
  };
}

/** Find out what vouches for the blocks of a bundle: the nodes learn their numbers, and nothing else. */
async function bundled(
  bundle: Bundle,
  { didDocuments }: Evidence,
  policy: Policy,
  now: number,
  asking: Asking,
): Promise<{ verifier: Verifier; nodesAsked: number }> {
  const registries: Evidence["registries"][number][] = [];
  const missing: { registry: string; reason: string }[] = [];
  let asked = 0;
  for (const proof of bundle.proofs) {
    const { registry, block } = proof;
    if (!policy.registries.some((each) => each.registry.id === registry.id)) {
      missing.push({ registry: registry.id, reason: "not asked about, for the policy does not trust this registry" });
    } else if (policy.vouching === "pinnedHash") registries.push(pinned(proof));
    else {
      try {
        const vouched = await vouchFor(nodesOf(policy, asking), registry.chainId, policy, block);
        asked = vouched.nodesAsked;
        registries.push({
          ...pinned(proof),
          vouching: vouched.vouching,
          vouchedBy: vouched.vouchedBy,
          finalHash: vouched.final?.hash ?? null,
          finalHeader: vouched.final?.header ?? null,
        });
      } catch (error) {
        if (!(error instanceof CredanchorError)) throw error;
        missing.push({ registry: registry.id, reason: error.message });
      }
    }
  }
  const evidence = didDocuments === undefined ? { registries, missing } : { registries, missing, didDocuments };
  return { verifier: new Verifier(evidence, policy, now), nodesAsked: asked };
}
