/** Engines refuse allocations with a RangeError; callers get a SessionError that says so. */
import { SessionError } from "../errors.ts";

const REFUSED = /allocation failed|not allocate|invalid (typed )?array (buffer )?length|array buffer|out of memory|too large/i;

/** The result of `compute`. throws SessionError "session/out-of-memory" when the engine refuses the memory for it. */
export function withinMemory<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof RangeError && REFUSED.test(error.message))) throw error;
    throw new SessionError(
      "session/out-of-memory",
      `the engine refused the memory for tensors of these shapes (${error.message}); use smaller shapes`,
    );
  }
}
