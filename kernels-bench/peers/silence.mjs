// Keeps what a peer prints while it starts off the benchmark's output.
const METHODS = ["log", "info", "warn", "error", "debug"];

/** What `work` returns; nothing it writes to the console or to stderr is seen. */
export async function silently(work) {
  const kept = METHODS.map((method) => console[method]);
  const write = process.stderr.write;
  for (const method of METHODS) console[method] = () => {};
  process.stderr.write = () => true;
  try {
    return await work();
  } finally {
    for (const [i, method] of METHODS.entries()) console[method] = kept[i];
    process.stderr.write = write;
  }
}
