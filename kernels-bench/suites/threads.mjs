// Suite threads: networks on one thread and on several, in turn; the answers must be the same bytes.
import { availableParallelism } from "node:os";
import { modelFiles } from "../modelFiles.mjs";
import { statistics } from "./interleave.mjs";
import { openOwn } from "./own.mjs";

const TOGETHER = 8; // runs in a row: threads stay awake for the next one

/** filter: part of the names to run. emit: takes the JSON rows, × being one thread's fastest run over this one's. wrong: takes what differs. */
export async function threads({ modelsDir, filter = "", emit, log, wrong, ms = 4000 }) {
  const counts = [1, 2, 4].filter((count) => count <= availableParallelism());
  const { networks } = await modelFiles(modelsDir);
  for (const { name, onnx } of networks.filter((file) => file.name.includes(filter))) {
    const candidates = [];
    for (const count of counts) candidates.push({ count, times: [], own: await openOwn(onnx, { threads: count }) });
    const [{ own: alone }] = candidates;
    for (const { count, own } of candidates) {
      if (own.session.threads !== count) log(`${name}: ${count} threads: ${own.session.threadsReason}`);
      if (own.digest !== alone.digest) wrong(`${name}: ${count} threads give another answer than one`);
    }
    for (const start = performance.now(); performance.now() - start < ms * counts.length; )
      for (const { own, times } of candidates)
        for (let i = 0; i < TOGETHER; i++) {
          const before = performance.now();
          own.run();
          times.push(performance.now() - before);
        }
    const fastest = statistics(candidates[0].times).minMs;
    for (const { count, own, times } of candidates) {
      const { medianMs, minMs } = statistics(times);
      const { variant, target } = own.session;
      emit({
        suite: "threads",
        name,
        runtime: "bitexact",
        variant,
        target,
        threads: own.session.threads,
        medianMs,
        minMs,
        scaling: fastest / minMs,
      });
      log(`${name} (${variant}), ${count} threads: ${minMs.toFixed(3)} ms, × ${(fastest / minMs).toFixed(2)}`);
      own.dispose();
    }
  }
}
