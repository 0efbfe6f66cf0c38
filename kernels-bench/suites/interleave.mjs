// Times candidates in turn, A B A B, so that what the machine does meanwhile falls on all of them alike.

const WARM_UP_MS = 150;
const WARM_UP_RUNS = 200;
const MOST_RUNS = 400;

/** candidates: { name, run }. At least `runs` rounds, and until `ms` milliseconds a candidate are used or 400 rounds are done.
 *  Returns { name, medianMs, minMs } of each, in order. */
export async function interleave(candidates, { runs = 20, ms = 2000 } = {}) {
  for (const { run } of candidates) {
    const start = performance.now();
    for (let i = 0; i < 3 || (performance.now() - start < WARM_UP_MS && i < WARM_UP_RUNS); i++) await run();
  }
  const times = candidates.map(() => []);
  const start = performance.now();
  for (let round = 0; round < MOST_RUNS && (round < runs || performance.now() - start < ms * candidates.length); round++)
    for (const step of candidates.keys()) {
      const i = (round + step) % candidates.length; // nobody always follows the same neighbour
      const { run } = candidates[i];
      const before = performance.now();
      await run();
      times[i].push(performance.now() - before);
    }
  return candidates.map(({ name }, i) => ({ name, ...statistics(times[i]) }));
}

/** Median and minimum of times in milliseconds. */
export function statistics(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { medianMs: sorted[sorted.length >> 1], minMs: sorted[0] };
}
