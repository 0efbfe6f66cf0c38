/** Abort signals that many calls share: one listener for all of them. */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `stop` when the signal is aborted, at once where it is already. Returns the function that takes that back. */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  if (signal.aborted) stop();
  let stops = waiting.get(signal);
  if (!stops) {
    const made = new Set<() => void>();
    stops = made;
    waiting.set(signal, made);
    signal.addEventListener("abort", () => made.forEach((each) => void each()), { once: true });
  }
  const own = stops.add(stop);
  return () => void own.delete(stop);
}
