/** The clock that profiles read: how fine it is, and how often work is repeated where it is too coarse for one time. */

/** Readings below this are as good as exact: a profile repeats nothing. Browsers give 5 µs to isolated pages and 20 to 1000 µs to others. */
const FINE_MS = 0.002;
/** Grains of the clock that a timed piece of work takes at least. */
const GRAINS = 8;
const SPIN_MS = 20;
const MOST_REPEATS = 1 << 20;

/** The least time between two different readings, in milliseconds. */
export function clockGrain(): number {
  let least = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  for (let last = begin, changes = 0; changes < 50 && last - begin < SPIN_MS; ) {
    const now = performance.now();
    if (now === last) continue;
    least = Math.min(least, now - last);
    last = now;
    changes++;
  }
  return least;
}

/** How often `work` is done between two readings so that they lie far enough apart; 1 with a fine clock. */
export function repeatsFor(grain: number, work: () => void): number {
  if (grain <= FINE_MS) return 1;
  for (let repeats = 1; repeats < MOST_REPEATS; repeats *= 2) {
    let least = Number.POSITIVE_INFINITY; // an interruption must not pass for work
    for (let attempt = 0; attempt < 3; attempt++) {
      const start = performance.now();
      for (let i = 0; i < repeats; i++) work();
      least = Math.min(least, performance.now() - start);
    }
    if (least >= GRAINS * grain) return repeats;
  }
  return MOST_REPEATS;
}
