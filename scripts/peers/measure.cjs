// How long something takes that is done to many documents, by the clock and of processor time.
module.exports = { measure };

/** Runs `act` on every document, one after the other, and gives what the benchmark reads. */
async function measure(version, documents, act) {
  const started = process.hrtime.bigint();
  const startedCpu = process.cpuUsage();
  for (const document of documents) {
    await act(document);
  }
  const { user, system } = process.cpuUsage(startedCpu);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { version, count: documents.length, seconds, cpu: (user + system) / 1e6 };
}
