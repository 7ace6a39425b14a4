// Fetches one document from the address that the user, the policy or an issuer's DID names; bounded in time and size.
// Only over https, or from this machine; never from where that address may send us on.

import { CredanchorError } from "../core/errors.js";
import { type Asking, exchange, limitsOf, NoConnectionError, TooLateError, TooLongError } from "./asking.js";
import { isLoopback, nodeName, parseAddress } from "./endpoint.js";

/** Nothing usable came; `problem` says why, in the words of the page's model. */
export class FetchError extends CredanchorError {
  override name = "FetchError";

  constructor(
    readonly problem:
      "notAddress" | "insecureAddress" | "notFetched" | "notFetchedCors" | "fetchedTooLarge" | "timedOut",
    message: string,
  ) {
    super(message);
  }
}

/** Check that an address is one that is fetched; give it as the browser writes it. */
export function checkAddress(address: string): URL {
  let url: URL;
  try {
    url = parseAddress(address);
  } catch {
    throw new FetchError("notAddress", "this is not an address");
  }
  if (url.username !== "" || url.password !== "") {
    throw new FetchError("notAddress", "an address with a name or password in it is not fetched");
  }
  if (url.protocol === "http:" && !isLoopback(address)) {
    throw new FetchError("insecureAddress", "without https anybody on the way can read and change it");
  }
  return url;
}

/** @throws FetchError Nothing usable came. */
export async function fetchBytes(address: string, maxBytes: number, asking: Asking): Promise<Uint8Array> {
  const url = checkAddress(address);
  const name = nodeName(address);
  const request = { method: "GET", headers: { Accept: "application/json, */*;q=0.5" } };
  try {
    const { status, body } = await exchange(asking, url.href, request, { ms: limitsOf(asking).documentMs, maxBytes });
    if (status === 200) return body;
    throw new FetchError("notFetched", `${name} was answered with HTTP status ${status}`);
  } catch (error) {
    if (error instanceof TooLongError) {
      throw new FetchError("fetchedTooLarge", `${name} has more than ${maxBytes} bytes`);
    }
    if (error instanceof TooLateError) throw new FetchError("timedOut", `${name} did not come in time`);
    if (error instanceof NoConnectionError) {
      throw new FetchError("notFetchedCors", `${name} cannot be reached, leads elsewhere, or lets no web page read it`);
    }
    throw error;
  }
}
