// A reporter for node's test runner that names only what failed: there is a test for each of a thousand vectors.

import { inspect } from "node:util";

interface TestEvent {
  readonly type: string;
  readonly data: { name?: string; message?: string; details?: { error?: { cause?: unknown } } };
}

export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts: string[] = [];
  for await (const { type, data } of events) {
    if (type === "test:fail") yield `\n✘ ${data.name}\n${inspect(data.details?.error?.cause ?? data.details?.error)}\n`;
    // What a file says that ends before its tests begin, as where its vectors are not there.
    if (type === "test:stderr") yield data.message ?? "";
    if (type !== "test:diagnostic" || data.message === undefined) continue;
    // The runner's own counts come last, one each; what tests say of themselves has no such form.
    if (/^(tests|pass|fail|skipped) \d+$/.test(data.message)) counts.push(data.message);
    else if (/ ms/.test(data.message)) yield `  ${data.message}\n`;
  }
  yield `${counts.join(", ")}\n`;
}
